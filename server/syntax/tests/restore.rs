//! Parts of an earlier text come back, and what else was changed stays.

#![allow(clippy::unwrap_used)]

use gatewatch_source::{Database, FilePath, SourceFile};
use gatewatch_syntax::{Part, Reading, Span, Wanted, restore};

/// What `now` becomes when `wanted` of `was` comes back.
fn restored(name: &str, was: &str, now: &str, wanted: &str, core: Option<&str>) -> Option<String> {
    let db = Database::default();
    let file = |text: &str| SourceFile::frozen(&db, FilePath::new(name), text);
    let start = was.find(wanted).unwrap();
    let wanted = Wanted {
        spans: vec![Span {
            start: u32::try_from(start).unwrap(),
            end: u32::try_from(start + wanted.len()).unwrap(),
        }],
        core: core.map(str::to_owned),
        ..Wanted::default()
    };
    let part = |text: &str| Part {
        file: file(text),
        span: None,
    };
    let edits = restore(&Reading::new(&db), part(was), part(now), &wanted)?;
    let mut text = now.to_owned();
    for (span, new) in edits.iter().rev() {
        text.replace_range(span.range(), new);
    }
    Some(text)
}

#[test]
fn a_parameter_comes_back_beside_new_ones() {
    let was = "def read(id: int, user: User = Depends(me), q: str = \"\"):\n    return id\n";
    let now = "def read(id: int, page: int = 1):\n    log(id)\n    return id\n";
    let after = restored("a.py", was, now, "user: User = Depends(me)", Some("me")).unwrap();
    assert_eq!(
        after,
        "def read(id: int, user: User = Depends(me), page: int = 1):\n    log(id)\n    return id\n"
    );
}

#[test]
fn another_guard_in_its_place_stays() {
    let was = "app.get('/a', auth, list);\n";
    let now = "app.get('/a', limit, list);\n";
    let after = restored("a.js", was, now, "auth", Some("auth")).unwrap();
    assert_eq!(after, "app.get('/a', auth, limit, list);\n");
}

#[test]
fn a_link_comes_back_where_it_was() {
    let was = "fn f() -> Router {\n    Router::new()\n        .route(\"/a\", get(a))\n        .layer(from_fn(auth))\n        .route(\"/open\", get(open))\n}\n";
    let now = "fn f() -> Router {\n    Router::new()\n        .route(\"/a\", get(a).post(b))\n        .route(\"/open\", get(open))\n}\n";
    let after = restored("a.rs", was, now, "from_fn(auth)", Some("auth")).unwrap();
    assert_eq!(
        after,
        "fn f() -> Router {\n    Router::new()\n        .route(\"/a\", get(a).post(b))\n        .layer(from_fn(auth))\n        .route(\"/open\", get(open))\n}\n"
    );
}

#[test]
fn what_was_moved_goes_back_and_the_rest_stays() {
    let was = "app.use(auth);\n\napp.get('/a', a);\napp.get('/b', b);\n";
    let now = "app.get('/a', a2);\napp.get('/c', c);\napp.get('/b', b);\napp.use(auth);\n";
    let after = restored("a.js", was, now, "auth", Some("auth")).unwrap();
    assert_eq!(
        after,
        "app.use(auth);\n\napp.get('/a', a2);\napp.get('/c', c);\napp.get('/b', b);\n"
    );
}

#[test]
fn a_wrapper_goes_around_what_is_there_now() {
    let was = "app.get('/a', guarded((req, res) => res.json(1)));\n";
    let now = "app.get('/a', (req, res) => res.json(1));\n";
    let after = restored(
        "a.js",
        was,
        now,
        "guarded((req, res) => res.json(1))",
        Some("guarded"),
    );
    assert_eq!(after.unwrap(), was);
}

#[test]
fn nothing_is_offered_where_nothing_is_missing() {
    let text = "@login_required\ndef a():\n    return 1\n";
    assert_eq!(restored("a.py", text, text, "login_required", None), None);
}

#[test]
fn a_function_that_is_gone_does_not_come_back_for_a_part_of_it() {
    let was = "def a(user=Depends(me)):\n    return 1\n";
    let now = "def unlike(x):\n    for y in x:\n        print(y)\n";
    assert_eq!(
        restored("a.py", was, now, "user=Depends(me)", Some("me")),
        None
    );
}

#[test]
fn a_decorator_keeps_the_depth_of_its_function() {
    let was =
        "class A:\n    @route(\"/a\")\n    @login_required\n    def get(self):\n        return 1\n";
    let now = "if x:\n    class A:\n        @route(\"/a\")\n        def get(self):\n            return 2\n";
    let after = restored("a.py", was, now, "login_required", Some("login_required"));
    // The class is inside of something else now: nothing is known of that.
    assert_eq!(after, None);
    let now = "class A:\n    @route(\"/a\")\n    def get(self):\n        return 2\n";
    let after = restored("a.py", was, now, "login_required", Some("login_required")).unwrap();
    assert_eq!(
        after,
        "class A:\n    @route(\"/a\")\n    @login_required\n    def get(self):\n        return 2\n"
    );
}
