//! Open documents: edits in order, and editors that get it wrong.

use serde_json::{Value, json};

use crate::harness::{Editor, plain, project, range, uri};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_edits_with_requests_in_between_settle_at_the_last() {
    let folder = project(&[("a.py", "x = 1\n")]);
    let (mut editor, _) = Editor::start(plain(), &[folder.path()]).await;
    let file = uri(&folder.path().join("a.py"));
    editor.open(&file, 0, "").await;
    let start = std::time::Instant::now();
    let mut asked = Vec::new();
    for version in 1..=3000 {
        let column = (version - 1) as u32;
        editor
            .change(&file, version, range((0, column), (0, column)), "x")
            .await;
        if version % 100 == 0 {
            let at =
                json!({"textDocument": {"uri": file}, "position": {"line": 0, "character": 1}});
            asked.push((editor.request("textDocument/hover", at).await, false));
            let slow = editor
                .request(
                    "gatewatch/debugSpin",
                    json!({"ms": if version % 200 == 0 { 60_000 } else { 1 }}),
                )
                .await;
            if version % 200 == 0 {
                editor.tell("$/cancelRequest", json!({"id": slow})).await;
            }
            asked.push((slow, version % 200 == 0));
        }
    }
    for (id, cancelled) in asked {
        match editor.answer(id).await {
            Ok(_) => assert!(!cancelled),
            Err(error) => assert!(cancelled && error["code"] == -32800, "{error}"),
        }
    }
    let mut last = -1;
    while last < 3000 {
        let params = editor.expect("textDocument/publishDiagnostics").await;
        let version = params["version"].as_i64().unwrap();
        assert!(version > last, "{version} after {last}");
        last = version;
    }
    println!("settled after {:?}", start.elapsed());
    assert_eq!(
        editor.drain("textDocument/publishDiagnostics").await,
        Vec::<Value>::new()
    );
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_outdates_what_is_computed_and_the_answer_is_of_the_new_text() {
    let folder = project(&[("a.py", "x = 1\n")]);
    let (mut editor, _) = Editor::start(plain(), &[folder.path()]).await;
    let file = uri(&folder.path().join("a.py"));
    editor.open(&file, 1, "x = 1\n").await;
    editor.settled(&file, 1).await;
    let start = std::time::Instant::now();
    let slow = editor
        .request("gatewatch/debugSpin", json!({"ms": 300}))
        .await;
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    editor.change(&file, 2, Value::Null, "x = 2\n").await;
    editor.settled(&file, 2).await;
    assert!(
        start.elapsed().as_millis() < 250,
        "the edit waited for a request: {:?}",
        start.elapsed()
    );
    assert_eq!(editor.answer(slow).await.unwrap(), true);
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn editors_that_get_it_wrong() {
    let folder = project(&[("a.py", "x = 1\n")]);
    let (mut editor, _) = Editor::start(plain(), &[folder.path()]).await;
    let file = uri(&folder.path().join("a.py"));
    // Never opened.
    editor.change(&file, 1, Value::Null, "x").await;
    editor
        .expect_log("without having been opened; the change")
        .await;
    editor.close(&file).await;
    editor.expect_log("closed without").await;
    editor
        .tell(
            "textDocument/didSave",
            json!({"textDocument": {"uri": file}}),
        )
        .await;
    // Opened twice, with versions that go up and down, and ranges past the end or backwards.
    editor.open(&file, 1, "x = 1\n").await;
    editor.settled(&file, 1).await;
    editor.open(&file, 5, "ab\ncd").await;
    editor.expect_log("opened twice").await;
    editor.settled(&file, 5).await;
    editor.change(&file, 9, range((7, 0), (900, 3)), "!").await;
    editor
        .expect_log("reaches to line 901, but there are 2")
        .await;
    editor.settled(&file, 9).await;
    editor.change(&file, 3, range((1, 9), (0, 1)), "").await;
    editor.expect_log("went from version 9 to 3").await;
    editor.settled(&file, 3).await;
    editor.change(&file, 3, Value::Null, "y = 1\n").await;
    // Not files, not on this machine, or of no language that is read.
    for strange in [
        "untitled:Untitled-1",
        "file://elsewhere/a.py",
        "vscode-notebook-cell:/a.py#1",
        "git:/a.py?x",
    ] {
        editor.open(strange, 1, "x = 1\n").await;
        editor.change(strange, 2, Value::Null, "x = 2\n").await;
        let at = json!({"textDocument": {"uri": strange}, "position": {"line": 0, "character": 1}});
        assert_eq!(editor.ask("textDocument/hover", at).await, Ok(Value::Null));
        editor.close(strange).await;
    }
    let readme = uri(&folder.path().join("README.md"));
    editor.open(&readme, 1, "x").await;
    editor.change(&readme, 2, range((0, 0), (4, 4)), "y").await;
    editor.close(&readme).await;
    // Nothing that can be parsed at all.
    editor
        .change(
            &file,
            10,
            Value::Null,
            "\u{0}\u{feff}def (((((\r\r\n\t😀 class \u{2028}@",
        )
        .await;
    editor.settled(&file, 10).await;
    editor
        .change(&file, 11, range((1, 2), (1, 3)), &"(".repeat(5000))
        .await;
    editor.settled(&file, 11).await;
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_are_none() {
    let folder = project(&[("a.py", "x = 1\n")]);
    let (mut editor, _) = Editor::start(plain(), &[folder.path()]).await;
    editor
        .tell("textDocument/didOpen", json!({"textDocument": 3}))
        .await;
    editor.tell("textDocument/didChange", json!([])).await;
    editor.tell("$/setTrace", json!({"value": "off"})).await;
    editor.tell("$/unheardOf", json!({})).await;
    editor.tell("gatewatch/unheardOf", json!({})).await;
    assert_eq!(
        editor
            .ask("textDocument/unheardOf", json!({}))
            .await
            .unwrap_err()["code"],
        -32601
    );
    assert_eq!(
        editor
            .ask("textDocument/hover", json!({}))
            .await
            .unwrap_err()["code"],
        -32602
    );
    assert_eq!(
        editor
            .ask("initialize", json!({"capabilities": {}}))
            .await
            .unwrap_err()["code"],
        -32600
    );
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_far_too_large_is_left_alone() {
    let folder = project(&[("a.py", "x = 1\n")]);
    let (mut editor, _) = Editor::start(plain(), &[folder.path()]).await;
    let file = uri(&folder.path().join("a.py"));
    editor.open(&file, 1, &"x = 1\n".repeat(500_000)).await;
    editor.expect_log("over the limit").await;
    editor.change(&file, 2, range((0, 0), (0, 1)), "y").await;
    editor.close(&file).await;
    editor.end().await;
}
