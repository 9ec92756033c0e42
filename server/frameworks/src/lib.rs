//! Facts to roles: what a fact means.
//!
//! Two halves. [`module_roles`] and its siblings run a scope's code over symbolic values and keep
//! what it calls, in order: that depends on one file only. [`Packs`] say which names play which role
//! in a framework, as data. This crate sees no syntax tree and resolves no name across files.

mod evaluate;
mod locate;
mod packs;
mod roles;
mod slice;
mod value;

pub use locate::{At, Locator};
pub use packs::{
    BuilderNames, ClassShape, Covers, Does, Extractor, Injection, KindId, LibraryControl, Method,
    ObjectKind, Pack, Packs, PathStyle, Server, Verbs, When, Wrapper, packs,
};
pub use roles::{builders, class_roles, content, function_roles, impls, module_roles, signature};
pub use slice::module_slice;
pub use value::{
    Argument, ArgumentKind, ClassRoles, ImportRef, Op, ParamRole, Place, PlaceNode, ScopeRoles,
    Signature, Value,
};
