//! An editor of few words: it speaks to the real service over a pair of pipes, and insists at its end that
//! everything the server said was expected.

use std::collections::VecDeque;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use gatewatch_lsp::{Ended, serve};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::task::JoinHandle;

/// What nothing takes on a machine that is only half as busy as this one may be.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Editor {
    to: DuplexStream,
    from: UnboundedReceiver<Value>,
    /// What was said and not yet expected.
    said: VecDeque<Value>,
    next: i64,
    pub(crate) served: JoinHandle<Ended>,
    /// What it answers when it is asked for its settings.
    pub(crate) settings: Value,
}

impl Editor {
    /// A session that is not initialized yet.
    pub(crate) fn new() -> Self {
        let (to, input) = tokio::io::duplex(1 << 20);
        let (output, from) = tokio::io::duplex(1 << 20);
        let (heard, messages) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut from = BufReader::new(from);
            while let Some(message) = read(&mut from).await {
                if heard.send(message).is_err() {
                    return;
                }
            }
        });
        let served = tokio::spawn(serve(input, output));
        Self {
            to,
            from: messages,
            said: VecDeque::new(),
            next: 0,
            served,
            settings: Value::Null,
        }
    }

    /// A session with these capabilities, in these folders.
    pub(crate) async fn start(capabilities: Value, folders: &[&Path]) -> (Self, Value) {
        let mut editor = Self::new();
        let answer = editor.initialize(capabilities, folders, Value::Null).await;
        (editor, answer)
    }

    pub(crate) async fn initialize(
        &mut self,
        capabilities: Value,
        folders: &[&Path],
        options: Value,
    ) -> Value {
        let folders: Vec<Value> = folders
            .iter()
            .map(|root| json!({"uri": uri(root), "name": "it"}))
            .collect();
        let params = json!({
            "processId": std::process::id(), "rootUri": null, "capabilities": capabilities,
            "workspaceFolders": if folders.is_empty() { Value::Null } else { folders.into() },
            "initializationOptions": options,
        });
        let answer = self.ask("initialize", params).await.unwrap();
        self.tell("initialized", json!({})).await;
        answer["capabilities"].clone()
    }

    pub(crate) async fn tell(&mut self, method: &str, params: Value) {
        self.write(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
            .await;
    }

    /// Asks and does not wait; the answer is to be taken by its number.
    pub(crate) async fn request(&mut self, method: &str, params: Value) -> i64 {
        self.next += 1;
        let id = self.next;
        let mut message = json!({"jsonrpc": "2.0", "id": id, "method": method});
        if !params.is_null() {
            message["params"] = params;
        }
        self.write(&message).await;
        id
    }

    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        let id = self.request(method, params).await;
        self.answer(id).await
    }

    pub(crate) async fn answer(&mut self, id: i64) -> Result<Value, Value> {
        let message = self
            .take(&format!("the answer to {id}"), |message| {
                message["id"] == id && message.get("method").is_none()
            })
            .await;
        match message.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(message["result"].clone()),
        }
    }

    /// Waits for a message of this kind and gives its parameters.
    pub(crate) async fn expect(&mut self, method: &str) -> Value {
        let message = self
            .take(method, |message| message["method"] == method)
            .await;
        message["params"].clone()
    }

    /// Waits for a line in the log that has this text.
    pub(crate) async fn expect_log(&mut self, text: &str) {
        self.take(text, |message| {
            message["method"] == "window/logMessage"
                && message["params"]["message"]
                    .as_str()
                    .unwrap()
                    .contains(text)
        })
        .await;
    }

    /// Waits until the diagnostics of a document are those of a version, and gives them.
    pub(crate) async fn settled(&mut self, uri: &str, version: i32) -> Vec<Value> {
        loop {
            let what = format!("diagnostics of {uri}, version {version}");
            let params = self.take(&what, |message| {
                message["method"] == "textDocument/publishDiagnostics"
                    && message["params"]["uri"] == uri
            });
            let params = params.await["params"].clone();
            if params["version"] == version {
                return params["diagnostics"].as_array().unwrap().clone();
            }
        }
    }

    /// Every message of this kind that was said by now.
    pub(crate) async fn drain(&mut self, method: &str) -> Vec<Value> {
        while let Ok(Some(message)) =
            tokio::time::timeout(Duration::from_millis(50), self.from.recv()).await
        {
            self.note(message).await;
        }
        let (matching, rest) = self
            .said
            .drain(..)
            .partition(|message| message["method"] == method);
        self.said = rest;
        matching
            .into_iter()
            .map(|message: Value| message["params"].clone())
            .collect()
    }

    /// What was heard and nobody expected yet.
    pub(crate) fn unexpected(&mut self) -> Vec<Value> {
        self.said.drain(..).collect()
    }

    async fn take(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.said.iter().position(&fits) {
            return self.said.remove(at).unwrap();
        }
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let message = match tokio::time::timeout_at(end, self.from.recv()).await {
                Ok(Some(message)) => message,
                Ok(None) => panic!(
                    "the server ended before {what}; it had said {:#?}",
                    self.said
                ),
                Err(_) => panic!("there is no {what}; there is {:#?}", self.said),
            };
            if fits(&message) && !is_request(&message) {
                return message;
            }
            self.note(message).await;
            if let Some(at) = self.said.iter().position(&fits) {
                return self.said.remove(at).unwrap();
            }
        }
    }

    /// Keeps a message, and answers it if it is a request.
    async fn note(&mut self, message: Value) {
        if is_request(&message) {
            let result = match message["method"].as_str().unwrap() {
                "workspace/configuration" => json!([self.settings]),
                _ => Value::Null,
            };
            self.write(&json!({"jsonrpc": "2.0", "id": message["id"], "result": result}))
                .await;
        }
        // Notes about what is read are nobody's business here; warnings are.
        if message["method"] != "window/logMessage" || message["params"]["type"] != 3 {
            self.said.push_back(message);
        }
    }

    pub(crate) async fn open(&mut self, uri: &str, version: i32, text: &str) {
        self.tell("textDocument/didOpen", json!({"textDocument": {"uri": uri, "languageId": "python", "version": version, "text": text}})).await;
    }

    pub(crate) async fn change(&mut self, uri: &str, version: i32, range: Value, text: &str) {
        let mut change = json!({"text": text});
        if !range.is_null() {
            change["range"] = range;
        }
        self.tell(
            "textDocument/didChange",
            json!({"textDocument": {"uri": uri, "version": version}, "contentChanges": [change]}),
        )
        .await;
    }

    pub(crate) async fn close(&mut self, uri: &str) {
        self.tell(
            "textDocument/didClose",
            json!({"textDocument": {"uri": uri}}),
        )
        .await;
    }

    /// Ends the session and fails if anything was said that nobody expected.
    pub(crate) async fn end(mut self) {
        self.ask("shutdown", Value::Null).await.unwrap();
        self.tell("exit", Value::Null).await;
        let ended = tokio::time::timeout(PATIENCE, &mut self.served)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(ended, Ended::Orderly);
        while let Some(message) = self.from.recv().await {
            if message["method"] != "window/logMessage" || message["params"]["type"] != 3 {
                self.said.push_back(message);
            }
        }
        let rest = self.unexpected();
        assert!(rest.is_empty(), "nobody expected {rest:#?}");
    }

    /// Closes the server's input without a word.
    pub(crate) async fn hang_up(mut self) -> Ended {
        self.to.shutdown().await.unwrap();
        tokio::time::timeout(PATIENCE, self.served)
            .await
            .unwrap()
            .unwrap()
    }

    async fn write(&mut self, message: &Value) {
        let body = serde_json::to_vec(message).unwrap();
        let head = format!("Content-Length: {}\r\n\r\n", body.len());
        self.to.write_all(head.as_bytes()).await.unwrap();
        self.to.write_all(&body).await.unwrap();
    }
}

fn is_request(message: &Value) -> bool {
    message.get("id").is_some() && message.get("method").is_some()
}

async fn read(from: &mut BufReader<DuplexStream>) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if from.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).await.ok()?;
    Some(serde_json::from_slice(&body).unwrap())
}

pub(crate) fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// A folder with these files, all of them committed.
pub(crate) fn project(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    git(folder.path(), &["init", "--quiet", "--initial-branch=main"]);
    commit(folder.path());
    folder
}

pub(crate) fn write(root: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

pub(crate) fn commit(root: &Path) {
    git(root, &["add", "--all"]);
    git(
        root,
        &["commit", "--quiet", "--allow-empty", "--message=it"],
    );
}

pub(crate) fn git(root: &Path, arguments: &[&str]) {
    let status = Command::new("git")
        .current_dir(root)
        .args([
            "-c",
            "user.name=it",
            "-c",
            "user.email=it@example.org",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .status();
    assert!(status.unwrap().success(), "git {arguments:?}");
}

/// The capabilities of an editor that takes what is pushed.
pub(crate) fn plain() -> Value {
    json!({"textDocument": {"publishDiagnostics": {"relatedInformation": true, "versionSupport": true, "dataSupport": true}}})
}

pub(crate) fn range(from: (u32, u32), to: (u32, u32)) -> Value {
    json!({"start": {"line": from.0, "character": from.1}, "end": {"line": to.0, "character": to.1}})
}
