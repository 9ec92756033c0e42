//! What an entry point lost: its controls now against those it had.

use gatewatch_model::{
    Auth, Callable, Control, Coverage, Effect, Handler, Need, Order, Site, Strength, Use,
    effects_of, usage,
};
use ustr::Ustr;

use crate::cause::{caused, made_otherwise};
use crate::code::Code;
use crate::compare::{Compare, authentication, only_extracts};

/// Why a control was lost: where the reader must look.
#[derive(Clone, Debug)]
pub(crate) enum Cause {
    /// The guard still stands here, but changed: its definition.
    Guard(Site),
    /// A registration for several entry points changed: its place in the current tree.
    Registration(Site),
    /// Something of the entry point itself changed.
    Own,
}

/// A control that an entry point lost, or that became weaker.
#[derive(Clone, Debug)]
pub(crate) struct Loss {
    pub(crate) code: Code,
    /// The control as it was.
    pub(crate) control: Control,
    pub(crate) cause: Cause,
    /// The function that changed, where the guard calls it.
    pub(crate) inside: Option<Site>,
    /// Where the diagnostic stands, if not at the cause.
    pub(crate) site: Option<Site>,
    /// What holds now, as the end of a sentence.
    pub(crate) now: String,
}

pub(crate) fn losses(compare: &Compare<'_>, now: &Coverage, was: &Coverage) -> Vec<Loss> {
    let mut found = Vec::new();
    let authn = authentication_loss(compare, now, was);
    let authz = authorization_loss(compare, now, was);
    match (authn, authz) {
        (Some(authn), Some(authz)) => {
            // One guard that did both is lost once.
            let same = authn.control.full_name == authz.control.full_name
                && authz.control.demands.is_empty()
                // A library's guard that asks for a right says so.
                && authz.control.definition.is_some();
            if same
                && matches!(
                    authz.code,
                    Code::AuthorizationRemoved | Code::GuardGutted | Code::GuardInert
                )
            {
                found.push(authn);
            } else {
                found.push(authn);
                found.push(authz);
            }
        }
        (authn, authz) => found.extend(authn.into_iter().chain(authz)),
    }
    found.extend(ownership_loss(compare, now, was));
    if found.is_empty() {
        found.extend(order_loss(compare, now, was));
    }
    found
}

fn enforcing(coverage: &Coverage, effect: Effect) -> Vec<&Control> {
    coverage
        .controls
        .iter()
        .filter(|control| control.effect == effect && control.strength == Strength::Enforcing)
        .collect()
}

fn any(coverage: &Coverage, effect: Effect) -> impl Iterator<Item = &Control> {
    coverage
        .controls
        .iter()
        .filter(move |control| control.effect == effect)
}

/// Whether something stands in front of it that can't be followed.
fn may_still_ask(now: &Coverage) -> bool {
    now.auth == Auth::Unknown && !only_extracts(now)
}

fn authentication_loss(compare: &Compare<'_>, now: &Coverage, was: &Coverage) -> Option<Loss> {
    let had = match was.auth {
        Auth::Authenticated => authentication(was)?,
        // A bare scheme that is taken away: less than a guard, more than nothing.
        Auth::Unknown if only_extracts(was) => {
            if any(now, Effect::Authentication).next().is_some() {
                return None;
            }
            authentication(was)?
        }
        _ => return None,
    };
    let (code, text) = match now.auth {
        Auth::Authenticated => return identity_lost(compare, now, was, had),
        Auth::Unknown if !only_extracts(now) => return None,
        Auth::Unknown => (
            Code::AuthenticationWeakened,
            format!(
                "`{}` only takes a credential out and verifies nothing",
                authentication(now).map(|c| c.name).unwrap_or_default()
            ),
        ),
        Auth::Optional => (
            Code::AuthenticationWeakened,
            format!(
                "`{}` lets callers without an identity pass",
                authentication(now).map(|c| c.name).unwrap_or_default()
            ),
        ),
        Auth::Public => (
            Code::AuthenticationRemoved,
            "nothing in front of it authenticates".to_owned(),
        ),
    };
    Some(caused(compare, now, was, had, code, text))
}

/// The guard that found out who calls is gone, and what stays only asks what that caller may do: it reads an identity
/// that nothing puts there.
fn identity_lost(
    compare: &Compare<'_>,
    now: &Coverage,
    was: &Coverage,
    had: &Control,
) -> Option<Loss> {
    let asked = |coverage: &Coverage, control: &Control, effect: Effect| {
        any(coverage, effect).any(|other| other.full_name == control.full_name)
    };
    if now.asked.iter().any(|guard| guard.name() == had.name) {
        return None;
    }
    let left = enforcing(now, Effect::Authentication);
    let relies = left.iter().all(|control| {
        asked(was, control, Effect::Authorization) && !asked(was, control, Effect::Authentication)
    });
    let guard = was.asked.iter().find(|guard| guard.name() == had.name)?;
    let (file, id) = match &guard.callable {
        Callable::Function(file, id) => (*file, *id),
        Callable::Made { maker, inner, .. } => inner.unwrap_or(*maker),
        _ => return None,
    };
    if !relies || !effects_of(compare.db, compare.baseline_tree(), file, id, usage(guard)).populates
    {
        return None;
    }
    Some(caused(
        compare,
        now,
        was,
        had,
        Code::AuthenticationRemoved,
        "what stays reads an identity that nothing verifies".to_owned(),
    ))
}

fn authorization_loss(compare: &Compare<'_>, now: &Coverage, was: &Coverage) -> Option<Loss> {
    let had = enforcing(was, Effect::Authorization);
    let has = enforcing(now, Effect::Authorization);
    let asked = |coverage| any(coverage, Effect::Authorization).next();
    // A check on some paths alone is one, too, when nothing of it is left.
    let first = match had.first() {
        Some(first) => first,
        None if asked(now).is_none() => asked(was)?,
        None => return None,
    };
    if has.is_empty()
        && let Some((control, need)) = weaker(now, was)
        && wanted(was).is_some_and(|was| need.shares(&was))
    {
        // A part of what was asked is asked still.
        return Some(caused(
            compare,
            now,
            was,
            control,
            Code::AuthorizationWeakened,
            "asks only a part of what it asked".to_owned(),
        ));
    }
    if has.is_empty() {
        if may_still_ask(now) {
            return None;
        }
        if let Some(partly) = asked(now) {
            return (partly.strength == Strength::Optional).then(|| {
                caused(
                    compare,
                    now,
                    was,
                    first,
                    Code::AuthorizationWeakened,
                    "is asked on some paths alone".to_owned(),
                )
            });
        }
        return Some(caused(
            compare,
            now,
            was,
            first,
            Code::AuthorizationRemoved,
            "nothing asks what the caller may do".to_owned(),
        ));
    }
    // One of several is gone, or demands less.
    for control in &had {
        let partner = has
            .iter()
            .find(|other| other.full_name == control.full_name && other.demands == control.demands)
            .or_else(|| {
                has.iter()
                    .find(|other| other.full_name == control.full_name)
            })
            .or_else(|| has.iter().find(|other| other.demands == control.demands))
            // The same question, moved and asked for more.
            .or_else(|| match (had.as_slice(), has.as_slice()) {
                ([_], [other]) => {
                    let all = |demand| other.demands.contains(demand);
                    (!control.demands.is_empty() && control.demands.iter().all(all))
                        .then_some(other)
                }
                _ => None,
            });
        let Some(partner) = partner else {
            if had.len() > has.len() {
                return Some(caused(
                    compare,
                    now,
                    was,
                    control,
                    Code::AuthorizationWeakened,
                    "is gone, other checks stay".to_owned(),
                ));
            }
            continue;
        };
        if let Some(text) = demands_less(control, partner) {
            // A guard that is told to demand nothing asks for an identity alone.
            let nothing = partner.demands.is_empty() && arguments_differ(now, was, control);
            let mut loss = caused(
                compare,
                now,
                was,
                control,
                Code::AuthorizationWeakened,
                text,
            );
            if nothing {
                loss.code = Code::AuthorizationRemoved;
            }
            // The same guard with other arguments: its registration changed, not the guard.
            if control.own
                && partner.registration != partner.definition.unwrap_or(partner.registration)
                && arguments_differ(now, was, control)
                && made_otherwise(compare, now, was, control).is_none()
            {
                loss.cause = Cause::Own;
            }
            return Some(loss);
        }
    }
    let (control, _) = weaker(now, was)?;
    Some(caused(
        compare,
        now,
        was,
        control,
        Code::AuthorizationWeakened,
        "is met by callers that it refused".to_owned(),
    ))
}

/// All that the controls of an entry point ask of a caller, as far as it is known.
fn wanted(coverage: &Coverage) -> Option<Need> {
    let needs: Vec<Need> = coverage
        .controls
        .iter()
        .filter(|control| control.strength == Strength::Enforcing)
        .filter_map(|control| control.need.clone())
        .collect();
    (!needs.is_empty()).then_some(Need::All(needs))
}

/// The control that callers get past now whom it refused, and all that is asked of them now. Something that can't be
/// told may ask the rest.
fn weaker<'a>(now: &Coverage, was: &'a Coverage) -> Option<(&'a Control, Need)> {
    let unknown = now.controls.iter().any(|control| {
        control.strength == Strength::Unknown
            && !was
                .controls
                .iter()
                .any(|other| other.full_name == control.full_name)
    });
    if unknown {
        return None;
    }
    let (had, asked) = (wanted(was)?, wanted(now).unwrap_or(Need::Always(true)));
    if !asked.is_weaker_than(&had) {
        return None;
    }
    let control = enforcing(was, Effect::Authorization)
        .into_iter()
        .find(|control| (control.need.as_ref()).is_some_and(|need| !asked.implies(need)))?;
    Some((control, asked))
}

/// Whether a guard is called with other arguments than before.
fn arguments_differ(now: &Coverage, was: &Coverage, control: &Control) -> bool {
    let args = |coverage: &Coverage| -> Vec<Vec<Ustr>> {
        coverage
            // What signatures bring along included.
            .asked
            .iter()
            .filter(|guard| guard.name() == control.name)
            .map(|guard| guard.callable.args())
            .collect()
    };
    let scopes = |coverage: &Coverage| -> Vec<Ustr> {
        coverage
            .controls
            .iter()
            .filter(|other| other.name == control.name)
            .flat_map(|other| {
                other
                    .demands
                    .iter()
                    .copied()
                    .filter(|demand| demand.starts_with("scope:"))
            })
            .collect()
    };
    args(now) != args(was) || scopes(now) != scopes(was)
}

/// How the demands became less: of rights one is gone, of roles one more is let in, or a high one was replaced.
fn demands_less(had: &Control, has: &Control) -> Option<String> {
    let (was, now) = (&had.demands, &has.demands);
    let untold = |demands: &[Ustr]| demands.iter().any(|demand| demand.ends_with('…'));
    if was == now || was.is_empty() || untold(was) || untold(now) {
        return None;
    }
    let spelled = |demands: &[Ustr]| {
        demands
            .iter()
            .map(|demand| format!("`{demand}`"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let scope = |demand: &Ustr| demand.starts_with("scope:");
    let every = had.every || has.every;
    if was.iter().all(|demand| now.contains(demand)) {
        let mut added = now.iter().filter(|demand| !was.contains(demand));
        if every || added.all(scope) {
            return None;
        }
        return Some(format!(
            "demanded {} and now lets in {}",
            spelled(was),
            spelled(now)
        ));
    }
    if now.iter().all(|demand| was.contains(demand)) {
        let mut gone = was.iter().filter(|demand| !now.contains(demand));
        // One role less is stricter, as long as there is one.
        if !now.is_empty() && !every && !gone.any(scope) {
            return None;
        }
        return Some(format!(
            "demanded {} and now only {}",
            spelled(was),
            if now.is_empty() {
                "an identity".to_owned()
            } else {
                spelled(now)
            }
        ));
    }
    let high = |demands: &[Ustr]| {
        demands.iter().any(|demand| {
            let demand = demand.to_lowercase();
            [
                "admin", "owner", "super", "root", "staff", "manage", "write", "delete",
            ]
            .iter()
            .any(|word| demand.contains(word))
        })
    };
    (high(was) && !high(now))
        .then(|| format!("demanded {} and now demands {}", spelled(was), spelled(now)))
}

fn ownership_loss(compare: &Compare<'_>, now: &Coverage, was: &Coverage) -> Option<Loss> {
    let had = enforcing(was, Effect::Ownership);
    let first = had.first()?;
    // A guard that can't be followed may do it; a check that is left in the handler is known to be another.
    let unknown_guard = now
        .controls
        .iter()
        .any(|control| control.strength == Strength::Unknown && control.via != "inline");
    if any(now, Effect::Ownership).next().is_some() || unknown_guard && may_still_ask(now) {
        return None;
    }
    // The caller is handed to code that may ask whose things it reaches.
    if first.via == "inline"
        && let Handler::Function(file, id) = &now.entry_point.handler
        && effects_of(compare.db, compare.current_tree(), *file, *id, Use::Handler).hands_over
        && !hands_over(compare, was)
    {
        return None;
    }
    Some(caused(
        compare,
        now,
        was,
        first,
        Code::OwnershipCheckRemoved,
        "nothing asks whose the object is".to_owned(),
    ))
}

fn hands_over(compare: &Compare<'_>, was: &Coverage) -> bool {
    match &was.entry_point.handler {
        Handler::Function(file, id) => {
            effects_of(
                compare.db,
                compare.baseline_tree(),
                *file,
                *id,
                Use::Handler,
            )
            .hands_over
        }
        _ => false,
    }
}

fn order_loss(_compare: &Compare<'_>, now: &Coverage, was: &Coverage) -> Option<Loss> {
    for effect in [
        Effect::Authentication,
        Effect::Authorization,
        Effect::Ownership,
    ] {
        let best = |coverage: &Coverage| {
            enforcing(coverage, effect)
                .into_iter()
                .min_by_key(|control| control.order)
                .cloned()
        };
        let (Some(had), Some(has)) = (best(was), best(now)) else {
            continue;
        };
        if has.order <= had.order {
            continue;
        }
        let code = match has.order {
            Order::AfterWrite => Code::AuthorizationAfterWrite,
            // An ownership check has to load the object first.
            Order::AfterFetch if effect != Effect::Ownership => Code::AuthorizationAfterFetch,
            _ => continue,
        };
        return Some(Loss {
            code,
            cause: Cause::Own,
            inside: None,
            site: Some(has.registration),
            now: "the check stands behind what it protects".to_owned(),
            control: had,
        });
    }
    None
}
