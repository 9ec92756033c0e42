//! Decorators: those that register what they are given, and those that stand in front of it.

use gatewatch_frameworks::Place;
use gatewatch_source::SourceFile;
use ustr::Ustr;

use super::machine::Machine;
use super::objects::{GuardUse, ObjectKind, Registration, RouteRegistration};
use super::value::{Given, V};

impl Machine<'_> {
    pub(crate) fn decorate(&mut self, decorator: V, target: V, place: (SourceFile, Place)) {
        match decorator.settled().clone() {
            V::Pending(index) => {
                let Some(pending) = self.pending.get(index as usize).cloned() else {
                    return;
                };
                let packs = self.packs;
                if let Some(ObjectKind::Pack(kind)) = self
                    .objects
                    .get(pending.object as usize)
                    .map(|object| object.kind)
                    && let Some(method) = packs.method(kind, pending.method)
                {
                    self.perform(
                        pending.object,
                        kind,
                        method,
                        pending.method,
                        &pending.args,
                        Some(&target),
                        pending.place,
                    );
                }
            }
            // A bare `@bp.before_request`.
            V::Member(member) => {
                if let V::Object(object) = member.0.settled()
                    && let Some(ObjectKind::Pack(kind)) =
                        self.objects.get(*object as usize).map(|object| object.kind)
                {
                    let packs = self.packs;
                    if let Some(method) = packs.method(kind, member.1) {
                        let object = *object;
                        self.perform(object, kind, method, member.1, &[], Some(&target), place);
                        return;
                    }
                }
                self.plain_decorator(decorator, &target, place);
            }
            // A decorator of the workspace may register what it is given.
            V::Func(func) => {
                self.plain_decorator(decorator, &target, place);
                self.call_function(func, &[(Given::Position, target)]);
            }
            _ => self.plain_decorator(decorator, &target, place),
        }
    }

    /// A route is registered on an object.
    pub(crate) fn register_route(&mut self, object: u32, route: RouteRegistration) {
        self.handlers.extend(definition(&route.handler));
        if let Some(at) = self.objects.get_mut(object as usize) {
            at.registered.push(Registration::Route(route));
        }
    }

    fn plain_decorator(&mut self, decorator: V, target: &V, place: (SourceFile, Place)) {
        // Not an effect: what is decorated inside a function that runs is known by its place alone.
        let Some(key) = definition(target) else {
            return;
        };
        // Above a registration that has happened already it changes only the name, not the route.
        let registered = self.handlers.contains(&key);
        for object in self.objects.iter_mut().filter(|_| registered) {
            for registration in &mut object.registered {
                if let Registration::Route(route) = registration
                    && definition(&route.handler) == Some(key)
                    && route.place.0 == place.0
                {
                    route.inert.push(GuardUse {
                        value: decorator.clone(),
                        via: "decorator",
                        only: None,
                        named: None,
                        place,
                    });
                }
            }
        }
        self.decorated
            .entry(key)
            .or_default()
            .push((decorator, place));
    }

    /// The decorators below the one that registers, outermost first.
    pub(crate) fn decorators_of(&self, target: &V) -> Vec<GuardUse> {
        let Some(key) = definition(target) else {
            return Vec::new();
        };
        self.decorated
            .get(&key)
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
            .collect()
    }
}

/// The function or class that a value is.
pub(crate) fn definition(value: &V) -> Option<(SourceFile, Ustr)> {
    match value {
        V::Func(func) => Some((func.file, func.id)),
        V::Class(file, id) => Some((*file, *id)),
        _ => None,
    }
}
