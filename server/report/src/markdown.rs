//! Findings as the comment of a pull request.

use std::fmt::Write as _;

use gatewatch_drift::{Severity, Side};

use crate::plain::{code, escaped, prose};
use crate::rendered::{Rendered, Report, others};

/// Lets whoever posts the comment find it again.
const MARK: &str = "<!-- gatewatch -->";

/// How many findings are written out; a comment has a limit of 65,536 characters.
const SHOWN: usize = 30;

/// A report as Markdown.
pub fn markdown(report: &Report) -> String {
    let mut out = format!("{MARK}\n### Gatewatch: {}\n\n", report.summary());
    if report.has_baseline {
        let _ = writeln!(out, "Compared with {}.\n", code(&report.baseline));
    } else if let Some(note) = &report.note {
        let _ = writeln!(out, "There is no baseline: {}.\n", escaped(note));
    }
    let groups = report.groups();
    for group in groups.iter().take(SHOWN) {
        if let Some(first) = group.first() {
            write_finding(&mut out, report, first, group);
        }
    }
    if let Some(left) = groups.get(SHOWN..) {
        let more: usize = left.iter().map(Vec::len).sum();
        if more > 0 {
            let _ = writeln!(out, "And {more} more.\n");
        }
    }
    if !report.unknown.is_empty() {
        let count = report.unknown.len();
        let _ = writeln!(
            out,
            "<details><summary>{count} place{} could not be resolved</summary>\n",
            if count == 1 { "" } else { "s" }
        );
        for unknown in report.unknown.iter().take(SHOWN) {
            let place = format!(
                "{}:{}",
                report.shown(&unknown.location.file),
                unknown.location.line
            );
            let _ = writeln!(out, "- {}: {}", code(&place), prose(&unknown.why));
        }
        let _ = writeln!(out, "\n</details>\n");
    }
    for skipped in report.skipped.iter().take(SHOWN) {
        let _ = match skipped.file.as_str() {
            "" => writeln!(out, "- Not read: {}", prose(&skipped.why)),
            _ => writeln!(
                out,
                "- Not read: {}: {}",
                code(&report.shown(&skipped.file)),
                prose(&skipped.why)
            ),
        };
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn write_finding(out: &mut String, report: &Report, finding: &Rendered, group: &[&Rendered]) {
    let sign = match finding.severity {
        Severity::Error => "🛑",
        Severity::Warning => "⚠️",
        Severity::Info => "ℹ️",
    };
    let place = &finding.location;
    let at = format!("{}:{}", report.shown(&place.file), place.line);
    let entry = finding
        .entry_point
        .as_ref()
        .map(|entry| format!(" · {}", code(&entry.to_string())))
        .unwrap_or_default();
    let _ = writeln!(
        out,
        "{sign} **{}** {}{entry} · {}\n",
        finding.severity,
        code(finding.code.name()),
        code(&at)
    );
    let _ = writeln!(out, "{}\n", prose(&finding.message));
    let (names, more) = others(group, SHOWN);
    if !names.is_empty() {
        let names: Vec<String> = names.iter().map(|name| code(name)).collect();
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let _ = writeln!(out, "The same is true of {}{more}.\n", names.join(", "));
    }
    let mut details = String::new();
    for (name, text) in [
        ("Was", &finding.was),
        ("Now", &finding.now),
        ("Expected", &finding.expected_control),
    ] {
        if !text.is_empty() {
            let _ = writeln!(details, "- {name}: {}", prose(text));
        }
    }
    for note in &finding.evidence {
        let when = match note.side {
            Side::Baseline => " (at the branch point)",
            Side::Current => "",
        };
        let at = format!(
            "{}:{}",
            report.shown(&note.location.file),
            note.location.line
        );
        let _ = writeln!(details, "- {}: {}{when}", code(&at), prose(&note.message));
    }
    for title in &finding.fixes {
        let _ = writeln!(details, "- Fix: {}", prose(title));
    }
    if !details.is_empty() {
        let _ = writeln!(
            out,
            "<details><summary>Evidence</summary>\n\n{details}\n</details>\n"
        );
    }
}
