//! Roles to the model: names resolved across files, entry points with what stands in front of them.
//!
//! The model knows nothing of a baseline: the same queries answer for the current tree and for the
//! branch point's.

mod alike;
mod config;
mod control;
mod coverage;
mod entry;
mod words;
mod names;
mod injected;
mod effects;
mod link;
mod modules;
mod places;
mod scope;

pub use control::{Auth, Control, Coverage, Effect, Model, Order, Strength};
pub use coverage::{is_known_control, model};
pub use effects::{Check, Effects, Use, effects_of};
pub use entry::{Callable, EntryPoint, Guard, Handler, Linked, Registered, Site};
pub use link::linked;
pub use modules::{Module, ModuleIndex, module_index, resolve_module};
pub use places::{class_site, function_site, function_spans, locate};
pub use scope::{is_production, walk_options};
