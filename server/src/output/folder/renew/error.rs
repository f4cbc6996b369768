//! Why a run's folder could not be renewed.

use std::io;
use std::path::{Path, PathBuf};

use shared::text::Escaped;
use thiserror::Error;

use crate::run::FileError;

/// A run's folder could not be renewed.
#[derive(Debug, Error)]
pub enum RenewError {
    /// The folder is not one that a run has written.
    #[error("{} is not the folder of a run: {wrong}; name a folder that a run wrote with --out", Escaped(&folder.display().to_string()))]
    NotARun {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        wrong: String,
    },
    /// The run is still going on.
    #[error("{} belongs to a run that is still going on: wait for its end, or stop its server", Escaped(&folder.display().to_string()))]
    Running {
        /// The folder.
        folder: PathBuf,
    },
    /// The file of the run cannot be read.
    #[error(transparent)]
    Run(#[from] FileError),
    /// The report cannot be read. It holds what the frames do not tell, so it is not replaced.
    #[error("{} is no report that can be read ({wrong}): restore it, or move it away, and a report is made from the frames alone", Escaped(&path.display().to_string()))]
    NotAReport {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        wrong: String,
    },
    /// The file of the run and the report are of different runs.
    #[error("{} is not the run of {}: {wrong}; restore the file that was changed", Escaped(&run.display().to_string()), Escaped(&report.display().to_string()))]
    OtherRun {
        /// The file of the run.
        run: PathBuf,
        /// The report.
        report: PathBuf,
        /// Where they differ.
        wrong: String,
    },
    /// The rows are not those of the report.
    #[error("{} has other frames than {}: {wrong}; restore the file that was changed", Escaped(&frames.display().to_string()), Escaped(&report.display().to_string()))]
    OtherRows {
        /// The file of the rows.
        frames: PathBuf,
        /// The report.
        report: PathBuf,
        /// Where they differ.
        wrong: String,
    },
    /// A row cannot be read.
    #[error("{}: line {line} is not a row of the task {task}: {wrong}; correct or remove it", Escaped(&path.display().to_string()))]
    Row {
        /// The file of the rows.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The run's task.
        task: &'static str,
        /// What is wrong.
        wrong: String,
    },
    /// A file cannot be read or written.
    #[error("cannot read or write {}: {error}", Escaped(&path.display().to_string()))]
    Io {
        /// The file.
        path: PathBuf,
        /// What failed.
        error: io::Error,
    },
}

impl RenewError {
    /// Whether another folder, or a corrected one, would do.
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Io { .. })
    }
}

/// Says which file of the folder failed.
pub(super) fn failed(folder: &Path, name: &str) -> impl FnOnce(io::Error) -> RenewError + use<> {
    let path = folder.join(name);
    move |error| RenewError::Io { path, error }
}
