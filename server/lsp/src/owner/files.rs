//! What happens on disk and in git, as far as it can be noticed without looking all the time: by the
//! editor's watchers, and when a document is saved or opened.

use std::collections::BTreeMap;

use gatewatch_drift::CONFIG_FILE;
use gatewatch_source::FilePath;
use gen_lsp_types::{FileChangeType, FileEvent, Uri};

use crate::convert::{below, path_of};
use crate::owner::folder::State;
use crate::owner::{FolderId, Owner};
use crate::reading::{self, Reply};

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
    pub(super) fn read_files(&mut self, at: usize, paths: Vec<FilePath>) {
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
        let Some((id, path)) = home else { return };
        let Some(at) = self.folder_at(id) else { return };
        self.judge_listed(at);
        if self.is_unlisted(id, &path) {
            // If the folder is being read, that may have been too early to see this file: once more then.
            self.read_files(at, vec![path]);
        }
    }

    /// Whether a file is open and, as far as is known, none to be analysed.
    pub(super) fn is_unlisted(&self, id: FolderId, path: &FilePath) -> bool {
        self.documents.values().any(|open| {
            open.tracked.as_ref().is_some_and(|tracked| {
                tracked.unlisted
                    && matches!(&tracked.home, Some((of, home)) if *of == id && home == path)
            })
        })
    }

    /// Decides which open documents of a folder are in its tree.
    pub(super) fn judge_listed(&mut self, at: usize) {
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
}
