//! Which files of a tree are looked at. The current tree and the baseline are selected by the same
//! rules; else a file that only one of them admits would look added or deleted.

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rustc_hash::FxHashSet;

use crate::path::FilePath;
use crate::walk::WalkOptions;

/// Folders of other people's code or of tools. They are never entered, tracked or not.
const FOREIGN: [&str; 6] = [
    ".git",
    ".gatewatch",
    ".venv",
    "__pycache__",
    "node_modules",
    "venv",
];

/// Whether a folder of this name is never entered: foreign code, or hidden.
pub(crate) fn skips_folder(name: &str) -> bool {
    name.starts_with('.') || FOREIGN.contains(&name)
}

/// Whether a file of this name is never read: a hidden one.
pub(crate) fn skips_file(name: &str) -> bool {
    name.starts_with('.')
}

/// [`WalkOptions`], made ready to judge paths.
///
/// It knows nothing of `.gitignore`: that is a matter of the tree on disk, see [`walk`](crate::walk).
#[derive(Clone, Debug)]
pub struct Selection {
    extensions: FxHashSet<String>,
    names: FxHashSet<String>,
    exclude: Gitignore,
    problems: Vec<String>,
}

impl Selection {
    /// Compiles `options`. A pattern that can't be compiled selects nothing and is reported by
    /// [`Selection::problems`].
    pub fn new(options: &WalkOptions) -> Self {
        let mut problems = Vec::new();
        let mut exclude = GitignoreBuilder::new("");
        for pattern in &options.exclude {
            if let Err(error) = exclude.add_line(None, pattern) {
                problems.push(format!(
                    "the exclude pattern `{pattern}` is not valid: {error}"
                ));
            }
        }
        let exclude = exclude.build().unwrap_or_else(|error| {
            problems.push(format!("the exclude patterns can't be used: {error}"));
            Gitignore::empty()
        });
        Self {
            extensions: options.extensions.iter().cloned().collect(),
            names: options.names.iter().cloned().collect(),
            exclude,
            problems,
        }
    }

    /// What is wrong with the options, as sentences for the user.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Whether the file at `path` is to be read, judged by its path alone.
    pub fn accepts(&self, path: &FilePath) -> bool {
        if !self.wants(path) {
            return false;
        }
        let whole = path.as_str();
        let mut folder_start = 0;
        for (slash, _) in whole.match_indices('/') {
            if skips_folder(&whole[folder_start..slash]) || self.excludes(&whole[..slash], true) {
                return false;
            }
            folder_start = slash + 1;
        }
        !self.excludes(whole, false)
    }

    /// Whether the file's own name and extension are asked for.
    pub(crate) fn wants(&self, path: &FilePath) -> bool {
        let everything = self.extensions.is_empty() && self.names.is_empty();
        !skips_file(path.file_name())
            && (everything
                || self.names.contains(path.file_name())
                || self.extensions.contains(path.extension()))
    }

    /// Whether an exclude pattern names exactly this path.
    pub(crate) fn excludes(&self, path: &str, is_folder: bool) -> bool {
        self.exclude.matched(path, is_folder).is_ignore()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(exclude: &[&str]) -> Selection {
        Selection::new(&WalkOptions {
            extensions: vec!["py".into()],
            names: vec!["Dockerfile".into()],
            exclude: exclude.iter().map(ToString::to_string).collect(),
            ..WalkOptions::default()
        })
    }

    #[test]
    fn by_extension_and_name() {
        let selection = selection(&[]);
        for path in ["a.py", "x/Dockerfile", "build/a.py", "target/a.py"] {
            assert!(selection.accepts(&path.into()), "{path}");
        }
        for path in [
            "a.rs",
            "py",
            "node_modules/x/a.py",
            ".github/a.py",
            "x/.a.py",
            "venv/a.py",
            "",
        ] {
            assert!(!selection.accepts(&path.into()), "{path}");
        }
    }

    #[test]
    fn without_names_everything() {
        let selection = Selection::new(&WalkOptions::default());
        assert!(selection.accepts(&"LICENSE".into()));
        assert!(!selection.accepts(&"a/.git/config".into()));
    }

    #[test]
    fn exclude_patterns_are_read_as_in_gitignore() {
        let selection = selection(&["migrations/", "/gen", "*_pb2.py", "a/**/test_*.py"]);
        assert!(selection.problems().is_empty());
        for path in [
            "x/migrations/1.py",
            "gen/a.py",
            "y/x_pb2.py",
            "a/b/c/test_x.py",
            "a/test_x.py",
        ] {
            assert!(!selection.accepts(&path.into()), "{path}");
        }
        for path in ["x/gen/a.py", "migrations.py", "b/test_x.py"] {
            assert!(selection.accepts(&path.into()), "{path}");
        }
    }

    #[test]
    fn a_broken_pattern_is_reported() {
        let selection = selection(&["a{b", "ok/"]);
        assert_eq!(selection.problems().len(), 1);
        assert!(!selection.accepts(&"ok/a.py".into()));
        assert!(selection.accepts(&"a.py".into()));
    }
}
