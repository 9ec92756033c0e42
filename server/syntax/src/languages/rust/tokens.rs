//! The arguments of macros and attributes, which the grammar leaves as bare tokens.
//!
//! Nearly all of them are lists of simple values (literals, paths, calls, member chains), so those
//! are read from the tokens directly. Whatever is more than that (closures, blocks, operators,
//! patterns) is parsed again, in place, as the Rust that it most likely is. What is neither becomes
//! [`Expr::Unknown`], one argument at a time.

use tree_sitter::Node;
use ustr::ustr;

use super::{each, literal_text, match_pattern, parts, positional};
use crate::facts::{Arg, ArgKind, Arm, Expr, ExprId, Language, Operator, Stmt, StmtId};
use crate::lower::{Lowering, first_named, named};

type Tokens<'s, 't> = &'s [Node<'t>];

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

fn pieces<'s, 't>(tokens: Tokens<'s, 't>) -> Vec<Tokens<'s, 't>> {
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

fn starts_item(token: Node<'_>) -> bool {
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
fn bracket(tree: Node<'_>) -> &'static str {
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
fn at_equals<'s, 't>(piece: Tokens<'s, 't>) -> Option<(Tokens<'s, 't>, Tokens<'s, 't>)> {
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
fn value(lower: &mut Lowering<'_>, tokens: Tokens<'_, '_>) -> ExprId {
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

fn unknown(lower: &mut Lowering<'_>, tokens: Tokens<'_, '_>) -> ExprId {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => lower.push_between(Expr::Unknown, *first, *last),
        // Nobody asks for the value of no tokens; a null stands anywhere.
        _ => lower.push_nowhere(Expr::Unknown),
    }
}

// ---- parsed again -----------------------------------------------------------------------------

fn part<T>(
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
fn pattern(lower: &mut Lowering<'_>, tokens: Tokens<'_, '_>) -> (ExprId, Option<ExprId>) {
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
fn statements(
    lower: &mut Lowering<'_>,
    tree: Node<'_>,
    value: bool,
    end: &str,
    out: &mut Vec<StmtId>,
) {
    block_of(lower, &inside(tree), value, end, out);
}

fn block_of(
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

// ---- simple values ----------------------------------------------------------------------------

fn is_literal(node: Node<'_>) -> bool {
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
fn is_segment(node: Node<'_>) -> bool {
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
fn is_generic_type(tokens: Tokens<'_, '_>) -> bool {
    let rest = tokens.get(path_len(tokens)..).unwrap_or_default();
    matches!((rest.first(), rest.last()), (Some(open), Some(close))
        if open.kind() == "<" && matches!(close.kind(), ">" | ">>"))
}

/// Whether [`build`] understands these tokens to their end.
fn is_simple(tokens: Tokens<'_, '_>) -> bool {
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
fn build(lower: &mut Lowering<'_>, tokens: Tokens<'_, '_>) -> Option<ExprId> {
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
fn path_expr(lower: &mut Lowering<'_>, segments: Tokens<'_, '_>, bang: &str) -> Option<ExprId> {
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

// ---- macros -----------------------------------------------------------------------------------

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

fn expand(lower: &mut Lowering<'_>, segments: Tokens<'_, '_>, tree: Node<'_>) -> Expr {
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
fn json(lower: &mut Lowering<'_>, tokens: Tokens<'_, '_>) -> ExprId {
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
                    for_tests =
                        lower.text(*name) == "cfg" && super::needs_test(lower.text, *condition, 0);
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
