//! Facts of an open buffer, edit by edit, are those of its text, and no text makes the reader panic.

use gatewatch_syntax::facts::Language;
use gatewatch_syntax::{Buffer, InputEdit, Point, dump_file, facts_of_text};
use proptest::prelude::*;

const PYTHON: &str = r#"import os
from fastapi import APIRouter, Depends as D

router = APIRouter(prefix="/items")
LIMIT = 10


def current_user(token: str = D(oauth2)) -> User:
    user = users.get(token)
    if user is None:
        raise HTTPException(401)
    return user


@router.get("/{id}", dependencies=[D(current_user)])
async def read(id: int, q: str | None = None):
    items = [item for item in await load(id) if item.owner == q]
    try:
        with open(f"/data/{id}") as file:
            return file.read()
    except (OSError, ValueError) as error:
        log.warning("no %s", error)
    return {"items": items, **extra}


class Items(View):
    permission_classes = [IsAuthenticated]

    def get(self, request):
        return self.queryset.filter(owner=request.user)

    @action(detail=True)
    def publish(self, request, pk=None):
        key = lambda item: item.name
        return sorted(self.items, key=key)


# gatewatch: public
@router.post("/")
def create(item: Item, user=D(current_user)):
    match item.kind:
        case "a" | "b":
            save(item)
        case _:
            pass
    for index in range(LIMIT):
        item.tags += [index]
"#;

const TYPESCRIPT: &str = r#"import express, { Router } from "express";
import type { Request } from "express";
const { requireUser } = require("./auth");

export const router = Router();
// gatewatch: public
router.get("/health", (req, res) => res.send("ok"));

router.get("/items/:id", requireUser, async (req: Request<{ id: string }>, res) => {
  const item = await db.items.find(req.params.id);
  if (!item) {
    return res.status(404).end();
  } else if (item.owner !== req.user.id) {
    throw new Forbidden(`not ${item.owner}`);
  }
  res.json({ ...item, tags: item.tags.map((tag) => tag.name) });
});

@Controller("items")
export class Items extends Base<Item> {
  private readonly store = new Map<string, Item>();
  constructor(private readonly users: Users) { super() }
  @Get(":id")
  @UseGuards(AuthGuard)
  async get(@Param("id") id: string): Promise<Item> {
    switch (id) {
      case "a":
        return this.store.get(id)!;
      default:
        break;
    }
    for (const [key, value] of this.store) log(key, value);
  }
}

export default function create() {
  const app = express();
  app.use("/api", router);
  try {
    app.listen(3000);
  } catch (error) {
    console.error(error);
  }
  return app;
}
"#;

const TSX: &str = r#"const express = require('express');
const app = module.exports = express();
let count = 0;

function guard(role) {
  return (req, res, next) => {
    if (req.user && req.user.role === role) return next();
    res.status(403).end();
  };
}

app.use(guard('admin'), (req, res, next) => { count += 1; next(); });
exports.page = async function ({ user }) {
  return <Layout title="x" {...user}><b>{user.name}</b></Layout>;
};
app.get(`/v${version}/x`, exports.page);
export const actions = { default: async (event) => { await save(event) } };
export { guard as default };
"#;

const RUST: &str = r##"//! Items.
use axum::{Router, extract::{Path, State}, routing::{get, post as p}};
pub use crate::auth::AuthUser;
mod users;

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item { #[validate(length(min = 1))] pub name: String, owner: Uuid }

// gatewatch: public
#[utoipa::path(get, path = "/items/{id}", responses((status = 200, body = Item)))]
pub async fn read(State(db): State<Db>, Path(id): Path<u32>, user: Option<AuthUser>) -> Result<Json<Item>> {
    let Some(user) = user else { return Err(Denied) };
    let item = sqlx::query_as!(Item, "select * from items where id = $1", id).fetch_one(&db).await?;
    let kind = match item.kind { Kind::A | Kind::B if user.admin => "a", _ => return Err(NotFound) };
    if item.owner != user.id && !matches!(user.role, Role::Admin) {
        warn!(target: "auth", user = %user.id, "denied {kind}");
        bail!("no {}", item.name);
    } else if let Some(x) = item.x { run(|y| y + x) }
    Ok(Json(json!({"id": id, "tags": [1, format!("{kind}/{}", item.name)]})))
}

impl<S: Sync> FromRequestParts<S> for AuthUser {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let token = parts.headers.get("x").ok_or_else(|| Error::Missing)?;
        let name = r#"a "b" c"#;
        Ok(Self { id: decode::<Claims>(token)?, name, ..Default::default() })
    }
}

macro_rules! own { ($x:expr) => { $x } }
lazy_static! { static ref KEY: Regex = Regex::new("x").unwrap(); }

pub fn router() -> Router<Db> {
    let check = async |req: Request, next: Next| next.run(req).await;
    for path in ["/a", "/b"] { log(path); }
    Router::new()
        .route("/", get(|| async { "ok" }).post(items::create))
        .layer(middleware::from_fn(check))
}

#[cfg(test)]
mod tests { #[test] fn one() { assert_eq!(1, 1); } }
"##;

const SOURCES: [(Language, &str); 4] = [
    (Language::Rust, RUST),
    (Language::Python, PYTHON),
    (Language::TypeScript, TYPESCRIPT),
    (Language::Tsx, TSX),
];

/// What an edit puts in. Many leave the text sound, which is when the facts are compared.
const INSERTIONS: &[&str] = &[
    "",
    "x",
    " ",
    "\n",
    "\r\n",
    "1",
    "\"",
    "(",
    ")",
    "{",
    "}",
    "`",
    ".",
    ",",
    "é",
    "async ",
    "# note\n",
    "// note\n",
    "call(1)\n",
    "call(1);\n",
    "value = other\n",
    "    value = other\n",
    "def extra():\n    return 1\n",
    "function extra() { return 1 }\n",
    "import extra\n",
    "export const extra = () => 1;\n",
    "// gatewatch: note\n",
    "# gatewatch: note\n",
    "'",
    "!",
    "|x| ",
    "own!(a, |b| c)",
    "fn extra() -> u8 { 1 }\n",
    "#[cfg(test)]\n",
    "#[get(\"/\")]\n",
    "use extra::*;\n",
];

/// A place and a length as parts of 10,000, whether they are widened to whole lines, and what is put in.
type Edit = (u32, u32, bool, usize);

fn edits(count: usize) -> impl Strategy<Value = Vec<Edit>> {
    let edit = (
        0u32..=10_000,
        prop_oneof![3 => Just(0u32), 3 => 0u32..40, 1 => 0u32..10_000],
        any::<bool>(),
        0..INSERTIONS.len(),
    );
    prop::collection::vec(edit, 1..=count)
}

fn boundary(text: &str, part: u32) -> usize {
    let mut at = text.len() * part as usize / 10_000;
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn point(text: &str, at: usize) -> Point {
    let before = &text[..at];
    let row = before.matches('\n').count();
    let column = at - before.rfind('\n').map_or(0, |line| line + 1);
    Point::new(row, column)
}

/// The text after an edit, and the edit as the parser wants it.
fn apply(text: &str, (at, len, lines, insertion): Edit) -> (String, InputEdit) {
    let mut start = boundary(text, at);
    let mut end = boundary(text, (at + len).min(10_000)).max(start);
    if lines {
        start = text[..start].rfind('\n').map_or(0, |line| line + 1);
        end = match text[end..].find('\n') {
            Some(line) if end > start => end + line + 1,
            _ => start,
        };
    }
    let insertion = INSERTIONS[insertion];
    let after = format!("{}{insertion}{}", &text[..start], &text[end..]);
    let edit = InputEdit {
        start_byte: start,
        old_end_byte: end,
        new_end_byte: start + insertion.len(),
        start_position: point(text, start),
        old_end_position: point(text, end),
        new_end_position: point(&after, start + insertion.len()),
    };
    (after, edit)
}

/// Asserts that a buffer says what its text says; `false` where the text has an error.
fn agrees(buffer: &Buffer, language: Language, text: &str) -> Result<bool, TestCaseError> {
    if buffer.is_held() {
        return Ok(false);
    }
    let (facts, spans) = facts_of_text(language, text);
    prop_assert_eq!(
        dump_file(buffer.facts()),
        dump_file(&facts),
        "facts of {}",
        text
    );
    prop_assert!(**buffer.facts() == facts, "facts of {}", text);
    prop_assert_eq!(&**buffer.spans(), &spans, "spans of {}", text);
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cut_sources_are_read(
        source in 0..SOURCES.len(),
        start in 0u32..=10_000,
        end in 0u32..=10_000,
    ) {
        let (language, text) = SOURCES[source];
        let (start, end) = (start.min(end), start.max(end));
        let cut = &text[boundary(text, start)..boundary(text, end)];
        for other in [language, Language::Tsx] {
            let (facts, spans) = facts_of_text(other, cut);
            prop_assert_eq!(facts.items.len(), spans.len());
            let _ = dump_file(&facts);
            prop_assert!(Buffer::open(other, cut).is_some());
        }
    }

    #[test]
    fn edits_lead_to_the_facts_of_the_text(
        source in 0..SOURCES.len(),
        edits in edits(12),
    ) {
        let (language, text) = SOURCES[source];
        let mut text = text.to_owned();
        let mut buffer = Buffer::open(language, &text).expect("a buffer");
        prop_assert!(agrees(&buffer, language, &text)?, "the sample is sound");
        for edit in edits {
            let (after, edit) = apply(&text, edit);
            buffer = buffer.edit(&after, &[edit]).expect("a buffer");
            text = after;
            agrees(&buffer, language, &text)?;
        }
    }

    #[test]
    fn several_edits_at_once_are_one_edit(
        source in 0..SOURCES.len(),
        edits in edits(4),
    ) {
        let (language, text) = SOURCES[source];
        let buffer = Buffer::open(language, text).expect("a buffer");
        let mut text = text.to_owned();
        let mut batch = Vec::new();
        for edit in edits {
            let (after, edit) = apply(&text, edit);
            text = after;
            batch.push(edit);
        }
        let buffer = buffer.edit(&text, &batch).expect("a buffer");
        agrees(&buffer, language, &text)?;
    }

    #[test]
    fn a_broken_place_changes_nothing_elsewhere(
        source in 0..SOURCES.len(),
        at in 0u32..=10_000,
        broken in prop::sample::select(&["(", "[", "{", "\"", "'", "`", "@", ".", "/*", "def ", "fn "][..]),
    ) {
        let (language, text) = SOURCES[source];
        let first = Buffer::open(language, text).expect("a buffer");
        let at = boundary(text, at);
        let after = format!("{}{broken}{}", &text[..at], &text[at..]);
        let edit = InputEdit {
            start_byte: at,
            old_end_byte: at,
            new_end_byte: at + broken.len(),
            start_position: point(text, at),
            old_end_position: point(text, at),
            new_end_position: point(&after, at + broken.len()),
        };
        let second = first.edit(&after, &[edit]).expect("a buffer");
        if second.has_error() {
            let offset = u32::try_from(at).expect("a small text");
            let items = &second.facts().items;
            for (item, spans) in first.facts().items.iter().zip(first.spans().iter()) {
                let same = items.iter().any(|other| other == item);
                prop_assert!(same || spans.whole.touches(offset), "{} in {}", item.key, after);
            }
            for item in items {
                let known = first.facts().items.iter().any(|other| other.key == item.key);
                let defines = !item.head.functions.is_empty() || !item.head.classes.is_empty();
                prop_assert!(known || !defines, "{} in {}", item.key, after);
            }
        }
    }

    #[test]
    fn an_edit_taken_back_changes_nothing(
        source in 0..SOURCES.len(),
        edit in edits(1),
    ) {
        let (language, text) = SOURCES[source];
        let first = Buffer::open(language, text).expect("a buffer");
        let (after, there) = apply(text, edit[0]);
        let second = first.edit(&after, &[there]).expect("a buffer");
        let back = InputEdit {
            old_end_byte: there.new_end_byte,
            old_end_position: there.new_end_position,
            new_end_byte: there.old_end_byte,
            new_end_position: there.old_end_position,
            ..there
        };
        let third = second.edit(text, &[back]).expect("a buffer");
        prop_assert!(agrees(&third, language, text)?, "the sample is sound");
    }
}
