//! The arguments of macros and attributes, which the grammar leaves as bare tokens.
//!
//! Nearly all of them are lists of simple values (literals, paths, calls, member chains), so those
//! are read from the tokens directly. Whatever is more than that (closures, blocks, operators,
//! patterns) is parsed again, in place, as the Rust that it most likely is. What is neither becomes
//! [`Expr::Unknown`], one argument at a time.

use tree_sitter::Node;
use ustr::ustr;

use super::macros::json;
use super::statements::{each, match_pattern};
use super::token_values::{build, is_generic_type, is_literal, is_segment, is_simple};
use super::{parts, positional};
use crate::facts::{Arg, ArgKind, Expr, ExprId, Language, StmtId};
use crate::lower::{Lowering, first_named, named};

pub(super) type Tokens<'s, 't> = &'s [Node<'t>];

/// The tokens between a token tree's brackets.
pub(super) fn inside<'t>(tree: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = tree.walk();
    let mut tokens: Vec<_> = tree
        .children(&mut cursor)
        .filter(|child| !child.is_extra())
        .collect();
    if !tokens.is_empty() {
        tokens.remove(0);
        tokens.pop();
    }
    tokens
}

/// The arguments in a token tree.
pub(super) fn arguments(lower: &mut Lowering<'_>, tree: Node<'_>) -> Vec<Arg> {
    lower
        .nested(|lower| {
            let tokens = inside(tree);
            list(lower, tree, &tokens)
        })
        .unwrap_or_default()
}

pub(super) fn pieces<'s, 't>(tokens: Tokens<'s, 't>) -> Vec<Tokens<'s, 't>> {
    tokens
        .split(|token| matches!(token.kind(), "," | ";"))
        .filter(|piece| !piece.is_empty())
        .collect()
}

fn list(lower: &mut Lowering<'_>, tree: Node<'_>, tokens: Tokens<'_, '_>) -> Vec<Arg> {
    if bracket(tree) == "{" && tokens.iter().any(|token| is_statement_like(*token)) {
        let block = part(lower, tokens, ("{", "}"), |lower, root| {
            Some(lower.expr(first_named(root)?))
        });
        let id = match block {
            Some(block) => block,
            None => unknown(lower, tokens),
        };
        return vec![positional(id)];
    }
    let pieces = pieces(tokens);
    let simple = pieces.iter().all(|piece| {
        let value = key_and_value(piece).map_or(*piece, |(_, value)| value);
        let value = without_sigil(value);
        is_simple(value) || is_dict(value)
    });
    if !simple
        && can_be_rust(tokens)
        && let Some(args) = parsed_list(lower, tokens)
    {
        return args;
    }
    pieces
        .into_iter()
        .map(|piece| argument(lower, piece))
        .collect()
}

/// Whether a token between braces says that statements or items stand there.
fn is_statement_like(token: Node<'_>) -> bool {
    let is_control = matches!(
        token.kind(),
        ";" | "for" | "if" | "let" | "loop" | "match" | "return" | "while" | "yield"
    );
    starts_item(token) || is_control
}

pub(super) fn starts_item(token: Node<'_>) -> bool {
    matches!(
        token.kind(),
        "const" | "enum" | "fn" | "impl" | "mod" | "pub" | "static" | "struct" | "trait" | "use"
    )
}

/// Whether tokens can be expressions at all. A parse that fails is slow, and most macros of one's own
/// have a syntax of their own.
fn can_be_rust(tokens: Tokens<'_, '_>) -> bool {
    let is_foreign = |token: &Node<'_>| {
        matches!(
            token.kind(),
            "#" | "$"
                | "=>"
                | "@"
                | "enum"
                | "fn"
                | "impl"
                | "mod"
                | "pub"
                | "static"
                | "struct"
                | "trait"
                | "type"
                | "use"
                | "where"
        )
    };
    let is_word = |token: Node<'_>| is_segment(token) || is_literal(token);
    let is_sigil = |token: Node<'_>| matches!(token.kind(), "%" | "?");
    let clash = |a: Node<'_>, b: Node<'_>| {
        (is_word(a) && is_word(b)) || (matches!(a.kind(), "=" | ",") && is_sigil(b))
    };
    !tokens.iter().any(is_foreign)
        && !tokens.first().is_some_and(|first| is_sigil(*first))
        && !tokens
            .windows(2)
            .any(|pair| matches!(pair, [a, b] if clash(*a, *b)))
}

/// Whether this is an object of the kind that `json!` takes.
fn is_dict(tokens: Tokens<'_, '_>) -> bool {
    matches!(tokens, [tree] if bracket(*tree) == "{"
        && inside(*tree).get(1).is_some_and(|token| token.kind() == ":"))
}

/// The opening bracket of a token tree; nothing for other tokens.
pub(super) fn bracket(tree: Node<'_>) -> &'static str {
    match tree.child(0).map_or("", |first| first.kind()) {
        _ if tree.kind() != "token_tree" => "",
        "(" => "(",
        "[" => "[",
        "{" => "{",
        _ => "",
    }
}

/// `name = value`, and the `target: value` of logging macros.
fn key_and_value<'s, 't>(piece: Tokens<'s, 't>) -> Option<(Tokens<'s, 't>, Tokens<'s, 't>)> {
    let (key, value) = match piece {
        [name, colon, value @ ..] if colon.kind() == ":" && name.kind() == "identifier" => {
            (std::slice::from_ref(name), value)
        }
        _ => at_equals(piece)?,
    };
    let is_key = match key {
        [single] if is_literal(*single) => true,
        _ => key.iter().all(|token| {
            matches!(token.kind(), "." | "::" | "-")
                || token.kind() != "token_tree"
                    && token.kind().chars().all(|c| c.is_alphabetic() || c == '_')
        }),
    };
    (is_key && !value.is_empty()).then_some((key, value))
}

/// What stands before and behind the first `=`.
pub(super) fn at_equals<'s, 't>(piece: Tokens<'s, 't>) -> Option<(Tokens<'s, 't>, Tokens<'s, 't>)> {
    let at = piece.iter().position(|token| token.kind() == "=")?;
    let (key, value) = piece.split_at(at);
    let (_, value) = value.split_first()?;
    (!key.is_empty() && !value.is_empty()).then_some((key, value))
}

/// Without the sign that says how tracing's macros show a value.
fn without_sigil<'s, 't>(tokens: Tokens<'s, 't>) -> Tokens<'s, 't> {
    match tokens.split_first() {
        Some((first, rest)) if matches!(first.kind(), "%" | "?") => rest,
        _ => tokens,
    }
}

fn argument(lower: &mut Lowering<'_>, piece: Tokens<'_, '_>) -> Arg {
    let Some((key, value_tokens)) = key_and_value(piece) else {
        return positional(value(lower, piece));
    };
    let kind = match key {
        [single] if is_literal(*single) => ArgKind::Keyed(lower.expr(*single)),
        _ => ArgKind::Named(ustr(text_of(lower, key))),
    };
    let value = value(lower, value_tokens);
    Arg { kind, value }
}

fn text_of<'a>(lower: &Lowering<'a>, tokens: Tokens<'_, '_>) -> &'a str {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => lower
            .text
            .get(first.start_byte()..last.end_byte())
            .unwrap_or_default(),
        _ => "",
    }
}

/// Any value: simple tokens, or Rust that is parsed again.
pub(super) fn value(lower: &mut Lowering<'_>, tokens: Tokens<'_, '_>) -> ExprId {
    let tokens = without_sigil(tokens);
    let known = lower.nested(|lower| {
        if is_simple(tokens) {
            return build(lower, tokens);
        }
        if is_dict(tokens) {
            return Some(json(lower, tokens));
        }
        if is_generic_type(tokens) {
            return part(lower, tokens, ("type X=", ";"), |lower, root| {
                Some(lower.expr(first_named(root)?.child_by_field_name("type")?))
            });
        }
        if !can_be_rust(tokens) {
            return None;
        }
        part(lower, tokens, ("(", ");"), |lower, root| {
            Some(lower.expr(first_named(first_named(root)?)?))
        })
    });
    match known.flatten() {
        Some(id) => id,
        None => unknown(lower, tokens),
    }
}

pub(super) fn unknown(lower: &mut Lowering<'_>, tokens: Tokens<'_, '_>) -> ExprId {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => lower.push_between(Expr::Unknown, *first, *last),
        // Nobody asks for the value of no tokens; a null stands anywhere.
        _ => lower.push_nowhere(Expr::Unknown),
    }
}

// ---- parsed again -----------------------------------------------------------------------------

pub(super) fn part<T>(
    lower: &mut Lowering<'_>,
    tokens: Tokens<'_, '_>,
    around: (&str, &str),
    go: impl FnOnce(&mut Lowering<'_>, Node<'_>) -> Option<T>,
) -> Option<T> {
    let range = tokens.first()?.start_byte()..tokens.last()?.end_byte();
    lower.part(Language::Rust, range, around, go)
}

/// All arguments as those of a call.
fn parsed_list(lower: &mut Lowering<'_>, tokens: Tokens<'_, '_>) -> Option<Vec<Arg>> {
    part(lower, tokens, ("f(", ");"), |lower, root| {
        let call = first_named(first_named(root)?)?;
        let arguments = call.child_by_field_name("arguments")?;
        let args = parts(arguments)
            .into_iter()
            .map(|part| parsed_argument(lower, part));
        Some(args.collect())
    })
}

fn parsed_argument(lower: &mut Lowering<'_>, node: Node<'_>) -> Arg {
    let (key, value) = match node.kind() {
        "assignment_expression" => (
            node.child_by_field_name("left"),
            node.child_by_field_name("right").unwrap_or(node),
        ),
        _ => (None, node),
    };
    let kind = match key {
        None => ArgKind::Positional,
        Some(key) if is_literal(key) => ArgKind::Keyed(lower.expr(key)),
        Some(key) => ArgKind::Named(lower.name(key)),
    };
    let value = lower.expr(value);
    Arg { kind, value }
}

/// A pattern and its guard.
pub(super) fn pattern(
    lower: &mut Lowering<'_>,
    tokens: Tokens<'_, '_>,
) -> (ExprId, Option<ExprId>) {
    if let [single] = tokens
        && single.kind() == "identifier"
    {
        return (lower.expr(*single), None);
    }
    let parsed = part(lower, tokens, ("match x{", "=>{}}"), |lower, root| {
        let expression = first_named(first_named(root)?)?;
        let arm = first_named(expression.child_by_field_name("body")?)?;
        Some(match_pattern(lower, arm.child_by_field_name("pattern")?))
    });
    parsed.unwrap_or_else(|| (unknown(lower, tokens), None))
}

/// The statements of a macro that holds a block. `end` closes what the last statement leaves open.
pub(super) fn statements(
    lower: &mut Lowering<'_>,
    tree: Node<'_>,
    value: bool,
    end: &str,
    out: &mut Vec<StmtId>,
) {
    block_of(lower, &inside(tree), value, end, out);
}

pub(super) fn block_of(
    lower: &mut Lowering<'_>,
    tokens: Tokens<'_, '_>,
    value: bool,
    end: &str,
    out: &mut Vec<StmtId>,
) {
    part(lower, tokens, ("{", end), |lower, root| {
        let statement = first_named(root)?;
        let block = match statement.kind() {
            "block" => statement,
            _ => first_named(statement).filter(|inner| inner.kind() == "block")?,
        };
        lower.nested(|lower| each(lower, &named(block), value, false, out))
    });
}
