//! A workspace: its current tree and its baseline as salsa inputs that share what is equal.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use salsa::{Durability, Setter};

use crate::baseline::{Baseline, BaselineError, BaselineSpec};
use crate::database::Database;
use crate::db::{Content, FileSet, SourceFile};
use crate::path::FilePath;
use crate::select::Selection;
use crate::stored::StoredText;
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
    /// Inputs that no tree has at present; see [`Workspace::update`].
    spare: BTreeMap<FilePath, Vec<SourceFile>>,
}

/// A folder and its baseline as they were read from disk and git: plain data, to be made on any thread
/// while others go on working with a database.
#[derive(Clone, Debug, Default)]
pub struct ReadWorkspace {
    root: PathBuf,
    options: WalkOptions,
    current: BTreeMap<FilePath, StoredText>,
    before: BTreeMap<FilePath, Before>,
    baseline_name: String,
    baseline_note: Option<String>,
    has_baseline: bool,
    skipped: Vec<Skipped>,
}

/// A file of the baseline.
#[derive(Clone, Debug)]
enum Before {
    /// Its text is the current one, or can't be known and is taken for that.
    Same,
    /// Its own text.
    Text(StoredText),
}

impl ReadWorkspace {
    /// Reads a folder and its baseline; see [`Workspace::load`].
    ///
    /// # Errors
    /// If the baseline was asked for by name and can't be had.
    pub fn read(
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
        let mut walked = walk(root, &options);
        walked.include(root, blobs.keys(), options.max_bytes);
        let current: BTreeMap<FilePath, StoredText> = walked.files.into_iter().collect();
        let mut skipped = walked.skipped;
        let mut before = BTreeMap::new();
        for (path, blob) in &blobs {
            if let Some(text) = current.get(path)
                && baseline.same(blob, &text.get())
            {
                before.insert(path.clone(), Before::Same);
                continue;
            }
            // A blob that isn't there (a partial clone) says nothing about the file: as if unchanged.
            let text = baseline.read(blob).unwrap_or_else(|error| {
                skipped.push(Skipped {
                    file: path.clone(),
                    why: error.to_string(),
                });
                None
            });
            before.insert(
                path.clone(),
                text.map_or(Before::Same, |text| Before::Text(text.into())),
            );
        }
        Ok(Self {
            root: root.to_owned(),
            options,
            current,
            before,
            baseline_name: baseline.describe(),
            baseline_note: baseline.note().map(str::to_owned),
            has_baseline: !baseline.is_none(),
            skipped,
        })
    }

    /// How many files the current tree has.
    pub fn file_count(&self) -> usize {
        self.current.len()
    }
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
        Ok(Self::build(db, ReadWorkspace::read(root, options, spec)?))
    }

    /// Makes the inputs of a workspace that was read.
    pub fn build(db: &Database, read: ReadWorkspace) -> Self {
        let current: BTreeMap<FilePath, SourceFile> = read
            .current
            .into_iter()
            .map(|(path, text)| (path.clone(), SourceFile::frozen(db, path, text)))
            .collect();
        let before = read
            .before
            .into_iter()
            .filter_map(|(path, before)| {
                let file = match before {
                    Before::Same => *current.get(&path)?,
                    Before::Text(text) => SourceFile::frozen(db, path.clone(), text),
                };
                Some((path, file))
            })
            .collect();
        Self {
            root: read.root,
            current: file_set(db, current),
            baseline: file_set(db, before),
            baseline_name: read.baseline_name,
            baseline_note: read.baseline_note,
            has_baseline: read.has_baseline,
            skipped: read.skipped,
            options: read.options,
            spare: BTreeMap::new(),
        }
    }

    /// Takes over what a new reading of the folder found: other files, other texts, another baseline.
    /// What is equal stays as it is, so only what differs is analysed again. A file that `open` names
    /// keeps its current content, for an editor holds it.
    ///
    /// Inputs are never deleted, so those that fall out of both trees are kept and used again: switching
    /// between branches all day must not fill the memory.
    pub fn update(
        &mut self,
        db: &mut Database,
        mut read: ReadWorkspace,
        open: impl Fn(&FilePath) -> bool,
    ) {
        let old_current = Arc::clone(self.current.files(db));
        let old_before = Arc::clone(self.baseline.files(db));
        let mut paths: BTreeSet<FilePath> = old_current.keys().cloned().collect();
        paths.extend(old_before.keys().cloned());
        paths.extend(read.current.keys().cloned());
        paths.extend(read.before.keys().cloned());
        let (mut current, mut before) = (BTreeMap::new(), BTreeMap::new());
        for path in paths {
            let held = old_current.get(&path).copied().filter(|_| open(&path));
            let text = read.current.remove(&path);
            let base = match read.before.remove(&path) {
                Some(Before::Text(text)) => Some(text),
                Some(Before::Same) => text.clone(),
                None => None,
            };
            let mut free = self.spare.remove(&path).unwrap_or_default();
            for old in [old_before.get(&path), old_current.get(&path)] {
                free.extend(old.filter(|old| Some(**old) != held));
            }
            free.dedup();
            let now = held.or_else(|| {
                let file = reuse(db, &mut free, &path, text.as_ref()?);
                Some(file)
            });
            let same = held.is_none() && base.is_some() && base == text;
            let then = match (now, base) {
                (Some(now), Some(_)) if same => Some(now),
                (_, base) => base.map(|base| reuse(db, &mut free, &path, &base)),
            };
            current.extend(now.map(|file| (path.clone(), file)));
            before.extend(then.map(|file| (path.clone(), file)));
            if !free.is_empty() {
                self.spare.insert(path, free);
            }
        }
        for (set, old, new) in [
            (self.current, old_current, current),
            (self.baseline, old_before, before),
        ] {
            if *old != new {
                set_files(db, set, new);
            }
        }
        self.baseline_name = read.baseline_name;
        self.baseline_note = read.baseline_note;
        self.has_baseline = read.has_baseline;
        self.skipped = read.skipped;
        self.options = read.options;
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
                    SourceFile::frozen(db, path.clone(), Arc::clone(text)),
                )
            })
            .collect();
        let before = baseline
            .into_iter()
            .flatten()
            .map(|(path, text)| {
                let shared = now
                    .get(path)
                    .filter(|file| *file.text(db) == **text)
                    .copied();
                (
                    path.clone(),
                    shared
                        .unwrap_or_else(|| SourceFile::frozen(db, path.clone(), Arc::clone(text))),
                )
            })
            .collect();
        Self {
            root: PathBuf::new(),
            current: file_set(db, now),
            baseline: file_set(db, before),
            baseline_name: String::new(),
            baseline_note: None,
            has_baseline: baseline.is_some(),
            skipped: Vec::new(),
            options: WalkOptions::default(),
            spare: BTreeMap::new(),
        }
    }

    /// Gives a file of the current tree a new content; makes the file if there is none.
    ///
    /// The baseline keeps its own text.
    pub fn set_content(&mut self, db: &mut Database, path: &FilePath, content: Content) {
        let old = self.current.file(db, path);
        if old.is_some_and(|old| *old.content(db) == content) {
            return;
        }
        let shared = self.baseline.file(db, path) == old;
        if let Some(old) = old.filter(|old| !shared && !old.is_frozen(db)) {
            return old.write(db, content);
        }
        let mut spare = self.spare.remove(path).unwrap_or_default();
        spare.extend(old.filter(|_| !shared));
        let file = match spare.iter().position(|file| !file.is_frozen(db)) {
            Some(at) => {
                let file = spare.swap_remove(at);
                file.write(db, content);
                file
            }
            None => SourceFile::with(db, path.clone(), content),
        };
        if !spare.is_empty() {
            self.spare.insert(path.clone(), spare);
        }
        let mut files = (**self.current.files(db)).clone();
        files.insert(path.clone(), file);
        set_files(db, self.current, files);
    }

    /// Takes a file out of the current tree.
    pub fn remove(&mut self, db: &mut Database, path: &FilePath) {
        let mut files = (**self.current.files(db)).clone();
        let Some(file) = files.remove(path) else {
            return;
        };
        set_files(db, self.current, files);
        if self.baseline.file(db, path) != Some(file) {
            self.spare.entry(path.clone()).or_default().push(file);
        }
    }
}

/// A tree: files come and go seldom, and nearly everything asks for one.
fn file_set(db: &Database, files: BTreeMap<FilePath, SourceFile>) -> FileSet {
    FileSet::builder(Arc::new(files))
        .durability(Durability::HIGH)
        .new(db)
}

fn set_files(db: &mut Database, set: FileSet, files: BTreeMap<FilePath, SourceFile>) {
    set.set_files(db)
        .with_durability(Durability::HIGH)
        .to(Arc::new(files));
}

/// An input with this content for a file that no editor holds: one of `free`, preferably one that has it
/// already, or a new one.
fn reuse(
    db: &mut Database,
    free: &mut Vec<SourceFile>,
    path: &FilePath,
    text: &StoredText,
) -> SourceFile {
    let content = Content::closed(text.clone());
    if let Some(at) = free.iter().position(|file| *file.content(db) == content) {
        return free.swap_remove(at);
    }
    match free.iter().position(|file| !file.is_frozen(db)) {
        Some(at) => {
            let file = free.swap_remove(at);
            file.write(db, content);
            file
        }
        None if free.is_empty() => SourceFile::frozen(db, path.clone(), text.clone()),
        // Not the first text of this file: there will be others.
        None => SourceFile::with(db, path.clone(), content),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(current: &[(&str, &str)], before: &[(&str, &str)]) -> ReadWorkspace {
        let now: BTreeMap<FilePath, StoredText> = current
            .iter()
            .map(|(path, text)| ((*path).into(), (*text).into()))
            .collect();
        let before = before.iter().map(|(path, text)| {
            let path = FilePath::new(path);
            let same = now.get(&path).is_some_and(|now| *now.get() == **text);
            let before = if same {
                Before::Same
            } else {
                Before::Text((*text).into())
            };
            (path, before)
        });
        ReadWorkspace {
            before: before.collect(),
            current: now,
            has_baseline: true,
            ..ReadWorkspace::default()
        }
    }

    fn texts(db: &Database, set: FileSet) -> Vec<(String, String)> {
        let files = set.files(db).iter();
        files
            .map(|(path, file)| (path.to_string(), file.text(db).to_string()))
            .collect()
    }

    #[test]
    fn an_update_gives_what_a_fresh_reading_gives() {
        let states: [(&[(&str, &str)], &[(&str, &str)]); 7] = [
            (&[("a", "1"), ("b", "1")], &[("a", "1"), ("b", "1")]),
            (&[("a", "2"), ("b", "1")], &[("a", "1"), ("b", "1")]),
            (&[("a", "2"), ("b", "1")], &[("a", "2"), ("b", "1")]),
            (&[("b", "1"), ("c", "1")], &[("a", "2"), ("b", "0")]),
            (&[], &[("a", "1")]),
            (&[("a", "1")], &[]),
            (&[("a", "1"), ("b", "1")], &[("a", "1"), ("b", "1")]),
        ];
        let mut db = Database::new();
        let mut workspace = Workspace::build(&db, read(&[], &[]));
        for round in 0..3 {
            for (current, before) in states {
                workspace.update(&mut db, read(current, before), |_| false);
                let fresh = Workspace::build(&db, read(current, before));
                assert_eq!(texts(&db, workspace.current), texts(&db, fresh.current));
                assert_eq!(texts(&db, workspace.baseline), texts(&db, fresh.baseline));
                for (path, file) in workspace.current.files(&db).iter() {
                    let base = workspace.baseline.file(&db, path);
                    let equal =
                        base.is_some_and(|base| base.content(&db).text == file.content(&db).text);
                    assert_eq!(base == Some(*file), equal, "what is equal is shared");
                }
                let spare: usize = workspace.spare.values().map(Vec::len).sum();
                assert!(spare <= 6, "{spare} inputs in round {round}");
            }
        }
    }

    #[test]
    fn an_open_file_keeps_its_text_in_an_update() {
        let mut db = Database::new();
        let mut workspace = Workspace::build(&db, read(&[("a", "1"), ("b", "1")], &[("a", "1")]));
        let open = |text: &str| Content {
            text: StoredText::plain(text.into()),
            parsed: Some(Arc::new(())),
            parts: Arc::default(),
        };
        workspace.set_content(&mut db, &"a".into(), open("typed"));
        workspace.set_content(&mut db, &"new".into(), open("unsaved"));
        let is_open = |path: &FilePath| path.as_str() != "b";
        workspace.update(
            &mut db,
            read(&[("a", "2"), ("b", "2")], &[("a", "2"), ("b", "2")]),
            is_open,
        );
        let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs
                .iter()
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
                .collect()
        };
        assert_eq!(
            texts(&db, workspace.current),
            pairs(&[("a", "typed"), ("b", "2"), ("new", "unsaved")])
        );
        assert_eq!(
            texts(&db, workspace.baseline),
            pairs(&[("a", "2"), ("b", "2")])
        );
    }

    #[test]
    fn opening_and_closing_a_file_all_day_takes_two_inputs() {
        let mut db = Database::new();
        let path = FilePath::new("a");
        let now = read(&[("a", "1")], &[("a", "1")]);
        let mut workspace = Workspace::build(&db, now.clone());
        let frozen = workspace.current.file(&db, &path).unwrap();
        let mut written = Vec::new();
        for round in 0..4 {
            let typed = Content {
                text: StoredText::plain(format!("typed {round}").into()),
                parsed: Some(Arc::new(())),
                parts: Arc::default(),
            };
            workspace.set_content(&mut db, &path, typed);
            written.push(workspace.current.file(&db, &path).unwrap());
            assert_eq!(workspace.baseline.file(&db, &path), Some(frozen));
            workspace.update(&mut db, now.clone(), |_| false);
            assert_eq!(workspace.current.file(&db, &path), Some(frozen));
        }
        written.dedup();
        assert_eq!(written.len(), 1);
        assert_ne!(written, [frozen]);
    }
}
