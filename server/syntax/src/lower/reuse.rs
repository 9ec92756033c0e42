//! What is kept of one version of a file for the next.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHasher};
use ustr::{Ustr, ustr};

use crate::facts::{Body, Item};
use crate::spans::{ItemSpans, Span, Spans};

/// A lowered body with everything inside it, positions relative to its own start.
#[derive(Clone)]
pub(crate) struct LoweredBody {
    pub(super) bodies: Vec<(Body, u32, Arc<Spans>)>,
    /// How many places inside are unfinished.
    pub(super) unfinished: u32,
}

/// A lowered item.
#[derive(Clone)]
pub(crate) struct LoweredItem {
    /// Its facts.
    pub(crate) item: Arc<Item>,
    /// Their places.
    pub(crate) spans: Arc<ItemSpans>,
    /// Hash and length of the text it was lowered from.
    pub(crate) text: (u64, u32),
    /// Whether the parser found an error inside.
    pub(crate) broken: bool,
    /// How many places inside are unfinished; counted for open buffers only.
    pub(crate) unfinished: u32,
    /// Whether the parser found an error right before it: a decorator that is being typed, say.
    pub(crate) doubtful: bool,
    /// Whether it has no part in the facts ([`Adapter::ignores`](super::Adapter::ignores)). It is known only so that an error elsewhere
    /// doesn't make it appear.
    pub(crate) hidden: bool,
}

impl LoweredItem {
    /// An item that has no part in the facts.
    pub(crate) fn hidden(whole: Span, text: (u64, u32), broken: bool) -> Self {
        Self {
            item: Arc::new(Item {
                key: ustr(""),
                head: Arc::default(),
                bodies: Box::default(),
            }),
            spans: Arc::new(ItemSpans {
                whole,
                ..ItemSpans::default()
            }),
            text,
            broken,
            unfinished: 0,
            doubtful: false,
            hidden: true,
        }
    }
}

/// What an earlier version of the same file has lowered already: an item or body whose text is the
/// same needn't be lowered again. It never changes the result, only its cost.
#[derive(Default)]
pub(crate) struct Reuse {
    pub(crate) items: FxHashMap<(u64, u32), LoweredItem>,
    pub(crate) bodies: FxHashMap<(Ustr, u64, u32), LoweredBody>,
}

/// What the text at a place says, as a key of [`Reuse`]. The blanks before it count: in Python the same words
/// have another meaning where their first line stands further in.
pub(crate) fn text_key(text: &str, place: std::ops::Range<usize>) -> (u64, u32) {
    let before = text.get(..place.start).unwrap_or_default();
    let blank = before.trim_end_matches([' ', '\t']);
    let start = if blank.is_empty() || blank.ends_with(['\n', '\r']) {
        blank.len()
    } else {
        place.start
    };
    text_hash(text.get(start..place.end).unwrap_or_default())
}

pub(crate) fn text_hash(text: &str) -> (u64, u32) {
    let mut hasher = FxHasher::default();
    text.hash(&mut hasher);
    (
        hasher.finish(),
        u32::try_from(text.len()).unwrap_or(u32::MAX),
    )
}
