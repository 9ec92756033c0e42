//! The guard that the entry points beside an open one use.

use std::sync::Arc;

use gatewatch_frameworks::{PlaceNode, module_roles};
use gatewatch_model::{Coverage, Handler, Site, function_spans, locate};
use gatewatch_syntax::facts::{Expr, ExprId};
use gatewatch_syntax::{Span, file_facts};
use ustr::{Ustr, ustr};

use super::Fixer;
use crate::compare::{authentication, entry_name};
use crate::finding::{Fix, FixEdit};

impl Fixer<'_> {
    /// The guard that the entry points beside this one use.
    pub(super) fn like_siblings(&self, now: &Coverage, all: &[Arc<Coverage>]) -> Option<Fix> {
        let sibling = all.iter().find(|other| {
            other.entry_point.routers.last() == now.entry_point.routers.last()
                && entry_name(other) != entry_name(now)
                && authentication(other).is_some_and(|control| {
                    control.own && control.strength == gatewatch_model::Strength::Enforcing
                })
        })?;
        let control = authentication(sibling)?;
        let site = now.entry_point.site;
        let file = site.0;
        let name = control.name;
        let known = |name: Ustr| module_roles(self.db, file).name(name).is_some();
        let edit = match control.via {
            "decorator" => {
                if control.registration.0 != file {
                    return None;
                }
                let text = self
                    .text(file, locate(self.db, control.registration)?)
                    .to_owned();
                let Handler::Function(handler_file, id) = now.entry_point.handler else {
                    return None;
                };
                if handler_file != file {
                    return None;
                }
                let definition = function_spans(self.db, file, id)?.definition;
                let indent = self.indent(file, definition.start);
                FixEdit {
                    file: file.path(self.db).clone(),
                    span: Span {
                        start: definition.start,
                        end: definition.start,
                    },
                    text: format!("@{text}\n{indent}"),
                }
            }
            "route" => {
                let (start, _) = self.last_argument(site)?;
                if !known(name) {
                    return None;
                }
                FixEdit {
                    file: file.path(self.db).clone(),
                    span: Span { start, end: start },
                    text: format!("{name}, "),
                }
            }
            "dependency" if known(name) && known(ustr("Depends")) => {
                let (_, end) = self.last_argument(site)?;
                FixEdit {
                    file: file.path(self.db).clone(),
                    span: Span { start: end, end },
                    text: format!(", dependencies=[Depends({name})]"),
                }
            }
            _ => return None,
        };
        Some(Fix {
            title: format!("Use `{name}`, as the entry points beside it do"),
            preferred: true,
            edits: vec![edit],
        })
    }

    /// Start and end of the last argument of the call at a place.
    fn last_argument(&self, site: Site) -> Option<(u32, u32)> {
        let PlaceNode::Expr(call) = site.1.node else {
            return None;
        };
        let facts = file_facts(self.db, site.0);
        let code = if site.1.in_body {
            Arc::clone(facts.body(site.1.code)?)
        } else {
            Arc::clone(
                &facts
                    .items
                    .iter()
                    .find(|item| item.key == site.1.code)?
                    .head,
            )
        };
        let Expr::Call { args, .. } = code.expr(ExprId(call)) else {
            return None;
        };
        let last = code.args(args).last()?;
        let place = gatewatch_frameworks::Place {
            node: PlaceNode::Expr(last.value.0),
            ..site.1
        };
        let span = locate(self.db, (site.0, place))?;
        Some((span.start, span.end))
    }
}
