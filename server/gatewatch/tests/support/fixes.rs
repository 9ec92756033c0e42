//! Every fix that is offered: applied, it leaves text that parses, its finding is gone, and no other came.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use gatewatch_drift::{Fix, Trees, findings, fixes};
use gatewatch_source::{Database, FilePath, Workspace};
use gatewatch_syntax::Buffer;
use gatewatch_syntax::facts::Language;

use super::case::Texts;

/// Applies every fix of every finding, each by itself.
pub fn check(before: &Texts, after: &Texts, wrong: &mut String) {
    let db = Database::new();
    let trees = trees(&db, before, after);
    let found = findings(&db, trees);
    let known: BTreeSet<&str> = found.iter().map(|one| one.fingerprint.as_str()).collect();
    for finding in found.iter() {
        for fix in fixes(&db, trees, finding) {
            let mut complain = |what: &str| {
                let entry = finding.entry_point.as_ref().map(ToString::to_string);
                let entry = entry.unwrap_or_default();
                let _ = writeln!(
                    wrong,
                    "    fix “{}” of {} {entry}: {what}",
                    fix.title, finding.code
                );
            };
            let fixed = match apply(after, &fix) {
                Ok(fixed) => fixed,
                Err(what) => {
                    complain(&what);
                    continue;
                }
            };
            for (path, text) in &fixed {
                if broken(path, text) && !after.get(path).is_some_and(|old| broken(path, old)) {
                    complain(&format!("`{path}` doesn't parse any more:\n{text}"));
                }
            }
            let other = Database::new();
            let left = findings(&other, self::trees(&other, before, &fixed));
            if left
                .iter()
                .any(|one| one.fingerprint == finding.fingerprint)
            {
                complain("its finding is still there");
            }
            for new in left
                .iter()
                .filter(|one| !known.contains(one.fingerprint.as_str()))
            {
                let entry = new.entry_point.as_ref().map(ToString::to_string);
                complain(&format!(
                    "it brings {} {}",
                    new.code,
                    entry.unwrap_or_default()
                ));
            }
        }
    }
}

fn trees(db: &Database, before: &Texts, after: &Texts) -> Trees {
    let workspace = Workspace::from_texts(db, Some(before), after);
    Trees {
        current: workspace.current,
        baseline: workspace.baseline,
    }
}

fn broken(path: &FilePath, text: &str) -> bool {
    Language::of_extension(path.extension())
        .and_then(|language| Buffer::open(language, text))
        .is_some_and(|buffer| buffer.has_error())
}

fn apply(texts: &Texts, fix: &Fix) -> Result<Texts, String> {
    let mut fixed = texts.clone();
    let mut edits = fix.edits.clone();
    if edits.is_empty() {
        return Err("it changes nothing".to_owned());
    }
    // From the end, so that no edit moves another; several at one place keep their order.
    edits.reverse();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
    for path in edits
        .iter()
        .map(|edit| edit.file.clone())
        .collect::<BTreeSet<_>>()
    {
        let mut text = fixed
            .get(&path)
            .map_or(String::new(), |text| text.to_string());
        let mut limit = text.len();
        for edit in edits.iter().filter(|edit| edit.file == path) {
            let range = edit.span.range();
            if range.start > range.end || range.end > limit || text.get(range.clone()).is_none() {
                return Err(format!("its edit of `{path}` at {range:?} can't be made"));
            }
            limit = range.start;
            text.replace_range(range, &edit.text);
        }
        fixed.insert(path, text.into());
    }
    Ok(fixed)
}
