//! Files at fixed names in a folder that Plumb writes. They are regular files.
//!
//! Somebody else may have put something there. To open the name of a pipe waits for the other end, so it is not opened.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

use shared::bounded;

/// Opens a file with these options.
///
/// # Errors
/// If it cannot be opened, or is something else than a regular file (kind [`ErrorKind::InvalidInput`]).
pub(crate) fn open(path: &Path, options: &OpenOptions) -> io::Result<File> {
    check(path)?;
    options.open(path)
}

/// Opens a file to read it.
///
/// # Errors
/// As [`open`].
pub(crate) fn read(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().read(true))
}

/// Reads the text of a file of at most `limit` bytes.
///
/// # Errors
/// As [`open`], and those of [`bounded::text`].
pub(crate) fn text(path: &Path, limit: u64) -> io::Result<String> {
    check(path)?;
    bounded::text(path, limit)
}

/// Refuses what is no regular file. A name that nothing has is not refused.
///
/// # Errors
/// If something else has the name (kind [`ErrorKind::InvalidInput`]).
pub(crate) fn check(path: &Path) -> io::Result<()> {
    match path.metadata() {
        Ok(metadata) if !metadata.is_file() => {
            Err(io::Error::new(ErrorKind::InvalidInput, "it is not a file: delete it"))
        }
        _ => Ok(()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_in_place_of_a_file_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let refused = [text(&pipe, 10).map(drop), read(&pipe).map(drop), read(folder.path()).map(drop)];
        for wrong in refused.map(Result::unwrap_err) {
            assert_eq!(
                (wrong.kind(), wrong.to_string().as_str()),
                (ErrorKind::InvalidInput, "it is not a file: delete it")
            );
        }
        let path = folder.path().join("new");
        assert_eq!(read(&path).unwrap_err().kind(), ErrorKind::NotFound);
        open(&path, OpenOptions::new().write(true).create(true)).unwrap();
        assert_eq!(text(&path, 10).unwrap(), "");
    }
}
