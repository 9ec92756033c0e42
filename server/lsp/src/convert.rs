//! Between the engine's words and the protocol's: the only place that knows both positions and spans,
//! both paths and URIs.

use std::path::{Path, PathBuf};

use gatewatch_drift::Severity;
use gatewatch_source::{Encoding, FilePath, LineMap, Position};
use gatewatch_syntax::{InputEdit, Point, Span};
use gen_lsp_types::{self as lsp, DiagnosticSeverity, Range, Uri};

/// What diagnostics say they come from.
pub(crate) const SOURCE: &str = "gatewatch";

/// The file that a URI names; `None` for what is no file on this machine.
pub(crate) fn path_of(uri: &Uri) -> Option<PathBuf> {
    if uri.scheme() != "file" {
        return None;
    }
    let path = uri.to_file_path().ok()?;
    Some(upper_drive(path))
}

/// The URI of a file; `None` for a path that is not absolute.
pub(crate) fn uri_of(path: &Path) -> Option<Uri> {
    Uri::from_file_path(path).ok()
}

/// Windows has `c:` and `C:` for one drive, and editors use both.
fn upper_drive(path: PathBuf) -> PathBuf {
    if !cfg!(windows) {
        return path;
    }
    match path.to_str() {
        Some(text) if text.as_bytes().get(1) == Some(&b':') => {
            let (drive, rest) = text.split_at(1);
            PathBuf::from(drive.to_ascii_uppercase() + rest)
        }
        _ => path,
    }
}

/// `path` below `root`; `None` if it is not there or has no UTF-8 name.
pub(crate) fn below(root: &Path, path: &Path) -> Option<FilePath> {
    let inside = path.strip_prefix(root).ok()?.to_str()?;
    (!inside.is_empty()).then(|| FilePath::new(inside))
}

/// A text whose places are converted.
pub(crate) struct Text {
    lines: LineMap,
    encoding: Encoding,
}

impl Text {
    /// Reads the text once.
    pub(crate) fn new(text: &str, encoding: Encoding) -> Self {
        Self {
            lines: LineMap::new(text),
            encoding,
        }
    }

    /// A span as a range.
    pub(crate) fn range(&self, span: Span) -> Range {
        Range {
            start: self.position(span.start),
            end: self.position(span.end),
        }
    }

    /// A byte offset as a position.
    pub(crate) fn position(&self, offset: u32) -> lsp::Position {
        let position = self.lines.position(offset as usize, self.encoding);
        lsp::Position {
            line: position.line,
            character: position.character,
        }
    }

    /// The end of the line that holds a byte offset.
    pub(crate) fn line_end(&self, offset: u32) -> lsp::Position {
        let line = self.lines.line_at(offset as usize);
        self.position(u32::try_from(self.lines.line_end(line)).unwrap_or(u32::MAX))
    }

    /// The number of the line, for people: from 1.
    pub(crate) fn line_number(&self, offset: u32) -> u32 {
        self.lines.line_at(offset as usize) + 1
    }

    /// A range as a span.
    pub(crate) fn span(&self, range: Range) -> Span {
        Span {
            start: self.offset(range.start),
            end: self.offset(range.end),
        }
    }

    /// A position as a byte offset.
    pub(crate) fn offset(&self, position: lsp::Position) -> u32 {
        u32::try_from(self.lines.offset(self::position(position), self.encoding))
            .unwrap_or(u32::MAX)
    }
}

/// A position of the protocol as one of the engine.
pub(crate) fn position(position: lsp::Position) -> Position {
    Position::new(position.line, position.character)
}

/// A place in a configuration file, which the engine gives from 1 and in characters.
pub(crate) fn config_range(text: &str, encoding: Encoding, line: u32, column: u32) -> Range {
    let lines = LineMap::new(text);
    let line = line.saturating_sub(1);
    let start = lines.offset(
        Position::new(line, column.saturating_sub(1)),
        Encoding::Utf32,
    );
    let at = |offset| {
        let position = lines.position(offset, encoding);
        lsp::Position {
            line: position.line,
            character: position.character,
        }
    };
    Range {
        start: at(start),
        end: at(lines.line_end(line).max(start)),
    }
}

/// What an edit did, for the parser.
pub(crate) fn input_edit(edit: &gatewatch_source::Edit) -> InputEdit {
    let point = |(row, column)| Point { row, column };
    InputEdit {
        start_byte: edit.start_byte,
        old_end_byte: edit.old_end_byte,
        new_end_byte: edit.new_end_byte,
        start_position: point(edit.start_point),
        old_end_position: point(edit.old_end_point),
        new_end_position: point(edit.new_end_point),
    }
}

/// A severity of the engine.
pub(crate) fn severity(severity: Severity) -> DiagnosticSeverity {
    match severity {
        Severity::Error => DiagnosticSeverity::Error,
        Severity::Warning => DiagnosticSeverity::Warning,
        Severity::Info => DiagnosticSeverity::Information,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn paths_and_uris() {
        let path = Path::new("/a b/ä%.py");
        let uri = uri_of(path).unwrap();
        assert_eq!(uri.as_str(), "file:///a%20b/%C3%A4%25.py");
        assert_eq!(path_of(&uri).unwrap(), path);
        for foreign in [
            "untitled:Untitled-1",
            "https://example.org/a.py",
            "file://host/a.py",
        ] {
            assert_eq!(path_of(&Uri::parse(foreign).unwrap()), None, "{foreign}");
        }
        assert_eq!(
            below(Path::new("/a"), Path::new("/a/b/c.py")),
            Some("b/c.py".into())
        );
        assert_eq!(below(Path::new("/a"), Path::new("/ab/c.py")), None);
        assert_eq!(below(Path::new("/a"), Path::new("/a")), None);
    }

    #[test]
    fn a_place_of_a_configuration_file_reaches_to_the_end_of_its_line() {
        let range = config_range("ä = 1\nbb = [\n", Encoding::Utf16, 2, 4);
        assert_eq!((range.start.line, range.start.character), (1, 3));
        assert_eq!((range.end.line, range.end.character), (1, 6));
        config_range("", Encoding::Utf8, 0, 0);
        config_range("a", Encoding::Utf8, 9, 9);
    }
}
