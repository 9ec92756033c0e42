//! Conditions: which way a test asks, and what it asks about.

use super::classify::names;
use super::kind::Kind;
use super::walk::Walker;
use gatewatch_syntax::facts::{Expr, ExprId, Operator};
use ustr::{Ustr, ustr};

impl Walker<'_> {
    /// Whether a test holds when there is an identity (`Some(true)`), when there is none (`Some(false)`), or neither.
    pub(super) fn polarity(&self, test: ExprId) -> Option<bool> {
        match self.code.expr(test) {
            Expr::Not(inner) => self.polarity(inner).map(|present| !present),
            Expr::Await(inner) | Expr::Try(inner) | Expr::Unary(inner) => self.polarity(inner),
            // The error of a callback says that there is no identity.
            Expr::Name(name)
                if matches!(
                    name.as_str(),
                    "err" | "error" | "e" | "exc" | "failure" | "failed"
                ) =>
            {
                Some(false)
            }
            // `current_user.is_anonymous`
            Expr::Attr { name, .. } => Some(!says_absent(name)),
            Expr::Name(_) | Expr::Index { .. } | Expr::Assign { .. } => Some(true),
            Expr::Bind { pattern, .. } => Some(!self.is_absent_pattern(pattern)),
            Expr::Call { callee, .. } => match self.code.expr(callee) {
                Expr::Attr { name, .. } => match name.as_str() {
                    "is_none" | "is_none_or" | "is_err" | "is_empty" => Some(false),
                    _ => Some(!says_absent(name)),
                },
                _ => Some(true),
            },
            Expr::Binary { op, left, right } => {
                let null = matches!(self.code.expr(left), Expr::Null)
                    || matches!(self.code.expr(right), Expr::Null);
                match op {
                    Operator::Eq | Operator::Is if null => Some(false),
                    Operator::Ne | Operator::IsNot if null => Some(true),
                    // `"user" in session`
                    Operator::In => Some(true),
                    Operator::NotIn => Some(false),
                    Operator::And => match (self.polarity(left), self.polarity(right)) {
                        (Some(true), _) | (_, Some(true)) => Some(true),
                        (a, b) => a.or(b),
                    },
                    Operator::Or => match (self.polarity(left), self.polarity(right)) {
                        (Some(false), _) => Some(false),
                        (a, _) => a,
                    },
                    _ => None,
                }
            }
            _ => None,
        }
    }

    pub(super) fn is_absent_pattern(&self, pattern: ExprId) -> bool {
        match self.code.expr(pattern) {
            Expr::Null => true,
            Expr::Name(name) => name.as_str() == "None",
            Expr::Call { callee, .. } => {
                matches!(self.code.expr(callee), Expr::Name(name) if name.as_str() == "Err")
            }
            _ => false,
        }
    }

    /// Whether a test asks which path, endpoint or method is called.
    pub(super) fn names_path(&self, test: ExprId) -> bool {
        names(self, test).into_iter().any(|name| {
            matches!(
                name.to_lowercase().as_str(),
                "path"
                    | "endpoint"
                    | "url"
                    | "method"
                    | "originalurl"
                    | "baseurl"
                    | "uri"
                    | "route"
                    | "pathname"
                    | "view_function"
                    | "blueprint"
                    | "url_rule"
            )
        })
    }

    /// Whether a test asks for nothing but what a module holds or is configured with: no request has a say in it.
    fn is_fixed(&self, test: ExprId, depth: u32) -> bool {
        if depth > 8 {
            return false;
        }
        let fixed = |part| self.is_fixed(part, depth + 1);
        match self.code.expr(test) {
            Expr::Not(inner) | Expr::Unary(inner) => fixed(inner),
            Expr::Binary { left, right, .. } => {
                let sides = [left, right];
                !sides.iter().all(|side| self.is_literal(*side))
                    && sides
                        .into_iter()
                        .all(|side| self.is_literal(side) || fixed(side))
            }
            Expr::Attr { base, name } => {
                !self.words.is_identity(name) && self.proxy(base, name).is_none() && fixed(base)
            }
            Expr::Index { base, index } => self.is_literal(index) && fixed(base),
            // `os.getenv("OPEN")`, `app.config.get("OPEN", False)`
            Expr::Call { callee, args } => {
                let args = self.code.args(args);
                let name = match self.code.expr(callee) {
                    Expr::Attr { name, .. } | Expr::Name(name) => name,
                    _ => return false,
                };
                name.starts_with("get")
                    && !self.words.is_identity_callable(name)
                    && !args.is_empty()
                    && args.iter().all(|arg| self.is_literal(arg.value))
                    && fixed(callee)
            }
            Expr::Name(name) => {
                if self.name_kind(name) != Kind::NONE || self.captured.contains(&name) {
                    return false;
                }
                // `password = app.config.get("PASSWORD")`
                if self.env.contains_key(&name) {
                    return self.only_value(name).is_some_and(fixed);
                }
                gatewatch_frameworks::module_slice(self.db, self.file, name)
                    .name(name)
                    .is_some()
                    && !self.is_bound_around(name)
            }
            _ => false,
        }
    }

    fn is_literal(&self, expr: ExprId) -> bool {
        matches!(
            self.code.expr(expr),
            Expr::Str(_) | Expr::Number(_) | Expr::Bool(_) | Expr::Null
        )
    }

    /// Whether a test asks how the application is configured: such a guard counts as configured.
    pub(super) fn names_setting(&self, test: ExprId) -> bool {
        // `self.requires_login` in a decorator that an object makes: the object was configured.
        if let Expr::Attr { base, name } = self.code.expr(test)
            && matches!(self.code.expr(base), Expr::Name(of) if of == "self")
            && self.captured.iter().any(|around| around == "self")
            && !self.env.contains_key(&ustr("self"))
            && !self.words.is_identity(name)
        {
            return true;
        }
        if self.is_fixed(test, 0) {
            return true;
        }
        names(self, test).into_iter().any(|name| {
            let lower = name.to_lowercase();
            lower.contains("setting")
                || lower.contains("config")
                || lower.contains("enabled")
                || lower.contains("env")
                || lower.contains("option")
                || name.len() > 2
                    && name
                        .chars()
                        .all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
        })
    }
}

/// Whether a member of an identity says that there is none.
fn says_absent(name: Ustr) -> bool {
    matches!(name.as_str(), "is_anonymous" | "isAnonymous")
}
