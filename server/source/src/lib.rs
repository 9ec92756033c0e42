//! Files, texts, positions and the baseline: everything that comes from outside, as salsa inputs.
//!
//! This crate knows no language and no framework. It reads disks, editor edits and git object
//! stores, and hands text on.

mod baseline;
mod database;
mod db;
mod document;
mod fitted;
mod list;
mod path;
mod position;
mod select;
mod squeeze;
mod stored;
mod walk;
mod workspace;

pub use baseline::{Baseline, BaselineError, BaselineSpec, BlobRef, fingerprint};
pub use database::{Database, Happened};
pub use db::{Content, Db, FileSet, Part, Parts, Said, SaidPart, SourceFile};
pub use document::{Document, Edit};
pub use fitted::fitted;
pub use path::FilePath;
pub use position::{Encoding, LineMap, Position};
pub use select::Selection;
pub use squeeze::Squeezed;
pub use stored::StoredText;
pub use walk::{MAX_FILE_BYTES, Skipped, Walk, WalkOptions, read_one, walk};
pub use workspace::{ReadWorkspace, Workspace};
