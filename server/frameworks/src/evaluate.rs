//! From code to roles: runs a scope's statements over symbolic values.
//!
//! It follows assignments inside the scope, keeps every call as an [`Op`] in order, and leaves alone
//! what other scopes and files decide. Branches are kept as branches; a name assigned in one has the
//! later value.

use std::sync::Arc;

use gatewatch_source::fitted;
use gatewatch_syntax::facts::{
    Arg, BlockId, ClassKind, Code, Expr, ExprId, Imported, Operator, Run, Stmt,
};
use rustc_hash::FxHashMap;
use ustr::{Ustr, ustr};

use crate::value::{
    Argument, ArgumentKind, ClassRoles, ImportRef, Op, ParamRole, Place, PlaceNode, ScopeRoles,
    Signature, Value,
};

/// Runs scopes of one file.
pub(crate) struct Evaluator<'a> {
    code: &'a Code,
    /// Function id or item key, and which of both.
    owner: (Ustr, bool),
    env: FxHashMap<Ustr, Value>,
    exports: FxHashMap<Ustr, Value>,
    stars: Vec<Ustr>,
    ops: Vec<Op>,
    classes: Vec<(Ustr, Vec<(Ustr, Value)>)>,
    results: u32,
    items: u32,
    /// Whether names that aren't defined here may come from a class around (never in Python).
    depth: u32,
}

/// Expressions nested deeper than this are unknown.
const MAX_DEPTH: u32 = 120;

impl<'a> Evaluator<'a> {
    pub(crate) fn new(code: &'a Code, owner: Ustr, in_body: bool) -> Self {
        Self {
            code,
            owner: (owner, in_body),
            env: FxHashMap::default(),
            exports: FxHashMap::default(),
            stars: Vec::new(),
            ops: Vec::new(),
            classes: Vec::new(),
            results: 0,
            items: 0,
            depth: 0,
        }
    }

    /// Continues with another item of the same module.
    pub(crate) fn enter(&mut self, code: &'a Code, owner: Ustr) {
        self.code = code;
        self.owner = (owner, false);
    }

    pub(crate) fn bind(&mut self, name: Ustr, value: Value) {
        self.env.insert(name, value);
    }

    pub(crate) fn finish(self) -> ScopeRoles {
        ScopeRoles {
            ops: fitted(self.ops),
            names: sorted(self.env),
            exports: sorted(self.exports),
            stars: fitted(self.stars),
            results: self.results,
            classes: fitted(self.classes),
        }
    }

    pub(crate) fn place(&self, node: PlaceNode) -> Place {
        Place {
            code: self.owner.0,
            in_body: self.owner.1,
            node,
        }
    }

    // ---- statements ---------------------------------------------------------------------------

    pub(crate) fn block(&mut self, block: BlockId) {
        let code = self.code;
        for id in code.block(block) {
            if let Some(stmt) = code.stmt(id) {
                self.stmt(stmt);
            }
        }
    }

    fn nested(&mut self, block: Option<BlockId>) -> Arc<[Op]> {
        let outer = std::mem::take(&mut self.ops);
        if let Some(block) = block {
            self.block(block);
        }
        std::mem::replace(&mut self.ops, outer).into()
    }

    fn stmt(&mut self, stmt: Stmt) {
        match stmt {
            Stmt::Expr(value) => {
                self.value(value);
            }
            Stmt::Tail(value) => {
                let value = self.value(value);
                self.ops.push(Op::Return(value));
            }
            Stmt::Let { target, value, ty } => {
                let value = match value {
                    Some(value) => self.value(value),
                    None if ty.is_some() => return,
                    None => Value::Unknown,
                };
                self.assign(target, value);
            }
            Stmt::Augment { target, value } => {
                let added = self.value(value);
                let before = self.value(target);
                self.assign(target, joined(before, added));
            }
            Stmt::Return(value) => {
                let value = value.map_or(Value::Null, |value| self.value(value));
                self.ops.push(Op::Return(value));
            }
            Stmt::Raise(value) => {
                if let Some(value) = value {
                    self.value(value);
                }
            }
            Stmt::If {
                test,
                then,
                otherwise,
            } => {
                let test = self.value(test);
                self.branch(test, Some(then), otherwise);
            }
            Stmt::Loop {
                target,
                subject,
                body,
            } => {
                let subject = subject.map_or(Value::Unknown, |subject| self.value(subject));
                let item = self.items;
                self.items += 1;
                let subject = if let Some(target) = target {
                    self.assign(target, Value::Item(item));
                    subject
                } else {
                    Value::Unknown
                };
                let body = self.nested(Some(body));
                self.ops.push(Op::Loop {
                    item,
                    subject,
                    body,
                });
            }
            Stmt::Match { subject, arms } => {
                self.value(subject);
                for arm in self.code.arms(arms) {
                    self.branch(Value::Truth, Some(arm.body), None);
                }
            }
            Stmt::Try {
                body,
                handlers,
                otherwise,
                finally,
            } => {
                self.block(body);
                for handler in self.code.handlers(handlers) {
                    self.branch(Value::Truth, Some(handler.body), None);
                }
                for block in [otherwise, finally].into_iter().flatten() {
                    self.block(block);
                }
            }
            Stmt::With {
                value,
                target,
                body,
            } => {
                let value = self.value(value);
                if let Some(target) = target {
                    self.assign(target, value);
                }
                self.block(body);
            }
            Stmt::Assert(value) => {
                self.value(value);
            }
            Stmt::Block(block) => self.block(block),
            Stmt::Function(index) => self.function(index),
            Stmt::Class(index) => self.class(index),
            Stmt::Import(index) => self.import(index),
            Stmt::Export { name, value } => {
                let value = self.value(value);
                if name == "module.exports"
                    && let Value::Dict(entries) = &value
                {
                    for entry in entries.iter() {
                        if let ArgumentKind::Keyed(Value::Text(name)) = &entry.kind {
                            self.exports.insert(*name, entry.value.clone());
                        }
                    }
                }
                self.exports.insert(name, value);
            }
            Stmt::Break | Stmt::Continue | Stmt::Note(_) | Stmt::Delete(_) => {}
        }
    }

    fn branch(&mut self, test: Value, then: Option<BlockId>, otherwise: Option<BlockId>) {
        let then = self.nested(then);
        let otherwise = self.nested(otherwise);
        if !then.is_empty() || !otherwise.is_empty() {
            self.ops.push(Op::Branch {
                test,
                then,
                otherwise,
            });
        }
    }

    fn import(&mut self, index: u32) {
        let Some(import) = self.code.imports.get(index as usize) else {
            return;
        };
        match import.what {
            Imported::Star => {
                if !self.stars.contains(&import.module) {
                    self.stars.push(import.module);
                }
            }
            Imported::Module => {
                let value = Value::Import(ImportRef {
                    module: import.module,
                    name: None,
                });
                if import.reexport && !import.local.is_empty() {
                    self.exports.insert(import.local, value.clone());
                }
                self.env.insert(import.local, value);
            }
            Imported::Name(name) => {
                let value = Value::Import(ImportRef {
                    module: import.module,
                    name: Some(name),
                });
                if import.reexport {
                    self.exports.insert(import.local, value.clone());
                }
                self.env.insert(import.local, value);
            }
        }
    }

    fn function(&mut self, index: u32) {
        let Some(function) = self.code.functions.get(index as usize) else {
            return;
        };
        let target = Value::Function(function.id);
        self.env.insert(function.name, target.clone());
        self.decorate(&function.decorators, target);
    }

    fn decorate(&mut self, decorators: &[ExprId], target: Value) {
        for (above, &decorator) in decorators.iter().enumerate().rev() {
            let place = self.place(PlaceNode::Expr(decorator.0));
            let decorator = self.value(decorator);
            let above = u32::try_from(above).unwrap_or(u32::MAX);
            self.ops.push(Op::Decorate {
                decorator,
                target: target.clone(),
                place,
                above,
            });
        }
    }

    fn class(&mut self, index: u32) {
        let Some(class) = self.code.classes.get(index as usize) else {
            return;
        };
        let target = Value::Class(class.id);
        match class.kind {
            // An `impl` adds to its type; a second definition of the name would hide the type.
            ClassKind::Impl => {}
            _ => {
                self.env.insert(class.name, target.clone());
            }
        }
        // Decorators of methods run with the class body; its names are its own.
        let outer = self.env.clone();
        self.block(class.body);
        let inner = std::mem::replace(&mut self.env, outer);
        if !matches!(class.kind, ClassKind::Impl) {
            let mut bound = inner;
            bound.retain(|name, value| self.env.get(name) != Some(value));
            let bound = sorted(bound);
            self.classes.push((class.id, bound));
        }
        if !matches!(class.kind, ClassKind::Impl) {
            self.env.insert(class.name, target.clone());
        }
        self.decorate(&class.decorators, target);
    }

    fn assign(&mut self, target: ExprId, value: Value) {
        match self.code.expr(target) {
            Expr::Name(name) => {
                self.env.insert(name, value);
            }
            Expr::Attr { base, name } => {
                let base = self.value(base);
                self.ops.push(Op::Store { base, name, value });
            }
            Expr::Index { base, index } => {
                let base = self.value(base);
                if let Value::Text(name) = self.value(index) {
                    self.ops.push(Op::Store { base, name, value });
                }
            }
            Expr::Tuple(run) | Expr::List(run) => {
                for (index, arg) in self.code.args(run).iter().enumerate() {
                    let part = part_of(&value, index);
                    self.assign(arg.value, part);
                }
            }
            Expr::Dict(run) => {
                for arg in self.code.args(run) {
                    let part = match arg.kind {
                        gatewatch_syntax::facts::ArgKind::Named(name) => entry_of(&value, name),
                        _ => Value::Unknown,
                    };
                    self.assign(arg.value, part);
                }
            }
            // A default inside a pattern, a type written around a name, `Some(x)`, `Ok(x)`.
            Expr::Assign { target, .. } => self.assign(target, value),
            Expr::Call { args, .. } => {
                if let [arg] = self.code.args(args) {
                    self.assign(arg.value, value);
                }
            }
            Expr::Spread(inner) => self.assign(inner, Value::Unknown),
            _ => {}
        }
    }

    // ---- expressions --------------------------------------------------------------------------

    pub(crate) fn value(&mut self, id: ExprId) -> Value {
        if self.depth >= MAX_DEPTH {
            return Value::Unknown;
        }
        self.depth += 1;
        let value = self.value_of(id);
        self.depth -= 1;
        value
    }

    fn value_of(&mut self, id: ExprId) -> Value {
        let code = self.code;
        match code.expr(id) {
            Expr::Unknown | Expr::Yield(_) => Value::Unknown,
            Expr::Regex(text) => Value::Pattern(text_of(code.string(text))),
            Expr::Null => Value::Null,
            Expr::Bool(value) => Value::Bool(value),
            Expr::Number(text) => Value::Number(ustr(code.string(text))),
            Expr::Str(text) => Value::Text(text_of(code.string(text))),
            Expr::Template(parts) => {
                let parts: Arc<[Value]> = code.parts(parts).map(|part| self.named(part)).collect();
                Value::Template(parts)
            }
            Expr::Name(name) => match self.env.get(&name) {
                Some(value) => value.clone(),
                // A macro that was imported: `routes!` of `use utoipa_axum::routes`.
                None => match name
                    .strip_suffix('!')
                    .and_then(|name| self.env.get(&ustr(name)))
                {
                    Some(Value::Import(ImportRef {
                        module,
                        name: Some(_),
                    })) => Value::Import(ImportRef {
                        module: *module,
                        name: Some(name),
                    }),
                    _ => Value::Name(name),
                },
            },
            Expr::Attr { base, name } => {
                // `import a.b` binds `a`, but is recorded under `a.b`.
                if let Some(dotted) = code.dotted(id)
                    && let Some(value) = self.env.get(&ustr(&dotted))
                {
                    return value.clone();
                }
                self.value(base).field(name)
            }
            Expr::Index { base, index } => {
                let base = self.value(base);
                let index = self.value(index);
                match (&base, &index) {
                    (_, Value::Text(name)) => base.field(*name),
                    _ => Value::Index(Arc::new((base, index))),
                }
            }
            Expr::Call { callee, args } | Expr::New { callee, args } => self.call(id, callee, args),
            Expr::List(run) | Expr::Tuple(run) => Value::List(self.arguments(run)),
            Expr::Dict(run) => Value::Dict(self.entries(run)),
            Expr::Function(index) => match code.functions.get(index as usize) {
                Some(function) => Value::Function(function.id),
                None => Value::Unknown,
            },
            Expr::Class(index) => match code.classes.get(index as usize) {
                Some(class) => Value::Class(class.id),
                None => Value::Unknown,
            },
            Expr::Not(inner) => {
                self.value(inner);
                Value::Truth
            }
            Expr::Unary(inner) | Expr::Spread(inner) => self.value(inner),
            Expr::Await(inner) | Expr::Try(inner) => self.value(inner),
            Expr::Binary { op, left, right } => {
                let left = self.value(left);
                let right = self.value(right);
                match op {
                    Operator::Add => joined(left, right),
                    Operator::Or | Operator::Coalesce | Operator::BitOr => {
                        Value::Either([left, right].into())
                    }
                    Operator::And => right,
                    _ => Value::Truth,
                }
            }
            Expr::Cond {
                test,
                then,
                otherwise,
            } => {
                self.value(test);
                let then = self.value(then);
                let otherwise = self.value(otherwise);
                Value::Either([then, otherwise].into())
            }
            Expr::Assign { target, value } => {
                let value = self.value(value);
                self.assign(target, value.clone());
                value
            }
            Expr::Bind { pattern, value } => {
                let value = self.value(value);
                self.assign(pattern, value);
                Value::Truth
            }
            Expr::Block(block) => self.block_value(block),
            Expr::Comprehension(block) => {
                let outer = self.env.clone();
                let body = self.nested(Some(block));
                self.env = outer;
                let result = self.results;
                self.results += 1;
                self.ops.push(Op::Collect { result, body });
                Value::Result(result)
            }
        }
    }

    /// Runs a block for its value: that of its last tail.
    fn block_value(&mut self, block: BlockId) -> Value {
        let outer = std::mem::take(&mut self.ops);
        self.block(block);
        let inner = std::mem::replace(&mut self.ops, outer);
        let mut values = Vec::new();
        for op in inner {
            match op {
                Op::Return(value) => values.push(value),
                other => {
                    collect_returns(&other, &mut values);
                    self.ops.push(without_returns(other));
                }
            }
        }
        match values.len() {
            0 => Value::Null,
            1 => values.pop().unwrap_or_default(),
            _ => Value::Either(values.into()),
        }
    }

    /// The value of a part of a text or of an argument; a local name stays with what has no other.
    fn named(&mut self, id: ExprId) -> Value {
        let value = self.value(id);
        match (self.code.expr(id), &value) {
            (Expr::Name(name), Value::Result(_)) => Value::Named(Arc::new((value, name))),
            _ => value,
        }
    }

    fn call(&mut self, id: ExprId, callee: ExprId, args: Run) -> Value {
        let callee = self.value(callee);
        let args = self.arguments(args);
        // A list that grows: `routes.append(x)`, `routes.push(x)`.
        if let Value::Field(field) = &callee
            && matches!(field.1.as_str(), "append" | "push")
            && matches!(field.0, Value::List(_))
            && let Expr::Call { callee, .. } = self.code.expr(id)
            && let Expr::Attr { base, .. } = self.code.expr(callee)
        {
            let grown = joined(field.0.clone(), Value::List(args.clone()));
            self.assign(base, grown);
            return Value::Null;
        }
        let result = self.results;
        self.results += 1;
        let place = self.place(PlaceNode::Expr(id.0));
        self.ops.push(Op::Call {
            callee,
            args,
            result,
            place,
        });
        Value::Result(result)
    }

    fn arguments(&mut self, run: Run) -> Arc<[Argument]> {
        let code = self.code;
        code.args(run)
            .iter()
            .map(|arg| self.argument(arg))
            .collect()
    }

    fn argument(&mut self, arg: &Arg) -> Argument {
        let kind = Argument::kind_of(arg.kind, |key| self.value(key));
        let value = self.named(arg.value);
        Argument { kind, value }
    }

    fn entries(&mut self, run: Run) -> Arc<[Argument]> {
        let code = self.code;
        code.args(run)
            .iter()
            .map(|arg| {
                let mut argument = self.argument(arg);
                if let ArgumentKind::Named(name) = argument.kind {
                    argument.kind = ArgumentKind::Keyed(Value::Text(name));
                }
                argument
            })
            .collect()
    }

    // ---- definitions --------------------------------------------------------------------------

    pub(crate) fn signature(mut self, index: usize) -> Signature {
        let Some(function) = self.code.functions.get(index) else {
            return Signature::default();
        };
        let mut signature = Signature {
            params: Vec::with_capacity(function.params.len()),
            decorators: Vec::with_capacity(function.decorators.len()),
            ..Signature::default()
        };
        for param in &function.params {
            let (name, binds) = names_of(self.code, param.pattern);
            signature.params.push(ParamRole {
                name,
                binds,
                ty: param.ty.map_or(Value::Unknown, |ty| self.value(ty)),
                default: param.default.map(|default| self.value(default)),
                kind: param.kind,
                place: self.place(PlaceNode::Expr(param.pattern.0)),
            });
        }
        for &decorator in &function.decorators {
            let place = self.place(PlaceNode::Expr(decorator.0));
            signature
                .decorators
                .push((self.value(decorator), Some(place)));
        }
        signature.returns = function
            .returns
            .map_or(Value::Unknown, |returns| self.value(returns));
        signature.scope = self.finish();
        signature
    }

    pub(crate) fn class_roles(mut self, index: usize) -> ClassRoles {
        let Some(class) = self.code.classes.get(index) else {
            return ClassRoles::default();
        };
        let mut roles = ClassRoles {
            name: class.name,
            is_module: class.kind == ClassKind::Module,
            ..ClassRoles::default()
        };
        roles.place = Some(self.place(PlaceNode::Class(u32::try_from(index).unwrap_or_default())));
        for arg in self.code.args(class.bases) {
            if matches!(arg.kind, gatewatch_syntax::facts::ArgKind::Positional) {
                let base = self.value(arg.value);
                roles.bases.push(base);
            }
        }
        roles.decorators = class
            .decorators
            .iter()
            .map(|&decorator| self.value(decorator))
            .collect();
        for id in self.code.block(class.body) {
            match self.code.stmt(id) {
                Some(Stmt::Function(index)) => {
                    if let Some(method) = self.code.functions.get(index as usize) {
                        roles.methods.push((method.name, method.id));
                        self.env.insert(method.name, Value::Function(method.id));
                    }
                }
                Some(Stmt::Let { target, ty, value }) => {
                    if let (Expr::Name(name), Some(ty)) = (self.code.expr(target), ty) {
                        let ty = self.value(ty);
                        roles.types.push((name, ty));
                    }
                    if let Some(value) = value {
                        let value = self.value(value);
                        self.assign(target, value);
                    }
                }
                Some(stmt @ (Stmt::Class(_) | Stmt::Import(_))) => self.stmt(stmt),
                _ => {}
            }
        }
        roles.bases = fitted(roles.bases);
        roles.methods = fitted(roles.methods);
        roles.types = fitted(roles.types);
        roles.scope = self.finish();
        roles
    }
}

fn sorted(map: FxHashMap<Ustr, Value>) -> Vec<(Ustr, Value)> {
    let mut names: Vec<_> = map.into_iter().collect();
    names.sort_by(|a, b| a.0.as_str().cmp(b.0.as_str()));
    names
}

/// Long texts carry no name or path; they would only fill the table of names.
fn text_of(text: &str) -> Ustr {
    const LONGEST: usize = 400;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => ustr(text.get(..end).unwrap_or_default()),
        None => ustr(text),
    }
}

fn joined(left: Value, right: Value) -> Value {
    match (&left, &right) {
        (Value::List(a), Value::List(b)) => {
            Value::List(a.iter().chain(b.iter()).cloned().collect())
        }
        (Value::List(a), _) => {
            let mut items = a.to_vec();
            items.push(Argument {
                kind: ArgumentKind::Spread,
                value: right,
            });
            Value::List(items.into())
        }
        (_, Value::List(b)) => {
            let mut items = vec![Argument {
                kind: ArgumentKind::Spread,
                value: left.clone(),
            }];
            items.extend(b.iter().cloned());
            Value::List(items.into())
        }
        _ => Value::Template([left, right].into()),
    }
}

fn part_of(value: &Value, index: usize) -> Value {
    match value {
        Value::List(items)
            if items
                .iter()
                .all(|item| item.kind == ArgumentKind::Positional) =>
        {
            items
                .get(index)
                .map_or(Value::Unknown, |item| item.value.clone())
        }
        _ => Value::Index(Arc::new((
            value.clone(),
            Value::Number(ustr(&index.to_string())),
        ))),
    }
}

fn entry_of(value: &Value, name: Ustr) -> Value {
    if let Value::Dict(entries) = value
        && let Some(entry) = entries
            .iter()
            .find(|entry| entry.kind == ArgumentKind::Keyed(Value::Text(name)))
    {
        return entry.value.clone();
    }
    value.clone().field(name)
}

fn names_of(code: &Code, pattern: ExprId) -> (Ustr, Arc<[Ustr]>) {
    fn collect(code: &Code, pattern: ExprId, depth: u32, out: &mut Vec<Ustr>) {
        if depth > 16 {
            return;
        }
        match code.expr(pattern) {
            Expr::Name(name) => out.push(name),
            Expr::Tuple(run) | Expr::List(run) | Expr::Dict(run) => {
                for arg in code.args(run) {
                    collect(code, arg.value, depth + 1, out);
                }
            }
            Expr::Call { args, .. } | Expr::New { args, .. } => {
                for arg in code.args(args) {
                    collect(code, arg.value, depth + 1, out);
                }
            }
            Expr::Assign { target, .. } => collect(code, target, depth + 1, out),
            Expr::Spread(inner) => collect(code, inner, depth + 1, out),
            _ => {}
        }
    }
    let mut names = Vec::new();
    collect(code, pattern, 0, &mut names);
    match code.expr(pattern) {
        Expr::Name(name) => (name, [].into()),
        // `State(state): State<AppState>` is known by the name it binds.
        _ if names.len() == 1 => (names.first().copied().unwrap_or_default(), names.into()),
        _ => (ustr(""), names.into()),
    }
}

fn collect_returns(op: &Op, out: &mut Vec<Value>) {
    match op {
        Op::Return(value) => out.push(value.clone()),
        Op::Loop { body, .. } => body.iter().for_each(|op| collect_returns(op, out)),
        Op::Branch {
            then, otherwise, ..
        } => {
            then.iter()
                .chain(otherwise.iter())
                .for_each(|op| collect_returns(op, out));
        }
        _ => {}
    }
}

fn without_returns(op: Op) -> Op {
    let strip = |ops: &Arc<[Op]>| -> Arc<[Op]> {
        ops.iter()
            .filter(|op| !matches!(op, Op::Return(_)))
            .cloned()
            .map(without_returns)
            .collect()
    };
    match op {
        Op::Loop {
            item,
            subject,
            body,
        } => Op::Loop {
            item,
            subject,
            body: strip(&body),
        },
        Op::Branch {
            test,
            then,
            otherwise,
        } => Op::Branch {
            test,
            then: strip(&then),
            otherwise: strip(&otherwise),
        },
        other => other,
    }
}
