//! Writes what the engine says into a case, and leaves everything else as it stands.

use std::fs;
use std::ops::Range;
use std::path::Path;

use super::case::{Edit, Fence, Said};

/// A case's file with the parts that are to be replaced.
pub struct Blessed {
    lines: Vec<String>,
    parts: Vec<(Range<usize>, Vec<String>)>,
}

impl Blessed {
    /// Nothing replaced yet.
    pub fn new(text: &str) -> Self {
        Self {
            lines: text.split('\n').map(str::to_owned).collect(),
            parts: Vec::new(),
        }
    }

    /// Other lines for a fence.
    pub fn replace(&mut self, fence: &Fence, lines: &[String]) {
        let range = fence.first..fence.first + fence.lines.len();
        self.parts.push((range, lines.to_vec()));
    }

    /// The findings of an edit, each with its message below.
    pub fn findings(&mut self, edit: &Edit, said: &[Said]) {
        let lines: Vec<String> = said
            .iter()
            .flat_map(|said| {
                let message = said.message.iter().map(|text| format!("  {text}"));
                std::iter::once(said.line.clone()).chain(message)
            })
            .collect();
        match &edit.findings {
            Some(fence) => self.replace(fence, &lines),
            None => {
                let fence = ["".to_owned(), "```findings".to_owned()].into_iter();
                let fence = fence.chain(lines).chain(["```".to_owned()]);
                self.parts.push((edit.end..edit.end, fence.collect()));
            }
        }
    }

    /// Writes the file, if anything is replaced.
    pub fn write(mut self, path: &Path) {
        if self.parts.is_empty() {
            return;
        }
        self.parts.sort_by_key(|(range, _)| range.start);
        for (range, lines) in self.parts.into_iter().rev() {
            self.lines.splice(range, lines);
        }
        fs::write(path, self.lines.join("\n")).unwrap();
    }
}
