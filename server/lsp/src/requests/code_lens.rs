//! `textDocument/codeLens`: a line above each handler with its entry point and controls.

use gatewatch_report::lens;
use gen_lsp_types::{CodeLens, CodeLensParams, Command};
use tower_lsp_server::jsonrpc::Result;

use crate::view::{Shown, View};

/// Nothing where inlay hints are shown instead.
pub(crate) fn code_lens(view: &View, params: &CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
    if view.shown != Shown::CodeLenses {
        return Ok(None);
    }
    let Some(located) = view.locate(&params.text_document.uri) else {
        return Ok(None);
    };
    let lenses = lens(view.db(), located.folder.trees, located.path(view))
        .into_iter()
        .map(|lens| CodeLens {
            range: located.text.range(lens.span),
            // A lens is shown by its command's title; this one does nothing.
            command: Some(Command {
                title: lens.title,
                command: String::new(),
                ..Default::default()
            }),
            data: None,
        });
    Ok(Some(lenses.collect()))
}
