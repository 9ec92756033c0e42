//! The harness of the cases: reads a case, runs it in every way, and says where it differs.

mod bless;
pub mod case;
mod diff;
mod engine;
#[path = "../../../lsp/tests/server/harness.rs"]
#[allow(dead_code)]
mod harness;
pub mod open;
mod protocol;
pub mod random;
mod server;
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

/// The workspaces of cases, by the cases' names; of those that can be read.
pub fn texts(cases: &[(String, PathBuf)]) -> Vec<(String, case::Texts)> {
    let read = cases.iter().filter_map(|(name, path)| {
        let case = Case::parse(&fs::read_to_string(path).ok()?).ok()?;
        Some((name.clone(), case.before))
    });
    read.collect()
}

/// What is wrong with one check of a case.
struct Wrong {
    /// The section and the way it was checked: `Edit: the guard goes [typing]`.
    check: String,
    /// The readable difference.
    text: String,
}

/// Runs one case. Checks that `open` lists may fail, and must: one that holds again is struck from the
/// list, so that it can't be lost unseen.
pub fn run(name: &str, path: &Path, bless: bool, open: &open::Open) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let case = Case::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut wrong: Vec<Wrong> = Vec::new();
    let mut blessed = bless::Blessed::new(&text);
    let before = engine::Folder::write(&case.before);
    let mut routes = String::new();
    check_routes(&case, &before, bless.then_some(&mut blessed), &mut routes);
    if !routes.is_empty() {
        wrong.push(Wrong {
            check: "Routes".to_owned(),
            text: routes,
        });
    }
    let mut desk = protocol::Desk::new(&case.before);
    for edit in &case.edits {
        // A panic in one edit must not hide what the others do.
        let checked = catch_unwind(AssertUnwindSafe(|| {
            let mut found: Vec<(&'static str, String)> = Vec::new();
            check_edit(
                &case,
                edit,
                &before,
                &mut desk,
                bless.then_some(&mut blessed),
                &mut found,
            );
            found
        }));
        let found = checked.unwrap_or_else(|panic| {
            let why = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            vec![(
                "panic",
                format!("    it panics: {}\n", why.unwrap_or_default()),
            )]
        });
        let kind = if edit.silent { "Silent" } else { "Edit" };
        for (way, text) in found {
            if !text.is_empty() {
                wrong.push(Wrong {
                    check: format!("{kind}: {} [{way}]", edit.title),
                    text: format!("  {kind}: {} (line {})\n{text}", edit.title, edit.line),
                });
            }
        }
    }
    if bless {
        blessed.write(path);
    }
    open.compare(
        name,
        path,
        wrong
            .into_iter()
            .map(|wrong| (wrong.check, wrong.text))
            .collect(),
    )
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
    desk: &mut protocol::Desk<'_>,
    blessed: Option<&mut bless::Blessed>,
    found: &mut Vec<(&'static str, String)>,
) {
    let mut wrong = String::new();
    let wrong = &mut wrong;
    let after = match edit.apply(&case.before) {
        Ok(after) => after,
        Err(error) => {
            found.push(("edit", format!("    {error}\n")));
            return;
        }
    };
    let folder = engine::Folder::write(&after);
    let report = match engine::check(&folder, before) {
        Ok(report) => report,
        Err(error) => {
            found.push(("check", format!("    the check fails: {error}\n")));
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
    found.push(("findings", std::mem::take(wrong)));
    typing::check(&case.before, &after, edit, &report, wrong);
    found.push(("typing", std::mem::take(wrong)));
    let protocol::Wrong { published, fixes } = desk.check(&after, edit, &report);
    found.push(("server", published));
    found.push(("fixes", fixes));
}
