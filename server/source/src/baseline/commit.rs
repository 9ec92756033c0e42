//! The files of one commit.

use std::sync::Arc;

use gix::bstr::ByteSlice;
use gix::objs::tree::EntryKind;
use gix::objs::{Kind, TreeRef, compute_hash};
use gix::{ObjectId, ThreadSafeRepository};
use rustc_hash::FxHashMap;

use crate::baseline::repository::{explain, shielded};
use crate::baseline::{BaselineError, unix_lines};
use crate::path::FilePath;
use crate::select::{skips_file, skips_folder};

/// How many tree entries are read at most. A few crafted trees that name each other can stand for more
/// files than any disk holds.
const MAX_ENTRIES: usize = 1_000_000;

/// How many bytes of trees are kept while a commit is listed, so that one that occurs again and again is
/// unpacked once; else crafted trees take minutes to reach [`MAX_ENTRIES`].
const KEPT_BYTES: usize = 16 * 1024 * 1024;

/// How many folders deep a commit is read.
const MAX_DEPTH: usize = 200;

/// A commit, seen from the workspace folder.
pub(super) struct Commit {
    git: ThreadSafeRepository,
    id: ObjectId,
    /// The tree of the workspace folder; `None` if the commit has no such folder.
    tree: Option<ObjectId>,
    /// The workspace folder below the work tree.
    prefix: String,
}

/// A folder that is still to be read.
struct Pending {
    tree: ObjectId,
    /// Its path with a `/` behind it, `""` for the workspace folder.
    path: String,
    depth: usize,
}

impl Commit {
    pub(super) fn open(
        git: ThreadSafeRepository,
        id: ObjectId,
        prefix: &[String],
    ) -> Result<Self, BaselineError> {
        let tree = shielded(
            || folder_tree(&git.to_thread_local(), id, prefix),
            |why| object_error(&id, why),
        )?;
        Ok(Self {
            git,
            id,
            tree,
            prefix: prefix.join("/"),
        })
    }

    pub(super) fn id(&self) -> &ObjectId {
        &self.id
    }

    /// What is odd about the commit as a baseline.
    pub(super) fn note(&self) -> Option<String> {
        let missing = || {
            format!(
                "the baseline has no folder `{}`; every file is new",
                self.prefix
            )
        };
        self.tree.is_none().then(missing)
    }

    /// Hands every file that `filter` accepts to `found`, in no particular order.
    pub(super) fn files(
        &self,
        filter: &dyn Fn(&FilePath) -> bool,
        found: &mut dyn FnMut(FilePath, ObjectId),
    ) -> Result<(), BaselineError> {
        let Some(tree) = self.tree else {
            return Ok(());
        };
        let fail = |why: String| object_error(&self.id, why);
        shielded(
            || {
                let git = self.git.to_thread_local();
                let mut trees = Trees::default();
                let mut entries = 0;
                let mut pending = vec![Pending {
                    tree,
                    path: String::new(),
                    depth: 0,
                }];
                while let Some(folder) = pending.pop() {
                    let tree = trees.get(&git, folder.tree)?;
                    let decoded = TreeRef::from_bytes(&tree, folder.tree.kind())
                        .map_err(|error| object_error(&folder.tree, explain(&error)))?;
                    entries += decoded.entries.len();
                    if entries > MAX_ENTRIES || folder.depth > MAX_DEPTH {
                        return Err(fail("it has more files than can be compared".into()));
                    }
                    for entry in &decoded.entries {
                        let Some(name) = plain_name(entry.filename) else {
                            continue;
                        };
                        let id = entry.oid.to_owned();
                        match entry.mode.kind() {
                            EntryKind::Tree if !skips_folder(name) => pending.push(Pending {
                                tree: id,
                                path: format!("{}{name}/", folder.path),
                                depth: folder.depth + 1,
                            }),
                            EntryKind::Blob | EntryKind::BlobExecutable if !skips_file(name) => {
                                let path = FilePath::new(&format!("{}{name}", folder.path));
                                if filter(&path) {
                                    found(path, id);
                                }
                            }
                            // A link leads elsewhere, and a submodule is another repository.
                            _ => {}
                        }
                    }
                }
                Ok(())
            },
            fail,
        )
    }

    /// The text of the blob `id`, if it is here, within `max_bytes` and UTF-8.
    pub(super) fn read(
        &self,
        id: ObjectId,
        max_bytes: u64,
    ) -> Result<Option<Arc<str>>, BaselineError> {
        let fail = |why: String| object_error(&id, why);
        shielded(
            || {
                let git = self.git.to_thread_local();
                if self.size(&git, id)?.is_none_or(|size| size > max_bytes) {
                    return Ok(None);
                }
                let found = git
                    .try_find_object(id)
                    .map_err(|error| fail(explain(&error)))?;
                let Some(mut object) = found.filter(|object| object.kind == Kind::Blob) else {
                    return Ok(None);
                };
                Ok(String::from_utf8(std::mem::take(&mut object.data))
                    .ok()
                    .map(Into::into))
            },
            fail,
        )
    }

    /// Whether the blob `id` is `text`, line ends aside.
    pub(super) fn same(&self, id: ObjectId, text: &str, max_bytes: u64) -> bool {
        if hashes_to(id, text) {
            return true;
        }
        if text.contains("\r\n") {
            let text = unix_lines(text);
            return hashes_to(id, &text)
                || self.read(id, max_bytes).is_ok_and(|base| {
                    base.is_some_and(|base| base.contains("\r\n") && unix_lines(&base) == text)
                });
        }
        // The blob may have `\r\n` where the work tree has `\n`. Then it is longer by no more than one
        // byte a line, and only then it is worth reading.
        let length = text.len() as u64;
        let lines = text.bytes().filter(|byte| *byte == b'\n').count() as u64;
        let size = shielded(
            || self.size(&self.git.to_thread_local(), id),
            |why| object_error(&id, why),
        );
        matches!(size, Ok(Some(size)) if size > length && size <= length + lines)
            && self
                .read(id, max_bytes)
                .is_ok_and(|base| base.is_some_and(|base| unix_lines(&base) == text))
    }

    /// The size of an object in bytes without unpacking it; `None` if it is not here.
    fn size(&self, git: &gix::Repository, id: ObjectId) -> Result<Option<u64>, BaselineError> {
        let header = git
            .try_find_header(id)
            .map_err(|error| object_error(&id, explain(&error)))?;
        Ok(header.map(|header| header.size()))
    }
}

/// Trees that were read, up to [`KEPT_BYTES`].
#[derive(Default)]
struct Trees {
    kept: FxHashMap<ObjectId, Arc<[u8]>>,
    bytes: usize,
}

impl Trees {
    /// The data of the tree `id`.
    fn get(&mut self, git: &gix::Repository, id: ObjectId) -> Result<Arc<[u8]>, BaselineError> {
        if let Some(data) = self.kept.get(&id) {
            return Ok(data.clone());
        }
        let tree = git
            .find_tree(id)
            .map_err(|error| object_error(&id, explain(&error)))?;
        let data: Arc<[u8]> = tree.data.as_slice().into();
        self.bytes += data.len();
        if self.bytes > KEPT_BYTES {
            self.kept.clear();
            self.bytes = data.len();
        }
        self.kept.insert(id, data.clone());
        Ok(data)
    }
}

/// The tree of the folder `prefix` in the commit `id`.
fn folder_tree(
    git: &gix::Repository,
    id: ObjectId,
    prefix: &[String],
) -> Result<Option<ObjectId>, BaselineError> {
    let fail = |error: gix::Error| object_error(&id, explain(&error));
    let mut tree = git
        .find_commit(id)
        .and_then(|commit| commit.tree())
        .map_err(fail)?;
    for name in prefix {
        let entry = tree
            .find_entry(name.as_str())
            .filter(|entry| entry.mode().is_tree());
        let Some(below) = entry.map(|entry| entry.object_id()) else {
            return Ok(None);
        };
        tree = git.find_tree(below).map_err(fail)?;
    }
    Ok(Some(tree.id))
}

/// An entry's name, if a checkout could make a file of it and a [`FilePath`] can hold it.
fn plain_name(name: &gix::bstr::BStr) -> Option<&str> {
    let name = name.to_str().ok()?;
    let plain = !matches!(name, "" | "." | "..") && !name.contains(['/', '\\']);
    plain.then_some(name)
}

/// Whether git would store `text` under `id`.
fn hashes_to(id: ObjectId, text: &str) -> bool {
    compute_hash(id.kind(), Kind::Blob, text.as_bytes()).is_ok_and(|hash| hash == id)
}

fn object_error(id: &ObjectId, why: String) -> BaselineError {
    BaselineError::Object {
        what: format!("object {}", id.to_hex_with_len(10)),
        why,
    }
}
