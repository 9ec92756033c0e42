//! From sites to lines and columns, as people and files count them.

use std::sync::Arc;

use gatewatch_model::{Site, locate};
use gatewatch_source::{Db, Encoding, FilePath, LineMap, SourceFile};
use gatewatch_syntax::Span;

/// Where the lines of a file stand.
#[salsa::tracked(returns(clone), lru = 128)]
pub fn line_map(db: &dyn Db, file: SourceFile) -> Arc<LineMap> {
    Arc::new(LineMap::new(&file.text(db)))
}

/// A range of a file, in characters. Lines and columns are 1-based; the end is behind the last character.
#[derive(Clone, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub struct Location {
    /// The file.
    pub file: FilePath,
    /// The line that it starts in.
    pub line: u32,
    /// The column that it starts at.
    pub column: u32,
    /// The line that it ends in.
    pub end_line: u32,
    /// The column behind its last character.
    pub end_column: u32,
    /// The text of the line that it starts in.
    pub source: String,
}

impl Location {
    /// The first character of a file, for what has no better place.
    pub fn top(file: FilePath) -> Self {
        Self::point(file, 1, 1)
    }

    /// One character.
    pub fn point(file: FilePath, line: u32, column: u32) -> Self {
        Self {
            file,
            line,
            column,
            end_line: line,
            end_column: column,
            source: String::new(),
        }
    }
}

/// Where a site stands; the top of its file if the file no longer has it.
pub fn location(db: &dyn Db, site: Site) -> Location {
    match locate(db, site) {
        Some(span) => location_of(db, site.0, span),
        None => Location::top(site.0.path(db).clone()),
    }
}

/// Where a span of a file stands.
pub fn location_of(db: &dyn Db, file: SourceFile, span: Span) -> Location {
    let lines = line_map(db, file);
    let start = lines.position(span.start as usize, Encoding::Utf32);
    let end = lines.position(span.end as usize, Encoding::Utf32);
    Location {
        file: file.path(db).clone(),
        line: start.line + 1,
        column: start.character + 1,
        end_line: end.line + 1,
        end_column: end.character + 1,
        source: lines.line_text(&file.text(db), start.line).to_owned(),
    }
}
