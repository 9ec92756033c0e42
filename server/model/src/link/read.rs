//! What the machine has read of files. Salsa is asked once for each: asking again means to note once more that the
//! link depends on it, which costs more than the answer.

use std::cell::RefCell;
use std::hash::Hash;
use std::sync::Arc;

use gatewatch_frameworks::{
    ClassRoles, ScopeRoles, Signature, class_roles, function_roles, module_roles, signature,
};
use gatewatch_source::{Db, FileSet, SourceFile};
use gatewatch_syntax::facts::Language;
use rustc_hash::FxHashMap;
use ustr::Ustr;

use crate::modules::{Module, resolve_module};

/// See the module.
pub(crate) struct Read<'db> {
    db: &'db dyn Db,
    tree: FileSet,
    languages: Known<SourceFile, Option<Language>>,
    imports: Known<(SourceFile, Ustr), Module>,
    modules: Known<SourceFile, Arc<ScopeRoles>>,
    classes: Known<(SourceFile, Ustr), Option<Arc<ClassRoles>>>,
    bodies: Known<(SourceFile, Ustr), Option<Arc<ScopeRoles>>>,
    signatures: Known<(SourceFile, Ustr), Option<Arc<Signature>>>,
}

type Known<K, T> = RefCell<FxHashMap<K, T>>;

fn known<K: Hash + Eq, T: Clone>(of: &Known<K, T>, key: K, read: impl FnOnce(&K) -> T) -> T {
    if let Some(found) = of.borrow().get(&key) {
        return found.clone();
    }
    let found = read(&key);
    of.borrow_mut().insert(key, found.clone());
    found
}

impl<'db> Read<'db> {
    pub(crate) fn new(db: &'db dyn Db, tree: FileSet) -> Self {
        Self {
            db,
            tree,
            languages: RefCell::default(),
            imports: RefCell::default(),
            modules: RefCell::default(),
            classes: RefCell::default(),
            bodies: RefCell::default(),
            signatures: RefCell::default(),
        }
    }

    pub(crate) fn language(&self, file: SourceFile) -> Option<Language> {
        known(&self.languages, file, |file| {
            gatewatch_syntax::language(self.db, *file)
        })
    }

    pub(crate) fn is_rust(&self, file: SourceFile) -> bool {
        self.language(file) == Some(Language::Rust)
    }

    pub(crate) fn is_script(&self, file: SourceFile) -> bool {
        matches!(
            self.language(file),
            Some(Language::TypeScript | Language::Tsx)
        )
    }

    /// See [`resolve_module`].
    pub(crate) fn import(&self, from: SourceFile, spec: Ustr) -> Module {
        known(&self.imports, (from, spec), |_| {
            resolve_module(self.db, self.tree, from, &spec)
        })
    }

    /// See [`module_roles`].
    pub(crate) fn module(&self, file: SourceFile) -> Arc<ScopeRoles> {
        known(&self.modules, file, |file| module_roles(self.db, *file))
    }

    /// See [`class_roles`].
    pub(crate) fn class(&self, file: SourceFile, id: Ustr) -> Option<Arc<ClassRoles>> {
        known(&self.classes, (file, id), |_| {
            class_roles(self.db, file, id)
        })
    }

    /// See [`function_roles`].
    pub(crate) fn body(&self, file: SourceFile, id: Ustr) -> Option<Arc<ScopeRoles>> {
        known(&self.bodies, (file, id), |_| {
            function_roles(self.db, file, id)
        })
    }

    /// See [`signature`].
    pub(crate) fn signature(&self, file: SourceFile, id: Ustr) -> Option<Arc<Signature>> {
        known(&self.signatures, (file, id), |_| {
            signature(self.db, file, id)
        })
    }
}
