//! Patterns.

use tree_sitter::Node;

use super::{field_expr, parts, transparent};
use crate::facts::{Arg, ArgKind, Expr, Operator, Run};
use crate::lower::{Lowering, named};

/// The parts of a tuple-like pattern; its `type` field is no part.
pub(super) fn pattern_args(lower: &mut Lowering<'_>, node: Node<'_>) -> Run {
    let ty = node.child_by_field_name("type");
    let args: Vec<Arg> = parts(node)
        .into_iter()
        .filter(|part| Some(*part) != ty)
        .map(|part| Arg {
            kind: if part.kind() == "remaining_field_pattern" {
                ArgKind::Spread
            } else {
                ArgKind::Positional
            },
            value: lower.expr(part),
        })
        .collect();
    lower.push_args(&args)
}

pub(super) fn struct_pattern(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let callee = field_expr(lower, node, "type");
    let mut args = Vec::new();
    for field in named(node) {
        if field.kind() != "field_pattern" {
            continue;
        }
        let Some(name) = field.child_by_field_name("name") else {
            continue;
        };
        let value = lower.expr(field.child_by_field_name("pattern").unwrap_or(name));
        args.push(Arg {
            kind: ArgKind::Named(lower.name(name)),
            value,
        });
    }
    let args = lower.push_args(&args);
    Expr::New { callee, args }
}

pub(super) fn or_pattern(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    match parts(node).as_slice() {
        [left, right, ..] => {
            let left = lower.expr(*left);
            let right = lower.expr(*right);
            Expr::Binary {
                op: Operator::BitOr,
                left,
                right,
            }
        }
        [single] => transparent(lower, Some(*single)),
        [] => Expr::Unknown,
    }
}
