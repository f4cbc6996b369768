//! Why a run of a contender gave nothing.

use serde_json::Error as JsonError;
use thiserror::Error;

use testkit::processes::ProcessError;
use testkit::python::PythonError;

/// Why a run gave nothing.
#[derive(Debug, Error)]
pub(crate) enum RunError {
    /// This build has no such option.
    #[error("not in this build: {0}")]
    NoOption(String),
    /// A process failed.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// Python's environment.
    #[error(transparent)]
    Python(#[from] PythonError),
    /// A file or pipe.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It said something else than its figures.
    #[error("no figures: {0}")]
    Figures(#[from] JsonError),
    /// It says itself that frames are missing.
    #[error("{0}")]
    Frames(String),
}
