//! Types.

use tree_sitter::Node;
use ustr::ustr;

use super::literals::{elements, key};
use super::{field_expr, first_expr, positional, same_as};
use crate::facts::{Arg, ArgKind, Expr, ExprId, Operator};
use crate::lower::{Lowering, named};

pub(super) fn type_expr(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    match node.kind() {
        "generic_type" => {
            let base = field_expr(lower, node, "name");
            match node.child_by_field_name("type_arguments") {
                Some(arguments) => {
                    let index = several(lower, arguments);
                    Expr::Index { base, index }
                }
                None => lower.get(base),
            }
        }
        "array_type" => {
            let base = lower.push(Expr::Name(ustr("Array")), node);
            let index = first_expr(lower, node);
            Expr::Index { base, index }
        }
        "lookup_type" => match named(node).as_slice() {
            [base, index, ..] => {
                let base = lower.expr(*base);
                let index = lower.expr(*index);
                Expr::Index { base, index }
            }
            _ => Expr::Unknown,
        },
        "union_type" => joined(lower, node, Operator::BitOr),
        "intersection_type" => joined(lower, node, Operator::Other),
        "tuple_type" => Expr::Tuple(elements(lower, node)),
        "object_type" => object_type(lower, node),
        "type_query" | "index_type_query" | "asserts" => Expr::Unary(first_expr(lower, node)),
        // `x is User` tests `x` against a type.
        "type_predicate" => {
            let value = field_expr(lower, node, "name");
            let pattern = field_expr(lower, node, "type");
            Expr::Bind { pattern, value }
        }
        // An element of a tuple type that has a name.
        "required_parameter" | "optional_parameter" => match node.child_by_field_name("type") {
            Some(ty) => same_as(lower, ty),
            None => Expr::Unknown,
        },
        _ => Expr::Unknown,
    }
}

/// The named children of a list: a single one as itself, several as a tuple.
pub(super) fn several(lower: &mut Lowering<'_>, list: Node<'_>) -> ExprId {
    let parts: Vec<_> = named(list)
        .into_iter()
        .filter(|part| !part.is_extra())
        .collect();
    if let [single] = parts.as_slice() {
        return lower.expr(*single);
    }
    let args: Vec<_> = parts
        .iter()
        .map(|part| positional(lower.expr(*part)))
        .collect();
    let run = lower.push_args(&args);
    lower.push(Expr::Tuple(run), list)
}

fn joined(lower: &mut Lowering<'_>, node: Node<'_>, op: Operator) -> Expr {
    let mut whole: Option<ExprId> = None;
    for part in named(node) {
        if part.is_extra() {
            continue;
        }
        let right = lower.expr(part);
        whole = Some(match whole {
            None => right,
            Some(left) => lower.push(Expr::Binary { op, left, right }, node),
        });
    }
    whole.map_or(Expr::Unknown, |whole| lower.get(whole))
}

fn object_type(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let mut args = Vec::new();
    for child in named(node) {
        let kind = match child.kind() {
            "property_signature" | "method_signature" => {
                key(lower, child.child_by_field_name("name"), child)
            }
            // `[key: string]: T` and mapped types: keys that only their type describes.
            "index_signature" => {
                let of = match child.child_by_field_name("index_type") {
                    Some(of) => lower.expr(of),
                    None => lower.push(Expr::Unknown, child),
                };
                ArgKind::Keyed(of)
            }
            _ => continue,
        };
        let value = field_expr(lower, child, "type");
        args.push(Arg { kind, value });
    }
    Expr::Dict(lower.push_args(&args))
}
