//! What a keystroke costs, from the edit to the findings, beside the bare incremental parse of the same text:
//! `cargo bench -p gatewatch-drift --bench edit`. It asserts no time.
#![allow(clippy::unwrap_used)]

#[path = "../tests/workspace/mod.rs"]
#[allow(dead_code)]
mod workspace;

use std::sync::Arc;
use std::time::{Duration, Instant};

use gatewatch_source::Database;
use workspace::{GUARD, LONG, Open, edited, texts};

const ROUNDS: usize = 100;

/// An edit: where, what is there, what comes there.
type Edit = (usize, &'static str, &'static str);

fn main() {
    run("a body", LONG, |open, _| {
        let at = open.place("def read_300(", "    item = ");
        (at, "", "    note = 1\n")
    });
    run("the top", LONG, |_, _| (0, "", "\n"));
    let guard = ", user=Depends(current_user)";
    run("a route's guard", LONG, |open, round| match round % 2 {
        0 => (open.place("def read_300(", guard), guard, ""),
        _ => (open.place("def read_300(", "):"), "", guard),
    });
    let check = "    if user is None:\n        raise HTTPException(status_code=401)\n";
    run("the guard itself", GUARD, |open, round| match round % 2 {
        0 => (open.place("def current_user", check), check, ""),
        _ => (open.place("users.get(token)\n", "    return"), "", check),
    });
}

fn run(what: &str, path: &str, next: impl Fn(&Open, usize) -> Edit) {
    let mut open = Open::new(Database::new(), &texts(), path);
    let mut took = [const { Vec::new() }; 4];
    for round in 0..ROUNDS {
        let (at, old, new) = next(&open, round);
        let (text, edit) = edited(&open.text, at, old, new);
        let mut parser = tree_sitter::Parser::new();
        parser
            .set_language(&tree_sitter_python::LANGUAGE.into())
            .unwrap();
        let start = Instant::now();
        let mut tree = open.buffer.tree().unwrap().clone();
        tree.edit(&edit);
        let tree = parser.parse(&text, Some(&tree));
        took[0].push(start.elapsed());
        drop(tree);
        open.text = text.into();
        let start = Instant::now();
        open.buffer = Arc::new(open.buffer.edit(&open.text, &[edit]).unwrap());
        took[1].push(start.elapsed());
        let start = Instant::now();
        open.write();
        took[2].push(start.elapsed());
        let start = Instant::now();
        open.findings();
        took[3].push(start.elapsed());
    }
    let [bare, parse, write, findings] = took.map(median);
    let ratio = (parse + write + findings).as_secs_f64() / bare.as_secs_f64();
    println!(
        "{what}: parse and facts {parse:.2?}, write {write:.2?}, findings {findings:.2?}; {ratio:.1} times the bare parse of {bare:.2?}"
    );
}

fn median(mut took: Vec<Duration>) -> Duration {
    took.sort();
    took[took.len() / 2]
}
