//! A case as its file says it.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatewatch_source::FilePath;

/// The texts of a workspace.
pub type Texts = BTreeMap<FilePath, Arc<str>>;

/// Lines of a file, and the lines that shall stand there.
pub type Replaced = (Vec<String>, Vec<String>);

/// A whole case.
#[derive(Debug, Default)]
pub struct Case {
    /// The workspace before any edit.
    pub before: Texts,
    /// Its route table.
    pub routes: Option<Fence>,
    /// What is done to it.
    pub edits: Vec<Edit>,
}

/// A fenced block: the lines between the fences.
#[derive(Debug, Clone)]
pub struct Fence {
    /// Index of the first line behind the opening fence.
    pub first: usize,
    /// What stands behind the opening fence's marks.
    pub info: String,
    /// The lines.
    pub lines: Vec<String>,
}

/// One edit.
#[derive(Debug, Default)]
pub struct Edit {
    /// What it is called.
    pub title: String,
    /// Whether nothing may be said of it.
    pub silent: bool,
    /// The line of its heading, 1-based.
    pub line: usize,
    /// Index of the line behind its last fence.
    pub end: usize,
    /// What changes.
    pub changes: Vec<Change>,
    /// What is expected.
    pub findings: Option<Fence>,
}

/// What happens to one file.
#[derive(Debug)]
pub enum Change {
    /// It goes.
    Delete(FilePath),
    /// It gets another path.
    Move(FilePath, FilePath),
    /// Places of it change: what stands there, what shall stand there.
    Patch(FilePath, Vec<Replaced>),
}

/// An expected or actual finding: its line, and its message if that was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// `severity code file:line [entry point]`.
    pub line: String,
    /// The message.
    pub message: Option<String>,
}

enum Section {
    Preface,
    Before,
    Routes,
    Edit,
}

/// A path line: `` `a` ``, `` `a` deleted ``, `` `a` → `b` ``.
enum PathLine<'l> {
    File(&'l str),
    Deleted(&'l str),
    Moved(&'l str, &'l str),
}

impl Case {
    /// Reads a case.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lines: Vec<&str> = text.split('\n').collect();
        let mut case = Self::default();
        let mut section = Section::Preface;
        let mut path: Option<FilePath> = None;
        let mut at = 0;
        while at < lines.len() {
            let line = lines[at];
            let fault = |what: &str| format!("line {}: {what}", at + 1);
            if let Some(title) = line.strip_prefix("## ") {
                path = None;
                section = section_of(title, at, &mut case.edits).map_err(|what| fault(&what))?;
            } else if line.starts_with("```") {
                let fence = fence(&lines, at).ok_or_else(|| fault("this fence is not closed"))?;
                let next = fence.first + fence.lines.len() + 1;
                match section {
                    Section::Preface => return Err(fault("a fence before any section")),
                    Section::Before => {
                        let path = path.take().ok_or_else(|| fault("a file without a path"))?;
                        if case
                            .before
                            .insert(path.clone(), joined(&fence.lines))
                            .is_some()
                        {
                            return Err(fault(&format!("`{path}` stands here twice")));
                        }
                    }
                    Section::Routes if fence.info == "routes" => case.routes = Some(fence),
                    Section::Routes => return Err(fault("only a `routes` fence stands here")),
                    Section::Edit => {
                        let edit = case.edits.last_mut().ok_or_else(|| fault("no edit"))?;
                        edit.end = next;
                        edit.take(fence, &mut path).map_err(|what| fault(&what))?;
                    }
                }
                at = next;
                continue;
            } else if let Some(found) = path_line(line) {
                path = None;
                match (&section, found) {
                    (_, PathLine::File(name)) => path = Some(FilePath::new(name)),
                    (Section::Edit, PathLine::Deleted(name)) => {
                        let edit = case.edits.last_mut().ok_or_else(|| fault("no edit"))?;
                        edit.changes.push(Change::Delete(FilePath::new(name)));
                        edit.end = at + 1;
                    }
                    (Section::Edit, PathLine::Moved(from, to)) => {
                        let edit = case.edits.last_mut().ok_or_else(|| fault("no edit"))?;
                        let (from, to) = (FilePath::new(from), FilePath::new(to));
                        edit.changes.push(Change::Move(from, to.clone()));
                        edit.end = at + 1;
                        path = Some(to);
                    }
                    _ => return Err(fault("a file can only go or move in an edit")),
                }
            }
            at += 1;
        }
        case.complete()?;
        Ok(case)
    }

    fn complete(&self) -> Result<(), String> {
        if self.before.is_empty() {
            return Err("there is no file before the edits".to_owned());
        }
        if self.edits.is_empty() && self.routes.is_none() {
            return Err("nothing is expected of it".to_owned());
        }
        let speaks = self
            .edits
            .iter()
            .any(|edit| !edit.silent && !edit.expected().is_empty());
        if speaks && !self.edits.iter().any(|edit| edit.silent) {
            return Err("an edit has findings, so there must be a `## Silent:` one too".to_owned());
        }
        for edit in &self.edits {
            if edit.changes.is_empty() {
                return Err(format!("line {}: the edit changes nothing", edit.line));
            }
        }
        Ok(())
    }
}

fn section_of(title: &str, at: usize, edits: &mut Vec<Edit>) -> Result<Section, String> {
    let (silent, title) = match title {
        "Before" => return Ok(Section::Before),
        "Routes" => return Ok(Section::Routes),
        title => match (title.strip_prefix("Edit: "), title.strip_prefix("Silent: ")) {
            (Some(title), _) => (false, title),
            (_, Some(title)) => (true, title),
            _ => return Err(format!("there is no section `{title}`")),
        },
    };
    edits.push(Edit {
        title: title.trim().to_owned(),
        silent,
        line: at + 1,
        end: at + 1,
        ..Edit::default()
    });
    Ok(Section::Edit)
}

impl Edit {
    fn take(&mut self, fence: Fence, path: &mut Option<FilePath>) -> Result<(), String> {
        match fence.info.as_str() {
            "findings" if self.silent => Err("a silent edit has no findings".to_owned()),
            "findings" => {
                self.findings = Some(fence);
                Ok(())
            }
            "diff" => {
                let path = path.take().ok_or("a diff without a path")?;
                self.changes
                    .push(Change::Patch(path, places(&fence.lines)?));
                Ok(())
            }
            other => Err(format!("a fence of `{other}` in an edit")),
        }
    }

    /// The findings that are expected.
    pub fn expected(&self) -> Vec<Said> {
        let mut said: Vec<Said> = Vec::new();
        let lines = self.findings.iter().flat_map(|fence| &fence.lines);
        for line in lines.filter(|line| !line.trim().is_empty()) {
            match said.last_mut() {
                Some(last) if line.starts_with(' ') => {
                    last.message = Some(line.trim().to_owned());
                }
                _ => said.push(Said {
                    line: line.trim().to_owned(),
                    message: None,
                }),
            }
        }
        said
    }

    /// The workspace after the edit.
    pub fn apply(&self, before: &Texts) -> Result<Texts, String> {
        let mut after = before.clone();
        for change in &self.changes {
            match change {
                Change::Delete(path) => {
                    after
                        .remove(path)
                        .ok_or_else(|| format!("there is no `{path}` to delete"))?;
                }
                Change::Move(from, to) => {
                    let text = after
                        .remove(from)
                        .ok_or_else(|| format!("there is no `{from}` to move"))?;
                    after.insert(to.clone(), text);
                }
                Change::Patch(path, places) => {
                    let text = patched(after.get(path), places)
                        .map_err(|what| format!("`{path}`: {what}"))?;
                    after.insert(path.clone(), text);
                }
            }
        }
        Ok(after)
    }
}

fn patched(old: Option<&Arc<str>>, places: &[Replaced]) -> Result<Arc<str>, String> {
    let Some(old) = old else {
        return match places {
            [(lines, new)] if lines.is_empty() => Ok(joined(new)),
            _ => Err("there is no such file, so all lines have to begin with `+`".to_owned()),
        };
    };
    let mut lines: Vec<String> = old.split_terminator('\n').map(str::to_owned).collect();
    let mut behind = 0;
    for (from, to) in places {
        if from.is_empty() {
            return Err("a place without a line to find it by".to_owned());
        }
        let fits = |at: &usize| lines.get(*at..at + from.len()) == Some(&from[..]);
        // Places stand in the order of the file; one that goes back is found all the same.
        let at = (behind..lines.len())
            .find(fits)
            .or_else(|| (0..behind).find(fits));
        let at = at.ok_or_else(|| {
            format!(
                "these lines are not in it:\n      {}",
                from.join("\n      ")
            )
        })?;
        lines.splice(at..at + from.len(), to.iter().cloned());
        behind = at + to.len();
    }
    Ok(joined(&lines))
}

fn places(lines: &[String]) -> Result<Vec<Replaced>, String> {
    let mut places = vec![(Vec::new(), Vec::new())];
    for line in lines {
        if line == "@@" {
            places.push((Vec::new(), Vec::new()));
            continue;
        }
        let (from, to) = places.last_mut().ok_or("no place")?;
        let mut chars = line.chars();
        let first = chars.next();
        let rest = chars.as_str().to_owned();
        match first {
            Some('-') => from.push(rest),
            Some('+') => to.push(rest),
            Some(' ') | None => {
                from.push(rest.clone());
                to.push(rest);
            }
            Some(_) => {
                return Err(format!(
                    "a line of a diff begins with a blank, `-` or `+`: {line}"
                ));
            }
        }
    }
    Ok(places)
}

fn fence(lines: &[&str], at: usize) -> Option<Fence> {
    let open = lines[at];
    let marks = open.len() - open.trim_start_matches('`').len();
    let close = "`".repeat(marks);
    let length = lines[at + 1..].iter().position(|line| *line == close)?;
    Some(Fence {
        first: at + 1,
        info: open[marks..].trim().to_owned(),
        lines: lines[at + 1..at + 1 + length]
            .iter()
            .map(|line| (*line).to_owned())
            .collect(),
    })
}

fn path_line(line: &str) -> Option<PathLine<'_>> {
    let (first, rest) = line.strip_prefix('`')?.split_once('`')?;
    match rest {
        "" => Some(PathLine::File(first)),
        " deleted" => Some(PathLine::Deleted(first)),
        rest => {
            let (second, end) = rest.strip_prefix(" → `")?.split_once('`')?;
            end.is_empty().then_some(PathLine::Moved(first, second))
        }
    }
}

fn joined(lines: &[String]) -> Arc<str> {
    let mut text = lines.join("\n");
    if !lines.is_empty() {
        text.push('\n');
    }
    text.into()
}
