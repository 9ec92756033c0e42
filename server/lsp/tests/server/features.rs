//! What is offered besides diagnostics, by what the editor can do.

use serde_json::{Value, json};

use crate::harness::{Editor, plain, project, uri};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn diagnostics_are_pushed_or_pulled_and_never_both() {
    let folder = project(&[("a.py", "x = 1\n")]);
    let file = uri(&folder.path().join("a.py"));
    let pull = json!({"textDocument": {"uri": file}});
    // An editor that only pulls.
    let (mut editor, offered) = Editor::start(
        json!({"textDocument": {"diagnostic": {}}}),
        &[folder.path()],
    )
    .await;
    assert_eq!(offered["diagnosticProvider"]["interFileDependencies"], true);
    editor.open(&file, 1, "x = 1\n").await;
    let report = editor
        .ask("textDocument/diagnostic", pull.clone())
        .await
        .unwrap();
    assert_eq!(report, json!({"kind": "full", "items": []}));
    editor.end().await;
    // One that takes what is pushed, and asks nevertheless.
    let mut capabilities = plain();
    capabilities["textDocument"]["diagnostic"] = json!({});
    let (mut editor, offered) = Editor::start(capabilities, &[folder.path()]).await;
    assert_eq!(offered.get("diagnosticProvider"), None);
    editor.open(&file, 1, "x = 1\n").await;
    editor.settled(&file, 1).await;
    editor.ask("textDocument/diagnostic", pull).await.unwrap();
    editor.change(&file, 2, Value::Null, "x = 2\n").await;
    editor
        .ask("gatewatch/debugSpin", json!({"ms": 20}))
        .await
        .unwrap();
    assert_eq!(
        editor.drain("textDocument/publishDiagnostics").await,
        Vec::<Value>::new()
    );
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_are_asked_for_where_there_are_any() {
    let folder = project(&[("a.py", "x = 1\n")]);
    let mut capabilities = plain();
    capabilities["workspace"] = json!({"didChangeWatchedFiles": {"dynamicRegistration": true, "relativePatternSupport": true}});
    let (mut editor, _) = Editor::start(capabilities, &[folder.path()]).await;
    let asked = editor.expect("client/registerCapability").await;
    let watchers = asked["registrations"][0]["registerOptions"]["watchers"]
        .as_array()
        .unwrap();
    assert_eq!(watchers[0]["globPattern"]["baseUri"], uri(folder.path()));
    assert!(
        watchers
            .iter()
            .all(|watcher| watcher["globPattern"]["pattern"] != "**/*")
    );
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_wait_for_the_first_reading() {
    let folder = project(&[("a.py", "x = 1\n")]);
    let mut capabilities = plain();
    capabilities["textDocument"]["codeLens"] = json!({});
    capabilities["textDocument"]["inlayHint"] = json!({});
    let (mut editor, offered) = Editor::start(capabilities, &[folder.path()]).await;
    assert!(
        offered.get("codeLensProvider").is_some() && offered.get("inlayHintProvider").is_some()
    );
    let file = uri(&folder.path().join("a.py"));
    let document = json!({"textDocument": {"uri": file}});
    assert_eq!(
        editor.ask("textDocument/codeLens", document.clone()).await,
        Ok(json!([]))
    );
    assert_eq!(
        editor
            .ask("textDocument/documentSymbol", document.clone())
            .await,
        Ok(json!([]))
    );
    assert_eq!(
        editor
            .ask("workspace/symbol", json!({"query": "get"}))
            .await,
        Ok(json!([]))
    );
    // Lenses are shown, so hints are not.
    let hints =
        json!({"textDocument": {"uri": file}, "range": crate::harness::range((0, 0), (9, 0))});
    assert_eq!(
        editor.ask("textDocument/inlayHint", hints).await,
        Ok(Value::Null)
    );
    editor.end().await;
}
