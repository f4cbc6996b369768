//! Why an output failed.

use std::io;

use thiserror::Error;

/// What a run's folder holds.
pub(super) const FOLDER: &str = "run";

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

impl OutputError {
    /// Whether the system gives no thread to write with (`EAGAIN`, as pthread_create(3) has it).
    pub fn lacks_a_thread(&self) -> bool {
        self.error.kind() == io::ErrorKind::WouldBlock
    }

    /// The error with what would be right.
    pub fn with_advice(&self) -> String {
        self.advice().map_or_else(|| self.to_string(), |advice| format!("{self}: {advice}"))
    }

    /// What would be right, if another option would do.
    fn advice(&self) -> Option<&'static str> {
        if self.lacks_a_thread() {
            return None;
        }
        Some(match self.what {
            // The path of a source.
            FOLDER if self.error.kind() == io::ErrorKind::InvalidData => "start in a folder whose name is UTF-8 text",
            FOLDER => "name a folder that is absent or empty",
            _ => "name a file that can be written",
        })
    }
}
