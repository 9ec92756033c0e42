//! A thread that says so when the owner takes long: a write that waits for a snapshot which nobody drops
//! would otherwise look like an editor without findings.

use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, Sender, unbounded};

/// What no tick should take.
const LONG: Duration = Duration::from_secs(1);

/// The owner's end.
pub(crate) struct Watchdog(Sender<Beat>);

#[derive(PartialEq)]
enum Beat {
    Begin {
        event: &'static str,
        snapshots: usize,
    },
    End,
}

impl Watchdog {
    /// Starts the thread. It ends with the owner, and sleeps between ticks.
    pub(crate) fn start() -> Self {
        let (beats, heard) = unbounded();
        let spawned = thread::Builder::new().name("watchdog".into()).spawn(move || {
            while let Ok(beat) = heard.recv() {
                let Beat::Begin { event, snapshots } = beat else { continue };
                let start = Instant::now();
                if heard.recv_timeout(LONG) != Err(RecvTimeoutError::Timeout) {
                    continue;
                }
                tracing::warn!("the tick that began with `{event}` takes more than a second; {snapshots} snapshots are out");
                if heard.recv().is_ok() {
                    tracing::warn!("the tick that began with `{event}` took {:?}", start.elapsed());
                }
            }
        });
        if let Err(error) = spawned {
            tracing::warn!("slow ticks will not be noticed: {error}");
        }
        Self(beats)
    }

    /// A tick begins.
    pub(crate) fn begin(&self, event: &'static str, snapshots: usize) {
        let _ = self.0.send(Beat::Begin { event, snapshots });
    }

    /// It has ended.
    pub(crate) fn end(&self) {
        let _ = self.0.send(Beat::End);
    }
}
