//! Why a run failed: said on stderr, with exit status 2.

use std::path::PathBuf;

use gatewatch_source::BaselineError;

/// A run that gave no result.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The folder to be read is not there, or is no folder.
    #[error("`{}` is not a folder that can be read: {why}", dir.display())]
    Folder {
        /// The folder as it was asked for.
        dir: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The baseline that was asked for can't be had.
    #[error(transparent)]
    Baseline(#[from] BaselineError),
    /// The baseline that the configuration asks for can't be had.
    #[error("gatewatch.toml sets the baseline, and {0}")]
    Configured(BaselineError),
    /// What was asked for makes no sense.
    #[error("{0}")]
    Asked(String),
    /// The result can't be written as JSON.
    #[error("the result can't be written: {0}")]
    Json(#[from] serde_json::Error),
}
