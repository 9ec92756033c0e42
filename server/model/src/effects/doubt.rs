//! Why a check may be worth less than it looks: a credential that only has to be there, a token whose signature nobody looks at.

use super::Effects;
use super::classify::names;
use super::kind::Kind;
use super::walk::Walker;
use crate::control::{Effect, Strength};
use crate::entry::Site;
use crate::names::Target;
use gatewatch_syntax::facts::{Expr, ExprId, Operator, Run};
use ustr::Ustr;

/// What was seen in a function that its checks must be measured by once all of it is known.
#[derive(Default)]
pub(super) struct Doubts {
    /// Conditions that only ask whether a credential was sent.
    bare: Vec<Site>,
    /// A credential was compared with something, or given to code that may verify it.
    used: bool,
    /// What reads the token was told not to verify it.
    unverified: bool,
    /// Where it leads to nobody, somebody else takes the caller's place.
    defaulted: bool,
}

impl Doubts {
    pub(super) fn credential_used(&mut self) {
        self.used = true;
    }

    pub(super) fn defaulted(&mut self) {
        self.defaulted = true;
    }

    pub(super) fn unverified(&mut self) {
        self.unverified = true;
    }

    /// Lowers the checks that don't hold for every caller. Whether there is one.
    pub(super) fn settle(&self, effects: &mut Effects) -> bool {
        let mut lowered = false;
        for check in &mut effects.checks {
            if check.effect != Effect::Authentication {
                continue;
            }
            let bare = (!self.used || self.defaulted) && self.bare.contains(&check.site);
            if (self.unverified || bare) && check.by.is_none() {
                check.strength = check.strength.min(Strength::Optional);
                lowered = true;
            }
        }
        lowered
    }
}

impl Walker<'_> {
    /// The kind of an expression that has run already: nothing takes effect a second time.
    pub(super) fn peek(&mut self, expr: ExprId) -> Kind {
        self.quietly(|walker| walker.value(expr))
    }

    /// Asks something, and nothing takes effect.
    pub(super) fn quietly<T>(&mut self, ask: impl FnOnce(&mut Self) -> T) -> T {
        let effects = std::mem::take(&mut self.effects);
        let doubts = std::mem::take(&mut self.doubts);
        let conditions = std::mem::take(&mut self.conditions);
        let env = self.env.clone();
        let state = (
            self.optional,
            self.passes,
            self.loaded,
            self.wrote,
            self.went_on,
            self.asked,
            self.refusals,
            (self.made, self.made_by_value),
        );
        let passes_for = std::mem::take(&mut self.passes_for);
        let answer = ask(self);
        self.passes_for = passes_for;
        self.effects = effects;
        self.doubts = doubts;
        self.conditions = conditions;
        self.env = env;
        (
            self.optional,
            self.passes,
            self.loaded,
            self.wrote,
            self.went_on,
            self.asked,
            self.refusals,
            (self.made, self.made_by_value),
        ) = state;
        answer
    }

    /// A condition imposes authentication: remembers whether it only asks for the presence of a credential.
    pub(super) fn doubt_presence(&mut self, test: ExprId) {
        if self.is_bare(test, 0) {
            let site = self.site(test);
            self.doubts.bare.push(site);
        } else {
            let kind = self.peek(test);
            if !(kind.credential || kind.header) {
                return;
            }
            self.doubts.credential_used();
        }
    }

    /// Whether a test only asks if a credential was sent, or what it looks like.
    pub(super) fn is_bare(&mut self, test: ExprId, depth: u32) -> bool {
        if depth > 12 {
            return false;
        }
        match self.code.expr(test) {
            Expr::Not(inner) | Expr::Await(inner) | Expr::Unary(inner) => {
                self.is_bare(inner, depth + 1)
            }
            Expr::Binary {
                op: Operator::And | Operator::Or,
                left,
                right,
            } => self.is_bare(left, depth + 1) && self.is_bare(right, depth + 1),
            Expr::Binary { left, right, .. } => {
                let shape = |walker: &Self, id| match walker.code.expr(id) {
                    Expr::Null | Expr::Number(_) | Expr::Bool(_) => true,
                    Expr::Str(text) => is_scheme(walker.code.string(text)),
                    _ => false,
                };
                // `parts.length !== 2`, `token == null`, `scheme !== "Bearer"`
                (shape(self, left) || shape(self, right)) && {
                    let kind = self.peek(left) | self.peek(right);
                    kind.credential && !kind.identity && !kind.verified
                }
            }
            Expr::Name(_) | Expr::Attr { .. } | Expr::Index { .. } => {
                let kind = self.peek(test);
                kind.credential && !kind.identity && !kind.verified
            }
            // `let Some(key) = headers.get("x-api-key") else`
            Expr::Bind { value, .. } => self.is_bare(value, depth + 1),
            Expr::Call { callee, args } => match self.code.expr(callee) {
                // `headers.get("authorization").ok_or(…)`
                Expr::Attr { base, name } if self.is_rust() && is_passed_on(name) => {
                    self.is_bare(base, depth + 1)
                }
                // `header.and_then(|value| value.to_str().ok())`, `key.is_some_and(known)`
                Expr::Attr { base, name } if self.is_rust() && is_mapped(name) => {
                    let last = self.code.args(args).last().map(|arg| arg.value);
                    let kind = self.peek(base);
                    self.is_bare(base, depth + 1)
                        && last
                            .and_then(|last| self.function_argument(last))
                            .and_then(|function| {
                                self.inlined(function, &[kind], |walker, value| {
                                    walker.is_bare(value, depth + 1)
                                })
                            })
                            .unwrap_or(false)
                }
                // `header.startsWith("Bearer ")`, `token.is_none()`, `headers.get("authorization")`
                Expr::Attr { base, name } => {
                    let of = self.peek(base);
                    let kind = self.peek(test);
                    (of.request || of.credential)
                        && !of.identity
                        && (of.request || self.words.is_text_method(name) && self.is_plain(args))
                        && kind.credential
                        && !kind.verified
                }
                // `isKey(key)` of `const isKey = (key) => key.length > 0`
                Expr::Name(_) => {
                    let Target::Function(file, id) = self.callee_target(callee) else {
                        return false;
                    };
                    let code = std::sync::Arc::clone(&self.code);
                    let kinds: Vec<Kind> = code
                        .args(args)
                        .iter()
                        .map(|arg| self.peek(arg.value))
                        .collect();
                    kinds.iter().any(|kind| kind.credential)
                        && self
                            .inlined((file, id), &kinds, |walker, value| {
                                walker.is_bare(value, depth + 1)
                            })
                            .unwrap_or(false)
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a look at a text has no secret in its arguments: none, or the name of a scheme.
    fn is_plain(&self, args: Run) -> bool {
        self.code
            .args(args)
            .iter()
            .all(|arg| self.code.str_of(arg.value).is_some_and(is_scheme))
    }

    /// Whether a test compares with nothing but constants of the code.
    pub(super) fn needs_no_secret(&self, test: ExprId, depth: u32) -> bool {
        if depth > 12 {
            return false;
        }
        let constant = |id: ExprId| {
            matches!(
                self.code.expr(id),
                Expr::Str(_) | Expr::Number(_) | Expr::Bool(_) | Expr::Null
            )
        };
        match self.code.expr(test) {
            Expr::Not(inner) | Expr::Unary(inner) => self.needs_no_secret(inner, depth + 1),
            Expr::Binary {
                op: Operator::And | Operator::Or,
                left,
                right,
            } => self.needs_no_secret(left, depth + 1) && self.needs_no_secret(right, depth + 1),
            Expr::Binary {
                op: Operator::Eq | Operator::Ne | Operator::Is | Operator::IsNot,
                left,
                right,
            } => constant(left) || constant(right),
            Expr::Binary {
                op: Operator::In | Operator::NotIn,
                left,
                ..
            } => constant(left),
            Expr::Name(_) | Expr::Attr { .. } | Expr::Index { .. } => true,
            // `request.headers.get("x-debug")`
            Expr::Call { callee, args } => {
                matches!(self.code.expr(callee), Expr::Attr { name, .. } if matches!(name.as_str(), "get" | "has" | "header" | "contains_key" | "is_some"))
                    && self.code.args(args).iter().all(|arg| constant(arg.value))
            }
            _ => false,
        }
    }

    /// Whether a library's callable takes a token apart and verifies nothing.
    pub(super) fn reads_unverified(&self, whole: Option<Ustr>) -> bool {
        // In Rust `jsonwebtoken::decode` verifies; in JavaScript it doesn't.
        !self.is_rust() && whole.is_some_and(|whole| self.words.reads_unverified(&whole))
    }

    /// A credential is given to a call: more than a look at its text may verify it.
    pub(super) fn doubt_call(&mut self, name: Ustr, base: Option<ExprId>, whole: Option<Ustr>) {
        let logs = base.is_some_and(|base| {
            names(self, base)
                .into_iter()
                .any(|name| self.words.is_logger(name))
        });
        let reads = self.reads_unverified(whole);
        let prints = self.words.is_log_macro(name);
        if !logs && !prints && !reads && !self.words.is_text_method(name) {
            self.doubts.credential_used();
        }
    }
}

/// Whether a method of `Option` or `Result` gives on what it holds.
fn is_passed_on(name: Ustr) -> bool {
    matches!(
        name.as_str(),
        "ok_or" | "ok_or_else" | "ok" | "map_err" | "cloned" | "copied" | "as_deref"
    )
}

/// Whether a method of `Option` or `Result` asks a function about what it holds.
fn is_mapped(name: Ustr) -> bool {
    matches!(
        name.as_str(),
        "and_then" | "map" | "filter" | "is_some_and" | "is_ok_and" | "is_none_or" | "map_or"
    )
}

/// Whether a text is the name of a scheme, and no secret.
fn is_scheme(text: &str) -> bool {
    let scheme = text.trim().to_lowercase();
    matches!(scheme.as_str(), "bearer" | "basic" | "token" | "jwt" | "")
}
