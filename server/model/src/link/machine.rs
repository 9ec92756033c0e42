//! Runs the roles of all scopes across files, as far as routers and their guards need it.
//!
//! Modules run once, when first needed; functions run when something that runs calls them. Nothing
//! of the analysed program is executed: only assignments, calls and members over symbolic values.

use std::sync::Arc;

use gatewatch_frameworks::{
    Argument, ArgumentKind, Op, Packs, Place, ScopeRoles, Value, class_roles, function_roles,
    module_roles, packs, signature,
};
use gatewatch_source::{Db, FileSet, SourceFile};
use gatewatch_syntax::facts::{Language, ParamKind};
use rustc_hash::{FxHashMap, FxHashSet};
use ustr::{Ustr, ustr};

use super::objects::{Object, ObjectKind};
use super::value::{Called, Func, Given, Piece, V};
use crate::modules::{Module, resolve_module, submodule};

/// Functions inside functions deeper than this are not followed; what they would give is unknown.
const MAX_DEPTH: u32 = 24;
/// Operations after which the machine stops. Real workspaces need a few hundred thousand.
const MAX_STEPS: u32 = 3_000_000;
/// Elements of a list that a loop runs over.
const MAX_ITEMS: usize = 500;

/// One running scope.
pub(crate) struct Frame {
    pub(crate) file: SourceFile,
    pub(crate) roles: Arc<ScopeRoles>,
    results: FxHashMap<u32, V>,
    items: FxHashMap<u32, V>,
    params: Vec<V>,
    /// The frame of the function around.
    outer: Option<u32>,
    receiver: Option<u32>,
}

pub(crate) struct Machine<'db> {
    pub(crate) db: &'db dyn Db,
    pub(crate) tree: FileSet,
    pub(crate) packs: &'static Packs,
    pub(crate) objects: Vec<Object>,
    pub(crate) pending: Vec<super::shapes::Pending>,
    /// Decorators that have been applied to a function or class, innermost first.
    pub(crate) decorated: FxHashMap<(SourceFile, Ustr), Vec<(V, (SourceFile, Place))>>,
    frames: Vec<Frame>,
    modules: FxHashMap<SourceFile, u32>,
    started: Option<(SourceFile, Ustr)>,
    starts: FxHashSet<(SourceFile, Ustr)>,
    /// Functions that were started and then turned out to be called by something else.
    pub(crate) superseded: FxHashSet<(SourceFile, Ustr)>,
    /// Functions on the stack.
    running: Vec<(SourceFile, Ustr)>,
    pub(crate) entered: FxHashSet<(SourceFile, Ustr)>,
    resolving: u32,
    steps: u32,
}

impl<'db> Machine<'db> {
    pub(crate) fn new(db: &'db dyn Db, tree: FileSet) -> Self {
        Self {
            db,
            tree,
            packs: packs(),
            objects: Vec::new(),
            pending: Vec::new(),
            decorated: FxHashMap::default(),
            frames: Vec::new(),
            modules: FxHashMap::default(),
            started: None,
            starts: FxHashSet::default(),
            superseded: FxHashSet::default(),
            running: Vec::new(),
            entered: FxHashSet::default(),
            resolving: 0,
            steps: 0,
        }
    }

    /// Whether the machine gave up before the end.
    pub(crate) fn exhausted(&self) -> bool {
        self.steps >= MAX_STEPS
    }

    // ---- scopes -------------------------------------------------------------------------------

    /// Runs a module, once.
    pub(crate) fn module(&mut self, file: SourceFile) -> u32 {
        if let Some(&frame) = self.modules.get(&file) {
            return frame;
        }
        let roles = module_roles(self.db, file);
        let frame = self.push_frame(Frame {
            file,
            roles: Arc::clone(&roles),
            results: FxHashMap::default(),
            items: FxHashMap::default(),
            params: Vec::new(),
            outer: None,
            receiver: None,
        });
        self.modules.insert(file, frame);
        self.run(frame, &roles.ops, &mut Vec::new());
        frame
    }

    fn push_frame(&mut self, frame: Frame) -> u32 {
        self.frames.push(frame);
        u32::try_from(self.frames.len() - 1).unwrap_or(u32::MAX)
    }

    /// Runs a function that nothing has called so far, with parameters that have only names.
    pub(crate) fn start_once(&mut self, file: SourceFile, id: Ustr) -> V {
        self.module(file);
        if self.entered.contains(&(file, id)) {
            return V::Unknown;
        }
        self.starts.insert((file, id));
        self.started = Some((file, id));
        let value = self.call_function(
            Func {
                file,
                id,
                env: None,
                receiver: None,
            },
            &[],
        );
        self.started = None;
        value
    }

    /// The function that [`Self::start`] is running.
    pub(crate) fn current_start(&self) -> Option<(SourceFile, Ustr)> {
        self.started
    }

    pub(crate) fn call_function(&mut self, func: Func, args: &[(Given, V)]) -> V {
        let key = (func.file, func.id);
        if self.running.len() as u32 >= MAX_DEPTH || self.running.contains(&key) || self.exhausted()
        {
            return V::Unknown;
        }
        let Some(roles) = function_roles(self.db, func.file, func.id) else {
            return V::Unknown;
        };
        let Some(signature) = signature(self.db, func.file, func.id) else {
            return V::Unknown;
        };
        self.module(func.file);
        self.entered.insert(key);
        if self.starts.contains(&key) && self.started != Some(key) {
            self.superseded.insert(key);
        }
        self.running.push(key);
        let params = self.bind(&signature.params, args, func);
        let frame = self.push_frame(Frame {
            file: func.file,
            roles: Arc::clone(&roles),
            results: FxHashMap::default(),
            items: FxHashMap::default(),
            params,
            outer: func.env,
            receiver: func.receiver,
        });
        let mut returns = Vec::new();
        self.run(frame, &roles.ops, &mut returns);
        self.running.pop();
        returns.retain(|value| !matches!(value, V::Null | V::Unknown));
        match returns
            .iter()
            .position(|value| matches!(value.settled(), V::Object(_)))
        {
            Some(at) => returns.swap_remove(at),
            None if returns.len() <= 1 => returns.pop().unwrap_or(V::Unknown),
            None => V::Either(returns.into()),
        }
    }

    fn bind(
        &mut self,
        params: &[gatewatch_frameworks::ParamRole],
        args: &[(Given, V)],
        func: Func,
    ) -> Vec<V> {
        let mut bound = Vec::with_capacity(params.len());
        let mut position = 0;
        let positional: Vec<&V> = args
            .iter()
            .filter(|(given, _)| *given == Given::Position)
            .map(|(_, value)| value)
            .collect();
        let is_self = |index: usize, param: &gatewatch_frameworks::ParamRole| {
            param.kind == ParamKind::Receiver
                || (index == 0
                    && func.receiver.is_some()
                    && matches!(param.name.as_str(), "self" | "cls"))
        };
        for (index, param) in params.iter().enumerate() {
            if is_self(index, param) {
                bound.push(func.receiver.map_or(V::Symbol(param.name), V::Object));
                continue;
            }
            let named = args.iter().find_map(|(given, value)| {
                (*given == Given::Name(param.name)).then(|| value.clone())
            });
            let value = match (named, param.kind) {
                (Some(value), _) => value,
                (None, ParamKind::Rest) => {
                    let rest = positional.get(position..).unwrap_or_default();
                    position = positional.len();
                    V::List(rest.iter().map(|value| (*value).clone()).collect())
                }
                (None, ParamKind::RestMap) => V::Unknown,
                (None, ParamKind::Keyword) => V::Unknown,
                (None, _) => match positional.get(position) {
                    Some(value) => {
                        position += 1;
                        (*value).clone()
                    }
                    None => V::Unknown,
                },
            };
            let value = match (&value, &param.default) {
                (V::Unknown, Some(default)) if self.running.len() < 8 => {
                    // Defaults see the module's names only.
                    let frame = self.module(func.file);
                    self.resolve(default, frame)
                }
                (V::Unknown, None) => V::Symbol(param.name),
                _ => value,
            };
            bound.push(value);
        }
        bound
    }

    fn run(&mut self, frame: u32, ops: &[Op], returns: &mut Vec<V>) {
        for op in ops {
            self.steps += 1;
            if self.exhausted() {
                return;
            }
            if self.steps.is_multiple_of(1024) {
                self.db.unwind_if_revision_cancelled();
            }
            match op {
                Op::Call {
                    callee,
                    args,
                    result,
                    place,
                } => {
                    let value = self.call_op(frame, callee, args, *place);
                    if let Some(frame) = self.frames.get_mut(frame as usize) {
                        frame.results.insert(*result, value);
                    }
                }
                Op::Decorate {
                    decorator,
                    target,
                    place,
                    ..
                } => {
                    let decorator = self.resolve(decorator, frame);
                    let target = self.resolve(target, frame);
                    let file = self.file_of(frame);
                    self.decorate(decorator, target, (file, *place));
                }
                Op::Store { base, name, value } => {
                    let base = self.resolve(base, frame);
                    let value = self.resolve(value, frame);
                    self.store(&base, *name, value);
                }
                Op::Loop {
                    item,
                    subject,
                    body,
                } => {
                    let subject = self.resolve(subject, frame);
                    let items = match subject.settled() {
                        V::List(items) => items.iter().take(MAX_ITEMS).cloned().collect(),
                        V::Dict(entries) => entries
                            .iter()
                            .take(MAX_ITEMS)
                            .map(|(key, _)| key.clone())
                            .collect(),
                        _ => vec![V::Unknown],
                    };
                    for value in items {
                        if let Some(frame) = self.frames.get_mut(frame as usize) {
                            frame.items.insert(*item, value);
                        }
                        self.run(frame, body, returns);
                    }
                }
                Op::Branch {
                    test,
                    then,
                    otherwise,
                } => {
                    // `if TYPE_CHECKING`, `if False`: a condition that is known decides.
                    match self.resolve(test, frame) {
                        V::Bool(true) => self.run(frame, then, returns),
                        V::Bool(false) => self.run(frame, otherwise, returns),
                        _ => {
                            self.run(frame, then, returns);
                            self.run(frame, otherwise, returns);
                        }
                    }
                }
                Op::Return(value) => {
                    let value = self.resolve(value, frame);
                    returns.push(value);
                }
            }
        }
    }

    fn file_of(&self, frame: u32) -> SourceFile {
        // Frames are made with a file, so index 0 exists whenever one is asked for.
        self.frames[frame as usize].file
    }

    fn store(&mut self, base: &V, name: Ustr, value: V) {
        if let V::Object(object) = base.settled()
            && let Some(object) = self.objects.get_mut(*object as usize)
        {
            object.fields.insert(name, value);
        }
    }

    // ---- calls --------------------------------------------------------------------------------

    fn call_op(&mut self, frame: u32, callee: &Value, args: &[Argument], place: Place) -> V {
        let file = self.file_of(frame);
        let callee = self.resolve(callee, frame);
        let args = self.resolve_args(args, frame);
        self.call(callee, args, (file, place))
    }

    pub(crate) fn resolve_args(&mut self, args: &[Argument], frame: u32) -> Vec<(Given, V)> {
        let mut given = Vec::with_capacity(args.len());
        for arg in args {
            let value = self.resolve(&arg.value, frame);
            match &arg.kind {
                ArgumentKind::Positional => given.push((Given::Position, value)),
                ArgumentKind::Named(name) => given.push((Given::Name(*name), value)),
                ArgumentKind::Keyed(key) => {
                    if let Some(name) = self.resolve(key, frame).as_text() {
                        given.push((Given::Name(ustr(&name)), value));
                    }
                }
                ArgumentKind::Spread => match value.settled() {
                    V::List(items) => {
                        given.extend(items.iter().map(|item| (Given::Position, item.clone())))
                    }
                    _ => given.push((Given::Rest, value)),
                },
                ArgumentKind::SpreadMap => match value.settled() {
                    V::Dict(entries) => given.extend(entries.iter().filter_map(|(key, value)| {
                        Some((Given::Name(ustr(&key.as_text()?)), value.clone()))
                    })),
                    _ => given.push((Given::Rest, value)),
                },
            }
        }
        given
    }

    /// Calls `callee`, whatever it is.
    pub(crate) fn call(
        &mut self,
        callee: V,
        args: Vec<(Given, V)>,
        place: (SourceFile, Place),
    ) -> V {
        match callee.settled().clone() {
            V::External(name) => {
                if name.as_str() == "require"
                    && let [(_, module)] = args.as_slice()
                    && let Some(spec) = module.as_text()
                {
                    return self.module_value(place.0, &spec);
                }
                if let Some(kind) = self.packs.constructor(name) {
                    return self.construct(kind, name, args, place);
                }
                // A list that is walked by a function: `[…].forEach(f)` arrives as a member; see below.
                self.called(callee, args, V::Unknown, place)
            }
            V::Member(member) => {
                let (base, name) = (member.0.clone(), member.1);
                match base.settled() {
                    V::Object(object) => {
                        let object = *object;
                        self.method(object, name, args, place)
                    }
                    V::List(items) if matches!(name.as_str(), "forEach" | "map" | "for_each") => {
                        let items: Vec<V> = items.iter().take(MAX_ITEMS).cloned().collect();
                        let mut results = Vec::new();
                        for item in items {
                            if let Some((_, function)) = args.first() {
                                let function = function.clone();
                                results.push(self.call(
                                    function,
                                    vec![(Given::Position, item)],
                                    place,
                                ));
                            }
                        }
                        V::List(results.into())
                    }
                    V::Func(_) if name.as_str() == "bind" => base.clone(),
                    V::List(_) if matches!(name.as_str(), "concat" | "into_iter" | "iter") => {
                        let mut items = match base.settled() {
                            V::List(items) => items.to_vec(),
                            _ => Vec::new(),
                        };
                        for (_, arg) in &args {
                            match arg.settled() {
                                V::List(more) => items.extend(more.iter().cloned()),
                                other => items.push(other.clone()),
                            }
                        }
                        V::List(items.into())
                    }
                    V::Dict(entries)
                        if matches!(name.as_str(), "items" | "values" | "keys" | "entries") =>
                    {
                        V::List(
                            entries
                                .iter()
                                .map(|(key, value)| match name.as_str() {
                                    "values" => value.clone(),
                                    "keys" => key.clone(),
                                    _ => V::List([key.clone(), value.clone()].into()),
                                })
                                .collect(),
                        )
                    }
                    V::Text(_) => self.text_method(base.settled(), name, &args),
                    _ => self.called(callee, args, V::Unknown, place),
                }
            }
            V::Func(func) => {
                let result = self.call_function(func, &args);
                self.called(callee, args, result, place)
            }
            V::Class(file, id) => {
                let object = self.instantiate(file, id, args.clone(), place);
                self.called(callee, args, object, place)
            }
            _ => self.called(callee, args, V::Unknown, place),
        }
    }

    fn text_method(&mut self, base: &V, name: Ustr, args: &[(Given, V)]) -> V {
        let Some(text) = base.as_text() else {
            return base.clone();
        };
        match (
            name.as_str(),
            args.first().and_then(|(_, arg)| arg.as_text()),
        ) {
            ("rstrip", Some(what)) => V::text(text.trim_end_matches(|c| what.contains(c))),
            ("lstrip", Some(what)) => V::text(text.trim_start_matches(|c| what.contains(c))),
            ("strip", Some(what)) => V::text(text.trim_matches(|c| what.contains(c))),
            ("strip" | "trim", None) => V::text(text.trim()),
            ("lower" | "toLowerCase" | "to_lowercase", _) => V::text(&text.to_lowercase()),
            ("format", _) => V::Symbol(ustr(&text)),
            _ => base.clone(),
        }
    }

    pub(crate) fn called(
        &mut self,
        callee: V,
        args: Vec<(Given, V)>,
        result: V,
        place: (SourceFile, Place),
    ) -> V {
        V::Called(Arc::new(Called {
            callee,
            args,
            result,
            place,
        }))
    }

    /// Makes an instance of a workspace class and runs its constructor.
    fn instantiate(
        &mut self,
        file: SourceFile,
        id: Ustr,
        args: Vec<(Given, V)>,
        place: (SourceFile, Place),
    ) -> V {
        // A class that extends a framework's router is one.
        if let Some((kind, name)) = self
            .external_bases(file, id)
            .into_iter()
            .find_map(|name| self.packs.constructor(name).map(|kind| (kind, name)))
        {
            return self.construct(kind, name, args, place);
        }
        let object = self.push_object(Object::new(ObjectKind::Instance(file, id), place));
        if let Some((constructor_file, constructor)) = ["__init__", "constructor"]
            .iter()
            .find_map(|name| self.find_method(file, id, ustr(name)))
        {
            let func = Func {
                file: constructor_file,
                id: constructor,
                env: None,
                receiver: Some(object),
            };
            self.call_function(func, &args);
        }
        V::Object(object)
    }

    pub(crate) fn push_object(&mut self, object: Object) -> u32 {
        self.objects.push(object);
        u32::try_from(self.objects.len() - 1).unwrap_or(u32::MAX)
    }

    // ---- classes ------------------------------------------------------------------------------

    /// The classes of the workspace that a class is made of, itself first, and the external ones.
    pub(crate) fn lineage(
        &mut self,
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
            let Some(class) = class_roles(self.db, file, id) else {
                continue;
            };
            for base in &class.bases {
                match self.resolve_in_class(file, &class.scope, base).settled() {
                    V::Class(file, id) if !own.contains(&(*file, *id)) => own.push((*file, *id)),
                    V::External(name) => external.push(*name),
                    // `Generic[T]`, `CRUDBase[Model]`
                    V::Index(index) => match &index.0 {
                        V::Class(file, id) if !own.contains(&(*file, *id)) => {
                            own.push((*file, *id))
                        }
                        V::External(name) => external.push(*name),
                        _ => {}
                    },
                    _ => {}
                }
            }
        }
        (own, external)
    }

    pub(crate) fn external_bases(&mut self, file: SourceFile, id: Ustr) -> Vec<Ustr> {
        self.lineage(file, id).1
    }

    pub(crate) fn find_method(
        &mut self,
        file: SourceFile,
        id: Ustr,
        name: Ustr,
    ) -> Option<(SourceFile, Ustr)> {
        for (file, id) in self.lineage(file, id).0 {
            if let Some(class) = class_roles(self.db, file, id)
                && let Some((_, method)) = class.methods.iter().rev().find(|(own, _)| *own == name)
            {
                return Some((file, *method));
            }
            if let Some(method) = self.impl_method(file, id, name) {
                return Some((file, method));
            }
        }
        None
    }

    /// A method of a Rust type: its `impl` blocks stand beside it.
    fn impl_method(&mut self, file: SourceFile, id: Ustr, name: Ustr) -> Option<Ustr> {
        let type_name = id.rsplit('.').next().map(ustr)?;
        for (of, _, block) in gatewatch_frameworks::impls(self.db, file).iter() {
            if *of == type_name
                && let Some(class) = class_roles(self.db, file, *block)
                && let Some((_, method)) = class.methods.iter().find(|(own, _)| *own == name)
            {
                return Some(*method);
            }
        }
        None
    }

    /// The value of a class attribute, by the class itself or its bases.
    pub(crate) fn class_attribute(&mut self, file: SourceFile, id: Ustr, name: Ustr) -> Option<V> {
        for (file, id) in self.lineage(file, id).0 {
            let Some(class) = class_roles(self.db, file, id) else {
                continue;
            };
            if let Some(value) = class.scope.name(name) {
                let value = value.clone();
                return Some(self.resolve_in_class(file, &class.scope, &value));
            }
        }
        None
    }

    /// Resolves a value of a class body or signature: its calls are ops of `scope`.
    pub(crate) fn resolve_in_class(
        &mut self,
        file: SourceFile,
        scope: &ScopeRoles,
        value: &Value,
    ) -> V {
        let outer = self.module(file);
        let frame = self.push_frame(Frame {
            file,
            roles: Arc::new(ScopeRoles {
                names: scope.names.clone(),
                ..ScopeRoles::default()
            }),
            results: FxHashMap::default(),
            items: FxHashMap::default(),
            params: Vec::new(),
            outer: Some(outer),
            receiver: None,
        });
        self.run(frame, &scope.ops, &mut Vec::new());
        let value = self.resolve(value, frame);
        self.frames.pop();
        value
    }

    // ---- values -------------------------------------------------------------------------------

    /// What a symbolic value of a running scope stands for.
    pub(crate) fn resolve(&mut self, value: &Value, frame: u32) -> V {
        self.steps += 1;
        if self.resolving > 64 || self.exhausted() {
            return V::Unknown;
        }
        self.resolving += 1;
        let resolved = self.resolve_value(value, frame);
        self.resolving -= 1;
        resolved
    }

    fn resolve_value(&mut self, value: &Value, frame: u32) -> V {
        let file = self.file_of(frame);
        match value {
            Value::Unknown | Value::Truth => V::Unknown,
            Value::Null => V::Null,
            Value::Bool(value) => V::Bool(*value),
            Value::Number(text) => V::Number(*text),
            Value::Text(text) => V::Text([Piece::Text(*text)].into()),
            Value::Template(parts) => {
                let mut pieces = Vec::new();
                for part in parts.iter() {
                    pieces.extend(self.resolve(part, frame).pieces());
                }
                V::Text(pieces.into())
            }
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
                None => self.module_value(file, &import.module),
                Some(name) => self.import_name(file, &import.module, name),
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
                .and_then(|frame| frame.results.get(result))
                .cloned()
                .unwrap_or_default(),
            Value::Field(field) => {
                let base = self.resolve(&field.0, frame);
                self.member(base, field.1)
            }
            Value::Index(index) => {
                let base = self.resolve(&index.0, frame);
                let at = self.resolve(&index.1, frame);
                match (base.settled(), &at) {
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
            if matches!(name.as_str(), "self" | "this")
                && let Some(receiver) = scope.receiver
            {
                return V::Object(receiver);
            }
            let roles = Arc::clone(&scope.roles);
            let outer = scope.outer;
            // In its own frame the name was looked up already when the roles were made; a loop or a
            // later definition can still give it here.
            if let Some(value) = roles.name(name)
                && *value != Value::Name(name)
                && (index != frame || hops == 0)
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
        let file = self.file_of(frame);
        let module = self.module(file);
        if module != frame {
            let roles = module_roles(self.db, file);
            if let Some(value) = roles.name(name) {
                let value = value.clone();
                return self.resolve(&value, module);
            }
        }
        for star in module_roles(self.db, file).stars.clone() {
            let found = self.import_name(file, &star, name);
            if !matches!(found, V::External(_) | V::Unknown | V::Member(_)) {
                return found;
            }
            // `use axum::prelude::*`, `from flask import *`: a known library's name.
            if let V::External(whole) = &found
                && (self.packs.constructor(*whole).is_some()
                    || self.packs.injection(*whole).is_some())
            {
                return found;
            }
        }
        match name.as_str() {
            "self" | "Self"
                if Language::of_extension(file.path(self.db).extension())
                    == Some(Language::Rust) =>
            {
                V::Symbol(name)
            }
            _ => V::External(name),
        }
    }

    /// A module as a value.
    pub(crate) fn module_value(&mut self, from: SourceFile, spec: &str) -> V {
        match resolve_module(self.db, self.tree, from, spec) {
            Module::External(name) => {
                // `use super::Item` arrives as a module path whose last part is an item.
                if let Some((module, last)) = spec.rsplit_once("::")
                    && let found @ (V::Func(_) | V::Class(..) | V::Object(_)) =
                        self.import_name(from, module, ustr(last))
                {
                    return found;
                }
                V::External(ustr(&name))
            }
            // A CommonJS module is what it exports.
            Module::File(file) => {
                let roles = module_roles(self.db, file);
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
    fn import_name(&mut self, from: SourceFile, spec: &str, name: Ustr) -> V {
        let module = resolve_module(self.db, self.tree, from, spec);
        self.module_member(&module, name, 0)
    }

    fn module_member(&mut self, module: &Module, name: Ustr, depth: u32) -> V {
        if depth > 16 {
            return V::Unknown;
        }
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
                let Some(class) = class_roles(self.db, *file, *id) else {
                    return V::Unknown;
                };
                match class.scope.name(name) {
                    Some(Value::Function(id)) => V::Func(Func {
                        file: *file,
                        id: *id,
                        env: None,
                        receiver: None,
                    }),
                    Some(value) => {
                        let value = value.clone();
                        self.resolve_in_class(*file, &class.scope, &value)
                    }
                    None => V::Unknown,
                }
            }
            Module::File(file) => self.file_member(*file, name, depth),
        }
    }

    fn file_member(&mut self, file: SourceFile, name: Ustr, depth: u32) -> V {
        let roles = module_roles(self.db, file);
        let language = Language::of_extension(file.path(self.db).extension());
        let script = matches!(language, Some(Language::TypeScript | Language::Tsx));
        let value = if script {
            roles.export(name).or_else(|| roles.name(name))
        } else {
            roles.name(name)
        };
        if let Some(value) = value {
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
            let module = resolve_module(self.db, self.tree, file, &star);
            let found = match &module {
                Module::External(_) => continue,
                Module::File(other) if *other == file => continue,
                module => self.module_member(module, name, depth + 1),
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
            V::Module(module) => self.module_member(&module, name, 0),
            V::Object(object) => self.object_member(object, name),
            V::Class(file, id) => {
                if let Some(value) = self.class_attribute(file, id, name) {
                    return value;
                }
                if let Some((file, method)) = self.find_method(file, id, name) {
                    return V::Func(Func {
                        file,
                        id: method,
                        env: None,
                        receiver: None,
                    });
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
                    V::External(ustr(&format!("{class}.{name}")))
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
        if let ObjectKind::Instance(file, id) = at.kind {
            if let Some((file, method)) = self.find_method(file, id, name) {
                return V::Func(Func {
                    file,
                    id: method,
                    env: None,
                    receiver: Some(object),
                });
            }
            if let Some(value) = self.class_attribute(file, id, name) {
                // A class field with a function sees the instance.
                return match value {
                    V::Func(func) => V::Func(Func {
                        receiver: Some(object),
                        ..func
                    }),
                    value => value,
                };
            }
        }
        V::Member(Arc::new((V::Object(object), name)))
    }
}
