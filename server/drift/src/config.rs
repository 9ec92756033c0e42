//! `gatewatch.toml`: what a project says about its baseline, its scope and its severities.
//!
//! It is text of a workspace that is not to be trusted: nothing in it runs, and what can't be read is
//! named at its place while the defaults are used.

use std::collections::BTreeMap;

use gatewatch_source::{Encoding, LineMap, Selection, WalkOptions};
use serde::Deserialize;
use toml::Spanned;

use crate::code::Code;
use crate::finding::{Finding, Severity};

/// The file's name, at the root of the workspace.
pub const CONFIG_FILE: &str = "gatewatch.toml";

/// What a project sets. The default is what holds without a file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Config {
    /// The revision to compare with, instead of the branch point.
    pub baseline: Option<String>,
    /// Paths not to read, with the meaning of `.gitignore` lines.
    pub exclude: Vec<String>,
    /// Severities instead of the engine's; `None` is `off`.
    pub severity: BTreeMap<Code, Option<Severity>>,
}

impl Config {
    /// The severity of a finding in this project; `None` if it is not to be said.
    pub fn severity(&self, finding: &Finding) -> Option<Severity> {
        self.severity
            .get(&finding.code)
            .copied()
            .unwrap_or(Some(finding.severity))
    }

    /// The severity of a problem of the file itself. That it can't be read has to be said; only how loud is
    /// a matter of taste.
    pub fn severity_of_problems(&self) -> Severity {
        let code = Code::ConfigurationInvalid;
        self.severity
            .get(&code)
            .copied()
            .flatten()
            .unwrap_or(code.severity())
    }
}

/// Something in the file that can't be used. Lines and columns (in characters) are 1-based.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Its line.
    pub line: u32,
    /// Its column.
    pub column: u32,
    /// What is wrong, and what is used instead.
    pub message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    baseline: Option<Baseline>,
    scope: Option<Scope>,
    #[serde(default)]
    severity: BTreeMap<Spanned<String>, Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Baseline {
    rev: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scope {
    #[serde(default)]
    exclude: Vec<Spanned<String>>,
}

/// Reads the text of a configuration file. A text that can't be read as a whole gives the default and
/// one problem; a single value that makes no sense is left out.
pub fn load(text: &str) -> (Config, Vec<Problem>) {
    let lines = LineMap::new(text);
    let problem = |offset: usize, message: String| {
        let position = lines.position(offset, Encoding::Utf32);
        Problem {
            line: position.line + 1,
            column: position.character + 1,
            message,
        }
    };
    let file: File = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            let offset = error.span().map_or(0, |span| span.start);
            let why = error.message().trim().replace('\n', "; ");
            let message = format!("{CONFIG_FILE} can't be read: {why}; the defaults are used");
            return (Config::default(), vec![problem(offset, message)]);
        }
    };
    let mut config = Config::default();
    let mut problems = Vec::new();
    if let Some(rev) = file.baseline.and_then(|baseline| baseline.rev) {
        if rev.get_ref().trim().is_empty() {
            let message = "`rev` is empty; the branch point is used".to_owned();
            problems.push(problem(rev.span().start, message));
        } else {
            config.baseline = Some(rev.into_inner());
        }
    }
    for pattern in file.scope.into_iter().flat_map(|scope| scope.exclude) {
        let options = WalkOptions {
            exclude: vec![pattern.get_ref().clone()],
            ..WalkOptions::default()
        };
        match Selection::new(&options).problems().first() {
            Some(why) => {
                let message = format!("{why}; it is left out");
                problems.push(problem(pattern.span().start, message));
            }
            None => config.exclude.push(pattern.into_inner()),
        }
    }
    for (name, level) in file.severity {
        let Some(code) = Code::ALL.iter().find(|code| code.name() == name.get_ref()) else {
            let message = format!(
                "there is no finding code `{}`; it is ignored",
                name.get_ref()
            );
            problems.push(problem(name.span().start, message));
            continue;
        };
        let severity = match level.get_ref().as_str() {
            "error" => Some(Severity::Error),
            "warning" => Some(Severity::Warning),
            "info" => Some(Severity::Info),
            "off" => None,
            other => {
                let message = format!(
                    "`{other}` is no severity: `error`, `warning`, `info` or `off`; `{code}` keeps its own"
                );
                problems.push(problem(level.span().start, message));
                continue;
            }
        };
        config.severity.insert(*code, severity);
    }
    problems.sort_by_key(|problem| (problem.line, problem.column));
    (config, problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_can_be_set() {
        let (config, problems) = load(
            "[baseline]\nrev = \"main\"\n[scope]\nexclude = [\"gen/\"]\n\
             [severity]\ncontrol-scattered = \"off\"\nguard-inert = \"warning\"\n",
        );
        assert_eq!(problems, []);
        assert_eq!(config.baseline.as_deref(), Some("main"));
        assert_eq!(config.exclude, ["gen/"]);
        assert_eq!(config.severity[&Code::ControlScattered], None);
        assert_eq!(config.severity[&Code::GuardInert], Some(Severity::Warning));
    }

    #[test]
    fn broken_text_is_named_at_its_place() {
        for (text, line, column, word) in [
            ("[baseline\n", 1, 10, "]"),
            ("[scope]\nexclud = []\n", 2, 1, "exclud"),
            ("[scope]\nexclude = \"x\"\n", 2, 11, "sequence"),
            ("\n[rules]\n", 2, 2, "rules"),
        ] {
            let (config, problems) = load(text);
            assert_eq!(config, Config::default(), "{text}");
            let [problem] = &problems[..] else {
                panic!("{text}: {problems:?}");
            };
            assert_eq!(
                (problem.line, problem.column),
                (line, column),
                "{problem:?}"
            );
            assert!(problem.message.contains(word), "{problem:?}");
        }
    }

    #[test]
    fn a_value_without_sense_leaves_the_others() {
        let (config, problems) = load(
            "[severity]\nno-such-code = \"off\"\nguard-inert = \"fatal\"\nguard-gutted = \"info\"\n\
             [scope]\nexclude = [\"a{b\", \"ok/\"]\n",
        );
        let places: Vec<_> = problems.iter().map(|p| (p.line, p.column)).collect();
        assert_eq!(places, [(2, 1), (3, 15), (6, 12)]);
        assert_eq!(config.severity.len(), 1);
        assert_eq!(config.exclude, ["ok/"]);
    }
}
