//! What a parser takes for whole and its writer does not: code that somebody is in the middle of.
//!
//! A grammar reads some half-typed code without any error. `app.` in front of a line is a member of what that line
//! begins with; `def f():` in front of another `def` is a function without a body; `const owns =` takes the next
//! function as its value. No formatter leaves code like that, and most of it no compiler takes. Each such place
//! counts as one; an item that has more of them than it had before is as good as broken (see
//! [`Buffer`](crate::Buffer)).

use rustc_hash::FxHashSet;
use tree_sitter::Node;

/// Tokens that want something behind them.
const OPEN: &[&str] = &[
    ".",
    "?.",
    "::",
    "=",
    "=>",
    "->",
    "&&",
    "||",
    "??",
    "+",
    "-",
    "*",
    "/",
    "==",
    "===",
    "!=",
    "!==",
    "<",
    ">",
    "<=",
    ">=",
    "and",
    "or",
    "not",
    "in",
    "is",
    "as",
    "satisfies",
    "await",
    "new",
    "typeof",
    "!",
];

/// Nodes whose children are statements.
const BLOCKS: &[&str] = &[
    "module",
    "program",
    "source_file",
    "block",
    "statement_block",
    "class_body",
    "declaration_list",
    "switch_case",
];

/// How many places in these nodes, which stand side by side, are unfinished. What is below the nodes with an id in
/// `counted` is left out.
pub(crate) fn unfinished(text: &str, nodes: &[Node<'_>], counted: &FxHashSet<usize>) -> u32 {
    let mut found = 0;
    for &node in nodes {
        let mut cursor = node.walk();
        let mut depth = 0_u32;
        'node: loop {
            let here = cursor.node();
            let enter = depth == 0 || !counted.contains(&here.id());
            if enter {
                found += u32::from(is_unfinished(text, here));
            }
            if enter && cursor.goto_first_child() {
                depth += 1;
                continue;
            }
            loop {
                if depth == 0 {
                    break 'node;
                }
                if cursor.goto_next_sibling() {
                    break;
                }
                cursor.goto_parent();
                depth -= 1;
            }
        }
    }
    found
}

fn is_unfinished(text: &str, node: Node<'_>) -> bool {
    if !node.is_named() {
        return lacks_operand(text, node);
    }
    match node.kind() {
        // Python.
        "function_definition"
        | "class_definition"
        | "if_statement"
        | "elif_clause"
        | "else_clause"
        | "for_statement"
        | "while_statement"
        | "try_statement"
        | "except_clause"
        | "finally_clause"
        | "with_statement"
        | "case_clause"
            if has_child(node, ":") =>
        {
            lacks_body(node)
        }
        "decorator" => stands_alone(node),
        // A name alone does nothing: it will be called, or given something.
        "expression_statement" => {
            node.named_child_count() == 1
                && node
                    .named_child(0)
                    .is_some_and(|child| child.kind() == "identifier")
        }
        // TypeScript and JavaScript.
        "variable_declarator" => lacks_value(node),
        "if_statement" => node
            .child_by_field_name("consequence")
            .is_some_and(|then| then.kind() == "empty_statement"),
        // Rust.
        "function_signature_item" => node
            .parent()
            .and_then(|list| match list.kind() {
                "declaration_list" => list.parent(),
                _ => Some(list),
            })
            .is_none_or(|around| !matches!(around.kind(), "trait_item" | "foreign_mod_item")),
        _ => false,
    }
}

/// Whether what follows a token that wants something is a statement of its own, by where it stands: on a line below
/// that is not indented, or behind an empty line.
fn lacks_operand(text: &str, token: Node<'_>) -> bool {
    let behind = text.get(token.end_byte()..).unwrap_or_default();
    let ends_line = behind
        .trim_start_matches([' ', '\t', '\r'])
        .starts_with('\n');
    // What stands beside a node takes a way from the root to find.
    if !ends_line || !OPEN.contains(&token.kind()) {
        return false;
    }
    let row = token.end_position().row;
    let Some(next) = token
        .next_sibling()
        .filter(|next| next.start_position().row > row)
    else {
        return false;
    };
    let start = next.start_position();
    if start.row > row + 1 && !next.is_extra() {
        return true;
    }
    let mut statement = token;
    while let Some(parent) = statement.parent() {
        if BLOCKS.contains(&parent.kind()) {
            break;
        }
        statement = parent;
    }
    start.column <= indentation(text, statement)
}

/// The blanks before the first sign of the line on which a node begins.
fn indentation(text: &str, node: Node<'_>) -> usize {
    let before = text.get(..node.start_byte()).unwrap_or_default();
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    let line = text.get(line..).unwrap_or_default();
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

fn has_child(node: Node<'_>, kind: &str) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor).any(|child| child.kind() == kind)
}

/// A compound statement of Python whose suite holds nothing.
fn lacks_body(node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    let block = node
        .children(&mut cursor)
        .find(|child| child.kind() == "block");
    block.is_none_or(|block| {
        let mut cursor = block.walk();
        block
            .named_children(&mut cursor)
            .all(|child| child.is_extra())
    })
}

/// A decorator with an empty line behind it: what it belongs to is still to come.
fn stands_alone(node: Node<'_>) -> bool {
    node.next_sibling()
        .is_some_and(|next| next.start_position().row > node.end_position().row + 1)
}

/// Whether a top-level statement is an overload that nothing of its name follows.
pub(crate) fn lacks_implementation(text: &str, statement: Node<'_>) -> bool {
    fn declared<'t>(statement: Node<'t>) -> Option<Node<'t>> {
        match statement.kind() {
            "export_statement" => statement.child_by_field_name("declaration"),
            _ => Some(statement),
        }
    }
    let name = |node: Node<'_>| {
        let name = node.child_by_field_name("name")?;
        text.get(name.byte_range())
    };
    let Some(overload) = declared(statement).filter(|node| node.kind() == "function_signature")
    else {
        return false;
    };
    let mut next = statement.next_named_sibling();
    while let Some(found) = next.filter(Node::is_extra) {
        next = found.next_named_sibling();
    }
    next.and_then(declared).and_then(name) != name(overload)
}

/// A constant without a value, where it must have one.
fn lacks_value(node: Node<'_>) -> bool {
    if node.child_by_field_name("value").is_some() {
        return false;
    }
    let Some(declaration) = node.parent() else {
        return false;
    };
    let is_const = declaration
        .child_by_field_name("kind")
        .is_some_and(|kind| kind.kind() == "const");
    is_const
        && declaration.parent().is_none_or(|around| {
            !matches!(around.kind(), "ambient_declaration" | "for_in_statement")
        })
}
