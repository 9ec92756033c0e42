//! The texts that the current tree is compared with: a commit, another folder, or nothing.
//!
//! Git is read in this process and by nothing but the repository's own files. No program runs, whatever
//! the repository's configuration says: a workspace is not to be trusted before it was even looked at.

mod branch;
mod commit;
mod folder;
mod repository;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gix::ObjectId;

use crate::baseline::commit::Commit;
use crate::baseline::folder::Folder;
use crate::baseline::repository::Repository;
use crate::path::FilePath;
use crate::walk::MAX_FILE_BYTES;

/// Which baseline is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum BaselineSpec {
    /// A git revision, in any spelling that `git rev-parse` takes and that names one commit.
    Rev(String),
    /// Another folder, with the same layout as the workspace's.
    Dir(PathBuf),
    /// The merge base of HEAD and the default branch, HEAD itself when standing on that branch.
    #[default]
    Auto,
}

/// Why there is no baseline although one was asked for, or why a part of it can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// A revision was asked for outside any git work tree, or in one that can't be opened.
    #[error("there is no git repository to be used for `{}`: {why}", root.display())]
    NoRepository {
        /// The workspace folder.
        root: PathBuf,
        /// What was found instead.
        why: String,
    },
    /// The revision names no commit of the repository.
    #[error("the baseline revision `{rev}` names no commit of the repository: {why}")]
    Revision {
        /// The revision as it was asked for.
        rev: String,
        /// What is wrong with it.
        why: String,
    },
    /// The baseline folder can't be read.
    #[error("the baseline folder `{}` can't be used: {why}", dir.display())]
    Folder {
        /// The folder as it was asked for.
        dir: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// An object of the repository is damaged or beyond every bound, or the folders of the commit are
    /// missing, as in a treeless clone.
    #[error("{what} can't be read from the git repository: {why}")]
    Object {
        /// What was to be read.
        what: String,
        /// What went wrong.
        why: String,
    },
}

/// One file of a baseline, to be handed back to the [`Baseline`] that it came from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BlobRef(Blob);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Blob {
    Object(ObjectId),
    File(FilePath),
}

/// An opened baseline. It stays what it is while branches move; see [`fingerprint`] for how to notice.
pub struct Baseline {
    texts: Texts,
    name: String,
    note: Option<String>,
    max_bytes: u64,
}

enum Texts {
    None,
    Commit(Box<Commit>),
    Folder(Folder),
}

impl Baseline {
    /// Opens the baseline of the workspace folder `root`.
    ///
    /// `Auto` always answers: where no baseline can be had, with [`Baseline::none`] and the reason.
    ///
    /// # Errors
    /// For `Rev`: no repository, or no such commit. For `Dir`: no such folder.
    pub fn open(root: &Path, spec: &BaselineSpec) -> Result<Self, BaselineError> {
        match spec {
            BaselineSpec::Dir(dir) => {
                let folder = Folder::open(dir)?;
                Ok(Self::new(
                    Texts::Folder(folder),
                    dir.display().to_string(),
                    None,
                ))
            }
            BaselineSpec::Rev(rev) => {
                let repository = Repository::discover(root)?;
                Ok(Self::of_commit(repository.revision(rev)?, rev, None))
            }
            BaselineSpec::Auto => {
                let opened = Repository::discover(root).and_then(|repository| {
                    let Some(point) = repository.branch_point()? else {
                        return Ok(Self::none("the repository has no commit yet"));
                    };
                    let commit = repository.commit(point.commit)?;
                    Ok(Self::of_commit(commit, &point.name, point.note))
                });
                Ok(opened.unwrap_or_else(|error| Self::none(error.to_string())))
            }
        }
    }

    /// No baseline, for `reason`: every file is new, and nothing can be called a change.
    pub fn none(reason: impl Into<String>) -> Self {
        Self::new(Texts::None, "no baseline".into(), Some(reason.into()))
    }

    fn new(texts: Texts, name: String, note: Option<String>) -> Self {
        Self {
            texts,
            name,
            note,
            max_bytes: MAX_FILE_BYTES,
        }
    }

    fn of_commit(commit: Commit, name: &str, note: Option<String>) -> Self {
        let describe = format!("{name} at {}", commit.id().to_hex_with_len(10));
        let note = note.or_else(|| commit.note());
        Self::new(Texts::Commit(Box::new(commit)), describe, note)
    }

    /// Reads files of up to `max_bytes` bytes instead of [`MAX_FILE_BYTES`]. It has to be the bound that
    /// the current tree is read with, or a file between the two would look added or deleted.
    #[must_use]
    pub fn with_max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Whether there is nothing to compare with.
    pub fn is_none(&self) -> bool {
        matches!(self.texts, Texts::None)
    }

    /// The baseline in a few words, as `main at 1a2b3c4d5e`; `no baseline` for none.
    pub fn describe(&self) -> String {
        self.name.clone()
    }

    /// What the user should know about it: why there is none, or why it is not the one to be expected.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// The whole id of the commit, in hexadecimal; `None` if the baseline is no commit.
    pub fn commit(&self) -> Option<String> {
        match &self.texts {
            Texts::Commit(commit) => Some(commit.id().to_string()),
            Texts::None | Texts::Folder(_) => None,
        }
    }

    /// The baseline's files that `filter` accepts, by their path below the workspace folder. Links,
    /// submodules, hidden files and foreign folders are left out, as [`walk`](crate::walk()) does.
    ///
    /// # Errors
    /// If a folder of the commit is missing or damaged: a part of the files would look new, which is
    /// worse than no answer.
    pub fn files(
        &self,
        filter: impl Fn(&FilePath) -> bool,
    ) -> Result<BTreeMap<FilePath, BlobRef>, BaselineError> {
        match &self.texts {
            Texts::None => Ok(BTreeMap::new()),
            Texts::Commit(commit) => {
                let mut files = BTreeMap::new();
                commit.files(&filter, &mut |path, id| {
                    files.insert(path, BlobRef(Blob::Object(id)));
                })?;
                Ok(files)
            }
            Texts::Folder(folder) => Ok(folder
                .files(&filter)
                .into_iter()
                .map(|path| (path.clone(), BlobRef(Blob::File(path))))
                .collect()),
        }
    }

    /// The text of a file; `None` if it is not here (a partial clone), over the size cap, or not UTF-8.
    ///
    /// # Errors
    /// If the object is damaged or the file unreadable.
    pub fn read(&self, blob: &BlobRef) -> Result<Option<Arc<str>>, BaselineError> {
        match (&self.texts, &blob.0) {
            (Texts::Commit(commit), Blob::Object(id)) => commit.read(*id, self.max_bytes),
            (Texts::Folder(folder), Blob::File(path)) => Ok(folder.read(path, self.max_bytes)),
            _ => Ok(None),
        }
    }

    /// Whether a file's baseline text is `text`, line ends aside: git may have turned `\n` into `\r\n`
    /// on checkout, and a file that nobody touched must not look changed. For an untouched file of a
    /// commit the answer takes a hash of `text` and reads nothing.
    pub fn same(&self, blob: &BlobRef, text: &str) -> bool {
        match (&self.texts, &blob.0) {
            (Texts::Commit(commit), Blob::Object(id)) => commit.same(*id, text, self.max_bytes),
            (Texts::Folder(folder), Blob::File(path)) => folder
                .read(path, self.max_bytes)
                .is_some_and(|base| same_lines(&base, text)),
            _ => false,
        }
    }
}

impl fmt::Debug for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Baseline")
            .field("name", &self.name)
            .field("note", &self.note)
            .finish()
    }
}

/// What the baseline of `root` rests on right now: two answers differ if it moved, by a commit, a
/// checkout, a fetch or `git init`. It takes the reading of a few small files, no history; where nothing
/// can be found out, the answer says only that.
pub fn fingerprint(root: &Path, spec: &BaselineSpec) -> String {
    let repository = || Repository::discover(root);
    match spec {
        BaselineSpec::Dir(dir) => format!("folder {}", dir.display()),
        BaselineSpec::Rev(rev) => {
            match repository().and_then(|repository| repository.revision(rev)) {
                Ok(commit) => format!("commit {}", commit.id()),
                Err(_) => "no commit".into(),
            }
        }
        BaselineSpec::Auto => match repository().and_then(|repository| repository.standing()) {
            Ok(standing) => standing.fingerprint(),
            Err(_) => "no repository".into(),
        },
    }
}

/// Whether two texts differ in nothing but `\r\n` for `\n`.
fn same_lines(a: &str, b: &str) -> bool {
    a == b || ((a.contains("\r\n") || b.contains("\r\n")) && unix_lines(a) == unix_lines(b))
}

fn unix_lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}
