//! Findings as they come up while code is typed.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Editor, commit, git, plain, project, range, uri, write};

const DEPS: &str = "\
from fastapi import Depends, HTTPException
from fastapi.security import OAuth2PasswordBearer

oauth2 = OAuth2PasswordBearer(tokenUrl=\"token\")


def current_user(token: str = Depends(oauth2)):
    user = lookup(token)
    if user is None:
        raise HTTPException(status_code=401)
    return user
";

const ITEMS: &str = "\
from fastapi import Depends, FastAPI

from app.deps import current_user

app = FastAPI()


@app.get(\"/items/{item_id}\")
def read_item(item_id: int, user=Depends(current_user)):
    return db.get(item_id)


@app.delete(\"/items/{item_id}\")
def delete_item(item_id: int, user=Depends(current_user)):
    db.delete(item_id)
";

fn shop() -> TempDir {
    project(&[
        ("app/__init__.py", ""),
        ("app/deps.py", DEPS),
        ("app/items.py", ITEMS),
    ])
}

/// Where the guard of `delete_item` stands.
fn guard() -> Value {
    range((13, 30), (13, 56))
}

fn codes(said: &[Value]) -> Vec<&str> {
    said.iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guard_that_is_deleted_and_put_back() {
    let folder = shop();
    let (mut editor, _) = Editor::start(plain(), &[folder.path()]).await;
    let file = uri(&folder.path().join("app/items.py"));
    editor.open(&file, 1, ITEMS).await;
    assert_eq!(editor.settled(&file, 1).await, Vec::<Value>::new());
    editor.change(&file, 2, guard(), "").await;
    let said = editor.settled(&file, 2).await;
    assert_eq!(codes(&said), ["authentication-removed"], "{said:#?}");
    let finding = &said[0];
    assert_eq!(
        (&finding["source"], &finding["severity"]),
        (&json!("gatewatch"), &json!(1))
    );
    assert_eq!(finding["range"]["start"]["line"], 13, "{finding:#?}");
    assert!(finding["data"].is_string());
    assert!(
        finding["message"]
            .as_str()
            .unwrap()
            .contains("DELETE /items/{item_id}"),
        "{finding:#?}"
    );
    let related = finding["relatedInformation"].as_array().unwrap();
    assert!(
        related.iter().all(|place| place["location"]["uri"]
            .as_str()
            .unwrap()
            .starts_with("file:///")),
        "{related:#?}"
    );
    editor.change(&file, 3, Value::Null, ITEMS).await;
    assert_eq!(editor.settled(&file, 3).await, Vec::<Value>::new());
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fix_clears_its_finding() {
    let folder = shop();
    let (mut editor, _) = Editor::start(plain(), &[folder.path()]).await;
    let file = uri(&folder.path().join("app/items.py"));
    editor.open(&file, 1, ITEMS).await;
    editor.change(&file, 2, guard(), "").await;
    editor.settled(&file, 2).await;
    // What clears it, by the place alone.
    let asked = json!({"textDocument": {"uri": file}, "range": range((13, 5), (13, 5)), "context": {"diagnostics": []}});
    let actions = editor
        .ask("textDocument/codeAction", asked.clone())
        .await
        .unwrap();
    let action = &actions[0];
    assert_eq!(action["kind"], "quickfix", "{actions:#?}");
    assert_eq!(action["isPreferred"], true, "{actions:#?}");
    assert_eq!(action["diagnostics"][0]["code"], "authentication-removed");
    let edits = action["edit"]["changes"][&file].as_array().unwrap().clone();
    let edits: Vec<Value> = edits
        .into_iter()
        .map(|edit| json!({"range": edit["range"], "text": edit["newText"]}))
        .collect();
    let elsewhere = json!({"textDocument": {"uri": file}, "range": range((0, 0), (0, 0)), "context": {"diagnostics": []}});
    assert_eq!(
        editor.ask("textDocument/codeAction", elsewhere).await,
        Ok(json!([]))
    );
    let mut refactor = asked;
    refactor["context"]["only"] = json!(["refactor"]);
    assert_eq!(
        editor.ask("textDocument/codeAction", refactor).await,
        Ok(Value::Null)
    );
    // Later edits first, so that none moves another.
    let mut edits = edits;
    edits.sort_by_key(|edit| {
        std::cmp::Reverse((
            edit["range"]["start"]["line"].as_u64(),
            edit["range"]["start"]["character"].as_u64(),
        ))
    });
    editor
        .tell(
            "textDocument/didChange",
            json!({"textDocument": {"uri": file, "version": 3}, "contentChanges": edits}),
        )
        .await;
    assert_eq!(editor.settled(&file, 3).await, Vec::<Value>::new());
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_in_one_file_is_said_in_another_and_taken_back() {
    let folder = shop();
    let (mut editor, _) = Editor::start(plain(), &[folder.path()]).await;
    let deps = uri(&folder.path().join("app/deps.py"));
    editor.open(&deps, 1, DEPS).await;
    editor.settled(&deps, 1).await;
    // The guard denies nobody any more.
    editor
        .change(&deps, 2, range((8, 4), (9, 44)), "pass")
        .await;
    let mut said = editor.settled(&deps, 2).await;
    let others = editor.drain("textDocument/publishDiagnostics").await;
    said.extend(
        others
            .iter()
            .flat_map(|set| set["diagnostics"].as_array().unwrap().clone()),
    );
    assert!(!said.is_empty());
    // Closed without having been saved: the disk's text holds again.
    editor.close(&deps).await;
    let mut left = said.len();
    while left > 0 {
        let set = editor.expect("textDocument/publishDiagnostics").await;
        assert_eq!(set["diagnostics"], json!([]));
        left = if others.iter().any(|other| other["uri"] != set["uri"]) {
            left - 1
        } else {
            0
        };
    }
    editor.drain("textDocument/publishDiagnostics").await;
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_makes_the_change_the_baseline() {
    let folder = shop();
    let (mut editor, _) = Editor::start(plain(), &[folder.path()]).await;
    let path = folder.path().join("app/items.py");
    let file = uri(&path);
    let changed = ITEMS.replace(
        "def delete_item(item_id: int, user=Depends(current_user))",
        "def delete_item(item_id: int)",
    );
    editor.open(&file, 1, &changed).await;
    assert_eq!(
        codes(&editor.settled(&file, 1).await),
        ["authentication-removed"]
    );
    write(folder.path(), &[("app/items.py", &changed)]);
    commit(folder.path());
    editor
        .tell(
            "textDocument/didSave",
            json!({"textDocument": {"uri": file}}),
        )
        .await;
    assert_eq!(editor.settled(&file, 1).await, Vec::<Value>::new());
    // And back: the branch point is what the default branch has.
    git(
        folder.path(),
        &["checkout", "--quiet", "-b", "topic", "HEAD~1"],
    );
    editor
        .tell(
            "textDocument/didSave",
            json!({"textDocument": {"uri": file}}),
        )
        .await;
    assert_eq!(
        codes(&editor.settled(&file, 1).await),
        ["authentication-removed"]
    );
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn severities_of_the_project_and_of_the_editor() {
    let folder = shop();
    write(
        folder.path(),
        &[(
            "gatewatch.toml",
            "[severity]\nauthentication-removed = \"warning\"\n",
        )],
    );
    let (mut editor, _) = Editor::start(plain(), &[folder.path()]).await;
    let file = uri(&folder.path().join("app/items.py"));
    editor.open(&file, 1, ITEMS).await;
    editor.change(&file, 2, guard(), "").await;
    assert_eq!(editor.settled(&file, 2).await[0]["severity"], 2);
    let settings =
        json!({"settings": {"gatewatch": {"severity": {"authentication-removed": "off"}}}});
    editor
        .tell("workspace/didChangeConfiguration", settings)
        .await;
    assert_eq!(editor.settled(&file, 2).await, Vec::<Value>::new());
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pulled_diagnostics_hovers_lenses_symbols_and_definitions() {
    let folder = shop();
    let capabilities = json!({
        "general": {"positionEncodings": ["utf-8"]},
        "textDocument": {
            "diagnostic": {}, "codeLens": {}, "hover": {"contentFormat": ["markdown"]},
            "documentSymbol": {"hierarchicalDocumentSymbolSupport": true},
        },
        "workspace": {"workspaceEdit": {"documentChanges": true}},
    });
    let (mut editor, _) = Editor::start(capabilities, &[folder.path()]).await;
    let file = uri(&folder.path().join("app/items.py"));
    editor.open(&file, 1, ITEMS).await;
    editor.change(&file, 2, guard(), "").await;
    let document = json!({"textDocument": {"uri": file}});
    let report = editor
        .ask("textDocument/diagnostic", document.clone())
        .await
        .unwrap();
    assert_eq!(
        codes(report["items"].as_array().unwrap()),
        ["authentication-removed"]
    );
    let lenses = editor
        .ask("textDocument/codeLens", document.clone())
        .await
        .unwrap();
    let titles: Vec<&str> = lenses
        .as_array()
        .unwrap()
        .iter()
        .map(|lens| lens["command"]["title"].as_str().unwrap())
        .collect();
    assert!(
        titles.len() == 2
            && titles[0].starts_with("GET /items/{item_id}")
            && titles[0].contains("current_user"),
        "{titles:?}"
    );
    let symbols = editor
        .ask("textDocument/documentSymbol", document.clone())
        .await
        .unwrap();
    assert_eq!(
        (&symbols[0]["name"], &symbols[1]["name"]),
        (
            &json!("GET /items/{item_id}"),
            &json!("DELETE /items/{item_id}")
        )
    );
    let found = editor
        .ask("workspace/symbol", json!({"query": "delete ITEMS"}))
        .await
        .unwrap();
    assert_eq!(found.as_array().unwrap().len(), 1, "{found:#?}");
    assert_eq!(found[0]["location"]["uri"], file);
    let at = |line: u32, character: u32| json!({"textDocument": {"uri": file}, "position": {"line": line, "character": character}});
    let hover = editor.ask("textDocument/hover", at(8, 6)).await.unwrap();
    assert_eq!(hover["contents"]["kind"], "markdown");
    assert!(
        hover["contents"]["value"]
            .as_str()
            .unwrap()
            .contains("current_user"),
        "{hover:#?}"
    );
    let guards = editor
        .ask("textDocument/definition", at(8, 6))
        .await
        .unwrap();
    assert_eq!(
        guards[0]["uri"],
        uri(&folder.path().join("app/deps.py")),
        "{guards:#?}"
    );
    assert_eq!(
        guards[0]["range"]["start"],
        json!({"line": 6, "character": 4})
    );
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_file_has_its_baseline_too() {
    // What a file imports is not known here, so it has its guard itself.
    let whole = format!(
        "{DEPS}\n\n{}",
        ITEMS.replace("from app.deps import current_user\n", "")
    );
    let folder = project(&[("items.py", &whole)]);
    let (mut editor, _) = Editor::start(plain(), &[]).await;
    // Spelled as some editors do, and answered in the same spelling.
    let file = uri(&folder.path().join("items.py")).replace("items.py", "%69tems.py");
    editor.open(&file, 1, &whole).await;
    assert_eq!(editor.settled(&file, 1).await, Vec::<Value>::new());
    let gone = whole.replace(
        "def delete_item(item_id: int, user=Depends(current_user))",
        "def delete_item(item_id: int)",
    );
    editor.change(&file, 2, Value::Null, &gone).await;
    let said = editor.settled(&file, 2).await;
    assert_eq!(codes(&said), ["authentication-removed"], "{said:#?}");
    editor.close(&file).await;
    let set = editor.expect("textDocument/publishDiagnostics").await;
    assert_eq!(
        (&set["uri"], &set["diagnostics"]),
        (&json!(file), &json!([]))
    );
    editor.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fix_names_the_version_that_it_is_for() {
    let folder = shop();
    let mut capabilities = plain();
    capabilities["workspace"] = json!({"workspaceEdit": {"documentChanges": true}});
    let (mut editor, _) = Editor::start(capabilities, &[folder.path()]).await;
    let file = uri(&folder.path().join("app/items.py"));
    editor.open(&file, 1, ITEMS).await;
    editor.change(&file, 2, guard(), "").await;
    editor.settled(&file, 2).await;
    let asked = json!({"textDocument": {"uri": file}, "range": range((13, 0), (13, 0)), "context": {"diagnostics": []}});
    let actions = editor.ask("textDocument/codeAction", asked).await.unwrap();
    assert_eq!(
        actions[0]["edit"]["documentChanges"][0]["textDocument"],
        json!({"uri": file, "version": 2})
    );
    editor.end().await;
}
