//! Where a lost control was written at the branch point, and what of the present text that corresponds to: the most
//! particular place first.

use gatewatch_frameworks::PlaceNode;
use gatewatch_model::{
    Coverage, Handler, Module, Site, function_spans, linked, locate, resolve_module,
};
use gatewatch_source::SourceFile;
use gatewatch_syntax::facts::Imported;
use gatewatch_syntax::{
    Part, Span, Wanted, definers, element, file_facts, members, parameter, statement, top_level,
};

use super::Fixer;
use super::put_back::{Try, part, whole};
use crate::code::Code;
use crate::loss::{Cause, Loss};

impl Fixer<'_> {
    pub(super) fn ways(&self, loss: &Loss, now: &Coverage, was: &Coverage) -> Vec<Try> {
        let mut tries = self.all_ways(loss, now, was);
        // The guard stands on a router that no longer leads here: its order is not what was lost.
        let linked = linked(self.db, self.trees.current);
        let elsewhere = loss.code != Code::GuardInert
            && !loss.control.own
            && linked
                .registered
                .iter()
                .filter(|registered| registered.guard.name() == loss.control.name)
                .all(|registered| !now.entry_point.routers.contains(&registered.router));
        for one in &mut tries {
            one.wanted.keeps_order = elsewhere;
        }
        tries
    }

    fn all_ways(&self, loss: &Loss, now: &Coverage, was: &Coverage) -> Vec<Try> {
        match &loss.cause {
            Cause::Guard(site) if loss.code == Code::GuardInert => {
                self.registration(loss, *site, loss.control.registration)
            }
            Cause::Guard(site) if loss.code == Code::PublicMarkerAdded => self.list(*site),
            Cause::Guard(site) => {
                let mut tries = Vec::new();
                if let Some(definition) = loss.control.definition {
                    tries.extend(self.definition(*site, definition));
                }
                tries.extend(self.helpers(loss, was));
                tries.extend(self.named(loss));
                tries
            }
            Cause::Registration(site) => {
                let mut tries = self.registration(loss, *site, loss.control.registration);
                tries.extend(self.named(loss));
                tries.extend(self.class(loss));
                tries
            }
            Cause::Own => {
                let mut tries = self.own(loss, now, was);
                tries.extend(self.named(loss));
                tries.extend(self.class(loss));
                tries.extend(self.links(loss, now, was));
                tries.extend(self.helpers(loss, was));
                tries.extend(self.router(loss, now, was));
                tries
            }
        }
    }

    /// What was registered for several entry points: on a router, at a mount, in front of an application.
    fn registration(&self, loss: &Loss, now: Site, was: Site) -> Vec<Try> {
        let Some(old) = locate(self.db, was) else {
            return Vec::new();
        };
        let mut tries = self.hook(loss, old);
        let ways = [Some(self.wanted(loss, old)), self.all_around(was.0, old)];
        for wanted in ways.into_iter().flatten() {
            if let Some(here) = self.same_file(was.0) {
                tries.push(Try {
                    was: whole(was.0),
                    now: whole(here),
                    wanted,
                });
            }
        }
        // The code that it stood in has gone elsewhere.
        if was.0.path(self.db) != now.0.path(self.db)
            && let (Some(one), Some(other)) = (self.item_span(was), self.item_span(now))
        {
            tries.push(Try {
                was: part(was.0, one),
                now: part(now.0, other),
                wanted: self.wanted(loss, old),
            });
        }
        tries
    }

    /// What was written for the entry point alone: beside its path, on its handler, or in it.
    fn own(&self, loss: &Loss, now: &Coverage, was: &Coverage) -> Vec<Try> {
        let site = loss.control.registration;
        let Some(old) = locate(self.db, site) else {
            return Vec::new();
        };
        let wanted = self.wanted(loss, old);
        let mut tries = self.hook(loss, old);
        if matches!(
            loss.code,
            Code::AuthorizationAfterFetch | Code::AuthorizationAfterWrite
        ) {
            tries.extend(self.earlier(loss, now, was));
        }
        let all = self.all_around(site.0, old);
        let mut told = Vec::new();
        let mut both = |was: Part, now: Part, told: &[(Span, Span)]| {
            for wanted in std::iter::once(&wanted).chain(&all) {
                let mut wanted = wanted.clone();
                wanted.became = told.to_vec();
                tries.push(Try { was, now, wanted });
            }
        };
        let handlers = self.handlers(now, was);
        if let Some((before, after)) = &handlers
            && site.0 == before.file
            && before.span.is_some_and(|span| contains(span, old))
        {
            told.extend(before.span.zip(after.span));
            both(*before, *after, &told);
        }
        let (before, after) = (was.entry_point.site, now.entry_point.site);
        let around = |site: Site| {
            let span = locate(self.db, site)?;
            statement(&self.read, site.0, span)
        };
        if let (Some(one), Some(other)) = (around(before), around(after))
            && before.0 == site.0
            && contains(one, old)
        {
            both(part(before.0, one), part(after.0, other), &[(one, other)]);
        }
        if let Some(here) = self.same_file(site.0) {
            both(whole(site.0), whole(here), &told);
        }
        // The check stands there still, but what it looks at comes from elsewhere.
        if let Some((before, after)) = &handlers
            && let Some(around) = statement(&self.read, site.0, old)
            && site.0 == before.file
            && loss.control.via == "inline"
        {
            let mut spans = definers(&self.read, before.file, before.span, around);
            for _ in 0..2 {
                let more: Vec<Span> = spans
                    .iter()
                    .flat_map(|span| definers(&self.read, before.file, before.span, *span))
                    .collect();
                tries.push(Try {
                    was: *before,
                    now: *after,
                    wanted: Wanted {
                        spans: spans.clone(),
                        became: told.clone(),
                        exits_go: true,
                        ..Wanted::default()
                    },
                });
                spans.extend(more);
                spans.sort();
                spans.dedup();
            }
        }
        tries
    }

    /// A guard that is registered where it is defined.
    fn hook(&self, loss: &Loss, registered: Span) -> Vec<Try> {
        let site = loss.control.registration;
        let Some(definition) = loss.control.definition else {
            return Vec::new();
        };
        let Some((name, span)) = self.definition_span(definition) else {
            return Vec::new();
        };
        // Above its name, as a decorator is.
        if definition.0 != site.0 || !contains(span, registered) || registered.end > name.start {
            return Vec::new();
        }
        if let Some(now) = self.same_definition(definition) {
            return self.definition(now, definition);
        }
        self.same_file(site.0)
            .map(|here| Try {
                was: whole(site.0),
                now: whole(here),
                wanted: Wanted {
                    spans: vec![span],
                    ..Wanted::default()
                },
            })
            .into_iter()
            .collect()
    }

    /// A check that went behind what it protects: the statement that makes it, where it was.
    fn earlier(&self, loss: &Loss, now: &Coverage, was: &Coverage) -> Option<Try> {
        let site = loss.control.registration;
        let (before, after) = self.handlers(now, was)?;
        let around = statement(&self.read, site.0, locate(self.db, site)?)?;
        Some(Try {
            was: before,
            now: after,
            wanted: Wanted {
                spans: vec![around],
                became: before.span.zip(after.span).into_iter().collect(),
                ..Wanted::default()
            },
        })
    }

    /// Of guards that lead to one another the link that is gone.
    fn links(&self, loss: &Loss, now: &Coverage, was: &Coverage) -> Vec<Try> {
        let mut tries = Vec::new();
        for guard in &was.asked {
            let stands = now.asked.iter().any(|other| other.name() == guard.name());
            let site = guard.site;
            let (Some(span), Some(here)) = (locate(self.db, site), self.same_file(site.0)) else {
                continue;
            };
            if stands || site == loss.control.registration {
                continue;
            }
            for wanted in [
                Some(self.wanted_of(site, &guard.name(), span)),
                self.all_around(site.0, span),
            ]
            .into_iter()
            .flatten()
            {
                tries.push(Try {
                    was: whole(site.0),
                    now: whole(here),
                    wanted,
                });
            }
        }
        tries
    }

    /// The definitions of both handlers, if they are functions.
    fn handlers(&self, now: &Coverage, was: &Coverage) -> Option<(Part, Part)> {
        let of = |coverage: &Coverage| match &coverage.entry_point.handler {
            Handler::Function(file, id) => {
                Some(part(*file, function_spans(self.db, *file, *id)?.whole))
            }
            _ => None,
        };
        of(was).zip(of(now))
    }

    /// The guard stands in a list, or under a name, that the registration or the guard itself uses.
    fn named(&self, loss: &Loss) -> Vec<Try> {
        let name = loss.control.name.as_str();
        let mut next: Vec<(SourceFile, Span)> = Vec::new();
        let site = loss.control.registration;
        if let Some(old) = locate(self.db, site) {
            let (written, _) = self.written(site, name, old);
            next.push((site.0, written));
        }
        if let Some(definition) = loss.control.definition
            && let Some((_, span)) = self.definition_span(definition)
        {
            next.push((definition.0, span));
        }
        let mut seen = next.clone();
        let mut tries = Vec::new();
        for _ in 0..3 {
            let mut found: Vec<(SourceFile, Span)> = Vec::new();
            for (file, span) in &next {
                for word in words(&self.text(*file, *span)) {
                    let value = self.value_of(*file, word);
                    found.extend(value.filter(|value| !seen.contains(value)));
                }
            }
            found.sort_by_key(|(file, span)| (file.path(self.db).clone(), *span));
            found.dedup();
            for (file, span) in &found {
                let Some(here) = self.same_file(*file).filter(|here| here != file) else {
                    continue;
                };
                let named = element(&self.read, *file, *span, name);
                let core = named.map(|_| name.to_owned());
                for (span, exits_go, core) in
                    [(named.unwrap_or(*span), false, core), (*span, true, None)]
                {
                    tries.push(Try {
                        was: whole(*file),
                        now: whole(here),
                        wanted: Wanted {
                            spans: vec![span],
                            core,
                            exits_go,
                            ..Wanted::default()
                        },
                    });
                }
            }
            seen.extend(&found);
            next = found;
        }
        tries
    }

    /// The value that a name has at the top of a file, or of the file that it is imported from.
    fn value_of(&self, file: SourceFile, name: &str) -> Option<(SourceFile, Span)> {
        let (mut file, mut name) = (file, name.to_owned());
        for _ in 0..4 {
            let facts = file_facts(self.db, file);
            let import = facts
                .items
                .iter()
                .flat_map(|item| item.head.imports.iter())
                .find(|import| import.local == name.as_str());
            let Some(import) = import else {
                let span = top_level(&self.read, file, &name)?;
                return self.is_value(file, span).then_some((file, span));
            };
            let Imported::Name(of) = import.what else {
                return None;
            };
            match resolve_module(self.db, self.trees.baseline, file, &import.module) {
                Module::File(other) => (file, name) = (other, of.to_string()),
                _ => return None,
            }
        }
        None
    }

    /// Whether a top-level piece gives a name to a value: no import, no definition.
    fn is_value(&self, file: SourceFile, span: Span) -> bool {
        let facts = file_facts(self.db, file);
        let spans = gatewatch_syntax::file_spans(self.db, file);
        facts.items.iter().zip(spans.iter()).any(|(item, places)| {
            contains(places.whole, span)
                && item.head.imports.is_empty()
                && item.head.classes.is_empty()
                && !item.bodies.iter().any(|body| body.id == item.key)
        })
    }

    /// The guard is the class's: in its bases, its decorators, a field of it.
    fn class(&self, loss: &Loss) -> Vec<Try> {
        let site = loss.control.registration;
        if !matches!(site.1.node, PlaceNode::Class(_)) {
            return Vec::new();
        }
        let Some(here) = self.same_file(site.0) else {
            return Vec::new();
        };
        let found = locate(self.db, site).and_then(|name| members(&self.read, site.0, name));
        let Some((_, found)) = found else {
            return Vec::new();
        };
        let name = loss.control.name.as_str();
        let mut tries = Vec::new();
        for span in &found {
            if let Some(named) = element(&self.read, site.0, *span, name) {
                tries.push((named, Some(name.to_owned()), false));
                tries.push((*span, None, true));
            }
        }
        // Inherited.
        tries.extend(found.first().map(|span| (*span, None, true)));
        tries
            .into_iter()
            .map(|(span, core, exits_go)| Try {
                was: whole(site.0),
                now: whole(here),
                wanted: Wanted {
                    spans: vec![span],
                    core,
                    exits_go,
                    ..Wanted::default()
                },
            })
            .collect()
    }

    /// The entry point went to a router without the guard: back to the one it was on.
    fn router(&self, loss: &Loss, now: &Coverage, was: &Coverage) -> Vec<Try> {
        let (before, after) = (was.entry_point.site, now.entry_point.site);
        let same = was.entry_point.own_path == now.entry_point.own_path
            && was.entry_point.method == now.entry_point.method;
        let (Some((old, new)), true) = (self.handlers(now, was), same) else {
            return Vec::new();
        };
        let (Some(one), Some(other)) = (locate(self.db, before), locate(self.db, after)) else {
            return Vec::new();
        };
        let decorates = old.file == before.0
            && new.file == after.0
            && old.span.is_some_and(|span| contains(span, one))
            && new.span.is_some_and(|span| contains(span, other));
        if loss.control.own || !decorates || before.0.path(self.db) != after.0.path(self.db) {
            return Vec::new();
        }
        let mut became: Vec<(Span, Span)> = old.span.zip(new.span).into_iter().collect();
        let line = |site: Site, span: Span| statement(&self.read, site.0, span).unwrap_or(span);
        became.push((line(before, one), line(after, other)));
        vec![Try {
            was: old,
            now: new,
            wanted: Wanted {
                spans: vec![line(before, one)],
                became,
                exits_go: true,
                ..Wanted::default()
            },
        }]
    }

    /// The place where a registration names its guard, else all of it.
    fn wanted(&self, loss: &Loss, span: Span) -> Wanted {
        self.wanted_of(loss.control.registration, &loss.control.name, span)
    }

    fn wanted_of(&self, site: Site, name: &str, span: Span) -> Wanted {
        let (named, core) = self.written(site, name, span);
        Wanted {
            spans: vec![named],
            core,
            ..Wanted::default()
        }
    }

    /// How a guard is written at a registration: the element that names it, or the parameter that takes what it gives. And
    /// the word that tells it from others there.
    pub(super) fn written(&self, site: Site, name: &str, span: Span) -> (Span, Option<String>) {
        if let Some(named) = element(&self.read, site.0, span, name) {
            return (named, Some(name.to_owned()));
        }
        match parameter(&self.read, site.0, span) {
            Some(whole) => {
                let text = self.text(site.0, whole);
                (whole, text.contains(name).then(|| name.to_owned()))
            }
            None => (span, None),
        }
    }

    /// The whole statement around a registration or check, with all that is different in it.
    fn all_around(&self, file: SourceFile, span: Span) -> Option<Wanted> {
        Some(Wanted {
            spans: vec![statement(&self.read, file, span)?],
            exits_go: true,
            ..Wanted::default()
        })
    }
}

pub(super) fn contains(span: Span, inner: Span) -> bool {
    span.start <= inner.start && inner.end <= span.end
}

/// The names in a text.
fn words(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> = text
        .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
        .filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$'))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}
