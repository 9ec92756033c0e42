//! The names that a text needs, and where an earlier text defined them.

use std::collections::{HashMap, HashSet};

use tree_sitter::{Node, Tree};

use super::Restoring;
use super::piece::children;
use crate::Span;

/// What defines the names that `brought` uses inside a part of the earlier text, and that nothing in the present part
/// defines: parameters, variables.
pub(super) fn missing(
    restoring: &Restoring<'_>,
    brought: &[&str],
    old: &Tree,
    was: Option<Span>,
    new: &Tree,
    now: Option<Span>,
) -> Vec<Span> {
    let (Some(was), Some(now)) = (was, now) else {
        return Vec::new();
    };
    let mut had = HashMap::new();
    definers(old.root_node(), restoring.was, Some(was), &mut had);
    let mut present = HashMap::new();
    definers(new.root_node(), restoring.now, Some(now), &mut present);
    used(brought)
        .into_iter()
        .filter(|name| !present.contains_key(*name))
        .filter_map(|name| had.get(name).and_then(|spans: &Vec<Span>| spans.first()))
        .copied()
        .filter(|span| *span != was)
        .collect()
}

/// What binds the names of a span: in a part of the text, else at its top.
pub(super) fn definers_of(tree: &Tree, text: &str, within: Option<Span>, span: Span) -> Vec<Span> {
    let mut had = HashMap::new();
    match within {
        Some(_) => definers(tree.root_node(), text, within, &mut had),
        None => top(tree.root_node(), text, &mut had),
    }
    let mut found: Vec<Span> = used(&[text.get(span.range()).unwrap_or_default()])
        .into_iter()
        .filter_map(|name| had.get(name))
        .flatten()
        .copied()
        .filter(|one| *one != span)
        .collect();
    found.sort();
    found.dedup();
    found
}

/// What defines a name at the top of a text.
pub(super) fn top_of(tree: &Tree, text: &str, name: &str) -> Option<Span> {
    let mut had = HashMap::new();
    top(tree.root_node(), text, &mut had);
    had.get(name)?.first().copied()
}

/// The names in what edits take out that the earlier text doesn't know: what they stand for came with it.
pub(super) fn dropped(restoring: &Restoring<'_>, edits: &[(Span, String)]) -> Vec<String> {
    let known = used(&[restoring.was]);
    let out: Vec<&str> = edits
        .iter()
        .filter_map(|(span, _)| restoring.now.get(span.range()))
        .collect();
    let mut found: Vec<String> = used(&out)
        .into_iter()
        .filter(|word| !known.contains(word))
        .map(str::to_owned)
        .collect();
    found.sort();
    found
}

/// What defines the names that `brought` uses at the top of the earlier text, and that nothing at the top of the present
/// one defines: imports, functions, constants.
pub(super) fn missing_above(
    restoring: &Restoring<'_>,
    brought: &[&str],
    old: &Tree,
    new: &Tree,
) -> Vec<Span> {
    let mut had = HashMap::new();
    top(old.root_node(), restoring.was, &mut had);
    let mut has = HashMap::new();
    top(new.root_node(), restoring.now, &mut has);
    used(brought)
        .into_iter()
        .filter(|name| !has.contains_key(*name))
        .filter_map(|name| had.get(name).and_then(|spans: &Vec<Span>| spans.first()))
        .copied()
        .collect()
}

/// The names in texts, without those behind a dot.
fn used<'s>(texts: &[&'s str]) -> HashSet<&'s str> {
    let mut found = HashSet::new();
    for text in texts {
        let mut start = None;
        let mut dotted = false;
        let (mut last, mut before) = (' ', ' ');
        let ends = text.char_indices().chain([(text.len(), ' ')]);
        for (at, c) in ends {
            let part = c.is_alphanumeric() || c == '_' || c == '$';
            if part && start.is_none() {
                start = Some(at);
                dotted = last == '.' || (last == ':' && before == ':');
            }
            if !part && let Some(from) = start.take() {
                let word = text.get(from..at).unwrap_or_default();
                if !dotted && !word.starts_with(|c: char| c.is_ascii_digit()) {
                    found.insert(word);
                }
            }
            (before, last) = (last, c);
        }
    }
    found
}

fn span(node: Node<'_>) -> Span {
    let at = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    Span {
        start: at(node.start_byte()),
        end: at(node.end_byte()),
    }
}

fn is_name(node: Node<'_>) -> bool {
    node.child_count() == 0 && node.kind().contains("identifier")
}

/// The names that are bound inside a part of a text, each with what binds it.
fn definers<'s>(
    root: Node<'_>,
    text: &'s str,
    part: Option<Span>,
    found: &mut HashMap<&'s str, Vec<Span>>,
) {
    let mut stack = vec![root];
    while let Some(node) = stack.pop() {
        if let Some(part) = part
            && (node.end_byte() <= part.start as usize || node.start_byte() >= part.end as usize)
        {
            continue;
        }
        let binder = match node.kind() {
            "parameters" | "formal_parameters" | "closure_parameters" | "lambda_parameters" => {
                for parameter in children(node) {
                    if parameter.is_named() {
                        bound(parameter, parameter, text, found);
                    }
                }
                None
            }
            "assignment" => node.child_by_field_name("left"),
            "let_declaration" | "let_condition" => node.child_by_field_name("pattern"),
            "variable_declarator" => node.child_by_field_name("name"),
            "as_pattern" => node.child_by_field_name("alias"),
            _ => None,
        };
        if let Some(binder) = binder {
            let whole = match node.parent() {
                Some(parent)
                    if matches!(
                        parent.kind(),
                        "lexical_declaration" | "variable_declaration" | "expression_statement"
                    ) =>
                {
                    parent
                }
                _ => node,
            };
            bound(binder, whole, text, found);
        }
        let mut inside = children(node);
        inside.reverse();
        stack.extend(inside);
    }
}

/// The names of a pattern. Types and defaults are none.
fn bound<'s>(
    pattern: Node<'_>,
    whole: Node<'_>,
    text: &'s str,
    found: &mut HashMap<&'s str, Vec<Span>>,
) {
    let mut stack = vec![pattern];
    while let Some(node) = stack.pop() {
        if is_name(node) && node.kind() != "type_identifier" {
            let name = text.get(node.byte_range()).unwrap_or_default();
            found.entry(name).or_default().push(span(whole));
            continue;
        }
        for (index, child) in children(node).into_iter().enumerate() {
            let field = u32::try_from(index)
                .ok()
                .and_then(|index| node.field_name_for_child(index));
            if !matches!(field, Some("type" | "value" | "right" | "key")) && child.is_named() {
                stack.push(child);
            }
        }
    }
}

/// The names that the top of a text defines, each with what does.
fn top<'s>(root: Node<'_>, text: &'s str, found: &mut HashMap<&'s str, Vec<Span>>) {
    for item in children(root) {
        let mut node = item;
        if item.kind() == "export_statement"
            && let Some(inner) = item.child_by_field_name("declaration")
        {
            node = inner;
        }
        match node.kind() {
            "import_statement" | "import_from_statement" | "use_declaration" => {
                imported(node, item, text, found);
            }
            "expression_statement" | "lexical_declaration" | "variable_declaration" => {
                let mut inner = HashMap::new();
                for child in children(node) {
                    let binder = child
                        .child_by_field_name("left")
                        .filter(|_| child.kind() == "assignment")
                        .or_else(|| {
                            child
                                .child_by_field_name("name")
                                .filter(|_| child.kind() == "variable_declarator")
                        });
                    if let Some(binder) = binder {
                        bound(binder, item, text, &mut inner);
                    }
                }
                for (name, spans) in inner {
                    found.entry(name).or_default().extend(spans);
                }
            }
            "decorated_definition" => {
                let name = node
                    .child_by_field_name("definition")
                    .and_then(|inner| inner.child_by_field_name("name"));
                if let Some(name) = name.and_then(|name| text.get(name.byte_range())) {
                    found.entry(name).or_default().push(span(item));
                }
            }
            _ => {
                let name = node.child_by_field_name("name");
                if let Some(name) = name.and_then(|name| text.get(name.byte_range())) {
                    found.entry(name).or_default().push(span(item));
                }
            }
        }
    }
}

/// The local names of an import, each with the part of it that brings it.
fn imported<'s>(
    node: Node<'_>,
    item: Node<'_>,
    text: &'s str,
    found: &mut HashMap<&'s str, Vec<Span>>,
) {
    let module = node.child_by_field_name("module_name");
    let mut stack: Vec<(Node<'_>, Node<'_>)> = children(node)
        .into_iter()
        .filter(|child| child.is_named() && Some(*child) != module)
        .map(|child| (child, item))
        .collect();
    while let Some((node, whole)) = stack.pop() {
        let local = match node.kind() {
            "aliased_import" | "use_as_clause" | "import_specifier" => node
                .child_by_field_name("alias")
                .or_else(|| node.child_by_field_name("name")),
            "dotted_name" => node.named_child(0),
            "scoped_identifier" => node.child_by_field_name("name"),
            _ if is_name(node) => Some(node),
            _ => None,
        };
        if let Some(local) = local {
            let name = text.get(local.byte_range()).unwrap_or_default();
            let whole = if node.kind() == "dotted_name" && module.is_some()
                || node.kind() == "aliased_import"
                || node.kind() == "import_specifier"
                || node
                    .parent()
                    .is_some_and(|parent| parent.kind() == "use_list")
            {
                node
            } else {
                whole
            };
            found.entry(name).or_default().push(span(whole));
            continue;
        }
        // Of a list with a path in front, the list alone.
        let path = node.child_by_field_name("path");
        for child in children(node) {
            if child.is_named() && Some(child) != path {
                stack.push((child, whole));
            }
        }
    }
}
