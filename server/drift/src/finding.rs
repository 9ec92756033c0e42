//! Findings: changes that matter, with their evidence.

use std::fmt;

use gatewatch_model::Site;
use gatewatch_source::FilePath;
use gatewatch_syntax::Span;
use serde::Serialize;

use crate::code::Code;

/// How much a finding asks for attention. Ordered from less to more.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// To know.
    Info,
    /// To look at.
    Warning,
    /// To act on.
    Error,
}

impl Severity {
    /// The word of the contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Which of the two trees something stands in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The branch point.
    Baseline,
    /// The text as it is now.
    Current,
}

/// One thing that was seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evidence {
    /// What was seen, as a sentence without its place.
    pub message: String,
    /// Where.
    pub site: Site,
    /// In which tree.
    pub side: Side,
}

/// What an entry point is called by people.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
pub struct EntryName {
    /// `http` or `ws`.
    pub kind: String,
    /// The verb.
    pub method: String,
    /// The whole path.
    pub path: String,
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// A change that matters. Positions are [`Site`]s, so that moving code leaves a finding equal;
/// [`gatewatch_model::locate`] gives their spans.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What kind of change.
    pub code: Code,
    /// How much it matters here.
    pub severity: Severity,
    /// Stable under moves and renames of handlers, files and guards.
    pub fingerprint: String,
    /// What happened, with the essential chain: some editors show nothing else.
    pub message: String,
    /// Where the reader must look, in the current tree.
    pub site: Site,
    /// The entry point, if it concerns a single one.
    pub entry_point: Option<EntryName>,
    /// What held at the branch point.
    pub was: String,
    /// What holds now.
    pub now: String,
    /// What was seen, baseline first.
    pub evidence: Vec<Evidence>,
    /// The control that should exist.
    pub expected_control: String,
}

/// A change of text that clears a finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fix {
    /// What it does, as an editor's menu shows it.
    pub title: String,
    /// Whether it is the one that most people want.
    pub preferred: bool,
    /// The replacements, none overlapping; spans are of the current tree's texts.
    pub edits: Vec<FixEdit>,
}

/// One replacement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FixEdit {
    /// In which file.
    pub file: FilePath,
    /// What is replaced.
    pub span: Span,
    /// By what.
    pub text: String,
}
