//! What Python needs beside `queries/python/facts.scm`.

use tree_sitter::Node;
use ustr::{Ustr, ustr};

use crate::facts::{
    Arg, ArgKind, Arm, BlockId, Class, ClassKind, Expr, ExprId, Function, Handler, Import,
    Imported, Operator, Param, ParamKind, Run, Stmt, StmtId,
};
use crate::lower::{Adapter, Lowering, MAX_BRANCHES, first_named, named};
use crate::spans::DefinitionSpans;

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
            "delete_statement" | "exec_statement" | "print_statement" => {}
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

// ---- expressions ------------------------------------------------------------------------------

/// A string, or several that stand beside each other: one text, or a template with the parts of all.
fn strings(lower: &mut Lowering<'_>, nodes: &[Node<'_>]) -> Expr {
    let contents: Vec<_> = nodes.iter().flat_map(|node| named(*node)).collect();
    if !contents.iter().any(|part| part.kind() == "interpolation") {
        let text: String = contents
            .iter()
            .filter(|part| part.kind() == "string_content")
            .map(|part| unescaped(lower, *part))
            .collect();
        return Expr::Str(lower.string(&text));
    }
    let mut parts = Vec::new();
    for part in contents {
        match part.kind() {
            "interpolation" => {
                if let Some(value) = part
                    .child_by_field_name("expression")
                    .or_else(|| first_named(part))
                {
                    parts.push(lower.expr(value));
                }
            }
            "string_content" => {
                let text = unescaped(lower, part);
                let index = lower.string(&text);
                parts.push(lower.push(Expr::Str(index), part));
            }
            _ => {}
        }
    }
    Expr::Template(lower.push_parts(&parts))
}

/// The text of a string's content without its escapes, which the grammar finds where they count.
fn unescaped(lower: &Lowering<'_>, content: Node<'_>) -> String {
    let mut text = String::new();
    let mut at = content.start_byte();
    for escape in named(content) {
        text.push_str(lower.text.get(at..escape.start_byte()).unwrap_or_default());
        let written = lower.text(escape);
        match escape.kind() {
            "escape_interpolation" => text.extend(written.chars().next()),
            "escape_sequence" => text.push_str(&escaped(written)),
            _ => text.push_str(written),
        }
        at = escape.end_byte();
    }
    text.push_str(lower.text.get(at..content.end_byte()).unwrap_or_default());
    text
}

/// What an escape sequence stands for.
fn escaped(written: &str) -> String {
    let rest = written.strip_prefix('\\').unwrap_or(written);
    let code = |digits: &str, radix: u32| {
        u32::from_str_radix(digits, radix)
            .ok()
            .and_then(char::from_u32)
            .map(String::from)
    };
    let simple = |text: &str| Some(text.to_owned());
    match rest.chars().next() {
        Some('n') => simple("\n"),
        Some('r') => simple("\r"),
        Some('t') => simple("\t"),
        Some('a' | 'b' | 'f' | 'v') | None => simple(" "),
        Some('\n' | '\r') => simple(""),
        Some('x' | 'u' | 'U') => code(rest.get(1..).unwrap_or_default(), 16),
        Some('0'..='7') => code(rest, 8),
        // The name of a character.
        Some('N') => None,
        Some(_) => simple(rest),
    }
    .unwrap_or_else(|| written.to_owned())
}

fn subscript(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let Some(value) = node.child_by_field_name("value") else {
        return Expr::Unknown;
    };
    let base = lower.expr(value);
    let mut cursor = node.walk();
    let indices: Vec<_> = node
        .children_by_field_name("subscript", &mut cursor)
        .collect();
    let index = several(lower, &indices, node);
    Expr::Index { base, index }
}

/// One node as itself, several as a tuple.
fn several(lower: &mut Lowering<'_>, nodes: &[Node<'_>], whole: Node<'_>) -> ExprId {
    if let [single] = nodes {
        return lower.expr(*single);
    }
    let args: Vec<Arg> = nodes
        .iter()
        .map(|node| Arg {
            kind: ArgKind::Positional,
            value: lower.expr(*node),
        })
        .collect();
    let run = lower.push_args(&args);
    lower.push(Expr::Tuple(run), whole)
}

fn generic_type(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    match named(node).as_slice() {
        [base, parameters, ..] => {
            let base = lower.expr(*base);
            let inner: Vec<_> = named(*parameters);
            let index = several(lower, &inner, *parameters);
            Expr::Index { base, index }
        }
        _ => Expr::Unknown,
    }
}

fn union(lower: &mut Lowering<'_>, parts: &[Node<'_>]) -> Expr {
    let Some((first, rest)) = parts.split_first() else {
        return Expr::Unknown;
    };
    let mut id = lower.expr(*first);
    for part in rest {
        let right = lower.expr(*part);
        let either = Expr::Binary {
            op: Operator::BitOr,
            left: id,
            right,
        };
        id = lower.push_between(either, *first, *part);
    }
    lower.get(id)
}

fn comparison(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let operands = named(node);
    let mut cursor = node.walk();
    let operators: Vec<_> = node
        .children_by_field_name("operators", &mut cursor)
        .map(|operator| {
            Python.operator(
                &lower
                    .text(operator)
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" "),
            )
        })
        .collect();
    let ids: Vec<_> = operands
        .iter()
        .map(|operand| lower.expr(*operand))
        .collect();
    let mut whole: Option<ExprId> = None;
    let mut last = Expr::Unknown;
    for (pair, op) in ids.windows(2).zip(operators) {
        let [left, right] = pair else { continue };
        last = Expr::Binary {
            op,
            left: *left,
            right: *right,
        };
        if let Some(before) = whole {
            let this = lower.push(last, node);
            last = Expr::Binary {
                op: Operator::And,
                left: before,
                right: this,
            };
        }
        if ids.len() > 2 {
            whole = Some(lower.push(last, node));
        }
    }
    last
}

fn conditional(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    match named(node).as_slice() {
        [then, test, otherwise] => {
            let test = lower.expr(*test);
            let then = lower.expr(*then);
            let otherwise = lower.expr(*otherwise);
            Expr::Cond {
                test,
                then,
                otherwise,
            }
        }
        _ => Expr::Unknown,
    }
}

fn dictionary(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let mut args = Vec::new();
    for child in named(node) {
        match child.kind() {
            "pair" => args.extend(pair(lower, child)),
            "dictionary_splat" => {
                if let Some(inner) = first_named(child) {
                    let value = lower.expr(inner);
                    args.push(Arg {
                        kind: ArgKind::SpreadMap,
                        value,
                    });
                }
            }
            _ => {}
        }
    }
    Expr::Dict(lower.push_args(&args))
}

fn pair(lower: &mut Lowering<'_>, node: Node<'_>) -> Option<Arg> {
    let key = node.child_by_field_name("key")?;
    let value = node.child_by_field_name("value")?;
    let key = lower.expr(key);
    let value = lower.expr(value);
    Some(Arg {
        kind: ArgKind::Keyed(key),
        value,
    })
}

fn comprehension(lower: &mut Lowering<'_>, node: Node<'_>) -> BlockId {
    let children = named(node);
    let Some((element, clauses)) = children.split_first() else {
        return lower.block_of(&[]);
    };
    let mut statements = Vec::new();
    let value = lower.expr(*element);
    lower.push_stmt(Stmt::Tail(value), *element, &mut statements);
    let mut body = lower.block_of(&statements);
    for clause in clauses.iter().rev() {
        let mut statements = Vec::new();
        match clause.kind() {
            "if_clause" => {
                if let Some(test) = first_named(*clause) {
                    let test = lower.expr(test);
                    lower.push_stmt(
                        Stmt::If {
                            test,
                            then: body,
                            otherwise: None,
                        },
                        *clause,
                        &mut statements,
                    );
                }
            }
            "for_in_clause" => {
                let target = clause
                    .child_by_field_name("left")
                    .map(|left| lower.expr(left));
                let subject = clause
                    .child_by_field_name("right")
                    .map(|right| lower.expr(right));
                lower.push_stmt(
                    Stmt::Loop {
                        target,
                        subject,
                        body,
                    },
                    *clause,
                    &mut statements,
                );
            }
            _ => continue,
        }
        body = lower.block_of(&statements);
    }
    body
}

fn class_pattern(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let children = named(node);
    let Some((class, arguments)) = children.split_first() else {
        return Expr::Unknown;
    };
    let callee = lower.expr(*class);
    let mut args = Vec::new();
    for argument in arguments {
        let keyword = first_named(*argument).filter(|inner| inner.kind() == "keyword_pattern");
        args.push(match keyword.map(named).as_deref() {
            Some([name, value, ..]) => Arg {
                kind: ArgKind::Named(lower.name(*name)),
                value: lower.expr(*value),
            },
            // `name=_`: a wildcard has no node of its own.
            Some([name]) => Arg {
                kind: ArgKind::Named(lower.name(*name)),
                value: lower.push(Expr::Unknown, *argument),
            },
            _ => Arg {
                kind: ArgKind::Positional,
                value: lower.expr(*argument),
            },
        });
    }
    Expr::Call {
        callee,
        args: lower.push_args(&args),
    }
}

fn case_pattern(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    match first_named(node) {
        Some(number) if matches!(number.kind(), "integer" | "float") => {
            Expr::Number(lower.string(lower.text(node)))
        }
        Some(inner) => {
            let id = lower.expr(inner);
            lower.get(id)
        }
        None => Expr::Unknown,
    }
}

fn dict_pattern(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let mut args = Vec::new();
    let mut key = None;
    let mut cursor = node.walk();
    let children: Vec<_> = node
        .children(&mut cursor)
        .filter(|child| child.is_named() && !child.is_extra())
        .collect();
    for child in children {
        if child.kind() == "splat_pattern" {
            if let Some(rest) = first_named(child) {
                let value = lower.expr(rest);
                let kind = ArgKind::SpreadMap;
                args.push(Arg { kind, value });
            }
        } else if let Some(key) = key.take() {
            let value = lower.expr(child);
            let kind = ArgKind::Keyed(key);
            args.push(Arg { kind, value });
        } else {
            key = Some(lower.expr(child));
        }
    }
    Expr::Dict(lower.push_args(&args))
}

fn dotted_name(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let mut parts = named(node).into_iter();
    let Some(first) = parts.next() else {
        return Expr::Unknown;
    };
    let mut expr = Expr::Name(lower.name(first));
    for part in parts {
        let base = lower.push(expr, node);
        expr = Expr::Attr {
            base,
            name: lower.name(part),
        };
    }
    expr
}

// ---- statements -------------------------------------------------------------------------------

/// The branches are lowered in their order; the nest of `elif` is built from its end.
fn if_statement(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
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
fn loop_(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
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

fn try_statement(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
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

fn with_statement(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
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

fn match_statement(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
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

// ---- definitions ------------------------------------------------------------------------------

fn decorators(lower: &mut Lowering<'_>, decorated: Option<Node<'_>>) -> Box<[ExprId]> {
    decorated
        .map(named)
        .unwrap_or_default()
        .into_iter()
        .filter(|child| child.kind() == "decorator")
        .filter_map(first_named)
        .map(|decorator| lower.expr(decorator))
        .collect()
}

fn definition_spans(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    decorated: Option<Node<'_>>,
    list: Option<Node<'_>>,
) -> DefinitionSpans {
    DefinitionSpans {
        whole: lower.span(decorated.unwrap_or(node)),
        definition: lower.span(node),
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
    decorated: Option<Node<'_>>,
    out: &mut Vec<StmtId>,
) {
    let parameters = node.child_by_field_name("parameters");
    let decorators = decorators(lower, decorated);
    let is_static = decorators
        .iter()
        .any(|&decorator| lower.get(decorator) == Expr::Name(ustr("staticmethod")));
    let params = parameters
        .map(|parameters| params(lower, parameters))
        .unwrap_or_default();
    let returns = node
        .child_by_field_name("return_type")
        .map(|returns| lower.expr(returns));
    let spans = definition_spans(lower, node, decorated, parameters);
    let function = Function {
        name: name_of(lower, node),
        id: ustr(""),
        params: params.into(),
        decorators,
        returns,
        is_async: node.child(0).is_some_and(|first| first.kind() == "async"),
        exported: true,
        is_static,
    };
    let index = lower.function(function, node.child_by_field_name("body"), spans);
    lower.push_stmt(Stmt::Function(index), decorated.unwrap_or(node), out);
}

fn lambda(lower: &mut Lowering<'_>, node: Node<'_>, name: Ustr) -> u32 {
    let parameters = node.child_by_field_name("parameters");
    let params = parameters
        .map(|parameters| params(lower, parameters))
        .unwrap_or_default();
    let start = lower.span(node);
    let mut spans = definition_spans(lower, node, None, parameters);
    spans.name = crate::spans::Span {
        start: start.start,
        end: start.start,
    };
    let function = Function {
        name,
        id: ustr(""),
        params: params.into(),
        decorators: Box::default(),
        returns: None,
        is_async: false,
        exported: false,
        is_static: false,
    };
    lower.function(function, node.child_by_field_name("body"), spans)
}

/// `name = lambda: …`: the function takes the name. `false` if it is assigned to anything else.
fn named_lambda(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    value: Node<'_>,
    out: &mut Vec<StmtId>,
) -> bool {
    let Some(left) = node
        .child_by_field_name("left")
        .filter(|left| left.kind() == "identifier")
    else {
        return false;
    };
    let name = lower.name(left);
    let index = lambda(lower, value, name);
    let value = Some(lower.push(Expr::Function(index), value));
    let ty = node.child_by_field_name("type").map(|ty| lower.expr(ty));
    let target = lower.expr(left);
    lower.push_stmt(Stmt::Let { target, ty, value }, node, out);
    true
}

fn name_of(lower: &Lowering<'_>, node: Node<'_>) -> Ustr {
    node.child_by_field_name("name")
        .map_or_else(|| ustr(""), |name| lower.name(name))
}

fn params(lower: &mut Lowering<'_>, node: Node<'_>) -> Vec<Param> {
    let mut found = Vec::new();
    let mut keyword = false;
    for child in named(node) {
        let mut kind = if keyword {
            ParamKind::Keyword
        } else {
            ParamKind::Plain
        };
        let (pattern, mut ty, mut default);
        (ty, default) = (None, None);
        match child.kind() {
            "identifier" | "tuple_pattern" => pattern = Some(child),
            "default_parameter" => {
                pattern = child.child_by_field_name("name");
                default = child.child_by_field_name("value");
            }
            "typed_parameter" => {
                pattern = first_named(child);
                ty = child.child_by_field_name("type");
            }
            "typed_default_parameter" => {
                pattern = child.child_by_field_name("name");
                ty = child.child_by_field_name("type");
                default = child.child_by_field_name("value");
            }
            "list_splat_pattern" | "dictionary_splat_pattern" => pattern = Some(child),
            "keyword_separator" => {
                keyword = true;
                continue;
            }
            _ => continue,
        }
        let Some(mut name) = pattern else { continue };
        match name.kind() {
            "list_splat_pattern" => {
                kind = ParamKind::Rest;
                keyword = true;
                name = first_named(name).unwrap_or(name);
            }
            "dictionary_splat_pattern" => {
                kind = ParamKind::RestMap;
                name = first_named(name).unwrap_or(name);
            }
            _ => {}
        }
        let pattern = lower.expr(name);
        let ty = ty.map(|ty| lower.expr(ty));
        let default = default.map(|default| lower.expr(default));
        found.push(Param {
            pattern,
            ty,
            default,
            kind,
        });
    }
    found
}

fn class(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    decorated: Option<Node<'_>>,
    out: &mut Vec<StmtId>,
) {
    let superclasses = node.child_by_field_name("superclasses");
    let decorators = decorators(lower, decorated);
    let bases = superclasses
        .map(|bases| Python.arguments(lower, bases))
        .unwrap_or_default();
    let spans = definition_spans(lower, node, decorated, superclasses);
    let class = Class {
        name: name_of(lower, node),
        id: ustr(""),
        kind: ClassKind::Class,
        bases,
        decorators,
        body: BlockId::default(),
        exported: true,
    };
    let body = node.child_by_field_name("body");
    let index = lower.class(class, spans, |lower| match body {
        Some(body) => lower.block(body),
        None => lower.block_of(&[]),
    });
    lower.push_stmt(Stmt::Class(index), decorated.unwrap_or(node), out);
}

// ---- imports ----------------------------------------------------------------------------------

fn import(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let mut cursor = node.walk();
    let names: Vec<_> = node.children_by_field_name("name", &mut cursor).collect();
    for name in names {
        let (module, local) = match name.kind() {
            "aliased_import" => {
                let module = name.child_by_field_name("name");
                let alias = name.child_by_field_name("alias");
                match (module, alias) {
                    (Some(module), Some(alias)) => (lower.name(module), lower.name(alias)),
                    _ => continue,
                }
            }
            _ => (lower.name(name), lower.name(name)),
        };
        push_import(lower, name, module, Imported::Module, local, out);
    }
}

fn import_from(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let Some(module) = node.child_by_field_name("module_name") else {
        return;
    };
    let text: String = lower
        .text(module)
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    let module = ustr(&text);
    if named(node)
        .iter()
        .any(|child| child.kind() == "wildcard_import")
    {
        push_import(lower, node, module, Imported::Star, ustr(""), out);
        return;
    }
    let mut cursor = node.walk();
    let names: Vec<_> = node.children_by_field_name("name", &mut cursor).collect();
    for name in names {
        let (what, local) = match name.kind() {
            "aliased_import" => {
                match (
                    name.child_by_field_name("name"),
                    name.child_by_field_name("alias"),
                ) {
                    (Some(what), Some(alias)) => (lower.name(what), lower.name(alias)),
                    _ => continue,
                }
            }
            _ => (lower.name(name), lower.name(name)),
        };
        push_import(lower, name, module, Imported::Name(what), local, out);
    }
}

fn push_import(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    module: Ustr,
    what: Imported,
    local: Ustr,
    out: &mut Vec<StmtId>,
) {
    // Python's imports are re-exports as well: the name is an attribute of this module.
    let import = Import {
        module,
        what,
        local,
        reexport: true,
        type_only: false,
    };
    let index = lower.push_import(import);
    lower.push_stmt(Stmt::Import(index), node, out);
}
