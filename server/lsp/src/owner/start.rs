//! The beginning of a session, and settings that change during it.

use std::path::PathBuf;

use gatewatch_drift::CONFIG_FILE;
use gatewatch_model::walk_options;
use gen_lsp_types::{
    DidChangeWatchedFilesRegistrationOptions, FileSystemWatcher, GlobPattern, InitializeParams,
    InitializeResult, LspAny, Registration, RelativePattern, RootPath, ServerInfo,
    WorkspaceFolders,
};

use crate::capabilities::Capabilities;
use crate::convert::{path_of, uri_of};
use crate::owner::Owner;
use crate::owner::folder::{Folder, State};
use crate::settings::EditorSettings;

impl Owner {
    /// Answers at once: nothing is read before the editor is ready to be told of it.
    pub(super) fn initialize(&mut self, params: &InitializeParams) -> InitializeResult {
        self.capabilities = std::sync::Arc::new(Capabilities::of(&params.capabilities));
        if let Some(client) = &params.client_info {
            tracing::info!(
                "serving {} {}",
                client.name,
                client.version.as_deref().unwrap_or_default()
            );
        }
        if let Some(options) = &params.initialization_options {
            self.editor = self.editor_settings(options);
        }
        if let Some(id) = params.process_id {
            self.outbox.watch_parent(id);
        }
        for root in roots(params) {
            self.roots.push(root);
        }
        InitializeResult {
            capabilities: self.capabilities.offer(),
            server_info: Some(ServerInfo {
                name: "gatewatch".into(),
                version: Some(env!("CARGO_PKG_VERSION").into()),
            }),
        }
    }

    pub(super) fn initialized(&mut self) {
        self.begin();
        let mut registrations = Vec::new();
        if self.capabilities.watching {
            registrations.extend(self.watchers());
        }
        if self.capabilities.configuration_registration {
            registrations.push(Registration {
                id: "gatewatch/settings".into(),
                method: "workspace/didChangeConfiguration".into(),
                register_options: Some(serde_json::json!({"section": "gatewatch"})),
            });
        }
        if !registrations.is_empty() {
            self.outbox.register(registrations);
        }
        if self.capabilities.configuration {
            self.outbox.ask_configuration();
        }
    }

    /// Begins to read the folders, once.
    pub(super) fn begin(&mut self) {
        if self.started {
            return;
        }
        self.started = true;
        for root in std::mem::take(&mut self.roots) {
            self.add_folder(root);
        }
        // The folders may be inside of each other.
        for at in 0..self.folders.len() {
            self.configure_folder(at);
        }
    }

    /// Which files the editor is to watch: those that are read, and what the baseline rests on. No more:
    /// some editors take up a watch for every folder that a pattern may match.
    fn watchers(&self) -> Option<Registration> {
        let read = walk_options(Vec::new());
        let patterns = [
            format!("**/*.{{{}}}", read.extensions.join(",")),
            format!("**/{{{}}}", read.names.join(",")),
            CONFIG_FILE.to_owned(),
            ".git/{HEAD,packed-refs}".to_owned(),
            ".git/refs/**".to_owned(),
        ];
        let mut watchers = Vec::new();
        for pattern in patterns {
            let globs: Vec<GlobPattern> = if self.capabilities.relative_patterns {
                let bases = self
                    .folders
                    .iter()
                    .filter_map(|folder| uri_of(&folder.root));
                bases
                    .map(|base| {
                        RelativePattern {
                            base_uri: base.into(),
                            pattern: pattern.clone(),
                        }
                        .into()
                    })
                    .collect()
            } else if pattern.starts_with("**/") {
                vec![GlobPattern::Pattern(pattern)]
            } else {
                vec![GlobPattern::Pattern(format!("**/{pattern}"))]
            };
            watchers.extend(globs.into_iter().map(|glob_pattern| FileSystemWatcher {
                glob_pattern,
                kind: None,
            }));
        }
        let options = DidChangeWatchedFilesRegistrationOptions { watchers };
        Some(Registration {
            id: "gatewatch/files".into(),
            method: "workspace/didChangeWatchedFiles".into(),
            register_options: Some(serde_json::to_value(options).ok()?),
        })
    }

    pub(super) fn configuration_changed(&mut self, settings: &LspAny) {
        if self.capabilities.configuration {
            self.outbox.ask_configuration();
        } else if !settings.is_null() {
            self.configure(settings);
        }
    }

    /// Takes over the editor's settings. Nulls are what an editor says that has none: what it gave at the
    /// start then holds.
    pub(super) fn configure(&mut self, settings: &LspAny) {
        if settings.is_null() {
            return;
        }
        let settings = self.editor_settings(settings);
        if settings == self.editor {
            return;
        }
        self.editor = settings;
        for at in 0..self.folders.len() {
            self.configure_folder(at);
        }
        if self
            .folders
            .iter()
            .any(|folder: &Folder| matches!(folder.state, State::Ready(_)))
        {
            self.refresh_shown();
        }
    }

    fn editor_settings(&self, settings: &LspAny) -> EditorSettings {
        let (settings, problems) = EditorSettings::read(settings);
        for problem in problems {
            self.outbox.warn(problem);
        }
        settings
    }
}

/// The folders that an editor names, in the newest of the protocol's three ways that it uses.
fn roots(params: &InitializeParams) -> Vec<PathBuf> {
    if let Some(WorkspaceFolders::WorkspaceFolderList(folders)) =
        &params.workspace_folders_initialize_params.workspace_folders
    {
        let paths: Vec<PathBuf> = folders
            .iter()
            .filter_map(|folder| path_of(&folder.uri))
            .collect();
        if !paths.is_empty() {
            return paths;
        }
    }
    #[allow(deprecated)]
    let (uri, path) = (&params.root_uri, &params.root_path);
    match (uri, path) {
        (Some(uri), _) => path_of(uri).into_iter().collect(),
        (None, Some(RootPath::String(path))) if !path.is_empty() => vec![PathBuf::from(path)],
        _ => Vec::new(),
    }
}
