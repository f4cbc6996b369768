//! Errors of measuring a process.

use std::io;

use thiserror::Error;

/// A process could not be run or measured.
#[derive(Debug, Error)]
pub enum ProcessError {
    /// A file, pipe or process failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The system has no figures for the process.
    #[error("the system has no figures for process {0}: {1}")]
    NoFigures(u32, String),
    /// The process failed.
    #[error("{name}: {what}; it said: {said}")]
    Failed {
        /// Name of the process.
        name: String,
        /// What went wrong.
        what: String,
        /// Last lines of its stderr.
        said: String,
    },
    /// The programs could not be built.
    #[error("cargo build: {0}")]
    Build(String),
}
