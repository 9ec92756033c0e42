//! Puts back what the branch point had, and nothing else.
//!
//! The text of the branch point tells how the control was written. Only that comes back, into the text as it is now: what
//! else changed in the same function, registration or file stays.

use gatewatch_frameworks::PlaceNode;
use gatewatch_model::{Coverage, Handler, Site, function_site, function_spans, locate};
use gatewatch_source::SourceFile;
use gatewatch_syntax::{
    Part, Span, Wanted, element, file_facts, restore, restore_names, statement,
};

use super::Fixer;
use crate::code::Code;
use crate::compare::{Compare, entry_name};
use crate::finding::{Finding, Fix, FixEdit};
use crate::loss::{Cause, Loss, losses};
use crate::pairs::Pair;

impl Fixer<'_> {
    /// Puts back what stood there at the branch point.
    pub(super) fn put_back(
        &self,
        finding: &Finding,
        pair: Option<&Pair>,
        all: &[Pair],
    ) -> Option<Fix> {
        // The loss behind the finding tells what to restore.
        let compare = Compare::for_fixes(self.db, self.trees);
        let candidates: Vec<&Pair> = match pair {
            Some(pair) => vec![pair],
            None => all.iter().filter(|pair| pair.was.is_some()).collect(),
        };
        for pair in candidates {
            let Some(was) = &pair.was else { continue };
            for loss in losses(&compare, &pair.now, was) {
                let same_place = match &loss.cause {
                    Cause::Guard(site) => *site == finding.site,
                    _ => finding
                        .entry_point
                        .as_ref()
                        .is_some_and(|entry| entry_name(&pair.now) == *entry),
                };
                if loss.code != finding.code || !same_place {
                    continue;
                }
                let edits = self.restored(&loss, &pair.now, was)?;
                return Some(Fix {
                    title: title(&loss),
                    preferred: true,
                    edits,
                });
            }
        }
        None
    }

    fn restored(&self, loss: &Loss, now: &Coverage, was: &Coverage) -> Option<Vec<FixEdit>> {
        let tries = match &loss.cause {
            Cause::Guard(site) if loss.code == Code::GuardInert => {
                self.registration(loss, *site, loss.control.registration)
            }
            Cause::Guard(site) if loss.code == Code::PublicMarkerAdded => self.list(*site),
            Cause::Guard(site) => self.definition(*site, loss.control.definition?),
            Cause::Registration(site) => self.registration(loss, *site, loss.control.registration),
            Cause::Own => self.own(loss, now, was),
        };
        tries.into_iter().find_map(|one| self.edits(&one, loss))
    }

    /// What an attempt changes, with the names that it needs.
    fn edits(&self, one: &Try, loss: &Loss) -> Option<Vec<FixEdit>> {
        let found = restore(self.db, one.was, one.now, &one.wanted)?;
        let mut files = vec![(one.now.file, found)];
        self.needed(one.was.file, &mut files);
        // The guard itself may have gone with its last use.
        if let Some(definition) = loss.control.definition
            && !matches!(loss.cause, Cause::Guard(_))
            && let Some(here) = self.same_file(definition.0)
            && let Some((_, lost)) = self.definition_span(definition)
            && self.is_gone(definition, here)
        {
            let wanted = Wanted {
                spans: vec![lost],
                ..Wanted::default()
            };
            let more = restore(self.db, whole(definition.0), whole(here), &wanted);
            for edit in more.unwrap_or_default() {
                add(&mut files, here, edit);
            }
        }
        let mut edits: Vec<FixEdit> = Vec::new();
        for (file, found) in files {
            for (span, text) in found {
                edits.push(FixEdit {
                    file: file.path(self.db).clone(),
                    span,
                    text,
                });
            }
        }
        Some(edits)
    }

    /// Adds the imports and definitions that what comes back needs.
    fn needed(&self, was: SourceFile, files: &mut Vec<(SourceFile, Vec<(Span, String)>)>) {
        let Some((file, edits)) = files.first() else {
            return;
        };
        let (file, edits) = (*file, edits.clone());
        let texts: Vec<&str> = edits.iter().map(|(_, text)| text.as_str()).collect();
        if was.path(self.db) == file.path(self.db) {
            for edit in restore_names(self.db, was, file, &texts) {
                add(files, file, edit);
            }
            return;
        }
        for import in self.missing_imports(file, &texts.join("\n"), was) {
            add(files, file, (import.span, import.text));
        }
    }

    /// Whether the file of now lacks a definition of the branch point.
    fn is_gone(&self, was: Site, here: SourceFile) -> bool {
        let name = locate(self.db, was).map(|span| self.text(was.0, span).to_owned());
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return false;
        };
        !file_facts(self.db, here)
            .items
            .iter()
            .any(|item| item.key == name || item.bodies.iter().any(|body| body.id == name))
            && gatewatch_frameworks::module_roles(self.db, here)
                .name(name.as_str().into())
                .is_none()
    }

    /// The file of the current tree at the same path.
    pub(super) fn same_file(&self, was: SourceFile) -> Option<SourceFile> {
        self.trees.current.file(self.db, was.path(self.db))
    }

    /// A guard that changed: its definition as it was, under the name that it has now.
    fn definition(&self, now: Site, was: Site) -> Vec<Try> {
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
                exits_go: true,
                ..Wanted::default()
            },
        }]
    }

    /// The name and the whole of a definition.
    fn definition_span(&self, site: Site) -> Option<(Span, Span)> {
        let name = locate(self.db, site)?;
        let facts = file_facts(self.db, site.0);
        if let PlaceNode::Function(_) = site.1.node {
            let id = facts.items.iter().find_map(|item| {
                item.bodies.iter().find_map(|body| {
                    (function_site(self.db, site.0, body.id) == Some(site)).then_some(body.id)
                })
            })?;
            return Some((name, function_spans(self.db, site.0, id)?.whole));
        }
        Some((name, self.item_span(site)?))
    }

    /// What a guard leaves open: the list as it was.
    fn list(&self, now: Site) -> Vec<Try> {
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
                    exits_go: true,
                    ..Wanted::default()
                },
            })
            .into_iter()
            .collect()
    }

    /// What was registered for several entry points: on a router, at a mount, in front of an application.
    fn registration(&self, loss: &Loss, now: Site, was: Site) -> Vec<Try> {
        let Some(old) = locate(self.db, was) else {
            return Vec::new();
        };
        let mut tries = Vec::new();
        let ways = [Some(self.wanted(loss, old)), self.all_around(was.0, old)];
        for wanted in ways.into_iter().flatten() {
            if let Some(here) = self.same_file(was.0) {
                tries.push(Try {
                    was: whole(was.0),
                    now: whole(here),
                    wanted: wanted.clone(),
                });
            }
            // The code that it stood in may have gone elsewhere.
            if let (Some(old), Some(new)) = (self.item_span(was), self.item_span(now)) {
                tries.push(Try {
                    was: part(was.0, old),
                    now: part(now.0, new),
                    wanted,
                });
            }
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
        let mut tries = Vec::new();
        let all = self.all_around(site.0, old);
        let mut both = |was: Part, now: Part| {
            for wanted in std::iter::once(&wanted).chain(&all) {
                tries.push(Try {
                    was,
                    now,
                    wanted: wanted.clone(),
                });
            }
        };
        if let (Handler::Function(old_file, old_id), Handler::Function(file, id)) =
            (&was.entry_point.handler, &now.entry_point.handler)
            && let Some(before) = function_spans(self.db, *old_file, *old_id)
            && let Some(after) = function_spans(self.db, *file, *id)
            && site.0 == *old_file
            && before.whole.start <= old.start
            && old.end <= before.whole.end
        {
            both(part(*old_file, before.whole), part(*file, after.whole));
        }
        let (before, after) = (was.entry_point.site, now.entry_point.site);
        let around = |site: Site| {
            let span = locate(self.db, site)?;
            statement(self.db, site.0, span)
        };
        if let (Some(one), Some(other)) = (around(before), around(after))
            && before.0 == site.0
            && one.start <= old.start
            && old.end <= one.end
        {
            both(part(before.0, one), part(after.0, other));
        }
        if let Some(here) = self.same_file(site.0) {
            both(whole(site.0), whole(here));
        }
        tries
    }

    /// The place where a registration names its guard, else all of it.
    fn wanted(&self, loss: &Loss, span: Span) -> Wanted {
        let name = loss.control.name.as_str();
        let named = element(self.db, loss.control.registration.0, span, name);
        Wanted {
            spans: vec![named.unwrap_or(span)],
            core: named.map(|_| name.to_owned()),
            ..Wanted::default()
        }
    }

    /// The whole statement around a registration or check, with all that is different in it.
    fn all_around(&self, file: SourceFile, span: Span) -> Option<Wanted> {
        Some(Wanted {
            spans: vec![statement(self.db, file, span)?],
            exits_go: true,
            ..Wanted::default()
        })
    }
}

/// One way to restore something.
struct Try {
    was: Part,
    now: Part,
    wanted: Wanted,
}

fn whole(file: SourceFile) -> Part {
    Part { file, span: None }
}

fn part(file: SourceFile, span: Span) -> Part {
    Part {
        file,
        span: Some(span),
    }
}

/// Adds an edit unless it is in the way of one that is there.
fn add(
    files: &mut Vec<(SourceFile, Vec<(Span, String)>)>,
    file: SourceFile,
    edit: (Span, String),
) {
    let Some((_, edits)) = files.iter_mut().find(|(other, _)| *other == file) else {
        files.push((file, vec![edit]));
        return;
    };
    let clash = edits.iter().any(|(span, text)| {
        (edit.0.start < span.end && span.start < edit.0.end)
            || (*span == edit.0 && *text == edit.1)
    });
    if !clash {
        edits.push(edit);
        edits.sort_by_key(|(span, _)| (span.start, span.end));
    }
}

fn title(loss: &Loss) -> String {
    if loss.control.name == "inline" {
        "Put the check back".to_owned()
    } else {
        format!("Put `{}` back", loss.control.name)
    }
}
