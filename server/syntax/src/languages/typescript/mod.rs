//! What TypeScript and JavaScript, with and without JSX, need beside `queries/typescript/facts.scm`.

mod assignments;
mod classes;
mod expressions;
mod functions;
mod imports;
mod literals;
mod statements;
mod types;

use tree_sitter::Node;
use ustr::{Ustr, ustr};

use crate::facts::{Arg, ArgKind, Expr, ExprId, Operator, Run, Stmt, StmtId};
use crate::lower::{Adapter, Lowering, first_named, named};
use assignments::{assign, assigned_name, chain, declaration, export_name, named_value, using_of};
use classes::class;
use expressions::{augmented, jsx_element, meta_property, sequence, subscript, unary};
use functions::{function, is_function};
use imports::{export, import};
use literals::{element, elements, object, plain_template, string_text, template};
use statements::{for_statement, if_statement, switch_statement, try_statement, with_statement};
use types::type_expr;

/// The adapter of TypeScript and JavaScript.
pub(super) struct TypeScript;

impl Adapter for TypeScript {
    fn binds_loosely(&self, kind: &str) -> bool {
        kind == "non_null_expression"
    }

    fn expr(&self, lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
        match node.kind() {
            "string" => {
                let text = string_text(lower, node);
                Expr::Str(lower.string(&text))
            }
            "template_string" => template(lower, node),
            "regex" => match node.child_by_field_name("pattern") {
                Some(pattern) => Expr::Regex(lower.string(lower.text(pattern))),
                None => Expr::Unknown,
            },
            "subscript_expression" => subscript(lower, node),
            "meta_property" => meta_property(lower, node),
            "array" => Expr::List(elements(lower, node)),
            "array_pattern" => Expr::List(elements(lower, node)),
            "object" | "object_pattern" => object(lower, node),
            "arrow_function" | "function_expression" | "generator_function" => {
                match function(lower, node, &Definition::of(node)) {
                    Some((index, _)) => Expr::Function(index),
                    None => Expr::Unknown,
                }
            }
            "class" => match class(lower, node, &Definition::of(node)) {
                Some(index) => Expr::Class(index),
                None => Expr::Unknown,
            },
            "unary_expression" => unary(lower, node),
            "update_expression" => Expr::Unary(first_expr(lower, node)),
            "augmented_assignment_expression" => augmented(lower, node),
            "sequence_expression" => sequence(lower, node),
            "type_assertion" => match named(node).last() {
                Some(value) => same_as(lower, *value),
                None => Expr::Unknown,
            },
            "jsx_element" | "jsx_self_closing_element" => jsx_element(lower, node),
            "jsx_expression" => match first_named(node) {
                Some(inner) => same_as(lower, inner),
                None => Expr::Null,
            },
            "jsx_namespace_name" => Expr::Name(lower.name(node)),
            _ => type_expr(lower, node),
        }
    }

    fn stmt(&self, lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
        match node.kind() {
            "import_statement" => import(lower, node, out),
            "export_statement" => export(lower, node, out),
            "if_statement" => if_statement(lower, node, out),
            "for_statement" => for_statement(lower, node, out),
            "switch_statement" => switch_statement(lower, node, out),
            "try_statement" => try_statement(lower, node, out),
            "with_statement" => with_statement(lower, node, out),
            "sequence_expression" => lower.stmts(node, out),
            "augmented_assignment_expression" => {
                let target = field_expr(lower, node, "left");
                let value = field_expr(lower, node, "right");
                lower.push_stmt(Stmt::Augment { target, value }, node, out);
            }
            "update_expression" => {
                let target = first_expr(lower, node);
                let one = lower.string("1");
                let value = lower.push(Expr::Number(one), node);
                lower.push_stmt(Stmt::Augment { target, value }, node, out);
            }
            "statement_identifier" => {}
            _ => {
                if !declaration(lower, node, &Definition::of(node), out) {
                    lower.expression_statement(node, out);
                }
            }
        }
    }

    fn assignment(&self, lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) -> bool {
        let (targets, value) = chain(node);
        let exports = targets
            .iter()
            .any(|target| export_name(lower, *target).is_some());
        let name = targets
            .iter()
            .find_map(|target| assigned_name(lower, *target));
        let Some(value) = value else { return false };
        let value = named_value(lower, value, name, exports);
        assign(lower, &targets, value, None, node, out);
        true
    }

    fn operator(&self, text: &str) -> Operator {
        match text {
            "&&" | "&&=" => Operator::And,
            "||" | "||=" => Operator::Or,
            "??" | "??=" => Operator::Coalesce,
            "==" | "===" => Operator::Eq,
            "!=" | "!==" => Operator::Ne,
            "<" | "<=" | ">" | ">=" => Operator::Order,
            "in" => Operator::In,
            "instanceof" => Operator::InstanceOf,
            "+" | "+=" => Operator::Add,
            "|" | "|=" => Operator::BitOr,
            _ => Operator::Other,
        }
    }

    fn arguments(&self, lower: &mut Lowering<'_>, node: Node<'_>) -> Run {
        if node.kind() == "template_string" {
            // A tagged template is a call of its tag.
            let value = lower.expr(node);
            return lower.push_args(&[positional(value)]);
        }
        let mut args = Vec::new();
        for child in named(node) {
            if child.is_extra() || child.is_error() {
                continue;
            }
            args.push(element(lower, child));
        }
        lower.push_args(&args)
    }

    fn statements(
        &self,
        lower: &mut Lowering<'_>,
        nodes: &[Node<'_>],
        _value: bool,
        out: &mut Vec<StmtId>,
    ) {
        for (index, &node) in nodes.iter().enumerate() {
            let resource = using_of(node);
            let Some(resource) = resource else {
                lower.stmt(node, out);
                continue;
            };
            // A resource lives until the end of the block around it.
            let rest = nodes.get(index + 1..).unwrap_or_default();
            let value = field_expr(lower, resource, "right");
            let target = Some(field_expr(lower, resource, "left"));
            let mut inside = Vec::new();
            lower.nested(|lower| self.statements(lower, rest, false, &mut inside));
            let body = lower.block_of(&inside);
            lower.push_stmt(
                Stmt::With {
                    value,
                    target,
                    body,
                },
                node,
                out,
            );
            return;
        }
    }

    fn ignores(&self, _text: &str, _root: Node<'_>, nodes: &[Node<'_>]) -> bool {
        nodes
            .iter()
            .all(|node| matches!(node.kind(), "hash_bang_line" | "empty_statement"))
    }

    fn key(&self, text: &str, node: Node<'_>) -> Option<String> {
        let of = |node: Node<'_>| Some(one_line(text.get(node.byte_range())?));
        match node.kind() {
            "export_statement" => match node.child_by_field_name("declaration") {
                Some(declaration) => self.key(text, declaration),
                None if node.child_by_field_name("value").is_some() => Some("default".to_owned()),
                None => None,
            },
            "lexical_declaration" | "variable_declaration" => {
                of(first_named(node)?.child_by_field_name("name")?)
            }
            "ambient_declaration" => {
                let inner = first_named(node)?;
                self.key(text, inner).or_else(|| {
                    let name = of(inner.child_by_field_name("name")?)?;
                    Some(name.trim_matches(['"', '\'']).to_owned())
                })
            }
            // The implementation has the plain name, whether it is overloaded or not.
            "function_signature" => Some(format!(
                "overload {}",
                of(node.child_by_field_name("name")?)?
            )),
            "expression_statement" => {
                let mut inner = peeled(first_named(node)?);
                if matches!(inner.kind(), "await_expression" | "unary_expression") {
                    inner = peeled(first_named(inner)?);
                }
                match inner.kind() {
                    "internal_module" => of(inner.child_by_field_name("name")?),
                    "call_expression" => {
                        let (callee, arguments) = first_call(inner)?;
                        if is_function(callee) {
                            return Some("(function)()".to_owned());
                        }
                        let first = arguments
                            .and_then(first_named)
                            .filter(|first| first.kind() == "string")
                            .and_then(of)
                            .unwrap_or_default();
                        Some(format!("{}({first})", of(callee)?))
                    }
                    "assignment_expression" => {
                        let target = of(inner.child_by_field_name("left")?)?;
                        let name = target
                            .strip_prefix("module.exports.")
                            .or_else(|| target.strip_prefix("exports."));
                        Some(name.unwrap_or(&target).to_owned())
                    }
                    _ => None,
                }
            }
            "if_statement" | "for_statement" | "for_in_statement" | "while_statement"
            | "do_statement" | "switch_statement" | "try_statement" | "statement_block"
            | "labeled_statement" => {
                let whole = of(node)?;
                let words = whole.split('{').next().unwrap_or_default().trim();
                Some(match words {
                    "" => "block".to_owned(),
                    words => words.to_owned(),
                })
            }
            _ => None,
        }
    }
}

/// Callee and arguments of the first call in a chain of calls: a route keeps its key when the
/// functions behind its path change.
fn first_call(node: Node<'_>) -> Option<(Node<'_>, Option<Node<'_>>)> {
    let mut at = Some(node);
    let mut found = None;
    while let Some(node) = at {
        at = match node.kind() {
            "call_expression" => {
                let callee = peeled(node.child_by_field_name("function")?);
                found = Some((callee, node.child_by_field_name("arguments")));
                Some(callee)
            }
            "member_expression" | "subscript_expression" => node.child_by_field_name("object"),
            "non_null_expression" | "parenthesized_expression" => first_named(node),
            _ => None,
        };
    }
    found
}

/// What surrounds a definition.
struct Definition<'t> {
    /// The name of what an anonymous function or class is assigned to.
    name: Option<Ustr>,
    /// The node that stands for the whole: the definition itself, or the `export` around it.
    outer: Node<'t>,
    /// Decorators that the grammar puts outside of the definition.
    decorators: Vec<Node<'t>>,
    exported: bool,
}

impl<'t> Definition<'t> {
    fn of(node: Node<'t>) -> Self {
        Self {
            name: None,
            outer: node,
            decorators: Vec::new(),
            exported: false,
        }
    }
}

/// The beginning of a text on one line.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if line.len() > 64 {
            break;
        }
        if !line.is_empty() && !word.starts_with('.') {
            line.push(' ');
        }
        line.extend(word.chars().take(64));
    }
    line
}

fn positional(value: ExprId) -> Arg {
    Arg {
        kind: ArgKind::Positional,
        value,
    }
}

/// The expression of a node, for a kind that only wraps it.
fn same_as(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let id = lower.expr(node);
    lower.get(id)
}

fn first_expr(lower: &mut Lowering<'_>, node: Node<'_>) -> ExprId {
    match first_named(node) {
        Some(child) => lower.expr(child),
        None => lower.push(Expr::Unknown, node),
    }
}

fn field_expr(lower: &mut Lowering<'_>, node: Node<'_>, field: &str) -> ExprId {
    match node.child_by_field_name(field) {
        Some(child) => lower.expr(child),
        None => lower.push(Expr::Unknown, node),
    }
}

/// Whether a keyword stands directly inside a node.
fn has_token(node: Node<'_>, token: &str) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor)
        .any(|child| !child.is_named() && child.kind() == token)
}

/// The value behind brackets and type assertions.
fn peeled(node: Node<'_>) -> Node<'_> {
    let mut node = node;
    loop {
        let inner = match node.kind() {
            "parenthesized_expression"
            | "as_expression"
            | "satisfies_expression"
            | "non_null_expression" => first_named(node),
            "type_assertion" => named(node).last().copied(),
            _ => return node,
        };
        match inner {
            Some(inner) => node = inner,
            None => return node,
        }
    }
}

/// The constant name that a key, member or method has; `None` for a computed one.
fn constant_name(lower: &Lowering<'_>, node: Node<'_>) -> Option<Ustr> {
    match node.kind() {
        "string" => Some(ustr(&string_text(lower, node))),
        "template_string" => plain_template(lower, node).map(|text| ustr(&text)),
        "computed_property_name" => match first_named(node)? {
            inner if matches!(inner.kind(), "string" | "template_string") => {
                constant_name(lower, inner)
            }
            _ => None,
        },
        "identifier"
        | "property_identifier"
        | "private_property_identifier"
        | "number"
        | "shorthand_property_identifier"
        | "shorthand_property_identifier_pattern" => Some(lower.name(node)),
        _ => None,
    }
}
