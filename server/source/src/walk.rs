//! The files of a folder on disk, read with distrust: no link is followed, nothing is unbounded, and
//! whatever can't be read is named instead of silently missing.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use crate::list::{Listed, list};
use crate::path::FilePath;
use crate::select::Selection;
use crate::stored::StoredText;

/// The size cap of one file, in bytes. An incremental parse stays within a keystroke's time below it.
pub const MAX_FILE_BYTES: u64 = 2 * 1024 * 1024;

/// The cap on the sum of all files, in bytes: a folder that is no project must not fill the memory.
pub(crate) const MAX_TOTAL_BYTES: u64 = 1024 * 1024 * 1024;

/// Why a file that vanished was not read.
const GONE: &str = "there is no such file";

/// What to read of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalkOptions {
    /// Extensions to read, without the dot, case-sensitive. With no `names` either: every file.
    pub extensions: Vec<String>,
    /// Whole file names to read, whatever their extension, as `Dockerfile`.
    pub names: Vec<String>,
    /// The largest file to read, in bytes; larger ones are skipped with a notice.
    pub max_bytes: u64,
    /// Paths not to read, as patterns relative to the folder, with the meaning of `.gitignore` lines.
    pub exclude: Vec<String>,
}

impl Default for WalkOptions {
    fn default() -> Self {
        Self {
            extensions: Vec::new(),
            names: Vec::new(),
            max_bytes: MAX_FILE_BYTES,
            exclude: Vec::new(),
        }
    }
}

/// A file that was not read, and the reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("`{file}` was not read: {why}")]
pub struct Skipped {
    /// The file; the empty path means the whole folder.
    pub file: FilePath,
    /// The reason, to be shown to the user.
    pub why: String,
}

impl Skipped {
    pub(crate) fn new(file: FilePath, why: impl Into<String>) -> Self {
        Self {
            file,
            why: why.into(),
        }
    }

    /// Whether the file is simply not there (any more), which is no fault to be reported.
    pub fn is_gone(&self) -> bool {
        self.why == GONE
    }
}

/// What [`walk`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// Every file that was read, sorted by path.
    pub files: Vec<(FilePath, StoredText)>,
    /// Every file that was asked for and could not be read, sorted by path.
    pub skipped: Vec<Skipped>,
}

/// Reads every file below `root` that `options` ask for.
///
/// `.gitignore` files and `.git/info/exclude` are followed, also where there is no repository; those
/// above `root` only inside one. A user's own global ignore file is not, since the same tree has to
/// give the same findings on every machine. Hidden files, foreign folders (`node_modules`, virtual
/// environments) and links are passed over without a notice.
pub fn walk(root: &Path, options: &WalkOptions) -> Walk {
    let selection = Selection::new(options);
    let mut listing = list(root, &selection);
    let mut skipped: Vec<Skipped> = selection
        .problems()
        .iter()
        .map(|problem| Skipped::new(FilePath::new(""), problem))
        .chain(listing.skipped)
        .collect();
    drop_beyond_total(&mut listing.files, options.max_bytes, &mut skipped);
    let files = listing.files;
    let read = on_all_cores(|| -> Vec<(FilePath, Result<StoredText, String>)> {
        let files = files.into_par_iter().map(|Listed { path, .. }| {
            let text = read_file(&root.join(path.as_str()), options.max_bytes);
            (path, text.map(StoredText::from))
        });
        files.collect()
    });
    let mut walk = Walk {
        files: Vec::with_capacity(read.len()),
        skipped,
    };
    for (path, text) in read {
        walk.add(path, text);
    }
    walk.sort();
    walk
}

/// Threads that stayed would keep the memory that the largest files took.
fn on_all_cores<T: Send>(read: impl FnOnce() -> T + Send) -> T {
    match rayon::ThreadPoolBuilder::new().build() {
        Ok(pool) => pool.install(read),
        Err(_) => read(),
    }
}

impl Walk {
    /// Reads the files of `paths` that are on disk and are not in this walk yet.
    ///
    /// For the files of the baseline: one that git tracks although `.gitignore` names it is missed by
    /// [`walk`], and without this all that it defines would look deleted.
    pub fn include<'p>(
        &mut self,
        root: &Path,
        paths: impl IntoIterator<Item = &'p FilePath>,
        max_bytes: u64,
    ) {
        let mut found = Vec::new();
        for path in paths {
            let known = self
                .files
                .binary_search_by(|(file, _)| file.cmp(path))
                .is_ok()
                || self.skipped.iter().any(|skipped| skipped.file == *path);
            if !known {
                let text = read_one(root, path, max_bytes).map_err(|skipped| skipped.why);
                found.push((path.clone(), text.map(StoredText::from)));
            }
        }
        for (path, text) in found {
            self.add(path, text);
        }
        self.sort();
    }

    fn add(&mut self, path: FilePath, text: Result<StoredText, String>) {
        match text {
            Ok(text) => self.files.push((path, text)),
            Err(why) if why == GONE => {}
            Err(why) => self.skipped.push(Skipped::new(path, why)),
        }
    }

    fn sort(&mut self) {
        self.files.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.files.dedup_by(|(a, _), (b, _)| a == b);
        self.skipped.sort();
    }
}

/// Reads the file at `path` below `root`, of at most `max_bytes` bytes.
///
/// # Errors
/// The reason, if the file is missing (see [`Skipped::is_gone`]), too large, not UTF-8, unreadable, not a
/// regular file, or reached through a link.
pub fn read_one(root: &Path, path: &FilePath, max_bytes: u64) -> Result<Arc<str>, Skipped> {
    let fail = |why: String| Skipped::new(path.clone(), why);
    let mut whole = root.to_path_buf();
    // Each folder on the way, or a link among them would lead out of the root.
    for segment in path
        .parent()
        .split('/')
        .filter(|segment| !segment.is_empty())
    {
        whole.push(segment);
        let kind = fs::symlink_metadata(&whole).map_err(|error| fail(reason(&error)))?;
        if kind.is_symlink() {
            return Err(fail("it is reached through a link".into()));
        }
    }
    whole.push(path.file_name());
    read_file(&whole, max_bytes).map_err(fail)
}

/// Reads one regular file, or gives the reason why not.
fn read_file(path: &Path, max_bytes: u64) -> Result<Arc<str>, String> {
    // Asked before the file is opened: opening a pipe would wait for its writer for ever.
    let metadata = fs::symlink_metadata(path).map_err(|error| reason(&error))?;
    if metadata.is_symlink() {
        return Err("it is a link".into());
    }
    if !metadata.is_file() {
        return Err("it is not a regular file".into());
    }
    if metadata.len() > max_bytes {
        return Err(too_large(metadata.len(), max_bytes));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    // The file may have grown since it was measured.
    File::open(path)
        .and_then(|file| {
            file.take(max_bytes.saturating_add(1))
                .read_to_end(&mut bytes)
        })
        .map_err(|error| reason(&error))?;
    if bytes.len() as u64 > max_bytes {
        return Err(too_large(bytes.len() as u64, max_bytes));
    }
    String::from_utf8(bytes)
        .map(Into::into)
        .map_err(|_| "it is not UTF-8 text".into())
}

/// Keeps as many files, in path order, as stay within [`MAX_TOTAL_BYTES`].
fn drop_beyond_total(files: &mut Vec<Listed>, max_bytes: u64, skipped: &mut Vec<Skipped>) {
    let mut total = 0;
    let fitting = files
        .iter()
        .take_while(|file| {
            if file.bytes <= max_bytes {
                total += file.bytes;
            }
            total <= MAX_TOTAL_BYTES
        })
        .count();
    if fitting < files.len() {
        let why = format!(
            "{} files were left out: together the files exceed {MAX_TOTAL_BYTES} bytes",
            files.len() - fitting
        );
        skipped.push(Skipped::new(FilePath::new(""), why));
        files.truncate(fitting);
    }
}

fn too_large(bytes: u64, max_bytes: u64) -> String {
    format!("it has {bytes} bytes or more, over the limit of {max_bytes}")
}

/// An IO error as a reason. A file that is not there, or whose folder became a file, is gone.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => GONE.into(),
        _ => format!("it can't be read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_beyond_the_total_are_left_out_with_one_notice() {
        let file = |path: &str, bytes| Listed {
            path: path.into(),
            bytes,
        };
        let half = MAX_TOTAL_BYTES / 2;
        // The second is over the size cap: it is not read, so it does not count.
        let mut files = vec![
            file("a", half),
            file("b", MAX_TOTAL_BYTES),
            file("c", half),
            file("d", 1),
        ];
        let mut skipped = Vec::new();
        drop_beyond_total(&mut files, half, &mut skipped);
        assert_eq!(files.len(), 3);
        assert!(skipped[0].why.starts_with("1 files"));
    }
}
