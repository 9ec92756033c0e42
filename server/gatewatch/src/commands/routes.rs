//! `gatewatch routes`: every entry point with its controls.

use std::path::Path;

use gatewatch_report::Route;

use crate::failure::Failure;
use crate::load::{BaselineChoice, load};

/// The entry points of the folder `dir`.
///
/// # Errors
/// If the folder can't be read.
pub fn routes(dir: &Path) -> Result<Vec<Route>, Failure> {
    let loaded = load(dir, &BaselineChoice::None)?;
    Ok(gatewatch_report::routes(
        &loaded.db,
        loaded.workspace.current,
    ))
}
