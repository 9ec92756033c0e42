//! What the editor was told of each file, and what it has to be told now.

use std::collections::BTreeSet;
use std::sync::Arc;

use gatewatch_source::FilePath;
use gen_lsp_types::{Diagnostic, Uri};

use crate::convert::uri_of;
use crate::diagnostics::{Analysis, config_path, of_config};
use crate::outbox::{Outbox, Refresh};
use crate::owner::{FolderId, Owner};

/// What was last said of a file.
pub(super) struct Published {
    /// Under which name; an open document has the editor's own spelling.
    uri: Uri,
    diagnostics: Arc<Vec<Diagnostic>>,
    /// Of which version; `None` for a closed file.
    version: Option<i32>,
    /// Whether it was said at all, or kept for an editor that asks.
    pushed: bool,
}

impl Published {
    /// Takes it back.
    pub(super) fn take_back(self, outbox: &Outbox) {
        if self.pushed && !self.diagnostics.is_empty() {
            outbox.publish(self.uri, Vec::new(), None);
        }
    }
}

/// An open document, for its diagnostics.
struct Reader {
    uri: Uri,
    version: i32,
    pulls: bool,
}

impl Owner {
    /// Says what an analysis of the present state found.
    pub(super) fn publish(&mut self, at: usize, analysis: &Analysis) {
        let folder = &self.folders[at];
        let mut paths: BTreeSet<FilePath> = analysis
            .files
            .keys()
            .chain(folder.published.keys())
            .cloned()
            .collect();
        paths.extend(analysis.versions.keys().cloned());
        paths.remove(&config_path());
        let mut ask_again = false;
        for path in paths {
            let now = analysis
                .files
                .get(&path)
                .map(|said| Arc::clone(&said.diagnostics))
                .unwrap_or_default();
            ask_again |= self.publish_file(at, &path, now);
        }
        if ask_again && self.capabilities.diagnostic_refresh {
            self.outbox.refresh(Refresh::Diagnostics);
        }
    }

    /// Says what a file has. For an open document that is said of every version, for that also tells that
    /// nothing is left to come; for any other only if it is news. The answer is whether an editor that
    /// pulls has to ask again, because another file changed what this one has.
    fn publish_file(&mut self, at: usize, path: &FilePath, now: Arc<Vec<Diagnostic>>) -> bool {
        let reader = self.reader(self.folders[at].id, path);
        let folder = &mut self.folders[at];
        let then = folder.published.get(path);
        let is_news = then.map_or(!now.is_empty(), |then| then.diagnostics != now);
        let Some(reader) = reader else {
            let Some(uri) = uri_of(&folder.root.join(path.as_str())) else {
                return false;
            };
            let then = folder.published.remove(path);
            let renamed = then
                .as_ref()
                .is_some_and(|then| then.uri != uri || !then.pushed);
            if renamed && let Some(then) = then {
                then.take_back(&self.outbox);
            }
            if is_news || (renamed && !now.is_empty()) {
                self.outbox.publish(uri.clone(), now.to_vec(), None);
            }
            if !now.is_empty() {
                let said = Published {
                    uri,
                    diagnostics: now,
                    version: None,
                    pushed: true,
                };
                self.folders[at].published.insert(path.clone(), said);
            }
            return false;
        };
        let same_version = then.is_some_and(|then| then.version == Some(reader.version));
        let renamed =
            then.is_some_and(|then| then.uri != reader.uri || then.pushed == reader.pulls);
        if !is_news && same_version && !renamed {
            return false;
        }
        let then = folder.published.remove(path);
        if renamed && let Some(then) = then {
            then.take_back(&self.outbox);
        }
        if !reader.pulls {
            self.outbox
                .publish(reader.uri.clone(), now.to_vec(), Some(reader.version));
        }
        let said = Published {
            uri: reader.uri,
            diagnostics: now,
            version: Some(reader.version),
            pushed: !reader.pulls,
        };
        self.folders[at].published.insert(path.clone(), said);
        reader.pulls && is_news && same_version
    }

    fn reader(&self, folder: FolderId, path: &FilePath) -> Option<Reader> {
        self.documents.iter().find_map(|(uri, open)| {
            let tracked = open.tracked.as_ref()?;
            let (id, file) = tracked.home.as_ref()?;
            (*id == folder && file == path).then(|| Reader {
                uri: uri.clone(),
                version: tracked.document.version(),
                pulls: open.pulled || self.capabilities.only_pulls,
            })
        })
    }

    /// An editor asks for the diagnostics of a document: it gets them that way from now on, and what it was
    /// told unasked is taken back, or it would show all of it twice.
    pub(super) fn pulled(&mut self, uri: &Uri) {
        let Some(open) = self.documents.get_mut(uri).filter(|open| !open.pulled) else {
            return;
        };
        open.pulled = true;
        let Some((id, path)) = open
            .tracked
            .as_ref()
            .and_then(|tracked| tracked.home.clone())
        else {
            return;
        };
        let Some(at) = self.folder_at(id) else { return };
        if let Some(said) = self.folders[at].published.get_mut(&path)
            && said.pushed
        {
            said.pushed = false;
            if !said.diagnostics.is_empty() {
                self.outbox.publish(said.uri.clone(), Vec::new(), None);
            }
        }
    }

    /// Says what is wrong with the folder's configuration.
    pub(super) fn publish_config(&mut self, at: usize) {
        let now = Arc::new(of_config(&self.folders[at].settings, &self.capabilities));
        self.publish_file(at, &config_path(), now);
    }
}
