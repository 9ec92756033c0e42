//! `textDocument/documentSymbol`: the entry points that a file handles.

use gen_lsp_types::{
    BaseSymbolInformation, DocumentSymbol, DocumentSymbolParams, DocumentSymbolResponse, Location,
    SymbolInformation, SymbolKind,
};
use tower_lsp_server::jsonrpc::Result;

use crate::requests::entry::entries;
use crate::view::View;

/// In the order of the file.
pub(crate) fn document_symbol(
    view: &View,
    params: &DocumentSymbolParams,
) -> Result<Option<DocumentSymbolResponse>> {
    let uri = &params.text_document.uri;
    let Some(located) = view.locate(uri) else {
        return Ok(None);
    };
    let here = entries(view, located.folder).filter(|entry| entry.file == located.file);
    let mut found: Vec<_> = here
        .filter_map(|entry| Some((entry.spans(view)?, entry)))
        .collect();
    found.sort_by_key(|((whole, _), _)| whole.start);
    let symbols = found.into_iter().map(|((whole, name), entry)| {
        let (range, selection_range) = (located.text.range(whole), located.text.range(name));
        let title = entry.name();
        let detail = Some(entry.handler().to_owned());
        (title, detail, range, selection_range)
    });
    Ok(Some(if view.capabilities.symbol_ranges {
        let nested = symbols.map(|(name, detail, range, selection_range)| DocumentSymbol {
            name,
            detail,
            kind: SymbolKind::Interface,
            range,
            selection_range,
            tags: None,
            children: None,
            #[allow(deprecated)]
            deprecated: None,
        });
        DocumentSymbolResponse::DocumentSymbolList(nested.collect())
    } else {
        let flat = symbols.map(|(name, container_name, range, _)| SymbolInformation {
            location: Location {
                uri: uri.clone(),
                range,
            },
            base_symbol_information: BaseSymbolInformation {
                name,
                kind: SymbolKind::Interface,
                container_name,
                tags: None,
            },
            #[allow(deprecated)]
            deprecated: None,
        });
        DocumentSymbolResponse::SymbolInformationList(flat.collect())
    }))
}
