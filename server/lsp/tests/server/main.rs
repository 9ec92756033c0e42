//! The language server as an editor sees it, through the real service.
#![allow(clippy::unwrap_used)]

mod documents;
mod features;
mod findings;
mod harness;
mod hostile;
mod lifecycle;
mod workspace;
