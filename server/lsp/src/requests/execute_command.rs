//! `workspace/executeCommand`: what users can ask of the server itself. The owner runs these.

use tower_lsp_server::jsonrpc::Error;

/// Reads and analyses everything anew.
pub(crate) const RESTART: &str = "gatewatch.restartAnalysis";
/// Tells what the server holds in memory.
pub(crate) const MEMORY: &str = "gatewatch.showMemory";
/// Every command.
pub(crate) const ALL: [&str; 2] = [RESTART, MEMORY];

/// The answer to any other.
pub(crate) fn unknown(command: &str) -> Error {
    Error::invalid_params(format!(
        "there is no command `{command}`; there are `{RESTART}` and `{MEMORY}`"
    ))
}

/// The memory of this process, as its own account; `None` where the system doesn't tell without help.
pub(crate) fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
