//! Router-like objects while the machine runs: what was registered on them, in order.

use gatewatch_frameworks::{KindId, Place};
use gatewatch_source::SourceFile;
use rustc_hash::FxHashMap;
use ustr::Ustr;

use super::value::{Piece, V};

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ObjectKind {
    /// Of a framework.
    Pack(KindId),
    /// An instance of a class of the workspace.
    Instance(SourceFile, Ustr),
}

/// A guard as it was registered.
#[derive(Clone, Debug)]
pub(crate) struct GuardUse {
    pub(crate) value: V,
    /// `dependency`, `decorator`, `middleware`, `router`…
    pub(crate) via: &'static str,
    /// The only kind of entry point that it runs for.
    pub(crate) only: Option<Ustr>,
    /// The hook that it decorates, whose part it is.
    pub(crate) named: Option<Ustr>,
    pub(crate) place: (SourceFile, Place),
}

/// A registration on an object.
#[derive(Clone, Debug)]
pub(crate) enum Registration {
    Route(RouteRegistration),
    Mount {
        path: Vec<Piece>,
        child: u32,
        guards: Vec<GuardUse>,
        replaces_prefix: bool,
        /// Injected guards don't run for what stands below.
        plain: bool,
        place: (SourceFile, Place),
    },
    /// What turned out to be no registration of its own.
    Nothing,
    /// Something was mounted that could not be resolved: routes may be missing.
    Unresolved {
        place: (SourceFile, Place),
    },
    Guard {
        /// It covers only what stands below this path.
        path: Vec<Piece>,
        /// It runs only for paths with this parameter.
        param: Option<Ustr>,
        guard: GuardUse,
    },
}

/// Where a mount was registered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mounted {
    pub(crate) parent: u32,
    pub(crate) child: u32,
    /// Among the parent's registrations.
    pub(crate) index: usize,
    /// Whether only a name is known of a part of its path.
    pub(crate) symbolic: bool,
}

/// A route as it was registered.
#[derive(Clone, Debug)]
pub(crate) struct RouteRegistration {
    pub(crate) verbs: Vec<Ustr>,
    pub(crate) paths: Vec<Vec<Piece>>,
    pub(crate) handler: V,
    /// In the order in which they run.
    pub(crate) guards: Vec<GuardUse>,
    /// Guards that were written but don't run: decorators above the registering one.
    pub(crate) inert: Vec<GuardUse>,
    pub(crate) kind: &'static str,
    /// Injected guards don't run for it.
    pub(crate) plain: bool,
    pub(crate) place: (SourceFile, Place),
}

/// A router-like object, or an instance that holds some.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) kind: ObjectKind,
    /// The class of the workspace that it is an instance of, when the class extends a framework's.
    pub(crate) class: Option<(SourceFile, Ustr)>,
    /// Whether the framework's constructor has run.
    pub(crate) made: bool,
    pub(crate) prefix: Vec<Piece>,
    /// Guards given to the constructor.
    pub(crate) guards: Vec<GuardUse>,
    pub(crate) registered: Vec<Registration>,
    pub(crate) fields: FxHashMap<Ustr, V>,
    pub(crate) place: (SourceFile, Place),
    /// The function that was started when it was made; see `routes::dead`.
    pub(crate) start: Option<(SourceFile, Ustr)>,
    /// Whether it was handed to what serves it.
    pub(crate) served: bool,
}

impl Object {
    pub(crate) fn new(kind: ObjectKind, place: (SourceFile, Place)) -> Self {
        Self {
            kind,
            class: None,
            made: false,
            prefix: Vec::new(),
            guards: Vec::new(),
            registered: Vec::new(),
            fields: FxHashMap::default(),
            place,
            start: None,
            served: false,
        }
    }
}

impl Object {
    /// The class of the workspace that the object is an instance of.
    pub(crate) fn class(&self) -> Option<(SourceFile, Ustr)> {
        match self.kind {
            ObjectKind::Pack(_) => self.class,
            ObjectKind::Instance(file, id) => Some((file, id)),
        }
    }
}
