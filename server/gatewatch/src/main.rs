//! The `gatewatch` program.

use std::process::ExitCode;

/// Facts and models are many small values that come and go with each edit: a third of an edit's time was the
/// system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    gatewatch::cli::main()
}
