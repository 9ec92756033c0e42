//! Imports that a piece of text needs in another file than the one it comes from.

use gatewatch_model::{Module, resolve_module};
use gatewatch_source::SourceFile;
use gatewatch_syntax::facts::{Import, Imported, Language};
use gatewatch_syntax::{Span, file_facts, file_spans, language, top_level};

use super::Fixer;

impl Fixer<'_> {
    /// Imports that texts from one file need in another one and that it doesn't have. `None` if a name can't be had there.
    pub(super) fn missing_imports(
        &self,
        file: SourceFile,
        texts: &[&str],
        from: SourceFile,
    ) -> Option<Vec<(Span, String)>> {
        let theirs = file_facts(self.db, from);
        let imports = |facts: &gatewatch_syntax::FileFacts| -> Vec<Import> {
            let items = facts.items.iter();
            items
                .flat_map(|item| item.head.imports.iter().cloned())
                .collect()
        };
        let (theirs, ours) = (imports(&theirs), imports(&file_facts(self.db, file)));
        let mut lines: Vec<String> = Vec::new();
        for word in names(texts) {
            let here = ours.iter().any(|import| import.local == word)
                || top_level(&self.read, file, word).is_some();
            if here {
                continue;
            }
            let line = match theirs.iter().find(|import| import.local == word) {
                Some(import) => self.again(file, from, import)?,
                None if top_level(&self.read, from, word).is_some() => {
                    let spec = self.path_to(file, from)?;
                    self.line(file, &spec, Imported::Name(word.into()), word)?
                }
                None => continue,
            };
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        if lines.is_empty() {
            return Some(Vec::new());
        }
        let (start, first) = self.import_position(file);
        let end = if first { "\n\n" } else { "\n" };
        Some(vec![(
            Span { start, end: start },
            format!("{}{end}", lines.join("\n")),
        )])
    }

    /// An import of one file, as another has to write it.
    fn again(&self, file: SourceFile, from: SourceFile, import: &Import) -> Option<String> {
        let old = resolve_module(self.db, self.trees.baseline, from, &import.module);
        let new = resolve_module(self.db, self.trees.current, file, &import.module);
        let spec = match (&old, &new) {
            (Module::External(_), Module::External(_)) => import.module.to_string(),
            (Module::File(one), Module::File(other))
                if one.path(self.db) == other.path(self.db) =>
            {
                import.module.to_string()
            }
            (Module::File(one), _) => self.path_to(file, *one)?,
            _ => return None,
        };
        self.line(file, &spec, import.what, &import.local)
    }

    /// How a file names the module that another one is.
    fn path_to(&self, file: SourceFile, module: SourceFile) -> Option<String> {
        let here = self.same_file(module)?;
        let path = module.path(self.db).as_str();
        let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
        let within = |root: &str| {
            let rest = stem.strip_prefix(root)?;
            Some(rest.trim_start_matches('/').to_owned())
        };
        let candidates: Vec<String> = match language(self.db, file)? {
            Language::Python => {
                let stem = stem.trim_end_matches("/__init__");
                let parts: Vec<&str> = stem.split('/').collect();
                (0..parts.len())
                    .filter_map(|at| parts.get(at..))
                    .map(|parts| parts.join("."))
                    .collect()
            }
            Language::Rust => {
                let root = stem.find("src/").map_or(0, |at| at + 4);
                let inside = stem.get(root..).unwrap_or_default();
                let inside = inside.trim_end_matches("/mod");
                match inside {
                    "main" | "lib" => vec!["crate".to_owned()],
                    inside => vec![format!("crate::{}", inside.replace('/', "::"))],
                }
            }
            _ => {
                let own = file.path(self.db).as_str();
                let mut folder = own.rsplit_once('/').map_or("", |(folder, _)| folder);
                let mut up = "./".to_owned();
                loop {
                    if let Some(rest) = within(folder) {
                        let rest = rest.trim_end_matches("/index");
                        break vec![
                            format!("{up}{rest}"),
                            format!("{up}{rest}.js"),
                            format!("{up}{rest}.mjs"),
                        ];
                    }
                    folder = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
                    up = if up == "./" {
                        "../".to_owned()
                    } else {
                        format!("{up}../")
                    };
                }
            }
        };
        candidates.into_iter().find(|spec| {
            matches!(
                resolve_module(self.db, self.trees.current, file, spec),
                Module::File(found) if found == here
            )
        })
    }

    /// An import in the style of a file.
    fn line(&self, file: SourceFile, spec: &str, what: Imported, local: &str) -> Option<String> {
        let text = file.text(self.db);
        match language(self.db, file)? {
            Language::Python => Some(match what {
                Imported::Name(name) if name == local => format!("from {spec} import {name}"),
                Imported::Name(name) => format!("from {spec} import {name} as {local}"),
                Imported::Module if spec == local => format!("import {spec}"),
                Imported::Module => format!("import {spec} as {local}"),
                Imported::Star => return None,
            }),
            Language::Rust => Some(match what {
                Imported::Name(name) if name == local => format!("use {spec}::{name};"),
                Imported::Name(name) => format!("use {spec}::{name} as {local};"),
                Imported::Module if spec.rsplit("::").next() == Some(local) => {
                    format!("use {spec};")
                }
                Imported::Module => format!("use {spec} as {local};"),
                Imported::Star => return None,
            }),
            _ => {
                let quote = if text.matches('"').count() > text.matches('\'').count() {
                    '"'
                } else {
                    '\''
                };
                let first = text.lines().find(|line| !line.trim().is_empty());
                let semicolon = if first.is_some_and(|line| !line.trim_end().ends_with(';'))
                    && !text.contains(";\n")
                {
                    ""
                } else {
                    ";"
                };
                let required = text.contains("require(") && !text.contains("import ");
                let spec = format!("{quote}{spec}{quote}");
                Some(match (what, required) {
                    (Imported::Name(name), true) if name == local => {
                        format!("const {{ {name} }} = require({spec}){semicolon}")
                    }
                    (Imported::Name(name), true) => {
                        format!("const {{ {name}: {local} }} = require({spec}){semicolon}")
                    }
                    (Imported::Module, true) => {
                        format!("const {local} = require({spec}){semicolon}")
                    }
                    (Imported::Name(name), false) if name == "default" => {
                        format!("import {local} from {spec}{semicolon}")
                    }
                    (Imported::Name(name), false) if name == local => {
                        format!("import {{ {name} }} from {spec}{semicolon}")
                    }
                    (Imported::Name(name), false) => {
                        format!("import {{ {name} as {local} }} from {spec}{semicolon}")
                    }
                    (Imported::Module, false) => {
                        format!("import * as {local} from {spec}{semicolon}")
                    }
                    (Imported::Star, _) => return None,
                })
            }
        }
    }

    /// Where an import can be added, before the first one, else at the top; and whether it is the first one.
    fn import_position(&self, file: SourceFile) -> (u32, bool) {
        let facts = file_facts(self.db, file);
        let spans = file_spans(self.db, file);
        let found = facts.items.iter().zip(spans.iter()).find(|(item, _)| {
            let mut imports = item.head.imports.iter().peekable();
            imports.peek().is_some() && !imports.any(|import| import.module == "__future__")
        });
        match (found, spans.first()) {
            (Some((_, places)), _) => (places.whole.start, false),
            (None, Some(first)) => (first.whole.start, true),
            (None, None) => (0, true),
        }
    }
}

/// The names in texts that stand for something by themselves, not behind a dot.
fn names<'s>(texts: &[&'s str]) -> Vec<&'s str> {
    let mut found: Vec<&str> = Vec::new();
    for text in texts {
        let mut rest = *text;
        let (mut dotted, mut last) = (false, ' ');
        while let Some(c) = rest.chars().next() {
            let len = rest
                .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
                .unwrap_or(rest.len());
            if len == 0 {
                dotted = c == '.' || (c == ':' && last == ':');
                last = c;
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
                continue;
            }
            let (word, tail) = rest.split_at(len);
            if !dotted && !word.starts_with(|c: char| c.is_ascii_digit()) && !found.contains(&word)
            {
                found.push(word);
            }
            (dotted, last) = (false, ' ');
            rest = tail;
        }
    }
    found.sort_unstable();
    found
}
