//! The arenas of one code while they grow.

use tree_sitter::Node;
use ustr::Ustr;

use super::{Lowering, offset};
use crate::facts::{
    Arg, Arm, BlockId, Class, Code, Expr, ExprId, Function, Handler, Import, Mark, Run, Stmt,
    StmtId,
};
use crate::spans::{DefinitionSpans, Span, Spans};

/// The arenas of one code while they grow.
#[derive(Default)]
pub(super) struct Builder {
    pub(super) exprs: Vec<Expr>,
    pub(super) stmts: Vec<Stmt>,
    pub(super) blocks: Vec<Run>,
    pub(super) lists: Vec<u32>,
    pub(super) args: Vec<Arg>,
    pub(super) arms: Vec<Arm>,
    pub(super) handlers: Vec<Handler>,
    pub(super) strings: Vec<Box<str>>,
    pub(super) functions: Vec<Function>,
    pub(super) classes: Vec<Class>,
    pub(super) imports: Vec<Import>,
    pub(super) marks: Vec<Mark>,
    pub(super) expr_spans: Vec<Span>,
    pub(super) stmt_spans: Vec<Span>,
    pub(super) function_spans: Vec<DefinitionSpans>,
    pub(super) class_spans: Vec<DefinitionSpans>,
    /// Byte offset in the file that this code's spans are relative to.
    pub(super) origin: u32,
    /// The function whose body this is.
    pub(super) function: Option<Ustr>,
}

impl Builder {
    pub(super) fn finish(self, root: BlockId) -> (Code, Spans) {
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

impl Lowering<'_> {
    pub(super) fn top(&mut self) -> &mut Builder {
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
}
