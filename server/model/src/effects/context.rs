//! What a file's functions keep in the request's context for those that run behind them.

use std::sync::Arc;

use gatewatch_source::{Db, SourceFile};
use gatewatch_syntax::facts::{Code, Expr, ExprId, Stmt};
use ustr::Ustr;

use crate::words::words;

/// The names under which functions of a file keep in `g` what they looked up by something that the request carries:
/// `g.agent = AGENTS.get(request.cookies.get("agent"))`.
#[salsa::tracked(returns(clone))]
pub(super) fn kept(db: &dyn Db, file: SourceFile) -> Arc<Vec<Ustr>> {
    let mut found = Vec::new();
    for item in &gatewatch_syntax::file_facts(db, file).items {
        for body in &item.bodies {
            let code = &body.code;
            for stmt in &code.stmts {
                if let Stmt::Let {
                    target,
                    value: Some(value),
                    ..
                } = *stmt
                    && let Expr::Attr { base, name } = code.expr(target)
                    && matches!(code.expr(base), Expr::Name(of) if of.as_str() == "g")
                    && looks_up(code, value)
                    && !found.contains(&name)
                {
                    found.push(name);
                }
            }
        }
    }
    found.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    Arc::new(found)
}

/// Whether a call is given a header, a cookie, a part of the session or a credential.
fn looks_up(code: &Code, value: ExprId) -> bool {
    let Expr::Call { args, .. } = code.expr(value) else {
        return false;
    };
    let carries = |name: Ustr| {
        matches!(
            name.as_str(),
            "cookies" | "headers" | "session" | "authorization"
        ) || words().is_credential(name)
    };
    let mut waiting: Vec<ExprId> = code.args(args).iter().map(|arg| arg.value).collect();
    for _ in 0..64 {
        let Some(expr) = waiting.pop() else { break };
        match code.expr(expr) {
            Expr::Name(name) if carries(name) => return true,
            Expr::Attr { name, .. } if carries(name) => return true,
            Expr::Attr { base, .. } => waiting.push(base),
            Expr::Index { base, index } => waiting.extend([base, index]),
            Expr::Call { callee, args } => {
                waiting.push(callee);
                waiting.extend(code.args(args).iter().map(|arg| arg.value));
            }
            _ => {}
        }
    }
    false
}
