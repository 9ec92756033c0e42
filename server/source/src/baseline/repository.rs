//! Finding and opening the repository that holds a workspace folder.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use gix::ThreadSafeRepository;
use gix::bstr::{BStr, ByteSlice};
use gix::discover::upwards;
use gix::sec::trust;

use crate::baseline::BaselineError;
use crate::baseline::commit::Commit;

/// The largest single object that git data may make this process allocate, in bytes. A damaged or
/// hostile pack can claim any size.
const ALLOCATION_LIMIT: &str = "gitoxide.objects.allocLimit=268435456";

/// An opened repository and where the workspace folder stands in it.
pub(super) struct Repository {
    git: ThreadSafeRepository,
    /// The workspace folder below the work tree, a segment an item; empty for the work tree itself.
    prefix: Vec<String>,
}

impl Repository {
    /// Opens the repository whose work tree holds `root`.
    ///
    /// Environment variables and the user's configuration have no say: which repository is read must
    /// follow from the folder alone, and what is not read can't name a program.
    pub(super) fn discover(root: &Path) -> Result<Self, BaselineError> {
        let none = |why: String| BaselineError::NoRepository {
            root: root.to_path_buf(),
            why,
        };
        let root = real_path(root).map_err(|error| none(error.to_string()))?;
        let git = shielded(
            || {
                let options =
                    || gix::open::Options::isolated().config_overrides([ALLOCATION_LIMIT]);
                // Only `.git` is taken for a repository. A bare one lies in a workspace as data.
                let search = upwards::Options {
                    dot_git_only: true,
                    ..Default::default()
                };
                let trust = trust::Mapping {
                    full: options(),
                    reduced: options(),
                };
                ThreadSafeRepository::discover_opts(&root, search, trust)
                    .map_err(|error| none(explain(&error)))
            },
            none,
        )?;
        let work_tree = git
            .work_dir()
            .ok_or_else(|| none("the repository is bare".into()))?;
        let work_tree = real_path(work_tree).map_err(|error| none(error.to_string()))?;
        let below = root
            .strip_prefix(&work_tree)
            .map_err(|_| none(format!("the work tree is `{}`", work_tree.display())))?;
        let segment = |part: std::path::Component<'_>| part.as_os_str().to_str().map(str::to_owned);
        let prefix = below
            .components()
            .map(segment)
            .collect::<Option<_>>()
            .ok_or_else(|| none("the folder's name is not valid UTF-8".into()))?;
        Ok(Self { git, prefix })
    }

    /// The commit `id`, as a baseline.
    pub(super) fn commit(&self, id: gix::ObjectId) -> Result<Commit, BaselineError> {
        Commit::open(self.git.clone(), id, &self.prefix)
    }

    /// The commit that `rev` names.
    pub(super) fn revision(&self, rev: &str) -> Result<Commit, BaselineError> {
        let fail = |why: String| BaselineError::Revision {
            rev: rev.to_owned(),
            why,
        };
        if rev.trim().is_empty() {
            return Err(fail("it is empty".into()));
        }
        let id = self.ask(
            |git| {
                let found = git.rev_parse_single(BStr::new(rev)).map_err(|error| {
                    fail(match git.is_shallow() {
                        Ok(true) => format!("{}; the clone is shallow", explain(&error)),
                        _ => explain(&error),
                    })
                })?;
                let commit = found.object().and_then(|object| object.peel_to_commit());
                commit
                    .map(|commit| commit.id)
                    .map_err(|error| fail(explain(&error)))
            },
            fail,
        )?;
        self.commit(id)
    }

    /// Runs `question` on a handle of this thread; `fail` makes an error of a panic.
    pub(super) fn ask<T>(
        &self,
        question: impl FnOnce(&gix::Repository) -> Result<T, BaselineError>,
        fail: impl FnOnce(String) -> BaselineError,
    ) -> Result<T, BaselineError> {
        shielded(|| question(&self.git.to_thread_local()), fail)
    }
}

/// Runs code over git data that nobody vouches for. A damaged repository must cost no more than the
/// baseline, even where the reading code has a bug.
pub(super) fn shielded<T>(
    read: impl FnOnce() -> Result<T, BaselineError>,
    fail: impl FnOnce(String) -> BaselineError,
) -> Result<T, BaselineError> {
    // What the closure could leave half-done is its own handle, which is dropped.
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(fail(
            "reading it failed unexpectedly; is it damaged?".into(),
        ))
    })
}

/// An error and what caused it, on one line.
pub(super) fn explain(error: &gix::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in error.iter_errors() {
        let part = part.to_string();
        if !part.is_empty() && !parts.iter().any(|known| known.contains(&part)) {
            parts.push(part);
        }
    }
    parts.join(": ").replace(['\n', '\r'], " ")
}

/// A git name as text for people.
pub(super) fn display(name: &BStr) -> String {
    name.to_str_lossy().into_owned()
}

/// `path`, absolute and without links. Not in the `\\?\` spelling of Windows, which git's own paths
/// don't have.
fn real_path(path: &Path) -> std::io::Result<PathBuf> {
    let path = fs::canonicalize(path)?;
    if cfg!(windows)
        && let Some(rest) = path.to_str().and_then(|path| path.strip_prefix(r"\\?\"))
        && rest.as_bytes().get(1) == Some(&b':')
    {
        return Ok(PathBuf::from(rest));
    }
    Ok(path)
}
