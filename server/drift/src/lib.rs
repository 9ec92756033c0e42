//! Two models to findings: what a change did to the controls.
//!
//! This crate knows no editor protocol. [`findings`] compares, [`fixes`] proposes edits.

mod added;
mod cause;
mod code;
mod compare;
mod config;
mod finding;
mod fixes;
mod loss;
mod notes;
mod pairs;
mod places;

pub use code::{Code, Taxonomy};
pub use compare::{Trees, findings};
pub use config::{CONFIG_FILE, Config, Problem, load as load_config};
pub use finding::{EntryName, Evidence, Finding, Fix, FixEdit, Severity, Side};
pub use fixes::fixes;
