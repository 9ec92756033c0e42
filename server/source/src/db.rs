//! The salsa inputs: files with their text, and the two file sets that are compared.
//!
//! Salsa writes constructors and setters that carry no doc comment of their own.
#![allow(missing_docs)]

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::path::FilePath;

/// What every query of Gatewatch runs against.
#[salsa::db]
pub trait Db: salsa::Database {}

/// One version of one file: an input of the model.
///
/// The current tree and the baseline share a `SourceFile` as long as their texts are equal, so what
/// is computed for one serves the other.
#[salsa::input(debug)]
pub struct SourceFile {
    /// Where the file stands; never changes for an input.
    #[returns(ref)]
    pub path: FilePath,
    /// Its text, with the parse that the owner of an open buffer keeps up to date.
    #[returns(ref)]
    pub content: Content,
}

/// A file's text and, for an open buffer, its incrementally maintained parse.
#[derive(Clone)]
pub struct Content {
    /// The whole text.
    pub text: Arc<str>,
    /// The parse of exactly this text, kept by whoever owns the buffer; opaque here, because this
    /// crate knows no language. `None` for a closed file: it is parsed inside its facts query and
    /// the tree dropped.
    pub parsed: Option<Arc<dyn Any + Send + Sync>>,
}

impl Content {
    /// The content of a closed file.
    pub fn closed(text: impl Into<Arc<str>>) -> Self {
        Self {
            text: text.into(),
            parsed: None,
        }
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        let same_parse = match (&self.parsed, &other.parsed) {
            (None, None) => true,
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        };
        same_parse && (Arc::ptr_eq(&self.text, &other.text) || self.text == other.text)
    }
}

impl Eq for Content {}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content")
            .field("bytes", &self.text.len())
            .field("open", &self.parsed.is_some())
            .finish()
    }
}

/// A whole tree of files: the current one, or the baseline's.
#[salsa::input(debug)]
pub struct FileSet {
    /// Every file that the analysis may read, by path.
    #[returns(ref)]
    pub files: Arc<BTreeMap<FilePath, SourceFile>>,
}

impl FileSet {
    /// The file at `path`, if this set has it.
    pub fn file(self, db: &dyn Db, path: &FilePath) -> Option<SourceFile> {
        self.files(db).get(path).copied()
    }
}
