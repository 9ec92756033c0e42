//! Random edits of the cases' files: bytes, tokens, lines, whole snippets, files that go and come. Nothing
//! may panic, and at every hundredth step the incremental answer must equal that of a fresh run.
//!
//! Half-typed text keeps what was known before, on purpose; so before a comparison what is broken is put
//! back to its last sound text, as somebody does who gives up on an edit.

use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use gatewatch_report::Report;
use gatewatch_source::{Database, FilePath, Workspace};

use super::case::Texts;
use super::diff::{hunks, say};
use super::server::is_followed;
use super::typing::{Session, settings, table};

/// How many edits are made where nothing else is asked for.
const EDITS: u64 = 20_000;

/// After how many edits of a case the answers are compared.
const ROUND: u64 = 100;

/// What is put in, besides parts of the cases themselves.
const PIECES: &[&str] = &[
    "(", ")", "{", "}", "[", "]", "\"", "'", "`", "\\", "\n", "\t", " ", ":", ",", ".", "=", "@",
    "#", "//", "/*", "*/", "é", "😀", "\u{feff}", "\u{2028}", "\r\n", "\0", "def ", "async ",
    "return ", "if ", "raise ", "not ", "fn ", "=> ", "await ", "class ", "import ", "from ",
    "null", "None", "0",
];

/// Makes as many edits as `GATEWATCH_EDITS` says, from the seed `GATEWATCH_SEED`.
pub fn check(cases: &[(String, Texts)]) -> Result<(), String> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let edits = number("GATEWATCH_EDITS").unwrap_or(EDITS);
    let first = number("GATEWATCH_SEED").unwrap_or(1);
    let mut findings = 0;
    for seed in first..first + edits.div_ceil(ROUND) {
        let mut dice = Dice::new(seed);
        let (name, texts) = &cases[dice.below(cases.len())];
        let round = catch_unwind(AssertUnwindSafe(|| Round::new(cases, texts).run(&mut dice)));
        let what = match round {
            Ok(Ok(found)) => {
                findings += found;
                continue;
            }
            Ok(Err(difference)) => difference,
            Err(_) => "it panics".to_owned(),
        };
        return Err(format!(
            "{name}: {what}\n(again: GATEWATCH_SEED={seed} GATEWATCH_EDITS={ROUND})"
        ));
    }
    if edits > ROUND && findings == 0 {
        return Err("the edits never led to a finding".to_owned());
    }
    Ok(())
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or(0) % limit.max(1)
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

struct Round<'c> {
    cases: &'c [(String, Texts)],
    before: &'c Texts,
    session: Session,
    /// The last text of each file that had no error; of those that there are now.
    sound: BTreeMap<FilePath, String>,
}

impl<'c> Round<'c> {
    fn new(cases: &'c [(String, Texts)], before: &'c Texts) -> Self {
        let session = Session::open(before);
        let sound = before
            .iter()
            .map(|(path, text)| (path.clone(), text.to_string()))
            .collect();
        Self {
            cases,
            before,
            session,
            sound,
        }
    }

    /// How many findings there are in the end.
    fn run(mut self, dice: &mut Dice) -> Result<usize, String> {
        for _ in 0..ROUND {
            self.step(dice);
            self.session.keys();
        }
        let broken: Vec<FilePath> = self
            .session
            .open
            .iter()
            .filter(|(_, (_, buffer))| buffer.as_ref().is_some_and(|buffer| buffer.is_held()))
            .map(|(path, _)| path.clone())
            .collect();
        for path in broken {
            self.restore(&path);
            // A name that is defined nowhere may have been there when the file was opened; typed again it is half a name.
            let held = |session: &Session| {
                let (_, buffer) = &session.open[&path];
                buffer.as_ref().is_some_and(|buffer| buffer.is_held())
            };
            if held(&self.session) {
                let text = self.session.open[&path].0.text().to_string();
                self.session.open.remove(&path);
                self.session.open_file(&path, &text);
            }
        }
        self.compare()
    }

    /// One edit of one file.
    fn step(&mut self, dice: &mut Dice) {
        let paths: Vec<FilePath> = self
            .before
            .keys()
            .filter(|path| is_followed(path))
            .cloned()
            .collect();
        if paths.is_empty() {
            return;
        }
        let path = &paths[dice.below(paths.len())];
        if !self.sound.contains_key(path) {
            let text = self.before[path].to_string();
            self.session.open_file(path, &text);
            self.sound.insert(path.clone(), text);
            return;
        }
        if dice.once_in(60) {
            self.session.open.remove(path);
            self.session.workspace.remove(&mut self.session.db, path);
            self.sound.remove(path);
            return;
        }
        if !self.session.open.contains_key(path) {
            self.session.open_file(path, &self.sound[path]);
        }
        let is_broken = |session: &Session| {
            let (_, buffer) = &session.open[path];
            buffer.as_ref().is_some_and(|buffer| buffer.is_held())
        };
        if is_broken(&self.session) && dice.once_in(3) {
            return self.restore(path);
        }
        let text = self.session.open[path].0.text();
        let (range, new) = self.edit(dice, path, &text);
        self.session.replace(path, range, &new);
        if !is_broken(&self.session) {
            let text = self.session.open[path].0.text().to_string();
            self.sound.insert(path.clone(), text);
        }
    }

    /// Types the last sound text of a file again.
    fn restore(&mut self, path: &FilePath) {
        let now = self.session.open[path].0.text();
        for hunk in hunks(&now, &self.sound[path]).into_iter().rev() {
            self.session.replace(path, hunk.old, &hunk.new);
        }
    }

    /// What to replace, and by what.
    fn edit(&self, dice: &mut Dice, path: &FilePath, text: &str) -> (Range<usize>, String) {
        let at = boundary(text, dice.below(text.len() + 1));
        match dice.below(8) {
            // Bytes.
            0 => (at..at, PIECES[dice.below(PIECES.len())].to_owned()),
            1 => {
                let end = boundary(text, (at + 1 + dice.below(12)).min(text.len()));
                (at..end.max(at), String::new())
            }
            // Tokens.
            2 => (token(text, at), String::new()),
            3 => {
                let other = token(text, boundary(text, dice.below(text.len() + 1)));
                (token(text, at), text[other].to_owned())
            }
            // Lines.
            4 => (lines(text, at, 1 + dice.below(3)), String::new()),
            5 => {
                let count = 1 + dice.below(4);
                let copied = lines(text, boundary(text, dice.below(text.len() + 1)), count);
                let to = lines(text, at, 1).start;
                (to..to, text[copied].to_owned())
            }
            6 => {
                let to = lines(text, at, 1).start;
                (to..to, "    ".to_owned())
            }
            // Snippets of any case in the same language.
            _ => {
                let (_, texts) = &self.cases[dice.below(self.cases.len())];
                let like = texts
                    .iter()
                    .filter(|(other, _)| other.extension() == path.extension());
                let like: Vec<&str> = like.map(|(_, text)| &**text).collect();
                let other = match like.len() {
                    0 => text,
                    count => like[dice.below(count)],
                };
                let from = boundary(other, dice.below(other.len() + 1));
                let snippet = lines(other, from, 1 + dice.below(25));
                let to = lines(text, at, 1).start;
                (to..to, other[snippet].to_owned())
            }
        }
    }

    fn compare(&self) -> Result<usize, String> {
        let mut after: Texts = self.before.clone();
        after.retain(|path, _| self.sound.contains_key(path));
        for (path, (document, _)) in &self.session.open {
            after.insert(path.clone(), document.text());
        }
        let db = Database::new();
        let fresh = Workspace::from_texts(&db, Some(self.before), &after);
        let (config, problems) = settings(&after);
        let wanted = Report::of(&db, &fresh, &config, &problems);
        let found = self.session.report(&after);
        let lines = |report: &Report| -> Vec<String> {
            report
                .findings
                .iter()
                .map(|one| format!("{one:?}"))
                .collect()
        };
        let mut wrong = String::new();
        let pairs = [
            (lines(&wanted), lines(&found)),
            (
                table(&db, &fresh),
                table(&self.session.db, &self.session.workspace),
            ),
        ];
        for (wanted, found) in pairs {
            if wanted != found {
                say(&mut wrong, &wanted, &found);
            }
        }
        if wrong.is_empty() {
            return Ok(wanted.findings.len());
        }
        let mut texts = String::new();
        for path in self.session.open.keys() {
            texts.push_str(&format!("--- {path}\n{}\n", after[path]));
        }
        Err(format!(
            "fresh (-) and incremental (+) differ:\n{wrong}\n{texts}"
        ))
    }
}

fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// The word or sign at a place.
fn token(text: &str, at: usize) -> Range<usize> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let start = text[..at]
        .char_indices()
        .rev()
        .take_while(|(_, c)| is_word(*c))
        .last()
        .map_or(at, |(start, _)| start);
    let length: usize = text[at..]
        .chars()
        .take_while(|c| is_word(*c))
        .map(char::len_utf8)
        .sum();
    if start < at + length {
        return start..at + length;
    }
    at..at + text[at..].chars().next().map_or(0, char::len_utf8)
}

/// Some whole lines from the one at a place on.
fn lines(text: &str, at: usize, count: usize) -> Range<usize> {
    let start = text[..at].rfind('\n').map_or(0, |line| line + 1);
    let length: usize = text[start..]
        .split_inclusive('\n')
        .take(count)
        .map(str::len)
        .sum();
    start..start + length
}
