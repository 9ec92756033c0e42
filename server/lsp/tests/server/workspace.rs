//! Folders, their settings and their files.

use serde_json::{Value, json};

use crate::harness::{Editor, commit, plain, project, uri, write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_configuration_is_a_diagnostic_in_it_until_it_is_mended() {
    let folder = project(&[
        ("a.py", "x = 1\n"),
        ("gatewatch.toml", "[scope]\nexclud = []\n"),
    ]);
    let (mut editor, _) = Editor::start(plain(), &[folder.path()]).await;
    let config = uri(&folder.path().join("gatewatch.toml"));
    let said = editor.expect("textDocument/publishDiagnostics").await;
    assert_eq!(said["uri"], config);
    assert_eq!(said["diagnostics"][0]["code"], "configuration-invalid");
    assert_eq!(
        said["diagnostics"][0]["range"]["start"],
        json!({"line": 1, "character": 0})
    );
    write(
        folder.path(),
        &[("gatewatch.toml", "[scope]\nexclude = []\n")],
    );
    editor
        .tell(
            "workspace/didChangeWatchedFiles",
            json!({"changes": [{"uri": config, "type": 2}]}),
        )
        .await;
    let said = editor.expect("textDocument/publishDiagnostics").await;
    assert_eq!(
        (&said["uri"], &said["diagnostics"]),
        (&json!(config), &json!([]))
    );
    // Editors without watchers: by its saving.
    write(
        folder.path(),
        &[("gatewatch.toml", "[severity]\nx = \"off\"\n")],
    );
    editor.open(&config, 1, "").await;
    editor
        .tell(
            "textDocument/didSave",
            json!({"textDocument": {"uri": config}}),
        )
        .await;
    let said = editor.expect("textDocument/publishDiagnostics").await;
    assert_eq!(said["diagnostics"].as_array().unwrap().len(), 1);
    editor.close(&config).await;
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_editors_settings_are_asked_for_and_wrong_ones_named() {
    let folder = project(&[("a.py", "x = 1\n")]);
    let mut capabilities = plain();
    capabilities["workspace"] = json!({"configuration": true});
    let mut editor = Editor::new();
    editor.settings = json!({"baseline": 3, "exclude": ["gen/"]});
    editor
        .initialize(capabilities, &[folder.path()], json!({"codeLens": "yes"}))
        .await;
    editor.expect_log("`gatewatch.codeLens` can't be").await;
    let asked = editor.expect("workspace/configuration").await;
    assert_eq!(asked["items"][0]["section"], "gatewatch");
    editor.expect_log("`gatewatch.baseline` can't be `3`").await;
    editor
        .tell(
            "workspace/didChangeConfiguration",
            json!({"settings": null}),
        )
        .await;
    editor.expect("workspace/configuration").await;
    editor.expect_log("`gatewatch.baseline` can't be `3`").await;
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_baseline_that_can_not_be_had_is_said_aloud_once() {
    let folder = project(&[
        ("a.py", "x = 1\n"),
        ("gatewatch.toml", "[baseline]\nrev = \"no-such\"\n"),
    ]);
    let (mut editor, _) = Editor::start(plain(), &[folder.path()]).await;
    let said = editor.expect("window/showMessage").await;
    assert!(
        said["message"].as_str().unwrap().contains("no-such"),
        "{said}"
    );
    let file = uri(&folder.path().join("a.py"));
    editor.open(&file, 1, "x = 1\n").await;
    editor.settled(&file, 1).await;
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_without_a_folder_is_looked_at_by_itself() {
    let folder = project(&[("a.py", "x = 1\n"), ("b.py", "y = 1\n")]);
    let (mut editor, _) = Editor::start(plain(), &[]).await;
    let file = uri(&folder.path().join("a.py"));
    editor.open(&file, 1, "x = 1\n").await;
    editor.settled(&file, 1).await;
    let memory = editor
        .ask(
            "workspace/executeCommand",
            json!({"command": "gatewatch.showMemory"}),
        )
        .await
        .unwrap();
    assert!(
        memory.as_str().unwrap().contains("1 folders, 1 files"),
        "{memory}"
    );
    editor.close(&file).await;
    let memory = editor
        .ask(
            "workspace/executeCommand",
            json!({"command": "gatewatch.showMemory"}),
        )
        .await
        .unwrap();
    assert!(
        memory.as_str().unwrap().contains("0 folders, 0 files"),
        "{memory}"
    );
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn folders_come_and_go_and_the_deepest_has_the_file() {
    let folder = project(&[
        ("a.py", "x = 1\n"),
        ("in/b.py", "y = 1\n"),
        ("in/c.py", "z = 1\n"),
    ]);
    let inner = folder.path().join("in");
    let (mut editor, _) = Editor::start(plain(), &[folder.path(), &inner]).await;
    editor
        .ask("gatewatch/debugSpin", json!({"ms": 0}))
        .await
        .unwrap();
    // The outer folder is read again without what the inner one has.
    files(&mut editor, 3).await;
    let file = uri(&inner.join("b.py"));
    editor.open(&file, 1, "y = 2\n").await;
    editor.settled(&file, 1).await;
    let change =
        |added: Value, removed: Value| json!({"event": {"added": added, "removed": removed}});
    let it = json!([{"uri": uri(&inner), "name": "in"}]);
    editor
        .tell(
            "workspace/didChangeWorkspaceFolders",
            change(json!([]), it.clone()),
        )
        .await;
    editor.settled(&file, 1).await;
    editor
        .tell(
            "workspace/didChangeWorkspaceFolders",
            change(it, json!([{"uri": uri(folder.path()), "name": "it"}])),
        )
        .await;
    editor.settled(&file, 1).await;
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_change_on_disk_and_a_baseline_that_moves() {
    let folder = project(&[("a.py", "x = 1\n")]);
    let (mut editor, _) = Editor::start(plain(), &[folder.path()]).await;
    let file = uri(&folder.path().join("a.py"));
    editor.open(&file, 1, "x = 1\n").await;
    editor.settled(&file, 1).await;
    write(
        folder.path(),
        &[
            ("b.py", "y = 1\n"),
            (".gitignore", "gen.py\n"),
            ("gen.py", "z = 1\n"),
        ],
    );
    let changed =
        |name: &str, kind: i32| json!({"uri": uri(&folder.path().join(name)), "type": kind});
    editor
        .tell(
            "workspace/didChangeWatchedFiles",
            json!({"changes": [changed("b.py", 1), changed("gen.py", 1), changed("x.md", 1)]}),
        )
        .await;
    files(&mut editor, 2).await;
    std::fs::remove_file(folder.path().join("b.py")).unwrap();
    editor
        .tell(
            "workspace/didChangeWatchedFiles",
            json!({"changes": [changed("b.py", 3)]}),
        )
        .await;
    files(&mut editor, 1).await;
    // A commit with another file, seen when the document is saved.
    write(folder.path(), &[("c.py", "y = 1\n")]);
    commit(folder.path());
    editor
        .tell(
            "textDocument/didSave",
            json!({"textDocument": {"uri": file}}),
        )
        .await;
    files(&mut editor, 2).await;
    editor.drain("textDocument/publishDiagnostics").await;
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_gitignore_names_is_not_analysed_and_a_new_one_is() {
    let folder = project(&[("a.py", "x = 1\n"), (".gitignore", "gen.py\n")]);
    write(folder.path(), &[("gen.py", "z = 1\n")]);
    let (mut editor, _) = Editor::start(plain(), &[folder.path()]).await;
    editor
        .ask("gatewatch/debugSpin", json!({"ms": 0}))
        .await
        .unwrap();
    let file = |name: &str| uri(&folder.path().join(name));
    editor.open(&file("gen.py"), 1, "z = 2\n").await;
    editor.open(&file("new.py"), 1, "x = 1\n").await;
    editor.settled(&file("new.py"), 1).await;
    files(&mut editor, 2).await;
    // On disk, but not seen so far.
    write(folder.path(), &[("late.py", "x = 1\n")]);
    editor.open(&file("late.py"), 1, "x = 2\n").await;
    files(&mut editor, 3).await;
    // A folder that is deleted, of which the editor tells no more than that.
    write(folder.path(), &[("in/b.py", ""), ("in/c.py", "")]);
    let changed = |name: &str, kind: i32| json!({"changes": [{"uri": file(name), "type": kind}]});
    editor
        .tell("workspace/didChangeWatchedFiles", changed("in/b.py", 1))
        .await;
    files(&mut editor, 5).await;
    std::fs::remove_dir_all(folder.path().join("in")).unwrap();
    editor
        .tell("workspace/didChangeWatchedFiles", changed("in", 3))
        .await;
    files(&mut editor, 3).await;
    editor.drain("textDocument/publishDiagnostics").await;
    editor.end().await;
}

/// Waits until the server has so many files.
async fn files(editor: &mut Editor, files: usize) {
    let text = format!(" {files} files");
    for _ in 0..200 {
        let command = json!({"command": "gatewatch.showMemory"});
        let said = editor.ask("workspace/executeCommand", command).await;
        if said.unwrap().as_str().unwrap().contains(&text) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("there are never {text}");
}
