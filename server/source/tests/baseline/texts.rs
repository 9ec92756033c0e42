//! Reading and comparing texts.

use std::fs;

use gatewatch_source::BaselineError;

use crate::{auto, blob, commit, files, object_file, repository, text, write};

#[test]
fn a_missing_blob_is_no_text_and_a_missing_folder_an_error() {
    let (dir, _) = repository();
    fs::remove_file(object_file(dir.path(), "HEAD:main.py")).unwrap();
    let baseline = auto(dir.path());
    assert_eq!(files(&baseline), ["app/items.py", "main.py"]);
    assert_eq!(text(&baseline, "main.py"), None);
    assert!(
        baseline.same(&blob(&baseline, "main.py"), "start\n"),
        "the hash is enough"
    );
    assert!(!baseline.same(&blob(&baseline, "main.py"), "start\r\nx\n"));
    assert_eq!(text(&baseline, "app/items.py").unwrap(), "one\n");

    fs::remove_file(object_file(dir.path(), "HEAD:app")).unwrap();
    let baseline = auto(dir.path());
    let error = baseline.files(|_| true).unwrap_err();
    assert!(matches!(error, BaselineError::Object { .. }), "{error}");

    fs::remove_file(object_file(dir.path(), "HEAD^{tree}")).unwrap();
    let baseline = auto(dir.path());
    assert!(baseline.is_none());
    assert!(baseline.note().unwrap().contains("can't be read"));
}

#[test]
fn what_is_no_text_or_too_large() {
    let (dir, _) = repository();
    write(dir.path(), "latin.py", b"\xe4");
    write(dir.path(), "large.py", "x".repeat(100));
    commit(dir.path());
    let baseline = auto(dir.path()).with_max_bytes(99);
    assert_eq!(text(&baseline, "latin.py"), None);
    assert_eq!(text(&baseline, "large.py"), None);
    let baseline = baseline.with_max_bytes(100);
    assert_eq!(text(&baseline, "large.py").unwrap().len(), 100);
}

#[test]
fn line_ends_make_no_difference() {
    let (dir, _) = repository();
    write(dir.path(), "unix.py", "a\nb\n");
    write(dir.path(), "dos.py", "a\r\nb\r\n");
    write(dir.path(), "mixed.py", "a\r\nb\n");
    commit(dir.path());
    let baseline = auto(dir.path());
    for name in ["unix.py", "dos.py", "mixed.py"] {
        let blob = blob(&baseline, name);
        for same in ["a\nb\n", "a\r\nb\r\n", "a\r\nb\n", "a\nb\r\n"] {
            assert!(baseline.same(&blob, same), "{name} {same:?}");
        }
        for other in [
            "",
            "a\nb",
            "a\n\nb\n",
            "a\nc\n",
            "a\r\nc\r\n",
            "a\rb\r",
            "aa\nbb\n",
        ] {
            assert!(!baseline.same(&blob, other), "{name} {other:?}");
        }
    }
}

#[test]
fn a_baseline_is_read_from_many_threads() {
    fn shared<T: Send + Sync + 'static>(_: &T) {}
    let (dir, _) = repository();
    let baseline = auto(dir.path());
    shared(&baseline);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(text(&baseline, "main.py").unwrap(), "start\n"));
        }
    });
}
