//! Why a sweep cannot run, or cannot go on.

use std::io;
use std::path::{Path, PathBuf};

use shared::text::Escaped;
use thiserror::Error;

use crate::run::FileError;

/// Why a sweep cannot run, or cannot go on.
#[derive(Debug, Error)]
pub enum SweepError {
    /// The command line is wrong, or the environment that chooses the shard.
    #[error("{0}")]
    Usage(String),
    /// The plan cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Something in the plan is wrong.
    #[error("{}: {}", Escaped(path.display()), Escaped(reason))]
    Plan {
        /// The plan.
        path: PathBuf,
        /// Where, what was wrong and what would be right.
        reason: String,
    },
    /// A file or folder cannot be read or written.
    #[error("{}: {error}", Escaped(path.display()))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        error: io::Error,
    },
    /// The sweep stopped before its end.
    #[error("{0}")]
    Stopped(String),
}

impl SweepError {
    /// Whether the error was found before any trial ran.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Usage(_) | Self::File(_) | Self::Plan { .. })
    }

    /// An error of this file or folder.
    pub(crate) fn at(path: &Path) -> impl Fn(io::Error) -> Self {
        |error| Self::Io { path: path.into(), error }
    }
}
