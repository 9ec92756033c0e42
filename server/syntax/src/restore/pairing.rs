//! Which pieces of one text are which of another.

use std::collections::HashMap;

use tree_sitter::Node;

use super::Restoring;
use super::piece::{Piece, Shape, words, words_outside};

/// How two rows of pieces correspond.
pub(super) struct Pairing {
    /// Pairs in order, of indices of both rows.
    pub(super) kept: Vec<(usize, usize)>,
    /// Pairs that changed their order.
    pub(super) moved: Vec<(usize, usize)>,
}

/// Beyond this many comparisons only equal pieces are paired.
const MOST: usize = 40_000;

impl Restoring<'_> {
    /// Pairs two rows so that as much as possible stays what it was. In an outer row a wanted piece is one that may have
    /// been moved; inside of what is wanted all pieces are.
    pub(super) fn pair(&self, was: &[Piece<'_>], now: &[Piece<'_>], outer: bool) -> Pairing {
        let equal = |b: &Piece<'_>, c: &Piece<'_>| b.text(self.was) == c.text(self.now);
        let plain = |b: &Piece<'_>| !outer || !self.is_about(b);
        let start = was
            .iter()
            .zip(now)
            .take_while(|(b, c)| equal(b, c) && plain(b))
            .count();
        let rest = was.len().min(now.len()) - start;
        let end = was
            .iter()
            .rev()
            .zip(now.iter().rev())
            .take(rest)
            .take_while(|(b, c)| equal(b, c) && plain(b))
            .count();
        let mut kept: Vec<(usize, usize)> = (0..start).map(|at| (at, at)).collect();
        let (bs, cs) = (
            was.get(start..was.len() - end).unwrap_or_default(),
            now.get(start..now.len() - end).unwrap_or_default(),
        );
        let middle = self.best(bs, cs, outer);
        kept.extend(middle.iter().map(|(b, c)| (b + start, c + start)));
        kept.extend((0..end).map(|at| (was.len() - end + at, now.len() - end + at)));
        let mut moved = Vec::new();
        for (at, b) in was.iter().enumerate() {
            if kept.iter().any(|(one, _)| *one == at) {
                continue;
            }
            let free = |other: usize| !kept.iter().chain(&moved).any(|(_, taken)| *taken == other);
            let label = b.label(self.was, self.kinds);
            let found = (0..now.len())
                .filter(|other| free(*other))
                .find(|other| now.get(*other).is_some_and(|c| equal(b, c)))
                .or_else(|| {
                    let definition = super::piece::is_definition(b.node);
                    (0..now.len()).filter(|other| free(*other)).find(|other| {
                        now.get(*other).is_some_and(|c| {
                            definition
                                && b.node.kind_id() == c.node.kind_id()
                                && !label.is_empty()
                                && label == c.label(self.now, self.kinds)
                        })
                    })
                });
            if let Some(other) = found {
                moved.push((at, other));
            }
        }
        Pairing { kept, moved }
    }

    /// The best pairing in order.
    fn best(&self, bs: &[Piece<'_>], cs: &[Piece<'_>], outer: bool) -> Vec<(usize, usize)> {
        let width = cs.len() + 1;
        let few = bs.len().saturating_mul(cs.len()) <= MOST;
        let mut scores = vec![0_u32; (bs.len() + 1) * width];
        let mut likes = vec![0_u32; bs.len() * cs.len()];
        let at = |i: usize, j: usize| i * width + j;
        let get = |row: &[u32], index: usize| row.get(index).copied().unwrap_or_default();
        for (i, b) in bs.iter().enumerate().rev() {
            for (j, c) in cs.iter().enumerate().rev() {
                let like = if few {
                    self.likeness(b, c, outer)
                } else {
                    u32::from(b.text(self.was) == c.text(self.now)) * 4
                };
                if let Some(place) = likes.get_mut(i * cs.len() + j) {
                    *place = like;
                }
                let paired = if like > 0 {
                    get(&scores, at(i + 1, j + 1)) + like
                } else {
                    0
                };
                let best = paired
                    .max(get(&scores, at(i + 1, j)))
                    .max(get(&scores, at(i, j + 1)));
                if let Some(place) = scores.get_mut(at(i, j)) {
                    *place = best;
                }
            }
        }
        let mut found = Vec::new();
        let (mut i, mut j) = (0, 0);
        while i < bs.len() && j < cs.len() {
            let like = get(&likes, i * cs.len() + j);
            // Where it is all the same, the later one: what runs in the end stands last.
            if get(&scores, at(i + 1, j)) == get(&scores, at(i, j)) {
                i += 1;
            } else if like > 0 && get(&scores, at(i, j)) == get(&scores, at(i + 1, j + 1)) + like {
                found.push((i, j));
                i += 1;
                j += 1;
            } else if get(&scores, at(i + 1, j)) >= get(&scores, at(i, j + 1)) {
                i += 1;
            } else {
                j += 1;
            }
        }
        found
    }

    /// How much two pieces are the same; 0 if they are not.
    fn likeness(&self, b: &Piece<'_>, c: &Piece<'_>, outer: bool) -> u32 {
        let like = self.likeness_by_text(b, c, outer);
        if like == 0 && b.same_field(c) {
            5
        } else {
            like
        }
    }

    fn likeness_by_text(&self, b: &Piece<'_>, c: &Piece<'_>, outer: bool) -> u32 {
        if self.are_told(b, c) {
            return 100_000;
        }
        let (one, other) = (b.text(self.was), c.text(self.now));
        let about = outer && self.is_about(b);
        if one == other {
            // What was moved around the wanted piece stays, and the wanted piece moves.
            let size = u32::try_from(one.len().min(4000)).unwrap_or(0);
            return if about { 1 } else { 2000 + size };
        }
        let leaf = |piece: &Piece<'_>| {
            piece.shape(self.kinds) == Shape::Leaf
                || matches!(piece.node.kind(), "template_string" | "array")
        };
        if leaf(b) || leaf(c) {
            let same_kind = b.node.kind_id() == c.node.kind_id() && b.is_link() == c.is_link();
            return match (same_kind, b.node.is_named()) {
                (true, false) => 500,
                (true, true) if !about && !b.node.is_extra() => 10,
                _ => 0,
            };
        }
        // The same question, with other answers.
        if let Some(one) = b.node.child_by_field_name("condition")
            && let Some(other) = c.node.child_by_field_name("condition")
            && b.node.kind_id() == c.node.kind_id()
            && self.was.get(one.byte_range()) == self.now.get(other.byte_range())
        {
            return 800;
        }
        let (mine, its) = (b.label(self.was, self.kinds), c.label(self.now, self.kinds));
        let own_name = !mine.is_empty() && mine == its && names_itself(b.node);
        let shared = likeness_of_words(b, self.was, c, self.now, "");
        if self.touches(b) && !own_name && mine != self.core.unwrap_or_default() {
            let gone = self
                .core
                .is_some_and(|core| has_word(b, self.was, core) && !has_word(c, self.now, core));
            // The same callee alone says nothing: it is called again and again.
            let alike = if gone {
                self.likeness_of_rest(b, c, mine)
            } else if mine == its {
                likeness_of_words(b, self.was, c, self.now, mine)
            } else {
                shared
            };
            if alike < 300 {
                return 0;
            }
        }
        if b.node.kind_id() == c.node.kind_id() && !mine.is_empty() && mine == its {
            return 1000 + shared;
        }
        if b.node.kind_id() != c.node.kind_id() {
            let chains = b.shape(self.kinds) == Shape::Chain || c.shape(self.kinds) == Shape::Chain;
            let same_role = chains
                || (super::piece::is_definition(b.node) && super::piece::is_definition(c.node));
            return if same_role && shared >= 400 {
                shared
            } else {
                0
            };
        }
        // A parameter of another name that takes the same.
        let of_type = |node: Node<'_>, text| {
            let of = node.child_by_field_name("type")?;
            let named = node.kind().ends_with("parameter");
            let text: Option<&str> = str::get(text, of.byte_range());
            text.filter(|_| named)
        };
        if let (Some(one), Some(other)) = (of_type(b.node, self.was), of_type(c.node, self.now))
            && one == other
        {
            return 300;
        }
        if !mine.is_empty() && !its.is_empty() {
            let loose = super::piece::is_definition(b.node)
                || b.node.kind().ends_with("statement")
                || b.node.kind().ends_with("declaration");
            return if loose && shared >= 600 { shared } else { 0 };
        }
        if shared >= 400 { shared } else { 0 }
    }
}

impl Restoring<'_> {
    /// Whether a piece is there for what is wanted: it says that, and at most where.
    pub(super) fn is_about(&self, piece: &Piece<'_>) -> bool {
        if self.is_wanted(piece) {
            return true;
        }
        if !self.touches(piece) || super::piece::is_definition(piece.node) {
            return false;
        }
        let label = piece.label(self.was, self.kinds);
        let mut rest = Vec::new();
        words_outside(piece, self.was, &self.wanted, &mut rest);
        let telling = |word: &&&str| {
            word.chars().any(|c| c.is_alphanumeric())
                && !label.split(['.', ':']).any(|part| part == **word)
        };
        !label.is_empty() && rest.iter().filter(telling).count() <= 1
    }

    /// How much of what stands around the wanted part of a piece is in another one, of a thousand.
    fn likeness_of_rest(&self, b: &Piece<'_>, c: &Piece<'_>, label: &str) -> u32 {
        let telling = |word: &&str| {
            word.chars().any(|c| c.is_alphanumeric())
                && !label.split(['.', ':']).any(|part| part == *word)
        };
        let mut rest = Vec::new();
        words_outside(b, self.was, &self.wanted, &mut rest);
        let mut all = Vec::new();
        words(c, self.now, &mut all);
        let rest: Vec<&str> = rest.into_iter().filter(telling).collect();
        let found = rest.iter().filter(|word| all.contains(*word)).count();
        if rest.is_empty() {
            return 0;
        }
        // Either may have lost or got something else, too.
        let its: Vec<&str> = all.into_iter().filter(telling).collect();
        let back = its.iter().filter(|word| rest.contains(word)).count();
        let part = |found: usize, all: usize| 1000 * found / all.max(1);
        let most = part(found, rest.len()).max(part(back, its.len()));
        u32::try_from(most).unwrap_or(0)
    }
}

/// Whether people know a piece by the name in front of it, whatever it holds.
fn names_itself(node: Node<'_>) -> bool {
    if matches!(node.kind(), "expression_statement" | "export_statement") {
        return node.named_child(0).is_some_and(names_itself);
    }
    matches!(
        node.kind(),
        "keyword_argument"
            | "pair"
            | "typed_default_parameter"
            | "default_parameter"
            | "typed_parameter"
            | "required_parameter"
            | "optional_parameter"
            | "parameter"
            | "assignment"
            | "let_declaration"
            | "lexical_declaration"
            | "variable_declaration"
            | "variable_declarator"
            | "const_item"
            | "static_item"
            | "field_initializer"
    ) || super::piece::is_definition(node)
}

pub(super) fn has_word(piece: &Piece<'_>, text: &str, word: &str) -> bool {
    let mut found = Vec::new();
    words(piece, text, &mut found);
    found.contains(&word)
}

/// How many of their words two pieces share, of a thousand.
/// Those of `label` don't count.
pub(super) fn likeness_of_words(
    b: &Piece<'_>,
    was: &str,
    c: &Piece<'_>,
    now: &str,
    label: &str,
) -> u32 {
    let (mut one, mut other) = (Vec::new(), Vec::new());
    words(b, was, &mut one);
    words(c, now, &mut other);
    let telling = |word: &&&str| {
        word.chars().any(|c| c.is_alphanumeric())
            && !label.split(['.', ':']).any(|part| part == **word)
    };
    let mut counts: HashMap<&str, i32> = HashMap::new();
    let (mut left, mut right, mut shared) = (0_u32, 0_u32, 0_u32);
    for word in one.iter().filter(telling) {
        *counts.entry(word).or_default() += 1;
        left += 1;
    }
    for word in other.iter().filter(telling) {
        right += 1;
        if let Some(count) = counts.get_mut(*word)
            && *count > 0
        {
            *count -= 1;
            shared += 1;
        }
    }
    // Nothing but its label.
    if left == 0 {
        return 1000;
    }
    2000 * shared / (left + right)
}
