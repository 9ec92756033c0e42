//! Entry points with their places, for the requests that list them.

use std::sync::Arc;

use gatewatch_model::{Coverage, Handler, class_site, function_spans, locate};
use gatewatch_source::SourceFile;
use gatewatch_syntax::Span;

use crate::view::{FolderView, View};

/// An entry point and where it is handled.
pub(crate) struct Entry {
    /// What the model has of it.
    pub(crate) coverage: Arc<Coverage>,
    /// The file of its handler, or of its registration where the handler is not known.
    pub(crate) file: SourceFile,
}

impl Entry {
    /// What people call it: `GET /items/{id}`.
    pub(crate) fn name(&self) -> String {
        let entry = &self.coverage.entry_point;
        format!("{} {}", entry.method, entry.path)
    }

    /// What handles it, by its whole name.
    pub(crate) fn handler(&self) -> &str {
        match &self.coverage.entry_point.handler {
            Handler::Function(_, name) | Handler::Class(_, name) | Handler::Unknown(name) => {
                name.as_str()
            }
        }
    }

    /// The whole of the handler's definition and its name; both the registration where there is none.
    pub(crate) fn spans(&self, view: &View) -> Option<(Span, Span)> {
        let db = view.db();
        let twice = |span| (span, span);
        match &self.coverage.entry_point.handler {
            Handler::Function(file, id) => {
                function_spans(db, *file, *id).map(|spans| (spans.whole, spans.name))
            }
            Handler::Class(file, id) => locate(db, class_site(db, *file, *id)?).map(twice),
            Handler::Unknown(_) => locate(db, self.coverage.entry_point.site).map(twice),
        }
    }
}

/// The entry points of a folder.
pub(crate) fn entries(view: &View, folder: &FolderView) -> impl Iterator<Item = Entry> {
    let model = view.model(folder);
    (0..model.entry_points.len()).filter_map(move |at| {
        let coverage = Arc::clone(model.entry_points.get(at)?);
        let file = match &coverage.entry_point.handler {
            Handler::Function(file, _) | Handler::Class(file, _) => *file,
            Handler::Unknown(_) => coverage.entry_point.site.0,
        };
        Some(Entry { coverage, file })
    })
}
