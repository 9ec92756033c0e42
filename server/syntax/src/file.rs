//! A file's facts: its items, and where to find the body of a function.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use tree_sitter::{Node, ParseOptions, ParseState, Parser, Point, Tree};
use ustr::{Ustr, ustr};

use crate::facts::{Code, Function, Item, Language};
use crate::languages::{Support, support};
use crate::lower::{LoweredItem, Lowering, Reuse, base_of, text_hash, text_key};
use crate::spans::{ItemSpans, Span};
use crate::unfinished::lacks_implementation;

/// Everything that one file says by itself.
#[derive(Clone, Debug, Default)]
pub struct FileFacts {
    /// The items, in order.
    pub items: Vec<Arc<Item>>,
    /// Whether the parser gave up on the text. There are then no items, or those of an earlier text.
    pub given_up: bool,
    places: FxHashMap<Ustr, (u32, u32)>,
}

impl FileFacts {
    pub(crate) fn new(items: Vec<Arc<Item>>) -> Self {
        let mut places = FxHashMap::default();
        for (index, item) in items.iter().enumerate() {
            for (body, entry) in item.bodies.iter().enumerate() {
                places.insert(
                    entry.id,
                    (crate::lower::offset(index), crate::lower::offset(body)),
                );
            }
        }
        places.shrink_to_fit();
        Self {
            items,
            given_up: false,
            places,
        }
    }

    /// What is known of a text on which the parser gave up.
    pub(crate) fn given_up(mut self) -> Self {
        self.given_up = true;
        self
    }

    /// Where the body of the function `id` is: index of the item, index in its bodies.
    pub fn place(&self, id: Ustr) -> Option<(usize, usize)> {
        self.places
            .get(&id)
            .map(|&(item, body)| (item as usize, body as usize))
    }

    /// The code of a function's body.
    pub fn body(&self, id: Ustr) -> Option<&Arc<Code>> {
        let (item, body) = self.place(id)?;
        Some(&self.items.get(item)?.bodies.get(body)?.code)
    }

    /// The function `id`: the code that its signature stands in, and its index there.
    pub fn function(&self, id: Ustr) -> Option<(&Arc<Code>, usize)> {
        let (item, body) = self.place(id)?;
        let item = self.items.get(item)?;
        let body = item.bodies.get(body)?;
        let home = match body.parent {
            None => &item.head,
            Some(parent) => &item.bodies.iter().find(|entry| entry.id == parent)?.code,
        };
        Some((home, body.index as usize))
    }

    /// The signature of the function `id`.
    pub fn signature(&self, id: Ustr) -> Option<&Function> {
        let (home, index) = self.function(id)?;
        home.functions.get(index)
    }
}

impl PartialEq for FileFacts {
    fn eq(&self, other: &Self) -> bool {
        self.given_up == other.given_up
            && self.items.len() == other.items.len()
            && self
                .items
                .iter()
                .zip(&other.items)
                .all(|(a, b)| Arc::ptr_eq(a, b) || a == b)
    }
}

impl Eq for FileFacts {}

/// A file read once: facts with their places, item by item.
#[derive(Clone, Default)]
pub(crate) struct Lowered {
    pub(crate) items: Vec<LoweredItem>,
    /// The errors that the parser found outside of all items: where each starts, and its text.
    pub(crate) errors: Vec<(u32, (u64, u32))>,
}

impl Lowered {
    pub(crate) fn facts(&self) -> FileFacts {
        FileFacts::new(self.shown().map(|item| Arc::clone(&item.item)).collect())
    }

    pub(crate) fn spans(&self) -> Vec<Arc<ItemSpans>> {
        self.shown().map(|item| Arc::clone(&item.spans)).collect()
    }

    fn shown(&self) -> impl Iterator<Item = &LoweredItem> {
        self.items.iter().filter(|item| !item.hidden)
    }
}

thread_local! {
    static PARSER: std::cell::RefCell<Parser> = std::cell::RefCell::new(Parser::new());
}

/// Drops what the parser of this thread has allocated.
pub(crate) fn forget_parser() {
    PARSER.set(Parser::new());
}

/// How long the parser may work at a text before it gives up. Sound code takes a tenth of that on a busy
/// machine. Recovery from errors has no such bound: a text that is made for it can take minutes.
pub(crate) fn patience(text: &str) -> Duration {
    Duration::from_secs(1)
        + Duration::from_micros(8) * u32::try_from(text.len()).unwrap_or(u32::MAX)
}

/// Parses a whole text. `None` when the language has no usable grammar or the parser gave up.
pub(crate) fn parse(language: Language, text: &str, old: Option<&Tree>) -> Option<Tree> {
    parse_within(patience(text), language, text, old)
}

/// See [`parse`].
pub(crate) fn parse_within(
    patience: Duration,
    language: Language,
    text: &str,
    old: Option<&Tree>,
) -> Option<Tree> {
    let support = usable(language)?;
    let bytes = text.as_bytes();
    let start = Instant::now();
    PARSER.with_borrow_mut(|parser| {
        parser.set_language(&support.grammar).ok()?;
        let mut read = |at: usize, _: Point| bytes.get(at..).unwrap_or_default();
        let mut stop = |_: &ParseState| {
            if start.elapsed() > patience {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let options = ParseOptions::new().progress_callback(&mut stop);
        let tree = parser.parse_with_options(&mut read, old, Some(options));
        // Else it would go on with this text when it gets the next.
        parser.reset();
        tree
    })
}

/// The facts of a text by itself, with their places: what a closed file of this language and text
/// says. Items with an error inside are left out, as [`crate::file_facts`] does.
pub fn facts_of_text(language: Language, text: &str) -> (FileFacts, Vec<Arc<ItemSpans>>) {
    let Some(tree) = parse(language, text, None) else {
        return (FileFacts::default().given_up(), Vec::new());
    };
    let mut lowered = lower(language, text, &tree, None, None);
    lowered.items.retain(|item| !item.broken);
    (lowered.facts(), lowered.spans())
}

/// Parses a part of a text as if it stood between `before` and `after`: the content of a macro call,
/// which a grammar leaves as bare tokens. The nodes have the places they have in the whole text.
/// `None` when the part doesn't parse without an error there.
pub(crate) fn parse_part(
    language: Language,
    text: &str,
    part: std::ops::Range<usize>,
    before: &str,
    after: &str,
) -> Option<Tree> {
    let support = usable(language)?;
    let start = part.start.checked_sub(before.len())?;
    let end = part.end + after.len();
    let inside = text.as_bytes().get(part.clone())?;
    // The parser sees only this range; what it reads there is put together by the callback.
    let range = tree_sitter::Range {
        start_byte: start,
        end_byte: end,
        start_point: Point::new(0, start),
        end_point: Point::new(usize::MAX, usize::MAX),
    };
    let mut read = |at: usize, _: Point| {
        let pieces = [
            (start, before.as_bytes()),
            (part.start, inside),
            (part.end, after.as_bytes()),
        ];
        pieces
            .into_iter()
            .find_map(|(from, piece)| {
                piece
                    .get(at.checked_sub(from)?..)
                    .filter(|rest| !rest.is_empty())
            })
            .unwrap_or_default()
    };
    let tree = PARSER.with_borrow_mut(|parser| {
        parser.set_language(&support.grammar).ok()?;
        parser.set_included_ranges(&[range]).ok()?;
        // A tree with an error is of no use, so its recovery, which is slow, needn't run to the end.
        let mut stop = |state: &ParseState| {
            if state.has_error() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let options = ParseOptions::new().progress_callback(&mut stop);
        let tree = parser.parse_with_options(&mut read, None, Some(options));
        parser.reset();
        parser.set_included_ranges(&[]).ok()?;
        tree
    })?;
    (!tree.root_node().has_error()).then_some(tree)
}

pub(crate) fn usable(language: Language) -> Option<&'static Support> {
    match support(language) {
        Ok(support) => Some(support),
        Err(error) => {
            tracing::error!("queries/{}/facts.scm: {error}", language.folder());
            None
        }
    }
}

/// Lowers a parsed text. With `reuse` (an open buffer) it takes over what an earlier version has
/// lowered from the same text, and leaves in `next` what the next version can take over.
pub(crate) fn lower(
    language: Language,
    text: &str,
    tree: &Tree,
    reuse: Option<&Reuse>,
    mut next: Option<&mut Reuse>,
) -> Lowered {
    let Some(support) = usable(language) else {
        return Lowered::default();
    };
    let root = tree.root_node();
    let mut cursor = root.walk();
    let mut lowering = Lowering::new(text, &support.kinds, support.adapter, reuse);
    let mut lowered = Lowered::default();
    let mut keys: FxHashMap<Ustr, u32> = FxHashMap::default();
    let mut pending: Vec<Node<'_>> = Vec::new();
    let mut error_end = None;
    for node in root.named_children(&mut cursor) {
        if node.is_error() || node.is_missing() {
            let error = text.get(node.byte_range()).unwrap_or_default();
            let start = crate::lower::offset(node.start_byte());
            lowered.errors.push((start, text_hash(error)));
            // A bracket too much behind a statement: what it said is half gone.
            if let Some(last) = lowered.items.last_mut() {
                let between = text.get(last.spans.whole.end as usize..node.start_byte());
                last.doubtful |= between.is_some_and(|between| !between.contains('\n'));
            }
            error_end = Some(node.end_byte());
            continue;
        }
        if node.is_extra() || node.kind() == "attribute_item" {
            // Attributes and notes belong to what follows them.
            let note =
                node.kind() == "attribute_item" || lowering.text(node).contains("gatewatch:");
            if note {
                pending.push(node);
            }
            continue;
        }
        pending.push(node);
        let nodes = std::mem::take(&mut pending);
        let start = nodes.first().map_or(0, Node::start_byte);
        let whole = text.get(start..node.end_byte()).unwrap_or_default();
        let (hashed, reused) = if reuse.is_some() {
            (text_hash(whole), text_key(text, start..node.end_byte()))
        } else {
            ((0, 0), (0, 0))
        };
        if support.adapter.ignores(text, root, &nodes) {
            let span = Span {
                start: crate::lower::offset(start),
                end: crate::lower::offset(node.end_byte()),
            };
            let broken = nodes.iter().any(Node::has_error);
            lowered
                .items
                .push(LoweredItem::hidden(span, hashed, broken));
            continue;
        }
        let old = reuse.and_then(|reuse| reuse.items.get(&reused));
        let base = match old {
            Some(old) => ustr(base_of(&old.item.key)),
            None => match support.adapter.key(text, node) {
                Some(key) => ustr(&clipped(&key)),
                None => ustr(&key_of(text, node)),
            },
        };
        let count = keys.entry(base).or_default();
        *count += 1;
        let key = if *count == 1 {
            base
        } else {
            ustr(&format!("{base}#{count}"))
        };
        let mut item = match old {
            Some(old) if old.item.key == key && !node.has_error() && !old.broken => {
                let mut item = old.clone();
                let start = crate::lower::offset(start);
                if item.spans.whole.start != start {
                    let mut spans = (*item.spans).clone();
                    let len = spans.whole.end - spans.whole.start;
                    spans.whole = Span {
                        start,
                        end: start + len,
                    };
                    item.spans = Arc::new(spans);
                }
                item
            }
            _ => lowering.item(&nodes, key),
        };
        if let Some(next) = next.as_deref_mut() {
            next.items.insert(reused, item.clone());
        }
        item.unfinished += u32::from(lacks_implementation(text, node));
        let gap = error_end.take().and_then(|end: usize| text.get(end..start));
        item.doubtful = gap.is_some_and(|gap| gap.matches('\n').count() < 2);
        lowered.items.push(item);
    }
    if let (Some(next), Some(reuse)) = (next, reuse) {
        next.bodies = std::mem::take(&mut lowering.bodies);
        // Bodies of items that were taken over whole stay available.
        for (key, body) in &reuse.bodies {
            if !next.bodies.contains_key(key) && next.bodies.len() < 4 * (lowered.items.len() + 256)
            {
                next.bodies.insert(*key, body.clone());
            }
        }
    }
    lowered
}

/// A short name for a top-level node: what it defines, or the words it begins with. It needn't be unique, but
/// should stay the same while the rest of the file changes.
fn key_of(text: &str, node: Node<'_>) -> String {
    let mut definition = node;
    for _ in 0..4 {
        if let Some(name) = definition.child_by_field_name("name") {
            return clipped(text.get(name.byte_range()).unwrap_or_default());
        }
        let inner = definition
            .child_by_field_name("definition")
            .or_else(|| definition.child_by_field_name("declaration"))
            .or_else(|| definition.child_by_field_name("type"))
            .or_else(|| definition.child_by_field_name("left"));
        match inner {
            Some(inner) => definition = inner,
            None => break,
        }
    }
    let whole = text.get(definition.byte_range()).unwrap_or_default();
    if whole.starts_with("import") || whole.starts_with("from") || whole.starts_with("use ") {
        return "import".to_owned();
    }
    clipped(whole.split(['\n', '{', '=']).next().unwrap_or_default())
}

/// A key as short as keys are, and without the sign that numbers duplicates.
pub(crate) fn clipped(text: &str) -> String {
    text.trim().chars().filter(|c| *c != '#').take(48).collect()
}
