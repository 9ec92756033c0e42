//! What an edit makes run again. These are guarantees of the product: they keep an answer within a keystroke
//! in a workspace of any size.
#![allow(clippy::unwrap_used)]

mod workspace;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use gatewatch_drift::Code;
use gatewatch_source::Database;
use workspace::{GUARD, LONG, Open, texts};

/// Queries about a whole tree, or about what modules do when they are loaded.
const WIDE: &[&str] = &["module_roles", "linked", "model", "compared"];

/// An open file, and the queries that have run.
struct Observed {
    open: Open,
    ran: Arc<Mutex<Vec<String>>>,
}

impl Observed {
    fn new(path: &str) -> Self {
        let ran = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&ran);
        let db = Database::listening(Arc::new(move |query| tell.lock().unwrap().push(query)));
        Self {
            open: Open::new(db, &texts(), path),
            ran,
        }
    }

    /// How often each query runs for an edit and the findings after it.
    fn edit(&mut self, at: usize, old: &str, new: &str) -> Ran {
        self.ran.lock().unwrap().clear();
        self.open.replace(at, old, new);
        self.open.findings();
        let mut counts = BTreeMap::new();
        for query in self.ran.lock().unwrap().iter() {
            let name = query.split('(').next().unwrap_or_default().to_owned();
            *counts.entry(name).or_default() += 1;
        }
        Ran(counts)
    }
}

#[derive(Debug)]
struct Ran(BTreeMap<String, usize>);

impl Ran {
    fn times(&self, query: &str) -> usize {
        self.0.get(query).copied().unwrap_or_default()
    }

    #[track_caller]
    fn without(&self, queries: &[&str]) {
        for query in queries {
            assert_eq!(self.times(query), 0, "`{query}` ran: {:#?}", self.0);
        }
    }
}

#[test]
fn typing_in_a_body_runs_that_function_and_nothing_wider() {
    let mut observed = Observed::new(LONG);
    let at = observed.open.place("def read_300(", "    item = ");
    let ran = observed.edit(at, "", "    note = clean(item_id)\n");
    ran.without(WIDE);
    for query in ["facts", "heads"] {
        assert_eq!(ran.times(query), 1, "{ran:#?}");
    }
    for query in ["signature", "effects_of", "function_roles", "class_roles"] {
        assert!(ran.times(query) <= 1, "`{query}` ran: {ran:#?}");
    }
    // Characters, too: the name of a call gets longer.
    let at = observed.open.place("note = clean", "(");
    observed.edit(at, "", "ed").without(WIDE);
    assert_eq!(*observed.open.findings(), []);
}

#[test]
fn a_newline_at_the_top_runs_nothing_but_the_facts() {
    let mut observed = Observed::new(LONG);
    let ran = observed.edit(0, "", "\n");
    assert_eq!(
        ran.0.into_iter().collect::<Vec<_>>(),
        [("facts".to_owned(), 1)]
    );
}

#[test]
fn an_edit_of_a_guard_runs_its_effects_and_the_model_once() {
    let mut observed = Observed::new(GUARD);
    let check = "    if user is None:\n        raise HTTPException(status_code=401)\n";
    let at = observed.open.place("def current_user", check);
    let ran = observed.edit(at, check, "");
    ran.without(&["module_roles", "linked"]);
    for query in ["model", "compared"] {
        assert_eq!(ran.times(query), 1, "{ran:#?}");
    }
    // And not those of the two thousand handlers behind it.
    assert!(ran.times("effects_of") <= 2, "{ran:#?}");
    let codes: Vec<Code> = observed
        .open
        .findings()
        .iter()
        .map(|finding| finding.code)
        .collect();
    assert_eq!(codes, [Code::GuardGutted]);
}

#[test]
fn a_statement_in_a_guard_leaves_the_model_alone() {
    let mut observed = Observed::new(GUARD);
    let at = observed.open.place("def current_user", "    if user");
    let ran = observed.edit(at, "", "    log(\"asked\")\n");
    ran.without(WIDE);
    assert_eq!(ran.times("effects_of"), 1, "{ran:#?}");
}

#[test]
fn an_edit_of_a_signature_links_again_at_most_once() {
    let mut observed = Observed::new(LONG);
    let at = observed
        .open
        .place("def read_300(", ", user=Depends(current_user)");
    let ran = observed.edit(at, ", user=Depends(current_user)", "");
    for query in ["module_roles", "linked", "model", "compared"] {
        assert!(ran.times(query) <= 1, "{ran:#?}");
    }
    assert_ne!(*observed.open.findings(), []);
}
