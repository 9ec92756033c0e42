//! Expressions: what a grammar's table says of them.

use tree_sitter::Node;

use super::{Lowering, MAX_DEPTH, MAX_LINKS, MAX_PARTS, named, offset};
use crate::facts::{Arg, ArgKind, Expr, ExprId, Language, Operator, Run};
use crate::file::parse_part;
use crate::kinds::{Role, Slot};

impl Lowering<'_> {
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
        let (mut loose, mut closed) = (false, false);
        for &node in spine.iter().rev() {
            let role = self.kinds.role(node.kind_id());
            if role == Role::Inner {
                // Parentheses are meant as they stand.
                closed |= !self.adapter.binds_loosely(node.kind());
                loose = !closed
                    && matches!(
                        self.get(id),
                        Expr::Binary { .. } | Expr::Not(_) | Expr::Unary(_)
                    );
                continue;
            }
            closed = false;
            loose &= matches!(role, Role::Attribute | Role::Index | Role::Call);
            id = if loose {
                self.link_to_right(role, node, id)
            } else {
                let expr = self.link(role, node, id);
                self.push(expr, node)
            };
        }
        self.links -= links;
        id
    }

    /// A link that belongs to the last operand of an operator: the grammar took the operator's whole expression for its
    /// head.
    fn link_to_right(&mut self, role: Role, node: Node<'_>, head: ExprId) -> ExprId {
        let mut around = Vec::new();
        let mut at = head;
        loop {
            let expr = self.get(at);
            at = match expr {
                Expr::Binary { right, .. } => right,
                Expr::Not(inner) | Expr::Unary(inner) => inner,
                _ => break,
            };
            around.push(expr);
        }
        let expr = self.link(role, node, at);
        let mut id = self.push(expr, node);
        for expr in around.into_iter().rev() {
            let expr = match expr {
                Expr::Binary { op, left, .. } => Expr::Binary {
                    op,
                    left,
                    right: id,
                },
                Expr::Not(_) => Expr::Not(id),
                _ => Expr::Unary(id),
            };
            id = self.push(expr, node);
        }
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
    pub(super) fn inner<'t>(&self, node: Node<'t>) -> Option<Node<'t>> {
        self.slot(node, Slot::Value).or_else(|| {
            let mut cursor = node.walk();
            node.named_children(&mut cursor)
                .find(|child| !child.is_extra() && self.kinds.role(child.kind_id()) != Role::Skip)
        })
    }

    pub(super) fn slot_expr(&mut self, node: Node<'_>, slot: Slot) -> ExprId {
        match self.slot(node, slot) {
            Some(child) => self.expr(child),
            None => self.push(Expr::Unknown, node),
        }
    }

    /// The operand of a role with a single one: its slot `value`, or the first named child.
    pub(super) fn operand(&mut self, node: Node<'_>) -> ExprId {
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

    pub(super) fn call_args(&mut self, node: Node<'_>) -> Run {
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
}
