//! Repositories that are damaged or mean harm.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gatewatch_source::{Baseline, BaselineSpec, fingerprint};

use crate::{auto, blob, commit, git, object_file, repository, text};

#[test]
fn damaged_and_foreign_repositories_give_none_with_a_reason() {
    let damages: [fn(&Path); 6] = [
        |dir| fs::write(dir.join(".git/HEAD"), b"\xff\xff").unwrap(),
        |dir| fs::write(dir.join(".git/config"), "[core\nx = = \"").unwrap(),
        |dir| fs::write(dir.join(".git/refs/heads/main"), "zzz").unwrap(),
        |dir| fs::remove_dir_all(dir.join(".git/objects")).unwrap(),
        |dir| git_dir_is_a_file(dir, "gitdir: /nowhere/at/all"),
        |dir| git_dir_is_a_file(dir, "\u{0}nonsense"),
    ];
    for (number, damage) in damages.iter().enumerate() {
        let (dir, _) = repository();
        damage(dir.path());
        let baseline = auto(dir.path());
        assert!(baseline.is_none(), "{number}: {baseline:?}");
        assert!(!baseline.note().unwrap().is_empty());
        fingerprint(dir.path(), &BaselineSpec::Auto);
    }
    for format in ["--object-format=sha256", "--ref-format=reftable"] {
        let dir = tempfile::tempdir().unwrap();
        git(dir.path(), &["init", "-q", "-b", "main", format]);
        commit(dir.path());
        let baseline = auto(dir.path());
        assert!(baseline.is_none(), "{format}: {baseline:?}");
    }
}

fn git_dir_is_a_file(dir: &Path, text: &str) {
    fs::remove_dir_all(dir.join(".git")).unwrap();
    fs::write(dir.join(".git"), text).unwrap();
}

#[test]
fn a_damaged_blob_is_an_error() {
    use std::io::Write;
    let (dir, _) = repository();
    let baseline = auto(dir.path());
    let blob = blob(&baseline, "main.py");
    let path = object_file(dir.path(), "HEAD:main.py");
    fs::remove_file(&path).unwrap();
    for bytes in [
        b"".as_slice(),
        b"garbage",
        &[0x78, 0x9c, 0xff, 0xff, 0, 1, 2],
    ] {
        fs::File::create(&path).unwrap().write_all(bytes).unwrap();
        // Either answer will do, a panic or another file's text will not.
        assert!(!matches!(baseline.read(&blob), Ok(Some(_))));
        assert!(!baseline.same(&blob, "other\n"));
    }
}

#[cfg(unix)]
#[test]
fn the_configuration_runs_nothing() {
    let (dir, _) = repository();
    let mark = dir.path().join("ran");
    let run = format!("touch {}", mark.display());
    for key in [
        "core.fsmonitor",
        "core.sshCommand",
        "core.pager",
        "core.editor",
        "core.askPass",
        "core.alternateRefsCommand",
        "credential.helper",
        "diff.external",
        "filter.x.smudge",
        "filter.x.clean",
        "filter.x.process",
        "gpg.program",
        "remote.origin.uploadpack",
    ] {
        git(dir.path(), &["config", key, &run]);
    }
    git(
        dir.path(),
        &["config", "remote.origin.url", &format!("ext::{run}")],
    );
    git(dir.path(), &["config", "remote.origin.promisor", "true"]);
    git(dir.path(), &["config", "extensions.partialClone", "origin"]);
    fs::write(dir.path().join(".git/info/attributes"), "* filter=x\n").unwrap();
    fs::write(
        dir.path().join(".git/hooks/post-checkout"),
        format!("#!/bin/sh\n{run}\n"),
    )
    .unwrap();
    fs::remove_file(object_file_by_hand(dir.path(), "start\n")).unwrap();
    let baseline = auto(dir.path());
    assert_eq!(text(&baseline, "main.py"), None);
    assert_eq!(text(&baseline, "app/items.py").unwrap(), "one\n");
    assert!(Baseline::open(dir.path(), &BaselineSpec::Rev("origin/x".into())).is_err());
    assert!(!mark.exists());
}

/// The loose object of a text, without asking git in a repository with a hostile configuration.
#[cfg(unix)]
fn object_file_by_hand(dir: &Path, text: &str) -> PathBuf {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("x"), text).unwrap();
    let id = git(outside.path(), &["hash-object", "--no-filters", "x"]);
    dir.join(".git/objects").join(&id[..2]).join(&id[2..])
}

#[test]
fn trees_that_name_each_other_end_in_an_error() {
    let (dir, _) = repository();
    let mut tree = git(dir.path(), &["rev-parse", "HEAD^{tree}"]);
    for _ in 0..8 {
        let lines: Vec<String> = (0..64)
            .map(|name| format!("040000 tree {tree}\t{name}\n"))
            .collect();
        fs::write(dir.path().join("lines"), lines.concat()).unwrap();
        let lines = fs::File::open(dir.path().join("lines")).unwrap();
        let output = Command::new("git")
            .current_dir(dir.path())
            .arg("mktree")
            .stdin(lines)
            .output()
            .unwrap();
        tree = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    }
    let id = git(dir.path(), &["commit-tree", "-m", "bomb", &tree]);
    let baseline = Baseline::open(dir.path(), &BaselineSpec::Rev(id)).unwrap();
    let error = baseline.files(|_| true).unwrap_err();
    assert!(error.to_string().contains("more files"), "{error}");
}
