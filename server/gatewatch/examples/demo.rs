//! A session with the language server as an editor has it: a guard is deleted, the server says so, its quick
//! fix is applied. Run it with `cargo run -p gatewatch --example demo`.
//!
//! The server is a process of its own behind a pair of pipes: this program again, with the arguments of
//! `gatewatch lsp`. The workspace is a copy of `examples/shop` in a new repository. `DEMO_COLOUR=always` keeps
//! the colours where the output is no terminal.

use std::error::Error;
use std::fs;
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How long anything may take. It takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);
const FILE: &str = "shop/routers/products.py";
const GUARD: &str = ", user: User = Depends(current_user)";

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("lsp") {
        return gatewatch::cli::main();
    }
    match show() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the demonstration failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn show() -> Result<()> {
    let screen = Screen::new();
    let folder = tempfile::tempdir()?;
    let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/shop");
    copy(&shop, folder.path())?;
    commit(folder.path())?;

    let begun = Instant::now();
    let mut editor = Editor::start(folder.path())?;
    let ready = editor.expect("$/progress", |params| params["value"]["kind"] == "end")?;
    let read = ready["value"]["message"].as_str().unwrap_or_default();
    screen.head(
        &format!("A small FastAPI service, {read}."),
        Some(begun.elapsed()),
    );

    let original = fs::read_to_string(folder.path().join(FILE))?;
    editor.open(&original)?;

    // The guard goes.
    let changed = original.replacen(GUARD, "", 1);
    screen.head(
        &format!("In {FILE} somebody deletes a parameter that looks unused:"),
        None,
    );
    screen.change(&original, &changed);
    let typed = Instant::now();
    editor.change(&changed)?;
    let shown = editor.diagnostics(|all| !all.is_empty())?;
    screen.head("The editor shows:", Some(typed.elapsed()));
    for diagnostic in &shown {
        screen.diagnostic(&changed, diagnostic, &editor.root);
    }
    let first = shown.first().ok_or("there is no diagnostic")?;

    let asked = Instant::now();
    let hover = editor.ask(
        "textDocument/hover",
        json!({"textDocument": {"uri": editor.uri}, "position": first["range"]["start"]}),
    )?;
    screen.head("Hover:", Some(asked.elapsed()));
    screen.quote(hover["contents"]["value"].as_str().unwrap_or("nothing"));

    let asked = Instant::now();
    let actions = editor.ask(
        "textDocument/codeAction",
        json!({"textDocument": {"uri": editor.uri}, "range": first["range"], "context": {"diagnostics": [first]}}),
    )?;
    screen.head("Quick fixes:", Some(asked.elapsed()));
    let actions = actions.as_array().cloned().unwrap_or_default();
    for action in &actions {
        screen.bullet(action["title"].as_str().unwrap_or_default());
    }
    let action = actions
        .iter()
        .find(|action| action["isPreferred"] == true)
        .or_else(|| actions.first())
        .ok_or("no quick fix is offered")?;
    let fixed = apply(&changed, action, &editor.uri)?;
    screen.head("The first one, applied:", None);
    screen.change(&changed, &fixed);
    let typed = Instant::now();
    editor.change(&fixed)?;
    editor.diagnostics(<[Value]>::is_empty)?;
    screen.head("The finding is gone.", Some(typed.elapsed()));

    // What keeps every control.
    let tidied = original.replacen(
        &format!("def restock(name: str, count: int{GUARD}):"),
        "def add_to_stock(\n    name: str,\n    count: int,\n    user: User = Depends(current_user),\n):",
        1,
    );
    screen.head("A rename and a reformat:", None);
    screen.change(&fixed, &tidied);
    editor.change(&tidied)?;
    match editor.diagnostics_within(Duration::from_millis(500), |all| !all.is_empty())? {
        None => screen.head("Nothing is said.", None),
        Some(_) => return Err("a refactoring is reported".into()),
    }
    editor.stop()
}

// ---- the workspace ---------------------------------------------------------------------------------

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()))?;
        } else {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn commit(folder: &Path) -> Result<()> {
    let name = ["-c", "user.name=demo", "-c", "user.email=demo@example.com"];
    for args in [
        &["init", "--quiet", "--initial-branch=main"][..],
        &["add", "."],
        &[
            "-c",
            "commit.gpgsign=false",
            "commit",
            "--quiet",
            "--message=The shop",
        ],
    ] {
        let done = Command::new("git")
            .args(name)
            .args(args)
            .current_dir(folder)
            .status()?;
        if !done.success() {
            return Err("git can't make a repository".into());
        }
    }
    Ok(())
}

// ---- the editor ------------------------------------------------------------------------------------

struct Editor {
    server: Child,
    to: Option<ChildStdin>,
    from: Receiver<Value>,
    root: String,
    uri: String,
    text: String,
    version: i32,
    next: i64,
}

impl Editor {
    /// Starts the server and opens a workspace.
    fn start(folder: &Path) -> Result<Self> {
        let mut server = Command::new(std::env::current_exe()?)
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = server.stdout.take().ok_or("the server has no output")?;
        let (heard, from) = channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Ok(Some(message)) = receive(&mut output) {
                if heard.send(message).is_err() {
                    return;
                }
            }
        });
        let root = format!("file://{}", folder.canonicalize()?.display());
        let mut editor = Self {
            to: server.stdin.take(),
            server,
            from,
            uri: format!("{root}/{FILE}"),
            root: root.clone(),
            text: String::new(),
            version: 0,
            next: 0,
        };
        editor.ask(
            "initialize",
            json!({
                "processId": std::process::id(),
                "rootUri": null,
                "workspaceFolders": [{"uri": root, "name": "shop"}],
                "capabilities": {
                    "general": {"positionEncodings": ["utf-8"]},
                    "window": {"workDoneProgress": true},
                    "textDocument": {
                        "publishDiagnostics": {"relatedInformation": true, "versionSupport": true, "dataSupport": true},
                        "hover": {"contentFormat": ["plaintext"]},
                    },
                    "workspace": {"workspaceEdit": {"documentChanges": true}},
                },
            }),
        )?;
        editor.tell("initialized", json!({}))?;
        Ok(editor)
    }

    fn open(&mut self, text: &str) -> Result<()> {
        self.version = 1;
        self.text = text.to_owned();
        let document = json!({"uri": self.uri, "languageId": "python", "version": 1, "text": text});
        self.tell("textDocument/didOpen", json!({"textDocument": document}))
    }

    /// Sends what differs from the last text.
    fn change(&mut self, text: &str) -> Result<()> {
        self.version += 1;
        let (before, after) = common(self.text.as_bytes(), text.as_bytes());
        let range = json!({
            "start": position(&self.text, before),
            "end": position(&self.text, self.text.len() - after),
        });
        let new = text.get(before..text.len() - after).unwrap_or_default();
        let params = json!({
            "textDocument": {"uri": self.uri, "version": self.version},
            "contentChanges": [{"range": range, "text": new}],
        });
        self.text = text.to_owned();
        self.tell("textDocument/didChange", params)
    }

    /// The diagnostics of the text as it is now, once they are as asked for.
    fn diagnostics(&mut self, wanted: impl Fn(&[Value]) -> bool) -> Result<Vec<Value>> {
        self.diagnostics_within(PATIENCE, wanted)?
            .ok_or_else(|| "the diagnostics are not as they should be".into())
    }

    fn diagnostics_within(
        &mut self,
        time: Duration,
        wanted: impl Fn(&[Value]) -> bool,
    ) -> Result<Option<Vec<Value>>> {
        let (uri, version) = (self.uri.clone(), self.version);
        let end = Instant::now() + time;
        while let Some(message) = self.hear(end)? {
            let params = &message["params"];
            let of_now = params["uri"] == uri && params["version"] == version;
            if message["method"] == "textDocument/publishDiagnostics" && of_now {
                let all = params["diagnostics"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
                if wanted(&all) {
                    return Ok(Some(all));
                }
            }
        }
        Ok(None)
    }

    fn tell(&mut self, method: &str, params: Value) -> Result<()> {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
    }

    fn ask(&mut self, method: &str, params: Value) -> Result<Value> {
        self.next += 1;
        let id = self.next;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))?;
        let end = Instant::now() + PATIENCE;
        while let Some(message) = self.hear(end)? {
            if message["id"] == id && message.get("method").is_none() {
                return match message.get("error") {
                    Some(error) => Err(format!("{method}: {error}").into()),
                    None => Ok(message["result"].clone()),
                };
            }
        }
        Err(format!("{method} is not answered").into())
    }

    fn expect(&mut self, method: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        let end = Instant::now() + PATIENCE;
        while let Some(message) = self.hear(end)? {
            if message["method"] == method && wanted(&message["params"]) {
                return Ok(message["params"].clone());
            }
        }
        Err(format!("{method} does not come").into())
    }

    /// The next message, if it comes in time. What the server asks is answered with nothing.
    fn hear(&mut self, end: Instant) -> Result<Option<Value>> {
        let left = end.saturating_duration_since(Instant::now());
        match self.from.recv_timeout(left) {
            Ok(message) => {
                if let (Some(id), Some(_)) = (message.get("id"), message.get("method")) {
                    self.send(&json!({"jsonrpc": "2.0", "id": id, "result": null}))?;
                }
                Ok(Some(message))
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err("the server has ended".into()),
        }
    }

    fn send(&mut self, message: &Value) -> Result<()> {
        let text = message.to_string();
        let to = self.to.as_mut().ok_or("the server's input is closed")?;
        write!(to, "Content-Length: {}\r\n\r\n{text}", text.len())?;
        to.flush()?;
        Ok(())
    }

    fn stop(mut self) -> Result<()> {
        self.ask("shutdown", Value::Null)?;
        self.tell("exit", Value::Null)?;
        drop(self.to.take());
        match self.server.wait()?.success() {
            true => Ok(()),
            false => Err("the server ended badly".into()),
        }
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        // After `stop` there is nothing to kill.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn receive(from: &mut impl BufRead) -> Result<Option<Value>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match line.trim_end() {
            "" => break,
            header => {
                if let Some(value) = header.strip_prefix("Content-Length: ") {
                    length = value.parse()?;
                }
            }
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok(Some(serde_json::from_slice(&body)?))
}

/// How many bytes two texts share at their starts and at their ends.
fn common(a: &[u8], b: &[u8]) -> (usize, usize) {
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let most = a.len().min(b.len()) - start;
    let end = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    (start, end.min(most))
}

fn position(text: &str, offset: usize) -> Value {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count();
    let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
    json!({"line": line, "character": column})
}

fn offset(text: &str, position: &Value) -> usize {
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap_or(0)).unwrap_or(usize::MAX);
    let lines = text.split_inclusive('\n').take(number(&position["line"]));
    lines.map(str::len).sum::<usize>() + number(&position["character"])
}

/// The text after an action. The shop's fix touches no other file.
fn apply(text: &str, action: &Value, uri: &str) -> Result<String> {
    let changes = action["edit"]["documentChanges"]
        .as_array()
        .ok_or("the action has no edit")?;
    let mut edits: Vec<(usize, usize, &str)> = Vec::new();
    for change in changes
        .iter()
        .filter(|change| change["textDocument"]["uri"] == uri)
    {
        for edit in change["edits"].as_array().into_iter().flatten() {
            edits.push((
                offset(text, &edit["range"]["start"]),
                offset(text, &edit["range"]["end"]),
                edit["newText"].as_str().unwrap_or_default(),
            ));
        }
    }
    edits.sort_unstable();
    let mut text = text.to_owned();
    for (start, end, new) in edits.into_iter().rev() {
        text.replace_range(start..end, new);
    }
    Ok(text)
}

// ---- the screen ------------------------------------------------------------------------------------

struct Screen {
    colours: bool,
}

const WIDTH: usize = 96;

impl Screen {
    fn new() -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let always = std::env::var("DEMO_COLOUR").is_ok_and(|value| value == "always");
        Self {
            colours: always || (!set("NO_COLOR") && io::stdout().is_terminal()),
        }
    }

    fn paint(&self, style: &str, text: &str) -> String {
        if self.colours {
            format!("\x1b[{style}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// A line that says what comes, with the time it took at its end.
    fn head(&self, text: &str, took: Option<Duration>) {
        let took = took.map_or(String::new(), |took| {
            format!("{:.1} ms", took.as_secs_f64() * 1000.0)
        });
        let space = WIDTH.saturating_sub(text.chars().count() + took.chars().count());
        let space = if took.is_empty() { 0 } else { space };
        println!(
            "\n{}{}{}",
            self.paint("1", text),
            " ".repeat(space),
            self.paint("36", &took)
        );
    }

    /// The lines that differ.
    fn change(&self, before: &str, after: &str) {
        let (old, new): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
        let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
        let most = old.len().min(new.len()) - start;
        let same = old.iter().rev().zip(new.iter().rev());
        let end = same.take_while(|(a, b)| a == b).count().min(most);
        for line in &old[start..old.len() - end] {
            println!("  {}", self.paint("31", &format!("- {line}")));
        }
        for line in &new[start..new.len() - end] {
            println!("  {}", self.paint("32", &format!("+ {line}")));
        }
    }

    fn diagnostic(&self, text: &str, diagnostic: &Value, root: &str) {
        let number = |value: &Value| usize::try_from(value.as_u64().unwrap_or(0)).unwrap_or(0);
        let (start, end) = (&diagnostic["range"]["start"], &diagnostic["range"]["end"]);
        let line = number(&start["line"]);
        let first = line.saturating_sub(1);
        for (index, text) in text.lines().enumerate().skip(first).take(line + 1 - first) {
            println!(
                "  {} {text}",
                self.paint("2", &format!("{:3} |", index + 1))
            );
        }
        let marks = number(&end["character"]).saturating_sub(number(&start["character"]));
        let severity = match diagnostic["severity"].as_u64() {
            Some(1) => "error",
            Some(2) => "warning",
            _ => "info",
        };
        println!(
            "  {} {}{} {}",
            self.paint("2", "    |"),
            " ".repeat(number(&start["character"])),
            self.paint("31", &"~".repeat(marks.max(1))),
            self.paint(
                "1;31",
                &format!(
                    "{severity}: {}",
                    diagnostic["code"].as_str().unwrap_or_default()
                )
            ),
        );
        let message = diagnostic["message"].as_str().unwrap_or_default();
        for line in wrapped(message, WIDTH - 8) {
            println!("        {line}");
        }
        let related = diagnostic["relatedInformation"].as_array();
        for seen in related.into_iter().flatten() {
            let uri = seen["location"]["uri"].as_str().unwrap_or_default();
            let file = uri
                .strip_prefix(root)
                .unwrap_or(uri)
                .trim_start_matches('/');
            let line = number(&seen["location"]["range"]["start"]["line"]) + 1;
            let message = seen["message"].as_str().unwrap_or_default();
            for (index, line) in wrapped(&format!("{file}:{line}: {message}"), WIDTH - 10)
                .iter()
                .enumerate()
            {
                let indent = if index == 0 { 8 } else { 10 };
                println!("{}{}", " ".repeat(indent), self.paint("2", line));
            }
        }
    }

    fn quote(&self, text: &str) {
        for line in text.lines() {
            for line in wrapped(line, WIDTH - 4) {
                println!("  {} {line}", self.paint("2", "|"));
            }
        }
    }

    fn bullet(&self, text: &str) {
        println!("  {} {text}", self.paint("33", ">"));
    }
}

/// A text in lines of at most so many characters, where its words allow it.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let full = lines
            .last()
            .is_some_and(|line| line.chars().count() + 1 + word.chars().count() > width);
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
