//! Facts as text that a person can read: for tests, and for looking at what a file was lowered to.
//!
//! One statement takes one line, what is nested in it is indented below; expressions stand inline as
//! `call(attr(app, get), "/x", fn<app.get.<>>(req, res))`.

use std::fmt::Write;

use crate::facts::{
    Arg, ArgKind, BlockId, Class, ClassKind, Code, Expr, ExprId, Function, Import, Imported,
    Operator, Param, ParamKind, Run, Stmt, StmtId,
};
use crate::file::FileFacts;

/// A file's items: of each its key, its head and the bodies of its functions.
pub fn dump_file(facts: &FileFacts) -> String {
    let mut out = String::new();
    for item in &facts.items {
        let _ = writeln!(out, "item {}", item.key);
        write_lines(
            &mut out,
            &Dumper { code: &item.head }.block(item.head.root),
            1,
        );
        for body in &item.bodies {
            let _ = writeln!(out, "  body {}", body.id);
            write_lines(
                &mut out,
                &Dumper { code: &body.code }.block(body.code.root),
                2,
            );
        }
    }
    out
}

/// One code: its statements from the outermost block on.
pub fn dump(code: &Code) -> String {
    let mut out = String::new();
    write_lines(&mut out, &Dumper { code }.block(code.root), 0);
    out
}

/// A statement and what is nested in it.
struct Line {
    text: String,
    inside: Vec<Line>,
}

impl Line {
    fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            inside: Vec::new(),
        }
    }

    fn with(text: impl Into<String>, inside: Vec<Line>) -> Self {
        Self {
            text: text.into(),
            inside,
        }
    }

    /// The line on one line, for blocks that are values.
    fn inline(&self, out: &mut String) {
        out.push_str(&self.text);
        if !self.inside.is_empty() {
            out.push_str(" { ");
            inline(&self.inside, out);
            out.push_str(" }");
        }
    }
}

fn inline(lines: &[Line], out: &mut String) {
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            out.push_str("; ");
        }
        line.inline(out);
    }
}

fn write_lines(out: &mut String, lines: &[Line], depth: usize) {
    for line in lines {
        let _ = writeln!(out, "{}{}", "  ".repeat(depth), line.text);
        write_lines(out, &line.inside, depth + 1);
    }
}

struct Dumper<'a> {
    code: &'a Code,
}

impl Dumper<'_> {
    fn block(&self, block: BlockId) -> Vec<Line> {
        let mut lines = Vec::new();
        for id in self.code.block(block) {
            self.stmt(id, &mut lines);
        }
        lines
    }

    fn stmt(&self, id: StmtId, out: &mut Vec<Line>) {
        let Some(stmt) = self.code.stmt(id) else {
            out.push(Line::new("?"));
            return;
        };
        match stmt {
            Stmt::Expr(value) => out.push(Line::new(self.expr(value))),
            Stmt::Tail(value) => out.push(Line::new(format!("tail {}", self.expr(value)))),
            Stmt::Let { target, ty, value } => {
                let marks: Vec<_> = self.code.field_marks(id).collect();
                let mut text = format!("{}let {}", self.decorators(&marks), self.expr(target));
                if let Some(ty) = ty {
                    let _ = write!(text, ": {}", self.expr(ty));
                }
                if let Some(value) = value {
                    let _ = write!(text, " = {}", self.expr(value));
                }
                out.push(Line::new(text));
            }
            Stmt::Augment { target, value } => out.push(Line::new(format!(
                "augment {} by {}",
                self.expr(target),
                self.expr(value)
            ))),
            Stmt::Return(value) => out.push(Line::new(self.keyword("return", value))),
            Stmt::Raise(value) => out.push(Line::new(self.keyword("raise", value))),
            Stmt::Break => out.push(Line::new("break")),
            Stmt::Continue => out.push(Line::new("continue")),
            Stmt::If {
                test,
                then,
                otherwise,
            } => {
                let text = format!("if {}", self.expr(test));
                out.push(Line::with(text, self.block(then)));
                if let Some(otherwise) = otherwise {
                    out.push(Line::with("else", self.block(otherwise)));
                }
            }
            Stmt::Loop {
                target,
                subject,
                body,
            } => {
                let mut text = String::from("loop");
                if let Some(target) = target {
                    let _ = write!(text, " {}", self.expr(target));
                }
                if let Some(subject) = subject {
                    let _ = write!(text, " over {}", self.expr(subject));
                }
                out.push(Line::with(text, self.block(body)));
            }
            Stmt::Match { subject, arms } => {
                let mut inside = Vec::new();
                for arm in self.code.arms(arms) {
                    let mut text = format!("arm {}", self.expr(arm.pattern));
                    if let Some(guard) = arm.guard {
                        let _ = write!(text, " if {}", self.expr(guard));
                    }
                    inside.push(Line::with(text, self.block(arm.body)));
                }
                out.push(Line::with(format!("match {}", self.expr(subject)), inside));
            }
            Stmt::Try {
                body,
                handlers,
                otherwise,
                finally,
            } => {
                out.push(Line::with("try", self.block(body)));
                for handler in self.code.handlers(handlers) {
                    let mut text = self.keyword("catch", handler.types);
                    if let Some(name) = handler.name {
                        let _ = write!(text, " as {name}");
                    }
                    out.push(Line::with(text, self.block(handler.body)));
                }
                if let Some(otherwise) = otherwise {
                    out.push(Line::with("else", self.block(otherwise)));
                }
                if let Some(finally) = finally {
                    out.push(Line::with("finally", self.block(finally)));
                }
            }
            Stmt::With {
                value,
                target,
                body,
            } => {
                let mut text = format!("with {}", self.expr(value));
                if let Some(target) = target {
                    let _ = write!(text, " as {}", self.expr(target));
                }
                out.push(Line::with(text, self.block(body)));
            }
            Stmt::Delete(target) => out.push(Line::new(format!("del {}", self.expr(target)))),
            Stmt::Assert(test) => out.push(Line::new(format!("assert {}", self.expr(test)))),
            Stmt::Block(block) => out.push(Line::with("block", self.block(block))),
            Stmt::Function(index) => out.push(Line::new(self.function(index))),
            Stmt::Class(index) => out.push(self.class(index)),
            Stmt::Import(index) => out.push(Line::new(self.import(index))),
            Stmt::Export { name, value } => {
                out.push(Line::new(format!("export {name} = {}", self.expr(value))));
            }
            Stmt::Note(text) => {
                out.push(Line::new(format!("note {:?}", self.code.string(text))));
            }
        }
    }

    fn keyword(&self, keyword: &str, value: Option<ExprId>) -> String {
        match value {
            Some(value) => format!("{keyword} {}", self.expr(value)),
            None => keyword.to_owned(),
        }
    }

    fn expr(&self, id: ExprId) -> String {
        let code = self.code;
        match code.expr(id) {
            Expr::Unknown => "?".to_owned(),
            Expr::Null => "null".to_owned(),
            Expr::Bool(value) => value.to_string(),
            Expr::Number(text) => code.string(text).to_owned(),
            Expr::Str(text) => format!("{:?}", code.string(text)),
            Expr::Regex(text) => format!("/{}/", code.string(text)),
            Expr::Template(run) => {
                let parts: Vec<_> = code.parts(run).map(|part| self.expr(part)).collect();
                format!("template({})", parts.join(", "))
            }
            Expr::Name(name) => name.as_str().to_owned(),
            Expr::Attr { base, name } => format!("attr({}, {name})", self.expr(base)),
            Expr::Index { base, index } => {
                format!("index({}, {})", self.expr(base), self.expr(index))
            }
            Expr::Call { callee, args } => self.applied("call", callee, args),
            Expr::New { callee, args } => self.applied("new", callee, args),
            Expr::List(run) => format!("[{}]", self.args(run)),
            Expr::Tuple(run) => format!("tuple({})", self.args(run)),
            Expr::Dict(run) => format!("{{{}}}", self.args(run)),
            Expr::Function(index) => self.function(index),
            Expr::Class(index) => {
                let mut text = String::new();
                self.class(index).inline(&mut text);
                text
            }
            Expr::Not(value) => format!("not({})", self.expr(value)),
            Expr::Unary(value) => format!("unary({})", self.expr(value)),
            Expr::Binary { op, left, right } => format!(
                "{}({}, {})",
                operator(op),
                self.expr(left),
                self.expr(right)
            ),
            Expr::Cond {
                test,
                then,
                otherwise,
            } => format!(
                "cond({}, {}, {})",
                self.expr(test),
                self.expr(then),
                self.expr(otherwise)
            ),
            Expr::Await(value) => format!("await({})", self.expr(value)),
            Expr::Try(value) => format!("try({})", self.expr(value)),
            Expr::Yield(value) => format!("yield({})", self.expr(value)),
            Expr::Spread(value) => format!("spread({})", self.expr(value)),
            Expr::Assign { target, value } => {
                format!("assign({}, {})", self.expr(target), self.expr(value))
            }
            Expr::Bind { pattern, value } => {
                format!("bind({}, {})", self.expr(pattern), self.expr(value))
            }
            Expr::Block(block) => self.inline_block("block", block),
            Expr::Comprehension(block) => self.inline_block("comprehension", block),
        }
    }

    fn inline_block(&self, word: &str, block: BlockId) -> String {
        let mut text = format!("{word} {{ ");
        inline(&self.block(block), &mut text);
        text.push_str(" }");
        text
    }

    fn applied(&self, word: &str, callee: ExprId, args: Run) -> String {
        let mut text = format!("{word}({}", self.expr(callee));
        for arg in self.code.args(args) {
            text.push_str(", ");
            text.push_str(&self.arg(arg));
        }
        text.push(')');
        text
    }

    fn args(&self, run: Run) -> String {
        let args: Vec<_> = self
            .code
            .args(run)
            .iter()
            .map(|arg| self.arg(arg))
            .collect();
        args.join(", ")
    }

    fn arg(&self, arg: &Arg) -> String {
        let value = self.expr(arg.value);
        match arg.kind {
            ArgKind::Positional => value,
            ArgKind::Named(name) => format!("{name}: {value}"),
            ArgKind::Keyed(key) => format!("[{}]: {value}", self.expr(key)),
            ArgKind::Spread => format!("...{value}"),
            ArgKind::SpreadMap => format!("**{value}"),
        }
    }

    fn function(&self, index: u32) -> String {
        let Some(function) = self.code.functions.get(index as usize) else {
            return "fn ?".to_owned();
        };
        let Function {
            name,
            id,
            params,
            decorators,
            returns,
            is_async,
            exported,
            is_static,
        } = function;
        let mut text = self.decorators(decorators);
        for (flag, word) in [
            (*exported, "exported "),
            (*is_static, "static "),
            (*is_async, "async "),
        ] {
            if flag {
                text.push_str(word);
            }
        }
        let _ = write!(text, "fn<{id}>");
        // An id ends with the name, unless the name was taken already or the function has none.
        if !name.is_empty() && crate::lower::base_of(id).rsplit('.').next() != Some(name.as_str()) {
            let _ = write!(text, " {name}");
        }
        let params: Vec<_> = (0u32..)
            .zip(params.iter())
            .map(|(at, param)| {
                let marks: Vec<_> = self.code.param_marks(index, at).collect();
                format!("{}{}", self.decorators(&marks), self.param(param))
            })
            .collect();
        let _ = write!(text, "({})", params.join(", "));
        if let Some(returns) = returns {
            let _ = write!(text, " -> {}", self.expr(*returns));
        }
        text
    }

    fn decorators(&self, decorators: &[ExprId]) -> String {
        decorators
            .iter()
            .map(|decorator| format!("@{} ", self.expr(*decorator)))
            .collect()
    }

    fn param(&self, param: &Param) -> String {
        let mut text = match param.kind {
            ParamKind::Plain => "",
            ParamKind::Keyword => "keyword ",
            ParamKind::Rest => "...",
            ParamKind::RestMap => "**",
            ParamKind::Receiver => "receiver ",
        }
        .to_owned();
        text.push_str(&self.expr(param.pattern));
        if let Some(ty) = param.ty {
            let _ = write!(text, ": {}", self.expr(ty));
        }
        if let Some(default) = param.default {
            let _ = write!(text, " = {}", self.expr(default));
        }
        text
    }

    fn class(&self, index: u32) -> Line {
        let Some(class) = self.code.classes.get(index as usize) else {
            return Line::new("class ?");
        };
        let Class {
            name,
            id,
            kind,
            bases,
            decorators,
            body,
            exported,
        } = class;
        let mut text = self.decorators(decorators);
        if *exported {
            text.push_str("exported ");
        }
        text.push_str(match kind {
            ClassKind::Class => "class",
            ClassKind::Struct => "struct",
            ClassKind::Enum => "enum",
            ClassKind::Impl => "impl",
            ClassKind::Interface => "interface",
            ClassKind::Module => "module",
        });
        let _ = write!(text, "<{id}>");
        if !name.is_empty() && crate::lower::base_of(id).rsplit('.').next() != Some(name.as_str()) {
            let _ = write!(text, " {name}");
        }
        if bases.len > 0 {
            let _ = write!(text, "({})", self.args(*bases));
        }
        Line::with(text, self.block(*body))
    }

    fn import(&self, index: u32) -> String {
        let Some(import) = self.code.imports.get(index as usize) else {
            return "import ?".to_owned();
        };
        let Import {
            module,
            what,
            local,
            reexport,
            type_only,
        } = import;
        let mut text = format!("import {:?}", module.as_str());
        match what {
            Imported::Module => text.push_str(" module"),
            Imported::Name(name) => {
                let _ = write!(text, " name {name}");
            }
            Imported::Star => text.push_str(" *"),
        }
        if !local.is_empty() {
            let _ = write!(text, " as {local}");
        }
        if *reexport {
            text.push_str(" reexport");
        }
        if *type_only {
            text.push_str(" type");
        }
        text
    }
}

fn operator(op: Operator) -> &'static str {
    match op {
        Operator::And => "and",
        Operator::Or => "or",
        Operator::Coalesce => "coalesce",
        Operator::Eq => "eq",
        Operator::Ne => "ne",
        Operator::Order => "order",
        Operator::In => "in",
        Operator::NotIn => "not_in",
        Operator::Is => "is",
        Operator::IsNot => "is_not",
        Operator::InstanceOf => "instanceof",
        Operator::Add => "add",
        Operator::BitOr => "bit_or",
        Operator::Other => "op",
    }
}
