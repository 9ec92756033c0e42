//! What a name of a file means, without running anything: definitions, libraries, calls.
//!
//! The link runs modules to find routers. Looking into a guard needs less, and has to be cheap for each
//! function by itself: this follows names, imports, members and aliases through the files' roles.

use std::sync::Arc;

use gatewatch_frameworks::{
    Argument, ArgumentKind, ScopeRoles, Value, class_roles, module_roles, module_slice,
};
use gatewatch_source::{Db, FileSet, SourceFile};
use gatewatch_syntax::facts::Language;
use ustr::{Ustr, ustr};

use crate::entry::Site;
use crate::modules::{Module, resolve_module, submodule};

/// How often names may lead to other names.
const MAX_HOPS: u32 = 24;

/// A value together with the scope whose calls it may name.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) file: SourceFile,
    pub(crate) roles: Arc<ScopeRoles>,
    pub(crate) value: Value,
}

impl Seen {
    /// The same scope, another value.
    pub(crate) fn with(&self, value: Value) -> Self {
        Self {
            file: self.file,
            roles: Arc::clone(&self.roles),
            value,
        }
    }

    /// A value that names nothing of its scope.
    pub(crate) fn alone(file: SourceFile, value: Value) -> Self {
        Self {
            file,
            roles: Arc::default(),
            value,
        }
    }
}

/// What a value turns out to be.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Function(SourceFile, Ustr),
    Class(SourceFile, Ustr),
    Module(Module),
    /// A library's name, dotted.
    External(Ustr),
    /// The result of a call.
    Call {
        callee: Box<Target>,
        args: Arc<[Argument]>,
        scope: Seen,
    },
    /// A type with arguments, or an indexed value.
    Index {
        base: Box<Target>,
        args: Vec<Seen>,
    },
    /// Several alternatives.
    Either(Vec<Seen>),
    /// A list or tuple.
    List(Vec<Seen>),
    /// A method or attribute of the result of a call, or of something unknown.
    Member(Box<Target>, Ustr),
    /// A constant text.
    Text(Ustr),
    Bool(bool),
    Null,
    Unknown,
}

impl Target {
    /// The dotted name of a library's callable: of a call the callee's, of a member its base's with the name.
    pub(crate) fn external_name(&self) -> Option<Ustr> {
        match self {
            Self::External(name) => Some(*name),
            Self::Call { callee, .. } => callee.external_name(),
            Self::Index { base, .. } => base.external_name(),
            Self::Member(base, name) => Some(ustr(&format!("{}.{name}", base.external_name()?))),
            _ => None,
        }
    }
}

/// Follows a value to what it is.
pub(crate) fn follow(db: &dyn Db, tree: FileSet, seen: &Seen) -> Target {
    Follow { db, tree, hops: 0 }.value(seen)
}

/// What a name of a file's module scope is.
pub(crate) fn module_name(db: &dyn Db, tree: FileSet, file: SourceFile, name: Ustr) -> Target {
    Follow { db, tree, hops: 0 }.file_member(file, name)
}

/// The member of something that was followed.
pub(crate) fn member_of(db: &dyn Db, tree: FileSet, base: Target, name: Ustr) -> Target {
    Follow { db, tree, hops: 0 }.member(base, name)
}

/// The classes that a class is made of, itself first, and the names of its external bases.
pub(crate) fn lineage(
    db: &dyn Db,
    tree: FileSet,
    file: SourceFile,
    id: Ustr,
) -> (Vec<(SourceFile, Ustr)>, Vec<Ustr>) {
    let mut own = vec![(file, id)];
    let mut external = Vec::new();
    let mut at = 0;
    while let Some(&(file, id)) = own.get(at) {
        at += 1;
        if own.len() > 64 {
            break;
        }
        let Some(class) = class_roles(db, file, id) else {
            continue;
        };
        let roles = Arc::new(class.scope.clone());
        for base in &class.bases {
            let seen = Seen {
                file,
                roles: Arc::clone(&roles),
                value: base.clone(),
            };
            let mut target = follow(db, tree, &seen);
            while let Target::Index { base, .. } = target {
                target = *base;
            }
            match target {
                Target::Class(file, id) if !own.contains(&(file, id)) => own.push((file, id)),
                Target::External(name) => external.push(name),
                _ => {}
            }
        }
    }
    (own, external)
}

/// A method of a class, its own or inherited.
pub(crate) fn method(
    db: &dyn Db,
    tree: FileSet,
    file: SourceFile,
    id: Ustr,
    name: Ustr,
) -> Option<(SourceFile, Ustr)> {
    for (file, id) in lineage(db, tree, file, id).0 {
        let class = class_roles(db, file, id)?;
        if let Some((_, method)) = class.methods.iter().rev().find(|(own, _)| *own == name) {
            return Some((file, *method));
        }
        for (of, _, block) in gatewatch_frameworks::impls(db, file).iter() {
            if *of == class.name
                && let Some(class) = class_roles(db, file, *block)
                && let Some((_, method)) = class.methods.iter().find(|(own, _)| *own == name)
            {
                return Some((file, *method));
            }
        }
    }
    None
}

struct Follow<'db> {
    db: &'db dyn Db,
    tree: FileSet,
    hops: u32,
}

impl Follow<'_> {
    fn value(&mut self, seen: &Seen) -> Target {
        self.hops += 1;
        if self.hops > MAX_HOPS * 4 {
            return Target::Unknown;
        }
        match &seen.value {
            Value::Null => Target::Null,
            Value::Bool(value) => Target::Bool(*value),
            Value::Text(text) => Target::Text(*text),
            Value::Function(id) => Target::Function(seen.file, *id),
            Value::Class(id) => Target::Class(seen.file, *id),
            Value::Import(import) => match import.name {
                None => self.module(seen.file, &import.module),
                Some(name) => {
                    let module = resolve_module(self.db, self.tree, seen.file, &import.module);
                    self.module_member(&module, name)
                }
            },
            Value::Name(name) => {
                if let Some(value) = seen.roles.name(*name)
                    && *value != Value::Name(*name)
                {
                    return self.value(&seen.with(value.clone()));
                }
                match self.file_member(seen.file, *name) {
                    Target::Unknown => self.path_root(seen.file, *name),
                    target => target,
                }
            }
            Value::Field(field) => {
                let base = self.value(&seen.with(field.0.clone()));
                self.member(base, field.1)
            }
            Value::Index(index) => {
                let base = self.value(&seen.with(index.0.clone()));
                let args = match &index.1 {
                    Value::List(items) => items
                        .iter()
                        .map(|item| seen.with(item.value.clone()))
                        .collect(),
                    other => vec![seen.with(other.clone())],
                };
                Target::Index {
                    base: Box::new(base),
                    args,
                }
            }
            Value::Either(values) => Target::Either(
                values
                    .iter()
                    .map(|value| seen.with(value.clone()))
                    .collect(),
            ),
            Value::List(items) => Target::List(
                items
                    .iter()
                    .map(|item| seen.with(item.value.clone()))
                    .collect(),
            ),
            Value::Result(result) => match seen.roles.call(*result) {
                Some((callee, args, _)) => {
                    let args = Arc::clone(args);
                    let callee = self.value(&seen.with(callee.clone()));
                    Target::Call {
                        callee: Box::new(callee),
                        args,
                        scope: seen.clone(),
                    }
                }
                None => Target::Unknown,
            },
            _ => Target::Unknown,
        }
    }

    /// What a path begins with that no name of its file explains: `crate`, `super`, a module, or else a library.
    fn path_root(&self, from: SourceFile, name: Ustr) -> Target {
        if gatewatch_syntax::language(self.db, from) == Some(Language::Rust)
            && let module = resolve_module(self.db, self.tree, from, &name)
            && !matches!(module, Module::External(_))
        {
            return Target::Module(module);
        }
        Target::External(name)
    }

    fn module(&mut self, from: SourceFile, spec: &str) -> Target {
        match resolve_module(self.db, self.tree, from, spec) {
            Module::External(name) => {
                if let Some((module, last)) = spec.rsplit_once("::") {
                    let module = resolve_module(self.db, self.tree, from, module);
                    if !matches!(module, Module::External(_)) {
                        return self.module_member(&module, ustr(last));
                    }
                }
                Target::External(ustr(&name))
            }
            Module::File(file) => {
                let exports = ustr("module.exports");
                let roles = module_slice(self.db, file, exports);
                match roles.export(exports) {
                    Some(value) => self.value(&Seen {
                        file,
                        roles: Arc::clone(&roles),
                        value: value.clone(),
                    }),
                    None => Target::Module(Module::File(file)),
                }
            }
            module => Target::Module(module),
        }
    }

    fn module_member(&mut self, module: &Module, name: Ustr) -> Target {
        match module {
            Module::External(module) if name == "default" || module.is_empty() => {
                Target::External(ustr(if module.is_empty() { &name } else { module }))
            }
            Module::External(module) => Target::External(ustr(&format!("{module}.{name}"))),
            Module::Folder(_) => match submodule(self.db, self.tree, module, &name) {
                Some(module) => Target::Module(module),
                None => Target::Unknown,
            },
            Module::Inline(file, id) => match class_roles(self.db, *file, *id) {
                Some(class) => match class.scope.name(name) {
                    Some(value) => self.value(&Seen {
                        file: *file,
                        roles: Arc::new(class.scope.clone()),
                        value: value.clone(),
                    }),
                    None => Target::Unknown,
                },
                None => Target::Unknown,
            },
            Module::File(file) => self.file_member(*file, name),
        }
    }

    fn file_member(&mut self, file: SourceFile, name: Ustr) -> Target {
        self.hops += 1;
        if self.hops > MAX_HOPS * 4 {
            return Target::Unknown;
        }
        let roles = module_slice(self.db, file, name);
        if let Some(value) = roles.export(name).or_else(|| roles.name(name)) {
            let value = value.clone();
            if value != Value::Name(name) {
                return self.value(&Seen { file, roles, value });
            }
        }
        if let Some(value) = roles.export(ustr("module.exports")) {
            let value = value.clone();
            let exported = self.value(&Seen { file, roles, value });
            return if name == "default" {
                exported
            } else {
                self.member(exported, name)
            };
        }
        if let Some(module) = submodule(self.db, self.tree, &Module::File(file), &name) {
            return Target::Module(module);
        }
        for star in roles.stars.clone() {
            let module = resolve_module(self.db, self.tree, file, &star);
            if module == Module::File(file) || matches!(module, Module::External(_)) {
                continue;
            }
            let found = self.module_member(&module, name);
            if !matches!(found, Target::Unknown) {
                return found;
            }
        }
        Target::Unknown
    }

    fn member(&mut self, base: Target, name: Ustr) -> Target {
        self.hops += 1;
        if self.hops > MAX_HOPS * 4 {
            return Target::Unknown;
        }
        match &base {
            Target::External(module) if name == "default" => Target::External(*module),
            Target::External(module) => Target::External(ustr(&format!("{module}.{name}"))),
            Target::Module(module) => {
                let module = *module;
                self.module_member(&module, name)
            }
            Target::Class(file, id) => self
                .class_member(*file, *id, name)
                .unwrap_or(Target::Member(Box::new(base), name)),
            // A method of an instance.
            Target::Call { callee, .. } => match &**callee {
                // `Check::default().for_crate(x)`: a method of a type that gives the type back.
                Target::Member(of, _) if matches!(**of, Target::Class(..)) => match **of {
                    Target::Class(file, id) => self
                        .class_member(file, id, name)
                        .unwrap_or(Target::Member(Box::new(base), name)),
                    _ => Target::Unknown,
                },
                Target::Function(file, id) if id.contains('.') => {
                    let owner = id
                        .rsplit_once('.')
                        .map(|(owner, _)| owner)
                        .unwrap_or_default();
                    let class = owner
                        .trim_matches(['<', '>'])
                        .split(" as ")
                        .next()
                        .unwrap_or_default();
                    self.class_member(*file, ustr(class), name)
                        .unwrap_or(Target::Member(Box::new(base), name))
                }
                Target::Class(file, id) => self
                    .class_member(*file, *id, name)
                    .unwrap_or(Target::Member(Box::new(base), name)),
                _ => Target::Member(Box::new(base), name),
            },
            _ => Target::Member(Box::new(base), name),
        }
    }

    fn class_member(&mut self, file: SourceFile, id: Ustr, name: Ustr) -> Option<Target> {
        if let Some((file, method)) = method(self.db, self.tree, file, id, name) {
            return Some(Target::Function(file, method));
        }
        for (file, id) in lineage(self.db, self.tree, file, id).0 {
            let class = class_roles(self.db, file, id)?;
            if let Some(value) = class.scope.name(name) {
                let value = value.clone();
                return Some(self.value(&Seen {
                    file,
                    roles: Arc::new(class.scope.clone()),
                    value,
                }));
            }
        }
        None
    }
}

/// The name of a module that holds what a call made.
pub(crate) fn name_of(db: &dyn Db, made: Site) -> Option<Ustr> {
    let roles = module_roles(db, made.0);
    let of = |value: &Value| match value {
        Value::Result(result) => roles
            .call(*result)
            .is_some_and(|(_, _, place)| place == made.1),
        _ => false,
    };
    let mut names = roles.names.iter().filter(|(_, value)| of(value));
    names.next().map(|(name, _)| *name)
}

/// The argument by position or name.
pub(crate) fn argument<'a>(
    args: &'a [Argument],
    position: Option<usize>,
    name: &str,
) -> Option<&'a Value> {
    args.iter()
        .find(|arg| matches!(&arg.kind, ArgumentKind::Named(own) if own == name))
        .or_else(|| {
            args.iter()
                .filter(|arg| arg.kind == ArgumentKind::Positional)
                .nth(position?)
        })
        .map(|arg| &arg.value)
}
