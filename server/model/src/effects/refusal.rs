//! What a refusal is: values, calls and statuses that keep a handler from running.

use super::classify::names;
use super::kind::Kind;
use super::walk::Walker;
use super::{Use, effects_of};
use crate::names::Target;
use gatewatch_syntax::facts::{ArgKind, Expr, ExprId, Run};
use ustr::Ustr;

impl Walker<'_> {
    /// Whether an expression names a refusal: `ok_or(Error::Unauthorized)`.
    pub(super) fn says_refusal(&self, expr: ExprId, depth: u32) -> bool {
        if depth > 16 {
            return false;
        }
        match self.code.expr(expr) {
            Expr::Call { callee, args } => {
                self.says_refusal(callee, depth + 1)
                    || self.code.args(args).iter().any(|arg| match self.code.expr(arg.value) {
                        Expr::Function(index) => self
                            .code
                            .functions
                            .get(index as usize)
                            .and_then(|function| gatewatch_syntax::function(self.db, self.file, function.id))
                            .is_some_and(|facts| {
                                facts.body.exprs.iter().any(|expr| {
                                    matches!(expr, Expr::Name(name) | Expr::Attr { name, .. } if self.words.is_denial_constant(*name))
                                })
                            }),
                        _ => self.says_refusal(arg.value, depth + 1),
                    })
            }
            Expr::Attr { base, name } => self.words.is_denial_constant(name) || self.says_refusal(base, depth + 1),
            Expr::Name(name) => self.words.is_denial_constant(name),
            Expr::Await(inner) | Expr::Try(inner) => self.says_refusal(inner, depth + 1),
            Expr::Tuple(args) => self.code.args(args).iter().any(|arg| self.says_refusal(arg.value, depth + 1)),
            _ => false,
        }
    }

    // ---- refusals -----------------------------------------------------------------------------

    /// Whether an expression refuses the request, and if so, whether the function ends there.
    pub(super) fn refuses(&mut self, value: ExprId) -> Option<bool> {
        match self.code.expr(value) {
            Expr::Await(inner) | Expr::Unary(inner) | Expr::Try(inner) => self.refuses(inner),
            // A helper of the workspace that refuses with the status that it is given.
            Expr::Call { callee, args } if matches!(self.callee_target(callee), Target::Function(file, id) if self.denies_as_told((file, id), args)) => {
                Some(!self.is_script())
            }
            // A helper of the workspace that does nothing but refuse.
            Expr::Call { callee, .. } if matches!(self.callee_target(callee), Target::Function(file, id) if (file, id) != (self.file, self.owner) && effects_of(self.db, self.tree, file, id, Use::Guard).always_denies) => {
                Some(!self.is_script())
            }
            Expr::Call { callee, args } => {
                let (name, base) = match self.code.expr(callee) {
                    Expr::Attr { name, base } => (name, Some(base)),
                    Expr::Name(name) => (name, None),
                    // `JSONResponse({}, status_code=401)(scope, receive, send)`: it is sent, and control goes on.
                    Expr::Call { .. } if self.is_python() => {
                        return self.refuses(callee).map(|_| false);
                    }
                    _ => return None,
                };
                // `response = PlainTextResponse("", 401)`, and then `await response(scope, receive, send)`
                if base.is_none()
                    && self.is_python()
                    && self.env.get(&name).is_some_and(|kind| kind.denial)
                {
                    return Some(false);
                }
                // Rust: an error under a condition on the identity is a refusal whatever it is called.
                if base.is_none() && name.as_str() == "Err" {
                    return Some(true);
                }
                let base_kind = base.and_then(|base| match self.code.expr(base) {
                    Expr::Name(name) => self.env.get(&name).copied(),
                    _ => None,
                });
                if let Some(ends) = self.refusal_call(name, base_kind.unwrap_or_default(), args) {
                    return Some(ends);
                }
                if self.redirects_to_login(callee, args) {
                    return Some(true);
                }
                // `res.status(401).json(…)`, `(StatusCode::UNAUTHORIZED, "…").into_response()`
                let mut at = base;
                let mut hops = 0;
                while let Some(expr) = at {
                    hops += 1;
                    if hops > 8 {
                        break;
                    }
                    match self.code.expr(expr) {
                        Expr::Call { callee, args } => {
                            let (name, next) = match self.code.expr(callee) {
                                Expr::Attr { name, base } => (name, Some(base)),
                                Expr::Name(name) => (name, None),
                                _ => break,
                            };
                            if self.redirects_to_login(callee, args) {
                                return Some(true);
                            }
                            if self.refusal_call(name, Kind::NONE, args).is_some()
                                || matches!(
                                    name.as_str(),
                                    "status" | "code" | "writeHead" | "sendStatus"
                                ) && self.status_arg(args)
                            {
                                return Some(false);
                            }
                            at = next;
                        }
                        Expr::Attr { name, base } => {
                            if self.words.is_denial_constant(name) {
                                return Some(true);
                            }
                            at = Some(base);
                        }
                        Expr::Tuple(args) => {
                            let denies = self
                                .code
                                .args(args)
                                .iter()
                                .any(|arg| self.denial_value(arg.value));
                            return denies.then_some(true);
                        }
                        _ => break,
                    }
                }
                None
            }
            Expr::New { callee, args } => match self.code.expr(callee) {
                Expr::Name(name) | Expr::Attr { name, .. } => (self.words.is_denial_constant(name)
                    || self.refusal_call(name, Kind::NONE, args).is_some())
                .then_some(true),
                _ => None,
            },
            // `return "no", 401`
            Expr::Tuple(args) => self
                .code
                .args(args)
                .iter()
                .any(|arg| self.denial_value(arg.value))
                .then_some(true),
            Expr::Attr { name, .. } | Expr::Name(name) => {
                self.words.is_denial_constant(name).then_some(true)
            }
            _ => None,
        }
    }

    /// `Redirect::to("/login")`
    pub(super) fn redirects_to_login(&self, callee: ExprId, args: Run) -> bool {
        matches!(self.code.expr(callee), Expr::Attr { base, .. } if matches!(self.code.expr(base), Expr::Name(name) | Expr::Attr { name, .. } if name.as_str() == "Redirect"))
            && self
                .code
                .args(args)
                .iter()
                .any(|arg| self.names_login(arg.value, 0))
    }

    pub(super) fn denial_value(&self, value: ExprId) -> bool {
        match self.code.expr(value) {
            Expr::Number(text) => self
                .code
                .string(text)
                .parse()
                .is_ok_and(|status| self.words.is_denial_status(status)),
            Expr::Attr { name, .. } | Expr::Name(name) => self.words.is_denial_constant(name),
            _ => false,
        }
    }

    pub(super) fn status_arg(&self, args: Run) -> bool {
        self.code
            .args(args)
            .iter()
            .any(|arg| self.denial_value(arg.value))
    }

    /// Whether a call refuses by its name and arguments; `true` when the function ends there.
    pub(super) fn refusal_call(&self, name: Ustr, base: Kind, args: Run) -> Option<bool> {
        let arguments = self.code.args(args);
        let by_status = arguments.iter().any(|arg| self.denial_value(arg.value));
        let lower = name.to_lowercase();
        match lower.as_str() {
            // It raises.
            "abort" => {
                return (by_status
                    || arguments.first().is_some_and(|arg| {
                        matches!(self.code.expr(arg.value), Expr::Name(_) | Expr::Attr { .. })
                    }))
                .then_some(true);
            }
            "httpexception" | "websocketexception" | "response" | "jsonresponse"
            | "htmlresponse" | "plaintextresponse" | "make_response" | "jsonify" => {
                return by_status.then_some(true);
            }
            "sendstatus" | "status" | "send_error" | "senderror" | "writehead" => {
                return by_status.then_some(false);
            }
            "redirect" | "redirectresponse" => {
                let login = arguments.iter().any(|arg| self.names_login(arg.value, 0));
                return login.then_some(
                    lower == "redirectresponse" || base == Kind::NONE && !self.is_script(),
                );
            }
            // A promise that fails: whoever waits for it goes no further.
            "reject" if self.is_script() => return (!arguments.is_empty()).then_some(false),
            // `next(err)`, `next(new Error())`, `next(createError(401))`
            "next" if self.is_script() => {
                return arguments
                    .iter()
                    .any(|arg| !matches!(self.code.expr(arg.value), Expr::Null | Expr::Str(_)))
                    .then_some(false);
            }
            // An ASGI message: `send({"type": "http.response.start", "status": 401, …})`
            "send" if self.is_python() => {
                let refuses = |name: Ustr, value: ExprId| match name.as_str() {
                    "status" => self.denial_value(value),
                    "type" => self.code.str_of(value) == Some("websocket.close"),
                    _ => false,
                };
                return arguments
                    .iter()
                    .any(|arg| {
                        match self.code.expr(arg.value) {
                        Expr::Dict(entries) => self.code.args(entries).iter().any(|entry| {
                            matches!(entry.kind, ArgKind::Named(name) if refuses(name, entry.value))
                        }),
                        _ => false,
                    }
                    })
                    .then_some(false);
            }
            // A WebSocket that is closed before it was accepted.
            "close" => {
                return arguments
                    .iter()
                    .any(|arg| match self.code.expr(arg.value) {
                        Expr::Number(text) => matches!(
                            self.code.string(text),
                            "1008" | "4401" | "4403" | "4001" | "4003"
                        ),
                        Expr::Attr { name, .. } | Expr::Name(name) => {
                            self.words.is_denial_constant(name)
                        }
                        _ => false,
                    })
                    .then_some(false);
            }
            _ => {}
        }
        if self.words.is_denial_callable(name) || self.words.is_denial_constant(name) {
            return Some(!self.is_script());
        }
        None
    }

    /// Whether a refusal is thrown or handed on as an error, so that something around may swallow it.
    pub(super) fn is_thrown(&self, value: ExprId) -> bool {
        matches!(self.code.expr(value), Expr::Call { callee, .. }
            if matches!(self.code.expr(callee), Expr::Name(name) if name.as_str() == "reject"))
    }

    /// Whether a statement only makes a refusal: an error that nobody raises, an answer that nobody returns or sends.
    pub(super) fn only_made(&mut self, value: ExprId) -> bool {
        let Expr::Call { callee, .. } = self.code.expr(value) else {
            return false;
        };
        match self.callee_target(callee) {
            // A helper that hands a refusal back, and doesn't raise it.
            Target::Function(file, id) => {
                return gatewatch_syntax::function(self.db, file, id).is_some_and(|facts| {
                    !facts
                        .body
                        .stmts
                        .iter()
                        .any(|stmt| matches!(stmt, gatewatch_syntax::facts::Stmt::Raise(_)))
                        && !facts
                            .body
                            .exprs
                            .iter()
                            .any(|expr| matches!(expr, Expr::Call { .. }))
                });
            }
            Target::Class(..) => return true,
            _ => {}
        }
        let name = match self.code.expr(callee) {
            Expr::Name(name) => name,
            Expr::Attr { name, .. } => name,
            _ => return false,
        };
        name.starts_with(char::is_uppercase)
            || matches!(
                name.as_str(),
                "redirect" | "jsonify" | "make_response" | "render_template"
            )
    }

    /// Whether a refusal that is returned keeps nobody out: an error that is there to be raised, or an answer that goes to
    /// the handler as a value. In a handler it is at least the end.
    pub(super) fn only_returned(&mut self, value: ExprId) -> bool {
        if !self.is_python() || self.used == Use::Handler {
            return false;
        }
        self.is_error(value, 0) || self.used == Use::Injected && !self.raises(value)
    }

    /// Whether a value is an error: it refuses where it is raised.
    fn is_error(&mut self, value: ExprId, depth: u32) -> bool {
        if depth > 6 {
            return false;
        }
        let of_library = |name: &str| name.ends_with("Exception") || name.ends_with("Error");
        match self.code.expr(value) {
            Expr::Call { callee, .. } => match self.callee_target(callee) {
                Target::Class(file, class) => {
                    let bases = crate::names::lineage(self.db, self.tree, file, class).1;
                    // An error of this library is an answer as well.
                    bases.iter().any(|base| of_library(base))
                        && !bases.iter().any(|base| self.words.is_answer(base))
                }
                target => match target.external_name() {
                    Some(name) => of_library(&name) && !self.words.is_answer(&name),
                    None => {
                        matches!(self.code.expr(callee), Expr::Name(name) | Expr::Attr { name, .. } if of_library(&name))
                    }
                },
            },
            Expr::Name(name) => match self.only_value(name) {
                Some(made) => self.is_error(made, depth + 1),
                None => match self.lookup(name) {
                    Target::Call { callee, .. } => callee
                        .external_name()
                        .is_some_and(|name| of_library(&name) && !self.words.is_answer(&name)),
                    _ => false,
                },
            },
            _ => false,
        }
    }

    /// Whether a call raises its refusal.
    pub(super) fn raises(&mut self, value: ExprId) -> bool {
        let Expr::Call { callee, .. } = self.code.expr(value) else {
            return false;
        };
        match self.callee_target(callee) {
            Target::Function(file, id) => {
                (file, id) != (self.file, self.owner)
                    && effects_of(self.db, self.tree, file, id, Use::Injected).always_denies
            }
            _ => !self.only_made(value) && self.refuses(value) == Some(true),
        }
    }

    pub(super) fn is_python(&self) -> bool {
        gatewatch_syntax::language(self.db, self.file)
            == Some(gatewatch_syntax::facts::Language::Python)
    }

    pub(super) fn is_script(&self) -> bool {
        matches!(
            gatewatch_syntax::language(self.db, self.file),
            Some(
                gatewatch_syntax::facts::Language::TypeScript
                    | gatewatch_syntax::facts::Language::Tsx
            )
        )
    }

    pub(super) fn names_login(&self, expr: ExprId, depth: u32) -> bool {
        if depth > 6 {
            return false;
        }
        match self.code.expr(expr) {
            Expr::Str(text) => self.words.is_login_path(self.code.string(text)),
            Expr::Call { args, .. } => self
                .code
                .args(args)
                .iter()
                .any(|arg| self.names_login(arg.value, depth + 1)),
            Expr::Template(parts) => self
                .code
                .parts(parts)
                .any(|part| self.names_login(part, depth + 1)),
            Expr::Binary { left, right, .. } => {
                self.names_login(left, depth + 1) || self.names_login(right, depth + 1)
            }
            Expr::Attr { name, .. } | Expr::Name(name) => self.words.is_login_path(&name),
            _ => false,
        }
    }

    /// Whether middleware is left here without having called `next`, or given it to anybody: whoever comes here stays
    /// outside, whatever the answer.
    pub(super) fn ends_without_next(&self, value: Option<ExprId>) -> bool {
        let is_next = |expr: &Expr| matches!(expr, Expr::Name(name) if name.as_str() == "next");
        self.middleware
            && !self.went_on
            && self.code.exprs.iter().any(is_next)
            && value.is_none_or(|value| {
                !names(self, value)
                    .into_iter()
                    .any(|name| name.as_str() == "next")
            })
    }

    /// Whether an argument tells a library not to verify: `options={"verify_signature": False}`.
    pub(super) fn unverified_args(&self, args: Run) -> bool {
        self.code.args(args).iter().any(|arg| match arg.kind {
            ArgKind::Named(name) => match self.code.expr(arg.value) {
                Expr::Bool(false) => self.words.is_verification_option(name),
                Expr::Dict(inner) => self.unverified_args(inner),
                _ => false,
            },
            ArgKind::Keyed(key) => {
                matches!(self.code.expr(arg.value), Expr::Bool(false))
                    && self
                        .code
                        .str_of(key)
                        .is_some_and(|text| self.words.is_verification_option(ustr::ustr(text)))
            }
            _ => match self.code.expr(arg.value) {
                Expr::Dict(inner) => self.unverified_args(inner),
                _ => false,
            },
        })
    }

    /// Whether an expression lets the request go on: `next()`, `self.app(scope, …)`.
    pub(super) fn is_next(&self, value: ExprId) -> bool {
        match self.code.expr(value) {
            Expr::Await(inner) => self.is_next(inner),
            Expr::Call { callee, args } => {
                matches!(self.code.expr(callee), Expr::Name(name) if name.as_str() == "next")
                    && self
                        .code
                        .args(args)
                        .iter()
                        .all(|arg| matches!(self.code.expr(arg.value), Expr::Null | Expr::Str(_)))
            }
            _ => false,
        }
    }

    /// The status that a denial names.
    pub(super) fn status_of(&self, denial: ExprId) -> Option<u16> {
        let mut stack = vec![denial];
        let mut steps = 0;
        while let Some(expr) = stack.pop() {
            steps += 1;
            if steps > 64 {
                break;
            }
            match self.code.expr(expr) {
                Expr::Number(text) => {
                    if let Ok(status) = self.code.string(text).parse::<u16>()
                        && self.words.is_denial_status(status)
                    {
                        return Some(status);
                    }
                }
                Expr::Call { callee, args } | Expr::New { callee, args } => {
                    stack.push(callee);
                    stack.extend(self.code.args(args).iter().map(|arg| arg.value));
                }
                Expr::Attr { base, .. } => stack.push(base),
                Expr::Tuple(args) => stack.extend(self.code.args(args).iter().map(|arg| arg.value)),
                Expr::Await(inner) => stack.push(inner),
                _ => {}
            }
        }
        None
    }

    /// Whether a refusal is one for too many or too large requests.
    pub(super) fn refuses_for_load(&self, denial: ExprId) -> bool {
        let number = |id: ExprId| match self.code.expr(id) {
            Expr::Number(text) => matches!(
                self.code.string(text),
                "402" | "413" | "426" | "429" | "500" | "501" | "502" | "503"
            ),
            _ => false,
        };
        let named = names(self, denial).into_iter().any(|name| {
            let name = crate::words::plain(&name);
            name.contains("toomanyrequests")
                || name.contains("ratelimit")
                || name.contains("429")
                || name.contains("toolarge")
        });
        let stated = match self.code.expr(denial) {
            Expr::Call { args, .. } | Expr::New { args, .. } | Expr::Tuple(args) => {
                self.code.args(args).iter().any(|arg| number(arg.value))
            }
            _ => false,
        };
        named || stated
    }

    /// Whether a refusal is the one for callers that aren't known: `UNAUTHORIZED`, a way to the login.
    pub(super) fn says_unauthenticated(&self, denial: ExprId) -> bool {
        self.names_login(denial, 0)
            || names(self, denial).into_iter().any(|name| {
                let name = crate::words::plain(&name);
                name.contains("unauth") || name.contains("401") || name.contains("login")
            })
            || self.status_of(denial) == Some(401)
    }

    // ---- conditions ---------------------------------------------------------------------------
}
