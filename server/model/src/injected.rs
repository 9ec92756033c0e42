//! What a signature brings along: injected dependencies and extractors.

mod attributes;

pub(crate) use attributes::{attribute_dependencies, class_dependencies};

use gatewatch_frameworks::{
    ArgumentKind, At, Locator, ParamRole, Signature, Value, class_roles, impls, packs, signature,
};
use gatewatch_source::{Db, FileSet, SourceFile};
use ustr::{Ustr, ustr};

use crate::effects::{Use, effects_of};
use crate::entry::{Callable, Site};
use crate::names::{Seen, Target, follow};

/// A dependency of a signature.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Dependency {
    /// What is called.
    pub(crate) callable: Callable,
    /// The name of the parameter that takes its result.
    pub(crate) param: Ustr,
    /// Scopes that are demanded with it.
    pub(crate) scopes: Vec<Ustr>,
    /// The parameter takes nothing as well: `Option<User>`.
    pub(crate) optional: bool,
    /// `dependency` or `extractor`.
    pub(crate) via: &'static str,
    /// Where it is written.
    pub(crate) place: gatewatch_frameworks::Place,
    /// The type that it is written as, for an extractor.
    pub(crate) named: Option<Ustr>,
    /// The name of the workspace that it is written through, and where that is made: an instance, an alias of a type.
    pub(crate) through: Option<(Ustr, Site)>,
}

/// The dependencies of a function's signature, in order.
pub(crate) fn dependencies(
    db: &dyn Db,
    tree: FileSet,
    file: SourceFile,
    id: Ustr,
) -> Vec<Dependency> {
    // What an extractor is given is no injection.
    if id
        .rsplit('.')
        .next()
        .is_some_and(crate::places::is_extracting)
    {
        return Vec::new();
    }
    let Some(signature) = signature(db, file, id) else {
        return Vec::new();
    };
    signature
        .params
        .iter()
        .flat_map(|param| of_param(db, tree, file, param, &signature))
        .collect()
}

fn of_param(
    db: &dyn Db,
    tree: FileSet,
    file: SourceFile,
    param: &ParamRole,
    signature: &Signature,
) -> Vec<Dependency> {
    let roles = std::sync::Arc::new(signature.scope.clone());
    let seen = |value: &Value| Seen {
        file,
        roles: std::sync::Arc::clone(&roles),
        value: value.clone(),
    };
    let dependency = |callable, scopes, optional, via, named: Option<Ustr>| Dependency {
        callable,
        param: param.name,
        scopes,
        optional,
        via,
        place: param.place,
        named: named.or_else(|| (via == "extractor").then(|| type_name(&param.ty)).flatten()),
        through: None,
    };
    let injected = |marked: Marked, alias: Option<(Ustr, Site)>| Dependency {
        through: alias.or_else(|| through(db, marked.made)),
        ..dependency(
            marked.callable,
            marked.scopes,
            false,
            "dependency",
            marked.instance,
        )
    };
    let ty = if param.ty == Value::Unknown {
        None
    } else {
        Some(follow(db, tree, &seen(&param.ty)))
    };
    if let Some(default) = &param.default {
        let target = follow(db, tree, &seen(default));
        if let Some(marked) = marked(db, tree, &target, ty.as_ref()) {
            return vec![injected(marked, None)];
        }
        let half_typed = match &target {
            Target::External(name) => {
                crate::words::words().is_undefined(name) || packs().injection(*name).is_some()
            }
            // `Depends` without its call, `S()` of nothing.
            Target::Call { callee, .. } => {
                matches!(&**callee, Target::External(name) if crate::words::words().is_undefined(name))
            }
            _ => false,
        };
        if half_typed {
            let callable =
                Callable::External(target.external_name().unwrap_or_default(), Vec::new());
            return vec![dependency(callable, Vec::new(), false, "dependency", None)];
        }
    }
    let Some(ty) = ty else { return Vec::new() };
    if let Some(marked) = annotated(db, tree, &ty, 0) {
        // `user: CurrentUser`
        let alias = match &param.ty {
            Value::Name(_) | Value::Import(_) | Value::Field(_) => type_name(&param.ty),
            _ => None,
        };
        let site = marked.site.filter(|(_, place)| !place.in_body);
        return vec![injected(marked, alias.zip(site))];
    }
    // A type that nothing defines is half-typed: whatever it will inject. In TypeScript types inject nothing.
    let language = gatewatch_syntax::language(db, file);
    let erased = matches!(
        language,
        Some(
            gatewatch_syntax::facts::Language::TypeScript | gatewatch_syntax::facts::Language::Tsx
        )
    );
    if let Target::External(name) = &ty
        && !erased
        && (crate::words::words().is_undefined(name)
            || name.rsplit('.').next() == Some("Annotated"))
    {
        let callable = if name.ends_with("Annotated") {
            Callable::Unknown(ustr(""))
        } else {
            Callable::External(*name, Vec::new())
        };
        return vec![dependency(callable, Vec::new(), false, "dependency", None)];
    }
    if gatewatch_syntax::language(db, file) == Some(gatewatch_syntax::facts::Language::Rust) {
        let (inner, optional) = unwrapped(db, tree, &ty);
        let callable = if optional {
            optional_extractor(db, tree, &inner)
        } else {
            extractor(db, tree, &inner)
        };
        if let Some(callable) = callable {
            return vec![dependency(
                callable,
                Vec::new(),
                optional,
                "extractor",
                None,
            )];
        }
    }
    Vec::new()
}

/// `Annotated[T, Depends(f)]`, also behind aliases and inside unions.
fn annotated(db: &dyn Db, tree: FileSet, ty: &Target, depth: u32) -> Option<Marked> {
    if depth > 6 {
        return None;
    }
    match ty {
        Target::Index { base, args } => {
            let name = base.external_name()?;
            if !name.ends_with("Annotated") {
                return args
                    .iter()
                    .find_map(|arg| annotated(db, tree, &follow(db, tree, arg), depth + 1));
            }
            let first = args.first().map(|arg| follow(db, tree, arg));
            args.iter()
                .skip(1)
                .rev()
                .find_map(|arg| marked(db, tree, &follow(db, tree, arg), first.as_ref()))
                .or_else(|| annotated(db, tree, first.as_ref()?, depth + 1))
        }
        Target::Either(values) => values
            .iter()
            .find_map(|value| annotated(db, tree, &follow(db, tree, value), depth + 1)),
        _ => None,
    }
}

/// A dependency as a marker names it.
struct Marked {
    callable: Callable,
    /// The scopes that are demanded with it.
    scopes: Vec<Ustr>,
    /// The name of the instance that it is.
    instance: Option<Ustr>,
    /// Where that was made.
    made: Option<Site>,
    /// Where the marker stands.
    site: Option<Site>,
}

/// An instance that the whole module shares.
fn through(db: &dyn Db, made: Option<Site>) -> Option<(Ustr, Site)> {
    let site = made.filter(|(_, place)| !place.in_body)?;
    Some((crate::names::name_of(db, site)?, site))
}

/// The name of a module that holds what a call made, and where that is.
pub(crate) fn made_at(db: &dyn Db, made: &Target) -> Option<(Ustr, Site)> {
    through(db, site_of(made))
}

/// Where a call stands that was followed.
fn site_of(target: &Target) -> Option<Site> {
    let Target::Call { scope, .. } = target else {
        return None;
    };
    let Value::Result(result) = scope.value else {
        return None;
    };
    let (_, _, place) = scope.roles.call(result)?;
    Some((scope.file, place))
}

/// `Depends(f)`
fn marked(db: &dyn Db, tree: FileSet, target: &Target, ty: Option<&Target>) -> Option<Marked> {
    let Target::Call {
        callee,
        args,
        scope,
    } = target
    else {
        return None;
    };
    let Target::External(name) = &**callee else {
        return None;
    };
    let injection = packs().injection(*name)?;
    let at = |locator: &Locator| -> Option<Value> {
        locator.alternatives.iter().find_map(|at| match at {
            At::Position(index) => crate::names::argument(args, Some(*index), "").cloned(),
            At::Named(name) => crate::names::argument(args, None, name).cloned(),
            _ => None,
        })
    };
    let scopes = injection
        .scopes
        .as_ref()
        .and_then(&at)
        .map(|value| texts(db, tree, &scope.with(value)))
        .unwrap_or_default();
    let Some(value) = at(&injection.at) else {
        // `Depends()`: the type is the dependency.
        return Some(Marked {
            callable: callable_of(db, tree, ty?),
            scopes,
            instance: None,
            made: None,
            site: site_of(target),
        });
    };
    let written = match &value {
        Value::Name(name) => Some(*name),
        Value::Import(import) => import.name,
        Value::Field(field) => Some(field.1),
        _ => None,
    };
    let site = site_of(target);
    let target = follow(db, tree, &scope.with(value));
    let callable = callable_of(db, tree, &target);
    // An instance goes by its own name, and not by its class's.
    let instance = matches!(target, Target::Call { .. })
        && matches!(callable, Callable::Class(..) | Callable::External(..));
    Some(Marked {
        callable,
        scopes,
        instance: written.filter(|_| instance),
        made: site_of(&target).filter(|_| instance),
        site,
    })
}

/// The texts that a value lists; `…` for one that can't be told, and where one stands twice: it is being replaced.
fn texts(db: &dyn Db, tree: FileSet, seen: &Seen) -> Vec<Ustr> {
    match follow(db, tree, seen) {
        Target::Text(text) => vec![text],
        Target::List(items) => {
            let mut found: Vec<Ustr> = Vec::new();
            for text in items.iter().flat_map(|item| texts(db, tree, item)) {
                let twice = found.contains(&text);
                found.push(if twice { ustr("…") } else { text });
            }
            found
        }
        _ => vec![ustr("…")],
    }
}

/// Something that was followed as something that can be called to guard.
pub(crate) fn callable_of(db: &dyn Db, tree: FileSet, target: &Target) -> Callable {
    match target {
        Target::Function(file, id) => Callable::Function(*file, *id),
        Target::Class(file, id) => Callable::Class(*file, *id, Vec::new()),
        Target::External(name) => Callable::External(*name, Vec::new()),
        Target::Call {
            callee,
            args,
            scope,
        } => {
            let texts: Vec<(Option<Ustr>, Ustr)> = args
                .iter()
                .map(|arg| {
                    let name = match &arg.kind {
                        ArgumentKind::Named(name) => Some(*name),
                        _ => None,
                    };
                    (name, short(db, tree, &scope.with(arg.value.clone())))
                })
                .collect();
            let plain = || texts.iter().map(|(_, text)| *text).collect::<Vec<_>>();
            match &**callee {
                Target::Function(file, id) => {
                    let inner = crate::effects::made_by(db, *file, *id).map(|inner| (*file, inner));
                    Callable::Made {
                        maker: (*file, *id),
                        inner,
                        args: plain(),
                    }
                }
                Target::Class(file, id) => Callable::Class(*file, *id, plain()),
                other => match other.external_name() {
                    Some(name) => Callable::External(name, texts),
                    None => Callable::Unknown(ustr("call")),
                },
            }
        }
        // A method of an instance, or of a library's object.
        Target::Member(base, name) => match base.external_name() {
            Some(of) => Callable::External(ustr(&format!("{of}.{name}")), Vec::new()),
            None => Callable::Unknown(*name),
        },
        Target::Index { base, .. } => callable_of(db, tree, base),
        _ => Callable::Unknown(ustr("")),
    }
}

/// A value as a short text: what a person would compare.
fn short(db: &dyn Db, tree: FileSet, seen: &Seen) -> Ustr {
    match follow(db, tree, seen) {
        Target::Text(text) => text,
        Target::Bool(value) => ustr(if value { "true" } else { "false" }),
        Target::Null => ustr("null"),
        Target::List(items) => {
            let parts: Vec<String> = items
                .iter()
                .map(|item| short(db, tree, item).to_string())
                .collect();
            ustr(&parts.join(","))
        }
        Target::External(name) => name.rsplit('.').next().map_or(name, ustr),
        Target::Function(_, id) | Target::Class(_, id) => id,
        Target::Member(_, name) => name,
        // `RoleNeed("admin")`
        Target::Call { args, scope, .. } if !args.is_empty() => {
            let parts: Vec<Target> = args
                .iter()
                .map(|arg| follow(db, tree, &scope.with(arg.value.clone())))
                .collect();
            let texts: Option<Vec<&str>> = parts
                .iter()
                .map(|part| match part {
                    Target::Text(text) => Some(text.as_str()),
                    _ => None,
                })
                .collect();
            match texts {
                Some(texts) => ustr(&texts.join(",")),
                None => ustr("…"),
            }
        }
        _ => match &seen.value {
            Value::Field(field) => field.1,
            Value::Name(name) => *name,
            _ => ustr("…"),
        },
    }
}

/// Which part of the request a parameter is taken from: `x_key: str = Header()`, `sid: Annotated[str, Cookie()]`.
pub(crate) fn carried(
    db: &dyn Db,
    tree: FileSet,
    file: SourceFile,
    param: &ParamRole,
    signature: &Signature,
) -> Option<&'static str> {
    fn of(db: &dyn Db, tree: FileSet, target: &Target, depth: u32) -> Option<&'static str> {
        let words = crate::words::words();
        match target {
            Target::External(_) | Target::Call { .. } => {
                let name = target.external_name()?;
                if words.marks_header(&name) {
                    Some("headers")
                } else if words.marks_cookie(&name) {
                    Some("cookies")
                } else {
                    None
                }
            }
            Target::Index { base, args }
                if depth < 4 && base.external_name()?.ends_with("Annotated") =>
            {
                args.iter()
                    .skip(1)
                    .find_map(|arg| of(db, tree, &follow(db, tree, arg), depth + 1))
            }
            _ => None,
        }
    }
    let roles = std::sync::Arc::new(signature.scope.clone());
    let seen = |value: &Value| Seen {
        file,
        roles: std::sync::Arc::clone(&roles),
        value: value.clone(),
    };
    param
        .default
        .iter()
        .chain(std::iter::once(&param.ty))
        .find_map(|value| of(db, tree, &follow(db, tree, &seen(value)), 0))
}

/// The class of the workspace that a parameter's type is.
pub(crate) fn class_of(
    db: &dyn Db,
    tree: FileSet,
    file: SourceFile,
    param: &ParamRole,
    signature: &Signature,
) -> Option<(SourceFile, Ustr)> {
    let seen = Seen {
        file,
        roles: std::sync::Arc::new(signature.scope.clone()),
        value: param.ty.clone(),
    };
    match follow(db, tree, &seen) {
        Target::Class(file, id) => Some((file, id)),
        _ => None,
    }
}

/// Whether a parameter takes what the caller sends as content: `Json(body): Json<T>`, `Path(id): Path<i64>`.
pub(crate) fn is_content(
    db: &dyn Db,
    tree: FileSet,
    file: SourceFile,
    param: &ParamRole,
    signature: &Signature,
) -> bool {
    let roles = std::sync::Arc::new(signature.scope.clone());
    let ty = follow(
        db,
        tree,
        &Seen {
            file,
            roles,
            value: param.ty.clone(),
        },
    );
    ty.external_name().is_some_and(|name| {
        matches!(
            name.rsplit('.').next(),
            Some("Json" | "Form" | "Query" | "Path" | "Multipart" | "RawQuery" | "Bytes")
        )
    })
}

// ---- extractors -------------------------------------------------------------------------------

/// The type inside `Option<T>` and `Result<T, E>`, and whether there was such a wrapper.
fn unwrapped(db: &dyn Db, tree: FileSet, ty: &Target) -> (Target, bool) {
    if let Target::Index { base, args } = ty
        && let Some(name) = base.external_name()
        && matches!(name.rsplit('.').next(), Some("Option" | "Result"))
        && let Some(first) = args.first()
    {
        return (follow(db, tree, first), true);
    }
    (ty.clone(), false)
}

/// The name of an extractor's type as it is written, without what is around it.
fn type_name(value: &Value) -> Option<Ustr> {
    match value {
        Value::Name(name) => Some(*name),
        Value::Class(id) => Some(id.rsplit('.').next().map_or(*id, ustr)),
        Value::Named(named) => Some(named.1),
        Value::Field(field) => Some(field.1),
        Value::Import(import) => Some(import.name.unwrap_or_else(|| {
            import
                .module
                .rsplit([':', '.'])
                .next()
                .map_or(import.module, ustr)
        })),
        Value::Index(index) => {
            let base = type_name(&index.0)?;
            let inner = match &index.1 {
                Value::List(items) => items.first().map(|item| &item.value),
                other => Some(other),
            };
            match (base.as_str(), inner) {
                ("Option" | "Result" | "Extension", Some(inner)) => type_name(inner),
                _ => Some(base),
            }
        }
        _ => None,
    }
}

/// The method of a type that can reject a request, as a callable; the type itself where it is a library's.
fn extractor(db: &dyn Db, tree: FileSet, ty: &Target) -> Option<Callable> {
    implemented(db, tree, ty, false)
}

/// What makes a parameter that may be absent: an implementation for just that, else the one that can reject.
fn optional_extractor(db: &dyn Db, tree: FileSet, ty: &Target) -> Option<Callable> {
    implemented(db, tree, ty, true).or_else(|| implemented(db, tree, ty, false))
}

fn implemented(db: &dyn Db, tree: FileSet, ty: &Target, optional: bool) -> Option<Callable> {
    match ty {
        Target::Class(file, id) => {
            let class = class_roles(db, *file, *id)?;
            // The implementation may stand in another file; the type's own and then the whole tree is asked.
            for place in std::iter::once(*file).chain(implementing_files(db, tree, class.name)) {
                for (of, of_trait, block) in impls(db, place).iter() {
                    if *of != class.name {
                        continue;
                    }
                    let Some(of_trait) = of_trait else { continue };
                    for extractor in packs().extractors() {
                        if extractor.optional != optional || !extractor.traits.contains(of_trait) {
                            continue;
                        }
                        let implemented = class_roles(db, place, *block)?;
                        if let Some((_, method)) = implemented
                            .methods
                            .iter()
                            .find(|(name, _)| extractor.methods.contains(name))
                        {
                            return Some(Callable::Function(place, *method));
                        }
                    }
                }
            }
            None
        }
        Target::Index { base, args } => {
            // `Extension<CurrentUser>` rejects when nothing was attached; `State<T>` is no guard.
            // A typed header is a credential only where the header is.
            let header = base
                .external_name()
                .is_some_and(|name| name.ends_with("TypedHeader"));
            let authorization = args.iter().any(|arg| {
                follow(db, tree, arg)
                    .external_name()
                    .is_some_and(|name| name.contains("Authorization"))
            });
            if header && !authorization {
                return None;
            }
            implemented(db, tree, base, optional)
        }
        Target::External(name) => {
            // A trait's own name or a library's type: only those that packs know count.
            packs()
                .control(*name)
                .filter(|control| !control.effects.is_empty())?;
            Some(Callable::External(*name, Vec::new()))
        }
        _ => None,
    }
}

/// Where a type is told how it is made from a request, and when it rejects.
pub fn extracting_site(
    db: &dyn Db,
    tree: FileSet,
    file: SourceFile,
    id: Ustr,
) -> Option<crate::entry::Site> {
    match extractor(db, tree, &Target::Class(file, id))? {
        Callable::Function(file, method) => crate::places::function_site(db, file, method),
        _ => None,
    }
}

/// Whether a type of this name is made from requests.
pub(crate) fn is_extracted(db: &dyn Db, tree: FileSet, name: Ustr) -> bool {
    implementations(db, tree).contains_key(&name)
}

/// Files that implement a trait for a type of this name.
fn implementing_files(db: &dyn Db, tree: FileSet, name: Ustr) -> Vec<SourceFile> {
    implementations(db, tree)
        .get(&name)
        .cloned()
        .unwrap_or_default()
}

/// Rust types with the files in which they implement an extractor's trait.
#[salsa::tracked(returns(clone))]
fn implementations(
    db: &dyn Db,
    tree: FileSet,
) -> std::sync::Arc<std::collections::BTreeMap<Ustr, Vec<SourceFile>>> {
    let mut found: std::collections::BTreeMap<Ustr, Vec<SourceFile>> =
        std::collections::BTreeMap::new();
    for (path, file) in tree.files(db).iter() {
        if path.extension() != "rs" {
            continue;
        }
        for (of, of_trait, _) in impls(db, *file).iter() {
            let takes_part = of_trait.is_some_and(|name| {
                packs()
                    .extractors()
                    .any(|extractor| extractor.traits.contains(&name))
            });
            if takes_part {
                let files = found.entry(*of).or_default();
                if !files.contains(file) {
                    files.push(*file);
                }
            }
        }
    }
    std::sync::Arc::new(found)
}

/// Whether a function finds out who is calling.
///
/// A query of its own: a guard can have thousands of handlers behind it, and what they do depends on this
/// alone. Without it, each edit of the guard's checks would follow all of them again.
#[salsa::tracked(returns(copy), cycle_result = knows_nobody)]
fn knows_caller(db: &dyn Db, tree: FileSet, file: SourceFile, id: Ustr) -> bool {
    let effects = effects_of(db, tree, file, id, Use::Injected);
    let checks = effects
        .checks
        .iter()
        .any(|check| check.effect == crate::control::Effect::Authentication);
    checks || effects.returns_identity || effects.reads_identity
}

/// A function that is injected into itself.
fn knows_nobody(
    _db: &dyn Db,
    _revision: salsa::Id,
    _tree: FileSet,
    _file: SourceFile,
    _id: Ustr,
) -> bool {
    false
}

/// What a parameter has to do with who is calling, by what is injected into it.
pub(crate) fn param_kind(
    db: &dyn Db,
    tree: FileSet,
    file: SourceFile,
    param: &ParamRole,
    signature: &Signature,
) -> Option<crate::effects::ParamKindOf> {
    let dependency = of_param(db, tree, file, param, signature)
        .into_iter()
        .next()?;
    let of_effects = |file: SourceFile, id: Ustr| {
        if knows_caller(db, tree, file, id) {
            crate::effects::ParamKindOf::Identity
        } else {
            crate::effects::ParamKindOf::Nothing
        }
    };
    Some(match &dependency.callable {
        Callable::Function(file, id) => {
            let own = of_effects(*file, *id);
            // A dependency of a dependency can be what knows the caller.
            if own == crate::effects::ParamKindOf::Nothing
                && dependencies(db, tree, *file, *id)
                    .iter()
                    .any(|inner| names_identity(inner.param))
                && names_identity(param.name)
            {
                crate::effects::ParamKindOf::Identity
            } else {
                own
            }
        }
        Callable::Made { maker, inner, .. } => {
            let own = of_effects(maker.0, maker.1);
            match inner {
                Some((file, inner))
                    if own == crate::effects::ParamKindOf::Nothing
                        && names_identity(param.name)
                        && dependencies(db, tree, *file, *inner)
                            .iter()
                            .any(|inner| names_identity(inner.param)) =>
                {
                    crate::effects::ParamKindOf::Identity
                }
                _ => own,
            }
        }
        Callable::Class(file, id, _) => {
            match crate::names::method(db, tree, *file, *id, ustr("__call__")) {
                Some((file, method)) => of_effects(file, method),
                None if class_dependencies(db, tree, *file, *id).is_empty() => {
                    crate::effects::ParamKindOf::Data
                }
                None => crate::effects::ParamKindOf::Nothing,
            }
        }
        Callable::External(name, _) => match packs().control(*name) {
            Some(control) if control.effects.is_empty() => crate::effects::ParamKindOf::Nothing,
            Some(control) if control.strength.as_str() == "unknown" => {
                crate::effects::ParamKindOf::Credential
            }
            Some(_) => crate::effects::ParamKindOf::Identity,
            None if crate::words::words().sounds_like_guard(name)
                || crate::words::words().is_undefined(name) =>
            {
                crate::effects::ParamKindOf::Identity
            }
            None => crate::effects::ParamKindOf::Nothing,
        },
        Callable::Unknown(_) if names_identity(param.name) => crate::effects::ParamKindOf::Identity,
        Callable::Unknown(_) => crate::effects::ParamKindOf::Nothing,
    })
}

fn names_identity(name: Ustr) -> bool {
    crate::words::words().is_identity(name) || crate::words::words().is_credential(name)
}
