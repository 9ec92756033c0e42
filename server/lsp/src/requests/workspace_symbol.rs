//! `workspace/symbol`: entry points of all folders by their method, path or handler.

use gen_lsp_types::{
    BaseSymbolInformation, Location, SymbolInformation, SymbolKind, WorkspaceSymbolParams,
    WorkspaceSymbolResponse,
};
use tower_lsp_server::jsonrpc::Result;

use crate::diagnostics::Texts;
use crate::requests::entry::entries;
use crate::view::View;

/// How many are told: who gets more asks for less.
const MOST: usize = 500;

/// Those that have every word of the query, in any case.
pub(crate) fn symbol(
    view: &View,
    params: &WorkspaceSymbolParams,
) -> Result<Option<WorkspaceSymbolResponse>> {
    let query = params.query.to_lowercase();
    let words: Vec<&str> = query.split_whitespace().collect();
    let mut found = Vec::new();
    let mut texts = Texts::new(view);
    for folder in &view.folders {
        for entry in entries(view, folder) {
            let name = entry.name();
            let all = format!("{name} {}", entry.handler()).to_lowercase();
            if !words.iter().all(|word| all.contains(word)) {
                continue;
            }
            let (Some(uri), Some((_, span))) =
                (folder.uri(entry.file.path(view.db())), entry.spans(view))
            else {
                continue;
            };
            let location = Location {
                uri,
                range: texts.of(entry.file).range(span),
            };
            let container_name = Some(entry.handler().to_owned());
            found.push(SymbolInformation {
                location,
                base_symbol_information: BaseSymbolInformation {
                    name,
                    kind: SymbolKind::Interface,
                    container_name,
                    tags: None,
                },
                #[allow(deprecated)]
                deprecated: None,
            });
            if found.len() == MOST {
                return Ok(Some(found.into()));
            }
        }
    }
    Ok(Some(found.into()))
}
