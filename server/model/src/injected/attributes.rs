//! What a class brings along: the dependencies of its constructor, and of attributes that are injected.

use gatewatch_frameworks::class_roles;
use gatewatch_source::{Db, FileSet, SourceFile};
use rustc_hash::FxHashSet;
use ustr::{Ustr, ustr};

use super::{Dependency, dependencies, marked, through};
use crate::names::{Seen, follow};

/// The dependencies of a class whose instances are injected: those of its constructor and of the attributes that
/// are injected.
pub(crate) fn class_dependencies(
    db: &dyn Db,
    tree: FileSet,
    file: SourceFile,
    id: Ustr,
) -> Vec<Dependency> {
    let mut found = Vec::new();
    if let Some((file, init)) = crate::names::method(db, tree, file, id, ustr("__init__")) {
        found.extend(dependencies(db, tree, file, init));
    }
    found
}

/// The injected values of a class's attributes, its own and inherited, with the file that each stands in:
/// `user: User = Depends(current_user)` in a class-based view.
pub(crate) fn attribute_dependencies(
    db: &dyn Db,
    tree: FileSet,
    file: SourceFile,
    id: Ustr,
) -> Vec<(SourceFile, Dependency)> {
    let mut found: Vec<(SourceFile, Dependency)> = Vec::new();
    let mut named: FxHashSet<Ustr> = FxHashSet::default();
    for (file, id) in crate::names::lineage(db, tree, file, id).0 {
        let own = own_attributes(db, tree, file, id);
        // What a class says goes before what its bases say.
        let news = own.into_iter().filter(|own| !named.contains(&own.param));
        found.extend(news.map(|dependency| (file, dependency)));
        if let Some(class) = class_roles(db, file, id) {
            named.extend(class.scope.names.iter().map(|(name, _)| *name));
        }
    }
    found
}

fn own_attributes(db: &dyn Db, tree: FileSet, file: SourceFile, id: Ustr) -> Vec<Dependency> {
    let Some(class) = class_roles(db, file, id) else {
        return Vec::new();
    };
    let Some(place) = class.place else {
        return Vec::new();
    };
    let roles = std::sync::Arc::new(class.scope.clone());
    class
        .scope
        .names
        .iter()
        .filter_map(|(name, value)| {
            let seen = Seen {
                file,
                roles: std::sync::Arc::clone(&roles),
                value: value.clone(),
            };
            let target = follow(db, tree, &seen);
            marked(db, tree, &target, None).map(|marked| Dependency {
                callable: marked.callable,
                param: *name,
                scopes: marked.scopes,
                optional: false,
                via: "dependency",
                place,
                named: marked.instance,
                through: through(db, marked.made),
            })
        })
        .collect()
}
