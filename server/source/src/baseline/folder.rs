//! A baseline that is another folder on disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::baseline::BaselineError;
use crate::list::list;
use crate::path::FilePath;
use crate::select::Selection;
use crate::walk::{WalkOptions, read_one};

pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(super) fn open(dir: &Path) -> Result<Self, BaselineError> {
        let fail = |why: String| BaselineError::Folder {
            dir: dir.to_path_buf(),
            why,
        };
        // Made absolute now: the process may change its directory later.
        let root = fs::canonicalize(dir).map_err(|error| fail(error.to_string()))?;
        if !root.is_dir() {
            return Err(fail("it is not a folder".into()));
        }
        Ok(Self { root })
    }

    pub(super) fn files(&self, filter: &dyn Fn(&FilePath) -> bool) -> Vec<FilePath> {
        let everything = Selection::new(&WalkOptions::default());
        let files = list(&self.root, &everything)
            .files
            .into_iter()
            .map(|file| file.path);
        files.filter(|path| filter(path)).collect()
    }

    pub(super) fn read(&self, path: &FilePath, max_bytes: u64) -> Option<Arc<str>> {
        read_one(&self.root, path, max_bytes).ok()
    }
}
