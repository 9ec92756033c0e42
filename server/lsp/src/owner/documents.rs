//! Open documents: the editor's edits become one parse and one write a tick.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use gatewatch_report::TANGLED;
use gatewatch_source::{Content, Document, Encoding, FilePath, LineMap, MAX_FILE_BYTES, read_one};
use gatewatch_syntax::facts::Language;
use gatewatch_syntax::{Buffer, InputEdit};
use gen_lsp_types::{
    DidChangeTextDocumentParams, DidOpenTextDocumentParams, Position,
    TextDocumentContentChangeEvent, Uri,
};

use crate::convert::{self, path_of};
use crate::owner::folder::State;
use crate::owner::{FolderId, Owner};

/// A document that the editor has open.
pub(super) struct Open {
    /// Its text, if it is one that is analysed.
    pub(super) tracked: Option<Tracked>,
    /// Whether the editor asks for its diagnostics; it then gets none unasked.
    pub(super) pulled: bool,
}

/// The text of an open document.
pub(super) struct Tracked {
    /// The file that it is.
    pub(super) path: PathBuf,
    /// Where it is analysed.
    pub(super) home: Option<(FolderId, FilePath)>,
    /// The editor's text.
    pub(super) document: Document,
    /// Whether the text is not yet in the folder's tree.
    pub(super) fresh: bool,
    /// Whether the file is on disk and yet not in its folder's tree: `.gitignore` names it, or it has come
    /// since the folder was read. It is not analysed.
    pub(super) unlisted: bool,
    language: Language,
    /// The parse of the last text that was written.
    buffer: Option<Arc<Buffer>>,
    /// What was done to the text since.
    edits: Vec<InputEdit>,
    /// Whether something odd about its versions was told already.
    warned: bool,
    /// Whether the parser gave up on its last text.
    tangled: bool,
}

impl Owner {
    pub(super) fn opened(&mut self, params: DidOpenTextDocumentParams) {
        self.begin();
        let item = params.text_document;
        let uri = item.uri;
        if self.documents.remove(&uri).is_some() {
            self.outbox.warn(format!(
                "{uri} was opened twice; the text that came last is used"
            ));
        }
        let tracked = self.tracked(&uri, &item.text, item.version);
        let path = tracked.as_ref().map(|tracked| tracked.path.clone());
        self.documents.insert(
            uri.clone(),
            Open {
                tracked,
                pulled: false,
            },
        );
        if path.is_some() {
            self.find_home(&uri);
            self.look_for(&uri);
            self.check_baseline(&uri);
        }
    }

    /// A document that is analysed; `None` for one of another language, without a file, or far too large.
    fn tracked(&self, uri: &Uri, text: &str, version: i32) -> Option<Tracked> {
        let path = path_of(uri)?;
        let language = Language::of_extension(path.extension()?.to_str()?)?;
        if text.len() as u64 > MAX_FILE_BYTES {
            self.outbox.warn(format!(
                "{uri} has {} bytes, over the limit of {MAX_FILE_BYTES}; it is not analysed",
                text.len()
            ));
            return None;
        }
        Some(Tracked {
            path,
            home: None,
            document: Document::new(text, version),
            fresh: true,
            unlisted: false,
            language,
            buffer: None,
            edits: Vec::new(),
            warned: false,
            tangled: false,
        })
    }

    pub(super) fn changed(&mut self, params: DidChangeTextDocumentParams) {
        let (uri, version) = (
            params.text_document.text_document_identifier.uri,
            params.text_document.version,
        );
        let Some(open) = self.documents.get_mut(&uri) else {
            return self.outbox.warn(format!(
                "{uri} was changed without having been opened; the change is ignored"
            ));
        };
        let Some(tracked) = &mut open.tracked else {
            return;
        };
        let old = tracked.document.version();
        if version <= old && !tracked.warned {
            tracked.warned = true;
            self.outbox.warn(format!(
                "{uri} went from version {old} to {version}; its changes are applied as they come"
            ));
        }
        for change in params.content_changes {
            let problem = tracked.apply(change, self.capabilities.encoding);
            if let Some(problem) = problem {
                self.outbox
                    .warn(format!("{uri}, version {version}: {problem}"));
            }
        }
        tracked.document.set_version(version);
        tracked.fresh = true;
    }

    pub(super) fn closed(&mut self, uri: &Uri) {
        let Some(open) = self.documents.remove(uri) else {
            return self
                .outbox
                .warn(format!("{uri} was closed without having been opened"));
        };
        let Some((id, path)) = open.tracked.and_then(|tracked| tracked.home) else {
            return;
        };
        let Some(at) = self.folder_at(id) else { return };
        if self.folders[at].single.is_some() {
            return self.drop_folder(at);
        }
        let folder = &mut self.folders[at];
        if folder.reading.is_some() {
            folder.missed.insert(path.clone());
        }
        folder.want();
        let State::Ready(workspace) = &mut folder.state else {
            return;
        };
        match read_one(&folder.root, &path, folder.options.max_bytes) {
            Ok(text) => workspace.set_content(&mut self.db, &path, Content::closed(text)),
            Err(skipped) => {
                if !skipped.is_gone() {
                    self.outbox.warn(skipped.to_string());
                }
                workspace.remove(&mut self.db, &path);
            }
        }
    }

    /// Whether a folder has documents with edits that are not yet in its tree, and will be.
    pub(super) fn is_edited(&self, id: FolderId) -> bool {
        self.documents.values().any(|open| {
            open.tracked.as_ref().is_some_and(|tracked| {
                let here = tracked.home.as_ref().is_some_and(|home| home.0 == id);
                here && tracked.fresh && !tracked.unlisted
            })
        })
    }

    /// Parses what was edited and writes it, where the folder is ready for it.
    pub(super) fn write_edits(&mut self) {
        for tracked in self
            .documents
            .values_mut()
            .filter_map(|open| open.tracked.as_mut())
        {
            let Some((id, path)) = tracked
                .home
                .as_ref()
                .filter(|_| tracked.fresh && !tracked.unlisted)
            else {
                continue;
            };
            let Some(folder) = self.folders.iter_mut().find(|folder| folder.id == *id) else {
                continue;
            };
            let State::Ready(workspace) = &mut folder.state else {
                continue;
            };
            let path = path.clone();
            // Parsed before the write, while the workers still finish what the write will outdate.
            let start = Instant::now();
            let content = tracked.content();
            let parsed = start.elapsed();
            let tangled = tracked
                .buffer
                .as_ref()
                .is_some_and(|buffer| buffer.facts().given_up);
            if tangled && !tracked.tangled {
                self.outbox.warn(format!(
                    "{}: {TANGLED}; what was known of the file before is kept",
                    tracked.path.display()
                ));
            }
            tracked.tangled = tangled;
            workspace.set_content(&mut self.db, &path, content);
            tracing::debug!(
                "{path}: parsed in {parsed:?}, written after {:?}",
                start.elapsed()
            );
        }
    }
}

impl Tracked {
    /// Applies one change. The answer is what is wrong with it: it was applied as well as could be.
    fn apply(
        &mut self,
        change: TextDocumentContentChangeEvent,
        encoding: Encoding,
    ) -> Option<String> {
        let (range, text) = match change {
            TextDocumentContentChangeEvent::TextDocumentContentChangePartial(part) => {
                (Some(part.range), part.text)
            }
            TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) => {
                (None, whole.text)
            }
        };
        let problem = range.and_then(|range| self.past_end(range.end, encoding));
        let range =
            range.map(|range| (convert::position(range.start), convert::position(range.end)));
        let edit = self.document.apply(range, &text, encoding);
        self.edits.push(convert::input_edit(&edit));
        problem
    }

    /// A complaint about a position on a line that the text doesn't have. Only looked for at the text's
    /// end, where such positions are moved to.
    fn past_end(&self, position: Position, encoding: Encoding) -> Option<String> {
        if self.document.offset(convert::position(position), encoding) < self.document.len_bytes() {
            return None;
        }
        let lines = LineMap::new(&self.document.text()).line_count();
        (position.line >= lines).then(|| {
            format!(
                "a change reaches to line {}, but there are {lines}; it was applied at the end",
                position.line + 1
            )
        })
    }

    /// The text with its parse. A failure of the parser costs the file its facts, not the server its life.
    fn content(&mut self) -> Content {
        let text = self.document.text();
        let edits = std::mem::take(&mut self.edits);
        let old = self.buffer.take();
        let language = self.language;
        let parse = |old: Option<Arc<Buffer>>| {
            let parsed = catch_unwind(AssertUnwindSafe(|| match &old {
                Some(old) => old.edit(&text, &edits),
                None => Buffer::open(language, &text),
            }));
            parsed.unwrap_or_else(|_| {
                tracing::error!("{} can't be parsed: the parser failed", self.path.display());
                None
            })
        };
        let fresh = old.is_none();
        let buffer = parse(old)
            .or_else(|| if fresh { None } else { parse(None) })
            .map(Arc::new);
        self.buffer = buffer;
        self.fresh = false;
        match &self.buffer {
            Some(buffer) => gatewatch_frameworks::content(buffer, text),
            None => Content::closed(text),
        }
    }
}
