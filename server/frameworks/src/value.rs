//! Symbolic values: what an expression stands for, as far as one file can tell.

use std::sync::Arc;

use gatewatch_syntax::facts::{ArgKind, ParamKind};
use ustr::Ustr;

/// What an expression of a scope stands for. Names of other files stay symbolic; the model resolves
/// them.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Value {
    /// Can't be told.
    #[default]
    Unknown,
    /// `None`, `null`, `()`.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number, as written.
    Number(Ustr),
    /// A text.
    Text(Ustr),
    /// A text put together from parts.
    Template(Arc<[Value]>),
    /// A list, tuple or set.
    List(Arc<[Argument]>),
    /// A dict or object literal: `Named` and `Keyed` become [`ArgumentKind::Keyed`].
    Dict(Arc<[Argument]>),
    /// A name that this scope doesn't define: of an enclosing scope, the module or the language.
    Name(Ustr),
    /// A function of this file, by id.
    Function(Ustr),
    /// A class of this file, by id.
    Class(Ustr),
    /// A module, or a name of one, as the import says it.
    Import(ImportRef),
    /// The scope's nth parameter.
    Param(u32),
    /// The item of an enclosing loop.
    Item(u32),
    /// The result of the scope's nth call.
    Result(u32),
    /// A member.
    Field(Arc<(Value, Ustr)>),
    /// An indexed value, and a type with arguments.
    Index(Arc<(Value, Value)>),
    /// One of several: `a or b`, `a if c else b`, `A | B`.
    Either(Arc<[Value]>),
    /// The negation of a value, a comparison: only its truth is left, and that is unknown.
    Truth,
    /// A regular expression, its pattern.
    Pattern(Ustr),
    /// A value with the local name that it was used by, where nothing else names it.
    Named(Arc<(Value, Ustr)>),
}

impl Value {
    /// The member `name` of this value.
    pub fn field(self, name: Ustr) -> Self {
        Self::Field(Arc::new((self, name)))
    }
}

/// What an import names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ImportRef {
    /// The module as written.
    pub module: Ustr,
    /// The name taken from it; `None` for the module itself.
    pub name: Option<Ustr>,
}

/// How an argument is given, with a computed key's value.
#[derive(Clone, PartialEq, Debug)]
pub enum ArgumentKind {
    /// By position.
    Positional,
    /// By name.
    Named(Ustr),
    /// Under a computed key.
    Keyed(Value),
    /// `*value`.
    Spread,
    /// `**value`.
    SpreadMap,
}

/// An argument of a call, element of a list or entry of a dict.
#[derive(Clone, PartialEq, Debug)]
pub struct Argument {
    /// How it is given.
    pub kind: ArgumentKind,
    /// Its value.
    pub value: Value,
}

impl Argument {
    pub(crate) fn kind_of(
        kind: ArgKind,
        keyed: impl FnOnce(gatewatch_syntax::facts::ExprId) -> Value,
    ) -> ArgumentKind {
        match kind {
            ArgKind::Positional => ArgumentKind::Positional,
            ArgKind::Named(name) => ArgumentKind::Named(name),
            ArgKind::Keyed(key) => ArgumentKind::Keyed(keyed(key)),
            ArgKind::Spread => ArgumentKind::Spread,
            ArgKind::SpreadMap => ArgumentKind::SpreadMap,
        }
    }
}

/// Where in a file something is said, without a position: moving code doesn't change it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Place {
    /// The function whose body it is in, or the key of the item whose head it is in.
    pub code: Ustr,
    /// Whether `code` is a function.
    pub in_body: bool,
    /// What in that code.
    pub node: PlaceNode,
}

impl Place {
    /// The body of a function as a whole.
    pub fn of_body(function: Ustr) -> Self {
        Self {
            code: function,
            in_body: true,
            node: PlaceNode::Stmt(0),
        }
    }
}

/// See [`Place`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum PlaceNode {
    /// An expression.
    Expr(u32),
    /// A statement.
    Stmt(u32),
    /// A function defined there, by index.
    Function(u32),
    /// A class defined there, by index.
    Class(u32),
    /// An expression by what it says, which typing elsewhere in the same code leaves alone.
    Saying {
        /// A hash of what it says.
        says: u32,
        /// How many that say the same stand before it.
        nth: u32,
    },
    /// A `try`, by how many stand before it.
    Try(u32),
}

/// Something that a scope does, in order.
#[derive(Clone, PartialEq, Debug)]
pub enum Op {
    /// A call; its result is [`Value::Result`] of `result`.
    Call {
        /// What is called.
        callee: Value,
        /// With what.
        args: Arc<[Argument]>,
        /// Index of the result.
        result: u32,
        /// The call.
        place: Place,
    },
    /// A decorator is applied to a definition. Innermost (lowest) first, as they run.
    Decorate {
        /// The decorator.
        decorator: Value,
        /// [`Value::Function`] or [`Value::Class`].
        target: Value,
        /// The decorator's expression.
        place: Place,
        /// How many decorators stand above it.
        above: u32,
    },
    /// `base.name = value`.
    Store {
        /// Whose member.
        base: Value,
        /// Which one.
        name: Ustr,
        /// Its new value.
        value: Value,
    },
    /// The body runs once for each element of the subject; inside, the element is [`Value::Item`].
    Loop {
        /// Number of the loop in its scope.
        item: u32,
        /// What is gone through.
        subject: Value,
        /// What is done.
        body: Arc<[Op]>,
    },
    /// The body runs for its values; the result is the list of them.
    Collect {
        /// Index of the result.
        result: u32,
        /// What gives the values.
        body: Arc<[Op]>,
    },
    /// What is done only under a condition.
    Branch {
        /// The condition.
        test: Value,
        /// When it holds.
        then: Arc<[Op]>,
        /// When not.
        otherwise: Arc<[Op]>,
    },
    /// The scope's result.
    Return(Value),
}

/// What a scope (a module, or a function's body) defines and does.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ScopeRoles {
    /// What it does, in order.
    pub ops: Vec<Op>,
    /// The names that it defines, sorted, with the value they have at its end.
    pub names: Vec<(Ustr, Value)>,
    /// The names under which others can import: exports of a JavaScript module, sorted.
    pub exports: Vec<(Ustr, Value)>,
    /// Modules whose names are all taken over: `from x import *`, `export * from`.
    pub stars: Vec<Ustr>,
    /// How many results there are.
    pub results: u32,
    /// What the bodies of the classes defined here bind, by class id, as values of this scope.
    pub classes: Vec<(Ustr, Vec<(Ustr, Value)>)>,
}

impl ScopeRoles {
    /// The value of a name that the scope defines.
    pub fn name(&self, name: Ustr) -> Option<&Value> {
        find(&self.names, name)
    }

    /// The value of an export.
    pub fn export(&self, name: Ustr) -> Option<&Value> {
        find(&self.exports, name)
    }

    /// The value that the body of a class defined here binds to a name; `None` for a class that isn't.
    pub fn class(&self, id: Ustr) -> Option<&[(Ustr, Value)]> {
        self.classes
            .iter()
            .find(|(class, _)| *class == id)
            .map(|(_, names)| names.as_slice())
    }

    /// The call with this result, wherever in the scope it stands.
    pub fn call(&self, result: u32) -> Option<(&Value, &Arc<[Argument]>, Place)> {
        fn search(ops: &[Op], wanted: u32) -> Option<(&Value, &Arc<[Argument]>, Place)> {
            ops.iter().find_map(|op| match op {
                Op::Call {
                    callee,
                    args,
                    result,
                    place,
                } if *result == wanted => Some((callee, args, *place)),
                Op::Loop { body, .. } | Op::Collect { body, .. } => search(body, wanted),
                Op::Branch {
                    then, otherwise, ..
                } => search(then, wanted).or_else(|| search(otherwise, wanted)),
                _ => None,
            })
        }
        search(&self.ops, result)
    }
}

fn find(names: &[(Ustr, Value)], name: Ustr) -> Option<&Value> {
    /// Names up to which comparing all of them, a word each, takes less than comparing a few texts.
    const FEW: usize = 24;
    if names.len() <= FEW {
        let found = names.iter().find(|(key, _)| *key == name)?;
        return Some(&found.1);
    }
    let at = names
        .binary_search_by(|(key, _)| key.as_str().cmp(name.as_str()))
        .ok()?;
    names.get(at).map(|(_, value)| value)
}

/// A parameter of a function, with symbolic values.
#[derive(Clone, PartialEq, Debug)]
pub struct ParamRole {
    /// Its name; `""` for a pattern.
    pub name: Ustr,
    /// The names that a pattern binds.
    pub binds: Arc<[Ustr]>,
    /// Its declared type.
    pub ty: Value,
    /// Its default.
    pub default: Option<Value>,
    /// How it takes its argument.
    pub kind: ParamKind,
    /// Where it stands: its pattern.
    pub place: Place,
}

/// A function's signature, with symbolic values. Calls in defaults, types and decorators are the ops
/// of `scope`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Signature {
    /// The calls in the signature.
    pub scope: ScopeRoles,
    /// The parameters, in order.
    pub params: Vec<ParamRole>,
    /// The decorators, outermost first, with their places.
    pub decorators: Vec<(Value, Option<Place>)>,
    /// The declared result.
    pub returns: Value,
}

/// A class, with symbolic values. Calls in it are the ops of `scope`.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ClassRoles {
    /// The calls among its decorators, bases and attributes; its names are attributes and methods.
    pub scope: ScopeRoles,
    /// Its bases, in order (keyword arguments left out).
    pub bases: Vec<Value>,
    /// The decorators, outermost first.
    pub decorators: Vec<Value>,
    /// Its methods in order: name, id.
    pub methods: Vec<(Ustr, Ustr)>,
    /// Declared types of its attributes.
    pub types: Vec<(Ustr, Value)>,
    /// Its name.
    pub name: Ustr,
    /// Where it is defined.
    pub place: Option<Place>,
    /// Whether it is an inline module, no class.
    pub is_module: bool,
}
