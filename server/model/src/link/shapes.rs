//! The shape engines: what a call on a framework's object registers, by its pack.

use gatewatch_frameworks::{At, Covers, Does, KindId, Locator, Method, Place, Verbs};
use gatewatch_source::SourceFile;
use gatewatch_syntax::facts::ParamKind;
use ustr::{Ustr, ustr};

use super::arguments::{flattened, located, paths_of, verb_names, verb_of};
use super::machine::Machine;
use super::objects::{GuardUse, Mounted, Object, ObjectKind, Registration, RouteRegistration};
use super::value::{Called, Given, Piece, V};

/// A registration that waits for the function below the decorator.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) object: u32,
    pub(crate) method: Ustr,
    pub(crate) args: Vec<(Given, V)>,
    pub(crate) place: (SourceFile, Place),
}

/// Arguments as they are given.
pub(crate) type Args = [(Given, V)];

fn via_of(method: &Method) -> &'static str {
    match method.via.as_deref() {
        Some("middleware") => "middleware",
        Some("before") => "before",
        Some("layer") => "layer",
        Some("param") => "param",
        _ => "router",
    }
}

impl Machine<'_> {
    /// A framework's object is made.
    pub(crate) fn construct(
        &mut self,
        kind: KindId,
        name: Ustr,
        args: Vec<(Given, V)>,
        place: (SourceFile, Place),
    ) -> V {
        let mut object = Object::new(ObjectKind::Pack(kind), place);
        object.start = self.current_start();
        let index = self.push_object(object);
        self.initialise(index, kind, name, args, place);
        V::Object(index)
    }

    /// The constructor of a framework's object runs.
    pub(crate) fn initialise(
        &mut self,
        index: u32,
        kind: KindId,
        name: Ustr,
        args: Vec<(Given, V)>,
        place: (SourceFile, Place),
    ) {
        let packs = self.packs;
        let Some(shape) = packs.kind(kind) else {
            return;
        };
        let mut prefix = Vec::new();
        if let Some(at) = &shape.prefix {
            prefix = located(at, &args)
                .first()
                .map(V::pieces)
                .unwrap_or_default();
        }
        if prefix.is_empty()
            && let Some(at) = &shape.prefix_from_name
            && let Some(name) = located(at, &args).first().and_then(V::as_text)
        {
            prefix = vec![Piece::Text(ustr(&format!("/{name}")))];
        }
        let mut guards = match &shape.middleware {
            Some(guards) => self.guards(located(guards, &args), "middleware", place),
            None => Vec::new(),
        };
        if let Some(at) = &shape.guards {
            guards.extend(self.guards(located(at, &args), "router", place));
        }
        if let Some(object) = self.objects.get_mut(index as usize) {
            object.made = true;
            object.prefix = prefix;
            object.guards = guards;
        }
        if let Some(routes) = &shape.routes {
            for child in flattened(located(routes, &args)) {
                self.mount(index, Vec::new(), &child, Vec::new(), false, place);
            }
        }
        if let Some(calls) = &shape.calls {
            for value in flattened(located(calls, &args)) {
                if let V::Func(func) = value.settled() {
                    self.call_function(*func, &[(Given::Position, V::Object(index))]);
                }
            }
        }
        if let Some(mounts) = &shape.mounts {
            for value in located(mounts, &args) {
                let V::Dict(entries) = value.settled() else {
                    continue;
                };
                for (path, child) in entries.iter() {
                    self.mount(index, path.pieces(), child, Vec::new(), false, place);
                }
            }
        }
        if let Some(parent) = &shape.mounted_on
            && let Some(V::Object(parent)) = located(parent, &args)
                .first()
                .map(|value| value.settled().clone())
        {
            self.mount(
                parent,
                Vec::new(),
                &V::Object(index),
                Vec::new(),
                false,
                place,
            );
        }
        if shape.performs {
            let method = name.rsplit('.').next().map_or(name, ustr);
            self.method(index, method, args, place);
        }
    }

    /// Objects are handed to what serves them.
    pub(crate) fn serve(&mut self, at: &Locator, args: &Args) {
        for value in flattened(located(at, args)) {
            let mut object = match value.settled() {
                V::Object(object) => Some(*object),
                // Wrapped in something that is no router.
                V::Called(called) => called.args.iter().find_map(|(_, arg)| match arg.settled() {
                    V::Object(object) => Some(*object),
                    _ => None,
                }),
                _ => None,
            };
            if let Some(instance) = object
                && let Some(inner) = self.router_field(instance)
                && !matches!(
                    self.objects
                        .get(instance as usize)
                        .map(|object| object.kind),
                    Some(ObjectKind::Pack(_))
                )
            {
                object = Some(inner);
            }
            match object.and_then(|object| self.objects.get_mut(object as usize)) {
                Some(object) => object.served = true,
                None => self.served_unknown = true,
            }
        }
    }

    /// A method of an object is called.
    pub(crate) fn method(
        &mut self,
        object: u32,
        name: Ustr,
        args: Vec<(Given, V)>,
        place: (SourceFile, Place),
    ) -> V {
        let packs = self.packs;
        let found = match self.objects.get(object as usize).map(|object| object.kind) {
            Some(ObjectKind::Pack(kind)) => packs.method(kind, name).map(|method| (kind, method)),
            _ => None,
        };
        if let Some((_, method)) = found
            && method.does == Does::Route
            && method.path.is_some()
            && method
                .handler
                .as_ref()
                .is_some_and(|handler| handler.alternatives == [At::FromEnd(1)])
            && args.len() < 2
        {
            // `app.get("setting")` reads a setting.
            return V::Unknown;
        }
        let Some((kind, method)) = found else {
            // `router.layer.route(…)`: a method that isn't called yet, and what goes on behind it.
            if self.is_built_up(object)
                && let Some((_, last)) = name.rsplit_once('.')
            {
                self.layer_unknown(object);
                return self.method(object, ustr(last), args, place);
            }
            return self.called(
                V::Member(std::sync::Arc::new((V::Object(object), name))),
                args,
                V::Unknown,
                place,
            );
        };
        // Without its handler, child or guard the call makes a decorator.
        let waits = match method.does {
            Does::Route => match &method.handler {
                None => true,
                Some(handler) => located(handler, &args).is_empty(),
            },
            Does::Guard => method
                .guards
                .as_ref()
                .is_none_or(|guards| located(guards, &args).is_empty()),
            _ => false,
        };
        self.effects += 1;
        if waits {
            self.pending.push(Pending {
                object,
                method: name,
                args,
                place,
            });
            return V::Pending(u32::try_from(self.pending.len() - 1).unwrap_or(u32::MAX));
        }
        self.perform(object, kind, method, name, &args, None, place)
    }

    #[allow(clippy::too_many_arguments)]
    pub(crate) fn perform(
        &mut self,
        object: u32,
        kind: KindId,
        method: &Method,
        name: Ustr,
        args: &Args,
        decorated: Option<&V>,
        place: (SourceFile, Place),
    ) -> V {
        let get = |locator: &Option<Locator>| {
            locator
                .as_ref()
                .map(|locator| located(locator, args))
                .unwrap_or_default()
        };
        self.note_conditions(place);
        let paths = paths_of(get(&method.path));
        match method.does {
            Does::Nothing => {}
            Does::Route => {
                let mut verbs = match &method.verbs {
                    Some(Verbs::Name) => vec![verb_of(&name)],
                    Some(Verbs::Fixed(verbs)) => verbs.clone(),
                    Some(Verbs::Argument { at, default }) => {
                        let given = flattened(located(at, args));
                        let mut verbs: Vec<Ustr> = given.iter().flat_map(verb_names).collect();
                        verbs.dedup();
                        match (
                            verbs.is_empty(),
                            given.iter().any(|value| !matches!(value, V::Null)),
                        ) {
                            (false, _) => verbs,
                            // Given, but not known.
                            (true, true) => vec![ustr("ANY")],
                            (true, false) => default.clone(),
                        }
                    }
                    // The handler is a class with a method for each verb.
                    None => Vec::new(),
                };
                for verb in &mut verbs {
                    if verb.as_str() == "DEL" {
                        *verb = ustr("DELETE");
                    }
                }
                let handler = match decorated {
                    Some(target) => target.clone(),
                    None => get(&method.handler)
                        .into_iter()
                        .next_back()
                        .unwrap_or_default(),
                };
                if method.path.is_some() && paths.is_empty() && decorated.is_none() {
                    return V::Object(object);
                }
                let mut guards = self.guards(get(&method.guards), "route", place);
                if let Some(target) = decorated {
                    guards.extend(self.decorators_of(target));
                }
                let paths = if method.path.is_none() {
                    vec![Vec::new()]
                } else {
                    paths
                };
                let mut inert = Vec::new();
                let mut handler = handler;
                let falls_through = self.packs.kind(kind).is_some_and(|kind| kind.falls_through);
                if falls_through
                    && decorated.is_none()
                    && let Some(at) = guards
                        .iter()
                        .position(|guard| self.ends_chain(&guard.value))
                {
                    // It answers and knows nothing of what comes behind it.
                    inert = guards.split_off(at + 1);
                    if let Some(first) = guards.pop() {
                        let behind = std::mem::replace(&mut handler, first.value);
                        inert.extend(self.guards(vec![behind], "route", place));
                    }
                }
                let kind_name = match method.kind.as_deref() {
                    Some("ws") => "ws",
                    _ => "http",
                };
                let route = RouteRegistration {
                    verbs,
                    paths,
                    handler,
                    guards,
                    inert,
                    kind: kind_name,
                    plain: method.plain,
                    place,
                };
                self.register_route(object, route);
            }
            Does::Mount => {
                let guards = self.guards(get(&method.guards), "mount", place);
                let path = paths.into_iter().next();
                let children = flattened(get(&method.child));
                if children.is_empty() && self.is_built_up(object) {
                    self.layer_unknown(object);
                }
                let replaces =
                    method.replaces_prefix && path.as_ref().is_some_and(|path| !path.is_empty());
                for child in children {
                    self.mount(
                        object,
                        path.clone().unwrap_or_default(),
                        &child,
                        guards.clone(),
                        replaces,
                        place,
                    );
                    if method.plain
                        && let Some(Registration::Mount { plain, .. }) = self
                            .objects
                            .get_mut(object as usize)
                            .and_then(|object| object.registered.last_mut())
                    {
                        *plain = true;
                    }
                }
            }
            Does::MountSelf => {
                if let Some(V::Object(parent)) = get(&method.child)
                    .first()
                    .map(|value| value.settled().clone())
                {
                    self.mount(
                        parent,
                        Vec::new(),
                        &V::Object(object),
                        Vec::new(),
                        false,
                        place,
                    );
                }
            }
            Does::Guard => {
                let values = match (decorated, &method.guards) {
                    (Some(target), _) => vec![target.clone()],
                    (None, Some(at)) if method.calls => called_with(at, args, place),
                    (None, _) => get(&method.guards),
                };
                let mut guards = self.guards(values, via_of(method), place);
                for guard in &mut guards {
                    guard.only = method.kind;
                }
                if let Some(target) = decorated {
                    let mut around = self.decorators_of(target);
                    if let Some((_, id)) = super::decorators::definition(target) {
                        let name = id.rsplit('.').next().map_or(id, ustr);
                        around.iter_mut().for_each(|guard| guard.named = Some(name));
                    }
                    guards.splice(0..0, around);
                }
                let param = if method.for_param {
                    paths.first().map(|path| spelled_path(path))
                } else {
                    None
                };
                for guard in guards {
                    self.register_guard(object, Vec::new(), param, guard);
                }
            }
            Does::Class => {
                for class in flattened(get(&method.handler)) {
                    let class = match class.settled() {
                        V::Class(file, id) => Some((*file, *id)),
                        V::Object(object) => {
                            self.objects.get(*object as usize).and_then(Object::class)
                        }
                        _ => None,
                    };
                    match class {
                        Some((file, id)) => self.register_class(object, file, id, args, place),
                        None => self.unresolved(object, place),
                    }
                }
            }
            Does::Described => {
                for handler in flattened(get(&method.handler)) {
                    self.described(object, method, handler, place);
                }
            }
            Does::Use => self.use_all(object, method, args, place),
            Does::Child => {
                let Some(kind) = method
                    .returns
                    .and_then(|name| self.packs.sibling(kind, name))
                else {
                    return V::Unknown;
                };
                let mut child = Object::new(ObjectKind::Pack(kind), place);
                child.start = self.current_start();
                let child = self.push_object(child);
                for path in paths {
                    self.mount(object, path, &V::Object(child), Vec::new(), false, place);
                }
                return V::Object(child);
            }
        }
        V::Object(object)
    }

    /// Whether a function of a chain can't call the next one: it isn't given it.
    fn ends_chain(&self, value: &V) -> bool {
        let V::Func(func) = value.settled() else {
            return false;
        };
        self.read
            .signature(func.file, func.id)
            .is_some_and(|signature| {
                signature.params.len() == 2
                    && signature
                        .params
                        .iter()
                        .all(|param| param.kind == ParamKind::Plain)
            })
    }

    /// Whether an object is made by a chain of calls, each of which gives it on.
    pub(crate) fn is_built_up(&self, object: u32) -> bool {
        match self.objects.get(object as usize).map(|object| object.kind) {
            Some(ObjectKind::Pack(kind)) => self
                .packs
                .kind(kind)
                .is_some_and(|kind| kind.covers == Covers::Earlier),
            _ => false,
        }
    }

    /// What no pack knows of an object that is built up may put anything in front of what it has.
    pub(crate) fn layer_unknown(&mut self, object: u32) {
        let Some(place) = self.objects.get(object as usize).map(|object| object.place) else {
            return;
        };
        let guard = GuardUse {
            value: V::Unknown,
            via: "layer",
            place,
            only: None,
            named: None,
        };
        self.effects += 1;
        self.register_guard(object, Vec::new(), None, guard);
    }

    fn unresolved(&mut self, object: u32, place: (SourceFile, Place)) {
        if let Some(at) = self.objects.get_mut(object as usize) {
            at.registered.push(Registration::Unresolved { place });
        }
    }

    fn register_guard(
        &mut self,
        object: u32,
        path: Vec<Piece>,
        param: Option<Ustr>,
        guard: GuardUse,
    ) {
        if let Some(at) = self.objects.get_mut(object as usize) {
            at.registered
                .push(Registration::Guard { path, param, guard });
        }
    }

    /// `use(path?, ...things)`: each thing is a guard or a child.
    fn use_all(&mut self, object: u32, method: &Method, args: &Args, place: (SourceFile, Place)) {
        let mut values: Vec<V> = args
            .iter()
            .filter(|(given, _)| !matches!(given, Given::Name(_)))
            .map(|(_, value)| value.clone())
            .collect();
        let is_path = |value: &V| match value.settled() {
            V::Text(_) | V::Pattern(_) => true,
            V::List(items) => {
                !items.is_empty()
                    && items
                        .iter()
                        .all(|item| matches!(item.settled(), V::Text(_) | V::Pattern(_)))
            }
            V::Either(values) => values.iter().any(|value| value.as_text().is_some()),
            // Nothing is known but the name: `app.use(config.basePath, router)`.
            V::Member(_) | V::Symbol(_) | V::External(_) | V::Called(_) => {
                let name = value.spelled().to_lowercase();
                let last = name.rsplit('.').next().unwrap_or_default();
                ["path", "prefix", "base", "url", "version"]
                    .iter()
                    .any(|word| last.contains(word))
            }
            _ => false,
        };
        let paths = if values.len() > 1 && values.first().is_some_and(is_path) {
            paths_of(vec![values.remove(0)])
        } else {
            vec![Vec::new()]
        };
        let values = flattened(values);
        for value in values {
            let is_router = self.is_router(&value);
            if is_router {
                for path in &paths {
                    // Guards beside the router run for its routes only as far as they come before it,
                    // and for everything later below the same path.
                    self.mount(object, path.clone(), &value, Vec::new(), false, place);
                }
            } else {
                let made = self.guards(vec![value], via_of(method), place);
                for guard in made {
                    for path in &paths {
                        self.register_guard(object, path.clone(), None, guard.clone());
                    }
                }
            }
        }
    }

    fn is_router(&self, value: &V) -> bool {
        match value.settled() {
            V::Object(object) => match self.objects.get(*object as usize).map(|object| object.kind)
            {
                Some(ObjectKind::Pack(_)) => true,
                Some(ObjectKind::Instance(..)) => self.router_field(*object).is_some(),
                None => false,
            },
            _ => false,
        }
    }

    /// The only router that an instance holds: `app.use(controller.router)` is often written as
    /// `app.use(controller)` behind a helper.
    fn router_field(&self, object: u32) -> Option<u32> {
        let object = self.objects.get(object as usize)?;
        let mut routers = object
            .fields
            .values()
            .filter_map(|value| match value.settled() {
                V::Object(inner)
                    if matches!(
                        self.objects.get(*inner as usize).map(|object| object.kind),
                        Some(ObjectKind::Pack(_))
                    ) =>
                {
                    Some(*inner)
                }
                _ => None,
            });
        let only = routers.next()?;
        routers.next().is_none().then_some(only)
    }

    pub(crate) fn mount(
        &mut self,
        parent: u32,
        path: Vec<Piece>,
        child: &V,
        guards: Vec<GuardUse>,
        replaces_prefix: bool,
        place: (SourceFile, Place),
    ) {
        let child = self.unwrapped(child);
        let child = match child.settled() {
            // `router().layer`, not called yet.
            V::Member(member) => match member.0.settled() {
                V::Object(child) if self.is_built_up(*child) => {
                    let child = *child;
                    self.layer_unknown(child);
                    Some(child)
                }
                _ => None,
            },
            V::Object(child) => match self.objects.get(*child as usize).map(|object| object.kind) {
                Some(ObjectKind::Pack(_)) => Some(*child),
                _ => self.router_field(*child),
            },
            // A module that has one router: `include_router(items)` is an error, but `app.use(require("./x"))`
            // of an ES module arrives as the module.
            V::Module(crate::modules::Module::File(file)) => {
                let file = *file;
                let frame = self.module(file);
                let roles = self.read.module(file);
                let exported = ["default", "router"].iter().find_map(|name| {
                    roles
                        .export(ustr(name))
                        .or_else(|| roles.name(ustr(name)))
                        .cloned()
                });
                match exported.map(|value| self.resolve(&value, frame)) {
                    Some(V::Object(child)) => Some(child),
                    _ => None,
                }
            }
            _ => None,
        };
        let registration = match child {
            Some(child) if child != parent => Registration::Mount {
                path,
                child,
                guards,
                replaces_prefix,
                plain: false,
                place,
            },
            Some(_) => return,
            None => Registration::Unresolved { place },
        };
        self.effects += 1;
        if let Some(at) = self.objects.get_mut(parent as usize) {
            if let Registration::Mount { path, child, .. } = &registration {
                self.mounts.push(Mounted {
                    parent,
                    child: *child,
                    index: at.registered.len(),
                    symbolic: path.iter().any(|piece| matches!(piece, Piece::Symbol(_))),
                });
            }
            at.registered.push(registration);
        }
    }

    /// What a wrapper stands for: `WSGIMiddleware(app)`, `router.routes()`.
    pub(crate) fn unwrapped(&self, value: &V) -> V {
        let mut at = value.clone();
        for _ in 0..8 {
            let V::Called(called) = &at else { break };
            let V::External(name) = &called.callee else {
                break;
            };
            let Some(wrapper) = self.packs.wrapper(*name) else {
                break;
            };
            match located(&wrapper.inner, &called.args).into_iter().next() {
                Some(inner) => at = inner,
                None => break,
            }
        }
        at
    }

    /// Guards as they are written in an argument: lists are taken apart, wrappers looked into.
    pub(crate) fn guards(
        &mut self,
        values: Vec<V>,
        via: &'static str,
        place: (SourceFile, Place),
    ) -> Vec<GuardUse> {
        let mut found = Vec::new();
        for value in flattened(values) {
            if matches!(value, V::Null) {
                continue;
            }
            // A stack of layers: `ServiceBuilder::new().layer(a).layer(b)`.
            let stacked = stack_of(&value);
            if stacked.is_empty() {
                found.push(GuardUse {
                    value,
                    via,
                    only: None,
                    named: None,
                    place,
                });
            } else {
                found.extend(stacked.into_iter().map(|value| GuardUse {
                    value,
                    via,
                    only: None,
                    named: None,
                    place,
                }));
            }
        }
        found
    }
}

/// What an argument makes when it is called with the arguments beside it: `add_middleware(Gate, key=KEY)`.
pub(crate) fn called_with(at: &Locator, args: &Args, place: (SourceFile, Place)) -> Vec<V> {
    let of = |callee: V| {
        if !matches!(callee.settled(), V::Class(..) | V::External(_)) {
            return callee;
        }
        let mut rest = args.to_vec();
        if let Some(at) = rest.iter().position(|(_, value)| *value == callee) {
            rest.remove(at);
        }
        V::Called(std::sync::Arc::new(Called {
            callee: callee.settled().clone(),
            args: rest,
            result: V::Unknown,
            place,
        }))
    };
    located(at, args).into_iter().map(of).collect()
}

fn spelled_path(path: &[Piece]) -> Ustr {
    let text: String = path
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) | Piece::Symbol(text) | Piece::Pattern(text) => text.as_str(),
        })
        .collect();
    ustr(&text)
}

/// The layers of a `ServiceBuilder`, outermost first; empty for anything else.
fn stack_of(value: &V) -> Vec<V> {
    let mut layers = Vec::new();
    let mut at = value.clone();
    while let V::Called(called) = &at {
        match &called.callee {
            V::External(name)
                if name.ends_with("ServiceBuilder.new") || name.contains("ServiceBuilder.new.") =>
            {
                if name.ends_with("layer")
                    && let Some((_, layer)) = called.args.first()
                {
                    layers.push(layer.clone());
                }
                layers.reverse();
                return layers;
            }
            V::Member(member) => {
                if member.1.as_str() == "layer"
                    && let Some((_, layer)) = called.args.first()
                {
                    layers.push(layer.clone());
                }
                at = member.0.clone();
            }
            _ => break,
        }
    }
    Vec::new()
}
