//! How sessions begin and end, and what they offer.

use gatewatch_lsp::Ended;
use serde_json::{Value, json};

use crate::harness::{Editor, plain, project, uri};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_from_initialize_to_exit() {
    let folder = project(&[("a.py", "x = 1\n")]);
    let (mut editor, offered) = Editor::start(plain(), &[folder.path()]).await;
    assert_eq!(offered["positionEncoding"], "utf-16");
    assert_eq!(offered["textDocumentSync"]["change"], 2);
    assert_eq!(offered.get("diagnosticProvider"), None);
    assert_eq!(offered.get("codeLensProvider"), None);
    let file = uri(&folder.path().join("a.py"));
    editor.open(&file, 1, "x = 1\n").await;
    assert_eq!(editor.settled(&file, 1).await, Vec::<Value>::new());
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_of_the_cheapest_encodings_is_taken() {
    for (offered, taken) in [
        (json!(["utf-16"]), "utf-16"),
        (json!(["utf-8", "utf-32", "utf-16"]), "utf-8"),
        (json!(["utf-32", "utf-8", "utf-16"]), "utf-8"),
        (json!(["utf-32"]), "utf-32"),
        (json!(["utf-7"]), "utf-16"),
        (Value::Null, "utf-16"),
    ] {
        let (editor, answer) =
            Editor::start(json!({"general": {"positionEncodings": offered}}), &[]).await;
        assert_eq!(answer["positionEncoding"], taken, "{offered}");
        editor.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_the_input_ends_the_session() {
    let folder = project(&[("a.py", "x = 1\n")]);
    let (mut editor, _) = Editor::start(plain(), &[folder.path()]).await;
    // A request that would take longer than anybody waits.
    editor
        .request("gatewatch/debugSpin", json!({"ms": 60_000}))
        .await;
    assert_eq!(editor.hang_up().await, Ended::Abruptly);
    let (mut editor, _) = Editor::start(plain(), &[]).await;
    editor.ask("shutdown", Value::Null).await.unwrap();
    assert_eq!(editor.hang_up().await, Ended::Orderly);
    assert_eq!(Editor::new().hang_up().await, Ended::Abruptly);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exit_without_shutdown_is_abrupt() {
    let (mut editor, _) = Editor::start(plain(), &[]).await;
    editor.tell("exit", Value::Null).await;
    assert_eq!((&mut editor.served).await.unwrap(), Ended::Abruptly);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_query_costs_one_request() {
    let folder = project(&[("a.py", "x = 1\n")]);
    let (mut editor, _) = Editor::start(plain(), &[folder.path()]).await;
    for _ in 0..3 {
        let error = editor
            .ask("gatewatch/debugPanic", json!({}))
            .await
            .unwrap_err();
        assert_eq!(error["code"], -32603);
        assert!(
            error["message"].as_str().unwrap().contains("on purpose"),
            "{error}"
        );
    }
    let file = uri(&folder.path().join("a.py"));
    editor.open(&file, 1, "x = 2\n").await;
    editor.settled(&file, 1).await;
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_request_ends_at_once() {
    let folder = project(&[("a.py", "x = 1\n")]);
    let (mut editor, _) = Editor::start(plain(), &[folder.path()]).await;
    editor
        .ask("gatewatch/debugSpin", json!({"ms": 0}))
        .await
        .unwrap();
    let slow: Vec<i64> = {
        let mut ids = Vec::new();
        for _ in 0..4 {
            ids.push(
                editor
                    .request("gatewatch/debugSpin", json!({"ms": 60_000}))
                    .await,
            );
        }
        ids
    };
    for id in slow {
        editor.tell("$/cancelRequest", json!({"id": id})).await;
        assert_eq!(editor.answer(id).await.unwrap_err()["code"], -32800);
    }
    // The workers are free again.
    editor
        .ask("gatewatch/debugSpin", json!({"ms": 1}))
        .await
        .unwrap();
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands() {
    let folder = project(&[("a.py", "x = 1\n")]);
    let (mut editor, offered) = Editor::start(plain(), &[folder.path()]).await;
    assert_eq!(
        offered["executeCommandProvider"]["commands"],
        json!(["gatewatch.restartAnalysis", "gatewatch.showMemory"])
    );
    let file = uri(&folder.path().join("a.py"));
    editor.open(&file, 7, "x = 1\n").await;
    editor.settled(&file, 7).await;
    let memory = editor
        .ask(
            "workspace/executeCommand",
            json!({"command": "gatewatch.showMemory"}),
        )
        .await
        .unwrap();
    assert!(
        memory
            .as_str()
            .unwrap()
            .contains("1 folders, 1 files, 1 open documents"),
        "{memory}"
    );
    let error = editor
        .ask("workspace/executeCommand", json!({"command": "rm"}))
        .await
        .unwrap_err();
    assert_eq!(error["code"], -32602);
    for _ in 0..3 {
        editor
            .ask(
                "workspace/executeCommand",
                json!({"command": "gatewatch.restartAnalysis"}),
            )
            .await
            .unwrap();
    }
    editor.change(&file, 8, Value::Null, "x = 3\n").await;
    editor.settled(&file, 8).await;
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_can_be_cancelled_and_the_analysis_started_again() {
    let folder = project(&[("a.py", "x = 1\n")]);
    let mut capabilities = plain();
    capabilities["window"] = json!({"workDoneProgress": true});
    let (mut editor, _) = Editor::start(capabilities, &[folder.path()]).await;
    let token = editor.expect("window/workDoneProgress/create").await["token"].clone();
    let mut kinds = Vec::new();
    while kinds.last().is_none_or(|kind| kind != "end") {
        kinds.push(editor.expect("$/progress").await["value"]["kind"].clone());
    }
    assert_eq!(kinds[0], "begin");
    // Too late, or for something else: nothing happens.
    editor
        .tell("window/workDoneProgress/cancel", json!({"token": token}))
        .await;
    editor
        .tell("window/workDoneProgress/cancel", json!({"token": 17}))
        .await;
    editor
        .ask("gatewatch/debugSpin", json!({"ms": 0}))
        .await
        .unwrap();
    editor.end().await;
}
