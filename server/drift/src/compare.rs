//! The comparison of the current model with the baseline's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gatewatch_model::{
    Auth, Control, Coverage, Effect, Handler, Linked, Model, Order, Site, Strength, class_site,
    function_site, linked, model,
};
use gatewatch_source::{Db, FileSet};

use crate::code::Code;
use crate::finding::{EntryName, Evidence, Finding, Severity, Side};
use crate::loss::{Cause, Loss, losses};
use crate::pairs::{Pair, key, pairs};
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
    pub(crate) trees: Trees,
    pub(crate) now: &'a Model,
    pub(crate) was: &'a Model,
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

    pub(crate) fn push(&mut self, draft: Draft) {
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

/// A finding that is about to be made.
pub(crate) struct Draft {
    pub(crate) code: Code,
    pub(crate) severity: Severity,
    pub(crate) site: Site,
    pub(crate) entry: Option<EntryName>,
    /// What tells apart findings that concern no single entry point.
    pub(crate) subject: String,
    pub(crate) message: String,
    pub(crate) was: String,
    pub(crate) now: String,
    pub(crate) evidence: Vec<Evidence>,
}

/// Whether two places are in the same body, or both in what a module runs when it is loaded.
fn same_scope(one: Site, other: Site) -> bool {
    one.0 == other.0
        && one.1.in_body == other.1.in_body
        && (!one.1.in_body || one.1.code == other.1.code)
}

pub(crate) fn key_is_new(was: &Model, coverage: &Coverage) -> bool {
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
                // What the handler does itself asks about a caller who is known by then.
                control.via != "inline",
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

pub(crate) fn handler_name(coverage: &Coverage) -> String {
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

pub(crate) fn evidence_of(coverage: &Coverage, side: Side) -> Vec<Evidence> {
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
