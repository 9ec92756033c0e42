//! Walking real folders.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::Path;

use gatewatch_source::{FilePath, Skipped, Walk, WalkOptions, read_one, walk};
use tempfile::TempDir;

fn tree(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(root.path(), path, text);
    }
    root
}

fn write(root: &Path, path: &str, text: impl AsRef<[u8]>) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn python() -> WalkOptions {
    WalkOptions {
        extensions: vec!["py".into()],
        ..WalkOptions::default()
    }
}

fn paths(walk: &Walk) -> Vec<&str> {
    walk.files.iter().map(|(path, _)| path.as_str()).collect()
}

fn skipped(walk: &Walk) -> Vec<&str> {
    walk.skipped
        .iter()
        .map(|skipped| skipped.file.as_str())
        .collect()
}

#[test]
fn what_is_read_and_in_which_order() {
    let root = tree(&[
        ("b.py", "b"),
        ("a/z.py", "z"),
        ("a.py", "a"),
        ("a-b/c.py", "c"),
        ("Dockerfile", "FROM x"),
        ("readme.md", ""),
        (".hidden.py", ""),
        (".github/x.py", ""),
        ("node_modules/x/y.py", ""),
        ("deep/venv/lib/y.py", ""),
        ("build/kept.py", ""),
    ]);
    let walk = walk(
        root.path(),
        &WalkOptions {
            names: vec!["Dockerfile".into()],
            ..python()
        },
    );
    assert_eq!(
        paths(&walk),
        [
            "Dockerfile",
            "a-b/c.py",
            "a.py",
            "a/z.py",
            "b.py",
            "build/kept.py"
        ]
    );
    assert_eq!(&*walk.files[3].1.get(), "z");
    assert!(walk.skipped.is_empty());
}

#[test]
fn gitignore_counts_without_a_repository() {
    let root = tree(&[
        (".gitignore", "build/\n*.gen.py\n!keep.gen.py\n"),
        ("build/x.py", ""),
        ("a.gen.py", ""),
        ("keep.gen.py", ""),
        ("sub/.gitignore", "/x.py"),
        ("sub/x.py", ""),
        ("sub/sub/x.py", ""),
        (".ignore", "*"),
    ]);
    assert_eq!(
        paths(&walk(root.path(), &python())),
        ["keep.gen.py", "sub/sub/x.py"]
    );
}

#[test]
fn gitignore_above_counts_inside_a_repository_only() {
    let root = tree(&[(".gitignore", "*.py"), ("sub/a.py", "")]);
    assert_eq!(paths(&walk(&root.path().join("sub"), &python())), ["a.py"]);
    fs::create_dir(root.path().join(".git")).unwrap();
    assert!(paths(&walk(&root.path().join("sub"), &python())).is_empty());
}

#[test]
fn what_cannot_be_read_is_named() {
    let root = tree(&[("big.py", "0123456789"), ("ok.py", "\u{feff}x = 1")]);
    write(root.path(), "latin.py", b"\xe4");
    write(root.path(), "binary.md", b"\xff\x00");
    let walk = walk(
        root.path(),
        &WalkOptions {
            max_bytes: 9,
            ..python()
        },
    );
    assert_eq!(paths(&walk), ["ok.py"]);
    assert_eq!(
        &*walk.files[0].1.get(),
        "\u{feff}x = 1",
        "a byte order mark stays, or offsets would be wrong"
    );
    assert_eq!(skipped(&walk), ["big.py", "latin.py"]);
    assert!(walk.skipped[0].why.contains("limit of 9"));
}

#[test]
fn a_missing_root_and_a_broken_pattern_are_named() {
    let root = tree(&[("a.py", "")]);
    let options = WalkOptions {
        exclude: vec!["{".into()],
        ..python()
    };
    assert_eq!(skipped(&walk(root.path(), &options)), [""]);
    assert_eq!(
        skipped(&walk(&root.path().join("nothing"), &python())),
        [""]
    );
}

#[test]
fn excluded_paths() {
    let root = tree(&[
        ("a/x.py", ""),
        ("b/a/x.py", ""),
        ("tests/t.py", ""),
        ("c.py", ""),
    ]);
    let options = WalkOptions {
        exclude: vec!["/a".into(), "tests/**".into()],
        ..python()
    };
    assert_eq!(paths(&walk(root.path(), &options)), ["b/a/x.py", "c.py"]);
}

#[cfg(unix)]
#[test]
fn links_and_pipes_are_passed_over() {
    use std::os::unix::fs::symlink;
    let outside = tree(&[("secret.py", "s"), ("d/x.py", "x")]);
    let root = tree(&[("real/a.py", "a")]);
    let at = |path: &str| root.path().join(path);
    symlink(outside.path().join("secret.py"), at("out.py")).unwrap();
    symlink(outside.path().join("d"), at("folder")).unwrap();
    symlink(at("real/a.py"), at("in.py")).unwrap();
    symlink(root.path(), at("loop")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(at("pipe.py"))
        .status()
        .unwrap();
    assert!(made.success());
    let found = walk(root.path(), &python());
    assert_eq!(paths(&found), ["real/a.py"]);
    assert!(found.skipped.is_empty());
    for path in [
        "out.py",
        "in.py",
        "folder/x.py",
        "loop/real/a.py",
        "pipe.py",
        "real",
    ] {
        let error = read_one(root.path(), &path.into(), 100).unwrap_err();
        assert!(!error.is_gone(), "{path}: {error}");
    }
    let linked = tempfile::tempdir().unwrap();
    symlink(root.path(), linked.path().join("root")).unwrap();
    assert_eq!(
        paths(&walk(&linked.path().join("root"), &python())),
        ["real/a.py"],
        "the root may be a link"
    );
}

#[cfg(unix)]
#[test]
fn odd_names_are_named_only_if_wanted() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let root = tree(&[("a\\b.py", ""), ("a\\b.md", "")]);
    fs::write(root.path().join(OsStr::from_bytes(b"\xff.py")), "").unwrap();
    let found = walk(root.path(), &python());
    assert!(paths(&found).is_empty());
    assert_eq!(skipped(&found), ["a/b.py", "\u{fffd}.py"]);
}

#[test]
fn one_file() {
    let root = tree(&[("a/b.py", "text")]);
    assert_eq!(
        &*read_one(root.path(), &"a/b.py".into(), 4).unwrap(),
        "text"
    );
    assert!(read_one(root.path(), &"a/b.py".into(), 3).is_err());
    for gone in ["a/c.py", "x/y/z.py", "a/b.py/c"] {
        assert!(
            read_one(root.path(), &gone.into(), 9)
                .unwrap_err()
                .is_gone(),
            "{gone}"
        );
    }
    let error: Skipped = read_one(root.path(), &"".into(), 9).unwrap_err();
    assert_eq!(error.file, FilePath::new(""));
}

#[test]
fn tracked_files_that_gitignore_names_can_be_included() {
    let root = tree(&[
        (".gitignore", "gen.py"),
        ("a.py", "a"),
        ("gen.py", "g"),
        ("z.py", "z"),
    ]);
    let mut found = walk(root.path(), &python());
    assert_eq!(paths(&found), ["a.py", "z.py"]);
    let baseline: Vec<FilePath> = ["a.py", "deleted.py", "gen.py"]
        .map(FilePath::from)
        .to_vec();
    found.include(root.path(), &baseline, 100);
    assert_eq!(paths(&found), ["a.py", "gen.py", "z.py"]);
    assert!(found.skipped.is_empty());
}
