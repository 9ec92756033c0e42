//! What Rust needs beside `queries/rust/facts.scm`.
//!
//! Three things set Rust apart. A block has a value, so the last expression of a body is a
//! [`Stmt::Tail`], also through `if` and `match`. Attributes stand beside what they belong to, not
//! around it. And the arguments of macros and attributes are bare tokens, which [`tokens`] reads.

mod tokens;

use tree_sitter::Node;
use ustr::{Ustr, ustr};

use crate::facts::{
    Arg, ArgKind, Arm, BlockId, Class, ClassKind, Expr, ExprId, Function, Import, Imported, Mark,
    Marked, Operator, Param, ParamKind, Run, Stmt, StmtId,
};
use crate::file::clipped;
use crate::lower::{Adapter, Lowering, MAX_BRANCHES, first_named, named, offset};
use crate::spans::{DefinitionSpans, Span};

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
            "macro_invocation" => tokens::invocation(lower, node),
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

// ---- small helpers ----------------------------------------------------------------------------

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

// ---- expressions ------------------------------------------------------------------------------

/// `a::b::c`, without the type arguments inside of it unless it is a type.
fn path(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
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

fn unary(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
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

fn array(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let length = node.child_by_field_name("length");
    let args: Vec<Arg> = parts(node)
        .into_iter()
        .filter(|part| Some(*part) != length)
        .map(|part| positional(lower.expr(part)))
        .collect();
    Expr::List(lower.push_args(&args))
}

/// The elements of an argument list.
fn call_args(lower: &mut Lowering<'_>, node: Node<'_>) -> Vec<Arg> {
    parts(node)
        .into_iter()
        .filter(|part| !part.is_error())
        .map(|part| positional(lower.expr(part)))
        .collect()
}

fn struct_expression(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
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
fn bind(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let value = field_expr(lower, node, "value");
    let pattern = field_expr(lower, node, "pattern");
    Expr::Bind { pattern, value }
}

fn let_chain(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
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
fn literal_text(lower: &Lowering<'_>, node: Node<'_>) -> String {
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

// ---- patterns ---------------------------------------------------------------------------------

/// The parts of a tuple-like pattern; its `type` field is no part.
fn pattern_args(lower: &mut Lowering<'_>, node: Node<'_>) -> Run {
    let ty = node.child_by_field_name("type");
    let args: Vec<Arg> = parts(node)
        .into_iter()
        .filter(|part| Some(*part) != ty)
        .map(|part| Arg {
            kind: if part.kind() == "remaining_field_pattern" {
                ArgKind::Spread
            } else {
                ArgKind::Positional
            },
            value: lower.expr(part),
        })
        .collect();
    lower.push_args(&args)
}

fn struct_pattern(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let callee = field_expr(lower, node, "type");
    let mut args = Vec::new();
    for field in named(node) {
        if field.kind() != "field_pattern" {
            continue;
        }
        let Some(name) = field.child_by_field_name("name") else {
            continue;
        };
        let value = lower.expr(field.child_by_field_name("pattern").unwrap_or(name));
        args.push(Arg {
            kind: ArgKind::Named(lower.name(name)),
            value,
        });
    }
    let args = lower.push_args(&args);
    Expr::New { callee, args }
}

fn or_pattern(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    match parts(node).as_slice() {
        [left, right, ..] => {
            let left = lower.expr(*left);
            let right = lower.expr(*right);
            Expr::Binary {
                op: Operator::BitOr,
                left,
                right,
            }
        }
        [single] => transparent(lower, Some(*single)),
        [] => Expr::Unknown,
    }
}

// ---- types ------------------------------------------------------------------------------------

/// `Option<User>`; a type whose only arguments are lifetimes is the plain type.
fn generic_type(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let base = field_expr(lower, node, "type");
    let arguments = node.child_by_field_name("type_arguments");
    let mut args = Vec::new();
    for argument in arguments.map(parts).unwrap_or_default() {
        let kind = match argument.kind() {
            "lifetime" | "trait_bounds" => continue,
            "type_binding" => ArgKind::Named(name_of(lower, argument)),
            _ => ArgKind::Positional,
        };
        let value = match kind {
            ArgKind::Named(_) => field_expr(lower, argument, "type"),
            _ => lower.expr(argument),
        };
        args.push(Arg { kind, value });
    }
    let index = match args.as_slice() {
        [] => return lower.get(base),
        [
            Arg {
                kind: ArgKind::Positional,
                value,
            },
        ] => *value,
        _ => {
            let run = lower.push_args(&args);
            lower.push(Expr::Tuple(run), arguments.unwrap_or(node))
        }
    };
    Expr::Index { base, index }
}

/// `fn(A) -> B` and `Fn(A) -> B` as a call of `fn` or the trait; the result's type follows as `->`.
fn function_type(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let callee = match node.child_by_field_name("trait") {
        Some(name) => lower.expr(name),
        None => lower.push(Expr::Name(ustr("fn")), node),
    };
    let mut args = Vec::new();
    for parameter in node
        .child_by_field_name("parameters")
        .map(parts)
        .unwrap_or_default()
    {
        let ty = parameter.child_by_field_name("type").unwrap_or(parameter);
        args.push(positional(lower.expr(ty)));
    }
    if let Some(returns) = node.child_by_field_name("return_type") {
        let value = lower.expr(returns);
        args.push(Arg {
            kind: ArgKind::Named(ustr("->")),
            value,
        });
    }
    let args = lower.push_args(&args);
    Expr::Call { callee, args }
}

/// `A + B`; lifetimes fall away.
fn bounded_type(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let bounds: Vec<_> = parts(node)
        .into_iter()
        .filter(|part| !matches!(part.kind(), "lifetime" | "use_bounds"))
        .collect();
    match bounds.as_slice() {
        [left, right, ..] => {
            let left = lower.expr(*left);
            let right = lower.expr(*right);
            Expr::Binary {
                op: Operator::Add,
                left,
                right,
            }
        }
        [single] => transparent(lower, Some(*single)),
        [] => Expr::Unknown,
    }
}

// ---- statements -------------------------------------------------------------------------------

/// Lowers statements or items that stand side by side. Attributes are collected for what follows
/// them; what they mark as test code is left out.
fn each(
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
fn statement(
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
fn effect(lower: &mut Lowering<'_>, node: Node<'_>, value: bool, out: &mut Vec<StmtId>) {
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
        "macro_invocation" => tokens::macro_statement(lower, node, value, out),
        _ if value => {
            let value = lower.expr(node);
            lower.push_stmt(Stmt::Tail(value), node, out);
        }
        _ => lower.expression_statement(node, out),
    }
}

/// The block of a `block` node, with its value if that is wanted.
fn block(lower: &mut Lowering<'_>, node: Node<'_>, value: bool) -> BlockId {
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
fn match_pattern(lower: &mut Lowering<'_>, node: Node<'_>) -> (ExprId, Option<ExprId>) {
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

// ---- attributes -------------------------------------------------------------------------------

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

fn decorators(lower: &mut Lowering<'_>, attributes: &[Node<'_>]) -> Box<[ExprId]> {
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
        let args = tokens::arguments(lower, arguments);
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
fn for_tests(text: &str, item: Node<'_>) -> bool {
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
fn needs_test(text: &str, arguments: Node<'_>, depth: u32) -> bool {
    let inside = tokens::inside(arguments);
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

// ---- definitions ------------------------------------------------------------------------------

/// Lowers a definition, `false` if the node is none. `member`: it stands in an `impl` or trait.
fn item(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    attributes: &[Node<'_>],
    member: bool,
    out: &mut Vec<StmtId>,
) -> bool {
    match node.kind() {
        "function_item" | "function_signature_item" => {
            function(lower, node, attributes, member, out);
        }
        "struct_item" | "union_item" => class(lower, node, attributes, ClassKind::Struct, out),
        "enum_item" => class(lower, node, attributes, ClassKind::Enum, out),
        "trait_item" => class(lower, node, attributes, ClassKind::Interface, out),
        "impl_item" => class(lower, node, attributes, ClassKind::Impl, out),
        "mod_item" => module(lower, node, attributes, out),
        "use_declaration" => {
            if let Some(argument) = node.child_by_field_name("argument") {
                use_tree(lower, argument, "", is_public(node), out);
            }
        }
        "extern_crate_declaration" => extern_crate(lower, node, out),
        "const_item" | "static_item" => {
            let value = node
                .child_by_field_name("value")
                .map(|value| lower.expr(value));
            let ty = node.child_by_field_name("type").map(|ty| lower.expr(ty));
            let target = field_expr(lower, node, "name");
            lower.push_stmt(Stmt::Let { target, ty, value }, node, out);
        }
        "type_item" | "associated_type" => {
            let value = node.child_by_field_name("type").map(|ty| lower.expr(ty));
            let target = field_expr(lower, node, "name");
            let ty = None;
            lower.push_stmt(Stmt::Let { target, ty, value }, node, out);
        }
        "macro_definition" => {
            // What it expands to isn't known; that it is defined here is.
            if let Some(name) = node.child_by_field_name("name") {
                let value = Some(lower.push(Expr::Unknown, node));
                let text = ustr(&format!("{}!", lower.text(name)));
                let target = lower.push(Expr::Name(text), name);
                let ty = None;
                lower.push_stmt(Stmt::Let { target, ty, value }, node, out);
            }
        }
        "macro_invocation" if member => tokens::macro_statement(lower, node, false, out),
        "empty_statement" | "foreign_mod_item" => {}
        _ => return false,
    }
    true
}

/// What tells an `impl` from others: `<Type>`, `<Type as Trait>`. The type alone would be the key of its
/// struct as well, and while one of the two is half-typed the other would take its place.
fn impl_key(text: &str, node: Node<'_>) -> String {
    let name = node
        .child_by_field_name("type")
        .map_or("", |ty| type_name(text, ty));
    let Some(base) = node.child_by_field_name("trait") else {
        return clipped(&format!("<{name}>"));
    };
    let base = text.get(base.byte_range()).unwrap_or_default();
    let base = base.split_whitespace().collect::<Vec<_>>().join(" ");
    clipped(&format!("<{name} as {base}>"))
}

fn definition_spans(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    attributes: &[Node<'_>],
    list: Option<Node<'_>>,
) -> DefinitionSpans {
    let definition = lower.span(node);
    let start = attributes
        .first()
        .map_or(definition.start, |first| lower.span(*first).start);
    DefinitionSpans {
        whole: Span {
            start,
            end: definition.end,
        },
        definition,
        name: node
            .child_by_field_name("name")
            .map(|name| lower.span(name))
            .unwrap_or_default(),
        list: list.map(|list| lower.span(list)).unwrap_or_default(),
        body: node
            .child_by_field_name("body")
            .map(|body| lower.span(body))
            .unwrap_or_default(),
    }
}

fn function(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    attributes: &[Node<'_>],
    member: bool,
    out: &mut Vec<StmtId>,
) {
    let parameters = node.child_by_field_name("parameters");
    let decorators = decorators(lower, attributes);
    let (params, marks) = parameters
        .map(|parameters| params(lower, parameters))
        .unwrap_or_default();
    let returns = node
        .child_by_field_name("return_type")
        .map(|returns| lower.expr(returns));
    let spans = definition_spans(lower, node, attributes, parameters);
    let receives = params
        .first()
        .is_some_and(|first| first.kind == ParamKind::Receiver);
    let function = Function {
        name: name_of(lower, node),
        id: ustr(""),
        params: params.into(),
        decorators,
        returns,
        is_async: child_of_kind(node, "function_modifiers")
            .is_some_and(|modifiers| child_of_kind(modifiers, "async").is_some()),
        exported: is_public(node),
        is_static: member && !receives,
    };
    let index = lower.function(function, node.child_by_field_name("body"), spans);
    for (param, value) in marks {
        let on = Marked::Param {
            function: index,
            param,
        };
        lower.push_mark(Mark { on, value });
    }
    lower.push_stmt(Stmt::Function(index), node, out);
}

/// The parameters of a function or closure, and the attributes on them.
fn params(lower: &mut Lowering<'_>, node: Node<'_>) -> (Vec<Param>, Vec<(u32, ExprId)>) {
    let mut found = Vec::new();
    let mut marks = Vec::new();
    let mut cursor = node.walk();
    let children: Vec<_> = node
        .children(&mut cursor)
        .filter(|child| child.is_named() || child.kind() == "_")
        .filter(|child| !child.is_extra() && !child.is_error())
        .collect();
    for child in children {
        if child.kind() == "attribute_item" {
            let place = offset(found.len());
            let values = decorators(lower, &[child]);
            marks.extend(values.iter().map(|&value| (place, value)));
            continue;
        }
        let mut kind = ParamKind::Plain;
        let (mut pattern, mut ty) = (Some(child), None);
        match child.kind() {
            "parameter" => {
                pattern = child.child_by_field_name("pattern");
                ty = child.child_by_field_name("type");
                if pattern.is_some_and(|pattern| pattern.kind() == "self") {
                    kind = ParamKind::Receiver;
                }
            }
            "self_parameter" => {
                pattern = child_of_kind(child, "self");
                kind = ParamKind::Receiver;
            }
            "variadic_parameter" => {
                pattern = child.child_by_field_name("pattern");
                kind = ParamKind::Rest;
            }
            _ => {}
        }
        let pattern = match pattern {
            Some(pattern) => lower.expr(pattern),
            None => lower.push(Expr::Unknown, child),
        };
        let ty = ty.map(|ty| lower.expr(ty));
        found.push(Param {
            pattern,
            ty,
            default: None,
            kind,
        });
    }
    (found, marks)
}

fn closure(lower: &mut Lowering<'_>, node: Node<'_>, name: Ustr) -> u32 {
    let parameters = node.child_by_field_name("parameters");
    let (params, _) = parameters
        .map(|parameters| params(lower, parameters))
        .unwrap_or_default();
    let returns = node
        .child_by_field_name("return_type")
        .map(|returns| lower.expr(returns));
    let mut spans = definition_spans(lower, node, &[], parameters);
    let start = spans.definition.start;
    spans.name = Span { start, end: start };
    let mut body = node.child_by_field_name("body");
    let mut is_async = child_of_kind(node, "async").is_some();
    // A closure that only gives an async block is an async closure.
    if let Some(inner) = body
        .filter(|body| body.kind() == "async_block")
        .and_then(|body| child_of_kind(body, "block"))
    {
        body = Some(inner);
        is_async = true;
    }
    let function = Function {
        name,
        id: ustr(""),
        params: params.into(),
        decorators: Box::default(),
        returns,
        is_async,
        exported: false,
        is_static: false,
    };
    lower.function(function, body, spans)
}

fn class(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    attributes: &[Node<'_>],
    kind: ClassKind,
    out: &mut Vec<StmtId>,
) {
    let decorators = decorators(lower, attributes);
    let mut spans = definition_spans(lower, node, attributes, None);
    let mut name = name_of(lower, node);
    let mut bases = Vec::new();
    match kind {
        ClassKind::Impl => {
            if let Some(ty) = node.child_by_field_name("type") {
                name = ustr(type_name(lower.text, ty));
                spans.name = lower.span(ty);
            }
            // `impl !Send for X` takes the trait away.
            if let Some(base) = node.child_by_field_name("trait")
                && child_of_kind(node, "!").is_none()
            {
                spans.list = lower.span(base);
                bases.push(positional(lower.expr(base)));
            }
        }
        ClassKind::Interface => {
            if let Some(bounds) = node.child_by_field_name("bounds") {
                spans.list = lower.span(bounds);
                for bound in parts(bounds) {
                    if bound.kind() != "lifetime" {
                        bases.push(positional(lower.expr(bound)));
                    }
                }
            }
        }
        _ => {}
    }
    let bases = lower.push_args(&bases);
    let id = match kind {
        ClassKind::Impl => ustr(&impl_key(lower.text, node)),
        _ => ustr(""),
    };
    let class = Class {
        name,
        id,
        kind,
        bases,
        decorators,
        body: BlockId::default(),
        exported: is_public(node),
    };
    let body = node.child_by_field_name("body");
    let index = lower.class(class, spans, |lower| {
        let mut statements = Vec::new();
        if let Some(body) = body {
            match body.kind() {
                "declaration_list" => each(lower, &named(body), false, true, &mut statements),
                _ => fields(lower, body, &mut statements),
            }
        }
        lower.block_of(&statements)
    });
    lower.push_stmt(Stmt::Class(index), node, out);
}

/// The last name of a type, without its arguments.
fn type_name<'a>(text: &'a str, mut node: Node<'_>) -> &'a str {
    for _ in 0..8 {
        let inner = match node.kind() {
            "generic_type" | "reference_type" | "pointer_type" => node.child_by_field_name("type"),
            "scoped_type_identifier" => node.child_by_field_name("name"),
            "dynamic_type" | "abstract_type" => node.child_by_field_name("trait"),
            "array_type" => node.child_by_field_name("element"),
            "type_identifier" | "primitive_type" | "metavariable" | "identifier" => {
                return text.get(node.byte_range()).unwrap_or_default();
            }
            "bounded_type" => first_named(node),
            _ => None,
        };
        match inner {
            Some(inner) => node = inner,
            None => break,
        }
    }
    ""
}

/// The fields of a struct, or the variants of an enum.
fn fields(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let mut cursor = node.walk();
    let children: Vec<_> = node.children(&mut cursor).collect();
    let mut attributes = Vec::new();
    let mut position = 0;
    for child in children {
        if child.is_extra() {
            lower.stmt(child, out);
            continue;
        }
        match child.kind() {
            "attribute_item" => {
                attributes.push(child);
                continue;
            }
            "visibility_modifier" => continue,
            _ if !child.is_named() || child.is_error() => continue,
            _ => {}
        }
        let attributes = std::mem::take(&mut attributes);
        if attributes
            .iter()
            .any(|attribute| for_tests(lower.text, *attribute))
        {
            continue;
        }
        let marks = decorators(lower, &attributes);
        match child.kind() {
            "field_declaration" => {
                let ty = child.child_by_field_name("type").map(|ty| lower.expr(ty));
                let target = field_expr(lower, child, "name");
                let value = None;
                lower.push_stmt(Stmt::Let { target, ty, value }, child, out);
            }
            "enum_variant" => {
                let ty = child
                    .child_by_field_name("body")
                    .map(|body| variant(lower, body));
                let value = child
                    .child_by_field_name("value")
                    .map(|value| lower.expr(value));
                let target = field_expr(lower, child, "name");
                lower.push_stmt(Stmt::Let { target, ty, value }, child, out);
            }
            // Anything else is a tuple struct's type.
            _ => {
                let ty = Some(lower.expr(child));
                let target = lower.push(Expr::Name(ustr(&position.to_string())), child);
                let value = None;
                lower.push_stmt(Stmt::Let { target, ty, value }, child, out);
                position += 1;
            }
        }
        mark_field(lower, &marks, out);
    }
}

/// Puts attributes on the field that was added last.
fn mark_field(lower: &mut Lowering<'_>, marks: &[ExprId], out: &[StmtId]) {
    if let Some(&field) = out.last() {
        for &value in marks {
            lower.push_mark(Mark {
                on: Marked::Field(field),
                value,
            });
        }
    }
}

/// What an enum's variant holds: a tuple of types, or a dict of them.
fn variant(lower: &mut Lowering<'_>, body: Node<'_>) -> ExprId {
    let mut args = Vec::new();
    let named_fields = body.kind() == "field_declaration_list";
    for part in parts(body) {
        match part.kind() {
            "visibility_modifier" => {}
            "field_declaration" => {
                let kind = ArgKind::Named(name_of(lower, part));
                let value = field_expr(lower, part, "type");
                args.push(Arg { kind, value });
            }
            _ => args.push(positional(lower.expr(part))),
        }
    }
    let run = lower.push_args(&args);
    let expr = if named_fields {
        Expr::Dict(run)
    } else {
        Expr::Tuple(run)
    };
    lower.push(expr, body)
}

fn module(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    attributes: &[Node<'_>],
    out: &mut Vec<StmtId>,
) {
    let name = name_of(lower, node);
    let Some(body) = node.child_by_field_name("body") else {
        let import = Import {
            module: ustr(&format!("self::{name}")),
            what: Imported::Module,
            local: name,
            reexport: is_public(node),
            type_only: false,
        };
        push_import(lower, node, import, out);
        return;
    };
    let decorators = decorators(lower, attributes);
    let spans = definition_spans(lower, node, attributes, None);
    let class = Class {
        name,
        id: ustr(""),
        kind: ClassKind::Module,
        bases: Run::default(),
        decorators,
        body: BlockId::default(),
        exported: is_public(node),
    };
    let index = lower.class(class, spans, |lower| {
        let mut statements = Vec::new();
        each(lower, &named(body), false, false, &mut statements);
        lower.block_of(&statements)
    });
    lower.push_stmt(Stmt::Class(index), node, out);
}

// ---- imports ----------------------------------------------------------------------------------

fn push_import(lower: &mut Lowering<'_>, node: Node<'_>, import: Import, out: &mut Vec<StmtId>) {
    let index = lower.push_import(import);
    lower.push_stmt(Stmt::Import(index), node, out);
}

fn extern_crate(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let module = name_of(lower, node);
    let local = node
        .child_by_field_name("alias")
        .map_or(module, |alias| lower.name(alias));
    if local == "_" {
        return;
    }
    let import = Import {
        module,
        what: Imported::Module,
        local,
        reexport: is_public(node),
        type_only: false,
    };
    push_import(lower, node, import, out);
}

/// Flattens a tree of `use`. `prefix` is the path before the braces around this part.
fn use_tree(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    prefix: &str,
    reexport: bool,
    out: &mut Vec<StmtId>,
) {
    let join = |lower: &Lowering<'_>, path: Option<Node<'_>>| {
        let text = path.map_or("", |path| lower.text(path));
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let text = text.trim_start_matches("::");
        match (prefix, text) {
            ("", text) => text.to_owned(),
            (prefix, "" | "self") => prefix.to_owned(),
            (prefix, text) => format!("{prefix}::{text}"),
        }
    };
    match node.kind() {
        "use_list" => {
            for child in parts(node) {
                lower.nested(|lower| use_tree(lower, child, prefix, reexport, out));
            }
        }
        "scoped_use_list" => {
            let prefix = join(lower, node.child_by_field_name("path"));
            if let Some(list) = node.child_by_field_name("list") {
                lower.nested(|lower| use_tree(lower, list, &prefix, reexport, out));
            }
        }
        "use_wildcard" => {
            let import = Import {
                module: ustr(&join(lower, first_named(node))),
                what: Imported::Star,
                local: ustr(""),
                reexport,
                type_only: false,
            };
            push_import(lower, node, import, out);
        }
        "use_as_clause" => {
            let path = join(lower, node.child_by_field_name("path"));
            if let Some(alias) = node.child_by_field_name("alias") {
                let local = lower.name(alias);
                use_path(lower, node, &path, Some(local), reexport, out);
            }
        }
        _ => {
            let path = join(lower, Some(node));
            use_path(lower, node, &path, None, reexport, out);
        }
    }
}

fn use_path(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    path: &str,
    alias: Option<Ustr>,
    reexport: bool,
    out: &mut Vec<StmtId>,
) {
    if alias.is_some_and(|alias| alias == "_") {
        return;
    }
    let (module, what, last) = match path.rsplit_once("::") {
        Some((module, last)) => (module, Imported::Name(ustr(last)), last),
        None => (path, Imported::Module, path),
    };
    let import = Import {
        module: ustr(module),
        what,
        local: alias.unwrap_or_else(|| ustr(last)),
        reexport,
        type_only: false,
    };
    push_import(lower, node, import, out);
}
