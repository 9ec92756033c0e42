//! An edit as it is typed: into open buffers, key by key. Nothing may show on the way that the end
//! doesn't have, and the end must be what a fresh run says.
//!
//! Somebody who keeps a program whole adds what is new, then lets the old use it, then removes what is no
//! longer needed. So insertions come first, replacements in a line second, deletions last; files that are new
//! or moved to are there from the start, and those that go stay until the end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use gatewatch_drift::{CONFIG_FILE, Config, EntryName, Problem, Trees, findings, load_config};
use gatewatch_report::{Report, location, routes};
use gatewatch_source::{Content, Database, Document, Encoding, FilePath, LineMap, Workspace};
use gatewatch_syntax::facts::Language;
use gatewatch_syntax::{Buffer, InputEdit, Point};

use super::case::{Change, Edit, Texts};
use super::diff::{Hunk, hunks};
use super::engine::finding_line;

/// Up to how many keys of a replacement are looked at one by one.
const KEYS: usize = 400;

/// How many lines around a key are shown where something flickers.
const CONTEXT: usize = 6;

/// What says whether a finding is one that the end has.
pub type Key = (&'static str, Option<EntryName>);

/// Types an edit, and says what is wrong with what shows.
pub fn check(before: &Texts, after: &Texts, edit: &Edit, fresh: &Report, wrong: &mut String) {
    let mut session = Session::open(before);
    let at_rest = session.keys();
    if let Some((code, entry)) = at_rest.first() {
        let _ = writeln!(wrong, "    before any key: {code} {}", name(entry));
        return;
    }
    let end: BTreeSet<Key> = fresh
        .findings
        .iter()
        .map(|one| (one.code.name(), one.entry_point.clone()))
        .collect();
    if let Some(flicker) = session.type_all(before, after, edit, &end) {
        wrong.push_str(&flicker);
    }
    let incremental = session.report(after);
    if incremental.findings != fresh.findings {
        let _ = writeln!(wrong, "    typed (+) and fresh (-) findings differ:");
        let lines = |report: &Report| -> Vec<String> {
            let line = |one| format!("{} {one:?}", finding_line(one));
            report.findings.iter().map(line).collect()
        };
        super::diff::say(wrong, &lines(fresh), &lines(&incremental));
    }
    let other = Database::new();
    let workspace = Workspace::from_texts(&other, Some(before), after);
    let wanted = table(&other, &workspace);
    let found = table(&session.db, &session.workspace);
    if wanted != found {
        let _ = writeln!(wrong, "    typed (+) and fresh (-) models differ:");
        super::diff::say(wrong, &wanted, &found);
    }
}

/// The routes of a workspace and what is unknown of it, line by line.
pub fn table(db: &Database, workspace: &Workspace) -> Vec<String> {
    let model = gatewatch_model::model(db, workspace.current);
    let unknown = model.unknown.iter().map(|(site, why)| {
        let place = location(db, *site);
        format!("{}:{} {why}", place.file, place.line)
    });
    routes(db, workspace.current)
        .iter()
        .map(|route| format!("{route:?}"))
        .chain(unknown)
        .collect()
}

fn name(entry: &Option<EntryName>) -> String {
    entry.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// An editor with a workspace.
pub struct Session {
    pub db: Database,
    pub workspace: Workspace,
    pub open: BTreeMap<FilePath, (Document, Option<Arc<Buffer>>)>,
}

/// A replacement that is still to be made, in bytes of the text at the start.
struct Step {
    path: FilePath,
    hunk: Hunk,
    done: bool,
}

impl Session {
    /// Opens a folder that is its own baseline.
    pub fn open(before: &Texts) -> Self {
        let db = Database::new();
        let workspace = Workspace::from_texts(&db, Some(before), before);
        Self {
            db,
            workspace,
            open: BTreeMap::new(),
        }
    }

    fn trees(&self) -> Trees {
        Trees {
            current: self.workspace.current,
            baseline: self.workspace.baseline,
        }
    }

    /// What shows.
    pub fn keys(&self) -> BTreeSet<Key> {
        findings(&self.db, self.trees())
            .iter()
            .map(|finding| (finding.code.name(), finding.entry_point.clone()))
            .collect()
    }

    /// What the command would say.
    pub fn report(&self, texts: &Texts) -> Report {
        let (config, problems) = settings(texts);
        Report::of(&self.db, &self.workspace, &config, &problems)
    }

    /// Types everything; what shows on the way and not in the end comes back as text.
    fn type_all(
        &mut self,
        before: &Texts,
        after: &Texts,
        edit: &Edit,
        end: &BTreeSet<Key>,
    ) -> Option<String> {
        let mut steps = Vec::new();
        for (path, text) in after {
            let moved = edit.changes.iter().find_map(|change| match change {
                Change::Move(from, to) if to == path => before.get(from),
                _ => None,
            });
            let old = moved.or_else(|| before.get(path));
            let start = old.map_or("", |text| text);
            if old == Some(text) && moved.is_none() {
                continue;
            }
            self.open_file(path, start);
            steps.extend(hunks(start, text).into_iter().map(|hunk| Step {
                path: path.clone(),
                hunk,
                done: false,
            }));
        }
        let mut flicker = None;
        for kind in 0..3 {
            for index in 0..steps.len() {
                if steps[index].hunk.kind() == kind {
                    let found = self.type_step(&mut steps, index, end);
                    flicker = flicker.or(found);
                }
            }
        }
        for path in before.keys().filter(|path| !after.contains_key(*path)) {
            self.workspace.remove(&mut self.db, path);
        }
        flicker
    }

    /// Opens a buffer on a text.
    pub fn open_file(&mut self, path: &FilePath, text: &str) {
        let language = Language::of_extension(path.extension());
        let buffer = language
            .and_then(|language| Buffer::open(language, text))
            .map(Arc::new);
        self.open
            .insert(path.clone(), (Document::new(text, 0), buffer));
        self.publish(path);
    }

    fn publish(&mut self, path: &FilePath) {
        let (document, buffer) = &self.open[path];
        let content = match buffer {
            Some(buffer) => gatewatch_frameworks::content(buffer, document.text()),
            None => Content::closed(document.text()),
        };
        self.workspace.set_content(&mut self.db, path, content);
    }

    fn type_step(
        &mut self,
        steps: &mut [Step],
        index: usize,
        end: &BTreeSet<Key>,
    ) -> Option<String> {
        let (path, hunk) = (steps[index].path.clone(), steps[index].hunk.clone());
        let mut at = hunk.old.start;
        for (position, other) in steps.iter().enumerate() {
            // Two may be at the same place: new lines, and the old ones behind them.
            let before = (other.hunk.old.start, position) < (hunk.old.start, index);
            if other.done && other.path == path && before {
                at = at + other.hunk.new.len() - other.hunk.old.len();
            }
        }
        steps[index].done = true;
        if hunk.indents {
            // Lines are shifted all at once.
            self.replace(&path, at..at + hunk.old.len(), &hunk.new);
            let follows = steps.iter().any(|other| {
                !other.done
                    && other.path == path
                    && other.hunk.indents
                    && (hunk.old.start..).contains(&other.hunk.old.start)
            });
            return if follows {
                None
            } else {
                self.look(&path, at, end, false)
            };
        }
        if hunk.new.is_empty() {
            self.replace(&path, at..at + hunk.old.len(), "");
            return self.look(&path, at, end, true);
        }
        // The old text is selected, and the first key replaces it. For whole lines a line is opened first, with the
        // empty lines around them.
        let mut selected = hunk.old.len();
        let mut flicker = None;
        let text = self.open[&path].0.text();
        let mut typed = hunk.new.as_str();
        if selected == 0 && (at == 0 || text[..at].ends_with('\n')) && typed.ends_with('\n') {
            let lines = typed.trim_matches('\n');
            let above = typed.len() - typed.trim_start_matches('\n').len();
            let opened = "\n".repeat(typed.len() - lines.len());
            self.replace(&path, at..at, &opened);
            at += above.min(opened.len() - 1);
            typed = lines;
            flicker = self.look(&path, at, end, false);
        }
        let keys: Vec<char> = typed.chars().collect();
        let stride = keys.len().div_ceil(KEYS).max(1);
        for chunk in keys.chunks(stride) {
            let typed: String = chunk.iter().collect();
            self.replace(&path, at..at + selected, &typed);
            selected = 0;
            at += typed.len();
            if flicker.is_none() {
                flicker = self.look(&path, at, end, false);
            }
        }
        flicker
    }

    /// Edits a buffer.
    pub fn replace(&mut self, path: &FilePath, range: Range<usize>, text: &str) {
        let (document, buffer) = self.open.get_mut(path).unwrap();
        let lines = LineMap::new(&document.text());
        let position = |offset| lines.position(offset, Encoding::Utf8);
        let range = (position(range.start), position(range.end));
        let edit = document.apply(Some(range), text, Encoding::Utf8);
        let point = |(row, column)| Point { row, column };
        let edit = InputEdit {
            start_byte: edit.start_byte,
            old_end_byte: edit.old_end_byte,
            new_end_byte: edit.new_end_byte,
            start_position: point(edit.start_point),
            old_end_position: point(edit.old_end_point),
            new_end_position: point(edit.new_end_point),
        };
        if let Some(old) = buffer {
            *buffer = old.edit(&document.text(), &[edit]).map(Arc::new);
        }
        self.publish(path);
    }

    /// What shows now and not in the end.
    fn look(
        &self,
        path: &FilePath,
        at: usize,
        end: &BTreeSet<Key>,
        deleted: bool,
    ) -> Option<String> {
        let now = self.keys();
        let (code, entry) = now.difference(end).next()?;
        let text = self.open[path].0.text();
        let line = text[..at].rsplit('\n').next().unwrap_or_default();
        let number = text[..at].matches('\n').count() + 1;
        let doing = if deleted { "deleting" } else { "typing" };
        let mut found = format!(
            "    {doing} at {path}:{number} `{line}|` shows {code} {}\n",
            name(entry)
        );
        // What stands around it, as far as it matters.
        for (index, line) in text.lines().enumerate() {
            if (number.saturating_sub(CONTEXT)..=number + CONTEXT).contains(&(index + 1)) {
                let mark = if index + 1 == number { '>' } else { ' ' };
                let _ = writeln!(found, "      {mark} {line}");
            }
        }
        Some(found)
    }
}

impl Hunk {
    /// 0: an insertion, 1: a replacement, 2: a deletion.
    fn kind(&self) -> u8 {
        match (self.old.is_empty(), self.new.is_empty()) {
            _ if self.indents || self.rewritten => 1,
            (true, _) => 0,
            (false, false) => 1,
            (false, true) => 2,
        }
    }
}

/// The configuration among the texts, as the command reads it.
pub fn settings(texts: &Texts) -> (Config, Vec<Problem>) {
    texts
        .get(&FilePath::new(CONFIG_FILE))
        .map(|text| load_config(text))
        .unwrap_or_default()
}
