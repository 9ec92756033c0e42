//! What Rust needs beside `queries/rust/facts.scm`.
//!
//! Three things set Rust apart. A block has a value, so the last expression of a body is a
//! [`Stmt::Tail`], also through `if` and `match`. Attributes stand beside what they belong to, not
//! around it. And the arguments of macros and attributes are bare tokens, which [`tokens`] reads.

mod attributes;
mod definitions;
mod expressions;
mod functions;
mod imports;
mod macros;
mod patterns;
mod statements;
mod token_values;
mod tokens;
mod types;

use tree_sitter::Node;
use ustr::{Ustr, ustr};

use crate::facts::{Arg, ArgKind, Expr, ExprId, Operator, Run, Stmt, StmtId};
use crate::lower::{Adapter, Lowering, first_named};
use attributes::for_tests;
use definitions::impl_key;
use expressions::{
    array, bind, call_args, let_chain, literal_text, path, struct_expression, unary,
};
use functions::closure;
use patterns::{or_pattern, pattern_args, struct_pattern};
use statements::{block, each, effect, statement};
use types::{bounded_type, function_type, generic_type};

/// The adapter of Rust.
pub(super) struct Rust;

impl Adapter for Rust {
    fn expr(&self, lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
        match node.kind() {
            "scoped_identifier" | "scoped_type_identifier" => path(lower, node),
            "string_literal" | "raw_string_literal" | "char_literal" => {
                let text = literal_text(lower, node);
                Expr::Str(lower.string(&text))
            }
            "boolean_literal" => Expr::Bool(lower.text(node) == "true"),
            "unary_expression" => unary(lower, node),
            "index_expression" => match parts(node).as_slice() {
                [base, index, ..] => {
                    let base = lower.expr(*base);
                    let index = lower.expr(*index);
                    Expr::Index { base, index }
                }
                _ => Expr::Unknown,
            },
            "array_expression" => array(lower, node),
            "range_expression" | "range_pattern" => match parts(node).as_slice() {
                [left, right] => {
                    let left = lower.expr(*left);
                    let right = lower.expr(*right);
                    Expr::Binary {
                        op: Operator::Other,
                        left,
                        right,
                    }
                }
                [end] => Expr::Unary(lower.expr(*end)),
                _ => Expr::Unknown,
            },
            "struct_expression" => struct_expression(lower, node),
            "closure_expression" => Expr::Function(closure(lower, node, ustr(""))),
            "let_condition" => bind(lower, node),
            "let_chain" => let_chain(lower, node),
            "macro_invocation" => macros::invocation(lower, node),
            "if_expression"
            | "match_expression"
            | "while_expression"
            | "loop_expression"
            | "for_expression"
            | "return_expression"
            | "break_expression"
            | "continue_expression" => {
                let mut statements = Vec::new();
                effect(lower, node, true, &mut statements);
                Expr::Block(lower.block_of(&statements))
            }
            "tuple_pattern" => Expr::Tuple(pattern_args(lower, node)),
            "slice_pattern" => Expr::List(pattern_args(lower, node)),
            "tuple_struct_pattern" => {
                let callee = field_expr(lower, node, "type");
                let args = pattern_args(lower, node);
                Expr::Call { callee, args }
            }
            "struct_pattern" => struct_pattern(lower, node),
            "captured_pattern" => match parts(node).as_slice() {
                [name, value, ..] => {
                    let value = lower.expr(*value);
                    let pattern = lower.expr(*name);
                    Expr::Bind { pattern, value }
                }
                _ => Expr::Unknown,
            },
            "or_pattern" => or_pattern(lower, node),
            "generic_pattern" => transparent(lower, first_named(node)),
            "generic_type" => generic_type(lower, node),
            "array_type" => {
                let value = field_expr(lower, node, "element");
                Expr::List(lower.push_args(&[positional(value)]))
            }
            "function_type" => function_type(lower, node),
            "bounded_type" => bounded_type(lower, node),
            "never_type" => Expr::Name(ustr("!")),
            _ => Expr::Unknown,
        }
    }

    fn stmt(&self, lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
        statement(lower, node, &[], false, out);
    }

    fn assignment(&self, lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) -> bool {
        if node.kind() != "let_declaration" {
            return false;
        }
        if let Some(alternative) = node.child_by_field_name("alternative") {
            // `let pattern = value else { leave }`: the test comes first, the names stay bound.
            let bind = bind(lower, node);
            let bind = lower.push(bind, node);
            let test = lower.push(Expr::Not(bind), node);
            let then = block(lower, alternative, false);
            lower.push_stmt(
                Stmt::If {
                    test,
                    then,
                    otherwise: None,
                },
                node,
                out,
            );
            return true;
        }
        let (Some(pattern), Some(value)) = (
            node.child_by_field_name("pattern"),
            node.child_by_field_name("value"),
        ) else {
            return false;
        };
        if pattern.kind() != "identifier" || value.kind() != "closure_expression" {
            return false;
        }
        // A closure takes the name of what it is assigned to.
        let name = lower.name(pattern);
        let index = closure(lower, value, name);
        let value = Some(lower.push(Expr::Function(index), value));
        let ty = node
            .child_by_field_name("type")
            .map(|declared| lower.expr(declared));
        let target = lower.expr(pattern);
        lower.push_stmt(Stmt::Let { target, ty, value }, node, out);
        true
    }

    fn statements(
        &self,
        lower: &mut Lowering<'_>,
        nodes: &[Node<'_>],
        value: bool,
        out: &mut Vec<StmtId>,
    ) {
        each(lower, nodes, value, false, out);
    }

    fn ignores(&self, text: &str, root: Node<'_>, nodes: &[Node<'_>]) -> bool {
        let Some(item) = nodes.last() else {
            return true;
        };
        if matches!(
            item.kind(),
            "empty_statement" | "foreign_mod_item" | "inner_attribute_item"
        ) {
            return true;
        }
        if nodes.iter().any(|node| for_tests(text, *node)) {
            return true;
        }
        // `#![cfg(test)]` at the file's top.
        let mut cursor = root.walk();
        root.named_children(&mut cursor)
            .take_while(|node| node.is_extra() || node.kind() == "inner_attribute_item")
            .any(|node| for_tests(text, node))
    }

    fn key(&self, text: &str, node: Node<'_>) -> Option<String> {
        match node.kind() {
            "use_declaration" => Some("import".to_owned()),
            "impl_item" => Some(impl_key(text, node)),
            _ => None,
        }
    }

    fn operator(&self, text: &str) -> Operator {
        match text {
            "&&" => Operator::And,
            "||" => Operator::Or,
            "==" => Operator::Eq,
            "!=" => Operator::Ne,
            "<" | "<=" | ">" | ">=" => Operator::Order,
            "+" => Operator::Add,
            "|" => Operator::BitOr,
            _ => Operator::Other,
        }
    }

    fn arguments(&self, lower: &mut Lowering<'_>, node: Node<'_>) -> Run {
        let args = call_args(lower, node);
        lower.push_args(&args)
    }

    fn call_arguments(&self, lower: &mut Lowering<'_>, node: Node<'_>, arguments: Node<'_>) -> Run {
        let mut args = call_args(lower, arguments);
        // The types of a turbofish can carry meaning (`from_extractor::<RequireAuth>()`), but the
        // callee stays a plain path: they follow the arguments under a name no argument can have.
        let types = node
            .child_by_field_name("function")
            .filter(|callee| callee.kind() == "generic_function")
            .and_then(|callee| callee.child_by_field_name("type_arguments"));
        for ty in types.map(parts).unwrap_or_default() {
            if ty.kind() == "lifetime" {
                continue;
            }
            let value = lower.expr(ty);
            args.push(Arg {
                kind: ArgKind::Named(ustr("<>")),
                value,
            });
        }
        lower.push_args(&args)
    }
}

/// A node's children that say something: the named ones and the `_` of patterns.
fn parts<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.children(&mut cursor)
        .filter(|child| {
            (child.is_named() || child.kind() == "_")
                && !child.is_extra()
                && child.kind() != "attribute_item"
        })
        .collect()
}

fn positional(value: ExprId) -> Arg {
    Arg {
        kind: ArgKind::Positional,
        value,
    }
}

fn field_expr(lower: &mut Lowering<'_>, node: Node<'_>, field: &str) -> ExprId {
    match node.child_by_field_name(field) {
        Some(child) => lower.expr(child),
        None => lower.push(Expr::Unknown, node),
    }
}

/// The expression of an inner node that stands for the outer one.
fn transparent(lower: &mut Lowering<'_>, inner: Option<Node<'_>>) -> Expr {
    match inner {
        Some(inner) => {
            let id = lower.expr(inner);
            lower.get(id)
        }
        None => Expr::Unknown,
    }
}

fn name_of(lower: &Lowering<'_>, node: Node<'_>) -> Ustr {
    node.child_by_field_name("name")
        .map_or_else(|| ustr(""), |name| lower.name(name))
}

fn is_public(node: Node<'_>) -> bool {
    child_of_kind(node, "visibility_modifier").is_some()
}

fn child_of_kind<'t>(node: Node<'t>, kind: &str) -> Option<Node<'t>> {
    let mut cursor = node.walk();
    node.children(&mut cursor)
        .find(|child| child.kind() == kind)
}
