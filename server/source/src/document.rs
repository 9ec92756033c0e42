//! An open buffer: a rope that takes an editor's edits and tells an incremental parser of each.

use std::fmt;
use std::sync::{Arc, OnceLock};

use ropey::{Rope, RopeSlice};

use crate::position::{Encoding, Position};

/// What one edit did to a text, as an incremental parser needs it (tree-sitter's `InputEdit`).
///
/// A point is a row and a column in bytes. Rows are counted by `\n` alone, as tree-sitter does; a lone
/// `\r`, which ends a line for an editor, does not end a row. Points that count otherwise make the
/// parser reuse nodes at wrong places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Where the edit starts, in bytes.
    pub start_byte: usize,
    /// Where the replaced text ended, in bytes of the old text.
    pub old_end_byte: usize,
    /// Where the new text ends, in bytes of the new text.
    pub new_end_byte: usize,
    /// The row and column of `start_byte`.
    pub start_point: (usize, usize),
    /// The row and column of `old_end_byte` in the old text.
    pub old_end_point: (usize, usize),
    /// The row and column of `new_end_byte` in the new text.
    pub new_end_point: (usize, usize),
}

/// The text of an open buffer and the version that the editor gave it.
#[derive(Clone)]
pub struct Document {
    rope: Rope,
    version: i32,
    /// The whole text, made when first asked for, dropped by the next edit.
    text: OnceLock<Arc<str>>,
}

impl Document {
    /// A buffer as an editor opens it.
    pub fn new(text: &str, version: i32) -> Self {
        Self {
            rope: Rope::from_str(text),
            version,
            text: OnceLock::new(),
        }
    }

    /// The version that the editor gave the present text.
    pub fn version(&self) -> i32 {
        self.version
    }

    /// Notes the version that the editor gives the text after its edits were applied.
    pub fn set_version(&mut self, version: i32) {
        self.version = version;
    }

    /// The length of the text in bytes.
    pub fn len_bytes(&self) -> usize {
        self.rope.len_bytes()
    }

    /// The whole text. Calls between two edits share one allocation.
    pub fn text(&self) -> Arc<str> {
        self.text
            .get_or_init(|| String::from(&self.rope).into())
            .clone()
    }

    /// The byte offset of `position`, with the same clamping as [`LineMap::offset`].
    ///
    /// [`LineMap::offset`]: crate::LineMap::offset
    pub fn offset(&self, position: Position, encoding: Encoding) -> usize {
        let line = position.line as usize;
        let (Ok(start), Some(slice)) = (self.rope.try_line_to_byte(line), self.rope.get_line(line))
        else {
            return self.rope.len_bytes();
        };
        let line_end = line_end_len(slice);
        let column = position.character as usize;
        // All of ropey's conversions map a place inside a character to the character's start.
        let char = match encoding {
            Encoding::Utf8 => slice.try_byte_to_char(column.min(slice.len_bytes() - line_end)),
            Encoding::Utf16 => {
                slice.try_utf16_cu_to_char(column.min(slice.len_utf16_cu() - line_end))
            }
            Encoding::Utf32 => Ok(column.min(slice.len_chars() - line_end)),
        };
        start
            + char
                .and_then(|char| slice.try_char_to_byte(char))
                .unwrap_or(0)
    }

    /// Replaces the text in `range`, or all of it for `None`, by `new_text`. A range that reaches past
    /// the text is clamped and a reversed one swapped, because a refused edit would leave the buffer
    /// different from the editor's for good. The version stays; see [`Document::set_version`].
    pub fn apply(
        &mut self,
        range: Option<(Position, Position)>,
        new_text: &str,
        encoding: Encoding,
    ) -> Edit {
        let (start, old_end) = match range {
            None => (0, self.rope.len_bytes()),
            Some((a, b)) => {
                let (a, b) = (self.offset(a, encoding), self.offset(b, encoding));
                (a.min(b), a.max(b))
            }
        };
        let start_point = advance((0, 0), self.chunks(0, start));
        let edit = Edit {
            start_byte: start,
            old_end_byte: old_end,
            new_end_byte: start + new_text.len(),
            start_point,
            old_end_point: advance(start_point, self.chunks(start, old_end)),
            new_end_point: advance(start_point, [new_text].into_iter()),
        };
        if range.is_none() {
            self.rope = Rope::from_str(new_text);
        } else if let (Ok(from), Ok(to)) = (
            self.rope.try_byte_to_char(start),
            self.rope.try_byte_to_char(old_end),
        ) {
            // Neither can fail: both ends were taken from this rope.
            let _ = self.rope.try_remove(from..to);
            let _ = self.rope.try_insert(from, new_text);
        }
        self.text = OnceLock::new();
        edit
    }

    fn chunks(&self, from: usize, to: usize) -> impl Iterator<Item = &str> {
        self.rope
            .get_byte_slice(from..to)
            .into_iter()
            .flat_map(|slice| slice.chunks())
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("bytes", &self.len_bytes())
            .field("version", &self.version)
            .finish()
    }
}

/// How long the line's own end is: 0, 1 or 2, in bytes and in units of any encoding alike.
fn line_end_len(line: RopeSlice<'_>) -> usize {
    let mut last = line.chars_at(line.len_chars());
    match last.prev() {
        Some('\n') => 1 + usize::from(last.prev() == Some('\r')),
        Some('\r') => 1,
        _ => 0,
    }
}

/// The point behind `text` when its start is at `point`.
fn advance<'t>(point: (usize, usize), text: impl Iterator<Item = &'t str>) -> (usize, usize) {
    text.fold(point, |(row, column), chunk| {
        let rows = chunk.bytes().filter(|byte| *byte == b'\n').count();
        match chunk.rfind('\n') {
            Some(last) => (row + rows, chunk.len() - last - 1),
            None => (row, column + chunk.len()),
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::position::LineMap;

    fn at(line: u32, character: u32) -> Position {
        Position::new(line, character)
    }

    #[test]
    fn an_edit_behind_wide_characters() {
        let mut document = Document::new("x = 1\ny = '😀'; z\n", 1);
        let edit = document.apply(Some((at(1, 10), at(1, 11))), "zz\nw", Encoding::Utf16);
        assert_eq!(&*document.text(), "x = 1\ny = '😀'; zz\nw\n");
        assert_eq!(
            edit,
            Edit {
                start_byte: 18,
                old_end_byte: 19,
                new_end_byte: 22,
                start_point: (1, 12),
                old_end_point: (1, 13),
                new_end_point: (2, 1),
            }
        );
        document.set_version(2);
        assert_eq!(document.version(), 2);
    }

    #[test]
    fn a_range_past_the_end_or_backwards() {
        let mut document = Document::new("ab\r\ncd", 0);
        document.apply(Some((at(0, 99), at(0, 1))), "X", Encoding::Utf16);
        assert_eq!(&*document.text(), "aX\r\ncd");
        let edit = document.apply(
            Some((at(9, 9), at(u32::MAX, u32::MAX))),
            "!",
            Encoding::Utf8,
        );
        assert_eq!(&*document.text(), "aX\r\ncd!");
        assert_eq!((edit.start_byte, edit.old_end_byte), (6, 6));
    }

    #[test]
    fn unicode_line_separators_end_no_line() {
        // Fails if some crate of the build switches ropey's `unicode_lines` on.
        let mut document = Document::new("a\u{2028}b\u{c}c\nd", 0);
        document.apply(Some((at(1, 0), at(1, 1))), "D", Encoding::Utf16);
        assert_eq!(&*document.text(), "a\u{2028}b\u{c}c\nD");
    }

    #[test]
    fn a_lone_return_is_a_line_but_no_row() {
        let mut document = Document::new("a\rb\nc", 0);
        let edit = document.apply(Some((at(1, 0), at(1, 1))), "B", Encoding::Utf16);
        assert_eq!(&*document.text(), "a\rB\nc");
        assert_eq!(edit.start_point, (0, 2));
    }

    #[test]
    fn the_text_is_shared_between_edits() {
        let mut document = Document::new("a", 0);
        assert!(Arc::ptr_eq(&document.text(), &document.text()));
        document.apply(None, "b", Encoding::Utf16);
        assert_eq!(&*document.text(), "b");
    }

    fn point(text: &str, byte: usize) -> (usize, usize) {
        let before = &text[..byte];
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count(), byte - start)
    }

    fn encodings() -> impl Strategy<Value = Encoding> {
        prop_oneof![
            Just(Encoding::Utf8),
            Just(Encoding::Utf16),
            Just(Encoding::Utf32)
        ]
    }

    fn ranges() -> impl Strategy<Value = Option<(Position, Position)>> {
        let place = || (0..8u32, 0..12u32).prop_map(|(line, character)| at(line, character));
        prop_oneof![9 => (place(), place()).prop_map(Some), 1 => Just(None)]
    }

    proptest! {
        #[test]
        fn edits_do_what_they_do_to_a_string(
            text in "[a😀ä—\r\n\u{2028}]{0,60}",
            edits in prop::collection::vec((ranges(), "[bö😀\r\n]{0,6}", encodings()), 0..8),
        ) {
            let mut document = Document::new(&text, 0);
            let mut model = text;
            for (range, new_text, encoding) in edits {
                let map = LineMap::new(&model);
                let (start, old_end) = match range {
                    None => (0, model.len()),
                    Some((a, b)) => {
                        let (a, b) = (map.offset(a, encoding), map.offset(b, encoding));
                        (a.min(b), a.max(b))
                    }
                };
                let mut after = model.clone();
                after.replace_range(start..old_end, &new_text);
                let new_end = start + new_text.len();
                let edit = document.apply(range, &new_text, encoding);
                prop_assert_eq!(edit, Edit {
                    start_byte: start,
                    old_end_byte: old_end,
                    new_end_byte: new_end,
                    start_point: point(&model, start),
                    old_end_point: point(&model, old_end),
                    new_end_point: point(&after, new_end),
                });
                prop_assert_eq!(&*document.text(), after.as_str());
                model = after;
            }
        }
    }
}
