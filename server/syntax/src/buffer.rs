//! The parse of an open buffer, kept up to date edit by edit.
//!
//! The owner of a document holds its [`Buffer`] and replaces it at every edit. A buffer is immutable: it goes into
//! salsa as part of the file's [`Content`], so the facts of an open file are a function of that input.

use std::sync::Arc;

use gatewatch_source::Content;
use tree_sitter::{InputEdit, Tree};

use crate::facts::Language;
use crate::file::{FileFacts, Lowered, lower, parse};
use crate::lower::{LoweredItem, Reuse, base_of};
use crate::spans::ItemSpans;

/// One version of an open file: its tree, its facts, and what the next version can take over.
pub struct Buffer {
    language: Language,
    tree: Tree,
    facts: Arc<FileFacts>,
    spans: Arc<Vec<Arc<ItemSpans>>>,
    /// The last sound version of every item; see [`settle`].
    sound: Vec<LoweredItem>,
    reuse: Reuse,
}

impl Buffer {
    /// Parses a file that was just opened. `None` if its language can't be parsed at all.
    pub fn open(language: Language, text: &str) -> Option<Self> {
        let tree = parse(language, text, None)?;
        Some(Self::build(language, text, tree, &[], &Reuse::default()))
    }

    /// The next version: `edits` lead from this version's text to `text`, in order.
    pub fn edit(&self, text: &str, edits: &[InputEdit]) -> Option<Self> {
        let mut old = self.tree.clone();
        for edit in edits {
            old.edit(edit);
        }
        let tree = parse(self.language, text, Some(&old))?;
        Some(Self::build(
            self.language,
            text,
            tree,
            &self.sound,
            &self.reuse,
        ))
    }

    fn build(
        language: Language,
        text: &str,
        tree: Tree,
        sound: &[LoweredItem],
        reuse: &Reuse,
    ) -> Self {
        let mut next = Reuse::default();
        let lowered = lower(language, text, &tree, Some(reuse), Some(&mut next));
        let lowered = settle(lowered, sound, tree.root_node().has_error());
        Self {
            language,
            facts: Arc::new(lowered.facts()),
            spans: Arc::new(lowered.spans()),
            sound: lowered.items,
            reuse: next,
            tree,
        }
    }

    /// The facts of this version.
    pub fn facts(&self) -> &Arc<FileFacts> {
        &self.facts
    }

    /// Where the facts stand, item by item.
    pub fn spans(&self) -> &Arc<Vec<Arc<ItemSpans>>> {
        &self.spans
    }

    /// The tree of this version.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Whether the parser found an error anywhere.
    pub fn has_error(&self) -> bool {
        self.tree.root_node().has_error()
    }

    /// The buffer of a file's content, if the file is open.
    pub fn of(content: &Content) -> Option<Arc<Self>> {
        Arc::clone(content.parsed.as_ref()?).downcast::<Self>().ok()
    }

    /// The content of an open file.
    pub fn content(self: &Arc<Self>, text: Arc<str>) -> Content {
        Content {
            text,
            parsed: Some(Arc::clone(self) as Arc<dyn std::any::Any + Send + Sync>),
        }
    }
}

/// Half-typed code is the normal state of a buffer. While an item has an error, the last sound version
/// of it stands in; an item that has vanished while the file has an error outside of its items (an
/// open bracket swallows what follows) is kept as well. Without errors the new facts stand alone.
pub(crate) fn settle(mut lowered: Lowered, sound: &[LoweredItem], has_error: bool) -> Lowered {
    if !has_error {
        return lowered;
    }
    let (new, broken): (Vec<_>, Vec<_>) = lowered.items.into_iter().partition(|item| !item.broken);
    let mut kept = new;
    let mut old_ones = Vec::new();
    for item in broken {
        // The old facts stand where the broken text begins; their inner places are only nearly right, which a
        // diagnostic on a line survives.
        if let Some(old) = sound.iter().find(|old| old.item.key == item.item.key) {
            let mut old = old.clone();
            let mut spans = (*old.spans).clone();
            spans.whole = item.spans.whole;
            old.spans = Arc::new(spans);
            old_ones.push(old);
        }
    }
    let is_swallowed = |old: &&LoweredItem| {
        let same = |item: &LoweredItem| item.item.key == old.item.key;
        !kept.iter().any(same) && !old_ones.iter().any(same)
    };
    let swallowed: Vec<LoweredItem> = sound.iter().filter(is_swallowed).cloned().collect();
    old_ones.extend(swallowed);
    // Where the head of a class is broken its methods stand there alone. They are no new items.
    kept.retain(|item| {
        sound.iter().any(|old| old.item.key == item.item.key)
            || !old_ones.iter().any(|old| has_member(old, &item.item.key))
    });
    kept.extend(old_ones);
    kept.sort_by_key(|item| item.spans.whole.start);
    lowered.items = kept;
    lowered
}

/// Whether one of the functions inside of an item has this name.
fn has_member(item: &LoweredItem, key: &str) -> bool {
    let name = base_of(key);
    item.item
        .bodies
        .iter()
        .any(|body| body.id != item.item.key && base_of(&body.id).rsplit('.').next() == Some(name))
}
