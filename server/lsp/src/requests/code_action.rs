//! `textDocument/codeAction`: what clears a finding, with its edits.
//!
//! The actions are computed from the place and the current findings; what the editor hands back of a
//! diagnostic may be incomplete or old.

use std::collections::HashMap;

use gatewatch_drift::{Finding, Fix, FixEdit, fixes};
use gatewatch_source::FilePath;
use gatewatch_syntax::Span;
use gen_lsp_types::{
    CodeAction, CodeActionKind, CodeActionParams, CodeActionResponse, CreateFile,
    CreateFileOptions, Diagnostic, DocumentChange, Edit, OptionalVersionedTextDocumentIdentifier,
    Range, TextDocumentEdit, TextDocumentIdentifier, TextEdit, WorkspaceEdit,
};
use tower_lsp_server::jsonrpc::Result;

use crate::diagnostics::{Texts, diagnostic};
use crate::view::{FolderView, Located, View};

/// Nothing where quick fixes are not asked for.
pub(crate) fn code_action(
    view: &View,
    params: &CodeActionParams,
) -> Result<Option<Vec<CodeActionResponse>>> {
    if params
        .context
        .only
        .as_ref()
        .is_some_and(|only| !only.iter().any(includes_quick_fixes))
    {
        return Ok(None);
    }
    let Some(located) = view.locate(&params.text_document.uri) else {
        return Ok(None);
    };
    let mut texts = Texts::new(view);
    let mut actions = Vec::new();
    for finding in view.findings(located.folder).iter() {
        if finding.site.0 != located.file {
            continue;
        }
        let Some(shown) = diagnostic(located.folder, finding, &mut texts) else {
            continue;
        };
        if !is_meant(&shown, finding, params) {
            continue;
        }
        for fix in fixes(view.db(), located.folder.trees, finding) {
            actions.extend(action(view, &located, &fix, &shown, &mut texts));
        }
    }
    Ok(Some(actions))
}

fn includes_quick_fixes(kind: &CodeActionKind) -> bool {
    matches!(kind, CodeActionKind::Empty | CodeActionKind::QuickFix)
}

/// Whether the editor speaks of this finding: it stands on a line of the range, or is one of the
/// diagnostics that were handed back.
fn is_meant(shown: &Diagnostic, finding: &Finding, params: &CodeActionParams) -> bool {
    let (here, asked) = (shown.range, params.range);
    let meets = here.start.line <= asked.end.line && asked.start.line <= here.end.line;
    meets
        || params.context.diagnostics.iter().any(|theirs| {
            theirs.data.as_ref().and_then(|data| data.as_str()) == Some(&finding.fingerprint)
                || (theirs.code == shown.code
                    && theirs.range == here
                    && theirs.source == shown.source)
        })
}

/// `None` if the edit can't be said to this editor.
fn action(
    view: &View,
    located: &Located<'_>,
    fix: &Fix,
    shown: &Diagnostic,
    texts: &mut Texts<'_>,
) -> Option<CodeActionResponse> {
    let edit = workspace_edit(view, located.folder, &fix.edits, texts)?;
    Some(CodeActionResponse::CodeAction(CodeAction {
        title: fix.title.clone(),
        kind: Some(CodeActionKind::QuickFix),
        diagnostics: Some(vec![shown.clone()]),
        is_preferred: fix.preferred.then_some(true),
        edit: Some(edit),
        ..Default::default()
    }))
}

fn workspace_edit(
    view: &View,
    folder: &FolderView,
    edits: &[FixEdit],
    texts: &mut Texts<'_>,
) -> Option<WorkspaceEdit> {
    let mut files: Vec<(&FilePath, Vec<TextEdit>, bool)> = Vec::new();
    for edit in edits {
        let file = folder.trees.current.file(view.db(), &edit.file);
        let (range, exists) = match file {
            Some(file) => (texts.of(file).range(edit.span), true),
            // The only place of a file that is not there yet is its start.
            None if edit.span == Span::default() => (Range::default(), false),
            None => return None,
        };
        let change = TextEdit {
            range,
            new_text: edit.text.clone(),
        };
        match files.iter_mut().find(|(path, ..)| **path == edit.file) {
            Some((_, changes, _)) => changes.push(change),
            None => files.push((&edit.file, vec![change], exists)),
        }
    }
    let creates = files.iter().any(|(.., exists)| !exists);
    if !view.capabilities.document_changes {
        if creates {
            return None;
        }
        let changes: Option<HashMap<_, _>> = files
            .into_iter()
            .map(|(path, changes, _)| Some((folder.uri(path)?, changes)))
            .collect();
        return Some(WorkspaceEdit {
            changes: Some(changes?),
            ..Default::default()
        });
    }
    if creates && !view.capabilities.create_files {
        return None;
    }
    let mut document_changes = Vec::new();
    for (path, changes, exists) in files {
        let uri = folder.uri(path)?;
        if !exists {
            let options = CreateFileOptions {
                overwrite: Some(false),
                ignore_if_exists: Some(true),
            };
            document_changes.push(DocumentChange::CreateFile(CreateFile {
                uri: uri.clone(),
                options: Some(options),
                annotation_id: None,
            }));
        }
        document_changes.push(DocumentChange::TextDocumentEdit(TextDocumentEdit {
            text_document: OptionalVersionedTextDocumentIdentifier {
                version: folder.open.get(path).map(|open| open.version),
                text_document_identifier: TextDocumentIdentifier { uri },
            },
            edits: changes.into_iter().map(Edit::TextEdit).collect(),
        }));
    }
    Some(WorkspaceEdit {
        document_changes: Some(document_changes),
        ..Default::default()
    })
}
