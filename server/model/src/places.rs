//! From places, which have no positions, to spans. Read only when something is shown.

use gatewatch_frameworks::PlaceNode;
use gatewatch_source::{Db, SourceFile};
use gatewatch_syntax::facts::Code;
use gatewatch_syntax::{DefinitionSpans, Span, Spans, file_facts, file_spans, function_home};
use ustr::Ustr;

use crate::alike;
use crate::entry::Site;

/// The span of a place in its file's text. `None` if the file no longer has it.
pub fn locate(db: &dyn Db, site: Site) -> Option<Span> {
    let (file, place) = site;
    let all = file_spans(db, file);
    let facts = file_facts(db, file);
    if place.in_body {
        let (item, body) = facts.place(place.code)?;
        let code = &facts.items.get(item)?.bodies.get(body)?.code;
        let item = all.get(item)?;
        let (origin, spans) = item.bodies.get(body)?;
        let span = node(code, spans, place.node)?.shifted(item.whole.start + origin);
        return Some(link(&file.text(db), span));
    }
    let index = facts.items.iter().position(|item| item.key == place.code)?;
    let code = &facts.items.get(index)?.head;
    let item = all.get(index)?;
    let span = node(code, &item.head, place.node)?.shifted(item.whole.start);
    Some(link(&file.text(db), span))
}

/// A call at the end of a chain that is written over several lines stands where its own link is written:
/// `Router::new()⏎.route(…)⏎.layer(guard)`.
fn link(text: &str, span: Span) -> Span {
    let whole = text
        .get(span.start as usize..span.end as usize)
        .unwrap_or_default();
    if !whole.ends_with(')') || !whole.contains('\n') {
        return span;
    }
    let mut depth = 0usize;
    let mut open = None;
    for (at, byte) in whole.bytes().enumerate().rev() {
        match byte {
            b')' => depth += 1,
            b'(' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    open = Some(at);
                    break;
                }
            }
            _ => {}
        }
    }
    let name = open.and_then(|open| whole.get(..open)).unwrap_or_default();
    let before = name.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_');
    let Some(receiver) = before.strip_suffix('.') else {
        return span;
    };
    let own_line = receiver.trim_end_matches([' ', '\t']).ends_with('\n');
    match u32::try_from(before.len()) {
        Ok(at) if own_line => Span {
            start: span.start + at,
            ..span
        },
        _ => span,
    }
}

fn node(code: &Code, spans: &Spans, node: PlaceNode) -> Option<Span> {
    match alike::found(code, node)? {
        PlaceNode::Expr(index) => spans.exprs.get(index as usize).copied(),
        PlaceNode::Stmt(index) => spans.stmts.get(index as usize).copied(),
        PlaceNode::Function(index) => spans.functions.get(index as usize).map(|spans| spans.name),
        PlaceNode::Class(index) => spans.classes.get(index as usize).map(|spans| spans.name),
        PlaceNode::Saying { .. } | PlaceNode::Try(_) => None,
    }
}

/// The spans of a function's definition, in its file's text.
pub fn function_spans(db: &dyn Db, file: SourceFile, id: Ustr) -> Option<DefinitionSpans> {
    let all = file_spans(db, file);
    let facts = file_facts(db, file);
    let (item, body) = facts.place(id)?;
    let entry = facts.items.get(item)?.bodies.get(body)?;
    let spans = all.get(item)?;
    let (definition, base) = match entry.parent {
        None => (
            spans.head.functions.get(entry.index as usize)?,
            spans.whole.start,
        ),
        Some(parent) => {
            let at = facts
                .items
                .get(item)?
                .bodies
                .iter()
                .position(|body| body.id == parent)?;
            let (origin, inner) = spans.bodies.get(at)?;
            (
                inner.functions.get(entry.index as usize)?,
                spans.whole.start + origin,
            )
        }
    };
    Some(shifted(*definition, base))
}

/// The place of a function's definition.
///
/// A query of its own: the model asks for it, and must not depend on the whole file for that.
#[salsa::tracked(returns(copy))]
pub fn function_site(db: &dyn Db, file: SourceFile, id: Ustr) -> Option<Site> {
    // Of what makes a type an extractor, the implementation.
    if let Some((block, method)) = id.rsplit_once('.')
        && is_extracting(method)
        && let Some(site) = class_site(db, file, ustr::ustr(block))
    {
        return Some(site);
    }
    let facts = function_home(db, file, id)?;
    let (code, in_body) = match facts.parent {
        Some(parent) => (parent, true),
        None => (facts.item, false),
    };
    Some((
        file,
        gatewatch_frameworks::Place {
            code,
            in_body,
            node: PlaceNode::Function(u32::try_from(facts.index).ok()?),
        },
    ))
}

/// Whether a method is what runs when a type is extracted from a request.
pub(crate) fn is_extracting(method: &str) -> bool {
    gatewatch_frameworks::packs()
        .extractors()
        .any(|extractor| extractor.methods.iter().any(|name| name == method))
}

/// The place of a class's definition.
pub fn class_site(db: &dyn Db, file: SourceFile, id: Ustr) -> Option<Site> {
    Some((
        file,
        gatewatch_frameworks::class_roles(db, file, id)?.place?,
    ))
}

fn shifted(spans: DefinitionSpans, by: u32) -> DefinitionSpans {
    DefinitionSpans {
        whole: spans.whole.shifted(by),
        definition: spans.definition.shifted(by),
        name: spans.name.shifted(by),
        list: spans.list.shifted(by),
        body: spans.body.shifted(by),
    }
}
