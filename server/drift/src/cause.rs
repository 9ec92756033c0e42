//! Why a control was lost: the guard changed, a registration did, or the entry point's own code.

use gatewatch_model::{
    Callable, Control, Coverage, Guard, Site, Strength, Use, effects_of, is_known_control, usage,
};
use gatewatch_source::SourceFile;
use ustr::Ustr;

use crate::code::Code;
use crate::compare::Compare;
use crate::loss::{Cause, Loss};

/// Finds out why a control was lost, and says it with the right code.
pub(crate) fn caused(
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
        inside: None,
        site: None,
        now: text,
    };
    // It is written, but where it can't run.
    let inert = (now.entry_point.inert.iter()).find(|guard| guard.name() == had.name);
    if let Some(guard) = inert {
        loss.code = Code::GuardInert;
        loss.now = if guard.via == "route" {
            "it stands behind the handler, which answers without it".to_owned()
        } else {
            "it stands above what registers the handler, so the route has the function without it"
                .to_owned()
        };
        return loss;
    }
    if had.via == "inline"
        && let gatewatch_model::Handler::Function(file, id) = &now.entry_point.handler
    {
        let inside = effects_of(compare.db, compare.current_tree(), *file, *id, Use::Handler);
        if let Some(check) = inside.inert.iter().find(|check| check.effect == had.effect) {
            loss.code = Code::GuardInert;
            // A helper denies where it is called; its denial is lost on the way out.
            loss.site = check.by.is_none().then_some(check.site);
            loss.now = "its denial takes no effect, the handler goes on".to_owned();
            return loss;
        }
    }
    // The handler still calls it and it still denies: not the guard changed, but the way to the call.
    if had.via == "inline"
        && let Some(guard) = standing(now, had)
        && guard.via == "inline"
        && let Callable::Function(file, id) = &guard.callable
        && enforces(compare, (*file, *id), usage(guard), had)
    {
        if loss.code == Code::AuthorizationRemoved {
            loss.code = Code::AuthorizationWeakened;
            loss.now = "is called on some paths alone".to_owned();
        }
        return loss;
    }
    let stands = standing(now, had);
    if let Some((name, site)) = made_otherwise(compare, now, was, had) {
        loss.code = gutted(code);
        loss.cause = Cause::Guard(site);
        loss.control.name = name;
        return loss;
    }
    // It is registered under a condition now.
    if let Some(guard) = stands
        && guard.conditional
        && code == Code::AuthenticationWeakened
    {
        loss.cause = Cause::Registration(guard.site);
        "is in front only under a condition".clone_into(&mut loss.now);
        return loss;
    }
    // What makes the parameter rejects as before, but the parameter takes nothing as well.
    if let Some(guard) = stands
        && guard.via == "extractor"
        && had.via == "extractor"
        && code == Code::AuthenticationWeakened
        && (still_enforces(compare, guard, had) || is_another(compare, guard, had))
    {
        return loss;
    }
    // It leaves this one open now.
    if let (Some(guard), Some(opened)) = (stands, &now.opened)
        && opened.guard == had.name
        && !is_namesake(compare, guard, had)
    {
        let spelled = |text: &Ustr| format!("`{text}`");
        let mut texts: Vec<String> = opened.texts.iter().map(spelled).collect();
        if texts.is_empty() {
            texts.push(format!("`{}`", crate::compare::entry_name(now)));
        }
        loss.code = Code::PublicMarkerAdded;
        loss.cause = Cause::Guard(opened.site);
        loss.now = texts.join(", ");
        return loss;
    }
    // The guard still stands in front.
    if let Some(guard) = stands
        && !is_namesake(compare, guard, had)
        && let Some(site) = definition_of(compare, guard)
    {
        let changed = match gutted(code) {
            // What middleware lets pass is served, so it has given up what it stood for. A dependency hands the handler
            // an identity or none.
            Code::AuthenticationWeakened if !HANDS_OVER.contains(&had.via) => Code::GuardGutted,
            other => other,
        };
        // It denies nobody at all any more.
        let changed = match &guard.callable {
            Callable::Function(file, id) if changed == Code::AuthenticationWeakened => {
                let tree = compare.current_tree();
                let inside = effects_of(compare.db, tree, *file, *id, usage(guard));
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
        loss.inside = changed_inside(compare, was, guard, had);
        return loss;
    }
    // A router on the way has the guard, but in front of nothing.
    let idle = compare.linked_now.registered.iter().find(|registered| {
        registered.covers == 0
            && registered.guard.name() == had.name
            && now.entry_point.routers.contains(&registered.router)
    });
    if let Some(registered) = idle {
        loss.code = Code::GuardInert;
        loss.cause = Cause::Guard(registered.guard.site);
        loss.now = "what it should cover is registered on the other side of it".to_owned();
        return loss;
    }
    if had.own {
        return loss;
    }
    // A library's guard is there with other arguments.
    if let Some(guard) = stands
        && matches!(guard.callable, Callable::External(..))
    {
        loss.cause = Cause::Registration(guard.site);
    } else if let Some(site) = compare.current_registration(was, now, had) {
        loss.cause = Cause::Registration(site);
    }
    loss
}

/// How guards take part that hand an identity to the handler, which can see that there is none.
const HANDS_OVER: [&str; 2] = ["dependency", "inline"];

/// Whether a function makes the check of a lost control as surely as ever.
fn enforces(
    compare: &Compare<'_>,
    (file, id): (SourceFile, Ustr),
    used: Use,
    had: &Control,
) -> bool {
    effects_of(compare.db, compare.current_tree(), file, id, used)
        .checks
        .iter()
        .any(|check| check.effect == had.effect && check.strength == Strength::Enforcing)
}

fn still_enforces(compare: &Compare<'_>, guard: &Guard, had: &Control) -> bool {
    match &guard.callable {
        Callable::Function(file, id) => enforces(compare, (*file, *id), usage(guard), had),
        _ => false,
    }
}

/// Whether another function than the one that was lost goes by its name: `Option<User>` has one of its own.
fn is_another(compare: &Compare<'_>, guard: &Guard, had: &Control) -> bool {
    match (definition_of(compare, guard), had.definition) {
        (Some((now, place)), Some((was, earlier))) => {
            now.path(compare.db) != was.path(compare.db) || place.code != earlier.code
        }
        _ => false,
    }
}

/// What the loss of a check is where its guard still stands.
fn gutted(code: Code) -> Code {
    match code {
        Code::AuthenticationRemoved | Code::AuthorizationRemoved | Code::OwnershipCheckRemoved => {
            Code::GuardGutted
        }
        other => other,
    }
}

/// The name through which a guard is still registered and that stands for another now, and where that is made: an alias of
/// a type, an instance with other arguments.
pub(crate) fn made_otherwise(
    compare: &Compare<'_>,
    now: &Coverage,
    was: &Coverage,
    had: &Control,
) -> Option<(Ustr, Site)> {
    let guard =
        (was.asked.iter()).find(|guard| guard.name() == had.name && guard.through.is_some())?;
    let (name, _) = guard.through?;
    let other = (now.asked.iter())
        .find(|other| other.through.is_some_and(|(through, _)| through == name))?;
    let (_, site) = other.through?;
    let same = described(compare, &guard.callable) == described(compare, &other.callable)
        && guard.callable.args() == other.callable.args();
    (!same).then_some((name, site))
}

/// A callable in words that hold in both trees.
fn described(compare: &Compare<'_>, callable: &Callable) -> String {
    let of = |file: &SourceFile, id: &Ustr| format!("{}:{id}", file.path(compare.db));
    match callable {
        Callable::Function(file, id) | Callable::Class(file, id, _) => of(file, id),
        Callable::Made { maker, .. } => of(&maker.0, &maker.1),
        Callable::External(name, _) | Callable::Unknown(name) => name.to_string(),
    }
}

/// The function that made a guard's check and no longer does, if the guard still calls it.
fn changed_inside(
    compare: &Compare<'_>,
    was: &Coverage,
    guard: &Guard,
    had: &Control,
) -> Option<Site> {
    let before = was.asked.iter().find(|guard| guard.name() == had.name)?;
    let (file, id) = function_of(before)?;
    let effects = effects_of(compare.db, compare.baseline_tree(), file, id, usage(before));
    let (_, made) = (effects.checks.iter())
        .find(|check| check.effect == had.effect)?
        .by?;
    // Whatever it calls, however deep.
    let tree = compare.current_tree();
    let (file, id) = function_of(guard)?;
    let mut called = effects_of(compare.db, tree, file, id, usage(guard))
        .calls
        .clone();
    let mut at = 0;
    while let Some((file, id, _)) = called.get(at).copied() {
        at += 1;
        let inside = effects_of(compare.db, tree, file, id, Use::Guard);
        if id == made {
            let denies = inside
                .checks
                .iter()
                .any(|check| check.effect == had.effect && check.strength == Strength::Enforcing);
            return if denies {
                None
            } else {
                gatewatch_model::function_site(compare.db, file, id)
            };
        }
        for call in inside.calls.iter() {
            if called.len() < 256
                && !called
                    .iter()
                    .any(|(of, id, _)| (*of, *id) == (call.0, call.1))
            {
                called.push(*call);
            }
        }
    }
    None
}

/// The function that a guard runs.
fn function_of(guard: &Guard) -> Option<(SourceFile, Ustr)> {
    match &guard.callable {
        Callable::Function(file, id) => Some((*file, *id)),
        Callable::Made { maker, inner, .. } => Some(inner.unwrap_or(*maker)),
        _ => None,
    }
}

/// The guard of a lost control, if it still stands in front of the entry point.
fn standing<'a>(now: &'a Coverage, had: &Control) -> Option<&'a Guard> {
    let mut asked = now.asked.iter().map(std::sync::Arc::as_ref);
    asked.find(|guard| guard.name() == had.name)
}

/// Whether a guard only has the name of the one that was there: that one is still where it was, unused here.
fn is_namesake(compare: &Compare<'_>, guard: &Guard, had: &Control) -> bool {
    let (Some((now, _)), Some((was, _))) = (definition_of(compare, guard), had.definition) else {
        return false;
    };
    let (now, was) = (now.path(compare.db), was.path(compare.db));
    let files = compare.current_tree().files(compare.db);
    now != was && files.iter().any(|(path, _)| path == was)
}

/// Where a guard is defined now.
fn definition_of(compare: &Compare<'_>, guard: &Guard) -> Option<Site> {
    match &guard.callable {
        Callable::Function(file, id) => gatewatch_model::function_site(compare.db, *file, *id),
        Callable::Made { maker, .. } => {
            gatewatch_model::function_site(compare.db, maker.0, maker.1)
        }
        // A type that guards as an extractor does so by its implementation.
        Callable::Class(file, id, _) => {
            gatewatch_model::extracting_site(compare.db, compare.current_tree(), *file, *id)
                .or_else(|| gatewatch_model::class_site(compare.db, *file, *id))
        }
        Callable::External(name, _) if is_known_control(name) => None,
        _ => None,
    }
}
