//! The comparison of the current model with the baseline's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gatewatch_model::{
    Auth, Callable, Control, Coverage, Effect, Handler, Linked, Model, Order, Site, Strength, Use,
    class_site, effects_of, function_site, linked, model,
};
use gatewatch_source::{Db, FileSet};
use ustr::Ustr;

use crate::code::Code;
use crate::finding::{EntryName, Evidence, Finding, Severity, Side};
use crate::loss::{Cause, Loss, losses};
use crate::pairs::{Pair, handler_key, key, pairs};
use crate::places;

/// The two trees that are compared.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Trees {
    /// The tree as it is now.
    pub current: FileSet,
    /// The tree at the branch point.
    pub baseline: FileSet,
}

/// What changed between the two trees and matters, sorted by file, place, code and entry point.
pub fn findings(db: &dyn Db, trees: Trees) -> Arc<Vec<Finding>> {
    compared(db, trees.current, trees.baseline)
}

#[salsa::tracked(returns(clone))]
fn compared(db: &dyn Db, current: FileSet, baseline: FileSet) -> Arc<Vec<Finding>> {
    // Trees that share every file can't differ.
    if current.files(db) == baseline.files(db) {
        return Arc::default();
    }
    let now = model(db, current);
    let was = model(db, baseline);
    if now == was {
        return Arc::default();
    }
    let mut compare = Compare {
        db,
        trees: Trees { current, baseline },
        now: &now,
        was: &was,
        linked_now: linked(db, current),
        linked_was: linked(db, baseline),
        pairs: pairs(db, &now, &was),
        found: Vec::new(),
    };
    compare.all();
    let mut found = compare.found;
    found.sort_by(|a, b| {
        let key = |finding: &Finding| {
            (
                finding.site.0.path(db).clone(),
                places::line(db, finding.site),
                finding.code.name(),
                finding.entry_point.clone(),
                finding.message.clone(),
            )
        };
        key(a).cmp(&key(b))
    });
    found.dedup();
    Arc::new(found)
}

pub(crate) struct Compare<'a> {
    pub(crate) db: &'a dyn Db,
    trees: Trees,
    now: &'a Model,
    was: &'a Model,
    pub(crate) linked_now: Arc<Linked>,
    pub(crate) linked_was: Arc<Linked>,
    pairs: Vec<Pair>,
    found: Vec<Finding>,
}

impl<'a> Compare<'a> {
    /// A comparison that only answers questions about single pairs.
    pub(crate) fn for_fixes(db: &'a dyn Db, trees: Trees) -> Self {
        static EMPTY: Model = Model {
            entry_points: Vec::new(),
            unknown: Vec::new(),
        };
        Self {
            db,
            trees,
            now: &EMPTY,
            was: &EMPTY,
            linked_now: linked(db, trees.current),
            linked_was: linked(db, trees.baseline),
            pairs: Vec::new(),
            found: Vec::new(),
        }
    }
}

impl Compare<'_> {
    pub(crate) fn current_tree(&self) -> FileSet {
        self.trees.current
    }

    pub(crate) fn baseline_tree(&self) -> FileSet {
        self.trees.baseline
    }

    fn all(&mut self) {
        let pairs = std::mem::take(&mut self.pairs);
        let mut lost: Vec<(&Pair, Loss)> = Vec::new();
        for pair in &pairs {
            match &pair.was {
                Some(was) => {
                    for loss in losses(self, &pair.now, was) {
                        lost.push((pair, loss));
                    }
                    self.widened(&pair.now, was);
                }
                None => self.added(&pair.now),
            }
        }
        self.lost(&lost);
        self.scattered(&pairs, &lost);
    }

    // ---- new entry points ---------------------------------------------------------------------

    fn added(&mut self, now: &Arc<Coverage>) {
        if !matches!(now.auth, Auth::Public | Auth::Optional) && !only_extracts(now) {
            return;
        }
        let Some(site) = self.handler_site(now) else {
            return;
        };
        if crate::notes::marked_public(self.db, &now.entry_point.handler) {
            return;
        }
        let handler = handler_key(self.db, now);
        let same_handler: Vec<&Arc<Coverage>> = self
            .was
            .entry_points
            .iter()
            .filter(|old| handler.is_some() && handler_key(self.db, old) == handler)
            .collect();
        let name = entry_name(now);
        // The handler is served already: this is another way to it.
        if let Some(old) = same_handler.first() {
            if same_handler
                .iter()
                .all(|old| old.auth == Auth::Authenticated)
            {
                let guard = authentication(old)
                    .map(|control| places::control(self.db, control))
                    .unwrap_or_default();
                // All that this mount leads to is new: the mount is the new way.
                let whole = self
                    .now
                    .entry_points
                    .iter()
                    .filter(|other| other.entry_point.mounts == now.entry_point.mounts)
                    .all(|other| key_is_new(self.was, other));
                let mount = now.entry_point.mounts.last().copied();
                let site = if whole {
                    mount.unwrap_or(site)
                } else if self.registers_several(now) {
                    now.entry_point.site
                } else {
                    site
                };
                self.push(Draft {
                    code: Code::GuardBypassed,
                    severity: Severity::Error,
                    site,
                    entry: Some(name.clone()),
                    subject: String::new(),
                    message: format!(
                        "`{name}` reaches `{}` without {guard}, which stands in front of `{}`.",
                        handler_name(now),
                        entry_name(old),
                    ),
                    was: format!("{} was authenticated by {guard}", entry_name(old)),
                    now: "nothing in front of the new way authenticates".to_owned(),
                    evidence: evidence_of(old, Side::Baseline),
                });
                return;
            }
            let same_path = crate::pairs::nameless(&old.entry_point.path)
                == crate::pairs::nameless(&now.entry_point.path);
            if same_path {
                self.push(Draft {
                    code: Code::EntryPointWidened,
                    severity: Severity::Warning,
                    site,
                    entry: Some(name.clone()),
                    subject: String::new(),
                    message: format!(
                        "`{}` now answers `{}` as well as `{}`, and nothing in front of it authenticates.",
                        now.entry_point.path, now.entry_point.method, old.entry_point.method
                    ),
                    was: entry_name(old).to_string(),
                    now: name.to_string(),
                    evidence: Vec::new(),
                });
                return;
            }
        }
        if let Some(guard) = self.idle_guard(now) {
            self.push(Draft {
                code: Code::GuardInert,
                severity: Code::GuardInert.severity(),
                site,
                entry: Some(name.clone()),
                subject: String::new(),
                message: format!(
                    "`{guard}` is written for `{name}` but can't run: it stands where the route has the function without it."
                ),
                was: "it did not exist".to_owned(),
                now: "nothing in front of it authenticates".to_owned(),
                evidence: Vec::new(),
            });
            return;
        }
        if let Some((guard, guarded, count)) = self.guarded_siblings(now) {
            self.push(Draft {
                code: Code::SiblingUnguarded,
                severity: Severity::Warning,
                site,
                entry: Some(name.clone()),
                subject: String::new(),
                message: format!(
                    "`{name}` is new and authenticates nobody, but {guarded} of the {count} routes beside it do, by {guard}."
                ),
                was: format!("{guarded} routes of the same router are guarded one by one"),
                now: "this one is not".to_owned(),
                evidence: Vec::new(),
            });
            return;
        }
        let writes = matches!(
            now.entry_point.method.as_str(),
            "POST" | "PUT" | "PATCH" | "DELETE"
        );
        self.push(Draft {
            code: Code::PublicEntryPointAdded,
            severity: if writes {
                Severity::Error
            } else {
                Severity::Warning
            },
            site,
            entry: Some(name.clone()),
            subject: String::new(),
            message: format!(
                "`{name}` is new, and nothing in front of it authenticates its caller."
            ),
            was: "it did not exist".to_owned(),
            now: format!("anybody can call `{}`", handler_name(now)),
            evidence: Vec::new(),
        });
    }

    /// Whether a registration brings several new entry points.
    fn registers_several(&self, now: &Coverage) -> bool {
        let new = |other: &&Arc<Coverage>| {
            other.entry_point.site == now.entry_point.site && key_is_new(self.was, other)
        };
        self.now.entry_points.iter().filter(new).count() > 1
    }

    /// A guard that is written for an entry point and doesn't run.
    fn idle_guard(&self, now: &Coverage) -> Option<Ustr> {
        let tree = self.trees.current;
        let denies = |callable: &Callable| match callable {
            Callable::Function(file, id) => effects_of(self.db, tree, *file, *id, Use::Guard)
                .checks
                .iter()
                .any(|check| check.strength == Strength::Enforcing),
            Callable::Made { maker, inner, .. } => {
                let (file, id) = inner.unwrap_or(*maker);
                effects_of(self.db, tree, file, id, Use::Guard)
                    .checks
                    .iter()
                    .any(|check| check.strength == Strength::Enforcing)
            }
            _ => false,
        };
        let guard = now
            .entry_point
            .inert
            .iter()
            .find(|guard| denies(&guard.callable))?;
        Some(guard.name())
    }

    /// The guard that most of the entry points beside a new one have, written for each of them, and how many of how many
    /// that are. A method of a class stands beside the others of the class first.
    fn guarded_siblings(&self, now: &Coverage) -> Option<(String, usize, usize)> {
        let class = |coverage: &Coverage| match &coverage.entry_point.handler {
            Handler::Function(_, id) => id.rsplit_once('.').map(|(class, _)| class.to_owned()),
            _ => None,
        };
        let own = class(now);
        let all = self.siblings(now);
        let of_class: Vec<&Arc<Coverage>> = all
            .iter()
            .copied()
            .filter(|sibling| own.is_some() && class(sibling) == own)
            .collect();
        [of_class, all].into_iter().find_map(|siblings| {
            let guarded: Vec<&Arc<Coverage>> = siblings
                .iter()
                .copied()
                .filter(|sibling| sibling.auth == Auth::Authenticated)
                .collect();
            // Written one by one: a single registration for several would have been forgotten by nobody.
            let written: BTreeSet<String> = guarded
                .iter()
                .filter_map(|sibling| authentication(sibling))
                .map(|control| format!("{:?}", control.registration))
                .collect();
            let by_own = written.len() >= 2
                && guarded.len() * 2 > siblings.len()
                && guarded
                    .iter()
                    .all(|sibling| authentication(sibling).is_some_and(|control| control.own));
            let guard = guarded
                .first()
                .and_then(|sibling| authentication(sibling))
                .map(|control| places::control(self.db, control))
                .unwrap_or_default();
            by_own.then_some((guard, guarded.len(), siblings.len()))
        })
    }

    /// The other entry points of the same innermost router.
    fn siblings(&self, now: &Coverage) -> Vec<&Arc<Coverage>> {
        self.now
            .entry_points
            .iter()
            .filter(|other| {
                other.entry_point.routers.last() == now.entry_point.routers.last()
                    && key(other) != key(now)
                    && !key_is_new(self.was, other)
            })
            .collect()
    }

    /// A parameter of an open entry point takes whole paths now.
    fn widened(&mut self, now: &Arc<Coverage>, was: &Coverage) {
        if !now.entry_point.takes_rest
            || was.entry_point.takes_rest
            || key(now) != key(was)
            || !matches!(now.auth, Auth::Public | Auth::Optional)
            || crate::notes::marked_public(self.db, &now.entry_point.handler)
        {
            return;
        }
        let Some(site) = self.handler_site(now) else {
            return;
        };
        let name = entry_name(now);
        self.push(Draft {
            code: Code::EntryPointWidened,
            severity: Severity::Warning,
            site,
            entry: Some(name.clone()),
            subject: String::new(),
            message: format!(
                "A parameter of `{name}` takes whole paths now, slashes included, and nothing in front of it authenticates."
            ),
            was: "the parameter took one segment".to_owned(),
            now: "it takes all that follows".to_owned(),
            evidence: Vec::new(),
        });
    }

    // ---- lost controls ------------------------------------------------------------------------

    fn lost(&mut self, lost: &[(&Pair, Loss)]) {
        // A guard that still stands but lost its check is one finding, wherever it stands.
        let mut by_guard: BTreeMap<(Code, Effect, String), Vec<(&Pair, &Loss)>> = BTreeMap::new();
        let mut by_place: BTreeMap<(Code, Effect, String), Vec<(&Pair, &Loss)>> = BTreeMap::new();
        let guards: BTreeSet<String> = lost
            .iter()
            .filter_map(|(_, loss)| match &loss.cause {
                Cause::Guard(site) => Some(format!("{:?}{site:?}", loss.code)),
                _ => None,
            })
            .collect();
        for (pair, loss) in lost {
            match &loss.cause {
                // It is behind a guard that is spoken of already.
                Cause::Guard(_)
                    if let Some(inside) = loss.inside
                        && guards.contains(&format!("{:?}{inside:?}", loss.code)) =>
                {
                    by_guard
                        .entry((
                            loss.code,
                            loss.control.effect,
                            format!("{:?}{:?}", inside.0, inside.1),
                        ))
                        .or_default()
                        .push((pair, loss));
                }
                Cause::Guard(site) => by_guard
                    .entry((
                        loss.code,
                        loss.control.effect,
                        format!("{:?}{:?}", site.0, site.1),
                    ))
                    .or_default()
                    .push((pair, loss)),
                Cause::Registration(site) => by_place
                    .entry((
                        loss.code,
                        loss.control.effect,
                        format!("{:?}{:?}", site.0, site.1),
                    ))
                    .or_default()
                    .push((pair, loss)),
                Cause::Own => self.single(pair, loss, None),
            }
        }
        for ((code, effect, _), group) in by_guard {
            self.guard_level(code, effect, &group);
        }
        for (_, group) in by_place {
            let several = group.len() > 1;
            for (pair, loss) in group {
                let site = match &loss.cause {
                    Cause::Registration(site) if several => Some(*site),
                    _ => None,
                };
                self.single(pair, loss, site);
            }
        }
    }

    /// A control that one entry point lost.
    fn single(&mut self, pair: &Pair, loss: &Loss, site: Option<Site>) {
        let now = &pair.now;
        let Some(was) = &pair.was else { return };
        if crate::notes::marked_public(self.db, &now.entry_point.handler)
            && matches!(
                loss.code,
                Code::AuthenticationRemoved
                    | Code::AuthenticationWeakened
                    | Code::AuthorizationRemoved
            )
        {
            return;
        }
        let Some(handler) = self.handler_site(now) else {
            return;
        };
        let of_class = self.class_level(pair, &loss.control);
        let site = loss.site.or(of_class).or(site).unwrap_or(handler);
        let name = entry_name(now);
        let guard = places::control(self.db, &loss.control);
        let message = match loss.code {
            Code::AuthenticationRemoved => {
                format!(
                    "`{name}` no longer authenticates its caller. It did so at the branch point, by {guard}."
                )
            }
            Code::AuthenticationWeakened => format!(
                "`{name}` no longer insists on an authenticated caller. At the branch point {guard} did; now {}.",
                loss.now
            ),
            Code::AuthorizationRemoved => {
                format!(
                    "`{name}` no longer checks what its caller may do. It did so at the branch point, by {guard}."
                )
            }
            Code::AuthorizationWeakened => {
                format!("`{name}` demands less of its caller: {guard} {}.", loss.now)
            }
            Code::OwnershipCheckRemoved => format!(
                "`{name}` no longer checks that the object belongs to its caller. It did so at the branch point, by {guard}."
            ),
            Code::AuthorizationAfterFetch => {
                format!(
                    "In `{name}` the check by {guard} now stands behind the load of what it protects."
                )
            }
            Code::AuthorizationAfterWrite => {
                format!(
                    "In `{name}` the check by {guard} now stands behind a write: a refused caller has changed something already."
                )
            }
            Code::GuardInert => {
                format!(
                    "{} is written for `{name}` but can't run: {}.",
                    capitalised(&guard),
                    loss.now
                )
            }
            _ => format!("`{name}`: {}", loss.now),
        };
        let mut evidence = evidence_of_control(self.db, &loss.control, Side::Baseline);
        evidence.push(Evidence {
            message: "the entry point as it is now".to_owned(),
            site: handler,
            side: Side::Current,
        });
        let _ = was;
        self.push(Draft {
            code: loss.code,
            severity: loss.code.severity(),
            site,
            entry: Some(name),
            subject: String::new(),
            message,
            was: format!("{}: {guard}", loss.control.effect),
            now: loss.now.clone(),
            evidence,
        });
    }

    /// The class of a handler, if a lost control was the class's and not the method's.
    fn class_level(&self, pair: &Pair, control: &Control) -> Option<Site> {
        let class = |coverage: &Coverage| match &coverage.entry_point.handler {
            Handler::Function(file, id) => id
                .rsplit_once('.')
                .and_then(|(class, _)| class_site(self.db, *file, class.into())),
            Handler::Class(file, id) => class_site(self.db, *file, *id),
            Handler::Unknown(_) => None,
        };
        // A table of the class names the verbs that each of its guards is for.
        if control.via == "class" && control.own {
            return None;
        }
        let was = pair.was.as_ref().and_then(|was| class(was));
        (control.via == "class" || was.is_some() && was == Some(control.registration))
            .then(|| class(&pair.now))
            .flatten()
    }

    /// A guard that changed: one finding at its definition for all that it stands in front of.
    fn guard_level(&mut self, code: Code, effect: Effect, group: &[(&Pair, &Loss)]) {
        // The guard that changed goes before those that call it.
        let Some((first, loss)) = (group.iter())
            .find(|(_, loss)| loss.inside.is_none())
            .or(group.first())
        else {
            return;
        };
        let Cause::Guard(site) = loss.cause else {
            return;
        };
        let guard = format!("`{}`", loss.control.name);
        let behind = match group.len() {
            1 => format!("`{}` is", entry_name(&first.now)),
            2 => format!(
                "`{}` and `{}` are",
                entry_name(&first.now),
                group
                    .get(1)
                    .map(|(pair, _)| entry_name(&pair.now).to_string())
                    .unwrap_or_default()
            ),
            count => format!("`{}` and {} more are", entry_name(&first.now), count - 1),
        };
        let message = match code {
            Code::GuardGutted if loss.now.ends_with("lets callers without an identity pass") => {
                format!(
                    "{guard} still stands but lets callers without an identity pass: {behind} behind it."
                )
            }
            Code::GuardGutted => {
                format!("{guard} still stands but no longer denies anybody: {behind} behind it.")
            }
            Code::AuthenticationWeakened => {
                format!("{guard} lets callers without an identity pass now: {behind} behind it.")
            }
            Code::PublicMarkerAdded => {
                format!("The list of what {guard} leaves open grew: {}.", loss.now)
            }
            Code::AuthorizationAfterWrite | Code::AuthorizationAfterFetch => {
                format!("The check of {guard} moved behind what it protects: {behind} behind it.")
            }
            Code::GuardInert => format!(
                "{guard} is written but stands in front of nothing: {}.",
                loss.now
            ),
            _ => format!("{guard} {}: {behind} behind it.", loss.now),
        };
        let evidence = evidence_of_control(self.db, &loss.control, Side::Baseline);
        self.push(Draft {
            code,
            severity: code.severity(),
            site,
            entry: None,
            subject: format!("{effect}:{}", key(&first.now).1),
            message,
            was: format!("{effect}: {}", places::control(self.db, &loss.control)),
            now: loss.now.clone(),
            evidence,
        });
    }

    // ---- central policies ---------------------------------------------------------------------

    fn scattered(&mut self, pairs: &[Pair], lost: &[(&Pair, Loss)]) {
        let mut central: BTreeMap<String, (Site, Vec<&Pair>, Control)> = BTreeMap::new();
        for pair in pairs {
            let Some(was) = &pair.was else { continue };
            let Some(control) = authentication(was) else {
                continue;
            };
            if control.own || control.strength != Strength::Enforcing {
                continue;
            }
            let group = format!("{:?}{:?}", control.registration.0, control.registration.1);
            central
                .entry(group)
                .or_insert_with(|| (control.registration, Vec::new(), control.clone()))
                .1
                .push(pair);
        }
        for (_, (_, group, control)) in central {
            if group.len() < 2 {
                continue;
            }
            let all_own = group.iter().all(|pair| {
                pair.now.auth == Auth::Authenticated
                    && pair
                        .now
                        .controls
                        .iter()
                        .filter(|c| {
                            c.effect == Effect::Authentication && c.strength == Strength::Enforcing
                        })
                        .all(|c| c.own)
            });
            let hurt = lost
                .iter()
                .any(|(pair, _)| group.iter().any(|other| std::ptr::eq(*pair, *other)));
            if !all_own || hurt {
                continue;
            }
            let Some(first) = group.first() else { continue };
            let Some(was) = &first.was else { continue };
            let Some(site) = self.current_registration(was, &first.now, &control) else {
                continue;
            };
            let guard = places::control(self.db, &control);
            self.push(Draft {
                code: Code::ControlScattered,
                severity: Severity::Info,
                site,
                entry: None,
                subject: key(&first.now).1,
                message: format!(
                    "{} covered {} entry points from one place; now each has to bring its own, and the next one can forget it.",
                    capitalised(&guard),
                    group.len()
                ),
                was: format!("{guard} for the whole router"),
                now: "a guard for each entry point".to_owned(),
                evidence: evidence_of_control(self.db, &control, Side::Baseline),
            });
        }
    }

    /// Where, in the current tree, the registration stands (or should) that a control had in the baseline: the
    /// mount or router at the same depth.
    pub(crate) fn current_registration(
        &self,
        was: &Coverage,
        now: &Coverage,
        control: &Control,
    ) -> Option<Site> {
        let (old, new) = (&was.entry_point, &now.entry_point);
        if let Some(at) = old
            .mounts
            .iter()
            .position(|site| *site == control.registration)
            && old.mounts.len() == new.mounts.len()
        {
            return new.mounts.get(at).copied();
        }
        let router = self
            .linked_was
            .registered
            .iter()
            .find(|registered| {
                registered.guard.site == control.registration
                    && old.routers.contains(&registered.router)
            })
            .map_or(control.registration, |registered| registered.router);
        let Some(at) = old.routers.iter().position(|site| *site == router) else {
            // It ran in front of this router from the one that is mounted before it.
            return new.mounts.last().copied();
        };
        // The guard was put on a router that other code made: where it is mounted.
        let elsewhere = !same_scope(router, control.registration);
        if elsewhere && at > 0 && old.mounts.len() == new.mounts.len() {
            return new.mounts.get(at - 1).copied();
        }
        // It stands there still, but no longer covers this mount.
        let here = if at == 0 {
            new.routers.first()
        } else {
            new.routers.get(at)
        };
        let mut standing =
            self.linked_now.registered.iter().filter(|registered| {
                registered.covers > 0 && registered.guard.name() == control.name
            });
        if standing.clone().any(|it| Some(&it.router) == here) {
            return new.mounts.get(at).copied();
        }
        // It stands on a router that led here before and no longer does: another took its place.
        if at > 0 && standing.any(|it| !new.routers.contains(&it.router)) {
            // The handler itself went to another router.
            if at + 1 == old.routers.len() {
                return None;
            }
            return new.mounts.get(at - 1).copied();
        }
        // A guard of the handler's own router, or of the application at the top.
        let from_end = old.routers.len() - 1 - at;
        if at == 0 {
            new.routers.first().copied()
        } else {
            new.routers
                .len()
                .checked_sub(1 + from_end)
                .and_then(|at| new.routers.get(at))
                .copied()
        }
    }

    // ---- findings -----------------------------------------------------------------------------

    pub(crate) fn handler_site(&self, coverage: &Coverage) -> Option<Site> {
        match &coverage.entry_point.handler {
            Handler::Function(file, id) => function_site(self.db, *file, *id),
            Handler::Class(file, id) => class_site(self.db, *file, *id),
            Handler::Unknown(_) => None,
        }
        .or(Some(coverage.entry_point.site))
    }

    fn push(&mut self, draft: Draft) {
        let entry = draft
            .entry
            .as_ref()
            .map(|entry| format!("{} {}", entry.method, crate::pairs::nameless(&entry.path)));
        let fingerprint = fingerprint(&[
            draft.code.name(),
            entry.as_deref().unwrap_or_default(),
            &draft.subject,
        ]);
        self.found.push(Finding {
            code: draft.code,
            severity: draft.severity,
            fingerprint,
            message: draft.message,
            site: draft.site,
            entry_point: draft.entry,
            was: draft.was,
            now: draft.now,
            evidence: draft.evidence,
            expected_control: draft.code.expected_control().to_owned(),
        });
    }
}

struct Draft {
    code: Code,
    severity: Severity,
    site: Site,
    entry: Option<EntryName>,
    /// What tells apart findings that concern no single entry point.
    subject: String,
    message: String,
    was: String,
    now: String,
    evidence: Vec<Evidence>,
}

/// Whether two places are in the same body, or both in what a module runs when it is loaded.
fn same_scope(one: Site, other: Site) -> bool {
    one.0 == other.0
        && one.1.in_body == other.1.in_body
        && (!one.1.in_body || one.1.code == other.1.code)
}

fn key_is_new(was: &Model, coverage: &Coverage) -> bool {
    let key = key(coverage);
    !was.entry_points.iter().any(|old| self::key(old) == key)
}

/// Whether all that stands in front is a scheme that takes a credential out and verifies nothing.
pub(crate) fn only_extracts(coverage: &Coverage) -> bool {
    let mut schemes = coverage
        .controls
        .iter()
        .filter(|control| control.effect == Effect::Authentication)
        .peekable();
    schemes.peek().is_some()
        && coverage.auth == Auth::Unknown
        && schemes.all(|control| {
            control.strength <= Strength::Unknown
                && control.definition.is_none()
                && gatewatch_model::is_known_control(&control.full_name)
        })
}

pub(crate) fn authentication(coverage: &Coverage) -> Option<&Control> {
    coverage
        .controls
        .iter()
        .filter(|control| control.effect == Effect::Authentication)
        .max_by_key(|control| {
            (
                control.strength,
                std::cmp::Reverse(control.order == Order::AfterWrite),
            )
        })
}

pub(crate) fn entry_name(coverage: &Coverage) -> EntryName {
    EntryName {
        kind: coverage.entry_point.kind.to_owned(),
        method: coverage.entry_point.method.to_string(),
        path: coverage.entry_point.path.to_string(),
    }
}

fn handler_name(coverage: &Coverage) -> String {
    match &coverage.entry_point.handler {
        Handler::Function(_, id) | Handler::Class(_, id) => {
            let name = id.rsplit('.').next().unwrap_or_default();
            if name.starts_with('<') {
                "the handler".to_owned()
            } else {
                name.to_owned()
            }
        }
        Handler::Unknown(name) => name.to_string(),
    }
}

fn evidence_of(coverage: &Coverage, side: Side) -> Vec<Evidence> {
    authentication(coverage)
        .map(|control| evidence_of_site(control, side))
        .unwrap_or_default()
}

fn evidence_of_control(_db: &dyn Db, control: &Control, side: Side) -> Vec<Evidence> {
    evidence_of_site(control, side)
}

fn evidence_of_site(control: &Control, side: Side) -> Vec<Evidence> {
    let mut found = Vec::new();
    if let Some(site) = control.definition {
        found.push(Evidence {
            message: format!("`{}`: the {}", control.name, control.effect),
            site,
            side,
        });
    }
    if control.definition != Some(control.registration) {
        found.push(Evidence {
            message: format!("registered here ({})", control.via),
            site: control.registration,
            side,
        });
    }
    found
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// A stable name for a finding: FNV-1a over its parts, 64 bits in hexadecimal digits.
pub(crate) fn fingerprint(parts: &[&str]) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for part in parts {
        for byte in part.bytes().chain(std::iter::once(0)) {
            hash ^= u64::from(byte);
            hash = hash.wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}
