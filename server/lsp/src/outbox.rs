//! Everything that the server says without being asked, sent by one task in the order it was said.
//!
//! The owner never waits for the editor. What the editor answers comes back as an event.

use crossbeam_channel::Sender;
use gen_lsp_types::{ConfigurationItem, Diagnostic, MessageType, ProgressToken, Registration, Uri};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tower_lsp_server::Client;

use crate::owner::Event;
use crate::progress::{self, Step};
use crate::server::End;

/// The owner's end.
#[derive(Clone)]
pub(crate) struct Outbox(UnboundedSender<Outgoing>);

enum Outgoing {
    Publish {
        uri: Uri,
        diagnostics: Vec<Diagnostic>,
        version: Option<i32>,
    },
    Log(MessageType, String),
    Show(MessageType, String),
    Refresh(Refresh),
    Register(Vec<Registration>),
    AskConfiguration,
    Progress {
        token: ProgressToken,
        title: String,
        steps: UnboundedReceiver<Step>,
    },
    WatchParent(i32),
}

/// What the editor should ask for again.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refresh {
    /// Diagnostics of the documents for which it pulls them.
    Diagnostics,
    /// Code lenses.
    CodeLenses,
    /// Inlay hints.
    InlayHints,
}

impl Outbox {
    /// Starts the task. To be called in a tokio runtime.
    pub(crate) fn start(client: Client, events: Sender<Event>, end: UnboundedSender<End>) -> Self {
        let (outgoing, mut waiting) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(message) = waiting.recv().await {
                send(&client, &events, &end, message).await;
            }
        });
        Self(outgoing)
    }

    /// The diagnostics that a document now has.
    pub(crate) fn publish(&self, uri: Uri, diagnostics: Vec<Diagnostic>, version: Option<i32>) {
        self.push(Outgoing::Publish {
            uri,
            diagnostics,
            version,
        });
    }

    /// A line for the editor's log of this server, and for the server's own.
    pub(crate) fn warn(&self, message: impl Into<String>) {
        let message = message.into();
        tracing::warn!("{message}");
        self.push(Outgoing::Log(MessageType::Warning, message));
    }

    /// A line for both logs that is nothing to worry about.
    pub(crate) fn note(&self, message: impl Into<String>) {
        let message = message.into();
        tracing::info!("{message}");
        self.push(Outgoing::Log(MessageType::Info, message));
    }

    /// A message that the user can't miss.
    pub(crate) fn alert(&self, message: impl Into<String>) {
        let message = message.into();
        tracing::warn!("{message}");
        self.push(Outgoing::Show(MessageType::Warning, message));
    }

    /// Tells the editor to ask again.
    pub(crate) fn refresh(&self, what: Refresh) {
        self.push(Outgoing::Refresh(what));
    }

    /// Asks the editor to tell of something.
    pub(crate) fn register(&self, registrations: Vec<Registration>) {
        self.push(Outgoing::Register(registrations));
    }

    /// Asks for the settings; they come as [`Event::Configuration`].
    pub(crate) fn ask_configuration(&self) {
        self.push(Outgoing::AskConfiguration);
    }

    /// Shows progress until the other end of `steps` is dropped.
    pub(crate) fn progress(
        &self,
        token: ProgressToken,
        title: String,
        steps: UnboundedReceiver<Step>,
    ) {
        self.push(Outgoing::Progress {
            token,
            title,
            steps,
        });
    }

    /// Ends the session when a process ends.
    pub(crate) fn watch_parent(&self, id: i32) {
        self.push(Outgoing::WatchParent(id));
    }

    fn push(&self, message: Outgoing) {
        // Fails only when the session is over.
        let _ = self.0.send(message);
    }
}

/// Notifications are sent here, one after the other; whatever waits for an answer gets its own task.
async fn send(
    client: &Client,
    events: &Sender<Event>,
    end: &UnboundedSender<End>,
    message: Outgoing,
) {
    match message {
        Outgoing::Publish {
            uri,
            diagnostics,
            version,
        } => client.publish_diagnostics(uri, diagnostics, version).await,
        Outgoing::Log(kind, message) => client.log_message(kind, message).await,
        Outgoing::Show(kind, message) => client.show_message(kind, message).await,
        Outgoing::Refresh(what) => {
            let client = client.clone();
            tokio::spawn(async move {
                let answer = match what {
                    Refresh::Diagnostics => client.workspace_diagnostic_refresh().await,
                    Refresh::CodeLenses => client.code_lens_refresh().await,
                    Refresh::InlayHints => client.inlay_hint_refresh().await,
                };
                if let Err(error) = answer {
                    tracing::debug!("the editor does not refresh {what:?}: {error}");
                }
            });
        }
        Outgoing::Register(registrations) => {
            let client = client.clone();
            tokio::spawn(async move {
                if let Err(error) = client.register_capability(registrations).await {
                    tracing::warn!(
                        "the editor will not tell of changed files or settings: {error}"
                    );
                }
            });
        }
        Outgoing::AskConfiguration => {
            let (client, events) = (client.clone(), events.clone());
            tokio::spawn(async move {
                let item = ConfigurationItem {
                    scope_uri: None,
                    section: Some("gatewatch".into()),
                };
                match client.configuration(vec![item]).await {
                    Ok(mut values) if !values.is_empty() => {
                        let _ = events.send(Event::Configuration(values.swap_remove(0)));
                    }
                    Ok(_) => {
                        tracing::warn!("the editor answered `workspace/configuration` with nothing")
                    }
                    Err(error) => tracing::warn!("the editor has no settings to give: {error}"),
                }
            });
        }
        Outgoing::Progress {
            token,
            title,
            steps,
        } => {
            tokio::spawn(progress::show(client.clone(), token, title, steps));
        }
        Outgoing::WatchParent(id) => {
            tokio::spawn(crate::parent::watch(id, end.clone()));
        }
    }
}
