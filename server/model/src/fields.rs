//! What the fields of a class hold, as its constructor says: `this.auth = new Auth()`, `self.auth = Auth(settings)`,
//! `constructor(private auth: Auth)`.

use std::sync::Arc;

use gatewatch_frameworks::{class_roles, signature};
use gatewatch_source::{Db, FileSet, SourceFile};
use gatewatch_syntax::facts::{Code, Expr, ExprId, Stmt};
use gatewatch_syntax::function;
use ustr::{Ustr, ustr};

use crate::injected::class_of;
use crate::names::{Target, member_of, method, module_name};

/// The class of each field that holds an instance of one of the workspace.
#[salsa::tracked(returns(clone))]
pub(crate) fn fields(
    db: &dyn Db,
    tree: FileSet,
    file: SourceFile,
    class: Ustr,
) -> Arc<Vec<(Ustr, (SourceFile, Ustr))>> {
    let mut found: Vec<(Ustr, Option<(SourceFile, Ustr)>)> = Vec::new();
    let constructor = ["constructor", "__init__"]
        .into_iter()
        .find_map(|name| method(db, tree, file, class, ustr(name)));
    let Some((file, id)) = constructor else {
        return Arc::default();
    };
    let (Some(facts), Some(signature)) = (function(db, file, id), signature(db, file, id)) else {
        return Arc::default();
    };
    let given: Vec<(Ustr, (SourceFile, Ustr))> = signature
        .params
        .iter()
        .filter_map(|param| Some((param.name, class_of(db, tree, file, param, &signature)?)))
        .collect();
    let code = &facts.body;
    for (target, value) in assigned(code) {
        let Expr::Attr { base, name } = code.expr(target) else {
            continue;
        };
        if !matches!(code.expr(base), Expr::Name(of) if matches!(of.as_str(), "this" | "self")) {
            continue;
        }
        let class = match code.expr(value) {
            Expr::Name(of) => given
                .iter()
                .find(|(name, _)| *name == of)
                .map(|(_, of)| *of),
            Expr::New { callee, .. } | Expr::Call { callee, .. } => {
                match named(db, tree, file, code, callee, 0) {
                    Target::Class(file, id) => Some((file, id)),
                    _ => None,
                }
            }
            _ => None,
        };
        found.push((name, class));
    }
    // `constructor(private auth: Auth)` declares a field of that name, and nothing has to be assigned to it.
    let declared = id
        .strip_suffix(".constructor")
        .and_then(|class| class_roles(db, file, ustr(class)));
    for (name, class) in given {
        let is_field = (declared.as_ref())
            .is_some_and(|class| class.types.iter().any(|(field, _)| *field == name));
        if is_field && !found.iter().any(|(own, _)| *own == name) {
            found.push((name, Some(class)));
        }
    }
    let known = found.into_iter();
    Arc::new(
        known
            .filter_map(|(name, class)| Some((name, class?)))
            .collect(),
    )
}

/// What a code assigns: targets and values.
pub(crate) fn assigned(code: &Code) -> impl Iterator<Item = (ExprId, ExprId)> {
    let statements = code.stmts.iter().filter_map(|stmt| match *stmt {
        Stmt::Let {
            target,
            value: Some(value),
            ..
        } => Some((target, value)),
        _ => None,
    });
    let expressions = code.exprs.iter().filter_map(|expr| match *expr {
        Expr::Assign { target, value } => Some((target, value)),
        _ => None,
    });
    statements.chain(expressions)
}

fn named(
    db: &dyn Db,
    tree: FileSet,
    file: SourceFile,
    code: &Code,
    expr: ExprId,
    depth: u32,
) -> Target {
    match code.expr(expr) {
        Expr::Name(name) => module_name(db, tree, file, name),
        Expr::Attr { base, name } if depth < 4 => {
            match named(db, tree, file, code, base, depth + 1) {
                Target::Unknown => Target::Unknown,
                base => member_of(db, tree, base, name),
            }
        }
        _ => Target::Unknown,
    }
}
