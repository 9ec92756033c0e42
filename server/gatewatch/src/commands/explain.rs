//! `gatewatch explain`: the hover, as text.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use gatewatch_drift::CONFIG_FILE;
use gatewatch_report::{Explanation, explain as at_offset, explain_line, line_map};
use gatewatch_source::{Encoding, FilePath, Position};

use crate::failure::Failure;
use crate::load::{BaselineChoice, load};

/// A place as a person writes it: `FILE:LINE` or `FILE:LINE:COLUMN`, both 1-based.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, relative to the working directory.
    pub file: PathBuf,
    /// The line.
    pub line: u32,
    /// The column, in characters.
    pub column: Option<u32>,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "a place is FILE:LINE or FILE:LINE:COLUMN, counted from 1".to_owned();
        let (rest, last) = text.rsplit_once(':').ok_or_else(wrong)?;
        let last = number(last).ok_or_else(wrong)?;
        let (file, line, column) = match rest.rsplit_once(':') {
            Some((file, line)) if number(line).is_some() => {
                (file, number(line).ok_or_else(wrong)?, Some(last))
            }
            _ => (rest, last, None),
        };
        if file.is_empty() {
            return Err(wrong());
        }
        Ok(Self {
            file: file.into(),
            line,
            column,
        })
    }
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| *number > 0)
}

/// Explains what stands at a place; `None` where nothing does. The workspace is `dir`, or the nearest
/// folder above the file that has a configuration or a repository.
///
/// # Errors
/// If the file can't be read or is not part of the workspace, or a baseline that was asked for by name
/// can't be had.
pub fn explain(
    place: &Place,
    dir: Option<&Path>,
    baseline: &BaselineChoice,
) -> Result<Option<Explanation>, Failure> {
    let asked = |why: String| Failure::Asked(format!("`{}`: {why}", place.file.display()));
    let whole = place
        .file
        .canonicalize()
        .map_err(|error| asked(error.to_string()))?;
    let root = match dir {
        Some(dir) => dir.canonicalize().map_err(|error| Failure::Folder {
            dir: dir.to_owned(),
            why: error.to_string(),
        })?,
        None => root_of(&whole),
    };
    let path = whole
        .strip_prefix(&root)
        .map_err(|_| asked(format!("it is not in `{}`", root.display())))?;
    let path = FilePath::new(&path.to_string_lossy());
    let loaded = load(&root, baseline)?;
    let Some(file) = loaded.workspace.current.file(&loaded.db, &path) else {
        let skipped = loaded.workspace.skipped.iter().find(|s| s.file == path);
        return Err(asked(match skipped {
            Some(skipped) => skipped.why.clone(),
            None => "it is no source file of the workspace".to_owned(),
        }));
    };
    let lines = line_map(&loaded.db, file);
    if place.line > lines.line_count() {
        return Err(asked(format!("it has {} lines", lines.line_count())));
    }
    let (db, trees) = (&loaded.db, loaded.trees());
    let has = loaded.workspace.has_baseline;
    let line = place.line - 1;
    Ok(match place.column {
        None => explain_line(db, trees, has, &path, line),
        Some(column) => {
            let position = Position::new(line, column - 1);
            let offset = lines.offset(position, Encoding::Utf32);
            let offset = u32::try_from(offset).unwrap_or(u32::MAX);
            at_offset(db, trees, has, &path, offset)
        }
    })
}

fn root_of(file: &Path) -> PathBuf {
    let above = || file.ancestors().skip(1);
    above()
        .find(|folder| folder.join(CONFIG_FILE).is_file())
        .or_else(|| above().find(|folder| folder.join(".git").exists()))
        .map(Path::to_owned)
        .or_else(|| std::env::current_dir().ok()?.canonicalize().ok())
        .filter(|root| file.starts_with(root))
        .or_else(|| file.parent().map(Path::to_owned))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_as_people_write_them() {
        let place = |file: &str, line, column| Place {
            file: file.into(),
            line,
            column,
        };
        assert_eq!("a.py:3".parse(), Ok(place("a.py", 3, None)));
        assert_eq!("a.py:3:7".parse(), Ok(place("a.py", 3, Some(7))));
        assert_eq!("C:/a.py:3".parse(), Ok(place("C:/a.py", 3, None)));
        for wrong in ["a.py", "a.py:", ":3", "a.py:0", "a.py:x", "a.py:-1"] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
    }
}
