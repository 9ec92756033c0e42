//! What nobody wants to meet: files, folders, repositories and texts that are broken, huge or gone. Each is
//! named, and the rest goes on.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Editor, git, plain, project, uri, write};

const APP: &str = "\
from fastapi import Depends, FastAPI, HTTPException, Request


def member(request: Request):
    user = users.find(request.headers.get(\"Authorization\"))
    if user is None:
        raise HTTPException(status_code=401)
    return user


app = FastAPI()


@app.delete(\"/items/{item_id}\")
def delete_item(item_id: int, user=Depends(member)):
    db.delete(item_id)
";

/// The project's own file, opened; then the guard goes and is put back.
async fn goes_on(editor: &mut Editor, root: &Path, baseline: bool) {
    let file = uri(&root.join("app.py"));
    editor.open(&file, 1, APP).await;
    editor.settled(&file, 1).await;
    let open = APP.replace(", user=Depends(member)", "");
    editor.change(&file, 2, Value::Null, &open).await;
    let said = editor.settled(&file, 2).await;
    assert_eq!(said.len(), usize::from(baseline), "{said:#?}");
    editor.change(&file, 3, Value::Null, APP).await;
    assert_eq!(editor.settled(&file, 3).await, Vec::<Value>::new());
    editor.close(&file).await;
}

fn app() -> TempDir {
    project(&[("app.py", APP)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_can_not_be_read_are_named() {
    let folder = app();
    std::fs::write(folder.path().join("latin.py"), b"name = '\xe4'\n").unwrap();
    let huge = std::fs::File::create(folder.path().join("huge.py")).unwrap();
    huge.set_len(50 << 20).unwrap();
    let (mut editor, _) = Editor::start(plain(), &[folder.path()]).await;
    editor.expect_log("`huge.py` was not read").await;
    editor.expect_log("`latin.py` was not read").await;
    goes_on(&mut editor, folder.path(), true).await;
    // Opened, it is no smaller.
    let huge = uri(&folder.path().join("huge.py"));
    editor.open(&huge, 1, &"#".repeat(50 << 20)).await;
    editor.expect_log("over the limit").await;
    editor.close(&huge).await;
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nesting_without_an_end() {
    const DEPTH: usize = 10_000;
    let nested =
        |open: &str, close: &str| format!("x = {}1{}\n", open.repeat(DEPTH), close.repeat(DEPTH));
    let blocks: String = (0..400)
        .map(|depth| format!("{}if x:\n", " ".repeat(depth)))
        .collect();
    let folder = app();
    let texts = [
        ("brackets.py", nested("(", ")")),
        ("lists.py", nested("[", "]")),
        ("minus.py", nested("-", "")),
        ("calls.py", nested("f(", ")")),
        ("blocks.py", format!("{blocks}{}pass\n", " ".repeat(400))),
        ("chain.py", format!("x = a{}\n", ".b()".repeat(DEPTH))),
        ("objects.ts", nested("{a:", "}").replace("x =", "const x =")),
        (
            "arrows.ts",
            nested("() => ", "").replace("x =", "const x ="),
        ),
        ("jsx.tsx", nested("<a>", "</a>").replace("x =", "const x =")),
        ("rust.rs", format!("fn f() {{ {} }}\n", nested("{", "}"))),
        (
            "types.rs",
            format!("type A = {}u8{};\n", "V<".repeat(DEPTH), ">".repeat(DEPTH)),
        ),
        ("macros.rs", format!("m!{{ {} }}\n", nested("(", ")"))),
        ("unclosed.py", "(".repeat(DEPTH)),
        ("unclosed.ts", "f({[".repeat(DEPTH)),
        ("unclosed.rs", "fn f() { (".repeat(DEPTH)),
    ];
    for (name, text) in &texts {
        write(folder.path(), &[(*name, text.as_str())]);
    }
    let (mut editor, _) = Editor::start(plain(), &[folder.path()]).await;
    goes_on(&mut editor, folder.path(), true).await;
    for (name, text) in &texts {
        let file = uri(&folder.path().join(name));
        editor.open(&file, 1, text).await;
        editor
            .change(
                &file,
                2,
                json!({"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}),
                "\n",
            )
            .await;
        editor.settled(&file, 2).await;
    }
    goes_on(&mut editor, folder.path(), true).await;
    editor.unexpected();
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_vanishes_while_it_is_read() {
    let folder = app();
    let gone = app();
    for number in 0..300 {
        write(gone.path(), &[(&format!("a{number}/b.py"), "x = 1\n")]);
    }
    let root = gone.path().to_owned();
    let (mut editor, _) = Editor::start(plain(), &[&root, folder.path()]).await;
    drop(gone);
    goes_on(&mut editor, folder.path(), true).await;
    // Asked about what is not there any more.
    let file = uri(&root.join("app.py"));
    editor.open(&file, 1, APP).await;
    editor.settled(&file, 1).await;
    editor.close(&file).await;
    editor
        .ask(
            "workspace/executeCommand",
            json!({"command": "gatewatch.restartAnalysis"}),
        )
        .await
        .unwrap();
    editor
        .expect_log(&format!(
            "{} was not read: there is no such",
            root.display()
        ))
        .await;
    goes_on(&mut editor, folder.path(), true).await;
    editor.unexpected();
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repository_without_a_commit_and_a_head_that_is_on_no_branch() {
    let empty = tempfile::tempdir().unwrap();
    write(empty.path(), &[("app.py", APP)]);
    git(empty.path(), &["init", "--quiet", "--initial-branch=main"]);
    let detached = app();
    git(detached.path(), &["checkout", "--quiet", "--detach"]);
    let (mut editor, _) = Editor::start(plain(), &[empty.path(), detached.path()]).await;
    goes_on(&mut editor, detached.path(), true).await;
    goes_on(&mut editor, empty.path(), false).await;
    editor.end().await;
}

/// Every module gives on all names of every other: a name that none of them has is asked for along all ways there are.
#[tokio::test(flavor = "multi_thread")]
async fn modules_that_give_each_other_on() {
    let folder = app();
    let names: Vec<String> = (0..16).map(|n| format!("m{n}")).collect();
    let all =
        |line: &dyn Fn(&str) -> String| names.iter().map(|name| line(name)).collect::<String>();
    let rust = all(&|name| format!("pub use super::{name}::*;\n"));
    let script = all(&|name| format!("export * from './{name}';\n"));
    let python = all(&|name| format!("from .{name} import *\n"));
    for name in &names {
        let file = |ext: &str| format!("ring/{name}.{ext}");
        write(
            folder.path(),
            &[
                (&file("rs"), &format!("{rust}static A: B = missing();\n")),
                (
                    &file("ts"),
                    &format!("import {{ missing }} from './m0';\n{script}missing();\n"),
                ),
                (&file("py"), &format!("{python}missing()\n")),
            ],
        );
    }
    let mods = all(&|name| format!("mod {name};\n"));
    write(
        folder.path(),
        &[("ring/mod.rs", mods.as_str()), ("ring/__init__.py", "")],
    );
    let (mut editor, _) = Editor::start(plain(), &[folder.path()]).await;
    goes_on(&mut editor, folder.path(), true).await;
    editor.unexpected();
    editor.end().await;
}
