//! What users set: in the editor, and in the project's `gatewatch.toml`. The editor wins, as an option on
//! the command line does; what is not to be read is what either names.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use gatewatch_drift::{CONFIG_FILE, Code, Config, Problem, Severity, load_config};
use gatewatch_source::{BaselineSpec, FilePath, MAX_FILE_BYTES, read_one};
use serde_json::Value;

/// What the editor sets, the same for all folders.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct EditorSettings {
    baseline: Option<String>,
    exclude: Vec<String>,
    severity: BTreeMap<Code, Option<Severity>>,
    /// Whether code lenses are wanted; by default they are.
    pub(crate) code_lens: Option<bool>,
    /// Whether inlay hints are wanted; by default they are.
    pub(crate) inlay_hints: Option<bool>,
}

impl EditorSettings {
    /// Reads a settings object, bare or below `gatewatch`. What makes no sense is left out and named.
    pub(crate) fn read(value: &Value) -> (Self, Vec<String>) {
        let value = value.get("gatewatch").unwrap_or(value);
        let mut settings = Self::default();
        let mut problems = Vec::new();
        let Some(fields) = value.as_object() else {
            if !value.is_null() {
                problems.push("the settings of `gatewatch` are no object; they are ignored".into());
            }
            return (settings, problems);
        };
        for (name, value) in fields {
            let fits = match (name.as_str(), value) {
                (_, Value::Null) => true,
                ("baseline", Value::String(rev)) => {
                    settings.baseline = Some(rev.trim().to_owned()).filter(|rev| !rev.is_empty());
                    true
                }
                ("exclude", Value::Array(patterns)) => {
                    settings.exclude = patterns
                        .iter()
                        .filter_map(Value::as_str)
                        .map(str::to_owned)
                        .collect();
                    settings.exclude.len() == patterns.len()
                }
                ("severity", Value::Object(levels)) => {
                    for (code, level) in levels {
                        match severity(code, level) {
                            Ok((code, level)) => drop(settings.severity.insert(code, level)),
                            Err(problem) => problems.push(problem),
                        }
                    }
                    true
                }
                ("codeLens", Value::Bool(wanted)) => {
                    settings.code_lens = Some(*wanted);
                    true
                }
                ("inlayHints", Value::Bool(wanted)) => {
                    settings.inlay_hints = Some(*wanted);
                    true
                }
                ("baseline" | "exclude" | "severity" | "codeLens" | "inlayHints", _) => false,
                // An extension has settings of its own in the same section.
                _ => true,
            };
            if !fits {
                problems.push(format!(
                    "the setting `gatewatch.{name}` can't be `{value}`; it is ignored"
                ));
            }
        }
        (settings, problems)
    }
}

fn severity(code: &str, level: &Value) -> Result<(Code, Option<Severity>), String> {
    let known = Code::ALL.iter().find(|known| known.name() == code);
    let code = known.ok_or_else(|| {
        format!("the setting `gatewatch.severity` names `{code}`, which is no finding code")
    })?;
    let level = match level.as_str() {
        Some("error") => Some(Severity::Error),
        Some("warning") => Some(Severity::Warning),
        Some("info" | "information") => Some(Severity::Info),
        Some("off") => None,
        _ => {
            return Err(format!(
                "the setting `gatewatch.severity.{code}` can't be `{level}`: `error`, `warning`, `info` or `off`"
            ));
        }
    };
    Ok((*code, level))
}

/// What holds for one folder.
#[derive(Clone, Debug, Default)]
pub(crate) struct FolderSettings {
    /// What the folder is compared with.
    pub(crate) baseline: BaselineSpec,
    /// What is not read of it, as lines of a `.gitignore`.
    pub(crate) exclude: Vec<String>,
    /// Severities, with the editor's over the project's.
    pub(crate) config: Config,
    /// What is wrong with `gatewatch.toml`.
    pub(crate) problems: Vec<Problem>,
    /// Its text, to find the places of the problems.
    pub(crate) text: Option<Arc<str>>,
}

impl FolderSettings {
    /// Reads the project's file and lays the editor's settings over it.
    pub(crate) fn read(root: &Path, editor: &EditorSettings) -> Self {
        let read = read_one(root, &FilePath::new(CONFIG_FILE), MAX_FILE_BYTES);
        let (text, (mut config, problems)) = match read {
            Ok(text) => (Some(Arc::clone(&text)), load_config(&text)),
            Err(skipped) if skipped.is_gone() => (None, Default::default()),
            Err(skipped) => {
                let message = format!("{skipped}; the defaults are used");
                (
                    None,
                    (
                        Config::default(),
                        vec![Problem {
                            line: 1,
                            column: 1,
                            message,
                        }],
                    ),
                )
            }
        };
        Self::of(&mut config, editor, problems, text)
    }

    /// What holds for a file that belongs to no folder.
    pub(crate) fn without_project(editor: &EditorSettings) -> Self {
        Self::of(&mut Config::default(), editor, Vec::new(), None)
    }

    fn of(
        config: &mut Config,
        editor: &EditorSettings,
        problems: Vec<Problem>,
        text: Option<Arc<str>>,
    ) -> Self {
        config.severity.extend(editor.severity.clone());
        let rev = editor.baseline.clone().or_else(|| config.baseline.clone());
        let mut exclude = config.exclude.clone();
        exclude.extend(editor.exclude.iter().cloned());
        Self {
            baseline: rev.map_or(BaselineSpec::Auto, BaselineSpec::Rev),
            exclude,
            config: std::mem::take(config),
            problems,
            text,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_makes_no_sense_is_named_and_the_rest_used() {
        let (settings, problems) = EditorSettings::read(&json!({"gatewatch": {
            "baseline": "main", "exclude": ["gen/"], "codeLens": false, "inlayHints": null, "path": "/x",
            "severity": {"guard-inert": "off", "no-such": "off", "guard-gutted": 3},
        }}));
        assert_eq!(settings.baseline.as_deref(), Some("main"));
        assert_eq!(settings.code_lens, Some(false));
        assert_eq!(
            settings.severity,
            BTreeMap::from([(Code::GuardInert, None)])
        );
        assert_eq!(problems.len(), 2, "{problems:?}");
        let (settings, problems) = EditorSettings::read(&json!({"baseline": 1, "exclude": [1]}));
        assert_eq!((settings, problems.len()), (EditorSettings::default(), 2));
        assert_eq!(EditorSettings::read(&Value::Null).1, Vec::<String>::new());
        assert_eq!(EditorSettings::read(&json!("x")).1.len(), 1);
    }

    #[test]
    fn the_editor_wins_over_the_project() {
        let folder = tempfile::tempdir().unwrap();
        let text = "[baseline]\nrev = \"v1\"\n[scope]\nexclude = [\"a/\"]\n[severity]\nguard-inert = \"info\"\n";
        std::fs::write(folder.path().join(CONFIG_FILE), text).unwrap();
        let none = EditorSettings::default();
        let settings = FolderSettings::read(folder.path(), &none);
        assert_eq!(settings.baseline, BaselineSpec::Rev("v1".into()));
        let (editor, _) = EditorSettings::read(
            &json!({"baseline": "v2", "exclude": ["b/"], "severity": {"guard-inert": "off"}}),
        );
        let settings = FolderSettings::read(folder.path(), &editor);
        assert_eq!(settings.baseline, BaselineSpec::Rev("v2".into()));
        assert_eq!(settings.exclude, ["a/", "b/"]);
        assert_eq!(settings.config.severity[&Code::GuardInert], None);
        let settings = FolderSettings::read(&folder.path().join("none"), &none);
        assert_eq!(settings.baseline, BaselineSpec::Auto);
        assert!(settings.problems.is_empty());
    }
}
