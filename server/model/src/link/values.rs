//! What symbolic values stand for: names, imports, members.

use std::sync::Arc;

use gatewatch_frameworks::{ArgumentKind, Value};
use gatewatch_source::SourceFile;
use ustr::{Ustr, ustr};

use super::machine::Machine;
use super::objects::{Object, ObjectKind};
use super::value::{Func, Piece, Receiver, V};
use crate::modules::{Module, submodule};

impl Machine<'_> {
    /// What a symbolic value of a running scope stands for.
    pub(crate) fn resolve(&mut self, value: &Value, frame: u32) -> V {
        /// Steps for one value; a text that was put together of itself again and again has no end.
        const ENOUGH: u32 = 4_000;
        self.steps += 1;
        if self.resolving == 0 {
            self.enough = self.steps.saturating_add(ENOUGH);
        }
        if self.resolving > 64 || self.steps > self.enough || self.exhausted() {
            return V::Unknown;
        }
        self.resolving += 1;
        let resolved = self.resolve_value(value, frame);
        self.resolving -= 1;
        resolved
    }

    /// What a value stands for. What comes from the environment keeps the name that it is used by, for
    /// it has no other.
    pub(crate) fn resolve_written(&mut self, value: &Value, frame: u32) -> V {
        let resolved = self.resolve(value, frame);
        self.note_written(value, &resolved);
        match written(value) {
            Some(name)
                if resolved.is_environment()
                    && resolved.pieces().len() == 1
                    && matches!(resolved.pieces().first(), Some(Piece::Symbol(_))) =>
            {
                V::Symbol(name)
            }
            _ => resolved,
        }
    }

    /// Remembers by which name a function without one, or what a call gave, is used.
    pub(crate) fn note_written(&mut self, value: &Value, resolved: &V) {
        let Some(name) = written(value).and_then(|name| name.rsplit('.').next().map(ustr)) else {
            return;
        };
        if name.as_str() == "default" || name.contains('/') {
            return;
        }
        match resolved {
            V::Func(func) if is_anonymous(func.id) => {
                self.names.entry((func.file, func.id)).or_insert(name);
            }
            V::Called(called) => {
                self.result_names.entry(called.place).or_insert(name);
            }
            _ => {}
        }
    }

    /// The name that a guard is written by, if that isn't the name of what runs: a function that is handed to a wrapper
    /// goes by the name of the wrapped one.
    pub(crate) fn written_name(&self, value: &V) -> Option<Ustr> {
        let V::Called(called) = value else {
            return None;
        };
        let wraps = called
            .args
            .iter()
            .any(|(_, arg)| matches!(arg.settled(), V::Func(_)));
        // A library's guard goes by the name that it was given here.
        if wraps && matches!(called.callee, V::Func(_)) || matches!(called.callee, V::External(_)) {
            return self.result_names.get(&called.place).copied();
        }
        None
    }

    fn resolve_value(&mut self, value: &Value, frame: u32) -> V {
        let Some(file) = self.file_of(frame) else {
            return V::Unknown;
        };
        match value {
            Value::Unknown | Value::Truth => V::Unknown,
            Value::Null => V::Null,
            Value::Bool(value) => V::Bool(*value),
            Value::Number(text) => V::Number(*text),
            Value::Text(text) => V::Text([Piece::Text(*text)].into()),
            Value::Template(parts) => {
                let mut pieces = Vec::new();
                for part in parts.iter() {
                    pieces.extend(self.resolve_written(part, frame).pieces());
                }
                V::Text(pieces.into())
            }
            Value::Pattern(pattern) => V::Pattern(*pattern),
            Value::Named(named) => self.resolve(&named.0, frame),
            Value::List(items) => {
                let items = self.resolve_args(items, frame);
                V::List(items.into_iter().map(|(_, value)| value).collect())
            }
            Value::Dict(entries) => {
                let mut found = Vec::new();
                for entry in entries.iter() {
                    match &entry.kind {
                        ArgumentKind::Keyed(key) => {
                            let key = self.resolve(key, frame);
                            found.push((key, self.resolve(&entry.value, frame)));
                        }
                        ArgumentKind::SpreadMap => {
                            if let V::Dict(more) = self.resolve(&entry.value, frame).settled() {
                                found.extend(more.iter().cloned());
                            }
                        }
                        ArgumentKind::Positional => {
                            // `{ name }` stands for `{ name: name }`.
                            let value = self.resolve(&entry.value, frame);
                            if let Value::Name(name) = &entry.value {
                                found.push((V::text(name), value));
                            }
                        }
                        _ => {}
                    }
                }
                V::Dict(found.into())
            }
            Value::Name(name) => self.free_name(*name, frame),
            Value::Function(id) => {
                // Only functions made inside a running function need its names.
                let env = (self.modules.get(&file) != Some(&frame)).then_some(frame);
                let receiver = self
                    .frames
                    .get(frame as usize)
                    .and_then(|frame| frame.receiver);
                V::Func(Func {
                    file,
                    id: *id,
                    env,
                    receiver,
                })
            }
            Value::Class(id) => V::Class(file, *id),
            Value::Import(import) => match import.name {
                None => self.module_value(file, import.module),
                Some(name) => self.import_name(file, import.module, name),
            },
            Value::Param(index) => self
                .frames
                .get(frame as usize)
                .and_then(|frame| frame.params.get(*index as usize))
                .cloned()
                .unwrap_or_default(),
            Value::Item(item) => self
                .frames
                .get(frame as usize)
                .and_then(|frame| frame.items.get(item))
                .cloned()
                .unwrap_or_default(),
            Value::Result(result) => self
                .frames
                .get(frame as usize)
                .and_then(|frame| frame.results.get(*result as usize))
                .cloned()
                .unwrap_or_default(),
            Value::Field(field) => {
                let base = self.resolve(&field.0, frame);
                self.note_written(&field.0, &base);
                self.member(base, field.1)
            }
            Value::Index(index) => {
                let base = self.resolve(&index.0, frame);
                let at = self.resolve(&index.1, frame);
                match (base.settled(), &at) {
                    // `app[method](…)`
                    (_, V::Text(_)) if at.as_text().is_some() => {
                        self.member(base, ustr(&at.as_text().unwrap_or_default()))
                    }
                    // `let (router, api) = router.split_for_parts()`
                    (V::Object(_), V::Number(number)) if number.as_str() == "0" => base,
                    (V::List(items), V::Number(number)) => number
                        .parse::<usize>()
                        .ok()
                        .and_then(|number| items.get(number))
                        .cloned()
                        .unwrap_or_default(),
                    (V::Dict(entries), _) => entries
                        .iter()
                        .find(|(key, _)| *key == at)
                        .map(|(_, value)| value.clone())
                        .unwrap_or_default(),
                    (V::Either(values), V::Number(_)) => {
                        let number = match &at {
                            V::Number(number) => number.parse::<usize>().ok(),
                            _ => None,
                        };
                        let found = values.iter().find_map(|value| match value.settled() {
                            V::List(items) => items.get(number?).cloned(),
                            _ => None,
                        });
                        found.unwrap_or_else(|| V::Index(Arc::new((base, at))))
                    }
                    _ => V::Index(Arc::new((base, at))),
                }
            }
            Value::Either(values) => {
                let values: Vec<V> = values
                    .iter()
                    .map(|value| self.resolve(value, frame))
                    .collect();
                match values
                    .iter()
                    .find(|value| matches!(value.settled(), V::Object(_)))
                {
                    Some(object) => object.clone(),
                    None => V::Either(values.into()),
                }
            }
        }
    }

    fn free_name(&mut self, name: Ustr, frame: u32) -> V {
        let mut at = Some(frame);
        let mut hops = 0;
        while let Some(index) = at {
            let Some(scope) = self.frames.get(index as usize) else {
                break;
            };
            if let Some(receiver) = scope.receiver {
                match name.as_str() {
                    "self" | "this" => return receiver.value(),
                    "super" if self.read.is_script(scope.file) => {
                        return self.above(index).unwrap_or_default();
                    }
                    _ => {}
                }
            }
            let roles = Arc::clone(&scope.roles);
            let outer = scope.outer;
            // Rust binds a name behind its value: `let users = get(users)`.
            let shadowed =
                index == frame && scope.function.is_some() && self.read.is_rust(scope.file);
            // In its own frame the name was looked up already when the roles were made; a loop or a
            // later definition can still give it here.
            if let Some(value) = roles.name(name)
                && *value != Value::Name(name)
                && !shadowed
            {
                let value = value.clone();
                return self.resolve(&value, index);
            }
            hops += 1;
            if hops > 32 {
                break;
            }
            at = outer;
        }
        let Some(file) = self.file_of(frame) else {
            return V::Unknown;
        };
        let rust = self.read.is_rust(file);
        if rust && let Some(value) = self.rust_name(name, file, frame) {
            return value;
        }
        let module = self.module(file);
        if module != frame {
            let roles = self.read.module(file);
            if let Some(value) = roles.name(name) {
                let value = value.clone();
                return self.resolve(&value, module);
            }
        }
        for star in self.read.module(file).stars.clone() {
            let found = self.import_name(file, star, name);
            let here = !matches!(self.read.import(file, star), Module::External(_));
            match found {
                V::Unknown => {}
                V::External(_) | V::Member(_) if !here => {}
                _ => return found,
            }
            // `use axum::prelude::*`, `from flask import *`: a known library's name.
            if let V::External(whole) = &found
                && (self.packs.constructor(*whole).is_some()
                    || self.packs.injection(*whole).is_some())
            {
                return found;
            }
        }
        // A macro: known by what it was imported as.
        if let Some(plain) = name.strip_suffix('!') {
            return match self.free_name(ustr(plain), frame) {
                V::External(found) if found.as_str() != plain => {
                    V::External(ustr(&format!("{found}!")))
                }
                _ => V::External(name),
            };
        }
        match name.as_str() {
            "self" | "Self" if rust => V::Symbol(name),
            // The root of a path is a crate.
            _ if rust => V::External(name),
            _ => match self.read.language(file) {
                Some(language) if !gatewatch_syntax::globals(language).contains(name.as_str()) => {
                    V::Symbol(name)
                }
                _ => V::External(name),
            },
        }
    }

    /// The names that a Rust path can begin with: `crate`, `self`, `Self`, a crate of the workspace.
    fn rust_name(&mut self, name: Ustr, file: SourceFile, frame: u32) -> Option<V> {
        match name.as_str() {
            "Self" => {
                let mut at = Some(frame);
                while let Some(frame) = at.and_then(|at| self.frames.get(at as usize)) {
                    let (file, function) = (frame.file, frame.function);
                    at = frame.outer;
                    if let Some(function) = function
                        && let Some((file, id)) = self.owner(file, function)
                    {
                        return Some(V::Class(file, id));
                    }
                }
                None
            }
            "self" | "crate" | "super" => Some(self.module_value(file, name)),
            _ => {
                let known = self.read.module(file).name(name).is_some();
                if known {
                    return None;
                }
                match self.read.import(file, name) {
                    Module::External(_) => None,
                    module => Some(V::Module(module)),
                }
            }
        }
    }

    /// A module as a value.
    pub(crate) fn module_value(&mut self, from: SourceFile, spec: Ustr) -> V {
        match self.read.import(from, spec) {
            Module::External(name) => {
                // `use super::Item` arrives as a module path whose last part is an item.
                if let Some((module, last)) = spec.rsplit_once("::")
                    && let found @ (V::Func(_) | V::Class(..) | V::Object(_)) =
                        self.import_name(from, ustr(module), ustr(last))
                {
                    return found;
                }
                V::External(ustr(&name))
            }
            // A CommonJS module is what it exports.
            Module::File(file) => {
                let roles = self.read.module(file);
                if let Some(value) = roles.export(ustr("module.exports")) {
                    let frame = self.module(file);
                    let value = value.clone();
                    let exported = self.resolve(&value, frame);
                    if !matches!(exported, V::Unknown) {
                        return exported;
                    }
                }
                V::Module(Module::File(file))
            }
            module => V::Module(module),
        }
    }

    /// `name` of the module that `spec`, as written in `from`, stands for.
    fn import_name(&mut self, from: SourceFile, spec: Ustr, name: Ustr) -> V {
        let module = self.read.import(from, spec);
        self.module_member(&module, name, &mut Vec::new())
    }

    /// A name of a module; `seen` are the files that were asked for it already, by way of `export *` and its like.
    /// Such ways meet again and lead in circles, so each file is asked once.
    fn module_member(&mut self, module: &Module, name: Ustr, seen: &mut Vec<SourceFile>) -> V {
        match module {
            Module::External(module) => {
                // The default export of a library is the library itself.
                if name.as_str() == "default" || module.is_empty() {
                    return V::External(ustr(if module.is_empty() { &name } else { module }));
                }
                V::External(ustr(&format!("{module}.{name}")))
            }
            Module::Folder(_) => match submodule(self.db, self.tree, module, &name) {
                Some(module) => V::Module(module),
                None => V::Unknown,
            },
            Module::Inline(file, id) => {
                let Some(class) = self.read.class(*file, *id) else {
                    return V::Unknown;
                };
                match class.scope.name(name) {
                    Some(Value::Function(id)) => V::Func(Func::plain(*file, *id)),
                    Some(value) => {
                        let value = value.clone();
                        self.resolve_in_class(*file, &class.scope, &value)
                    }
                    None => V::Unknown,
                }
            }
            Module::File(file) => self.file_member(*file, name, seen),
        }
    }

    fn file_member(&mut self, file: SourceFile, name: Ustr, seen: &mut Vec<SourceFile>) -> V {
        /// Files that are asked for one name.
        const MANY: usize = 500;
        if seen.len() >= MANY || seen.contains(&file) {
            return V::Unknown;
        }
        seen.push(file);
        let roles = self.read.module(file);
        let script = self.read.is_script(file);
        let value = if script {
            roles.export(name).or_else(|| roles.name(name))
        } else {
            roles.name(name)
        };
        // `from . import routes` in the package itself means the submodule.
        let itself = match value {
            Some(Value::Import(import)) if !script && import.name == Some(name) => {
                self.read.import(file, import.module) == Module::File(file)
            }
            _ => false,
        };
        if itself && let Some(module) = submodule(self.db, self.tree, &Module::File(file), &name) {
            return V::Module(module);
        }
        if let Some(value) = value.filter(|_| !itself) {
            // `mod routes;` beside a function of the same name can't be; the module is the value.
            let value = value.clone();
            let frame = self.module(file);
            return self.resolve(&value, frame);
        }
        if script {
            // `import x from` a CommonJS module, and `import { x } from` one that exports an object.
            if let Some(value) = roles.export(ustr("module.exports")) {
                let value = value.clone();
                let frame = self.module(file);
                let exported = self.resolve(&value, frame);
                return if name.as_str() == "default" {
                    exported
                } else {
                    self.member(exported, name)
                };
            }
            if name.as_str() == "default" {
                return V::Module(Module::File(file));
            }
        }
        if let Some(module) = submodule(self.db, self.tree, &Module::File(file), &name) {
            return V::Module(module);
        }
        for star in roles.stars.clone() {
            let module = self.read.import(file, star);
            let found = match &module {
                Module::External(_) => continue,
                module => self.module_member(module, name, seen),
            };
            if !matches!(found, V::Unknown) {
                return found;
            }
        }
        V::Unknown
    }

    /// The member `name` of a value.
    pub(crate) fn member(&mut self, base: V, name: Ustr) -> V {
        match base.settled().clone() {
            V::External(module) => {
                // `require("express").default`, `express.default.Router`
                if name.as_str() == "default" {
                    return V::External(module);
                }
                V::External(ustr(&format!("{module}.{name}")))
            }
            V::Module(module) => self.module_member(&module, name, &mut Vec::new()),
            V::Object(object) => self.object_member(object, name),
            V::Super(receiver, class) => match self.find_method_above(receiver, class, name) {
                Some((file, method)) => V::Func(Func {
                    receiver: Some(receiver),
                    ..Func::plain(file, method)
                }),
                None => V::Member(Arc::new((base, name))),
            },
            V::Member(member) => {
                // `app.config["PREFIX"]`, set before.
                if let V::Object(object) = member.0.settled()
                    && let Some(object) = self.objects.get(*object as usize)
                    && let Some(value) = object.fields.get(&ustr(&format!("{}.{name}", member.1)))
                {
                    return value.clone();
                }
                V::Member(Arc::new((base, name)))
            }
            V::Class(file, id) => {
                if name.as_str() == "__name__" {
                    return V::text(id.rsplit('.').next().unwrap_or_default());
                }
                let (own_file, own) = (file, id);
                if let Some(value) = self.prototypes.get(&(file, id, name)) {
                    return value.clone();
                }
                if let Some((file, method)) = self.find_method(file, id, name) {
                    return V::Func(Func {
                        receiver: Some(Receiver::Class(own_file, own)),
                        ..Func::plain(file, method)
                    });
                }
                if let Some(value) = self.class_attribute(file, id, name) {
                    return value;
                }
                match self.external_bases(file, id).first() {
                    Some(_) => V::Member(Arc::new((base, name))),
                    None => V::Unknown,
                }
            }
            V::Dict(entries) => {
                match entries
                    .iter()
                    .find(|(key, _)| key.as_text().as_deref() == Some(name.as_str()))
                {
                    Some((_, value)) => value.clone(),
                    None => V::Member(Arc::new((base, name))),
                }
            }
            V::Either(values) => {
                for value in values.iter() {
                    let found = self.member(value.clone(), name);
                    if !matches!(found, V::Unknown | V::Member(_)) {
                        return found;
                    }
                }
                V::Member(Arc::new((base, name)))
            }
            // `HTTPBasicAuth().login_required` is known by the class that made it.
            V::Called(called) => match &called.callee {
                V::External(class) if !class.ends_with(".new") => {
                    let whole = ustr(&format!("{class}.{name}"));
                    // What it was made with matters to some.
                    if self
                        .packs
                        .control(whole)
                        .is_some_and(|control| control.of_object)
                    {
                        return V::Member(Arc::new((base, name)));
                    }
                    V::External(whole)
                }
                _ => V::Member(Arc::new((base, name))),
            },
            _ => V::Member(Arc::new((base, name))),
        }
    }

    fn object_member(&mut self, object: u32, name: Ustr) -> V {
        let Some(at) = self.objects.get(object as usize) else {
            return V::Unknown;
        };
        if let Some(value) = at.fields.get(&name) {
            return value.clone();
        }
        if let ObjectKind::Pack(kind) = at.kind
            && self
                .packs
                .kind(kind)
                .is_some_and(|kind| kind.itself.contains(&name))
        {
            return V::Object(object);
        }
        if let Some((file, id)) = at.class()
            && let Some(value) = self.prototypes.get(&(file, id, name))
        {
            return match value {
                V::Func(func) => V::Func(Func {
                    receiver: Some(Receiver::Object(object)),
                    ..*func
                }),
                value => value.clone(),
            };
        }
        let class = self.objects.get(object as usize).and_then(Object::class);
        if let Some((file, id)) = class {
            if let Some((file, method)) = self.find_method(file, id, name) {
                return V::Func(Func {
                    receiver: Some(Receiver::Object(object)),
                    ..Func::plain(file, method)
                });
            }
            if let Some(value) = self.class_attribute(file, id, name) {
                // A class field with a function sees the instance.
                return match value {
                    V::Func(func) => V::Func(Func {
                        receiver: Some(Receiver::Object(object)),
                        ..func
                    }),
                    value => value,
                };
            }
            if name.as_str() == "__class__" || name.as_str() == "constructor" {
                return V::Class(file, id);
            }
        }
        // `router().lay`: half a call, perhaps, of whatever puts something in front of it.
        if let Some(ObjectKind::Pack(kind)) = self.objects.get(object as usize).map(|at| at.kind)
            && self.is_built_up(object)
            && self.packs.method(kind, name).is_none()
        {
            self.layer_unknown(object);
            return V::Object(object);
        }
        V::Member(Arc::new((V::Object(object), name)))
    }
}

/// Whether a function was written without a name.
fn is_anonymous(id: Ustr) -> bool {
    id.rsplit('.')
        .next()
        .is_some_and(|last| last.starts_with('<'))
}

/// The name that a value is used by: of an import, a member of one, a local name.
fn written(value: &Value) -> Option<Ustr> {
    match value {
        Value::Import(import) => Some(match import.name {
            Some(name) => name,
            None => import
                .module
                .rsplit(['.', ':', '/'])
                .next()
                .map_or(import.module, ustr),
        }),
        Value::Class(id) => Some(*id),
        Value::Named(named) => Some(named.1),
        Value::Field(field) => {
            let base = written(&field.0)?;
            Some(ustr(&format!("{base}.{}", field.1)))
        }
        _ => None,
    }
}
