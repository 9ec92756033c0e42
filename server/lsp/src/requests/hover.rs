//! `textDocument/hover`: the trust boundary that the thing under the cursor stands on.

use gatewatch_report::explain;
use gen_lsp_types::{Hover, HoverParams, MarkupContent, MarkupKind};
use tower_lsp_server::jsonrpc::Result;

use crate::view::View;

/// Nothing for what is no handler, guard or registration.
pub(crate) fn hover(view: &View, params: &HoverParams) -> Result<Option<Hover>> {
    let at = &params.text_document_position_params;
    let Some(located) = view.locate(&at.text_document.uri) else {
        return Ok(None);
    };
    let offset = located.text.offset(at.position);
    let folder = located.folder;
    let Some(said) = explain(
        view.db(),
        folder.trees,
        folder.has_baseline,
        located.path(view),
        offset,
    ) else {
        return Ok(None);
    };
    let contents = if view.capabilities.markdown {
        MarkupContent {
            kind: MarkupKind::Markdown,
            value: said.markdown,
        }
    } else {
        MarkupContent {
            kind: MarkupKind::PlainText,
            value: said.plain,
        }
    };
    Ok(Some(Hover {
        contents: contents.into(),
        range: Some(located.text.range(said.span)),
    }))
}
