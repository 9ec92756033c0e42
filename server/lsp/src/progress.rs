//! Progress of the first reading and analysis of a folder, with a button that ends it.

use gen_lsp_types::ProgressToken;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tower_lsp_server::Client;

use crate::outbox::Outbox;

/// One thing to be said.
pub(crate) enum Step {
    /// What goes on.
    Now(String),
    /// What came out; the last step.
    Done(String),
}

/// The owner's end. Dropped without [`Progress::done`], it ends without a word.
pub(crate) struct Progress {
    token: ProgressToken,
    steps: UnboundedSender<Step>,
}

impl Progress {
    /// Begins to show progress.
    pub(crate) fn begin(outbox: &Outbox, name: String, title: String) -> Self {
        let (steps, shown) = mpsc::unbounded_channel();
        let token = ProgressToken::String(name);
        outbox.progress(token.clone(), title, shown);
        Self { token, steps }
    }

    /// The name by which the editor cancels it.
    pub(crate) fn token(&self) -> &ProgressToken {
        &self.token
    }

    /// Says what goes on.
    pub(crate) fn now(&self, message: impl Into<String>) {
        let _ = self.steps.send(Step::Now(message.into()));
    }

    /// Ends it with what came out.
    pub(crate) fn done(self, message: impl Into<String>) {
        let _ = self.steps.send(Step::Done(message.into()));
    }
}

/// Shows the steps until there are no more. An editor that refuses sees nothing.
pub(crate) async fn show(
    client: Client,
    token: ProgressToken,
    title: String,
    mut steps: UnboundedReceiver<Step>,
) {
    if client
        .create_work_done_progress(token.clone())
        .await
        .is_err()
    {
        return;
    }
    let shown = client
        .progress(token, title)
        .with_cancel_button()
        .begin()
        .await;
    while let Some(step) = steps.recv().await {
        match step {
            Step::Now(message) => shown.report_with_message(message, None).await,
            Step::Done(message) => return shown.finish_with_message(message).await,
        }
    }
    shown.finish().await;
}
