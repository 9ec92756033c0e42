//! What Python sources are lowered to: the facts of a small text per topic.

mod common;

use gatewatch_syntax::facts::Language;
use gatewatch_syntax::{Buffer, InputEdit, Point, dump_file, facts_of_text};

fn python(name: &str, source: &str) {
    common::snapshot(&format!("python__{name}"), Language::Python, source);
}

#[test]
fn imports() {
    python(
        "imports",
        r#"
from __future__ import annotations
import os
import a.b.c
import a.b as c, d
from . import sibling
from .. import parent as up
from .models import User, Item as Thing
from app.api.v1 import (
    users,
    items,  # the shop
)
from os.path import *
from ..pkg.mod import name
try:
    import orjson as json
except ImportError:
    import json
if TYPE_CHECKING:
    from x import Y
def f():
    from late import bound
"#,
    );
}

#[test]
fn decorators() {
    python(
        "decorators",
        r#"
@app.get("/items/{id}", dependencies=[Depends(current_user)], status_code=201)
@limiter.limit("5/minute")
@plain
@factory()(more)
@table["key"]
async def read(id: int): ...

@dataclass(frozen=True)
class Config:
    @property
    def url(self): return self._url

    @url.setter
    def url(self, value): self._url = value

    @staticmethod
    def make(): return Config()

    @classmethod
    def load(cls): return cls()
"#,
    );
}

#[test]
fn parameters() {
    python(
        "parameters",
        r#"
def f(a, b: int, c=1, d: str = "x", /, e=None, *args: int, g, h: int = Query(..., gt=0), **kwargs): pass
def g(*, user: Annotated[User, Depends(get_user)], db: "Session" = Depends()) -> list[Item] | None: pass
async def h(self, (a, b)=1): pass
lambda x, *y, z=1, **w: x
def generic[T: Base](x: T) -> T: return x
"#,
    );
}

#[test]
fn annotated_types() {
    python(
        "annotated_types",
        r#"
CurrentUser = Annotated[User, Depends(get_current_user)]
type Admin = Annotated[User, Security(admin, scopes=["a", "b"])]
Alias: TypeAlias = dict[str, list[int]]
x: Optional[User] = None
y: int | str | None
z: Callable[[int, str], bool]
w: "app.models.User"
def f(user: CurrentUser, q: typing.Annotated[str | None, Query(max_length=50)] = None) -> Response[Item]: ...
"#,
    );
}

#[test]
fn classes() {
    python(
        "classes",
        r#"
class Items(ModelViewSet, mixins.Create, Generic[T], metaclass=Meta, **options):
    """Docstring."""
    permission_classes = [IsAuthenticated, IsOwner | IsAdmin]
    queryset = Item.objects.all()
    name: str
    limit: int = Field(default=10)
    class Meta:
        model = Item
        fields = ("a", "b")
    def get(self, request): return super().get(request)
    async def post(self, request): await self.save()
    if DEBUG:
        def debug(self): pass
    get_all = get

class Empty: pass
class Old(): ...
class Generic2[T](Base[T]): x = 1
"#,
    );
}

#[test]
fn strings() {
    python(
        "strings",
        r#"
a = "plain"
b = 'single \'quoted\' \\ tab\t'
c = """several
lines"""
d = r"raw\d"
e = b"bytes"
f = "joined " 'together'
g = ("/api"
     "/v1")
h = u"x"
i = ""
j = "unicode \u00e9 \x41 \N{BULLET}"
"#,
    );
}

#[test]
fn f_strings() {
    python(
        "f_strings",
        r#"
a = f"/api/{version}/items"
b = f"{a}{b!r:>{width}}"
c = f"{user.name} {call(x)['key']}"
d = f"literal {{braces}} {x=}"
e = f"plain"
f = "prefix " f"{x}" " suffix"
g = rf"\d{x}"
h = f"""{
    x
} end"""
i = "%s/%d" % (a, b)
j = "{}/{name}".format(a, name=b)
"#,
    );
}

#[test]
fn operators() {
    python(
        "operators",
        r#"
a and b or not c
a == b != c
1 < x <= 10
x in y and x not in z
x is None or x is not y
a if test else b
-x + ~y * 2 ** 3
a | b & c
a @ b
(n := len(a)) > 10
not (a and b)
x if y else z if w else v
await call()
*rest, last = items
a <> b
"#,
    );
}

#[test]
fn literals() {
    python(
        "literals",
        r#"
a = None
b = True, False
c = 1_000, 0xff, 1.5, 2j
d = [1, *more, 2]
e = {"a": 1, b: 2, **c, "d": {"e": []}}
f = {1, 2}
g = (1,)
h = ()
i = ...
j = x[1], x[1:2], x[1, 2], x[::2], x["a"]["b"]
k = (1)
l = {}
"#,
    );
}

#[test]
fn calls() {
    python(
        "calls",
        r#"
f(1, *args, key=2, **kwargs)
app.include_router(users.router, prefix="/users", dependencies=[Depends(auth)])
a.b(c)(d)[e].f()
f(x for x in y)
f(*[1], **{"a": 1})
print("x", file=err)
f(
    # a comment
    1,
)
f(a)(b=lambda: 1)
"#,
    );
}

#[test]
fn assignments() {
    python(
        "assignments",
        r#"
a = b = c = f()
a, b = b, a
(a, b), c = x
[a, *b] = y
a.b = 1
a["k"] = 2
a += 1
a.b |= c
x: int = 1
x: int
for_all = app.route
a = yield
a = yield from b()
a = await b
del a, b
global z
"#,
    );
}

#[test]
fn comprehensions() {
    python(
        "comprehensions",
        r#"
a = [f(x) for x in y if x.ok if not x.bad]
b = {k: v for k, v in d.items()}
c = {x for row in rows for x in row}
d = (x async for x in aiter())
e = [[y for y in x] for x in z]
f = any(user.id == x for x in owners)
g = {**{k: 1 for k in a}}
h = [lambda: x for x in y]
"#,
    );
}

#[test]
fn lambdas() {
    python(
        "lambdas",
        r#"
check = lambda user: user.is_admin
app.before_request(lambda: abort(401))
key = lambda *a, k=1, **b: (a, k)
nested = lambda x: lambda y: x + y
a.b = lambda: 1
"#,
    );
}

#[test]
fn conditions() {
    python(
        "conditions",
        r#"
def f(user):
    if not user:
        raise HTTPException(401)
    elif user.banned:
        return None
    elif (token := user.token) is None:
        pass
    else:
        log(user)
    if a: b()
    if a: return
    while running():
        tick()
        if done: break
        continue
    else:
        finish()
    assert user.ok, "not ok"
"#,
    );
}

#[test]
fn loops() {
    python(
        "loops",
        r#"
for path, handler in ROUTES:
    app.add_route(path, handler)
else:
    done()
async def f():
    async for x in y: use(x)
for i in range(10): pass
"#,
    );
}

#[test]
fn exceptions() {
    python(
        "exceptions",
        r#"
def f():
    try:
        user = decode(token)
    except (JWTError, KeyError) as error:
        raise HTTPException(401) from error
    except ValueError:
        raise
    except errors.Timeout as e:
        log(e)
    except:
        pass
    else:
        return user
    finally:
        close()
    try:
        x()
    except* GroupError as group:
        y()
    raise NotFound
"#,
    );
}

#[test]
fn with_statements() {
    python(
        "with_statements",
        r#"
async def f():
    with open(path) as file:
        read(file)
    with a() as x, b() as y, c():
        use(x, y)
    async with session.begin():
        pass
    with (
        a() as x,
        b() as (y, z),
    ):
        pass
    with lock: go()
"#,
    );
}

#[test]
fn matches() {
    python(
        "matches",
        r#"
def f(x):
    match x.kind, y:
        case "a" | "b":
            one()
        case Point(x=0, y=1):
            two()
        case User(name, role="admin") if name.ok:
            return 3
        case [first, *rest]:
            pass
        case {"type": "x", **other}:
            pass
        case Role.ADMIN as role:
            pass
        case None | True | -1:
            pass
        case (a, b):
            pass
        case _:
            raise Denied()
"#,
    );
}

#[test]
fn nested_functions() {
    python(
        "nested_functions",
        r#"
def require(role):
    """Docstring."""
    def decorator(fn):
        @wraps(fn)
        async def wrapper(*args, **kwargs):
            if current.role != role:
                abort(403)
            return await fn(*args, **kwargs)
        return wrapper
    return decorator

def create_app():
    app = Flask(__name__)

    @app.route("/")
    def index():
        return "ok"

    class Local:
        def method(self): return lambda: 1

    return app
"#,
    );
}

#[test]
fn ids() {
    python(
        "ids",
        r#"
@overload
def f(x: int): ...
@overload
def f(x: str): ...
def f(x): return lambda: 1, lambda: 2
class C:
    def m(self): pass
    def m(self, x): pass
    class C:
        def m(self): pass
class C:
    def m(self): pass
x = 1
x = lambda: 2
x = lambda: 3
app.get("/a")(lambda: 1)
app.get("/a")(lambda: 2)
if a:
    def g(): pass
else:
    def g(): pass
"#,
    );
}

#[test]
fn notes() {
    python(
        "notes",
        r#"
# gatewatch: public
@app.get("/")
def index():
    # gatewatch: sanitizes path
    path = clean(raw)  # gatewatch: behind
    # an ordinary comment
    return path

class C:
    # gatewatch: guard
    def check(self): pass
"#,
    );
}

#[test]
fn fastapi_application() {
    python(
        "fastapi_application",
        r#"
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Security, status
from .deps import CurrentUser, get_db

router = APIRouter(prefix="/items", tags=["items"], dependencies=[Depends(get_db)])
app = FastAPI(title=f"{settings.NAME}", docs_url=None if settings.PROD else "/docs")

async def current_user(token: str = Depends(oauth2_scheme), db=Depends(get_db)) -> User:
    credentials_exception = HTTPException(status_code=status.HTTP_401_UNAUTHORIZED)
    try:
        payload = jwt.decode(token, settings.SECRET, algorithms=["HS256"])
        username: str | None = payload.get("sub")
        if username is None:
            raise credentials_exception
    except JWTError:
        raise credentials_exception
    user = await db.get(User, username)
    return user

@router.get("/{item_id}", response_model=Item)
async def read_item(item_id: int, user: CurrentUser, q: str | None = None):
    item = await db.get(item_id)
    if item.owner_id != user.id and not user.is_admin:
        raise HTTPException(403, detail="Not yours")
    return item

for version in ("v1", "v2"):
    app.include_router(router, prefix=f"/api/{version}")

if __name__ == "__main__":
    uvicorn.run("app.main:app", host="0.0.0.0")
"#,
    );
}

#[test]
fn django_application() {
    python(
        "django_application",
        r#"
urlpatterns = [
    path("admin/", admin.site.urls),
    path("items/<int:pk>/", login_required(views.ItemView.as_view()), name="item"),
    re_path(r"^api/(?P<v>v\d)/", include(("api.urls", "api"), namespace="api")),
    *router.urls,
] + static(settings.MEDIA_URL)

REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}
MIDDLEWARE += ["app.middleware.Auth"]
urlpatterns += i18n_patterns(path("x/", view))

class ItemViewSet(LoginRequiredMixin, viewsets.ModelViewSet):
    permission_classes = (IsAuthenticated & IsOwner,)
    def get_queryset(self):
        return Item.objects.filter(owner=self.request.user)
    @action(detail=True, methods=["post"], permission_classes=[AllowAny])
    def publish(self, request, pk=None):
        self.get_object().publish()
        return Response({"ok": True})
"#,
    );
}

#[test]
fn one_line_bodies() {
    python(
        "one_line_bodies",
        r#"
def f(): return 1
def g(): pass; x(); return 2
class A: x = 1; y = 2
if a: b = 1; c = 2
@d
def h(): ...
x = 1; y = 2; import z
"#,
    );
}

#[test]
fn comments_and_continuations() {
    python(
        "comments_and_continuations",
        r#"
result = a \
    .b() \
    .c()
value = (  # why
    a
    # between
    + b
)
call(
    a,  # first
    # second
    b=1,
)
items = [
    1,  # one
    2,
]
def f(
    a,  # comment
    b=1,
): # trailing
    # only a comment
    pass
"#,
    );
}

#[test]
fn odd_sources() {
    python("odd_sources", "");
    python(
        "byte_order_mark",
        "\u{feff}import a\r\n\r\ndef f():\r\n    return \"é\"\r\n",
    );
    python(
        "broken",
        "def f():\n    return 1\n\ndef g(:\n    pass\n\ndef h():\n    return 3\n",
    );
}

/// The depth of a chain is no depth of nesting.
#[test]
fn long_chains_keep_their_head() {
    let calls: String = (0..190).map(|index| format!(".filter({index})")).collect();
    let (facts, _) = facts_of_text(Language::Python, &format!("q = Item.objects{calls}\n"));
    let dump = dump_file(&facts);
    assert!(dump.contains("attr(Item, objects)"), "{dump}");
}

#[test]
fn endless_nesting_is_cut_off() {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(3000), close.repeat(3000));
    for nested in [
        deep("(", ")"),
        deep("[", "]"),
        deep("f(", ")"),
        deep("not ", ""),
        deep("1 + ", ""),
        deep("lambda: ", ""),
        deep("1 if a else ", ""),
        deep("a.", ""),
    ] {
        let source = format!("def before(): pass\nx = {nested}\ndef after(): pass\n");
        let (facts, _) = facts_of_text(Language::Python, &source);
        assert!(dump_file(&facts).contains("fn<before>"), "{source:.60}");
    }
    let branches = format!(
        "def f():\n  if a: pass\n{}",
        "  elif b: pass\n".repeat(3000)
    );
    let (facts, _) = facts_of_text(Language::Python, &branches);
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

const APP: &str = r#"from fastapi import Depends

router = APIRouter(prefix="/items")

@router.get("/{id}")
def read(id: int, user=Depends(current_user)):
    if user is None:
        raise HTTPException(401)
    return load(id)

class View(Base):
    permission_classes = [IsAuthenticated]

    def get(self, request):
        return self.items

@router.post("/")
def create(item: Item):
    save(item)
"#;

/// While a definition is half-typed it keeps the facts of its last sound text, and so do all others.
#[test]
fn half_typed_code_keeps_its_facts() {
    let first = Buffer::open(Language::Python, APP).expect("a buffer");
    let facts = dump_file(first.facts());
    for (old, new) in [
        ("Depends(current_user)):", "Depends(current_user):"),
        ("Depends(current_user)):", "Depends():"),
        ("Depends(current_user)):", "Depends("),
        ("user=Depends(current_user)):", "user="),
        ("raise HTTPException(401)", "raise HTTPException("),
        ("raise HTTPException(401)", "raise HTTPException(\"401"),
        ("if user is None:", "if user is:"),
        ("return load(id)", "return load(id)."),
        ("@router.get(\"/{id}\")", "@router.get(\"/{id}\""),
        ("@router.get(\"/{id}\")", "@router.get(\"/{id}"),
        ("@router.get(\"/{id}\")", "@"),
        ("def read(", "def "),
        ("class View(Base):", "class View(Base)"),
        ("class View(Base):", "class View("),
        ("[IsAuthenticated]", "["),
        ("prefix=\"/items\")", "prefix=\"/items\""),
        ("import Depends", "import "),
        ("save(item)", "save(item"),
    ] {
        let text = APP.replacen(old, new, 1);
        let buffer = edited(&first, APP, &text).expect("a buffer");
        assert!(buffer.has_error(), "{text}");
        assert_eq!(dump_file(buffer.facts()), facts, "{text}");
        let back = edited(&buffer, &text, APP).expect("a buffer");
        assert_eq!(dump_file(back.facts()), facts);
    }
}

/// Typing a line key by key shows nothing but what was there before and what is there at the end.
#[test]
fn a_line_typed_key_by_key() {
    let line = "\n    audit(user, id, \"read\")";
    let at = APP.find("\n    return load").expect("the place");
    let mut text = APP.to_owned();
    let mut buffer = Buffer::open(Language::Python, APP).expect("a buffer");
    let mut before = dump_file(buffer.facts());
    let whole = format!("{}{line}{}", &APP[..at], &APP[at..]);
    let (end, _) = facts_of_text(Language::Python, &whole);
    let end = dump_file(&end);
    for (index, key) in line.char_indices() {
        let mut next = text.clone();
        next.insert(at + index, key);
        buffer = edited(&buffer, &text, &next).expect("a buffer");
        text = next;
        if buffer.has_error() {
            assert_eq!(dump_file(buffer.facts()), before, "{text}");
        } else {
            before = dump_file(buffer.facts());
        }
    }
    assert_eq!(dump_file(buffer.facts()), end);
}

/// New text beside a broken definition counts at once, and what is deleted is gone with the error.
#[test]
fn sound_neighbours_of_broken_code_count() {
    let first = Buffer::open(Language::Python, APP).expect("a buffer");
    let broken = APP.replacen("save(item)", "save(item", 1);
    let second = edited(&first, APP, &broken).expect("a buffer");
    let changed = broken.replacen("return load(id)", "return other(id)", 1);
    let third = edited(&second, &broken, &changed).expect("a buffer");
    let dump = dump_file(third.facts());
    assert!(dump.contains("call(other, id)"), "{dump}");
    assert!(dump.contains("call(save, item)"), "{dump}");
    let mended =
        changed
            .replacen("save(item", "save(item)", 1)
            .replacen("    return other(id)\n", "", 1);
    let fourth = edited(&third, &changed, &mended).expect("a buffer");
    let (fresh, _) = facts_of_text(Language::Python, &mended);
    assert_eq!(dump_file(fourth.facts()), dump_file(&fresh));
}
