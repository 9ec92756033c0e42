//! The names of a folder's files, before any is read.

use std::path::Path;
use std::sync::Arc;

use ignore::{DirEntry, WalkBuilder};

use crate::path::FilePath;
use crate::select::{Selection, skips_folder};
use crate::walk::{Skipped, reason};

/// How many files are listed at most: above it the folder is no project but a disk.
const MAX_FILES: usize = 200_000;

/// How many folders deep the listing goes.
const MAX_DEPTH: usize = 200;

/// A file that is to be read.
pub(crate) struct Listed {
    pub(crate) path: FilePath,
    pub(crate) bytes: u64,
}

/// The files of a folder, sorted by path, and what stood in the way of finding more.
#[derive(Default)]
pub(crate) struct Listing {
    pub(crate) files: Vec<Listed>,
    pub(crate) skipped: Vec<Skipped>,
}

/// Lists the regular files below `root` that `selection` accepts and `.gitignore` does not name.
pub(crate) fn list(root: &Path, selection: &Selection) -> Listing {
    let mut listing = Listing::default();
    for entry in builder(root, selection).build() {
        if listing.files.len() == MAX_FILES {
            let why = format!("it has more than {MAX_FILES} files; the rest was left out");
            listing.skipped.push(Skipped::new(FilePath::new(""), why));
            break;
        }
        match entry {
            Ok(entry) => listing.take(root, &entry, selection),
            Err(error) => listing.skipped.extend(notice(root, &error)),
        }
    }
    listing.files.sort_by(|a, b| a.path.cmp(&b.path));
    listing
}

fn builder(root: &Path, selection: &Selection) -> WalkBuilder {
    // Git's rules reach down from the top of the repository. Without a repository there is no top, and
    // an ignore file in the user's home could hide the whole workspace.
    let in_repository = root
        .canonicalize()
        .is_ok_and(|root| root.ancestors().any(|folder| folder.join(".git").exists()));
    let mut builder = WalkBuilder::new(root);
    builder
        .standard_filters(false)
        .git_ignore(true)
        .git_exclude(true)
        .parents(in_repository)
        .require_git(in_repository)
        .follow_links(false)
        .max_depth(Some(MAX_DEPTH))
        // Else which files are left out at the cap would differ from run to run.
        .sort_by_file_name(Ord::cmp);
    let (root, selection) = (Arc::<Path>::from(root), selection.clone());
    builder.filter_entry(move |entry| enters(&root, entry, &selection));
    builder
}

/// Whether the walk goes on at `entry`; files are judged later.
fn enters(root: &Path, entry: &DirEntry, selection: &Selection) -> bool {
    if entry.depth() == 0 || !entry.file_type().is_some_and(|kind| kind.is_dir()) {
        return true;
    }
    let skipped = entry.file_name().to_str().is_some_and(skips_folder);
    let excluded =
        || relative(root, entry.path()).is_ok_and(|path| selection.excludes(path.as_str(), true));
    !skipped && !excluded()
}

impl Listing {
    fn take(&mut self, root: &Path, entry: &DirEntry, selection: &Selection) {
        if entry.depth() == 0 || !entry.file_type().is_some_and(|kind| kind.is_file()) {
            return;
        }
        match relative(root, entry.path()) {
            Ok(path) if selection.accepts(&path) => {
                let bytes = entry.metadata().map_or(0, |metadata| metadata.len());
                self.files.push(Listed { path, bytes });
            }
            Err((path, why)) if selection.wants(&path) => {
                self.skipped.push(Skipped::new(path, why))
            }
            _ => {}
        }
    }
}

/// `path` as it stands below `root`, or its nearest spelling and why it has no exact one.
fn relative(root: &Path, path: &Path) -> Result<FilePath, (FilePath, &'static str)> {
    let below = path.strip_prefix(root).unwrap_or(path);
    let lossy = || FilePath::new(&below.to_string_lossy());
    match below.to_str() {
        None => Err((lossy(), "its name is not valid UTF-8")),
        // There `FilePath` would take it for a separator and name another file.
        Some(text) if !cfg!(windows) && text.contains('\\') => {
            Err((lossy(), "its name has a backslash"))
        }
        Some(text) => Ok(FilePath::new(text)),
    }
}

/// A failure of the walk as a notice; `None` for what vanished meanwhile.
fn notice(root: &Path, error: &ignore::Error) -> Option<Skipped> {
    let path = path_of(error).unwrap_or(root);
    let file = relative(root, path).unwrap_or_else(|(path, _)| path);
    let why = error.io_error().map_or_else(|| error.to_string(), reason);
    let notice = Skipped::new(file, why);
    // A root that is not there has to be told: it is not the same as an empty one.
    (!notice.is_gone() || path == root).then_some(notice)
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            path_of(err)
        }
        ignore::Error::Loop { child, .. } => Some(child),
        ignore::Error::Partial(errors) => errors.iter().find_map(path_of),
        _ => None,
    }
}
