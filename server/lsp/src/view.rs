//! What a worker sees: a snapshot of the database, and of everything else that an answer needs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use gatewatch_drift::{Finding, Trees};
use gatewatch_model::{Model, model};
use gatewatch_source::{Database, Db, FilePath, SourceFile};
use gen_lsp_types::Uri;

use crate::capabilities::Capabilities;
use crate::convert::{Text, below, path_of, uri_of};
use crate::owner::FolderId;
use crate::settings::FolderSettings;

/// Everything at one moment. It can't be written to, and must not live longer than its job: a write waits
/// for it.
pub(crate) struct View {
    db: Database,
    /// What the editor can do.
    pub(crate) capabilities: Arc<Capabilities>,
    /// The folders that were read.
    pub(crate) folders: Vec<FolderView>,
    /// Whether code lenses, and whether inlay hints, are to be shown.
    pub(crate) shown: Shown,
}

/// How the state of an entry point is shown beside it: at most one way at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shown {
    /// As a line above.
    CodeLenses,
    /// At the end of the line.
    InlayHints,
    /// Not at all.
    Nothing,
}

/// A folder at one moment.
pub(crate) struct FolderView {
    /// Which one.
    pub(crate) id: FolderId,
    /// Where it is.
    pub(crate) root: PathBuf,
    /// What is compared.
    pub(crate) trees: Trees,
    /// Whether there is anything to compare with.
    pub(crate) has_baseline: bool,
    /// What is set for it.
    pub(crate) settings: Arc<FolderSettings>,
    /// Its documents that an editor has open.
    pub(crate) open: BTreeMap<FilePath, OpenView>,
}

/// An open document at one moment.
#[derive(Clone, Debug)]
pub(crate) struct OpenView {
    /// Its URI as the editor spells it.
    pub(crate) uri: Uri,
    /// The version of its text.
    pub(crate) version: i32,
}

/// A file that a request speaks of.
pub(crate) struct Located<'v> {
    /// Its folder.
    pub(crate) folder: &'v FolderView,
    /// The file in the current tree.
    pub(crate) file: SourceFile,
    /// Its text.
    pub(crate) text: Text,
}

impl View {
    /// A view of this moment.
    pub(crate) fn new(
        db: Database,
        capabilities: Arc<Capabilities>,
        folders: Vec<FolderView>,
        shown: Shown,
    ) -> Self {
        Self {
            db,
            capabilities,
            folders,
            shown,
        }
    }

    /// The database, to ask and not to change.
    pub(crate) fn db(&self) -> &dyn Db {
        &self.db
    }

    /// Stops what runs on this view, from any thread.
    pub(crate) fn cancellation(&self) -> salsa::CancellationToken {
        salsa::Database::cancellation_token(&self.db)
    }

    /// The file that a URI names, in the deepest folder that has it.
    pub(crate) fn locate(&self, uri: &Uri) -> Option<Located<'_>> {
        let path = path_of(uri)?;
        let inside = |folder: &FolderView| {
            let path = below(&folder.root, &path)?;
            folder.trees.current.file(self.db(), &path)
        };
        let folder = self
            .folders
            .iter()
            .filter(|folder| inside(folder).is_some())
            .max_by_key(|folder| folder.root.as_os_str().len())?;
        let file = inside(folder)?;
        Some(Located {
            folder,
            file,
            text: self.text(file),
        })
    }

    /// The text of a file, ready for places to be converted.
    pub(crate) fn text(&self, file: SourceFile) -> Text {
        Text::new(&file.text(self.db()), self.capabilities.encoding)
    }

    /// What changed in a folder and matters. Without a baseline nothing can be called a change.
    pub(crate) fn findings(&self, folder: &FolderView) -> Arc<Vec<Finding>> {
        if folder.has_baseline {
            gatewatch_drift::findings(self.db(), folder.trees)
        } else {
            Arc::default()
        }
    }

    /// The model of a folder's current tree.
    pub(crate) fn model(&self, folder: &FolderView) -> Arc<Model> {
        model(self.db(), folder.trees.current)
    }
}

impl Located<'_> {
    /// Its path in its folder.
    pub(crate) fn path<'d>(&self, view: &'d View) -> &'d FilePath {
        self.file.path(view.db())
    }
}

impl FolderView {
    /// The URI of one of its files: the editor's own spelling where it has the file open.
    pub(crate) fn uri(&self, path: &FilePath) -> Option<Uri> {
        match self.open.get(path) {
            Some(open) => Some(open.uri.clone()),
            None => uri_of(&self.root.join(path.as_str())),
        }
    }
}
