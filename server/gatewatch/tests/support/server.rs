//! The language server as an editor uses it: one session, kept for many cases, over the protocol.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use gatewatch_source::{Encoding, FilePath, LineMap};
use gatewatch_syntax::facts::Language;
use gen_lsp_types::Uri;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::case::Texts;
use super::diff::Hunk;
use super::engine;
use super::harness::{Editor, commit, git};

/// How many characters go into one change.
const PIECE: usize = 12;

/// Sessions that nobody uses at the moment. One in which something failed is never put back.
static IDLE: Mutex<Vec<Server>> = Mutex::new(Vec::new());

/// A session, and what its editor shows.
pub struct Server {
    runtime: Runtime,
    editor: Editor,
    /// The folder that it began with. While there is one, files outside of all folders are not looked at.
    _first: TempDir,
    /// A version that no document had yet.
    version: i32,
    /// The diagnostics of each document or file that has any, by URI.
    shown: BTreeMap<String, Vec<Value>>,
    /// The versions of which nothing was said yet.
    pending: BTreeMap<String, i32>,
}

/// A folder that the editor has open: its baseline is in git, its buffers are here.
pub struct Project {
    folder: TempDir,
    open: BTreeMap<FilePath, String>,
}

/// Whether the server follows a buffer of this file; others it reads from disk only.
pub fn is_followed(path: &FilePath) -> bool {
    Language::of_extension(path.extension()).is_some()
}

impl Server {
    /// A session.
    pub fn take() -> Self {
        let idle = IDLE.lock().unwrap().pop();
        idle.unwrap_or_else(Self::start)
    }

    /// Leaves the session to others.
    pub fn put_back(self) {
        IDLE.lock().unwrap().push(self);
    }

    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let capabilities = json!({
            "textDocument": {"publishDiagnostics": {"versionSupport": true, "dataSupport": true}},
            "workspace": {
                "workspaceFolders": true,
                "workspaceEdit": {"documentChanges": true, "resourceOperations": ["create"]},
            },
        });
        let first = tempfile::tempdir().unwrap();
        let (editor, _) = runtime.block_on(Editor::start(capabilities, &[first.path()]));
        Self {
            runtime,
            editor,
            _first: first,
            version: 0,
            shown: BTreeMap::new(),
            pending: BTreeMap::new(),
        }
    }

    /// Opens a folder whose baseline is `before`, and which has `disk` on disk.
    pub fn add(&mut self, before: &Texts, disk: &Texts) -> Project {
        let folder = tempfile::tempdir().unwrap();
        engine::write(folder.path(), before);
        git(folder.path(), &["init", "--quiet", "--initial-branch=main"]);
        commit(folder.path());
        for path in before.keys().filter(|path| !disk.contains_key(*path)) {
            std::fs::remove_file(folder.path().join(path.as_str())).unwrap();
        }
        engine::write(folder.path(), disk);
        let project = Project {
            folder,
            open: BTreeMap::new(),
        };
        self.folders(json!([project.named()]), json!([]));
        project
    }

    /// Closes a folder.
    pub fn remove(&mut self, mut project: Project) {
        self.close_all(&mut project);
        self.folders(json!([]), json!([project.named()]));
    }

    fn folders(&mut self, added: Value, removed: Value) {
        let event = json!({"event": {"added": added, "removed": removed}});
        let tell = self
            .editor
            .tell("workspace/didChangeWorkspaceFolders", event);
        self.runtime.block_on(tell);
    }

    /// Opens a document.
    pub fn open(&mut self, project: &mut Project, path: &FilePath, text: &str) {
        let uri = project.uri(path);
        self.version += 1;
        self.runtime
            .block_on(self.editor.open(&uri, self.version, text));
        self.pending.insert(uri, self.version);
        project.open.insert(path.clone(), text.to_owned());
    }

    /// Closes a document without saving it.
    pub fn close(&mut self, project: &mut Project, path: &FilePath) {
        let uri = project.uri(path);
        self.runtime.block_on(self.editor.close(&uri));
        self.pending.remove(&uri);
        project.open.remove(path);
    }

    /// Closes every document.
    pub fn close_all(&mut self, project: &mut Project) {
        let paths: Vec<FilePath> = project.open.keys().cloned().collect();
        for path in paths {
            self.close(project, &path);
        }
    }

    /// Makes one edit of an open document, a few characters at a time.
    pub fn edit(&mut self, project: &mut Project, path: &FilePath, hunk: &Hunk) {
        let uri = project.uri(path);
        let keys: Vec<char> = hunk.new.chars().collect();
        let mut pieces: Vec<String> = keys
            .chunks(PIECE)
            .map(|piece| piece.iter().collect())
            .collect();
        if pieces.is_empty() {
            pieces.push(String::new());
        }
        let (mut start, mut end) = (hunk.old.start, hunk.old.end);
        for piece in pieces {
            let text = project.open.get_mut(path).unwrap();
            let lines = LineMap::new(text);
            let at = |offset| {
                let position = lines.position(offset, Encoding::Utf16);
                json!({"line": position.line, "character": position.character})
            };
            let range = json!({"start": at(start), "end": at(end)});
            text.replace_range(start..end, &piece);
            start += piece.len();
            end = start;
            self.version += 1;
            let change = self.editor.change(&uri, self.version, range, &piece);
            self.runtime.block_on(change);
        }
        self.pending.insert(uri, self.version);
    }

    /// Gives an open document another text at once.
    pub fn rewrite(&mut self, project: &mut Project, path: &FilePath, text: &str) {
        let uri = project.uri(path);
        self.version += 1;
        let change = self.editor.change(&uri, self.version, Value::Null, text);
        self.runtime.block_on(change);
        self.pending.insert(uri, self.version);
        project.open.insert(path.clone(), text.to_owned());
    }

    /// Waits until something was said of the last version of every open document, and nothing more is to
    /// come. What else the server said meanwhile comes back.
    pub fn settle(&mut self) -> Vec<Value> {
        let Self {
            runtime,
            editor,
            shown,
            pending,
            ..
        } = self;
        runtime.block_on(async {
            while !pending.is_empty() {
                let set = editor.expect("textDocument/publishDiagnostics").await;
                if let Some(uri) = set["uri"].as_str()
                    && pending
                        .get(uri)
                        .is_some_and(|version| set["version"] == *version)
                {
                    pending.remove(uri);
                }
                show(shown, &set);
            }
            // What an analysis found goes out at once, before the server looks at anything else, and this
            // line goes the same way.
            let command = json!({"command": "gatewatch.showMemory"});
            let id = editor.request("workspace/executeCommand", command).await;
            editor.expect_log(" resident; ").await;
            editor.answer(id).await.unwrap();
            let mut rest = Vec::new();
            for message in editor.unexpected() {
                if message["method"] == "textDocument/publishDiagnostics" {
                    show(shown, &message["params"]);
                } else {
                    rest.push(message);
                }
            }
            rest
        })
    }

    /// What is shown in a folder, diagnostic by diagnostic.
    pub fn shown(&self, project: &Project) -> Vec<(FilePath, Value)> {
        let mut found = Vec::new();
        for (uri, diagnostics) in &self.shown {
            if let Some(path) = project.path(uri) {
                found.extend(diagnostics.iter().map(|one| (path.clone(), one.clone())));
            }
        }
        found
    }

    /// What the server offers for a diagnostic.
    pub fn actions(
        &mut self,
        project: &Project,
        path: &FilePath,
        diagnostic: &Value,
    ) -> Result<Vec<Value>, Value> {
        let asked = json!({
            "textDocument": {"uri": project.uri(path)}, "range": diagnostic["range"],
            "context": {"diagnostics": [diagnostic]},
        });
        let answer = self.editor.ask("textDocument/codeAction", asked);
        let mut actions = match self.runtime.block_on(answer)? {
            Value::Array(actions) => actions,
            _ => Vec::new(),
        };
        actions.retain(|action| action["diagnostics"][0]["data"] == diagnostic["data"]);
        Ok(actions)
    }
}

/// A file's name in the protocol, spelled as the server does.
fn uri(path: &Path) -> String {
    Uri::from_file_path(path).unwrap().to_string()
}

fn show(shown: &mut BTreeMap<String, Vec<Value>>, set: &Value) {
    let (Some(uri), Some(diagnostics)) = (set["uri"].as_str(), set["diagnostics"].as_array())
    else {
        return;
    };
    if diagnostics.is_empty() {
        shown.remove(uri);
    } else {
        shown.insert(uri.to_owned(), diagnostics.clone());
    }
}

impl Project {
    fn named(&self) -> Value {
        json!({"uri": uri(self.folder.path()), "name": "case"})
    }

    /// The name of one of its files in the protocol.
    pub fn uri(&self, path: &FilePath) -> String {
        uri(&self.folder.path().join(path.as_str()))
    }

    /// The file that a name means.
    pub fn path(&self, name: &str) -> Option<FilePath> {
        let root = format!("{}/", uri(self.folder.path()));
        Some(FilePath::new(name.strip_prefix(&root)?))
    }

    /// The text of a buffer.
    pub fn buffer(&self, path: &FilePath) -> Option<&str> {
        self.open.get(path).map(String::as_str)
    }
}
