//! A note that an entry point is open on purpose.

use gatewatch_model::{Coverage, Handler, function_spans};
use gatewatch_source::SourceFile;
use gatewatch_syntax::facts::Stmt;
use gatewatch_syntax::{Span, file_facts, file_spans};
use ustr::Ustr;

use super::Fixer;
use crate::compare::entry_name;
use crate::finding::{Fix, FixEdit};

impl Fixer<'_> {
    /// A note above the handler that it is open on purpose.
    pub(super) fn mark_public(&self, now: &Coverage) -> Option<Fix> {
        let Handler::Function(file, id) = now.entry_point.handler else {
            return None;
        };
        let facts = file_facts(self.db, file);
        let signature = facts.signature(id)?;
        let start = if signature.name.is_empty() {
            // An unnamed handler: above the statement that registers it.
            self.statement_start(file, id)?
        } else {
            function_spans(self.db, file, id)?.whole.start
        };
        let indent = self.indent(file, start);
        let comment = match gatewatch_syntax::language(self.db, file)? {
            gatewatch_syntax::facts::Language::Python => "#",
            _ => "//",
        };
        Some(Fix {
            title: format!("Mark `{}` as public on purpose", entry_name(now)),
            preferred: false,
            edits: vec![FixEdit {
                file: file.path(self.db).clone(),
                span: Span { start, end: start },
                text: format!("{comment} gatewatch: public\n{indent}"),
            }],
        })
    }

    /// The start of the top-level statement in whose head an unnamed function stands.
    fn statement_start(&self, file: SourceFile, id: Ustr) -> Option<u32> {
        let facts = file_facts(self.db, file);
        let (item, body) = facts.place(id)?;
        let entry = facts.items.get(item)?;
        if entry.bodies.get(body)?.parent.is_some() {
            return None;
        }
        let expression = entry.head.block(entry.head.root).any(|stmt| {
            matches!(
                entry.head.stmt(stmt),
                Some(Stmt::Expr(_) | Stmt::Let { .. })
            )
        });
        expression
            .then(|| {
                file_spans(self.db, file)
                    .get(item)
                    .map(|places| places.whole.start)
            })
            .flatten()
    }
}
