//! Branches, loops, `try`, `with` and `match`.

use tree_sitter::Node;

use super::expressions::several;
use crate::facts::{Arm, BlockId, Expr, ExprId, Handler, Stmt, StmtId};
use crate::lower::{Lowering, MAX_BRANCHES, first_named, named};

/// The branches are lowered in their order; the nest of `elif` is built from its end.
pub(super) fn if_statement(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let mut cursor = node.walk();
    let alternatives: Vec<_> = node
        .children_by_field_name("alternative", &mut cursor)
        .take(MAX_BRANCHES)
        .collect();
    let mut branches = vec![branch(lower, node)];
    let mut otherwise = None;
    for alternative in alternatives {
        match alternative.kind() {
            "else_clause" => otherwise = clause_block(lower, alternative),
            _ => branches.push(branch(lower, alternative)),
        }
    }
    while let Some((node, test, then)) = branches.pop() {
        let statement = Stmt::If {
            test,
            then,
            otherwise,
        };
        if branches.is_empty() {
            lower.push_stmt(statement, node, out);
        } else {
            let mut statements = Vec::new();
            lower.push_stmt(statement, node, &mut statements);
            otherwise = Some(lower.block_of(&statements));
        }
    }
}

fn branch<'t>(lower: &mut Lowering<'_>, node: Node<'t>) -> (Node<'t>, ExprId, BlockId) {
    let test = match node.child_by_field_name("condition") {
        Some(condition) => lower.expr(condition),
        None => lower.push(Expr::Unknown, node),
    };
    let then = match node.child_by_field_name("consequence") {
        Some(consequence) => lower.block(consequence),
        None => lower.block_of(&[]),
    };
    (node, test, then)
}

/// A loop; what stands in its `else` runs behind it unless it was left by `break`.
pub(super) fn loop_(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let subject = node
        .child_by_field_name("right")
        .or_else(|| node.child_by_field_name("condition"))
        .map(|subject| lower.expr(subject));
    let target = node
        .child_by_field_name("left")
        .map(|target| lower.expr(target));
    let body = match node.child_by_field_name("body") {
        Some(body) => lower.block(body),
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
    if let Some(clause) = node.child_by_field_name("alternative")
        && let Some(block) = clause_block(lower, clause)
    {
        lower.push_stmt(Stmt::Block(block), clause, out);
    }
}

/// The block of an `else`, `finally` or `except` clause.
fn clause_block(lower: &mut Lowering<'_>, node: Node<'_>) -> Option<BlockId> {
    let block = named(node)
        .into_iter()
        .rfind(|child| child.kind() == "block")?;
    Some(lower.block(block))
}

pub(super) fn try_statement(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let body = match node.child_by_field_name("body") {
        Some(body) => lower.block(body),
        None => lower.block_of(&[]),
    };
    let mut handlers = Vec::new();
    let mut otherwise = None;
    let mut finally = None;
    for child in named(node) {
        match child.kind() {
            "except_clause" | "except_group_clause" => {
                let value = named(child)
                    .into_iter()
                    .find(|part| part.kind() != "block" && !part.is_extra());
                let (types, name) = match value {
                    Some(pattern) if pattern.kind() == "as_pattern" => {
                        let parts = named(pattern);
                        let types = parts.first().map(|types| lower.expr(*types));
                        let name = parts.get(1).map(|name| lower.name(*name));
                        (types, name)
                    }
                    Some(types) => (Some(lower.expr(types)), None),
                    None => (None, None),
                };
                if let Some(body) = clause_block(lower, child) {
                    handlers.push(Handler { types, name, body });
                }
            }
            "else_clause" => otherwise = clause_block(lower, child),
            "finally_clause" => finally = clause_block(lower, child),
            _ => {}
        }
    }
    let handlers = lower.push_handlers(&handlers);
    lower.push_stmt(
        Stmt::Try {
            body,
            handlers,
            otherwise,
            finally,
        },
        node,
        out,
    );
}

pub(super) fn with_statement(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let items: Vec<_> = named(node)
        .into_iter()
        .filter(|child| child.kind() == "with_clause")
        .flat_map(named)
        .filter(|item| item.kind() == "with_item")
        .collect();
    let mut body = match node.child_by_field_name("body") {
        Some(body) => lower.block(body),
        None => lower.block_of(&[]),
    };
    for (index, item) in items.iter().enumerate().rev() {
        let Some(value) = item.child_by_field_name("value") else {
            continue;
        };
        let (value, target) = match (value.kind(), named(value).as_slice()) {
            ("as_pattern", [value, target, ..]) => {
                let value = lower.expr(*value);
                (value, Some(lower.expr(*target)))
            }
            _ => (lower.expr(value), None),
        };
        let with = Stmt::With {
            value,
            target,
            body,
        };
        if index == 0 {
            lower.push_stmt(with, node, out);
        } else {
            let mut statements = Vec::new();
            lower.push_stmt(with, *item, &mut statements);
            body = lower.block_of(&statements);
        }
    }
}

pub(super) fn match_statement(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let mut cursor = node.walk();
    let subjects: Vec<_> = node
        .children_by_field_name("subject", &mut cursor)
        .collect();
    let subject = several(lower, &subjects, node);
    let Some(body) = node.child_by_field_name("body") else {
        return;
    };
    let mut arms = Vec::new();
    for case in named(body) {
        if case.kind() != "case_clause" {
            continue;
        }
        let patterns: Vec<_> = named(case)
            .into_iter()
            .filter(|part| part.kind() == "case_pattern")
            .collect();
        let pattern = several(lower, &patterns, case);
        let guard = case
            .child_by_field_name("guard")
            .and_then(first_named)
            .map(|guard| lower.expr(guard));
        let body = match case.child_by_field_name("consequence") {
            Some(body) => lower.block(body),
            None => lower.block_of(&[]),
        };
        arms.push(Arm {
            pattern,
            guard,
            body,
        });
    }
    let arms = lower.push_arms(&arms);
    lower.push_stmt(Stmt::Match { subject, arms }, node, out);
}
