//! What the workers do next, and what becomes of it.

use std::sync::Arc;

use gatewatch_drift::Trees;
use gatewatch_report::TANGLED;
use gen_lsp_types::Uri;
use tower_lsp_server::jsonrpc::{Error, ErrorCode};

use crate::convert::path_of;
use crate::diagnostics::Analysis;
use crate::outbox::Refresh;
use crate::owner::folder::State;
use crate::owner::{FolderId, Owner};
use crate::requests::Ask;
use crate::view::{FolderView, OpenView, Shown, View};
use crate::workers::{Done, Failure, Job};

impl Owner {
    pub(super) fn ask(&mut self, ask: Box<dyn Ask>) {
        if ask.method() == "textDocument/diagnostic"
            && let Some(uri) = ask.uri()
        {
            self.pulled(&uri.clone());
        }
        if ask.waits() && self.is_being_read(ask.uri()) {
            self.held.push(ask);
        } else {
            self.asked.push_back(ask);
        }
    }

    fn is_being_read(&self, uri: Option<&Uri>) -> bool {
        let reading = |at: usize| matches!(self.folders[at].state, State::Reading);
        match uri {
            Some(uri) => path_of(uri)
                .and_then(|path| self.folder_of(&path))
                .is_some_and(reading),
            None => (0..self.folders.len()).any(reading),
        }
    }

    /// Some folder is no longer being read.
    pub(super) fn release_held(&mut self) {
        for ask in std::mem::take(&mut self.held) {
            self.ask(ask);
        }
    }

    pub(super) fn cancelled(&mut self, id: u64) {
        self.asked.retain(|ask| ask.id() != id);
        self.held.retain(|ask| ask.id() != id);
        if let Some(token) = self.running.get(&id) {
            token.cancel();
        }
    }

    /// Gives every idle worker something to do.
    pub(super) fn dispatch(&mut self) {
        self.asked.retain(|ask| ask.wanted());
        while self.idle > 0 {
            let analysing = self.folders.iter().any(|folder| folder.analysing.is_some());
            let folder = self.folders.iter().position(|folder| {
                folder.wanted
                    && folder.analysing.is_none()
                    && matches!(folder.state, State::Ready(_))
            });
            // One analysis goes first, for the keystroke that brought it; others leave room for requests.
            let (view, job) = match folder {
                Some(at) if !analysing || self.asked.is_empty() => self.analysis(at),
                _ => match self.asked.pop_front() {
                    Some(ask) => {
                        let view = self.view();
                        self.running.insert(ask.id(), view.cancellation());
                        (view, Job::Ask(ask))
                    }
                    None => return,
                },
            };
            self.idle -= 1;
            self.pool.assign(view, job);
        }
    }

    fn analysis(&mut self, at: usize) -> (View, Job) {
        let view = self.view();
        let folder = &mut self.folders[at];
        folder.wanted = false;
        folder.analysing = Some(view.cancellation());
        let job = Job::Analyse {
            folder: folder.id,
            generation: folder.generation,
            last: folder.last.clone(),
        };
        (view, job)
    }

    /// A snapshot of everything, for a worker that is idle.
    fn view(&self) -> View {
        let folders = self.folders.iter().filter_map(|folder| {
            let State::Ready(workspace) = &folder.state else {
                return None;
            };
            let open = self.documents.iter().filter_map(|(uri, open)| {
                let tracked = open.tracked.as_ref()?;
                let (id, path) = tracked.home.as_ref()?;
                let seen = OpenView {
                    uri: uri.clone(),
                    version: tracked.document.version(),
                };
                (*id == folder.id).then(|| (path.clone(), seen))
            });
            Some(FolderView {
                id: folder.id,
                root: folder.root.clone(),
                trees: Trees {
                    current: workspace.current,
                    baseline: workspace.baseline,
                },
                has_baseline: workspace.has_baseline,
                settings: Arc::clone(&folder.settings),
                open: open.collect(),
            })
        });
        View::new(
            self.db.clone(),
            Arc::clone(&self.capabilities),
            folders.collect(),
            self.shown(),
        )
    }

    fn shown(&self) -> Shown {
        if self.capabilities.code_lens && self.editor.code_lens != Some(false) {
            Shown::CodeLenses
        } else if self.capabilities.inlay_hint && self.editor.inlay_hints != Some(false) {
            Shown::InlayHints
        } else {
            Shown::Nothing
        }
    }

    pub(super) fn done(&mut self, done: Done) {
        self.idle += 1;
        match done {
            Done::Answered(id) => drop(self.running.remove(&id)),
            Done::Unanswered(ask, failure) => {
                self.running.remove(&ask.id());
                match failure {
                    // Computed again, of the new text, before what came later.
                    Failure::Outdated => self.asked.push_front(ask),
                    Failure::Cancelled => ask.refuse(Error::request_cancelled()),
                    Failure::Panicked(why) => {
                        tracing::error!("{} failed: {why}", ask.method());
                        let message = format!("{} failed: {why}", ask.method()).into();
                        ask.refuse(Error {
                            code: ErrorCode::InternalError,
                            message,
                            data: None,
                        });
                    }
                }
            }
            Done::Analysed {
                folder,
                generation,
                result,
            } => self.analysed(folder, generation, result),
        }
    }

    fn analysed(&mut self, id: FolderId, generation: u64, result: Result<Analysis, Failure>) {
        let Some(at) = self.folder_at(id) else { return };
        let edited = self.is_edited(id);
        let folder = &mut self.folders[at];
        folder.analysing = None;
        match result {
            Ok(analysis) => {
                let analysis = Arc::new(analysis);
                let first = folder.last.replace(Arc::clone(&analysis)).is_none();
                for file in &analysis.tangled {
                    self.outbox
                        .warn(format!("`{file}` is not analysed: {TANGLED}"));
                }
                // Said of a later text it would be wrong, and the next analysis is to come.
                if edited || generation != folder.generation {
                    return;
                }
                if let Some(progress) = folder.progress.take() {
                    progress.done(format!("{} entry points", analysis.entry_points));
                }
                self.publish(at, &analysis);
                // Before the first analysis nothing was shown that could be old.
                if analysis.model_changed && !first {
                    self.refresh_shown();
                }
            }
            Err(Failure::Outdated) => folder.wanted = matches!(folder.state, State::Ready(_)),
            Err(Failure::Cancelled) => {}
            Err(Failure::Panicked(why)) => {
                folder.progress = None;
                self.outbox.warn(format!(
                    "{} could not be analysed: {why}; what is shown may be old",
                    folder.root.display()
                ));
            }
        }
    }

    /// Has the editor ask again for what stands beside entry points, for they may be in other files.
    pub(super) fn refresh_shown(&self) {
        match self.shown() {
            Shown::CodeLenses if self.capabilities.code_lens_refresh => {
                self.outbox.refresh(Refresh::CodeLenses)
            }
            Shown::InlayHints if self.capabilities.inlay_hint_refresh => {
                self.outbox.refresh(Refresh::InlayHints)
            }
            _ => {}
        }
    }
}
