//! A workspace: its current tree and its baseline as salsa inputs that share what is equal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use salsa::{Durability, Setter};

use crate::baseline::{Baseline, BaselineError, BaselineSpec};
use crate::database::Database;
use crate::db::{Content, FileSet, SourceFile};
use crate::path::FilePath;
use crate::select::Selection;
use crate::walk::{Skipped, WalkOptions, walk};

/// One workspace folder with both of its trees.
pub struct Workspace {
    /// The folder.
    pub root: PathBuf,
    /// The tree as it is on disk, or in the editor's buffers.
    pub current: FileSet,
    /// The tree that changes are compared with; empty without a baseline.
    pub baseline: FileSet,
    /// What the baseline is, for people: `main at 1a2b3c4d5e`.
    pub baseline_name: String,
    /// Why there is no baseline, or what is special about it.
    pub baseline_note: Option<String>,
    /// Whether there is a baseline at all.
    pub has_baseline: bool,
    /// Files that could not be read, with the reason.
    pub skipped: Vec<Skipped>,
    /// What is read.
    pub options: WalkOptions,
}

impl Workspace {
    /// Reads a folder and its baseline.
    ///
    /// A missing baseline is not an error: the workspace then has none, and says why. A baseline that was asked
    /// for by name and can't be had is one.
    pub fn load(
        db: &Database,
        root: &Path,
        options: WalkOptions,
        spec: Option<&BaselineSpec>,
    ) -> Result<Self, BaselineError> {
        let baseline = match spec {
            Some(spec) => Baseline::open(root, spec)?,
            None => Baseline::none("no baseline was asked for"),
        };
        let selection = Selection::new(&options);
        let blobs = baseline.files(|path| selection.accepts(path))?;
        let mut read = walk(root, &options);
        read.include(root, blobs.keys(), options.max_bytes);
        let mut current = BTreeMap::new();
        for (path, text) in read.files {
            let file = closed_file(db, path.clone(), text);
            current.insert(path, file);
        }
        let mut before = BTreeMap::new();
        for (path, blob) in &blobs {
            if let Some(file) = current.get(path)
                && baseline.same(blob, &file.content(db).text)
            {
                before.insert(path.clone(), *file);
                continue;
            }
            match baseline.read(blob) {
                Ok(Some(text)) => {
                    before.insert(path.clone(), closed_file(db, path.clone(), text));
                }
                // A blob that isn't there (a partial clone) says nothing about the file: as if unchanged.
                Ok(None) => {
                    if let Some(file) = current.get(path) {
                        before.insert(path.clone(), *file);
                    }
                }
                Err(error) => {
                    read.skipped.push(Skipped {
                        file: path.clone(),
                        why: error.to_string(),
                    });
                    if let Some(file) = current.get(path) {
                        before.insert(path.clone(), *file);
                    }
                }
            }
        }
        Ok(Self {
            root: root.to_owned(),
            current: FileSet::new(db, Arc::new(current)),
            baseline: FileSet::new(db, Arc::new(before)),
            baseline_name: baseline.describe(),
            baseline_note: baseline.note().map(str::to_owned),
            has_baseline: !baseline.is_none(),
            skipped: read.skipped,
            options,
        })
    }

    /// A workspace from texts in memory, for tests and single files.
    pub fn from_texts(
        db: &Database,
        baseline: Option<&BTreeMap<FilePath, Arc<str>>>,
        current: &BTreeMap<FilePath, Arc<str>>,
    ) -> Self {
        let now: BTreeMap<FilePath, SourceFile> = current
            .iter()
            .map(|(path, text)| {
                (
                    path.clone(),
                    closed_file(db, path.clone(), Arc::clone(text)),
                )
            })
            .collect();
        let before = baseline
            .into_iter()
            .flatten()
            .map(|(path, text)| {
                let shared = now
                    .get(path)
                    .filter(|file| file.content(db).text == *text)
                    .copied();
                (
                    path.clone(),
                    shared.unwrap_or_else(|| closed_file(db, path.clone(), Arc::clone(text))),
                )
            })
            .collect();
        Self {
            root: PathBuf::new(),
            current: FileSet::new(db, Arc::new(now)),
            baseline: FileSet::new(db, Arc::new(before)),
            baseline_name: String::new(),
            baseline_note: None,
            has_baseline: baseline.is_some(),
            skipped: Vec::new(),
            options: WalkOptions::default(),
        }
    }

    /// Gives a file of the current tree a new content; makes the file if there is none.
    ///
    /// The baseline keeps its own text: a file that both trees share is parted first.
    pub fn set_content(&self, db: &mut Database, path: &FilePath, content: Content) {
        let durability = if content.parsed.is_some() {
            Durability::LOW
        } else {
            Durability::HIGH
        };
        match self.current.file(db, path) {
            Some(file) => {
                if *file.content(db) == content {
                    return;
                }
                self.part(db, path, file);
                file.set_content(db).with_durability(durability).to(content);
            }
            None => {
                let file = SourceFile::builder(path.clone(), content)
                    .durability(durability)
                    .path_durability(Durability::HIGH)
                    .new(db);
                let mut files = (**self.current.files(db)).clone();
                files.insert(path.clone(), file);
                self.current
                    .set_files(db)
                    .with_durability(Durability::HIGH)
                    .to(Arc::new(files));
            }
        }
    }

    /// Takes a file out of the current tree.
    pub fn remove(&self, db: &mut Database, path: &FilePath) {
        let mut files = (**self.current.files(db)).clone();
        if files.remove(path).is_some() {
            self.current
                .set_files(db)
                .with_durability(Durability::HIGH)
                .to(Arc::new(files));
        }
    }

    fn part(&self, db: &mut Database, path: &FilePath, file: SourceFile) {
        if self.baseline.file(db, path) != Some(file) {
            return;
        }
        let text = Arc::clone(&file.content(db).text);
        let own = closed_file(db, path.clone(), text);
        let mut files = (**self.baseline.files(db)).clone();
        files.insert(path.clone(), own);
        self.baseline
            .set_files(db)
            .with_durability(Durability::HIGH)
            .to(Arc::new(files));
    }
}

/// An input for a file that no editor holds open: it changes seldom, which lets salsa skip all that depends
/// on such files only.
fn closed_file(db: &Database, path: FilePath, text: Arc<str>) -> SourceFile {
    SourceFile::builder(path, Content::closed(text))
        .durability(Durability::HIGH)
        .new(db)
}
