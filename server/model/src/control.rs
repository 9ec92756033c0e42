//! Controls: what stands in front of an entry point, how strong it is, and where.

use std::fmt;
use std::sync::Arc;

use gatewatch_source::Db;
use ustr::Ustr;

use crate::effects::Need;
use crate::entry::{EntryPoint, Guard, Site};

/// What a control does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Effect {
    /// It finds out who calls, and denies those it can't.
    Authentication,
    /// It asks whether the caller may do this at all: role, scope, permission.
    Authorization,
    /// It asks whether the object belongs to the caller or the caller's tenant.
    Ownership,
}

impl Effect {
    /// The word of the contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::Authorization => "authorization",
            Self::Ownership => "ownership",
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How sure a control holds. Ordered from weak to strong.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Strength {
    /// It only documents or populates; it denies nobody.
    Advisory,
    /// It lets callers without an identity pass.
    Optional,
    /// Can't be told.
    Unknown,
    /// On every path it either passes a caller that it knows, or denies.
    Enforcing,
}

impl Strength {
    /// The word of the contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Advisory => "advisory",
            Self::Optional => "optional",
            Self::Unknown => "unknown",
            Self::Enforcing => "enforcing",
        }
    }
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A control in front of, or inside, one entry point.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct Control {
    /// What it does.
    pub effect: Effect,
    /// How sure it holds.
    pub strength: Strength,
    /// The guard's name (its last part); `inline` for an unnamed check.
    pub name: Ustr,
    /// The guard's whole name, for reports.
    pub full_name: Ustr,
    /// Where the check itself stands: the guard's definition; `None` for a library's.
    pub definition: Option<Site>,
    /// Where it is registered for this entry point.
    pub registration: Site,
    /// How it takes part: `decorator`, `dependency`, `router`, `middleware`, `inline`…
    pub via: &'static str,
    /// Whether it is written for this entry point alone.
    pub own: bool,
    /// What it demands, as short texts (roles, scopes), sorted.
    pub demands: Vec<Ustr>,
    /// Whether each of them has to be met (rights, scopes); else one is enough (roles).
    pub every: bool,
    /// What a caller has to meet to get past it, as far as it is known.
    pub need: Option<Need>,
    /// Position among what happens in the handler, for a check inside it.
    pub order: Order,
}

/// When a check runs, compared with what the handler does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Order {
    /// Before the handler's body.
    Before,
    /// In the body, before it loads or writes what the check protects.
    First,
    /// Behind the load of what it protects.
    AfterFetch,
    /// Behind a write or another effect.
    AfterWrite,
}

/// Who can call an entry point.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Auth {
    /// Only callers that an enforcing control knows.
    Authenticated,
    /// Anybody; callers with an identity are known.
    Optional,
    /// Anybody.
    Public,
    /// Can't be told.
    Unknown,
}

impl Auth {
    /// The word of the contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Authenticated => "authenticated",
            Self::Optional => "optional",
            Self::Public => "public",
            Self::Unknown => "unknown",
        }
    }
}

/// An entry point with its controls.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct Coverage {
    /// The entry point.
    pub entry_point: Arc<EntryPoint>,
    /// Its controls, in the order in which they run.
    pub controls: Vec<Control>,
    /// Every guard that was asked, dependencies of dependencies and called helpers included, whether it imposes a
    /// control or not.
    pub asked: Vec<Arc<Guard>>,
    /// Who can call it.
    pub auth: Auth,
    /// The guard that lets it pass by what it is, if one does.
    pub opened: Option<Opened>,
    /// Why that can't be told, where it can't.
    pub why_unknown: Option<String>,
    /// What the handler does that matters: whether it writes.
    pub writes: bool,
}

impl Coverage {
    /// The strongest control of an effect.
    pub fn strength(&self, effect: Effect) -> Option<Strength> {
        self.controls
            .iter()
            .filter(|control| control.effect == effect)
            .map(|control| control.strength)
            .max()
    }
}

/// An entry point that a guard lets pass.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct Opened {
    /// The guard's name.
    pub guard: Ustr,
    /// Where it says so: its list, else the condition.
    pub site: Site,
    /// The texts that name the entry point there, if any do.
    pub texts: Vec<Ustr>,
}

/// The model of a tree.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Model {
    /// Every entry point, sorted by path, method and place.
    pub entry_points: Vec<Arc<Coverage>>,
    /// Places that could not be resolved, with the reason.
    pub unknown: Vec<(Site, String)>,
}

impl Model {
    /// Brings the entry points into their order, each once.
    pub(crate) fn sort(&mut self, db: &dyn Db) {
        self.entry_points
            .sort_by(|a, b| a.entry_point.order(&b.entry_point, db));
        self.entry_points.dedup();
    }
}
