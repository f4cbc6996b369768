//! The names of unfinished files, and the removal of those that were left.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Suffix of an unfinished file's name, which begins with a dot and the final name.
pub(super) const PART: &str = ".part";

/// How the name of an unfinished file begins.
pub(super) fn prefix(name: &str) -> String {
    format!(".{name}.")
}

/// Longest beginning of an unfinished file's name, in bytes: with the six characters of `tempfile` and the suffix it has
/// the 255 of Linux's file systems.
const LONGEST: usize = 255 - 6 - PART.len();

/// How the name of an unfinished file begins, or another beginning if that would be too long for a name.
pub(super) fn start(name: &str) -> String {
    let start = prefix(name);
    if start.len() > LONGEST { prefix("result") } else { start }
}

/// The files that an output may leave unfinished.
#[derive(Clone, Debug)]
pub struct Parts {
    folder: PathBuf,
    /// Their final names.
    names: Vec<String>,
}

impl Parts {
    /// Those with these final names in this folder.
    pub(super) fn of(folder: &Path, names: &[&str]) -> Self {
        Self { folder: folder.into(), names: names.iter().copied().map(str::to_owned).collect() }
    }

    /// Removes those that are there.
    ///
    /// # Errors
    /// If the folder cannot be read, or a file cannot be removed.
    pub(super) fn remove(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let is_part =
                |text: &str| text.ends_with(PART) && self.names.iter().any(|whole| text.starts_with(&prefix(whole)));
            if name.to_str().is_some_and(is_part) {
                fs::remove_file(self.folder.join(name))?;
            }
        }
        Ok(())
    }
}
