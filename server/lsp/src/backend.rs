//! The protocol's handlers. They have no state and decide nothing: each puts one event into the owner's
//! inbox before it waits for anything, so that the inbox has the order of the editor's messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam_channel::Sender;
use gen_lsp_types::{
    CodeActionParams, CodeActionResponse, CodeLens, CodeLensParams, DefinitionParams,
    DefinitionResponse, DidChangeConfigurationParams, DidChangeTextDocumentParams,
    DidChangeWatchedFilesParams, DidChangeWorkspaceFoldersParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, DidSaveTextDocumentParams, DocumentDiagnosticParams,
    DocumentDiagnosticReport, DocumentSymbolParams, DocumentSymbolResponse, ExecuteCommandParams,
    Hover, HoverParams, InitializeParams, InitializeResult, InitializedParams, InlayHint,
    InlayHintParams, LspAny, Uri, WorkDoneProgressCancelParams, WorkspaceSymbolParams,
    WorkspaceSymbolResponse,
};
use tokio::sync::oneshot;
use tower_lsp_server::jsonrpc::{Error, Result};
use tower_lsp_server::{LanguageServer, LspServiceBuilder};

use crate::owner::Event;
use crate::requests::{
    Asked, code_action, code_lens, definition, diagnostic, document_symbol, hover, inlay_hint,
    workspace_symbol,
};
use crate::view::View;

/// The sender of the owner's inbox.
pub(crate) struct Backend {
    events: Sender<Event>,
    /// Whether `shutdown` was asked for.
    asked: Arc<AtomicBool>,
    next: AtomicU64,
}

/// The methods beyond the protocol's usual ones.
pub(crate) fn methods(builder: LspServiceBuilder<Backend>) -> LspServiceBuilder<Backend> {
    let builder = builder.custom_method(
        "window/workDoneProgress/cancel",
        Backend::progress_cancelled,
    );
    #[cfg(feature = "testing")]
    let builder = builder
        .custom_method("gatewatch/debugPanic", Backend::debug_panic)
        .custom_method("gatewatch/debugSpin", Backend::debug_spin);
    builder
}

/// A document and a request about it.
struct About<'u> {
    method: &'static str,
    uri: Option<&'u Uri>,
    /// See [`crate::requests::Ask::waits`].
    waits: bool,
}

/// Tells the owner when the transport drops a request: the editor has cancelled it.
struct Dropped {
    events: Sender<Event>,
    id: Option<u64>,
}

impl Drop for Dropped {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let _ = self.events.send(Event::Cancelled(id));
        }
    }
}

impl Backend {
    /// A backend whose owner reads what `events` gets.
    pub(crate) fn new(events: Sender<Event>, asked: Arc<AtomicBool>) -> Self {
        Self {
            events,
            asked,
            next: AtomicU64::new(0),
        }
    }

    fn tell(&self, event: Event) {
        // Fails only when the session is over.
        let _ = self.events.send(event);
    }

    async fn ask<P, R>(
        &self,
        about: About<'_>,
        params: P,
        run: fn(&View, &P) -> Result<R>,
    ) -> Result<R>
    where
        P: Send + 'static,
        R: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let asked = Asked {
            id,
            method: about.method,
            uri: about.uri.cloned(),
            waits: about.waits,
            params,
            run,
            answer: None,
            reply,
        };
        self.tell(Event::Asked(Box::new(asked)));
        let mut dropped = Dropped {
            events: self.events.clone(),
            id: Some(id),
        };
        let answer = answer.await;
        dropped.id = None;
        answer.unwrap_or_else(|_| Err(Error::internal_error()))
    }

    async fn progress_cancelled(&self, params: WorkDoneProgressCancelParams) {
        self.tell(Event::ProgressCancelled(params.token));
    }

    #[cfg(feature = "testing")]
    async fn debug_panic(&self, params: LspAny) -> Result<LspAny> {
        let about = About {
            method: "gatewatch/debugPanic",
            uri: None,
            waits: true,
        };
        self.ask(about, params, crate::requests::debug::panic).await
    }

    #[cfg(feature = "testing")]
    async fn debug_spin(&self, params: LspAny) -> Result<LspAny> {
        let about = About {
            method: "gatewatch/debugSpin",
            uri: None,
            waits: true,
        };
        self.ask(about, params, crate::requests::debug::spin).await
    }
}

impl LanguageServer for Backend {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let (reply, answer) = oneshot::channel();
        self.tell(Event::Initialize(Box::new(params), reply));
        answer.await.map_err(|_| Error::internal_error())
    }

    async fn initialized(&self, _: InitializedParams) {
        self.tell(Event::Initialized);
    }

    async fn shutdown(&self) -> Result<()> {
        self.asked.store(true, Ordering::Release);
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        self.tell(Event::Opened(params));
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        self.tell(Event::Changed(params));
    }

    async fn did_save(&self, params: DidSaveTextDocumentParams) {
        self.tell(Event::Saved(params.text_document.uri));
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        self.tell(Event::Closed(params.text_document.uri));
    }

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        self.tell(Event::ConfigurationChanged(params.settings));
    }

    async fn did_change_workspace_folders(&self, params: DidChangeWorkspaceFoldersParams) {
        self.tell(Event::FoldersChanged(params.event));
    }

    async fn did_change_watched_files(&self, params: DidChangeWatchedFilesParams) {
        self.tell(Event::FilesChanged(params.changes));
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<LspAny>> {
        let (reply, answer) = oneshot::channel();
        self.tell(Event::Command(params.command, reply));
        answer
            .await
            .unwrap_or_else(|_| Err(Error::internal_error()))
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        let uri = params
            .text_document_position_params
            .text_document
            .uri
            .clone();
        let about = About {
            method: "textDocument/hover",
            uri: Some(&uri),
            waits: false,
        };
        self.ask(about, params, hover::hover).await
    }

    async fn code_action(
        &self,
        params: CodeActionParams,
    ) -> Result<Option<Vec<CodeActionResponse>>> {
        let uri = params.text_document.uri.clone();
        let about = About {
            method: "textDocument/codeAction",
            uri: Some(&uri),
            waits: false,
        };
        self.ask(about, params, code_action::code_action).await
    }

    async fn goto_definition(
        &self,
        params: DefinitionParams,
    ) -> Result<Option<DefinitionResponse>> {
        let uri = params
            .text_document_position_params
            .text_document
            .uri
            .clone();
        let about = About {
            method: "textDocument/definition",
            uri: Some(&uri),
            waits: false,
        };
        self.ask(about, params, definition::definition).await
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        let uri = params.text_document.uri.clone();
        let about = About {
            method: "textDocument/codeLens",
            uri: Some(&uri),
            waits: true,
        };
        self.ask(about, params, code_lens::code_lens).await
    }

    async fn inlay_hint(&self, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
        let uri = params.text_document.uri.clone();
        let about = About {
            method: "textDocument/inlayHint",
            uri: Some(&uri),
            waits: true,
        };
        self.ask(about, params, inlay_hint::inlay_hint).await
    }

    async fn document_symbol(
        &self,
        params: DocumentSymbolParams,
    ) -> Result<Option<DocumentSymbolResponse>> {
        let uri = params.text_document.uri.clone();
        let about = About {
            method: "textDocument/documentSymbol",
            uri: Some(&uri),
            waits: true,
        };
        self.ask(about, params, document_symbol::document_symbol)
            .await
    }

    async fn symbol(
        &self,
        params: WorkspaceSymbolParams,
    ) -> Result<Option<WorkspaceSymbolResponse>> {
        let about = About {
            method: "workspace/symbol",
            uri: None,
            waits: true,
        };
        self.ask(about, params, workspace_symbol::symbol).await
    }

    async fn diagnostic(
        &self,
        params: DocumentDiagnosticParams,
    ) -> Result<DocumentDiagnosticReport> {
        let uri = params.text_document.uri.clone();
        let about = About {
            method: "textDocument/diagnostic",
            uri: Some(&uri),
            waits: true,
        };
        self.ask(about, params, diagnostic::diagnostic).await
    }
}
