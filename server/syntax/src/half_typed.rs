//! Names that somebody is in the middle of typing: nothing defines them, but something is defined that begins with
//! them, or that they end with (a word that is put in front of another). Code with such a name in it does not run, so
//! it says nothing yet. Whoever goes on elsewhere has left the name as it is.

use std::sync::OnceLock;

use rustc_hash::FxHashSet;
use ustr::Ustr;

use crate::facts::{Code, Expr, ExprId, Imported, Item, Language, Stmt};
use crate::lower::LoweredItem;

/// Patterns nested deeper bind nothing.
const MAX_DEPTH: u32 = 32;

/// How long a name must be to be seen at the end of another.
const SUFFIX: usize = 3;

/// The half-typed names of one of a file's items.
pub(crate) fn half_typed(
    language: Language,
    text: &str,
    lowered: &LoweredItem,
    file: &[LoweredItem],
) -> Vec<Ustr> {
    let item = &lowered.item;
    let mut bound = FxHashSet::default();
    codes(item).for_each(|code| bind(code, &mut bound));
    let mut used = FxHashSet::default();
    let spans = &lowered.spans;
    let start = spans.whole.start;
    let head = (language != Language::Rust).then_some((&item.head, start, &spans.head));
    let bodies = item
        .bodies
        .iter()
        .zip(&spans.bodies)
        .map(|(body, (at, spans))| (&body.code, start + at, spans));
    for (code, origin, spans) in head.into_iter().chain(bodies) {
        // `std::mem`, `config::load`: a crate or module.
        let is_path = |id: ExprId| {
            let end = spans
                .exprs
                .get(id.0 as usize)
                .map_or(0, |span| span.end + origin);
            text.get(end as usize..)
                .is_some_and(|rest| rest.starts_with("::"))
        };
        used.extend(uses(language, code, is_path).filter(|name| !bound.contains(name)));
    }
    used.retain(|name| !globals(language).contains(name.as_str()));
    if used.is_empty() {
        return Vec::new();
    }
    for other in file {
        // Whatever a star brings in may be any name.
        let star = |import: &crate::facts::Import| import.what == Imported::Star;
        if other.item.head.imports.iter().any(star) {
            return Vec::new();
        }
        bind(&other.item.head, &mut bound);
    }
    let mut found: Vec<Ustr> = used
        .into_iter()
        .filter(|name| !bound.contains(name))
        .filter(|name| {
            let begins = |known: &str| known.starts_with(name.as_str());
            let ends = |known: &str| known.len() >= SUFFIX && name.ends_with(known);
            bound.iter().any(|known| begins(known) || ends(known))
                || globals(language).iter().any(|known| begins(known))
        })
        .collect();
    found.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    found
}

/// Whether an item uses a name anywhere.
pub(crate) fn mentions(item: &Item, name: Ustr) -> bool {
    codes(item).any(|code| code.exprs.contains(&Expr::Name(name)))
}

fn codes(item: &Item) -> impl Iterator<Item = &Code> {
    let bodies = item.bodies.iter().map(|body| &*body.code);
    std::iter::once(&*item.head).chain(bodies)
}

/// The names that are used as values in a code. Types go by names that packages and generics bring in, so where they
/// look different from values they are left out.
fn uses(
    language: Language,
    code: &Code,
    is_path: impl Fn(ExprId) -> bool,
) -> impl Iterator<Item = Ustr> {
    let at = |index: usize| ExprId(crate::lower::offset(index));
    code.exprs
        .iter()
        .enumerate()
        .filter_map(move |(index, expr)| match expr {
            Expr::Name(name) if !is_path(at(index)) => Some(*name),
            _ => None,
        })
        .filter(move |name| {
            let upper = name.starts_with(|c: char| c.is_uppercase());
            let is_type = upper && (language != Language::Python || name.len() == 1);
            !is_type && !name.is_empty() && !name.ends_with('!')
        })
}

/// Whether a code binds a name, parameters of functions in it aside.
pub fn binds(code: &Code, name: Ustr) -> bool {
    let mut bound = FxHashSet::default();
    bind_here(code, &mut bound);
    bound.contains(&name)
}

/// Every name that a code binds, in whatever scope of it.
pub fn bound_names(code: &Code) -> FxHashSet<Ustr> {
    let mut bound = FxHashSet::default();
    bind(code, &mut bound);
    bound
}

/// Adds every name that a code binds, in whatever scope of it.
fn bind(code: &Code, bound: &mut FxHashSet<Ustr>) {
    for function in &code.functions {
        for param in &function.params {
            pattern(code, param.pattern, bound, 0);
        }
    }
    bind_here(code, bound);
}

fn bind_here(code: &Code, bound: &mut FxHashSet<Ustr>) {
    bound.extend(code.imports.iter().map(|import| {
        // `import a.b` binds `a`.
        match import.local.split_once('.') {
            Some((first, _)) => ustr::ustr(first),
            None => import.local,
        }
    }));
    bound.extend(code.classes.iter().map(|class| class.name));
    bound.extend(code.functions.iter().map(|function| function.name));
    bound.extend(code.handlers.iter().filter_map(|handler| handler.name));
    for arm in &code.arms {
        pattern(code, arm.pattern, bound, 0);
    }
    for stmt in &code.stmts {
        match *stmt {
            Stmt::Let { target, .. }
            | Stmt::Augment { target, .. }
            | Stmt::With {
                target: Some(target),
                ..
            }
            | Stmt::Loop {
                target: Some(target),
                ..
            } => pattern(code, target, bound, 0),
            _ => {}
        }
    }
    for expr in &code.exprs {
        match *expr {
            Expr::Assign { target, .. } => pattern(code, target, bound, 0),
            Expr::Bind { pattern: of, .. } => pattern(code, of, bound, 0),
            _ => {}
        }
    }
}

fn pattern(code: &Code, id: ExprId, bound: &mut FxHashSet<Ustr>, depth: u32) {
    if depth > MAX_DEPTH {
        return;
    }
    match code.expr(id) {
        Expr::Name(name) => {
            bound.insert(name);
        }
        Expr::Tuple(run)
        | Expr::List(run)
        | Expr::Dict(run)
        | Expr::Call { args: run, .. }
        | Expr::New { args: run, .. } => {
            for arg in code.args(run) {
                pattern(code, arg.value, bound, depth + 1);
            }
        }
        Expr::Assign { target: inner, .. } | Expr::Spread(inner) | Expr::Unary(inner) => {
            pattern(code, inner, bound, depth + 1);
        }
        Expr::Bind {
            pattern: left,
            value: right,
        }
        | Expr::Binary { left, right, .. } => {
            pattern(code, left, bound, depth + 1);
            pattern(code, right, bound, depth + 1);
        }
        _ => {}
    }
}

/// The names that a language defines by itself, and its keywords.
pub fn globals(language: Language) -> &'static FxHashSet<&'static str> {
    static PYTHON: OnceLock<FxHashSet<&'static str>> = OnceLock::new();
    static TYPESCRIPT: OnceLock<FxHashSet<&'static str>> = OnceLock::new();
    static RUST: OnceLock<FxHashSet<&'static str>> = OnceLock::new();
    let (cell, list) = match language {
        Language::Python => (&PYTHON, include_str!("../../../queries/python/globals.txt")),
        Language::TypeScript | Language::Tsx => (
            &TYPESCRIPT,
            include_str!("../../../queries/typescript/globals.txt"),
        ),
        Language::Rust => (&RUST, include_str!("../../../queries/rust/globals.txt")),
    };
    cell.get_or_init(|| list.lines().collect())
}
