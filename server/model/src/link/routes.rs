//! From objects to entry points: walks the mount graph and decides which guards cover which route.

use gatewatch_frameworks::{Covers, KindId, PathStyle, class_roles};
use gatewatch_source::SourceFile;
use rustc_hash::{FxHashMap, FxHashSet};
use ustr::{Ustr, ustr};

use super::machine::Machine;
use super::objects::{GuardUse, ObjectKind, Registration, RouteRegistration};
use super::paths::{covers_path, rendered};
use super::value::{Func, Given, Piece, V};
use crate::entry::{Callable, EntryPoint, Guard, Handler, Linked, Registered, Site};

/// Routers inside routers deeper than this are not followed.
const MAX_MOUNTS: usize = 16;
/// Entry points after which the walk stops; a router that mounts itself through others grows without end.
const MAX_ENTRY_POINTS: usize = 50_000;

/// A guard on the way to a route.
#[derive(Clone)]
struct Inherited {
    guard: GuardUse,
    /// Absolute path that it is limited to.
    below: Vec<Piece>,
    param: Option<Ustr>,
    own: bool,
    /// The router that it was registered on.
    router: Option<u32>,
}

#[derive(Clone, Default)]
struct Way {
    prefix: Vec<Piece>,
    guards: Vec<Inherited>,
    routers: Vec<u32>,
    mounts: Vec<Site>,
    uncertain: bool,
}

/// All entry points of what the machine has run.
pub(crate) fn entry_points(machine: &mut Machine<'_>) -> Linked {
    let dead = dead_objects(machine);
    let served = served_kinds(machine);
    let mut mounted: FxHashSet<u32> = FxHashSet::default();
    let mut unresolved = false;
    for (index, object) in machine.objects.iter().enumerate() {
        if dead.contains(&(index as u32)) {
            continue;
        }
        for registration in &object.registered {
            match registration {
                Registration::Mount { child, .. } => {
                    mounted.insert(*child);
                }
                Registration::Unresolved { .. } => unresolved = true,
                _ => {}
            }
        }
    }
    let mut walk = Walk {
        linked: Linked::default(),
        covered: FxHashMap::default(),
    };
    let roots: Vec<u32> = (0..machine.objects.len() as u32)
        .filter(|index| !dead.contains(index))
        .collect();
    let serving: Vec<u32> = roots
        .iter()
        .copied()
        .filter(|&index| serves(machine, index, &served) && !mounted.contains(&index))
        .collect();
    for &index in &serving {
        walk.object(machine, index, &Way::default(), false);
    }
    // Routers that nothing mounts are dead, unless something was mounted that couldn't be resolved, or there
    // is no application here at all.
    let no_application = serving.is_empty();
    if unresolved || no_application {
        for &index in &roots {
            let is_router = machine
                .objects
                .get(index as usize)
                .is_some_and(|object| matches!(object.kind, ObjectKind::Pack(_)));
            if is_router
                && !serves(machine, index, &served)
                && !mounted.contains(&index)
                && registers(machine, index)
            {
                let way = Way {
                    uncertain: true,
                    ..Way::default()
                };
                walk.object(machine, index, &way, false);
            }
        }
    }
    walk.registered(machine, &dead);
    let mut linked = walk.linked;
    linked.entry_points.sort_by(|a, b| {
        let key = |entry: &EntryPoint| {
            (
                entry.path.as_str().to_owned(),
                entry.method.as_str().to_owned(),
                entry.site.0.path(machine.db).clone(),
                entry.site.1,
            )
        };
        key(a).cmp(&key(b))
    });
    linked.entry_points.dedup();
    linked
}

fn registers(machine: &Machine<'_>, index: u32) -> bool {
    machine.objects.get(index as usize).is_some_and(|object| {
        object.registered.iter().any(|registration| {
            matches!(
                registration,
                Registration::Route(_) | Registration::Mount { .. }
            )
        })
    })
}

/// The kinds of object of which some were seen to be served: others of the kind are not.
fn served_kinds(machine: &Machine<'_>) -> FxHashSet<KindId> {
    if machine.served_unknown {
        return FxHashSet::default();
    }
    machine
        .objects
        .iter()
        .filter(|object| object.served)
        .filter_map(|object| match object.kind {
            ObjectKind::Pack(kind) => Some(kind),
            ObjectKind::Instance(..) => None,
        })
        .collect()
}

fn serves(machine: &Machine<'_>, index: u32, served: &FxHashSet<KindId>) -> bool {
    let Some(object) = machine.objects.get(index as usize) else {
        return false;
    };
    match object.kind {
        ObjectKind::Pack(kind) => {
            machine.packs.kind(kind).is_some_and(|kind| kind.serves)
                && (object.served || !served.contains(&kind))
        }
        ObjectKind::Instance(..) => false,
    }
}

/// Objects made by a function that was started, although something else that runs calls it.
fn dead_objects(machine: &Machine<'_>) -> FxHashSet<u32> {
    let mut dead = FxHashSet::default();
    for (index, object) in machine.objects.iter().enumerate() {
        if let Some(start) = object.start
            && machine.superseded.contains(&start)
        {
            dead.insert(index as u32);
        }
    }
    dead
}

struct Walk {
    linked: Linked,
    /// How many entry points a router's guard stands in front of.
    covered: FxHashMap<(u32, Site), u32>,
}

impl Walk {
    fn object(&mut self, machine: &mut Machine<'_>, index: u32, way: &Way, replaces_prefix: bool) {
        if way.routers.len() >= MAX_MOUNTS
            || way.routers.contains(&index)
            || self.linked.entry_points.len() >= MAX_ENTRY_POINTS
        {
            return;
        }
        let Some(object) = machine.objects.get(index as usize).cloned() else {
            return;
        };
        let ObjectKind::Pack(kind) = object.kind else {
            return;
        };
        let (covers, isolated, bare_root) = machine
            .packs
            .kind(kind)
            .map_or((Covers::All, false, false), |kind| {
                (kind.covers, kind.isolated, kind.bare_root)
            });
        let style = machine
            .packs
            .pack_of(kind)
            .map_or(PathStyle::Braces, |pack| pack.path_style);
        let framework = machine
            .packs
            .pack_of(kind)
            .map_or_else(|| ustr(""), |pack| pack.name);
        let mut here = way.clone();
        here.routers.push(index);
        if !replaces_prefix {
            here.prefix.extend(object.prefix.iter().cloned());
        }
        if isolated && way.routers.len() > 0 {
            here.guards.retain(|guard| guard.guard.via == "middleware");
        }
        here.guards
            .extend(object.guards.iter().map(|guard| Inherited {
                guard: guard.clone(),
                below: Vec::new(),
                param: None,
                own: false,
                router: Some(index),
            }));
        let registered_guard = |registration: &Registration, prefix: &[Piece]| match registration {
            Registration::Guard { path, param, guard } => {
                let mut below = Vec::new();
                if !path.is_empty() {
                    below = prefix.to_vec();
                    below.extend(path.iter().cloned());
                }
                Some(Inherited {
                    guard: guard.clone(),
                    below,
                    param: *param,
                    own: false,
                    router: Some(index),
                })
            }
            _ => None,
        };
        for (at, registration) in object.registered.iter().enumerate() {
            let in_front: Vec<Inherited> = match covers {
                Covers::All => object
                    .registered
                    .iter()
                    .filter_map(|other| registered_guard(other, &here.prefix))
                    .collect(),
                Covers::Later => object
                    .registered
                    .iter()
                    .take(at)
                    .filter_map(|other| registered_guard(other, &here.prefix))
                    .collect(),
                // The layer added last runs first.
                Covers::Earlier => object
                    .registered
                    .iter()
                    .enumerate()
                    .rev()
                    .take_while(|(other, _)| *other >= at)
                    .map(|(_, other)| other)
                    .filter_map(|other| registered_guard(other, &here.prefix))
                    .collect(),
            };
            match registration {
                Registration::Route(route) => {
                    let mut way = here.clone();
                    way.guards.extend(in_front);
                    self.route(machine, route, &way, (style, bare_root), framework);
                }
                Registration::Mount {
                    path,
                    child,
                    guards,
                    replaces_prefix,
                    place,
                } => {
                    let mut way = here.clone();
                    way.guards.extend(in_front);
                    if !(bare_root && is_root(path) && !way.prefix.is_empty()) {
                        way.prefix.extend(path.iter().cloned());
                    }
                    way.mounts.push(*place);
                    way.guards.extend(guards.iter().map(|guard| Inherited {
                        guard: guard.clone(),
                        below: Vec::new(),
                        param: None,
                        own: false,
                        router: Some(index),
                    }));
                    self.object(machine, *child, &way, *replaces_prefix);
                }
                Registration::Unresolved { place } => {
                    let why = "what is mounted here could not be resolved".to_owned();
                    if !self.linked.unknown.iter().any(|(site, _)| site == place) {
                        self.linked.unknown.push((*place, why));
                    }
                }
                Registration::Guard { .. } | Registration::Nothing => {}
            }
        }
    }

    fn route(
        &mut self,
        machine: &mut Machine<'_>,
        route: &RouteRegistration,
        way: &Way,
        (style, bare_root): (PathStyle, bool),
        framework: Ustr,
    ) {
        for path in &route.paths {
            let mut whole = way.prefix.clone();
            if !(bare_root && is_root(path) && !whole.is_empty()) {
                whole.extend(path.iter().cloned());
            }
            let rendered_path = rendered(&whole, style);
            let mut guards = Vec::new();
            for inherited in &way.guards {
                if !inherited.below.is_empty()
                    && !covers_path(&rendered(&inherited.below, style), &rendered_path)
                {
                    continue;
                }
                if let Some(param) = inherited.param
                    && !rendered_path.contains(&format!("{{{param}}}"))
                {
                    continue;
                }
                if let Some(router) = inherited.router {
                    *self
                        .covered
                        .entry((router, inherited.guard.place))
                        .or_default() += 1;
                }
                guards.extend(guard_of(machine, &inherited.guard, inherited.own));
            }
            for guard in &route.guards {
                guards.extend(guard_of(machine, guard, true));
            }
            let inert = route
                .inert
                .iter()
                .flat_map(|guard| guard_of(machine, guard, true))
                .collect::<Vec<_>>();
            let routers: Vec<Site> = way
                .routers
                .iter()
                .filter_map(|&index| machine.objects.get(index as usize))
                .map(|object| object.place)
                .collect();
            for (method, handler, more) in answers(machine, route) {
                let mut guards = guards.clone();
                guards.extend(more);
                let kind = if is_websocket(machine, &handler) {
                    "ws"
                } else {
                    route.kind
                };
                self.linked.entry_points.push(EntryPoint {
                    kind,
                    method: if kind == "ws" { ustr("WS") } else { method },
                    path: ustr(&rendered_path),
                    framework,
                    handler,
                    site: route.place,
                    guards,
                    inert: inert.clone(),
                    routers: routers.clone(),
                    mounts: way.mounts.clone(),
                    uncertain: way.uncertain,
                });
            }
        }
    }

    /// Every guard of a router with the number of entry points behind it.
    fn registered(&mut self, machine: &mut Machine<'_>, dead: &FxHashSet<u32>) {
        for index in 0..machine.objects.len() as u32 {
            if dead.contains(&index) {
                continue;
            }
            let Some(object) = machine.objects.get(index as usize).cloned() else {
                continue;
            };
            let of_object =
                object
                    .guards
                    .iter()
                    .chain(object.registered.iter().filter_map(
                        |registration| match registration {
                            Registration::Guard { guard, .. } => Some(guard),
                            _ => None,
                        },
                    ));
            for guard in of_object {
                let covers = self
                    .covered
                    .get(&(index, guard.place))
                    .copied()
                    .unwrap_or(0);
                for guard in guard_of(machine, guard, false) {
                    self.linked.registered.push(Registered {
                        guard,
                        router: object.place,
                        covers,
                    });
                }
            }
        }
    }
}

/// Whether a path is `/` alone.
fn is_root(path: &[Piece]) -> bool {
    matches!(path, [Piece::Text(text)] if text.as_str() == "/")
}

/// Verb, handler and further guards of what a route runs: one for each verb that it answers.
fn answers(
    machine: &mut Machine<'_>,
    route: &RouteRegistration,
) -> Vec<(Ustr, Handler, Vec<Guard>)> {
    let (handler, mut wrappers) = handler_of(machine, &route.handler, route.place);
    let Handler::Class(file, id) = handler else {
        let verbs = if route.verbs.is_empty() {
            vec![ustr("ANY")]
        } else {
            route.verbs.clone()
        };
        return verbs
            .into_iter()
            .map(|verb| (verb, handler.clone(), wrappers.clone()))
            .collect();
    };
    // A class: its methods answer the verbs of their names.
    let bases = machine.external_bases(file, id);
    let packs = machine.packs;
    let Some(shape) = bases.iter().find_map(|base| packs.class(*base)) else {
        let verbs = if route.verbs.is_empty() {
            vec![ustr("ANY")]
        } else {
            route.verbs.clone()
        };
        return verbs
            .into_iter()
            .map(|verb| (verb, handler.clone(), wrappers.clone()))
            .collect();
    };
    for attribute in &shape.guards {
        if let Some(value) = machine.class_attribute(file, id, *attribute)
            && !matches!(value, V::Dict(_))
        {
            let place = class_roles(machine.db, file, id)
                .and_then(|class| class.place)
                .map(|place| (file, place));
            let place = place.unwrap_or(route.place);
            let uses = machine.guards(vec![value], "class", place);
            // The list is applied from the front, so its last entry is outermost.
            for guard in uses.iter().rev() {
                wrappers.extend(guard_of(machine, guard, false));
            }
        }
    }
    let mut found = Vec::new();
    for verb in &shape.verbs {
        let upper = ustr(&verb.to_uppercase());
        if !route.verbs.is_empty() && !route.verbs.contains(&upper) && route.verbs != [ustr("GET")]
        {
            continue;
        }
        if let Some((method_file, method)) = machine.find_method(file, id, *verb) {
            let mut guards = wrappers.clone();
            for attribute in &shape.guards {
                if let Some(V::Dict(entries)) = machine.class_attribute(file, id, *attribute) {
                    let values: Vec<V> = entries
                        .iter()
                        .filter(|(key, _)| key.as_text().as_deref() == Some(verb.as_str()))
                        .map(|(_, value)| value.clone())
                        .collect();
                    for guard in machine.guards(values, "class", route.place) {
                        guards.extend(guard_of(machine, &guard, true));
                    }
                }
            }
            guards.extend(method_decorators(machine, method_file, method));
            found.push((upper, Handler::Function(method_file, method), guards));
        }
    }
    if found.is_empty() && !shape.dispatch.is_empty() {
        let mut verbs = Vec::new();
        if let Some(attribute) = shape.verbs_attribute
            && let Some(V::List(items)) = machine.class_attribute(file, id, attribute)
        {
            verbs = items
                .iter()
                .filter_map(V::as_text)
                .map(|verb| ustr(&verb.to_uppercase()))
                .collect();
        }
        if verbs.is_empty() {
            verbs = if route.verbs.is_empty() {
                vec![ustr("GET")]
            } else {
                route.verbs.clone()
            };
        }
        let method = shape
            .dispatch
            .iter()
            .find_map(|name| machine.find_method(file, id, *name));
        let handler = match method {
            Some((file, method)) => Handler::Function(file, method),
            None => Handler::Class(file, id),
        };
        found.extend(
            verbs
                .into_iter()
                .map(|verb| (verb, handler.clone(), wrappers.clone())),
        );
    }
    found
}

/// The decorators of a method, outermost first.
fn method_decorators(machine: &mut Machine<'_>, file: SourceFile, method: Ustr) -> Vec<Guard> {
    let uses: Vec<GuardUse> = machine
        .decorated
        .get(&(file, method))
        .into_iter()
        .flatten()
        .rev()
        .map(|(value, place)| GuardUse {
            value: value.clone(),
            via: "decorator",
            place: *place,
        })
        .collect();
    uses.iter()
        .flat_map(|guard| guard_of(machine, guard, true))
        .collect()
}

/// What a route runs, and the wrappers around it.
fn handler_of(machine: &mut Machine<'_>, value: &V, place: Site) -> (Handler, Vec<Guard>) {
    let mut wrappers = Vec::new();
    let mut at = value.clone();
    for _ in 0..8 {
        match at.clone() {
            V::Func(func) => return (Handler::Function(func.file, func.id), wrappers),
            V::Class(file, id) => return (Handler::Class(file, id), wrappers),
            V::Object(object) => match machine
                .objects
                .get(object as usize)
                .map(|object| object.kind)
            {
                Some(ObjectKind::Instance(file, id)) => {
                    let handler = match machine.find_method(file, id, ustr("__call__")) {
                        Some((file, method)) => Handler::Function(file, method),
                        None => Handler::Class(file, id),
                    };
                    return (handler, wrappers);
                }
                _ => return (Handler::Unknown(ustr("router")), wrappers),
            },
            V::Called(called) => {
                // `View.as_view("name")`
                if let V::Member(member) = &called.callee
                    && member.1.as_str() == "as_view"
                {
                    at = member.0.clone();
                    continue;
                }
                // A wrapper around a handler: `asyncHandler(fn)`, `with_auth(view)`.
                let inner = called.args.iter().rev().map(|(_, arg)| arg).find(|arg| {
                    matches!(arg.settled(), V::Func(_))
                        || matches!(arg, V::Called(inner) if matches!(inner.callee, V::Member(_)))
                });
                match inner {
                    Some(inner) => {
                        let wrapper = GuardUse {
                            value: called.callee.clone(),
                            via: "wrapper",
                            place,
                        };
                        wrappers.extend(guard_of(machine, &wrapper, true));
                        at = inner.clone();
                    }
                    None => match &called.result {
                        V::Unknown => return (Handler::Unknown(called.callee.spelled()), wrappers),
                        result => at = result.clone(),
                    },
                }
            }
            V::List(items) => match items.last() {
                Some(last) => {
                    for guard in items.iter().rev().skip(1).rev() {
                        let guard = GuardUse {
                            value: guard.clone(),
                            via: "route",
                            place,
                        };
                        wrappers.extend(guard_of(machine, &guard, true));
                    }
                    at = last.clone();
                }
                None => break,
            },
            V::Either(values) => match values
                .iter()
                .find(|value| matches!(value.settled(), V::Func(_) | V::Class(..)))
            {
                Some(value) => at = value.clone(),
                None => break,
            },
            V::External(name) => return (Handler::Unknown(name), wrappers),
            other => return (Handler::Unknown(other.spelled()), wrappers),
        }
    }
    (Handler::Unknown(at.spelled()), wrappers)
}

/// Whether a handler takes a WebSocket upgrade.
fn is_websocket(machine: &mut Machine<'_>, handler: &Handler) -> bool {
    let Handler::Function(file, id) = handler else {
        return false;
    };
    let Some(signature) = gatewatch_frameworks::signature(machine.db, *file, *id) else {
        return false;
    };
    signature.params.iter().any(|param| {
        let named = |value: &gatewatch_frameworks::Value| match value {
            gatewatch_frameworks::Value::Import(import) => import
                .name
                .is_some_and(|name| name.as_str() == "WebSocketUpgrade"),
            gatewatch_frameworks::Value::Field(field) => field.1.as_str() == "WebSocketUpgrade",
            gatewatch_frameworks::Value::Name(name) => name.as_str() == "WebSocketUpgrade",
            _ => false,
        };
        named(&param.ty)
    })
}

/// A registered guard as what runs. Wrappers (`from_fn(f)`, `Middleware(cls)`, `Depends(f)`) stand for
/// what is inside.
pub(crate) fn guard_of(machine: &mut Machine<'_>, guard: &GuardUse, own: bool) -> Vec<Guard> {
    callables(machine, &guard.value, 0)
        .into_iter()
        .map(|callable| Guard {
            callable,
            via: guard.via,
            site: guard.place,
            own,
        })
        .collect()
}

pub(crate) fn callables(machine: &mut Machine<'_>, value: &V, depth: u32) -> Vec<Callable> {
    if depth > 8 {
        return vec![Callable::Unknown(value.spelled())];
    }
    match value {
        V::Null => Vec::new(),
        V::Func(func) => vec![Callable::Function(func.file, func.id)],
        V::Class(file, id) => vec![Callable::Class(*file, *id, Vec::new())],
        V::External(name) => vec![Callable::External(*name, Vec::new())],
        V::Object(object) => match machine
            .objects
            .get(*object as usize)
            .map(|object| object.kind)
        {
            Some(ObjectKind::Instance(file, id)) => vec![Callable::Class(file, id, Vec::new())],
            _ => Vec::new(),
        },
        V::List(items) => items
            .iter()
            .flat_map(|item| callables(machine, item, depth + 1))
            .collect(),
        V::Either(values) => match values
            .iter()
            .find(|value| matches!(value, V::Func(_) | V::Class(..)))
        {
            Some(value) => callables(machine, &value.clone(), depth + 1),
            None => vec![Callable::Unknown(value.spelled())],
        },
        V::Called(called) => {
            if let V::External(name) = &called.callee {
                let packs = machine.packs;
                if let Some(injection) = packs.injection(*name) {
                    let inner = super::shapes::located(&injection.at, &called.args);
                    return inner
                        .iter()
                        .flat_map(|value| callables(machine, value, depth + 1))
                        .collect();
                }
                if let Some(wrapper) = packs.wrapper(*name) {
                    let inner = super::shapes::located(&wrapper.inner, &called.args);
                    if !inner.is_empty() {
                        return inner
                            .iter()
                            .flat_map(|value| callables(machine, value, depth + 1))
                            .collect();
                    }
                }
                return vec![Callable::External(*name, spelled_args(&called.args))];
            }
            let args: Vec<Ustr> = spelled_args(&called.args)
                .into_iter()
                .map(|(_, arg)| arg)
                .collect();
            match (&called.callee, called.result.settled()) {
                (V::Func(maker), V::Func(inner)) => vec![Callable::Made {
                    maker: (maker.file, maker.id),
                    inner: Some((inner.file, inner.id)),
                    args,
                }],
                (V::Func(_), V::Called(_) | V::External(_)) => {
                    callables(machine, &called.result, depth + 1)
                }
                (V::Func(maker), V::Object(object)) => {
                    match machine
                        .objects
                        .get(*object as usize)
                        .map(|object| object.kind)
                    {
                        Some(ObjectKind::Instance(file, id)) => {
                            vec![Callable::Class(file, id, args)]
                        }
                        _ => vec![Callable::Made {
                            maker: (maker.file, maker.id),
                            inner: None,
                            args,
                        }],
                    }
                }
                (V::Func(maker), _) => {
                    vec![Callable::Made {
                        maker: (maker.file, maker.id),
                        inner: None,
                        args,
                    }]
                }
                (V::Class(file, id), _) => vec![Callable::Class(*file, *id, args)],
                // `auth.login_required(role="admin")` of an object that a library made.
                (V::Member(member), _) => match callables(machine, &member.0, depth + 1).as_slice()
                {
                    [Callable::External(name, _)] => {
                        vec![Callable::External(
                            ustr(&format!("{name}.{}", member.1)),
                            spelled_args(&called.args),
                        )]
                    }
                    _ => vec![Callable::Unknown(ustr(&format!(
                        "{}.{}",
                        member.0.spelled(),
                        member.1
                    )))],
                },
                _ => vec![Callable::Unknown(value.spelled())],
            }
        }
        V::Member(member) => match callables(machine, &member.0.clone(), depth + 1).as_slice() {
            [Callable::External(name, args)] => {
                vec![Callable::External(
                    ustr(&format!("{name}.{}", member.1)),
                    args.clone(),
                )]
            }
            _ => vec![Callable::Unknown(value.spelled())],
        },
        _ => vec![Callable::Unknown(value.spelled())],
    }
}

/// Arguments as short texts: what a person would compare.
fn spelled_args(args: &[(Given, V)]) -> Vec<(Option<Ustr>, Ustr)> {
    fn short(value: &V, depth: u32) -> String {
        match value {
            V::Text(_) => value
                .as_text()
                .unwrap_or_else(|| value.spelled().to_string()),
            V::Bool(value) => value.to_string(),
            V::Null => "null".to_owned(),
            V::List(items) if depth < 3 => items
                .iter()
                .map(|item| short(item, depth + 1))
                .collect::<Vec<_>>()
                .join(","),
            V::Dict(entries) if depth < 3 => entries
                .iter()
                .map(|(key, value)| {
                    format!("{}:{}", short(key, depth + 1), short(value, depth + 1))
                })
                .collect::<Vec<_>>()
                .join(","),
            V::Func(Func { id, .. }) => id.to_string(),
            other => other.spelled().to_string(),
        }
    }
    args.iter()
        .map(|(given, value)| {
            let name = match given {
                Given::Name(name) => Some(*name),
                _ => None,
            };
            (name, ustr(&short(value, 0)))
        })
        .collect()
}
