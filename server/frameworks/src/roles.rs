//! The queries of this crate: the roles of modules, functions and classes. They depend on one file
//! each and on no tree, so the current model and the baseline share them.

use std::sync::Arc;

use gatewatch_source::{Content, Db, SaidPart, SourceFile, fitted};
use gatewatch_syntax::facts::{Code, Expr, Imported, Language, Stmt};
use gatewatch_syntax::{Buffer, FileFacts, function, function_home, heads};
use rustc_hash::{FxHashMap, FxHashSet};
use ustr::{Ustr, ustr};

use crate::evaluate::Evaluator;
use crate::value::{ClassRoles, ScopeRoles, Signature, Value};

/// What a module defines and does when it is loaded.
#[salsa::tracked(returns(clone))]
pub fn module_roles(db: &dyn Db, file: SourceFile) -> Arc<ScopeRoles> {
    let heads = heads(db, file);
    let empty = Code::default();
    let mut evaluator = Evaluator::new(&empty, ustr(""), false);
    // Functions and classes are known before the statements around them run: JavaScript and Rust
    // hoist them, and in Python only functions that run later can use one before its definition.
    for (_, code) in &heads.items {
        for id in code.block(code.root) {
            match code.stmt(id) {
                Some(Stmt::Function(index)) => {
                    if let Some(function) = code.functions.get(index as usize) {
                        evaluator.bind(function.name, Value::Function(function.id));
                    }
                }
                Some(Stmt::Class(index)) => {
                    if let Some(class) = code.classes.get(index as usize)
                        && class.kind != gatewatch_syntax::facts::ClassKind::Impl
                    {
                        evaluator.bind(class.name, Value::Class(class.id));
                    }
                }
                _ => {}
            }
        }
    }
    for (key, code) in &heads.items {
        evaluator.enter(code, *key);
        evaluator.block(code.root);
    }
    Arc::new(evaluator.finish())
}

/// What a function's body does with its parameters.
#[salsa::tracked(returns(clone))]
pub fn function_roles(db: &dyn Db, file: SourceFile, id: Ustr) -> Option<Arc<ScopeRoles>> {
    let facts = function(db, file, id)?;
    let signature = facts.at.signature()?;
    let mut evaluator = Evaluator::new(&facts.body, id, true);
    for (index, param) in signature.params.iter().enumerate() {
        let value = Value::Param(u32::try_from(index).unwrap_or_default());
        bind_pattern(&mut evaluator, &facts.at.home, param.pattern, value, 0);
    }
    // Nested functions are known in the whole body.
    for nested in &facts.body.functions {
        if !nested.name.is_empty() {
            evaluator.bind(nested.name, Value::Function(nested.id));
        }
    }
    evaluator.block(facts.body.root);
    let mut roles = evaluator.finish();
    let unread = unread(db, file, &facts.body);
    roles.names.retain(|(name, _)| !unread.contains(name));
    roles.names = fitted(roles.names);
    Some(Arc::new(roles))
}

/// The variables of a body that nothing reads, neither it nor a function in it. A change of such a one is none of what the
/// body does.
fn unread(db: &dyn Db, file: SourceFile, body: &Code) -> FxHashSet<Ustr> {
    // How often each is bound, and how often it is named at all: where it is bound it is named as well.
    let mut variables: FxHashMap<Ustr, (u32, u32)> = FxHashMap::default();
    for stmt in &body.stmts {
        if let Stmt::Let { target, .. } = *stmt
            && let Expr::Name(name) = body.expr(target)
        {
            variables.entry(name).or_default().0 += 1;
        }
    }
    for expr in &body.exprs {
        if let Expr::Name(name) = expr
            && let Some((_, named)) = variables.get_mut(name)
        {
            *named += 1;
        }
    }
    let mut unread: FxHashSet<Ustr> = variables
        .into_iter()
        .filter(|(_, (bound, named))| bound == named)
        .map(|(name, _)| name)
        .collect();
    let mut inside: Vec<Ustr> = body.functions.iter().map(|inner| inner.id).collect();
    while !unread.is_empty()
        && let Some(id) = inside.pop()
    {
        let Some(inner) = function(db, file, id) else {
            continue;
        };
        for expr in &inner.body.exprs {
            if let Expr::Name(name) = expr {
                unread.remove(name);
            }
        }
        inside.extend(inner.body.functions.iter().map(|inner| inner.id));
    }
    unread
}

fn bind_pattern(
    evaluator: &mut Evaluator<'_>,
    code: &gatewatch_syntax::facts::Code,
    pattern: gatewatch_syntax::facts::ExprId,
    value: Value,
    depth: u32,
) {
    if depth > 8 {
        return;
    }
    match code.expr(pattern) {
        Expr::Name(name) => evaluator.bind(name, value),
        // `([path, handler]) => …`
        Expr::List(run) | Expr::Tuple(run) => {
            for (index, arg) in code.args(run).iter().enumerate() {
                let index = Value::Number(ustr(&index.to_string()));
                let part = Value::Index(Arc::new((value.clone(), index)));
                bind_pattern(evaluator, code, arg.value, part, depth + 1);
            }
        }
        Expr::Dict(run) => {
            for arg in code.args(run) {
                if let gatewatch_syntax::facts::ArgKind::Named(name) = arg.kind {
                    bind_pattern(
                        evaluator,
                        code,
                        arg.value,
                        value.clone().field(name),
                        depth + 1,
                    );
                }
            }
        }
        // `State(state): State<AppState>`: the name stands for what the extractor holds.
        Expr::Call { args, .. } => {
            if let [arg] = code.args(args) {
                bind_pattern(evaluator, code, arg.value, value, depth + 1);
            }
        }
        Expr::Assign { target, .. } => bind_pattern(evaluator, code, target, value, depth + 1),
        _ => {}
    }
}

/// A function's signature with its decorators.
#[salsa::tracked(returns(clone))]
pub fn signature(db: &dyn Db, file: SourceFile, id: Ustr) -> Option<Arc<Signature>> {
    let facts = function_home(db, file, id)?;
    let owner = match facts.parent {
        Some(parent) => (parent, true),
        None => (facts.item, false),
    };
    Some(Arc::new(
        Evaluator::new(&facts.home, owner.0, owner.1).signature(facts.index),
    ))
}

/// A class with its bases, attributes and methods. `impl` blocks are found under their own id.
#[salsa::tracked(returns(clone))]
pub fn class_roles(db: &dyn Db, file: SourceFile, id: Ustr) -> Option<Arc<ClassRoles>> {
    let heads = heads(db, file);
    for (key, code) in &heads.items {
        if let Some(index) = code.classes.iter().position(|class| class.id == id) {
            return Some(Arc::new(
                Evaluator::new(code, *key, false).class_roles(index),
            ));
        }
    }
    // A class inside a function's body: its id begins with the function's.
    let mut around = id.as_str();
    while let Some((outer, _)) = around.rsplit_once('.') {
        around = outer;
        let Some(home) = function(db, file, ustr(outer)) else {
            continue;
        };
        if let Some(index) = home.body.classes.iter().position(|class| class.id == id) {
            return Some(Arc::new(
                Evaluator::new(&home.body, ustr(outer), true).class_roles(index),
            ));
        }
    }
    None
}

/// The `impl` blocks of a Rust file: type name, trait (if any), id of the block.
#[salsa::tracked(returns(clone))]
pub fn impls(db: &dyn Db, file: SourceFile) -> Arc<Vec<(Ustr, Option<Ustr>, Ustr)>> {
    let mut found = Vec::new();
    for (_, code) in &heads(db, file).items {
        for class in &code.classes {
            if class.kind == gatewatch_syntax::facts::ClassKind::Impl {
                let of = code
                    .args(class.bases)
                    .first()
                    .and_then(|base| last_name(code, base.value));
                found.push((class.name, of, class.id));
            }
        }
    }
    Arc::new(found)
}

/// The last two names of what is called: what it is a member of, and its own.
fn last_names(
    code: &Code,
    callee: gatewatch_syntax::facts::ExprId,
) -> (Option<Ustr>, Option<Ustr>) {
    match code.expr(callee) {
        Expr::Name(name) => (None, Some(name)),
        Expr::Attr { base, name } => match code.expr(base) {
            Expr::Name(of) | Expr::Attr { name: of, .. } => (Some(of), Some(name)),
            _ => (None, Some(name)),
        },
        _ => (None, None),
    }
}

/// The last name of a path, without its type arguments.
fn last_name(
    code: &gatewatch_syntax::facts::Code,
    id: gatewatch_syntax::facts::ExprId,
) -> Option<Ustr> {
    match code.expr(id) {
        Expr::Name(name) | Expr::Attr { name, .. } => Some(name),
        Expr::Index { base, .. } => last_name(code, base),
        _ => None,
    }
}

/// The inline modules that are compiled for tests only.
fn test_modules(facts: &FileFacts) -> Vec<Ustr> {
    let mut found = Vec::new();
    for code in facts.items.iter().map(|item| &item.head) {
        for class in &code.classes {
            let for_tests = class.decorators.iter().any(|&decorator| {
                matches!(code.expr(decorator), Expr::Call { callee, args }
                    if matches!(code.expr(callee), Expr::Name(name) if name.as_str() == "cfg")
                        && code.args(args).iter().any(|arg| matches!(code.expr(arg.value), Expr::Name(name) if name.as_str() == "test")))
            });
            if class.kind == gatewatch_syntax::facts::ClassKind::Module && for_tests {
                found.push(class.id);
            }
        }
    }
    found
}

/// Functions whose body makes or changes routers, by the names that packs know: candidates to be run as
/// the start of an application when nothing else calls them. Sorted by id.
#[salsa::tracked(returns(clone))]
pub fn builders(db: &dyn Db, file: SourceFile) -> Arc<Vec<Ustr>> {
    let Some(language) = gatewatch_syntax::language(db, file) else {
        return Arc::default();
    };
    match file.said::<Builders>(db, gatewatch_syntax::PARTS) {
        Some(builders) => Arc::clone(&builders.0),
        None => Arc::new(builders_of(
            language,
            &gatewatch_syntax::file_facts(db, file),
        )),
    }
}

/// The part of a buffer that says which functions build routers. Typing in a function that builds none doesn't
/// change it, which keeps the link out of most edits.
#[derive(PartialEq)]
struct Builders(Arc<Vec<Ustr>>);

/// The content of an open file, with all parts that the queries of this crate ask for.
pub fn content(buffer: &Arc<Buffer>, text: Arc<str>) -> Content {
    let mut content = buffer.content(text);
    let builders = builders_of(buffer.language(), buffer.facts());
    let builders = SaidPart {
        value: Arc::new(Builders(Arc::new(builders))),
        typed: false,
    };
    let parts = content.parts.iter().cloned();
    content.parts = parts.chain([builders]).collect();
    content
}

fn builders_of(language: Language, facts: &FileFacts) -> Vec<Ustr> {
    let Some(vocabulary) = crate::packs::packs().builder_names(language.folder()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut others = Vec::new();
    let tests = test_modules(facts);
    // `use axum::serve`: what stands for a function that serves.
    let codes = (facts.items.iter()).flat_map(|item| {
        [&item.head]
            .into_iter()
            .chain(item.bodies.iter().map(|body| &body.code))
    });
    let imports = codes.flat_map(|code| &code.imports);
    let servers: Vec<Ustr> = imports
        .filter(|import| match import.what {
            Imported::Name(name) => {
                let module = import.module.rsplit([':', '.']).next().unwrap_or_default();
                vocabulary.servers.contains(&(ustr(module), name))
            }
            _ => false,
        })
        .map(|import| import.local)
        .collect();
    let serves = |of: Option<Ustr>, name: Option<Ustr>| match (of, name) {
        (Some(of), Some(name)) => vocabulary.servers.contains(&(of, name)),
        (None, Some(name)) => servers.contains(&name),
        _ => false,
    };
    for item in &facts.items {
        for body in &item.bodies {
            if tests.iter().any(|module| {
                body.id
                    .strip_prefix(module.as_str())
                    .is_some_and(|rest| rest.starts_with('.'))
            }) {
                continue;
            }
            let makes = body.code.exprs.iter().any(|expr| match *expr {
                Expr::Call { callee, .. } | Expr::New { callee, .. } => {
                    let (of, name) = last_names(&body.code, callee);
                    let known = |name: Option<Ustr>| {
                        name.is_some_and(|name| vocabulary.names.contains(&name))
                    };
                    known(name) || known(of) || serves(of, name)
                }
                _ => false,
            });
            if makes {
                found.push(body.id);
            } else {
                others.push(body);
            }
        }
    }
    // `entries().layer(guard)`: what another one has made is built on.
    let made: FxHashSet<Ustr> = found.iter().copied().collect();
    let builds_on = |code: &Code| {
        code.exprs.iter().any(|expr| {
            matches!(*expr, Expr::Call { callee, .. }
                if matches!(code.expr(callee), Expr::Name(name) if made.contains(&name)))
        })
    };
    let more = others.into_iter().filter(|body| builds_on(&body.code));
    found.extend(more.map(|body| body.id).collect::<Vec<_>>());
    found.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    found
}
