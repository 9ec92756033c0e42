//! Every entry point with its controls, and the list as JSON. The fields are a contract.

use gatewatch_model::{Control, Coverage, model};
use gatewatch_source::{Db, FileSet};
use serde::Serialize;

use crate::cover::{confidence, handler_name, handler_site};
use crate::place::location;

/// An entry point, ready to be shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Route {
    /// `http`, `ws`…
    pub kind: String,
    /// The verb; `ANY` for all.
    pub method: String,
    /// The whole path.
    pub path: String,
    /// The framework's pack.
    pub framework: String,
    /// The handler's whole name.
    pub handler: String,
    /// The file in which the handler is defined.
    pub file: String,
    /// The handler's own definition line, 1-based.
    pub line: u32,
    /// Who can call it: `authenticated`, `optional`, `public`, `unknown`.
    pub auth: &'static str,
    /// What stands in front of it, in the order in which it runs.
    pub controls: Vec<RouteControl>,
    /// How sure that is: `proved`, `resolved`, `guessed`.
    pub confidence: &'static str,
}

/// A control of a [`Route`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RouteControl {
    /// What it does.
    pub effect: &'static str,
    /// How sure it holds.
    pub strength: &'static str,
    /// The guard's whole name.
    pub name: String,
    /// Its last part.
    #[serde(skip)]
    pub short_name: String,
    /// The file in which the guard is defined; in which it is registered, for one of a library.
    pub file: String,
    /// The line there, 1-based.
    pub line: u32,
    /// How it takes part.
    pub via: &'static str,
}

/// Every entry point of a tree, in the model's order.
pub fn routes(db: &dyn Db, tree: FileSet) -> Vec<Route> {
    model(db, tree)
        .entry_points
        .iter()
        .map(|coverage| route(db, coverage))
        .collect()
}

fn route(db: &dyn Db, coverage: &Coverage) -> Route {
    let entry = &coverage.entry_point;
    let place = location(db, handler_site(db, entry));
    Route {
        kind: entry.kind.to_owned(),
        method: entry.method.to_string(),
        path: entry.path.to_string(),
        framework: entry.framework.to_string(),
        handler: handler_name(db, entry),
        file: place.file.as_str().to_owned(),
        line: place.line,
        auth: coverage.auth.word(),
        controls: coverage
            .controls
            .iter()
            .map(|control| route_control(db, control))
            .collect(),
        confidence: confidence(coverage).word(),
    }
}

fn route_control(db: &dyn Db, control: &Control) -> RouteControl {
    let place = location(db, control.definition.unwrap_or(control.registration));
    RouteControl {
        effect: control.effect.word(),
        strength: control.strength.word(),
        name: control.full_name.to_string(),
        short_name: control.name.to_string(),
        file: place.file.as_str().to_owned(),
        line: place.line,
        via: control.via,
    }
}

/// Entry points as JSON, ending in a line end.
///
/// # Errors
/// None that a route can cause.
pub fn routes_json(routes: &[Route]) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(routes)? + "\n")
}
