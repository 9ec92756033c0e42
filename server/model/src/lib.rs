//! Roles to the model: names resolved across files, entry points with what stands in front of them.
//!
//! The model knows nothing of a baseline: the same queries answer for the current tree and for the
//! branch point's.

mod alike;
mod components;
mod config;
mod control;
mod coverage;
mod effects;
mod entry;
mod fields;
mod injected;
mod link;
mod marks;
mod modules;
mod names;
mod places;
mod scope;
mod words;

pub use control::{Auth, Control, Coverage, Effect, Model, Opened, Order, Strength};
pub use coverage::{is_known_control, model, usage};
pub use effects::{Check, Effects, Exemption, Need, Reach, Use, effects_of};
pub use entry::{Callable, EntryPoint, Guard, Handler, Linked, Registered, Site};
pub use injected::extracting_site;
pub use link::linked;
pub use modules::{Module, ModuleIndex, module_index, resolve_module};
pub use places::{class_site, function_site, function_spans, locate};
pub use scope::{is_production, walk_options};

/// Runs something that may nest as deep as the analysed code does, with room on the stack.
pub(crate) fn deep<T>(run: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(2 << 20, 16 << 20, run)
}
