//! A server that nobody speaks to does nothing. Alone in its process, for it counts the process's time.
#![allow(clippy::unwrap_used)]

#[path = "server/harness.rs"]
#[allow(dead_code)]
mod harness;

use std::time::Duration;

use harness::{Editor, plain, project, uri};

/// How often threads of this process have begun to run so far, but for the one that asks. Unlike the time that they took it
/// does not depend on what else the machine does.
#[cfg(target_os = "linux")]
fn wakes() -> u64 {
    let own = std::fs::read_link("/proc/thread-self").unwrap();
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let others = tasks.filter(|task| Some(task.file_name().as_os_str()) != own.file_name());
    others
        .filter_map(|task| {
            let status = std::fs::read_to_string(task.path().join("status")).ok()?;
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
            line.trim().parse::<u64>().ok()
        })
        .sum()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_happens_when_nobody_speaks() {
    let folder = project(&[("a.py", "x = 1\n")]);
    let (mut editor, _) = Editor::start(plain(), &[folder.path()]).await;
    let file = uri(&folder.path().join("a.py"));
    editor.open(&file, 1, "x = 1\n").await;
    editor.settled(&file, 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = wakes();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let woken = wakes() - before;
    // This test's own timer is among them.
    assert!(woken < 10, "threads woke {woken} times");
    editor.end().await;
}
