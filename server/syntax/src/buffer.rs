//! The parse of an open buffer, kept up to date edit by edit.
//!
//! The owner of a document holds its [`Buffer`] and replaces it at every edit. A buffer is immutable: it goes into
//! salsa as part of the file's [`Content`], so the facts of an open file are a function of that input.

use std::sync::Arc;
use std::time::Duration;

use gatewatch_source::{Content, StoredText};
use rustc_hash::FxHashSet;
use tree_sitter::{InputEdit, Tree};
use ustr::Ustr;

use crate::facts::{Expr, Function, Item, Language, Stmt};
use crate::file::{FileFacts, Lowered, lower, parse, parse_within, patience, usable};
use crate::half_typed::{half_typed, mentions};
use crate::lower::{LoweredItem, Reuse, offset, text_hash};
use crate::spans::{ItemSpans, Span};

/// One version of an open file: its tree, its facts, and what the next version can take over.
pub struct Buffer {
    language: Language,
    /// Where the parser gave up it is an earlier text's, with the edits since, or none.
    tree: Option<Tree>,
    facts: Arc<FileFacts>,
    spans: Arc<Vec<Arc<ItemSpans>>>,
    /// The last sound version of every item; see [`settle`].
    sound: Vec<LoweredItem>,
    /// Length of the text.
    len: usize,
    /// The texts of errors that were there when the file was opened. They may be there to stay (a syntax
    /// that the grammar doesn't know), so they don't keep anything new from being seen.
    tolerated: Arc<FxHashSet<(u64, u32)>>,
    held: bool,
    reuse: Arc<Reuse>,
}

impl Buffer {
    /// Parses a file that was just opened. `None` if its language can't be parsed at all.
    pub fn open(language: Language, text: &str) -> Option<Self> {
        usable(language)?;
        let Some(tree) = parse(language, text, None) else {
            return Some(Self {
                language,
                tree: None,
                facts: Arc::new(FileFacts::default().given_up()),
                spans: Arc::default(),
                sound: Vec::new(),
                len: text.len(),
                tolerated: Arc::default(),
                held: true,
                reuse: Arc::default(),
            });
        };
        let mut next = Reuse::default();
        let lowered = lower(
            language,
            text,
            &tree,
            Some(&Reuse::default()),
            Some(&mut next),
        );
        let broken = lowered.items.iter().filter(|item| item.broken);
        let tolerated = lowered
            .errors
            .iter()
            .map(|error| error.1)
            .chain(broken.map(|item| item.text))
            .collect();
        let held = tree.root_node().has_error();
        let lowered = if held {
            let nothing = Before {
                sound: &[],
                len: 0,
                tolerated: &tolerated,
            };
            settle(lowered, text, &nothing)
        } else {
            lowered
        };
        Some(Self {
            language,
            facts: Arc::new(lowered.facts()),
            spans: Arc::new(lowered.spans()),
            sound: lowered.items,
            len: text.len(),
            tolerated: Arc::new(tolerated),
            held,
            reuse: Arc::new(next),
            tree: Some(tree),
        })
    }

    /// The next version: `edits` lead from this version's text to `text`, in order.
    pub fn edit(&self, text: &str, edits: &[InputEdit]) -> Option<Self> {
        self.edit_within(patience(text), text, edits)
    }

    fn edit_within(&self, patience: Duration, text: &str, edits: &[InputEdit]) -> Option<Self> {
        let Some(mut old) = self.tree.clone() else {
            return Self::open(self.language, text);
        };
        for edit in edits {
            old.edit(edit);
        }
        let before = Before {
            sound: &self.sound,
            len: self.len,
            tolerated: &self.tolerated,
        };
        let Some(tree) = parse_within(patience, self.language, text, Some(&old)) else {
            // As with any text that can't be read: what was there stays.
            let kept = settle(Lowered::default(), text, &before);
            return Some(Self {
                language: self.language,
                tree: Some(old),
                facts: Arc::new(kept.facts().given_up()),
                spans: Arc::new(kept.spans()),
                sound: kept.items,
                len: text.len(),
                tolerated: Arc::clone(&self.tolerated),
                held: true,
                reuse: Arc::clone(&self.reuse),
            });
        };
        let mut next = Reuse::default();
        let mut lowered = lower(
            self.language,
            text,
            &tree,
            Some(&self.reuse),
            Some(&mut next),
        );
        let mut held = tree.root_node().has_error();
        held |= self.has_unfinished(text, &mut lowered, edits);
        let half_typed = self.half_typed(text, &lowered, &words_at(text, edits));
        // What is new may be what takes the place of something that has gone: that stays until it can be read.
        if half_typed.iter().any(|(_, old)| old.is_none()) {
            let there: FxHashSet<Ustr> = lowered.items.iter().map(|item| item.item.key).collect();
            held |= self.sound.iter().any(|old| !there.contains(&old.item.key));
        }
        if held {
            for (index, _) in half_typed {
                if let Some(item) = lowered.items.get_mut(index) {
                    item.broken = true;
                }
            }
            lowered = settle(lowered, text, &before);
        } else {
            held = !half_typed.is_empty();
            for (index, old) in half_typed.into_iter().rev() {
                match old {
                    Some(old) => {
                        if let Some(item) = lowered.items.get_mut(index) {
                            *item = moved(old, item.spans.whole);
                        }
                    }
                    None => drop(lowered.items.remove(index)),
                }
            }
        }
        Some(Self {
            language: self.language,
            facts: Arc::new(lowered.facts()),
            spans: Arc::new(lowered.spans()),
            sound: lowered.items,
            len: text.len(),
            tolerated: Arc::clone(&self.tolerated),
            held,
            reuse: Arc::new(next),
            tree: Some(tree),
        })
    }

    /// The items in which a name is half typed that their last sound version doesn't have, by index, with that
    /// version; a new item has none. Only what is being edited can be: the names at the ends of the edits.
    fn half_typed(
        &self,
        text: &str,
        lowered: &Lowered,
        edited: &[&str],
    ) -> Vec<(usize, Option<&LoweredItem>)> {
        let sound: FxHashSet<(u64, u32)> = self.sound.iter().map(|item| item.text).collect();
        let changed = lowered
            .items
            .iter()
            .enumerate()
            .filter(|(_, item)| !sound.contains(&item.text) && !item.hidden);
        changed
            .filter_map(|(index, item)| {
                let key = item.item.key;
                let old = self.sound.iter().find(|old| old.item.key == key);
                let names = half_typed(self.language, text, item, &lowered.items);
                let is_new = |name: &Ustr| !old.is_some_and(|old| mentions(&old.item, *name));
                let mut names = names.iter().filter(|name| edited.contains(&name.as_str()));
                names.any(is_new).then_some((index, old))
            })
            .collect()
    }

    /// Takes items as broken in which there is more unfinished than there was. Whether there are any.
    fn has_unfinished(&self, text: &str, lowered: &mut Lowered, edits: &[InputEdit]) -> bool {
        // On its line, by hand.
        let typed = |whole: Span| {
            edits.iter().any(|edit| {
                let (start, end) = (edit.start_byte, edit.new_end_byte);
                let inside = whole.range();
                // Blanks at the end of its last line are not part of it.
                let behind = text.get(inside.end..start).unwrap_or_default();
                start >= inside.start
                    && !behind.contains(|c: char| !matches!(c, ' ' | '\t'))
                    && text.get(start..end).is_some_and(|new| !new.contains('\n'))
            })
        };
        let mut found = false;
        for item in &mut lowered.items {
            let stub = self.language == Language::Python
                && typed(item.spans.whole)
                && is_stub(&item.item, &self.sound);
            if item.unfinished == 0 && !stub {
                continue;
            }
            let before = (self.sound.iter())
                .find(|old| old.item.key == item.item.key)
                .map(|old| old.unfinished);
            if item.unfinished > before.unwrap_or_default() || stub && before.is_none() {
                item.broken = true;
                found = true;
            }
        }
        found
    }

    /// The language that it is read as.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The facts of this version.
    pub fn facts(&self) -> &Arc<FileFacts> {
        &self.facts
    }

    /// Where the facts stand, item by item.
    pub fn spans(&self) -> &Arc<Vec<Arc<ItemSpans>>> {
        &self.spans
    }

    /// The tree of this version; where the parser gave up, that of an earlier one, or none.
    pub fn tree(&self) -> Option<&Tree> {
        self.tree.as_ref()
    }

    /// Whether the facts are not those of the text alone: something in it is broken or unfinished, or the parser gave up.
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Whether the parser found an error anywhere, or gave up.
    pub fn has_error(&self) -> bool {
        let tree = self.tree.as_ref().filter(|_| !self.facts.given_up);
        tree.is_none_or(|tree| tree.root_node().has_error())
    }

    /// The buffer of a file's content, if the file is open.
    pub fn of(content: &Content) -> Option<Arc<Self>> {
        Arc::clone(content.parsed.as_ref()?).downcast::<Self>().ok()
    }

    /// The content of an open file.
    pub fn content(self: &Arc<Self>, text: Arc<str>) -> Content {
        Content {
            text: StoredText::plain(text),
            parsed: Some(Arc::clone(self) as Arc<dyn std::any::Any + Send + Sync>),
            parts: crate::queries::parts(&self.facts).into(),
        }
    }
}

/// The words that the ends of edits touch.
fn words_at<'t>(text: &'t str, edits: &[InputEdit]) -> Vec<&'t str> {
    let mut ends: Vec<usize> = Vec::new();
    for edit in edits {
        // What an earlier edit left behind this one has moved.
        for end in ends.iter_mut().filter(|end| **end >= edit.old_end_byte) {
            *end = *end - edit.old_end_byte + edit.new_end_byte;
        }
        ends.extend([edit.start_byte, edit.new_end_byte]);
    }
    let in_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    let words = ends.into_iter().filter_map(|end| {
        let (before, behind) = text.split_at_checked(end)?;
        let start = before.trim_end_matches(in_word).len();
        let rest = behind.len() - behind.trim_start_matches(in_word).len();
        text.get(start..end + rest).filter(|word| !word.is_empty())
    });
    words.collect()
}

/// What is known of the version before an edit.
struct Before<'a> {
    sound: &'a [LoweredItem],
    len: usize,
    tolerated: &'a FxHashSet<(u64, u32)>,
}

/// Half-typed code is the normal state of a buffer. While the text has an error,
///
/// * an item whose text still stands where it stood keeps its facts, whatever an open bracket or quote
///   elsewhere makes of it now;
/// * an item with an error inside of it, or beside it with nothing untouched between, keeps those of its last sound version;
/// * so does one that has vanished;
/// * what a broken definition sets free (a method without its class, the rest of a body) is no new item.
///
/// Without errors the new facts stand alone.
fn settle(mut lowered: Lowered, text: &str, before: &Before<'_>) -> Lowered {
    let sound = before.sound;
    let mut taken = vec![false; sound.len()];
    let mut kept = untouched(text, before, &mut taken);
    let places: Vec<Span> = kept.iter().map(|item| item.spans.whole).collect();
    // The gaps between what is untouched, by how many untouched items stand before them. In a gap with an
    // error nothing new can be told from the pieces of what is broken.
    let gap_at = |start: u32| places.partition_point(|place| place.end <= start);
    let mut gaps = Vec::with_capacity(sound.len());
    let mut gap = 0;
    for taken in &taken {
        gaps.push(gap);
        gap += usize::from(*taken);
    }
    let mut broken_gaps: FxHashSet<usize> = lowered
        .errors
        .iter()
        .filter(|(_, text)| !before.tolerated.contains(text))
        .map(|&(start, _)| gap_at(start))
        .collect();
    // What stands in front of a broken item may have lost its end to it.
    let broken = |item: &&LoweredItem| item.broken && !before.tolerated.contains(&item.text);
    broken_gaps
        .extend((lowered.items.iter().filter(broken)).map(|item| gap_at(item.spans.whole.start)));
    let mut take = |wanted: &dyn Fn(&LoweredItem) -> bool| {
        let ((taken, old), gap) = taken
            .iter_mut()
            .zip(sound)
            .zip(&gaps)
            .find(|((taken, old), _)| !**taken && wanted(old))?;
        *taken = true;
        Some((old, *gap))
    };
    let mut new = Vec::new();
    for item in lowered.items {
        let same_key = |old: &LoweredItem| old.item.key == item.item.key;
        let beside_error = broken_gaps.contains(&gap_at(item.spans.whole.start));
        if item.broken || item.doubtful || beside_error {
            // The old facts stand where the broken text begins; their inner places are only nearly right,
            // which a diagnostic on a line survives.
            if let Some((old, gap)) = take(&same_key) {
                broken_gaps.insert(gap);
                kept.push(moved(old, item.spans.whole));
                continue;
            }
        }
        let is_settled = places
            .get(gap_at(item.spans.whole.start))
            .is_some_and(|place| place.start < item.spans.whole.end);
        let is_stray = !sound.is_empty() && is_inside_line(text, item.spans.whole);
        if item.broken {
            if !before.tolerated.contains(&item.text) {
                broken_gaps.insert(gap_at(item.spans.whole.start));
            }
            continue;
        }
        if is_stray || is_settled {
            continue;
        }
        if take(&same_key).is_some() {
            kept.push(item);
        } else {
            new.push(item);
        }
    }
    while let Some((old, gap)) = take(&|_| true) {
        broken_gaps.insert(gap);
        kept.push(old.clone());
    }
    new.retain(|item| {
        !broken_gaps.contains(&gap_at(item.spans.whole.start))
            && !kept.iter().any(|old| old.item.key == item.item.key)
    });
    kept.extend(new);
    kept.sort_by_key(|item| item.spans.whole.start);
    lowered.items = kept;
    lowered
}

/// The old items whose text still stands where it stood before an edit in one place: either from the
/// beginning of the text, or from its end.
fn untouched(text: &str, before: &Before<'_>, taken: &mut [bool]) -> Vec<LoweredItem> {
    let Before {
        sound,
        len: old_len,
        ..
    } = *before;
    let mut found = Vec::with_capacity(sound.len());
    let mut last_end = 0;
    for (taken, old) in taken.iter_mut().zip(sound) {
        let len = old.text.1 as usize;
        let start = old.spans.whole.start as usize;
        let from_end = (start + text.len()).checked_sub(old_len);
        for start in [Some(start), from_end.filter(|&other| other != start)] {
            let Some(start) = start.filter(|&start| start >= last_end) else {
                continue;
            };
            if text
                .get(start..start + len)
                .is_some_and(|part| text_hash(part) == old.text)
            {
                last_end = start + len;
                *taken = true;
                found.push(moved(
                    old,
                    Span {
                        start: offset(start),
                        end: offset(last_end),
                    },
                ));
                break;
            }
        }
    }
    found
}

/// Whether a function of an item does nothing but `return`, without a value or with the name of another function that it
/// will call: the rest of the line is still to come. A decorator returns functions, what it decorates doesn't.
fn is_stub(item: &Item, file: &[LoweredItem]) -> bool {
    item.bodies.iter().any(|body| {
        let code = &body.code;
        let mut statements = code.block(code.root);
        let first = statements.next().and_then(|id| code.stmt(id));
        if statements.next().is_some() {
            return false;
        }
        match first {
            Some(Stmt::Return(None)) => true,
            Some(Stmt::Return(Some(value))) => match code.expr(value) {
                Expr::Name(name) => {
                    let decorated = |function: &Function| {
                        function.id == body.id && !function.decorators.is_empty()
                    };
                    let defines = |other: &LoweredItem| {
                        (other.item.head.functions.iter()).any(|function| function.name == name)
                    };
                    item.head.functions.iter().any(decorated) && file.iter().any(defines)
                }
                _ => false,
            },
            _ => false,
        }
    })
}

/// An earlier version of an item in a new place.
fn moved(old: &LoweredItem, whole: Span) -> LoweredItem {
    let mut item = old.clone();
    let mut spans = (*item.spans).clone();
    spans.whole = whole;
    item.spans = Arc::new(spans);
    item
}

/// Whether an item stands behind something else on its line, be it only blanks: at the top level of a
/// file that is where the inside of a definition ends up when its head is broken.
fn is_inside_line(text: &str, whole: Span) -> bool {
    let before = text.get(..whole.start as usize).unwrap_or_default();
    !before.is_empty() && !before.ends_with(['\n', '\r'])
}

#[cfg(test)]
mod tests {
    use tree_sitter::Point;

    use super::*;

    #[test]
    fn a_text_on_which_the_parser_gives_up_keeps_what_was_known() {
        let before = "def guard(x):\n    return x\n".to_owned() + &"a = b(c)\n".repeat(2_000);
        let Some(first) = Buffer::open(Language::Python, &before) else {
            panic!("no buffer")
        };
        let insert = |text: &str| InputEdit {
            start_byte: 0,
            old_end_byte: 0,
            new_end_byte: text.len(),
            start_position: Point::new(0, 0),
            old_end_position: Point::new(0, 0),
            new_end_position: Point::new(text.matches('\n').count(), 0),
        };
        let tangle = "x = ([{\n".repeat(500);
        let text = format!("{tangle}{before}");
        let second = first.edit_within(Duration::ZERO, &text, &[insert(&tangle)]);
        let Some(second) = second else {
            panic!("no buffer")
        };
        assert!(second.facts().given_up && second.has_error());
        assert_eq!(second.facts().items, first.facts().items);
        let moved = |buffer: &Buffer| buffer.spans().first().map(|spans| spans.whole.start);
        assert_eq!(moved(&second), Some(offset(tangle.len())));
        // With the next edit it is read again.
        let undo = InputEdit {
            old_end_byte: tangle.len(),
            old_end_position: Point::new(500, 0),
            new_end_byte: 0,
            new_end_position: Point::new(0, 0),
            ..insert("")
        };
        let third = second.edit(&before, &[undo]);
        assert!(third.is_some_and(|third| **third.facts() == **first.facts()));
    }
}
