//! Paths: what has been asked of the caller on the way that is being walked, and on the least guarded way on which a
//! function lets a request pass.
//!
//! A check guards what stands behind it on its own path only. A guard enforces if *every* way out of it that lets the
//! request go on leads past an answer that says who calls.

use super::classify::names;
use super::kind::Kind;
use super::reach::{How, Reach};
use super::target::View;
use super::walk::Walker;
use super::{Check, Use};
use crate::control::{Effect, Strength};
use gatewatch_frameworks::Signature;
use gatewatch_syntax::facts::{ArgKind, Expr, ExprId, Operator, Run, Stmt};
use ustr::Ustr;

/// How sure it is that something was asked on the way here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Sure {
    No,
    /// By something that can't be told.
    Maybe,
    /// A credential was sent. Whether it is a good one may be found out later.
    Sent,
    Yes,
}

/// What has been asked on a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Asked {
    /// Who calls.
    pub(super) identity: Sure,
    /// What the caller may do.
    pub(super) right: Sure,
}

impl Asked {
    pub(super) const NOTHING: Self = Self {
        identity: Sure::No,
        right: Sure::No,
    };
    pub(super) const ALL: Self = Self {
        identity: Sure::Yes,
        right: Sure::Yes,
    };

    /// What is sure whichever of two ways was taken.
    pub(super) fn either(self, other: Self) -> Self {
        Self {
            identity: self.identity.min(other.identity),
            right: self.right.min(other.right),
        }
    }

    /// What is sure once both were asked.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            identity: self.identity.max(other.identity),
            right: self.right.max(other.right),
        }
    }
}

/// Where a function lets a request go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Passing {
    /// Where it returns.
    Return,
    /// Where it calls what it stands in front of: `next()`, `call_next(request)`, the function that it decorates.
    Continuation,
}

impl Walker<'_> {
    /// What is known of the caller on the side of a test where it holds, or doesn't.
    ///
    /// `refused`: the other side is refused for it.
    pub(super) fn learns(&mut self, test: ExprId, holds: bool, refused: bool) -> Asked {
        self.learned(test, (holds, refused), 0)
    }

    fn learned(&mut self, test: ExprId, (holds, refused): (bool, bool), depth: u32) -> Asked {
        if depth > 12 {
            return Asked::NOTHING;
        }
        match self.code.expr(test) {
            Expr::Not(inner) => self.learned(inner, (!holds, refused), depth + 1),
            Expr::Await(inner) | Expr::Try(inner) | Expr::Unary(inner) => {
                self.learned(inner, (holds, refused), depth + 1)
            }
            Expr::Binary {
                op: op @ (Operator::And | Operator::Or),
                left,
                right,
            } => {
                let a = self.learned(left, (holds, refused), depth + 1);
                let b = self.learned(right, (holds, refused), depth + 1);
                // Both sides of an `and` that holds do, and both of an `or` that doesn't, don't.
                if (op == Operator::And) == holds {
                    a.and(b)
                } else if self.is_way_round(left, right) || self.is_way_round(right, left) {
                    Asked::NOTHING
                } else {
                    a.either(b)
                }
            }
            Expr::Binary {
                op: Operator::Coalesce,
                left,
                right,
            } => {
                let a = self.learned(left, (holds, refused), depth + 1);
                let b = self.learned(right, (holds, refused), depth + 1);
                a.either(b)
            }
            _ => self.answered(test, holds, refused),
        }
    }

    /// Whether a test is a way round another one that anybody can read and take: `user || header === "yes"`.
    fn is_way_round(&mut self, test: ExprId, other: ExprId) -> bool {
        let (kind, by) = (self.peek(test), self.peek(other));
        kind.only_header()
            && (by.identity || by.credential)
            && match self.code.expr(test) {
                Expr::Name(name) => self
                    .only_value(name)
                    .is_some_and(|value| self.needs_no_secret(value, 0)),
                _ => self.needs_no_secret(test, 0),
            }
    }

    /// What a plain test says of the caller.
    fn answered(&mut self, test: ExprId, holds: bool, refused: bool) -> Asked {
        let kind = self.peek(test);
        if !kind.asks() {
            // `if configured and not user: deny`: a guard that is configured counts as configured. One for some methods
            // is a check of those.
            return if refused && (self.names_setting(test) || self.names_target(test)) {
                Asked::ALL
            } else {
                Asked::NOTHING
            };
        }
        let text = |id: ExprId| matches!(self.code.expr(id), Expr::Str(_));
        let sure = match self.code.expr(test) {
            // `req.headers["x-client"] === "mobile"`: a way round that anybody can read and take.
            Expr::Binary { left, right, .. }
                if kind.only_header() && !refused && (text(left) || text(right)) =>
            {
                Sure::No
            }
            Expr::Binary { op, left, right } => {
                let null = matches!(self.code.expr(left), Expr::Null)
                    || matches!(self.code.expr(right), Expr::Null);
                match op {
                    Operator::Eq | Operator::Is => holds != null,
                    Operator::Ne | Operator::IsNot => holds == null,
                    Operator::In => holds,
                    Operator::NotIn => !holds,
                    _ => true,
                }
                .into()
            }
            // A header that could be anything says something only where it is compared.
            _ if kind.only_header() && !refused => Sure::No,
            _ => match (self.polarity(test) == Some(holds), self.is_itself(test)) {
                (true, _) if kind.identity || kind.scoped => Sure::Yes,
                (true, _) => Sure::Sent,
                (false, true) => Sure::No,
                // `if locked(user): deny`: what the others are is the callee's secret.
                (false, false) => Sure::Maybe,
            },
        };
        let role = names(self, test)
            .into_iter()
            .any(|name| self.words.is_authorization(name));
        Asked {
            identity: sure,
            right: match (role, refused) {
                (true, _) => sure,
                // Refused for something that names no right may be refused for one.
                (false, true) => Sure::Maybe,
                (false, false) => Sure::No,
            },
        }
    }

    /// Whether a side of a test says that what was sent leads to nobody: `if (err)`, `if not user`.
    pub(super) fn disproves(&mut self, test: ExprId, holds: bool, depth: u32) -> bool {
        match self.code.expr(test) {
            Expr::Not(inner) => self.disproves(inner, !holds, depth + 1),
            Expr::Await(inner) | Expr::Unary(inner) => self.disproves(inner, holds, depth + 1),
            Expr::Binary {
                op: Operator::And | Operator::Or,
                left,
                right,
            } => {
                depth < 12
                    && (self.disproves(left, holds, depth + 1)
                        || self.disproves(right, holds, depth + 1))
            }
            Expr::Name(_) => {
                let kind = self.peek(test);
                (kind.identity || kind.credential && self.polarity(test) == Some(false))
                    && self.is_itself(test)
                    && self.polarity(test) != Some(holds)
            }
            _ => false,
        }
    }

    /// Whether a test says on this side no more than that there is somebody: `if session.user`, `if name and await
    /// find_user(name) is not None`.
    pub(super) fn finds_somebody(&mut self, test: ExprId, holds: bool, depth: u32) -> bool {
        if depth > 12 {
            return false;
        }
        match self.code.expr(test) {
            Expr::Not(inner) => self.finds_somebody(inner, !holds, depth + 1),
            Expr::Await(inner) | Expr::Unary(inner) => self.finds_somebody(inner, holds, depth + 1),
            Expr::Binary {
                op: op @ (Operator::And | Operator::Or),
                left,
                right,
            } if (op == Operator::And) == holds => {
                let sides = [left, right].map(|side| {
                    let found = self.finds_somebody(side, holds, depth + 1);
                    (self.peek(side).asks(), found, self.looks_up(side))
                });
                sides.iter().any(|(asks, ..)| *asks)
                    && (sides.iter().all(|(asks, found, _)| !asks || *found)
                        || sides
                            .iter()
                            .any(|(_, found, looked_up)| *found && *looked_up))
            }
            Expr::Binary {
                op: op @ (Operator::Eq | Operator::Ne | Operator::Is | Operator::IsNot),
                left,
                right,
            } if matches!(self.code.expr(right), Expr::Null) => {
                matches!(op, Operator::Ne | Operator::IsNot) == holds
                    && self.is_itself(left)
                    && self.polarity(left) == Some(true)
            }
            _ => self.is_itself(test) && self.polarity(test) == Some(holds),
        }
    }

    /// Whether a test looks somebody up: `await find_user(name) is not None`.
    fn looks_up(&self, test: ExprId) -> bool {
        match self.code.expr(test) {
            Expr::Not(inner) | Expr::Await(inner) | Expr::Unary(inner) => self.looks_up(inner),
            Expr::Binary { left, right, .. } => self.looks_up(left) || self.looks_up(right),
            Expr::Call { callee, .. } => {
                matches!(self.code.expr(callee), Expr::Attr { name, .. } | Expr::Name(name)
                    if self.words.looks_up_identity(name))
            }
            _ => false,
        }
    }

    /// Whether a test is an identity or credential by itself, and nothing that is asked of it.
    pub(super) fn is_itself(&self, test: ExprId) -> bool {
        match self.code.expr(test) {
            Expr::Await(inner) => self.is_itself(inner),
            Expr::Name(name) => {
                self.words.is_identity(name)
                    || self.words.is_credential(name)
                    // What a callback is told of a failure.
                    || self.polarity(test) == Some(false)
            }
            Expr::Attr { name, .. } => {
                self.words.is_identity(name) || self.words.is_credential(name)
            }
            Expr::Index { .. } | Expr::Bind { .. } | Expr::Assign { .. } => true,
            // `user.get("locked")` asks something of somebody.
            Expr::Call { callee, .. }
                if matches!(self.code.expr(callee), Expr::Attr { base, name }
                    if name == "get"
                        && matches!(self.code.expr(base), Expr::Name(of)
                            if self.env.get(&of).is_some_and(|kind| kind.identity || kind.credential))) =>
            {
                false
            }
            // `session.get("user")`
            Expr::Call { callee, .. } => {
                matches!(self.code.expr(callee), Expr::Attr { name, .. } | Expr::Name(name)
                    if matches!(name.as_str(), "get" | "header" | "cookie" | "is_none" | "is_some" | "is_ok" | "is_err" | "is_empty")
                        || self.words.is_identity(name)
                        || self.words.looks_up_identity(name))
            }
            _ => false,
        }
    }

    /// A request goes on here.
    pub(super) fn lets_pass(&mut self) {
        if self.passing == Passing::Return && (self.closures > 0 || self.valued) {
            return;
        }
        self.let_pass += 1;
        let mut asked = self.asked;
        for condition in self.conditions.clone() {
            if !condition.inside || condition.kind.asks() {
                continue;
            }
            let reach = self.reach_of(&condition, View::Target);
            let by_target = reach.names_target();
            let (by_setting, by_question) = self.within(&condition, |walker| {
                let untold = reach == Reach::Unknown && walker.names_path(condition.test);
                (
                    walker.names_setting(condition.test),
                    untold
                        || walker.questions_request(condition.test)
                        || walker.is_unread(condition.test, 0),
                )
            });
            // Which requests a list of paths leaves open is asked of each entry point; a guard that is configured
            // counts as configured.
            if by_setting || by_target && self.used != Use::Handler {
                return;
            }
            // `if is_open(request): return`
            if by_question && self.used != Use::Handler {
                asked.identity = asked.identity.max(Sure::Maybe);
            }
        }
        let when = self.when(None);
        match self.passes_for.iter_mut().find(|(own, _)| *own == when) {
            Some((_, open)) => *open = open.either(asked),
            None => self.passes_for.push((when, asked)),
        }
    }

    /// Whether a test asks a function what it thinks of the request.
    fn questions_request(&self, test: ExprId) -> bool {
        match self.code.expr(test) {
            Expr::Not(inner) | Expr::Await(inner) => self.questions_request(inner),
            Expr::Binary { left, right, .. } => {
                self.questions_request(left) || self.questions_request(right)
            }
            Expr::Call { args, .. } => self.code.args(args).iter().any(|arg| {
                matches!(self.code.expr(arg.value), Expr::Name(name)
                    if self.env.get(&name).is_some_and(|kind| kind.request))
            }),
            _ => false,
        }
    }

    /// Whether a test asks what the request is sent to.
    pub(super) fn names_target(&mut self, test: ExprId) -> bool {
        let condition = self.condition(test, Kind::NONE, true, true);
        self.reach_of(&condition, View::Target).names_target()
    }

    /// Whether a test is written in a way that the facts don't hold: half of it, or a macro of its own.
    fn is_unread(&self, test: ExprId, depth: u32) -> bool {
        let parts: Vec<ExprId> = match self.code.expr(test) {
            Expr::Unknown => return true,
            Expr::Call { callee, .. } => {
                return matches!(self.code.expr(callee), Expr::Name(name) if name.ends_with('!'));
            }
            Expr::Not(inner) | Expr::Await(inner) | Expr::Unary(inner) => vec![inner],
            Expr::Binary { left, right, .. } => vec![left, right],
            Expr::Bind { pattern, value } => vec![pattern, value],
            _ => return false,
        };
        depth < 12
            && parts
                .into_iter()
                .any(|part| self.is_unread(part, depth + 1))
    }

    /// Whether what is returned from a handler is worth nothing to a caller who wasn't asked: an error, a way elsewhere, a
    /// constant before anything was done.
    pub(super) fn is_worthless(&self, value: ExprId) -> bool {
        self.answers_error(value, 0) || !self.wrote && self.is_constant(value, 0)
    }

    fn is_constant(&self, value: ExprId, depth: u32) -> bool {
        let all = |args: Run| {
            self.code
                .args(args)
                .iter()
                .all(|arg| self.is_constant(arg.value, depth + 1))
        };
        match self.code.expr(value) {
            Expr::Null | Expr::Bool(_) | Expr::Number(_) | Expr::Str(_) => true,
            Expr::List(args) | Expr::Tuple(args) | Expr::Dict(args) => depth < 6 && all(args),
            _ => false,
        }
    }

    /// Whether an expression answers with an error or sends the caller elsewhere.
    pub(super) fn answers_error(&self, value: ExprId, depth: u32) -> bool {
        if depth > 8 {
            return false;
        }
        match self.code.expr(value) {
            Expr::Await(inner) | Expr::Unary(inner) => self.answers_error(inner, depth + 1),
            Expr::Call { callee, args } | Expr::New { callee, args } => {
                let (name, base) = match self.code.expr(callee) {
                    Expr::Attr { name, base } => (name, Some(base)),
                    Expr::Name(name) => (name, None),
                    _ => return false,
                };
                let plain = crate::words::plain(&name);
                plain.starts_with("redirect")
                    || base.is_none() && name.as_str() == "Err"
                    || self.states_error(args)
                    || base.is_some_and(|base| self.answers_error(base, depth + 1))
                    // `Redirect::to("/")`
                    || base.is_some_and(|base| matches!(self.code.expr(base), Expr::Name(name) if name.as_str() == "Redirect"))
            }
            Expr::Tuple(args) => self.states_error(args),
            Expr::Attr { name, .. } | Expr::Name(name) => is_error_status(name),
            _ => false,
        }
    }

    fn states_error(&self, args: Run) -> bool {
        self.code
            .args(args)
            .iter()
            .any(|arg| match self.code.expr(arg.value) {
                Expr::Number(text) => self
                    .code
                    .string(text)
                    .parse::<u16>()
                    .is_ok_and(|status| (400..600).contains(&status)),
                Expr::Attr { name, .. } | Expr::Name(name) => is_error_status(name),
                _ => false,
            })
    }

    /// Whether a call goes on to what this function stands in front of.
    pub(super) fn goes_on_to(&self, callee: ExprId, args: Run) -> bool {
        match self.code.expr(callee) {
            Expr::Name(name) => match name.as_str() {
                "next" | "_next" => self.env.contains_key(&name) && !self.hands_error(args),
                "call_next" => self.env.contains_key(&name),
                // `view(*args, **kwargs)`
                _ => {
                    self.is_captured(name)
                        && self
                            .code
                            .args(args)
                            .iter()
                            .any(|arg| matches!(arg.kind, ArgKind::Spread | ArgKind::SpreadMap))
                }
            },
            Expr::Attr { base, name } => match self.code.expr(base) {
                // `next.run(request)`
                Expr::Name(of) if of.as_str() == "next" => self.env.contains_key(&of),
                // `self.app(scope, receive, send)`, `self.get_response(request)`
                Expr::Name(of) if matches!(of.as_str(), "self" | "this") => {
                    matches!(name.as_str(), "app" | "get_response" | "next")
                }
                // `self.inner.call(request)`
                Expr::Attr { base, name: of } => {
                    matches!(self.code.expr(base), Expr::Name(own) if own.as_str() == "self")
                        && matches!(of.as_str(), "inner" | "service" | "next")
                        && name.as_str() == "call"
                }
                // `super().dispatch(…)`
                Expr::Call { callee, .. } => {
                    matches!(self.code.expr(callee), Expr::Name(of) if of.as_str() == "super")
                        && self.owner.rsplit('.').next() == Some(name.as_str())
                        && name.starts_with("dispatch")
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a statement's value is a call of the function that this one stands in front of: `return handler(req, res)`.
    pub(super) fn hands_over(&self, value: ExprId) -> bool {
        match self.code.expr(value) {
            Expr::Await(inner) | Expr::Try(inner) | Expr::Yield(inner) => self.hands_over(inner),
            Expr::Call { callee, .. } => {
                matches!(self.code.expr(callee), Expr::Name(name) if self.is_captured(name))
            }
            _ => false,
        }
    }

    /// Whether a name is a parameter of a function around this one.
    fn is_captured(&self, name: Ustr) -> bool {
        // What a promise fails with goes nowhere.
        self.captured.contains(&name) && !self.env.contains_key(&name) && name != "reject"
    }

    /// `next(error)`
    fn hands_error(&self, args: Run) -> bool {
        self.code
            .args(args)
            .iter()
            .any(|arg| !matches!(self.code.expr(arg.value), Expr::Null | Expr::Str(_)))
    }

    /// How a function lets requests pass.
    pub(super) fn passing_of(&self, signature: &Signature) -> Passing {
        let takes_next = signature
            .params
            .iter()
            .any(|param| matches!(param.name.as_str(), "next" | "_next" | "call_next"));
        let calls = || {
            self.code.exprs.iter().any(|expr| match *expr {
                Expr::Call { callee, args } => self.goes_on_to(callee, args),
                _ => false,
            }) || self.code.stmts.iter().any(|stmt| match *stmt {
                Stmt::Expr(value) | Stmt::Tail(value) | Stmt::Return(Some(value)) => {
                    self.hands_over(value)
                }
                _ => false,
            })
        };
        if self.used != Use::Handler && (takes_next || calls()) {
            Passing::Continuation
        } else {
            Passing::Return
        }
    }

    /// What has been asked on the least guarded way out, for the requests of a check.
    fn least(&self, when: Option<&Reach>) -> Asked {
        self.passes_for
            .iter()
            .filter(|(own, _)| !disjoint(own.as_ref(), when))
            .fold(Asked::ALL, |least, (_, asked)| least.either(*asked))
    }

    /// Checks hold no further than the least guarded way out.
    pub(super) fn judge(&mut self) {
        let strength = |sure| match sure {
            Sure::No => Strength::Optional,
            Sure::Maybe => Strength::Unknown,
            Sure::Sent | Sure::Yes => Strength::Enforcing,
        };
        let mut checks = std::mem::take(&mut self.effects.checks);
        for check in &mut checks {
            let open = self.least(check.when.as_ref());
            match check.effect {
                Effect::Authentication => {
                    check.strength = check.strength.min(strength(open.identity));
                }
                Effect::Authorization if open.right == Sure::No => {
                    check.strength = check.strength.min(Strength::Optional);
                }
                _ => {}
            }
        }
        // A role that is asked on some paths alone is no proof that the caller is known.
        let authenticates = |check: &Check| check.effect == Effect::Authentication;
        if !checks.iter().any(authenticates)
            && let Some(at) = checks
                .iter()
                .position(|check| check.effect == Effect::Authorization)
            && let Some(role) = checks.get(at).cloned()
        {
            let identity = strength(self.least(role.when.as_ref()).identity);
            if identity < Strength::Enforcing {
                let known = Check {
                    effect: Effect::Authentication,
                    strength: identity,
                    demands: Vec::new(),
                    ..role
                };
                checks.insert(at, known);
            }
        }
        self.effects.checks = checks;
    }
}

/// Whether no request can be one of both.
fn disjoint(a: Option<&Reach>, b: Option<&Reach>) -> bool {
    fn parts(reach: &Reach) -> &[Reach] {
        match reach {
            Reach::All(parts) => parts,
            one => std::slice::from_ref(one),
        }
    }
    let (Some(a), Some(b)) = (a, b) else {
        return false;
    };
    parts(a).iter().any(|one| {
        parts(b).iter().any(|other| match (one, other) {
            (
                Reach::Target {
                    part,
                    how: How::Is,
                    texts,
                    ..
                },
                Reach::Target {
                    part: of,
                    how: How::Is,
                    texts: others,
                    ..
                },
            ) => part == of && !texts.iter().any(|text| others.contains(text)),
            _ => *one == other.clone().negated(),
        })
    })
}

impl From<bool> for Sure {
    fn from(known: bool) -> Self {
        if known { Self::Yes } else { Self::No }
    }
}

/// Whether a constant's name is that of an error's status.
fn is_error_status(name: Ustr) -> bool {
    let plain = crate::words::plain(&name);
    plain.starts_with("http4")
        || plain.starts_with("http5")
        || matches!(
            plain.as_str(),
            "badrequest"
                | "unauthorized"
                | "forbidden"
                | "notfound"
                | "methodnotallowed"
                | "notacceptable"
                | "conflict"
                | "gone"
                | "unprocessableentity"
                | "unsupportedmediatype"
                | "payloadtoolarge"
                | "toomanyrequests"
                | "internalservererror"
                | "notimplemented"
                | "badgateway"
                | "serviceunavailable"
                | "gatewaytimeout"
        )
}
