//! The guard that the entry points beside an open one use, and the one that stands in front of the other way to the same
//! handler.
//!
//! It is written for this entry point in the way in which it is written for the other one.

use std::sync::Arc;

use gatewatch_model::{Control, Coverage, Handler, Site, Strength, function_spans, locate};
use gatewatch_source::{Db, SourceFile};
use gatewatch_syntax::{Part, Span, Wanted, restore, statement};

use super::Fixer;
use super::put_back::part;
use crate::compare::{authentication, entry_name};
use crate::finding::{Fix, FixEdit};
use crate::pairs::Pair;

impl Fixer<'_> {
    /// The guard that the entry points beside this one use.
    pub(super) fn like_siblings(&self, now: &Coverage, all: &[Arc<Coverage>]) -> Option<Fix> {
        let beside: Vec<(&Coverage, &Control)> = all
            .iter()
            .filter(|other| {
                other.entry_point.routers.last() == now.entry_point.routers.last()
                    && entry_name(other) != entry_name(now)
            })
            .filter_map(|other| Some((&**other, own_guard(other)?)))
            .collect();
        let count = |control: &Control| {
            beside
                .iter()
                .filter(|(_, other)| other.full_name == control.full_name)
                .count()
        };
        // What most of them use, and of these one with the same verb.
        let mut ordered: Vec<&(&Coverage, &Control)> = beside.iter().collect();
        ordered.sort_by_key(|(other, control)| {
            (
                std::cmp::Reverse(count(control)),
                other.entry_point.method != now.entry_point.method,
            )
        });
        ordered.into_iter().take(8).find_map(|(other, control)| {
            let title = format!("Use `{}`, as the entry points beside it do", control.name);
            self.copied(now, other, control, &title, &[])
        })
    }

    /// The guard of another way to the same handler.
    pub(super) fn like_the_other_way(&self, now: &Coverage, pairs: &[Pair]) -> Option<Fix> {
        // A mount that leads to others as well must not be closed for them.
        let mounts: Vec<Site> = now
            .entry_point
            .mounts
            .iter()
            .copied()
            .filter(|mount| {
                !pairs
                    .iter()
                    .any(|pair| pair.was.is_some() && pair.now.entry_point.mounts.contains(mount))
            })
            .collect();
        pairs
            .iter()
            .map(|pair| &pair.now)
            .filter(|other| {
                other.entry_point.handler == now.entry_point.handler
                    && entry_name(other) != entry_name(now)
            })
            .find_map(|other| {
                let control = authentication(other)
                    .filter(|control| control.strength == Strength::Enforcing)?;
                let title = format!("Use `{}`, as `{}` does", control.name, entry_name(other));
                self.copied(now, other, control, &title, &mounts)
            })
    }

    /// Writes for an entry point what is written for another one.
    fn copied(
        &self,
        now: &Coverage,
        other: &Coverage,
        control: &Control,
        title: &str,
        mounts: &[Site],
    ) -> Option<Fix> {
        let site = control.registration;
        let from = locate(self.db, site)?;
        let (named, core) = self.written(site, &control.name, from);
        if control.name == "inline" {
            return None;
        }
        self.places(now, other, mounts)
            .into_iter()
            .find_map(|(one, mine)| {
                let span = one.span?;
                if one.file != site.0 || span.start > from.start || from.end > span.end {
                    return None;
                }
                let mut became: Vec<(Span, Span)> = vec![(span, mine.span?)];
                became.extend(self.heads(other).zip(self.heads(now)));
                let wanted = Wanted {
                    spans: vec![named],
                    core: core.clone(),
                    became,
                    ..Wanted::default()
                };
                let mut found = restore(&self.read, one, mine, &wanted)?;
                if file_extension(self.db, mine.file) == "rs" && control.via == "extractor" {
                    for (_, text) in &mut found {
                        unused(text);
                    }
                }
                if found.iter().any(|(_, text)| text.contains("await")) && !self.is_async(now) {
                    return None;
                }
                // Only the guard comes along, not what else the other one is.
                let path = other.entry_point.own_path.as_str();
                let handler = match &other.entry_point.handler {
                    Handler::Function(_, id) => id.rsplit('.').next().unwrap_or_default(),
                    _ => "",
                };
                let more = found.iter().any(|(span, text)| {
                    span.start != span.end
                        || (path.len() > 1 && text.contains(path))
                        || text.contains("=>")
                        || text
                            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                            .any(|word| word == handler)
                });
                if more || !self.same_crate(one.file, mine.file) {
                    return None;
                }
                let mut files: Vec<(SourceFile, Vec<(Span, String)>)> = vec![(mine.file, found)];
                self.needed(one.file, &mut files)?;
                let edits = files
                    .into_iter()
                    .flat_map(|(file, edits)| edits.into_iter().map(move |edit| (file, edit)))
                    .map(|(file, (span, text))| FixEdit {
                        file: file.path(self.db).clone(),
                        span,
                        text,
                    })
                    .collect();
                Some(Fix {
                    title: title.to_owned(),
                    preferred: true,
                    edits,
                })
            })
    }

    /// The places of two entry points that correspond: handlers, registrations, mounts.
    fn places(&self, now: &Coverage, other: &Coverage, mounts: &[Site]) -> Vec<(Part, Part)> {
        let mut found = Vec::new();
        if let (Handler::Function(file, id), Handler::Function(my_file, my_id)) =
            (&other.entry_point.handler, &now.entry_point.handler)
            && let Some(one) = function_spans(self.db, *file, *id)
            && let Some(mine) = function_spans(self.db, *my_file, *my_id)
        {
            found.push((part(*file, one.whole), part(*my_file, mine.whole)));
        }
        let sites = |coverage: &Coverage| {
            let mut sites = vec![coverage.entry_point.site];
            sites.extend(coverage.entry_point.mounts.iter().rev());
            sites
        };
        for (one, mine) in sites(other).into_iter().zip(sites(now)) {
            let (Some(one_span), Some(my_span)) = (locate(self.db, one), locate(self.db, mine))
            else {
                continue;
            };
            if mine != now.entry_point.site && !mounts.contains(&mine) {
                continue;
            }
            if one != mine {
                found.push((part(one.0, one_span), part(mine.0, my_span)));
            }
            let (Some(around), Some(my_around)) = (
                statement(&self.read, one.0, one_span),
                statement(&self.read, mine.0, my_span),
            ) else {
                continue;
            };
            if around != my_around || one.0 != mine.0 {
                found.push((part(one.0, around), part(mine.0, my_around)));
            }
        }
        found
    }

    /// Whether what one file may name, the other may, too.
    fn same_crate(&self, one: SourceFile, other: SourceFile) -> bool {
        let root = |file: SourceFile| {
            let path = file.path(self.db).as_str();
            let end = path.rfind("src/").unwrap_or(0);
            path.get(..end).unwrap_or_default().to_owned()
        };
        file_extension(self.db, one) != "rs" || root(one) == root(other)
    }

    /// A handler's definition without its decorators.
    fn heads(&self, coverage: &Coverage) -> Option<Span> {
        let Handler::Function(file, id) = &coverage.entry_point.handler else {
            return None;
        };
        let spans = function_spans(self.db, *file, *id)?;
        Some(Span {
            start: spans.definition.start,
            end: spans.whole.end,
        })
    }

    fn is_async(&self, coverage: &Coverage) -> bool {
        let Handler::Function(file, id) = &coverage.entry_point.handler else {
            return false;
        };
        gatewatch_syntax::file_facts(self.db, *file)
            .signature(*id)
            .is_some_and(|signature| signature.is_async)
    }
}

/// A parameter that nothing uses yet, named as one.
fn unused(text: &mut String) {
    let name = text.trim_start_matches([',', ' ', '\n']);
    let at = text.len() - name.len();
    let word = name.split(':').next().unwrap_or_default();
    let plain = word.chars().all(|c| c.is_alphanumeric() || c == '_');
    if plain && !word.is_empty() && !word.starts_with('_') {
        text.insert(at, '_');
    }
}

fn file_extension(db: &dyn Db, file: SourceFile) -> &str {
    file.path(db).extension()
}

/// The guard that is written for an entry point alone.
fn own_guard(coverage: &Coverage) -> Option<&Control> {
    authentication(coverage)
        .filter(|control| control.own && control.strength == Strength::Enforcing)
}
