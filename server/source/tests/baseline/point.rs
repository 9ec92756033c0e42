//! Which commit is chosen.

use gatewatch_source::{Baseline, BaselineError, BaselineSpec, fingerprint};

use crate::{auto, commit, files, git, repository, text, url, write};

#[test]
fn a_branch_is_compared_with_its_merge_base() {
    let (dir, base) = repository();
    git(dir.path(), &["checkout", "-q", "-b", "work"]);
    write(dir.path(), "app/items.py", "two\n");
    commit(dir.path());
    git(dir.path(), &["checkout", "-q", "main"]);
    write(dir.path(), "main.py", "moved on\n");
    commit(dir.path());
    git(dir.path(), &["checkout", "-q", "work"]);
    let baseline = auto(dir.path());
    assert_eq!(baseline.commit(), Some(base.clone()));
    assert_eq!(baseline.describe(), format!("main at {}", &base[..10]));
    assert_eq!(baseline.note(), None);
    assert_eq!(files(&baseline), ["app/items.py", "main.py"]);
    assert_eq!(text(&baseline, "app/items.py").unwrap(), "one\n");
    assert_eq!(text(&baseline, "main.py").unwrap(), "start\n");
}

#[test]
fn on_the_default_branch_it_is_head() {
    let (dir, _) = repository();
    write(dir.path(), "main.py", "later\n");
    let head = commit(dir.path());
    write(dir.path(), "main.py", "not committed\n");
    let baseline = auto(dir.path());
    assert_eq!(baseline.commit(), Some(head));
    assert_eq!(text(&baseline, "main.py").unwrap(), "later\n");
}

#[test]
fn ahead_of_the_remote_on_its_default_branch_it_is_head() {
    let (origin, first) = repository();
    git(origin.path(), &["branch", "-m", "main", "trunk"]);
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), &["clone", "-q", &url(origin.path()), "."]);
    write(dir.path(), "main.py", "not pushed\n");
    let head = commit(dir.path());
    let baseline = auto(dir.path());
    assert_eq!(baseline.commit(), Some(head.clone()));
    assert!(baseline.describe().starts_with("trunk at "));
    git(dir.path(), &["checkout", "-q", "-b", "work"]);
    let baseline = auto(dir.path());
    assert_eq!(
        baseline.commit(),
        Some(first),
        "origin/HEAD is asked before any other"
    );
    assert!(
        baseline.describe().starts_with("origin/trunk at "),
        "{}",
        baseline.describe()
    );
}

#[test]
fn a_stale_origin_head_is_passed_over() {
    let (dir, base) = repository();
    git(
        dir.path(),
        &[
            "symbolic-ref",
            "refs/remotes/origin/HEAD",
            "refs/remotes/origin/gone",
        ],
    );
    git(dir.path(), &["checkout", "-q", "-b", "work"]);
    write(dir.path(), "main.py", "x");
    commit(dir.path());
    assert_eq!(auto(dir.path()).commit(), Some(base));
}

#[test]
fn a_detached_head() {
    let (dir, base) = repository();
    git(dir.path(), &["checkout", "-q", "--detach"]);
    assert_eq!(auto(dir.path()).commit(), Some(base.clone()));
    write(dir.path(), "main.py", "x");
    commit(dir.path());
    let baseline = auto(dir.path());
    assert_eq!(baseline.commit(), Some(base));
    assert_eq!(baseline.note(), None);
}

#[test]
fn without_a_default_branch_it_is_head_with_a_note() {
    let (dir, base) = repository();
    git(dir.path(), &["branch", "-m", "main", "develop"]);
    let baseline = auto(dir.path());
    assert_eq!(baseline.commit(), Some(base.clone()));
    assert_eq!(baseline.describe(), format!("HEAD at {}", &base[..10]));
    assert!(baseline.note().unwrap().contains("no default branch"));
}

#[test]
fn unrelated_histories_give_head_with_a_note() {
    let (dir, _) = repository();
    git(dir.path(), &["checkout", "-q", "--orphan", "other"]);
    // Else it would be the very same commit if made within the same second.
    write(dir.path(), "main.py", "other\n");
    let head = commit(dir.path());
    let baseline = auto(dir.path());
    assert_eq!(baseline.commit(), Some(head));
    assert!(baseline.note().unwrap().contains("no history"));
}

#[test]
fn no_commit_and_no_repository_give_none_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let baseline = auto(dir.path());
    assert!(baseline.is_none());
    assert!(baseline.note().unwrap().contains("no git repository"));
    assert_eq!(baseline.describe(), "no baseline");
    assert!(files(&baseline).is_empty());
    git(dir.path(), &["init", "-q", "-b", "main"]);
    let baseline = auto(dir.path());
    assert!(baseline.is_none());
    assert!(baseline.note().unwrap().contains("no commit"));
}

#[test]
fn a_shallow_clone_falls_back_to_head() {
    let (origin, first) = repository();
    git(origin.path(), &["checkout", "-q", "-b", "work"]);
    write(origin.path(), "main.py", "work\n");
    let work = commit(origin.path());
    git(origin.path(), &["checkout", "-q", "main"]);
    write(origin.path(), "main.py", "moved on\n");
    let main = commit(origin.path());

    let on_main = tempfile::tempdir().unwrap();
    git(
        on_main.path(),
        &["clone", "-q", "--depth", "1", &url(origin.path()), "."],
    );
    let baseline = auto(on_main.path());
    assert_eq!((baseline.commit(), baseline.note()), (Some(main), None));

    let dir = tempfile::tempdir().unwrap();
    git(
        dir.path(),
        &[
            "clone",
            "-q",
            "--depth",
            "1",
            "--no-single-branch",
            &url(origin.path()),
            ".",
        ],
    );
    git(dir.path(), &["checkout", "-q", "work"]);
    let baseline = auto(dir.path());
    assert_eq!(baseline.commit(), Some(work));
    assert!(baseline.note().unwrap().contains("shallow"), "{baseline:?}");
    assert_eq!(text(&baseline, "main.py").unwrap(), "work\n");
    let error = Baseline::open(dir.path(), &BaselineSpec::Rev(first))
        .unwrap_err()
        .to_string();
    assert!(error.contains("shallow"), "{error}");
}

#[test]
fn a_revision_of_the_users() {
    let (dir, first) = repository();
    git(dir.path(), &["tag", "-a", "v1", "-m", "v1"]);
    write(dir.path(), "main.py", "later\n");
    let head = commit(dir.path());
    let open = |rev: &str| Baseline::open(dir.path(), &BaselineSpec::Rev(rev.into()));
    for rev in ["v1", "HEAD~1", "main^", &first, &first[..8], "HEAD@{1}"] {
        assert_eq!(open(rev).expect(rev).commit(), Some(first.clone()), "{rev}");
    }
    assert_eq!(
        open("main").unwrap().describe(),
        format!("main at {}", &head[..10])
    );
    for rev in [
        "nothing",
        "",
        " ",
        "HEAD:main.py",
        "HEAD~99",
        "v1..main",
        "-x",
        "\u{0}",
        "@{",
        ":/\u{fffd}(",
    ] {
        let error = open(rev).unwrap_err();
        assert!(
            matches!(error, BaselineError::Revision { .. }),
            "{rev}: {error}"
        );
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    let outside = tempfile::tempdir().unwrap();
    let error = Baseline::open(outside.path(), &BaselineSpec::Rev("main".into())).unwrap_err();
    assert!(
        matches!(error, BaselineError::NoRepository { .. }),
        "{error}"
    );
}

#[test]
fn the_fingerprint_moves_with_the_baseline() {
    let dir = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    let mut moved = |what: &str| {
        let now = fingerprint(dir.path(), &BaselineSpec::Auto);
        assert_eq!(now, fingerprint(dir.path(), &BaselineSpec::Auto));
        assert!(!seen.contains(&now), "{what}: {now}");
        seen.push(now);
    };
    moved("no repository");
    git(dir.path(), &["init", "-q", "-b", "main"]);
    moved("no commit");
    commit(dir.path());
    moved("first commit");
    git(dir.path(), &["checkout", "-q", "-b", "work"]);
    moved("another branch");
    write(dir.path(), "a.py", "");
    commit(dir.path());
    moved("commit on the branch");
    git(dir.path(), &["branch", "-f", "main", "work"]);
    moved("the default branch moved");
    let rev = BaselineSpec::Rev("main".into());
    let before = fingerprint(dir.path(), &rev);
    git(dir.path(), &["branch", "-f", "main", "work~1"]);
    assert_ne!(before, fingerprint(dir.path(), &rev));
}
