//! What a called function of the workspace does: its own body, the decorators that it is called through, and what it is told.

use std::sync::Arc;

use gatewatch_frameworks::signature;
use gatewatch_source::{Db, FileSet, SourceFile};
use gatewatch_syntax::facts::{Expr, ExprId, Language};
use ustr::{Ustr, ustr};

use super::walk::Walker;
use super::{Check, Effects, Library, Use, effects_of};
use crate::control::{Effect, Order, Strength};
use crate::entry::{Callable, Site};
use crate::injected::callable_of;
use crate::names::{Seen, Target, follow};
use crate::places::function_site;

/// What happens when a function is called. In Python its name means what its decorators made of it.
pub(super) fn called(db: &dyn Db, tree: FileSet, file: SourceFile, function: Ustr) -> Arc<Effects> {
    let mut effects = effects_of(db, tree, file, function, Use::Guard);
    let python = gatewatch_syntax::language(db, file) == Some(Language::Python);
    let Some(head) = signature(db, file, function).filter(|_| python) else {
        return effects;
    };
    let roles = Arc::new(head.scope.clone());
    for (decorator, _) in head.decorators.iter().rev() {
        let seen = Seen {
            file,
            roles: Arc::clone(&roles),
            value: decorator.clone(),
        };
        let target = follow(db, tree, &seen);
        let callable = callable_of(db, tree, &target);
        match &callable {
            Callable::Function(of, id)
            | Callable::Made {
                maker: (of, id), ..
            } if (*of, *id) != (file, function) => {
                let around = effects_of(db, tree, *of, *id, Use::Guard);
                surround(&mut effects, &around, (*of, *id), &callable.args());
            }
            Callable::External(name, args) => {
                let Some(site) = function_site(db, file, function) else {
                    continue;
                };
                surround_by_library(&mut effects, *name, args.is_empty(), site);
            }
            _ => {}
        }
    }
    effects
}

/// Puts the checks of a decorator in front of those of what it decorates.
fn surround(effects: &mut Arc<Effects>, around: &Effects, by: (SourceFile, Ustr), given: &[Ustr]) {
    if around.checks.is_empty() {
        return;
    }
    let effects = Arc::make_mut(effects);
    let checks: Vec<Check> = around
        .checks
        .iter()
        .map(|check| Check {
            demands: match check.effect {
                Effect::Authorization => joined(&check.demands, given),
                _ => check.demands.clone(),
            },
            by: Some(check.by.unwrap_or(by)),
            ..check.clone()
        })
        .collect();
    effects.checks.splice(0..0, checks);
    effects.ambient |= around.ambient;
    effects.reads_identity |= around.reads_identity;
}

fn surround_by_library(effects: &mut Arc<Effects>, name: Ustr, plain: bool, site: Site) {
    let control = gatewatch_frameworks::packs().control(name);
    let Some(control) = control.filter(|control| {
        // With arguments it may be told to let everybody pass.
        control.strength.as_str() == "enforcing"
            && !control.effects.is_empty()
            && (plain || control.optional_when.is_none())
    }) else {
        return;
    };
    let effects = Arc::make_mut(effects);
    for effect in &control.effects {
        let effect = match effect.as_str() {
            "authentication" => Effect::Authentication,
            "authorization" => Effect::Authorization,
            _ => continue,
        };
        effects.checks.push(Check {
            effect,
            strength: Strength::Enforcing,
            site,
            by: None,
            library: Some(Library::named(name)),
            demands: Vec::new(),
            every: false,
            order: Order::First,
            need: None,
            when: None,
        });
    }
    effects.ambient = true;
}

/// What a check demands, and what it was told to demand.
pub(super) fn joined(demands: &[Ustr], given: &[Ustr]) -> Vec<Ustr> {
    let mut all = [demands, given].concat();
    all.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    all.dedup();
    all
}

impl Walker<'_> {
    /// The constants that a call is given: `ensure_role(user, "admin")`.
    pub(super) fn given(&mut self, call: ExprId, called: (SourceFile, Ustr)) -> Vec<Ustr> {
        let Expr::Call { callee, args } = self.code.expr(call) else {
            return Vec::new();
        };
        // What stands in the call may be given to something else.
        if !matches!(self.callee_target(callee), Target::Function(file, id) if (file, id) == called)
        {
            return Vec::new();
        }
        let mut found = Vec::new();
        for arg in self.code.args(args) {
            let constant = matches!(
                self.code.expr(arg.value),
                Expr::Str(_) | Expr::List(_) | Expr::Tuple(_) | Expr::Attr { .. } | Expr::Name(_)
            );
            if constant {
                super::classify::texts(self, arg.value, &mut found, 0);
            }
        }
        // A sentence is a message.
        found.retain(|text| !text.is_empty() && !text.contains(' '));
        found.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        found.dedup();
        found.truncate(16);
        found
    }

    /// A method of the class that the function stands in.
    pub(super) fn own_method(&self, name: Ustr) -> Option<(SourceFile, Ustr)> {
        let class = self.own_class()?;
        crate::names::method(self.db, self.tree, self.file, class, name)
    }

    /// The class that the function stands in, or the function around it.
    fn own_class(&self) -> Option<Ustr> {
        let mut id = self.owner.as_str();
        while let Some((around, _)) = id.rsplit_once('.') {
            let class = ustr(around);
            if gatewatch_frameworks::class_roles(self.db, self.file, class).is_some() {
                return Some(class);
            }
            id = around;
        }
        None
    }

    /// The class of what a field of the class that the function stands in holds.
    pub(super) fn own_field(&self, name: Ustr) -> Option<(SourceFile, Ustr)> {
        let class = self.own_class()?;
        let fields = crate::fields::fields(self.db, self.tree, self.file, class);
        let (_, class) = fields.iter().find(|(own, _)| *own == name)?;
        Some(*class)
    }

    /// Whether a call gives a function none of what it could look at: `create_account()` of `create_account(account=None)`,
    /// or a name that is nothing here, as `authorize(current_user, policy)` where the parameter is gone.
    pub(super) fn leaves_out(&self, call: ExprId, (file, function): (SourceFile, Ustr)) -> bool {
        let Expr::Call { callee, args } = self.code.expr(call) else {
            return false;
        };
        let plain = matches!(self.code.expr(callee), Expr::Name(_)) && !function.contains('.');
        let args = self.code.args(args);
        let nothing = |arg: &gatewatch_syntax::facts::Arg| matches!(self.code.expr(arg.value), Expr::Name(name) if self.is_nothing(name));
        if args.iter().any(nothing) {
            return true;
        }
        plain
            && args.is_empty()
            && gatewatch_frameworks::signature(self.db, file, function)
                .is_some_and(|signature| !signature.params.is_empty())
    }
}
