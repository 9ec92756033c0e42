//! An edit through the protocol: typed into open buffers of the server, which must publish what the command
//! finds, where the command finds it; and each fix that it offers, applied as an editor does, must leave text
//! that parses, clear its finding, and bring no other.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

use gatewatch_report::{Rendered, Report};
use gatewatch_source::{Encoding, FilePath, LineMap, Position};
use gatewatch_syntax::Buffer;
use gatewatch_syntax::facts::Language;
use serde_json::Value;

use super::case::{Change, Edit, Texts};
use super::diff::{Hunk, hunks, say};
use super::server::{Project, Server, is_followed};

/// An editor with the workspace of a case.
pub struct Desk<'c> {
    before: &'c Texts,
    /// `None` as long as nothing was typed.
    session: Option<(Server, Project)>,
}

/// What is wrong with an edit, in each way that it was looked at.
#[derive(Default)]
pub struct Wrong {
    /// What is published.
    pub published: String,
    /// What is offered.
    pub fixes: String,
}

impl<'c> Desk<'c> {
    /// A workspace that has these texts.
    pub fn new(before: &'c Texts) -> Self {
        Self {
            before,
            session: None,
        }
    }

    /// Types an edit, compares, and takes it back.
    pub fn check(&mut self, after: &Texts, edit: &Edit, command: &Report) -> Wrong {
        // What the editor does not hold changes on disk, before the folder is opened.
        let mut disk = self.before.clone();
        disk.retain(|path, _| after.contains_key(path));
        let kept = after.iter().filter(|(path, _)| !is_followed(path));
        disk.extend(kept.map(|(path, text)| (path.clone(), text.clone())));
        let same = disk == *self.before;
        // Not put back if anything panics.
        let (mut server, mut project) = match self.session.take() {
            Some(session) if same => session,
            other => {
                let mut server = match other {
                    Some((mut server, project)) => {
                        server.remove(project);
                        server
                    }
                    None => Server::take(),
                };
                let project = server.add(self.before, &disk);
                (server, project)
            }
        };
        let mut wrong = Wrong::default();
        let mut typing = Typing {
            server: &mut server,
            project: &mut project,
            before: self.before,
            after,
        };
        typing.type_all(edit);
        if std::env::var_os("GATEWATCH_FIXES").is_some() {
            println!("##### {}", edit.title);
        }
        typing.compare(command, &mut wrong.published);
        typing.fixes(command, &mut wrong.fixes);
        server.close_all(&mut project);
        if same {
            self.session = Some((server, project));
        } else {
            server.remove(project);
            server.put_back();
        }
        wrong
    }
}

impl Drop for Desk<'_> {
    fn drop(&mut self) {
        if let Some((mut server, project)) = self.session.take() {
            server.remove(project);
            server.put_back();
        }
    }
}

struct Typing<'t> {
    server: &'t mut Server,
    project: &'t mut Project,
    before: &'t Texts,
    after: &'t Texts,
}

impl Typing<'_> {
    fn type_all(&mut self, edit: &Edit) {
        for (path, text) in self.after {
            let moved = edit.changes.iter().find_map(|change| match change {
                Change::Move(from, to) if to == path => self.before.get(from),
                _ => None,
            });
            let old = self.before.get(path);
            if (old == Some(text) && moved.is_none()) || !is_followed(path) {
                continue;
            }
            let start = moved.or(old).map_or("", |text| text);
            self.server.open(self.project, path, start);
            // From the end, so that no edit moves another.
            for hunk in hunks(start, text).iter().rev() {
                self.server.edit(self.project, path, hunk);
            }
        }
    }

    /// Compares what is published with what the command finds.
    fn compare(&mut self, command: &Report, wrong: &mut String) {
        for message in self.server.settle() {
            let _ = writeln!(wrong, "    the server says {message}");
        }
        let mut expected: Vec<String> = command.findings.iter().map(finding_line).collect();
        let shown = self.server.shown(self.project);
        let mut found: Vec<String> = shown
            .iter()
            .map(|(path, shown)| diagnostic_line(path, self.text(path), shown))
            .collect();
        expected.sort();
        found.sort();
        if expected != found {
            wrong.push_str("    published (+) is not what the command finds (-):\n");
            say(wrong, &expected, &found);
        }
    }

    /// Applies every fix of every diagnostic, each by itself.
    fn fixes(&mut self, command: &Report, wrong: &mut String) {
        let shown = self.server.shown(self.project);
        let known: BTreeSet<String> = shown.iter().map(|(_, one)| fingerprint(one)).collect();
        for (path, diagnostic) in &shown {
            let offered = self.server.actions(self.project, path, diagnostic);
            let actions = match offered {
                Ok(actions) => actions,
                Err(error) => {
                    let _ = writeln!(wrong, "    code actions can't be had: {error}");
                    continue;
                }
            };
            let own = fingerprint(diagnostic);
            let finding = command.findings.iter().find(|one| one.fingerprint == own);
            let listed = finding.map_or(&[][..], |one| &one.fixes[..]);
            let titles: Vec<String> = actions
                .iter()
                .map(|action| word(&action["title"]))
                .collect();
            if listed != titles {
                let _ = writeln!(
                    wrong,
                    "    fixes of {own}: the editor offers {titles:?}, the command names {listed:?}"
                );
            }
            let entry = finding.and_then(|one| one.entry_point.as_ref());
            let entry = entry.map(ToString::to_string).unwrap_or_default();
            let review = std::env::var_os("GATEWATCH_FIXES").is_some();
            if review {
                let code = word(&diagnostic["code"]);
                println!("=== {} fixes: {code} {path} {entry}", actions.len());
            }
            for action in &actions {
                if review {
                    self.show(action);
                }
                for what in self.fix(action, &own, &known) {
                    let _ = writeln!(
                        wrong,
                        "    fix “{}” of {} {entry}: {what}",
                        word(&action["title"]),
                        word(&diagnostic["code"]),
                    );
                }
            }
        }
    }

    /// Prints a fix for review: its title and what it changes.
    fn show(&self, action: &Value) {
        let mut text = format!("--- {}\n", word(&action["title"]));
        match self.edits(action) {
            Ok(edits) => {
                for (path, hunks) in edits {
                    let old = self.text(&path).unwrap_or_default();
                    let mut new = old.to_owned();
                    for hunk in hunks {
                        new.replace_range(hunk.old, &hunk.new);
                    }
                    let _ = writeln!(text, "{path}");
                    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
                    say(&mut text, &lines(old), &lines(&new));
                }
            }
            Err(error) => {
                let _ = writeln!(text, "{error}");
            }
        }
        println!("{text}");
    }

    /// Applies one fix, says what is wrong with it, and takes it back.
    fn fix(&mut self, action: &Value, own: &str, known: &BTreeSet<String>) -> Vec<String> {
        let edits = match self.edits(action) {
            Ok(edits) => edits,
            Err(what) => return vec![what],
        };
        let mut complaints = Vec::new();
        for (path, hunks) in &edits {
            let old = self.text(path).unwrap_or_default().to_owned();
            if self.project.buffer(path).is_none() {
                self.server.open(self.project, path, &old);
            }
            for hunk in hunks {
                self.server.edit(self.project, path, hunk);
            }
            let new = self.project.buffer(path).unwrap_or_default();
            if broken(path, new) && !broken(path, &old) {
                complaints.push(format!("`{path}` doesn't parse any more:\n{new}"));
            }
        }
        for message in self.server.settle() {
            complaints.push(format!("the server says {message}"));
        }
        let left = self.server.shown(self.project);
        for (path, diagnostic) in &left {
            let fingerprint = fingerprint(diagnostic);
            if fingerprint == own {
                complaints.push("its finding is still there".to_owned());
            } else if !known.contains(&fingerprint) {
                complaints.push(format!(
                    "it brings {}",
                    diagnostic_line(path, self.text(path), diagnostic)
                ));
            }
        }
        for path in edits.iter().map(|(path, _)| path) {
            match self.after.get(path) {
                Some(text) if self.before.get(path) != Some(text) => {
                    self.server.rewrite(self.project, path, text);
                }
                _ => self.server.close(self.project, path),
            }
        }
        self.server.settle();
        complaints
    }

    /// The edits of an action: those of a file from its end, so that no edit moves another.
    fn edits(&self, action: &Value) -> Result<Vec<(FilePath, Vec<Hunk>)>, String> {
        let mut files = Vec::new();
        for change in action["edit"]["documentChanges"]
            .as_array()
            .into_iter()
            .flatten()
        {
            if change["kind"] == "create" {
                continue;
            }
            let path = self.project.path(&word(&change["textDocument"]["uri"]));
            let path = path.ok_or("it changes a file that is not in the folder")?;
            let text = self.text(&path).unwrap_or_default();
            let lines = LineMap::new(text);
            let mut hunks = Vec::new();
            for edit in change["edits"].as_array().into_iter().flatten() {
                hunks.push(Hunk {
                    old: bytes(&lines, &edit["range"])
                        .ok_or_else(|| format!("its edit {edit} of `{path}` has no place there"))?,
                    new: word(&edit["newText"]),
                    indents: false,
                    rewritten: false,
                });
            }
            // Several at one place keep their order.
            hunks.reverse();
            hunks.sort_by_key(|hunk| std::cmp::Reverse(hunk.old.start));
            if hunks
                .windows(2)
                .any(|pair| pair[1].old.end > pair[0].old.start)
            {
                return Err(format!("its edits of `{path}` overlap"));
            }
            files.push((path, hunks));
        }
        if files.iter().all(|(_, hunks)| hunks.is_empty()) {
            return Err("it changes nothing".to_owned());
        }
        Ok(files)
    }

    /// The text of a file as the editor has it.
    fn text(&self, path: &FilePath) -> Option<&str> {
        let buffer = self.project.buffer(path);
        buffer.or_else(|| self.before.get(path).map(|text| &**text))
    }
}

fn finding_line(one: &Rendered) -> String {
    let place = &one.location;
    format!(
        "{} {} {}:{}:{}-{}:{} {} {}",
        one.severity,
        one.code,
        place.file,
        place.line,
        place.column,
        place.end_line,
        place.end_column,
        one.fingerprint,
        one.message
    )
}

fn diagnostic_line(path: &FilePath, text: Option<&str>, one: &Value) -> String {
    let severity = match one["severity"].as_u64() {
        Some(1) => "error",
        Some(2) => "warning",
        Some(3) => "info",
        _ => "no severity",
    };
    let lines = LineMap::new(text.unwrap_or_default());
    let place = bytes(&lines, &one["range"]).map(|range| {
        let at = |offset| {
            let position = lines.position(offset, Encoding::Utf32);
            (position.line + 1, position.character + 1)
        };
        let (from, to) = (at(range.start), at(range.end));
        format!("{}:{}-{}:{}", from.0, from.1, to.0, to.1)
    });
    format!(
        "{severity} {} {path}:{} {} {}",
        word(&one["code"]),
        place.unwrap_or_else(|| "nowhere".to_owned()),
        fingerprint(one),
        word(&one["message"]),
    )
}

fn fingerprint(diagnostic: &Value) -> String {
    word(&diagnostic["data"])
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A range of the protocol in a text; `None` if the text does not have it.
fn bytes(lines: &LineMap, range: &Value) -> Option<Range<usize>> {
    let at = |end: &str| {
        let number = |name: &str| u32::try_from(range[end][name].as_u64()?).ok();
        let position = Position::new(number("line")?, number("character")?);
        let offset = lines.offset(position, Encoding::Utf16);
        (lines.position(offset, Encoding::Utf16) == position).then_some(offset)
    };
    let (start, end) = (at("start")?, at("end")?);
    (start <= end).then_some(start..end)
}

fn broken(path: &FilePath, text: &str) -> bool {
    Language::of_extension(path.extension())
        .and_then(|language| Buffer::open(language, text))
        .is_some_and(|buffer| buffer.has_error())
}
