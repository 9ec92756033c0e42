//! Where a piece goes, and how it is written there: with the commas, lines and blanks of the text that it comes into.

use super::pairing::likeness_of_words;
use super::piece::{Piece, Shape, children};
use super::rows::Gap;
use super::{Edit, Restoring};
use crate::Span;

impl Restoring<'_> {
    /// The edits, sorted; `None` if two are in each other's way.
    pub(super) fn edits(&self) -> Option<Vec<(Span, String)>> {
        let mut edits = self.edits.clone();
        // Those at one place keep their order.
        edits.sort_by_key(|edit| (edit.start, edit.end));
        edits.dedup_by(|b, a| {
            a.start == b.start && a.end == b.end && a.end > a.start && a.text == b.text
        });
        if edits
            .windows(2)
            .any(|pair| matches!(pair, [a, b] if a.end > b.start))
        {
            return None;
        }
        let at = |offset: usize| u32::try_from(offset).ok();
        edits
            .into_iter()
            .map(|edit| {
                let span = Span {
                    start: at(edit.start)?,
                    end: at(edit.end)?,
                };
                Some((span, edit.text))
            })
            .collect()
    }

    fn push(&mut self, start: usize, end: usize, text: String) {
        if self.now.get(start..end) != Some(text.as_str()) {
            self.edits.push(Edit { start, end, text });
        }
    }

    /// Puts the earlier text in the place of the present one.
    pub(super) fn replace(&mut self, b: &Piece<'_>, c: &Piece<'_>) {
        let text = shifted(
            b.text(self.was),
            indent(self.was, b.start),
            indent(self.now, c.start),
        );
        self.push(c.start, c.end, text);
    }

    /// Puts a run of earlier pieces in the place of a run of present ones.
    pub(super) fn replace_run(
        &mut self,
        first: &Piece<'_>,
        last: &Piece<'_>,
        from: &Piece<'_>,
        to: &Piece<'_>,
    ) {
        let text = shifted(
            self.was.get(first.start..last.end).unwrap_or_default(),
            indent(self.was, first.start),
            indent(self.now, from.start),
        );
        self.push(from.start, to.end, text);
    }

    /// Puts what stood between two pieces that were kept in the place of what stands there now.
    pub(super) fn replace_gap(
        &mut self,
        b: Piece<'_>,
        bs: &[Piece<'_>],
        c: Piece<'_>,
        cs: &[Piece<'_>],
        gap: &Gap<'_>,
    ) {
        let before = |row: &[Piece<'_>], at: usize, whole: &Piece<'_>| match at.checked_sub(1) {
            Some(at) => row.get(at).map_or(whole.start, |piece| piece.end),
            None => whole.start,
        };
        let behind = |row: &[Piece<'_>], at: usize, whole: &Piece<'_>| {
            row.get(at).map_or(whole.end, |piece| piece.start)
        };
        let old = before(bs, gap.from.0, &b)..behind(bs, gap.to.0, &b);
        let new = before(cs, gap.from.1, &c)..behind(cs, gap.to.1, &c);
        let text = shifted(
            self.was.get(old).unwrap_or_default(),
            indent(self.was, b.start),
            indent(self.now, c.start),
        );
        self.push(new.start, new.end, text);
    }

    /// Puts a piece beside the partners of its neighbours.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn insert(
        &mut self,
        shape: Shape,
        b: Piece<'_>,
        bs: &[Piece<'_>],
        at: usize,
        c: Piece<'_>,
        cs: &[Piece<'_>],
        kept: &[(usize, usize)],
        beside: Option<usize>,
    ) {
        let Some(piece) = bs.get(at) else { return };
        let beside = beside
            .filter(|_| shape == Shape::Lines)
            .and_then(|at| cs.get(at));
        let previous = kept
            .iter()
            .rev()
            .find(|(old, _)| *old < at)
            .and_then(|(_, new)| cs.get(*new));
        let previous = beside.or(previous);
        let next = kept
            .iter()
            .find(|(old, _)| *old > at)
            .and_then(|(_, new)| cs.get(*new));
        let gap_before = match at.checked_sub(1).and_then(|at| bs.get(at)) {
            Some(before) => self.was.get(before.end..piece.start),
            None => self.was.get(b.start..piece.start),
        }
        .unwrap_or_default();
        let gap_behind = bs
            .get(at + 1)
            .and_then(|behind| self.was.get(piece.end..behind.start))
            .unwrap_or_default();
        match shape {
            Shape::Lines => self.insert_line(piece, previous, next, gap_before, gap_behind, c, cs),
            Shape::Chain => {
                // Of what it stood behind only the beginning is left: it stood last, and does again.
                let last = kept.iter().rev().find(|(old, _)| *old < at);
                let behind = match last {
                    Some((0, _)) | None if at + 1 == bs.len() && at > 1 => cs.last(),
                    _ => previous.or(cs.first()),
                };
                let Some(previous) = behind else {
                    self.lost = true;
                    return;
                };
                let lined = cs.iter().skip(1).find(|link| self.begins_line(link.start));
                let old = indent(self.was, piece.start);
                let (lead, new) = match lined {
                    Some(link) => {
                        let new = indent(self.now, link.start).to_owned();
                        (format!("\n{new}"), new)
                    }
                    None if gap_before.contains('\n') => {
                        let (base, here) = (indent(self.was, b.start), indent(self.now, c.start));
                        let more = old.strip_prefix(base).unwrap_or(old);
                        let new = format!("{here}{more}");
                        (format!("\n{new}"), new)
                    }
                    None => (String::new(), indent(self.now, c.start).to_owned()),
                };
                let text = format!("{lead}{}", shifted(piece.text(self.was), old, &new));
                self.push(previous.end, previous.end, text);
            }
            _ => self.insert_element(piece, previous, next, c, cs),
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn insert_line(
        &mut self,
        piece: &Piece<'_>,
        previous: Option<&Piece<'_>>,
        next: Option<&Piece<'_>>,
        gap_before: &str,
        gap_behind: &str,
        c: Piece<'_>,
        cs: &[Piece<'_>],
    ) {
        let old = indent(self.was, piece.start);
        let lines = |gap: &str| "\n".repeat(gap.matches('\n').count().max(1));
        if let Some(previous) = previous {
            let new = indent(self.now, previous.start).to_owned();
            let text = shifted(piece.text(self.was), old, &new);
            let at = self.line_end(previous.end);
            self.push(at, at, format!("{}{new}{text}", lines(gap_before)));
            return;
        }
        if let Some(next) = next.or(cs.first()) {
            let new = indent(self.now, next.start).to_owned();
            let text = shifted(piece.text(self.was), old, &new);
            self.push(
                next.start,
                next.start,
                format!("{text}{}{new}", lines(gap_behind)),
            );
            return;
        }
        // An empty block.
        let Some(open) = children(c.node).into_iter().next() else {
            self.push(c.start, c.start, format!("{}\n", piece.text(self.was)));
            return;
        };
        let outer = indent(self.now, c.start).to_owned();
        let unit = old
            .strip_prefix(outer.as_str())
            .filter(|unit| !unit.is_empty())
            .unwrap_or("    ");
        let new = format!("{outer}{unit}");
        let text = shifted(piece.text(self.was), old, &new);
        let rest = self
            .now
            .get(open.end_byte()..c.end.saturating_sub(1))
            .unwrap_or_default();
        let close = if rest.contains('\n') {
            String::new()
        } else {
            format!("\n{outer}")
        };
        let at = open.end_byte();
        self.push(at, at, format!("\n{new}{text}{close}"));
    }

    fn insert_element(
        &mut self,
        piece: &Piece<'_>,
        previous: Option<&Piece<'_>>,
        next: Option<&Piece<'_>>,
        c: Piece<'_>,
        cs: &[Piece<'_>],
    ) {
        let old = indent(self.was, piece.start);
        let lined = cs.iter().find(|one| self.begins_line(one.start));
        let lead = match lined {
            Some(one) => format!("\n{}", indent(self.now, one.start)),
            None => " ".to_owned(),
        };
        let new = match lined {
            Some(one) => indent(self.now, one.start).to_owned(),
            None => indent(self.now, c.start).to_owned(),
        };
        let text = shifted(piece.text(self.was), old, &new);
        let (previous, next) = self.in_order(piece, previous, next, cs);
        match (previous, next) {
            (Some(previous), _) => {
                self.push(previous.end, previous.end, format!(",{lead}{text}"));
            }
            (None, Some(next)) => self.push(next.start, next.start, format!("{text},{lead}")),
            (None, None) => {
                // An empty list: behind its opening bracket, or all of the brackets that it lacks.
                let open = children(c.node)
                    .into_iter()
                    .find(|child| !child.is_named() && child.end_byte() - child.start_byte() == 1);
                match open {
                    Some(open) => self.push(open.end_byte(), open.end_byte(), text),
                    None => self.lost = true,
                }
            }
        }
    }

    /// The neighbours of an element in a list that has kept none of them, or has an order of its own: what is given by
    /// name, or may be left out, follows what isn't.
    fn in_order<'p, 't>(
        &self,
        piece: &Piece<'_>,
        previous: Option<&'p Piece<'t>>,
        next: Option<&'p Piece<'t>>,
        cs: &'p [Piece<'t>],
    ) -> (Option<&'p Piece<'t>>, Option<&'p Piece<'t>>) {
        let late = |piece: &Piece<'_>| {
            matches!(
                piece.node.kind(),
                "keyword_argument"
                    | "default_parameter"
                    | "typed_default_parameter"
                    | "dictionary_splat"
            )
        };
        let last_early = cs.iter().rposition(|one| !late(one) && !is_rest(one));
        if late(piece) {
            let previous_at = previous.and_then(|one| position(cs, one));
            if last_early > previous_at {
                return (last_early.and_then(|at| cs.get(at)), None);
            }
            return (
                previous.or(if next.is_none() { cs.last() } else { None }),
                next,
            );
        }
        if previous.is_some_and(late) {
            return (
                last_early.and_then(|at| cs.get(at)),
                cs.iter().find(|one| late(one)),
            );
        }
        if previous.is_none() && next.is_none() {
            // What takes the whole request stands last.
            return (None, cs.first());
        }
        (previous, next)
    }

    /// Whether a present piece is what an earlier one had around it something.
    pub(super) fn wraps(&self, b: &Piece<'_>, c: &Piece<'_>) -> bool {
        self.wrapped(b, c).is_some()
    }

    /// Puts what was around a piece around it again.
    pub(super) fn wrap(&mut self, b: &Piece<'_>, c: &Piece<'_>) {
        let Some((start, end)) = self.wrapped(b, c) else {
            return;
        };
        let (old, new) = (indent(self.was, b.start), indent(self.now, c.start));
        let before = shifted(self.was.get(b.start..start).unwrap_or_default(), old, new);
        let behind = shifted(self.was.get(end..b.end).unwrap_or_default(), old, new);
        let whole = self.was.get(b.start..b.end).unwrap_or_default();
        let bare = c.text(self.now).trim_end_matches(';');
        let inner = shifted(
            if whole.ends_with(';') {
                bare
            } else {
                c.text(self.now)
            },
            indent(self.now, c.start),
            indent(self.was, start),
        );
        self.push(c.start, c.end, format!("{before}{inner}{behind}"));
    }

    /// Where in an earlier piece a present one stood.
    fn wrapped(&self, b: &Piece<'_>, c: &Piece<'_>) -> Option<(usize, usize)> {
        let text = c.text(self.now).trim_end_matches(';');
        if text.len() < 2 || c.node.is_extra() {
            return None;
        }
        let mut stack = children(b.node);
        let mut best: Option<(u32, (usize, usize))> = None;
        while let Some(node) = stack.pop() {
            let piece = Piece::new(node);
            if piece.start < b.start {
                stack.extend(children(node));
                continue;
            }
            if piece.text(self.was) == text {
                return Some((piece.start, piece.end));
            }
            let function = node.kind().contains("function") || node.kind().contains("closure");
            if node.kind_id() == c.node.kind_id() && function {
                let like = likeness_of_words(&piece, self.was, c, self.now, "");
                if like >= 700 && best.is_none_or(|(other, _)| like > other) {
                    best = Some((like, (piece.start, piece.end)));
                }
            }
            stack.extend(children(node));
        }
        best.map(|(_, place)| place)
    }

    /// Takes a piece out, with the comma or the line that it stands on.
    pub(super) fn remove(&mut self, shape: Shape, cs: &[Piece<'_>], at: usize) {
        let Some(piece) = cs.get(at) else { return };
        let (start, end) = match shape {
            Shape::List => match (at.checked_sub(1).and_then(|at| cs.get(at)), cs.get(at + 1)) {
                (_, Some(next)) => (piece.start, next.start),
                (Some(previous), None) => (previous.end, piece.end),
                (None, None) => (piece.start, piece.end),
            },
            Shape::Chain => {
                let before = self.now.get(..piece.start).unwrap_or_default();
                (before.trim_end().len(), piece.end)
            }
            // Up to what follows it, or from what it followed: so that what is put there in its stead keeps its line.
            _ => match (cs.get(at + 1), at.checked_sub(1).and_then(|at| cs.get(at))) {
                (Some(next), _) => (piece.start, next.start),
                (None, Some(previous)) => (self.line_end(previous.end), piece.end),
                (None, None) => (piece.start, piece.end),
            },
        };
        self.push(start, end, String::new());
    }

    /// Whether only blanks stand before a place on its line.
    fn begins_line(&self, at: usize) -> bool {
        let before = self.now.get(..at).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        before.contains('\n') && line.chars().all(char::is_whitespace)
    }

    /// The end of what belongs to a statement on its line: a semicolon, a remark.
    fn line_end(&self, at: usize) -> usize {
        let rest = self.now.get(at..).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default();
        let bare = line.trim_start_matches([';', ',', ' ', '\t']);
        if bare.trim_end().is_empty() || bare.starts_with('#') || bare.starts_with("//") {
            at + line.trim_end().len()
        } else {
            at
        }
    }
}

/// Whether a statement ends the function whatever happens.
pub(super) fn leaves_at_once(piece: &Piece<'_>) -> bool {
    let mut node = piece.node;
    while node.kind() == "expression_statement"
        && let Some(inner) = node.named_child(0)
    {
        node = inner;
    }
    matches!(
        node.kind(),
        "return_statement" | "return_expression" | "raise_statement" | "throw_statement"
    )
}

fn position(cs: &[Piece<'_>], one: &Piece<'_>) -> Option<usize> {
    cs.iter().position(|other| other.start == one.start)
}

/// Whether an element takes whatever is left.
fn is_rest(piece: &Piece<'_>) -> bool {
    piece.node.kind().contains("splat") || piece.node.kind().contains("rest")
}

/// The blanks at the start of a place's line.
pub(super) fn indent(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(start..).unwrap_or_default();
    let len = line.len() - line.trim_start_matches([' ', '\t']).len();
    line.get(..len).unwrap_or_default()
}

/// A text whose lines behind the first are moved from one depth to another.
fn shifted(text: &str, old: &str, new: &str) -> String {
    if old == new || !text.contains('\n') {
        return text.to_owned();
    }
    let mut lines = text.split('\n');
    let mut out = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        out.push('\n');
        match line.strip_prefix(old) {
            Some(rest) if !line.trim().is_empty() => {
                out.push_str(new);
                out.push_str(rest);
            }
            _ => out.push_str(line),
        }
    }
    out
}
