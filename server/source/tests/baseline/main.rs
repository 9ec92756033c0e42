//! Baselines of real repositories, made by git itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod distrust;
mod layout;
mod point;
mod texts;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gatewatch_source::{Baseline, BaselineSpec, BlobRef, FilePath};
use tempfile::TempDir;

/// Runs git with nobody's configuration and gives its output.
fn git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(dir)
        .env_remove("GIT_DIR")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args([
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b.c",
            "-c",
            "protocol.file.allow=always",
        ])
        .args(args)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn write(root: &Path, path: &str, text: impl AsRef<[u8]>) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Commits everything there is and gives the commit's id.
fn commit(dir: &Path) -> String {
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "-q", "--allow-empty", "-m", "c"]);
    git(dir, &["rev-parse", "HEAD"])
}

/// A repository on branch `main` with one commit, and the commit's id.
fn repository() -> (TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), &["init", "-q", "-b", "main"]);
    write(dir.path(), "app/items.py", "one\n");
    write(dir.path(), "main.py", "start\n");
    let id = commit(dir.path());
    (dir, id)
}

fn auto(root: &Path) -> Baseline {
    Baseline::open(root, &BaselineSpec::Auto).unwrap()
}

fn files(baseline: &Baseline) -> Vec<String> {
    baseline
        .files(|_| true)
        .unwrap()
        .keys()
        .map(ToString::to_string)
        .collect()
}

fn blob(baseline: &Baseline, path: &str) -> BlobRef {
    baseline
        .files(|file| file.as_str() == path)
        .unwrap()
        .remove(&FilePath::new(path))
        .expect(path)
}

fn text(baseline: &Baseline, path: &str) -> Option<String> {
    baseline
        .read(&blob(baseline, path))
        .unwrap()
        .map(|text| text.to_string())
}

fn url(dir: &Path) -> String {
    format!("file://{}", dir.display())
}

/// The loose object that `spec` names.
fn object_file(dir: &Path, spec: &str) -> PathBuf {
    let id = git(dir, &["rev-parse", spec]);
    dir.join(".git/objects").join(&id[..2]).join(&id[2..])
}
