//! The language server: what the engine finds, said in an editor's protocol.
//!
//! One thread, the owner, holds the database, the folders and the open documents. The protocol's handlers
//! only enqueue; a few workers compute on snapshots; one task sends. This crate decides nothing about
//! security.

mod backend;
mod capabilities;
mod convert;
mod diagnostics;
mod outbox;
mod owner;
mod parent;
mod progress;
mod reading;
mod requests;
mod server;
mod settings;
mod view;
mod watchdog;
mod workers;

pub use server::{Ended, run, serve};
