//! Which file a module name means: the import rules of each language over one [`FileSet`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gatewatch_source::{Db, FilePath, FileSet, SourceFile};
use gatewatch_syntax::facts::Language;
use rustc_hash::FxHashMap;
use ustr::{Ustr, ustr};

use crate::config::{package_name, tsconfig_paths};

/// What a module name stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Module {
    /// A file of the workspace.
    File(SourceFile),
    /// A Python package without an `__init__.py`, by its folder.
    Folder(Ustr),
    /// A module inside a Rust file: the file, and the class id of the inline module.
    Inline(SourceFile, Ustr),
    /// Outside of the workspace, by its dotted name.
    External(Ustr),
}

/// What module resolution needs to know of the whole tree; changes only when files come or go, or a
/// manifest changes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ModuleIndex {
    /// Folders in which the Python module or package of this name stands and that are no packages themselves.
    python: BTreeMap<String, Vec<String>>,
    /// Folders that hold anything.
    folders: BTreeSet<String>,
    /// JavaScript packages of the workspace: name, folder.
    packages: BTreeMap<String, String>,
    /// TypeScript path mappings: folder of the configuration, its patterns.
    mappings: Vec<(String, Vec<(String, Vec<String>)>)>,
    /// Rust crates: name, folder.
    crates: BTreeMap<String, String>,
}

/// See [`ModuleIndex`].
#[salsa::tracked(returns(clone))]
pub fn module_index(db: &dyn Db, tree: FileSet) -> Arc<ModuleIndex> {
    let files = tree.files(db);
    let mut index = ModuleIndex::default();
    let mut packages: BTreeSet<&str> = BTreeSet::new();
    for path in files.keys() {
        let mut folder = path.parent();
        while index.folders.insert(folder.to_owned()) {
            folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
        if path.file_name() == "__init__.py" {
            packages.insert(path.parent());
        }
    }
    for (path, file) in files.iter() {
        match path.file_name() {
            "package.json" => {
                if let Some(name) = package_name(&file.text(db)) {
                    index.packages.insert(name, path.parent().to_owned());
                }
            }
            "Cargo.toml" => {
                if let Some(name) = crate::config::crate_name(&file.text(db)) {
                    index
                        .crates
                        .insert(name.replace('-', "_"), path.parent().to_owned());
                }
            }
            name if name.starts_with("tsconfig") && name.ends_with(".json")
                || name == "jsconfig.json" =>
            {
                let patterns = tsconfig_paths(db, tree, path, 0);
                if !patterns.is_empty() {
                    index.mappings.push((path.parent().to_owned(), patterns));
                }
            }
            _ => {}
        }
        if path.extension() != "py" {
            continue;
        }
        // Each folder on the way that is no package can be on the module search path.
        let mut child = if path.file_name() == "__init__.py" {
            path.parent().to_owned()
        } else {
            path.as_str().trim_end_matches(".py").to_owned()
        };
        loop {
            let (base, name) = child.rsplit_once('/').unwrap_or(("", &child));
            if !packages.contains(base) && !name.is_empty() {
                let bases = index.python.entry(name.to_owned()).or_default();
                if !bases.iter().any(|known| known == base) {
                    bases.push(base.to_owned());
                }
            }
            if base.is_empty() {
                break;
            }
            child = base.to_owned();
        }
    }
    // The nearest configuration decides: longest folder first.
    index
        .mappings
        .sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
    Arc::new(index)
}

/// The module that `spec`, as written in `from`, stands for.
pub fn resolve_module(db: &dyn Db, tree: FileSet, from: SourceFile, spec: &str) -> Module {
    if from.is_frozen(db) {
        look_up(db, tree, from, spec)
    } else {
        resolved(db, tree, from, ustr(spec))
    }
}

/// One module that an open file names: who asks for it is not asked again when that file imports another one.
#[salsa::tracked(returns(clone))]
fn resolved(db: &dyn Db, tree: FileSet, from: SourceFile, spec: Ustr) -> Module {
    look_up(db, tree, from, &spec)
}

fn look_up(db: &dyn Db, tree: FileSet, from: SourceFile, spec: &str) -> Module {
    let known = imported_modules(db, tree, from);
    match known.binary_search_by(|(module, _)| module.as_str().cmp(spec)) {
        Ok(at) => known.get(at).map(|(_, module)| *module),
        Err(_) => None,
    }
    .unwrap_or_else(|| find_module(db, tree, from, spec))
}

/// The modules that a file's head imports, by their names as written. Most names that are asked for are among
/// them, and each is looked for once, by everybody who asks. Sorted by name.
#[salsa::tracked(returns(ref))]
fn imported_modules(db: &dyn Db, tree: FileSet, from: SourceFile) -> Box<[(Ustr, Module)]> {
    let heads = gatewatch_syntax::heads(db, from);
    let imports = heads.items.iter().flat_map(|(_, code)| &code.imports);
    let mut names: Vec<Ustr> = imports.map(|import| import.module).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .map(|name| (name, find_module(db, tree, from, &name)))
        .collect::<Vec<_>>()
        .into()
}

fn find_module(db: &dyn Db, tree: FileSet, from: SourceFile, spec: &str) -> Module {
    let path = from.path(db);
    match Language::of_extension(path.extension()) {
        Some(Language::Python) => python(db, tree, path, spec),
        Some(Language::TypeScript | Language::Tsx) => typescript(db, tree, path, spec),
        Some(Language::Rust) => rust(db, tree, from, spec),
        None => Module::External(ustr(spec)),
    }
}

/// The submodule `name` of a module, if there is one.
pub(crate) fn submodule(db: &dyn Db, tree: FileSet, module: &Module, name: &str) -> Option<Module> {
    match module {
        Module::Folder(folder) => python_at(db, tree, &join(folder, name)),
        Module::File(file) => {
            let path = file.path(db);
            match path.file_name() {
                "__init__.py" => python_at(db, tree, &join(path.parent(), name)),
                _ if path.extension() == "rs" => rust_child(db, tree, path, name),
                _ => None,
            }
        }
        Module::Inline(..) | Module::External(_) => None,
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

fn file_at(db: &dyn Db, tree: FileSet, path: &str) -> Option<Module> {
    tree.file(db, &FilePath::new(path)).map(Module::File)
}

// ---- Python -----------------------------------------------------------------------------------

fn python_at(db: &dyn Db, tree: FileSet, path: &str) -> Option<Module> {
    file_at(db, tree, &format!("{path}/__init__.py"))
        .or_else(|| file_at(db, tree, &format!("{path}.py")))
        .or_else(|| {
            let folder = FilePath::new(path);
            let known = module_index(db, tree).folders.contains(folder.as_str());
            known.then(|| Module::Folder(ustr(folder.as_str())))
        })
}

fn python(db: &dyn Db, tree: FileSet, from: &FilePath, spec: &str) -> Module {
    let rest = spec.trim_start_matches('.');
    let dots = spec.len() - rest.len();
    let parts: Vec<&str> = rest.split('.').filter(|part| !part.is_empty()).collect();
    if dots > 0 {
        let mut folder = from.parent();
        for _ in 1..dots {
            folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
        let whole = parts
            .iter()
            .fold(folder.to_owned(), |at, part| join(&at, part));
        return python_at(db, tree, &whole).unwrap_or_else(|| Module::External(ustr(spec)));
    }
    let index = module_index(db, tree);
    let Some(bases) = parts.first().and_then(|first| index.python.get(*first)) else {
        // The workspace folder is itself a package: its own name is not in it.
        if let [first, inside @ ..] = parts.as_slice()
            && root_package(db, tree).is_some_and(|name| name == *first)
        {
            if inside.is_empty() {
                return file_at(db, tree, "__init__.py")
                    .unwrap_or_else(|| Module::External(ustr(spec)));
            }
            if let Some(module) = python_at(db, tree, &inside.join("/")) {
                return module;
            }
        }
        return Module::External(ustr(spec));
    };
    // The nearest search path wins: the base that shares most with the importing file.
    let mut bases: Vec<&String> = bases.iter().collect();
    bases.sort_by_key(|base| (std::cmp::Reverse(shared(base, from.parent())), base.len()));
    for base in bases {
        let whole = parts.iter().fold(base.clone(), |at, part| join(&at, part));
        if let Some(module) = python_at(db, tree, &whole) {
            // A folder that merely has the name of a library must not hide it.
            if !matches!(module, Module::Folder(_)) || parts.len() > 1 || !known_library(rest) {
                return module;
            }
        }
    }
    Module::External(ustr(spec))
}

/// The name under which the workspace folder imports itself, when it is a Python package: the one whose
/// modules are there and have the names that are imported from them.
#[salsa::tracked(returns(clone))]
pub fn root_package(db: &dyn Db, tree: FileSet) -> Option<String> {
    /// Files that are looked at; the name is in the imports of nearly each.
    const FILES: usize = 400;
    tree.file(db, &FilePath::new("__init__.py"))?;
    let mut votes: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let sources = tree
        .files(db)
        .iter()
        .filter(|(path, _)| path.extension() == "py" && crate::scope::is_production(path));
    for (_, file) in sources.take(FILES) {
        for (_, code) in &gatewatch_syntax::heads(db, *file).items {
            for import in &code.imports {
                let Some((first, inside)) = import.module.as_str().split_once('.') else {
                    continue;
                };
                if first.is_empty() || known_library(first) {
                    continue;
                }
                let (here, all) = votes.entry(first).or_default();
                *all += 1;
                let found = match python_at(db, tree, &inside.replace('.', "/")) {
                    Some(Module::File(target)) => match import.what {
                        gatewatch_syntax::facts::Imported::Name(name) => {
                            has_name(db, tree, target, name)
                        }
                        _ => true,
                    },
                    _ => false,
                };
                *here += usize::from(found);
            }
        }
    }
    votes
        .into_iter()
        .filter(|(_, (here, all))| here * 2 > *all)
        .max_by_key(|(_, (here, _))| *here)
        .map(|(name, _)| name.to_owned())
}

/// Whether a Python module defines or imports a name, or has a submodule of that name.
fn has_name(db: &dyn Db, tree: FileSet, file: SourceFile, name: Ustr) -> bool {
    let roles = gatewatch_frameworks::module_slice(db, file, name);
    roles.name(name).is_some()
        || !roles.stars.is_empty()
        || submodule(db, tree, &Module::File(file), &name).is_some()
}

fn known_library(name: &str) -> bool {
    gatewatch_frameworks::packs().framework_of(name).is_some()
}

/// How many leading folders two paths share.
fn shared(a: &str, b: &str) -> usize {
    if a.is_empty() {
        return 0;
    }
    let same = a
        .split('/')
        .zip(b.split('/'))
        .take_while(|(x, y)| x == y)
        .count();
    // A base beside the file's own folders is worth less than one above it.
    if same == a.split('/').count() {
        same * 2 + 1
    } else {
        same * 2
    }
}

// ---- TypeScript and JavaScript ----------------------------------------------------------------

const EXTENSIONS: &[&str] = &["ts", "tsx", "js", "jsx", "mts", "mjs", "cts", "cjs", "d.ts"];

fn script_at(db: &dyn Db, tree: FileSet, path: &str) -> Option<Module> {
    let path = FilePath::new(path);
    let path = path.as_str();
    if EXTENSIONS
        .iter()
        .any(|ext| path.ends_with(&format!(".{ext}")))
        && let Some(found) = file_at(db, tree, path)
    {
        return Some(found);
    }
    for ext in EXTENSIONS {
        if let Some(found) = file_at(db, tree, &format!("{path}.{ext}")) {
            return Some(found);
        }
    }
    // TypeScript sources are imported under the name that they will be compiled to.
    for (out, sources) in [
        (".js", ["ts", "tsx"]),
        (".jsx", ["tsx", "ts"]),
        (".mjs", ["mts", "ts"]),
        (".cjs", ["cts", "ts"]),
    ] {
        if let Some(stem) = path.strip_suffix(out) {
            for ext in sources {
                if let Some(found) = file_at(db, tree, &format!("{stem}.{ext}")) {
                    return Some(found);
                }
            }
        }
    }
    EXTENSIONS
        .iter()
        .find_map(|ext| file_at(db, tree, &join(path, &format!("index.{ext}"))))
}

fn typescript(db: &dyn Db, tree: FileSet, from: &FilePath, spec: &str) -> Module {
    let external = || Module::External(ustr(spec));
    if spec.starts_with('.') {
        return script_at(db, tree, &format!("{}/{spec}", from.parent())).unwrap_or_else(external);
    }
    let index = module_index(db, tree);
    for (folder, patterns) in &index.mappings {
        if !(folder.is_empty() || from.as_str().starts_with(&format!("{folder}/"))) {
            continue;
        }
        for (pattern, targets) in patterns {
            let star = match pattern.split_once('*') {
                Some((before, after)) => spec
                    .strip_prefix(before)
                    .and_then(|rest| rest.strip_suffix(after)),
                None => (pattern == spec).then_some(""),
            };
            let Some(star) = star else { continue };
            for target in targets {
                if let Some(found) = script_at(db, tree, &target.replace('*', star)) {
                    return found;
                }
            }
        }
    }
    // A package of the same workspace: its source stands for what it is built to.
    for (name, folder) in &index.packages {
        let Some(rest) = spec.strip_prefix(name.as_str()) else {
            continue;
        };
        if !(rest.is_empty() || rest.starts_with('/')) {
            continue;
        }
        let rest = rest.trim_start_matches('/');
        let tries = if rest.is_empty() {
            let mut entries = crate::config::package_entries(db, tree, folder);
            entries.extend(["src/index", "index", "lib/index", "src/main"].map(str::to_owned));
            entries
        } else {
            vec![
                rest.to_owned(),
                format!("src/{rest}"),
                format!("lib/{rest}"),
            ]
        };
        for entry in tries {
            if let Some(found) = script_at(db, tree, &join(folder, &entry)) {
                return found;
            }
        }
    }
    external()
}

// ---- Rust -------------------------------------------------------------------------------------

/// The root files of the crate in a folder, library first.
fn crate_roots(db: &dyn Db, tree: FileSet, folder: &str) -> Vec<Module> {
    ["src/lib.rs", "src/main.rs", "lib.rs", "main.rs"]
        .iter()
        .filter_map(|name| file_at(db, tree, &join(folder, name)))
        .collect()
}

/// The root files of the crate that a file belongs to.
#[salsa::tracked(returns(clone))]
fn own_crate(db: &dyn Db, tree: FileSet, file: SourceFile) -> Arc<[Module]> {
    crate_roots(db, tree, &crate_folder(db, tree, file.path(db))).into()
}

/// The folder of the crate that a file belongs to.
fn crate_folder(db: &dyn Db, tree: FileSet, path: &FilePath) -> String {
    let index = module_index(db, tree);
    let mut folder = path.parent();
    loop {
        if index.crates.values().any(|known| known == folder)
            || tree
                .file(db, &FilePath::new(&join(folder, "Cargo.toml")))
                .is_some()
        {
            return folder.to_owned();
        }
        // Without a manifest the folder above `src` is the crate.
        if folder.rsplit('/').next() == Some("src") {
            return folder
                .rsplit_once('/')
                .map_or("", |(parent, _)| parent)
                .to_owned();
        }
        match folder.rsplit_once('/') {
            Some((parent, _)) => folder = parent,
            None if folder.is_empty() => return String::new(),
            None => folder = "",
        }
    }
}

fn is_root_like(path: &FilePath) -> bool {
    matches!(path.file_name(), "lib.rs" | "main.rs" | "mod.rs")
}

fn rust_child(db: &dyn Db, tree: FileSet, path: &FilePath, name: &str) -> Option<Module> {
    let folder = if is_root_like(path) {
        path.parent().to_owned()
    } else {
        path.as_str().trim_end_matches(".rs").to_owned()
    };
    file_at(db, tree, &join(&folder, &format!("{name}.rs")))
        .or_else(|| file_at(db, tree, &join(&folder, &format!("{name}/mod.rs"))))
        // A file in `src/bin` or with its own main: children stand beside it.
        .or_else(|| file_at(db, tree, &join(path.parent(), &format!("{name}.rs"))))
}

fn rust_parent(db: &dyn Db, tree: FileSet, path: &FilePath) -> Option<Module> {
    let folder = if is_root_like(path) {
        path.parent()
            .rsplit_once('/')
            .map(|(parent, _)| parent)
            .unwrap_or("")
    } else {
        path.parent()
    };
    file_at(db, tree, &join(folder, "mod.rs"))
        .or_else(|| file_at(db, tree, &format!("{folder}.rs")))
        .or_else(|| file_at(db, tree, &join(folder, "lib.rs")))
        .or_else(|| file_at(db, tree, &join(folder, "main.rs")))
}

fn rust(db: &dyn Db, tree: FileSet, from: SourceFile, spec: &str) -> Module {
    let mut search = Search {
        db,
        tree,
        known: FxHashMap::default(),
        depth: 0,
    };
    search.path(from, spec)
}

/// Re-exports of re-exports that are followed.
const MAX_REEXPORTS: u32 = 32;

/// The search for one Rust path. Re-exports may lead to each other in a circle (the compiler refuses such a
/// program, a half-typed one has them), and several lead to the same: each is followed once.
struct Search<'db> {
    db: &'db dyn Db,
    tree: FileSet,
    /// What the paths so far gave; nothing, for those that are being followed.
    known: FxHashMap<(SourceFile, Ustr), Option<Module>>,
    /// Re-exports of re-exports.
    depth: u32,
}

impl Search<'_> {
    fn path(&mut self, from: SourceFile, spec: &str) -> Module {
        self.inside(from, spec)
            .unwrap_or_else(|| Module::External(ustr(&spec.replace("::", "."))))
    }

    /// The module of the workspace that a path stands for.
    fn inside(&mut self, from: SourceFile, spec: &str) -> Option<Module> {
        let key = (from, ustr(spec));
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        self.known.insert(key, None);
        if self.depth >= MAX_REEXPORTS {
            return None;
        }
        self.depth += 1;
        let found = self.look(from, spec);
        self.depth -= 1;
        self.known.insert(key, found);
        found
    }

    fn look(&mut self, from: SourceFile, spec: &str) -> Option<Module> {
        let (db, tree) = (self.db, self.tree);
        let path = from.path(db);
        let mut parts = spec.split("::").filter(|part| !part.is_empty()).peekable();
        let Some(first) = parts.next() else {
            return Some(Module::File(from));
        };
        let starts: Vec<Module> = match first {
            "crate" => own_crate(db, tree, from).to_vec(),
            "self" => vec![Module::File(from)],
            "super" => {
                let mut at = rust_parent(db, tree, path);
                while parts.peek() == Some(&"super") {
                    parts.next();
                    at = match at {
                        Some(Module::File(file)) => rust_parent(db, tree, file.path(db)),
                        _ => None,
                    };
                }
                at.into_iter().collect()
            }
            // A child module of this one hides a crate of the same name.
            name => match rust_child_of(db, tree, from, name) {
                Some(child) => vec![child],
                None => {
                    let folder = module_index(db, tree).crates.get(name)?.clone();
                    crate_roots(db, tree, &folder)
                }
            },
        };
        let rest: Vec<&str> = parts.collect();
        starts.into_iter().find_map(|start| {
            rest.iter()
                .try_fold(start, |at, part| self.member(&at, part))
        })
    }

    /// The module `name` in a module: its child, or one that it gives on by `pub use inner::module;`.
    fn member(&mut self, at: &Module, name: &str) -> Option<Module> {
        let Module::File(file) = at else { return None };
        if let Some(child) = rust_child_of(self.db, self.tree, *file, name) {
            return Some(child);
        }
        let name = ustr(name);
        let roles = gatewatch_frameworks::module_slice(self.db, *file, name);
        let Some(gatewatch_frameworks::Value::Import(import)) = roles.name(name) else {
            return None;
        };
        let spec = match import.name {
            Some(name) => format!("{}::{name}", import.module),
            None => import.module.to_string(),
        };
        if spec == format!("self::{name}") || spec == name {
            return None;
        }
        self.inside(*file, &spec)
    }
}

/// A module declared in `file`: a child file, or an inline `mod`.
fn rust_child_of(db: &dyn Db, tree: FileSet, file: SourceFile, name: &str) -> Option<Module> {
    if declares(db, file, name)
        && let Some(found) = rust_child(db, tree, file.path(db), name)
    {
        return Some(found);
    }
    inline(db, file, name)
}

/// Whether a file has `mod name;`.
fn declares(db: &dyn Db, file: SourceFile, name: &str) -> bool {
    use gatewatch_frameworks::Value;
    let name = ustr(name);
    let roles = gatewatch_frameworks::module_slice(db, file, name);
    matches!(roles.name(name), Some(Value::Import(import)) if import.name.is_none() && import.module.starts_with("self::"))
}

fn inline(db: &dyn Db, file: SourceFile, name: &str) -> Option<Module> {
    let (_, id) = inline_modules(db, file)
        .iter()
        .find(|(own, _)| *own == name)?;
    Some(Module::Inline(file, *id))
}

/// The names and ids of the modules that stand in a file.
#[salsa::tracked(returns(ref))]
fn inline_modules(db: &dyn Db, file: SourceFile) -> Vec<(Ustr, Ustr)> {
    let heads = gatewatch_syntax::heads(db, file);
    let classes = heads.items.iter().flat_map(|(_, code)| &code.classes);
    classes
        .filter(|class| class.kind == gatewatch_syntax::facts::ClassKind::Module)
        .map(|class| (class.name, class.id))
        .collect()
}
