//! Expressions that a table can't describe, JSX among them.

use tree_sitter::Node;
use ustr::ustr;

use super::literals::element;
use super::{TypeScript, constant_name, field_expr, first_expr, positional, same_as};
use crate::facts::{Arg, ArgKind, Expr, Operator, Stmt};
use crate::lower::{Adapter, Lowering, first_named, named};

pub(super) fn subscript(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let base = field_expr(lower, node, "object");
    let index = node.child_by_field_name("index");
    // `router["get"]` is the member `get`.
    if let Some(index) = index
        && matches!(index.kind(), "string" | "template_string")
        && let Some(name) = constant_name(lower, index)
    {
        return Expr::Attr { base, name };
    }
    let index = field_expr(lower, node, "index");
    Expr::Index { base, index }
}

/// `import.meta`, `new.target`.
pub(super) fn meta_property(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    match lower.text(node).split_once('.') {
        Some((base, name)) => {
            let name = ustr(name.trim());
            let base = lower.push(Expr::Name(ustr(base.trim())), node);
            Expr::Attr { base, name }
        }
        None => Expr::Unknown,
    }
}

pub(super) fn unary(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let operator = node
        .child_by_field_name("operator")
        .map_or("", |operator| operator.kind());
    let argument = node.child_by_field_name("argument");
    match operator {
        "!" => Expr::Not(field_expr(lower, node, "argument")),
        // `void 0` is how compiled code spells `undefined`; `void send()` still calls.
        "void" if argument.is_some_and(|argument| argument.kind() == "number") => Expr::Null,
        _ => Expr::Unary(field_expr(lower, node, "argument")),
    }
}

/// `x ||= y` as a value: the assignment of `x || y` to `x`.
pub(super) fn augmented(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let target = field_expr(lower, node, "left");
    let right = field_expr(lower, node, "right");
    let op = node
        .child_by_field_name("operator")
        .map_or(Operator::Other, |operator| {
            TypeScript.operator(operator.kind())
        });
    let value = lower.push(
        Expr::Binary {
            op,
            left: target,
            right,
        },
        node,
    );
    Expr::Assign { target, value }
}

/// `a, b` as a value: a block whose value is the last.
pub(super) fn sequence(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let parts: Vec<_> = named(node)
        .into_iter()
        .filter(|part| !part.is_extra())
        .collect();
    let Some((last, before)) = parts.split_last() else {
        return Expr::Unknown;
    };
    // Compilers write `(0, module.name)(…)` to call without a receiver.
    if before.iter().all(|part| part.kind() == "number") {
        return same_as(lower, *last);
    }
    let mut statements = Vec::new();
    for part in before {
        lower.stmt(*part, &mut statements);
    }
    let value = lower.expr(*last);
    lower.push_stmt(Stmt::Tail(value), *last, &mut statements);
    Expr::Block(lower.block_of(&statements))
}

/// A JSX element is a call of its tag: attributes by name, children by position. A fragment is a list.
pub(super) fn jsx_element(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let open = node.child_by_field_name("open_tag").unwrap_or(node);
    let callee = open
        .child_by_field_name("name")
        .map(|name| match lower.text(name) {
            // An element of the page is no name of the program.
            tag if name.kind() == "identifier" && tag.starts_with(|c: char| c.is_lowercase()) => {
                let tag = lower.string(tag);
                lower.push(Expr::Str(tag), name)
            }
            _ => lower.expr(name),
        });
    let mut args = Vec::new();
    let mut cursor = open.walk();
    let attributes: Vec<_> = open
        .children_by_field_name("attribute", &mut cursor)
        .collect();
    for attribute in attributes {
        if attribute.kind() != "jsx_attribute" {
            // `{...props}`
            if let Some(spread) = first_named(attribute) {
                let value = first_expr(lower, spread);
                args.push(Arg {
                    kind: ArgKind::SpreadMap,
                    value,
                });
            }
            continue;
        }
        let parts: Vec<_> = named(attribute)
            .into_iter()
            .filter(|part| !part.is_extra())
            .collect();
        let Some(name) = parts.first() else { continue };
        let value = match parts.get(1) {
            Some(value) => lower.expr(*value),
            None => lower.push(Expr::Bool(true), attribute),
        };
        args.push(Arg {
            kind: ArgKind::Named(lower.name(*name)),
            value,
        });
    }
    if open != node {
        for child in named(node) {
            match child.kind() {
                "jsx_expression" => {
                    // `{/* comment */}` has no value.
                    if let Some(inner) = first_named(child) {
                        args.push(element(lower, inner));
                    }
                }
                "jsx_element" | "jsx_self_closing_element" => {
                    let value = lower.expr(child);
                    args.push(positional(value));
                }
                _ => {}
            }
        }
    }
    let args = lower.push_args(&args);
    match callee {
        Some(callee) => Expr::Call { callee, args },
        None => Expr::List(args),
    }
}
