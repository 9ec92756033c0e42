//! Statements, and the expressions that are statements as well: blocks, branches, matches, loops.

use tree_sitter::Node;

use super::attributes::for_tests;
use super::definitions::item;
use super::{child_of_kind, field_expr, parts};
use crate::facts::{Arm, BlockId, Expr, ExprId, Stmt, StmtId};
use crate::lower::{Lowering, MAX_BRANCHES, first_named, named};

/// Lowers statements or items that stand side by side. Attributes are collected for what follows
/// them; what they mark as test code is left out.
pub(super) fn each(
    lower: &mut Lowering<'_>,
    nodes: &[Node<'_>],
    value: bool,
    member: bool,
    out: &mut Vec<StmtId>,
) {
    let last = nodes.iter().rposition(|node| !node.is_extra());
    let mut attributes: Vec<Node<'_>> = Vec::new();
    for (index, &node) in nodes.iter().enumerate() {
        if node.is_extra() {
            lower.stmt(node, out);
            continue;
        }
        match node.kind() {
            "attribute_item" => {
                attributes.push(node);
                continue;
            }
            "label" => continue,
            "inner_attribute_item" => {
                if for_tests(lower.text, node) {
                    return;
                }
                continue;
            }
            _ => {}
        }
        let for_tests = attributes
            .iter()
            .any(|attribute| for_tests(lower.text, *attribute));
        if !for_tests && !node.is_error() && !node.is_missing() {
            let value = value && last == Some(index);
            lower.nested(|lower| {
                if member {
                    item(lower, node, &attributes, true, out);
                } else {
                    statement(lower, node, &attributes, value, out);
                }
            });
        }
        attributes.clear();
    }
}

/// Lowers one statement; `value` says that it stands where its block's value would.
pub(super) fn statement(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    attributes: &[Node<'_>],
    value: bool,
    out: &mut Vec<StmtId>,
) {
    match node.kind() {
        "expression_statement" => {
            let Some(inner) = first_named(node) else {
                return;
            };
            let ended = child_of_kind(node, ";").is_some();
            effect(lower, inner, value && !ended, out);
        }
        "let_declaration" => lower.stmt(node, out),
        _ => {
            if !item(lower, node, attributes, false, out) {
                effect(lower, node, value, out);
            }
        }
    }
}

/// Lowers an expression in a statement's place.
pub(super) fn effect(lower: &mut Lowering<'_>, node: Node<'_>, value: bool, out: &mut Vec<StmtId>) {
    match node.kind() {
        "if_expression" => if_expression(lower, node, value, out),
        "match_expression" => match_expression(lower, node, value, out),
        "while_expression" | "loop_expression" | "for_expression" => loop_(lower, node, out),
        "block" => {
            let block = block(lower, node, value);
            lower.push_stmt(Stmt::Block(block), node, out);
        }
        "unsafe_block" | "const_block" => {
            if let Some(inner) = child_of_kind(node, "block") {
                let block = block(lower, inner, value);
                lower.push_stmt(Stmt::Block(block), node, out);
            }
        }
        "return_expression" => {
            let value = first_named(node).map(|value| lower.expr(value));
            lower.push_stmt(Stmt::Return(value), node, out);
        }
        "break_expression" => {
            // The value of a `loop` is not followed; what it does is.
            if let Some(value) = parts(node).into_iter().find(|part| part.kind() != "label") {
                lower.expression_statement(value, out);
            }
            lower.push_stmt(Stmt::Break, node, out);
        }
        "continue_expression" => lower.push_stmt(Stmt::Continue, node, out),
        "assignment_expression" | "compound_assignment_expr" => lower.stmt(node, out),
        "macro_invocation" => super::macros::macro_statement(lower, node, value, out),
        _ if value => {
            let value = lower.expr(node);
            lower.push_stmt(Stmt::Tail(value), node, out);
        }
        _ => lower.expression_statement(node, out),
    }
}

/// The block of a `block` node, with its value if that is wanted.
pub(super) fn block(lower: &mut Lowering<'_>, node: Node<'_>, value: bool) -> BlockId {
    let mut statements = Vec::new();
    each(lower, &named(node), value, false, &mut statements);
    lower.block_of(&statements)
}

/// The branches are lowered in their order; the nest of `else if` is built from its end, so that its
/// length costs no stack.
fn if_expression(lower: &mut Lowering<'_>, node: Node<'_>, value: bool, out: &mut Vec<StmtId>) {
    let mut branches = Vec::new();
    let mut otherwise = None;
    let mut next = Some(node);
    while let Some(branch) = next.take() {
        if branch.kind() != "if_expression" {
            otherwise = Some(block(lower, branch, value));
            break;
        }
        // Beyond the limit the rest falls away.
        if branches.len() >= MAX_BRANCHES {
            break;
        }
        let test = field_expr(lower, branch, "condition");
        let then = match branch.child_by_field_name("consequence") {
            Some(consequence) => block(lower, consequence, value),
            None => lower.block_of(&[]),
        };
        branches.push((branch, test, then));
        next = branch
            .child_by_field_name("alternative")
            .and_then(first_named);
    }
    while let Some((branch, test, then)) = branches.pop() {
        let statement = Stmt::If {
            test,
            then,
            otherwise,
        };
        if branches.is_empty() {
            lower.push_stmt(statement, branch, out);
        } else {
            let mut statements = Vec::new();
            lower.push_stmt(statement, branch, &mut statements);
            otherwise = Some(lower.block_of(&statements));
        }
    }
}

fn match_expression(lower: &mut Lowering<'_>, node: Node<'_>, value: bool, out: &mut Vec<StmtId>) {
    let subject = field_expr(lower, node, "value");
    let mut arms = Vec::new();
    for arm in node
        .child_by_field_name("body")
        .map(named)
        .unwrap_or_default()
    {
        if arm.kind() != "match_arm" || named(arm).iter().any(|part| for_tests(lower.text, *part)) {
            continue;
        }
        let (pattern, guard) = match arm.child_by_field_name("pattern") {
            Some(pattern) => match_pattern(lower, pattern),
            None => (lower.push(Expr::Unknown, arm), None),
        };
        let mut statements = Vec::new();
        if let Some(result) = arm.child_by_field_name("value") {
            branch(lower, result, value, &mut statements);
        }
        let body = lower.block_of(&statements);
        arms.push(Arm {
            pattern,
            guard,
            body,
        });
    }
    let arms = lower.push_arms(&arms);
    lower.push_stmt(Stmt::Match { subject, arms }, node, out);
}

/// What an arm runs: the statements of its block, or the single expression.
fn branch(lower: &mut Lowering<'_>, node: Node<'_>, value: bool, out: &mut Vec<StmtId>) {
    lower.nested(|lower| {
        if node.kind() == "block" {
            each(lower, &named(node), value, false, out);
        } else {
            effect(lower, node, value, out);
        }
    });
}

/// A `match_pattern`: the pattern and its guard.
pub(super) fn match_pattern(lower: &mut Lowering<'_>, node: Node<'_>) -> (ExprId, Option<ExprId>) {
    let condition = node.child_by_field_name("condition");
    let pattern = parts(node)
        .into_iter()
        .find(|part| Some(*part) != condition);
    let pattern = match pattern {
        Some(pattern) => lower.expr(pattern),
        None => lower.push(Expr::Unknown, node),
    };
    (pattern, condition.map(|guard| lower.expr(guard)))
}

fn loop_(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let subject = node
        .child_by_field_name("value")
        .or_else(|| node.child_by_field_name("condition"))
        .map(|subject| lower.expr(subject));
    let target = node
        .child_by_field_name("pattern")
        .map(|target| lower.expr(target));
    let body = match node.child_by_field_name("body") {
        Some(body) => block(lower, body, false),
        None => lower.block_of(&[]),
    };
    lower.push_stmt(
        Stmt::Loop {
            target,
            subject,
            body,
        },
        node,
        out,
    );
}
