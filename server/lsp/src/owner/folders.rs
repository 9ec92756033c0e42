//! Which folders there are, and where each file belongs. Where the editor has no folder, a file is looked
//! at by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatewatch_model::walk_options;
use gatewatch_source::{Database, FilePath, Selection};
use gen_lsp_types::{ProgressToken, Uri, WorkspaceFoldersChangeEvent};

use crate::convert::{below, path_of};
use crate::owner::Owner;
use crate::owner::folder::{Folder, FolderId, State};
use crate::progress::Progress;
use crate::reading::{self, Reply};
use crate::settings::FolderSettings;

impl Owner {
    pub(super) fn folder_at(&self, id: FolderId) -> Option<usize> {
        self.folders.iter().position(|folder| folder.id == id)
    }

    /// The deepest folder that `path` is in, whether it reads the file or not.
    pub(super) fn folder_of(&self, path: &Path) -> Option<usize> {
        let holds = |folder: &Folder| match &folder.single {
            Some(single) => folder.root.join(single.as_str()) == path,
            None => path.starts_with(&folder.root),
        };
        let deepest = self
            .folders
            .iter()
            .enumerate()
            .filter(|(_, folder)| holds(folder));
        deepest
            .max_by_key(|(_, folder)| folder.root.as_os_str().len())
            .map(|(at, _)| at)
    }

    /// Takes a folder of the editor's workspace, unless it is none that anybody works on.
    pub(super) fn add_folder(&mut self, root: PathBuf) {
        if root.parent().is_none() || std::env::home_dir().is_some_and(|home| home == root) {
            return self.outbox.note(format!(
                "{} is no project and is not read; open files are looked at singly",
                root.display()
            ));
        }
        if self
            .folders
            .iter()
            .any(|folder| folder.single.is_none() && folder.root == root)
        {
            return;
        }
        self.has_folders = true;
        self.push_folder(root, None);
    }

    fn push_folder(&mut self, root: PathBuf, single: Option<FilePath>) {
        let options = walk_options(Vec::new());
        let id = self.new_folder_id();
        self.folders.push(Folder {
            id,
            root,
            single,
            state: State::Reading,
            settings: Arc::default(),
            selection: Selection::new(&options),
            options,
            reading: None,
            missed: BTreeSet::new(),
            fingerprint: None,
            checking: false,
            wanted: false,
            generation: 0,
            analysing: None,
            last: None,
            published: BTreeMap::new(),
            progress: None,
        });
        self.configure_folder(self.folders.len() - 1);
    }

    pub(super) fn new_folder_id(&mut self) -> FolderId {
        self.next_folder += 1;
        FolderId::new(self.next_folder)
    }

    /// Reads a folder's settings, and the folder itself if they say that something else is to be read.
    pub(super) fn configure_folder(&mut self, at: usize) {
        let nested = self.nested(at);
        let folder = &mut self.folders[at];
        let mut settings = match folder.single {
            Some(_) => FolderSettings::without_project(&self.editor),
            None => FolderSettings::read(&folder.root, &self.editor),
        };
        settings.exclude.extend(nested);
        let options = walk_options(settings.exclude.clone());
        let unread = folder.reading.is_none() && matches!(folder.state, State::Reading);
        let other = options != folder.options || settings.baseline != folder.settings.baseline;
        let stopped = matches!(folder.state, State::Stopped);
        folder.settings = Arc::new(settings);
        folder.selection = Selection::new(&options);
        folder.options = options;
        folder.want();
        self.publish_config(at);
        if unread || (other && !stopped) {
            self.read_folder(at);
        }
    }

    /// Patterns for what other folders inside this one read: each file has one home.
    fn nested(&self, at: usize) -> Vec<String> {
        let own = &self.folders[at].root;
        let others = self.folders.iter().filter(|other| other.single.is_none());
        others
            .filter_map(|other| Some(format!("/{}/", below(own, &other.root)?)))
            .collect()
    }

    /// Starts to read a whole folder. What it has is used meanwhile.
    pub(super) fn read_folder(&mut self, at: usize) {
        self.next_reading += 1;
        let number = self.next_reading;
        let folder = &mut self.folders[at];
        folder.reading = Some(number);
        folder.missed.clear();
        let first = matches!(folder.state, State::Reading) && folder.single.is_none();
        if first && folder.progress.is_none() && self.capabilities.progress && self.started {
            let name = format!("gatewatch/{number}");
            let progress =
                Progress::begin(&self.outbox, name, format!("Gatewatch: {}", folder.name()));
            progress.now("reading files");
            folder.progress = Some(progress);
        }
        let reply = Reply {
            events: self.events.clone(),
            folder: folder.id,
            reading: number,
        };
        let (root, baseline) = (folder.root.clone(), folder.settings.baseline.clone());
        match &folder.single {
            Some(single) => reading::single(reply, root, single.clone(), baseline),
            None => reading::whole(reply, root, folder.options.clone(), baseline),
        }
    }

    pub(super) fn folders_changed(&mut self, change: WorkspaceFoldersChangeEvent) {
        for removed in change
            .removed
            .iter()
            .filter_map(|folder| path_of(&folder.uri))
        {
            if let Some(at) = self
                .folders
                .iter()
                .position(|folder| folder.single.is_none() && folder.root == removed)
            {
                self.drop_folder(at);
            }
        }
        for added in change
            .added
            .iter()
            .filter_map(|folder| path_of(&folder.uri))
        {
            self.add_folder(added);
        }
        self.has_folders = self.folders.iter().any(|folder| folder.single.is_none());
        // Folders inside of others have come or gone.
        for at in 0..self.folders.len() {
            if self.folders[at].single.is_none() {
                self.configure_folder(at);
            }
        }
        let uris: Vec<Uri> = self.documents.keys().cloned().collect();
        for uri in uris {
            self.find_home(&uri);
        }
        self.release_held();
    }

    /// Forgets a folder and takes back what was said of it.
    pub(super) fn drop_folder(&mut self, at: usize) {
        let folder = self.folders.remove(at);
        if let Some(token) = &folder.analysing {
            token.cancel();
        }
        for published in folder.published.into_values() {
            published.take_back(&self.outbox);
        }
    }

    /// Decides where an open document is analysed.
    pub(super) fn find_home(&mut self, uri: &Uri) {
        let Some(path) = self
            .documents
            .get(uri)
            .and_then(|open| Some(open.tracked.as_ref()?.path.clone()))
        else {
            return;
        };
        let mut home = self.folder_of(&path);
        if self.has_folders {
            // A file that was looked at singly before there was a folder.
            if let Some(at) = home.filter(|at| self.folders[*at].single.is_some()) {
                self.drop_folder(at);
                home = self.folder_of(&path);
            }
        } else if home.is_none()
            && let (Some(root), Some(name)) = (
                path.parent(),
                path.file_name().and_then(|name| name.to_str()),
            )
        {
            self.push_folder(root.to_owned(), Some(FilePath::new(name)));
            home = self.folder_of(&path);
        }
        let home = home.and_then(|at| {
            let folder = &self.folders[at];
            Some((folder.id, folder.file(&path)?))
        });
        if home.is_none() {
            tracing::info!("{uri} is not analysed: no folder of the workspace reads it");
        }
        if let Some(tracked) = self
            .documents
            .get_mut(uri)
            .and_then(|open| open.tracked.as_mut())
            && tracked.home != home
        {
            tracked.home = home;
            tracked.fresh = true;
        }
    }

    pub(super) fn progress_cancelled(&mut self, token: &ProgressToken) {
        let shown = |folder: &Folder| {
            folder
                .progress
                .as_ref()
                .is_some_and(|progress| progress.token() == token)
        };
        let Some(at) = self.folders.iter().position(shown) else {
            return;
        };
        let folder = &mut self.folders[at];
        folder.progress = None;
        folder.reading = None;
        folder.wanted = false;
        folder.state = State::Stopped;
        if let Some(token) = folder.analysing.take() {
            token.cancel();
        }
        self.outbox.note(format!(
            "{} is not analysed, as was asked for; the command `gatewatch.restartAnalysis` starts it again",
            folder.root.display()
        ));
        self.release_held();
    }

    /// Begins anew with an empty memory.
    pub(super) fn restart(&mut self) {
        self.db = Database::new();
        self.revision = salsa::plumbing::current_revision(&self.db);
        for at in 0..self.folders.len() {
            let id = self.new_folder_id();
            let folder = &mut self.folders[at];
            // What still runs for the old database knows the folder by its old name.
            folder.id = id;
            folder.state = State::Reading;
            folder.reading = None;
            folder.last = None;
            folder.checking = false;
            folder.progress = None;
            if let Some(token) = folder.analysing.take() {
                token.cancel();
            }
            self.configure_folder(at);
        }
        let uris: Vec<Uri> = self.documents.keys().cloned().collect();
        for uri in uris {
            self.find_home(&uri);
        }
        for tracked in self
            .documents
            .values_mut()
            .filter_map(|open| open.tracked.as_mut())
        {
            tracked.fresh = true;
        }
    }
}
