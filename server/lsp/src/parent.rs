//! Whether the editor still runs: a server must not outlive it.

use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use crate::server::End;

/// How often it is looked.
const INTERVAL: Duration = Duration::from_secs(30);

/// Reports when the process `id` has ended. Where that can't be found out, never: the end of the input
/// has to do.
pub(crate) async fn watch(id: i32, end: UnboundedSender<End>) {
    if !runs(id) {
        // A client in a container or on another machine names a process that was never ours to see.
        tracing::debug!("process {id} can't be seen; it is not watched");
        return;
    }
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if !runs(id) {
            let _ = end.send(End::ParentGone);
            return;
        }
    }
}

#[cfg(unix)]
fn runs(id: i32) -> bool {
    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process};
    match Pid::from_raw(id) {
        Some(id) => test_kill_process(id) != Err(Errno::SRCH),
        None => false,
    }
}

#[cfg(not(unix))]
fn runs(_: i32) -> bool {
    // Nothing safe in the standard library tells; stdin is closed when the editor ends.
    true
}
