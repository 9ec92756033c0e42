//! Calls: of functions and classes of the workspace, of libraries, of methods of texts and lists.

use std::sync::Arc;

use gatewatch_frameworks::{Argument, ArgumentKind, Op, Place, Value};
use gatewatch_source::SourceFile;
use ustr::{Ustr, ustr};

use super::machine::{MAX_ITEMS, Machine};
use super::objects::{Object, ObjectKind};
use super::value::{Called, Func, Given, Piece, Receiver, V};

impl Machine<'_> {
    pub(crate) fn call_op(
        &mut self,
        frame: u32,
        callee: &Value,
        args: &[Argument],
        place: Place,
    ) -> V {
        let Some(file) = self.file_of(frame) else {
            return V::Unknown;
        };
        let written = callee;
        let callee = self.resolve(callee, frame);
        self.note_written(written, &callee);
        let args = self.resolve_args(args, frame);
        if let V::External(name) = &callee {
            match name.as_str() {
                // `super()`; the class and receiver may be given.
                "super" => {
                    return match self.above(frame) {
                        Some(above) => above,
                        None => V::Unknown,
                    };
                }
                "getattr" => {
                    if let [(_, base), (_, name), ..] = args.as_slice()
                        && let Some(name) = name.as_text()
                    {
                        return self.member(base.clone(), ustr(&name));
                    }
                }
                _ => {}
            }
        }
        self.call(callee, args, (file, place))
    }

    pub(crate) fn resolve_args(&mut self, args: &[Argument], frame: u32) -> Vec<(Given, V)> {
        let mut given = Vec::with_capacity(args.len());
        for arg in args {
            let value = self.resolve_written(&arg.value, frame);
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
                    return self.module_value(place.0, ustr(&spec));
                }
                if let Some(kind) = self.packs.constructor(name) {
                    return self.construct(kind, name, args, place);
                }
                if let Some(at) = self.packs.server(name) {
                    self.serve(at, &args);
                }
                if let Some(value) = language_call(&name, &args) {
                    return value;
                }
                self.called(callee, args, V::Unknown, place)
            }
            V::Either(values) => {
                let known = values
                    .iter()
                    .find(|value| matches!(value.settled(), V::Func(_) | V::Class(..)))
                    .cloned();
                match known {
                    Some(known) => self.call(known, args, place),
                    None => self.called(callee, args, V::Unknown, place),
                }
            }
            // `router.get("/x")(handler)`
            V::Pending(_) => match args.into_iter().next() {
                Some((_, target)) => {
                    self.decorate(callee, target.clone(), place);
                    target
                }
                None => V::Unknown,
            },
            V::Super(receiver, class) => self.construct_above(receiver, class, args, place),
            V::Member(member) => {
                let (base, name) = (member.0.clone(), member.1);
                match base.settled() {
                    V::Object(object) => {
                        let object = *object;
                        self.method(object, name, args, place)
                    }
                    V::Super(receiver, class) => {
                        let (receiver, class) = (*receiver, *class);
                        match receiver {
                            _ if matches!(name.as_str(), "__init__" | "constructor") => {
                                self.construct_above(receiver, class, args, place)
                            }
                            Receiver::Object(object) => self.method(object, name, args, place),
                            Receiver::Class(file, id) => {
                                self.class_method(file, id, name, args, place)
                            }
                        }
                    }
                    V::Class(file, id) => {
                        let (file, id) = (*file, *id);
                        self.class_method(file, id, name, args, place)
                    }
                    // `app.router.routes.append(route)`
                    V::Member(_) if self.object_chain(base.settled()).is_some() => {
                        match self.object_chain(base.settled()) {
                            Some((object, chain)) => {
                                let whole = ustr(&format!("{chain}.{name}"));
                                self.method(object, whole, args, place)
                            }
                            None => V::Unknown,
                        }
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
                    V::Func(func) if matches!(name.as_str(), "call" | "apply") => {
                        let func = *func;
                        let args: Vec<_> = args.into_iter().skip(1).collect();
                        self.call(V::Func(func), args, place)
                    }
                    V::Dict(entries) if name.as_str() == "get" => {
                        let key = args.first().map(|(_, key)| key.clone());
                        let found = entries
                            .iter()
                            .find(|(entry, _)| Some(entry) == key.as_ref());
                        match (found, args.get(1)) {
                            (Some((_, value)), _) => value.clone(),
                            (None, Some((_, default))) => default.clone(),
                            (None, None) => V::Unknown,
                        }
                    }
                    V::List(_)
                        if matches!(
                            name.as_str(),
                            "concat" | "into_iter" | "iter" | "copy" | "flat" | "slice"
                        ) =>
                    {
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
                let result = if func.receiver.is_none() && self.is_constructor(func) {
                    self.instantiate_function(func, &args, place)
                } else {
                    self.call_function(func, &args)
                };
                self.called(callee, args, result, place)
            }
            // What an unknown method of it gave: see `object_member`.
            V::Object(object) if self.is_built_up(object) => callee,
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
            ("removesuffix", Some(what)) => V::text(text.strip_suffix(&what).unwrap_or(&text)),
            ("removeprefix", Some(what)) => V::text(text.strip_prefix(&what).unwrap_or(&text)),
            ("format", _) => formatted(&text, args),
            (
                "startswith" | "endswith" | "startsWith" | "endsWith" | "starts_with" | "ends_with",
                _,
            ) => V::Unknown,
            ("split" | "join", _) => V::Unknown,
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
    pub(crate) fn instantiate(
        &mut self,
        file: SourceFile,
        id: Ustr,
        args: Vec<(Given, V)>,
        place: (SourceFile, Place),
    ) -> V {
        // A class that extends a framework's router is one.
        let of = self
            .external_bases(file, id)
            .into_iter()
            .find_map(|name| self.packs.constructor(name).map(|kind| (kind, name)));
        let kind = match of {
            Some((kind, _)) => ObjectKind::Pack(kind),
            None => ObjectKind::Instance(file, id),
        };
        let mut object = Object::new(kind, place);
        object.class = Some((file, id));
        object.start = self.current_start();
        let object = self.push_object(object);
        let constructor = ["__init__", "constructor"]
            .iter()
            .find_map(|name| self.find_method(file, id, ustr(name)));
        match constructor {
            Some((constructor_file, constructor)) => {
                let func = Func {
                    receiver: Some(Receiver::Object(object)),
                    ..Func::plain(constructor_file, constructor)
                };
                self.call_function(func, &args);
            }
            // A record: `Route(path=…, handler=…)`, `Self { router }`.
            None => self.set_fields(object, file, id, &args),
        }
        if let Some((kind, name)) = of
            && !self
                .objects
                .get(object as usize)
                .is_some_and(|object| object.made)
        {
            self.initialise(object, kind, name, args, place);
        }
        V::Object(object)
    }

    /// The fields of a class without a constructor, by name or in the order of their declarations.
    fn set_fields(&mut self, object: u32, file: SourceFile, id: Ustr, args: &[(Given, V)]) {
        let mut declared = Vec::new();
        for &(file, id) in self.lineage(file, id).0.iter().rev() {
            if let Some(class) = self.read.class(file, id) {
                declared.extend(class.types.iter().map(|(name, _)| *name));
            }
        }
        let Some(object) = self.objects.get_mut(object as usize) else {
            return;
        };
        let mut position = declared.into_iter();
        for (given, value) in args {
            let name = match given {
                Given::Name(name) => Some(*name),
                Given::Position => position.next(),
                Given::Rest => None,
            };
            if let Some(name) = name {
                object.fields.insert(name, value.clone());
            }
        }
    }

    /// Whether a function makes objects: it sets members of a `this` that is nobody's.
    fn is_constructor(&self, func: Func) -> bool {
        self.read.is_script(func.file)
            && self.read.body(func.file, func.id).is_some_and(|roles| {
                roles.ops.iter().any(|op| {
                    matches!(op, Op::Store { base: Value::Name(name), .. } if name.as_str() == "this")
                })
            })
    }

    fn instantiate_function(
        &mut self,
        func: Func,
        args: &[(Given, V)],
        place: (SourceFile, Place),
    ) -> V {
        let object = Object::new(ObjectKind::Instance(func.file, func.id), place);
        let object = self.push_object(object);
        let func = Func {
            receiver: Some(Receiver::Object(object)),
            ..func
        };
        match self.call_function(func, args).settled() {
            result @ V::Object(_) => result.clone(),
            _ => V::Object(object),
        }
    }

    /// A base class's constructor runs on an object.
    fn construct_above(
        &mut self,
        receiver: Receiver,
        class: (SourceFile, Ustr),
        args: Vec<(Given, V)>,
        place: (SourceFile, Place),
    ) -> V {
        let Receiver::Object(object) = receiver else {
            return V::Unknown;
        };
        let constructor = ["__init__", "constructor"]
            .iter()
            .find_map(|name| self.find_method_above(receiver, class, ustr(name)));
        if let Some((file, constructor)) = constructor {
            let func = Func {
                receiver: Some(receiver),
                ..Func::plain(file, constructor)
            };
            self.call_function(func, &args);
            return V::Null;
        }
        let of = self.class_of(receiver).and_then(|(file, id)| {
            self.external_bases(file, id)
                .into_iter()
                .find_map(|name| self.packs.constructor(name).map(|kind| (kind, name)))
        });
        if let Some((kind, name)) = of {
            self.initialise(object, kind, name, args, place);
        }
        V::Null
    }

    /// The object at the root of members, with the names on the way.
    fn object_chain(&self, value: &V) -> Option<(u32, Ustr)> {
        match value {
            V::Member(member) => match member.0.settled() {
                V::Object(object) => Some((*object, member.1)),
                inner => {
                    let (object, chain) = self.object_chain(inner)?;
                    Some((object, ustr(&format!("{chain}.{}", member.1))))
                }
            },
            _ => None,
        }
    }

    pub(crate) fn push_object(&mut self, object: Object) -> u32 {
        if matches!(object.kind, ObjectKind::Pack(_)) {
            self.effects += 1;
        }
        self.objects.push(object);
        u32::try_from(self.objects.len() - 1).unwrap_or(u32::MAX)
    }
}

/// What functions of a language make of lists and dicts.
fn language_call(name: &str, args: &[(Given, V)]) -> Option<V> {
    let (_, first) = args.first()?;
    let pair = |a: V, b: V| V::List([a, b].into());
    match (name, first.settled()) {
        (
            "list" | "tuple" | "set" | "frozenset" | "sorted" | "reversed" | "iter" | "Array.from",
            V::List(_),
        ) => Some(first.settled().clone()),
        ("list" | "tuple" | "sorted" | "Object.keys", V::Dict(entries)) => Some(V::List(
            entries.iter().map(|(key, _)| key.clone()).collect(),
        )),
        ("Object.values", V::Dict(entries)) => Some(V::List(
            entries.iter().map(|(_, value)| value.clone()).collect(),
        )),
        ("Object.entries", V::Dict(entries)) => Some(V::List(
            entries
                .iter()
                .map(|(key, value)| pair(key.clone(), value.clone()))
                .collect(),
        )),
        ("enumerate", V::List(items)) => Some(V::List(
            items
                .iter()
                .enumerate()
                .map(|(index, item)| pair(V::Number(ustr(&index.to_string())), item.clone()))
                .collect(),
        )),
        ("zip", V::List(items)) => {
            let (_, second) = args.get(1)?;
            let V::List(others) = second.settled() else {
                return None;
            };
            Some(V::List(
                items
                    .iter()
                    .zip(others.iter())
                    .map(|(item, other)| pair(item.clone(), other.clone()))
                    .collect(),
            ))
        }
        ("dict", V::Dict(_)) if args.len() == 1 => Some(first.settled().clone()),
        ("str" | "String" | "String.from", V::Text(_)) => Some(first.settled().clone()),
        ("vec!", _) => Some(V::List(
            args.iter().map(|(_, value)| value.clone()).collect(),
        )),
        _ => None,
    }
}

/// `"/{}/items".format(prefix)`
fn formatted(text: &str, args: &[(Given, V)]) -> V {
    let mut pieces = Vec::new();
    let mut positional = args
        .iter()
        .filter(|(given, _)| *given == Given::Position)
        .map(|(_, value)| value);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        pieces.push(Piece::Text(ustr(before)));
        let named = args
            .iter()
            .find(|(given, _)| *given == Given::Name(ustr(name)))
            .map(|(_, value)| value);
        match named.or_else(|| positional.next()) {
            Some(value) => pieces.extend(value.pieces()),
            None => pieces.push(Piece::Symbol(ustr(name))),
        }
        rest = after;
    }
    pieces.push(Piece::Text(ustr(rest)));
    V::Text(pieces.into())
}
