//! The trust boundary at a place, in words: what a hover and `explain` show.

use std::sync::Arc;

use gatewatch_drift::{Finding, Trees, findings};
use gatewatch_model::{Auth, Control, Coverage, Effect, Order, Site, Strength, locate, model};
use gatewatch_source::{Db, FilePath};
use gatewatch_syntax::Span;

use crate::cover::{
    Confidence, confidence, control_name, entry_name, handler_file, handler_site, names_of, title,
};
use crate::place::{line_map, location};
use crate::speech::{Line, Speech};
use crate::subject::{Guard, Subject, at, in_line};

/// How many entry points are explained at once, or listed for a guard.
const SHOWN: usize = 5;

/// What is to be said of a place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// For an editor.
    pub markdown: String,
    /// For a terminal.
    pub plain: String,
    /// What it is said of.
    pub span: Span,
}

/// Explains what stands at a byte offset of a file in the current tree; `None` where nothing does.
pub fn explain(
    db: &dyn Db,
    trees: Trees,
    has_baseline: bool,
    file: &FilePath,
    offset: u32,
) -> Option<Explanation> {
    let source = trees.current.file(db, file)?;
    let (subject, span) = at(db, trees.current, source, offset)?;
    Some(say(db, trees, has_baseline, &subject, span))
}

/// The same for a whole line (0-based), where an entry point comes before what else stands in the line,
/// and inside of a handler its entry point is meant.
pub fn explain_line(
    db: &dyn Db,
    trees: Trees,
    has_baseline: bool,
    file: &FilePath,
    line: u32,
) -> Option<Explanation> {
    let source = trees.current.file(db, file)?;
    let lines = line_map(db, source);
    let text = &source.text(db);
    let blank = lines.line_text(text, line);
    let indent = blank.len() - blank.trim_start().len();
    let bytes = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let span = Span {
        start: bytes(lines.line_start(line) + indent),
        end: bytes(lines.line_end(line)),
    };
    let (subject, span) = in_line(db, trees.current, source, span)?;
    Some(say(db, trees, has_baseline, &subject, span))
}

fn say(
    db: &dyn Db,
    trees: Trees,
    has_baseline: bool,
    subject: &Subject,
    span: Span,
) -> Explanation {
    let changed = has_baseline.then(|| findings(db, trees));
    let changed = changed.as_ref().map(|all| all.as_slice());
    let mut speech = Speech::default();
    match subject {
        Subject::Entries(entries) => {
            for coverage in entries.iter().take(SHOWN) {
                say_entry(db, &mut speech, coverage, changed);
            }
            if entries.len() > SHOWN {
                let more = entries.len() - SHOWN;
                speech.line(Line::default().text(format!("And {more} more entry points.")));
            }
        }
        Subject::Guard(guard) => say_guard(db, trees, &mut speech, guard, changed),
    }
    Explanation {
        markdown: speech.markdown(),
        plain: speech.plain(),
        span,
    }
}

fn say_entry(db: &dyn Db, speech: &mut Speech, coverage: &Coverage, changed: Option<&[Finding]>) {
    let whole = title(coverage);
    let name = entry_name(&coverage.entry_point).to_string();
    let rest = whole.strip_prefix(&name).unwrap_or_default().to_owned();
    speech.title(Line::default().code(name).text(rest));
    speech.line(who(coverage));
    let (before, inside): (Vec<&Control>, Vec<&Control>) = coverage
        .controls
        .iter()
        .partition(|control| control.order == Order::Before);
    if !before.is_empty() {
        speech.line(Line::default().text("Before the handler runs, in this order:"));
        speech.steps(before.iter().map(|control| step(db, control)).collect());
    }
    if !inside.is_empty() {
        speech.line(Line::default().text("In the handler:"));
        speech.steps(inside.iter().map(|control| step(db, control)).collect());
    }
    let inert = &coverage.entry_point.inert;
    if !inert.is_empty() {
        speech.line(Line::default().text("Written for it, but never run:"));
        let point = |guard: &std::sync::Arc<gatewatch_model::Guard>| {
            Line::default().code(guard.name().to_string()).text(format!(
                " · {} · {}",
                guard.via,
                place(db, guard.site)
            ))
        };
        speech.points(inert.iter().map(point).collect());
    }
    say_changes(speech, changed, |finding| concerns(db, finding, coverage));
    speech.line(sure(coverage));
}

/// Who can call it.
fn who(coverage: &Coverage) -> Line {
    let line = Line::default();
    let guards = names_of(coverage, Effect::Authentication);
    match coverage.auth {
        Auth::Authenticated if guards.is_empty() => {
            line.text("Who can call it: only callers that are known.")
        }
        Auth::Authenticated => line
            .text("Who can call it: only callers that pass ")
            .codes(&guards)
            .text("."),
        Auth::Optional if guards.is_empty() => {
            line.text("Who can call it: anybody; callers with an identity are known.")
        }
        Auth::Optional => line
            .text("Who can call it: anybody; callers with an identity are known by ")
            .codes(&guards)
            .text("."),
        Auth::Public => {
            line.text("Who can call it: anybody. Nothing in front of it authenticates.")
        }
        Auth::Unknown => match &coverage.why_unknown {
            Some(why) => line
                .text("Who can call it can't be told: ")
                .prose(why.clone())
                .text("."),
            None => line.text("Who can call it can't be told."),
        },
    }
}

fn step(db: &dyn Db, control: &Control) -> Line {
    let mut line = Line::default().code(control_name(control)).text(format!(
        " · {}, {} · {}",
        control.effect, control.strength, control.via
    ));
    match control.order {
        Order::Before | Order::First => {}
        Order::AfterFetch => line = line.text(", behind the load of what it protects"),
        Order::AfterWrite => line = line.text(", behind a write"),
    }
    let registered = place(db, control.registration);
    match control.definition.map(|site| place(db, site)) {
        Some(defined) if defined != registered => {
            line.text(format!(" · {defined}, registered at {registered}"))
        }
        _ => line.text(format!(" · {registered}")),
    }
}

fn place(db: &dyn Db, site: Site) -> String {
    let location = location(db, site);
    format!("{}:{}", location.file, location.line)
}

/// Whether a finding is about an entry point, or stands in its handler.
fn concerns(db: &dyn Db, finding: &Finding, coverage: &Coverage) -> bool {
    let entry = &coverage.entry_point;
    match &finding.entry_point {
        Some(name) => *name == entry_name(entry),
        None => {
            let site = handler_site(db, entry);
            finding.site == site
                || (finding.site.0 == handler_file(entry)
                    && locate(db, finding.site).is_some_and(|at| {
                        locate(db, site).is_some_and(|name| name.touches(at.start))
                    }))
        }
    }
}

fn say_changes(
    speech: &mut Speech,
    changed: Option<&[Finding]>,
    concerns: impl Fn(&Finding) -> bool,
) {
    let Some(changed) = changed else {
        return speech.line(Line::default().text("There is no baseline to compare with."));
    };
    let points: Vec<Line> = changed
        .iter()
        .filter(|finding| concerns(finding))
        .map(|finding| {
            Line::default()
                .text(format!("{} ", finding.severity))
                .code(finding.code.name())
                .text(": ")
                .prose(finding.message.clone())
        })
        .collect();
    if points.is_empty() {
        speech.line(Line::default().text("Nothing of this changed since the branch point."));
    } else {
        speech.line(Line::default().text("Since the branch point:"));
        speech.points(points);
    }
}

fn sure(coverage: &Coverage) -> Line {
    let line = Line::default();
    match confidence(coverage) {
        Confidence::Proved => line.text("How sure: every step was followed to its definition."),
        Confidence::Guessed => line.text(
            "How sure: something on the way here could not be resolved, so guards may be missing from this list.",
        ),
        Confidence::Resolved => {
            let names: Vec<String> = coverage
                .controls
                .iter()
                .filter(|control| control.strength == Strength::Unknown)
                .map(|control| control.name.to_string())
                .collect();
            match (&coverage.why_unknown, names.is_empty()) {
                (_, false) => line
                    .text("How sure: whether ")
                    .codes(&names)
                    .text(" denies anybody can't be told."),
                (Some(why), true) => line.text("How sure: ").prose(why.clone()).text("."),
                (None, true) => line.text("How sure: not all of it can be told."),
            }
        }
    }
}

fn say_guard(
    db: &dyn Db,
    trees: Trees,
    speech: &mut Speech,
    guard: &Guard,
    changed: Option<&[Finding]>,
) {
    let model = model(db, trees.current);
    let behind: Vec<(&Arc<Coverage>, &Control)> = model
        .entry_points
        .iter()
        .filter_map(|coverage| {
            let control = coverage.controls.iter().find(|c| guard.is(c))?;
            Some((coverage, control))
        })
        .collect();
    let mut effects: Vec<String> = Vec::new();
    for (coverage, _) in &behind {
        for control in coverage.controls.iter().filter(|c| guard.is(c)) {
            let effect = format!("{}, {}", control.effect, control.strength);
            if !effects.contains(&effect) {
                effects.push(effect);
            }
        }
    }
    let count = behind.len();
    let noun = if count == 1 {
        "entry point"
    } else {
        "entry points"
    };
    speech.title(Line::default().code(guard.name.to_string()).text(format!(
        " · {} · in front of {count} {noun}",
        effects.join("; ")
    )));
    if let Some(site) = guard.definition {
        speech.line(Line::default().text(format!("Defined at {}.", place(db, site))));
    }
    let point = |(coverage, control): &(&Arc<Coverage>, &Control)| {
        Line::default()
            .code(entry_name(&coverage.entry_point).to_string())
            .text(format!(
                " · {} · {}",
                control.via,
                place(db, handler_site(db, &coverage.entry_point))
            ))
    };
    speech.points(behind.iter().take(SHOWN).map(point).collect());
    if count > SHOWN {
        speech.line(Line::default().text(format!("And {} more.", count - SHOWN)));
    }
    say_changes(speech, changed, |finding| {
        guard.definition == Some(finding.site)
            || finding
                .evidence
                .iter()
                .any(|evidence| guard.definition == Some(evidence.site))
    });
}
