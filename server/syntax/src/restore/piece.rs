//! A text as pieces inside pieces, in the way in which people change it: a chain of calls is a row of links, a list has
//! elements and no commas.

use tree_sitter::Node;

use crate::Span;
use crate::kinds::{Kinds, Role, Slot};

/// How the pieces inside a piece are put together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// Nothing inside.
    Leaf,
    /// A fixed place for each.
    Fixed,
    /// Elements with commas between.
    List,
    /// Statements, decorators: each on lines of its own.
    Lines,
    /// What is called on what was called: `Router::new().route(…).layer(…)`.
    Chain,
}

/// A part of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'t> {
    pub(super) node: Node<'t>,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Of a chain: this is one link of it.
    link: bool,
    /// What is below a definition that has no decorators.
    bare: bool,
    /// The place that the grammar gives it in what it is in.
    field: Option<&'static str>,
}

/// The kinds of nodes that hold statements or members, beside blocks.
const HOLDERS: [&str; 8] = [
    "module",
    "program",
    "source_file",
    "declaration_list",
    "class_body",
    "decorated_definition",
    "match_block",
    "switch_body",
];

/// The kinds of nodes that hold elements.
const LISTS: [&str; 24] = [
    "argument_list",
    "arguments",
    "parameters",
    "formal_parameters",
    "lambda_parameters",
    "closure_parameters",
    "list",
    "array",
    "array_expression",
    "tuple",
    "tuple_expression",
    "set",
    "dictionary",
    "object",
    "object_pattern",
    "array_pattern",
    "named_imports",
    "export_clause",
    "use_list",
    "import_from_statement",
    "field_initializer_list",
    "field_declaration_list",
    "type_arguments",
    "expression_list",
];

/// The kinds of nodes that define something with a body.
pub(super) fn is_definition(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "function_definition"
            | "class_definition"
            | "decorated_definition"
            | "function_declaration"
            | "class_declaration"
            | "method_definition"
            | "function_item"
            | "impl_item"
            | "mod_item"
            | "struct_item"
            | "enum_item"
            | "trait_item"
    )
}

impl<'t> Piece<'t> {
    pub(super) fn new(node: Node<'t>) -> Self {
        let bare = matches!(node.kind(), "function_definition" | "class_definition")
            && node
                .parent()
                .is_none_or(|parent| parent.kind() != "decorated_definition");
        Self {
            node,
            start: node.start_byte(),
            end: node.end_byte(),
            link: false,
            bare,
            field: None,
        }
    }

    /// Whether two pieces have the same place in things of one kind.
    pub(super) fn same_field(&self, other: &Piece<'_>) -> bool {
        self.field.is_some() && self.field == other.field
    }

    pub(super) fn is_link(&self) -> bool {
        self.link
    }

    pub(super) fn text<'s>(&self, text: &'s str) -> &'s str {
        text.get(self.start..self.end).unwrap_or_default()
    }

    /// What a chain is built on: what this takes a member of, or calls a member of.
    fn inner(&self, kinds: &Kinds) -> Option<Node<'t>> {
        if self.link {
            return None;
        }
        below(self.node, kinds)
    }

    pub(super) fn shape(&self, kinds: &Kinds) -> Shape {
        if self.bare {
            return Shape::Lines;
        }
        if self.link {
            return Shape::Fixed;
        }
        if self.node.child_count() == 0 || is_text(self.node) {
            return Shape::Leaf;
        }
        if is_dotted(self.node, kinds) {
            return Shape::Leaf;
        }
        if self.inner(kinds).is_some() {
            return Shape::Chain;
        }
        let kind = self.node.kind();
        if kinds.role(self.node.kind_id()) == Role::Block || HOLDERS.contains(&kind) {
            return Shape::Lines;
        }
        if LISTS.contains(&kind) {
            return Shape::List;
        }
        Shape::Fixed
    }

    /// The pieces inside, in order.
    pub(super) fn inside(&self, kinds: &Kinds) -> Vec<Piece<'t>> {
        match self.shape(kinds) {
            Shape::Leaf => Vec::new(),
            Shape::Chain => self.links(kinds),
            Shape::Lines if self.bare => vec![Self {
                bare: false,
                ..*self
            }],
            Shape::List => {
                let module = self.node.child_by_field_name("module_name");
                children(self.node)
                    .into_iter()
                    .filter(|child| child.is_named() && Some(*child) != module && !child.is_extra())
                    .map(Self::new)
                    .collect()
            }
            Shape::Lines => children(self.node)
                .into_iter()
                .filter(Node::is_named)
                .map(|node| Self {
                    // The definition below decorators.
                    bare: Self::new(node).bare && self.node.kind() != "decorated_definition",
                    ..Self::new(node)
                })
                .collect(),
            Shape::Fixed if self.link => {
                let inner = below(self.node, kinds).map_or(self.start, |inner| inner.end_byte());
                let mut found = Vec::new();
                for child in children(self.node) {
                    if child.start_byte() >= inner {
                        found.push(Self::new(child));
                    } else if child.end_byte() > inner {
                        // The member that is called.
                        let parts = children(child).into_iter();
                        found.extend(
                            parts
                                .filter(|part| part.start_byte() >= inner)
                                .map(Self::new),
                        );
                    }
                }
                found
            }
            Shape::Fixed => children(self.node)
                .into_iter()
                .zip(0..)
                .map(|(child, index)| Self {
                    field: self.node.field_name_for_child(index),
                    ..Self::new(child)
                })
                .collect(),
        }
    }

    /// Of a chain: what it begins with, and its links.
    pub(super) fn links(&self, kinds: &Kinds) -> Vec<Piece<'t>> {
        let mut found = Vec::new();
        let mut node = self.node;
        while let Some(inner) = below(node, kinds) {
            let start = children_after(node, inner).unwrap_or(inner.end_byte());
            found.push(Self {
                node,
                start,
                end: node.end_byte(),
                link: true,
                bare: false,
                field: None,
            });
            node = inner;
        }
        found.push(Self::new(node));
        found.reverse();
        found
    }

    /// The name by which people know this piece among its neighbours; empty without one.
    pub(super) fn label<'s>(&self, text: &'s str, kinds: &Kinds) -> &'s str {
        let of = |node: Node<'_>| text.get(node.byte_range()).unwrap_or_default();
        if self.link {
            let inside = self.inside(kinds);
            return inside
                .iter()
                .find(|piece| piece.node.is_named() && piece.node.child_count() == 0)
                .map_or("", |piece| piece.text(text));
        }
        let mut node = self.node;
        for _ in 0..6 {
            for field in [
                "name",
                "key",
                "pattern",
                "left",
                "module_name",
                "source",
                "attribute",
                "path",
            ] {
                if let Some(named) = node.child_by_field_name(field)
                    && kinds.role(node.kind_id()) != Role::Attribute
                {
                    return of(named);
                }
            }
            match node.kind() {
                "typed_parameter" => return node.named_child(0).map_or("", of),
                "use_declaration" => {
                    let path = node.child_by_field_name("argument").map_or("", of);
                    return path.split("::{").next().unwrap_or_default();
                }
                _ => {}
            }
            if kinds.role(node.kind_id()) == Role::Call {
                let callee = kinds.field(node.kind_id(), Slot::Callee);
                let callee = callee.and_then(|field| node.child_by_field_id(field));
                let callee = callee.map_or("", of);
                // A chain is known by what it begins with.
                return callee.split(['(', '\n']).next().unwrap_or_default();
            }
            let down = match node.kind() {
                "expression_statement"
                | "decorator"
                | "attribute_item"
                | "decorated_definition"
                | "export_statement"
                | "lexical_declaration"
                | "variable_declaration"
                | "await_expression"
                | "await" => node.named_child(
                    u32::try_from(node.named_child_count().saturating_sub(1)).unwrap_or(0),
                ),
                _ => None,
            };
            match down {
                Some(inner) => node = inner,
                None => return "",
            }
        }
        ""
    }
}

/// Whether a node is names and dots alone, which people read as one word.
fn is_dotted(node: Node<'_>, kinds: &Kinds) -> bool {
    let mut node = node;
    while kinds.role(node.kind_id()) == Role::Attribute {
        match below(node, kinds) {
            Some(inner) => node = inner,
            None => return false,
        }
    }
    node.child_count() == 0
}

/// What a call of a member, a member, an `await` or a `?` behind something stands on.
fn below<'t>(node: Node<'t>, kinds: &Kinds) -> Option<Node<'t>> {
    let slot = |node: Node<'t>, slot| {
        let field = kinds.field(node.kind_id(), slot)?;
        node.child_by_field_id(field)
    };
    match kinds.role(node.kind_id()) {
        Role::Call => {
            let callee = slot(node, Slot::Callee)?;
            match kinds.role(callee.kind_id()) {
                Role::Attribute => slot(callee, Slot::Base),
                _ => None,
            }
        }
        Role::Attribute => slot(node, Slot::Base),
        // Written behind what they are for.
        Role::Await | Role::Try => node
            .named_child(0)
            .filter(|inner| inner.start_byte() == node.start_byte()),
        _ => None,
    }
}

/// Where the first thing behind `inner` starts.
fn children_after(node: Node<'_>, inner: Node<'_>) -> Option<usize> {
    let mut at = node;
    loop {
        let inside = children(at);
        if let Some(next) = inside
            .iter()
            .find(|child| child.start_byte() >= inner.end_byte())
            && inside.contains(&inner)
        {
            return Some(next.start_byte());
        }
        at = *inside
            .iter()
            .find(|child| child.start_byte() <= inner.start_byte() && child.id() != inner.id())?;
    }
}

/// Whether a node is one word to people, whatever the grammar sees in it.
fn is_text(node: Node<'_>) -> bool {
    node.kind().ends_with("comment")
        || matches!(
            node.kind(),
            "string" | "string_literal" | "raw_string_literal" | "regex" | "concatenated_string"
        ) && !children(node)
            .iter()
            .any(|child| child.kind() == "interpolation")
}

pub(super) fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.children(&mut cursor).collect()
}

/// The words of a piece, in order.
pub(super) fn words<'s>(piece: &Piece<'_>, text: &'s str, found: &mut Vec<&'s str>) {
    words_outside(piece, text, &[], found);
}

/// The words of a piece that are in none of some spans.
pub(super) fn words_outside<'s>(
    piece: &Piece<'_>,
    text: &'s str,
    spans: &[Span],
    found: &mut Vec<&'s str>,
) {
    let mut stack = vec![piece.node];
    while let Some(node) = stack.pop() {
        let skipped = spans.iter().any(|span| {
            span.start as usize <= node.start_byte() && node.end_byte() <= span.end as usize
        });
        if node.end_byte() <= piece.start || skipped {
            continue;
        }
        if node.child_count() == 0 || is_text(node) {
            if node.start_byte() >= piece.start && !node.is_extra() {
                let word = text.get(node.byte_range()).unwrap_or_default();
                found.push(word);
            }
            continue;
        }
        let mut inside = children(node);
        inside.reverse();
        stack.extend(inside);
    }
}
