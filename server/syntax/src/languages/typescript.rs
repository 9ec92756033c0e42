//! What TypeScript and JavaScript, with and without JSX, need beside `queries/typescript/facts.scm`.

use tree_sitter::Node;
use ustr::{Ustr, ustr};

use crate::facts::{
    Arg, ArgKind, Arm, BlockId, Class, ClassKind, Expr, ExprId, Function, Handler, Import,
    Imported, Mark, Marked, Operator, Param, ParamKind, Run, Stmt, StmtId,
};
use crate::lower::{Adapter, Lowering, first_named, named};
use crate::spans::{DefinitionSpans, Span};

/// The adapter of TypeScript and JavaScript.
pub(super) struct TypeScript;

impl Adapter for TypeScript {
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

// ---- small things -----------------------------------------------------------------------------

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

// ---- literals ---------------------------------------------------------------------------------

/// The text of a string, or of a template's constant part.
fn string_text(lower: &Lowering<'_>, node: Node<'_>) -> String {
    let mut text = String::new();
    for part in named(node) {
        match part.kind() {
            "escape_sequence" => unescape(lower.text(part), &mut text),
            "template_substitution" => {}
            _ => text.push_str(lower.text(part)),
        }
    }
    text
}

/// Appends what an escape sequence stands for.
fn unescape(escape: &str, out: &mut String) {
    let body = escape.strip_prefix('\\').unwrap_or(escape);
    let hex = |digits: &str| {
        u32::from_str_radix(digits, 16)
            .ok()
            .and_then(char::from_u32)
    };
    let mut chars = body.chars();
    match chars.next() {
        Some('n') => out.push('\n'),
        Some('t') => out.push('\t'),
        Some('r') => out.push('\r'),
        Some('b') => out.push('\u{8}'),
        Some('f') => out.push('\u{c}'),
        Some('v') => out.push('\u{b}'),
        Some('0') if body.len() == 1 => out.push('\0'),
        // A line continuation.
        Some('\n' | '\r' | '\u{2028}' | '\u{2029}') => {}
        Some('x' | 'u') => {
            let digits = chars.as_str().trim_matches(['{', '}']);
            match hex(digits) {
                Some(char) => out.push(char),
                None => out.push_str(escape),
            }
        }
        Some(_) => out.push_str(body),
        None => {}
    }
}

/// The text of a template without substitutions.
fn plain_template(lower: &Lowering<'_>, node: Node<'_>) -> Option<String> {
    let constant = !named(node)
        .iter()
        .any(|part| part.kind() == "template_substitution");
    constant.then(|| string_text(lower, node))
}

fn template(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    if let Some(text) = plain_template(lower, node) {
        return Expr::Str(lower.string(&text));
    }
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut first: Option<Node<'_>> = None;
    for part in named(node) {
        match part.kind() {
            "template_substitution" => {
                if let Some(start) = first.take() {
                    let string = lower.string(&text);
                    parts.push(lower.push(Expr::Str(string), start));
                    text.clear();
                }
                parts.push(lower.expr(part));
            }
            "escape_sequence" => {
                unescape(lower.text(part), &mut text);
                first = first.or(Some(part));
            }
            _ => {
                text.push_str(lower.text(part));
                first = first.or(Some(part));
            }
        }
    }
    if let Some(start) = first {
        let string = lower.string(&text);
        parts.push(lower.push(Expr::Str(string), start));
    }
    Expr::Template(lower.push_parts(&parts))
}

/// An argument or element.
fn element(lower: &mut Lowering<'_>, node: Node<'_>) -> Arg {
    if matches!(node.kind(), "spread_element" | "rest_pattern" | "rest_type") {
        let value = first_expr(lower, node);
        return Arg {
            kind: ArgKind::Spread,
            value,
        };
    }
    let value = lower.expr(node);
    positional(value)
}

/// The elements of an array or array pattern; a hole is an unknown element, so that the others keep
/// their places.
fn elements(lower: &mut Lowering<'_>, node: Node<'_>) -> Run {
    let mut cursor = node.walk();
    let children: Vec<_> = node.children(&mut cursor).collect();
    let mut args = Vec::new();
    let mut hole = true;
    for child in children {
        if child.is_extra() || child.is_error() {
            continue;
        }
        if child.is_named() {
            args.push(element(lower, child));
            hole = false;
        } else if child.kind() == "," {
            if hole {
                let value = lower.push(Expr::Unknown, child);
                args.push(positional(value));
            }
            hole = true;
        }
    }
    lower.push_args(&args)
}

fn object(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let mut args = Vec::new();
    for child in named(node) {
        match child.kind() {
            "pair" | "pair_pattern" => args.extend(pair(lower, child)),
            "shorthand_property_identifier" | "shorthand_property_identifier_pattern" => {
                let value = lower.expr(child);
                args.push(Arg {
                    kind: ArgKind::Named(lower.name(child)),
                    value,
                });
            }
            "object_assignment_pattern" => {
                let name = child
                    .child_by_field_name("left")
                    .and_then(|left| constant_name(lower, left));
                let value = lower.expr(child);
                args.push(Arg {
                    kind: name.map_or(ArgKind::Positional, ArgKind::Named),
                    value,
                });
            }
            "spread_element" | "rest_pattern" => {
                let value = first_expr(lower, child);
                args.push(Arg {
                    kind: ArgKind::SpreadMap,
                    value,
                });
            }
            "method_definition" => {
                let kind = key(lower, child.child_by_field_name("name"), child);
                let Some((index, _)) = function(lower, child, &Definition::of(child)) else {
                    continue;
                };
                let value = lower.push(Expr::Function(index), child);
                args.push(Arg { kind, value });
            }
            _ => {}
        }
    }
    Expr::Dict(lower.push_args(&args))
}

/// How the entry with this key is given.
fn key(lower: &mut Lowering<'_>, key: Option<Node<'_>>, whole: Node<'_>) -> ArgKind {
    let Some(key) = key else {
        return ArgKind::Keyed(lower.push(Expr::Unknown, whole));
    };
    match constant_name(lower, key) {
        Some(name) => ArgKind::Named(name),
        None => ArgKind::Keyed(lower.expr(key)),
    }
}

fn pair(lower: &mut Lowering<'_>, node: Node<'_>) -> Option<Arg> {
    let value = node.child_by_field_name("value")?;
    let kind = key(lower, node.child_by_field_name("key"), node);
    let name = match kind {
        ArgKind::Named(name) => Some(name),
        _ => None,
    };
    let value = named_value(lower, value, name, false);
    Some(Arg { kind, value })
}

// ---- expressions ------------------------------------------------------------------------------

fn subscript(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let base = field_expr(lower, node, "object");
    let index = node.child_by_field_name("index");
    // `router["get"]` is the member `get`.
    if let Some(index) = index
        && matches!(index.kind(), "string" | "template_string")
        && let Some(name) = constant_name(lower, index)
    {
        return Expr::Attr { base, name };
    }
    let index = field_expr(lower, node, "index");
    Expr::Index { base, index }
}

/// `import.meta`, `new.target`.
fn meta_property(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    match lower.text(node).split_once('.') {
        Some((base, name)) => {
            let name = ustr(name.trim());
            let base = lower.push(Expr::Name(ustr(base.trim())), node);
            Expr::Attr { base, name }
        }
        None => Expr::Unknown,
    }
}

fn unary(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let operator = node
        .child_by_field_name("operator")
        .map_or("", |operator| operator.kind());
    let argument = node.child_by_field_name("argument");
    match operator {
        "!" => Expr::Not(field_expr(lower, node, "argument")),
        // `void 0` is how compiled code spells `undefined`; `void send()` still calls.
        "void" if argument.is_some_and(|argument| argument.kind() == "number") => Expr::Null,
        _ => Expr::Unary(field_expr(lower, node, "argument")),
    }
}

/// `x ||= y` as a value: the assignment of `x || y` to `x`.
fn augmented(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let target = field_expr(lower, node, "left");
    let right = field_expr(lower, node, "right");
    let op = node
        .child_by_field_name("operator")
        .map_or(Operator::Other, |operator| {
            TypeScript.operator(operator.kind())
        });
    let value = lower.push(
        Expr::Binary {
            op,
            left: target,
            right,
        },
        node,
    );
    Expr::Assign { target, value }
}

/// `a, b` as a value: a block whose value is the last.
fn sequence(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let parts: Vec<_> = named(node)
        .into_iter()
        .filter(|part| !part.is_extra())
        .collect();
    let Some((last, before)) = parts.split_last() else {
        return Expr::Unknown;
    };
    // Compilers write `(0, module.name)(…)` to call without a receiver.
    if before.iter().all(|part| part.kind() == "number") {
        return same_as(lower, *last);
    }
    let mut statements = Vec::new();
    for part in before {
        lower.stmt(*part, &mut statements);
    }
    let value = lower.expr(*last);
    lower.push_stmt(Stmt::Tail(value), *last, &mut statements);
    Expr::Block(lower.block_of(&statements))
}

/// A JSX element is a call of its tag: attributes by name, children by position. A fragment is a list.
fn jsx_element(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let open = node.child_by_field_name("open_tag").unwrap_or(node);
    let callee = open
        .child_by_field_name("name")
        .map(|name| lower.expr(name));
    let mut args = Vec::new();
    let mut cursor = open.walk();
    let attributes: Vec<_> = open
        .children_by_field_name("attribute", &mut cursor)
        .collect();
    for attribute in attributes {
        if attribute.kind() != "jsx_attribute" {
            // `{...props}`
            if let Some(spread) = first_named(attribute) {
                let value = first_expr(lower, spread);
                args.push(Arg {
                    kind: ArgKind::SpreadMap,
                    value,
                });
            }
            continue;
        }
        let parts: Vec<_> = named(attribute)
            .into_iter()
            .filter(|part| !part.is_extra())
            .collect();
        let Some(name) = parts.first() else { continue };
        let value = match parts.get(1) {
            Some(value) => lower.expr(*value),
            None => lower.push(Expr::Bool(true), attribute),
        };
        args.push(Arg {
            kind: ArgKind::Named(lower.name(*name)),
            value,
        });
    }
    if open != node {
        for child in named(node) {
            match child.kind() {
                "jsx_expression" => {
                    // `{/* comment */}` has no value.
                    if let Some(inner) = first_named(child) {
                        args.push(element(lower, inner));
                    }
                }
                "jsx_element" | "jsx_self_closing_element" => {
                    let value = lower.expr(child);
                    args.push(positional(value));
                }
                _ => {}
            }
        }
    }
    let args = lower.push_args(&args);
    match callee {
        Some(callee) => Expr::Call { callee, args },
        None => Expr::List(args),
    }
}

// ---- types ------------------------------------------------------------------------------------

fn type_expr(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    match node.kind() {
        "generic_type" => {
            let base = field_expr(lower, node, "name");
            match node.child_by_field_name("type_arguments") {
                Some(arguments) => {
                    let index = several(lower, arguments);
                    Expr::Index { base, index }
                }
                None => lower.get(base),
            }
        }
        "array_type" => {
            let base = lower.push(Expr::Name(ustr("Array")), node);
            let index = first_expr(lower, node);
            Expr::Index { base, index }
        }
        "lookup_type" => match named(node).as_slice() {
            [base, index, ..] => {
                let base = lower.expr(*base);
                let index = lower.expr(*index);
                Expr::Index { base, index }
            }
            _ => Expr::Unknown,
        },
        "union_type" => joined(lower, node, Operator::BitOr),
        "intersection_type" => joined(lower, node, Operator::Other),
        "tuple_type" => Expr::Tuple(elements(lower, node)),
        "object_type" => object_type(lower, node),
        "type_query" | "index_type_query" | "asserts" => Expr::Unary(first_expr(lower, node)),
        // `x is User` tests `x` against a type.
        "type_predicate" => {
            let value = field_expr(lower, node, "name");
            let pattern = field_expr(lower, node, "type");
            Expr::Bind { pattern, value }
        }
        // An element of a tuple type that has a name.
        "required_parameter" | "optional_parameter" => match node.child_by_field_name("type") {
            Some(ty) => same_as(lower, ty),
            None => Expr::Unknown,
        },
        _ => Expr::Unknown,
    }
}

/// The named children of a list: a single one as itself, several as a tuple.
fn several(lower: &mut Lowering<'_>, list: Node<'_>) -> ExprId {
    let parts: Vec<_> = named(list)
        .into_iter()
        .filter(|part| !part.is_extra())
        .collect();
    if let [single] = parts.as_slice() {
        return lower.expr(*single);
    }
    let args: Vec<_> = parts
        .iter()
        .map(|part| positional(lower.expr(*part)))
        .collect();
    let run = lower.push_args(&args);
    lower.push(Expr::Tuple(run), list)
}

fn joined(lower: &mut Lowering<'_>, node: Node<'_>, op: Operator) -> Expr {
    let mut whole: Option<ExprId> = None;
    for part in named(node) {
        if part.is_extra() {
            continue;
        }
        let right = lower.expr(part);
        whole = Some(match whole {
            None => right,
            Some(left) => lower.push(Expr::Binary { op, left, right }, node),
        });
    }
    whole.map_or(Expr::Unknown, |whole| lower.get(whole))
}

fn object_type(lower: &mut Lowering<'_>, node: Node<'_>) -> Expr {
    let mut args = Vec::new();
    for child in named(node) {
        let kind = match child.kind() {
            "property_signature" | "method_signature" => {
                key(lower, child.child_by_field_name("name"), child)
            }
            // `[key: string]: T` and mapped types: keys that only their type describes.
            "index_signature" => {
                let of = match child.child_by_field_name("index_type") {
                    Some(of) => lower.expr(of),
                    None => lower.push(Expr::Unknown, child),
                };
                ArgKind::Keyed(of)
            }
            _ => continue,
        };
        let value = field_expr(lower, child, "type");
        args.push(Arg { kind, value });
    }
    Expr::Dict(lower.push_args(&args))
}

// ---- assignments and declarations ---------------------------------------------------------------

/// Lowers a value; a function or class without a name of its own gets `name`.
fn named_value(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    name: Option<Ustr>,
    exported: bool,
) -> ExprId {
    let value = peeled(node);
    let definition = Definition {
        name,
        exported,
        ..Definition::of(value)
    };
    match value.kind() {
        "arrow_function" | "function_expression" | "generator_function" => {
            let expr = match function(lower, value, &definition) {
                Some((index, _)) => Expr::Function(index),
                None => Expr::Unknown,
            };
            lower.push(expr, value)
        }
        "class" => {
            let expr = match class(lower, value, &definition) {
                Some(index) => Expr::Class(index),
                None => Expr::Unknown,
            };
            lower.push(expr, value)
        }
        _ => lower.expr(node),
    }
}

/// The targets of `a = b = value`, outermost first, and the value.
fn chain(node: Node<'_>) -> (Vec<Node<'_>>, Option<Node<'_>>) {
    let mut targets = Vec::new();
    let mut value = Some(node);
    while let Some(assignment) = value {
        if assignment.kind() != "assignment_expression" {
            break;
        }
        targets.extend(assignment.child_by_field_name("left"));
        value = assignment.child_by_field_name("right");
    }
    (targets, value)
}

/// The name that a function gets when it is assigned to this target.
fn assigned_name(lower: &Lowering<'_>, target: Node<'_>) -> Option<Ustr> {
    match target.kind() {
        "identifier" if lower.text(target) != "exports" => Some(lower.name(target)),
        "member_expression" if !is_module_exports(lower, target) => {
            Some(lower.name(target.child_by_field_name("property")?))
        }
        "subscript_expression" => match target.child_by_field_name("index")? {
            index if index.kind() == "string" => constant_name(lower, index),
            _ => None,
        },
        _ => None,
    }
}

fn is_module_exports(lower: &Lowering<'_>, node: Node<'_>) -> bool {
    let text = |field: &str| {
        node.child_by_field_name(field)
            .map_or("", |child| lower.text(child))
    };
    node.kind() == "member_expression"
        && text("object") == "module"
        && text("property") == "exports"
}

/// The name under which an assignment to this target exports: `module.exports`, or the member of it.
fn export_name(lower: &Lowering<'_>, target: Node<'_>) -> Option<Ustr> {
    if is_module_exports(lower, target) {
        return Some(ustr("module.exports"));
    }
    let object = target.child_by_field_name("object")?;
    let exports = is_module_exports(lower, object)
        || (object.kind() == "identifier" && lower.text(object) == "exports");
    if !exports {
        return None;
    }
    match target.kind() {
        "member_expression" => Some(lower.name(target.child_by_field_name("property")?)),
        "subscript_expression" => constant_name(lower, target.child_by_field_name("index")?)
            .filter(|_| {
                target
                    .child_by_field_name("index")
                    .is_some_and(|index| index.kind() == "string")
            }),
        _ => None,
    }
}

/// Adds the statements of an assignment of `value` to `targets`. `local` is a variable that holds
/// the value already.
fn assign(
    lower: &mut Lowering<'_>,
    targets: &[Node<'_>],
    value: ExprId,
    local: Option<Ustr>,
    node: Node<'_>,
    out: &mut Vec<StmtId>,
) {
    let mut local = local;
    let mut exports = Vec::new();
    for &target in targets {
        if let Some(name) = export_name(lower, target) {
            exports.push((name, target));
            continue;
        }
        if targets.len() > 1 && lower.text(target) == "exports" {
            // `exports = module.exports = x` only keeps the short name in step.
            continue;
        }
        if target.kind() == "identifier" {
            local = local.or(Some(lower.name(target)));
        }
        let target = lower.expr(target);
        let value = Some(value);
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
    for (name, target) in exports {
        // What is exported is the variable, not a second evaluation of the value.
        let value = match local {
            Some(local) => lower.push(Expr::Name(local), target),
            None => value,
        };
        lower.push_stmt(Stmt::Export { name, value }, node, out);
    }
}

/// The declaration in `using x = value` and `await using x = value`, which the grammar reads as an
/// assignment with a keyword before it.
fn using_of(node: Node<'_>) -> Option<Node<'_>> {
    if node.kind() != "expression_statement" {
        return None;
    }
    let mut inner = first_named(node)?;
    if inner.kind() == "await_expression" {
        inner = first_named(inner)?;
    }
    (inner.kind() == "assignment_expression" && has_token(inner, "using")).then_some(inner)
}

/// Lowers a declaration; `false` if the node is none.
fn declaration(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    definition: &Definition<'_>,
    out: &mut Vec<StmtId>,
) -> bool {
    match node.kind() {
        "function_declaration" | "generator_function_declaration" => {
            if let Some((index, _)) = function(lower, node, definition) {
                lower.push_stmt(Stmt::Function(index), definition.outer, out);
            }
        }
        "class_declaration"
        | "abstract_class_declaration"
        | "interface_declaration"
        | "enum_declaration"
        | "internal_module"
        | "module" => {
            if let Some(index) = class(lower, node, definition) {
                lower.push_stmt(Stmt::Class(index), definition.outer, out);
            }
        }
        "lexical_declaration" | "variable_declaration" => variables(lower, node, definition, out),
        "type_alias_declaration" => {
            let value = Some(field_expr(lower, node, "value"));
            let target = field_expr(lower, node, "name");
            let alias = Stmt::Let {
                target,
                ty: None,
                value,
            };
            lower.push_stmt(alias, definition.outer, out);
            if definition.exported {
                export_names(lower, node.child_by_field_name("name"), definition, out);
            }
        }
        "import_alias" => {
            if let [target, value, ..] = named(node).as_slice() {
                let value = Some(lower.expr(*value));
                let name = *target;
                let target = lower.expr(name);
                let alias = Stmt::Let {
                    target,
                    ty: None,
                    value,
                };
                lower.push_stmt(alias, definition.outer, out);
                if definition.exported {
                    export_names(lower, Some(name), definition, out);
                }
            }
        }
        "ambient_declaration" => {
            if let Some(inner) = first_named(node) {
                if inner.kind() == "statement_block" {
                    lower.stmt(inner, out);
                } else {
                    declaration(lower, inner, definition, out);
                }
            }
        }
        // Nothing behind these runs.
        "function_signature" | "property_identifier" => {}
        _ => return false,
    }
    true
}

/// `const`, `let` and `var`.
fn variables(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    definition: &Definition<'_>,
    out: &mut Vec<StmtId>,
) {
    let declarators: Vec<_> = named(node)
        .into_iter()
        .filter(|child| child.kind() == "variable_declarator")
        .collect();
    for declarator in &declarators {
        let at = match declarators.len() {
            1 => definition.outer,
            _ => *declarator,
        };
        let Some(name) = declarator.child_by_field_name("name") else {
            continue;
        };
        let value = declarator.child_by_field_name("value");
        let required = value.and_then(|value| required(lower, value));
        let imported = match required {
            Some((module, member)) => import_required(lower, name, module, member, at, out),
            None => false,
        };
        if !imported {
            variable(lower, *declarator, name, definition.exported, at, out);
        }
        if definition.exported {
            export_names(lower, Some(name), definition, out);
        }
    }
}

fn variable(
    lower: &mut Lowering<'_>,
    declarator: Node<'_>,
    name: Node<'_>,
    exported: bool,
    at: Node<'_>,
    out: &mut Vec<StmtId>,
) {
    let local = (name.kind() == "identifier").then(|| lower.name(name));
    let value = declarator.child_by_field_name("value");
    // `const app = module.exports = express()`.
    let (targets, value) = match value {
        Some(value) => chain(value),
        None => (Vec::new(), None),
    };
    let exported = exported
        || targets
            .iter()
            .any(|target| export_name(lower, *target).is_some());
    let value = value.map(|value| named_value(lower, value, local, exported));
    let ty = declarator
        .child_by_field_name("type")
        .map(|ty| lower.expr(ty));
    let target = lower.expr(name);
    lower.push_stmt(Stmt::Let { target, ty, value }, at, out);
    if let Some(value) = value {
        assign(lower, &targets, value, local, at, out);
    }
}

/// Exports every name that a pattern binds.
fn export_names(
    lower: &mut Lowering<'_>,
    pattern: Option<Node<'_>>,
    definition: &Definition<'_>,
    out: &mut Vec<StmtId>,
) {
    let mut pending: Vec<_> = pattern.into_iter().collect();
    while let Some(node) = pending.pop() {
        match node.kind() {
            "identifier" | "type_identifier" | "shorthand_property_identifier_pattern" => {
                let name = lower.name(node);
                let value = lower.push(Expr::Name(name), node);
                lower.push_stmt(Stmt::Export { name, value }, definition.outer, out);
            }
            "pair_pattern" => pending.extend(node.child_by_field_name("value")),
            "assignment_pattern" | "object_assignment_pattern" => {
                pending.extend(node.child_by_field_name("left"));
            }
            _ => pending.extend(named(node).into_iter().rev()),
        }
    }
}

// ---- imports and exports ------------------------------------------------------------------------

fn push_import(lower: &mut Lowering<'_>, import: Import, node: Node<'_>, out: &mut Vec<StmtId>) {
    let index = lower.push_import(import);
    lower.push_stmt(Stmt::Import(index), node, out);
}

/// A name in an import or export list; it may be written as a string.
fn listed_name(lower: &Lowering<'_>, node: Option<Node<'_>>) -> Option<Ustr> {
    constant_name(lower, node?)
}

fn import(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let type_only = has_token(node, "type");
    let children = named(node);
    if let Some(clause) = children
        .iter()
        .find(|child| child.kind() == "import_require_clause")
    {
        // `import x = require("m")`
        if let (Some(local), Some(source)) =
            (first_named(*clause), clause.child_by_field_name("source"))
        {
            let import = Import {
                module: ustr(&string_text(lower, source)),
                what: Imported::Module,
                local: lower.name(local),
                reexport: false,
                type_only,
            };
            push_import(lower, import, node, out);
        }
        return;
    }
    let Some(source) = node.child_by_field_name("source") else {
        return;
    };
    let import = Import {
        module: ustr(&string_text(lower, source)),
        what: Imported::Module,
        local: ustr(""),
        reexport: false,
        type_only,
    };
    let clause = children
        .iter()
        .find(|child| child.kind() == "import_clause");
    let Some(clause) = clause else {
        push_import(lower, import, node, out);
        return;
    };
    for child in named(*clause) {
        match child.kind() {
            "identifier" => {
                let import = Import {
                    what: Imported::Name(ustr("default")),
                    local: lower.name(child),
                    ..import.clone()
                };
                push_import(lower, import, child, out);
            }
            "namespace_import" => {
                if let Some(local) = first_named(child) {
                    let import = Import {
                        local: lower.name(local),
                        ..import.clone()
                    };
                    push_import(lower, import, child, out);
                }
            }
            "named_imports" => {
                for specifier in named(child) {
                    let name = listed_name(lower, specifier.child_by_field_name("name"));
                    let Some(name) = name else { continue };
                    let local = listed_name(lower, specifier.child_by_field_name("alias"));
                    let import = Import {
                        what: Imported::Name(name),
                        local: local.unwrap_or(name),
                        type_only: type_only || has_token(specifier, "type"),
                        ..import.clone()
                    };
                    push_import(lower, import, specifier, out);
                }
            }
            _ => {}
        }
    }
}

/// The module, and the member of it, that `require("m")` or `require("m").member` names.
fn required(lower: &Lowering<'_>, value: Node<'_>) -> Option<(Ustr, Option<Ustr>)> {
    let value = peeled(value);
    if value.kind() == "member_expression" {
        let object = peeled(value.child_by_field_name("object")?);
        let module = required_module(lower, object)?;
        let member = lower.name(value.child_by_field_name("property")?);
        return Some((module, Some(member)));
    }
    Some((required_module(lower, value)?, None))
}

fn required_module(lower: &Lowering<'_>, call: Node<'_>) -> Option<Ustr> {
    if call.kind() != "call_expression" {
        return None;
    }
    let callee = call.child_by_field_name("function")?;
    let arguments = call.child_by_field_name("arguments")?;
    if callee.kind() != "identifier"
        || lower.text(callee) != "require"
        || arguments.kind() != "arguments"
    {
        return None;
    }
    match first_named(arguments)? {
        module if matches!(module.kind(), "string" | "template_string") => {
            constant_name(lower, module)
        }
        _ => None,
    }
}

/// The imports that `const name = require("m")` and its like make; `false` if the pattern says more
/// than a list of names.
fn import_required(
    lower: &mut Lowering<'_>,
    name: Node<'_>,
    module: Ustr,
    member: Option<Ustr>,
    at: Node<'_>,
    out: &mut Vec<StmtId>,
) -> bool {
    let import = |what, local| Import {
        module,
        what,
        local,
        reexport: false,
        type_only: false,
    };
    if name.kind() == "identifier" {
        let what = member.map_or(Imported::Module, Imported::Name);
        push_import(lower, import(what, lower.name(name)), at, out);
        return true;
    }
    if name.kind() != "object_pattern" || member.is_some() {
        return false;
    }
    let mut names = Vec::new();
    for entry in named(name) {
        if entry.is_extra() {
            continue;
        }
        let Some((key, local)) = destructured(lower, entry) else {
            return false;
        };
        names.push((entry, key, local));
    }
    for (entry, key, local) in names {
        push_import(lower, import(Imported::Name(key), local), entry, out);
    }
    true
}

/// Key and local name of an entry of an object pattern that binds a single name.
fn destructured(lower: &Lowering<'_>, entry: Node<'_>) -> Option<(Ustr, Ustr)> {
    match entry.kind() {
        "shorthand_property_identifier_pattern" => {
            let name = lower.name(entry);
            Some((name, name))
        }
        "object_assignment_pattern" => destructured(lower, entry.child_by_field_name("left")?),
        "pair_pattern" => {
            let key = constant_name(lower, entry.child_by_field_name("key")?)?;
            let mut value = entry.child_by_field_name("value")?;
            if value.kind() == "assignment_pattern" {
                value = value.child_by_field_name("left")?;
            }
            (value.kind() == "identifier").then(|| (key, lower.name(value)))
        }
        _ => None,
    }
}

fn export(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    if let Some(source) = node.child_by_field_name("source") {
        reexport(lower, node, source, out);
        return;
    }
    let mut cursor = node.walk();
    let definition = Definition {
        name: None,
        outer: node,
        decorators: node
            .children_by_field_name("decorator", &mut cursor)
            .collect(),
        exported: true,
    };
    let default = ustr("default");
    if let Some(inner) = node.child_by_field_name("declaration") {
        declaration(lower, inner, &definition, out);
        if has_token(node, "default")
            && let Some(name) = inner.child_by_field_name("name")
        {
            let value = lower.push(Expr::Name(lower.name(name)), name);
            let name = default;
            lower.push_stmt(Stmt::Export { name, value }, node, out);
        }
        return;
    }
    if let Some(value) = node.child_by_field_name("value") {
        let value = match value.kind() {
            "class" => {
                let expr = match class(lower, value, &definition) {
                    Some(index) => Expr::Class(index),
                    None => Expr::Unknown,
                };
                lower.push(expr, value)
            }
            _ => named_value(lower, value, None, true),
        };
        let name = default;
        lower.push_stmt(Stmt::Export { name, value }, node, out);
        return;
    }
    for child in named(node) {
        if child.kind() == "export_clause" {
            for specifier in named(child) {
                let Some(local) = specifier.child_by_field_name("name") else {
                    continue;
                };
                let name = listed_name(lower, specifier.child_by_field_name("alias"))
                    .or_else(|| listed_name(lower, Some(local)));
                let Some(name) = name else { continue };
                let value = lower.expr(local);
                lower.push_stmt(Stmt::Export { name, value }, specifier, out);
            }
        } else if !child.is_extra() && has_token(node, "=") {
            // `export = x`
            let value = named_value(lower, child, None, true);
            let name = ustr("module.exports");
            lower.push_stmt(Stmt::Export { name, value }, node, out);
        }
    }
}

/// `export … from "m"`.
fn reexport(lower: &mut Lowering<'_>, node: Node<'_>, source: Node<'_>, out: &mut Vec<StmtId>) {
    let import = Import {
        module: ustr(&string_text(lower, source)),
        what: Imported::Star,
        local: ustr(""),
        reexport: true,
        type_only: has_token(node, "type"),
    };
    let mut all = true;
    for child in named(node) {
        match child.kind() {
            "namespace_export" => {
                all = false;
                if let Some(local) = listed_name(lower, first_named(child)) {
                    let import = Import {
                        what: Imported::Module,
                        local,
                        ..import.clone()
                    };
                    push_import(lower, import, node, out);
                }
            }
            "export_clause" => {
                all = false;
                for specifier in named(child) {
                    let name = listed_name(lower, specifier.child_by_field_name("name"));
                    let Some(name) = name else { continue };
                    let local = listed_name(lower, specifier.child_by_field_name("alias"));
                    let import = Import {
                        what: Imported::Name(name),
                        local: local.unwrap_or(name),
                        type_only: import.type_only || has_token(specifier, "type"),
                        ..import.clone()
                    };
                    push_import(lower, import, specifier, out);
                }
            }
            _ => {}
        }
    }
    if all {
        push_import(lower, import, node, out);
    }
}

// ---- statements -------------------------------------------------------------------------------

fn field_block(lower: &mut Lowering<'_>, node: Node<'_>, field: &str) -> BlockId {
    match node.child_by_field_name(field) {
        Some(body) => lower.block_or_stmt(body),
        None => lower.block_of(&[]),
    }
}

fn if_statement(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let test = field_expr(lower, node, "condition");
    let then = field_block(lower, node, "consequence");
    let otherwise = node
        .child_by_field_name("alternative")
        .and_then(first_named)
        .map(|otherwise| lower.block_or_stmt(otherwise));
    lower.push_stmt(
        Stmt::If {
            test,
            then,
            otherwise,
        },
        node,
        out,
    );
}

fn for_statement(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    if let Some(initializer) = node.child_by_field_name("initializer") {
        lower.stmt(initializer, out);
    }
    let subject = node
        .child_by_field_name("condition")
        .filter(|condition| condition.is_named() && condition.kind() != "empty_statement")
        .map(|condition| lower.expr(condition));
    let mut statements = Vec::new();
    if let Some(body) = node.child_by_field_name("body") {
        match body.kind() {
            "statement_block" => {
                TypeScript.statements(lower, &named(body), false, &mut statements);
            }
            _ => lower.stmt(body, &mut statements),
        }
    }
    if let Some(increment) = node.child_by_field_name("increment") {
        lower.stmt(increment, &mut statements);
    }
    let body = lower.block_of(&statements);
    lower.push_stmt(
        Stmt::Loop {
            target: None,
            subject,
            body,
        },
        node,
        out,
    );
}

/// A `break` at the end of an arm only ends it, as the arms of other languages end by themselves.
/// Labels without statements join the next arm's pattern; an arm that runs on into the next one
/// keeps its own statements only.
fn switch_statement(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let subject = field_expr(lower, node, "value");
    let mut arms = Vec::new();
    let mut labels: Option<ExprId> = None;
    let cases = node
        .child_by_field_name("body")
        .map(named)
        .unwrap_or_default();
    let last = cases.len().saturating_sub(1);
    for (index, case) in cases.iter().enumerate() {
        let label = match case.kind() {
            "switch_case" => field_expr(lower, *case, "value"),
            "switch_default" => lower.push(Expr::Unknown, *case),
            _ => continue,
        };
        let pattern = match labels.take() {
            None => label,
            Some(before) if lower.get(before) == Expr::Unknown => before,
            Some(_) if lower.get(label) == Expr::Unknown => label,
            Some(left) => lower.push(
                Expr::Binary {
                    op: Operator::BitOr,
                    left,
                    right: label,
                },
                *case,
            ),
        };
        let value = case.child_by_field_name("value").map(|value| value.id());
        let body: Vec<_> = named(*case)
            .into_iter()
            .filter(|child| Some(child.id()) != value)
            // Plain comments must not hide that a block is all there is.
            .filter(|child| !child.is_extra() || lower.text(*child).contains("gatewatch:"))
            .collect();
        if body.is_empty() && index < last {
            labels = Some(pattern);
            continue;
        }
        let mut statements = Vec::new();
        match body.as_slice() {
            // `case x: { … break; }`
            [block] if block.kind() == "statement_block" => {
                arm_body(lower, &named(*block), &mut statements);
            }
            [block, end] if block.kind() == "statement_block" && is_break(*end) => {
                arm_body(lower, &named(*block), &mut statements);
            }
            body => arm_body(lower, body, &mut statements),
        }
        let body = lower.block_of(&statements);
        arms.push(Arm {
            pattern,
            guard: None,
            body,
        });
    }
    let arms = lower.push_arms(&arms);
    lower.push_stmt(Stmt::Match { subject, arms }, node, out);
}

fn is_break(node: Node<'_>) -> bool {
    node.kind() == "break_statement" && node.child_by_field_name("label").is_none()
}

fn arm_body(lower: &mut Lowering<'_>, nodes: &[Node<'_>], out: &mut Vec<StmtId>) {
    let end = nodes.iter().rposition(|node| !node.is_extra());
    let kept: Vec<_> = nodes
        .iter()
        .enumerate()
        .filter(|&(index, node)| Some(index) != end || !is_break(*node))
        .map(|(_, node)| *node)
        .collect();
    TypeScript.statements(lower, &kept, false, out);
}

fn try_statement(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let body = field_block(lower, node, "body");
    let mut handlers = Vec::new();
    if let Some(handler) = node.child_by_field_name("handler") {
        let name = handler
            .child_by_field_name("parameter")
            .filter(|parameter| parameter.kind() == "identifier")
            .map(|parameter| lower.name(parameter));
        let body = field_block(lower, handler, "body");
        handlers.push(Handler {
            types: None,
            name,
            body,
        });
    }
    let finally = node
        .child_by_field_name("finalizer")
        .map(|finalizer| field_block(lower, finalizer, "body"));
    let handlers = lower.push_handlers(&handlers);
    lower.push_stmt(
        Stmt::Try {
            body,
            handlers,
            otherwise: None,
            finally,
        },
        node,
        out,
    );
}

fn with_statement(lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>) {
    let value = field_expr(lower, node, "object");
    let body = field_block(lower, node, "body");
    lower.push_stmt(
        Stmt::With {
            value,
            target: None,
            body,
        },
        node,
        out,
    );
}

// ---- definitions ------------------------------------------------------------------------------

fn decorators(lower: &mut Lowering<'_>, nodes: &[Node<'_>]) -> Box<[ExprId]> {
    nodes
        .iter()
        .map(|decorator| first_expr(lower, *decorator))
        .collect()
}

/// The decorators that stand inside of a node.
fn own_decorators(node: Node<'_>) -> Vec<Node<'_>> {
    named(node)
        .into_iter()
        .filter(|child| child.kind() == "decorator")
        .collect()
}

fn definition_spans(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    definition: &Definition<'_>,
    list: Option<Node<'_>>,
) -> DefinitionSpans {
    let mut whole = lower.span(definition.outer);
    if let Some(first) = definition.decorators.first() {
        whole.start = whole.start.min(lower.span(*first).start);
    }
    let mut own = lower.span(node);
    let mut cursor = node.walk();
    let keyword = node
        .children(&mut cursor)
        .find(|child| child.kind() != "decorator" && !child.is_extra());
    if let Some(keyword) = keyword {
        own.start = lower.span(keyword).start;
    }
    let first_byte = Span {
        start: own.start,
        end: own.start,
    };
    DefinitionSpans {
        whole,
        definition: own,
        name: node
            .child_by_field_name("name")
            .map_or(first_byte, |name| lower.span(name)),
        list: list.map(|list| lower.span(list)).unwrap_or_default(),
        body: node
            .child_by_field_name("body")
            .map(|body| lower.span(body))
            .unwrap_or_default(),
    }
}

/// The name of a definition: its own, or what it is assigned to.
fn name_of(lower: &Lowering<'_>, node: Node<'_>, definition: &Definition<'_>) -> Ustr {
    match node.child_by_field_name("name") {
        Some(name) => constant_name(lower, name).unwrap_or_else(|| lower.name(name)),
        None => definition.name.unwrap_or_else(|| ustr("")),
    }
}

/// A parameter with what the facts keep elsewhere.
struct Parameter<'t> {
    param: Param,
    decorators: Vec<Node<'t>>,
    /// `constructor(private x: X)` declares a field as well.
    is_field: bool,
}

/// Adds a function of any form. Returns its index and those of its parameters that declare fields;
/// `None` where the nesting is too deep.
fn function(
    lower: &mut Lowering<'_>,
    node: Node<'_>,
    definition: &Definition<'_>,
) -> Option<(u32, Vec<Param>)> {
    lower.nested(|lower| {
        let decorators = decorators(lower, &definition.decorators);
        let list = node.child_by_field_name("parameters");
        let parameters = match node.child_by_field_name("parameter") {
            // `x => …`
            Some(name) => {
                let pattern = lower.expr(name);
                vec![Parameter {
                    param: Param {
                        pattern,
                        ty: None,
                        default: None,
                        kind: ParamKind::Plain,
                    },
                    decorators: Vec::new(),
                    is_field: false,
                }]
            }
            None => list.map(|list| parameters(lower, list)).unwrap_or_default(),
        };
        let returns = node
            .child_by_field_name("return_type")
            .map(|returns| lower.expr(returns));
        let mut marks = Vec::new();
        for (index, parameter) in parameters.iter().enumerate() {
            for decorator in &parameter.decorators {
                let value = first_expr(lower, *decorator);
                marks.push((crate::lower::offset(index), value));
            }
        }
        let spans = definition_spans(lower, node, definition, list);
        let function = Function {
            name: name_of(lower, node, definition),
            id: ustr(""),
            params: parameters.iter().map(|parameter| parameter.param).collect(),
            decorators,
            returns,
            is_async: has_token(node, "async"),
            exported: definition.exported,
            is_static: has_token(node, "static"),
        };
        let index = lower.function(function, node.child_by_field_name("body"), spans);
        for (param, value) in marks {
            let on = Marked::Param {
                function: index,
                param,
            };
            lower.push_mark(Mark { on, value });
        }
        let fields = parameters
            .into_iter()
            .filter(|parameter| parameter.is_field)
            .map(|parameter| parameter.param)
            .collect();
        (index, fields)
    })
}

fn parameters<'t>(lower: &mut Lowering<'_>, list: Node<'t>) -> Vec<Parameter<'t>> {
    let mut found = Vec::new();
    for child in named(list) {
        if child.is_extra() || child.is_error() {
            continue;
        }
        let pattern = child
            .child_by_field_name("pattern")
            .or_else(|| child.child_by_field_name("name"));
        let Some(pattern) = pattern else { continue };
        let (kind, pattern) = match pattern.kind() {
            // TypeScript's `this` parameter only declares a type.
            "this" => continue,
            "rest_pattern" => (ParamKind::Rest, first_named(pattern).unwrap_or(pattern)),
            _ => (ParamKind::Plain, pattern),
        };
        let pattern = lower.expr(pattern);
        let ty = child.child_by_field_name("type").map(|ty| lower.expr(ty));
        let default = child
            .child_by_field_name("value")
            .map(|default| lower.expr(default));
        let is_field = has_token(child, "readonly")
            || named(child)
                .iter()
                .any(|part| matches!(part.kind(), "accessibility_modifier" | "override_modifier"));
        found.push(Parameter {
            param: Param {
                pattern,
                ty,
                default,
                kind,
            },
            decorators: own_decorators(child),
            is_field,
        });
    }
    found
}

/// Adds a class-like scope of any form; `None` where the nesting is too deep.
fn class(lower: &mut Lowering<'_>, node: Node<'_>, definition: &Definition<'_>) -> Option<u32> {
    lower.nested(|lower| {
        let mut decorated = definition.decorators.clone();
        decorated.extend(own_decorators(node));
        let decorators = decorators(lower, &decorated);
        let heritage = named(node)
            .into_iter()
            .find(|child| matches!(child.kind(), "class_heritage" | "extends_type_clause"));
        let bases = heritage
            .map(|heritage| bases(lower, heritage))
            .unwrap_or_default();
        let spans = definition_spans(lower, node, definition, heritage);
        let kind = match node.kind() {
            "interface_declaration" => ClassKind::Interface,
            "enum_declaration" => ClassKind::Enum,
            "internal_module" | "module" => ClassKind::Module,
            _ => ClassKind::Class,
        };
        let class = Class {
            name: name_of(lower, node, definition),
            id: ustr(""),
            kind,
            bases,
            decorators,
            body: BlockId::default(),
            exported: definition.exported,
        };
        let body = node.child_by_field_name("body");
        lower.class(class, spans, |lower| {
            let Some(body) = body else {
                return lower.block_of(&[]);
            };
            match kind {
                ClassKind::Module => lower.block(body),
                ClassKind::Enum => enum_body(lower, body),
                _ => class_body(lower, body),
            }
        })
    })
}

/// Base classes and interfaces.
fn bases(lower: &mut Lowering<'_>, heritage: Node<'_>) -> Run {
    let mut args: Vec<Arg> = Vec::new();
    let clauses = match heritage.kind() {
        "class_heritage" => named(heritage),
        _ => vec![heritage],
    };
    for clause in clauses {
        for child in named(clause) {
            if child.is_extra() || child.is_error() {
                continue;
            }
            if child.kind() == "type_arguments" {
                // Those of the base before them.
                let index = several(lower, child);
                if let Some(last) = args.last_mut() {
                    let base = last.value;
                    last.value = lower.push(Expr::Index { base, index }, child);
                }
                continue;
            }
            let value = lower.expr(child);
            args.push(positional(value));
        }
    }
    lower.push_args(&args)
}

/// The members of a class or interface. The grammar puts a method's decorators before it.
fn class_body(lower: &mut Lowering<'_>, body: Node<'_>) -> BlockId {
    let mut out = Vec::new();
    let mut pending: Vec<Node<'_>> = Vec::new();
    for member in named(body) {
        match member.kind() {
            "decorator" => pending.push(member),
            "comment" => lower.stmt(member, &mut out),
            "method_definition" | "abstract_method_signature" => {
                let definition = Definition {
                    decorators: std::mem::take(&mut pending),
                    ..Definition::of(member)
                };
                method(lower, member, &definition, &mut out);
            }
            "method_signature" => {
                pending.clear();
                // In a class it is an overload of the method that follows.
                if body.kind() != "class_body" {
                    method(lower, member, &Definition::of(member), &mut out);
                }
            }
            "public_field_definition" | "property_signature" => {
                let mut decorated = std::mem::take(&mut pending);
                decorated.extend(own_decorators(member));
                field(lower, member, decorated, &mut out);
            }
            "class_static_block" => {
                pending.clear();
                let block = field_block(lower, member, "body");
                lower.push_stmt(Stmt::Block(block), member, &mut out);
            }
            _ => pending.clear(),
        }
    }
    lower.block_of(&out)
}

fn method(
    lower: &mut Lowering<'_>,
    member: Node<'_>,
    definition: &Definition<'_>,
    out: &mut Vec<StmtId>,
) {
    let Some((index, fields)) = function(lower, member, definition) else {
        return;
    };
    lower.push_stmt(Stmt::Function(index), member, out);
    for param in fields {
        // The parameter's expressions stand in the same code as the class.
        let declared = Stmt::Let {
            target: param.pattern,
            ty: param.ty,
            value: None,
        };
        lower.push_stmt(declared, member, out);
    }
}

fn field(
    lower: &mut Lowering<'_>,
    member: Node<'_>,
    decorated: Vec<Node<'_>>,
    out: &mut Vec<StmtId>,
) {
    let Some(name) = member.child_by_field_name("name") else {
        return;
    };
    let constant = constant_name(lower, name);
    let value = member.child_by_field_name("value");
    let inner = value.map(peeled);
    let mut marks: Box<[ExprId]> = Box::default();
    let value = match inner {
        Some(inner) if is_function(inner) => {
            let definition = Definition {
                name: constant,
                outer: member,
                decorators: decorated,
                exported: false,
            };
            let expr = match function(lower, inner, &definition) {
                Some((index, _)) => Expr::Function(index),
                None => Expr::Unknown,
            };
            Some(lower.push(expr, inner))
        }
        _ => {
            marks = decorators(lower, &decorated);
            value.map(|value| named_value(lower, value, constant, false))
        }
    };
    let ty = member.child_by_field_name("type").map(|ty| lower.expr(ty));
    let target = match constant {
        Some(constant) => lower.push(Expr::Name(constant), name),
        None => lower.expr(name),
    };
    lower.push_stmt(Stmt::Let { target, ty, value }, member, out);
    if let Some(&stmt) = out.last() {
        for &value in &marks {
            lower.push_mark(Mark {
                on: Marked::Field(stmt),
                value,
            });
        }
    }
}

fn is_function(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "arrow_function" | "function_expression" | "generator_function"
    )
}

fn enum_body(lower: &mut Lowering<'_>, body: Node<'_>) -> BlockId {
    let mut out = Vec::new();
    for member in named(body) {
        if member.kind() == "comment" {
            lower.stmt(member, &mut out);
            continue;
        }
        let (name, value) = match member.kind() {
            "enum_assignment" => (
                member.child_by_field_name("name"),
                member.child_by_field_name("value"),
            ),
            _ => (Some(member), None),
        };
        let Some(name) = name else { continue };
        let value = value.map(|value| lower.expr(value));
        let target = match constant_name(lower, name) {
            Some(constant) => lower.push(Expr::Name(constant), name),
            None => lower.expr(name),
        };
        lower.push_stmt(
            Stmt::Let {
                target,
                ty: None,
                value,
            },
            member,
            &mut out,
        );
    }
    lower.block_of(&out)
}
