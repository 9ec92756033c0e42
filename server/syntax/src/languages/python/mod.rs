//! What Python needs beside `queries/python/facts.scm`.

mod definitions;
mod expressions;
mod imports;
mod patterns;
mod statements;
mod strings;

use tree_sitter::Node;
use ustr::ustr;

use crate::facts::{Arg, ArgKind, Expr, Operator, Run, Stmt, StmtId};
use crate::lower::{Adapter, Lowering, first_named, named};
use definitions::{class, function, lambda, named_lambda};
use expressions::{
    comparison, comprehension, conditional, dictionary, dotted_name, generic_type, pair, subscript,
    union,
};
use imports::{import, import_from};
use patterns::{case_pattern, class_pattern, dict_pattern};
use statements::{if_statement, loop_, match_statement, try_statement, with_statement};
use strings::strings;

/// The adapter of Python.
pub(super) struct Python;

impl Adapter for Python {
    fn expr(&self, lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
        match node.kind() {
            "string" => strings(lower, &[node]),
            "concatenated_string" => {
                let parts: Vec<_> = named(node)
                    .into_iter()
                    .filter(|part| part.kind() == "string")
                    .collect();
                strings(lower, &parts)
            }
            "subscript" => subscript(lower, node),
            "generic_type" => generic_type(lower, node),
            "comparison_operator" => comparison(lower, node),
            "conditional_expression" => conditional(lower, node),
            "dictionary" => dictionary(lower, node),
            "lambda" => Expr::Function(lambda(lower, node, ustr(""))),
            "list_comprehension"
            | "set_comprehension"
            | "generator_expression"
            | "dictionary_comprehension" => Expr::Comprehension(comprehension(lower, node)),
            "pair" => {
                // The element of a dictionary comprehension.
                let args =
                    pair(lower, node).map_or_else(Run::default, |arg| lower.push_args(&[arg]));
                Expr::Dict(args)
            }
            "union_type" => {
                let parts = named(node);
                union(lower, &parts)
            }
            "as_pattern" => match named(node).as_slice() {
                [value, target, ..] => {
                    let value = lower.expr(*value);
                    let pattern = lower.expr(*target);
                    Expr::Bind { pattern, value }
                }
                _ => Expr::Unknown,
            },
            "case_pattern" => case_pattern(lower, node),
            "union_pattern" => union(lower, &named(node)),
            "splat_pattern" => {
                let value = match first_named(node) {
                    Some(name) => lower.expr(name),
                    None => lower.push(Expr::Unknown, node),
                };
                Expr::Spread(value)
            }
            "dict_pattern" => dict_pattern(lower, node),
            "class_pattern" => class_pattern(lower, node),
            "dotted_name" => dotted_name(lower, node),
            "keyword_identifier" | "keyword_separator" => Expr::Name(lower.name(node)),
            _ => Expr::Unknown,
        }
    }

    fn stmt(&self, lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
        match node.kind() {
            "function_definition" => function(lower, node, None, out),
            "class_definition" => class(lower, node, None, out),
            "decorated_definition" => {
                if let Some(definition) = node.child_by_field_name("definition") {
                    match definition.kind() {
                        "function_definition" => function(lower, definition, Some(node), out),
                        _ => class(lower, definition, Some(node), out),
                    }
                }
            }
            "if_statement" => if_statement(lower, node, out),
            "for_statement" | "while_statement" => loop_(lower, node, out),
            "try_statement" => try_statement(lower, node, out),
            "with_statement" => with_statement(lower, node, out),
            "match_statement" => match_statement(lower, node, out),
            "import_statement" => import(lower, node, out),
            "import_from_statement" => import_from(lower, node, out),
            "type_alias_statement" => {
                if let (Some(left), Some(right)) = (
                    node.child_by_field_name("left"),
                    node.child_by_field_name("right"),
                ) {
                    let value = Some(lower.expr(right));
                    let target = lower.expr(left);
                    lower.push_stmt(
                        Stmt::Let {
                            target,
                            ty: None,
                            value,
                        },
                        node,
                        out,
                    );
                }
            }
            "delete_statement" => {
                for target in named(node) {
                    let targets = match target.kind() {
                        "expression_list" | "tuple" => named(target),
                        _ => vec![target],
                    };
                    for target in targets {
                        let gone = lower.expr(target);
                        lower.push_stmt(Stmt::Delete(gone), node, out);
                    }
                }
            }
            "exec_statement" | "print_statement" => {}
            _ => lower.expression_statement(node, out),
        }
    }

    fn assignment(&self, lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) -> bool {
        if node.kind() != "assignment" {
            return false;
        }
        let Some(right) = node.child_by_field_name("right") else {
            return false;
        };
        if right.kind() == "lambda" {
            return named_lambda(lower, node, right, out);
        }
        // `a = b = value` assigns the same value twice; the grammar nests it to the right.
        if right.kind() != "assignment" {
            return false;
        }
        let mut targets = vec![node];
        let mut last = right;
        while last.kind() == "assignment" {
            targets.push(last);
            match last.child_by_field_name("right") {
                Some(next) => last = next,
                None => break,
            }
        }
        let value = lower.expr(last);
        for assignment in targets {
            if let Some(left) = assignment.child_by_field_name("left") {
                let target = lower.expr(left);
                lower.push_stmt(
                    Stmt::Let {
                        target,
                        ty: None,
                        value: Some(value),
                    },
                    assignment,
                    out,
                );
            }
        }
        true
    }

    fn key(&self, text: &str, node: Node<'_>) -> Option<String> {
        let of = |node: Node<'_>| {
            let text = text.get(node.byte_range())?;
            Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
        };
        match node.kind() {
            "import_statement" | "import_from_statement" | "future_import_statement" => {
                Some("import".to_owned())
            }
            "expression_statement" => {
                let inner = first_named(node)?;
                match inner.kind() {
                    "assignment" | "augmented_assignment" => of(inner.child_by_field_name("left")?),
                    "call" => {
                        let first = inner
                            .child_by_field_name("arguments")
                            .and_then(first_named)
                            .filter(|first| {
                                matches!(first.kind(), "string" | "identifier" | "attribute")
                            })
                            .and_then(of)
                            .unwrap_or_default();
                        let callee = of(inner.child_by_field_name("function")?)?;
                        Some(format!("{callee}({first})"))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn operator(&self, text: &str) -> Operator {
        match text {
            "and" => Operator::And,
            "or" => Operator::Or,
            "==" => Operator::Eq,
            "!=" | "<>" => Operator::Ne,
            "<" | "<=" | ">" | ">=" => Operator::Order,
            "in" => Operator::In,
            "not in" => Operator::NotIn,
            "is" => Operator::Is,
            "is not" => Operator::IsNot,
            "+" => Operator::Add,
            "|" => Operator::BitOr,
            _ => Operator::Other,
        }
    }

    fn arguments(&self, lower: &mut Lowering<'_>, node: Node<'_>) -> Run {
        if node.kind() == "generator_expression" {
            let value = lower.expr(node);
            return lower.push_args(&[Arg {
                kind: ArgKind::Positional,
                value,
            }]);
        }
        let mut args = Vec::new();
        for child in named(node) {
            let (kind, value) = match child.kind() {
                "comment" | "ERROR" => continue,
                "keyword_argument" => {
                    let (Some(name), Some(value)) = (
                        child.child_by_field_name("name"),
                        child.child_by_field_name("value"),
                    ) else {
                        continue;
                    };
                    (ArgKind::Named(lower.name(name)), value)
                }
                "list_splat" => (ArgKind::Spread, first_named(child).unwrap_or(child)),
                "dictionary_splat" => (ArgKind::SpreadMap, first_named(child).unwrap_or(child)),
                _ => (ArgKind::Positional, child),
            };
            let value = lower.expr(value);
            args.push(Arg { kind, value });
        }
        lower.push_args(&args)
    }
}
