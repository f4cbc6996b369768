//! Why runs cannot be compared.

use std::io;
use std::path::PathBuf;

use shared::text::Escaped;
use thiserror::Error;

use crate::run::FileError;

/// Why runs cannot be compared.
#[derive(Debug, Error)]
pub enum CompareError {
    /// There are too few runs.
    #[error("{0}")]
    Usage(String),
    /// A file or folder cannot be read.
    #[error("{} cannot be read ({error}): name a folder that a run wrote with --out, or its report.json", Escaped(&path.display().to_string()))]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        error: io::Error,
    },
    /// A folder has no report.
    #[error("{} has no report.json: name a folder that a run wrote with --out, or call server report {} first", Escaped(&folder.display().to_string()), Escaped(&folder.display().to_string()))]
    NoReport {
        /// The folder.
        folder: PathBuf,
    },
    /// A file is not a report.
    #[error("{} is not a report: {wrong}; name a report that the server wrote with --json or --out", Escaped(&path.display().to_string()))]
    NotAReport {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        wrong: String,
    },
    /// A row cannot be read.
    #[error("{}: {wrong}", Escaped(&path.display().to_string()))]
    Frames {
        /// The table.
        path: PathBuf,
        /// Which row, and what is wrong with it.
        wrong: String,
    },
    /// A run's file cannot be read.
    #[error(transparent)]
    Run(#[from] FileError),
    /// A result cannot be written.
    #[error("cannot write {what}: {error}")]
    Write {
        /// What it is.
        what: String,
        /// What failed.
        error: io::Error,
    },
    /// A run of the rounds failed.
    #[error("{0}")]
    Round(String),
}

impl CompareError {
    /// Whether the arguments are wrong.
    pub(super) fn is_usage(&self) -> bool {
        !matches!(self, Self::Write { .. } | Self::Round(_))
    }
}
