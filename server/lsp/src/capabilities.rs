//! What the editor can do, and what the server offers it in return.

use gatewatch_source::Encoding;
use gen_lsp_types::{
    ClientCapabilities, CodeActionKind, CodeActionOptions, CodeActionProvider, CodeLensOptions,
    DefinitionProvider, DiagnosticOptions, DiagnosticProvider, DocumentSymbolProvider,
    ExecuteCommandOptions, HoverProvider, InlayHintProvider, MarkupKind, PositionEncodingKind,
    ResourceOperationKind, Save, ServerCapabilities, TextDocumentSync, TextDocumentSyncKind,
    TextDocumentSyncOptions, WorkspaceFoldersServerCapabilities, WorkspaceOptions,
    WorkspaceSymbolProvider,
};

use crate::requests::execute_command;

/// What matters of an editor's capabilities.
#[derive(Clone, Debug, Default)]
pub(crate) struct Capabilities {
    /// What columns count.
    pub(crate) encoding: Encoding,
    /// It shows hovers as Markdown.
    pub(crate) markdown: bool,
    /// It takes diagnostics only by asking for them.
    pub(crate) only_pulls: bool,
    /// A diagnostic may name other places.
    pub(crate) related_information: bool,
    /// It hands a diagnostic's `data` back.
    pub(crate) diagnostic_data: bool,
    /// It can be told to ask for diagnostics again.
    pub(crate) diagnostic_refresh: bool,
    /// It shows code lenses.
    pub(crate) code_lens: bool,
    /// It can be told to ask for code lenses again.
    pub(crate) code_lens_refresh: bool,
    /// It shows inlay hints.
    pub(crate) inlay_hint: bool,
    /// It can be told to ask for inlay hints again.
    pub(crate) inlay_hint_refresh: bool,
    /// It takes edits that name the version they are for.
    pub(crate) document_changes: bool,
    /// An edit may create a file.
    pub(crate) create_files: bool,
    /// Symbols of a document may have a range besides their name's.
    pub(crate) symbol_ranges: bool,
    /// It answers `workspace/configuration`.
    pub(crate) configuration: bool,
    /// It can be asked to tell of changed settings.
    pub(crate) configuration_registration: bool,
    /// It can be asked to watch files.
    pub(crate) watching: bool,
    /// What it watches may be given relative to a folder.
    pub(crate) relative_patterns: bool,
    /// It shows progress.
    pub(crate) progress: bool,
}

impl Capabilities {
    /// Reads what the editor says of itself.
    pub(crate) fn of(client: &ClientCapabilities) -> Self {
        let document = client.text_document.as_ref();
        let workspace = client.workspace.as_ref();
        let published = document.and_then(|all| all.publish_diagnostics.as_ref());
        let pulled = document.and_then(|all| all.diagnostic.as_ref());
        let said = published
            .map(|all| &all.diagnostics_capabilities)
            .or(pulled.map(|all| &all.diagnostics_capabilities));
        let edit = workspace.and_then(|all| all.workspace_edit.as_ref());
        let watched = workspace.and_then(|all| all.did_change_watched_files.as_ref());
        let is = |flag: Option<bool>| flag == Some(true);
        Self {
            encoding: encoding(client),
            markdown: document
                .and_then(|all| all.hover.as_ref()?.content_format.as_ref())
                .is_some_and(|formats| formats.contains(&MarkupKind::Markdown)),
            only_pulls: pulled.is_some() && published.is_none(),
            related_information: is(said.and_then(|all| all.related_information)),
            diagnostic_data: is(said.and_then(|all| all.data_support)),
            diagnostic_refresh: is(
                workspace.and_then(|all| all.diagnostics.as_ref()?.refresh_support)
            ),
            code_lens: document.is_some_and(|all| all.code_lens.is_some()),
            code_lens_refresh: is(workspace.and_then(|all| all.code_lens.as_ref()?.refresh_support)),
            inlay_hint: document.is_some_and(|all| all.inlay_hint.is_some()),
            inlay_hint_refresh: is(
                workspace.and_then(|all| all.inlay_hint.as_ref()?.refresh_support)
            ),
            document_changes: is(edit.and_then(|all| all.document_changes)),
            create_files: edit
                .and_then(|all| all.resource_operations.as_ref())
                .is_some_and(|operations| operations.contains(&ResourceOperationKind::Create)),
            symbol_ranges: is(document.and_then(|all| {
                all.document_symbol
                    .as_ref()?
                    .hierarchical_document_symbol_support
            })),
            configuration: is(workspace.and_then(|all| all.configuration)),
            configuration_registration: is(workspace
                .and_then(|all| all.did_change_configuration.as_ref()?.dynamic_registration)),
            watching: is(watched.and_then(|all| all.dynamic_registration)),
            relative_patterns: is(watched.and_then(|all| all.relative_pattern_support)),
            progress: is(client
                .window
                .as_ref()
                .and_then(|all| all.work_done_progress)),
        }
    }

    /// What the server offers this editor.
    ///
    /// Diagnostics are pushed to whoever takes them that way, even if it could pull: only a push reaches
    /// files other than the one being typed in, at once, in every editor. Offering both would show
    /// everything twice.
    pub(crate) fn offer(&self) -> ServerCapabilities {
        ServerCapabilities {
            position_encoding: Some(match self.encoding {
                Encoding::Utf8 => PositionEncodingKind::UTF8,
                Encoding::Utf16 => PositionEncodingKind::UTF16,
                Encoding::Utf32 => PositionEncodingKind::UTF32,
            }),
            text_document_sync: Some(TextDocumentSync::Options(TextDocumentSyncOptions {
                open_close: Some(true),
                change: Some(TextDocumentSyncKind::Incremental),
                save: Some(Save::Bool(true)),
                ..Default::default()
            })),
            hover_provider: Some(HoverProvider::Bool(true)),
            definition_provider: Some(DefinitionProvider::Bool(true)),
            document_symbol_provider: Some(DocumentSymbolProvider::Bool(true)),
            workspace_symbol_provider: Some(WorkspaceSymbolProvider::Bool(true)),
            code_action_provider: Some(CodeActionProvider::CodeActionOptions(CodeActionOptions {
                code_action_kinds: Some(vec![CodeActionKind::QuickFix]),
                ..Default::default()
            })),
            code_lens_provider: self.code_lens.then(CodeLensOptions::default),
            inlay_hint_provider: self.inlay_hint.then_some(InlayHintProvider::Bool(true)),
            diagnostic_provider: self.only_pulls.then(|| {
                DiagnosticProvider::DiagnosticOptions(DiagnosticOptions {
                    identifier: Some(crate::convert::SOURCE.into()),
                    inter_file_dependencies: true,
                    workspace_diagnostics: false,
                    ..Default::default()
                })
            }),
            execute_command_provider: Some(ExecuteCommandOptions {
                commands: execute_command::ALL.map(str::to_owned).to_vec(),
                ..Default::default()
            }),
            workspace: Some(WorkspaceOptions {
                workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                    supported: Some(true),
                    change_notifications: Some(true.into()),
                }),
                ..Default::default()
            }),
            ..Default::default()
        }
    }
}

/// The cheapest encoding that the editor offers; UTF-16 is what every editor has to know.
fn encoding(client: &ClientCapabilities) -> Encoding {
    let offered = client
        .general
        .as_ref()
        .and_then(|all| all.position_encodings.as_deref())
        .unwrap_or_default();
    let offers = |kind: PositionEncodingKind| offered.contains(&kind);
    if offers(PositionEncodingKind::UTF8) {
        Encoding::Utf8
    } else if offered.is_empty() || offers(PositionEncodingKind::UTF16) {
        Encoding::Utf16
    } else if offers(PositionEncodingKind::UTF32) {
        Encoding::Utf32
    } else {
        Encoding::Utf16
    }
}
