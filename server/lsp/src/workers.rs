//! The threads that compute. There are two, whatever the machine has: one for what the user waits for while
//! the other analyses.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, unbounded};
use salsa::Cancelled;

use crate::diagnostics::{Analysis, analyse};
use crate::owner::{Event, FolderId};
use crate::requests::Ask;
use crate::view::View;

/// How many there are.
pub(crate) const COUNT: usize = 2;

/// What one of them is to do. It comes with its snapshot, so it is made for an idle worker only.
pub(crate) enum Job {
    /// Answer the editor.
    Ask(Box<dyn Ask>),
    /// Find what changed in a folder.
    Analyse {
        /// The folder, which the view has.
        folder: FolderId,
        /// Which of the owner's states the view shows.
        generation: u64,
        /// What the last analysis found, to be used again where nothing changed.
        last: Option<Arc<Analysis>>,
    },
}

/// What became of a job. Its snapshot is gone by then.
pub(crate) enum Done {
    /// A request was computed and answered.
    Answered(u64),
    /// A request could not be computed to its end.
    Unanswered(Box<dyn Ask>, Failure),
    /// An analysis has ended.
    Analysed {
        /// Of this folder.
        folder: FolderId,
        /// In this state.
        generation: u64,
        /// With this result.
        result: Result<Analysis, Failure>,
    },
}

/// Why a job has no result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Failure {
    /// A write was waiting.
    Outdated,
    /// It was no longer wanted.
    Cancelled,
    /// It panicked, with this message.
    Panicked(String),
}

/// The owner's end. The threads end when it is dropped.
pub(crate) struct Pool(Sender<(View, Job)>);

impl Pool {
    /// Starts the threads; `None` if there can't be any.
    pub(crate) fn start(events: &Sender<Event>) -> Option<Self> {
        let (jobs, waiting) = unbounded();
        for number in 0..COUNT {
            let (waiting, events) = (waiting.clone(), events.clone());
            // An analysis follows chains of calls; deep ones must not end the server.
            let builder = thread::Builder::new()
                .name(format!("worker-{number}"))
                .stack_size(16 << 20);
            if let Err(error) = builder.spawn(move || work(&waiting, &events)) {
                tracing::error!("a worker can't start: {error}");
                return None;
            }
        }
        Some(Self(jobs))
    }

    /// Hands a job to an idle worker. Only the owner knows whether there is one.
    pub(crate) fn assign(&self, view: View, job: Job) {
        let _ = self.0.send((view, job));
    }
}

fn work(waiting: &Receiver<(View, Job)>, events: &Sender<Event>) {
    while let Ok((view, job)) = waiting.recv() {
        let done = match job {
            Job::Ask(mut ask) => {
                let computed = guarded(|| ask.compute(&view));
                drop(view);
                match computed {
                    Ok(()) => {
                        let id = ask.id();
                        ask.reply();
                        Done::Answered(id)
                    }
                    Err(failure) => Done::Unanswered(ask, failure),
                }
            }
            Job::Analyse {
                folder,
                generation,
                last,
            } => {
                let start = Instant::now();
                let result = guarded(|| analyse(&view, folder, last.as_deref()));
                if last.is_none() {
                    // The first analysis of a folder has read everything, what comes next reads a few files.
                    gatewatch_syntax::let_go();
                }
                drop(view);
                tracing::debug!("an analysis took {:?}", start.elapsed());
                Done::Analysed {
                    folder,
                    generation,
                    result,
                }
            }
        };
        if events.send(Event::Done(done)).is_err() {
            return;
        }
    }
}

/// Runs `compute` and says why it did not come to its end, if it did not.
fn guarded<T>(compute: impl FnOnce() -> T) -> Result<T, Failure> {
    // What a panic leaves half-done is never looked at again: snapshot and result are dropped.
    match catch_unwind(AssertUnwindSafe(|| {
        Cancelled::catch(AssertUnwindSafe(compute))
    })) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(Cancelled::Local)) => Err(Failure::Cancelled),
        Ok(Err(Cancelled::PropagatedPanic)) => Err(Failure::Panicked(
            "another thread failed at the same question".into(),
        )),
        Ok(Err(_)) => Err(Failure::Outdated),
        Err(payload) => Err(Failure::Panicked(message(payload.as_ref()))),
    }
}

/// What a panic said.
pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it did not say why".into())
}
