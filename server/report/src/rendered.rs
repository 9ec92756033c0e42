//! Findings with their positions resolved: what every format of a check is written from.

use gatewatch_drift::{
    CONFIG_FILE, Code, Config, EntryName, Finding, Problem, Severity, Side, Trees, findings, fixes,
};
use gatewatch_model::model;
use gatewatch_source::{Db, FilePath, FileSet, Workspace};
use gatewatch_syntax::file_facts;

use crate::place::{Location, location};

/// A finding, ready to be shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rendered {
    /// What kind of change.
    pub code: Code,
    /// How much it matters in this project.
    pub severity: Severity,
    /// Stable under moves and renames.
    pub fingerprint: String,
    /// What happened.
    pub message: String,
    /// Where the reader must look.
    pub location: Location,
    /// The entry point, if it concerns a single one.
    pub entry_point: Option<EntryName>,
    /// What held at the branch point.
    pub was: String,
    /// What holds now.
    pub now: String,
    /// What was seen.
    pub evidence: Vec<Note>,
    /// The control that should exist.
    pub expected_control: String,
    /// The titles of the fixes that an editor offers.
    pub fixes: Vec<String>,
}

/// One thing that was seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// What.
    pub message: String,
    /// Where.
    pub location: Location,
    /// In which tree.
    pub side: Side,
}

/// A place that could not be resolved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unresolved {
    /// Where.
    pub location: Location,
    /// Why.
    pub why: String,
}

/// A file that was not read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unread {
    /// The file; the empty path is the whole folder.
    pub file: FilePath,
    /// Why.
    pub why: String,
}

/// The result of a check.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// What was compared with, in a few words.
    pub baseline: String,
    /// Whether there was anything to compare with.
    pub has_baseline: bool,
    /// What the reader should know about the baseline.
    pub note: Option<String>,
    /// What changed, sorted by file and place.
    pub findings: Vec<Rendered>,
    /// What could not be resolved in the current tree.
    pub unknown: Vec<Unresolved>,
    /// What could not be read.
    pub skipped: Vec<Unread>,
    /// The checked folder as seen from where the reader stands, `backend`; empty if that is the same.
    /// JSON has paths without it, all else with it.
    pub folder: String,
}

impl Report {
    /// Checks a workspace. Without a baseline there is nothing to be called a change, and the only
    /// findings are the problems of the configuration.
    pub fn of(db: &dyn Db, workspace: &Workspace, config: &Config, problems: &[Problem]) -> Self {
        let trees = Trees {
            current: workspace.current,
            baseline: workspace.baseline,
        };
        let mut all: Vec<Rendered> = problems
            .iter()
            .map(|problem| Rendered::configuration(problem, config))
            .collect();
        if workspace.has_baseline {
            all.extend(
                findings(db, trees)
                    .iter()
                    .filter_map(|finding| render(db, trees, config, finding)),
            );
        }
        sort(&mut all);
        let unknown = model(db, workspace.current)
            .unknown
            .iter()
            .map(|(site, why)| Unresolved {
                location: location(db, *site),
                why: why.clone(),
            })
            .collect();
        let unread = workspace.skipped.iter().filter(|one| !one.is_gone());
        let unread = unread.map(|one| (&one.file, one.why.as_str()));
        let tangled = tangled(db, workspace.current);
        let skipped = unread
            .chain(tangled.iter().map(|file| (file, TANGLED)))
            .map(|(file, why)| Unread {
                file: file.clone(),
                why: why.to_owned(),
            })
            .collect();
        Self {
            baseline: workspace.baseline_name.clone(),
            has_baseline: workspace.has_baseline,
            note: workspace.baseline_note.clone(),
            findings: all,
            unknown,
            skipped,
            folder: String::new(),
        }
    }

    /// A file as seen from where the reader stands.
    pub fn shown(&self, file: &FilePath) -> String {
        if self.folder.is_empty() {
            file.as_str().to_owned()
        } else {
            format!("{}/{file}", self.folder)
        }
    }

    /// The findings with those together that say the same of one place: a guard that leaves a router is
    /// lost for all its entry points, and a reader wants to see that once.
    pub fn groups(&self) -> Vec<Vec<&Rendered>> {
        let mut groups: Vec<Vec<&Rendered>> = Vec::new();
        for finding in &self.findings {
            let known = groups.iter_mut().rev().take(16).find(|group| {
                group.first().is_some_and(|first| {
                    first.location == finding.location
                        && first.code == finding.code
                        && first.severity == finding.severity
                        && first.now == finding.now
                        && first.entry_point.is_some()
                        && finding.entry_point.is_some()
                })
            });
            match known {
                Some(group) => group.push(finding),
                None => groups.push(vec![finding]),
            }
        }
        groups
    }

    /// How many findings there are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    }

    /// The findings in a few words: `2 errors, 1 warning`; `no findings` for none.
    pub fn summary(&self) -> String {
        let words: Vec<String> = [
            (Severity::Error, "error", "errors"),
            (Severity::Warning, "warning", "warnings"),
            (Severity::Info, "note", "notes"),
        ]
        .into_iter()
        .filter_map(|(severity, one, many)| match self.count(severity) {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {many}")),
        })
        .collect();
        if words.is_empty() {
            "no findings".to_owned()
        } else {
            words.join(", ")
        }
    }
}

impl Rendered {
    /// A problem of the configuration file.
    pub fn configuration(problem: &Problem, config: &Config) -> Self {
        let code = Code::ConfigurationInvalid;
        Self {
            code,
            severity: config.severity_of_problems(),
            fingerprint: format!("{code}-{}-{}", problem.line, problem.column),
            message: problem.message.clone(),
            location: Location::point(FilePath::new(CONFIG_FILE), problem.line, problem.column),
            entry_point: None,
            was: String::new(),
            now: String::new(),
            evidence: Vec::new(),
            expected_control: code.expected_control().to_owned(),
            fixes: Vec::new(),
        }
    }
}

/// Why a file that was read is not analysed.
pub const TANGLED: &str = "the parser gave up on its text, which takes it out of all proportion";

/// The files of a tree of which nothing is known for [`TANGLED`], or only what an earlier text said.
pub fn tangled(db: &dyn Db, tree: FileSet) -> Vec<FilePath> {
    let files = tree.files(db).iter();
    files
        .filter(|(_, file)| file_facts(db, **file).given_up)
        .map(|(path, _)| path.clone())
        .collect()
}

/// Resolves the positions of a finding; `None` if the configuration turns its code off.
pub fn render(db: &dyn Db, trees: Trees, config: &Config, finding: &Finding) -> Option<Rendered> {
    let severity = config.severity(finding)?;
    Some(Rendered {
        code: finding.code,
        severity,
        fingerprint: finding.fingerprint.clone(),
        message: finding.message.clone(),
        location: location(db, finding.site),
        entry_point: finding.entry_point.clone(),
        was: finding.was.clone(),
        now: finding.now.clone(),
        evidence: finding
            .evidence
            .iter()
            .map(|evidence| Note {
                message: evidence.message.clone(),
                location: location(db, evidence.site),
                side: evidence.side,
            })
            .collect(),
        expected_control: finding.expected_control.clone(),
        fixes: fixes(db, trees, finding)
            .into_iter()
            .map(|fix| fix.title)
            .collect(),
    })
}

fn sort(all: &mut [Rendered]) {
    all.sort_by(|a, b| {
        let key = |r: &Rendered| {
            (
                r.location.file.clone(),
                r.location.line,
                r.code.name(),
                r.entry_point.clone(),
                r.location.column,
            )
        };
        key(a).cmp(&key(b))
    });
}

/// The entry points of all findings of a group but the first, and how many there are beyond `limit`.
pub(crate) fn others(group: &[&Rendered], limit: usize) -> (Vec<String>, usize) {
    let others = group.iter().skip(1);
    let names = others
        .filter_map(|one| one.entry_point.as_ref())
        .take(limit)
        .map(ToString::to_string)
        .collect();
    (names, group.len().saturating_sub(1 + limit))
}
