//! Imports that a piece of text needs in another file than the one it comes from.

use gatewatch_frameworks::module_roles;
use gatewatch_source::SourceFile;
use gatewatch_syntax::facts::Imported;
use gatewatch_syntax::{Span, file_facts, file_spans};

use super::Fixer;
use crate::finding::FixEdit;

impl Fixer<'_> {
    /// Imports that a piece of text needs and the file no longer has.
    pub(super) fn missing_imports(
        &self,
        file: SourceFile,
        text: &str,
        from: SourceFile,
    ) -> Vec<FixEdit> {
        let have = module_roles(self.db, file);
        let words: Vec<&str> = text
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter(|word| !word.is_empty())
            .collect();
        let facts = file_facts(self.db, from);
        let spans = file_spans(self.db, from);
        let mut lines: Vec<String> = Vec::new();
        for (item, places) in facts.items.iter().zip(spans.iter()) {
            for import in &item.head.imports {
                let known = matches!(have.name(import.local), Some(value) if !matches!(value, gatewatch_frameworks::Value::Unknown));
                if import.local.is_empty() || known || !words.contains(&import.local.as_str()) {
                    continue;
                }
                let line = match (gatewatch_syntax::language(self.db, from), import.what) {
                    (Some(gatewatch_syntax::facts::Language::Python), Imported::Name(name)) => {
                        let alias = if name == import.local {
                            String::new()
                        } else {
                            format!(" as {}", import.local)
                        };
                        format!("from {} import {name}{alias}", import.module)
                    }
                    _ => self.text(from, places.whole).to_owned(),
                };
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
        }
        if lines.is_empty() {
            return Vec::new();
        }
        let start = self.import_position(file);
        vec![FixEdit {
            file: file.path(self.db).clone(),
            span: Span { start, end: start },
            text: format!("{}\n", lines.join("\n")),
        }]
    }

    /// Where an import can be added: before the first one, else at the top.
    fn import_position(&self, file: SourceFile) -> u32 {
        let facts = file_facts(self.db, file);
        let spans = file_spans(self.db, file);
        facts
            .items
            .iter()
            .zip(spans.iter())
            .find(|(item, _)| {
                !item.head.imports.is_empty()
                    && !item
                        .head
                        .imports
                        .iter()
                        .any(|import| import.module == "__future__")
            })
            .map_or(0, |(_, places)| places.whole.start)
    }
}
