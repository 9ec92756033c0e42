//! Where a function denies: a refusal under a condition becomes a check, with its strength and place in the order.

use super::classify::{Classified, classify};
use super::kind::Kind;
use super::need::Need;
use super::path::Sure;
use super::reach::Reach;
use super::target::View;
use super::walk::Walker;
use super::{Check, Exemption};
use crate::control::{Effect, Order, Strength};
use crate::entry::Site;
use gatewatch_syntax::facts::ExprId;

impl Walker<'_> {
    /// Whether the framework takes this function's `False` for a refusal.
    pub(super) fn is_permission(&self) -> bool {
        matches!(
            self.owner.rsplit('.').next(),
            Some(
                "has_permission"
                    | "has_object_permission"
                    | "canActivate"
                    | "can_activate"
                    | "test_func"
                    | "permits"
                    | "authorize"
                    | "authenticate"
            )
        )
    }

    /// Control leaves and the request goes on: who gets this far, and with which requests?
    pub(super) fn passed(&mut self) {
        self.passes = true;
        let conditions = self.conditions.clone();
        let mut reach = Vec::new();
        let mut by_target = None;
        let mut known = false;
        let mut nobody = false;
        let mut configured = false;
        let innermost = conditions.iter().rposition(|condition| condition.inside);
        for (at, condition) in conditions.iter().enumerate() {
            if self.reach_of(condition, View::Target).names_target() {
                reach.push(self.reach_of(condition, View::Anonymous));
                if condition.inside {
                    by_target = Some(self.within(condition, |walker| walker.site(condition.test)));
                }
            } else if condition.kind.asks() {
                let absent = (condition.kind.identity || condition.kind.credential)
                    && !condition.kind.scoped
                    && self.absent(condition);
                nobody |= absent;
                known |= !absent;
            } else if condition.inside {
                let (setting, path, site) = self.within(condition, |walker| {
                    (
                        walker.names_setting(condition.test),
                        walker.names_path(condition.test),
                        walker.site(condition.test),
                    )
                });
                // What a setting leaves open is open as configured, whatever was asked of the path before.
                configured |= setting && (condition.holds || Some(at) == innermost);
                let asked = self.reach_of(condition, View::Anonymous);
                // `request.blueprint == "feeds"`: which requests that lets pass can't be told.
                if path && asked == Reach::Unknown {
                    by_target = by_target.or(Some(site));
                }
                reach.push(asked);
            }
        }
        // `if not user: if settings.OPEN: return`
        let by_setting = conditions
            .iter()
            .rev()
            .find(|condition| condition.inside)
            .is_some_and(|condition| {
                condition.holds
                    && !condition.kind.asks()
                    && self.within(condition, |walker| walker.names_setting(condition.test))
            });
        self.optional |=
            nobody && by_target.is_none() && !by_setting && self.asked.identity < Sure::Sent;
        if let Some(site) = by_target
            && !known
            && !configured
        {
            self.effects.exempt.push(Exemption {
                site,
                reach: Reach::All(reach),
            });
        }
    }

    /// The request is refused here: the conditions around say which check this is.
    pub(super) fn denied(&mut self, value: Option<ExprId>, raised: bool) {
        // Refused for another reason than who is calling: too often, too much, not now.
        if value.is_some_and(|value| self.refuses_for_load(value)) {
            return;
        }
        let raised = raised || value.is_some_and(|value| self.is_thrown(value));
        if raised && self.around.iter().any(|around| around.swallows_denials) {
            if let Some(value) = value {
                self.inert(value);
            }
            return;
        }
        // `if user: refuse` sends away who is known, and asks nobody.
        let last = self.conditions.clone().into_iter().rev().find(|condition| {
            // Who is left behind another refusal has been asked there.
            let left_over = condition.refused && !condition.inside;
            condition.kind.asks()
                && !left_over
                && (condition.kind.only_header()
                    || !self.within(condition, |walker| {
                        walker.finds_somebody(condition.test, condition.holds, 0)
                    }))
        });
        let Some(last) = last else {
            return;
        };
        let status = value.and_then(|value| self.status_of(value));
        let unknown = value.is_some_and(|value| self.says_unauthenticated(value));
        if last.kind.only_header() && status != Some(401) && !unknown {
            return;
        }
        self.refusals += 1;
        let by_value =
            !(raised || self.is_python() && value.is_some_and(|value| self.raises(value)));
        let conditions = self.conditions.clone();
        let need = self.needed(&conditions);
        let made = self.made;
        self.within(&last, |walker| {
            walker.imposed((last.test, last.kind), status, need.as_ref());
        });
        if by_value {
            self.made_by_value += self.made - made;
        }
    }

    pub(super) fn condition_check(&mut self, test: ExprId, kind: Kind, denial: Option<ExprId>) {
        let status = denial.and_then(|denial| self.status_of(denial));
        if kind.only_header()
            && status != Some(401)
            && !denial.is_some_and(|denial| self.says_unauthenticated(denial))
        {
            return;
        }
        // `assert user.is_admin`; what fails in a call is the callee's secret.
        let need = match denial {
            None => self.needed(&[self.condition(test, kind, false, true)]),
            Some(_) => None,
        };
        self.imposed((test, kind), status, need.as_ref());
    }

    /// Adds the checks that a condition imposes whose other side is refused.
    pub(super) fn imposed(
        &mut self,
        (test, kind): (ExprId, Kind),
        status: Option<u16>,
        need: Option<&Need>,
    ) {
        for Classified {
            effect,
            demands,
            every,
        } in classify(self, test, kind, status)
        {
            if effect == Effect::Authentication {
                self.doubt_presence(test);
            }
            let check = Check {
                effect,
                strength: Strength::Enforcing,
                site: self.site(test),
                by: None,
                library: None,
                demands,
                every,
                order: self.order(),
                need: need.cloned(),
                when: None,
            };
            self.add(check);
        }
    }

    /// The requests for which control comes here and a check inside is made, as far as conditions say.
    pub(super) fn when(&mut self, inside: Option<Reach>) -> Option<Reach> {
        let conditions = self.conditions.clone();
        let mut parts: Vec<Reach> = conditions
            .iter()
            .map(|condition| self.reach_of(condition, View::Target))
            .filter(Reach::names_target)
            .collect();
        parts.extend(inside);
        Reach::of_all(parts)
    }

    pub(super) fn inert(&mut self, value: ExprId) {
        let site = self.site(value);
        let asks = self
            .conditions
            .iter()
            .rev()
            .find(|condition| condition.kind.asks())
            .cloned();
        if let Some(condition) = asks {
            let found = self.within(&condition, |walker| {
                classify(walker, condition.test, condition.kind, None)
            });
            for Classified {
                effect,
                demands,
                every,
            } in found
            {
                self.effects.inert.push(Check {
                    effect,
                    strength: Strength::Advisory,
                    site,
                    by: None,
                    library: None,
                    demands,
                    every,
                    order: self.order(),
                    need: None,
                    when: None,
                });
            }
        }
    }

    /// Callers without an identity pass here.
    pub(super) fn optional(&mut self) {
        self.optional = true;
        self.effects.reads_identity = true;
        self.effects.returns_identity = true;
    }

    /// Whether the code runs only where a credential was sent.
    pub(super) fn needs_presence(&mut self, own: Site) -> bool {
        let conditions = self.conditions.clone();
        conditions.iter().any(|condition| {
            condition.inside
                && condition.kind.asks()
                && !condition.kind.scoped
                && self.within(condition, |walker| {
                    walker.site(condition.test) != own
                        && walker.polarity(condition.test) == Some(condition.holds)
                })
        })
    }

    pub(super) fn add(&mut self, mut check: Check) {
        // `if token: verify(token)`: callers without a token pass.
        if check.effect == Effect::Authentication && self.needs_presence(check.site) {
            check.strength = check.strength.min(Strength::Optional);
        }
        check.when = self.when(check.when);
        self.made += 1;
        // Behind it, it has been asked.
        if check.strength == Strength::Enforcing && check.effect != Effect::Ownership {
            self.asked.identity = Sure::Yes;
            if check.effect == Effect::Authorization {
                self.asked.right = Sure::Yes;
            }
        } else if check.strength == Strength::Unknown && check.effect == Effect::Authentication {
            self.asked.identity = self.asked.identity.max(Sure::Maybe);
        }
        let known = self.effects.checks.iter_mut().find(|other| {
            other.effect == check.effect
                && other.by == check.by
                && other.site == check.site
                && other.demands == check.demands
                && other.when == check.when
        });
        match known {
            Some(other) => other.strength = other.strength.max(check.strength),
            None => self.effects.checks.push(check),
        }
    }

    /// Whether a throw here reaches the caller.
    pub(super) fn throws_out(&self) -> bool {
        !self.around.iter().any(|around| around.swallows_errors)
    }

    /// Whether a denial thrown here reaches the caller.
    pub(super) fn denies_out(&self) -> bool {
        !self.around.iter().any(|around| around.swallows_denials)
    }

    pub(super) fn order(&self) -> Order {
        if self.wrote {
            Order::AfterWrite
        } else if self.loaded {
            Order::AfterFetch
        } else {
            Order::First
        }
    }

    /// Whether the code runs only on some paths for a reason that isn't the identity: such a check isn't sure.
    pub(super) fn conditional(&mut self) -> bool {
        let conditions = self.conditions.clone();
        conditions.iter().any(|condition| {
            !condition.kind.asks()
                && !condition.refused
                && !self.reach_of(condition, View::Target).names_target()
                && self.within(condition, |walker| {
                    !walker.names_path(condition.test) && !walker.names_setting(condition.test)
                })
        })
    }
}
