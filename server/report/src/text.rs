//! Findings for people at a terminal: a source excerpt each, with the evidence below.

use std::fmt::Write as _;

use gatewatch_drift::{Severity, Side};

use crate::place::Location;
use crate::plain::visible;
use crate::rendered::{Rendered, Report, others};

/// Escapes of a terminal, or nothing.
#[derive(Clone, Copy)]
struct Paint {
    on: bool,
}

impl Paint {
    fn style(self, code: &str, text: &str) -> String {
        if self.on {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn bold(self, text: &str) -> String {
        self.style("1", text)
    }

    fn frame(self, text: &str) -> String {
        self.style("1;34", text)
    }

    fn severity(self, severity: Severity, text: &str) -> String {
        let code = match severity {
            Severity::Error => "1;31",
            Severity::Warning => "1;33",
            Severity::Info => "1;36",
        };
        self.style(code, text)
    }
}

/// A report as text, with a summary as its last line.
pub fn text(report: &Report, colours: bool) -> String {
    let paint = Paint { on: colours };
    let mut out = String::new();
    for group in report.groups() {
        if let Some(first) = group.first() {
            write_finding(&mut out, report, first, &group, paint);
        }
    }
    if !report.unknown.is_empty() {
        let count = report.unknown.len();
        let _ = writeln!(
            out,
            "{count} place{} could not be resolved:",
            if count == 1 { "" } else { "s" }
        );
        for unknown in report.unknown.iter().take(10) {
            let file = report.shown(&unknown.location.file);
            let place = format!("{file}:{}", unknown.location.line);
            let _ = writeln!(out, "  {}: {}", visible(&place), visible(&unknown.why));
        }
        if count > 10 {
            let _ = writeln!(out, "  and {} more (--format json has all)", count - 10);
        }
        out.push('\n');
    }
    for skipped in &report.skipped {
        let what = match skipped.file.as_str() {
            "" => String::new(),
            _ => format!("{}: ", report.shown(&skipped.file)),
        };
        let line = format!("not read: {what}{}", skipped.why);
        let _ = writeln!(out, "{}", visible(&line));
    }
    let against = if report.has_baseline {
        format!("against {}", report.baseline)
    } else {
        "without a baseline".to_owned()
    };
    let summary = report.summary();
    let _ = writeln!(
        out,
        "{}",
        paint.bold(&visible(&format!("{summary}, {against}")))
    );
    out
}

fn write_finding(
    out: &mut String,
    report: &Report,
    finding: &Rendered,
    group: &[&Rendered],
    paint: Paint,
) {
    let place = &finding.location;
    let head = format!("{}[{}]", finding.severity, finding.code);
    let _ = writeln!(
        out,
        "{}{}",
        paint.severity(finding.severity, &head),
        paint.bold(&format!(": {}", visible(&finding.message)))
    );
    let wide = finding
        .evidence
        .iter()
        .map(|note| note.location.line)
        .chain([place.line])
        .max()
        .unwrap_or(1)
        .to_string()
        .len();
    let gutter = " ".repeat(wide);
    excerpt(out, report, place, &gutter, paint, |text| {
        paint.severity(finding.severity, text)
    });
    let facts = [
        (
            "entry point",
            finding.entry_point.as_ref().map(ToString::to_string),
        ),
        ("also", also(group)),
        ("was", said(&finding.was)),
        ("now", said(&finding.now)),
        ("expected", said(&finding.expected_control)),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            let sign = paint.frame("=");
            let _ = writeln!(
                out,
                "{gutter} {sign} {}: {}",
                paint.bold(name),
                visible(&value)
            );
        }
    }
    for note in &finding.evidence {
        let when = match note.side {
            Side::Baseline => " (at the branch point)",
            Side::Current => "",
        };
        let name = paint.bold("note");
        let _ = writeln!(out, "{name}: {}{when}", visible(&note.message));
        excerpt(out, report, &note.location, &gutter, paint, |text| {
            paint.frame(text)
        });
    }
    for title in &finding.fixes {
        let name = paint.bold("fix");
        let _ = writeln!(out, "{name}: {}", visible(title));
    }
    out.push('\n');
}

fn also(group: &[&Rendered]) -> Option<String> {
    let (names, more) = others(group, 8);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    (!names.is_empty()).then(|| format!("{}{more}", names.join(", ")))
}

fn said(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The place and its first line, with what is meant underlined.
fn excerpt(
    out: &mut String,
    report: &Report,
    place: &Location,
    gutter: &str,
    paint: Paint,
    mark: impl Fn(&str) -> String,
) {
    let file = format!(
        "{}:{}:{}",
        report.shown(&place.file),
        place.line,
        place.column
    );
    let _ = writeln!(out, "{gutter}{} {}", paint.frame("-->"), visible(&file));
    if place.source.trim().is_empty() {
        return;
    }
    let bar = paint.frame("|");
    let number = format!("{:<width$}", place.line, width = gutter.len());
    let (before, marked) = parts(place);
    let line = visible(&place.source);
    let _ = writeln!(out, "{gutter} {bar}");
    let _ = writeln!(out, "{} {bar} {}", paint.frame(&number), line.trim_end());
    let blank = " ".repeat(before);
    let _ = writeln!(out, "{gutter} {bar} {blank}{}", mark(&"^".repeat(marked)));
}

/// How many characters stand before the marked part of the shown line, and how many are marked.
fn parts(place: &Location) -> (usize, usize) {
    let start = place.column.saturating_sub(1) as usize;
    let end = if place.end_line == place.line {
        place.end_column.saturating_sub(1) as usize
    } else {
        place.source.trim_end().chars().count()
    };
    let width = |from: usize, to: usize| {
        let part: String = place.source.chars().take(to).skip(from).collect();
        visible(&part).chars().count()
    };
    (width(0, start), width(start, end).max(1))
}
