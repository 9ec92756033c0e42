//! What an entry point lost: its controls now against those it had.

use gatewatch_model::{
    Auth, Callable, Control, Coverage, Effect, Guard, Order, Site, Strength, Use, effects_of,
    is_known_control,
};
use ustr::Ustr;

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
                && authz.control.demands.is_empty();
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
        Auth::Authenticated => return None,
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

fn authorization_loss(compare: &Compare<'_>, now: &Coverage, was: &Coverage) -> Option<Loss> {
    let had = enforcing(was, Effect::Authorization);
    let first = had.first()?;
    let has = enforcing(now, Effect::Authorization);
    if has.is_empty() {
        // Something that can't be followed may still ask.
        if now.auth == Auth::Unknown && !only_extracts(now)
            || any(now, Effect::Authorization).next().is_some()
        {
            return None;
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
            .or_else(|| has.iter().find(|other| other.demands == control.demands));
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
        if let Some(text) = demands_less(&control.demands, &partner.demands) {
            let mut loss = caused(
                compare,
                now,
                was,
                control,
                Code::AuthorizationWeakened,
                text,
            );
            // The same guard with other arguments: its registration changed, not the guard.
            if control.own
                && partner.registration != partner.definition.unwrap_or(partner.registration)
                && arguments_differ(now, was, control)
            {
                loss.cause = Cause::Own;
            }
            return Some(loss);
        }
    }
    None
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

/// How the demands became less: more roles are let in, or a high one was replaced.
fn demands_less(was: &[Ustr], now: &[Ustr]) -> Option<String> {
    if was == now || was.is_empty() {
        return None;
    }
    let spelled = |demands: &[Ustr]| {
        demands
            .iter()
            .map(|demand| format!("`{demand}`"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    // A scope more is stricter, a role more is not.
    let added = || now.iter().filter(|demand| !was.contains(demand));
    if was.iter().all(|demand| now.contains(demand))
        && added().all(|demand| demand.starts_with("scope:"))
    {
        return None;
    }
    if was.iter().all(|demand| now.contains(demand)) {
        return Some(format!(
            "demanded {} and now lets in {}",
            spelled(was),
            spelled(now)
        ));
    }
    if now.iter().all(|demand| was.contains(demand)) {
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
    if any(now, Effect::Ownership).next().is_some() {
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
            site: Some(has.registration),
            now: "the check stands behind what it protects".to_owned(),
            control: had,
        });
    }
    None
}

/// Finds out why a control was lost, and says it with the right code.
fn caused(
    compare: &Compare<'_>,
    now: &Coverage,
    was: &Coverage,
    had: &Control,
    code: Code,
    text: String,
) -> Loss {
    let mut loss = Loss {
        code,
        control: had.clone(),
        cause: Cause::Own,
        site: None,
        now: text,
    };
    // It is written, but above what registers, or its denial is swallowed.
    let inert = now
        .entry_point
        .inert
        .iter()
        .any(|guard| guard.name() == had.name);
    if inert {
        loss.code = Code::GuardInert;
        loss.now =
            "it stands above what registers the handler, so the route has the function without it"
                .to_owned();
        return loss;
    }
    if had.via == "inline"
        && let gatewatch_model::Handler::Function(file, id) = &now.entry_point.handler
    {
        let inside = effects_of(compare.db, compare.current_tree(), *file, *id, Use::Handler);
        if inside.inert.iter().any(|check| check.effect == had.effect) {
            loss.code = Code::GuardInert;
            loss.now = "its denial takes no effect, the handler goes on".to_owned();
            return loss;
        }
    }
    // The handler still calls it and it still denies: not the guard changed, but the way to the call.
    if had.via == "inline"
        && let Some(guard) = standing(now, had)
        && guard.via == "inline"
        && let Callable::Function(file, id) = &guard.callable
        && effects_of(compare.db, compare.current_tree(), *file, *id, Use::Guard)
            .checks
            .iter()
            .any(|check| check.effect == had.effect && check.strength == Strength::Enforcing)
    {
        if loss.code == Code::AuthorizationRemoved {
            loss.code = Code::AuthorizationWeakened;
            loss.now = "is called on some paths alone".to_owned();
        }
        return loss;
    }
    // The guard still stands in front.
    if let Some(guard) = standing(now, had)
        && let Some(site) = definition_of(compare, guard)
    {
        let changed = match code {
            Code::AuthenticationRemoved
            | Code::AuthorizationRemoved
            | Code::OwnershipCheckRemoved => Code::GuardGutted,
            // Middleware that lets callers without an identity on has given up what it stood for; a dependency may
            // hand nothing on.
            Code::AuthenticationWeakened
                if !is_python(compare, site) && !had.via.contains("inline") =>
            {
                Code::GuardGutted
            }
            other => other,
        };
        if let Some((list, grown)) = exemption_grown(compare, guard, had) {
            loss.code = Code::PublicMarkerAdded;
            loss.cause = Cause::Guard(list);
            loss.now = grown;
            return loss;
        }
        // It denies nobody at all any more.
        let changed = match &guard.callable {
            Callable::Function(file, id) if changed == Code::AuthenticationWeakened => {
                let inside = effects_of(compare.db, compare.current_tree(), *file, *id, Use::Guard);
                if inside.checks.is_empty() {
                    Code::GuardGutted
                } else {
                    changed
                }
            }
            _ => changed,
        };
        loss.code = changed;
        loss.cause = Cause::Guard(site);
        return loss;
    }
    if !had.own {
        // The guard is registered still, but in front of nothing.
        let standing = compare
            .linked_now
            .registered
            .iter()
            .find(|registered| registered.covers == 0 && registered.guard.name() == had.name);
        if let Some(registered) = standing {
            loss.code = Code::GuardInert;
            loss.cause = Cause::Guard(registered.guard.site);
            loss.now = "everything it covered is registered on the other side of it".to_owned();
            return loss;
        }
        if let Some(site) = compare.current_registration(was, now, had) {
            loss.cause = Cause::Registration(site);
        }
    }
    loss
}

fn is_python(compare: &Compare<'_>, site: Site) -> bool {
    matches!(site.0.path(compare.db).extension(), "py" | "pyi")
}

/// The guard of a lost control, if it still stands in front of the entry point.
fn standing<'a>(now: &'a Coverage, had: &Control) -> Option<&'a Guard> {
    now.asked.iter().find(|guard| guard.name() == had.name)
}

/// Where a guard is defined now.
fn definition_of(compare: &Compare<'_>, guard: &Guard) -> Option<Site> {
    match &guard.callable {
        Callable::Function(file, id) => gatewatch_model::function_site(compare.db, *file, *id),
        Callable::Made { maker, .. } => {
            gatewatch_model::function_site(compare.db, maker.0, maker.1)
        }
        Callable::Class(file, id, _) => gatewatch_model::class_site(compare.db, *file, *id),
        Callable::External(name, _) if is_known_control(name) => None,
        _ => None,
    }
}

/// What a guard leaves open now and didn't before, and where its list stands.
fn exemption_grown(compare: &Compare<'_>, guard: &Guard, had: &Control) -> Option<(Site, String)> {
    let Callable::Function(file, id) = &guard.callable else {
        return None;
    };
    let now = effects_of(compare.db, compare.current_tree(), *file, *id, Use::Guard);
    let before: Vec<Ustr> = match had.definition {
        Some((old_file, _)) => {
            let was = effects_of(
                compare.db,
                compare.baseline_tree(),
                old_file,
                *id,
                Use::Guard,
            );
            was.exempt
                .iter()
                .flat_map(|(_, texts)| texts.iter().copied())
                .collect()
        }
        None => Vec::new(),
    };
    let (site, added) = now.exempt.iter().find_map(|(site, texts)| {
        let added: Vec<String> = texts
            .iter()
            .filter(|text| !before.contains(text))
            .map(|text| format!("`{text}`"))
            .collect();
        (!added.is_empty()).then_some((*site, added))
    })?;
    Some((site, added.join(", ")))
}
