//! A workspace folder: its trees, its settings, and what was last said of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatewatch_source::{Database, FilePath, Selection, WalkOptions, Workspace};
use salsa::CancellationToken;

use crate::convert::below;
use crate::diagnostics::Analysis;
use crate::owner::publish::Published;
use crate::progress::Progress;
use crate::settings::FolderSettings;

/// A name for a folder that is never used again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct FolderId(u32);

impl FolderId {
    pub(super) fn new(number: u32) -> Self {
        Self(number)
    }
}

/// A folder of the editor's workspace, or a single file.
pub(super) struct Folder {
    pub(super) id: FolderId,
    pub(super) root: PathBuf,
    /// The one file that is looked at, if the folder itself is not.
    pub(super) single: Option<FilePath>,
    pub(super) state: State,
    pub(super) settings: Arc<FolderSettings>,
    /// What is read of it.
    pub(super) options: WalkOptions,
    pub(super) selection: Selection,
    /// The number of the reading of the whole folder that goes on.
    pub(super) reading: Option<u64>,
    /// Files that changed while the folder was being read: it may have seen them before.
    pub(super) missed: BTreeSet<FilePath>,
    /// What the baseline rested on when it was read.
    pub(super) fingerprint: Option<String>,
    /// Whether it is being looked at again.
    pub(super) checking: bool,
    /// Whether an analysis is to be made.
    pub(super) wanted: bool,
    /// Counts the states that were to be analysed.
    pub(super) generation: u64,
    /// What stops the analysis that goes on.
    pub(super) analysing: Option<CancellationToken>,
    /// What the last analysis found, be it outdated.
    pub(super) last: Option<Arc<Analysis>>,
    /// What the editor was told.
    pub(super) published: BTreeMap<FilePath, Published>,
    pub(super) progress: Option<Progress>,
}

/// How far a folder is.
pub(super) enum State {
    /// It is being read for the first time.
    Reading,
    /// It can be analysed.
    Ready(Box<Workspace>),
    /// The user did not want it to be read.
    Stopped,
}

impl Folder {
    /// Asks for an analysis. One that goes on is then outdated.
    pub(super) fn want(&mut self) {
        self.wanted = true;
        self.generation += 1;
    }

    /// How many files its current tree has.
    pub(super) fn file_count(&self, db: &Database) -> usize {
        match &self.state {
            State::Ready(workspace) => workspace.current.files(db).len(),
            State::Reading | State::Stopped => 0,
        }
    }

    /// The file at `path`, if it is one of this folder's.
    pub(super) fn file(&self, path: &Path) -> Option<FilePath> {
        let inside = below(&self.root, path)?;
        let accepted = match &self.single {
            Some(single) => *single == inside,
            None => self.selection.accepts(&inside),
        };
        accepted.then_some(inside)
    }

    /// What people call it.
    pub(super) fn name(&self) -> String {
        let whole = self
            .single
            .as_ref()
            .map(|single| single.as_str().to_owned());
        whole.unwrap_or_else(|| {
            self.root
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
        })
    }
}
