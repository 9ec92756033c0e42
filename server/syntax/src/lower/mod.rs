//! From a syntax tree to facts: the part that all languages share.
//!
//! [`Lowering`] walks a tree once, looks each node's kind up in the grammar's [`Kinds`] and builds the
//! arenas. What a table can't say is done by the language's [`Adapter`].

mod builder;
mod definitions;
mod expressions;
mod reuse;
mod statements;

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use tree_sitter::Node;
use ustr::{Ustr, ustr};

use crate::facts::{Body, Expr, Item, Operator, Run, StmtId};
use crate::kinds::{Kinds, Slot};
use crate::spans::{ItemSpans, Span, Spans};
use crate::unfinished;
use builder::Builder;
pub(crate) use reuse::{LoweredBody, LoweredItem, Reuse, text_hash, text_key};

/// Nesting beyond which the facts stop: deeper nodes are [`Expr::Unknown`]. It keeps hostile input
/// from exhausting the stack; real code stays far below.
const MAX_DEPTH: u32 = 200;

/// As [`MAX_DEPTH`], of the links of chains (`a.b().c()…`): a router of some hundred routes is one chain
/// that nests to the left as deep as it is long. All chains around a node count together, so facts
/// never nest deeper than both limits together.
const MAX_LINKS: u32 = 640;

/// How deep parts that are parsed again ([`Lowering::part`]) may nest: each level reads the text inside
/// of it once more.
const MAX_PARTS: u32 = 8;

/// How many branches a chain of `else if` keeps; it nests as deep as it is long.
pub(crate) const MAX_BRANCHES: usize = 200;

/// What one language needs beside its table.
pub(crate) trait Adapter: Sync {
    /// Lowers an expression, type or pattern whose kind is special.
    fn expr(&self, lower: &mut Lowering<'_>, node: Node<'_>) -> Expr;

    /// Lowers a statement whose kind is special; anything that is no statement of its own should go
    /// to [`Lowering::expression_statement`].
    fn stmt(&self, lower: &mut Lowering<'_>, node: Node<'_>, out: &mut Vec<StmtId>);

    /// Called before a [`Role::Let`](crate::kinds::Role::Let) or [`Role::Assign`](crate::kinds::Role::Assign) statement is lowered generically; `true` if the adapter
    /// has done it (a `require`, an assignment to `module.exports`).
    fn assignment(
        &self,
        _lower: &mut Lowering<'_>,
        _node: Node<'_>,
        _out: &mut Vec<StmtId>,
    ) -> bool {
        false
    }

    /// Whether the grammar gives this kind of node the whole expression of an operator in front of it, where the language
    /// gives it the last operand alone: `a !== b!.c` is no member of `(a !== b)!`.
    fn binds_loosely(&self, _kind: &str) -> bool {
        false
    }

    /// Lowers statements that stand side by side: an item's nodes, or those of a block. `value` says that
    /// the last one can be the block's value.
    fn statements(
        &self,
        lower: &mut Lowering<'_>,
        nodes: &[Node<'_>],
        _value: bool,
        out: &mut Vec<StmtId>,
    ) {
        for &node in nodes {
            lower.stmt(node, out);
        }
    }

    /// Whether these top-level nodes, children of `root`, have no part in the facts at all (code for tests
    /// only).
    fn ignores(&self, _text: &str, _root: Node<'_>, _nodes: &[Node<'_>]) -> bool {
        false
    }

    /// A short name for a top-level node where the general rule (the name it defines, else the words it
    /// begins with) finds a worse one.
    fn key(&self, _text: &str, _node: Node<'_>) -> Option<String> {
        None
    }

    /// What an operator's text means.
    fn operator(&self, text: &str) -> Operator;

    /// The arguments of a call: `node` is its argument list.
    fn arguments(&self, lower: &mut Lowering<'_>, node: Node<'_>) -> Run;

    /// The arguments of a call whose callee says something of them as well; `node` is the call.
    fn call_arguments(
        &self,
        lower: &mut Lowering<'_>,
        _node: Node<'_>,
        arguments: Node<'_>,
    ) -> Run {
        self.arguments(lower, arguments)
    }
}

/// One pass over one item.
pub(crate) struct Lowering<'a> {
    /// The whole file's text.
    pub(crate) text: &'a str,
    kinds: &'a Kinds,
    adapter: &'a dyn Adapter,
    reuse: Option<&'a Reuse>,
    stack: Vec<Builder>,
    done: Vec<(Body, u32, Arc<Spans>)>,
    /// Bodies lowered in this pass, for the next version's [`Reuse`].
    pub(crate) bodies: FxHashMap<(Ustr, u64, u32), LoweredBody>,
    /// How often an id was asked for in this item.
    ids: FxHashMap<Ustr, u32>,
    /// Names of the scopes around, joined by `.`.
    scope: Vec<Ustr>,
    depth: u32,
    links: u32,
    parts: u32,
    /// How many places of this item are unfinished, as far as its bodies are lowered.
    unfinished: u32,
    /// The nodes of those bodies.
    counted: FxHashSet<usize>,
    /// Whether there is any note in the file.
    has_notes: bool,
}

impl<'a> Lowering<'a> {
    pub(crate) fn new(
        text: &'a str,
        kinds: &'a Kinds,
        adapter: &'a dyn Adapter,
        reuse: Option<&'a Reuse>,
    ) -> Self {
        Self {
            text,
            kinds,
            adapter,
            reuse,
            stack: Vec::new(),
            done: Vec::new(),
            bodies: FxHashMap::default(),
            ids: FxHashMap::default(),
            scope: Vec::new(),
            depth: 0,
            links: 0,
            parts: 0,
            unfinished: 0,
            counted: FxHashSet::default(),
            has_notes: text.contains("gatewatch:"),
        }
    }

    /// Lowers the top-level nodes of one item (a note comment and attributes may stand before the
    /// definition they belong to) under this key.
    pub(crate) fn item(&mut self, nodes: &[Node<'_>], key: Ustr) -> LoweredItem {
        let start = nodes.first().map_or(0, |node| offset(node.start_byte()));
        let end = nodes.last().map_or(start, |node| offset(node.end_byte()));
        self.ids.clear();
        self.unfinished = 0;
        self.counted.clear();
        self.scope = vec![key];
        self.stack.push(Builder {
            origin: start,
            ..Builder::default()
        });
        let mut statements = Vec::new();
        self.adapter.statements(self, nodes, false, &mut statements);
        let root = self.block_of(&statements);
        let (code, spans) = self.stack.pop().unwrap_or_default().finish(root);
        let mut done = std::mem::take(&mut self.done);
        done.sort_by_key(|(_, origin, _)| *origin);
        let mut bodies = Vec::with_capacity(done.len());
        let mut body_spans = Vec::with_capacity(done.len());
        for (body, origin, spans) in done {
            bodies.push(body);
            body_spans.push((origin - start, spans));
        }
        let mut unfinished = 0;
        if self.reuse.is_some() {
            unfinished = self.unfinished + unfinished::unfinished(self.text, nodes, &self.counted);
        }
        LoweredItem {
            item: Arc::new(Item {
                key,
                head: Arc::new(code),
                bodies: bodies.into(),
            }),
            spans: Arc::new(ItemSpans {
                whole: Span { start, end },
                head: Arc::new(spans),
                bodies: body_spans.into(),
            }),
            text: text_hash(
                self.text
                    .get(start as usize..end as usize)
                    .unwrap_or_default(),
            ),
            broken: nodes.iter().any(Node::has_error),
            unfinished,
            doubtful: false,
            hidden: false,
        }
    }

    /// A node's text.
    pub(crate) fn text(&self, node: Node<'_>) -> &'a str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    /// A node's text as a name.
    pub(crate) fn name(&self, node: Node<'_>) -> Ustr {
        ustr(self.text(node))
    }

    /// The child in a slot of the node's role.
    pub(crate) fn slot<'t>(&self, node: Node<'t>, slot: Slot) -> Option<Node<'t>> {
        node.child_by_field_id(self.kinds.field(node.kind_id(), slot)?)
    }
}

/// The key or id without the `#n` of a duplicate.
pub(crate) fn base_of(key: &str) -> &str {
    match key.rsplit_once('#') {
        Some((base, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => base,
        _ => key,
    }
}

/// A size as the 32 bits that facts use; files are far smaller than that.
pub(crate) fn offset(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// A node's named children, in order.
pub(crate) fn named<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).collect()
}

/// A node's first named child that is no comment.
pub(crate) fn first_named<'t>(node: Node<'t>) -> Option<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .find(|child| !child.is_extra())
}
