//! What can go wrong with a process.

use std::io;

use thiserror::Error;

/// Why a process gives no figures.
#[derive(Debug, Error)]
pub enum ProcessError {
    /// A file, pipe or process failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The system says nothing of it.
    #[error("the system says nothing of process {0}: {1}")]
    NoFigures(u32, String),
    /// It did not do what it was started for.
    #[error("{name}: {what}; it said: {said}")]
    Failed {
        /// Its name.
        name: String,
        /// What it did.
        what: String,
        /// The last it said.
        said: String,
    },
    /// The programs could not be built.
    #[error("cargo build: {0}")]
    Build(String),
}
