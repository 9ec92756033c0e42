//! From objects to entry points: walks the mount graph and decides which guards cover which route.

use std::sync::Arc;

use gatewatch_frameworks::{Covers, Does, KindId, PathStyle};
use gatewatch_source::{SourceFile, fitted};
use rustc_hash::{FxHashMap, FxHashSet};
use ustr::{Ustr, ustr};

use super::Part;
use super::callables::{guard_of, handler_of, is_injected};
use super::machine::Machine;
use super::objects::{GuardUse, ObjectKind, Registration, RouteRegistration};
use super::paths::{covers_path, rendered, takes_rest};
use super::value::{Piece, V};
use crate::entry::{EntryPoint, Guard, Handler, Linked, Registered, Site};

/// Routers inside routers deeper than this are not followed.
const MAX_MOUNTS: usize = 16;
/// Entry points after which the walk stops; a router that mounts itself through others grows without end.
const MAX_ENTRY_POINTS: usize = 50_000;

/// What was registered as a guard on the way to a route.
#[derive(Clone)]
struct Inherited {
    /// What runs.
    guards: Arc<[Arc<Guard>]>,
    via: &'static str,
    place: Site,
    /// Whether what it returns is given to the handler as a value.
    injected: bool,
    /// Absolute path that it is limited to.
    below: Vec<Piece>,
    param: Option<Ustr>,
    /// The router that it was registered on.
    router: u32,
}

impl Inherited {
    /// A guard of the router with this index, in front of all that is on it.
    fn of(machine: &mut Machine<'_>, guard: &GuardUse, router: u32, own: bool) -> Self {
        Self {
            guards: guard_of(machine, guard, own).into(),
            via: guard.via,
            place: guard.place,
            injected: is_injected(machine, guard),
            below: Vec::new(),
            param: None,
            router,
        }
    }

    /// The same, only for what stands below `prefix` and `path`.
    fn below(mut self, prefix: &[Piece], path: &[Piece]) -> Self {
        self.below = [prefix, path].concat();
        self
    }
}

#[derive(Clone, Default)]
struct Way {
    prefix: Vec<Piece>,
    /// The part of the prefix that is the route's own: verbs of one path are no router of their own.
    own: Vec<Piece>,
    guards: Vec<Inherited>,
    routers: Vec<u32>,
    mounts: Vec<Site>,
    uncertain: bool,
}

/// All entry points of what the machine has run.
pub(crate) fn entry_points(machine: &mut Machine<'_>) -> Part {
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
    let roots: Vec<u32> = (0..machine.objects.len() as u32)
        .filter(|index| !dead.contains(index) && !mounted.contains(index))
        .collect();
    let (serving, others): (Vec<u32>, Vec<u32>) = roots
        .into_iter()
        .partition(|&index| serves(machine, index, &served));
    let mut walk = Walk::default();
    for &index in &serving {
        walk.object(machine, index, &Way::default(), false);
    }
    let unmounted: Vec<u32> = others
        .into_iter()
        .filter(|&index| is_router(machine, index) && registers(machine, index))
        .collect();
    let with_unmounted = (!unmounted.is_empty()).then(|| {
        let mut walk = walk.clone();
        for &index in &unmounted {
            let way = Way {
                uncertain: true,
                ..Way::default()
            };
            walk.object(machine, index, &way, false);
        }
        walk.finish(machine, &dead)
    });
    Part {
        serves: !serving.is_empty(),
        unresolved,
        mounted: walk.finish(machine, &dead),
        with_unmounted,
    }
}

fn is_router(machine: &Machine<'_>, index: u32) -> bool {
    machine
        .objects
        .get(index as usize)
        .is_some_and(|object| matches!(object.kind, ObjectKind::Pack(_)))
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

#[derive(Clone, Default)]
struct Walk {
    linked: Linked,
    /// How many entry points a router's guard stands in front of.
    covered: FxHashMap<(u32, Site), u32>,
}

impl Walk {
    /// What was found, with the guards of all routers.
    fn finish(mut self, machine: &mut Machine<'_>, dead: &FxHashSet<u32>) -> Arc<Linked> {
        self.registered(machine, dead);
        self.linked.sort(machine.db);
        Arc::new(self.linked)
    }

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
        // The guards of routers that are mounted before something run for it too, if they pass on what they don't answer.
        let passed: Vec<Vec<Inherited>> = object
            .registered
            .iter()
            .map(|registration| match registration {
                Registration::Mount { path, child, .. } if covers == Covers::Later => {
                    let mut prefix = way.prefix.clone();
                    if !replaces_prefix {
                        prefix.extend(object.prefix.iter().cloned());
                    }
                    prefix.extend(path.iter().cloned());
                    passing(machine, *child, &prefix, 0)
                }
                _ => Vec::new(),
            })
            .collect();
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
        if isolated && !way.routers.is_empty() {
            here.guards.retain(|guard| guard.via == "middleware");
        }
        // What stands in front of the verbs of one path is that path's own.
        let of_path = performs(machine, index);
        for guard in &object.guards {
            here.guards
                .push(Inherited::of(machine, guard, index, of_path));
        }
        let registered: Vec<Option<Inherited>> = object
            .registered
            .iter()
            .map(|registration| {
                let Registration::Guard { path, param, guard } = registration else {
                    return None;
                };
                let mut found = Inherited::of(machine, guard, index, of_path);
                found.param = *param;
                Some(if path.is_empty() {
                    found
                } else {
                    found.below(&here.prefix, path)
                })
            })
            .collect();
        for (at, registration) in object.registered.iter().enumerate() {
            if !matches!(
                registration,
                Registration::Route(_)
                    | Registration::Mount { .. }
                    | Registration::Unresolved { .. }
            ) {
                continue;
            }
            let in_front: Vec<Inherited> = match covers {
                Covers::All => registered.iter().flatten().cloned().collect(),
                Covers::Later => registered
                    .iter()
                    .zip(&passed)
                    .enumerate()
                    // What is bound to a parameter of the path runs wherever it stands.
                    .filter(|(other, (it, _))| {
                        *other < at || it.as_ref().is_some_and(|it| it.param.is_some())
                    })
                    .flat_map(|(_, (it, passed))| it.iter().chain(passed))
                    .cloned()
                    .collect(),
                // The layer added last runs first.
                Covers::Earlier => registered
                    .iter()
                    .skip(at)
                    .rev()
                    .flatten()
                    .cloned()
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
                    plain,
                    place,
                } => {
                    let mut way = here.clone();
                    way.guards.extend(in_front);
                    if *plain {
                        way.guards.retain(|inherited| !inherited.injected);
                    }
                    if !(bare_root && is_root(path) && !way.prefix.is_empty()) {
                        way.prefix.extend(path.iter().cloned());
                    }
                    // Verbs of one path are no router of their own.
                    if performs(machine, *child) {
                        way.own.extend(path.iter().cloned());
                    } else {
                        way.mounts.push(*place);
                        way.own.clear();
                    }
                    for guard in guards {
                        way.guards.push(Inherited::of(machine, guard, index, false));
                    }
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
        let own_guards = guards_of(machine, &route.guards);
        let inert = guards_of(machine, &route.inert);
        let answers = answers(machine, route);
        for path in &route.paths {
            let mut whole = way.prefix.clone();
            if !(bare_root && is_root(path) && !whole.is_empty()) {
                whole.extend(path.iter().cloned());
            }
            let rendered_path = rendered(&whole, style);
            let own: Vec<Piece> = way.own.iter().chain(path).cloned().collect();
            let own_path = rendered(&own, style);
            let mut guards = Vec::new();
            for inherited in &way.guards {
                if !inherited.below.is_empty()
                    && !covers_path(&rendered(&inherited.below, style), &rendered_path)
                {
                    continue;
                }
                if route.plain && inherited.injected {
                    continue;
                }
                if let Some(param) = inherited.param
                    && !rendered_path.contains(&format!("{{{param}}}"))
                {
                    continue;
                }
                let conditional = self.conditional(machine, inherited.place, route, way);
                for guard in &*inherited.guards {
                    if guard.only.is_some_and(|only| only != route.kind) {
                        continue;
                    }
                    *self
                        .covered
                        .entry((inherited.router, inherited.place))
                        .or_default() += 1;
                    let mut guard = Arc::clone(guard);
                    if conditional {
                        Arc::make_mut(&mut guard).conditional = true;
                    }
                    guards.push(guard);
                }
            }
            self.both_sides(machine, &mut guards);
            guards.extend(own_guards.iter().cloned());
            let routers: Vec<Site> = way
                .routers
                .iter()
                .filter(|&&index| !performs(machine, index))
                .filter_map(|&index| machine.objects.get(index as usize))
                .map(|object| object.place)
                .collect();
            for (method, handler, more) in &answers {
                let mut guards = guards.clone();
                guards.extend(more.iter().cloned());
                let kind = if is_websocket(machine, handler) {
                    "ws"
                } else {
                    route.kind
                };
                let entry_point = EntryPoint {
                    kind,
                    method: if kind == "ws" { ustr("WS") } else { *method },
                    path: ustr(&rendered_path),
                    own_path: ustr(&own_path),
                    framework,
                    handler: handler.clone(),
                    site: route.place,
                    guards: fitted(guards),
                    inert: inert.clone(),
                    routers: routers.clone(),
                    mounts: way.mounts.clone(),
                    uncertain: way.uncertain,
                    takes_rest: takes_rest(&whole, style),
                    marks: Vec::new(),
                };
                self.linked.entry_points.push(Arc::new(entry_point));
            }
        }
    }

    /// Whether a guard is registered under a condition that the route isn't.
    fn conditional(
        &self,
        machine: &Machine<'_>,
        guard: Site,
        route: &RouteRegistration,
        way: &Way,
    ) -> bool {
        let Some(needed) = machine.conditions.get(&guard) else {
            return false;
        };
        let of = |place: &Site| machine.conditions.get(place).into_iter().flatten();
        let given: Vec<u32> = way
            .mounts
            .iter()
            .chain([&route.place])
            .flat_map(of)
            .copied()
            .collect();
        needed.iter().any(|branch| !given.contains(branch))
    }

    /// A guard that both sides of a condition register is there in any case.
    fn both_sides(&self, machine: &Machine<'_>, guards: &mut [Arc<Guard>]) {
        let of = |guard: &Guard| machine.conditions.get(&guard.site).cloned();
        for at in 0..guards.len() {
            let Some(one) = guards.get(at).filter(|guard| guard.conditional).cloned() else {
                continue;
            };
            let Some(sides) = of(&one) else { continue };
            let other_side = guards.iter().position(|other| {
                other.callable == one.callable
                    && of(other).is_some_and(|others| {
                        others.len() == sides.len()
                            && others.split_last().zip(sides.split_last()).is_some_and(
                                |((last, outer), (own, around))| {
                                    outer == around && *last == (own ^ 1)
                                },
                            )
                    })
            });
            let Some(other) = other_side else { continue };
            // Conditions further out may be unknown still.
            if sides.len() == 1 {
                for at in [at, other] {
                    if let Some(guard) = guards.get_mut(at) {
                        Arc::make_mut(guard).conditional = false;
                    }
                }
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

/// Guards of one route alone, as what runs.
fn guards_of(machine: &mut Machine<'_>, uses: &[GuardUse]) -> Vec<Arc<Guard>> {
    uses.iter()
        .flat_map(|guard| guard_of(machine, guard, true))
        .collect()
}

/// The guards of a mounted router that also stand in front of what is registered behind it, below its path.
fn passing(
    machine: &mut Machine<'_>,
    child: u32,
    prefix: &[Piece],
    depth: usize,
) -> Vec<Inherited> {
    let Some(object) = machine.objects.get(child as usize).cloned() else {
        return Vec::new();
    };
    let falls_through = match object.kind {
        ObjectKind::Pack(kind) => machine
            .packs
            .kind(kind)
            .is_some_and(|kind| kind.falls_through && !kind.performs),
        ObjectKind::Instance(..) => false,
    };
    if !falls_through || depth >= MAX_MOUNTS {
        return Vec::new();
    }
    let mut found = Vec::new();
    for registration in &object.registered {
        match registration {
            Registration::Guard {
                path,
                param: None,
                guard,
            } => {
                let of_router = Inherited::of(machine, guard, child, false);
                found.push(of_router.below(prefix, path));
            }
            Registration::Mount { path, child, .. } => {
                let mut prefix = prefix.to_vec();
                prefix.extend(path.iter().cloned());
                found.extend(passing(machine, *child, &prefix, depth + 1));
            }
            _ => {}
        }
    }
    found
}

/// Whether an object is no router, but the verbs of one path.
fn performs(machine: &Machine<'_>, index: u32) -> bool {
    let Some(ObjectKind::Pack(kind)) = machine
        .objects
        .get(index as usize)
        .map(|object| object.kind)
    else {
        return false;
    };
    // One whose constructor mounts is a router like others.
    let mounts = |constructor: &Ustr| {
        let name = constructor.rsplit('.').next().unwrap_or_default();
        machine
            .packs
            .method(kind, ustr(name))
            .is_some_and(|method| method.does == Does::Mount)
    };
    machine
        .packs
        .kind(kind)
        .is_some_and(|shape| shape.performs && !shape.new.iter().any(mounts))
}

/// Whether a path is `/` alone.
fn is_root(path: &[Piece]) -> bool {
    matches!(path, [Piece::Text(text)] if text.as_str() == "/")
}

/// Verb, handler and further guards of what a route runs: one for each verb that it answers.
fn answers(
    machine: &mut Machine<'_>,
    route: &RouteRegistration,
) -> Vec<(Ustr, Handler, Vec<Arc<Guard>>)> {
    let (handler, mut wrappers) = handler_of(machine, &route.handler, route.place);
    if let Handler::Function(file, id) = handler {
        // A name stands for what its decorators made of it. Those that stand around the registering one are known already.
        let known: Vec<Site> = route
            .guards
            .iter()
            .chain(&route.inert)
            .map(|guard| guard.place)
            .collect();
        let inside =
            matches!(&route.handler, V::Member(member) if member.1.as_str() == "__wrapped__");
        let own = method_decorators(machine, file, id)
            .into_iter()
            .skip(usize::from(inside));
        wrappers.extend(own.filter(|guard| !known.contains(&guard.site)));
    }
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
            let place = machine
                .read
                .class(file, id)
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
            Some((file, method)) => {
                wrappers.extend(method_decorators(machine, file, method));
                Handler::Function(file, method)
            }
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
fn method_decorators(machine: &mut Machine<'_>, file: SourceFile, method: Ustr) -> Vec<Arc<Guard>> {
    let uses: Vec<GuardUse> = machine
        .decorated
        .get(&(file, method))
        .into_iter()
        .flatten()
        .rev()
        .map(|(value, place)| GuardUse {
            value: value.clone(),
            via: "decorator",
            only: None,
            named: None,
            place: *place,
        })
        .collect();
    guards_of(machine, &uses)
}

/// Whether a handler takes a WebSocket upgrade.
fn is_websocket(machine: &mut Machine<'_>, handler: &Handler) -> bool {
    let Handler::Function(file, id) = handler else {
        return false;
    };
    let Some(signature) = machine.read.signature(*file, *id) else {
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
