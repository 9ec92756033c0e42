//! Attributes, and which of them mark code for tests only.

use tree_sitter::Node;

use crate::facts::{Expr, ExprId};
use crate::lower::{Lowering, first_named};

/// Attributes that speak to the compiler or the reader only.
const SILENT: &[&str] = &[
    "allow",
    "cold",
    "deny",
    "doc",
    "expect",
    "forbid",
    "inline",
    "must_use",
    "rustfmt::skip",
    "track_caller",
    "warn",
];

pub(super) fn decorators(lower: &mut Lowering<'_>, attributes: &[Node<'_>]) -> Box<[ExprId]> {
    attributes
        .iter()
        .filter_map(|item| first_named(*item))
        .filter_map(|attribute| decorator(lower, attribute))
        .collect()
}

fn decorator(lower: &mut Lowering<'_>, node: Node<'_>) -> Option<ExprId> {
    let path = first_named(node)?;
    if SILENT.contains(&lower.text(path)) {
        return None;
    }
    let callee = lower.expr(path);
    if let Some(arguments) = node.child_by_field_name("arguments") {
        let args = super::tokens::arguments(lower, arguments);
        let args = lower.push_args(&args);
        return Some(lower.push(Expr::Call { callee, args }, node));
    }
    if let Some(value) = node.child_by_field_name("value") {
        let value = lower.expr(value);
        let target = callee;
        return Some(lower.push(Expr::Assign { target, value }, node));
    }
    Some(callee)
}

/// Whether an attribute marks code that only tests contain.
pub(super) fn for_tests(text: &str, item: Node<'_>) -> bool {
    if !matches!(item.kind(), "attribute_item" | "inner_attribute_item") {
        return false;
    }
    let Some(attribute) = first_named(item) else {
        return false;
    };
    let Some(path) = first_named(attribute) else {
        return false;
    };
    let path = text.get(path.byte_range()).unwrap_or_default();
    match path.rsplit("::").next().unwrap_or_default().trim() {
        "test" | "bench" | "rstest" | "test_case" | "should_panic" | "quickcheck"
        | "wasm_bindgen_test" => true,
        "cfg" => attribute
            .child_by_field_name("arguments")
            .is_some_and(|arguments| needs_test(text, arguments, 0)),
        _ => false,
    }
}

/// Whether a `cfg`'s condition names `test`, other than inside of a `not`.
pub(super) fn needs_test(text: &str, arguments: Node<'_>, depth: u32) -> bool {
    let inside = super::tokens::inside(arguments);
    let word = |node: &Node<'_>| text.get(node.byte_range()).unwrap_or_default();
    inside
        .split(|token| token.kind() == ",")
        .any(|piece| match piece {
            [single] => word(single) == "test",
            [name, list] if depth < 16 && list.kind() == "token_tree" => {
                matches!(word(name), "any" | "all") && needs_test(text, *list, depth + 1)
            }
            _ => false,
        })
}
