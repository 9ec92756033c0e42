//! Finds in a tree what stands around a span, or what a name stands for.

use gatewatch_source::SourceFile;
use tree_sitter::Node;

use super::piece::{self, Piece, Shape};
use super::{Reading, names};
use crate::Span;
use crate::file::usable;
use crate::kinds::{Role, Slot};
use crate::queries::language;

/// The statement, definition or decorator around a part of a file.
pub fn statement(read: &Reading<'_>, file: SourceFile, span: Span) -> Option<Span> {
    let kinds = &usable(language(read.db, file)?)?.kinds;
    let tree = read.tree(file)?;
    let (start, end) = (span.start as usize, span.end as usize);
    let mut node = tree.root_node().descendant_for_byte_range(start, end)?;
    while let Some(parent) = node.parent() {
        if Piece::new(parent).shape(kinds) == Shape::Lines {
            break;
        }
        node = parent;
    }
    span_of(node)
}

/// Of a class, what stands in it beside its methods: its bases and decorators, its fields.
pub fn members(read: &Reading<'_>, file: SourceFile, name: Span) -> Option<(Span, Vec<Span>)> {
    let tree = read.tree(file)?;
    let (start, end) = (name.start as usize, name.end as usize);
    let class = tree
        .root_node()
        .descendant_for_byte_range(start, end)?
        .parent()?;
    let mut found = Vec::new();
    for field in ["superclasses", "class_heritage"] {
        found.extend(class.child_by_field_name(field).and_then(span_of));
    }
    let body = class.child_by_field_name("body")?;
    for member in piece::children(body) {
        if member.is_named() && !piece::is_definition(member) {
            found.extend(span_of(member));
        }
    }
    let mut whole = class;
    if let Some(parent) = class.parent()
        && parent.kind() == "decorated_definition"
    {
        whole = parent;
        for decorator in piece::children(parent) {
            if decorator.kind() == "decorator" {
                found.extend(span_of(decorator));
            }
        }
    }
    Some((span_of(whole)?, found))
}

/// The parameter of a function in which a span stands.
pub fn parameter(read: &Reading<'_>, file: SourceFile, span: Span) -> Option<Span> {
    let tree = read.tree(file)?;
    let (start, end) = (span.start as usize, span.end as usize);
    let mut node = tree.root_node().descendant_for_byte_range(start, end)?;
    loop {
        let parent = node.parent()?;
        if parent.kind().ends_with("parameters") {
            return span_of(node);
        }
        if parent.kind().contains("block") || parent.kind().ends_with("body") {
            return None;
        }
        node = parent;
    }
}

/// What defines a name at the top of a file.
pub fn top_level(read: &Reading<'_>, file: SourceFile, name: &str) -> Option<Span> {
    let tree = read.tree(file)?;
    names::top_of(&tree, &file.text(read.db), name)
}

/// What binds, in a part of a file, the names that stand in a span of it.
pub fn definers(
    read: &Reading<'_>,
    file: SourceFile,
    within: Option<Span>,
    span: Span,
) -> Vec<Span> {
    let Some(tree) = read.tree(file) else {
        return Vec::new();
    };
    names::definers_of(&tree, &file.text(read.db), within, span)
}

/// The element of a registration that says `word`: of a list in it, else of its arguments.
pub fn element(read: &Reading<'_>, file: SourceFile, span: Span, word: &str) -> Option<Span> {
    let kinds = &usable(language(read.db, file)?)?.kinds;
    let text = &file.text(read.db);
    let tree = read.tree(file)?;
    let (start, end) = (span.start as usize, span.end as usize);
    let whole = tree.root_node().descendant_for_byte_range(start, end)?;
    let field = kinds.field(whole.kind_id(), Slot::Arguments);
    let within = field
        .and_then(|field| whole.child_by_field_id(field))
        .unwrap_or(whole);
    let mut leaf = None;
    let mut stack = vec![within];
    while let Some(node) = stack.pop() {
        if node.child_count() == 0 {
            if text.get(node.byte_range()) == Some(word) {
                leaf = Some(node);
                break;
            }
            continue;
        }
        // The last one first.
        stack.extend(piece::children(node));
    }
    let mut node = leaf?;
    let mut found = node;
    while let Some(parent) = node.parent() {
        let listed = Piece::new(parent).shape(kinds) == Shape::List;
        if listed {
            found = node;
        }
        let literal = listed
            && !parent
                .parent()
                .is_some_and(|above| kinds.role(above.kind_id()) == Role::Call);
        // What is given to a link of a chain.
        let linked = listed
            && parent
                .parent()
                .is_some_and(|call| call != whole && Piece::new(call).shape(kinds) == Shape::Chain);
        if literal || linked || parent == whole || parent == within {
            break;
        }
        node = parent;
    }
    span_of(found)
}

fn span_of(node: Node<'_>) -> Option<Span> {
    Some(Span {
        start: u32::try_from(node.start_byte()).ok()?,
        end: u32::try_from(node.end_byte()).ok()?,
    })
}
