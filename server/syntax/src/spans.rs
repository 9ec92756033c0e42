//! Where facts stand in the text: the side table of [`crate::facts`], under the same indices.
//!
//! All positions are byte offsets. They are relative to the item or body that they belong to, so
//! that an item which only moved keeps its spans as well as its facts.

use std::sync::Arc;

/// A half-open range of bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// Behind the last byte.
    pub end: u32,
}

impl Span {
    /// The span moved by `by` bytes towards the end.
    pub fn shifted(self, by: u32) -> Self {
        Self {
            start: self.start.saturating_add(by),
            end: self.end.saturating_add(by),
        }
    }

    /// Whether `offset` is inside or at the end.
    pub fn touches(self, offset: u32) -> bool {
        self.start <= offset && offset <= self.end
    }

    /// As a range of indices.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Where a function or class stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DefinitionSpans {
    /// Decorators, signature and body.
    pub whole: Span,
    /// From the keyword of the definition (`def`, `class`, `fn`), without decorators.
    pub definition: Span,
    /// The name; of an anonymous function its first byte.
    pub name: Span,
    /// The parameter list or the base list, with its brackets; empty where there is none.
    pub list: Span,
    /// The body.
    pub body: Span,
}

/// The spans of one [`crate::facts::Code`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Spans {
    /// As `Code::exprs`.
    pub exprs: Box<[Span]>,
    /// As `Code::stmts`.
    pub stmts: Box<[Span]>,
    /// As `Code::functions`.
    pub functions: Box<[DefinitionSpans]>,
    /// As `Code::classes`.
    pub classes: Box<[DefinitionSpans]>,
}

/// The spans of one [`crate::facts::Item`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ItemSpans {
    /// The item itself, in the file.
    pub whole: Span,
    /// Of the head, relative to the item's start.
    pub head: Arc<Spans>,
    /// As `Item::bodies`: where each body starts, relative to the item's start, and its spans
    /// relative to that.
    pub bodies: Box<[(u32, Arc<Spans>)]>,
}
