//! Conditions: which way a test asks, and what it asks about.

use super::classify::names;
use super::walk::Walker;
use gatewatch_syntax::facts::{Expr, ExprId, Operator};

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
            Expr::Name(_) | Expr::Attr { .. } | Expr::Index { .. } | Expr::Assign { .. } => {
                Some(true)
            }
            Expr::Bind { pattern, .. } => Some(!self.is_absent_pattern(pattern)),
            Expr::Call { callee, .. } => match self.code.expr(callee) {
                Expr::Attr { name, .. } => match name.as_str() {
                    "is_none" | "is_none_or" | "is_err" | "is_empty" | "isAnonymous"
                    | "is_anonymous" => Some(false),
                    "is_some" | "is_ok" => Some(true),
                    _ => Some(true),
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

    /// Whether a test asks how the application is configured: such a guard counts as configured.
    pub(super) fn names_setting(&self, test: ExprId) -> bool {
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
