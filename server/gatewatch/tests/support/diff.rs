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
    /// Whether it only shifts a line to the side.
    pub indents: bool,
    /// Whether what it deletes was written anew beside it.
    pub rewritten: bool,
}

/// The replacements that lead from one text to another, in order, as somebody would make them: a line that stays
/// much the same is changed where it differs, word by word. Where lines don't correspond, the new ones are written beside
/// the old ones, which go as a whole: in front of them, or behind where they leave the function, so that the new
/// ones do nothing before the old ones go.
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
    for (from, to) in joined(blocks(&old_lines, &new_lines), &old_lines) {
        let (was, now) = (&old_lines[from.clone()], &new_lines[to]);
        let Some(pairs) = partners(was, now) else {
            let lines = starts[from.start]..starts[from.end];
            let at = match was.iter().rev().find(|line| !is_closing(line)) {
                Some(last) if leaves(last) => lines.end,
                _ => lines.start,
            };
            hunks.push(Hunk {
                old: at..at,
                new: now.concat(),
                indents: false,
                rewritten: false,
            });
            hunks.push(Hunk {
                old: lines,
                new: String::new(),
                indents: false,
                rewritten: true,
            });
            continue;
        };
        // What stands between the lines that stay is new, or goes.
        let mut done = (0, 0);
        for (own, other) in pairs.into_iter().chain([(was.len(), now.len())]) {
            let place = |index: usize| starts[from.start + index];
            hunks.push(Hunk {
                old: place(done.0)..place(done.0),
                new: now[done.1..other].concat(),
                indents: false,
                rewritten: false,
            });
            hunks.push(Hunk {
                old: place(done.0)..place(own),
                new: String::new(),
                indents: false,
                rewritten: false,
            });
            if own < was.len() {
                hunks.extend(in_line(place(own), was[own], now[other]));
            }
            done = (own + 1, other + 1);
        }
    }
    hunks.sort_by_key(|hunk| hunk.old.start);
    hunks.retain(|hunk| !hunk.old.is_empty() || !hunk.new.is_empty());
    hunks
}

/// Blocks with nothing but brackets and other signs between them are one.
fn joined(
    blocks: Vec<(Range<usize>, Range<usize>)>,
    lines: &[&str],
) -> Vec<(Range<usize>, Range<usize>)> {
    let mut joined: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    for (from, to) in blocks {
        if let Some((last_from, last_to)) = joined.last_mut()
            && lines[last_from.end..from.start]
                .iter()
                .all(|line| is_closing(line))
        {
            last_from.end = from.end;
            last_to.end = to.end;
        } else {
            joined.push((from, to));
        }
    }
    joined
}

fn leaves(line: &str) -> bool {
    let line = line.trim_start();
    ["return", "raise", "throw"]
        .iter()
        .any(|word| line.starts_with(word))
}

fn is_closing(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.contains(|c: char| c.is_alphanumeric())
}

/// Which lines stay much the same, in order; `None` if on both sides there are lines without a partner.
fn partners(was: &[&str], now: &[&str]) -> Option<Vec<(usize, usize)>> {
    let width = now.len() + 1;
    // best[i][j]: how much of the lines behind was[i] and now[j] is alike, in all.
    let mut best = vec![0_usize; (was.len() + 1) * width];
    let even = was.len() == now.len();
    let alike: Vec<Vec<usize>> = was
        .iter()
        .map(|was| now.iter().map(|now| likeness(was, now, even)).collect())
        .collect();
    for i in (0..was.len()).rev() {
        for j in (0..now.len()).rev() {
            let both = match alike[i][j] {
                0 => 0,
                likeness => best[(i + 1) * width + j + 1] + likeness,
            };
            best[i * width + j] = both
                .max(best[(i + 1) * width + j])
                .max(best[i * width + j + 1]);
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    while i < was.len() && j < now.len() {
        let here = best[i * width + j];
        if alike[i][j] > 0 && here == best[(i + 1) * width + j + 1] + alike[i][j] {
            pairs.push((i, j));
            i += 1;
            j += 1;
        } else if here == best[(i + 1) * width + j] {
            i += 1;
        } else {
            j += 1;
        }
    }
    (pairs.len() == was.len().min(now.len())).then_some(pairs)
}

/// How many characters of the words of two lines are the same, in order; 0 if that is too little. It takes half of the longer
/// line, or of the shorter one where each line has become one line.
fn likeness(was: &str, now: &str, even: bool) -> usize {
    let (was, now) = (tokens(was), tokens(now));
    let words = |tokens: &[&str]| -> usize {
        tokens
            .iter()
            .filter(|token| token.contains(|c: char| c.is_alphanumeric()))
            .map(|token| token.len())
            .sum()
    };
    let differs: usize = blocks(&was, &now)
        .into_iter()
        .map(|(from, _)| words(&was[from]))
        .sum();
    let same = words(&was) - differs;
    let whole = match even {
        true => words(&was).min(words(&now)),
        false => words(&was).max(words(&now)),
    };
    if 2 * same >= whole { same } else { 0 }
}

/// The changes inside of one line.
fn in_line(start: usize, was: &str, now: &str) -> Vec<Hunk> {
    let (was, now) = (tokens(was), tokens(now));
    let places: Vec<usize> = std::iter::once(start)
        .chain(was.iter().scan(start, |at, token| {
            *at += token.len();
            Some(*at)
        }))
        .collect();
    // What has no word between is one change.
    joined(blocks(&was, &now), &was)
        .into_iter()
        .map(|(from, to)| {
            let (old, new) = (places[from.start]..places[from.end], now[to].concat());
            let gone = was[from].concat();
            Hunk {
                rewritten: false,
                indents: old.start == start && gone.trim().is_empty() && new.trim().is_empty(),
                old,
                new,
            }
        })
        .collect()
}

/// The words of a line: names and numbers, strings as a whole, blanks, single signs.
fn tokens(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let while_ =
            |wanted: &dyn Fn(char) -> bool| rest.find(|c: char| !wanted(c)).unwrap_or(rest.len());
        let end = match first {
            '"' | '\'' | '`' => rest[1..].find(first).map_or(1, |end| end + 2),
            c if c.is_alphanumeric() || c == '_' => while_(&|c| c.is_alphanumeric() || c == '_'),
            c if c.is_whitespace() => while_(&char::is_whitespace),
            c => c.len_utf8(),
        };
        found.push(&rest[..end]);
        rest = &rest[end..];
    }
    found
}
