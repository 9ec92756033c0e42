//! Edits that clear a finding: put back what the baseline had, use what the siblings use, or say that it
//! is meant so.

mod definitions;
mod imports;
mod order;
mod public;
mod put_back;
mod siblings;
mod ways;

use gatewatch_model::{Site, model};
use gatewatch_source::{Db, SourceFile};
use gatewatch_syntax::{Reading, Span, file_facts, file_spans};

use crate::code::Code;
use crate::compare::{Trees, entry_name};
use crate::finding::{Finding, Fix};
use crate::pairs::pairs;

/// Edits of the current tree that clear a finding; empty where none can be offered.
pub fn fixes(db: &dyn Db, trees: Trees, finding: &Finding) -> Vec<Fix> {
    let now = model(db, trees.current);
    let was = model(db, trees.baseline);
    let all = pairs(db, &now, &was);
    let pair = finding
        .entry_point
        .as_ref()
        .and_then(|entry| all.iter().find(|pair| entry_name(&pair.now) == *entry));
    let fixer = Fixer {
        db,
        trees,
        read: Reading::new(db),
    };
    let mut found = Vec::new();
    match finding.code {
        Code::PublicEntryPointAdded | Code::SiblingUnguarded => {
            if let Some(pair) = pair {
                found.extend(fixer.like_siblings(&pair.now, &now.entry_points));
                found.extend(fixer.mark_public(&pair.now));
            }
        }
        Code::GuardBypassed => {
            if let Some(pair) = pair {
                found.extend(fixer.like_the_other_way(&pair.now, &all));
                // What is registered without the decorators of its handler gains nothing by one more of them.
                let decorated = now.entry_points.iter().any(|other| {
                    other.entry_point.handler == pair.now.entry_point.handler
                        && (other.controls.iter()).any(|control| control.via == "decorator")
                });
                if !decorated {
                    found.extend(fixer.like_siblings(&pair.now, &now.entry_points));
                }
            }
        }
        Code::EntryPointWidened => {
            if let Some(pair) = pair {
                found.extend(fixer.mark_public(&pair.now));
            }
        }
        Code::ConfigurationInvalid => {}
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
    read: Reading<'a>,
}

impl Fixer<'_> {
    fn text(&self, file: SourceFile, span: Span) -> String {
        let text = file.text(self.db);
        text.get(span.range()).unwrap_or_default().to_owned()
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

    /// The blanks before a byte on its line.
    fn indent(&self, file: SourceFile, at: u32) -> String {
        let text = file.text(self.db);
        let before = text.get(..at as usize).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        line.chars().take_while(|c| c.is_whitespace()).collect()
    }
}
