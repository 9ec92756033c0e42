//! `textDocument/inlayHint`: the entry point and its controls at the end of the handler's line, for editors
//! without code lenses.

use gatewatch_report::lens;
use gen_lsp_types::{InlayHint, InlayHintParams};
use tower_lsp_server::jsonrpc::Result;

use crate::view::{Shown, View};

/// Nothing where code lenses are shown instead.
pub(crate) fn inlay_hint(view: &View, params: &InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
    if view.shown != Shown::InlayHints {
        return Ok(None);
    }
    let Some(located) = view.locate(&params.text_document.uri) else {
        return Ok(None);
    };
    let asked = located.text.span(params.range);
    let lenses = lens(view.db(), located.folder.trees, located.path(view));
    let hints = lenses
        .into_iter()
        .filter(|lens| lens.span.start <= asked.end && asked.start <= lens.span.end);
    let hints = hints.map(|lens| InlayHint {
        position: located.text.line_end(lens.span.start),
        label: lens.title.into(),
        padding_left: Some(true),
        kind: None,
        text_edits: None,
        tooltip: None,
        padding_right: None,
        data: None,
    });
    Ok(Some(hints.collect()))
}
