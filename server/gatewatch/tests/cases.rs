//! Runs `tests/cases/**/*.md`, each as a test of its own. What they are and what is checked stands in
//! `tests/cases/README.md`.
//!
//! `cargo test -p gatewatch --test cases fastapi/` runs one group; `GATEWATCH_BLESS=1` writes what the
//! engine says into the cases, for review by `git diff`; `GATEWATCH_OPEN=1` writes `tests/cases/open.txt`, the list of
//! checks that don't hold yet. `random-edits` makes random edits of the cases' files; `GATEWATCH_EDITS`
//! says how many, `GATEWATCH_SEED` which.

#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

mod support;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| value == "1");
    let bless = set("GATEWATCH_BLESS");
    let open = Arc::new(support::open::Open::read(&folder, set("GATEWATCH_OPEN")));
    let cases = support::find(&folder);
    let ran: Vec<String> = cases
        .iter()
        .map(|(name, _)| name.clone())
        .filter(|name| {
            arguments
                .filter
                .as_ref()
                .is_none_or(|filter| name.contains(filter.as_str()))
        })
        .collect();
    let texts = support::texts(&cases);
    let mut trials: Vec<Trial> = cases
        .into_iter()
        .map(|(name, path)| {
            let open = Arc::clone(&open);
            Trial::test(name.clone(), move || {
                support::run(&name, &path, bless, &open).map_err(Into::into)
            })
        })
        .collect();
    trials.push(Trial::test("random-edits", move || {
        support::random::check(&texts).map_err(Into::into)
    }));
    let conclusion = libtest_mimic::run(&arguments, trials);
    open.write(&ran);
    conclusion.exit_code()
}
