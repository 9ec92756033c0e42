//! Brings back parts of an earlier text and leaves alone whatever else changed since.
//!
//! Both texts are read as pieces inside pieces ([`piece`]). From the outside in, the pieces that led to what is wanted are
//! paired with those that are there now ([`pairing`]); where a wanted one has no partner it is put beside the
//! partners of its neighbours ([`placing`]), and where its partner differs, the difference is taken back. Nothing that
//! doesn't touch what is wanted is looked at, so it stays as it is.

mod names;
mod pairing;
mod piece;
mod placing;

use gatewatch_source::{Db, SourceFile};
use tree_sitter::{Node, Tree};

use crate::Span;
use crate::buffer::Buffer;
use crate::facts::Language;
use crate::file::{parse, usable};
use crate::kinds::{Kinds, Role};
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
}

/// Replacements in the text of `now`, sorted and none overlapping, that bring back what is wanted of `was`. `None` if
/// nothing of it is missing, or it has no place any more.
pub fn restore(db: &dyn Db, was: Part, now: Part, wanted: &Wanted) -> Option<Vec<(Span, String)>> {
    let language = language(db, now.file)?;
    if self::language(db, was.file) != Some(language) {
        return None;
    }
    let (old, new) = (tree_of(db, was.file)?, tree_of(db, now.file)?);
    let (old_text, new_text) = (&was.file.content(db).text, &now.file.content(db).text);
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
    db: &dyn Db,
    was: SourceFile,
    now: SourceFile,
    texts: &[&str],
) -> Vec<(Span, String)> {
    let found = || {
        let language = language(db, now)?;
        let (old, new) = (tree_of(db, was)?, tree_of(db, now)?);
        let mut restoring = Restoring {
            kinds: &usable(language)?.kinds,
            was: &was.content(db).text,
            now: &now.content(db).text,
            wanted: Vec::new(),
            core: None,
            became: &[],
            exits_go: false,
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

/// The statement, definition or decorator around a part of a file.
pub fn statement(db: &dyn Db, file: SourceFile, span: Span) -> Option<Span> {
    let kinds = &usable(language(db, file)?)?.kinds;
    let tree = tree_of(db, file)?;
    let (start, end) = (span.start as usize, span.end as usize);
    let mut node = tree.root_node().descendant_for_byte_range(start, end)?;
    while let Some(parent) = node.parent() {
        if Piece::new(parent).shape(kinds) == Shape::Lines {
            break;
        }
        node = parent;
    }
    Some(Span {
        start: u32::try_from(node.start_byte()).ok()?,
        end: u32::try_from(node.end_byte()).ok()?,
    })
}

/// Of a class, what stands in it beside its methods: its bases and decorators, its fields.
pub fn members(db: &dyn Db, file: SourceFile, name: Span) -> Option<(Span, Vec<Span>)> {
    let tree = tree_of(db, file)?;
    let (start, end) = (name.start as usize, name.end as usize);
    let class = tree
        .root_node()
        .descendant_for_byte_range(start, end)?
        .parent()?;
    let span = |node: Node<'_>| {
        Some(Span {
            start: u32::try_from(node.start_byte()).ok()?,
            end: u32::try_from(node.end_byte()).ok()?,
        })
    };
    let mut found = Vec::new();
    for field in ["superclasses", "class_heritage"] {
        found.extend(class.child_by_field_name(field).and_then(span));
    }
    let body = class.child_by_field_name("body")?;
    for member in piece::children(body) {
        if member.is_named() && !piece::is_definition(member) {
            found.extend(span(member));
        }
    }
    let mut whole = class;
    if let Some(parent) = class.parent()
        && parent.kind() == "decorated_definition"
    {
        whole = parent;
        for decorator in piece::children(parent) {
            if decorator.kind() == "decorator" {
                found.extend(span(decorator));
            }
        }
    }
    Some((span(whole)?, found))
}

/// The parameter of a function in which a span stands.
pub fn parameter(db: &dyn Db, file: SourceFile, span: Span) -> Option<Span> {
    let tree = tree_of(db, file)?;
    let (start, end) = (span.start as usize, span.end as usize);
    let mut node = tree.root_node().descendant_for_byte_range(start, end)?;
    loop {
        let parent = node.parent()?;
        if parent.kind().ends_with("parameters") {
            return Some(Span {
                start: u32::try_from(node.start_byte()).ok()?,
                end: u32::try_from(node.end_byte()).ok()?,
            });
        }
        if parent.kind().contains("block") || parent.kind().ends_with("body") {
            return None;
        }
        node = parent;
    }
}

/// What defines a name at the top of a file.
pub fn top_level(db: &dyn Db, file: SourceFile, name: &str) -> Option<Span> {
    let tree = tree_of(db, file)?;
    names::top_of(&tree, &file.content(db).text, name)
}

/// What binds, in a part of a file, the names that stand in a span of it.
pub fn definers(db: &dyn Db, file: SourceFile, within: Option<Span>, span: Span) -> Vec<Span> {
    let Some(tree) = tree_of(db, file) else {
        return Vec::new();
    };
    names::definers_of(&tree, &file.content(db).text, within, span)
}

/// The element of a registration that says `word`: of a list in it, else of its arguments.
pub fn element(db: &dyn Db, file: SourceFile, span: Span, word: &str) -> Option<Span> {
    let kinds = &usable(language(db, file)?)?.kinds;
    let text = &file.content(db).text;
    let tree = tree_of(db, file)?;
    let (start, end) = (span.start as usize, span.end as usize);
    let whole = tree.root_node().descendant_for_byte_range(start, end)?;
    let field = kinds.field(whole.kind_id(), crate::kinds::Slot::Arguments);
    let within = field
        .and_then(|field| whole.child_by_field_id(field))
        .unwrap_or(whole);
    let mut leaf = None;
    let mut stack = vec![within];
    while let Some(node) = stack.pop() {
        if node.child_count() == 0 {
            if text.get(node.byte_range()) == Some(word) {
                leaf = Some(node);
                break;
            }
            continue;
        }
        // The last one first.
        stack.extend(piece::children(node));
    }
    let mut node = leaf?;
    let mut found = node;
    while let Some(parent) = node.parent() {
        let listed = Piece::new(parent).shape(kinds) == Shape::List;
        if listed {
            found = node;
        }
        let literal = listed
            && !parent
                .parent()
                .is_some_and(|above| kinds.role(above.kind_id()) == Role::Call);
        if literal || parent == whole || parent == within {
            break;
        }
        node = parent;
    }
    Some(Span {
        start: u32::try_from(found.start_byte()).ok()?,
        end: u32::try_from(found.end_byte()).ok()?,
    })
}

/// Whether the text still parses with edits, if it did before.
fn sound(language: Language, text: &str, tree: &Tree, edits: &[(Span, String)]) -> bool {
    if tree.root_node().has_error() {
        return true;
    }
    let mut edited = text.to_owned();
    for (span, new) in edits.iter().rev() {
        if edited.get(span.range()).is_none() {
            return false;
        }
        edited.replace_range(span.range(), new);
    }
    parse(language, &edited, None).is_some_and(|tree| !tree.root_node().has_error())
}

fn tree_of(db: &dyn Db, file: SourceFile) -> Option<Tree> {
    let content = file.content(db);
    if let Some(buffer) = Buffer::of(content) {
        return buffer.tree().cloned();
    }
    parse(language(db, file)?, &content.text, None)
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
    edits: Vec<Edit>,
    /// Words of what an earlier round took out, which fed nothing else.
    dropped: Vec<String>,
    /// Something wanted has no place.
    lost: bool,
}

impl Restoring<'_> {
    fn parts(&mut self, old: &Tree, was: Option<Span>, new: &Tree, now: Option<Span>) {
        let (b, bs) = region(old.root_node(), was, self.kinds);
        let (c, cs) = region(new.root_node(), now, self.kinds);
        let parts = was.is_some() || now.is_some();
        let shape = match b.shape(self.kinds) {
            Shape::Chain if bs.len() == 1 && bs.first().is_some_and(Piece::is_link) => Shape::Chain,
            _ if parts => Shape::Lines,
            shape => shape,
        };
        if let ([one], [other]) = (&bs[..], &cs[..])
            && was.zip(now).is_some_and(|both| self.became.contains(&both))
        {
            self.counterparts(*one, *other);
            return;
        }
        // Nothing alike: it is another thing by now.
        let together = bs
            .iter()
            .filter(|piece| self.touches(piece))
            .all(|one| cs.iter().any(|other| self.is_partner(one, other)));
        if parts && bs.len() == 1 && !together {
            self.lost = true;
            return;
        }
        self.rows_as(shape, b, &bs, c, &cs);
    }

    /// Whether two pieces can be one.
    fn is_partner(&self, one: &Piece<'_>, other: &Piece<'_>) -> bool {
        let pairing = self.pair(&[*one], &[*other], false);
        !pairing.kept.is_empty() || !pairing.moved.is_empty()
    }

    /// Whether something of a piece is wanted.
    fn touches(&self, piece: &Piece<'_>) -> bool {
        self.wanted
            .iter()
            .any(|span| (span.start as usize) < piece.end && piece.start < span.end as usize)
    }

    /// Whether a piece is all in what is wanted.
    fn is_inside(&self, piece: &Piece<'_>) -> bool {
        self.wanted
            .iter()
            .any(|span| span.start as usize <= piece.start && piece.end <= span.end as usize)
    }

    /// Whether most of a piece is what is wanted.
    fn is_wanted(&self, piece: &Piece<'_>) -> bool {
        self.wanted.iter().any(|span| {
            let start = piece.start.max(span.start as usize);
            let end = piece.end.min(span.end as usize);
            2 * end.saturating_sub(start) > piece.end - piece.start
        })
    }

    fn are_told(&self, b: &Piece<'_>, c: &Piece<'_>) -> bool {
        let is = |piece: &Piece<'_>, span: &Span| {
            span.start as usize <= piece.start
                && piece.end <= span.end as usize
                && 2 * (piece.end - piece.start) > (span.end - span.start) as usize
        };
        self.became
            .iter()
            .any(|(was, now)| is(b, was) && is(c, now))
    }

    /// Takes back the difference of two pieces that are one, as far as it is wanted.
    fn counterparts(&mut self, b: Piece<'_>, c: Piece<'_>) {
        if b.text(self.was) == c.text(self.now) || !self.touches(&b) {
            return;
        }
        let (one, other) = (b.shape(self.kinds), c.shape(self.kinds));
        match (one, other) {
            (Shape::Leaf, _) | (_, Shape::Leaf) if one != Shape::Chain && other != Shape::Chain => {
                self.replace(&b, &c);
            }
            (Shape::Chain, Shape::Chain) | (Shape::Lines, Shape::Lines) => {
                let (bs, cs) = (b.inside(self.kinds), c.inside(self.kinds));
                self.rows(b, &bs, c, &cs);
            }
            // One of them is where the other's chain begins.
            (Shape::Chain, _) => {
                let bs = b.inside(self.kinds);
                self.rows(b, &bs, c, &[c]);
            }
            (_, Shape::Chain) => {
                let cs = c.inside(self.kinds);
                self.rows(b, &[b], c, &cs);
            }
            _ if b.node.kind_id() != c.node.kind_id() => {
                if piece::is_definition(b.node) && !self.is_inside(&b) {
                    self.lost = true;
                } else {
                    self.replace(&b, &c);
                }
            }
            _ => {
                let (bs, cs) = (b.inside(self.kinds), c.inside(self.kinds));
                self.rows(b, &bs, c, &cs);
            }
        }
    }

    /// Takes back the difference of two rows.
    fn rows(&mut self, b: Piece<'_>, bs: &[Piece<'_>], c: Piece<'_>, cs: &[Piece<'_>]) {
        let shape = match b.shape(self.kinds) {
            Shape::Leaf => c.shape(self.kinds),
            Shape::Fixed if c.shape(self.kinds) == Shape::Chain => Shape::Chain,
            shape => shape,
        };
        self.rows_as(shape, b, bs, c, cs);
    }

    fn rows_as(
        &mut self,
        shape: Shape,
        b: Piece<'_>,
        bs: &[Piece<'_>],
        c: Piece<'_>,
        cs: &[Piece<'_>],
    ) {
        let pairing = self.pair(bs, cs, !self.exits_go && !self.is_inside(&b));
        for (i, j) in &pairing.kept {
            if let (Some(one), Some(other)) = (bs.get(*i), cs.get(*j)) {
                self.counterparts(*one, *other);
            }
        }
        for (i, j) in &pairing.moved {
            let (Some(one), Some(other)) = (bs.get(*i), cs.get(*j)) else {
                continue;
            };
            if !self.touches(one) {
                continue;
            }
            if self.is_wanted(one) {
                self.insert(shape, b, bs, *i, c, cs, &pairing.kept);
                self.remove(shape, cs, *j);
            } else {
                self.counterparts(*one, *other);
            }
        }
        let free_old = |at: usize| {
            !pairing
                .kept
                .iter()
                .chain(&pairing.moved)
                .any(|(one, _)| *one == at)
        };
        let free_new = |at: usize| {
            !pairing
                .kept
                .iter()
                .chain(&pairing.moved)
                .any(|(_, other)| *other == at)
        };
        // The gaps between what was kept.
        let mut bounds: Vec<(usize, usize)> = vec![(0, 0)];
        bounds.extend(pairing.kept.iter().map(|(i, j)| (i + 1, j + 1)));
        let ends: Vec<(usize, usize)> = pairing
            .kept
            .iter()
            .copied()
            .chain([(bs.len(), cs.len())])
            .collect();
        for (from, to) in bounds.into_iter().zip(ends) {
            let gone: Vec<usize> = (from.0..to.0).filter(|at| free_old(*at)).collect();
            let come: Vec<usize> = (from.1..to.1).filter(|at| free_new(*at)).collect();
            let gap = Gap {
                gone: &gone,
                come: &come,
                from,
                to,
            };
            self.gap(shape, b, bs, c, cs, &gap, &pairing.kept);
        }
    }

    /// What went and what came between two pieces that were kept.
    #[allow(clippy::too_many_arguments)]
    fn gap(
        &mut self,
        shape: Shape,
        b: Piece<'_>,
        bs: &[Piece<'_>],
        c: Piece<'_>,
        cs: &[Piece<'_>],
        gap: &Gap<'_>,
        kept: &[(usize, usize)],
    ) {
        let wanted: Vec<usize> = gap
            .gone
            .iter()
            .copied()
            .filter(|at| bs.get(*at).is_some_and(|piece| self.touches(piece)))
            .collect();
        let all = self.is_inside(&b);
        if shape == Shape::Fixed || (shape == Shape::List && all && self.exits_go) {
            if wanted.is_empty() && !(all && !gap.come.is_empty()) {
                return;
            }
            self.replace_gap(b, bs, c, cs, gap);
            return;
        }
        // The only argument, of a call that is known to be the same.
        if shape == Shape::List
            && let ([piece], [now]) = (bs, cs)
            && !wanted.is_empty()
            && b.node.kind().starts_with("argument")
            && !self.wraps(piece, now)
        {
            self.replace(piece, now);
            return;
        }
        if shape == Shape::Lines && all && self.exits_go && self.replaced(bs, cs, gap, &wanted) {
            return;
        }
        let mut covered: Vec<usize> = Vec::new();
        for at in &wanted {
            let Some(piece) = bs.get(*at) else { continue };
            if shape == Shape::Chain && *at == 0 {
                // What is called on another thing now stays there.
                if let Some(now) = cs.first()
                    && all
                    && self.exits_go
                {
                    self.replace(piece, now);
                    covered.push(0);
                }
                continue;
            }
            if piece::is_definition(piece.node) && !self.is_wanted(piece) {
                self.lost = true;
                return;
            }
            // Something of it is there still, without what was around it.
            let inner = gap.come.iter().copied().find(|other| {
                !covered.contains(other) && cs.get(*other).is_some_and(|now| self.wraps(piece, now))
            });
            match inner {
                Some(other) => {
                    covered.push(other);
                    if let Some(now) = cs.get(other) {
                        self.wrap(piece, now);
                    }
                }
                None => self.insert(shape, b, bs, *at, c, cs, kept),
            }
        }
        if all && self.exits_go {
            let first = usize::from(shape == Shape::Chain);
            for at in gap
                .come
                .iter()
                .filter(|at| **at >= first && !covered.contains(at))
            {
                let goes = cs.get(*at).is_some_and(|piece| self.goes(piece));
                if goes || shape == Shape::Chain {
                    self.remove(shape, cs, *at);
                }
            }
        } else if !wanted.is_empty() && shape == Shape::Lines {
            // A statement that only holds the place.
            for at in gap.come {
                let holds = cs.get(*at).is_some_and(|piece| {
                    matches!(piece.text(self.now), "pass" | "...") && cs.len() == 1
                });
                if holds {
                    self.remove(shape, cs, *at);
                }
            }
        }
    }

    /// Puts the earlier statements in the place of those that go, where they follow one another.
    fn replaced(
        &mut self,
        bs: &[Piece<'_>],
        cs: &[Piece<'_>],
        gap: &Gap<'_>,
        wanted: &[usize],
    ) -> bool {
        let (Some(first), Some(last)) = (
            wanted.first().and_then(|at| bs.get(*at)),
            wanted.last().and_then(|at| bs.get(*at)),
        ) else {
            return false;
        };
        let (Some(from), Some(to)) = (
            gap.come.first().and_then(|at| cs.get(*at)),
            gap.come.last().and_then(|at| cs.get(*at)),
        ) else {
            return false;
        };
        let all_go = gap
            .come
            .iter()
            .all(|at| cs.get(*at).is_some_and(|piece| self.goes(piece)));
        if wanted.len() != gap.gone.len() || !all_go {
            return false;
        }
        self.replace_run(first, last, from, to);
        true
    }

    /// Whether a new statement has to go: it could leave, or fed what goes.
    fn goes(&self, piece: &Piece<'_>) -> bool {
        self.may_leave(piece)
            || self
                .dropped
                .iter()
                .any(|word| pairing::has_word(piece, self.now, word))
    }

    /// Whether the control flow may leave the function at a piece, or go on to what a guard stands in front of.
    fn may_leave(&self, piece: &Piece<'_>) -> bool {
        let mut stack = vec![piece.node];
        while let Some(node) = stack.pop() {
            match self.kinds.role(node.kind_id()) {
                Role::Return | Role::Raise | Role::Break | Role::Continue | Role::Yield => {
                    return true;
                }
                Role::Call | Role::Await => {
                    let text = self.now.get(node.byte_range()).unwrap_or_default();
                    if text.contains("next") {
                        return true;
                    }
                }
                _ => {}
            }
            if node.kind() == "return_expression" {
                return true;
            }
            stack.extend(piece::children(node));
        }
        // The value of a block.
        !piece.node.kind().ends_with("statement")
            && !piece.node.kind().ends_with("comment")
            && !piece.node.kind().ends_with("declaration")
    }
}

/// See [`Restoring::gap`].
struct Gap<'g> {
    gone: &'g [usize],
    come: &'g [usize],
    from: (usize, usize),
    to: (usize, usize),
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
