//! Resolved values: what a symbolic value stands for once the whole workspace is known.

use std::sync::Arc;

use gatewatch_frameworks::Place;
use gatewatch_source::SourceFile;
use ustr::{Ustr, ustr};

use crate::modules::Module;

/// A resolved value.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) enum V {
    #[default]
    Unknown,
    Null,
    Bool(bool),
    Number(Ustr),
    /// A text, in pieces.
    Text(Arc<[Piece]>),
    List(Arc<[V]>),
    Dict(Arc<[(V, V)]>),
    /// A name outside of the workspace, dotted.
    External(Ustr),
    Func(Func),
    Class(SourceFile, Ustr),
    Module(Module),
    /// An index into the machine's objects.
    Object(u32),
    Called(Arc<Called>),
    /// A member that nothing more is known of.
    Member(Arc<(V, Ustr)>),
    Index(Arc<(V, V)>),
    Either(Arc<[V]>),
    /// A value that has only a name: a parameter of whoever starts the application.
    Symbol(Ustr),
    /// What a decorator-making method returned: it waits for its function.
    Pending(u32),
    /// The receiver as its bases see it, above the class that says `super`.
    Super(Receiver, (SourceFile, Ustr)),
    /// A regular expression, its pattern.
    Pattern(Ustr),
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Piece {
    /// Known.
    Text(Ustr),
    /// Only its name is known.
    Symbol(Ustr),
    /// A regular expression.
    Pattern(Ustr),
}

/// A function of the workspace, with the activation that its free names come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Func {
    pub(crate) file: SourceFile,
    pub(crate) id: Ustr,
    /// Frame of the enclosing function, if it was made inside one.
    pub(crate) env: Option<u32>,
    /// What a method was taken from.
    pub(crate) receiver: Option<Receiver>,
}

impl Func {
    /// A function that needs no names but its module's.
    pub(crate) fn plain(file: SourceFile, id: Ustr) -> Self {
        Self {
            file,
            id,
            env: None,
            receiver: None,
        }
    }
}

/// What a method is called on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Receiver {
    /// An object of the machine.
    Object(u32),
    /// A class: a class method.
    Class(SourceFile, Ustr),
}

impl Receiver {
    pub(crate) fn value(self) -> V {
        match self {
            Self::Object(object) => V::Object(object),
            Self::Class(file, id) => V::Class(file, id),
        }
    }
}

/// A call that was seen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Called {
    pub(crate) callee: V,
    pub(crate) args: Vec<(Given, V)>,
    /// What the callee gave back, where it was followed.
    pub(crate) result: V,
    pub(crate) place: (SourceFile, Place),
}

/// How a resolved argument is given.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Given {
    Position,
    Name(Ustr),
    /// Of a spread whose elements aren't known.
    Rest,
}

impl V {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text([Piece::Text(ustr(text))].into())
    }

    /// The constant text, if it is one.
    pub(crate) fn as_text(&self) -> Option<String> {
        match self {
            Self::Text(pieces) => pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => Some(text.as_str()),
                    Piece::Symbol(_) | Piece::Pattern(_) => None,
                })
                .collect(),
            _ => None,
        }
    }

    /// The value as pieces of a text; what isn't a text becomes a symbol.
    pub(crate) fn pieces(&self) -> Vec<Piece> {
        match self {
            Self::Text(pieces) => pieces.to_vec(),
            Self::Null => Vec::new(),
            Self::Number(text) => vec![Piece::Text(*text)],
            Self::Pattern(pattern) => vec![Piece::Pattern(*pattern)],
            // The first alternative that is a text: `getenv("PREFIX") or "/api"` has a default. So has an
            // optional parameter: `prefix=None`.
            Self::Either(values) => {
                let known = values
                    .iter()
                    .find(|value| value.settled().as_text().is_some())
                    .or_else(|| values.iter().find(|value| matches!(value, Self::Null)));
                match known {
                    Some(value) => value.pieces(),
                    None => vec![Piece::Symbol(self.spelled())],
                }
            }
            Self::Called(called) if called.result != Self::Unknown => called.result.pieces(),
            Self::Called(called) => match self.environment_default(called) {
                Some(default) => default.pieces(),
                None => vec![Piece::Symbol(self.spelled())],
            },
            _ => vec![Piece::Symbol(self.spelled())],
        }
    }

    /// The second argument of `getenv(name, default)`, a text.
    fn environment_default<'v>(&self, called: &'v Called) -> Option<&'v Self> {
        if !self.is_environment() {
            return None;
        }
        let default = called.args.iter().find_map(|(given, value)| match given {
            Given::Name(name) if name.as_str() == "default" => Some(value),
            _ => None,
        });
        default
            .or_else(|| called.args.get(1).map(|(_, value)| value))
            .filter(|value| value.as_text().is_some())
    }

    /// Whether the value comes from the process's environment.
    pub(crate) fn is_environment(&self) -> bool {
        const ROOTS: &[&str] = &[
            "os.environ",
            "os.getenv",
            "environ",
            "getenv",
            "process.env",
            "std.env.var",
            "env.var",
        ];
        match self {
            Self::External(name) => ROOTS.iter().any(|root| {
                name.strip_prefix(root)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            }),
            Self::Member(member) => member.0.is_environment(),
            Self::Index(index) => index.0.is_environment(),
            Self::Called(called) => {
                called.result == Self::Unknown && called.callee.is_environment()
            }
            Self::Either(values) => values.first().is_some_and(Self::is_environment),
            _ => false,
        }
    }

    /// Whether something can be registered on, or by, the value.
    pub(crate) fn may_route(&self) -> bool {
        match self {
            Self::Object(_)
            | Self::Pending(_)
            | Self::Super(..)
            | Self::Func(_)
            | Self::Class(..) => true,
            Self::List(items) => items.iter().any(Self::may_route),
            Self::Dict(entries) => entries.iter().any(|(_, value)| value.may_route()),
            Self::Either(values) => values.iter().any(Self::may_route),
            Self::Called(called) => called.result.may_route(),
            Self::Member(member) => member.0.may_route(),
            _ => false,
        }
    }

    /// Whether only a name is known of the value.
    pub(crate) fn is_symbolic(&self) -> bool {
        match self {
            Self::Symbol(_) | Self::Unknown => true,
            Self::Member(member) => !matches!(
                member.0.settled(),
                Self::Object(_) | Self::Class(..) | Self::Super(..)
            ),
            Self::Index(_) => true,
            Self::Called(called) => called.result == Self::Unknown && called.callee.is_symbolic(),
            Self::External(_) => self.is_environment(),
            _ => false,
        }
    }

    /// A short name for messages and symbolic path segments.
    pub(crate) fn spelled(&self) -> Ustr {
        match self {
            Self::External(name) | Self::Symbol(name) | Self::Number(name) => *name,
            Self::Func(func) => func.id,
            Self::Class(_, id) => *id,
            Self::Member(member) => ustr(&format!("{}.{}", last(member.0.spelled()), member.1)),
            Self::Called(called) => match (&called.callee, called.args.first()) {
                (V::External(name), Some((_, arg)))
                    if matches!(name.as_str(), "os.getenv" | "os.environ.get") =>
                {
                    ustr(arg.as_text().as_deref().unwrap_or("environment"))
                }
                _ => called.callee.spelled(),
            },
            Self::Either(values) => values.first().map_or_else(|| ustr("value"), Self::spelled),
            Self::Index(index) => index.0.spelled(),
            Self::Module(Module::External(name)) => ustr(name),
            Self::Pattern(pattern) => *pattern,
            _ => ustr("value"),
        }
    }

    /// The value without calls that were followed.
    pub(crate) fn settled(&self) -> &Self {
        match self {
            Self::Called(called) if called.result != Self::Unknown => called.result.settled(),
            other => other,
        }
    }
}

fn last(name: Ustr) -> Ustr {
    name.rsplit('.').next().map_or(name, ustr)
}
