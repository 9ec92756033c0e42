//! Findings as workflow commands, which become annotations of the changed lines.

use std::fmt::Write as _;

use gatewatch_drift::Severity;

use crate::rendered::{Report, others};

/// One line a finding; those that say the same of one place share a line, because only the first ten
/// annotations of a step are shown.
pub fn github(report: &Report) -> String {
    let mut out = String::new();
    for group in report.groups() {
        let Some(finding) = group.first() else {
            continue;
        };
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let place = &finding.location;
        let _ = write!(
            out,
            "::{command} file={},line={},endLine={}",
            property(&report.shown(&place.file)),
            place.line,
            place.end_line,
        );
        // Columns are taken only where the annotation stays on one line.
        if place.line == place.end_line {
            let _ = write!(out, ",col={},endColumn={}", place.column, place.end_column);
        }
        let title = match &finding.entry_point {
            Some(entry) => format!("{}: {entry}", finding.code),
            None => finding.code.to_string(),
        };
        let mut message = finding.message.clone();
        let (names, more) = others(&group, 20);
        if !names.is_empty() {
            let _ = write!(message, "\nThe same is true of {}", names.join(", "));
            if more > 0 {
                let _ = write!(message, " and {more} more");
            }
            message.push('.');
        }
        let _ = writeln!(out, ",title={}::{}", property(&title), data(&message));
    }
    out
}

/// A message; it ends at the line's end, so those within are written as codes.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of a property, which also ends at a comma or colons.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_value_ends_it() {
        assert_eq!(property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
        assert_eq!(data("a: b, 5%\r\n::error::"), "a: b, 5%25%0D%0A::error::");
    }
}
