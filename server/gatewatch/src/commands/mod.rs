//! What each command does. None writes anything: each gives its result as text.

pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod routes;
