//! Findings as diagnostics, file by file. What did not change since the last time is not looked at again.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatewatch_drift::{CONFIG_FILE, Code, Evidence, Finding, Side};
use gatewatch_model::{Model, Site, function_spans, locate};
use gatewatch_report::tangled;
use gatewatch_source::{FilePath, SourceFile, StoredText};
use gatewatch_syntax::{Span, file_facts, file_spans};
use gen_lsp_types::{Diagnostic, DiagnosticRelatedInformation, Location, Range};

use crate::capabilities::Capabilities;
use crate::convert::{SOURCE, Text, config_range, severity};
use crate::owner::FolderId;
use crate::settings::FolderSettings;
use crate::view::{FolderView, View};

/// What an analysis of one folder found.
#[derive(Default)]
pub(crate) struct Analysis {
    /// The diagnostics of every file that has any.
    pub(crate) files: BTreeMap<FilePath, Said>,
    /// The versions of the open documents that it saw.
    pub(crate) versions: BTreeMap<FilePath, i32>,
    /// Whether any entry point or control differs from the last analysis.
    pub(crate) model_changed: bool,
    /// How many entry points there are.
    pub(crate) entry_points: usize,
    /// Files that are too tangled to be parsed; looked for in the first analysis only.
    pub(crate) tangled: Vec<FilePath>,
    model: Arc<Model>,
    settings: Arc<FolderSettings>,
}

/// The diagnostics of one file, and what they rest on.
#[derive(Clone)]
pub(crate) struct Said {
    /// What is shown.
    pub(crate) diagnostics: Arc<Vec<Diagnostic>>,
    findings: Arc<Vec<Finding>>,
    /// The texts in which places were looked up.
    texts: Vec<(SourceFile, StoredText)>,
}

/// Finds what changed in a folder. A folder that is not in the view has nothing.
pub(crate) fn analyse(view: &View, folder: FolderId, last: Option<&Analysis>) -> Analysis {
    let Some(folder) = view.folders.iter().find(|candidate| candidate.id == folder) else {
        return Analysis::default();
    };
    let model = view.model(folder);
    // What comes later is in open documents, whose owner knows it.
    let tangled = match last {
        None => tangled(view.db(), folder.trees.current),
        Some(_) => Vec::new(),
    };
    let last = last.filter(|last| Arc::ptr_eq(&last.settings, &folder.settings));
    let model_changed =
        last.is_none_or(|last| !Arc::ptr_eq(&last.model, &model) && last.model != model);
    let mut files = BTreeMap::new();
    for (path, findings) in by_file(view, folder) {
        let known = last
            .and_then(|last| last.files.get(&path))
            .filter(|said| said.still_holds(view, &findings));
        let said = known
            .cloned()
            .unwrap_or_else(|| say(view, folder, findings));
        files.insert(path, said);
    }
    Analysis {
        files,
        versions: folder
            .open
            .iter()
            .map(|(path, open)| (path.clone(), open.version))
            .collect(),
        model_changed,
        entry_points: model.entry_points.len(),
        tangled,
        model,
        settings: Arc::clone(&folder.settings),
    }
}

/// The diagnostics of one file, for an editor that asks.
pub(crate) fn of_file(view: &View, folder: &FolderView, path: &FilePath) -> Vec<Diagnostic> {
    let findings = by_file(view, folder).remove(path);
    findings.map_or_else(Vec::new, |findings| {
        say(view, folder, findings).diagnostics.to_vec()
    })
}

fn by_file(view: &View, folder: &FolderView) -> BTreeMap<FilePath, Vec<Finding>> {
    let mut files: BTreeMap<FilePath, Vec<Finding>> = BTreeMap::new();
    for finding in view.findings(folder).iter() {
        let path = finding.site.0.path(view.db()).clone();
        files.entry(path).or_default().push(finding.clone());
    }
    files
}

impl Said {
    fn still_holds(&self, view: &View, findings: &[Finding]) -> bool {
        self.findings[..] == *findings
            && self
                .texts
                .iter()
                .all(|(file, text)| *text == file.content(view.db()).text)
    }
}

fn say(view: &View, folder: &FolderView, findings: Vec<Finding>) -> Said {
    let mut texts = Texts {
        view,
        read: Vec::new(),
    };
    let diagnostics = findings
        .iter()
        .filter_map(|finding| diagnostic(folder, finding, &mut texts))
        .collect();
    Said {
        diagnostics: Arc::new(diagnostics),
        findings: Arc::new(findings),
        texts: texts
            .read
            .into_iter()
            .map(|(file, _)| (file, file.content(view.db()).text.clone()))
            .collect(),
    }
}

/// A finding as a diagnostic; `None` if the project does not want to hear of it.
pub(crate) fn diagnostic(
    folder: &FolderView,
    finding: &Finding,
    texts: &mut Texts<'_>,
) -> Option<Diagnostic> {
    let level = folder.settings.config.severity(finding)?;
    let capabilities = &texts.view.capabilities;
    let (related, data) = (
        capabilities.related_information,
        capabilities.diagnostic_data,
    );
    let related: Option<Vec<_>> = related.then(|| {
        finding
            .evidence
            .iter()
            .filter_map(|seen| related_place(folder, seen, texts))
            .collect()
    });
    Some(Diagnostic {
        range: texts.range(finding.site),
        severity: Some(severity(level)),
        code: Some(finding.code.name().into()),
        code_description: None,
        source: Some(SOURCE.into()),
        message: finding.message.as_str().into(),
        tags: None,
        related_information: related.filter(|related| !related.is_empty()),
        data: data.then(|| finding.fingerprint.as_str().into()),
    })
}

/// Texts that are looked at, each read once.
pub(crate) struct Texts<'v> {
    view: &'v View,
    read: Vec<(SourceFile, Text)>,
}

impl<'v> Texts<'v> {
    /// None yet.
    pub(crate) fn new(view: &'v View) -> Self {
        Self {
            view,
            read: Vec::new(),
        }
    }

    /// The text of a file.
    pub(crate) fn of(&mut self, file: SourceFile) -> &Text {
        let at = match self.read.iter().position(|(known, _)| *known == file) {
            Some(at) => at,
            None => {
                self.read.push((file, self.view.text(file)));
                self.read.len() - 1
            }
        };
        &self.read[at].1
    }

    /// Where something stands; the start of its file if that can't be told.
    pub(crate) fn range(&mut self, site: Site) -> Range {
        let span = locate(self.view.db(), site).unwrap_or_default();
        self.of(site.0).range(span)
    }
}

/// Evidence as a place to go to. What stood in the baseline has no place of its own: the function or item
/// that it stood in is shown as it is now; where that is gone, only the message tells of it.
fn related_place(
    folder: &FolderView,
    seen: &Evidence,
    texts: &mut Texts<'_>,
) -> Option<DiagnosticRelatedInformation> {
    let db = texts.view.db();
    let path = seen.site.0.path(db);
    let uri = folder.uri(path)?;
    if seen.side == Side::Current {
        let location = Location {
            uri,
            range: texts.range(seen.site),
        };
        return Some(DiagnosticRelatedInformation {
            location,
            message: seen.message.clone(),
        });
    }
    let now = folder.trees.current.file(db, path)?;
    let then = locate(db, seen.site).map(|span| texts.of(seen.site.0).line_number(span.start));
    let span = if now == seen.site.0 {
        locate(db, seen.site)?
    } else {
        same_definition(texts.view, now, seen.site)?
    };
    let location = Location {
        uri,
        range: texts.of(now).range(span),
    };
    let line = then.map_or_else(String::new, |line| format!(", {path}:{line}"));
    let message = format!("{} (at the baseline{line})", seen.message);
    Some(DiagnosticRelatedInformation { location, message })
}

/// The name of the function, or the first line of the item, that a place of another version was in.
fn same_definition(view: &View, file: SourceFile, (_, place): Site) -> Option<Span> {
    let db = view.db();
    if place.in_body {
        return function_spans(db, file, place.code).map(|spans| spans.name);
    }
    let item = file_facts(db, file)
        .items
        .iter()
        .position(|item| item.key == place.code)?;
    let whole = file_spans(db, file).get(item)?.whole;
    let text = &file.text(db);
    let first = text.get(whole.range())?.lines().next()?;
    Some(Span {
        start: whole.start,
        end: whole.start + u32::try_from(first.len()).ok()?,
    })
}

/// What is wrong with `gatewatch.toml`, as diagnostics of it.
pub(crate) fn of_config(settings: &FolderSettings, capabilities: &Capabilities) -> Vec<Diagnostic> {
    let text = settings.text.as_deref().unwrap_or_default();
    let problem = |problem: &gatewatch_drift::Problem| Diagnostic {
        range: config_range(text, capabilities.encoding, problem.line, problem.column),
        severity: Some(severity(settings.config.severity_of_problems())),
        code: Some(Code::ConfigurationInvalid.name().into()),
        source: Some(SOURCE.into()),
        message: problem.message.as_str().into(),
        ..Default::default()
    };
    settings.problems.iter().map(problem).collect()
}

/// The file that [`of_config`] speaks of.
pub(crate) fn config_path() -> FilePath {
    FilePath::new(CONFIG_FILE)
}
