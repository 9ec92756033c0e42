//! Expressions and types that a table can't describe.

use tree_sitter::Node;

use super::Python;
use crate::facts::{Arg, ArgKind, BlockId, Expr, ExprId, Operator, Stmt};
use crate::lower::{Adapter, Lowering, first_named, named};

pub(super) fn subscript(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let Some(value) = node.child_by_field_name("value") else {
        return Expr::Unknown;
    };
    let base = lower.expr(value);
    let mut cursor = node.walk();
    let indices: Vec<_> = node
        .children_by_field_name("subscript", &mut cursor)
        .collect();
    let index = several(lower, &indices, node);
    Expr::Index { base, index }
}

/// One node as itself, several as a tuple.
pub(super) fn several(lower: &mut Lowering<'_>, nodes: &[Node<'_>], whole: Node<'_>) -> ExprId {
    if let [single] = nodes {
        return lower.expr(*single);
    }
    let args: Vec<Arg> = nodes
        .iter()
        .map(|node| Arg {
            kind: ArgKind::Positional,
            value: lower.expr(*node),
        })
        .collect();
    let run = lower.push_args(&args);
    lower.push(Expr::Tuple(run), whole)
}

pub(super) fn generic_type(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    match named(node).as_slice() {
        [base, parameters, ..] => {
            let base = lower.expr(*base);
            let inner: Vec<_> = named(*parameters);
            let index = several(lower, &inner, *parameters);
            Expr::Index { base, index }
        }
        _ => Expr::Unknown,
    }
}

pub(super) fn union(lower: &mut Lowering<'_>, parts: &[Node<'_>]) -> Expr {
    let Some((first, rest)) = parts.split_first() else {
        return Expr::Unknown;
    };
    let mut id = lower.expr(*first);
    for part in rest {
        let right = lower.expr(*part);
        let either = Expr::Binary {
            op: Operator::BitOr,
            left: id,
            right,
        };
        id = lower.push_between(either, *first, *part);
    }
    lower.get(id)
}

pub(super) fn comparison(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let operands = named(node);
    let mut cursor = node.walk();
    let operators: Vec<_> = node
        .children_by_field_name("operators", &mut cursor)
        .map(|operator| {
            Python.operator(
                &lower
                    .text(operator)
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" "),
            )
        })
        .collect();
    let ids: Vec<_> = operands
        .iter()
        .map(|operand| lower.expr(*operand))
        .collect();
    let mut whole: Option<ExprId> = None;
    let mut last = Expr::Unknown;
    for (pair, op) in ids.windows(2).zip(operators) {
        let [left, right] = pair else { continue };
        last = Expr::Binary {
            op,
            left: *left,
            right: *right,
        };
        if let Some(before) = whole {
            let this = lower.push(last, node);
            last = Expr::Binary {
                op: Operator::And,
                left: before,
                right: this,
            };
        }
        if ids.len() > 2 {
            whole = Some(lower.push(last, node));
        }
    }
    last
}

pub(super) fn conditional(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    match named(node).as_slice() {
        [then, test, otherwise] => {
            let test = lower.expr(*test);
            let then = lower.expr(*then);
            let otherwise = lower.expr(*otherwise);
            Expr::Cond {
                test,
                then,
                otherwise,
            }
        }
        _ => Expr::Unknown,
    }
}

pub(super) fn dictionary(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let mut args = Vec::new();
    for child in named(node) {
        match child.kind() {
            "pair" => args.extend(pair(lower, child)),
            "dictionary_splat" => {
                if let Some(inner) = first_named(child) {
                    let value = lower.expr(inner);
                    args.push(Arg {
                        kind: ArgKind::SpreadMap,
                        value,
                    });
                }
            }
            _ => {}
        }
    }
    Expr::Dict(lower.push_args(&args))
}

pub(super) fn pair(lower: &mut Lowering<'_>, node: Node<'_>) -> Option<Arg> {
    let key = node.child_by_field_name("key")?;
    let value = node.child_by_field_name("value")?;
    let key = lower.expr(key);
    let value = lower.expr(value);
    Some(Arg {
        kind: ArgKind::Keyed(key),
        value,
    })
}

pub(super) fn comprehension(lower: &mut Lowering<'_>, node: Node<'_>) -> BlockId {
    let children = named(node);
    let Some((element, clauses)) = children.split_first() else {
        return lower.block_of(&[]);
    };
    let mut statements = Vec::new();
    let value = lower.expr(*element);
    lower.push_stmt(Stmt::Tail(value), *element, &mut statements);
    let mut body = lower.block_of(&statements);
    for clause in clauses.iter().rev() {
        let mut statements = Vec::new();
        match clause.kind() {
            "if_clause" => {
                if let Some(test) = first_named(*clause) {
                    let test = lower.expr(test);
                    lower.push_stmt(
                        Stmt::If {
                            test,
                            then: body,
                            otherwise: None,
                        },
                        *clause,
                        &mut statements,
                    );
                }
            }
            "for_in_clause" => {
                let target = clause
                    .child_by_field_name("left")
                    .map(|left| lower.expr(left));
                let subject = clause
                    .child_by_field_name("right")
                    .map(|right| lower.expr(right));
                lower.push_stmt(
                    Stmt::Loop {
                        target,
                        subject,
                        body,
                    },
                    *clause,
                    &mut statements,
                );
            }
            _ => continue,
        }
        body = lower.block_of(&statements);
    }
    body
}

pub(super) fn dotted_name(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let mut parts = named(node).into_iter();
    let Some(first) = parts.next() else {
        return Expr::Unknown;
    };
    let mut expr = Expr::Name(lower.name(first));
    for part in parts {
        let base = lower.push(expr, node);
        expr = Expr::Attr {
            base,
            name: lower.name(part),
        };
    }
    expr
}
