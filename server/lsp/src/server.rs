//! The life of the process: the transport on stdin and stdout, and every way it can end.

use std::io;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tower_lsp_server::{LspService, Server};

use crate::backend::{self, Backend};
use crate::outbox::Outbox;
use crate::owner::{self, Event};

/// How long answers may still be written after the input has ended.
const GRACE: Duration = Duration::from_secs(1);

/// How a session ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// The editor had asked for `shutdown` first.
    Orderly,
    /// It had not, or the server broke.
    Abruptly,
}

/// Runs the language server on stdin and stdout until the editor ends it, closes the input, or is gone.
///
/// The caller should leave the process with the code at once: a thread may still wait for input.
pub fn run() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("transport")
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("the server can't start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(serve(tokio::io::stdin(), tokio::io::stdout()));
    // Not dropped: that would wait for the thread that reads stdin, which some editors never close.
    runtime.shutdown_background();
    match ended {
        Ended::Orderly => ExitCode::SUCCESS,
        Ended::Abruptly => ExitCode::FAILURE,
    }
}

/// Serves one session over a pair of streams. To be called in a tokio runtime.
pub async fn serve<I, O>(input: I, output: O) -> Ended
where
    I: AsyncRead + Unpin + Send + 'static,
    O: AsyncWrite + Send + 'static,
{
    let (events, inbox) = crossbeam_channel::unbounded();
    let (end, mut ends) = mpsc::unbounded_channel();
    let asked = Arc::new(AtomicBool::new(false));
    let mut starting = Some((inbox, end.clone()));
    let (service, socket) = backend::methods(LspService::build(|client| {
        if let Some((inbox, end)) = starting.take() {
            let outbox = Outbox::start(client, events.clone(), end.clone());
            owner::start(inbox, events.clone(), outbox, end);
        }
        Backend::new(events.clone(), Arc::clone(&asked))
    }))
    .finish();
    let input = Watched { inner: input, end };
    // Without bound: handlers hold nothing while they wait, and a bound would keep edits and
    // cancellations behind slow requests.
    let server = Server::new(input, output, socket).concurrency_level(usize::MAX);
    // A task of its own, so that a panic in it is seen here instead of leaving a mute process.
    let mut serving = tokio::spawn(server.serve(service));
    let whole = tokio::select! {
        served = &mut serving => served.is_ok(),
        Some(reason) = ends.recv() => match reason {
            End::InputClosed => tokio::time::timeout(GRACE, &mut serving).await.is_ok(),
            End::ParentGone => {
                tracing::info!("the process that started the server is gone");
                false
            }
            End::OwnerDied => {
                tracing::error!("the server has failed and ends");
                false
            }
        }
    };
    serving.abort();
    let _ = events.send(Event::Stop);
    if whole && asked.load(Ordering::Acquire) {
        Ended::Orderly
    } else {
        Ended::Abruptly
    }
}

/// Why the session has to end, although the editor has not said so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// Nothing more can come in.
    InputClosed,
    /// The process that the editor named as its own runs no more.
    ParentGone,
    /// The owner panicked.
    OwnerDied,
}

/// An input that tells when it has ended. The transport alone would wait for every open request.
struct Watched<I> {
    inner: I,
    end: mpsc::UnboundedSender<End>,
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        let over = match &read {
            Poll::Ready(Ok(())) => buffer.filled().len() == before && buffer.remaining() > 0,
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        };
        if over {
            let _ = self.end.send(End::InputClosed);
        }
        read
    }
}
