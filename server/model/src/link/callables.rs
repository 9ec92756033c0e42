//! What values call: handlers behind their wrappers, guards behind theirs.

use std::sync::Arc;

use ustr::{Ustr, ustr};

use super::machine::Machine;
use super::objects::{GuardUse, ObjectKind};
use super::value::{Func, Given, V};
use crate::entry::{Callable, Guard, Handler, Site};
use crate::modules::Module;

/// What a route runs, and the wrappers around it.
pub(crate) fn handler_of(
    machine: &mut Machine<'_>,
    value: &V,
    place: Site,
) -> (Handler, Vec<Arc<Guard>>) {
    let mut wrappers = Vec::new();
    let mut at = value.clone();
    for _ in 0..8 {
        match at.clone() {
            V::Func(func) => return (Handler::Function(func.file, func.id), wrappers),
            V::Class(file, id) => return (Handler::Class(file, id), wrappers),
            V::Object(object) => match machine
                .objects
                .get(object as usize)
                .map(|object| object.kind)
            {
                Some(ObjectKind::Instance(file, id)) => {
                    let handler = match machine.find_method(file, id, ustr("__call__")) {
                        Some((file, method)) => Handler::Function(file, method),
                        None => Handler::Class(file, id),
                    };
                    return (handler, wrappers);
                }
                _ => return (Handler::Unknown(ustr("router")), wrappers),
            },
            V::Called(called) => {
                // `View.as_view("name")`
                if let V::Member(member) = &called.callee
                    && member.1.as_str() == "as_view"
                {
                    at = member.0.clone();
                    continue;
                }
                // A wrapper around a handler: `asyncHandler(fn)`, `with_auth(view)`.
                let inner = called.args.iter().rev().map(|(_, arg)| arg).find(|arg| {
                    matches!(arg.settled(), V::Func(_))
                        || matches!(arg, V::Called(inner) if matches!(inner.callee, V::Member(_)))
                });
                match inner {
                    Some(inner) => {
                        let wrapper = GuardUse {
                            value: called.callee.clone(),
                            via: "wrapper",
                            only: None,
                            named: None,
                            place,
                        };
                        wrappers.extend(guard_of(machine, &wrapper, true));
                        at = inner.clone();
                    }
                    None => match &called.result {
                        V::Unknown => return (Handler::Unknown(called.callee.spelled()), wrappers),
                        result => at = result.clone(),
                    },
                }
            }
            V::List(items) => match items.last() {
                Some(last) => {
                    for guard in items.iter().rev().skip(1).rev() {
                        let guard = GuardUse {
                            value: guard.clone(),
                            via: "route",
                            only: None,
                            named: None,
                            place,
                        };
                        wrappers.extend(guard_of(machine, &guard, true));
                    }
                    at = last.clone();
                }
                None => break,
            },
            V::Either(values) => match values
                .iter()
                .find(|value| matches!(value.settled(), V::Func(_) | V::Class(..)))
            {
                Some(value) => at = value.clone(),
                None => break,
            },
            // `view.__wrapped__`: what the outermost decorator was given.
            V::Member(member)
                if member.1.as_str() == "__wrapped__"
                    && matches!(member.0.settled(), V::Func(_)) =>
            {
                at = member.0.settled().clone();
            }
            V::External(name) => return (Handler::Unknown(name), wrappers),
            other => return (Handler::Unknown(other.spelled()), wrappers),
        }
    }
    (Handler::Unknown(at.spelled()), wrappers)
}

/// A registered guard as what runs. Wrappers (`from_fn(f)`, `Middleware(cls)`, `Depends(f)`) stand for
/// what is inside.
pub(crate) fn guard_of(machine: &mut Machine<'_>, guard: &GuardUse, own: bool) -> Vec<Arc<Guard>> {
    let written = guard.named.or_else(|| machine.written_name(&guard.value));
    let through = through(machine, &guard.value);
    let injected = is_injected(machine, guard);
    callables(machine, &guard.value, 0)
        .into_iter()
        // A handler is wrapped to be called otherwise; only a name can say that it is guarded by that.
        .filter(|callable| guard.via != "wrapper" || *callable != Callable::Unknown(ustr("")))
        .map(|callable| {
            let named = match &callable {
                Callable::Function(file, id) => {
                    written.or_else(|| machine.names.get(&(*file, *id)).copied())
                }
                Callable::Made { maker, .. } => machine.names.get(maker).copied(),
                // `expressjwt({ … }).unless({ … })`
                Callable::External(name, _)
                    if machine
                        .packs
                        .control(*name)
                        .is_some_and(|control| control.except.is_some()) =>
                {
                    written.or_else(|| name.rsplit('.').nth(1).map(ustr))
                }
                Callable::External(..) | Callable::Class(..) => {
                    written.or_else(|| instance_name(machine, &guard.value))
                }
                Callable::Unknown(_) => None,
            };
            let only = guard
                .only
                .or_else(|| only_kind(machine, &guard.value, &callable));
            let within = within_of(&guard.value, &callable);
            let except = super::exempt::exemptions(machine, &guard.value, &callable);
            Arc::new(Guard {
                only,
                except,
                within,
                callable,
                via: guard.via,
                site: guard.place,
                own,
                conditional: false,
                named,
                injected,
                through,
            })
        })
        .collect()
}

/// The function that a callable was given to as an argument: `unless(isOpen, guard)`.
fn within_of(value: &V, callable: &Callable) -> Option<(gatewatch_source::SourceFile, Ustr)> {
    let (V::Called(called), Callable::Function(file, id)) = (value, callable) else {
        return None;
    };
    match (&called.callee, called.result.settled()) {
        (V::Func(_), V::Func(inner)) if (inner.file, inner.id) != (*file, *id) => {
            Some((inner.file, inner.id))
        }
        _ => None,
    }
}

/// The name of the variable that holds an instance: `bearer` of `bearer = HTTPBearer()`.
fn instance_name(machine: &Machine<'_>, value: &V) -> Option<Ustr> {
    let mut at = value.clone();
    for _ in 0..8 {
        match &at {
            V::Called(called) => match &called.callee {
                V::External(name) => match machine.packs.injection(*name) {
                    Some(injection) => {
                        let inner = super::arguments::located(&injection.at, &called.args);
                        at = inner.into_iter().next()?;
                    }
                    None => return machine.result_names.get(&called.place).copied(),
                },
                V::Class(..) => return machine.result_names.get(&called.place).copied(),
                _ => return None,
            },
            V::Object(object) => {
                let place = machine.objects.get(*object as usize)?.place;
                return machine.result_names.get(&place).copied();
            }
            _ => return None,
        }
    }
    None
}

/// The name of the variable that holds what a guard is or is made by, and where that is made: `staff` of
/// `staff = RoleChecker(["admin"])`, `admins` of `admins.require(403)`.
fn through(machine: &Machine<'_>, value: &V) -> Option<(Ustr, Site)> {
    let mut at = value.clone();
    for _ in 0..8 {
        at = match &at {
            V::Called(called) => {
                let injection = match &called.callee {
                    V::External(name) => machine.packs.injection(*name),
                    _ => None,
                };
                match (&called.callee, injection) {
                    (_, Some(injection)) => {
                        let inner = super::arguments::located(&injection.at, &called.args);
                        inner.into_iter().next()?
                    }
                    (V::Member(member), _) => member.0.clone(),
                    (V::External(_) | V::Class(..), _) if !called.place.1.in_body => {
                        let name = crate::names::name_of(machine.db, called.place)?;
                        return Some((name, called.place));
                    }
                    _ => return None,
                }
            }
            V::Member(member) => member.0.clone(),
            _ => return None,
        };
    }
    None
}

/// The only kind of entry point that a guard runs for, by what it is wrapped in or which class it extends.
fn only_kind(machine: &mut Machine<'_>, value: &V, callable: &Callable) -> Option<Ustr> {
    let packs = machine.packs;
    let wrapped = |name: Ustr| packs.wrapper(name).and_then(|wrapper| wrapper.kind);
    if let Callable::Class(file, id, _) = callable {
        return machine
            .external_bases(*file, *id)
            .into_iter()
            .find_map(wrapped);
    }
    let mut at = value;
    let mut found = None;
    while let V::Called(called) = at {
        let V::External(name) = &called.callee else {
            break;
        };
        found = found.or_else(|| wrapped(*name));
        // `Middleware(BaseHTTPMiddleware, dispatch=f)`
        let inner = packs.wrapper(*name).into_iter().flat_map(|wrapper| {
            let first = super::arguments::located(&wrapper.inner, &called.args);
            first.into_iter().filter_map(|value| match value {
                V::External(name) => wrapped(name),
                _ => None,
            })
        });
        found = found.or_else(|| inner.into_iter().next());
        let Some((_, next)) = called.args.first() else {
            break;
        };
        at = next;
    }
    found
}

/// Whether a guard is injected into handlers, which only handlers that the framework calls with injections have.
pub(crate) fn is_injected(machine: &Machine<'_>, guard: &GuardUse) -> bool {
    matches!(&guard.value, V::Called(called)
        if matches!(&called.callee, V::External(name) if machine.packs.injection(*name).is_some()))
}

pub(crate) fn callables(machine: &mut Machine<'_>, value: &V, depth: u32) -> Vec<Callable> {
    if depth > 8 {
        return vec![Callable::Unknown(value.spelled())];
    }
    match value {
        V::Null => Vec::new(),
        V::Func(func) => vec![Callable::Function(func.file, func.id)],
        V::Class(file, id) => vec![Callable::Class(*file, *id, Vec::new())],
        // `from_fn` and nothing to make a layer of.
        V::External(name)
            if machine.packs.wrapper(*name).is_some()
                || machine.packs.injection(*name).is_some() =>
        {
            vec![Callable::Unknown(ustr(""))]
        }
        V::External(name) => vec![Callable::External(*name, Vec::new())],
        // A name that nothing defines, or what comes of one.
        value if is_undefined(value) => vec![Callable::Unknown(ustr(""))],
        // Nothing that can be called.
        V::Module(_) | V::Text(_) | V::Number(_) | V::Bool(_) | V::Unknown => {
            vec![Callable::Unknown(ustr(""))]
        }
        V::Object(object) => match machine
            .objects
            .get(*object as usize)
            .map(|object| object.kind)
        {
            Some(ObjectKind::Instance(file, id)) => vec![Callable::Class(file, id, Vec::new())],
            _ => Vec::new(),
        },
        V::List(items) => items
            .iter()
            .flat_map(|item| callables(machine, item, depth + 1))
            .collect(),
        V::Either(values) => match values
            .iter()
            .find(|value| matches!(value, V::Func(_) | V::Class(..)))
        {
            Some(value) => callables(machine, &value.clone(), depth + 1),
            None => vec![Callable::Unknown(value.spelled())],
        },
        V::Called(called) => {
            if let V::External(name) = &called.callee {
                let packs = machine.packs;
                if let Some(injection) = packs.injection(*name) {
                    let inner = super::arguments::located(&injection.at, &called.args);
                    return inner
                        .iter()
                        .flat_map(|value| callables(machine, value, depth + 1))
                        .collect();
                }
                if let Some(wrapper) = packs.wrapper(*name) {
                    let inner = if wrapper.calls {
                        super::shapes::called_with(&wrapper.inner, &called.args, called.place)
                    } else {
                        super::arguments::located(&wrapper.inner, &called.args)
                    };
                    if inner.is_empty() && packs.control(*name).is_none() {
                        return vec![Callable::Unknown(ustr(""))];
                    }
                    if !inner.is_empty() {
                        return inner
                            .iter()
                            .flat_map(|value| callables(machine, value, depth + 1))
                            .collect();
                    }
                }
                return vec![Callable::External(*name, spelled_args(&called.args))];
            }
            let args: Vec<Ustr> = spelled_args(&called.args)
                .into_iter()
                .map(|(_, arg)| arg)
                .collect();
            match (&called.callee, called.result.settled()) {
                (V::Func(maker), V::Func(inner)) => {
                    let made = Callable::Made {
                        maker: (maker.file, maker.id),
                        inner: Some((inner.file, inner.id)),
                        args,
                    };
                    // `catchAsync(async (req, res, next) => …)`: what is wrapped runs as well.
                    let wrapped = called
                        .args
                        .iter()
                        .filter_map(|(_, arg)| match arg.settled() {
                            V::Func(func) if takes_requests(machine, *func) => {
                                Some(Callable::Function(func.file, func.id))
                            }
                            _ => None,
                        });
                    std::iter::once(made).chain(wrapped).collect()
                }
                (V::Func(_), V::Called(_) | V::External(_)) => {
                    callables(machine, &called.result, depth + 1)
                }
                (V::Func(maker), V::Object(object)) => {
                    match machine
                        .objects
                        .get(*object as usize)
                        .map(|object| object.kind)
                    {
                        Some(ObjectKind::Instance(file, id)) => {
                            vec![Callable::Class(file, id, args)]
                        }
                        _ => vec![Callable::Made {
                            maker: (maker.file, maker.id),
                            inner: None,
                            args,
                        }],
                    }
                }
                (V::Func(maker), _) => {
                    vec![Callable::Made {
                        maker: (maker.file, maker.id),
                        inner: None,
                        args,
                    }]
                }
                (V::Class(file, id), _) => vec![Callable::Class(*file, *id, args)],
                // `auth.login_required(role="admin")` of an object that a library made.
                (V::Member(member), _) => match callables(machine, &member.0, depth + 1).as_slice()
                {
                    [Callable::External(name, given)] => {
                        let mut args = spelled_args(&called.args);
                        // `Permission(RoleNeed("admin")).require(403)`: the object was told what to demand.
                        if machine
                            .packs
                            .control(ustr(&format!("{name}.{}", member.1)))
                            .is_some_and(|control| control.of_object)
                        {
                            args.extend(given.iter().copied());
                        }
                        vec![Callable::External(
                            ustr(&format!("{name}.{}", member.1)),
                            args,
                        )]
                    }
                    _ => vec![Callable::Unknown(ustr(&format!(
                        "{}.{}",
                        member.0.spelled(),
                        member.1
                    )))],
                },
                _ => vec![Callable::Unknown(value.spelled())],
            }
        }
        // What the workspace would have to define, and doesn't.
        V::Member(member)
            if matches!(
                member.0.settled(),
                V::Func(_) | V::Module(Module::File(_) | Module::Folder(_)) | V::Dict(_)
            ) =>
        {
            vec![Callable::Unknown(ustr(""))]
        }
        V::Member(member) => match callables(machine, &member.0.clone(), depth + 1).as_slice() {
            [Callable::External(name, args)] => {
                vec![Callable::External(
                    ustr(&format!("{name}.{}", member.1)),
                    args.clone(),
                )]
            }
            _ => vec![Callable::Unknown(value.spelled())],
        },
        _ => vec![Callable::Unknown(value.spelled())],
    }
}

/// Whether nothing is known of a value but a name that it begins with.
fn is_undefined(value: &V) -> bool {
    match value {
        V::Symbol(_) => true,
        V::Member(member) => is_undefined(&member.0),
        V::Called(called) => called.result == V::Unknown && is_undefined(&called.callee),
        _ => false,
    }
}

/// Whether a function is written as middleware: a request, a response, perhaps what comes next.
fn takes_requests(machine: &Machine<'_>, func: Func) -> bool {
    machine.read.is_script(func.file)
        && machine
            .read
            .signature(func.file, func.id)
            .is_some_and(|signature| matches!(signature.params.len(), 2..=4))
}

/// Arguments as short texts: what a person would compare.
fn spelled_args(args: &[(Given, V)]) -> Vec<(Option<Ustr>, Ustr)> {
    fn short(value: &V, depth: u32) -> String {
        match value {
            V::Text(_) => value
                .as_text()
                .unwrap_or_else(|| value.spelled().to_string()),
            V::Bool(value) => value.to_string(),
            V::Null => "null".to_owned(),
            V::List(items) if depth < 3 => items
                .iter()
                .map(|item| short(item, depth + 1))
                .collect::<Vec<_>>()
                .join(","),
            V::Dict(entries) if depth < 3 => entries
                .iter()
                .map(|(key, value)| {
                    format!("{}:{}", short(key, depth + 1), short(value, depth + 1))
                })
                .collect::<Vec<_>>()
                .join(","),
            V::Func(Func { id, .. }) => id.to_string(),
            // `RoleNeed("admin")`
            V::Called(called)
                if depth < 3
                    && called.result == V::Unknown
                    && !called.args.is_empty()
                    && called.args.iter().all(|(_, arg)| matches!(arg, V::Text(_))) =>
            {
                called
                    .args
                    .iter()
                    .map(|(_, arg)| short(arg, depth + 1))
                    .collect::<Vec<_>>()
                    .join(",")
            }
            other => other.spelled().to_string(),
        }
    }
    args.iter()
        .map(|(given, value)| {
            let name = match given {
                Given::Name(name) => Some(*name),
                _ => None,
            };
            (name, ustr(&short(value, 0)))
        })
        .collect()
}
