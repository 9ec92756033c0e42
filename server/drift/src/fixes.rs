//! Edits that clear a finding: put back what the baseline had, use what the siblings use, or say that it
//! is meant so.

use std::sync::Arc;

use gatewatch_frameworks::{PlaceNode, module_roles};
use gatewatch_model::{Coverage, Handler, Site, function_spans, linked, locate, model};
use gatewatch_source::{Db, SourceFile};
use gatewatch_syntax::facts::{Expr, ExprId, Imported, Stmt};
use gatewatch_syntax::{Span, file_facts, file_spans};
use ustr::{Ustr, ustr};

use crate::code::Code;
use crate::compare::{Trees, authentication, entry_name};
use crate::finding::{Finding, Fix, FixEdit};
use crate::loss::Cause;
use crate::pairs::{Pair, pairs};

/// Edits of the current tree that clear a finding; empty where none can be offered.
pub fn fixes(db: &dyn Db, trees: Trees, finding: &Finding) -> Vec<Fix> {
    let now = model(db, trees.current);
    let was = model(db, trees.baseline);
    let all = pairs(db, &now, &was);
    let pair = finding
        .entry_point
        .as_ref()
        .and_then(|entry| all.iter().find(|pair| entry_name(&pair.now) == *entry));
    let fixer = Fixer { db, trees };
    let mut found = Vec::new();
    match finding.code {
        Code::PublicEntryPointAdded | Code::SiblingUnguarded => {
            if let Some(pair) = pair {
                found.extend(fixer.like_siblings(&pair.now, &now.entry_points));
                found.extend(fixer.mark_public(&pair.now));
            }
        }
        Code::EntryPointWidened | Code::GuardBypassed | Code::ConfigurationInvalid => {}
        _ => {
            found.extend(fixer.put_back(finding, pair, &all));
            if finding.code == Code::AuthenticationRemoved
                && let Some(pair) = pair
            {
                found.extend(fixer.mark_public(&pair.now));
            }
        }
    }
    found
}

struct Fixer<'a> {
    db: &'a dyn Db,
    trees: Trees,
}

impl Fixer<'_> {
    fn text(&self, file: SourceFile, span: Span) -> &str {
        self.text_of(file).get(span.range()).unwrap_or_default()
    }

    fn text_of(&self, file: SourceFile) -> &str {
        &file.content(self.db).text
    }

    // ---- put back -----------------------------------------------------------------------------

    /// Puts back what stood there at the branch point.
    fn put_back(&self, finding: &Finding, pair: Option<&Pair>, all: &[Pair]) -> Option<Fix> {
        // The loss behind the finding tells what to restore.
        let compare = crate::compare::Compare::for_fixes(
            self.db,
            self.trees,
            linked(self.db, self.trees.current),
            linked(self.db, self.trees.baseline),
        );
        let candidates: Vec<&Pair> = match pair {
            Some(pair) => vec![pair],
            None => all.iter().filter(|pair| pair.was.is_some()).collect(),
        };
        for pair in candidates {
            let Some(was) = &pair.was else { continue };
            for loss in crate::loss::losses(&compare, &pair.now, was) {
                let same_place = match &loss.cause {
                    Cause::Guard(site) => *site == finding.site,
                    _ => pair_is(finding, pair),
                };
                if loss.code != finding.code || !same_place {
                    continue;
                }
                let name = if loss.control.name == "inline" {
                    "the check".to_owned()
                } else {
                    format!("`{}`", loss.control.name)
                };
                let edits = match &loss.cause {
                    Cause::Guard(site) if finding.code == Code::GuardInert => {
                        self.restore_order(*site, loss.control.registration)
                    }
                    Cause::Guard(site)
                        if finding.code == Code::PublicMarkerAdded && !site.1.in_body =>
                    {
                        self.restore_item(*site)
                    }
                    Cause::Guard(site) => self.restore_definition(*site, loss.control.definition?),
                    Cause::Registration(site) => {
                        self.restore_registration(*site, loss.control.registration, &pair.now)
                    }
                    Cause::Own => self.restore_own(&pair.now, was),
                }?;
                return Some(Fix {
                    title: format!("Put {name} back"),
                    preferred: true,
                    edits,
                });
            }
        }
        None
    }

    /// The entry point's own registration, signature or body, whichever differs.
    fn restore_own(&self, now: &Coverage, was: &Coverage) -> Option<Vec<FixEdit>> {
        let (old, new) = (was.entry_point.site, now.entry_point.site);
        if let (Some(old_span), Some(new_span)) = (locate(self.db, old), locate(self.db, new)) {
            let (before, after) = (self.text(old.0, old_span), self.text(new.0, new_span));
            let is_call = matches!(new.1.node, PlaceNode::Expr(_));
            // At another path, its own text would serve it at a third.
            let moved = was.entry_point.own_path != now.entry_point.own_path;
            if is_call && before != after && moved {
                return None;
            }
            if is_call && before != after {
                // A decorator's own arguments, or a registration with its guards.
                return self.replaced(new.0, new_span, before, old.0);
            }
        }
        let (Handler::Function(old_file, old_id), Handler::Function(file, id)) =
            (&was.entry_point.handler, &now.entry_point.handler)
        else {
            return None;
        };
        let old_spans = function_spans(self.db, *old_file, *old_id)?;
        let spans = function_spans(self.db, *file, *id)?;
        let head = |spans: &gatewatch_syntax::DefinitionSpans| Span {
            start: spans.whole.start,
            end: spans.body.start,
        };
        let (old_head, new_head) = (head(&old_spans), head(&spans));
        if self.text(*old_file, old_head).trim() != self.text(*file, new_head).trim() {
            let text = self.text(*old_file, old_head).to_owned();
            return self.replaced(*file, new_head, &text, *old_file);
        }
        let text = self.text(*old_file, old_spans.whole).to_owned();
        if text == self.text(*file, spans.whole) {
            return None;
        }
        self.replaced(*file, spans.whole, &text, *old_file)
    }

    /// The text of a guard's definition.
    fn restore_definition(&self, now: Site, was: Site) -> Option<Vec<FixEdit>> {
        let whole = |site: Site| -> Option<Span> {
            match site.1.node {
                PlaceNode::Function(_) => {
                    let facts = file_facts(self.db, site.0);
                    let id = facts.items.iter().find_map(|item| {
                        item.bodies.iter().find_map(|body| {
                            (gatewatch_model::function_site(self.db, site.0, body.id) == Some(site))
                                .then_some(body.id)
                        })
                    })?;
                    Some(function_spans(self.db, site.0, id)?.whole)
                }
                _ => self.item_span(site),
            }
        };
        let (new, old) = (whole(now)?, whole(was)?);
        let text = self.text(was.0, old).to_owned();
        if text == self.text(now.0, new) {
            return None;
        }
        self.replaced(now.0, new, &text, was.0)
    }

    /// A router's constructor, a mount, or a statement that registered the guard.
    fn restore_registration(&self, now: Site, was: Site, entry: &Coverage) -> Option<Vec<FixEdit>> {
        let (new, old) = (locate(self.db, now)?, locate(self.db, was)?);
        let text = self.text(was.0, old).to_owned();
        let same_kind = {
            let callee = |text: &str| text.split('(').next().unwrap_or_default().trim().to_owned();
            callee(&text) == callee(self.text(now.0, new))
        };
        if same_kind {
            if text == self.text(now.0, new) {
                return None;
            }
            return self.replaced(now.0, new, &text, was.0);
        }
        // The statement is gone: it goes before the first route that it covered.
        let statement = self.item_span(was)?;
        let text = self.text(was.0, statement).to_owned();
        // It stands there still, and the way around it is what is new.
        let here = self.trees.current.file(self.db, was.0.path(self.db))?;
        if self.text_of(here).contains(&text) {
            return None;
        }
        let at = self.item_span(entry.entry_point.site)?;
        let target = entry.entry_point.site.0;
        let start = at.start;
        let mut edits = vec![FixEdit {
            file: target.path(self.db).clone(),
            span: Span { start, end: start },
            text: format!("{text}\n\n"),
        }];
        edits.extend(self.missing_imports(target, &text, was.0));
        Some(edits)
    }

    /// Moves a guard's registration back before what it covered: the whole item as it was.
    fn restore_order(&self, now: Site, was: Site) -> Option<Vec<FixEdit>> {
        if now.0.path(self.db) != was.0.path(self.db) {
            return None;
        }
        let (new, old) = (self.item_span(now)?, self.item_span(was)?);
        let text = self.text(was.0, old).to_owned();
        if text != self.text(now.0, new) {
            return self.replaced(now.0, new, &text, was.0);
        }
        // A statement among statements: the file's old order.
        let whole = Span {
            start: 0,
            end: u32::try_from(self.text_of(now.0).len()).ok()?,
        };
        let before = self.text_of(was.0).to_owned();
        Some(vec![FixEdit {
            file: now.0.path(self.db).clone(),
            span: whole,
            text: before,
        }])
    }

    /// A top-level piece of a file as the same file had it.
    fn restore_item(&self, now: Site) -> Option<Vec<FixEdit>> {
        let was = (
            self.trees.baseline.file(self.db, now.0.path(self.db))?,
            now.1,
        );
        let (new, old) = (self.item_span(now)?, self.item_span(was)?);
        let text = self.text(was.0, old).to_owned();
        if text == self.text(now.0, new) {
            return None;
        }
        self.replaced(now.0, new, &text, was.0)
    }

    /// The top-level piece of a file that a place is in.
    fn item_span(&self, site: Site) -> Option<Span> {
        let facts = file_facts(self.db, site.0);
        let spans = file_spans(self.db, site.0);
        let index = if site.1.in_body {
            facts.place(site.1.code)?.0
        } else {
            facts
                .items
                .iter()
                .position(|item| item.key == site.1.code)?
        };
        Some(spans.get(index)?.whole)
    }

    fn replaced(
        &self,
        file: SourceFile,
        span: Span,
        text: &str,
        from: SourceFile,
    ) -> Option<Vec<FixEdit>> {
        let mut edits = vec![FixEdit {
            file: file.path(self.db).clone(),
            span,
            text: text.to_owned(),
        }];
        edits.extend(self.missing_imports(file, text, from));
        Some(edits)
    }

    /// Imports that a piece of text needs and the file no longer has.
    fn missing_imports(&self, file: SourceFile, text: &str, from: SourceFile) -> Vec<FixEdit> {
        let have = module_roles(self.db, file);
        let words: Vec<&str> = text
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter(|word| !word.is_empty())
            .collect();
        let facts = file_facts(self.db, from);
        let spans = file_spans(self.db, from);
        let mut lines: Vec<String> = Vec::new();
        for (item, places) in facts.items.iter().zip(spans.iter()) {
            for import in &item.head.imports {
                let known = matches!(have.name(import.local), Some(value) if !matches!(value, gatewatch_frameworks::Value::Unknown));
                if import.local.is_empty() || known || !words.contains(&import.local.as_str()) {
                    continue;
                }
                let line = match (gatewatch_syntax::language(self.db, from), import.what) {
                    (Some(gatewatch_syntax::facts::Language::Python), Imported::Name(name)) => {
                        let alias = if name == import.local {
                            String::new()
                        } else {
                            format!(" as {}", import.local)
                        };
                        format!("from {} import {name}{alias}", import.module)
                    }
                    _ => self.text(from, places.whole).to_owned(),
                };
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
        }
        if lines.is_empty() {
            return Vec::new();
        }
        let start = self.import_position(file);
        vec![FixEdit {
            file: file.path(self.db).clone(),
            span: Span { start, end: start },
            text: format!("{}\n", lines.join("\n")),
        }]
    }

    /// Where an import can be added: before the first one, else at the top.
    fn import_position(&self, file: SourceFile) -> u32 {
        let facts = file_facts(self.db, file);
        let spans = file_spans(self.db, file);
        facts
            .items
            .iter()
            .zip(spans.iter())
            .find(|(item, _)| {
                !item.head.imports.is_empty()
                    && !item
                        .head
                        .imports
                        .iter()
                        .any(|import| import.module == "__future__")
            })
            .map_or(0, |(_, places)| places.whole.start)
    }

    // ---- siblings -----------------------------------------------------------------------------

    /// The guard that the entry points beside this one use.
    fn like_siblings(&self, now: &Coverage, all: &[Arc<Coverage>]) -> Option<Fix> {
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

    // ---- on purpose ---------------------------------------------------------------------------

    /// A note above the handler that it is open on purpose.
    fn mark_public(&self, now: &Coverage) -> Option<Fix> {
        let Handler::Function(file, id) = now.entry_point.handler else {
            return None;
        };
        let facts = file_facts(self.db, file);
        let signature = facts.signature(id)?;
        let start = if signature.name.is_empty() {
            // An unnamed handler: above the statement that registers it.
            self.statement_start(file, id)?
        } else {
            function_spans(self.db, file, id)?.whole.start
        };
        let indent = self.indent(file, start);
        let comment = match gatewatch_syntax::language(self.db, file)? {
            gatewatch_syntax::facts::Language::Python => "#",
            _ => "//",
        };
        Some(Fix {
            title: format!("Mark `{}` as public on purpose", entry_name(now)),
            preferred: false,
            edits: vec![FixEdit {
                file: file.path(self.db).clone(),
                span: Span { start, end: start },
                text: format!("{comment} gatewatch: public\n{indent}"),
            }],
        })
    }

    /// The start of the top-level statement in whose head an unnamed function stands.
    fn statement_start(&self, file: SourceFile, id: Ustr) -> Option<u32> {
        let facts = file_facts(self.db, file);
        let (item, body) = facts.place(id)?;
        let entry = facts.items.get(item)?;
        if entry.bodies.get(body)?.parent.is_some() {
            return None;
        }
        let expression = entry.head.block(entry.head.root).any(|stmt| {
            matches!(
                entry.head.stmt(stmt),
                Some(Stmt::Expr(_) | Stmt::Let { .. })
            )
        });
        expression
            .then(|| {
                file_spans(self.db, file)
                    .get(item)
                    .map(|places| places.whole.start)
            })
            .flatten()
    }

    /// The blanks before a byte on its line.
    fn indent(&self, file: SourceFile, at: u32) -> String {
        let before = self.text_of(file).get(..at as usize).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        line.chars().take_while(|c| c.is_whitespace()).collect()
    }
}

fn pair_is(finding: &Finding, pair: &Pair) -> bool {
    finding
        .entry_point
        .as_ref()
        .is_some_and(|entry| entry_name(&pair.now) == *entry)
}
