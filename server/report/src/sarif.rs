//! Findings as SARIF 2.1.0. The structs are the part of the format that is written here.

use std::collections::BTreeSet;

use gatewatch_drift::{Code, Severity, Side};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::place::Location;
use crate::rendered::{Rendered, Report};
use crate::rules::{describe, title_of};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    taxonomies: Vec<Value>,
    invocations: [Value; 1],
    column_kind: &'static str,
    results: Vec<ResultEntry>,
    properties: Value,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    supported_taxonomies: Vec<Value>,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    name: String,
    short_description: Message,
    full_description: Message,
    help: Help,
    default_configuration: Value,
    relationships: Vec<Value>,
    properties: Value,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
struct Help {
    text: String,
    markdown: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultEntry {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: [Place; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Place>,
    partial_fingerprints: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_state: Option<&'static str>,
    properties: Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: Physical,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

/// A report as one SARIF log, ending in a line end.
///
/// # Errors
/// None that a report can cause.
pub fn sarif(report: &Report) -> Result<String, serde_json::Error> {
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [run(report)],
    };
    Ok(serde_json::to_string_pretty(&log)? + "\n")
}

fn run(report: &Report) -> Run {
    let notices: Vec<Value> = report
        .skipped
        .iter()
        .map(|skipped| {
            let mut notice = json!({"level": "warning", "message": {"text": format!("not read: {}", skipped.why)}});
            if !skipped.file.as_str().is_empty() {
                let uri = uri(&report.shown(&skipped.file));
                notice["locations"] = json!([{"physicalLocation": {"artifactLocation": {"uri": uri}}}]);
            }
            notice
        })
        .collect();
    Run {
        tool: Tool {
            driver: Driver {
                name: "Gatewatch",
                semantic_version: env!("CARGO_PKG_VERSION"),
                supported_taxonomies: vec![json!({"name": "CWE"})],
                rules: Code::ALL.iter().map(|code| rule(*code)).collect(),
            },
        },
        taxonomies: vec![weaknesses()],
        invocations: [json!({"executionSuccessful": true, "toolExecutionNotifications": notices})],
        column_kind: "unicodeCodePoints",
        results: report
            .findings
            .iter()
            .map(|finding| result(report, finding))
            .collect(),
        properties: json!({"baseline": report.baseline}),
    }
}

/// The part of the CWE list that the rules refer to.
fn weaknesses() -> Value {
    let numbers: BTreeSet<u16> = Code::ALL
        .iter()
        .flat_map(|code| code.taxonomy().cwe)
        .copied()
        .collect();
    let taxa: Vec<Value> = numbers
        .iter()
        .map(|number| {
            json!({
                "id": number.to_string(),
                "name": format!("CWE-{number}"),
                "helpUri": format!("https://cwe.mitre.org/data/definitions/{number}.html"),
            })
        })
        .collect();
    json!({
        "name": "CWE",
        "organization": "MITRE",
        "shortDescription": {"text": "Common Weakness Enumeration"},
        "informationUri": "https://cwe.mitre.org/",
        "isComprehensive": false,
        "taxa": taxa,
    })
}

fn rule(code: Code) -> Rule {
    let taxonomy = code.taxonomy();
    let mut tags = vec!["security".to_owned(), "threat-model".to_owned()];
    tags.extend(
        taxonomy
            .cwe
            .iter()
            .map(|n| format!("external/cwe/cwe-{n:03}")),
    );
    let owasp = taxonomy.owasp_api.iter().chain(taxonomy.owasp_top10);
    tags.extend(owasp.map(|entry| format!("external/owasp/{entry}")));
    let expected = code.expected_control();
    Rule {
        id: code.name(),
        name: pascal(code.name()),
        short_description: Message {
            text: title_of(code),
        },
        full_description: Message {
            text: describe(code).to_owned(),
        },
        help: Help {
            text: format!("{} Expected: {expected}.", describe(code)),
            markdown: format!("{}\n\n**Expected:** {expected}.", describe(code)),
        },
        default_configuration: json!({"level": level(code.severity())}),
        relationships: taxonomy
            .cwe
            .iter()
            .map(|number| {
                json!({
                    "target": {"id": number.to_string(), "toolComponent": {"name": "CWE"}},
                    "kinds": ["superset"],
                })
            })
            .collect(),
        properties: json!({
            "tags": tags,
            "stride": taxonomy.stride,
            "precision": "high",
            "security-severity": match code.severity() {
                Severity::Error => "8.0",
                Severity::Warning => "5.5",
                Severity::Info => "2.0",
            },
        }),
    }
}

fn result(report: &Report, finding: &Rendered) -> ResultEntry {
    let mut first = place(report, &finding.location);
    if let Some(entry) = &finding.entry_point {
        first.logical_locations =
            vec![json!({"fullyQualifiedName": entry.to_string(), "kind": "resource"})];
    }
    let related = finding.evidence.iter().enumerate().map(|(index, note)| {
        let mut place = place(report, &note.location);
        place.id = Some(index + 1);
        place.message = Some(Message {
            text: match note.side {
                Side::Baseline => format!("at the branch point: {}", note.message),
                Side::Current => note.message.clone(),
            },
        });
        place
    });
    let mut properties = Map::new();
    for (name, value) in [
        ("was", &finding.was),
        ("now", &finding.now),
        ("expectedControl", &finding.expected_control),
    ] {
        if !value.is_empty() {
            properties.insert(name.to_owned(), value.clone().into());
        }
    }
    ResultEntry {
        rule_id: finding.code.name(),
        rule_index: Code::ALL
            .iter()
            .position(|code| *code == finding.code)
            .unwrap_or_default(),
        level: level(finding.severity),
        message: Message {
            text: finding.message.clone(),
        },
        locations: [first],
        related_locations: related.collect(),
        partial_fingerprints: Map::from_iter([(
            "gatewatch/v1".to_owned(),
            finding.fingerprint.clone().into(),
        )]),
        baseline_state: report.has_baseline.then_some("new"),
        properties,
    }
}

fn place(report: &Report, location: &Location) -> Place {
    Place {
        id: None,
        physical_location: Physical {
            artifact_location: json!({"uri": uri(&report.shown(&location.file))}),
            region: Some(Region {
                start_line: location.line,
                start_column: location.column,
                end_line: location.end_line,
                end_column: location.end_column,
            }),
        },
        logical_locations: Vec::new(),
        message: None,
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn pascal(name: &str) -> String {
    name.split('-')
        .flat_map(|word| {
            let mut chars = word.chars();
            let first = chars.next().into_iter().flat_map(char::to_uppercase);
            first.chain(chars).collect::<Vec<_>>()
        })
        .collect()
}

/// A relative path as a URI reference.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_uris() {
        assert_eq!(pascal("guard-inert"), "GuardInert");
        assert_eq!(uri("a b/[id]/ü.ts"), "a%20b/%5Bid%5D/%C3%BC.ts");
    }
}
