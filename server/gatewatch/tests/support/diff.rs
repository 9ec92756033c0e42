//! Differences of lines, for people and for typing.

use std::fmt::Write as _;
use std::ops::Range;

/// Says two lists of lines as one: expected ones with `-`, actual ones with `+`.
pub fn say(out: &mut String, expected: &[String], actual: &[String]) {
    let mut done = (0, 0);
    let mut line = |sign: char, text: &str| {
        let _ = writeln!(out, "    {sign} {text}");
    };
    for (old, new) in blocks(expected, actual) {
        expected[done.0..old.start]
            .iter()
            .for_each(|text| line(' ', text));
        expected[old.clone()]
            .iter()
            .for_each(|text| line('-', text));
        actual[new.clone()].iter().for_each(|text| line('+', text));
        done = (old.end, new.end);
    }
    expected[done.0..].iter().for_each(|text| line(' ', text));
}

/// The ranges in which two lists differ, in order: a longest common subsequence is left out.
pub fn blocks<T: PartialEq>(old: &[T], new: &[T]) -> Vec<(Range<usize>, Range<usize>)> {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let rest = (&old[start..], &new[start..]);
    let end = rest
        .0
        .iter()
        .rev()
        .zip(rest.1.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let (a, b) = (&rest.0[..rest.0.len() - end], &rest.1[..rest.1.len() - end]);
    // common[i][j]: how much is common behind a[i] and b[j].
    let width = b.len() + 1;
    let mut common = vec![0_u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i * width + j] = if a[i] == b[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let mut found: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    let (mut i, mut j) = (0, 0);
    let mut open: Option<(usize, usize)> = None;
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            if let Some((from, to)) = open.take() {
                found.push((from..i, to..j));
            }
            i += 1;
            j += 1;
            continue;
        }
        open.get_or_insert((i, j));
        let skip_old = j == b.len()
            || (i < a.len() && common[(i + 1) * width + j] >= common[i * width + j + 1]);
        if skip_old {
            i += 1;
        } else {
            j += 1;
        }
    }
    if let Some((from, to)) = open {
        found.push((from..i, to..j));
    }
    for (old, new) in &mut found {
        *old = old.start + start..old.end + start;
        *new = new.start + start..new.end + start;
    }
    found
}

/// A replacement of bytes: where in the old text, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// What is replaced.
    pub old: Range<usize>,
    /// By what.
    pub new: String,
}

/// The smallest replacements, line by line, that lead from one text to another, in order. Where lines are
/// replaced as a whole, nobody types over them: the new ones come first, then the old ones go. That is two
/// replacements, one behind the other at the same place.
pub fn hunks(old: &str, new: &str) -> Vec<Hunk> {
    let old_lines: Vec<&str> = old.split_inclusive('\n').collect();
    let new_lines: Vec<&str> = new.split_inclusive('\n').collect();
    let starts: Vec<usize> = std::iter::once(0)
        .chain(old_lines.iter().scan(0, |at, line| {
            *at += line.len();
            Some(*at)
        }))
        .collect();
    let mut hunks = Vec::new();
    for (from, to) in blocks(&old_lines, &new_lines) {
        let lines = starts[from.start]..starts[from.end];
        let text = new_lines[to].concat();
        let hunk = trimmed(old, lines.clone(), &text);
        let overtyped = !hunk.old.is_empty() && !hunk.new.is_empty();
        let kept = &old[lines.start..hunk.old.start];
        if overtyped && kept.trim().is_empty() && text.ends_with('\n') {
            hunks.push(Hunk {
                old: lines.start..lines.start,
                new: text,
            });
            hunks.push(Hunk {
                old: lines,
                new: String::new(),
            });
        } else {
            hunks.push(hunk);
        }
    }
    hunks
}

/// A replacement without what is equal at its ends.
fn trimmed(text: &str, old: Range<usize>, new: &str) -> Hunk {
    let from = &text[old.clone()];
    let same = |(a, b): &((usize, char), (usize, char))| a.1 == b.1;
    let start: usize = from
        .char_indices()
        .zip(new.char_indices())
        .take_while(same)
        .map(|(a, _)| a.1.len_utf8())
        .sum();
    let (from, new) = (&from[start..], &new[start..]);
    let end: usize = from
        .char_indices()
        .rev()
        .zip(new.char_indices().rev())
        .take_while(same)
        .map(|(a, _)| a.1.len_utf8())
        .sum();
    Hunk {
        old: old.start + start..old.end - end,
        new: new[..new.len() - end].to_owned(),
    }
}
