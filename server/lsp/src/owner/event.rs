//! What comes into the owner's inbox.

use gen_lsp_types::{
    DidChangeTextDocumentParams, DidOpenTextDocumentParams, FileEvent, InitializeParams,
    InitializeResult, LspAny, ProgressToken, Uri, WorkspaceFoldersChangeEvent,
};
use tokio::sync::oneshot;
use tower_lsp_server::jsonrpc::Result;

use crate::owner::FolderId;
use crate::reading::Read;
use crate::requests::Ask;
use crate::workers::Done;

/// One thing that happened: a message of the editor, or something of ours that has ended.
pub(crate) enum Event {
    Initialize(Box<InitializeParams>, oneshot::Sender<InitializeResult>),
    Initialized,
    Opened(DidOpenTextDocumentParams),
    Changed(DidChangeTextDocumentParams),
    Saved(Uri),
    Closed(Uri),
    FoldersChanged(WorkspaceFoldersChangeEvent),
    FilesChanged(Vec<FileEvent>),
    /// The editor says that settings have changed, and perhaps how.
    ConfigurationChanged(LspAny),
    /// The editor's answer when it was asked for its settings.
    Configuration(LspAny),
    ProgressCancelled(ProgressToken),
    Asked(Box<dyn Ask>),
    /// Nobody waits for the request with this number any more.
    Cancelled(u64),
    Command(String, oneshot::Sender<Result<Option<LspAny>>>),
    /// Something was read from disk or git.
    Read {
        folder: FolderId,
        reading: u64,
        read: Read,
    },
    /// A worker has ended a job and is idle.
    Done(Done),
    /// The session is over.
    Stop,
}

impl Event {
    /// A name for logs.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Initialize(..) => "initialize",
            Self::Initialized => "initialized",
            Self::Opened(_) => "didOpen",
            Self::Changed(_) => "didChange",
            Self::Saved(_) => "didSave",
            Self::Closed(_) => "didClose",
            Self::FoldersChanged(_) => "didChangeWorkspaceFolders",
            Self::FilesChanged(_) => "didChangeWatchedFiles",
            Self::ConfigurationChanged(_) => "didChangeConfiguration",
            Self::Configuration(_) => "the settings",
            Self::ProgressCancelled(_) => "the cancellation of progress",
            Self::Asked(ask) => ask.method(),
            Self::Cancelled(_) => "the cancellation of a request",
            Self::Command(..) => "executeCommand",
            Self::Read { .. } => "the reading of files",
            Self::Done(_) => "the end of a job",
            Self::Stop => "the end of the session",
        }
    }
}
