//! The program itself: what it prints, where, and how it ends.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const AUTH: &str = r#"from fastapi import Depends, HTTPException
from fastapi.security import OAuth2PasswordBearer

oauth2 = OAuth2PasswordBearer(tokenUrl="login")
ACTIVE = {"tok": "ada"}


async def get_user(token: str = Depends(oauth2)) -> str:
    if token not in ACTIVE:
        raise HTTPException(status_code=401, detail="Could not validate credentials")
    return ACTIVE[token]
"#;

const MAIN: &str = r#"from fastapi import Depends, FastAPI

from app.auth import get_user

app = FastAPI()


@app.get("/wallets/{wallet_id}")
def read_wallet(wallet_id: int, user: str = Depends(get_user)):
    return {"id": wallet_id}


@app.get("/ping")
def ping():
    return "pong"
"#;

/// A repository with one commit, or a bare folder.
struct Project(TempDir);

impl Project {
    fn bare() -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        project.write("app/__init__.py", "");
        project.write("app/auth.py", AUTH);
        project.write("app/main.py", MAIN);
        project
    }

    fn committed() -> Self {
        let project = Self::bare();
        project.git(&["init", "-q", "-b", "main"]);
        project.commit();
        project
    }

    fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "one"]);
    }

    fn git(&self, arguments: &[&str]) {
        let output = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@t"])
            .args(arguments)
            .current_dir(self.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let file = self.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// The guard leaves its route.
    fn open(&self) {
        self.write(
            "app/main.py",
            MAIN.replace(", user: str = Depends(get_user)", ""),
        );
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        run_in(self.path(), arguments)
    }
}

struct Ran {
    status: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

fn run_in(folder: &Path, arguments: &[&str]) -> Ran {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_gatewatch"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("GATEWATCH_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ran {
        status: status.code(),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}

/// The keys of an object, sorted.
fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

#[test]
fn an_unchanged_tree_says_nothing() {
    let ran = Project::committed().run(&["check"]);
    assert_eq!(ran.status, Some(0), "{}{}", ran.out, ran.err);
    assert!(
        ran.out.starts_with("no findings, against main at "),
        "{}",
        ran.out
    );
    assert_eq!(ran.err, "");
}

#[test]
fn the_exit_status_is_by_severity() {
    let project = Project::committed();
    project.open();
    for (level, status) in [("error", 1), ("warning", 1), ("info", 1)] {
        assert_eq!(
            project.run(&["check", "--fail-on", level]).status,
            Some(status),
            "{level}"
        );
    }
    project.write(
        "gatewatch.toml",
        "[severity]\nauthentication-removed = \"info\"\n",
    );
    for (level, status) in [("error", 0), ("warning", 0), ("info", 1)] {
        assert_eq!(
            project.run(&["check", "--fail-on", level]).status,
            Some(status),
            "{level}"
        );
    }
    assert_eq!(project.run(&["check"]).status, Some(0));
    project.write(
        "gatewatch.toml",
        "[severity]\nauthentication-removed = \"off\"\n",
    );
    assert_eq!(project.run(&["check", "--fail-on", "info"]).status, Some(0));
}

#[test]
fn text_has_no_escapes_unless_asked_for() {
    let project = Project::committed();
    project.open();
    let ran = project.run(&["check"]);
    assert!(!ran.out.contains('\x1b'), "{}", ran.out);
    assert!(
        ran.out.contains("error[authentication-removed]: "),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("--> app/main.py:9:5\n"), "{}", ran.out);
    assert!(
        ran.out.contains(" | def read_wallet(wallet_id: int):\n"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains(" |     ^^^^^^^^^^^\n"), "{}", ran.out);
    assert!(
        project
            .run(&["check", "--color", "always"])
            .out
            .contains("\x1b[")
    );
}

#[test]
fn json_of_check_has_the_fields_of_the_contract() {
    let project = Project::committed();
    project.open();
    project.write("app/broken.py", [0xff, 0xfe, 0x00]);
    let check = project.run(&["check", "--format", "json"]).json();
    assert_eq!(keys(&check), ["baseline", "findings", "skipped", "unknown"]);
    assert!(check["baseline"].as_str().unwrap().starts_with("main at "));
    let [finding] = &check["findings"].as_array().unwrap()[..] else {
        panic!("{check:#}");
    };
    assert_eq!(
        keys(finding),
        [
            "code",
            "column",
            "decision",
            "end_column",
            "end_line",
            "entry_point",
            "evidence",
            "expected_control",
            "file",
            "fingerprint",
            "fixes",
            "line",
            "message",
            "now",
            "severity",
            "taxonomy",
            "was",
        ]
    );
    assert_eq!(finding["code"], "authentication-removed");
    assert_eq!(finding["severity"], "error");
    assert_eq!(finding["file"], "app/main.py");
    assert_eq!(
        [
            &finding["line"],
            &finding["column"],
            &finding["end_line"],
            &finding["end_column"]
        ],
        [9, 5, 9, 16]
    );
    assert_eq!(keys(&finding["entry_point"]), ["kind", "method", "path"]);
    assert_eq!(finding["entry_point"]["path"], "/wallets/{wallet_id}");
    assert_eq!(keys(&finding["taxonomy"]), ["cwe", "owasp_api", "stride"]);
    assert_eq!(finding["decision"], Value::Null);
    let evidence = finding["evidence"].as_array().unwrap();
    assert!(!evidence.is_empty());
    for seen in evidence {
        assert_eq!(keys(seen), ["file", "line", "message", "side"]);
    }
    for fix in finding["fixes"].as_array().unwrap() {
        assert_eq!(keys(fix), ["title"]);
    }
    let [skipped] = &check["skipped"].as_array().unwrap()[..] else {
        panic!("{check:#}");
    };
    assert_eq!(keys(skipped), ["file", "why"]);
    assert_eq!(skipped["file"], "app/broken.py");
}

#[test]
fn json_of_routes_has_the_fields_of_the_contract() {
    let project = Project::bare();
    let ran = project.run(&["routes", "--format", "json"]);
    assert_eq!((ran.status, ran.err.as_str()), (Some(0), ""));
    let routes = ran.json();
    let routes = routes.as_array().unwrap();
    assert_eq!(routes.len(), 2);
    for route in routes {
        assert_eq!(
            keys(route),
            [
                "auth",
                "confidence",
                "controls",
                "file",
                "framework",
                "handler",
                "kind",
                "line",
                "method",
                "path",
            ]
        );
    }
    let wallet = routes
        .iter()
        .find(|route| route["path"] == "/wallets/{wallet_id}")
        .unwrap();
    assert_eq!(wallet["handler"], "app.main.read_wallet");
    assert_eq!(
        (&wallet["file"], &wallet["line"]),
        (&"app/main.py".into(), &9.into())
    );
    assert_eq!(wallet["auth"], "authenticated");
    let control = &wallet["controls"][0];
    assert_eq!(
        keys(control),
        ["effect", "file", "line", "name", "strength", "via"]
    );
    let table = project.run(&["routes"]).out;
    assert!(
        table.contains("GET  /wallets/{wallet_id}  authenticated  "),
        "{table}"
    );
}

#[test]
fn sarif_is_valid() {
    let mut schema: Value =
        serde_json::from_str(include_str!("data/sarif-schema-2.1.0.json")).unwrap();
    // As published, the pattern of `language` has a bracket too many, which only some engines take.
    for owner in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][owner]["properties"]["language"];
        language.as_object_mut().unwrap().remove("pattern");
    }
    let schema = jsonschema::validator_for(&schema).unwrap();
    let project = Project::committed();
    project.open();
    project.write("app/bro ken.py", [0xff, 0xfe, 0x00]);
    for arguments in [
        &["check"][..],
        &["check", "--base", "HEAD"],
        &["check", "."],
    ] {
        let log = project
            .run(&[arguments, &["--format", "sarif"]].concat())
            .json();
        let faults: Vec<String> = schema
            .iter_errors(&log)
            .map(|e| format!("{}: {e}", e.instance_path()))
            .collect();
        assert_eq!(faults, Vec::<String>::new());
        let run = &log["runs"][0];
        let result = &run["results"][0];
        assert_eq!(result["ruleId"], "authentication-removed");
        assert_eq!(result["baselineState"], "new");
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(
            run["tool"]["driver"]["rules"][index]["id"],
            "authentication-removed"
        );
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "app/main.py");
        assert_eq!(place["region"]["startLine"], 9);
    }
    // Without findings, and without a baseline.
    let log = Project::bare().run(&["check", "--format", "sarif"]).json();
    assert!(schema.is_valid(&log), "{log:#}");
}

#[test]
fn markdown_and_annotations() {
    let project = Project::committed();
    project.open();
    let markdown = project.run(&["check", "--format", "markdown"]).out;
    assert!(
        markdown.starts_with("<!-- gatewatch -->\n### Gatewatch: 1 error\n"),
        "{markdown}"
    );
    assert!(
        markdown.contains("`GET /wallets/{wallet_id}` · `app/main.py:9`"),
        "{markdown}"
    );
    let lines = project.run(&["check", "--format", "github"]).out;
    assert!(
        lines.starts_with("::error file=app/main.py,line=9,endLine=9,col=5,endColumn=16,title=authentication-removed%3A GET /wallets/{wallet_id}::"),
        "{lines}"
    );
    assert_eq!(lines.lines().count(), 1);
    // Paths are as seen from where the reader stands; JSON has those of the workspace.
    let parent = project.path().parent().unwrap();
    let name = project.path().file_name().unwrap().to_str().unwrap();
    let lines = run_in(parent, &["check", name, "--format", "github"]).out;
    assert!(
        lines.starts_with(&format!("::error file={name}/app/main.py,")),
        "{lines}"
    );
    let check = run_in(parent, &["check", name, "--format", "json"]).json();
    assert_eq!(check["findings"][0]["file"], "app/main.py");
}

#[test]
fn baselines() {
    let project = Project::committed();
    let copy = Project::bare();
    project.open();
    let failing: [&[&str]; 3] = [
        &["check"],
        &["check", "--base", "main"],
        &["check", "--base-dir", copy.path().to_str().unwrap()],
    ];
    for arguments in failing {
        assert_eq!(project.run(arguments).status, Some(1), "{arguments:?}");
    }
    project.commit();
    assert_eq!(project.run(&["check"]).status, Some(0));
    assert_eq!(project.run(&["check", "--base", "HEAD~1"]).status, Some(1));
    project.write("gatewatch.toml", "[baseline]\nrev = \"HEAD~1\"\n");
    assert_eq!(project.run(&["check"]).status, Some(1));
    assert_eq!(project.run(&["check", "--base", "HEAD"]).status, Some(0));
}

#[test]
fn without_a_repository_there_is_a_note_and_nothing_else() {
    let project = Project::bare();
    let ran = project.run(&["check", "--format", "json"]);
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    assert_eq!(ran.json()["findings"], Value::Array(Vec::new()));
    assert!(ran.err.starts_with("gatewatch: note: "), "{}", ran.err);
}

#[test]
fn nonsense_ends_with_2_and_a_reason_on_stderr() {
    let project = Project::committed();
    let bare = Project::bare();
    let cases: [(&Project, &[&str], &str); 15] = [
        (&project, &["check", "no-such-folder"], "no-such-folder"),
        (&project, &["check", "app/main.py"], "app/main.py"),
        (&project, &["routes", "no-such-folder"], "no-such-folder"),
        (
            &project,
            &["check", "--base", "no-such-revision"],
            "no-such-revision",
        ),
        (
            &project,
            &["check", "--base-dir", "no-such-base"],
            "no-such-base",
        ),
        (
            &project,
            &["check", "--base", "a", "--base-dir", "b"],
            "--base-dir",
        ),
        (&bare, &["check", "--base", "main"], "repository"),
        (&project, &["check", "--format", "xml"], "xml"),
        (&project, &["check", "--fail-on", "never"], "never"),
        (&project, &["explain", "app/main.py"], "FILE:LINE"),
        (&project, &["explain", "app/main.py:999"], "lines"),
        (&project, &["explain", "app/none.py:1"], "app/none.py"),
        (&project, &["explain", "app/main.py:1"], "no entry point"),
        (&project, &["frobnicate"], "frobnicate"),
        (&project, &[], "Usage"),
    ];
    for (project, arguments, word) in cases {
        let ran = project.run(arguments);
        assert_eq!(ran.status, Some(2), "{arguments:?}: {}", ran.err);
        assert_eq!(ran.out, "", "{arguments:?}");
        assert!(ran.err.contains(word), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn a_broken_configuration_is_a_finding_at_its_place() {
    let project = Project::committed();
    for (text, line, column) in [
        ("[scope\n", 1, 7),
        ("[scope]\nexcluded = []\n", 2, 1),
        ("[severity]\nno-such-code = \"off\"\n", 2, 1),
        ("[scope]\nexclude = [\"a{b\"]\n", 2, 12),
    ] {
        project.write("gatewatch.toml", text);
        let ran = project.run(&["check", "--format", "json"]);
        assert_eq!(ran.status, Some(1), "{text}: {}", ran.err);
        let check = ran.json();
        let [finding] = &check["findings"].as_array().unwrap()[..] else {
            panic!("{check:#}");
        };
        assert_eq!(finding["code"], "configuration-invalid");
        assert_eq!(finding["file"], "gatewatch.toml");
        assert_eq!(
            [&finding["line"], &finding["column"]],
            [line, column],
            "{text}"
        );
    }
    project.write("gatewatch.toml", "[baseline]\nrev = \"gone\"\n");
    let ran = project.run(&["check"]);
    assert_eq!(ran.status, Some(2));
    assert!(
        ran.err.contains("gatewatch.toml") && ran.err.contains("gone"),
        "{}",
        ran.err
    );
}

#[test]
fn what_is_excluded_is_not_read() {
    let project = Project::bare();
    project.write("gatewatch.toml", "[scope]\nexclude = [\"app/\"]\n");
    assert_eq!(project.run(&["routes"]).out, "");
}

#[test]
fn explain_says_who_can_call() {
    let project = Project::committed();
    let ran = project.run(&["explain", "app/main.py:9"]);
    assert_eq!(ran.status, Some(0), "{}", ran.err);
    let first = ran.out.lines().next().unwrap();
    assert_eq!(
        first,
        "GET /wallets/{wallet_id} · authenticated by get_user"
    );
    assert!(ran.out.contains("app/auth.py:8"), "{}", ran.out);
    assert!(ran.out.contains("Nothing of this changed"), "{}", ran.out);
    // The guard, where it is asked for and where it is defined; a line of the handler's body.
    for place in ["app/main.py:9:57", "app/auth.py:8"] {
        let ran = project.run(&["explain", place]);
        assert!(
            ran.out
                .starts_with("get_user · authentication, enforcing · in front of 1 entry point\n"),
            "{place}: {}{}",
            ran.out,
            ran.err
        );
    }
    assert!(
        project
            .run(&["explain", "app/main.py:10"])
            .out
            .starts_with("GET /wallets")
    );
    project.open();
    let ran = project.run(&["explain", "app/main.py:9"]);
    assert!(
        ran.out.starts_with("GET /wallets/{wallet_id} · public\n"),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("error authentication-removed: "),
        "{}",
        ran.out
    );
}

#[test]
fn nothing_in_a_file_reaches_the_terminal_as_an_escape() {
    let project = Project::committed();
    project.write(
        "app/main.py",
        MAIN.replace(
            ", user: str = Depends(get_user)):",
            "):  # \x1b[2J \u{202e}",
        ),
    );
    for format in ["text", "markdown"] {
        let out = project.run(&["check", "--format", format]).out;
        assert!(
            !out.contains('\x1b') && !out.contains('\u{202e}'),
            "{out:?}"
        );
    }
}

#[test]
fn help_and_version_are_results() {
    let project = Project::bare();
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["check", "--help"],
        &["completions", "bash"],
        &["man"],
    ] {
        let ran = project.run(arguments);
        assert_eq!(
            (ran.status, ran.err.as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
        assert!(
            ran.out.contains("gatewatch") || ran.out.contains("Usage"),
            "{}",
            ran.out
        );
    }
    let help = project.run(&["--help"]).out;
    assert!(!help.contains("completions"), "{help}");
}

#[test]
fn logs_go_to_stderr() {
    let project = Project::bare();
    let output = Command::new(env!("CARGO_BIN_EXE_gatewatch"))
        .args(["routes", "--format", "json"])
        .current_dir(project.path())
        .env("GATEWATCH_LOG", "info")
        .output()
        .unwrap();
    assert!(serde_json::from_slice::<Value>(&output.stdout).is_ok());
    assert!(String::from_utf8_lossy(&output.stderr).contains("INFO"));
}

#[test]
fn the_language_server_ends_with_its_input() {
    let project = Project::bare();
    for arguments in [&["lsp"][..], &["lsp", "--stdio"]] {
        let ran = project.run(arguments);
        assert_eq!(ran.out, "", "{arguments:?}");
        assert!(!ran.err.contains("Usage"), "{}", ran.err);
    }
}
