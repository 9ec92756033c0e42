//! Rows of pieces side by side: what differs between them is taken back as far as it is wanted.

use tree_sitter::Tree;

use super::piece::{self, Piece, Shape};
use super::{Restoring, pairing, placing, region};
use crate::Span;
use crate::kinds::Role;

impl Restoring<'_> {
    pub(super) fn parts(&mut self, old: &Tree, was: Option<Span>, new: &Tree, now: Option<Span>) {
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
    pub(super) fn touches(&self, piece: &Piece<'_>) -> bool {
        self.wanted
            .iter()
            .any(|span| (span.start as usize) < piece.end && piece.start < span.end as usize)
    }

    /// Whether a piece is all in what is wanted.
    pub(super) fn is_inside(&self, piece: &Piece<'_>) -> bool {
        self.wanted
            .iter()
            .any(|span| span.start as usize <= piece.start && piece.end <= span.end as usize)
    }

    /// Whether most of a piece is what is wanted.
    pub(super) fn is_wanted(&self, piece: &Piece<'_>) -> bool {
        self.wanted.iter().any(|span| {
            let start = piece.start.max(span.start as usize);
            let end = piece.end.min(span.end as usize);
            2 * end.saturating_sub(start) > piece.end - piece.start
        })
    }

    pub(super) fn are_told(&self, b: &Piece<'_>, c: &Piece<'_>) -> bool {
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
                let (bs, cs) = (b.inside(self.kinds), c.links(self.kinds));
                self.rows(b, &bs, c, &cs);
            }
            (_, Shape::Chain) => {
                let (bs, cs) = (b.links(self.kinds), c.inside(self.kinds));
                self.rows(b, &bs, c, &cs);
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
        let pairing = self.pair(
            bs,
            cs,
            !self.exits_go && !self.keeps_order && !self.is_inside(&b),
        );
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
            if self.is_about(one) && !self.keeps_order {
                self.insert(shape, b, bs, *i, c, cs, &pairing.kept, None);
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
            if wanted.is_empty() && (!all || gap.come.is_empty()) {
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
        // What leaves the function stands behind what was written beside it.
        let stays = |at: &&usize| cs.get(**at).is_some_and(|piece| !self.goes(piece));
        let ends = wanted
            .iter()
            .any(|at| bs.get(*at).is_some_and(placing::leaves_at_once));
        let last_new = gap.come.iter().rfind(stays).copied().filter(|_| ends);
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
            if piece::is_definition(piece.node) && !self.is_inside(piece) {
                self.lost = true;
                return;
            }
            // It is there, as a remark.
            let remark = gap.come.iter().copied().find(|other| {
                let text = cs.get(*other).map_or("", |now| now.text(self.now));
                let bare = text.trim_start_matches(['/', '#', ' ']);
                bare.len() < text.len() && bare.trim_end() == piece.text(self.was)
            });
            if let Some(now) = remark.and_then(|other| cs.get(other)) {
                covered.extend(remark);
                self.replace(piece, now);
                continue;
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
                None => self.insert(shape, b, bs, *at, c, cs, kept, last_new),
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
        }
        if !wanted.is_empty() && shape == Shape::Lines {
            // A statement that only holds the place.
            for at in gap.come.iter().filter(|at| !covered.contains(at)) {
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
pub(super) struct Gap<'g> {
    pub(super) gone: &'g [usize],
    pub(super) come: &'g [usize],
    pub(super) from: (usize, usize),
    pub(super) to: (usize, usize),
}
