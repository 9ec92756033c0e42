//! A few lines of text that can be said as Markdown or plainly.

use crate::plain::{code, escaped, prose, visible};

/// A line under construction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Code(String),
    /// With its own backticks.
    Prose(String),
}

impl Line {
    pub(crate) fn text(mut self, text: impl Into<String>) -> Self {
        self.parts.push(Part::Text(text.into()));
        self
    }

    pub(crate) fn code(mut self, text: impl Into<String>) -> Self {
        self.parts.push(Part::Code(text.into()));
        self
    }

    pub(crate) fn prose(mut self, text: impl Into<String>) -> Self {
        self.parts.push(Part::Prose(text.into()));
        self
    }

    /// Several texts as code, with commas between.
    pub(crate) fn codes(mut self, texts: &[String]) -> Self {
        for (index, text) in texts.iter().enumerate() {
            if index > 0 {
                self = self.text(", ");
            }
            self = self.code(text.clone());
        }
        self
    }

    fn markdown(&self) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => escaped(text),
                Part::Code(text) => code(text),
                Part::Prose(text) => prose(text),
            })
            .collect()
    }

    fn plain(&self) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) | Part::Code(text) | Part::Prose(text) => visible(text),
            })
            .collect()
    }
}

/// Text in blocks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Speech {
    blocks: Vec<Block>,
}

#[derive(Clone, Debug)]
enum Block {
    Title(Line),
    Line(Line),
    Steps(Vec<Line>),
    Points(Vec<Line>),
}

impl Speech {
    pub(crate) fn title(&mut self, line: Line) {
        self.blocks.push(Block::Title(line));
    }

    pub(crate) fn line(&mut self, line: Line) {
        self.blocks.push(Block::Line(line));
    }

    pub(crate) fn steps(&mut self, lines: Vec<Line>) {
        if !lines.is_empty() {
            self.blocks.push(Block::Steps(lines));
        }
    }

    pub(crate) fn points(&mut self, lines: Vec<Line>) {
        if !lines.is_empty() {
            self.blocks.push(Block::Points(lines));
        }
    }

    pub(crate) fn markdown(&self) -> String {
        let blocks: Vec<String> = self
            .blocks
            .iter()
            .map(|block| match block {
                Block::Title(line) => format!("**{}**", line.markdown()),
                Block::Line(line) => line.markdown(),
                Block::Steps(lines) => list(lines, Line::markdown, |n| format!("{n}. ")),
                Block::Points(lines) => list(lines, Line::markdown, |_| "- ".to_owned()),
            })
            .collect();
        blocks.join("\n\n")
    }

    pub(crate) fn plain(&self) -> String {
        let mut out = String::new();
        for block in &self.blocks {
            match block {
                Block::Title(line) => {
                    if !out.is_empty() {
                        out.push('\n');
                    }
                    out.push_str(&line.plain());
                }
                Block::Line(line) => out.push_str(&line.plain()),
                Block::Steps(lines) => {
                    out.push_str(&list(lines, Line::plain, |n| format!("  {n}. ")))
                }
                Block::Points(lines) => {
                    out.push_str(&list(lines, Line::plain, |_| "  - ".to_owned()))
                }
            }
            out.push('\n');
        }
        out
    }
}

fn list(lines: &[Line], say: impl Fn(&Line) -> String, mark: impl Fn(usize) -> String) -> String {
    let said: Vec<String> = lines
        .iter()
        .enumerate()
        .map(|(index, line)| format!("{}{}", mark(index + 1), say(line)))
        .collect();
    said.join("\n")
}
