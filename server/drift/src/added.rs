//! New entry points, and old ones that take more than before.

use std::collections::BTreeSet;
use std::sync::Arc;

use gatewatch_model::{Auth, Callable, Coverage, Handler, Strength, Use, effects_of};
use ustr::Ustr;

use crate::code::Code;
use crate::compare::{
    Compare, Draft, authentication, entry_name, evidence_of, handler_name, key_is_new,
    only_extracts,
};
use crate::finding::{Severity, Side};
use crate::pairs::{handler_key, key};
use crate::places;

impl Compare<'_> {
    pub(crate) fn added(&mut self, now: &Arc<Coverage>) {
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
                    // One mount may be at several paths, some of them guarded as before.
                    .filter(|other| other.auth != Auth::Authenticated)
                    .all(|other| key_is_new(self.was, other));
                let mount = now.entry_point.mounts.last().copied();
                let site = if let Some(mount) = mount.filter(|_| whole) {
                    mount
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
        // A public entry point of one verb that now answers every one.
        let path = crate::pairs::nameless(&now.entry_point.path);
        let narrower = self.was.entry_points.iter().find(|old| {
            now.entry_point.method == "ANY"
                && old.auth != Auth::Authenticated
                && crate::pairs::nameless(&old.entry_point.path) == path
        });
        if let Some(old) = narrower {
            self.push(Draft {
                code: Code::EntryPointWidened,
                severity: Severity::Warning,
                site,
                entry: Some(name.clone()),
                subject: String::new(),
                message: format!(
                    "`{}` now answers every method and not `{}` alone, and nothing in front of it authenticates.",
                    now.entry_point.path, old.entry_point.method
                ),
                was: entry_name(old).to_string(),
                now: name.to_string(),
                evidence: Vec::new(),
            });
            return;
        }
        if let Some((called, old)) = self.guarded_call(now) {
            let guard = authentication(old)
                .map(|control| places::control(self.db, control))
                .unwrap_or_default();
            self.push(Draft {
                code: Code::GuardBypassed,
                severity: Severity::Error,
                site,
                entry: Some(name.clone()),
                subject: String::new(),
                message: format!(
                    "`{name}` calls `{called}` without {guard}, which stands in front of `{}`.",
                    entry_name(old),
                ),
                was: format!("{} was authenticated by {guard}", entry_name(old)),
                now: "a plain call runs nothing of what stands in front".to_owned(),
                evidence: evidence_of(old, Side::Baseline),
            });
            return;
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

    /// The handler of a guarded entry point that a new one calls, and that entry point: what the framework puts in front of
    /// a handler doesn't run when it is called.
    fn guarded_call(&self, now: &Coverage) -> Option<(Ustr, &Arc<Coverage>)> {
        let Handler::Function(file, id) = now.entry_point.handler else {
            return None;
        };
        let inside = effects_of(self.db, self.trees.current, file, id, Use::Handler);
        inside.calls.iter().find_map(|(file, called, _)| {
            let path = file.path(self.db);
            let mut served = self.was.entry_points.iter().filter(|old| {
                matches!(&old.entry_point.handler, Handler::Function(file, id)
                    if id == called && file.path(self.db) == path)
            });
            let first = served.next()?;
            let guarded = |old: &Arc<Coverage>| {
                old.auth == Auth::Authenticated
                    && authentication(old).is_some_and(|control| control.via != "inline")
            };
            (guarded(first) && served.all(guarded)).then_some((*called, first))
        })
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
        // Another path of a registration that was open before: nothing was forgotten there.
        let beside_open = self.now.entry_points.iter().any(|other| {
            other.entry_point.site == now.entry_point.site
                && other.entry_point.method == now.entry_point.method
                && other.auth != Auth::Authenticated
                && !key_is_new(self.was, other)
        });
        if beside_open {
            return None;
        }
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
    pub(crate) fn widened(&mut self, now: &Arc<Coverage>, was: &Coverage) {
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
}
