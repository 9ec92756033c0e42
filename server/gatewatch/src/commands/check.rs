//! `gatewatch check`: findings of a tree against its baseline.

use std::path::{Component, Path};

use gatewatch_report::Report;

use crate::failure::Failure;
use crate::load::{BaselineChoice, load};

/// What to check.
#[derive(Clone, Debug, Default)]
pub struct CheckOptions {
    /// What to compare with.
    pub baseline: BaselineChoice,
}

/// Checks the folder `dir`.
///
/// # Errors
/// If the folder can't be read, or a baseline that was asked for by name can't be had.
pub fn check(dir: &Path, options: &CheckOptions) -> Result<Report, Failure> {
    let loaded = load(dir, &options.baseline)?;
    let mut report = Report::of(
        &loaded.db,
        &loaded.workspace,
        &loaded.config,
        &loaded.problems,
    );
    report.folder = seen(dir);
    Ok(report)
}

/// The folder as seen from the working directory, where it is below it; else nothing.
fn seen(dir: &Path) -> String {
    let mut parts = Vec::new();
    for component in dir.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part.to_string_lossy()),
            _ => return String::new(),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_folder_below_is_put_in_front() {
        for (dir, prefix) in [
            (".", ""),
            ("./a/b/", "a/b"),
            ("a", "a"),
            ("/a", ""),
            ("../a", ""),
        ] {
            assert_eq!(seen(Path::new(dir)), prefix, "{dir}");
        }
    }
}
