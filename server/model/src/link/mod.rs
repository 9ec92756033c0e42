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
mod routes;
mod shapes;
mod value;
mod values;
mod views;

use std::sync::Arc;

use gatewatch_frameworks::{builders, module_roles};
use gatewatch_source::{Db, FileSet, SourceFile};
use ustr::Ustr;

use crate::entry::Linked;
use crate::scope::is_production;
use machine::Machine;

/// Every entry point of a tree with the guards that are registered in front of it.
///
/// Depends on what modules do when they are loaded and on the functions that build routers; never
/// on the bodies of handlers.
#[salsa::tracked(returns(clone))]
pub fn linked(db: &dyn Db, tree: FileSet) -> Arc<Linked> {
    let mut machine = Machine::new(db, tree);
    let files: Vec<SourceFile> = tree
        .files(db)
        .iter()
        .filter(|(path, _)| is_production(path))
        .map(|(_, file)| *file)
        .filter(|file| gatewatch_syntax::language(db, *file).is_some())
        .collect();
    for &file in &files {
        if !module_roles(db, file).ops.is_empty() {
            machine.module(file);
        }
    }
    // What nothing has called yet may be how the application is started from outside.
    let mut starts: Vec<(SourceFile, Ustr)> = Vec::new();
    for &file in &files {
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
