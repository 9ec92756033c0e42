//! The components of a tree: sets of files that know nothing of each other. Services of one repository are such
//! sets, and scripts. What one does can't reach another, so each is linked by itself, and an edit in one leaves what
//! is known of the others as it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatewatch_source::{Db, FilePath, FileSet, SourceFile, fitted};
use gatewatch_syntax::facts::{Imported, Language};
use gatewatch_syntax::mentioned;
use petgraph::unionfind::UnionFind;
use rustc_hash::{FxHashMap, FxHashSet};
use ustr::{Ustr, ustr};

use crate::modules::{Module, resolve_module, submodule};
use crate::scope::is_production;

/// The production files of one component, in the order of their paths.
///
/// What is asked of a component is asked with its files. If it were asked with less, and looked them up, it would depend on
/// what decides about the components, which is as short-lived as the files that are open.
pub(crate) type Component = Arc<[SourceFile]>;

/// A production file that has facts.
struct Node<'db> {
    path: &'db FilePath,
    file: SourceFile,
    /// Languages don't import each other; see [`Language::folder`].
    language: &'static str,
}

/// All components, in the order of their first files.
#[salsa::tracked(returns(clone))]
pub(crate) fn components(db: &dyn Db, tree: FileSet) -> Arc<Vec<Component>> {
    let files = tree.files(db).iter();
    let nodes: Vec<Node<'_>> = files
        .filter(|(path, _)| is_production(path))
        .filter_map(|(path, file)| {
            let language = gatewatch_syntax::language(db, *file)?.folder();
            Some(Node {
                path,
                file: *file,
                language,
            })
        })
        .collect();
    let at: FxHashMap<SourceFile, usize> = (nodes.iter().enumerate())
        .map(|(at, node)| (node.file, at))
        .collect();
    let mut sets: UnionFind<usize> = UnionFind::new(nodes.len());
    // What is asked for as a whole, with one who asks.
    let mut folders: FxHashMap<(&str, &str), usize> = FxHashMap::default();
    for (index, node) in nodes.iter().enumerate() {
        let reach = reach(db, tree, node.file);
        for other in reach.files.iter().filter_map(|file| at.get(file)) {
            sets.union(index, *other);
        }
        for folder in &reach.folders {
            let asks = *folders
                .entry((node.language, folder.as_str()))
                .or_insert(index);
            sets.union(index, asks);
        }
    }
    for (index, node) in nodes.iter().enumerate() {
        for folder in above(node.path) {
            if let Some(asks) = folders.get(&(node.language, folder)) {
                sets.union(index, *asks);
            }
        }
    }
    let mut found: BTreeMap<usize, Vec<SourceFile>> = BTreeMap::new();
    let mut first_of: FxHashMap<usize, usize> = FxHashMap::default();
    for (index, node) in nodes.iter().enumerate() {
        let first = *first_of.entry(sets.find_mut(index)).or_insert(index);
        found.entry(first).or_default().push(node.file);
    }
    Arc::new(found.into_values().map(Component::from).collect())
}

/// The folders that a file stands in, innermost first; the last is the root, `""`.
fn above(path: &FilePath) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path.parent()), |folder| match *folder {
        "" => None,
        folder => Some(folder.rsplit_once('/').map_or("", |(above, _)| above)),
    })
}

/// What a file can ask for: more than it does, never less.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Reach {
    files: Vec<SourceFile>,
    /// Everything of the file's language below these.
    folders: Vec<Ustr>,
}

#[salsa::tracked(returns(clone))]
fn reach(db: &dyn Db, tree: FileSet, file: SourceFile) -> Arc<Reach> {
    let path = file.path(db);
    let file_at = |folder: &str, name: &str| {
        let path = format!("{folder}/{name}");
        tree.file(db, &FilePath::new(&path))
    };
    let mut reach = Reach::default();
    match gatewatch_syntax::language(db, file) {
        // Paths lead everywhere in a crate, and crates of a workspace know each other by their names.
        Some(Language::Rust) => {
            let manifests = above(path).filter(|folder| file_at(folder, "Cargo.toml").is_some());
            let outermost = manifests.last().unwrap_or_default();
            reach.folders.push(ustr(outermost));
            return Arc::new(reach);
        }
        // A module can be had as a member of its package, and a package as a member of the one around.
        Some(Language::Python) => {
            let packages = above(path).map_while(|folder| file_at(folder, "__init__.py"));
            reach.files.extend(packages.take(2));
        }
        _ => {}
    }
    let mentions = mentioned(db, file);
    if mentions.computed {
        let package = above(path).find(|folder| file_at(folder, "package.json").is_some());
        reach.folders.push(ustr(package.unwrap_or_default()));
    }
    for (module, what) in &mentions.modules {
        let module = resolve_module(db, tree, file, module);
        let inside = match what {
            Imported::Name(name) => submodule(db, tree, &module, name),
            _ => None,
        };
        for module in [Some(module), inside].into_iter().flatten() {
            match module {
                Module::File(file) | Module::Inline(file, _) => reach.files.push(file),
                Module::Folder(folder) if *what == Imported::Module => reach.folders.push(folder),
                Module::Folder(_) | Module::External(_) => {}
            }
        }
    }
    let mut seen = FxHashSet::default();
    reach.files.retain(|file| seen.insert(*file));
    reach.files = fitted(reach.files);
    Arc::new(reach)
}
