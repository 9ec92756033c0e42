//! Simple values, read from bare tokens: literals, paths, calls, member chains.

use tree_sitter::Node;
use ustr::ustr;

use super::macros::expand;
use super::tokens::{Tokens, arguments, bracket, inside, value};
use crate::facts::{Arg, ArgKind, Expr, ExprId};
use crate::lower::Lowering;

pub(super) fn is_literal(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "string_literal"
            | "raw_string_literal"
            | "char_literal"
            | "boolean_literal"
            | "integer_literal"
            | "float_literal"
    )
}

/// Whether a token can be a path's segment; some words are keywords only in their places.
pub(super) fn is_segment(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "identifier"
            | "self"
            | "super"
            | "crate"
            | "primitive_type"
            | "metavariable"
            | "default"
            | "union"
            | "gen"
    )
}

fn is_prefix(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "&" | "&&" | "*" | "!" | "-" | "mutable_specifier"
    )
}

/// How many tokens the path at the start takes.
fn path_len(tokens: Tokens<'_, '_>) -> usize {
    let mut len = usize::from(tokens.first().is_some_and(|token| token.kind() == "::"));
    loop {
        match tokens.get(len) {
            Some(token) if is_segment(*token) => len += 1,
            _ => return 0,
        }
        match (tokens.get(len), tokens.get(len + 1)) {
            (Some(colons), Some(next)) if colons.kind() == "::" && is_segment(*next) => len += 1,
            _ => return len,
        }
    }
}

/// `Vec<User>`, as the macros that describe an interface take it.
pub(super) fn is_generic_type(tokens: Tokens<'_, '_>) -> bool {
    let rest = tokens.get(path_len(tokens)..).unwrap_or_default();
    matches!((rest.first(), rest.last()), (Some(open), Some(close))
        if open.kind() == "<" && matches!(close.kind(), ">" | ">>"))
}

/// Whether [`build`] understands these tokens to their end.
pub(super) fn is_simple(tokens: Tokens<'_, '_>) -> bool {
    let start = tokens.iter().take_while(|token| is_prefix(**token)).count();
    if start > 8 {
        return false;
    }
    let (_, mut rest) = tokens.split_at(start);
    let len = path_len(rest);
    if len > 0 {
        rest = rest.split_at(len).1;
        if let [bang, tree, tail @ ..] = rest
            && bang.kind() == "!"
            && tree.kind() == "token_tree"
        {
            rest = tail;
        }
    } else {
        match rest.split_first() {
            Some((first, tail))
                if is_literal(*first)
                    || first.kind() == "_"
                    || matches!(bracket(*first), "(" | "[") =>
            {
                rest = tail;
            }
            _ => return false,
        }
    }
    loop {
        rest = match rest {
            [] => return true,
            [dot, name, tail @ ..] if dot.kind() == "." && is_member(*name) => tail,
            [tree, tail @ ..] if matches!(bracket(*tree), "(" | "[") => tail,
            [question, tail @ ..] if question.kind() == "?" => tail,
            _ => return false,
        };
    }
}

fn is_member(node: Node<'_>) -> bool {
    matches!(node.kind(), "identifier" | "integer_literal" | "await")
}

/// Builds a simple value from its tokens.
pub(super) fn build(lower: &mut Lowering<'_>, tokens: Tokens<'_, '_>) -> Option<ExprId> {
    let start = tokens.iter().take_while(|token| is_prefix(**token)).count();
    let (prefix, rest) = tokens.split_at(start);
    let last = *tokens.last()?;
    let mut id = chain(lower, rest)?;
    for sign in prefix.iter().rev() {
        id = match sign.kind() {
            "!" => lower.push_between(Expr::Not(id), *sign, last),
            "-" => lower.push_between(Expr::Unary(id), *sign, last),
            _ => id,
        };
    }
    Some(id)
}

fn chain(lower: &mut Lowering<'_>, tokens: Tokens<'_, '_>) -> Option<ExprId> {
    let first = *tokens.first()?;
    let len = path_len(tokens);
    let (mut id, mut rest);
    if len > 0 {
        let (path, tail) = tokens.split_at(len);
        let segments: Vec<_> = path
            .iter()
            .copied()
            .filter(|token| token.kind() != "::")
            .collect();
        match tail {
            [bang, tree, tail @ ..] if bang.kind() == "!" && tree.kind() == "token_tree" => {
                let expr = expand(lower, &segments, *tree);
                id = lower.push_between(expr, first, *tree);
                rest = tail;
            }
            _ => {
                id = path_expr(lower, &segments, "")?;
                rest = tail;
            }
        }
    } else {
        rest = tokens.split_first()?.1;
        id = match bracket(first) {
            "(" => tuple(lower, first),
            "[" => {
                let args = arguments(lower, first);
                let args = lower.push_args(&args);
                lower.push(Expr::List(args), first)
            }
            _ => lower.expr(first),
        };
    }
    // The links count as those of any other chain do: facts nest only so deep.
    for _ in 0..200 {
        let (expr, last, tail) = match rest {
            [dot, name, tail @ ..] if dot.kind() == "." => {
                let expr = match name.kind() {
                    "await" => Expr::Await(id),
                    _ => Expr::Attr {
                        base: id,
                        name: lower.name(*name),
                    },
                };
                (expr, *name, tail)
            }
            [tree, tail @ ..] if bracket(*tree) == "(" => {
                let args = arguments(lower, *tree);
                let args = lower.push_args(&args);
                (Expr::Call { callee: id, args }, *tree, tail)
            }
            [tree, tail @ ..] if bracket(*tree) == "[" => {
                let index = value(lower, &inside(*tree));
                (Expr::Index { base: id, index }, *tree, tail)
            }
            [question, tail @ ..] if question.kind() == "?" => (Expr::Try(id), *question, tail),
            _ => return Some(id),
        };
        id = lower.push_between(expr, first, last);
        rest = tail;
    }
    None
}

/// `()`, `(value)` or a tuple.
fn tuple(lower: &mut Lowering<'_>, tree: Node<'_>) -> ExprId {
    let tokens = inside(tree);
    if tokens.is_empty() {
        return lower.push(Expr::Null, tree);
    }
    let args = arguments(lower, tree);
    match args.as_slice() {
        [
            Arg {
                kind: ArgKind::Positional,
                value,
            },
        ] if !tokens.iter().any(|token| token.kind() == ",") => *value,
        _ => {
            let args = lower.push_args(&args);
            lower.push(Expr::Tuple(args), tree)
        }
    }
}

/// A path; `bang` is added to its last name.
pub(super) fn path_expr(
    lower: &mut Lowering<'_>,
    segments: Tokens<'_, '_>,
    bang: &str,
) -> Option<ExprId> {
    let (first, rest) = segments.split_first()?;
    let name = |lower: &Lowering<'_>, node: Node<'_>, is_last: bool| {
        if is_last && !bang.is_empty() {
            ustr(&format!("{}{bang}", lower.text(node)))
        } else {
            lower.name(node)
        }
    };
    let text = name(lower, *first, rest.is_empty());
    let mut id = lower.push(Expr::Name(text), *first);
    for (index, segment) in rest.iter().enumerate() {
        let name = name(lower, *segment, index + 1 == rest.len());
        id = lower.push_between(Expr::Attr { base: id, name }, *first, *segment);
    }
    Some(id)
}
