//! Reads what is calibrated: a run's folder or a CSV file.

use std::fs;
use std::path::Path;

use super::error::CalibrateError;
use super::observation::Set;
use super::{csv_file, run_folder};

/// Reads a run's folder or a CSV file.
pub(super) fn read(path: &Path) -> Result<Set, CalibrateError> {
    let about = fs::metadata(path).map_err(|error| CalibrateError::Read { path: path.into(), error })?;
    if about.is_dir() { run_folder::read(path) } else { csv_file::read(path) }
}
