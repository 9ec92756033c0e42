//! The comparison of the current model with the baseline's.

use std::sync::Arc;

use gatewatch_source::{Db, FileSet};

use crate::finding::{Finding, Fix};

/// The two trees that are compared.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Trees {
    /// The tree as it is now.
    pub current: FileSet,
    /// The tree at the branch point.
    pub baseline: FileSet,
}

/// What changed between the two trees and matters, sorted by file, place, code and entry point.
pub fn findings(_db: &dyn Db, _trees: Trees) -> Arc<Vec<Finding>> {
    Arc::default()
}

/// Edits of the current tree that clear a finding; empty where none can be offered.
pub fn fixes(_db: &dyn Db, _trees: Trees, _finding: &Finding) -> Vec<Fix> {
    Vec::new()
}
