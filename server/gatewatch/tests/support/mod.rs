//! The harness of the cases: reads a case, runs it in every way, and says where it differs.

mod bless;
mod case;
mod diff;
mod engine;
mod fixes;
mod typing;

use std::fmt::Write as _;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use case::{Case, Edit};

/// Every case below a folder: its name (`fastapi/role-factory`) and its file, sorted.
pub fn find(folder: &Path) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    collect(folder, folder, &mut found);
    found.sort();
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, PathBuf)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|end| end == "md") && folder != root {
            let name = path.strip_prefix(root).unwrap().with_extension("");
            found.push((name.to_string_lossy().replace('\\', "/"), path));
        }
    }
}

/// Runs one case; what is wrong comes back as text.
pub fn run(path: &Path, bless: bool) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let case = Case::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut wrong = String::new();
    let mut blessed = bless::Blessed::new(&text);
    let before = engine::Folder::write(&case.before);
    check_routes(&case, &before, bless.then_some(&mut blessed), &mut wrong);
    for edit in &case.edits {
        // A panic in one edit must not hide what the others do.
        let checked = catch_unwind(AssertUnwindSafe(|| {
            let mut wrong = String::new();
            check_edit(
                &case,
                edit,
                &before,
                bless.then_some(&mut blessed),
                &mut wrong,
            );
            wrong
        }));
        let found = checked.unwrap_or_else(|panic| {
            let why = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            format!("    it panics: {}\n", why.unwrap_or_default())
        });
        if !found.is_empty() {
            let kind = if edit.silent { "Silent" } else { "Edit" };
            let _ = write!(
                wrong,
                "  {kind}: {} (line {})\n{found}",
                edit.title, edit.line
            );
        }
    }
    if bless {
        blessed.write(path);
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!("{}\n{wrong}", path.display()))
    }
}

fn check_routes(
    case: &Case,
    before: &engine::Folder,
    blessed: Option<&mut bless::Blessed>,
    wrong: &mut String,
) {
    let Some(expected) = &case.routes else {
        return;
    };
    let actual = match catch_unwind(AssertUnwindSafe(|| engine::route_lines(before))) {
        Ok(actual) => actual,
        Err(_) => {
            wrong.push_str("  Routes: it panics\n");
            return;
        }
    };
    let wanted: Vec<String> = expected
        .lines
        .iter()
        .map(|line| engine::without_inline(line))
        .collect();
    let mut sorted = wanted.clone();
    sorted.sort();
    let mut found = actual.clone();
    found.sort();
    if sorted == found {
        return;
    }
    match blessed {
        Some(blessed) => blessed.replace(expected, &actual),
        None => {
            let _ = writeln!(wrong, "  Routes (line {})", expected.first + 1);
            diff::say(wrong, &sorted, &found);
        }
    }
}

fn check_edit(
    case: &Case,
    edit: &Edit,
    before: &engine::Folder,
    blessed: Option<&mut bless::Blessed>,
    wrong: &mut String,
) {
    let after = match edit.apply(&case.before) {
        Ok(after) => after,
        Err(error) => {
            let _ = writeln!(wrong, "    {error}");
            return;
        }
    };
    let folder = engine::Folder::write(&after);
    let report = match engine::check(&folder, before) {
        Ok(report) => report,
        Err(error) => {
            let _ = writeln!(wrong, "    the check fails: {error}");
            return;
        }
    };
    let actual = engine::finding_lines(&report);
    let expected = edit.expected();
    match blessed {
        Some(blessed) if !edit.silent => {
            if !engine::agree(&expected, &actual, true) {
                blessed.findings(edit, &actual);
            }
        }
        _ => {
            if !engine::agree(&expected, &actual, false) {
                engine::say(wrong, &expected, &actual);
            }
        }
    }
    typing::check(&case.before, &after, edit, &report, wrong);
    fixes::check(&case.before, &after, wrong);
}
