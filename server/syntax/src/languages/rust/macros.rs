//! Macro calls: what well-known macros do with their arguments.

use tree_sitter::Node;
use ustr::ustr;

use super::expressions::literal_text;
use super::positional;
use super::statements::each;
use super::token_values::path_expr;
use super::tokens::{
    Tokens, arguments, at_equals, block_of, bracket, inside, part, pattern, pieces, starts_item,
    statements, unknown, value,
};
use crate::facts::{Arg, ArgKind, Arm, Expr, ExprId, Operator, Stmt, StmtId};
use crate::lower::{Lowering, first_named, named};

/// A macro call as an expression.
pub(super) fn invocation(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    match call_of(node) {
        Some((segments, tree)) => expand(lower, &segments, tree),
        None => Expr::Unknown,
    }
}

/// The path and the tokens of a macro call.
fn call_of<'t>(node: Node<'t>) -> Option<(Vec<Node<'t>>, Node<'t>)> {
    let tree = super::child_of_kind(node, "token_tree")?;
    let mut at = node.child_by_field_name("macro")?;
    let mut segments = Vec::new();
    while at.kind() == "scoped_identifier" {
        segments.push(at.child_by_field_name("name")?);
        match at.child_by_field_name("path") {
            Some(path) => at = path,
            None => {
                segments.reverse();
                return Some((segments, tree));
            }
        }
    }
    segments.push(at);
    segments.reverse();
    Some((segments, tree))
}

/// A macro call in a statement's place.
pub(super) fn macro_statement(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    value: bool,
    out: &mut Vec<StmtId>,
) {
    let Some((segments, tree)) = call_of(node) else {
        return lower.expression_statement(node, out);
    };
    match segments.last().map_or("", |last| lower.text(*last)) {
        "assert" | "debug_assert" => {
            let args = arguments(lower, tree);
            if let Some(test) = args.first() {
                lower.push_stmt(Stmt::Assert(test.value), node, out);
            }
        }
        name @ ("assert_eq" | "assert_ne" | "debug_assert_eq" | "debug_assert_ne") => {
            let args = arguments(lower, tree);
            if let [left, right, ..] = args.as_slice() {
                let op = if name.ends_with("eq") {
                    Operator::Eq
                } else {
                    Operator::Ne
                };
                let test = Expr::Binary {
                    op,
                    left: left.value,
                    right: right.value,
                };
                let test = lower.push(test, tree);
                lower.push_stmt(Stmt::Assert(test), node, out);
            }
        }
        // Declarations that only need a macro's help.
        "lazy_static" | "thread_local" | "task_local" => {
            statements(lower, tree, false, ";}", out);
        }
        "cfg_if" => cfg_if(lower, tree, value, out),
        "select" => select(lower, tree, value, out),
        _ if items(lower, tree, out) => {}
        _ => {
            let id = lower.expr(node);
            let statement = if value {
                Stmt::Tail(id)
            } else {
                Stmt::Expr(id)
            };
            lower.push_stmt(statement, node, out);
        }
    }
}

/// The items of a macro that holds nothing else (`pin_project! { struct … }`, `cfg_unix! { mod a; }`):
/// they are defined where the macro stands. `false` if it holds anything else.
fn items(lower: &mut Lowering<'_>, tree: Node<'_>, out: &mut Vec<StmtId>) -> bool {
    let tokens = inside(tree);
    if bracket(tree) != "{" || !tokens.iter().any(|token| starts_item(*token)) {
        return false;
    }
    part(lower, &tokens, ("{", "}"), |lower, root| {
        let block = match first_named(root)? {
            block if block.kind() == "block" => block,
            statement => first_named(statement)?,
        };
        let nodes = named(block);
        let only_items = nodes.iter().all(|node| {
            let kind = node.kind();
            node.is_extra()
                || kind.ends_with("_item")
                || matches!(kind, "use_declaration" | "empty_statement")
        });
        if !only_items {
            return None;
        }
        lower.nested(|lower| each(lower, &nodes, false, false, out))
    })
    .is_some()
}

/// Macros whose tokens are another language, or code for another place.
const OPAQUE: &[&str] = &["asm", "global_asm", "parse_quote", "quote", "quote_spanned"];

/// Macros whose first string holds names of variables.
const FORMATTING: &[&str] = &[
    "anyhow",
    "bail",
    "debug",
    "ensure",
    "eprint",
    "eprintln",
    "error",
    "event",
    "eyre",
    "info",
    "log",
    "panic",
    "print",
    "println",
    "todo",
    "trace",
    "unimplemented",
    "unreachable",
    "warn",
    "write",
    "writeln",
];

pub(super) fn expand(lower: &mut Lowering<'_>, segments: Tokens<'_, '_>, tree: Node<'_>) -> Expr {
    let name = segments.last().map_or("", |last| lower.text(*last));
    match name {
        "format" | "format_args" => {
            let args = arguments(lower, tree);
            return match format_string(tree) {
                Some(literal) => template(lower, literal, args.get(1..).unwrap_or_default()),
                None => parts_of(lower, &args),
            };
        }
        "concat" => {
            let args = arguments(lower, tree);
            return parts_of(lower, &args);
        }
        "vec" | "smallvec" => {
            let mut args = arguments(lower, tree);
            if inside(tree).iter().any(|token| token.kind() == ";") {
                // `vec![value; count]`
                args.truncate(1);
            }
            return Expr::List(lower.push_args(&args));
        }
        "json" => {
            let id = json(lower, &inside(tree));
            return lower.get(id);
        }
        "matches" => return matches_macro(lower, tree),
        "select" | "cfg_if" | "lazy_static" | "thread_local" | "task_local" => {
            let mut inner = Vec::new();
            match name {
                "select" => select(lower, tree, true, &mut inner),
                "cfg_if" => cfg_if(lower, tree, true, &mut inner),
                _ => statements(lower, tree, false, ";}", &mut inner),
            }
            return Expr::Block(lower.block_of(&inner));
        }
        _ => {}
    }
    let Some(callee) = path_expr(lower, segments, "!") else {
        return Expr::Unknown;
    };
    if OPAQUE.contains(&name) {
        let args = [positional(lower.push(Expr::Unknown, tree))];
        let args = lower.push_args(&args);
        return Expr::Call { callee, args };
    }
    let mut args = arguments(lower, tree);
    if FORMATTING.contains(&name) {
        inline_names(lower, tree, &mut args);
    }
    let args = lower.push_args(&args);
    Expr::Call { callee, args }
}

/// The first argument of a formatting macro, if it is a literal.
fn format_string<'t>(tree: Node<'t>) -> Option<Node<'t>> {
    let tokens = inside(tree);
    match tokens.as_slice() {
        [first] => Some(*first),
        [first, comma, ..] if comma.kind() == "," => Some(*first),
        _ => None,
    }
    .filter(|first| matches!(first.kind(), "string_literal" | "raw_string_literal"))
}

/// Strings one after another.
fn parts_of(lower: &mut Lowering<'_>, args: &[Arg]) -> Expr {
    let parts: Vec<_> = args.iter().map(|arg| arg.value).collect();
    Expr::Template(lower.push_parts(&parts))
}

/// Makes a template of a message that names variables (`"no such user {id}"`).
fn inline_names(lower: &mut Lowering<'_>, tree: Node<'_>, args: &mut [Arg]) {
    let tokens = inside(tree);
    let pieces = pieces(&tokens);
    if pieces.len() != args.len() {
        return;
    }
    let is_string = |piece: &Tokens<'_, '_>| match piece {
        [single] => matches!(single.kind(), "string_literal" | "raw_string_literal"),
        _ => false,
    };
    let Some(at) = pieces.iter().position(is_string) else {
        return;
    };
    let literal = pieces.get(at).and_then(|piece| piece.first()).copied();
    let (_, rest) = args.split_at_mut(at);
    if let (Some(literal), Some((arg, rest))) = (literal, rest.split_first_mut()) {
        let has_names = placeholders(&literal_text(lower, literal))
            .iter()
            .any(|part| matches!(part, Part::Named(_)));
        if has_names {
            let expr = template(lower, literal, rest);
            arg.value = lower.push(expr, literal);
        }
    }
}

/// A part of a format string.
enum Part {
    Text(String),
    Next,
    Nth(usize),
    Named(String),
}

fn placeholders(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let tail = rest.get(first.len_utf8()..).unwrap_or_default();
        if matches!(first, '{' | '}') && tail.starts_with(first) {
            plain.push(first);
            rest = tail.get(1..).unwrap_or_default();
            continue;
        }
        let end = tail.find('}').filter(|_| first == '{');
        let Some(end) = end else {
            plain.push(first);
            rest = tail;
            continue;
        };
        let (inner, after) = tail.split_at(end);
        let name = inner.split(':').next().unwrap_or_default().trim();
        if !plain.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut plain)));
        }
        parts.push(match (name, name.parse()) {
            ("", _) => Part::Next,
            (_, Ok(index)) => Part::Nth(index),
            _ => Part::Named(name.to_owned()),
        });
        rest = after.get(1..).unwrap_or_default();
    }
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    parts
}

/// A format string with its arguments in their places.
fn template(lower: &mut Lowering<'_>, literal: Node<'_>, args: &[Arg]) -> Expr {
    let text = literal_text(lower, literal);
    let found = placeholders(&text);
    if let [Part::Text(text)] = found.as_slice() {
        return Expr::Str(lower.string(text));
    }
    let mut parts = Vec::new();
    let mut next = 0;
    for part in found {
        let id = match part {
            Part::Text(text) => {
                let text = lower.string(&text);
                lower.push(Expr::Str(text), literal)
            }
            Part::Next => {
                next += 1;
                nth(lower, literal, args, next - 1)
            }
            Part::Nth(index) => nth(lower, literal, args, index),
            Part::Named(name) => {
                let name = ustr(&name);
                let given = args.iter().find(|arg| arg.kind == ArgKind::Named(name));
                match given {
                    Some(arg) => arg.value,
                    None => lower.push(Expr::Name(name), literal),
                }
            }
        };
        parts.push(id);
    }
    Expr::Template(lower.push_parts(&parts))
}

fn nth(lower: &mut Lowering<'_>, literal: Node<'_>, args: &[Arg], index: usize) -> ExprId {
    match args.get(index) {
        Some(arg) => arg.value,
        None => lower.push(Expr::Unknown, literal),
    }
}

/// `json!`: an object as a dict, all else as a value.
pub(super) fn json(lower: &mut Lowering<'_>, tokens: Tokens<'_, '_>) -> ExprId {
    let [single] = tokens else {
        return value(lower, tokens);
    };
    let known = lower.nested(|lower| match bracket(*single) {
        "{" => {
            let inside = inside(*single);
            let mut args = Vec::new();
            for piece in pieces(&inside) {
                let Some(at) = piece.iter().position(|token| token.kind() == ":") else {
                    continue;
                };
                let (key, rest) = piece.split_at(at);
                let kind = match key {
                    [literal] if literal.kind() == "string_literal" => {
                        ArgKind::Named(ustr(&literal_text(lower, *literal)))
                    }
                    _ => ArgKind::Keyed(value(lower, key)),
                };
                let value = json(lower, rest.get(1..).unwrap_or_default());
                args.push(Arg { kind, value });
            }
            let args = lower.push_args(&args);
            lower.push(Expr::Dict(args), *single)
        }
        "[" => {
            let inside = inside(*single);
            let args: Vec<Arg> = pieces(&inside)
                .into_iter()
                .map(|piece| positional(json(lower, piece)))
                .collect();
            let args = lower.push_args(&args);
            lower.push(Expr::List(args), *single)
        }
        _ if lower.text(*single) == "null" => lower.push(Expr::Null, *single),
        _ => value(lower, tokens),
    });
    match known {
        Some(id) => id,
        None => unknown(lower, tokens),
    }
}

/// `matches!(value, pattern if guard)`.
fn matches_macro(lower: &mut Lowering<'_>, tree: Node<'_>) -> Expr {
    let tokens = inside(tree);
    let Some(at) = tokens.iter().position(|token| token.kind() == ",") else {
        return Expr::Unknown;
    };
    let (subject, rest) = tokens.split_at(at);
    let mut pattern_tokens = rest.get(1..).unwrap_or_default();
    while let [start @ .., last] = pattern_tokens
        && last.kind() == ","
    {
        pattern_tokens = start;
    }
    let value = value(lower, subject);
    let (pattern, guard) = pattern(lower, pattern_tokens);
    let bind = Expr::Bind { pattern, value };
    match guard {
        None => bind,
        Some(right) => Expr::Binary {
            op: Operator::And,
            left: lower.push(bind, tree),
            right,
        },
    }
}

/// `select!`: each branch waits for a future and runs when it is the first. It is a match whose
/// patterns bind what the futures give.
fn select(lower: &mut Lowering<'_>, tree: Node<'_>, value: bool, out: &mut Vec<StmtId>) {
    let tokens = inside(tree);
    let mut rest = tokens.as_slice();
    let mut arms = Vec::new();
    let subject = lower.push(Expr::Unknown, tree);
    if let [biased, semicolon, tail @ ..] = rest
        && biased.kind() == "identifier"
        && semicolon.kind() == ";"
    {
        rest = tail;
    }
    while let Some(at) = rest.iter().position(|token| token.kind() == "=>") {
        let (head, tail) = rest.split_at(at);
        let tail = tail.get(1..).unwrap_or_default();
        let (pattern, guard) = select_head(lower, head);
        let mut inner = Vec::new();
        match tail.split_first() {
            Some((block, tail)) if bracket(*block) == "{" => {
                statements(lower, *block, value, "}", &mut inner);
                rest = tail;
            }
            _ => {
                let end = tail
                    .iter()
                    .position(|token| token.kind() == ",")
                    .unwrap_or(tail.len());
                let (body, tail) = tail.split_at(end);
                block_of(lower, body, value, "}", &mut inner);
                rest = tail;
            }
        }
        if let [comma, tail @ ..] = rest
            && comma.kind() == ","
        {
            rest = tail;
        }
        let body = lower.block_of(&inner);
        arms.push(Arm {
            pattern,
            guard,
            body,
        });
    }
    let arms = lower.push_arms(&arms);
    lower.push_stmt(Stmt::Match { subject, arms }, tree, out);
}

/// `pattern = future, if condition`, or `else`.
fn select_head(lower: &mut Lowering<'_>, head: Tokens<'_, '_>) -> (ExprId, Option<ExprId>) {
    let Some((pattern_tokens, rest)) = at_equals(head) else {
        return (unknown(lower, head), None);
    };
    let mut future = rest;
    let mut guard = None;
    if let Some(at) = rest.windows(2).position(
        |pair| matches!(pair, [comma, word] if comma.kind() == "," && word.kind() == "if"),
    ) {
        let (before, condition) = rest.split_at(at);
        future = before;
        let condition = condition.get(2..).unwrap_or_default();
        guard = Some(value(lower, condition));
    }
    let value = value(lower, future);
    let (pattern, _) = pattern(lower, pattern_tokens);
    let bind = Expr::Bind { pattern, value };
    let bind = match (head.first(), head.last()) {
        (Some(first), Some(last)) => lower.push_between(bind, *first, *last),
        _ => pattern,
    };
    (bind, guard)
}

/// `cfg_if!`: all alternatives one after another, since any of them may be compiled; those of tests
/// never are.
fn cfg_if(lower: &mut Lowering<'_>, tree: Node<'_>, value: bool, out: &mut Vec<StmtId>) {
    let mut for_tests = false;
    for token in inside(tree) {
        match bracket(token) {
            "[" => {
                if let [name, condition] = inside(token).as_slice() {
                    for_tests = lower.text(*name) == "cfg"
                        && super::attributes::needs_test(lower.text, *condition, 0);
                }
            }
            "{" => {
                if !for_tests {
                    statements(lower, token, value, "}", out);
                }
                for_tests = false;
            }
            _ => {}
        }
    }
}
