//! Errors of a contender's run.

use serde_json::Error as JsonError;
use thiserror::Error;

use testkit::processes::ProcessError;
use testkit::python::PythonError;

/// A run gave no sample.
#[derive(Debug, Error)]
pub(crate) enum RunError {
    /// This build does not have the option.
    #[error("not in this build: {0}")]
    NoOption(String),
    /// A process failed.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The Python environment could not be made.
    #[error(transparent)]
    Python(#[from] PythonError),
    /// A file or pipe failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The output was not the figures expected.
    #[error("no figures: {0}")]
    Figures(#[from] JsonError),
    /// The report shows that frames or sessions are missing.
    #[error("{0}")]
    Frames(String),
}
