//! From a syntax tree to facts: the part that all languages share.
//!
//! [`Lowering`] walks a tree once, looks each node's kind up in the grammar's [`Kinds`] and builds the
//! arenas. What a table can't say is done by the language's [`Adapter`].

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHasher};
use tree_sitter::Node;
use ustr::{Ustr, ustr};

use crate::facts::{
    Arg, ArgKind, Arm, BlockId, Body, Class, Code, Expr, ExprId, Function, Handler, Import, Item,
    Language, Mark, Operator, Run, Stmt, StmtId,
};
use crate::file::parse_part;
use crate::kinds::{Kinds, Role, Slot};
use crate::spans::{DefinitionSpans, ItemSpans, Span, Spans};

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

    /// Called before a [`Role::Let`] or [`Role::Assign`] statement is lowered generically; `true` if the adapter
    /// has done it (a `require`, an assignment to `module.exports`).
    fn assignment(
        &self,
        _lower: &mut Lowering<'_>,
        _node: Node<'_>,
        _out: &mut Vec<StmtId>,
    ) -> bool {
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

/// The arenas of one code while they grow.
#[derive(Default)]
struct Builder {
    exprs: Vec<Expr>,
    stmts: Vec<Stmt>,
    blocks: Vec<Run>,
    lists: Vec<u32>,
    args: Vec<Arg>,
    arms: Vec<Arm>,
    handlers: Vec<Handler>,
    strings: Vec<Box<str>>,
    functions: Vec<Function>,
    classes: Vec<Class>,
    imports: Vec<Import>,
    marks: Vec<Mark>,
    expr_spans: Vec<Span>,
    stmt_spans: Vec<Span>,
    function_spans: Vec<DefinitionSpans>,
    class_spans: Vec<DefinitionSpans>,
    /// Byte offset in the file that this code's spans are relative to.
    origin: u32,
    /// The function whose body this is.
    function: Option<Ustr>,
}

impl Builder {
    fn finish(self, root: BlockId) -> (Code, Spans) {
        let code = Code {
            exprs: self.exprs.into(),
            stmts: self.stmts.into(),
            blocks: self.blocks.into(),
            lists: self.lists.into(),
            args: self.args.into(),
            arms: self.arms.into(),
            handlers: self.handlers.into(),
            strings: self.strings.into(),
            functions: self.functions.into(),
            classes: self.classes.into(),
            imports: self.imports.into(),
            marks: self.marks.into(),
            root,
        };
        let spans = Spans {
            exprs: self.expr_spans.into(),
            stmts: self.stmt_spans.into(),
            functions: self.function_spans.into(),
            classes: self.class_spans.into(),
        };
        (code, spans)
    }
}

/// A lowered body with everything inside it, positions relative to its own start.
#[derive(Clone)]
pub(crate) struct LoweredBody {
    bodies: Vec<(Body, u32, Arc<Spans>)>,
}

/// A lowered item.
#[derive(Clone)]
pub(crate) struct LoweredItem {
    /// Its facts.
    pub(crate) item: Arc<Item>,
    /// Their places.
    pub(crate) spans: Arc<ItemSpans>,
    /// Hash and length of the text it was lowered from.
    pub(crate) text: (u64, u32),
    /// Whether the parser found an error inside.
    pub(crate) broken: bool,
    /// Whether the parser found an error right before it: a decorator that is being typed, say.
    pub(crate) doubtful: bool,
    /// Whether it has no part in the facts ([`Adapter::ignores`]). It is known only so that an error elsewhere
    /// doesn't make it appear.
    pub(crate) hidden: bool,
}

impl LoweredItem {
    /// An item that has no part in the facts.
    pub(crate) fn hidden(whole: Span, text: (u64, u32), broken: bool) -> Self {
        Self {
            item: Arc::new(Item {
                key: ustr(""),
                head: Arc::default(),
                bodies: Box::default(),
            }),
            spans: Arc::new(ItemSpans {
                whole,
                ..ItemSpans::default()
            }),
            text,
            broken,
            doubtful: false,
            hidden: true,
        }
    }
}

/// What an earlier version of the same file has lowered already: an item or body whose text is the
/// same needn't be lowered again. It never changes the result, only its cost.
#[derive(Default)]
pub(crate) struct Reuse {
    pub(crate) items: FxHashMap<(u64, u32), LoweredItem>,
    pub(crate) bodies: FxHashMap<(Ustr, u64, u32), LoweredBody>,
}

pub(crate) fn text_hash(text: &str) -> (u64, u32) {
    let mut hasher = FxHasher::default();
    text.hash(&mut hasher);
    (
        hasher.finish(),
        u32::try_from(text.len()).unwrap_or(u32::MAX),
    )
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
            has_notes: text.contains("gatewatch:"),
        }
    }

    /// Lowers the top-level nodes of one item (a note comment and attributes may stand before the
    /// definition they belong to) under this key.
    pub(crate) fn item(&mut self, nodes: &[Node<'_>], key: Ustr) -> LoweredItem {
        let start = nodes.first().map_or(0, |node| offset(node.start_byte()));
        let end = nodes.last().map_or(start, |node| offset(node.end_byte()));
        self.ids.clear();
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
            doubtful: false,
            hidden: false,
        }
    }

    // ---- arenas -------------------------------------------------------------------------------

    fn top(&mut self) -> &mut Builder {
        if self.stack.is_empty() {
            self.stack.push(Builder::default());
        }
        let last = self.stack.len() - 1;
        &mut self.stack[last]
    }

    /// A node's span, relative to the code that is being built.
    pub(crate) fn span(&mut self, node: Node<'_>) -> Span {
        let origin = self.top().origin;
        Span {
            start: offset(node.start_byte()).saturating_sub(origin),
            end: offset(node.end_byte()).saturating_sub(origin),
        }
    }

    /// Adds an expression that stands at `node`.
    pub(crate) fn push(&mut self, expr: Expr, node: Node<'_>) -> ExprId {
        let span = self.span(node);
        let top = self.top();
        let id = ExprId(offset(top.exprs.len()));
        top.exprs.push(expr);
        top.expr_spans.push(span);
        id
    }

    /// Adds an expression that stands from one node to another.
    pub(crate) fn push_between(&mut self, expr: Expr, first: Node<'_>, last: Node<'_>) -> ExprId {
        let end = self.span(last).end;
        let id = self.push(expr, first);
        if let Some(span) = self.top().expr_spans.last_mut() {
            span.end = end;
        }
        id
    }

    /// Adds an expression that stands for a place without any text.
    pub(crate) fn push_nowhere(&mut self, expr: Expr) -> ExprId {
        let top = self.top();
        let id = ExprId(offset(top.exprs.len()));
        top.exprs.push(expr);
        top.expr_spans.push(Span::default());
        id
    }

    /// Adds a statement that stands at `node`.
    pub(crate) fn push_stmt(&mut self, stmt: Stmt, node: Node<'_>, out: &mut Vec<StmtId>) {
        let span = self.span(node);
        let top = self.top();
        let id = StmtId(offset(top.stmts.len()));
        top.stmts.push(stmt);
        top.stmt_spans.push(span);
        out.push(id);
    }

    /// Adds a literal's text.
    pub(crate) fn string(&mut self, text: &str) -> u32 {
        let top = self.top();
        let id = offset(top.strings.len());
        top.strings.push(text.into());
        id
    }

    /// Adds arguments, elements or entries.
    pub(crate) fn push_args(&mut self, args: &[Arg]) -> Run {
        let top = self.top();
        let start = offset(top.args.len());
        top.args.extend_from_slice(args);
        Run {
            start,
            len: offset(args.len()),
        }
    }

    /// Adds the parts of a template.
    pub(crate) fn push_parts(&mut self, parts: &[ExprId]) -> Run {
        let top = self.top();
        let start = offset(top.lists.len());
        top.lists.extend(parts.iter().map(|part| part.0));
        Run {
            start,
            len: offset(parts.len()),
        }
    }

    /// Adds the arms of a match.
    pub(crate) fn push_arms(&mut self, arms: &[Arm]) -> Run {
        let top = self.top();
        let start = offset(top.arms.len());
        top.arms.extend_from_slice(arms);
        Run {
            start,
            len: offset(arms.len()),
        }
    }

    /// Adds the handlers of a try.
    pub(crate) fn push_handlers(&mut self, handlers: &[Handler]) -> Run {
        let top = self.top();
        let start = offset(top.handlers.len());
        top.handlers.extend_from_slice(handlers);
        Run {
            start,
            len: offset(handlers.len()),
        }
    }

    /// Adds an import; [`Stmt::Import`] takes the index.
    pub(crate) fn push_import(&mut self, import: Import) -> u32 {
        let top = self.top();
        top.imports.push(import);
        offset(top.imports.len() - 1)
    }

    /// Adds a decorator of a parameter or field.
    pub(crate) fn push_mark(&mut self, mark: Mark) {
        self.top().marks.push(mark);
    }

    /// Makes a block of statements that have been added.
    pub(crate) fn block_of(&mut self, statements: &[StmtId]) -> BlockId {
        let top = self.top();
        let start = offset(top.lists.len());
        top.lists
            .extend(statements.iter().map(|statement| statement.0));
        top.blocks.push(Run {
            start,
            len: offset(statements.len()),
        });
        BlockId(offset(top.blocks.len() - 1))
    }

    /// An expression that was added to the code that is being built.
    pub(crate) fn get(&mut self, id: ExprId) -> Expr {
        self.top()
            .exprs
            .get(id.0 as usize)
            .copied()
            .unwrap_or(Expr::Unknown)
    }

    // ---- text ---------------------------------------------------------------------------------

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

    // ---- expressions --------------------------------------------------------------------------

    /// Goes one level deeper, as far as the nesting limit allows. For adapters that recurse by themselves.
    pub(crate) fn nested<T>(&mut self, go: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth >= MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        let result = go(self);
        self.depth -= 1;
        Some(result)
    }

    /// Parses a part of the text again, in place, as if it stood between `before` and `after`, and gives the
    /// tree's root to `go`. `None` if it doesn't parse, or parts nest too deep.
    pub(crate) fn part<T>(
        &mut self,
        language: Language,
        range: std::ops::Range<usize>,
        (before, after): (&str, &str),
        go: impl FnOnce(&mut Self, Node<'_>) -> Option<T>,
    ) -> Option<T> {
        if self.parts >= MAX_PARTS {
            return None;
        }
        let tree = parse_part(language, self.text, range, before, after)?;
        self.parts += 1;
        let result = go(self, tree.root_node());
        self.parts -= 1;
        result
    }

    /// Lowers an expression, type or pattern.
    pub(crate) fn expr(&mut self, node: Node<'_>) -> ExprId {
        if node.is_error() || node.is_missing() {
            return self.push(Expr::Unknown, node);
        }
        match self.nested(|lower| lower.chain(node)) {
            Some(id) => id,
            None => self.push(Expr::Unknown, node),
        }
    }

    /// Walks down the spine of a chain in a loop and builds it up again, so that its length costs no
    /// stack.
    fn chain(&mut self, node: Node<'_>) -> ExprId {
        let mut spine = Vec::new();
        let mut at = node;
        while let Some(head) = self.head(at) {
            spine.push(at);
            at = head;
        }
        let links = offset(spine.len());
        if self.links + links > MAX_LINKS {
            return self.push(Expr::Unknown, node);
        }
        self.links += links;
        let mut id = if at.is_error() || at.is_missing() {
            self.push(Expr::Unknown, at)
        } else {
            let expr = self.expr_of(at);
            self.push(expr, at)
        };
        for &node in spine.iter().rev() {
            let role = self.kinds.role(node.kind_id());
            if role != Role::Inner {
                let expr = self.link(role, node, id);
                id = self.push(expr, node);
            }
        }
        self.links -= links;
        id
    }

    /// The child in which a chain goes on to the left.
    fn head<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        match self.kinds.role(node.kind_id()) {
            Role::Attribute | Role::Index => self.slot(node, Slot::Base),
            Role::Call => self.slot(node, Slot::Callee),
            Role::Binary => self.slot(node, Slot::Left),
            Role::Inner | Role::Await | Role::Try => self.inner(node),
            _ => None,
        }
    }

    /// One link of a chain around its lowered head.
    fn link(&mut self, role: Role, node: Node<'_>, head: ExprId) -> Expr {
        match role {
            Role::Attribute => match self.slot(node, Slot::Member) {
                Some(member) => Expr::Attr {
                    base: head,
                    name: self.name(member),
                },
                None => Expr::Unknown,
            },
            Role::Index => {
                let index = self.slot_expr(node, Slot::Index);
                Expr::Index { base: head, index }
            }
            Role::Call => Expr::Call {
                callee: head,
                args: self.call_args(node),
            },
            Role::Binary => {
                let right = self.slot_expr(node, Slot::Right);
                let op = match self.slot(node, Slot::Operator) {
                    Some(operator) => self.adapter.operator(self.text(operator)),
                    None => Operator::Other,
                };
                Expr::Binary {
                    op,
                    left: head,
                    right,
                }
            }
            Role::Await => Expr::Await(head),
            Role::Try => Expr::Try(head),
            _ => Expr::Unknown,
        }
    }

    /// What a wrapper stands for: its slot `value`, or its first named child that says anything.
    fn inner<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        self.slot(node, Slot::Value).or_else(|| {
            let mut cursor = node.walk();
            node.named_children(&mut cursor)
                .find(|child| !child.is_extra() && self.kinds.role(child.kind_id()) != Role::Skip)
        })
    }

    fn slot_expr(&mut self, node: Node<'_>, slot: Slot) -> ExprId {
        match self.slot(node, slot) {
            Some(child) => self.expr(child),
            None => self.push(Expr::Unknown, node),
        }
    }

    /// The operand of a role with a single one: its slot `value`, or the first named child.
    fn operand(&mut self, node: Node<'_>) -> ExprId {
        match self.inner(node) {
            Some(child) => self.expr(child),
            None => self.push(Expr::Unknown, node),
        }
    }

    fn expr_of(&mut self, node: Node<'_>) -> Expr {
        match self.kinds.role(node.kind_id()) {
            Role::Name => Expr::Name(self.name(node)),
            role @ (Role::Attribute
            | Role::Index
            | Role::Call
            | Role::Binary
            | Role::Await
            | Role::Try) => {
                // Reached only where the chain's head is missing.
                let head = self.push(Expr::Unknown, node);
                self.link(role, node, head)
            }
            Role::New => {
                let callee = self.slot_expr(node, Slot::Callee);
                Expr::New {
                    callee,
                    args: self.call_args(node),
                }
            }
            Role::Number => Expr::Number(self.string(self.text(node))),
            Role::True => Expr::Bool(true),
            Role::False => Expr::Bool(false),
            Role::Null => Expr::Null,
            Role::List => Expr::List(self.elements(node)),
            Role::Tuple => Expr::Tuple(self.elements(node)),
            Role::Not => Expr::Not(self.operand(node)),
            Role::Unary => Expr::Unary(self.operand(node)),
            Role::Yield => Expr::Yield(self.operand(node)),
            Role::Spread | Role::SpreadMap => Expr::Spread(self.operand(node)),
            Role::Cond => {
                let test = self.slot_expr(node, Slot::Test);
                let then = self.slot_expr(node, Slot::Then);
                let otherwise = self.slot_expr(node, Slot::Otherwise);
                Expr::Cond {
                    test,
                    then,
                    otherwise,
                }
            }
            Role::Assign => {
                let target = self.slot_expr(node, Slot::Target);
                let value = self.slot_expr(node, Slot::Value);
                Expr::Assign { target, value }
            }
            Role::Block => {
                let block = self.block(node);
                Expr::Block(block)
            }
            Role::Special => self.adapter.expr(self, node),
            _ => Expr::Unknown,
        }
    }

    fn call_args(&mut self, node: Node<'_>) -> Run {
        match self.slot(node, Slot::Arguments) {
            Some(arguments) => self.adapter.call_arguments(self, node, arguments),
            None => Run::default(),
        }
    }

    /// The named children of a list-like node as elements.
    pub(crate) fn elements(&mut self, node: Node<'_>) -> Run {
        let mut args = Vec::new();
        for child in named(node) {
            match self.kinds.role(child.kind_id()) {
                Role::Comment | Role::Skip => {}
                role @ (Role::Spread | Role::SpreadMap) => {
                    let value = self.operand(child);
                    let kind = if role == Role::Spread {
                        ArgKind::Spread
                    } else {
                        ArgKind::SpreadMap
                    };
                    args.push(Arg { kind, value });
                }
                _ => {
                    let value = self.expr(child);
                    args.push(Arg {
                        kind: ArgKind::Positional,
                        value,
                    });
                }
            }
        }
        self.push_args(&args)
    }

    // ---- statements ---------------------------------------------------------------------------

    /// Lowers the statements of a block-like node.
    pub(crate) fn block(&mut self, node: Node<'_>) -> BlockId {
        let mut statements = Vec::new();
        let mut nodes = self.notes_before(node);
        nodes.extend(named(node));
        self.adapter.statements(self, &nodes, true, &mut statements);
        self.block_of(&statements)
    }

    /// The notes that stand between a block and the head of its statement: that is where Python's grammar
    /// puts the comments before the first statement of a block.
    fn notes_before<'t>(&self, block: Node<'t>) -> Vec<Node<'t>> {
        let mut found = Vec::new();
        if !self.has_notes {
            return found;
        }
        let mut at = block;
        while let Some(before) = at.prev_sibling().filter(|node| node.is_extra()) {
            if note_text(self.text(before)).is_some() {
                found.push(before);
            }
            at = before;
        }
        found.reverse();
        found
    }

    /// Lowers a node as a block: its statements if it is one, else the single statement it is.
    pub(crate) fn block_or_stmt(&mut self, node: Node<'_>) -> BlockId {
        if self.kinds.role(node.kind_id()) == Role::Block {
            return self.block(node);
        }
        let mut statements = Vec::new();
        self.stmt(node, &mut statements);
        self.block_of(&statements)
    }

    /// Lowers the named children of a node as statements.
    pub(crate) fn stmts(&mut self, node: Node<'_>, out: &mut Vec<StmtId>) {
        for child in named(node) {
            self.stmt(child, out);
        }
    }

    /// Lowers one statement.
    pub(crate) fn stmt(&mut self, node: Node<'_>, out: &mut Vec<StmtId>) {
        if self.depth >= MAX_DEPTH || node.is_error() || node.is_missing() {
            return;
        }
        self.depth += 1;
        self.stmt_of(node, out);
        self.depth -= 1;
    }

    fn stmt_of(&mut self, node: Node<'_>, out: &mut Vec<StmtId>) {
        match self.kinds.role(node.kind_id()) {
            Role::Skip => {}
            Role::Comment => self.comment(node, out),
            Role::Inner => {
                if let Some(inner) = self.inner(node) {
                    self.stmt(inner, out);
                }
            }
            Role::Let | Role::Assign => {
                if self.adapter.assignment(self, node, out) {
                    return;
                }
                let value = self.slot(node, Slot::Value).map(|value| self.expr(value));
                let ty = self.slot(node, Slot::Type).map(|ty| self.expr(ty));
                let target = self.slot_expr(node, Slot::Target);
                self.push_stmt(Stmt::Let { target, ty, value }, node, out);
            }
            Role::Augment => {
                let target = self.slot_expr(node, Slot::Target);
                let value = self.slot_expr(node, Slot::Value);
                self.push_stmt(Stmt::Augment { target, value }, node, out);
            }
            Role::Return => {
                let value = self.inner(node).map(|value| self.expr(value));
                self.push_stmt(Stmt::Return(value), node, out);
            }
            Role::Raise => {
                let value = self.inner(node).map(|value| self.expr(value));
                self.push_stmt(Stmt::Raise(value), node, out);
            }
            Role::Break => self.push_stmt(Stmt::Break, node, out),
            Role::Continue => self.push_stmt(Stmt::Continue, node, out),
            Role::Assert => {
                let test = self.operand(node);
                self.push_stmt(Stmt::Assert(test), node, out);
            }
            Role::If => {
                let test = self.slot_expr(node, Slot::Test);
                let then = match self.slot(node, Slot::Then) {
                    Some(then) => self.block_or_stmt(then),
                    None => self.block_of(&[]),
                };
                let otherwise = self
                    .slot(node, Slot::Otherwise)
                    .map(|otherwise| self.block_or_stmt(otherwise));
                self.push_stmt(
                    Stmt::If {
                        test,
                        then,
                        otherwise,
                    },
                    node,
                    out,
                );
            }
            Role::Loop => {
                let subject = self
                    .slot(node, Slot::Subject)
                    .map(|subject| self.expr(subject));
                let target = self
                    .slot(node, Slot::Target)
                    .map(|target| self.expr(target));
                let body = match self.slot(node, Slot::Body) {
                    Some(body) => self.block_or_stmt(body),
                    None => self.block_of(&[]),
                };
                self.push_stmt(
                    Stmt::Loop {
                        target,
                        subject,
                        body,
                    },
                    node,
                    out,
                );
            }
            Role::Block => {
                let block = self.block(node);
                self.push_stmt(Stmt::Block(block), node, out);
            }
            Role::Special => self.adapter.stmt(self, node, out),
            _ => self.expression_statement(node, out),
        }
    }

    /// Lowers a node as an expression that stands alone.
    pub(crate) fn expression_statement(&mut self, node: Node<'_>, out: &mut Vec<StmtId>) {
        let value = self.expr(node);
        self.push_stmt(Stmt::Expr(value), node, out);
    }

    fn comment(&mut self, node: Node<'_>, out: &mut Vec<StmtId>) {
        if let Some(note) = note_text(self.text(node)) {
            let text = self.string(note);
            self.push_stmt(Stmt::Note(text), node, out);
        }
    }

    // ---- definitions --------------------------------------------------------------------------

    /// A unique id for a definition inside the current scopes. The item's own definition has the
    /// item's key: its name, or what it is assigned to (`handlers.list = …`).
    fn id(&mut self, name: &str) -> Ustr {
        let id = match self.scope.as_slice() {
            [key] if defines(base_of(key), name) => *key,
            [.., last] => ustr(&format!("{last}.{name}")),
            [] => ustr(name),
        };
        let count = self.ids.entry(id).or_default();
        *count += 1;
        if *count == 1 {
            id
        } else {
            ustr(&format!("{id}#{count}"))
        }
    }

    /// Adds a function. `function` has its signature, lowered in the current code, with an empty id; `body` is
    /// lowered as code of its own. Returns its index in the current code.
    pub(crate) fn function(
        &mut self,
        mut function: Function,
        body: Option<Node<'_>>,
        spans: DefinitionSpans,
    ) -> u32 {
        let name = if function.name.is_empty() {
            "<>"
        } else {
            function.name.as_str()
        };
        let id = self.id(name);
        function.id = id;
        let parent = self.top().function;
        let top = self.top();
        let index = offset(top.functions.len());
        top.functions.push(function);
        top.function_spans.push(spans);
        if let Some(body) = body {
            self.body(id, parent, index, body);
        }
        index
    }

    fn body(&mut self, id: Ustr, parent: Option<Ustr>, index: u32, node: Node<'_>) {
        let first = self.notes_before(node).first().copied().unwrap_or(node);
        let start = offset(first.start_byte());
        // Hashing and keeping bodies pays only where there will be a next version.
        let (hash, len) = if self.reuse.is_some() {
            let text = self.text.get(first.start_byte()..node.end_byte());
            text_hash(text.unwrap_or_default())
        } else {
            (0, 0)
        };
        if let Some(old) = self
            .reuse
            .and_then(|reuse| reuse.bodies.get(&(id, hash, len)))
        {
            let mut bodies = old.bodies.clone();
            if let Some((own, _, _)) = bodies.first_mut() {
                own.parent = parent;
                own.index = index;
            }
            for (body, origin, spans) in &bodies {
                self.done
                    .push((body.clone(), origin + start, Arc::clone(spans)));
            }
            self.bodies.insert((id, hash, len), LoweredBody { bodies });
            return;
        }
        let outer = std::mem::take(&mut self.done);
        self.scope.push(id);
        self.stack.push(Builder {
            origin: start,
            function: Some(id),
            ..Builder::default()
        });
        let root = if self.kinds.role(node.kind_id()) == Role::Block {
            self.block(node)
        } else {
            // An expression body: its value is the function's.
            let mut statements = Vec::new();
            let value = self.expr(node);
            self.push_stmt(Stmt::Tail(value), node, &mut statements);
            self.block_of(&statements)
        };
        let (code, spans) = self.stack.pop().unwrap_or_default().finish(root);
        self.scope.pop();
        let own = Body {
            id,
            parent,
            index,
            code: Arc::new(code),
        };
        let inside = std::mem::replace(&mut self.done, outer);
        let mut lowered = Vec::with_capacity(inside.len() + 1);
        lowered.push((own, 0, Arc::new(spans)));
        for (body, origin, spans) in inside {
            lowered.push((body, origin - start, spans));
        }
        self.done.extend(
            lowered
                .iter()
                .map(|(body, origin, spans)| (body.clone(), origin + start, Arc::clone(spans))),
        );
        if self.reuse.is_some() {
            self.bodies
                .insert((id, hash, len), LoweredBody { bodies: lowered });
        }
    }

    /// Adds a class-like scope, with an empty id or the wanted one. `lower_body` lowers its members into the current code. Returns its
    /// index.
    pub(crate) fn class(
        &mut self,
        mut class: Class,
        spans: DefinitionSpans,
        lower_body: impl FnOnce(&mut Self) -> BlockId,
    ) -> u32 {
        // An adapter may ask for an id that says more than the name (an `impl` and its trait).
        let name = match (class.id.as_str(), class.name.as_str()) {
            ("", "") => "<>",
            ("", name) => name,
            (id, _) => id,
        };
        let id = self.id(name);
        class.id = id;
        self.scope.push(id);
        class.body = lower_body(self);
        self.scope.pop();
        let top = self.top();
        top.classes.push(class);
        top.class_spans.push(spans);
        offset(top.classes.len() - 1)
    }
}

/// The key or id without the `#n` of a duplicate.
pub(crate) fn base_of(key: &str) -> &str {
    match key.rsplit_once('#') {
        Some((base, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => base,
        _ => key,
    }
}

/// Whether an item with this key is the definition of `name`: `name` itself, or `exports.name`.
fn defines(key: &str, name: &str) -> bool {
    key == name || key.rsplit('.').next() == Some(name)
}

/// The text behind `gatewatch:` in a comment.
fn note_text(comment: &str) -> Option<&str> {
    let text = comment.trim_start_matches(['#', '/', '*', '!', ' ', '\t']);
    let note = text.strip_prefix("gatewatch:")?;
    Some(note.trim_end_matches(['*', '/']).trim())
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
