//! What an editor asks, one file a request. Each is a function of a view and its parameters: it can be run
//! again if a write comes in between, and knows nothing of threads.

pub(crate) mod code_action;
pub(crate) mod code_lens;
#[cfg(feature = "testing")]
pub(crate) mod debug;
pub(crate) mod definition;
pub(crate) mod diagnostic;
pub(crate) mod document_symbol;
mod entry;
pub(crate) mod execute_command;
pub(crate) mod hover;
pub(crate) mod inlay_hint;
pub(crate) mod workspace_symbol;

use gen_lsp_types::Uri;
use tokio::sync::oneshot;
use tower_lsp_server::jsonrpc::{Error, Result};

use crate::view::View;

/// A request on its way through the queue and a worker.
pub(crate) trait Ask: Send {
    /// Its number, by which it is cancelled.
    fn id(&self) -> u64;
    /// Its name in the protocol.
    fn method(&self) -> &'static str;
    /// The document that it is about.
    fn uri(&self) -> Option<&Uri>;
    /// Whether it should rather wait for the first reading of the folders than be answered with nothing:
    /// editors ask some things only once.
    fn waits(&self) -> bool;
    /// Whether anybody still waits for the answer.
    fn wanted(&self) -> bool;
    /// Computes the answer and keeps it. A query inside may unwind.
    fn compute(&mut self, view: &View);
    /// Sends the answer.
    fn reply(self: Box<Self>);
    /// Sends an error instead.
    fn refuse(self: Box<Self>, error: Error);
}

/// The one kind of [`Ask`] there is, for any parameters and result.
pub(crate) struct Asked<P, R> {
    pub(crate) id: u64,
    pub(crate) method: &'static str,
    pub(crate) uri: Option<Uri>,
    pub(crate) waits: bool,
    pub(crate) params: P,
    pub(crate) run: fn(&View, &P) -> Result<R>,
    pub(crate) answer: Option<Result<R>>,
    pub(crate) reply: oneshot::Sender<Result<R>>,
}

impl<P: Send, R: Send> Ask for Asked<P, R> {
    fn id(&self) -> u64 {
        self.id
    }

    fn method(&self) -> &'static str {
        self.method
    }

    fn uri(&self) -> Option<&Uri> {
        self.uri.as_ref()
    }

    fn waits(&self) -> bool {
        self.waits
    }

    fn wanted(&self) -> bool {
        !self.reply.is_closed()
    }

    fn compute(&mut self, view: &View) {
        self.answer = Some((self.run)(view, &self.params));
    }

    fn reply(self: Box<Self>) {
        let answer = self.answer.unwrap_or_else(|| Err(Error::internal_error()));
        // Fails if nobody waits any more.
        let _ = self.reply.send(answer);
    }

    fn refuse(self: Box<Self>, error: Error) {
        let _ = self.reply.send(Err(error));
    }
}
