//! Why an output failed.

use std::io;

use thiserror::Error;

/// An output could not be written.
#[derive(Debug, Error)]
#[error("cannot write the {what} to {place}: {error}")]
pub struct OutputError {
    /// The output's content.
    pub what: &'static str,
    /// Where it is written.
    pub place: String,
    /// What failed.
    pub error: io::Error,
}
