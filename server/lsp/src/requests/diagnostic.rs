//! `textDocument/diagnostic`: the diagnostics of one document, for editors that pull them.

use gen_lsp_types::{
    DocumentDiagnosticParams, DocumentDiagnosticReport, FullDocumentDiagnosticReport,
    RelatedFullDocumentDiagnosticReport,
};
use tower_lsp_server::jsonrpc::Result;

use crate::diagnostics::of_file;
use crate::view::View;

/// The whole set, always: it is small, and an identifier would have to stand for every file it rests on.
pub(crate) fn diagnostic(
    view: &View,
    params: &DocumentDiagnosticParams,
) -> Result<DocumentDiagnosticReport> {
    let items = view
        .locate(&params.text_document.uri)
        .map(|located| of_file(view, located.folder, located.path(view)));
    let full = FullDocumentDiagnosticReport {
        result_id: None,
        items: items.unwrap_or_default(),
    };
    Ok(
        DocumentDiagnosticReport::RelatedFullDocumentDiagnosticReport(
            RelatedFullDocumentDiagnosticReport {
                full_document_diagnostic_report: full,
                ..Default::default()
            },
        ),
    )
}
