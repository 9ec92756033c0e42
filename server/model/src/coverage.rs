//! Coverage: which controls each entry point has, and who can call it.

mod library;

use std::sync::Arc;

use gatewatch_frameworks::packs;
use gatewatch_source::{Db, FileSet, SourceFile, fitted};
use gatewatch_syntax::facts::Language;
use ustr::{Ustr, ustr};

use crate::components::{Component, components};
use crate::control::{Auth, Control, Coverage, Effect, Model, Opened, Order, Strength};
use crate::effects::{Check, Effects, Exemption, Need, Reach, Use, effects_of};
use crate::entry::{Callable, EntryPoint, Guard, Handler, Site};
use crate::injected::{Dependency, attribute_dependencies, class_dependencies, dependencies};
use crate::link::{counts_unmounted, linked_part};
use crate::names::method;
use crate::places::{class_site, function_site};
use crate::words::words;

/// How deep dependencies of dependencies are followed.
const MAX_DEPTH: u32 = 12;

/// The model of a tree.
///
/// Reads the link and the effects of guards and handlers; an edit that changes neither leaves it as it
/// is.
#[salsa::tracked(returns(clone))]
pub fn model(db: &dyn Db, tree: FileSet) -> Arc<Model> {
    let mut model = Model::default();
    let unmounted = counts_unmounted(db, tree);
    for files in components(db, tree).iter() {
        let part = model_part(db, tree, Arc::clone(files), unmounted);
        model.entry_points.extend(part.entry_points.iter().cloned());
        model.unknown.extend(part.unknown.iter().cloned());
    }
    model.sort(db);
    Arc::new(model)
}

/// The part of the model that one component makes, with or without the routers that nothing mounts.
#[salsa::tracked(returns(clone))]
fn model_part(db: &dyn Db, tree: FileSet, files: Component, unmounted: bool) -> Arc<Model> {
    let linked = linked_part(db, tree, &files, unmounted);
    let entry_points = linked
        .entry_points
        .iter()
        .map(|entry| {
            db.unwind_if_revision_cancelled();
            coverage_of(db, tree, Arc::clone(entry))
        })
        .collect();
    Arc::new(Model {
        entry_points,
        unknown: linked.unknown.clone(),
    })
}

/// One entry point of the model. A query of its own: after an edit, the entry points that have nothing to do with
/// the files that are open need not be looked at.
#[salsa::tracked(returns(clone))]
fn coverage_of(db: &dyn Db, tree: FileSet, entry: Arc<EntryPoint>) -> Arc<Coverage> {
    Arc::new(coverage(db, tree, &entry))
}

fn coverage(db: &dyn Db, tree: FileSet, entry: &Arc<EntryPoint>) -> Coverage {
    let marked = marked(db, tree, entry);
    let mut cover = Cover {
        db,
        tree,
        entry: marked.as_ref().unwrap_or(entry),
        controls: Vec::new(),
        asked: Vec::new(),
        absent: Vec::new(),
        opened: None,
    };
    for guard in &entry.guards {
        cover.guard(guard, &[], 0);
    }
    let mut writes = matches!(entry.method.as_str(), "POST" | "PUT" | "PATCH" | "DELETE");
    match &entry.handler {
        Handler::Function(file, id) => {
            if let Some((class, _)) = id.rsplit_once('.') {
                for (file, dependency) in attribute_dependencies(db, tree, *file, ustr(class)) {
                    cover.dependency(&dependency, file, None, 0);
                }
            }
            for dependency in dependencies(db, tree, *file, *id) {
                cover.dependency(&dependency, *file, None, 0);
            }
            let inside = effects_of(db, tree, *file, *id, Use::Handler);
            writes |= inside.writes;
            cover.inline(&inside, *id);
        }
        Handler::Class(..) | Handler::Unknown(_) => {}
    }
    let mut controls = cover.controls;
    let opened = cover.opened;
    let asked = cover.asked;
    derive_authentication(&mut controls);
    let strongest = controls
        .iter()
        .filter(|control| control.effect == Effect::Authentication)
        .map(|control| control.strength)
        .max();
    let handler_unknown = matches!(entry.handler, Handler::Unknown(_));
    let (auth, why_unknown) = match strongest {
        Some(Strength::Enforcing) => (Auth::Authenticated, None),
        Some(Strength::Unknown) => {
            let names: Vec<&str> = controls
                .iter()
                .filter(|control| {
                    control.effect == Effect::Authentication
                        && control.strength == Strength::Unknown
                })
                .map(|control| control.name.as_str())
                .collect();
            (
                Auth::Unknown,
                Some(format!("`{}` can't be followed", names.join("`, `"))),
            )
        }
        _ if entry.uncertain => (
            Auth::Unknown,
            Some("its router is mounted in a way that could not be resolved".to_owned()),
        ),
        _ if handler_unknown && opened.is_none() => (
            Auth::Unknown,
            Some("its handler could not be resolved".to_owned()),
        ),
        Some(Strength::Optional) => (Auth::Optional, None),
        Some(Strength::Advisory) | None => (Auth::Public, None),
    };
    Coverage {
        entry_point: Arc::clone(entry),
        controls: fitted(controls),
        asked: fitted(asked),
        auth,
        opened,
        why_unknown,
        writes,
    }
}

/// The entry point with what is written on its handler, if a guard asks for that.
fn marked(db: &dyn Db, tree: FileSet, entry: &EntryPoint) -> Option<EntryPoint> {
    let asks = |guard: &Arc<Guard>| {
        let Callable::Function(file, id) = guard.callable else {
            return false;
        };
        let found = effects_of(db, tree, file, id, usage(guard));
        let checks = found.checks.iter().filter_map(|check| check.when.as_ref());
        let exempt = found.exempt.iter().map(|exemption| &exemption.reach);
        checks.chain(exempt).any(Reach::asks_marks)
    };
    entry.guards.iter().any(asks).then(|| EntryPoint {
        marks: crate::marks::marks_of(db, tree, entry),
        ..entry.clone()
    })
}

/// A check of a role that finds out for itself who calls is the entry point's authentication too: without an
/// identity it denies.
fn derive_authentication(controls: &mut Vec<Control>) {
    if controls.iter().any(|control| {
        control.effect == Effect::Authentication && control.strength == Strength::Enforcing
    }) {
        return;
    }
    let Some(at) = controls.iter().position(|control| {
        control.effect == Effect::Authorization && control.strength == Strength::Enforcing
    }) else {
        return;
    };
    let Some(found) = controls.get(at) else {
        return;
    };
    let derived = Control {
        effect: Effect::Authentication,
        demands: Vec::new(),
        every: false,
        ..found.clone()
    };
    controls.insert(at, derived);
}

struct Cover<'a> {
    db: &'a dyn Db,
    tree: FileSet,
    entry: &'a EntryPoint,
    controls: Vec<Control>,
    /// Guards that have been asked already.
    asked: Vec<Arc<Guard>>,
    /// What makes parameters that may be absent.
    absent: Vec<Callable>,
    /// A guard names this entry point as open.
    opened: Option<Opened>,
}

impl Cover<'_> {
    fn dependency(
        &mut self,
        dependency: &Dependency,
        file: SourceFile,
        of: Option<&Guard>,
        depth: u32,
    ) {
        let guard = Arc::new(Guard {
            callable: dependency.callable.clone(),
            via: dependency.via,
            // What a guard depends on comes and goes with the guard's registration.
            site: of.map_or((file, dependency.place), |guard| guard.site),
            own: of.is_none_or(|guard| guard.own),
            conditional: of.is_some_and(|guard| guard.conditional),
            named: dependency.named,
            only: None,
            except: Vec::new(),
            within: None,
            injected: true,
            through: match of {
                Some(guard) => guard.through,
                None => dependency.through,
            },
        });
        // Every scope has to be held, while one role of several is enough: they are told apart by their spelling.
        let scopes: Vec<Ustr> = dependency
            .scopes
            .iter()
            .map(|scope| ustr(&format!("scope:{scope}")))
            .collect();
        let before = self.controls.len();
        // A parameter that may be absent doesn't speak for another one of the same type.
        if !dependency.optional && self.absent.contains(&guard.callable) {
            self.asked.retain(|asked| asked.callable != guard.callable);
        }
        if dependency.optional {
            self.absent.push(guard.callable.clone());
        }
        self.guard(&guard, &dependency.scopes, depth);
        let added = self.controls.get_mut(before..).unwrap_or_default();
        if dependency.optional {
            for control in added.iter_mut() {
                control.strength = control.strength.min(Strength::Optional);
            }
        } else if !dependency.scopes.is_empty()
            && let Some(own) = added
                .iter_mut()
                .find(|control| control.effect == Effect::Authorization)
        {
            // The guard asks for scopes by itself, and is told here for which.
            own.demands.extend(scopes.iter().copied());
            own.demands.sort_by(|a, b| a.as_str().cmp(b.as_str()));
            own.demands.dedup();
        } else if !dependency.scopes.is_empty()
            && let Some(first) = added
                .iter()
                .find(|control| control.effect == Effect::Authentication)
                .cloned()
            && !added
                .iter()
                .any(|control| control.effect == Effect::Authorization)
        {
            // `Security(guard, scopes=[…])`: the guard is told what to demand.
            let mut demands = scopes;
            demands.sort_by(|a, b| a.as_str().cmp(b.as_str()));
            self.controls.push(Control {
                effect: Effect::Authorization,
                demands,
                ..first
            });
        }
    }

    fn guard(&mut self, guard: &Arc<Guard>, scopes: &[Ustr], depth: u32) {
        if depth > MAX_DEPTH
            || self
                .asked
                .iter()
                .any(|asked| asked.callable == guard.callable)
                && scopes.is_empty()
        {
            return;
        }
        self.asked.push(Arc::clone(guard));
        match &guard.callable {
            Callable::Function(file, id) => self.function(guard, *file, *id, &[], depth),
            Callable::Made { maker, inner, args } => {
                let (file, id) = inner.unwrap_or(*maker);
                let mut found = effects_of(self.db, self.tree, file, id, usage(guard));
                if found.checks.is_empty() && inner.is_some() {
                    found = effects_of(self.db, self.tree, maker.0, maker.1, usage(guard));
                }
                // What it depends on runs first.
                for dependency in dependencies(self.db, self.tree, file, id) {
                    self.dependency(&dependency, file, Some(guard), depth + 1);
                }
                self.checks(
                    guard,
                    &found,
                    function_site(self.db, maker.0, maker.1),
                    args,
                );
            }
            Callable::Class(file, id, args) => self.class(guard, *file, *id, args, depth),
            Callable::External(name, args) => self.external(guard, *name, args),
            Callable::Unknown(name) => {
                if !self.is_attribute(guard) && (name.is_empty() || words().sounds_like_guard(name))
                {
                    self.push(
                        guard,
                        Effect::Authentication,
                        Strength::Unknown,
                        None,
                        (Vec::new(), false),
                        Order::Before,
                    );
                }
            }
        }
    }

    /// Whether a guard is one of Rust's attributes, whose names need no import: `#[deprecated]`, `#[cfg(…)]`. Only those
    /// that sound like guards may be some.
    fn is_attribute(&self, guard: &Guard) -> bool {
        guard.via == "decorator"
            && gatewatch_syntax::language(self.db, guard.site.0) == Some(Language::Rust)
            && !words().sounds_like_guard(&guard.name())
    }

    fn function(&mut self, guard: &Guard, file: SourceFile, id: Ustr, args: &[Ustr], depth: u32) {
        // What it depends on runs first.
        let before = self.controls.len();
        let own = dependencies(self.db, self.tree, file, id);
        for dependency in &own {
            self.dependency(dependency, file, Some(guard), depth + 1);
        }
        let found = effects_of(self.db, self.tree, file, id, usage(guard));
        let asked = |strength: Strength| {
            let authenticates = |check: &Check| check.effect == Effect::Authentication;
            found.checks.iter().any(|check| {
                check.strength == strength
                    && (strength > Strength::Optional || authenticates(check))
            })
        };
        // Who sends nothing has been refused before this function is called, and it knows of nothing else.
        let all_injected = || {
            gatewatch_frameworks::signature(self.db, file, id)
                .is_some_and(|signature| signature.params.len() == own.len())
        };
        let refused_before = found.passes_nobody
            && all_injected()
            && asked(Strength::Optional)
            && self.controls.iter().skip(before).any(|control| {
                control.effect == Effect::Authentication
                    && control.definition.is_none()
                    && control.strength == Strength::Unknown
                    && is_known_control(&control.full_name)
            });
        if refused_before || asked(Strength::Enforcing) {
            // What only takes out or looks up is what this function goes on to verify.
            let mut at = before;
            while at < self.controls.len() {
                let scheme = self.controls.get(at).is_some_and(|control| {
                    control.strength <= Strength::Unknown
                        && control.effect == Effect::Authentication
                        && matches!(control.via, "dependency" | "extractor")
                });
                if scheme {
                    self.controls.remove(at);
                } else {
                    at += 1;
                }
            }
        }
        let mut found = found;
        if refused_before {
            for check in &mut Arc::make_mut(&mut found).checks {
                if check.effect == Effect::Authentication {
                    check.strength = Strength::Enforcing;
                }
            }
        }
        self.checks(guard, &found, function_site(self.db, file, id), args);
        self.nobody_passes(guard, &found, function_site(self.db, file, id));
        if found.checks.is_empty()
            && found.reads_identity
            // What stands around one view alone finds out who calls for it; middleware does for whatever comes.
            && (found.returns_identity || found.populates && guard.via == "decorator")
            && self.controls.len() == before
        {
            self.push(
                guard,
                Effect::Authentication,
                Strength::Optional,
                function_site(self.db, file, id),
                (Vec::new(), false),
                Order::Before,
            );
        }
    }

    fn class(&mut self, guard: &Guard, file: SourceFile, id: Ustr, args: &[Ustr], depth: u32) {
        for dependency in class_dependencies(self.db, self.tree, file, id) {
            self.dependency(&dependency, file, Some(guard), depth + 1);
        }
        let site = class_site(self.db, file, id);
        for name in [
            "__call__",
            "dispatch",
            "process_request",
            "before_request",
            "use",
            "handle",
            "canActivate",
            "call",
            "from_request_parts",
            "from_request",
            "authorize",
            "validate",
            "__init__",
        ] {
            if let Some((file, method)) = method(self.db, self.tree, file, id, ustr(name)) {
                for dependency in dependencies(self.db, self.tree, file, method) {
                    self.dependency(&dependency, file, Some(guard), depth + 1);
                }
                let found = effects_of(self.db, self.tree, file, method, usage(guard));
                self.checks(guard, &found, site, args);
                self.nobody_passes(guard, &found, site);
                if !found.checks.is_empty() {
                    break;
                }
            }
        }
    }

    /// A guard that refuses whatever comes stands for another, or is being written.
    fn nobody_passes(&mut self, guard: &Guard, found: &Effects, definition: Option<Site>) {
        if found.always_denies && found.checks.is_empty() {
            self.push(
                guard,
                Effect::Authentication,
                Strength::Unknown,
                definition,
                (Vec::new(), false),
                Order::Before,
            );
        }
    }

    /// The checks of one guard: one control for each effect.
    fn checks(&mut self, guard: &Guard, found: &Effects, definition: Option<Site>, args: &[Ustr]) {
        if found.checks.is_empty() {
            return;
        }
        let mut exempt = found.exempt.clone();
        exempt.extend(self.left_out(guard));
        let open = self.exempted(guard, &exempt);
        if open == Some(true) {
            return;
        }
        for effect in [
            Effect::Authentication,
            Effect::Authorization,
            Effect::Ownership,
        ] {
            let checks: Vec<(&Check, Strength)> = found
                .checks
                .iter()
                .filter(|check| check.effect == effect)
                .filter_map(|check| Some((check, check.strength_for(self.entry)?)))
                .collect();
            let Some(strength) = checks.iter().map(|(_, strength)| *strength).max() else {
                if let Some(check) = found.checks.iter().find(|check| check.effect == effect) {
                    self.opened.get_or_insert(Opened {
                        guard: guard.name(),
                        site: check.site,
                        texts: Vec::new(),
                    });
                }
                continue;
            };
            let mut demands: Vec<Ustr> = checks
                .iter()
                .flat_map(|(check, _)| check.demands.iter().copied())
                .collect();
            if effect == Effect::Authorization {
                demands.extend(args.iter().flat_map(|arg| arg.split(',')).map(ustr));
            }
            demands.sort_by(|a, b| a.as_str().cmp(b.as_str()));
            demands.dedup();
            let strength = if open.is_none() {
                strength.min(Strength::Unknown)
            } else {
                strength
            };
            let every = checks.iter().any(|(check, _)| check.every);
            let needs: Vec<Need> = checks
                .iter()
                .filter_map(|(check, _)| check.need.clone())
                .collect();
            self.push(
                guard,
                effect,
                strength,
                definition,
                (demands, every),
                Order::Before,
            );
            // What was known of the guard already is asked as well.
            if let Some(control) = self.controls.iter_mut().rev().find(|control| {
                control.effect == effect
                    && control.registration == guard.site
                    && control.definition == definition
            }) && !needs.is_empty()
            {
                let mut all = Vec::from_iter(control.need.take());
                all.extend(needs);
                all.dedup();
                control.need = Some(Need::All(all));
            }
        }
    }

    /// The requests for which a guard doesn't run, because of what it was given to: `unless(isOpen, guard)`.
    fn left_out(&self, guard: &Guard) -> Vec<Exemption> {
        let Some((file, id)) = guard.within else {
            return Vec::new();
        };
        let around = effects_of(self.db, self.tree, file, id, Use::Guard);
        if around.goes_on && around.exempt.is_empty() {
            return vec![Exemption {
                site: guard.site,
                reach: Reach::Unknown,
            }];
        }
        around.exempt.clone()
    }

    /// Whether a guard lets this entry point pass by what it is; `None` when that can't be told.
    fn exempted(&mut self, guard: &Guard, exempt: &[Exemption]) -> Option<bool> {
        let mut unclear = false;
        for exemption in exempt {
            match exemption.reach.holds(Some(self.entry)) {
                Some(true) => {
                    if exemption.reach.names(self.entry) {
                        let named = exemption.reach.named(self.entry);
                        let (texts, list) = named.unwrap_or_default();
                        self.opened.get_or_insert(Opened {
                            guard: guard.name(),
                            site: list.unwrap_or(exemption.site),
                            texts,
                        });
                    }
                    return Some(true);
                }
                Some(false) => {}
                None => unclear = true,
            }
        }
        (!unclear).then_some(false)
    }

    /// The checks inside the handler.
    fn inline(&mut self, found: &Effects, id: Ustr) {
        for check in &found.checks {
            let Some(strength) = check.strength_for(self.entry) else {
                continue;
            };
            let last = |id: Ustr| id.rsplit('.').next().map_or(id, ustr);
            let (name, definition, via) = match (check.by, &check.library) {
                (Some((file, id)), _) => (last(id), function_site(self.db, file, id), "inline"),
                (None, Some(library)) => (last(library.name), None, "inline"),
                (None, None) => (ustr("inline"), Some(check.site), "inline"),
            };
            let control = Control {
                effect: check.effect,
                strength,
                name,
                full_name: check
                    .by
                    .map(|(_, id)| id)
                    .or(check.library.as_ref().map(|library| library.name))
                    .unwrap_or(id),
                definition,
                registration: check.site,
                via,
                own: true,
                demands: check.demands.clone(),
                every: check.every,
                need: check.need.clone(),
                order: check.order,
            };
            if !self.controls.iter().any(|other| {
                other.effect == control.effect
                    && other.name == control.name
                    && other.via == via
                    && other.demands == control.demands
            }) {
                self.controls.push(control);
            }
        }
        for check in &found.checks {
            if let (None, Some(library)) = (check.by, &check.library)
                && library.through.is_some()
            {
                // Each of its effects is a check of its own.
                let demands: Vec<(Option<Ustr>, Ustr)> = (found.checks.iter())
                    .filter(|other| other.site == check.site)
                    .flat_map(|other| other.demands.iter().map(|demand| (None, *demand)))
                    .collect();
                let callable = Callable::External(library.name, demands);
                self.asked_inline(callable, check.site, library.through);
            }
        }
        // Helpers that the handler calls count as asked: one that was hollowed out still stands there.
        for (called, function, site) in &found.calls {
            self.asked_inline(Callable::Function(*called, *function), *site, None);
        }
    }

    /// Notes what the handler asks by calling it.
    fn asked_inline(&mut self, callable: Callable, site: Site, through: Option<(Ustr, Site)>) {
        if self.asked.iter().any(|asked| asked.callable == callable) {
            return;
        }
        self.asked.push(Arc::new(Guard {
            callable,
            via: "inline",
            site,
            own: true,
            conditional: false,
            named: None,
            only: None,
            except: Vec::new(),
            within: None,
            injected: false,
            through,
        }));
    }

    fn push(
        &mut self,
        guard: &Guard,
        effect: Effect,
        strength: Strength,
        definition: Option<Site>,
        (demands, every): (Vec<Ustr>, bool),
        order: Order,
    ) {
        // Under a condition that can't be told it may not be there at all.
        let strength = if guard.conditional {
            strength.min(Strength::Optional)
        } else {
            strength
        };
        let full_name = match &guard.callable {
            Callable::Function(_, id) | Callable::Class(_, id, _) => *id,
            Callable::Made { maker, .. } => maker.1,
            Callable::External(name, _) | Callable::Unknown(name) => *name,
        };
        let control = Control {
            effect,
            strength,
            name: guard.name(),
            full_name,
            definition,
            registration: guard.site,
            via: guard.via,
            own: guard.own,
            demands,
            every,
            need: None,
            order,
        };
        let same = self.controls.iter_mut().find(|other| {
            other.effect == effect
                && other.full_name == control.full_name
                && other.demands == control.demands
        });
        match same {
            Some(other) => other.strength = other.strength.max(strength),
            None => self.controls.push(control),
        }
    }
}

/// How a guard is used.
pub fn usage(guard: &Guard) -> Use {
    if guard.injected {
        Use::Injected
    } else {
        Use::Guard
    }
}

/// Whether packs know what a library's callable imposes.
pub fn is_known_control(name: &str) -> bool {
    packs().control(ustr(name)).is_some()
}
