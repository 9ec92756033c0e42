//! A check as JSON. The fields are a contract: none may be renamed or left out.

use gatewatch_drift::{EntryName, Severity, Side};
use serde::Serialize;

use crate::rendered::{Rendered, Report};

#[derive(Serialize)]
struct Check<'r> {
    baseline: &'r str,
    findings: Vec<Found<'r>>,
    unknown: Vec<Unknown<'r>>,
    skipped: Vec<Skipped<'r>>,
}

#[derive(Serialize)]
struct Found<'r> {
    code: &'static str,
    severity: Severity,
    fingerprint: &'r str,
    message: &'r str,
    file: &'r str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    entry_point: Option<&'r EntryName>,
    was: &'r str,
    now: &'r str,
    evidence: Vec<Seen<'r>>,
    expected_control: &'r str,
    taxonomy: Catalogues,
    decision: Option<()>,
    fixes: Vec<Offer<'r>>,
}

/// OWASP's list of applications is left to SARIF, where all catalogues are.
#[derive(Serialize)]
struct Catalogues {
    cwe: &'static [u16],
    stride: &'static [&'static str],
    owasp_api: &'static [&'static str],
}

#[derive(Serialize)]
struct Seen<'r> {
    message: &'r str,
    file: &'r str,
    line: u32,
    side: Side,
}

#[derive(Serialize)]
struct Offer<'r> {
    title: &'r str,
}

#[derive(Serialize)]
struct Unknown<'r> {
    file: &'r str,
    line: u32,
    why: &'r str,
}

#[derive(Serialize)]
struct Skipped<'r> {
    file: &'r str,
    why: &'r str,
}

/// A report as JSON, ending in a line end.
///
/// # Errors
/// None that a report can cause.
pub fn json(report: &Report) -> Result<String, serde_json::Error> {
    let check = Check {
        baseline: &report.baseline,
        findings: report.findings.iter().map(found).collect(),
        unknown: report
            .unknown
            .iter()
            .map(|unknown| Unknown {
                file: unknown.location.file.as_str(),
                line: unknown.location.line,
                why: &unknown.why,
            })
            .collect(),
        skipped: report
            .skipped
            .iter()
            .map(|skipped| Skipped {
                file: skipped.file.as_str(),
                why: &skipped.why,
            })
            .collect(),
    };
    Ok(serde_json::to_string_pretty(&check)? + "\n")
}

fn found(finding: &Rendered) -> Found<'_> {
    let location = &finding.location;
    let taxonomy = finding.code.taxonomy();
    Found {
        code: finding.code.name(),
        severity: finding.severity,
        fingerprint: &finding.fingerprint,
        message: &finding.message,
        file: location.file.as_str(),
        line: location.line,
        column: location.column,
        end_line: location.end_line,
        end_column: location.end_column,
        entry_point: finding.entry_point.as_ref(),
        was: &finding.was,
        now: &finding.now,
        evidence: finding
            .evidence
            .iter()
            .map(|note| Seen {
                message: &note.message,
                file: note.location.file.as_str(),
                line: note.location.line,
                side: note.side,
            })
            .collect(),
        expected_control: &finding.expected_control,
        taxonomy: Catalogues {
            cwe: taxonomy.cwe,
            stride: taxonomy.stride,
            owasp_api: taxonomy.owasp_api,
        },
        decision: None,
        fixes: finding.fixes.iter().map(|title| Offer { title }).collect(),
    }
}
