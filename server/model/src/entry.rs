//! Entry points with the guards that stand in front of them, as the link of all files gives them.

use std::cmp::Ordering;
use std::sync::Arc;

use gatewatch_frameworks::Place;
use gatewatch_source::{Db, SourceFile};
use ustr::Ustr;

use crate::effects::Exemption;

/// Where something is said, in which file.
pub type Site = (SourceFile, Place);

/// Something that can be called to guard or to handle.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub enum Callable {
    /// A function of the workspace.
    Function(SourceFile, Ustr),
    /// What a function of the workspace returned when it was called: `require("admin")`.
    Made {
        /// The function that was called.
        maker: (SourceFile, Ustr),
        /// The function that it returned, where that could be followed.
        inner: Option<(SourceFile, Ustr)>,
        /// The arguments, as short texts.
        args: Vec<Ustr>,
    },
    /// A class of the workspace: its instances guard by `__call__`, `dispatch`, `use`…
    Class(SourceFile, Ustr, Vec<Ustr>),
    /// A name outside of the workspace, with the arguments it was called with.
    External(Ustr, Vec<(Option<Ustr>, Ustr)>),
    /// Can't be told; what is known of its name.
    Unknown(Ustr),
}

impl Callable {
    /// The last part of its name.
    pub fn name(&self) -> Ustr {
        let whole = match self {
            Self::Function(_, id) | Self::Class(_, id, _) => *id,
            Self::Made { maker, .. } => maker.1,
            Self::External(name, _) | Self::Unknown(name) => *name,
        };
        // A macro goes by its name alone.
        whole
            .trim_end_matches('!')
            .rsplit(['.', ':'])
            .next()
            .map_or(whole, ustr::ustr)
    }

    /// What it was called with, as short texts.
    pub fn args(&self) -> Vec<Ustr> {
        match self {
            Self::Made { args, .. } | Self::Class(_, _, args) => args.clone(),
            Self::External(_, args) => args.iter().map(|(_, arg)| *arg).collect(),
            _ => Vec::new(),
        }
    }
}

/// A guard in front of an entry point.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct Guard {
    /// What runs.
    pub callable: Callable,
    /// How it takes part: `decorator`, `dependency`, `middleware`, `router`, `mount`…
    pub via: &'static str,
    /// Where it is registered.
    pub site: Site,
    /// Whether it was written for this route alone.
    pub own: bool,
    /// Whether it is registered only under a condition that can't be told, and what it stands in front of isn't.
    pub conditional: bool,
    /// The name that it is written by, where what runs has none of its own or another.
    pub named: Option<Ustr>,
    /// The only kind of entry point that it runs for; all without one.
    pub only: Option<Ustr>,
    /// The requests that it was told to let pass, by what they are sent to.
    pub except: Vec<Exemption>,
    /// The function that it was given to, which decides whether it runs.
    pub within: Option<(SourceFile, Ustr)>,
    /// Whether what it returns is given to the handler as a value.
    pub injected: bool,
    /// The name of the workspace that it is registered through, and where that is made: an instance, an alias of a type.
    pub through: Option<(Ustr, Site)>,
}

impl Guard {
    /// The name that it is known by: as it is written, else the last part of what runs; `inline` without one.
    pub fn name(&self) -> Ustr {
        let name = self.named.unwrap_or_else(|| self.callable.name());
        if name.starts_with('<') {
            ustr::ustr("inline")
        } else {
            name
        }
    }
}

/// What an entry point runs.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub enum Handler {
    /// A function of the workspace.
    Function(SourceFile, Ustr),
    /// A class whose instances answer (or a class-based view without a method for the verb).
    Class(SourceFile, Ustr),
    /// Can't be told; what is known of its name.
    Unknown(Ustr),
}

/// A place where outside data comes in.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct EntryPoint {
    /// `http` or `ws`.
    pub kind: &'static str,
    /// The verb; `ANY` for all, `WS` for a WebSocket.
    pub method: Ustr,
    /// The whole path: all prefixes applied, parameters as `{name}`.
    pub path: Ustr,
    /// The part of the path that it is registered with, without the prefixes of routers and mounts.
    pub own_path: Ustr,
    /// Its framework's pack.
    pub framework: Ustr,
    /// What it runs.
    pub handler: Handler,
    /// Where it is registered.
    pub site: Site,
    /// The guards that run before the handler, in order.
    pub guards: Vec<Arc<Guard>>,
    /// Guards that are written for it but don't run.
    pub inert: Vec<Arc<Guard>>,
    /// The routers that lead to it, outermost first: where each was made.
    pub routers: Vec<Site>,
    /// The mounts between them, outermost first.
    pub mounts: Vec<Site>,
    /// Whether something on the way could not be resolved, so that guards may be missing here.
    pub uncertain: bool,
    /// Whether a parameter of the path takes more than one segment, so that the path covers a tree.
    pub takes_rest: bool,
    /// The attributes that are set on its handler, where a guard asks for them.
    pub marks: Vec<Ustr>,
}

/// A guard that was registered on a router or an application.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct Registered {
    /// The guard.
    pub guard: Arc<Guard>,
    /// The router that it was registered on.
    pub router: Site,
    /// How many entry points it stands in front of.
    pub covers: u32,
}

/// All entry points of a tree.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Linked {
    /// Sorted by path, method, file.
    pub entry_points: Vec<Arc<EntryPoint>>,
    /// Guards of routers, also of those that cover nothing.
    pub registered: Vec<Registered>,
    /// Places that could not be resolved, with the reason.
    pub unknown: Vec<(Site, String)>,
}

impl Linked {
    /// Brings the entry points into their order, each once.
    pub(crate) fn sort(&mut self, db: &dyn Db) {
        self.entry_points.sort_by(|a, b| a.order(b, db));
        self.entry_points.dedup();
    }
}

impl EntryPoint {
    /// By path, method, file and place.
    pub(crate) fn order(&self, other: &Self, db: &dyn Db) -> Ordering {
        let path = |entry: &Self| entry.site.0.path(db);
        (self.path.as_str().cmp(other.path.as_str()))
            .then_with(|| self.method.as_str().cmp(other.method.as_str()))
            .then_with(|| path(self).cmp(path(other)))
            .then_with(|| self.site.1.cmp(&other.site.1))
    }
}
