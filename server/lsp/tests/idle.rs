//! A server that nobody speaks to does nothing. Alone in its process, for it counts the process's time.
#![allow(clippy::unwrap_used)]

#[path = "server/harness.rs"]
#[allow(dead_code)]
mod harness;

use std::time::Duration;

use harness::{Editor, plain, project, uri};

/// The processor time of this process so far.
#[cfg(target_os = "linux")]
fn used() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    let mut total: u64 = stat.split_whitespace().next().unwrap().parse().unwrap();
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        if let Ok(stat) = std::fs::read_to_string(task.path().join("schedstat")) {
            total += stat
                .split_whitespace()
                .next()
                .unwrap()
                .parse::<u64>()
                .unwrap();
        }
    }
    Duration::from_nanos(total)
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
    let before = used();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let after = used();
    assert!(
        after - before < Duration::from_millis(10),
        "{:?} while idle",
        after - before
    );
    editor.end().await;
}
