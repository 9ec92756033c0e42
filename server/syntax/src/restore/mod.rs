//! Brings back parts of an earlier text and leaves alone whatever else changed since.
//!
//! Both texts are read as pieces inside pieces ([`piece`]). From the outside in, the pieces that led to what is wanted are
//! paired with those that are there now ([`pairing`]); where a wanted one has no partner it is put beside the
//! partners of its neighbours ([`placing`]), and where its partner differs, the difference is taken back. Nothing that
//! doesn't touch what is wanted is looked at, so it stays as it is.

mod find;
mod names;
mod pairing;
mod piece;
mod placing;
mod rows;

pub use find::{definers, element, members, parameter, statement, top_level};
use std::cell::RefCell;

use gatewatch_source::{Db, SourceFile};
use rustc_hash::FxHashMap;
use tree_sitter::{InputEdit, Node, Point, Tree};

use crate::Span;
use crate::buffer::Buffer;
use crate::facts::Language;
use crate::file::{parse, usable};
use crate::kinds::Kinds;
use crate::queries::language;

use piece::{Piece, Shape};

/// A part of a file.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The file.
    pub file: SourceFile,
    /// Which part of it; `None` for all of it.
    pub span: Option<Span>,
}

/// Reads trees of files, each once as long as this lives.
pub struct Reading<'d> {
    pub(crate) db: &'d dyn Db,
    trees: RefCell<FxHashMap<SourceFile, Option<Tree>>>,
}

impl<'d> Reading<'d> {
    /// Nothing is read yet.
    pub fn new(db: &'d dyn Db) -> Self {
        Self {
            db,
            trees: RefCell::default(),
        }
    }

    fn tree(&self, file: SourceFile) -> Option<Tree> {
        if let Some(tree) = self.trees.borrow().get(&file) {
            return tree.clone();
        }
        let content = file.content(self.db);
        let tree = match Buffer::of(content) {
            Some(buffer) => buffer.tree().cloned(),
            None => language(self.db, file)
                .and_then(|language| parse(language, &content.text.get(), None)),
        };
        self.trees.borrow_mut().insert(file, tree.clone());
        tree
    }
}

/// What is to come back.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Where it stands in the earlier text.
    pub spans: Vec<Span>,
    /// A word without which a piece is not what is wanted, but another one of its kind.
    pub core: Option<String>,
    /// What is known to have become what.
    pub became: Vec<(Span, Span)>,
    /// Whether what was written anew inside the wanted spans has to go where it could leave the function.
    pub exits_go: bool,
    /// Whether what only changed its place stays where it is now.
    pub keeps_order: bool,
}

/// Replacements in the text of `now`, sorted and none overlapping, that bring back what is wanted of `was`. `None` if
/// nothing of it is missing, or it has no place any more.
pub fn restore(
    read: &Reading<'_>,
    was: Part,
    now: Part,
    wanted: &Wanted,
) -> Option<Vec<(Span, String)>> {
    let language = language(read.db, now.file)?;
    if self::language(read.db, was.file) != Some(language) {
        return None;
    }
    let (old, new) = (read.tree(was.file)?, read.tree(now.file)?);
    let (old_text, new_text) = (&*was.file.text(read.db), &*now.file.text(read.db));
    let mut wanted = wanted.clone();
    let mut dropped: Vec<String> = Vec::new();
    // What comes back may need names that went with it, and what goes may have had some of its own.
    for _ in 0..4 {
        let mut restoring = Restoring {
            kinds: &usable(language)?.kinds,
            was: old_text,
            now: new_text,
            wanted: wanted.spans.clone(),
            core: wanted.core.as_deref(),
            became: &wanted.became,
            exits_go: wanted.exits_go,
            keeps_order: wanted.keeps_order,
            edits: Vec::new(),
            dropped: dropped.clone(),
            lost: false,
        };
        restoring.parts(&old, was.span, &new, now.span);
        if restoring.lost || restoring.edits.is_empty() {
            return None;
        }
        let edits = restoring.edits()?;
        let brought: Vec<&str> = edits.iter().map(|(_, text)| text.as_str()).collect();
        let missing = names::missing(&restoring, &brought, &old, was.span, &new, now.span);
        let before = wanted.spans.len() + dropped.len();
        for word in names::dropped(&restoring, &edits) {
            if wanted.exits_go && !dropped.contains(&word) {
                dropped.push(word);
            }
        }
        for span in missing {
            if !wanted.spans.contains(&span) {
                wanted.spans.push(span);
            }
        }
        if wanted.spans.len() + dropped.len() == before {
            return sound(language, new_text, &new, &edits).then_some(edits);
        }
    }
    None
}

/// Brings back the imports and top-level definitions of `was` that `texts` need and `now` doesn't have: for texts of the
/// same file.
pub fn restore_names(
    read: &Reading<'_>,
    was: SourceFile,
    now: SourceFile,
    texts: &[&str],
) -> Vec<(Span, String)> {
    let found = || {
        let language = language(read.db, now)?;
        let (old, new) = (read.tree(was)?, read.tree(now)?);
        let mut restoring = Restoring {
            kinds: &usable(language)?.kinds,
            was: &was.text(read.db),
            now: &now.text(read.db),
            wanted: Vec::new(),
            core: None,
            became: &[],
            exits_go: false,
            keeps_order: false,
            edits: Vec::new(),
            dropped: Vec::new(),
            lost: false,
        };
        let mut brought: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let mut edits = Vec::new();
        for _ in 0..4 {
            let words: Vec<&str> = brought.iter().map(String::as_str).collect();
            let missing = names::missing_above(&restoring, &words, &old, &new);
            let before = restoring.wanted.len();
            for span in missing {
                if !restoring.wanted.contains(&span) {
                    restoring.wanted.push(span);
                }
            }
            if restoring.wanted.len() == before {
                break;
            }
            restoring.edits.clear();
            restoring.parts(&old, None, &new, None);
            edits = restoring.edits()?;
            brought.extend(edits.iter().map(|(_, text)| text.clone()));
        }
        Some(edits)
    };
    found().unwrap_or_default()
}

/// Whether the text still parses with edits, if it did before.
fn sound(language: Language, text: &str, tree: &Tree, edits: &[(Span, String)]) -> bool {
    if tree.root_node().has_error() {
        return true;
    }
    let mut edited = text.to_owned();
    let mut tree = tree.clone();
    for (span, new) in edits.iter().rev() {
        let old = span.range();
        if edited.get(old.clone()).is_none() {
            return false;
        }
        let start_position = point(&edited, old.start);
        let old_end_position = point(&edited, old.end);
        edited.replace_range(old.clone(), new);
        let end = old.start + new.len();
        tree.edit(&InputEdit {
            start_byte: old.start,
            old_end_byte: old.end,
            new_end_byte: end,
            start_position,
            old_end_position,
            new_end_position: point(&edited, end),
        });
    }
    parse(language, &edited, Some(&tree)).is_some_and(|tree| !tree.root_node().has_error())
}

fn point(text: &str, at: usize) -> Point {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    let row = before.iter().filter(|byte| **byte == b'\n').count();
    let column = before
        .iter()
        .rev()
        .take_while(|byte| **byte != b'\n')
        .count();
    Point::new(row, column)
}

/// A replacement in the making.
#[derive(Clone, Debug)]
struct Edit {
    start: usize,
    end: usize,
    text: String,
}

/// The work on one pair of texts.
struct Restoring<'w> {
    kinds: &'w Kinds,
    was: &'w str,
    now: &'w str,
    wanted: Vec<Span>,
    core: Option<&'w str>,
    became: &'w [(Span, Span)],
    exits_go: bool,
    keeps_order: bool,
    edits: Vec<Edit>,
    /// Words of what an earlier round took out, which fed nothing else.
    dropped: Vec<String>,
    /// Something wanted has no place.
    lost: bool,
}

/// The smallest node around a part of a text, and the pieces of the part.
fn region<'t>(root: Node<'t>, span: Option<Span>, kinds: &Kinds) -> (Piece<'t>, Vec<Piece<'t>>) {
    let whole = Piece::new(root);
    let Some(span) = span else {
        return (whole, whole.inside(kinds));
    };
    let (start, end) = (span.start as usize, span.end as usize);
    let mut node = root.descendant_for_byte_range(start, end).unwrap_or(root);
    while let Some(parent) = node.parent() {
        if parent.byte_range() != node.byte_range() || parent.parent().is_none() {
            break;
        }
        node = parent;
    }
    let piece = Piece::new(node);
    if piece.start >= start && piece.end <= end {
        // A call of a chain is its last link.
        return match (piece.shape(kinds), piece.inside(kinds).last()) {
            (Shape::Chain, Some(link)) => (piece, vec![*link]),
            _ => (piece, vec![piece]),
        };
    }
    let inside = piece
        .inside(kinds)
        .into_iter()
        .filter(|piece| piece.start >= start && piece.end <= end)
        .collect::<Vec<_>>();
    if inside.is_empty() {
        (piece, vec![piece])
    } else {
        (piece, inside)
    }
}
