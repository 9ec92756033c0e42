//! What happens on disk and in git, as far as it can be noticed without looking all the time: by the
//! editor's watchers, and when a document is saved or opened.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatewatch_drift::CONFIG_FILE;
use gatewatch_source::{Content, FilePath, Skipped, Workspace};
use gen_lsp_types::{FileChangeType, FileEvent, Uri};

use crate::convert::{below, path_of};
use crate::owner::folder::State;
use crate::owner::{FolderId, Owner};
use crate::reading::{self, Read, Reply};

/// From how many changed files on it is cheaper to read the folder again.
const MANY: usize = 50;

impl Owner {
    pub(super) fn saved(&mut self, uri: &Uri) {
        let tracked = self
            .documents
            .get(uri)
            .is_some_and(|open| open.tracked.is_some());
        if !tracked {
            // A manifest or the configuration: its buffer is not followed, its file is.
            self.files_changed(vec![FileEvent {
                uri: uri.clone(),
                kind: FileChangeType::Changed,
            }]);
        }
        self.check_baseline(uri);
    }

    pub(super) fn files_changed(&mut self, changes: Vec<FileEvent>) {
        let mut changed: BTreeMap<usize, Vec<FilePath>> = BTreeMap::new();
        for change in changes {
            let Some(path) = path_of(&change.uri) else {
                continue;
            };
            let Some(at) = self
                .folder_of(&path)
                .filter(|at| self.folders[*at].single.is_none())
            else {
                continue;
            };
            let folder = &self.folders[at];
            let Some(inside) = below(&folder.root, &path) else {
                continue;
            };
            if inside.as_str() == CONFIG_FILE {
                self.configure_folder(at);
            } else if inside.as_str().starts_with(".git/") {
                self.check_baseline_of(at);
            } else if folder.selection.accepts(&inside) {
                if !self.is_open(folder.id, &inside) {
                    changed.entry(at).or_default().push(inside);
                }
            } else if change.kind == FileChangeType::Deleted {
                // Perhaps a whole folder: editors don't tell of each file in it.
                let inner = format!("{inside}/");
                let State::Ready(workspace) = &folder.state else {
                    continue;
                };
                let files = workspace.current.files(&self.db).keys();
                let gone = files
                    .filter(|path| path.as_str().starts_with(&inner))
                    .cloned();
                changed.entry(at).or_default().extend(gone);
            }
        }
        for (at, paths) in changed {
            if !paths.is_empty() {
                self.read_files(at, paths);
            }
        }
    }

    /// Reads files of a folder again, or the whole folder: a new file may be one that `.gitignore` names,
    /// which only a whole reading knows.
    fn read_files(&mut self, at: usize, paths: Vec<FilePath>) {
        let folder = &mut self.folders[at];
        if folder.reading.is_some() {
            folder.missed.extend(paths);
            return;
        }
        let State::Ready(workspace) = &folder.state else {
            return;
        };
        let known = workspace.current.files(&self.db);
        if paths.len() > MANY || paths.iter().any(|path| !known.contains_key(path)) {
            return self.read_folder(at);
        }
        // With the number of the last whole reading: a later one makes these worthless.
        let reply = Reply {
            events: self.events.clone(),
            folder: folder.id,
            reading: self.next_reading,
        };
        reading::files(reply, folder.root.clone(), paths, folder.options.max_bytes);
    }

    /// An open document that its folder doesn't have but the disk does: only a new reading knows whether it
    /// is one to be analysed. A document that is not on disk yet is.
    pub(super) fn look_for(&mut self, uri: &Uri) {
        let home = self
            .documents
            .get(uri)
            .and_then(|open| open.tracked.as_ref()?.home.clone());
        let Some(at) = home.and_then(|(id, _)| self.folder_at(id)) else {
            return;
        };
        self.judge_listed(at);
        let unlisted = self
            .documents
            .get(uri)
            .and_then(|open| open.tracked.as_ref())
            .is_some_and(|tracked| tracked.unlisted);
        if unlisted && self.folders[at].reading.is_none() {
            self.read_folder(at);
        }
    }

    /// Decides which open documents of a folder are in its tree.
    fn judge_listed(&mut self, at: usize) {
        let folder = &self.folders[at];
        let State::Ready(workspace) = &folder.state else {
            return;
        };
        if folder.single.is_some() {
            return;
        }
        for tracked in self
            .documents
            .values_mut()
            .filter_map(|open| open.tracked.as_mut())
        {
            if let Some((id, path)) = &tracked.home
                && *id == folder.id
            {
                let listed = workspace.current.file(&self.db, path).is_some();
                tracked.unlisted = !listed && tracked.path.symlink_metadata().is_ok();
            }
        }
    }

    /// Looks whether the baseline of a document's folder has moved.
    pub(super) fn check_baseline(&mut self, uri: &Uri) {
        let folder = path_of(uri).and_then(|path| self.folder_of(&path));
        if let Some(at) = folder {
            self.check_baseline_of(at);
        }
    }

    fn check_baseline_of(&mut self, at: usize) {
        let folder = &mut self.folders[at];
        let idle = folder.single.is_none() && folder.reading.is_none() && !folder.checking;
        if !idle || !matches!(folder.state, State::Ready(_)) {
            return;
        }
        folder.checking = true;
        let reply = Reply {
            events: self.events.clone(),
            folder: folder.id,
            reading: 0,
        };
        reading::baseline(reply, &folder.root, &folder.settings.baseline);
    }

    pub(super) fn is_open(&self, id: FolderId, path: &FilePath) -> bool {
        let homes = self
            .documents
            .values()
            .filter_map(|open| open.tracked.as_ref()?.home.as_ref());
        homes
            .into_iter()
            .any(|(folder, file)| *folder == id && file == path)
    }

    /// Takes over what was read.
    pub(super) fn read(&mut self, id: FolderId, reading: u64, read: Read) {
        let Some(at) = self.folder_at(id) else { return };
        match read {
            Read::Whole {
                workspace,
                fingerprint,
                trouble,
            } if self.folders[at].reading == Some(reading) => {
                self.folders[at].fingerprint = Some(fingerprint);
                if let Some(trouble) = trouble {
                    self.trouble(trouble);
                }
                self.take_whole(at, *workspace);
            }
            Read::Single {
                baseline,
                has_baseline,
            } if self.folders[at].reading == Some(reading) => {
                let folder = &self.folders[at];
                let texts: Option<BTreeMap<FilePath, Arc<str>>> =
                    has_baseline.then(|| folder.single.clone().zip(baseline).into_iter().collect());
                let mut workspace =
                    Workspace::from_texts(&self.db, texts.as_ref(), &BTreeMap::new());
                workspace.root.clone_from(&folder.root);
                self.ready(at, workspace);
            }
            Read::Files(files) if self.folders[at].reading.is_none() => self.take_files(at, files),
            // Read while the whole folder is: it may have come first.
            Read::Files(files) => self.folders[at]
                .missed
                .extend(files.into_iter().map(|(path, _)| path)),
            Read::Fingerprint(now) => {
                let folder = &mut self.folders[at];
                folder.checking = false;
                if folder.fingerprint.as_ref().is_some_and(|then| *then != now)
                    && folder.reading.is_none()
                {
                    tracing::info!("the baseline of {} has moved", folder.root.display());
                    self.read_folder(at);
                }
            }
            Read::Whole { .. } | Read::Single { .. } => {}
        }
    }

    fn take_whole(&mut self, at: usize, read: gatewatch_source::ReadWorkspace) {
        let id = self.folders[at].id;
        let open: Vec<FilePath> = self
            .documents
            .values()
            .filter_map(|open| open.tracked.as_ref()?.home.as_ref())
            .filter(|(folder, _)| *folder == id)
            .map(|(_, path)| path.clone())
            .collect();
        let folder = &mut self.folders[at];
        if let State::Ready(workspace) = &mut folder.state {
            workspace.update(&mut self.db, read, |path| open.contains(path));
            folder.reading = None;
            folder.want();
        } else {
            let workspace = Workspace::build(&self.db, read);
            self.tell_of(&workspace);
            self.ready(at, workspace);
        }
        self.judge_listed(at);
        let missed: Vec<FilePath> = std::mem::take(&mut self.folders[at].missed)
            .into_iter()
            .filter(|path| !open.contains(path))
            .collect();
        if !missed.is_empty() {
            let folder = &self.folders[at];
            let reply = Reply {
                events: self.events.clone(),
                folder: id,
                reading: self.next_reading,
            };
            reading::files(reply, folder.root.clone(), missed, folder.options.max_bytes);
        }
    }

    /// A folder was read for the first time.
    fn ready(&mut self, at: usize, workspace: Workspace) {
        let folder = &mut self.folders[at];
        folder.reading = None;
        if let Some(progress) = &folder.progress {
            progress.now(format!(
                "analysing {} files",
                workspace.current.files(&self.db).len()
            ));
        }
        folder.state = State::Ready(Box::new(workspace));
        folder.want();
        self.release_held();
    }

    fn take_files(&mut self, at: usize, files: Vec<(FilePath, Result<Arc<str>, Skipped>)>) {
        let id = self.folders[at].id;
        for (path, read) in files {
            let open = self.is_open(id, &path);
            let State::Ready(workspace) = &self.folders[at].state else {
                return;
            };
            match read {
                _ if open => {}
                Ok(text) => workspace.set_content(&mut self.db, &path, Content::closed(text)),
                Err(skipped) => {
                    if !skipped.is_gone() {
                        self.outbox.warn(skipped.to_string());
                    }
                    workspace.remove(&mut self.db, &path);
                }
            }
        }
    }

    fn tell_of(&self, workspace: &Workspace) {
        let (root, baseline) = (workspace.root.display(), &workspace.baseline_name);
        let files = workspace.current.files(&self.db).len();
        let note = workspace
            .baseline_note
            .as_ref()
            .map_or_else(String::new, |note| format!(" ({note})"));
        self.outbox.note(format!(
            "{root}: {files} files, compared with {baseline}{note}"
        ));
        const SHOWN: usize = 10;
        for skipped in workspace.skipped.iter().take(SHOWN) {
            self.outbox.warn(skipped.to_string());
        }
        if workspace.skipped.len() > SHOWN {
            self.outbox.warn(format!(
                "{} more files were not read",
                workspace.skipped.len() - SHOWN
            ));
        }
    }

    /// Something that the user has to know, said aloud once a session.
    fn trouble(&mut self, message: String) {
        if self.alerted {
            self.outbox.warn(message);
        } else {
            self.alerted = true;
            self.outbox.alert(message);
        }
    }
}
