//! What TypeScript and JavaScript sources are lowered to: the facts of a small text per topic.

use gatewatch_syntax::facts::{Code, Expr, Language, Stmt};
use gatewatch_syntax::{FileFacts, ItemSpans, Span, dump_file, facts_of_text};
use std::sync::Arc;

fn snapshot(name: &str, language: Language, source: &str) {
    let (facts, spans) = facts_of_text(language, source);
    assert_spans(&facts, &spans, source);
    insta::with_settings!({description => source, omit_expression => true}, {
        insta::assert_snapshot!(name, dump_file(&facts));
    });
}

/// Every fact has a place inside the text, and ids are unique.
fn assert_spans(facts: &FileFacts, spans: &[Arc<ItemSpans>], source: &str) {
    assert_eq!(facts.items.len(), spans.len());
    let mut ids = std::collections::HashSet::new();
    for (item, places) in facts.items.iter().zip(spans) {
        let whole = places.whole.range();
        let Some(text) = source.get(whole) else {
            panic!("{} is outside of the text", item.key);
        };
        let inside = |at: u32, span: Span| {
            let start = at as usize + span.start as usize;
            let end = at as usize + span.end as usize;
            assert!(
                text.get(start..end).is_some(),
                "{start}..{end} in {}: {text}",
                item.key
            );
        };
        let code = |code: &Code, at: u32, spans: &gatewatch_syntax::Spans| {
            assert_eq!(code.exprs.len(), spans.exprs.len());
            assert_eq!(code.stmts.len(), spans.stmts.len());
            assert_eq!(code.functions.len(), spans.functions.len());
            assert_eq!(code.classes.len(), spans.classes.len());
            for span in spans.exprs.iter().chain(&spans.stmts) {
                inside(at, *span);
            }
            for definition in spans.functions.iter().chain(&spans.classes) {
                inside(at, definition.whole);
                inside(at, definition.definition);
                inside(at, definition.name);
                inside(at, definition.list);
                inside(at, definition.body);
            }
        };
        code(&item.head, 0, &places.head);
        assert_eq!(item.bodies.len(), places.bodies.len());
        for (body, (at, spans)) in item.bodies.iter().zip(&places.bodies) {
            code(&body.code, *at, spans);
            assert!(ids.insert(body.id), "{} is there twice", body.id);
            assert!(
                facts
                    .signature(body.id)
                    .is_some_and(|function| function.id == body.id),
                "{} has another's signature",
                body.id
            );
        }
    }
}

fn ts(name: &str, source: &str) {
    snapshot(name, Language::TypeScript, source);
}

fn js(name: &str, source: &str) {
    snapshot(name, Language::Tsx, source);
}

#[test]
fn express_application() {
    js(
        "express_application",
        r#"
const express = require("express");
const { requireUser } = require("./auth");
const app = express();
app.use(express.json());
app.use("/api", requireUser, require("./routes/items"));
app.get("/health", (req, res) => res.send("ok"));
app.route("/items/:id")
  .all(requireUser)
  .get(async (req, res, next) => {
    const item = await db.items.find(req.params.id);
    if (!item) return res.status(404).end();
    res.json(item);
  })
  .delete(controller.remove.bind(controller));
module.exports = app;
"#,
    );
}

#[test]
fn imports() {
    ts(
        "imports",
        r#"
import "./polyfills";
import express from "express";
import express2, { Router as R, type Request, default as d, "odd name" as odd } from 'express';
import * as path from "node:path";
import all, * as rest from "m";
import type { Config } from "./config";
import type Settings from "./settings";
import fs = require("fs");
import Short = Long.Name.Space;
import data from "./data.json" with { type: "json" };
"#,
    );
}

#[test]
fn require_calls() {
    js(
        "require_calls",
        r#"
const a = require("a");
var b = require('b'), c = require(`c`);
const { d, e: f, g = 1, h: i = 2 } = require("d");
const j = require("j").k;
const { l } = require("m").n;
const { o: { p } } = require("o");
const { q, ...rest } = require("q");
const r = require("r")(app, 1);
require("s");
require("t")(app);
const u = require(path.join(__dirname, "u"));
function lazy() {
  const v = require("v");
  return v;
}
let w;
w = require("w");
const x = await import("x");
const { y } = await import("y");
import("z").then((m) => m.default());
"#,
    );
}

#[test]
fn exports() {
    ts(
        "exports",
        r#"
export { a as b } from "m";
export { default } from "./item";
export { type T, default as item } from "./item";
export type { U } from "./types";
export * from "./all";
export * as ns from "./ns";
export function f() {}
export async function* g() {}
export class C {}
export abstract class D {}
export enum E { A }
export interface I {}
export namespace N {}
export type T = string;
export const x = 1, y = () => x;
export const { handlers, auth: { guard }, list: [first, ...others], z = 1, ...remaining } = make();
export let later: Handler;
const local = 1;
export { local, local as renamed };
export declare const ambient: string;
export = local;
"#,
    );
}

#[test]
fn default_exports() {
    for (name, source) in [
        ("function", "export default function () { return 1 }"),
        ("named", "export default async function load() {}"),
        ("arrow", "export default async (req, res) => res.end();"),
        (
            "class",
            "@Injectable()\nexport default class extends Base {}",
        ),
        ("named_class", "export default class Items {}"),
        (
            "value",
            "export default withAuth(handler, { roles: ['admin'] });",
        ),
        ("name", "const app = new Hono()\nexport default app"),
        (
            "object",
            "export default { async fetch(request) { return handle(request) } }",
        ),
    ] {
        ts(&format!("default_exports_{name}"), source);
    }
}

#[test]
fn commonjs_exports() {
    js(
        "commonjs_exports",
        r#"
module.exports = router;
module.exports = { a, b: c, ...d, list() {} };
module.exports.one = function (req, res) {};
module.exports["two"] = 2;
exports.three = async (req, res) => {};
exports = module.exports = create;
module.exports = exports = create;
var app = exports = module.exports = {};
const server = module.exports = express();
module.exports.five = exports.six = six;
module.exports = class Store {};
module.exports = router = Router();
if (process.env.NODE_ENV === "test") module.exports.inner = inner;
Object.defineProperty(exports, "__esModule", { value: true });
"#,
    );
}

#[test]
fn functions() {
    ts(
        "functions",
        r#"
function plain(a, b = 1, ...rest) { return a }
async function later(this: App, user?: User, { id, name: alias = "x" }: Query = {}): Promise<void> {}
function* generate() { const got = yield 1; yield* other(); }
function overloaded(a: string): void;
function overloaded(a: number): void;
function overloaded(a: any) { return a }
const arrow = x => x + 1;
const block = async ({ body }, [first, , third]) => { await save(body) };
const expression = function () { return 1 };
const own = function inner() { return inner() };
const wrapped = asyncHandler(async (req, res) => { res.end() });
const asserted = (async () => {}) satisfies Handler;
const object = (): Reply => ({ ok: true });
outer.member = function () {};
outer["other"] = () => {};
function outside() {
  function inside() { return () => 1 }
  const same = () => 1;
  return [() => 1, () => 2, inside];
}
function isUser(value: unknown): value is User { return true }
function assertUser(value: unknown): asserts value is User {}
"#,
    );
}

#[test]
fn immediately_called_functions() {
    js(
        "immediately_called_functions",
        r#"
(function () { start() })();
(async () => { await start() })();
!function (root) { root.x = 1 }(this);
"#,
    );
}

#[test]
fn classes() {
    ts(
        "classes",
        r#"
export class Items<T> extends Base<T, string> implements Service, Other<T> {
  static shared = 1;
  private readonly store: Map<string, Item> = new Map();
  #secret = "s";
  "quoted name" = 1;
  declared!: string;
  handler = async (req: Request) => this.get(req);
  constructor(private readonly users: Users, public name = "x", plain?: number) { super() }
  get size() { return 1 }
  set size(value) {}
  static async create() {}
  async *stream() { yield 1 }
  private hidden?(): void {}
  ["computed"]() {}
  [Symbol.iterator]() {}
  over(a: string): void;
  over(a: any) {}
  [key: string]: unknown;
  static { register(this) }
}
abstract class Shape {
  abstract area(): number;
  protected constructor() {}
}
const Anonymous = class extends mixin(Base, Other) {};
const Named = class Inner {};
class Empty {}
"#,
    );
}

#[test]
fn decorators() {
    ts(
        "decorators",
        r#"
@Controller({ path: "items", version: "1" })
@UseGuards(AuthGuard)
export class ItemsController {
  @InjectRepository(Item) private readonly items: Repository<Item>;
  @IsEmail()
  @MaxLength(20)
  email: string;
  @Bound handler = () => 1;
  constructor(@Inject(TOKEN) private readonly token: Token) {}
  @Get(":id")
  @Roles("admin")
  async get(@Param("id", ParseIntPipe) id: number, @Body() @Valid() body: Dto, @Req() request) {}
  // gatewatch: public
  @Post()
  create(@CurrentUser() user: User) {}
  undecorated() {}
}
@Module({ imports: [], controllers: [ItemsController] })
class AppModule {}
export @Injectable() class After {}
"#,
    );
}

#[test]
fn interfaces_enums_namespaces() {
    ts(
        "interfaces_enums_namespaces",
        r#"
interface Handler<T> extends Base<T>, Other {
  name: string;
  readonly optional?: number;
  handle(request: Request): Promise<void>;
  (call: string): void;
  new (x: string): Handler<T>;
  [key: string]: unknown;
}
enum Role { Admin = "admin", User = 1 << 1, Guest, "odd" }
const enum Flag { A }
namespace Api.V1 {
  export const prefix = "/v1";
  export function mount() {}
  class Hidden {}
}
declare module "express" {
  interface Request { user?: User }
}
declare global { var cache: Map<string, string> }
declare function ambient(a: string): void;
declare const VERSION: string;
"#,
    );
}

#[test]
fn types() {
    ts(
        "types",
        r#"
type A = B | C | null;
type D = B & C;
type E = Array<string>;
type F = string[];
type G = Api.Types.Item<string, number>;
type H = { id: string; "quoted": number; nested: { deep?: boolean }; method(): void; [key: string]: any };
type I = [name: string, value?: number, ...rest: string[]];
type J = typeof schema;
type K = keyof B;
type L = B["field"];
type M = readonly string[];
type N = (request: Request) => Response;
type O = B extends C ? D : E;
type P = { [Key in keyof B]: B[Key] };
type Q = `prefix-${string}`;
type R = z.infer<typeof schema>;
type S = "a" | 1 | true | -1 | undefined;
let x: (A | B)[] = [];
let y: unique symbol;
const cast = <Item>value;
const z = value as unknown as Item;
const c = ["a"] as const;
"#,
    );
}

#[test]
fn literals() {
    js(
        "literals",
        r#"
f("plain", 'it\'s', "tab\there", "\x41\u0042\u{43}\
next", `constant`, `a${b}c\n${d}`, `${e}`, 12, 0x1f, 1_000n, true, false, null, undefined, void 0);
g(/^\/api\/(?<id>\d+)$/i, sql`select ${id} from t`, String.raw`x`, -1, +x, ~y);
h([1, , 2], [, 3], [...list, 4], {});
"#,
    );
}

#[test]
fn objects() {
    js(
        "objects",
        r#"
const controller = {
  a, b: c, "d-e": 1, 5: 2, [f]: 3, ["g"]: 4, ...h,
  get(req, res) { return res.end() },
  async post(req) {},
  *gen() {},
  get prop() { return 1 },
  set prop(value) {},
  put: async (req) => 1,
  patch: function (req) {},
  delete: function named(req) {},
  nested: { inner() {} },
  "some route": (req) => 1,
  [Symbol.iterator]() {},
  wrapped: guard((req) => 1),
};
"#,
    );
}

#[test]
fn patterns() {
    js(
        "patterns",
        r#"
const { a, b: c, d = 1, e: { f = 2 }, [g]: h, "i-j": k, ...l } = source;
const [m, , n = 1, [o], ...p] = list;
({ q, r: s.t } = source);
[u, v[0]] = [v, u];
for (const { id, name = "x" } of items) use(id);
function take({ a, b: { c } }, [d] = []) {}
try {} catch ({ message }) { log(message) }
"#,
    );
}

#[test]
fn members_and_calls() {
    js(
        "members_and_calls",
        r#"
a.b.c(d)(e);
a?.b?.[c]?.(d);
a["get"]("/x");
a[`post`]("/x");
a[0][b];
a!.b!();
this.x.y();
super.z();
new Foo;
new Foo.Bar(1, ...rest);
new (factory())(1);
import.meta.url;
f(...guards, last);
(0, module_1.default)(app);
f(a, /* note */ b);
"#,
    );
}

#[test]
fn operators() {
    js(
        "operators",
        r#"
const x = a && b || c ?? d;
const y = a === b && c !== d && e == f && g != h;
const z = a < b || c >= d;
const i = "k" in o;
const t = e instanceof HttpError;
const s = "/" + path + "/x";
const o = a | b;
const m = a * b - c;
const n = !user;
const p = !(await allowed(user));
const q = typeof x === "string" ? one : two;
const v = (first(), second());
const w = cache ??= load();
const u = count++;
const k = (target = value);
delete a.b;
void send();
"#,
    );
}

#[test]
fn statements() {
    js(
        "statements",
        r#"
function all(x) {
  if (a) one();
  else if (b) { two() }
  else three();
  for (let i = 0, n = x.length; i < n; i++) { use(i); continue }
  for (;;) break;
  for (const key in x) use(key);
  for await (const chunk of stream()) use(chunk);
  while (more()) step();
  do { step() } while (more());
  outer: for (const y of x) { break outer }
  { scoped() }
  try { risky() } catch (error) { recover(error) } finally { done() }
  try { risky() } catch { recover() }
  throw new Forbidden("no");
  x += 1;
  x ||= y;
  x++;
  a, b();
  ;
  debugger;
  with (scope) { inside() }
  x = y = z;
  x.y = z;
  x[0] = z;
  return a, b;
  return;
}
"#,
    );
}

#[test]
fn switches() {
    js(
        "switches",
        r#"
switch (req.method) {
  case "GET":
    read();
    break;
  case "PUT":
  case "POST": {
    write();
    break;
  }
  case "PATCH": { write() } break; // done
  case "DELETE": // the next one
    // gatewatch: only for admins
    if (!admin) break;
    remove();
  case "OPTIONS":
    return;
  case "HEAD":
  default:
    fail();
}
switch (x) { default: a(); case 1: }
"#,
    );
}

#[test]
fn resources() {
    ts(
        "resources",
        r#"
async function read() {
  before();
  using file = open("x");
  await using client = await connect();
  return file.read(client);
}
using top = open();
"#,
    );
}

#[test]
fn jsx() {
    js(
        "jsx",
        r#"
"use client";
export default function Page({ user }) {
  return (
    <Layout title="Home" flag {...props} on:click={() => go()}>
      text &amp; more {user.name} {/* nothing */}
      <ui.Button onClick={async () => { await remove(user.id) }} />
      <>
        <div dangerouslySetInnerHTML={{ __html: user.bio }} />
      </>
      {items.map((item) => <li key={item.id}>{item.name}</li>)}
      {...children}
    </Layout>
  );
}
const generic = <T,>(x: T) => x;
"#,
    );
}

#[test]
fn directives_and_notes() {
    ts(
        "directives_and_notes",
        r#"#!/usr/bin/env node
'use server'
// gatewatch: public because of the status page
export async function status() {
  "use server";
  /* gatewatch: inner note */
  return 1; // plain
}
class C {
  // gatewatch: on a method
  get() {}
}
/** gatewatch: documented */
app.get("/x", h);
"#,
    );
}

#[test]
fn bom_and_crlf() {
    js(
        "bom_and_crlf",
        "\u{feff}const a = require('a');\r\n\r\napp.get('/x',\r\n  (req, res) => {\r\n    res.send(`a\r\nb`);\r\n  });\r\n",
    );
}

#[test]
fn same_names() {
    js(
        "same_names",
        r#"
app.get("/x", () => 1);
app.get("/x", () => 2);
const handler = () => 1;
{ const handler = () => 2; }
function f() { return 1 }
function f() { return 2 }
const o = { a() {}, a: () => 1 };
use(() => 1, () => 2);
"#,
    );
}

#[test]
fn callbacks_in_bodies() {
    ts(
        "callbacks_in_bodies",
        r#"
export function register(app: FastifyInstance, options: Options, done: () => void) {
  app.addHook("onRequest", async (request) => { await request.jwtVerify() });
  app.get<{ Params: { id: string } }>("/items/:id", { schema, preHandler: [app.auth] }, async (request, reply) => {
    return items.filter((item) => item.id === request.params.id);
  });
  done();
}
"#,
    );
}

#[test]
fn server_frameworks() {
    ts(
        "server_frameworks",
        r#"
export const appRouter = router({
  list: publicProcedure.input(z.object({ id: z.string() })).query(({ input, ctx }) => ctx.db.item.find(input.id)),
  remove: protectedProcedure.mutation(async (opts) => { await opts.ctx.db.item.delete() }),
});
export type AppRouter = typeof appRouter;
export async function GET(request: NextRequest, { params }: { params: Promise<{ id: string }> }) {
  const session = await auth();
  if (!session?.user) return NextResponse.json({}, { status: 401 });
  return NextResponse.json(await load((await params).id));
}
export const POST = auth(async (req) => { return Response.json(req.auth) });
export const actions = {
  default: async ({ request, locals }) => { await save(await request.formData()) },
} satisfies Actions;
export const config = { matcher: ["/((?!api).*)"] };
"#,
    );
}

#[test]
fn long_chains_and_deep_nesting_are_bounded() {
    let mut chain = String::from("const app = new Elysia()");
    for index in 0..300 {
        chain.push_str(&format!("\n  .get('/r{index}', () => {index})"));
    }
    let (facts, _) = facts_of_text(Language::TypeScript, &chain);
    let item = facts.items.first().expect("an item");
    assert_eq!(item.bodies.len(), 300);
    assert!(
        item.head
            .exprs
            .iter()
            .any(|expr| matches!(expr, Expr::New { .. }))
    );
    for source in [
        format!("x = {}1{}", "(".repeat(5000), ")".repeat(5000)),
        format!("x = {}1{}", "[".repeat(5000), "]".repeat(5000)),
        format!("x = {}1{}", "{a:".repeat(3000), "}".repeat(3000)),
        format!("x = {}1", "() => ".repeat(3000)),
        format!("x = {}1{}", "class { y = ".repeat(3000), "}".repeat(3000)),
        format!("x = {}{}", "function () { ".repeat(3000), "}".repeat(3000)),
        format!("x = y{}", " = y".repeat(5000)),
        format!("x{}", ".a()".repeat(20000)),
        format!("{}x", "if (a) ; else ".repeat(5000)),
        format!("type X = {}", "A | ".repeat(5000) + "B"),
        format!("x = {}{}", "<a>".repeat(3000), "</a>".repeat(3000)),
        format!("a{} = b", "||= b".repeat(3000)),
        "using a = b;\n".repeat(3000),
        format!("switch (x) {{ {} }}", "case 1: ".repeat(3000)),
    ] {
        for language in [Language::TypeScript, Language::Tsx] {
            let (facts, spans) = facts_of_text(language, &source);
            assert_spans(&facts, &spans, &source);
        }
    }
}

#[test]
fn plain_javascript_reads_the_same_in_both_grammars() {
    let source =
        "const a = require('a');\napp.get('/x', a, async (req, res) => { res.json(a) });\n";
    let (ts, _) = facts_of_text(Language::TypeScript, source);
    let (tsx, _) = facts_of_text(Language::Tsx, source);
    assert_eq!(ts, tsx);
}

#[test]
fn unknown_syntax_keeps_its_siblings() {
    let source = "f(a, new.target, b);";
    let (facts, _) = facts_of_text(Language::TypeScript, source);
    let head = &facts.items[0].head;
    let Some(Stmt::Expr(call)) = head.block(head.root).next().and_then(|id| head.stmt(id)) else {
        panic!("a call");
    };
    let Expr::Call { args, .. } = head.expr(call) else {
        panic!("a call");
    };
    assert_eq!(head.args(args).len(), 3);
}

#[test]
fn a_function_knows_where_it_stands() {
    let source = "export const handler = async (req) => 1;\n@Dec()\nexport class C { @Get() async get() {} }\n";
    let (facts, spans) = facts_of_text(Language::TypeScript, source);
    let at = |item: usize, span: Span| {
        let whole = spans[item].whole;
        &source[span.shifted(whole.start).range()]
    };
    let handler = spans[0].head.functions[0];
    assert_eq!(at(0, handler.definition), "async (req) => 1");
    assert_eq!(handler.name.start, handler.name.end);
    assert_eq!(handler.name.start, handler.definition.start);
    assert_eq!(at(0, handler.list), "(req)");
    assert_eq!(at(0, handler.body), "1");
    let class = spans[1].head.classes[0];
    assert!(at(1, class.whole).starts_with("@Dec()"));
    assert!(at(1, class.definition).starts_with("class C"));
    let get = spans[1].head.functions[0];
    assert_eq!(at(1, get.whole), "@Get() async get() {}");
    assert_eq!(at(1, get.definition), "async get() {}");
    assert_eq!(at(1, get.name), "get");
    assert!(
        facts
            .signature("C.get".into())
            .is_some_and(|get| get.is_async)
    );
}

/// The grammar binds `!` looser than operators; the language doesn't.
#[test]
fn a_non_null_mark_belongs_to_the_last_operand() {
    for (marked, plain) in [
        ("x = a !== b!.c.d(e);", "x = a !== b.c.d(e);"),
        (
            "if (!a || b.c !== d.e!.f) { g(); }",
            "if (!a || b.c !== d.e.f) { g(); }",
        ),
        ("x = !a!.b;", "x = !a.b;"),
        ("x = (a || b)!.c;", "x = (a || b).c;"),
        ("x = a || b!;", "x = a || b;"),
    ] {
        // An item without a name goes by its text.
        let dump =
            |text: &str| dump_file(&facts_of_text(Language::TypeScript, text).0).replace("!.", ".");
        assert_eq!(dump(marked), dump(plain), "{marked}");
    }
}
