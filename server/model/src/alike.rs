//! Places inside bodies that typing elsewhere in the same body doesn't move.
//!
//! The index of an expression changes with every expression before it, and so would everything that holds
//! one: the model of the whole workspace, at each keystroke in a handler that checks something. What the
//! expression says doesn't change.

use std::hash::{Hash, Hasher};
use std::mem::discriminant;

use gatewatch_frameworks::PlaceNode;
use gatewatch_syntax::facts::{ArgKind, Code, Expr, ExprId, Run, Stmt};
use rustc_hash::FxHasher;

/// Expressions nested deeper than this are told apart by their order only.
const MAX_DEPTH: u32 = 64;

/// What the expressions of a body say, read once for all of its places.
pub(crate) struct Sayings<'a> {
    code: &'a Code,
    says: Vec<u32>,
}

impl<'a> Sayings<'a> {
    /// Reads a body.
    pub(crate) fn of(code: &'a Code) -> Self {
        let all = 0..u32::try_from(code.exprs.len()).unwrap_or(u32::MAX);
        Self {
            code,
            says: all.map(|index| said(code, ExprId(index), 0)).collect(),
        }
    }

    /// A node of the body by what it says.
    pub(crate) fn settled(&self, node: PlaceNode) -> PlaceNode {
        match node {
            PlaceNode::Expr(index) => {
                let Some((&says, before)) = self
                    .says
                    .get(..=index as usize)
                    .and_then(<[u32]>::split_last)
                else {
                    return node;
                };
                let nth = count(before.iter().filter(|&&other| other == says));
                PlaceNode::Saying { says, nth }
            }
            PlaceNode::Stmt(index) if self.code.stmts.get(index as usize).is_some_and(is_try) => {
                let before = self.code.stmts.iter().take(index as usize);
                PlaceNode::Try(count(before.filter(|stmt| is_try(stmt))))
            }
            other => other,
        }
    }
}

/// The node by its index again. `None` if the body no longer has it.
pub(crate) fn found(code: &Code, node: PlaceNode) -> Option<PlaceNode> {
    match node {
        PlaceNode::Saying { says, nth } => {
            let all = 0..u32::try_from(code.exprs.len()).unwrap_or(u32::MAX);
            all.filter(|&index| said(code, ExprId(index), 0) == says)
                .nth(nth as usize)
                .map(PlaceNode::Expr)
        }
        PlaceNode::Try(nth) => {
            let tries = code
                .stmts
                .iter()
                .enumerate()
                .filter(|(_, stmt)| is_try(stmt));
            let (index, _) = tries.into_iter().nth(nth as usize)?;
            u32::try_from(index).ok().map(PlaceNode::Stmt)
        }
        other => Some(other),
    }
}

fn count(found: impl Iterator) -> u32 {
    u32::try_from(found.count()).unwrap_or(u32::MAX)
}

fn is_try(stmt: &Stmt) -> bool {
    matches!(stmt, Stmt::Try { .. })
}

/// A hash of what an expression says, without any index.
fn said(code: &Code, expr: ExprId, depth: u32) -> u32 {
    let mut hasher = FxHasher::default();
    say(code, expr, depth, &mut hasher);
    let hash = hasher.finish();
    (hash ^ (hash >> 32)) as u32
}

fn say(code: &Code, id: ExprId, depth: u32, out: &mut FxHasher) {
    let expr = code.expr(id);
    discriminant(&expr).hash(out);
    if depth > MAX_DEPTH {
        return;
    }
    let mut say = |id| say(code, id, depth + 1, out);
    match expr {
        Expr::Unknown | Expr::Null => {}
        Expr::Bool(value) => value.hash(out),
        Expr::Number(text) | Expr::Str(text) | Expr::Regex(text) => code.string(text).hash(out),
        Expr::Name(name) => name.as_str().hash(out),
        Expr::Attr { base, name } => {
            say(base);
            name.as_str().hash(out);
        }
        Expr::Index { base: a, index: b }
        | Expr::Assign {
            target: a,
            value: b,
        }
        | Expr::Bind {
            pattern: a,
            value: b,
        } => {
            say(a);
            say(b);
        }
        Expr::Binary { op, left, right } => {
            say(left);
            say(right);
            op.hash(out);
        }
        Expr::Cond {
            test,
            then,
            otherwise,
        } => {
            say(test);
            say(then);
            say(otherwise);
        }
        Expr::Call { callee, args } | Expr::New { callee, args } => {
            say(callee);
            say_args(code, args, depth, out);
        }
        Expr::List(args) | Expr::Tuple(args) | Expr::Dict(args) => say_args(code, args, depth, out),
        Expr::Template(parts) => code.parts(parts).for_each(say),
        Expr::Not(inner)
        | Expr::Unary(inner)
        | Expr::Await(inner)
        | Expr::Try(inner)
        | Expr::Yield(inner)
        | Expr::Spread(inner) => say(inner),
        // What is inside of these is code of its own.
        Expr::Function(_) | Expr::Class(_) | Expr::Block(_) | Expr::Comprehension(_) => {}
    }
}

fn say_args(code: &Code, args: Run, depth: u32, out: &mut FxHasher) {
    for arg in code.args(args) {
        discriminant(&arg.kind).hash(out);
        match arg.kind {
            ArgKind::Named(name) => name.as_str().hash(out),
            ArgKind::Keyed(key) => say(code, key, depth + 1, out),
            ArgKind::Positional | ArgKind::Spread | ArgKind::SpreadMap => {}
        }
        say(code, arg.value, depth + 1, out);
    }
}
