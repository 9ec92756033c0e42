//! Types.

use tree_sitter::Node;
use ustr::ustr;

use super::{field_expr, name_of, parts, positional, transparent};
use crate::facts::{Arg, ArgKind, Expr, Operator};
use crate::lower::{Lowering, first_named};

/// `Option<User>`; a type whose only arguments are lifetimes is the plain type.
pub(super) fn generic_type(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let base = field_expr(lower, node, "type");
    let arguments = node.child_by_field_name("type_arguments");
    let mut args = Vec::new();
    for argument in arguments.map(parts).unwrap_or_default() {
        let kind = match argument.kind() {
            "lifetime" | "trait_bounds" => continue,
            "type_binding" => ArgKind::Named(name_of(lower, argument)),
            _ => ArgKind::Positional,
        };
        let value = match kind {
            ArgKind::Named(_) => field_expr(lower, argument, "type"),
            _ => lower.expr(argument),
        };
        args.push(Arg { kind, value });
    }
    let index = match args.as_slice() {
        [] => return lower.get(base),
        [
            Arg {
                kind: ArgKind::Positional,
                value,
            },
        ] => *value,
        _ => {
            let run = lower.push_args(&args);
            lower.push(Expr::Tuple(run), arguments.unwrap_or(node))
        }
    };
    Expr::Index { base, index }
}

/// `fn(A) -> B` and `Fn(A) -> B` as a call of `fn` or the trait; the result's type follows as `->`.
pub(super) fn function_type(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let callee = match node.child_by_field_name("trait") {
        Some(name) => lower.expr(name),
        None => lower.push(Expr::Name(ustr("fn")), node),
    };
    let mut args = Vec::new();
    for parameter in node
        .child_by_field_name("parameters")
        .map(parts)
        .unwrap_or_default()
    {
        let ty = parameter.child_by_field_name("type").unwrap_or(parameter);
        args.push(positional(lower.expr(ty)));
    }
    if let Some(returns) = node.child_by_field_name("return_type") {
        let value = lower.expr(returns);
        args.push(Arg {
            kind: ArgKind::Named(ustr("->")),
            value,
        });
    }
    let args = lower.push_args(&args);
    Expr::Call { callee, args }
}

/// `A + B`; lifetimes fall away.
pub(super) fn bounded_type(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let bounds: Vec<_> = parts(node)
        .into_iter()
        .filter(|part| !matches!(part.kind(), "lifetime" | "use_bounds"))
        .collect();
    match bounds.as_slice() {
        [left, right, ..] => {
            let left = lower.expr(*left);
            let right = lower.expr(*right);
            Expr::Binary {
                op: Operator::Add,
                left,
                right,
            }
        }
        [single] => transparent(lower, Some(*single)),
        [] => Expr::Unknown,
    }
}

/// The last name of a type, without its arguments.
pub(super) fn type_name<'a>(text: &'a str, mut node: Node<'_>) -> &'a str {
    for _ in 0..8 {
        let inner = match node.kind() {
            "generic_type" | "reference_type" | "pointer_type" => node.child_by_field_name("type"),
            "scoped_type_identifier" => node.child_by_field_name("name"),
            "dynamic_type" | "abstract_type" => node.child_by_field_name("trait"),
            "array_type" => node.child_by_field_name("element"),
            "type_identifier" | "primitive_type" | "metavariable" | "identifier" => {
                return text.get(node.byte_range()).unwrap_or_default();
            }
            "bounded_type" => first_named(node),
            _ => None,
        };
        match inner {
            Some(inner) => node = inner,
            None => break,
        }
    }
    ""
}
