//! What is written on handlers for hooks to read: `view.is_public = True`, and a hook that asks
//! `getattr(view, "is_public", False)`.

use std::sync::Arc;

use gatewatch_frameworks::signature;
use gatewatch_source::{Db, FileSet, SourceFile};
use gatewatch_syntax::facts::{Code, Expr, ExprId};
use gatewatch_syntax::{function, heads};
use ustr::{Ustr, ustr};

use crate::entry::{Callable, EntryPoint, Handler};
use crate::fields::assigned;
use crate::injected::callable_of;
use crate::names::{Seen, follow};

/// The attributes that are set on an entry point's handler: beside its definition, or by its decorators.
pub(crate) fn marks_of(db: &dyn Db, tree: FileSet, entry: &EntryPoint) -> Vec<Ustr> {
    let Handler::Function(file, id) = entry.handler else {
        return Vec::new();
    };
    let mut found: Vec<Ustr> = written(db, file)
        .iter()
        .filter(|(of, _)| *of == id)
        .map(|(_, mark)| *mark)
        .collect();
    if let Some(head) = signature(db, file, id) {
        let roles = Arc::new(head.scope.clone());
        for (decorator, _) in &head.decorators {
            let seen = Seen {
                file,
                roles: Arc::clone(&roles),
                value: decorator.clone(),
            };
            if let Callable::Function(of, id)
            | Callable::Made {
                maker: (of, id), ..
            } = callable_of(db, tree, &follow(db, tree, &seen))
                && let Some(facts) = function(db, of, id)
            {
                found.extend(set_in(&facts.body).map(|(_, mark)| mark));
            }
        }
    }
    found
}

/// The functions of a file that something is written on, beside their definition, and what.
#[salsa::tracked(returns(clone))]
fn written(db: &dyn Db, file: SourceFile) -> Arc<Vec<(Ustr, Ustr)>> {
    let mut found = Vec::new();
    for (_, code) in &heads(db, file).items {
        for (on, mark) in set_in(code) {
            match code.expr(on) {
                // In a class a name is that of a method.
                Expr::Name(name) => {
                    let beside = code.functions.iter().find(|function| function.name == name);
                    found.push((beside.map_or(name, |function| function.id), mark));
                }
                Expr::Attr { base, name } => {
                    if let Expr::Name(class) = code.expr(base) {
                        found.push((ustr(&format!("{class}.{name}")), mark));
                    }
                }
                _ => {}
            }
        }
    }
    Arc::new(found)
}

/// The endpoints that a file's functions mark by name: `app.view_functions["auth.login"].is_public = True`.
pub(crate) fn marked_endpoints(db: &dyn Db, file: SourceFile, mark: Ustr) -> Vec<Ustr> {
    let mut found = Vec::new();
    let mut waiting: Vec<Arc<Code>> = heads(db, file)
        .items
        .iter()
        .map(|(_, code)| Arc::clone(code))
        .collect();
    while let Some(code) = waiting.pop() {
        for (on, own) in set_in(&code) {
            if own == mark
                && let Expr::Index { base, index } = code.expr(on)
                && matches!(code.expr(base), Expr::Attr { name, .. } if name == "view_functions")
                && let Some(text) = code.str_of(index)
            {
                found.push(ustr(text));
            }
        }
        let inner = code.functions.iter();
        waiting.extend(inner.filter_map(|inner| Some(function(db, file, inner.id)?.body)));
    }
    found.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    found
}

/// The attributes that a code sets to `True`, and on what.
fn set_in(code: &Code) -> impl Iterator<Item = (ExprId, Ustr)> {
    let assigned =
        assigned(code).filter_map(
            |(target, value)| match (code.expr(target), code.expr(value)) {
                (Expr::Attr { base, name }, Expr::Bool(true)) => Some((base, name)),
                _ => None,
            },
        );
    // `setattr(view, "is_public", True)`
    let by_name = code.exprs.iter().filter_map(|expr| {
        let Expr::Call { callee, args } = *expr else {
            return None;
        };
        let called = matches!(code.expr(callee), Expr::Name(name) if name == "setattr");
        match code.args(args) {
            [on, name, value] if called && matches!(code.expr(value.value), Expr::Bool(true)) => {
                Some((on.value, ustr(code.str_of(name.value)?)))
            }
            _ => None,
        }
    });
    assigned.chain(by_name)
}
