//! The salsa inputs: files with their text, and the two file sets that are compared.
//!
//! Salsa writes constructors and setters that carry no doc comment of their own.
#![allow(missing_docs)]

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use salsa::{Durability, Setter};

use crate::path::FilePath;
use crate::stored::StoredText;

/// What every query of Gatewatch runs against.
#[salsa::db]
pub trait Db: salsa::Database {}

/// One version of one file: an input of the model.
///
/// The current tree and the baseline share a `SourceFile` as long as their texts are equal, so what
/// is computed for one serves the other.
///
/// There are two kinds. One that is *frozen* keeps its content forever: salsa need not remember what was computed of it
/// alone, and never looks at that again. A file that an editor opens, or that gets another text, becomes
/// another input, one that can be written.
#[salsa::input(debug)]
pub struct SourceFile {
    /// Where the file stands; never changes for an input.
    #[returns(ref)]
    pub path: FilePath,
    /// Its text, with the parse that the owner of an open buffer keeps up to date.
    #[returns(ref)]
    pub content: Content,
    /// What an open buffer says, in parts.
    #[returns(ref)]
    pub parts: Parts,
    /// Whether the content stays what it is; never changes for an input.
    #[returns(copy)]
    pub is_frozen: bool,
    /// Whether an editor that holds the file has changed it. No query asks for it.
    #[returns(copy)]
    is_edited: bool,
}

/// What the buffer of an open file says, in parts that are inputs of their own: what depends on one part only
/// needs no look after an edit of another.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Parts {
    /// Whether an editor holds the file; else the parts say nothing.
    open: bool,
    list: Vec<Part>,
}

/// One part of a buffer. See [`Parts`].
#[salsa::input(debug)]
pub struct Part {
    /// What it says; opaque here, because this crate knows no language.
    #[returns(ref)]
    pub said: SaidPart,
}

/// What one part of a buffer says.
#[derive(Clone)]
pub struct SaidPart {
    /// The value.
    pub value: Arc<dyn Said>,
    /// Whether typing in a function changes it.
    pub typed: bool,
}

impl SaidPart {
    /// Typing goes on in the bodies of functions: what depends on heads only is not looked at then, nor what depends on
    /// bodies that nobody has typed in since the file was opened.
    fn durability(&self, edited: bool) -> Durability {
        if self.typed && edited {
            Durability::LOW
        } else {
            Durability::MEDIUM
        }
    }
}

impl fmt::Debug for SaidPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SaidPart")
            .field("typed", &self.typed)
            .finish_non_exhaustive()
    }
}

/// A value that can be compared with another of its own type.
pub trait Said: Any + Send + Sync {
    /// Whether both say the same.
    fn same(&self, other: &dyn Said) -> bool;
    /// The value, to be asked for its type.
    fn any(&self) -> &dyn Any;
}

impl<T: Any + Send + Sync + PartialEq> Said for T {
    fn same(&self, other: &dyn Said) -> bool {
        other.any().downcast_ref::<T>() == Some(self)
    }

    fn any(&self) -> &dyn Any {
        self
    }
}

impl SourceFile {
    /// An input with this text, which never changes.
    pub fn frozen(db: &dyn Db, path: FilePath, text: impl Into<StoredText>) -> Self {
        Self::builder(path, Content::closed(text), Parts::default(), true, false)
            .durability(Durability::NEVER_CHANGE)
            .new(db)
    }

    /// An input with this content, to be written again.
    pub fn with(db: &dyn Db, path: FilePath, content: Content) -> Self {
        let durability = content.durability(false);
        let parts = Parts {
            open: !content.parts.is_empty(),
            list: new_parts(db, &content),
        };
        Self::builder(path, content, parts, false, false)
            .path_durability(Durability::NEVER_CHANGE)
            .content_durability(durability)
            .parts_durability(Durability::HIGH)
            .is_frozen_durability(Durability::NEVER_CHANGE)
            .new(db)
    }

    /// Its whole text; see [`StoredText::get`].
    pub fn text(self, db: &dyn Db) -> Arc<str> {
        self.content(db).text.get()
    }

    /// Gives the file another content. Of an open buffer, only the parts that say something else are written.
    ///
    /// # Panics
    /// If the file is frozen.
    pub fn write(self, db: &mut dyn Db, content: Content) {
        let old = self.parts(db).clone();
        let edited = old.open && !content.parts.is_empty();
        let first = edited && !self.is_edited(db);
        if self.is_edited(db) != edited {
            self.set_is_edited(db).to(edited);
        }
        let durability = content.durability(edited);
        let known = content.parts.len() == old.list.len();
        if known {
            for (part, new) in old.list.iter().zip(content.parts.iter()) {
                // With the first edit all of the file becomes what changes often: that costs a look at all that
                // depends on it, once.
                if (first && new.typed) || !part.said(db).value.same(&*new.value) {
                    part.set_said(db)
                        .with_durability(new.durability(edited))
                        .to(new.clone());
                }
            }
        }
        let parts = match content.parts.is_empty() {
            // Inputs are never deleted: the next time that the file is opened they are used again.
            true => Parts {
                open: false,
                list: old.list.clone(),
            },
            false if known => Parts {
                open: true,
                list: old.list.clone(),
            },
            false => Parts {
                open: true,
                list: new_parts(db, &content),
            },
        };
        if parts != old {
            self.set_parts(db)
                .with_durability(Durability::HIGH)
                .to(parts);
        }
        self.set_content(db).with_durability(durability).to(content);
    }

    /// What the part `index` of an open buffer says, if there is such a part, of this type.
    pub fn said<T: Any>(self, db: &dyn Db, index: usize) -> Option<&T> {
        let parts = self.parts(db);
        let part = parts.list.get(index).filter(|_| parts.open)?;
        part.said(db).value.any().downcast_ref()
    }
}

fn new_parts(db: &dyn Db, content: &Content) -> Vec<Part> {
    let parts = content.parts.iter().map(|said| {
        Part::builder(said.clone())
            .durability(said.durability(false))
            .new(db)
    });
    parts.collect()
}

/// A file's text and, for an open buffer, its incrementally maintained parse.
#[derive(Clone)]
pub struct Content {
    /// The whole text.
    pub text: StoredText,
    /// The parse of exactly this text, kept by whoever owns the buffer; opaque here, because this
    /// crate knows no language. `None` for a closed file: it is parsed inside its facts query and
    /// the tree dropped.
    pub parsed: Option<Arc<dyn Any + Send + Sync>>,
    /// What the parse says, in parts: always the same number for the same file; none for a closed one.
    pub parts: Arc<[SaidPart]>,
}

impl Content {
    /// The content of a closed file.
    pub fn closed(text: impl Into<StoredText>) -> Self {
        Self {
            text: text.into(),
            parsed: None,
            parts: Arc::default(),
        }
    }

    /// An open buffer that was edited changes often; what depends on other files only is not looked at then.
    fn durability(&self, edited: bool) -> Durability {
        match (&self.parsed, edited) {
            (Some(_), true) => Durability::LOW,
            (Some(_), false) => Durability::MEDIUM,
            (None, _) => Durability::HIGH,
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
        same_parse && self.text == other.text
    }
}

impl Eq for Content {}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content")
            .field("text", &self.text)
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
