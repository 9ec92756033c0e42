//! What Rust sources are lowered to: the facts of a small text per topic.

mod common;

use gatewatch_syntax::facts::Language;
use gatewatch_syntax::{Buffer, InputEdit, Point, dump_file, facts_of_text};

fn rust(name: &str, source: &str) {
    common::snapshot(&format!("rust__{name}"), Language::Rust, source);
}

#[test]
fn imports() {
    rust(
        "imports",
        r#"
use std::sync::Arc;
use tokio;
use axum::{Router, extract::{self, Path as P, State}, routing::*};
use ::serde::Deserialize;
use super::super::models::{self as m, *};
use self::inner::{self};
use crate::auth::AuthUser as _;
use {a::b, c};
pub use crate::auth::{AuthUser, require as guard};
pub(crate) use routes::*;
extern crate diesel as db;
extern crate proc_macro;
mod users;
pub mod items;
pub(crate) mod r#type;
"#,
    );
}

#[test]
fn definitions() {
    rust(
        "definitions",
        r#"
#[derive(Clone, Debug)]
pub struct Config<'a, T: Send> where T: Sync { pub name: &'a str, keys: Vec<T> }
pub(crate) struct Id(pub Uuid, String);
struct Unit;
union Both { a: u8, b: i8 }
pub enum Role { Admin, User(Id, u8), Guest { since: Date }, Other = 4 }
pub const PATHS: [&str; 2] = ["/a", "/b"];
static mut COUNT: usize = 0;
pub type Result<T> = std::result::Result<T, Error>;
macro_rules! route { ($path:expr) => { $path }; }
pub trait Guard: Send + Sync + 'static {
    type Error;
    const NAME: &'static str;
    fn check(&self, req: &Request) -> bool;
    fn name() -> String { Self::NAME.to_owned() }
}
unsafe extern "C" { fn c(); }
"#,
    );
}

#[test]
fn impls() {
    rust(
        "impls",
        r#"
struct Api { db: Db }
impl Api {
    pub const LIMIT: u8 = 3;
    pub fn new(db: Db) -> Self { Self { db } }
    pub async fn get(&self, id: u8) -> u8 { id }
    fn set(self: Arc<Self>, mut value: u8) {}
    pub(crate) const unsafe fn raw(&mut self) {}
}
impl Default for Api { fn default() -> Self { todo!() } }
impl From<Error> for Api { fn from(error: Error) -> Self { panic!("{error}") } }
impl From<io::Error> for Api { fn from(_: io::Error) -> Self { unreachable!() } }
impl<T: Guard> Layer<T> for my::layers::Auth<T> { type Service = Mw<T>; }
impl !Send for Api {}
impl Trait for &'static dyn Other {}
impl<T> Trait for [T] {}
mod inner { struct Api; impl Api { fn x() {} } impl Clone for Api { fn clone(&self) -> Self { Api } } }
"#,
    );
}

#[test]
fn modules() {
    rust(
        "modules",
        r#"
pub mod v1 {
    //! Version 1.
    use super::*;
    mod deep;
    pub fn router() -> Router { Router::new().route("/", get(list)) }
    async fn list() -> &'static str { helper() }
    mod private { pub(super) fn helper() {} }
}
"#,
    );
}

#[test]
fn test_code() {
    rust(
        "test_code",
        r#"
use a::b;
#[cfg(test)]
use a::test_only;
#[cfg(any(test, feature = "mock"))]
pub fn mock() {}
#[cfg(all(unix, test))]
mod tests;
#[cfg(not(test))]
pub fn real() {
    #[cfg(test)]
    let x = 1;
    #[cfg(test)]
    { hidden() }
    match x {
        #[cfg(test)]
        A => hidden(),
        B => shown(),
    }
}
struct S { #[cfg(test)] hidden: u8, shown: u8 }
impl S {
    #[cfg(test)]
    fn hidden() {}
    fn shown() {}
    #[tokio::test]
    async fn also_hidden() {}
}
mod inner {
    #![cfg(test)]
    fn hidden() {}
}
#[test]
fn a_test() {}
#[rstest]
#[case(1)]
fn cases() {}
#[cfg(feature = "test")]
fn feature() {}
#[cfg(test)]
mod more { #[test] fn x() {} }
"#,
    );
}

#[test]
fn test_file() {
    rust(
        "test_file",
        "// A file of tests.\n#![cfg(test)]\nuse a::b;\nfn helper() {}\n",
    );
}

#[test]
fn attributes() {
    rust(
        "attributes",
        r#"
#[get("/x/<id>?<q>", data = "<b>", rank = 2)]
/// Documentation between attribute and function.
#[utoipa::path(get, path = "/x", params(("id" = u64, Path, description = "d")),
    responses((status = 200, body = Vec<User>), (status = 401)), security(("bearer" = [])))]
#[allow(unused)]
pub async fn rocket(id: u8) {}

#[route("/x", method = "GET", method = "POST", wrap = "Auth::new(true)")]
#[endpoint { method = GET, path = "/y" }]
#[instrument(skip(self, db), fields(user = %user.id, n = 1 + 2), err)]
async fn others(#[path] id: u8, #[graphql(default = 10)] n: i32) {}

#[derive(Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default, tag = "type")]
#[doc = "hidden"]
struct Body {
    #[validate(email, length(min = 1, max = 10), custom(function = "check::it"))]
    email: String,
    #[serde(skip)]
    #[doc(hidden)]
    secret: Option<String>,
}
struct Tuple(#[serde(rename = "x")] u8, u8);
enum E { #[error("no {0}")] A(u8), #[from] B }

#[Object]
#[server(prefix = "/api", endpoint = concat!("a", "b"))]
impl Query {
    #[graphql(guard = "RoleGuard::new(Role::Admin).and(Other)", visible = "f")]
    async fn users(&self, ctx: &Context<'_>) -> Vec<User> { vec![] }
    #[oai(path = "/x", method = "get", tag = ApiTags::User, transform = add(1)?.x[0])]
    async fn y(&self) {}
}
#[path = "other.rs"]
mod moved;
#[command(about, long_about = None)]
fn bare() {}
"#,
    );
}

#[test]
fn types() {
    rust(
        "types",
        r#"
fn f<'a, T>(
    a: &'a str,
    b: &mut Vec<Option<T>>,
    c: Box<dyn Fn(Request, &str) -> Response + Send + 'static>,
    d: impl Filter<Extract = (impl Reply,), Error = Rejection> + Clone,
    e: fn(u8) -> bool,
    f: [u8; 4],
    g: &[T],
    h: (u8, String),
    i: <T as Trait>::Output,
    j: Cow<'a, str>,
    k: Context<'_>,
    l: *const u8,
    m: std::collections::HashMap<String, axum::Json<T>>,
    n: T::Rejection,
    o: (),
    p: Foo<T>::Bar,
    q: impl for<'b> Fn(&'b T),
    r: Matrix<3, { N + 1 }>,
) -> ! {
    loop {}
}
"#,
    );
}

#[test]
fn patterns() {
    rust(
        "patterns",
        r#"
fn f() {
    let (a, mut b, _) = t;
    let [first, .., last] = list;
    let User { name, email: Some(mail), ref age, .. } = user;
    let Wrapper(inner, ..) = w;
    let ref x = y;
    match v {
        1 | 2 | -3 => {}
        4..=6 | 7.. => {}
        'c' | "s" | true => {}
        n @ Some(_) => {}
        &Foo::Bar => {}
        Foo::Baz { x: 1, .. } if ok && x > 1 => {}
        Some(Err(e)) | Ok(Some(e)) => {}
        path::CONST => {}
        (_, []) => {}
        _ => {}
    }
}
"#,
    );
}

#[test]
fn values_of_blocks() {
    rust(
        "values_of_blocks",
        r#"
fn a(x: u8) -> u8 {
    if x == 1 { one() } else if x == 2 { two(); 2 } else { return 3 }
}
fn b(x: u8) -> u8 {
    if x == 1 { one() } else { two() }
    match x { 1 => one(), _ => { two() } }
    { nested() }
    unsafe { inner() }
}
fn c(x: u8) -> u8 {
    let y = if let Some(z) = x { z } else { return 0 };
    let w = match y { 1 => "a", 2 => { f(); "b" } _ => return 5, };
    let v = { let t = 1; t + 1 };
    let u = loop { break v };
    let s = unsafe { raw() };
    g(if w { 1 } else { 2 }, match v { A => 1, B => panic!("no") });
    match u { 1 => Ok(()), _ => Err(w)? }
}
fn d() {
    statement();
}
fn e() { last_call!(1) }
fn f() -> u8 { 'label: { break 'label 1; } }
fn g() -> impl Future { async move { work().await } }
"#,
    );
}

#[test]
fn let_else_and_chains() {
    rust(
        "let_else_and_chains",
        r#"
fn f() -> Result<()> {
    let Some(user) = session.user() else { return Err(Denied) };
    let Ok(Claims { sub, .. }): Result<Claims, _> = decode(token) else {
        warn!("bad");
        bail!("denied");
    };
    let late;
    let number: u32 = text.parse()?;
    late = number;
    self.count += 1;
    user.name = String::new();
    if let Some(a) = x && let Ok(b) = a.get() && b.allowed() || c { go() }
    if let Role::Admin | Role::Root = user.role {} else if !user.active { return Ok(()) }
    while let Some(job) = queue.pop() && !done { run(job)?; }
    Ok(())
}
"#,
    );
}

#[test]
fn loops() {
    rust(
        "loops",
        r#"
fn f() {
    for (path, handler) in ROUTES.iter().copied() {
        router = router.route(path, handler);
    }
    'outer: for i in 0..10 { for _ in ..=i { continue 'outer; } }
    while running() { tick() }
    loop { if done { break; } }
}
"#,
    );
}

#[test]
fn closures() {
    rust(
        "closures",
        r#"
fn f() {
    let check = |user: &User, n| -> bool { user.ok(n) };
    let later = move || async move { work().await };
    let x: Box<dyn Fn()> = Box::new(async |a| a.await);
    list.iter().map(|(a, _)| a + 1).filter(|x| match x { 1 => true, _ => false });
    run(|| return_early()?, |_| ());
    app.route("/", get(|State(s): State<S>| async move { s.name }));
    nested(|a| move |b| a(b));
}
static LAZY: Lazy<Regex> = Lazy::new(|| Regex::new(r"^\d+$").unwrap());
"#,
    );
}

#[test]
fn expressions() {
    rust(
        "expressions",
        r##"
fn f() {
    a::b::<T>::c(x, y);
    Vec::<u8>::with_capacity(3);
    <T as Trait>::call(self);
    self.inner.0.poll(cx)[i + 1].field = &mut *other;
    let p = Point { x: 1, y, ..Default::default() };
    let q = path::Point::<f32> { x: 0.5, 0: 2 };
    !a && (b || c) == -d;
    x as u8 as char;
    [1, 2, 3]; [0; 16]; (1,); (a, b); ();
    a..b; ..; 1..=2; ..x;
    future.await?.thing?;
    req.extensions().get::<Claims>().is_some();
    items.collect::<Result<Vec<_>, Error>>()?;
    x |= y | z;
    true as bool;
    union.default.gen;
}
"##,
    );
}

#[test]
fn strings() {
    rust(
        "strings",
        r####"
fn f() {
    "plain"; "tab\t \"quoted\" \\ \x41 \u{1F600} \n";
    "joined \
        line";
    r"raw \n"; r#"a "b" c"#; b"bytes"; br"raw bytes"; c"c string";
    'c'; '\''; '\n'; b'x'; '\u{41}';
    1_000u64; 0xff; 1.5e3; -1;
}
"####,
    );
}

#[test]
fn format_macros() {
    rust(
        "format_macros",
        r#"
fn f() {
    format!("plain {{braces}}");
    format!("{}/v1", PREFIX);
    format!("{base}/{id:?}/{0}/{}/{name:>8}", first(), name = other.name);
    format!("{missing} {}");
    format!(concat!("/a", "{}"), x);
    concat!("/api", "/v1", env!("X"));
    println!("{0} {1}", a, b);
    info!(target: "auth", user = %user.id, ?role, "login of {email} as {}", name);
    warn!("plain");
    error!(%error, "failed");
    bail!("no user {id}");
    ensure!(user.is_admin(), Error::Denied { user });
    return Err(anyhow!("x {x}"));
}
"#,
    );
}

#[test]
fn macros() {
    rust(
        "macros",
        r#"
fn f() -> Result<()> {
    let list = vec![get_x, a::b, "s", f(1)?];
    let zeros = vec![0u8; 16];
    rocket::build().mount("/api", routes![users::list, items::get]);
    login_required!(Backend, login_url = "/login");
    permission_required!(Backend, "items.write", "items.read",);
    if !matches!(user.role, Role::Admin | Role::Owner { .. } if user.active) { return Err(Denied); }
    assert!(user.ok(), "no {user}");
    assert_eq!(a.len(), 2 + 2);
    debug_assert_ne!(a, b);
    tokio::join!(a(), b.c(d).await);
    let body = json!({"id": id, "user": {"name": user.name, "tags": [1, null, x.y()]}, key: 1, (k): 2});
    json!([1, {"a": 2}]);
    sqlx::query!("select 1 where id = $1", *id, &name as &str, |x| x + 1);
    warp::path!("items" / u32 / String).and(warp::get());
    dbg!(x)[0] = y!{z};
    cfg!(test);
    own!(a b c => d, ok);
    own!(HashMap<A, B>, Vec<u8>, x < y, fn x());
    own![&x, &mut y, *z, !ok, -1, (1, 2), [a, b], (), _, self.x, crate::y, nested!(1)];
    html! { <div class={x}>{ y }</div> };
    quote! { fn #name() { #body } };
    todo!()
}
"#,
    );
}

#[test]
fn macros_with_blocks() {
    rust(
        "macros_with_blocks",
        r#"
lazy_static! {
    static ref RE: Regex = Regex::new("x").unwrap();
    pub static ref KEYS: Keys = { load() };
}
thread_local! { static DEPTH: Cell<u8> = Cell::new(0) }
cfg_if::cfg_if! {
    if #[cfg(test)] { fn hidden() {} } else if #[cfg(unix)] { fn unix() {} } else { fn other() {} }
}
pin_project! { pub struct Future { #[pin] inner: F } }
cfg_admin! { mod admin; pub use admin::router; }
routes! { get "/x" => handler }

async fn f() -> Result<()> {
    tokio::select! {
        biased;
        _ = shutdown.recv() => return Ok(()),
        Some(job) = queue.next(), if !paused => { handle(job).await?; }
        result = server => result?,
        else => {}
    }
    let first = select! { a = one() => a, b = two() => b + 1 };
    let stream = try_stream! { for item in list { yield item?; } };
    tokio::spawn(async move { if stop { return; } run().await });
    Ok(())
}
"#,
    );
}

#[test]
fn notes() {
    rust(
        "notes",
        r#"
//! gatewatch: file note
// gatewatch: public
#[get("/")]
fn index() {}
fn f() {
    // an ordinary comment
    // gatewatch: sanitizes path
    let x = clean(y);
    /* gatewatch: block */
    g() // gatewatch: behind
}
impl S {
    // gatewatch: guard
    fn check(&self) {}
}
"#,
    );
}

#[test]
fn ids() {
    rust(
        "ids",
        r#"
#[cfg(feature = "a")]
fn twice() { fn inner() {} |x| x }
#[cfg(not(feature = "a"))]
fn twice() { fn inner() {} fn inner() {} (|| 1, || || 2) }
struct Twice;
impl Twice { fn twice() {} fn twice() {} }
impl Twice { fn twice() {} }
mod twice_mod { fn twice() {} }
"#,
    );
}

#[test]
fn broken_code_keeps_its_neighbours() {
    rust(
        "broken",
        r#"
fn before() { one() }
fn broken( { two(; }
fn after() { three() }
"#,
    );
}

/// The depth of a chain is no depth of nesting: a router of many routes keeps its head.
#[test]
fn long_chains_keep_their_head() {
    let routes: String = (0..190)
        .map(|index| format!(".route(\"/{index}\", get(h{index}))"))
        .collect();
    let source = format!("fn router() -> Router {{ Router::new(){routes} }}");
    let (facts, _) = facts_of_text(Language::Rust, &source);
    let dump = dump_file(&facts);
    assert!(dump.contains("call(attr(Router, new))"), "{dump}");
    assert!(dump.contains("\"/189\""), "{dump}");
}

/// Whatever nests without end is cut off, and the facts around it stay.
#[test]
fn endless_nesting_is_cut_off() {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(3000), close.repeat(3000));
    for nested in [
        deep("(", ")"),
        deep("{", "}"),
        deep("a!(", ")"),
        deep("a!(|x| ", ")"),
        deep("!", ""),
        deep("1 + ", ""),
        deep("json!([", "])"),
        deep("|x| ", ""),
        deep("if a {} else ", ""),
        deep("a::", ""),
        deep("select!{ a = ", " => b }"),
        format!("a!({}x)", "!".repeat(3000)),
    ] {
        let source = format!("fn before() {{}}\nfn f() {{ let x = {nested}; }}\nfn after() {{}}\n");
        let (facts, _) = facts_of_text(Language::Rust, &source);
        let dump = dump_file(&facts);
        assert!(dump.contains("fn<before>"), "{source:.60}");
    }
    let branches = format!("fn f() {{ if a {{}} {} }}", "else if b {} ".repeat(3000));
    let (facts, _) = facts_of_text(Language::Rust, &branches);
    assert!(dump_file(&facts).contains("fn<f>"));
}

/// An edit as an editor sends it: the one place where `to` differs from `from`.
fn edited(buffer: &Buffer, from: &str, to: &str) -> Option<Buffer> {
    let start = from
        .bytes()
        .zip(to.bytes())
        .take_while(|(a, b)| a == b)
        .count();
    let end = from[start..]
        .bytes()
        .rev()
        .zip(to[start..].bytes().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let point = |text: &str, at: usize| {
        let before = &text[..at];
        let row = before.matches('\n').count();
        Point::new(row, at - before.rfind('\n').map_or(0, |line| line + 1))
    };
    let (old_end, new_end) = (from.len() - end, to.len() - end);
    let edit = InputEdit {
        start_byte: start,
        old_end_byte: old_end,
        new_end_byte: new_end,
        start_position: point(from, start),
        old_end_position: point(from, old_end),
        new_end_position: point(to, new_end),
    };
    buffer.edit(to, &[edit])
}

/// While a definition is half-typed it keeps the facts of its last sound text, and so do all others.
#[test]
fn half_typed_code_keeps_its_facts() {
    let sound = "struct User { id: u8 }\n\nimpl User {\n    fn ok(&self) -> bool { self.id == 1 }\n}\n\nfn last() { done() }\n";
    let first = Buffer::open(Language::Rust, sound).expect("a buffer");
    let facts = dump_file(first.facts());
    for (old, new) in [
        ("self.id == 1", "self.id == 1 && self."),
        ("self.id == 1", "(self.id == 1"),
        ("struct User { id: u8 }", "struct User { id: u8, name: }"),
        ("struct User { id: u8 }", "struct User { id: u8"),
        ("impl User {", "impl User"),
        ("fn last() {", "fn last( {"),
        ("done()", "done(\""),
    ] {
        let text = sound.replacen(old, new, 1);
        let buffer = edited(&first, sound, &text).expect("a buffer");
        assert!(buffer.has_error(), "{text}");
        assert_eq!(dump_file(buffer.facts()), facts, "{text}");
        let back = edited(&buffer, &text, sound).expect("a buffer");
        assert_eq!(dump_file(back.facts()), facts);
    }
}
