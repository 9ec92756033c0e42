//! The `gatewatch` program.

use std::process::ExitCode;

/// Facts and models are many small values that come and go with each edit: a third of an edit's time was the
/// system's allocator. This one also gives pages back that a first analysis leaves half empty.
#[cfg(unix)]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How the allocator is to work; it reads this when the program starts. One thread analyses at a time, so one arena serves
/// all, and what is free goes back after a second, on a thread of its own, which is no part of any edit.
#[cfg(unix)]
#[allow(non_upper_case_globals, unsafe_code)]
// SAFETY: the allocator takes the symbol for a pointer to a text that a zero ends. The first word of a slice is that.
#[unsafe(export_name = "malloc_conf")]
pub static malloc_conf: &[u8] =
    b"narenas:1,dirty_decay_ms:1000,muzzy_decay_ms:0,background_thread:true\0";

fn main() -> ExitCode {
    gatewatch::cli::main()
}
