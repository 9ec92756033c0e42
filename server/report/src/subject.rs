//! What stands at a place of a file: entry points, or a guard.

use std::sync::Arc;

use gatewatch_model::{Control, Coverage, Handler, Site, function_spans, locate, model};
use gatewatch_source::{Db, FileSet, SourceFile};
use gatewatch_syntax::Span;
use ustr::Ustr;

use crate::cover::{handler_file, handler_site};

/// What is to be explained.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// Entry points that have the same handler, or the same registration.
    Entries(Vec<Arc<Coverage>>),
    /// A guard.
    Guard(Guard),
}

/// Which guard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Guard {
    /// Where it is defined; a library's has no place.
    pub(crate) definition: Option<Site>,
    /// Its whole name.
    pub(crate) full_name: Ustr,
    /// Its short name.
    pub(crate) name: Ustr,
}

impl Guard {
    fn of(control: &Control) -> Self {
        Self {
            definition: control.definition,
            full_name: control.full_name,
            name: control.name,
        }
    }

    /// Whether a control is this guard.
    pub(crate) fn is(&self, control: &Control) -> bool {
        match self.definition {
            Some(site) => control.definition == Some(site),
            None => control.definition.is_none() && control.full_name == self.full_name,
        }
    }
}

/// Something with its place, to be chosen from.
#[derive(Clone, Debug)]
struct Candidate {
    /// What the pointer has to touch.
    span: Span,
    /// What is highlighted.
    shown: Span,
    /// Order of preference where only a line is known.
    rank: u8,
    subject: Subject,
}

/// What stands at a byte offset: the smallest thing that touches it. In front of a handler the name of
/// one of its guards means the guard, wherever it is registered.
pub(crate) fn at(
    db: &dyn Db,
    tree: FileSet,
    file: SourceFile,
    offset: u32,
) -> Option<(Subject, Span)> {
    let found = candidates(db, tree, file)
        .into_iter()
        .filter(|candidate| candidate.rank < ENCLOSING && candidate.span.touches(offset))
        .min_by_key(|candidate| (candidate.span.end - candidate.span.start, candidate.rank))?;
    if let Subject::Entries(entries) = &found.subject {
        let text = file.text(db);
        let (word, span) = word_at(&text, offset);
        let mut controls = entries.iter().flat_map(|entry| &entry.controls);
        if let Some(control) = controls.find(|control| control.name == word) {
            return Some((Subject::Guard(Guard::of(control)), span));
        }
    }
    Some((found.subject, found.shown))
}

/// The name that touches a byte offset, with its span.
fn word_at(text: &str, offset: u32) -> (&str, Span) {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let (Some(before), Some(behind)) = (text.get(..offset as usize), text.get(offset as usize..))
    else {
        return ("", Span::default());
    };
    let start = before.trim_end_matches(is_name).len();
    let end = text.len() - behind.trim_start_matches(is_name).len();
    let bytes = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let span = Span {
        start: bytes(start),
        end: bytes(end),
    };
    (text.get(start..end).unwrap_or_default(), span)
}

/// What stands in a line, given by its span: an entry point before a guard, and if there is neither, the
/// entry point in whose handler the line is.
pub(crate) fn in_line(
    db: &dyn Db,
    tree: FileSet,
    file: SourceFile,
    line: Span,
) -> Option<(Subject, Span)> {
    candidates(db, tree, file)
        .into_iter()
        .filter(|candidate| {
            candidate.span.start <= line.end && line.start < candidate.span.end.max(1)
        })
        .min_by_key(|candidate| (candidate.rank, candidate.span.end - candidate.span.start))
        .map(|candidate| (candidate.subject, candidate.shown))
}

const HANDLER: u8 = 0;
const DEFINITION: u8 = 1;
const CHECK: u8 = 2;
const REGISTRATION: u8 = 3;
const ENCLOSING: u8 = 4;

fn candidates(db: &dyn Db, tree: FileSet, file: SourceFile) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    for coverage in &model(db, tree).entry_points {
        let entry = &coverage.entry_point;
        let mut bodies = Vec::new();
        if handler_file(entry) == file {
            if let Handler::Function(_, id) = entry.handler
                && let Some(spans) = function_spans(db, file, id)
            {
                bodies.push(spans.body);
                let head = Span {
                    start: spans.whole.start,
                    end: spans.body.start.max(spans.name.end),
                };
                add(&mut found, head, spans.name, HANDLER, coverage);
                add(&mut found, spans.whole, spans.name, ENCLOSING, coverage);
            } else if let Some(name) = locate(db, handler_site(db, entry)) {
                add(&mut found, name, name, HANDLER, coverage);
            }
        }
        if entry.site.0 == file
            && let Some(span) = locate(db, entry.site)
        {
            // A registration may hold its handler: what stands in there is the handler's matter.
            let body = bodies
                .iter()
                .find(|body| span.start <= body.start && body.end <= span.end);
            let end = body.map_or(span.end, |body| body.start);
            let span = Span {
                start: span.start,
                end,
            };
            add(&mut found, span, span, REGISTRATION, coverage);
        }
        for control in &coverage.controls {
            if let Some(site) = control.definition
                && site.0 == file
                && let Some(span) = locate(db, site)
            {
                guard(&mut found, span, DEFINITION, control);
            }
            if control.registration.0 == file
                && control.registration != entry.site
                && let Some(span) = locate(db, control.registration)
            {
                guard(&mut found, span, CHECK, control);
            }
        }
    }
    found
}

fn add(found: &mut Vec<Candidate>, span: Span, shown: Span, rank: u8, coverage: &Arc<Coverage>) {
    for known in found.iter_mut() {
        if known.span == span
            && known.rank == rank
            && let Subject::Entries(entries) = &mut known.subject
        {
            entries.push(Arc::clone(coverage));
            return;
        }
    }
    found.push(Candidate {
        span,
        shown,
        rank,
        subject: Subject::Entries(vec![Arc::clone(coverage)]),
    });
}

fn guard(found: &mut Vec<Candidate>, span: Span, rank: u8, control: &Control) {
    let known = found.iter().any(|known| {
        known.span == span
            && known.rank == rank
            && matches!(&known.subject, Subject::Guard(guard) if guard.is(control))
    });
    if !known {
        found.push(Candidate {
            span,
            shown: span,
            rank,
            subject: Subject::Guard(Guard::of(control)),
        });
    }
}
