//! The commands, over folders on disk, and their results as the lines of a case.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use gatewatch::{BaselineChoice, CheckOptions};
use gatewatch_report::{Rendered, Report, Route};
use gatewatch_source::BaselineSpec;
use tempfile::TempDir;

use super::case::{Said, Texts};
use super::diff;

/// A workspace on disk, for as long as this lives.
pub struct Folder(TempDir);

impl Folder {
    /// Writes texts into a new folder.
    pub fn write(texts: &Texts) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), texts);
        Self(folder)
    }
}

/// Writes texts into a folder.
pub fn write(root: &Path, texts: &Texts) {
    for (path, text) in texts {
        let file = root.join(path.as_str());
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, &**text).unwrap();
    }
}

/// What `gatewatch check AFTER --base-dir BEFORE` finds.
pub fn check(after: &Folder, before: &Folder) -> Result<Report, String> {
    let options = CheckOptions {
        baseline: BaselineChoice::Given(BaselineSpec::Dir(before.0.path().to_owned())),
    };
    gatewatch::check(after.0.path(), &options).map_err(|error| error.to_string())
}

/// The route table of a folder, sorted by file and place.
pub fn route_lines(folder: &Folder) -> Vec<String> {
    match gatewatch::routes(folder.0.path()) {
        Ok(mut routes) => {
            routes.sort_by(|a, b| {
                (&a.file, a.line, &a.path, &a.method).cmp(&(&b.file, b.line, &b.path, &b.method))
            });
            routes.iter().map(route_line).collect()
        }
        Err(error) => vec![format!("`routes` fails: {error}")],
    }
}

fn route_line(route: &Route) -> String {
    let mut line = format!(
        "{} {} {} {}:{}",
        route.method, route.path, route.auth, route.file, route.line
    );
    let mut names: Vec<&str> = Vec::new();
    for control in &route.controls {
        let name = control.short_name.as_str();
        if !names.contains(&name) && name != "inline" {
            names.push(name);
            let _ = write!(line, " {name}");
        }
    }
    line
}

/// A check in the handler has no name of its own; cases may write it down or not.
pub fn without_inline(line: &str) -> String {
    let words: Vec<&str> = line
        .split_whitespace()
        .filter(|word| *word != "inline")
        .collect();
    words.join(" ")
}

/// The findings of a report as a case writes them, sorted.
pub fn finding_lines(report: &Report) -> Vec<Said> {
    let mut found: Vec<&Rendered> = report.findings.iter().collect();
    let key = |one: &Rendered| {
        let place = &one.location;
        let entry = one.entry_point.as_ref().map(ToString::to_string);
        (place.file.clone(), place.line, one.code.name(), entry)
    };
    found.sort_by_key(|one| key(one));
    found
        .into_iter()
        .map(|one| Said {
            line: finding_line(one),
            message: Some(one.message.split_whitespace().collect::<Vec<_>>().join(" ")),
        })
        .collect()
}

/// One finding, without its message.
pub fn finding_line(one: &Rendered) -> String {
    let place = &one.location;
    let mut line = format!(
        "{} {} {}:{}",
        one.severity, one.code, place.file, place.line
    );
    if let Some(entry) = &one.entry_point {
        let _ = write!(line, " {entry}");
    }
    line
}

/// Whether the findings are the expected ones, in any order. A message that was not written down may be
/// any, unless it has to be there.
pub fn agree(expected: &[Said], actual: &[Said], with_messages: bool) -> bool {
    let sorted = |said: &[Said]| {
        let mut said = said.to_vec();
        said.sort_by(|a, b| (&a.line, &a.message).cmp(&(&b.line, &b.message)));
        said
    };
    let (expected, actual) = (sorted(expected), sorted(actual));
    expected.len() == actual.len()
        && expected.iter().zip(&actual).all(|(want, have)| {
            want.line == have.line
                && (want.message == have.message || (want.message.is_none() && !with_messages))
        })
}

/// Says the difference. Messages are shown where they differ, and of what was not expected.
pub fn say(out: &mut String, expected: &[Said], actual: &[Said]) {
    let wanted: Vec<String> = expected.iter().flat_map(|said| lines(said, true)).collect();
    let found: Vec<String> = actual
        .iter()
        .flat_map(|said| {
            let known = expected.iter().find(|want| want.line == said.line);
            lines(said, known.is_none_or(|want| want.message.is_some()))
        })
        .collect();
    diff::say(out, &wanted, &found);
}

fn lines(said: &Said, with_message: bool) -> Vec<String> {
    let message = said.message.iter().filter(|_| with_message);
    std::iter::once(said.line.clone())
        .chain(message.map(|text| format!("  {text}")))
        .collect()
}
