//! Branches, loops, `switch`, `try` and `with`.

use tree_sitter::Node;

use super::{TypeScript, field_expr};
use crate::facts::{Arm, BlockId, Expr, ExprId, Handler, Operator, Stmt, StmtId};
use crate::lower::{Adapter, Lowering, first_named, named};

pub(super) fn field_block(lower: &mut Lowering<'_>, node: Node<'_>, field: &str) -> BlockId {
    match node.child_by_field_name(field) {
        Some(body) => lower.block_or_stmt(body),
        None => lower.block_of(&[]),
    }
}

pub(super) fn if_statement(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let test = field_expr(lower, node, "condition");
    let then = field_block(lower, node, "consequence");
    let otherwise = node
        .child_by_field_name("alternative")
        .and_then(first_named)
        .map(|otherwise| lower.block_or_stmt(otherwise));
    lower.push_stmt(
        Stmt::If {
            test,
            then,
            otherwise,
        },
        node,
        out,
    );
}

pub(super) fn for_statement(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    if let Some(initializer) = node.child_by_field_name("initializer") {
        lower.stmt(initializer, out);
    }
    let subject = node
        .child_by_field_name("condition")
        .filter(|condition| condition.is_named() && condition.kind() != "empty_statement")
        .map(|condition| lower.expr(condition));
    let mut statements = Vec::new();
    if let Some(body) = node.child_by_field_name("body") {
        match body.kind() {
            "statement_block" => {
                TypeScript.statements(lower, &named(body), false, &mut statements);
            }
            _ => lower.stmt(body, &mut statements),
        }
    }
    if let Some(increment) = node.child_by_field_name("increment") {
        lower.stmt(increment, &mut statements);
    }
    let body = lower.block_of(&statements);
    lower.push_stmt(
        Stmt::Loop {
            target: None,
            subject,
            body,
        },
        node,
        out,
    );
}

/// A `break` at the end of an arm only ends it, as the arms of other languages end by themselves.
/// Labels without statements join the next arm's pattern; an arm that runs on into the next one
/// keeps its own statements only.
pub(super) fn switch_statement(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let subject = field_expr(lower, node, "value");
    let mut arms = Vec::new();
    let mut labels: Option<ExprId> = None;
    let cases = node
        .child_by_field_name("body")
        .map(named)
        .unwrap_or_default();
    let last = cases.len().saturating_sub(1);
    for (index, case) in cases.iter().enumerate() {
        let label = match case.kind() {
            "switch_case" => field_expr(lower, *case, "value"),
            "switch_default" => lower.push(Expr::Unknown, *case),
            _ => continue,
        };
        let pattern = match labels.take() {
            None => label,
            Some(before) if lower.get(before) == Expr::Unknown => before,
            Some(_) if lower.get(label) == Expr::Unknown => label,
            Some(left) => lower.push(
                Expr::Binary {
                    op: Operator::BitOr,
                    left,
                    right: label,
                },
                *case,
            ),
        };
        let value = case.child_by_field_name("value").map(|value| value.id());
        let body: Vec<_> = named(*case)
            .into_iter()
            .filter(|child| Some(child.id()) != value)
            // Plain comments must not hide that a block is all there is.
            .filter(|child| !child.is_extra() || lower.text(*child).contains("gatewatch:"))
            .collect();
        if body.is_empty() && index < last {
            labels = Some(pattern);
            continue;
        }
        let mut statements = Vec::new();
        match body.as_slice() {
            // `case x: { … break; }`
            [block] if block.kind() == "statement_block" => {
                arm_body(lower, &named(*block), &mut statements);
            }
            [block, end] if block.kind() == "statement_block" && is_break(*end) => {
                arm_body(lower, &named(*block), &mut statements);
            }
            body => arm_body(lower, body, &mut statements),
        }
        let body = lower.block_of(&statements);
        arms.push(Arm {
            pattern,
            guard: None,
            body,
        });
    }
    let arms = lower.push_arms(&arms);
    lower.push_stmt(Stmt::Match { subject, arms }, node, out);
}

fn is_break(node: Node<'_>) -> bool {
    node.kind() == "break_statement" && node.child_by_field_name("label").is_none()
}

fn arm_body(lower: &mut Lowering<'_>, nodes: &[Node<'_>], out: &mut Vec<StmtId>) {
    let end = nodes.iter().rposition(|node| !node.is_extra());
    let kept: Vec<_> = nodes
        .iter()
        .enumerate()
        .filter(|&(index, node)| Some(index) != end || !is_break(*node))
        .map(|(_, node)| *node)
        .collect();
    TypeScript.statements(lower, &kept, false, out);
}

pub(super) fn try_statement(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let body = field_block(lower, node, "body");
    let mut handlers = Vec::new();
    if let Some(handler) = node.child_by_field_name("handler") {
        let name = handler
            .child_by_field_name("parameter")
            .filter(|parameter| parameter.kind() == "identifier")
            .map(|parameter| lower.name(parameter));
        let body = field_block(lower, handler, "body");
        handlers.push(Handler {
            types: None,
            name,
            body,
        });
    }
    let finally = node
        .child_by_field_name("finalizer")
        .map(|finalizer| field_block(lower, finalizer, "body"));
    let handlers = lower.push_handlers(&handlers);
    lower.push_stmt(
        Stmt::Try {
            body,
            handlers,
            otherwise: None,
            finally,
        },
        node,
        out,
    );
}

pub(super) fn with_statement(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let value = field_expr(lower, node, "object");
    let body = field_block(lower, node, "body");
    lower.push_stmt(
        Stmt::With {
            value,
            target: None,
            body,
        },
        node,
        out,
    );
}
