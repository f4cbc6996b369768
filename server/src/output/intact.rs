//! Checks that nobody else harmed a file while it is written.
//!
//! Such a file is opened for appending. What is written after a cut then begins at the file's new end: no gap of zeros
//! stands for what was lost, and the file stays shorter than it should be.

use std::fs::{File, Metadata};
use std::io::{self, Write};

/// Appends to a file that should have this many bytes.
///
/// # Errors
/// If it cannot be written, or what happened to it before the write or during it.
pub(crate) fn append(mut file: &File, written: u64, bytes: &[u8]) -> io::Result<()> {
    check(file, written)?;
    file.write_all(bytes).inspect_err(|_| {
        // The part that found room. If it cannot be taken back, whoever reads the file cuts it off.
        let _ = file.set_len(written);
    })?;
    check(file, written + bytes.len() as u64)
}

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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_cut_between_two_writes_leaves_no_gap_and_is_noticed_afterwards_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        let file = File::options().append(true).create_new(true).open(&path).unwrap();
        append(&file, 0, b"one\n").unwrap();
        // After the check, but before the write.
        std::fs::write(&path, "").unwrap();
        (&file).write_all(b"two\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two\n");
        assert!(check(&file, 8).unwrap_err().to_string().contains("cut short"));
    }
}
