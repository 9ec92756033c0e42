//! Small functions of the workspace, read where they are called: predicates that are one expression, and helpers that
//! answer with what they are given.

use super::Check;
use super::kind::Kind;
use super::walk::Walker;
use crate::control::Strength;
use crate::names::Target;
use gatewatch_frameworks::signature;
use gatewatch_source::SourceFile;
use gatewatch_syntax::facts::{ArgKind, Expr, ExprId, Run, Stmt};
use gatewatch_syntax::function;
use rustc_hash::FxHashMap;
use ustr::{Ustr, ustr};

impl Walker<'_> {
    /// Asks something of the one expression that a function gives back, its parameters bound to what it is called with.
    ///
    /// Nothing takes effect on the way.
    pub(super) fn inlined<T>(
        &mut self,
        (file, id): (SourceFile, Ustr),
        kinds: &[Kind],
        ask: impl FnOnce(&mut Self, ExprId) -> T,
    ) -> Option<T> {
        if self.depth > 40 || (file, id) == (self.file, self.owner) {
            return None;
        }
        let facts = function(self.db, file, id)?;
        let signature = signature(self.db, file, id)?;
        let value = facts.body.only_value()?;
        let mut env = FxHashMap::default();
        for (param, kind) in signature.params.iter().zip(kinds) {
            if param.binds.is_empty() {
                env.insert(param.name, *kind);
            }
            env.extend(param.binds.iter().map(|name| (*name, *kind)));
        }
        let outer = (
            std::mem::replace(&mut self.code, std::sync::Arc::clone(&facts.body)),
            std::mem::replace(&mut self.file, file),
            std::mem::replace(&mut self.owner, id),
            std::mem::replace(&mut self.env, env),
            std::mem::take(&mut self.instances),
        );
        self.depth += 10;
        let answer = self.quietly(|walker| ask(walker, value));
        self.depth -= 10;
        (self.code, self.file, self.owner, self.env, self.instances) = outer;
        Some(answer)
    }

    /// The function of the workspace that an argument is: a closure, or a name of one.
    pub(super) fn function_argument(&mut self, value: ExprId) -> Option<(SourceFile, Ustr)> {
        match self.code.expr(value) {
            Expr::Function(index) => self
                .code
                .functions
                .get(index as usize)
                .map(|function| (self.file, function.id)),
            Expr::Name(_) | Expr::Attr { .. } => match self.callee_target(value) {
                Target::Function(file, id) => Some((file, id)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a helper answers with a status that it is given, and is given one that refuses:
    /// `deny(res, 401, "no token")`.
    pub(super) fn denies_as_told(&self, (file, id): (SourceFile, Ustr), args: Run) -> bool {
        let Some((facts, signature)) =
            function(self.db, file, id).zip(signature(self.db, file, id))
        else {
            return false;
        };
        let body = &facts.body;
        let goes_on = |expr: &Expr| matches!(expr, Expr::Name(name) if *name == "next");
        if body.exprs.iter().any(goes_on) {
            return false;
        }
        let given = self.code.args(args);
        let told = |name: Ustr| {
            let at = signature.params.iter().position(|param| param.name == name);
            given.iter().enumerate().any(|(index, arg)| match arg.kind {
                ArgKind::Named(own) => own == name && self.denial_value(arg.value),
                ArgKind::Positional => Some(index) == at && self.denial_value(arg.value),
                _ => false,
            })
        };
        body.exprs.iter().any(|expr| {
            let Expr::Call { callee, args } = *expr else {
                return false;
            };
            let (Expr::Attr { name, .. } | Expr::Name(name)) = body.expr(callee) else {
                return false;
            };
            let states = matches!(
                name.to_lowercase().as_str(),
                "status" | "sendstatus" | "writehead" | "code" | "abort" | "httpexception"
            );
            states
                && body
                    .args(args)
                    .iter()
                    .take(1)
                    .any(|arg| matches!(body.expr(arg.value), Expr::Name(name) if told(name)))
        })
    }

    /// Whether every error of the function that is walked is a refusal: it makes a parameter of handlers.
    pub(super) fn rejects(&self) -> bool {
        self.owner
            .rsplit('.')
            .next()
            .is_some_and(crate::places::is_extracting)
    }

    pub(super) fn is_rust(&self) -> bool {
        gatewatch_syntax::language(self.db, self.file)
            == Some(gatewatch_syntax::facts::Language::Rust)
    }

    /// Whether a member of `self` says what the caller may do: the type is made from requests.
    pub(super) fn is_own_right(&self, base: ExprId, name: Ustr) -> bool {
        self.is_rust()
            && matches!(self.code.expr(base), Expr::Name(of) if of == "self")
            && self.words.is_authorization(name)
            && self.owner.rsplit_once('.').is_some_and(|(block, _)| {
                gatewatch_frameworks::class_roles(self.db, self.file, ustr(block)).is_some_and(
                    |class| crate::injected::is_extracted(self.db, self.tree, class.name),
                )
            })
    }

    /// Whether a value that is given back is an error where there is none: `user.ok_or(Unauthorized)`.
    pub(super) fn turns_to_error(&self, value: ExprId) -> bool {
        self.is_rust()
            && matches!(self.code.expr(value), Expr::Call { callee, .. }
                if matches!(self.code.expr(callee), Expr::Attr { name, .. } if name == "ok_or" || name == "ok_or_else"))
    }

    /// Whether a call is one of a function of the workspace that makes no error: whatever it looks at, `?` goes on.
    pub(super) fn never_fails(&mut self, call: ExprId) -> bool {
        let mut at = call;
        while let Expr::Await(inner) = self.code.expr(at) {
            at = inner;
        }
        let Expr::Call { callee, .. } = self.code.expr(at) else {
            return false;
        };
        let Target::Function(file, id) = self.callee_target(callee) else {
            return false;
        };
        let Some(facts) = function(self.db, file, id) else {
            return false;
        };
        let body = &facts.body;
        let fails = |expr: &Expr| match expr {
            Expr::Try(_) => true,
            Expr::Name(name) => name == "Err",
            _ => false,
        };
        let last = body.block(body.root).last().and_then(|id| body.stmt(id));
        let succeeds = matches!(last, Some(Stmt::Tail(value) | Stmt::Return(Some(value)))
            if matches!(body.expr(value), Expr::Call { callee, .. }
                if matches!(body.expr(callee), Expr::Name(name) if name == "Ok")));
        self.is_rust() && succeeds && !body.exprs.iter().any(fails)
    }

    /// Whether a name in the function stands for nothing: it is being written, and no compiler takes it.
    pub(super) fn names_nothing(&self) -> bool {
        if !self.is_rust() {
            return false;
        }
        // The parameters of closures are names of theirs.
        let bound = gatewatch_syntax::bound_names(&self.code);
        self.code.exprs.iter().any(|expr| {
            matches!(expr, Expr::Name(name)
                    if !bound.contains(name) && name.starts_with(|c: char| c.is_ascii_lowercase())
                        && !name.ends_with('!')
                        && !matches!(name.as_str(), "self" | "super" | "crate")
                        && !self.env.contains_key(name)
                        && matches!(self.lookup(*name), Target::Unknown))
        })
    }

    /// A call runs whose answer is thrown away: what it checks denies nobody.
    pub(super) fn dropped(&mut self, value: ExprId) {
        let (asked, mark) = (self.asked, self.effects.checks.len());
        self.value(value);
        self.asked = asked;
        let dropped = self.effects.checks.split_off(mark);
        self.effects
            .inert
            .extend(dropped.into_iter().map(|check| Check {
                strength: Strength::Advisory,
                ..check
            }));
    }

    /// Whether the value of a statement is a refusal that nobody looks at: a helper that only asks, and answers or gives
    /// an answer back, while its caller goes on.
    pub(super) fn drops_refusal(&mut self, value: ExprId) -> bool {
        let mut at = value;
        while let Expr::Await(inner) = self.code.expr(at) {
            at = inner;
        }
        let Expr::Call { callee, args } = self.code.expr(at) else {
            return false;
        };
        let Target::Function(file, id) = self.callee_target(callee) else {
            return false;
        };
        if self.is_rust() || (file, id) == (self.file, self.owner) {
            return false;
        }
        // What it was given may be what goes on.
        let continues = self
            .code
            .args(args)
            .iter()
            .any(|arg| match self.code.expr(arg.value) {
                Expr::Function(_) => true,
                Expr::Name(name) => {
                    name == "next" || name == "call_next" || self.captured.contains(&name)
                }
                _ => false,
            });
        let inner = super::called::called(self.db, self.tree, file, id);
        inner.by_value && !continues && !inner.loads && !inner.writes
    }

    /// Whether a local name is bound here and nothing reads it.
    pub(super) fn is_never_read(&self, target: ExprId) -> bool {
        let Expr::Name(name) = self.code.expr(target) else {
            return false;
        };
        let named = self
            .code
            .exprs
            .iter()
            .filter(|expr| **expr == Expr::Name(name));
        self.code.functions.is_empty() && named.count() == 1 && !self.misses_a_name()
    }

    /// Whether a name is used that is nothing here: one is being written, or written anew.
    fn misses_a_name(&self) -> bool {
        let mut names = self.code.exprs.iter().filter_map(|expr| match expr {
            Expr::Name(name) => Some(*name),
            _ => None,
        });
        names.any(|name| self.is_nothing(name))
    }

    /// Whether a name is bound nowhere that this code sees.
    pub(super) fn is_nothing(&self, name: Ustr) -> bool {
        let Some(language) = gatewatch_syntax::language(self.db, self.file) else {
            return false;
        };
        !self.env.contains_key(&name)
            && !gatewatch_syntax::globals(language).contains(name.as_str())
            && !gatewatch_syntax::binds(&self.code, name)
            && matches!(self.lookup(name), Target::Unknown)
            && !self.is_bound_around(name)
    }

    /// Whether the value of a statement is thrown away that says whether a check succeeded: in Rust a check that nobody
    /// looks at has refused nobody.
    pub(super) fn drops_answer(&mut self, value: ExprId) -> bool {
        let mut at = value;
        while let Expr::Await(inner) = self.code.expr(at) {
            at = inner;
        }
        match self.code.expr(at) {
            Expr::Call { callee, .. } if self.is_rust() => {
                let callee = match self.code.expr(callee) {
                    // `check(&headers).ok();`
                    Expr::Attr { base, name } if name == "ok" => match self.code.expr(base) {
                        Expr::Call { callee, .. } => callee,
                        _ => return false,
                    },
                    _ => callee,
                };
                matches!(self.callee_target(callee), Target::Function(..))
            }
            _ => false,
        }
    }
}
