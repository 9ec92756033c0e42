//! Runs `tests/cases/**/*.md`, each as a test of its own. What they are and what is checked stands in
//! `tests/cases/README.md`.
//!
//! `cargo test -p gatewatch --test cases fastapi/` runs one group; `GATEWATCH_BLESS=1` writes what the
//! engine says into the cases, for review by `git diff`.

#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

mod support;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
    let bless = std::env::var_os("GATEWATCH_BLESS").is_some_and(|value| value == "1");
    let trials = support::find(&folder)
        .into_iter()
        .map(|(name, path)| {
            Trial::test(name, move || support::run(&path, bless).map_err(Into::into))
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}
