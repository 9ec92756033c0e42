//! A note that an entry point is open on purpose.

use gatewatch_model::{Coverage, Handler, function_spans};
use gatewatch_source::SourceFile;
use gatewatch_syntax::{Span, facts_of_text, statement};
use ustr::Ustr;

use super::Fixer;
use crate::compare::entry_name;
use crate::finding::{Fix, FixEdit};
use crate::notes::stands_above;

impl Fixer<'_> {
    /// A note above the handler that it is open on purpose.
    pub(super) fn mark_public(&self, now: &Coverage) -> Option<Fix> {
        let Handler::Function(file, id) = now.entry_point.handler else {
            return None;
        };
        let spans = function_spans(self.db, file, id)?;
        // Above the definition, or above the statement that holds it.
        let own = spans.whole.start;
        let around = statement(&self.read, file, spans.whole).map(|span| span.start);
        [Some(own), around]
            .into_iter()
            .flatten()
            .find_map(|start| self.note(now, file, id, start))
    }

    /// The note at a place, if it is read as one there.
    fn note(&self, now: &Coverage, file: SourceFile, id: Ustr, start: u32) -> Option<Fix> {
        let text = file.text(self.db);
        let before = text.get(..start as usize)?;
        let line = before.rsplit('\n').next().unwrap_or_default();
        if !line.trim().is_empty() {
            return None;
        }
        let language = gatewatch_syntax::language(self.db, file)?;
        let indent = self.indent(file, start);
        let comment = match language {
            gatewatch_syntax::facts::Language::Python => "#",
            _ => "//",
        };
        let note = format!("{comment} gatewatch: public\n{indent}");
        let mut edited = String::from(&*text);
        edited.insert_str(start as usize, &note);
        let (facts, _) = facts_of_text(language, &edited);
        stands_above(&facts, id).then(|| Fix {
            title: format!("Mark `{}` as public on purpose", entry_name(now)),
            preferred: false,
            edits: vec![FixEdit {
                file: file.path(self.db).clone(),
                span: Span { start, end: start },
                text: note,
            }],
        })
    }
}
