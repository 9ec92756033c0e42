//! Queries that only reach what is the caller's: a condition on the owner is part of what they ask for.

use super::kind::Kind;
use super::walk::Walker;
use super::{Check, Use};
use crate::control::{Effect, Strength};
use gatewatch_syntax::facts::{Arg, ArgKind, Expr, ExprId, Operator};
use ustr::{Ustr, ustr};

impl Walker<'_> {
    /// The kind of an entry of a dictionary or of a named argument: `ownerId: user.id` is a condition on the owner, what
    /// is written under `data` is none.
    pub(super) fn entry_kind(&self, arg: &Arg, kind: Kind) -> Kind {
        let key = match arg.kind {
            ArgKind::Named(name) => name,
            ArgKind::Keyed(key) => match self.code.str_of(key) {
                Some(text) => ustr(text),
                None => return kind,
            },
            _ => match self.code.expr(arg.value) {
                // `{ ownerId }`
                Expr::Name(name) => name,
                _ => return kind,
            },
        };
        let plain = crate::words::plain(&key);
        if matches!(
            plain.as_str(),
            "data" | "values" | "set" | "create" | "update" | "defaults"
        ) {
            return Kind {
                owned: false,
                ..kind
            };
        }
        // `owner__id`, `document.owner_id`
        let names_owner = key
            .split(['.', '$'])
            .flat_map(|part| part.split("__"))
            .any(|part| self.words.is_ownership(ustr(part)));
        Kind {
            owned: kind.owned || kind.identity && names_owner,
            ..kind
        }
    }

    /// Whether a comparison is one of an owner with the caller, as a query takes it: `Item.owner_id == user.id`.
    pub(super) fn compares_owner(
        &self,
        op: Operator,
        (left, a): (ExprId, Kind),
        (right, b): (ExprId, Kind),
    ) -> bool {
        let owner = |id: ExprId| matches!(self.code.expr(id), Expr::Attr { name, .. } if self.words.is_ownership(name));
        op == Operator::Eq
            && (owner(left) && !a.asks() && b.identity || owner(right) && !b.asks() && a.identity)
    }

    /// Whether a text is an SQL statement with a condition on an owner that a parameter is bound to.
    pub(super) fn names_owner_in_sql(&self, text: &str) -> bool {
        let lower = text.to_lowercase();
        let Some((verb, rest)) = lower.trim_start().split_once(char::is_whitespace) else {
            return false;
        };
        if !matches!(verb, "select" | "update" | "delete" | "with") {
            return false;
        }
        let Some((_, conditions)) = rest.split_once("where") else {
            return false;
        };
        let words: Vec<&str> = conditions.split_whitespace().collect();
        // Either of two conditions is enough then.
        if words.contains(&"or") {
            return false;
        }
        let joined = words.join(" ");
        joined.split(" and ").any(|condition| {
            condition.split_once('=').is_some_and(|(column, value)| {
                let column = column.trim().rsplit(['.', ' ']).next().unwrap_or_default();
                let value = value.trim_start();
                self.words
                    .is_ownership(ustr(column.trim_matches(['"', '`', '('])))
                    && value.starts_with(['$', '?', ':', '%', '@', '{'])
            })
        })
    }

    /// A query is made: with a condition on the owner it is a check of whose the object is.
    pub(super) fn query(&mut self, call: ExprId, name: Ustr, kind: Kind) {
        if !kind.owned || self.words.makes_new(name) || self.conditional() {
            return;
        }
        let (site, order) = (self.site(call), self.order());
        self.add(Check {
            effect: Effect::Ownership,
            strength: Strength::Enforcing,
            site,
            by: None,
            library: None,
            demands: Vec::new(),
            every: false,
            order,
            need: None,
            when: None,
        });
    }

    /// What a caller's own things are asked for by is the caller: `user.items.filter(…)`.
    pub(super) fn asks_of_caller(&mut self, base: ExprId, name: Ustr) -> bool {
        let Expr::Attr {
            base: of,
            name: member,
        } = self.code.expr(base)
        else {
            return false;
        };
        self.used == Use::Handler
            && self.words.is_load(name)
            && name != "get"
            && !self.words.is_identity(member)
            && !self.words.is_credential(member)
            && !self.words.is_authorization(member)
            && matches!(self.code.expr(of), Expr::Name(_) | Expr::Attr { .. })
            && self.peek(of).identity
    }
}
