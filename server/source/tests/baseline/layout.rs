//! Where the objects and the files of a repository can be.

use std::fs;
use std::path::Path;

use gatewatch_source::{Baseline, BaselineError, BaselineSpec};

use crate::{auto, blob, commit, files, git, repository, text, url, write};

#[test]
fn packed_objects_and_refs() {
    let (dir, base) = repository();
    for number in 0..20 {
        write(
            dir.path(),
            "main.py",
            format!("{}{number}\n", "line\n".repeat(50)),
        );
        commit(dir.path());
    }
    let head = commit(dir.path());
    git(dir.path(), &["gc", "-q", "--aggressive", "--prune=now"]);
    git(dir.path(), &["commit-graph", "write", "--reachable"]);
    assert!(!dir.path().join(".git/refs/heads/main").exists());
    let baseline = auto(dir.path());
    assert_eq!(baseline.commit(), Some(head));
    assert!(text(&baseline, "main.py").unwrap().ends_with("19\n"));
    git(dir.path(), &["checkout", "-q", "-b", "work", &base]);
    assert_eq!(auto(dir.path()).commit(), Some(base));
}

#[test]
fn packing_while_open_is_noticed() {
    let (dir, _) = repository();
    let baseline = auto(dir.path());
    let blob = blob(&baseline, "main.py");
    git(dir.path(), &["gc", "-q", "--prune=now"]);
    assert_eq!(baseline.read(&blob).unwrap().as_deref(), Some("start\n"));
}

#[test]
fn a_linked_worktree_also_of_a_bare_repository() {
    let (dir, base) = repository();
    let place = tempfile::tempdir().unwrap();
    let linked = place.path().join("linked");
    git(
        dir.path(),
        &[
            "worktree",
            "add",
            "-q",
            "-b",
            "work",
            linked.to_str().unwrap(),
        ],
    );
    write(&linked, "main.py", "changed\n");
    commit(&linked);
    let baseline = auto(&linked.join("app"));
    assert_eq!(baseline.commit(), Some(base.clone()));
    assert_eq!(files(&baseline), ["items.py"]);

    let bare = place.path().join("bare.git");
    git(
        place.path(),
        &[
            "clone",
            "-q",
            "--bare",
            &url(dir.path()),
            bare.to_str().unwrap(),
        ],
    );
    assert!(auto(&bare).is_none());
    let of_bare = place.path().join("of-bare");
    git(
        &bare,
        &[
            "worktree",
            "add",
            "-q",
            "-b",
            "more",
            of_bare.to_str().unwrap(),
            "main",
        ],
    );
    write(&of_bare, "main.py", "changed\n");
    commit(&of_bare);
    assert_eq!(auto(&of_bare).commit(), Some(base));
}

#[test]
fn a_subfolder_sees_its_own_files_only() {
    let (dir, _) = repository();
    let baseline = auto(&dir.path().join("app"));
    assert_eq!(files(&baseline), ["items.py"]);
    assert_eq!(text(&baseline, "items.py").unwrap(), "one\n");
    fs::create_dir_all(dir.path().join("new/folder")).unwrap();
    let baseline = auto(&dir.path().join("new/folder"));
    assert!(files(&baseline).is_empty());
    assert!(baseline.note().unwrap().contains("`new/folder`"));
}

#[cfg(unix)]
#[test]
fn a_root_behind_a_link() {
    let (dir, base) = repository();
    let place = tempfile::tempdir().unwrap();
    let link = place.path().join("link");
    std::os::unix::fs::symlink(dir.path().join("app"), &link).unwrap();
    let baseline = auto(&link);
    assert_eq!(baseline.commit(), Some(base));
    assert_eq!(files(&baseline), ["items.py"]);
}

#[cfg(unix)]
#[test]
fn submodules_links_hidden_and_foreign_files_are_left_out() {
    let (inner, inner_base) = repository();
    let (dir, _) = repository();
    git(
        dir.path(),
        &["submodule", "--quiet", "add", &url(inner.path()), "lib"],
    );
    std::os::unix::fs::symlink("main.py", dir.path().join("link.py")).unwrap();
    std::os::unix::fs::symlink("/etc", dir.path().join("etc")).unwrap();
    write(dir.path(), "node_modules/x/index.js", "");
    write(dir.path(), ".github/x.yml", "");
    commit(dir.path());
    let baseline = auto(dir.path());
    assert_eq!(files(&baseline), ["app/items.py", "main.py"]);
    let inside = auto(&dir.path().join("lib"));
    assert_eq!(
        inside.commit(),
        Some(inner_base),
        "a submodule as root is its own repository"
    );
    assert_eq!(files(&inside), ["app/items.py", "main.py"]);
}

#[test]
fn another_folder() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a/b.py", "b\r\n");
    write(dir.path(), "c.py", "c");
    write(dir.path(), "node_modules/d.py", "d");
    let spec = BaselineSpec::Dir(dir.path().into());
    let baseline = Baseline::open(Path::new("/"), &spec).unwrap();
    assert_eq!(files(&baseline), ["a/b.py", "c.py"]);
    assert_eq!(text(&baseline, "a/b.py").unwrap(), "b\r\n");
    assert!(baseline.same(&blob(&baseline, "a/b.py"), "b\n"));
    assert!(!baseline.same(&blob(&baseline, "c.py"), "b\n"));
    let blob = blob(&baseline, "c.py");
    fs::remove_file(dir.path().join("c.py")).unwrap();
    assert_eq!(baseline.read(&blob).unwrap(), None);
    for missing in ["nothing", "a/b.py"] {
        let spec = BaselineSpec::Dir(dir.path().join(missing));
        let error = Baseline::open(Path::new("/"), &spec).unwrap_err();
        assert!(matches!(error, BaselineError::Folder { .. }), "{error}");
    }
}
