//! Strings, templates, arrays and objects.

use tree_sitter::Node;

use super::assignments::named_value;
use super::functions::function;
use super::{Definition, constant_name, first_expr, positional};
use crate::facts::{Arg, ArgKind, Expr, Run};
use crate::lower::{Lowering, named};

/// The text of a string, or of a template's constant part.
pub(super) fn string_text(lower: &Lowering<'_>, node: Node<'_>) -> String {
    let mut text = String::new();
    for part in named(node) {
        match part.kind() {
            "escape_sequence" => unescape(lower.text(part), &mut text),
            "template_substitution" => {}
            _ => text.push_str(lower.text(part)),
        }
    }
    text
}

/// Appends what an escape sequence stands for.
fn unescape(escape: &str, out: &mut String) {
    let body = escape.strip_prefix('\\').unwrap_or(escape);
    let hex = |digits: &str| {
        u32::from_str_radix(digits, 16)
            .ok()
            .and_then(char::from_u32)
    };
    let mut chars = body.chars();
    match chars.next() {
        Some('n') => out.push('\n'),
        Some('t') => out.push('\t'),
        Some('r') => out.push('\r'),
        Some('b') => out.push('\u{8}'),
        Some('f') => out.push('\u{c}'),
        Some('v') => out.push('\u{b}'),
        Some('0') if body.len() == 1 => out.push('\0'),
        // A line continuation.
        Some('\n' | '\r' | '\u{2028}' | '\u{2029}') => {}
        Some('x' | 'u') => {
            let digits = chars.as_str().trim_matches(['{', '}']);
            match hex(digits) {
                Some(char) => out.push(char),
                None => out.push_str(escape),
            }
        }
        Some(_) => out.push_str(body),
        None => {}
    }
}

/// The text of a template without substitutions.
pub(super) fn plain_template(lower: &Lowering<'_>, node: Node<'_>) -> Option<String> {
    let constant = !named(node)
        .iter()
        .any(|part| part.kind() == "template_substitution");
    constant.then(|| string_text(lower, node))
}

pub(super) fn template(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    if let Some(text) = plain_template(lower, node) {
        return Expr::Str(lower.string(&text));
    }
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut first: Option<Node<'_>> = None;
    for part in named(node) {
        match part.kind() {
            "template_substitution" => {
                if let Some(start) = first.take() {
                    let string = lower.string(&text);
                    parts.push(lower.push(Expr::Str(string), start));
                    text.clear();
                }
                parts.push(lower.expr(part));
            }
            "escape_sequence" => {
                unescape(lower.text(part), &mut text);
                first = first.or(Some(part));
            }
            _ => {
                text.push_str(lower.text(part));
                first = first.or(Some(part));
            }
        }
    }
    if let Some(start) = first {
        let string = lower.string(&text);
        parts.push(lower.push(Expr::Str(string), start));
    }
    Expr::Template(lower.push_parts(&parts))
}

/// An argument or element.
pub(super) fn element(lower: &mut Lowering<'_>, node: Node<'_>) -> Arg {
    if matches!(node.kind(), "spread_element" | "rest_pattern" | "rest_type") {
        let value = first_expr(lower, node);
        return Arg {
            kind: ArgKind::Spread,
            value,
        };
    }
    let value = lower.expr(node);
    positional(value)
}

/// The elements of an array or array pattern; a hole is an unknown element, so that the others keep
/// their places.
pub(super) fn elements(lower: &mut Lowering<'_>, node: Node<'_>) -> Run {
    let mut cursor = node.walk();
    let children: Vec<_> = node.children(&mut cursor).collect();
    let mut args = Vec::new();
    let mut hole = true;
    for child in children {
        if child.is_extra() || child.is_error() {
            continue;
        }
        if child.is_named() {
            args.push(element(lower, child));
            hole = false;
        } else if child.kind() == "," {
            if hole {
                let value = lower.push(Expr::Unknown, child);
                args.push(positional(value));
            }
            hole = true;
        }
    }
    lower.push_args(&args)
}

pub(super) fn object(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let mut args = Vec::new();
    for child in named(node) {
        match child.kind() {
            "pair" | "pair_pattern" => args.extend(pair(lower, child)),
            "shorthand_property_identifier" | "shorthand_property_identifier_pattern" => {
                let value = lower.expr(child);
                args.push(Arg {
                    kind: ArgKind::Named(lower.name(child)),
                    value,
                });
            }
            "object_assignment_pattern" => {
                let name = child
                    .child_by_field_name("left")
                    .and_then(|left| constant_name(lower, left));
                let value = lower.expr(child);
                args.push(Arg {
                    kind: name.map_or(ArgKind::Positional, ArgKind::Named),
                    value,
                });
            }
            "spread_element" | "rest_pattern" => {
                let value = first_expr(lower, child);
                args.push(Arg {
                    kind: ArgKind::SpreadMap,
                    value,
                });
            }
            "method_definition" => {
                let kind = key(lower, child.child_by_field_name("name"), child);
                let Some((index, _)) = function(lower, child, &Definition::of(child)) else {
                    continue;
                };
                let value = lower.push(Expr::Function(index), child);
                args.push(Arg { kind, value });
            }
            _ => {}
        }
    }
    Expr::Dict(lower.push_args(&args))
}

/// How the entry with this key is given.
pub(super) fn key(lower: &mut Lowering<'_>, key: Option<Node<'_>>, whole: Node<'_>) -> ArgKind {
    let Some(key) = key else {
        return ArgKind::Keyed(lower.push(Expr::Unknown, whole));
    };
    match constant_name(lower, key) {
        Some(name) => ArgKind::Named(name),
        None => ArgKind::Keyed(lower.expr(key)),
    }
}

fn pair(lower: &mut Lowering<'_>, node: Node<'_>) -> Option<Arg> {
    let value = node.child_by_field_name("value")?;
    let kind = key(lower, node.child_by_field_name("key"), node);
    let name = match kind {
        ArgKind::Named(name) => Some(name),
        _ => None,
    };
    let value = named_value(lower, value, name, false);
    Some(Arg { kind, value })
}
