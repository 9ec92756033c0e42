//! Statements and blocks.

use tree_sitter::Node;

use super::{Lowering, MAX_DEPTH, named};
use crate::facts::{BlockId, Stmt, StmtId};
use crate::kinds::{Role, Slot};

impl Lowering<'_> {
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
    pub(super) fn notes_before<'t>(&self, block: Node<'t>) -> Vec<Node<'t>> {
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
}

/// The text behind `gatewatch:` in a comment.
fn note_text(comment: &str) -> Option<&str> {
    let text = comment.trim_start_matches(['#', '/', '*', '!', ' ', '\t']);
    let note = text.strip_prefix("gatewatch:")?;
    Some(note.trim_end_matches(['*', '/']).trim())
}
