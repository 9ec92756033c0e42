//! `textDocument/definition`: from an entry point to its guards.

use gatewatch_model::{Control, locate};
use gen_lsp_types::{Definition, DefinitionParams, DefinitionResponse, Location};
use tower_lsp_server::jsonrpc::Result;

use crate::diagnostics::Texts;
use crate::requests::entry::entries;
use crate::view::View;

/// From where a guard is registered to that guard alone; from a handler's name or an entry point's
/// registration to all of its guards.
pub(crate) fn definition(
    view: &View,
    params: &DefinitionParams,
) -> Result<Option<DefinitionResponse>> {
    let at = &params.text_document_position_params;
    let Some(located) = view.locate(&at.text_document.uri) else {
        return Ok(None);
    };
    let db = view.db();
    let offset = located.text.offset(at.position);
    let touches = |site| locate(db, site).is_some_and(|span| span.touches(offset));
    let (mut one, mut all): (Vec<Control>, Vec<Control>) = Default::default();
    for entry in entries(view, located.folder) {
        let controls = &entry.coverage.controls;
        one.extend(
            controls
                .iter()
                .filter(|control| {
                    control.registration.0 == located.file && touches(control.registration)
                })
                .cloned(),
        );
        let named = entry.file == located.file
            && entry
                .spans(view)
                .is_some_and(|(_, name)| name.touches(offset));
        let site = entry.coverage.entry_point.site;
        if named || (site.0 == located.file && touches(site)) {
            all.extend(controls.iter().cloned());
        }
    }
    let mut texts = Texts::new(view);
    let mut places = Vec::new();
    for control in if one.is_empty() { all } else { one } {
        let site = control.definition.unwrap_or(control.registration);
        let Some(uri) = located.folder.uri(site.0.path(db)) else {
            continue;
        };
        let place = Location {
            uri,
            range: texts.range(site),
        };
        if !places.contains(&place) {
            places.push(place);
        }
    }
    Ok(
        (!places.is_empty()).then_some(DefinitionResponse::Definition(Definition::LocationList(
            places,
        ))),
    )
}
