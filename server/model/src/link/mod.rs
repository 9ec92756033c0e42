//! The link: all files' roles together, from routers to entry points.

mod arguments;
mod callables;
mod calls;
mod classes;
mod decorators;
mod exempt;
mod machine;
mod objects;
mod paths;
mod read;
mod routes;
mod shapes;
mod value;
mod values;
mod views;

use std::sync::Arc;

use gatewatch_frameworks::builders;
use gatewatch_source::{Db, FileSet, SourceFile};
use ustr::Ustr;

use crate::components::{Component, components};
use crate::entry::Linked;
use machine::Machine;

/// Every entry point of a tree with the guards that are registered in front of it.
///
/// Depends on what modules do when they are loaded and on the functions that build routers; never
/// on the bodies of handlers.
#[salsa::tracked(returns(clone))]
pub fn linked(db: &dyn Db, tree: FileSet) -> Arc<Linked> {
    let mut linked = Linked::default();
    let unmounted = counts_unmounted(db, tree);
    for files in components(db, tree).iter() {
        let part = linked_part(db, tree, files, unmounted);
        linked
            .entry_points
            .extend(part.entry_points.iter().cloned());
        linked.registered.extend(part.registered.iter().cloned());
        linked.unknown.extend(part.unknown.iter().cloned());
    }
    linked.sort(db);
    Arc::new(linked)
}

/// The part of [`linked`] that one component gives, with or without the routers that nothing mounts.
pub(crate) fn linked_part(
    db: &dyn Db,
    tree: FileSet,
    files: &Component,
    unmounted: bool,
) -> Arc<Linked> {
    let part = part(db, tree, Arc::clone(files));
    match &part.with_unmounted {
        Some(all) if unmounted => Arc::clone(all),
        _ => Arc::clone(&part.mounted),
    }
}

/// Whether routers that nothing mounts count. They are dead, unless something was mounted that couldn't be resolved, or
/// there is no application at all.
#[salsa::tracked(returns(copy))]
pub(crate) fn counts_unmounted(db: &dyn Db, tree: FileSet) -> bool {
    let components = components(db, tree);
    let part = |files: &Component| part(db, tree, Arc::clone(files));
    let parts: Vec<Arc<Part>> = components.iter().map(part).collect();
    parts.iter().any(|part| part.unresolved) || !parts.iter().any(|part| part.serves)
}

/// What the link of one component gives.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Part {
    /// Whether it has an application.
    serves: bool,
    /// Whether something is mounted in it that could not be resolved.
    unresolved: bool,
    /// The entry points of its applications.
    mounted: Arc<Linked>,
    /// These, and those of routers that nothing mounts; `None` if there are no such routers.
    with_unmounted: Option<Arc<Linked>>,
}

#[salsa::tracked(returns(clone))]
fn part(db: &dyn Db, tree: FileSet, files: Component) -> Arc<Part> {
    let mut machine = Machine::new(db, tree, Arc::clone(&files));
    for &file in files.iter() {
        if !machine.read.module(file).ops.is_empty() {
            machine.module(file);
        }
    }
    // What nothing has called yet may be how the application is started from outside.
    let mut starts: Vec<(SourceFile, Ustr)> = Vec::new();
    for &file in files.iter() {
        for &id in builders(db, file).iter() {
            if !machine.entered.contains(&(file, id)) {
                starts.push((file, id));
            }
        }
    }
    for &(file, id) in &starts {
        machine.start_once(file, id);
    }
    if machine.exhausted() {
        tracing::warn!(
            "the workspace is too large to follow all of its module code; routes may be missing"
        );
    }
    Arc::new(routes::entry_points(&mut machine))
}
