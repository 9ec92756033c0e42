//! Which modules a file speaks of, in heads and bodies alike.

use std::sync::Arc;

use gatewatch_source::{Db, SourceFile};
use rustc_hash::FxHashSet;
use ustr::Ustr;

use crate::facts::{Code, Expr, Imported};
use crate::file::FileFacts;
use crate::queries::{MENTIONS, file_facts};

/// The modules that a file speaks of. Typing in a function seldom changes them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Mentions {
    /// Each module as written, with what is taken from it, once.
    pub modules: Box<[(Ustr, Imported)]>,
    /// Whether a `require` asks for a module whose name is computed: it may be any.
    pub computed: bool,
}

/// See [`Mentions`].
#[salsa::tracked(returns(clone))]
pub fn mentioned(db: &dyn Db, file: SourceFile) -> Arc<Mentions> {
    match file.said::<Arc<Mentions>>(db, MENTIONS) {
        Some(mentions) => Arc::clone(mentions),
        None => Arc::new(mentions_of(&file_facts(db, file))),
    }
}

pub(crate) fn mentions_of(facts: &FileFacts) -> Mentions {
    let mut seen = FxHashSet::default();
    let mut modules = Vec::new();
    let mut computed = false;
    let codes = facts.items.iter().flat_map(|item| {
        let bodies = item.bodies.iter().map(|body| &body.code);
        std::iter::once(&item.head).chain(bodies)
    });
    for code in codes {
        let imports = code.imports.iter().map(|it| (it.module, it.what));
        let required = required(code).filter_map(|module| {
            computed |= module.is_none();
            Some((module?, Imported::Module))
        });
        modules.extend(imports.chain(required).filter(|&it| seen.insert(it)));
    }
    Mentions {
        modules: modules.into(),
        computed,
    }
}

/// What the code requires where it needs it; `None` for a module whose name is computed.
fn required(code: &Code) -> impl Iterator<Item = Option<Ustr>> {
    code.exprs.iter().filter_map(|expr| match *expr {
        Expr::Call { callee, args } => {
            let is_require =
                matches!(code.expr(callee), Expr::Name(name) if name.as_str() == "require");
            let first = code.args(args).first().filter(|_| is_require)?;
            Some(match code.expr(first.value) {
                Expr::Str(text) => code.strings.get(text as usize).map(|text| ustr::ustr(text)),
                _ => None,
            })
        }
        _ => None,
    })
}
