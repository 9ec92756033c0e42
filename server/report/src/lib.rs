//! Models and findings to text. This crate computes nothing about security: it finds out where things
//! stand, and says them.
//!
//! One module a format. All formats of a check take a [`Report`], in which every position is resolved.

mod cover;
mod explain;
mod github;
mod json;
mod lens;
mod markdown;
mod place;
mod plain;
mod rendered;
mod routes;
mod routes_text;
mod rules;
mod sarif;
mod speech;
mod subject;
mod text;

pub use cover::{Confidence, confidence, entry_name, handler_site, title};
pub use explain::{Explanation, explain, explain_line};
pub use github::github;
pub use json::json;
pub use lens::{Lens, lens, symbols};
pub use markdown::markdown;
pub use place::{Location, line_map, location, location_of};
pub use plain::visible;
pub use rendered::{Note, Rendered, Report, TANGLED, Unread, Unresolved, render, tangled};
pub use routes::{Route, RouteControl, routes, routes_json};
pub use routes_text::routes_text;
pub use rules::{describe, title_of};
pub use sarif::sarif;
pub use text::text;
