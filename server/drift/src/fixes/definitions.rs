//! Definitions that changed: of the guard itself, of what it calls and depends on, of what it leaves open.

use gatewatch_frameworks::PlaceNode;
use gatewatch_model::{
    Callable, Coverage, Effects, Handler, Site, Strength, Use, effects_of, function_site,
    function_spans, locate,
};
use gatewatch_source::SourceFile;
use gatewatch_syntax::{Span, Wanted, file_facts};
use ustr::Ustr;

use super::Fixer;
use super::put_back::{Try, part};
use crate::loss::Loss;

impl Fixer<'_> {
    /// What the guard calls, and what it depends on, where that checks less than it did.
    pub(super) fn helpers(&self, loss: &Loss, was: &Coverage) -> Vec<Try> {
        let mut next: Vec<(SourceFile, Ustr)> = Vec::new();
        for guard in &was.asked {
            match &guard.callable {
                Callable::Function(file, id) => next.push((*file, *id)),
                Callable::Made { maker, inner, .. } => {
                    next.push(*maker);
                    next.extend(inner);
                }
                Callable::Class(file, id, _) => next.extend(self.methods(*file, *id)),
                _ => {}
            }
        }
        if let Some(definition) = loss.control.definition {
            next.extend(self.function_of(definition).map(|id| (definition.0, id)));
            if let Some(name) = locate(self.db, definition) {
                let name = self.text(definition.0, name);
                next.extend(self.methods(definition.0, name.as_str().into()));
            }
        }
        if let Handler::Function(file, id) = &was.entry_point.handler {
            next.extend(self.called(*file, *id, Use::Handler));
        }
        let mut seen: Vec<(SourceFile, Ustr)> = Vec::new();
        let mut tries = Vec::new();
        while let Some((file, id)) = next.pop() {
            if seen.contains(&(file, id)) || seen.len() > 64 {
                continue;
            }
            seen.push((file, id));
            next.extend(self.called(file, id, Use::Guard));
            let Some(here) = self.same_file(file).filter(|here| *here != file) else {
                continue;
            };
            let before = effects_of(self.db, self.trees.baseline, file, id, Use::Guard);
            let after = effects_of(self.db, self.trees.current, here, id, Use::Guard);
            let (Some(old), Some(new)) = (
                function_spans(self.db, file, id),
                function_spans(self.db, here, id),
            ) else {
                continue;
            };
            if self.text(file, old.whole) == self.text(here, new.whole)
                || !checks_less(&before, &after)
            {
                continue;
            }
            tries.push(Try {
                was: part(file, old.whole),
                now: part(here, new.whole),
                wanted: Wanted {
                    spans: vec![old.whole],
                    became: vec![(old.whole, new.whole)],
                    exits_go: true,
                    ..Wanted::default()
                },
            });
        }
        tries
    }

    fn called(&self, file: SourceFile, id: Ustr, used: Use) -> Vec<(SourceFile, Ustr)> {
        let effects = effects_of(self.db, self.trees.baseline, file, id, used);
        effects
            .calls
            .iter()
            .map(|(file, id, _)| (*file, *id))
            .collect()
    }

    /// The methods of a class, or of what implements something for a type.
    fn methods(&self, file: SourceFile, class: Ustr) -> Vec<(SourceFile, Ustr)> {
        let facts = file_facts(self.db, file);
        let bare = class.trim_start_matches('<').split([' ', '>']).next();
        let bare = bare.unwrap_or_default();
        let starts = [
            format!("{class}."),
            format!("<{bare}>."),
            format!("<{bare} as"),
        ];
        facts
            .items
            .iter()
            .flat_map(|item| item.bodies.iter())
            .filter(|body| starts.iter().any(|start| body.id.starts_with(start)))
            .map(|body| (file, body.id))
            .collect()
    }

    /// A guard that changed: its definition as it was, under the name that it has now.
    pub(super) fn definition(&self, now: Site, was: Site) -> Vec<Try> {
        let (Some((old_name, old)), Some((_, new))) =
            (self.definition_span(was), self.definition_span(now))
        else {
            return Vec::new();
        };
        let around = [
            Span {
                start: old.start,
                end: old_name.start,
            },
            Span {
                start: old_name.end,
                end: old.end,
            },
        ];
        vec![Try {
            was: part(was.0, old),
            now: part(now.0, new),
            wanted: Wanted {
                spans: around.to_vec(),
                became: vec![(old, new)],
                exits_go: true,
                ..Wanted::default()
            },
        }]
    }

    /// The definition of the same name in the file of now.
    pub(super) fn same_definition(&self, was: Site) -> Option<Site> {
        let file = self.same_file(was.0)?;
        let id = self.function_of(was)?;
        function_site(self.db, file, id)
    }

    fn function_of(&self, site: Site) -> Option<Ustr> {
        let facts = file_facts(self.db, site.0);
        facts.items.iter().find_map(|item| {
            item.bodies.iter().find_map(|body| {
                (function_site(self.db, site.0, body.id) == Some(site)).then_some(body.id)
            })
        })
    }

    /// The name and the whole of a definition.
    pub(super) fn definition_span(&self, site: Site) -> Option<(Span, Span)> {
        let name = locate(self.db, site)?;
        if let PlaceNode::Function(_) = site.1.node {
            let id = self.function_of(site)?;
            return Some((name, function_spans(self.db, site.0, id)?.whole));
        }
        Some((name, self.item_span(site)?))
    }

    /// What a guard leaves open: the list as it was.
    pub(super) fn list(&self, now: Site) -> Vec<Try> {
        let Some(file) = self.trees.baseline.file(self.db, now.0.path(self.db)) else {
            return Vec::new();
        };
        let spans = if now.1.in_body {
            let whole = |file| Some(function_spans(self.db, file, now.1.code)?.whole);
            whole(file).zip(whole(now.0))
        } else {
            self.item_span((file, now.1)).zip(self.item_span(now))
        };
        spans
            .map(|(old, new)| Try {
                was: part(file, old),
                now: part(now.0, new),
                wanted: Wanted {
                    spans: vec![old],
                    became: vec![(old, new)],
                    exits_go: true,
                    ..Wanted::default()
                },
            })
            .into_iter()
            .collect()
    }
}

/// Whether one version of a function makes a check that another doesn't, or makes it better.
fn checks_less(before: &Effects, after: &Effects) -> bool {
    let best = |effects: &Effects, effect| {
        effects
            .checks
            .iter()
            .filter(|check| check.effect == effect)
            .map(|check| check.strength)
            .max()
    };
    before.checks.iter().any(|check| {
        check.strength > Strength::Advisory
            && best(after, check.effect) < best(before, check.effect)
    }) || before.checks.len() > after.checks.len()
}
