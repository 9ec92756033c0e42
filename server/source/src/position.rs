//! Byte offsets and the positions an editor speaks of, in the encoding it was promised.

/// What one unit of [`Position::character`] counts, as negotiated with the editor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Bytes of UTF-8.
    Utf8,
    /// UTF-16 code units: what LSP means when nothing was negotiated.
    #[default]
    Utf16,
    /// Unicode scalar values.
    Utf32,
}

impl Encoding {
    /// How many units of this encoding a character takes that is `utf8` bytes long.
    fn units(self, utf8: usize) -> usize {
        match self {
            Encoding::Utf8 => utf8,
            // A character outside the basic plane takes four bytes, and a surrogate pair.
            Encoding::Utf16 => 1 + usize::from(utf8 == 4),
            Encoding::Utf32 => 1,
        }
    }
}

/// A place in a text as an editor gives it. Both numbers are 0-based.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The line, counted by `\n`, `\r\n` and lone `\r`.
    pub line: u32,
    /// The column, in units of the [`Encoding`] that goes with the position.
    pub character: u32,
}

impl Position {
    /// A position from its two numbers.
    pub fn new(line: u32, character: u32) -> Self {
        Self { line, character }
    }
}

/// Where a text's lines start, and which of its characters are longer than a byte: enough to convert
/// between byte offsets and positions without the text, in logarithmic time even on a line of
/// megabytes.
///
/// No conversion fails: an offset or a position outside the text means the nearest one inside,
/// because an editor's request may be older than the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineMap {
    lines: Vec<Line>,
    runs: Vec<Run>,
}

/// A line in bytes, without its line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line {
    start: usize,
    end: usize,
}

/// Neighbouring characters of the same length, of two bytes or more. Prose in another script is a few
/// runs a line, where a table of characters would outgrow the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    start: usize,
    count: usize,
    /// Bytes a character.
    width: usize,
    /// Bytes minus UTF-16 units of all runs before this one.
    surplus_utf16: usize,
    /// Bytes minus characters of all runs before this one.
    surplus_utf32: usize,
}

impl Run {
    fn end(&self) -> usize {
        self.start + self.count * self.width
    }

    fn surplus_before(&self, encoding: Encoding) -> usize {
        match encoding {
            Encoding::Utf8 => 0,
            Encoding::Utf16 => self.surplus_utf16,
            Encoding::Utf32 => self.surplus_utf32,
        }
    }
}

impl LineMap {
    /// Reads `text` once.
    pub fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut lines = Vec::new();
        let mut runs: Vec<Run> = Vec::new();
        let mut start = 0;
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let mut next = at + 1;
            match byte {
                b'\n' | b'\r' => {
                    if byte == b'\r' && bytes.get(next) == Some(&b'\n') {
                        next += 1;
                    }
                    lines.push(Line { start, end: at });
                    start = next;
                }
                0..0x80 => {}
                lead => {
                    let width = match lead {
                        0xf0.. => 4,
                        0xe0.. => 3,
                        _ => 2,
                    };
                    next = at + width;
                    push_wide(&mut runs, at, width);
                }
            }
            at = next;
        }
        lines.push(Line {
            start,
            end: bytes.len(),
        });
        Self { lines, runs }
    }

    /// How many lines the text has; at least one, as the text behind the last line end counts.
    pub fn line_count(&self) -> u32 {
        as_u32(self.lines.len())
    }

    /// The byte offset at which `line` (0-based) starts; the text's end for a line past the last.
    pub fn line_start(&self, line: u32) -> usize {
        self.line(line).map_or(self.len(), |line| line.start)
    }

    /// The byte offset at which `line` (0-based) ends, before its line end; the text's end for a line
    /// past the last.
    pub fn line_end(&self, line: u32) -> usize {
        self.line(line).map_or(self.len(), |line| line.end)
    }

    /// The text of `line` (0-based) without its line end, `""` for a line past the last. `text` has to
    /// be the one that this map was made of; any other gives some part of it or `""`.
    pub fn line_text<'t>(&self, text: &'t str, line: u32) -> &'t str {
        text.get(self.line_start(line)..self.line_end(line))
            .unwrap_or("")
    }

    /// The 0-based line that holds byte `offset`; a line end belongs to the line that it ends.
    pub fn line_at(&self, offset: usize) -> u32 {
        as_u32(
            self.lines
                .partition_point(|line| line.start <= offset)
                .saturating_sub(1),
        )
    }

    /// The position of byte `offset`. An offset inside a character means its start, one inside a line
    /// end the end of the line's text, one past the text its end.
    pub fn position(&self, offset: usize, encoding: Encoding) -> Position {
        let number = self.line_at(offset);
        let Some(line) = self.line(number) else {
            return Position::default();
        };
        let offset = self.snap(offset.min(line.end));
        let surplus = self.surplus(offset, encoding) - self.surplus(line.start, encoding);
        Position::new(number, as_u32(offset - line.start - surplus))
    }

    /// The byte offset of `position`. A column past the line's end means that end, a line past the last
    /// the text's end, a column inside a character its start.
    pub fn offset(&self, position: Position, encoding: Encoding) -> usize {
        let Some(line) = self.line(position.line) else {
            return self.len();
        };
        let column = position.character as usize;
        let before = self.surplus(line.start, encoding);
        let first = self.runs.partition_point(|run| run.start < line.start);
        let last = self.runs.partition_point(|run| run.start < line.end);
        let runs = self.runs.get(first..last).unwrap_or(&[]);
        let column_of =
            |run: &Run| run.start - line.start - (run.surplus_before(encoding) - before);
        let offset = match runs.get(..runs.partition_point(|run| column_of(run) <= column)) {
            None | Some([]) => line.start.saturating_add(column),
            Some([.., run]) => {
                let units = encoding.units(run.width);
                let into = column - column_of(run);
                if into / units < run.count {
                    run.start + into / units * run.width
                } else {
                    run.end().saturating_add(into - run.count * units)
                }
            }
        };
        offset.min(line.end)
    }

    /// The length of the text in bytes.
    fn len(&self) -> usize {
        self.lines.last().map_or(0, |line| line.end)
    }

    fn line(&self, line: u32) -> Option<Line> {
        self.lines.get(line as usize).copied()
    }

    /// The last run that starts at or before `offset`.
    fn run_at(&self, offset: usize) -> Option<&Run> {
        let after = self.runs.partition_point(|run| run.start <= offset);
        self.runs.get(after.checked_sub(1)?)
    }

    /// `offset`, or the start of the character that it stands inside.
    fn snap(&self, offset: usize) -> usize {
        match self.run_at(offset) {
            Some(run) if offset < run.end() => offset - (offset - run.start) % run.width,
            _ => offset,
        }
    }

    /// Bytes minus units of all text before `offset`, which has to be a character's start.
    fn surplus(&self, offset: usize, encoding: Encoding) -> usize {
        self.run_at(offset).map_or(0, |run| {
            let passed = ((offset - run.start) / run.width).min(run.count);
            run.surplus_before(encoding) + passed * (run.width - encoding.units(run.width))
        })
    }
}

/// Notes the character of `width` bytes at `at`.
fn push_wide(runs: &mut Vec<Run>, at: usize, width: usize) {
    let (mut surplus_utf16, mut surplus_utf32) = (0, 0);
    if let Some(last) = runs.last_mut() {
        if last.width == width && last.end() == at {
            last.count += 1;
            return;
        }
        let of = |encoding: Encoding| last.count * (last.width - encoding.units(last.width));
        surplus_utf16 = last.surplus_utf16 + of(Encoding::Utf16);
        surplus_utf32 = last.surplus_utf32 + of(Encoding::Utf32);
    }
    runs.push(Run {
        start: at,
        count: 1,
        width,
        surplus_utf16,
        surplus_utf32,
    });
}

fn as_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32];

    #[test]
    fn the_three_line_ends_and_no_other() {
        let text = "a\nb\r\nc\rd\u{2028}e\u{85}\u{b}f";
        let map = LineMap::new(text);
        let lines: Vec<&str> = (0..map.line_count())
            .map(|line| map.line_text(text, line))
            .collect();
        assert_eq!(lines, ["a", "b", "c", "d\u{2028}e\u{85}\u{b}f"]);
        assert_eq!(map.line_start(2), 5);
    }

    #[test]
    fn columns_differ_by_encoding() {
        let map = LineMap::new("x\nä😀ö = 1");
        let offset = 2 + 2 + 4 + 2;
        let columns = ALL.map(|encoding| map.position(offset, encoding).character);
        assert_eq!(columns, [8, 4, 3]);
        for (encoding, column) in ALL.into_iter().zip(columns) {
            assert_eq!(map.offset(Position::new(1, column), encoding), offset);
        }
    }

    #[test]
    fn what_lies_outside_is_moved_inside() {
        let map = LineMap::new("ab\r\n😀\r\n");
        for encoding in ALL {
            assert_eq!(map.offset(Position::new(0, 99), encoding), 2);
            assert_eq!(map.offset(Position::new(1, u32::MAX), encoding), 8);
            assert_eq!(map.offset(Position::new(7, 0), encoding), 10);
            assert_eq!(map.position(usize::MAX, encoding), Position::new(2, 0));
            assert_eq!(
                map.position(3, encoding),
                Position::new(0, 2),
                "between \\r and \\n"
            );
            assert_eq!(
                map.position(6, encoding),
                Position::new(1, 0),
                "inside a character"
            );
        }
        assert_eq!(
            map.offset(Position::new(1, 1), Encoding::Utf16),
            4,
            "inside a surrogate pair"
        );
        assert_eq!(
            LineMap::new("").position(3, Encoding::Utf16),
            Position::default()
        );
    }

    #[test]
    fn a_foreign_text_gives_no_panic() {
        let map = LineMap::new("abcdef\nghi");
        assert_eq!(map.line_text("ä", 1), "");
        assert_eq!(map.line_text("ääää", 0), "äää");
    }

    /// The same, by counting characters.
    fn slow(text: &str, offset: usize, encoding: Encoding) -> Position {
        let mut position = Position::default();
        let mut rest = text.char_indices().peekable();
        while let Some((at, c)) = rest.next() {
            if at + c.len_utf8() > offset {
                break;
            }
            let end = c == '\n' || c == '\r' && !matches!(rest.peek(), Some((_, '\n')));
            if end {
                position = Position::new(position.line + 1, 0);
            } else if c != '\r' {
                position.character += encoding.units(c.len_utf8()) as u32;
            }
        }
        position
    }

    proptest! {
        #[test]
        fn agrees_with_counting(text in "[a😀äö—\r\n\u{2028}]{0,40}") {
            let map = LineMap::new(&text);
            for encoding in ALL {
                for offset in 0..=text.len() + 1 {
                    let position = map.position(offset, encoding);
                    prop_assert_eq!(position, slow(&text, offset, encoding));
                    let back = map.offset(position, encoding);
                    prop_assert!(text.is_char_boundary(back) && back <= offset);
                    prop_assert_eq!(map.position(back, encoding), position);
                }
                for line in 0..map.line_count() + 1 {
                    for character in 0..50 {
                        let offset = map.offset(Position::new(line, character), encoding);
                        prop_assert!(text.is_char_boundary(offset));
                        prop_assert!(offset >= map.line_start(line) && offset <= map.line_end(line));
                    }
                }
            }
        }
    }
}
