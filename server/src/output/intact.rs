//! Checks that nobody else harmed a file while it is written.

use std::fs::{File, Metadata};
use std::io;

/// Fails if a file was deleted, so that what follows would be lost, or is shorter than what was written, so that something
/// is lost already.
///
/// # Errors
/// What happened to it, or why the system cannot tell.
pub(crate) fn check(file: &File, written: u64) -> io::Result<()> {
    let now = file.metadata()?;
    if is_deleted(&now) {
        return Err(io::Error::new(io::ErrorKind::NotFound, "it was deleted meanwhile"));
    }
    if now.len() < written {
        return Err(io::Error::other("it was cut short meanwhile"));
    }
    Ok(())
}

#[cfg(unix)]
fn is_deleted(file: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(file) == 0
}

#[cfg(not(unix))]
fn is_deleted(_: &Metadata) -> bool {
    false
}
