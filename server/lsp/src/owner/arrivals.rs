//! What was read of disk and git, taken over into the folders' trees.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatewatch_source::{Content, FilePath, ReadWorkspace, Skipped, Workspace};

use crate::owner::folder::State;
use crate::owner::{FolderId, Owner};
use crate::reading::Read;

impl Owner {
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

    fn take_whole(&mut self, at: usize, read: ReadWorkspace) {
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
        // An open one's text is here already: only whether it belongs here may be unknown still.
        let missed: Vec<FilePath> = std::mem::take(&mut self.folders[at].missed)
            .into_iter()
            .filter(|path| !open.contains(path) || self.is_unlisted(id, path))
            .collect();
        if !missed.is_empty() {
            self.read_files(at, missed);
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
            let State::Ready(workspace) = &mut self.folders[at].state else {
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
            self.outbox.warn(if skipped.file.as_str().is_empty() {
                format!("{root} was not read: {}", skipped.why)
            } else {
                skipped.to_string()
            });
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
