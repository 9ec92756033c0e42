//! How long a keystroke takes to its diagnostics, through the whole server. A measurement, not a test: run
//! it with `cargo test --release -p gatewatch-lsp --test latency -- --ignored --nocapture`.
#![allow(clippy::unwrap_used)]

#[path = "server/harness.rs"]
#[allow(dead_code)]
mod harness;

use std::time::{Duration, Instant};

use harness::{Editor, plain, project, range, uri};
use serde_json::Value;

fn routes(name: &str, count: usize) -> String {
    let mut text = format!(
        "from fastapi import APIRouter, Depends\nfrom app.deps import current_user\n\nrouter = APIRouter(prefix=\"/{name}\")\n"
    );
    for n in 0..count {
        text += &format!(
            "\n\n@router.get(\"/{n}/{{item_id}}\")\ndef read_{n}(item_id: int, user=Depends(current_user)):\n    item = db.get(item_id)\n    if item.owner != user.id:\n        raise HTTPException(status_code=404)\n    return item\n"
        );
    }
    text
}

#[ignore = "a measurement"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keystroke_to_diagnostics() {
    // With `RUST_LOG=gatewatch_lsp=debug`: where the time goes.
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let names: Vec<String> = (0..200).map(|n| format!("app/r{n}.py")).collect();
    let mut texts: Vec<String> = (0..200).map(|n| routes(&format!("r{n}"), 8)).collect();
    texts[0] = routes("r0", 600);
    let deps = "def current_user(token=None):\n    if token is None:\n        raise HTTPException(status_code=401)\n    return token\n";
    let main: String = (0..200)
        .map(|n| format!("from app.r{n} import router as r{n}\n"))
        .collect::<String>()
        + "from fastapi import FastAPI\napp = FastAPI()\n"
        + &(0..200)
            .map(|n| format!("app.include_router(r{n})\n"))
            .collect::<String>();
    let mut files: Vec<(&str, &str)> = names
        .iter()
        .zip(&texts)
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    files.extend([
        ("app/__init__.py", ""),
        ("app/deps.py", deps),
        ("app/main.py", main.as_str()),
    ]);
    let folder = project(&files);
    let start = Instant::now();
    let (mut editor, _) = Editor::start(plain(), &[folder.path()]).await;
    println!("initialize {:?}", start.elapsed());
    let file = uri(&folder.path().join("app/r0.py"));
    editor.open(&file, 0, &texts[0]).await;
    editor.settled(&file, 0).await;
    println!(
        "first diagnostics {:?}, {} lines open",
        start.elapsed(),
        texts[0].lines().count()
    );
    let mut version = 0;
    // Inside a body in the middle of the file, and a guard that goes and comes back.
    let line = texts[0]
        .lines()
        .position(|line| line.contains("read_300"))
        .unwrap() as u32;
    for (what, place, text) in [
        ("in a body", (line + 1, 8), "x"),
        ("at the top", (0, 0), "\n"),
    ] {
        let mut took = Vec::new();
        for _ in 0..100 {
            version += 1;
            let start = Instant::now();
            editor
                .change(&file, version, range(place, place), text)
                .await;
            editor.settled(&file, version).await;
            took.push(start.elapsed());
        }
        report(what, took);
    }
    let line = line + 100;
    let mut took = Vec::new();
    for round in 0..100 {
        version += 1;
        let start = Instant::now();
        let (from, to, text) = if round % 2 == 0 {
            ((line, 25), (line, 53), "")
        } else {
            ((line, 25), (line, 25), ", user=Depends(current_user)")
        };
        editor.change(&file, version, range(from, to), text).await;
        let said: Vec<Value> = editor.settled(&file, version).await;
        took.push(start.elapsed());
        if round < 2 {
            println!("{} findings", said.len());
        }
    }
    report("a guard", took);
    editor.end().await;
}

fn report(what: &str, mut took: Vec<Duration>) {
    took.sort();
    println!(
        "{what}: p50 {:?}, p95 {:?}, most {:?}",
        took[took.len() / 2],
        took[took.len() * 95 / 100],
        took[took.len() - 1]
    );
}
