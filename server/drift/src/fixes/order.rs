//! A guard that is registered behind what it should stand in front of: its statement goes before the first of them.

use gatewatch_model::{Site, linked, locate};
use gatewatch_syntax::{Span, statement};

use super::Fixer;
use crate::finding::FixEdit;

impl Fixer<'_> {
    /// Moves the statement that registers a guard in front of the routes of its router.
    pub(super) fn in_front(&self, guard: Site) -> Option<Vec<FixEdit>> {
        let linked = linked(self.db, self.trees.current);
        let registered = linked
            .registered
            .iter()
            .find(|registered| registered.guard.site == guard && registered.covers == 0)?;
        let file = guard.0;
        let own = statement(&self.read, file, locate(self.db, guard)?)?;
        let first = linked
            .entry_points
            .iter()
            .filter(|entry| entry.site.0 == file && entry.routers.contains(&registered.router))
            .filter_map(|entry| statement(&self.read, file, locate(self.db, entry.site)?))
            .filter(|span| span.end <= own.start)
            .min()?;
        let text = file.text(self.db);
        let indent = self.indent(file, own.start);
        // One statement behind the other, in one block.
        if self.indent(file, first.start) != indent {
            return None;
        }
        let whole = self.text(file, own);
        let before = text.get(..own.start as usize)?;
        let line = before.trim_end_matches([' ', '\t']);
        let behind = text.get(own.end as usize..)?;
        let blank = behind
            .split_inclusive('\n')
            .take_while(|line| line.trim().is_empty())
            .map(str::len)
            .sum::<usize>();
        let path = file.path(self.db).clone();
        Some(vec![
            FixEdit {
                file: path.clone(),
                span: Span {
                    start: first.start,
                    end: first.start,
                },
                text: format!("{whole}\n{indent}"),
            },
            FixEdit {
                file: path,
                span: Span {
                    start: u32::try_from(line.len()).ok()?,
                    end: own.end + u32::try_from(blank).ok()?,
                },
                text: String::new(),
            },
        ])
    }
}
