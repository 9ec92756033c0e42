//! The command line as a library, so that tests run the commands as the binary does.

pub mod cli;
mod commands;
mod failure;
mod load;

pub use commands::check::{CheckOptions, check};
pub use commands::explain::{Place, explain};
pub use commands::routes::routes;
pub use failure::Failure;
pub use load::{BaselineChoice, Loaded, load};
