//! Disk and git, read on threads of their own: the owner must not wait for a slow disk, and a job with a
//! snapshot must not either.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use crossbeam_channel::Sender;
use gatewatch_source::{
    Baseline, BaselineSpec, FilePath, ReadWorkspace, Skipped, WalkOptions, fingerprint, read_one,
};

use crate::owner::{Event, FolderId};

/// What was read of a folder.
pub(crate) enum Read {
    /// All of it, and what its baseline rests on.
    Whole {
        /// The files and their baseline.
        workspace: Box<ReadWorkspace>,
        /// See [`fingerprint`].
        fingerprint: String,
        /// What the user should know.
        trouble: Option<String>,
    },
    /// Only one file, which is in the editor, and its baseline.
    Single {
        /// The text of the baseline, if there is one.
        baseline: Option<Arc<str>>,
        /// Whether there is a baseline at all.
        has_baseline: bool,
    },
    /// Files that have changed.
    Files(Vec<(FilePath, Result<Arc<str>, Skipped>)>),
    /// What the baseline rests on now.
    Fingerprint(String),
}

/// Where the answer goes.
pub(crate) struct Reply {
    pub(crate) events: Sender<Event>,
    pub(crate) folder: FolderId,
    /// Which reading of the folder it is; a later one makes it worthless.
    pub(crate) reading: u64,
}

impl Reply {
    fn send(self, read: Read) {
        let _ = self.events.send(Event::Read {
            folder: self.folder,
            reading: self.reading,
            read,
        });
    }

    fn on_a_thread(self, read: impl FnOnce() -> Read + Send + 'static) {
        let spawned = thread::Builder::new().name("reader".into()).spawn(move || {
            let read = read();
            self.send(read);
        });
        if let Err(error) = spawned {
            tracing::error!("a folder can't be read: {error}");
        }
    }
}

/// Reads a whole folder.
pub(crate) fn whole(reply: Reply, root: PathBuf, options: WalkOptions, spec: BaselineSpec) {
    reply.on_a_thread(move || {
        // Before the reading: what moves meanwhile is then seen as a change.
        let fingerprint = fingerprint(&root, &spec);
        let (workspace, trouble) = match ReadWorkspace::read(&root, options.clone(), Some(&spec)) {
            Ok(workspace) => (workspace, None),
            // Another baseline than the one asked for would say things that nobody asked about.
            Err(error) => {
                let trouble = format!(
                    "{}: {error}; without it nothing can be called a change",
                    root.display()
                );
                match ReadWorkspace::read(&root, options, None) {
                    Ok(workspace) => (workspace, Some(trouble)),
                    Err(never) => {
                        tracing::error!("{never}");
                        (ReadWorkspace::default(), Some(trouble))
                    }
                }
            }
        };
        Read::Whole {
            workspace: Box::new(workspace),
            fingerprint,
            trouble,
        }
    });
}

/// Reads the baseline of a single file, and nothing else of its folder, which may be anybody's home.
pub(crate) fn single(reply: Reply, root: PathBuf, path: FilePath, spec: BaselineSpec) {
    reply.on_a_thread(move || {
        let baseline =
            Baseline::open(&root, &spec).unwrap_or_else(|error| Baseline::none(error.to_string()));
        let has_baseline = !baseline.is_none();
        let blob = baseline
            .files(|candidate| *candidate == path)
            .ok()
            .and_then(|mut files| files.remove(&path));
        let text = blob.and_then(|blob| baseline.read(&blob).ok().flatten());
        Read::Single {
            baseline: text,
            has_baseline,
        }
    });
}

/// Reads files that have changed.
pub(crate) fn files(reply: Reply, root: PathBuf, paths: Vec<FilePath>, max_bytes: u64) {
    reply.on_a_thread(move || {
        let read = paths.into_iter().map(|path| {
            let text = read_one(&root, &path, max_bytes);
            (path, text)
        });
        Read::Files(read.collect())
    });
}

/// Looks whether the baseline has moved.
pub(crate) fn baseline(reply: Reply, root: &Path, spec: &BaselineSpec) {
    let (root, spec) = (root.to_owned(), spec.clone());
    reply.on_a_thread(move || Read::Fingerprint(fingerprint(&root, &spec)));
}
