//! What a function does that matters to the controls: which identity it inspects, where it denies, what it
//! loads and writes, in order.
//!
//! A guard is what it does: a callable that inspects an identity or credential and on some path denies.
//! One query for each function; it reads the function's own code and the effects of what it calls.

mod branches;
mod call;
mod called;
mod classify;
mod condition;
mod context;
mod denial;
mod doubt;
mod inlined;
mod kind;
mod library;
mod locals;
mod need;
mod ownership;
mod path;
mod reach;
mod refusal;
mod target;
mod value;
mod walk;

use std::sync::Arc;

pub use need::Need;
pub use reach::Reach;
pub(crate) use reach::{How, Part};

use gatewatch_frameworks::{PlaceNode, signature};
use gatewatch_source::{Db, FileSet, SourceFile, fitted};
use gatewatch_syntax::facts::{Expr, Stmt};
use gatewatch_syntax::function;
use ustr::Ustr;

use crate::alike::Sayings;
use crate::control::{Effect, Order, Strength};
use crate::entry::{EntryPoint, Site};

/// A check that a function makes.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct Check {
    /// What it does.
    pub effect: Effect,
    /// How sure it holds.
    pub strength: Strength,
    /// Where it stands: its condition, or the call that makes it.
    pub site: Site,
    /// The function that makes it, when it isn't made here.
    pub by: Option<(SourceFile, Ustr)>,
    /// The library's callable that makes it.
    pub library: Option<Library>,
    /// What it demands, sorted.
    pub demands: Vec<Ustr>,
    /// Whether each of them has to be met; else one is enough.
    pub every: bool,
    /// When it runs, compared with loads and writes of the same function.
    pub order: Order,
    /// What a caller has to meet to get past it, as far as it is known.
    pub need: Option<Need>,
    /// The requests that it is made for; `None` for all.
    pub when: Option<Reach>,
}

impl Check {
    /// How strong the check is for an entry point; `None` where it isn't made.
    pub fn strength_for(&self, entry: &EntryPoint) -> Option<Strength> {
        match self.when.as_ref().map(|when| when.holds(Some(entry))) {
            None | Some(Some(true)) => Some(self.strength),
            Some(None) => Some(self.strength.min(Strength::Unknown)),
            Some(Some(false)) => None,
        }
    }
}

/// A callable of a library that makes a check.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct Library {
    /// Its whole name.
    pub name: Ustr,
    /// The object of a module that it is a method of, and where that is made.
    pub through: Option<(Ustr, Site)>,
}

impl Library {
    fn named(name: Ustr) -> Self {
        Self {
            name,
            through: None,
        }
    }
}

/// A condition under which a guard lets requests pass by what they are sent to.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct Exemption {
    /// The condition.
    pub site: Site,
    /// Which requests it lets pass.
    pub reach: Reach,
}

/// What a function does that matters to the controls.
#[derive(Clone, PartialEq, Eq, Debug, Default, Hash)]
pub struct Effects {
    /// Its checks, in order. Those of functions that it returns (a decorator's wrapper, a factory's guard)
    /// are among them.
    pub checks: Vec<Check>,
    /// It reads an identity or credential of the request.
    pub reads_identity: bool,
    /// The identity or credential comes from a proxy that nobody hands over: `session`, `current_user`.
    pub ambient: bool,
    /// It gives an identity back.
    pub returns_identity: bool,
    /// It gives back what it loaded for an identity that it was given.
    pub returns_scoped: bool,
    /// It puts an identity where what runs later looks for it: `req.user = …`, `g.user = …`.
    pub populates: bool,
    /// Functions of the workspace that it calls, with the call, in order.
    pub calls: Vec<(SourceFile, Ustr, Site)>,
    /// Whatever it is called with, it refuses.
    pub always_denies: bool,
    /// Who sends no credential passes, and that is all that speaks against its checks.
    pub passes_nobody: bool,
    /// It gives an identity to code of the workspace that loads or writes: whose things those are, is asked there, if
    /// anywhere.
    pub hands_over: bool,
    /// It loads something.
    pub loads: bool,
    /// It changes something.
    pub writes: bool,
    /// Conditions under which it lets requests pass by what they are sent to.
    pub exempt: Vec<Exemption>,
    /// All of its refusals are given back or sent, and none is raised: who calls it has to look at what it says.
    pub by_value: bool,
    /// It calls `next` itself: a middleware that it was given doesn't run for each request.
    pub goes_on: bool,
    /// Checks whose denial can't take effect: swallowed, or the function goes on.
    pub inert: Vec<Check>,
}

/// What a parameter carries, by what is injected into it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ParamKindOf {
    /// Who is calling.
    Identity,
    /// A credential.
    Credential,
    /// What the request sends as content: a class that is made of it.
    Data,
    /// Neither.
    Nothing,
}

/// How a function is used: the parameters of a handler are data of the request, those of a guard are not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Use {
    /// It answers a request.
    Handler,
    /// It stands in front of one, or is called by code that does.
    Guard,
    /// It stands in front of one, and whatever it returns is given to the handler: it refuses by raising alone.
    Injected,
}

/// See [`Effects`].
#[salsa::tracked(returns(clone), cycle_result = no_effects)]
pub fn effects_of(
    db: &dyn Db,
    tree: FileSet,
    file: SourceFile,
    id: Ustr,
    used: Use,
) -> Arc<Effects> {
    let Some(facts) = function(db, file, id) else {
        return Arc::default();
    };
    let Some(signature) = signature(db, file, id) else {
        return Arc::default();
    };
    // A chain of calls can be as long as the workspace makes it: the stack grows with it.
    let mut effects = crate::deep(|| walk::walk(db, tree, file, id, used, &facts, &signature));
    // A decorator, a factory: what it returns does the work.
    for nested in returned_functions(&facts) {
        let inner = called::called(db, tree, file, nested);
        effects.checks.extend(inner.checks.iter().cloned());
        effects.inert.extend(inner.inert.iter().cloned());
        effects.exempt.extend(inner.exempt.iter().cloned());
        effects.reads_identity |= inner.reads_identity;
        effects.ambient |= inner.ambient;
        effects.populates |= inner.populates;
    }
    settle(db, file, &mut effects);
    Arc::new(Effects {
        checks: fitted(effects.checks),
        calls: fitted(effects.calls),
        exempt: fitted(effects.exempt),
        inert: fitted(effects.inert),
        ..effects
    })
}

/// Says where everything stands in a way that typing elsewhere in the same bodies doesn't change: effects that
/// are equal leave the model alone.
fn settle(db: &dyn Db, file: SourceFile, effects: &mut Effects) {
    let mut owners: Vec<Ustr> = Vec::new();
    sites(effects, |(_, place)| {
        let by_index =
            place.in_body && matches!(place.node, PlaceNode::Expr(_) | PlaceNode::Stmt(_));
        if by_index && !owners.contains(&place.code) {
            owners.push(place.code);
        }
    });
    for owner in owners {
        let Some(facts) = function(db, file, owner) else {
            continue;
        };
        let sayings = Sayings::of(&facts.body);
        sites(effects, |(of, place)| {
            if *of == file && place.in_body && place.code == owner {
                place.node = sayings.settled(place.node);
            }
        });
    }
}

/// Every place that effects name.
fn sites(effects: &mut Effects, mut each: impl FnMut(&mut Site)) {
    let checks = effects.checks.iter_mut().chain(&mut effects.inert);
    checks.for_each(|check| each(&mut check.site));
    effects.calls.iter_mut().for_each(|(_, _, site)| each(site));
    effects
        .exempt
        .iter_mut()
        .for_each(|exemption| each(&mut exemption.site));
}

/// A function that leads back to itself contributes nothing of its own the second time round.
fn no_effects(
    _db: &dyn Db,
    _revision: salsa::Id,
    _tree: FileSet,
    _file: SourceFile,
    _id: Ustr,
    _used: Use,
) -> Arc<Effects> {
    Arc::default()
}

/// The nested function that a function's body returns, when it is one alone.
pub(crate) fn made_by(db: &dyn Db, file: SourceFile, id: Ustr) -> Option<Ustr> {
    let facts = function(db, file, id)?;
    match returned_functions(&facts).as_slice() {
        [inner] => Some(*inner),
        _ => None,
    }
}

/// The nested functions that a function's body returns.
fn returned_functions(facts: &gatewatch_syntax::FunctionFacts) -> Vec<Ustr> {
    let code = &facts.body;
    let mut found = Vec::new();
    for stmt in &code.stmts {
        let (Stmt::Return(Some(value)) | Stmt::Tail(value)) = stmt else {
            continue;
        };
        let mut values = vec![*value];
        while let Some(value) = values.pop() {
            match code.expr(value) {
                Expr::Function(index) => {
                    found.extend(
                        code.functions
                            .get(index as usize)
                            .map(|function| function.id),
                    );
                }
                Expr::Name(name) => {
                    found.extend(
                        code.functions
                            .iter()
                            .find(|function| function.name == name)
                            .map(|function| function.id),
                    );
                }
                // `return update_wrapper(inner, f)`, `[auth, (req, res, next) => …]`
                Expr::Call { args, .. } | Expr::List(args) | Expr::Tuple(args) => {
                    values.extend(code.args(args).iter().map(|arg| arg.value));
                }
                Expr::Cond {
                    then, otherwise, ..
                } => values.extend([then, otherwise]),
                _ => {}
            }
        }
    }
    found.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    found.dedup();
    found
}
