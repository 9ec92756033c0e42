//! Which control a condition imposes.

use gatewatch_syntax::facts::{Expr, ExprId, Operator};
use ustr::{Ustr, ustr};

use super::kind::Kind;
use super::walk::Walker;
use crate::control::Effect;
use crate::names::Target;

/// A control that a condition imposes.
pub(super) struct Classified {
    pub(super) effect: Effect,
    pub(super) demands: Vec<Ustr>,
    /// Whether each of them has to be met.
    pub(super) every: bool,
}

#[derive(Default)]
struct Features {
    /// A comparison of the identity with a field of something else.
    ownership: bool,
    authorization: bool,
    /// What the identity is compared with came with the request; nothing was loaded.
    of_request: bool,
    /// The plain presence or validity of an identity.
    presence: bool,
    texts: Vec<Ustr>,
    /// What is demanded are rights, each of which has to be there, and not roles, of which one is enough.
    every: bool,
}

/// The controls of a condition, authentication first.
pub(super) fn classify(
    walker: &mut Walker<'_>,
    test: ExprId,
    kind: Kind,
    status: Option<u16>,
) -> Vec<Classified> {
    let mut features = Features::default();
    look(walker, test, &mut features, 0);
    let mut found = Vec::new();
    if kind.scoped && !features.ownership && !features.authorization {
        // What was loaded for the caller isn't there: the query asked whose it is.
        return vec![Classified {
            effect: Effect::Ownership,
            demands: Vec::new(),
            every: false,
        }];
    }
    if features.presence || !features.ownership && !features.authorization {
        // Presence beside a role test is the same guard's authentication.
        if !(features.ownership || features.authorization) || features.presence {
            found.push(Classified {
                effect: Effect::Authentication,
                demands: Vec::new(),
                every: false,
            });
        }
    }
    if features.authorization {
        features.texts.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        features.texts.dedup();
        found.push(Classified {
            effect: Effect::Authorization,
            demands: std::mem::take(&mut features.texts),
            every: features.every,
        });
    }
    // `!isAdmin && req.params.id !== user.id`: who may, or oneself.
    if features.ownership && !(features.authorization && features.of_request) {
        found.push(Classified {
            effect: Effect::Ownership,
            demands: Vec::new(),
            every: false,
        });
    }
    let _ = status;
    found
}

fn look(walker: &mut Walker<'_>, expr: ExprId, features: &mut Features, depth: u32) {
    if depth > 12 {
        return;
    }
    match walker.code.expr(expr) {
        Expr::Not(inner) | Expr::Await(inner) | Expr::Unary(inner) | Expr::Try(inner) => {
            look(walker, inner, features, depth + 1);
        }
        Expr::Binary {
            op: Operator::And | Operator::Or | Operator::Coalesce,
            left,
            right,
        } => {
            look(walker, left, features, depth + 1);
            look(walker, right, features, depth + 1);
        }
        Expr::Binary { op, left, right } => {
            let (a, b) = (walker.value(left), walker.value(right));
            if !(a.asks() || b.asks()) {
                return;
            }
            let null = |walker: &Walker<'_>, id| matches!(walker.code.expr(id), Expr::Null);
            if null(walker, left) || null(walker, right) {
                features.presence = true;
                return;
            }
            let constant = |walker: &Walker<'_>, id: ExprId| {
                matches!(
                    walker.code.expr(id),
                    Expr::Str(_) | Expr::Number(_) | Expr::Bool(_) | Expr::List(_) | Expr::Tuple(_)
                )
            };
            let names_role = names_role(walker, expr);
            if names_role {
                features.authorization = true;
                features.every |= names(walker, expr)
                    .into_iter()
                    .any(|name| walker.words.demands_every(name));
                texts(walker, expr, &mut features.texts, 0);
                return;
            }
            if matches!(op, Operator::In | Operator::NotIn)
                || constant(walker, left)
                || constant(walker, right)
            {
                let owns = names(walker, expr)
                    .into_iter()
                    .any(|name| walker.words.is_ownership(name) && !walker.words.is_identity(name));
                if owns && !constant(walker, left) && !constant(walker, right) {
                    features.ownership = true;
                } else {
                    features.presence = true;
                }
                return;
            }
            // The identity against a field of something that isn't the identity.
            let other = if a.identity { right } else { left };
            let other_kind = if a.identity { b } else { a };
            let field = match walker.code.expr(other) {
                Expr::Attr { name, .. } => walker.words.is_ownership(name),
                Expr::Name(name) => {
                    walker.words.is_ownership(name) && !walker.words.is_credential(name)
                }
                _ => names(walker, other)
                    .into_iter()
                    .any(|name| walker.words.is_ownership(name)),
            };
            if (a.identity || b.identity)
                && matches!(
                    op,
                    Operator::Eq | Operator::Ne | Operator::Is | Operator::IsNot
                )
                && (field || other_kind.loaded || other_kind.data)
            {
                features.ownership = true;
                features.of_request |= other_kind.data && !other_kind.loaded;
            } else {
                features.presence = true;
            }
        }
        Expr::Bind { value, pattern } => {
            let before = features.texts.len();
            look(walker, value, features, depth + 1);
            // `matches!(user.role, Role::Admin | Role::Support)`: what is demanded stands in the pattern.
            let mut found = Vec::new();
            texts(walker, pattern, &mut found, 0);
            if features.authorization && !found.is_empty() {
                features.texts.truncate(before);
                features.texts.extend(found);
            }
        }
        // `allowed = user["role"] == "admin"`
        Expr::Name(name)
            if walker.only_value(name).is_some_and(|value| {
                matches!(walker.code.expr(value), Expr::Binary { .. } | Expr::Not(_))
            }) =>
        {
            if let Some(value) = walker.only_value(name) {
                look(walker, value, features, depth + 1);
            }
        }
        Expr::Call { callee, args } | Expr::New { callee, args } => {
            let last = match walker.code.expr(callee) {
                Expr::Attr { name, .. } | Expr::Name(name) => Some(name),
                _ => None,
            };
            // `user.roles.includes("admin")`, `has_perm(user, "x")`, `user.scopes.contains(&scope)`
            let role = last.is_some_and(|name| walker.words.is_authorization(name))
                || names_role(walker, expr);
            if role {
                features.authorization = true;
                features.every |= names(walker, expr)
                    .into_iter()
                    .any(|name| walker.words.demands_every(name));
                texts(walker, expr, &mut features.texts, 0);
                return;
            }
            let arguments: Vec<ExprId> =
                walker.code.args(args).iter().map(|arg| arg.value).collect();
            // `item.owner.equals(req.user.id)`
            let equals = last.is_some_and(|name| {
                matches!(
                    name.as_str(),
                    "equals" | "eq" | "ne" | "includes" | "contains"
                )
            });
            if equals && arguments.iter().any(|&arg| walker.value(arg).identity) {
                let owner = names(walker, callee)
                    .into_iter()
                    .any(|name| walker.words.is_ownership(name));
                if owner || walker.value(callee).loaded {
                    features.ownership = true;
                    return;
                }
            }
            // `owns(req.user, order)`: a predicate of the workspace.
            if let Target::Function(file, id) = walker.callee_target(callee) {
                let kinds: Vec<Kind> = arguments.iter().map(|&arg| walker.value(arg)).collect();
                let inner = walker.inlined((file, id), &kinds, |walker, value| {
                    let mut inner = Features::default();
                    look(walker, value, &mut inner, depth + 1);
                    inner
                });
                if let Some(inner) = inner
                    && (inner.ownership || inner.authorization)
                {
                    features.ownership |= inner.ownership;
                    features.of_request |= inner.of_request;
                    features.authorization |= inner.authorization;
                    features.presence |= inner.presence;
                    features.every |= inner.every;
                    features.texts.extend(inner.texts);
                    return;
                }
            }
            features.presence = true;
        }
        Expr::Attr { name, base } => {
            if walker.words.is_authorization(name) && walker.value(base).asks() {
                features.authorization = true;
                features.every |= walker.words.demands_every(name);
                features.texts.push(name);
            } else {
                features.presence = true;
            }
        }
        // `const isAdmin = user.role === "admin"; if (!isAdmin) …`
        Expr::Name(name) if walker.words.is_authorization(name) && is_predicate(&name) => {
            features.authorization = true;
            features.every |= walker.words.demands_every(name);
        }
        // `!order || order.owner !== user.id`: whether it was found is no question of who calls.
        _ => features.presence |= walker.peek(expr).asks(),
    }
}

/// Whether a name says that it holds an answer.
fn is_predicate(name: &str) -> bool {
    let name = name.to_lowercase();
    ["is", "has", "can", "may"]
        .iter()
        .any(|word| name.starts_with(word))
}

/// Whether an expression names roles or rights. The `scope` of a request is none.
fn names_role(walker: &Walker<'_>, expr: ExprId) -> bool {
    names(walker, expr).into_iter().any(|name| {
        walker.words.is_authorization(name)
            && !walker.env.get(&name).is_some_and(|kind| kind.request)
    })
}

/// The names that an expression mentions: members and plain names.
pub(super) fn names(walker: &Walker<'_>, expr: ExprId) -> Vec<Ustr> {
    let mut found = Vec::new();
    let mut stack = vec![expr];
    while let Some(expr) = stack.pop() {
        if found.len() > 64 {
            break;
        }
        match walker.code.expr(expr) {
            Expr::Name(name) => found.push(name),
            Expr::Attr { base, name } => {
                found.push(name);
                stack.push(base);
            }
            Expr::Index { base, index } => {
                if let Some(text) = walker.code.str_of(index) {
                    found.push(ustr(text));
                }
                stack.extend([base, index]);
            }
            Expr::Call { callee, args } | Expr::New { callee, args } => {
                stack.push(callee);
                stack.extend(walker.code.args(args).iter().map(|arg| arg.value));
            }
            Expr::List(args) | Expr::Tuple(args) => {
                stack.extend(walker.code.args(args).iter().map(|arg| arg.value));
            }
            Expr::Not(inner) | Expr::Await(inner) | Expr::Unary(inner) | Expr::Try(inner) => {
                stack.push(inner)
            }
            Expr::Binary { left, right, .. } => stack.extend([left, right]),
            Expr::Bind { pattern, value } => stack.extend([pattern, value]),
            _ => {}
        }
    }
    found
}

/// The constants that a test names: texts, and the last names of enumeration members.
pub(super) fn texts(walker: &Walker<'_>, expr: ExprId, out: &mut Vec<Ustr>, depth: u32) {
    if depth > 12 {
        return;
    }
    let children: Vec<ExprId> = match walker.code.expr(expr) {
        Expr::Str(text) => {
            out.push(ustr(walker.code.string(text)));
            return;
        }
        // `ADMINS` of `ADMINS = ("admin", "owner")`
        Expr::Name(name)
            if !walker.env.contains_key(&name)
                && !walker.captured.contains(&name)
                && name.starts_with(char::is_uppercase)
                && !name.contains(char::is_lowercase) =>
        {
            let target = walker.lookup(name);
            constants(walker, &target, out, 0);
            return;
        }
        Expr::Attr { base, name } => {
            // `Role.ADMIN`, `Role::Admin`
            let upper = name.chars().next().is_some_and(char::is_uppercase);
            if upper {
                out.push(name);
                return;
            }
            vec![base]
        }
        Expr::Call { callee, args } | Expr::New { callee, args } => {
            let mut all: Vec<ExprId> = Vec::new();
            if !matches!(walker.code.expr(callee), Expr::Name(_)) {
                all.push(callee);
            }
            all.extend(walker.code.args(args).iter().map(|arg| arg.value));
            all
        }
        Expr::List(args) | Expr::Tuple(args) => {
            walker.code.args(args).iter().map(|arg| arg.value).collect()
        }
        Expr::Not(inner) | Expr::Await(inner) | Expr::Unary(inner) => vec![inner],
        Expr::Binary { left, right, .. } => vec![left, right],
        Expr::Bind { pattern, value } => vec![pattern, value],
        _ => Vec::new(),
    };
    for child in children {
        texts(walker, child, out, depth + 1);
    }
}

/// Stands for a demand that can't be told.
const UNTOLD: &str = "…";

/// The texts of a constant.
fn constants(walker: &Walker<'_>, target: &Target, out: &mut Vec<Ustr>, depth: u32) {
    match target {
        Target::Text(text) => out.push(*text),
        Target::List(items) if depth < 3 => {
            for item in items.iter().take(32) {
                let item = crate::names::follow(walker.db, walker.tree, item);
                constants(walker, &item, out, depth + 1);
            }
        }
        Target::External(name) => out.push(name.rsplit('.').next().map_or(*name, ustr)),
        // `frozenset({"admin", "owner"})`
        Target::Call {
            callee,
            args,
            scope,
        } if depth < 3
            && matches!(&**callee, Target::External(name)
                if matches!(name.as_str(), "frozenset" | "set" | "tuple" | "list")) =>
        {
            for arg in args.iter() {
                let seen = scope.with(arg.value.clone());
                let given = crate::names::follow(walker.db, walker.tree, &seen);
                constants(walker, &given, out, depth + 1);
            }
        }
        Target::Function(..) | Target::Class(..) | Target::Module(_) => {}
        // In Rust it may be a parameter of the type.
        _ if walker.is_python() || walker.is_script() => out.push(ustr(UNTOLD)),
        _ => {}
    }
}
