//! Paths, literals and expressions that a table can't describe.

use tree_sitter::Node;

use super::{field_expr, name_of, parts, positional};
use crate::facts::{Arg, ArgKind, Expr, Operator};
use crate::lower::{Lowering, first_named, named};

/// `a::b::c`, without the type arguments inside of it unless it is a type.
pub(super) fn path(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let name = name_of(lower, node);
    let Some(mut base) = node.child_by_field_name("path") else {
        return Expr::Name(name);
    };
    if node.kind() == "scoped_identifier"
        && base.kind() == "generic_type"
        && let Some(inner) = base.child_by_field_name("type")
    {
        base = inner;
    }
    let base = lower.expr(base);
    Expr::Attr { base, name }
}

pub(super) fn unary(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let operator = node.child(0).map_or("", |operator| operator.kind());
    let Some(operand) = first_named(node) else {
        return Expr::Unknown;
    };
    let id = lower.expr(operand);
    match operator {
        "!" => Expr::Not(id),
        "*" => lower.get(id),
        _ => Expr::Unary(id),
    }
}

pub(super) fn array(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let length = node.child_by_field_name("length");
    let args: Vec<Arg> = parts(node)
        .into_iter()
        .filter(|part| Some(*part) != length)
        .map(|part| positional(lower.expr(part)))
        .collect();
    Expr::List(lower.push_args(&args))
}

/// The elements of an argument list.
pub(super) fn call_args(lower: &mut Lowering<'_>, node: Node<'_>) -> Vec<Arg> {
    parts(node)
        .into_iter()
        .filter(|part| !part.is_error())
        .map(|part| positional(lower.expr(part)))
        .collect()
}

pub(super) fn struct_expression(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let callee = field_expr(lower, node, "name");
    let mut args = Vec::new();
    for field in node
        .child_by_field_name("body")
        .map(named)
        .unwrap_or_default()
    {
        match field.kind() {
            "shorthand_field_initializer" => {
                if let Some(name) = parts(field).first() {
                    let kind = ArgKind::Named(lower.name(*name));
                    let value = lower.expr(*name);
                    args.push(Arg { kind, value });
                }
            }
            "field_initializer" => {
                let (Some(name), Some(value)) = (
                    field.child_by_field_name("field"),
                    field.child_by_field_name("value"),
                ) else {
                    continue;
                };
                let kind = ArgKind::Named(lower.name(name));
                let value = lower.expr(value);
                args.push(Arg { kind, value });
            }
            "base_field_initializer" => {
                if let Some(base) = first_named(field) {
                    let value = lower.expr(base);
                    args.push(Arg {
                        kind: ArgKind::SpreadMap,
                        value,
                    });
                }
            }
            _ => {}
        }
    }
    let args = lower.push_args(&args);
    Expr::New { callee, args }
}

/// `let pattern = value`, as a condition or before `else`.
pub(super) fn bind(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let value = field_expr(lower, node, "value");
    let pattern = field_expr(lower, node, "pattern");
    Expr::Bind { pattern, value }
}

pub(super) fn let_chain(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let operands = parts(node);
    let Some((first, rest)) = operands.split_first() else {
        return Expr::Unknown;
    };
    let mut left = lower.expr(*first);
    for (index, operand) in rest.iter().enumerate() {
        let right = lower.expr(*operand);
        let both = Expr::Binary {
            op: Operator::And,
            left,
            right,
        };
        if index + 1 == rest.len() {
            return both;
        }
        left = lower.push_between(both, *first, *operand);
    }
    lower.get(left)
}

/// The text of a string or character literal without its escapes.
pub(super) fn literal_text(lower: &Lowering<'_>, node: Node<'_>) -> String {
    if node.kind() == "char_literal" {
        let text = lower.text(node).trim_start_matches('b');
        let text = text.strip_prefix('\'').unwrap_or(text);
        let text = text.strip_suffix('\'').unwrap_or(text);
        return match text.strip_prefix('\\') {
            Some(_) => unescaped(text),
            None => text.to_owned(),
        };
    }
    let mut text = String::new();
    let mut joined = false;
    for part in named(node) {
        match part.kind() {
            "string_content" => {
                let content = lower.text(part);
                // A backslash at a line's end swallows the next line's indentation.
                text.push_str(if joined {
                    content.trim_start()
                } else {
                    content
                });
                joined = false;
            }
            "escape_sequence" => {
                let escape = lower.text(part);
                joined = escape.ends_with(['\n', '\r']);
                text.push_str(&unescaped(escape));
            }
            _ => {}
        }
    }
    text
}

fn unescaped(escape: &str) -> String {
    let rest = escape.strip_prefix('\\').unwrap_or(escape);
    let code = |digits: &str| {
        u32::from_str_radix(&digits.replace('_', ""), 16)
            .ok()
            .and_then(char::from_u32)
            .map(String::from)
            .unwrap_or_default()
    };
    match rest.chars().next() {
        Some('n') => "\n".to_owned(),
        Some('r') => "\r".to_owned(),
        Some('t') => "\t".to_owned(),
        Some('0') => "\0".to_owned(),
        Some('x') => code(rest.trim_start_matches('x')),
        Some('u') => code(rest.trim_start_matches('u').trim_matches(['{', '}'])),
        Some('\n' | '\r') | None => String::new(),
        Some(_) => rest.to_owned(),
    }
}
