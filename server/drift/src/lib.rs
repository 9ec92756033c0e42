//! Two models to findings: what a change did to the controls.
//!
//! This crate knows no editor protocol. [`findings`] compares, [`fixes`] proposes edits.

mod code;
mod compare;
mod config;
mod finding;

pub use code::{Code, Taxonomy};
pub use compare::{Trees, findings, fixes};
pub use config::{CONFIG_FILE, Config, Problem, load as load_config};
pub use finding::{EntryName, Evidence, Finding, Fix, FixEdit, Severity, Side};
