//! Notes in the code: `# gatewatch: public` above a handler says that it is open on purpose.

use gatewatch_model::Handler;
use gatewatch_source::Db;
use gatewatch_syntax::FileFacts;
use gatewatch_syntax::facts::Stmt;
use ustr::Ustr;

/// Whether a note above the handler says that it is public.
pub(crate) fn marked_public(db: &dyn Db, handler: &Handler) -> bool {
    let Handler::Function(file, id) = handler else {
        return false;
    };
    stands_above(&gatewatch_syntax::file_facts(db, *file), *id)
}

/// Whether a note directly above a function of a file says that it is public.
pub(crate) fn stands_above(facts: &FileFacts, id: Ustr) -> bool {
    let Some((item, body)) = facts.place(id) else {
        return false;
    };
    let Some(item) = facts.items.get(item) else {
        return false;
    };
    let Some(body) = item.bodies.get(body) else {
        return false;
    };
    // The note stands directly before the statement that defines or registers the handler.
    let codes = std::iter::once(&item.head).chain(item.bodies.iter().map(|body| &body.code));
    for code in codes {
        for index in 0..code.blocks.len() {
            let statements: Vec<_> = code
                .block(gatewatch_syntax::facts::BlockId(
                    u32::try_from(index).unwrap_or(u32::MAX),
                ))
                .collect();
            for pair in statements.windows(2) {
                let [note, target] = pair else { continue };
                let Some(Stmt::Note(text)) = code.stmt(*note) else {
                    continue;
                };
                if !code.string(text).starts_with("public") {
                    continue;
                }
                let defines = match code.stmt(*target) {
                    Some(Stmt::Function(function)) => code
                        .functions
                        .get(function as usize)
                        .is_some_and(|function| function.id == id),
                    // A registration with the handler in it: `app.get("/x", (req, res) => …)`.
                    Some(Stmt::Expr(_) | Stmt::Let { .. } | Stmt::Tail(_)) => {
                        body.parent.is_none()
                            && code.functions.iter().any(|function| function.id == id)
                    }
                    _ => false,
                };
                if defines {
                    return true;
                }
            }
        }
    }
    false
}
