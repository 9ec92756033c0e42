//! What an edit makes run again. These are guarantees of the product: they keep an answer within a keystroke
//! in a workspace of any size.
#![allow(clippy::unwrap_used)]

mod workspace;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use gatewatch_drift::Code;
use gatewatch_source::{Database, FilePath, Happened};
use workspace::{GUARD, LONG, Open, texts};

/// Queries about a whole tree, or about what modules do when they are loaded.
const WIDE: &[&str] = &[
    "module_roles",
    "components",
    "part",
    "linked",
    "model_part",
    "model",
    "compared",
];

/// An open file, and what happened to the queries.
struct Observed {
    open: Open,
    happened: Arc<Mutex<Vec<(Happened, String)>>>,
}

impl Observed {
    fn new(path: &str) -> Self {
        Self::of(&texts(), path)
    }

    fn of(texts: &BTreeMap<FilePath, Arc<str>>, path: &str) -> Self {
        let happened = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&happened);
        let db = Database::listening(Arc::new(move |what, query| {
            tell.lock().unwrap().push((what, query));
        }));
        Self {
            open: Open::new(db, texts, path),
            happened,
        }
        .edited()
    }

    /// After the first edit: with it salsa learns that this file changes often.
    fn edited(mut self) -> Self {
        let end = self.open.text.len();
        let ran = self.edit(end, "", "\n");
        ran.without(&["module_roles", "components", "part", "linked", "signature"]);
        self
    }

    /// How often each query runs for an edit and the findings after it.
    fn edit(&mut self, at: usize, old: &str, new: &str) -> Ran {
        self.happened.lock().unwrap().clear();
        self.open.replace(at, old, new);
        self.open.findings();
        Ran(self.count(Happened::Ran))
    }

    /// How often something happened to each query since the last edit.
    fn count(&self, what: Happened) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for (_, query) in self
            .happened
            .lock()
            .unwrap()
            .iter()
            .filter(|(happened, _)| *happened == what)
        {
            let name = query.split('(').next().unwrap_or_default().to_owned();
            *counts.entry(name).or_default() += 1;
        }
        counts
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
    ran.without(&["facts", "kept_heads", "signature"]);
    for query in ["effects_of", "function_roles", "class_roles"] {
        assert!(ran.times(query) <= 1, "`{query}` ran: {ran:#?}");
    }
    // Characters, too: the name of a call gets longer.
    let at = observed.open.place("note = clean", "(");
    observed.edit(at, "", "ed").without(WIDE);
    assert_eq!(*observed.open.findings(), []);
}

/// Salsa looks at all that a query has read before it says that its result is still good. What other files say, and
/// what heads say, must be known to be good without that.
#[test]
fn typing_in_a_body_looks_at_no_other_file() {
    let mut observed = Observed::new("app/r1.py");
    let at = observed.open.place("def read_3(", "    item = ");
    observed.edit(at, "", "    note = 1\n");
    observed.edit(at, "", "    more = 1\n").without(WIDE);
    let mut looked = observed.count(Happened::LookedAt);
    // The model looks once at each of its entry points, which is cheap, and not into them.
    looked.remove("coverage_of");
    assert!(looked.values().sum::<usize>() < 100, "{looked:#?}");
}

#[test]
fn a_newline_at_the_top_runs_nothing() {
    let mut observed = Observed::new(LONG);
    let ran = observed.edit(0, "", "\n");
    assert!(ran.0.is_empty(), "{ran:#?}");
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
fn a_new_import_reads_no_function_again() {
    let mut observed = Observed::new(LONG);
    let ran = observed.edit(0, "", "import os\n");
    assert_eq!(ran.times("module_roles"), 1, "{ran:#?}");
    ran.without(&["effects_of", "function_roles", "model", "compared"]);
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

/// Services of one repository that share only what is no router of theirs are linked one by one.
#[test]
fn a_new_route_links_its_own_service_only() {
    let service = |name: &str| {
        format!(
            "from fastapi import FastAPI\nfrom {name}.settings import PREFIX\napp = FastAPI()\n\n\n@app.get(PREFIX + \"/a\")\ndef read():\n    return 1\n"
        )
    };
    let mut texts: BTreeMap<FilePath, Arc<str>> = BTreeMap::new();
    for name in ["one", "two", "three"] {
        let mut text = |file: &str, text: String| {
            texts.insert(FilePath::new(&format!("{name}/{file}.py")), text.into());
        };
        text("__init__", String::new());
        text("main", service(name));
        text("settings", format!("PREFIX = \"/{name}\"\n"));
    }
    let mut observed = Observed::of(&texts, "two/main.py");
    let route = "@app.delete(PREFIX + \"/b\")\ndef erase():\n    return 2\n";
    // The first edit is where the two trees part.
    observed.edit(0, "", "import logging\n");
    let at = observed.open.text.len();
    let ran = observed.edit(at, "", route);
    assert_eq!(ran.times("components"), 0, "{ran:#?}");
    for query in ["module_roles", "part", "model_part", "model"] {
        assert_eq!(ran.times(query), 1, "{ran:#?}");
    }
    let entry_points: Vec<String> = (observed.open.findings().iter())
        .filter_map(|finding| Some(finding.entry_point.as_ref()?.to_string()))
        .collect();
    assert_eq!(entry_points, ["DELETE /two/b"]);
    // An import joins them.
    let ran = observed.edit(0, "", "from one.settings import PREFIX as ONE\n");
    assert_eq!(ran.times("components"), 1, "{ran:#?}");
    assert_eq!(observed.open.findings().len(), 1);
}
