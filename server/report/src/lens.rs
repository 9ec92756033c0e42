//! One line above each handler, and the names by which entry points are found.

use gatewatch_drift::EntryName;
use gatewatch_drift::Trees;
use gatewatch_model::{Auth, Coverage, Effect, Site, locate, model};
use gatewatch_source::{Db, FilePath, FileSet};
use gatewatch_syntax::Span;

use crate::cover::{authenticated, entry_name, handler_file, handler_site, names_of};

/// A line above a handler.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lens {
    /// The handler's name.
    pub span: Span,
    /// The line.
    pub title: String,
    /// The entry point.
    pub entry: EntryName,
}

/// The lines above the handlers of a file in the current tree, in the order of the file.
pub fn lens(db: &dyn Db, trees: Trees, file: &FilePath) -> Vec<Lens> {
    let Some(source) = trees.current.file(db, file) else {
        return Vec::new();
    };
    let mut found: Vec<Lens> = model(db, trees.current)
        .entry_points
        .iter()
        .filter(|coverage| handler_file(&coverage.entry_point) == source)
        .filter_map(|coverage| {
            Some(Lens {
                span: locate(db, handler_site(db, &coverage.entry_point))?,
                title: line(coverage),
                entry: entry_name(&coverage.entry_point),
            })
        })
        .collect();
    found.sort_by(|a, b| (a.span, &a.entry).cmp(&(b.span, &b.entry)));
    found
}

/// `GET /items/{id} · authenticated: current_user · ownership: none · writes`.
fn line(coverage: &Coverage) -> String {
    let entry = &coverage.entry_point;
    let guards = names_of(coverage, Effect::Authentication);
    let mut parts = vec![entry_name(entry).to_string()];
    let auth = authenticated(coverage.auth);
    parts.push(match guards.is_empty() || coverage.auth == Auth::Public {
        true => auth.to_owned(),
        false => format!("{auth}: {}", guards.join(", ")),
    });
    let roles = names_of(coverage, Effect::Authorization);
    if !roles.is_empty() {
        parts.push(format!("authorised: {}", roles.join(", ")));
    }
    let owners = names_of(coverage, Effect::Ownership);
    if !owners.is_empty() {
        parts.push(format!("ownership: {}", owners.join(", ")));
    } else if entry.path.contains('{') && coverage.auth == Auth::Authenticated {
        // Only who names an object can name another's.
        parts.push("ownership: none".to_owned());
    }
    if coverage.writes {
        parts.push("writes".to_owned());
    }
    parts.join(" · ")
}

/// The name of every entry point of a tree with the place of its handler.
pub fn symbols(db: &dyn Db, tree: FileSet) -> Vec<(String, Site)> {
    model(db, tree)
        .entry_points
        .iter()
        .map(|coverage| {
            let entry = &coverage.entry_point;
            (entry_name(entry).to_string(), handler_site(db, entry))
        })
        .collect()
}
