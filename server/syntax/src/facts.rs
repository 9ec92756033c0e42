//! Facts: what one file says by itself, in one shape for all languages.
//!
//! A file is a sequence of [`Item`]s (its top-level statements and definitions). Each item has a
//! *head*, the [`Code`] that runs when the module is loaded, and one more [`Code`] for the body of
//! every function inside it. Facts carry no positions: [`crate::Spans`] holds them beside the facts
//! under the same indices, so that moving code changes no fact.
//!
//! Code is an arena: expressions, statements and blocks refer to each other by index, children
//! before parents. That keeps a whole workspace's facts within a small multiple of its text.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use ustr::Ustr;

/// Index of an expression in its [`Code`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct ExprId(pub u32);

/// Index of a statement in its [`Code`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct StmtId(pub u32);

/// Index of a block in its [`Code`].
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize,
)]
pub struct BlockId(pub u32);

/// A run of entries in one of a [`Code`]'s side tables.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Run {
    /// Index of the first entry.
    pub start: u32,
    /// How many entries.
    pub len: u32,
}

impl Run {
    /// The run as indices.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..(self.start + self.len) as usize
    }
}

/// The languages whose facts can be read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Language {
    /// Python 3.
    Python,
    /// TypeScript and JavaScript without JSX.
    TypeScript,
    /// TypeScript and JavaScript with JSX.
    Tsx,
    /// Rust.
    Rust,
}

impl Language {
    /// The language of a file by its extension, `None` for all others.
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension {
            "py" | "pyi" => Some(Self::Python),
            "ts" | "mts" | "cts" => Some(Self::TypeScript),
            // The TSX grammar reads plain JavaScript as well; Flow-free sources parse alike.
            "tsx" | "jsx" | "js" | "mjs" | "cjs" => Some(Self::Tsx),
            "rs" => Some(Self::Rust),
            _ => None,
        }
    }

    /// Every extension that [`Self::of_extension`] knows.
    pub const EXTENSIONS: &'static [&'static str] = &[
        "py", "pyi", "ts", "mts", "cts", "tsx", "jsx", "js", "mjs", "cjs", "rs",
    ];

    /// The folder of the language under `queries/`.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::TypeScript | Self::Tsx => "typescript",
            Self::Rust => "rust",
        }
    }
}

/// What an operator does, as far as a control can depend on it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Operator {
    /// `and`, `&&`
    And,
    /// `or`, `||`
    Or,
    /// `??`
    Coalesce,
    /// `==`, `===`
    Eq,
    /// `!=`, `!==`
    Ne,
    /// `<`, `<=`, `>`, `>=`
    Order,
    /// `in`
    In,
    /// `not in`
    NotIn,
    /// `is`
    Is,
    /// `is not`
    IsNot,
    /// `instanceof`
    InstanceOf,
    /// `+`
    Add,
    /// `|`
    BitOr,
    /// Any other operator.
    Other,
}

/// One expression. Types and patterns are expressions too.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub enum Expr {
    /// Something that the facts don't represent (or a broken region).
    Unknown,
    /// `None`, `null`, `undefined`, `()`.
    Null,
    /// `True`, `false`.
    Bool(bool),
    /// A number, as written: index into [`Code::strings`].
    Number(u32),
    /// A string without parts, unescaped as far as it matters: index into [`Code::strings`].
    Str(u32),
    /// A regular expression literal, its pattern: index into [`Code::strings`].
    Regex(u32),
    /// An f-string or template literal: expressions in [`Code::lists`], text parts as [`Expr::Str`].
    Template(Run),
    /// An identifier. `self`, `this`, `super`, `cls`, `crate` are names as well.
    Name(Ustr),
    /// `base.name`, `base::name`, `base?.name`.
    Attr {
        /// What the member is taken from.
        base: ExprId,
        /// The member's name.
        name: Ustr,
    },
    /// `base[index]`, and type arguments: `Annotated[A, B]`, `Option<A>`, `Promise<A>`.
    Index {
        /// What is indexed.
        base: ExprId,
        /// The index; several become a [`Expr::Tuple`].
        index: ExprId,
    },
    /// A call, an instantiation without `new`, a Rust macro (`callee` is the name with its `!`) or
    /// tuple pattern. Arguments in [`Code::args`]. The types of a Rust call (`get::<Claims>()`) follow its
    /// arguments under the name `<>`; the type `Fn(A) -> B` is a call whose result is named `->`.
    Call {
        /// What is called.
        callee: ExprId,
        /// The arguments.
        args: Run,
    },
    /// `new Callee(args)`, and a Rust struct literal (`args` named).
    New {
        /// The class.
        callee: ExprId,
        /// The arguments.
        args: Run,
    },
    /// A list, array, set; elements in [`Code::args`] (spread elements are [`ArgKind::Spread`]).
    List(Run),
    /// A tuple; elements in [`Code::args`].
    Tuple(Run),
    /// A dict, object literal or object pattern; entries in [`Code::args`]: `Named` for constant
    /// keys, `Keyed` for computed ones, `SpreadMap` for `**x` and `...x`, `Positional` for
    /// shorthand `{x}` in patterns without rename (`Named` x → Name x is used for both).
    Dict(Run),
    /// A lambda, arrow function, closure or function expression: index into [`Code::functions`].
    Function(u32),
    /// A class expression: index into [`Code::classes`].
    Class(u32),
    /// `not x`, `!x`.
    Not(ExprId),
    /// Any other unary operator that keeps its operand in reach (`-x`, `typeof x`, `*x`).
    Unary(ExprId),
    /// `left operator right`; a chain of comparisons is an `And` of pairs.
    Binary {
        /// What the operator does.
        op: Operator,
        /// Left operand.
        left: ExprId,
        /// Right operand.
        right: ExprId,
    },
    /// `then if test else otherwise`, `test ? then : otherwise`.
    Cond {
        /// The condition.
        test: ExprId,
        /// Its value when true.
        then: ExprId,
        /// Its value when false.
        otherwise: ExprId,
    },
    /// `await x`, `x.await`.
    Await(ExprId),
    /// Rust's `x?`: leaves the function when `x` is an error or nothing.
    Try(ExprId),
    /// `yield x`.
    Yield(ExprId),
    /// `*x`, `...x` outside argument lists.
    Spread(ExprId),
    /// An assignment inside an expression: `(x := v)`, JavaScript's `x = v`.
    Assign {
        /// What is assigned to.
        target: ExprId,
        /// The value.
        value: ExprId,
    },
    /// A pattern that is tested and binds names: `let Some(x) = v`, a match inside a condition.
    Bind {
        /// The pattern.
        pattern: ExprId,
        /// The value it is matched with.
        value: ExprId,
    },
    /// A block, `if` or `match` used as a value; its value is that of the block's [`Stmt::Tail`]s.
    Block(BlockId),
    /// A comprehension: `element` for each item of the block's loops. The block holds the
    /// [`Stmt::Loop`] and [`Stmt::If`] nest with a [`Stmt::Tail`] inside.
    Comprehension(BlockId),
}

/// How an argument, element or entry is given.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub enum ArgKind {
    /// By position.
    Positional,
    /// By name: `name=value`, `{name: value}`, `Struct { name: value }`.
    Named(Ustr),
    /// With a computed key: `{[key]: value}`, `{key_expression: value}`.
    Keyed(ExprId),
    /// `*value`, `...value`.
    Spread,
    /// `**value`, `{...value}`.
    SpreadMap,
}

/// An argument of a call, element of a list or entry of a dict.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Arg {
    /// How it is given.
    pub kind: ArgKind,
    /// Its value.
    pub value: ExprId,
}

/// One statement.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub enum Stmt {
    /// An expression for its effect.
    Expr(ExprId),
    /// The value of a block (Rust's last expression, an arrow function's expression body).
    Tail(ExprId),
    /// An assignment, declaration, type alias, field of a class or struct, enum variant.
    Let {
        /// A name, member, index or pattern.
        target: ExprId,
        /// The declared type.
        ty: Option<ExprId>,
        /// The value. Without one the statement only declares.
        value: Option<ExprId>,
    },
    /// `target += value` and its like.
    Augment {
        /// What is changed.
        target: ExprId,
        /// By what.
        value: ExprId,
    },
    /// `return value`.
    Return(Option<ExprId>),
    /// `raise value`, `throw value`, `panic!` stays a call.
    Raise(Option<ExprId>),
    /// `break`, of a loop or of a [`Stmt::Match`] around it (JavaScript's `switch`).
    Break,
    /// `continue`.
    Continue,
    /// `if`; `elif` is an `if` alone in `otherwise`.
    If {
        /// The condition; `if let` is a [`Expr::Bind`].
        test: ExprId,
        /// When true.
        then: BlockId,
        /// When false.
        otherwise: Option<BlockId>,
    },
    /// Any loop.
    Loop {
        /// The pattern that a `for` binds.
        target: Option<ExprId>,
        /// What a `for` goes through, or a `while`'s condition.
        subject: Option<ExprId>,
        /// What is repeated.
        body: BlockId,
    },
    /// `match`, `switch`: arms in [`Code::arms`].
    Match {
        /// What is matched.
        subject: ExprId,
        /// The arms, in order.
        arms: Run,
    },
    /// `try`: handlers in [`Code::handlers`].
    Try {
        /// What is tried.
        body: BlockId,
        /// `except` and `catch` clauses, in order.
        handlers: Run,
        /// Python's `else`.
        otherwise: Option<BlockId>,
        /// `finally`.
        finally: Option<BlockId>,
    },
    /// `with value as target:`, `using target = value`; several become nested ones.
    With {
        /// The context manager.
        value: ExprId,
        /// What it is bound to.
        target: Option<ExprId>,
        /// What runs inside.
        body: BlockId,
    },
    /// `assert test`.
    Assert(ExprId),
    /// `del target`.
    Delete(ExprId),
    /// A nested block with a scope of its own.
    Block(BlockId),
    /// A function definition: index into [`Code::functions`].
    Function(u32),
    /// A class, struct, trait, impl, interface, module…: index into [`Code::classes`].
    Class(u32),
    /// An import: index into [`Code::imports`].
    Import(u32),
    /// An export of a value under a name (`default` included): `export default x`,
    /// `export { x as name }`, `module.exports = x` (name `module.exports`), `exports.x = y`.
    Export {
        /// The name that others import.
        name: Ustr,
        /// The value.
        value: ExprId,
    },
    /// A comment that speaks to Gatewatch (`gatewatch: …`), without its comment signs: index into
    /// [`Code::strings`]. It stands before what it speaks of.
    Note(u32),
}

/// One arm of a [`Stmt::Match`].
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Arm {
    /// The pattern; [`Expr::Unknown`] for `default`.
    pub pattern: ExprId,
    /// The condition beside the pattern.
    pub guard: Option<ExprId>,
    /// What runs.
    pub body: BlockId,
}

/// One `except` or `catch` of a [`Stmt::Try`].
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Handler {
    /// The exception type or tuple of types; `None` catches everything.
    pub types: Option<ExprId>,
    /// The name bound to the exception.
    pub name: Option<Ustr>,
    /// What runs.
    pub body: BlockId,
}

/// How a parameter takes its argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ParamKind {
    /// By position or name.
    Plain,
    /// By name only.
    Keyword,
    /// `*args`, `...rest`.
    Rest,
    /// `**kwargs`.
    RestMap,
    /// Rust's `self`, `&self`, `&mut self`.
    Receiver,
}

/// A parameter of a function.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Param {
    /// A name or a pattern.
    pub pattern: ExprId,
    /// The declared type.
    pub ty: Option<ExprId>,
    /// The default value.
    pub default: Option<ExprId>,
    /// How it takes its argument.
    pub kind: ParamKind,
}

/// A decorator or attribute of what has no list of its own for them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// What it decorates.
    pub on: Marked,
    /// The decorator, as in [`Function::decorators`].
    pub value: ExprId,
}

/// What a [`Mark`] stands on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Marked {
    /// A parameter: `get(@Param("id") id)`.
    Param {
        /// The function, in [`Code::functions`].
        function: u32,
        /// The parameter, in [`Function::params`].
        param: u32,
    },
    /// A field of a class, its [`Stmt::Let`].
    Field(StmtId),
}

/// A function's signature. Its expressions stand in the code that holds the definition; its body is
/// a [`Code`] of its own, found by [`Function::id`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Function {
    /// The name it was given; for an anonymous function the name of what it is assigned to, or `""`.
    pub name: Ustr,
    /// Unique in its file: names joined by `.` (`Items.get`, `create_app.index`), `<n>` for the nth
    /// anonymous function of its surroundings, `#n` behind the nth of the same name.
    pub id: Ustr,
    /// The parameters, in order.
    pub params: Box<[Param]>,
    /// Decorators and attributes, outermost (topmost) first. Rust's `#[get("/")]` is a
    /// [`Expr::Call`] of its path, a bare one a name.
    pub decorators: Box<[ExprId]>,
    /// The declared result.
    pub returns: Option<ExprId>,
    /// `async`.
    pub is_async: bool,
    /// `export`, `pub` in any form.
    pub exported: bool,
    /// `static`, `@staticmethod`, or Rust's function without a receiver inside an `impl`.
    pub is_static: bool,
}

/// What kind of scope a [`Class`] is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ClassKind {
    /// A class.
    Class,
    /// A Rust struct.
    Struct,
    /// An enum.
    Enum,
    /// `impl Type` and `impl Trait for Type`: the trait is the only base.
    Impl,
    /// A trait or interface.
    Interface,
    /// An inline module or namespace.
    Module,
}

/// A class-like scope. Its expressions stand in the code that holds the definition.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Class {
    /// Its name; for an `impl` the type's last name.
    pub name: Ustr,
    /// Unique in its file, as [`Function::id`]. That of an `impl` is `<Type>` or `<Type as Trait>`.
    pub id: Ustr,
    /// What kind of scope it is.
    pub kind: ClassKind,
    /// Base classes, interfaces, keyword arguments of a Python class, the trait of an `impl`:
    /// entries in [`Code::args`].
    pub bases: Run,
    /// Decorators and attributes, outermost first.
    pub decorators: Box<[ExprId]>,
    /// Fields ([`Stmt::Let`]), methods ([`Stmt::Function`]), nested scopes, in order.
    pub body: BlockId,
    /// `export`, `pub` in any form.
    pub exported: bool,
}

/// An imported name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Import {
    /// The module as written: `app.deps`, `.deps` (with its leading dots), `./deps`,
    /// `crate::deps`. Rust's paths are joined with `::`.
    pub module: Ustr,
    /// What of it.
    pub what: Imported,
    /// The local name; for a star import or a bare `import "x"` it is `""`.
    pub local: Ustr,
    /// `export … from`, `pub use`: the name is also a name of this module.
    pub reexport: bool,
    /// A type-only import.
    pub type_only: bool,
}

/// What an [`Import`] takes from its module.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Imported {
    /// The module itself: `import a.b as c`, `import * as c from`, `const c = require(…)`,
    /// `mod c;` (module `self::c`). Python's `import a.b` binds `a`; it is recorded with module
    /// `a.b` and local `a.b`.
    Module,
    /// One name of it; a default import has the name `default`.
    Name(Ustr),
    /// All of its names.
    Star,
}

/// An arena of statements and expressions: an item's head, or a function's body.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Code {
    /// Expressions, children before parents.
    pub exprs: Box<[Expr]>,
    /// Statements.
    pub stmts: Box<[Stmt]>,
    /// Blocks: runs of [`Code::lists`] that hold statement indices.
    pub blocks: Box<[Run]>,
    /// Indices: statements of blocks, parts of templates.
    pub lists: Box<[u32]>,
    /// Arguments, elements and entries.
    pub args: Box<[Arg]>,
    /// Arms of matches.
    pub arms: Box<[Arm]>,
    /// Handlers of tries.
    pub handlers: Box<[Handler]>,
    /// Texts of literals.
    pub strings: Box<[Box<str>]>,
    /// Functions defined directly here (those inside their bodies are in the bodies' code).
    pub functions: Box<[Function]>,
    /// Classes defined directly here.
    pub classes: Box<[Class]>,
    /// Imports.
    pub imports: Box<[Import]>,
    /// Decorators of parameters and fields, in order.
    pub marks: Box<[Mark]>,
    /// The outermost block.
    pub root: BlockId,
}

impl Code {
    /// The expression with this index; [`Expr::Unknown`] for one that is out of range.
    pub fn expr(&self, id: ExprId) -> Expr {
        self.exprs
            .get(id.0 as usize)
            .copied()
            .unwrap_or(Expr::Unknown)
    }

    /// The statement with this index, if there is one.
    pub fn stmt(&self, id: StmtId) -> Option<Stmt> {
        self.stmts.get(id.0 as usize).copied()
    }

    /// The value that a body gives which does nothing else; a text in front of it is its documentation.
    pub fn only_value(&self) -> Option<ExprId> {
        let mut statements = self.block(self.root).filter_map(|id| self.stmt(id)).filter(
            |stmt| !matches!(stmt, Stmt::Expr(value) if matches!(self.expr(*value), Expr::Str(_))),
        );
        match (statements.next(), statements.next()) {
            (Some(Stmt::Return(Some(value)) | Stmt::Tail(value)), None) => Some(value),
            _ => None,
        }
    }

    /// The statements of a block, in order.
    pub fn block(&self, id: BlockId) -> impl DoubleEndedIterator<Item = StmtId> + '_ {
        let run = self.blocks.get(id.0 as usize).copied().unwrap_or_default();
        self.lists
            .get(run.range())
            .unwrap_or_default()
            .iter()
            .map(|&index| StmtId(index))
    }

    /// The arguments, elements or entries of a run.
    pub fn args(&self, run: Run) -> &[Arg] {
        self.args.get(run.range()).unwrap_or_default()
    }

    /// The parts of a template.
    pub fn parts(&self, run: Run) -> impl Iterator<Item = ExprId> + '_ {
        self.lists
            .get(run.range())
            .unwrap_or_default()
            .iter()
            .map(|&index| ExprId(index))
    }

    /// The decorators of the parameter `param` of the function with index `function`.
    pub fn param_marks(&self, function: u32, param: u32) -> impl Iterator<Item = ExprId> + '_ {
        self.marks_on(Marked::Param { function, param })
    }

    /// The decorators of a field.
    pub fn field_marks(&self, field: StmtId) -> impl Iterator<Item = ExprId> + '_ {
        self.marks_on(Marked::Field(field))
    }

    fn marks_on(&self, on: Marked) -> impl Iterator<Item = ExprId> + '_ {
        self.marks
            .iter()
            .filter(move |mark| mark.on == on)
            .map(|mark| mark.value)
    }

    /// The arms of a match.
    pub fn arms(&self, run: Run) -> &[Arm] {
        self.arms.get(run.range()).unwrap_or_default()
    }

    /// The handlers of a try.
    pub fn handlers(&self, run: Run) -> &[Handler] {
        self.handlers.get(run.range()).unwrap_or_default()
    }

    /// The text of a literal.
    pub fn string(&self, index: u32) -> &str {
        self.strings.get(index as usize).map_or("", |text| text)
    }

    /// A constant string's text: a [`Expr::Str`].
    pub fn str_of(&self, id: ExprId) -> Option<&str> {
        match self.expr(id) {
            Expr::Str(index) => Some(self.string(index)),
            _ => None,
        }
    }

    /// The dotted name that an expression spells (`a.b.c` and `a::b::c` as `a.b.c`), if it is one.
    pub fn dotted(&self, id: ExprId) -> Option<String> {
        match self.expr(id) {
            Expr::Name(name) => Some(name.as_str().to_owned()),
            Expr::Attr { base, name } => {
                let mut text = self.dotted(base)?;
                text.push('.');
                text.push_str(&name);
                Some(text)
            }
            _ => None,
        }
    }
}

/// The body of a function.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Body {
    /// The function's id, unique in its file.
    pub id: Ustr,
    /// The function in whose body this one is defined; `None`: in the item's head.
    pub parent: Option<Ustr>,
    /// Index of the function in the `functions` of the code that defines it.
    pub index: u32,
    /// Its statements.
    pub code: Arc<Code>,
}

/// A top-level piece of a file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Item {
    /// Unique in the file: the defined name, or a short name for a statement; `#n` behind the nth of
    /// the same name.
    pub key: Ustr,
    /// What runs when the module is loaded. Function bodies are not part of it.
    pub head: Arc<Code>,
    /// The bodies of all functions inside, an outer one before those inside it.
    pub bodies: Box<[Body]>,
}
