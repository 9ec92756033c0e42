//! Puts back what the branch point had, and nothing else.
//!
//! The text of the branch point tells how the control was written. Only that comes back, into the text as it is now: what
//! else changed in the same function, registration or file stays.

use gatewatch_frameworks::PlaceNode;
use gatewatch_model::{Coverage, Site, locate};
use gatewatch_source::SourceFile;
use gatewatch_syntax::{Part, Span, Wanted, file_facts, restore, restore_names};

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
                // It is new where it stands: what it took the place of stood elsewhere.
                if let Cause::Guard(site) = &loss.cause
                    && loss.code == Code::GuardInert
                    && loss.control.own
                {
                    return Some(Fix {
                        title: format!("Move `{}` in front of the routes", loss.control.name),
                        preferred: true,
                        edits: self.in_front(*site)?,
                    });
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
        let tries = self.ways(loss, now, was);
        tries.into_iter().find_map(|one| self.edits(&one, loss))
    }

    /// What an attempt changes, with the names that it needs.
    fn edits(&self, one: &Try, loss: &Loss) -> Option<Vec<FixEdit>> {
        let found = restore(&self.read, one.was, one.now, &one.wanted)?;
        let mut files = vec![(one.now.file, found)];
        self.needed(one.was.file, &mut files)?;
        // The guard itself may have gone with its last use.
        if let Some(definition) = loss.control.definition
            && matches!(
                definition.1.node,
                PlaceNode::Function(_) | PlaceNode::Class(_)
            )
            && !matches!(loss.cause, Cause::Guard(_))
            && let Some(here) = self.same_file(definition.0)
            && let Some((_, lost)) = self.definition_span(definition)
            && self.is_gone(definition, here)
        {
            let wanted = Wanted {
                spans: vec![lost],
                ..Wanted::default()
            };
            let more = restore(&self.read, whole(definition.0), whole(here), &wanted);
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

    /// Adds the imports and definitions that what comes back needs; `None` if something of it can't be had.
    pub(super) fn needed(
        &self,
        was: SourceFile,
        files: &mut Vec<(SourceFile, Vec<(Span, String)>)>,
    ) -> Option<()> {
        let (file, edits) = files.first()?;
        let (file, edits) = (*file, edits.clone());
        let texts: Vec<&str> = edits.iter().map(|(_, text)| text.as_str()).collect();
        if was.path(self.db) == file.path(self.db) {
            for edit in restore_names(&self.read, was, file, &texts) {
                add(files, file, edit);
            }
            return Some(());
        }
        for edit in self.missing_imports(file, &texts, was)? {
            add(files, file, edit);
        }
        Some(())
    }

    /// Whether the file of now lacks a definition of the branch point.
    fn is_gone(&self, was: Site, here: SourceFile) -> bool {
        let name = locate(self.db, was).map(|span| self.text(was.0, span));
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
}

/// One way to restore something.
pub(super) struct Try {
    pub(super) was: Part,
    pub(super) now: Part,
    pub(super) wanted: Wanted,
}

pub(super) fn whole(file: SourceFile) -> Part {
    Part { file, span: None }
}

pub(super) fn part(file: SourceFile, span: Span) -> Part {
    Part {
        file,
        span: Some(span),
    }
}

/// Adds an edit unless it is in the way of one that is there.
fn add(files: &mut Vec<(SourceFile, Vec<(Span, String)>)>, file: SourceFile, edit: (Span, String)) {
    let Some((_, edits)) = files.iter_mut().find(|(other, _)| *other == file) else {
        files.push((file, vec![edit]));
        return;
    };
    let clash = edits.iter().any(|(span, text)| {
        (edit.0.start < span.end && span.start < edit.0.end) || (*span == edit.0 && *text == edit.1)
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
