//! A lock on a file, which the system releases however its process ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::output::lockable::Lockable;
use crate::output::regular;

/// A locked file. It is removed, and then released, when this is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    _held: Lockable,
}

impl Lock {
    /// Locks the file at this path, and makes it if it is absent. `None` if another process has locked it.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub(crate) fn take(path: PathBuf) -> io::Result<Option<Self>> {
        loop {
            let held = Lockable(regular::open(&path, OpenOptions::new().create(true).truncate(false).write(true))?);
            match held.try_lock() {
                Err(TryLockError::WouldBlock) => return Ok(None),
                // On a file system without locks, work is at worst done twice.
                Ok(()) | Err(TryLockError::Error(_)) => {}
            }
            // The previous holder may have removed the file after it was opened here.
            if is_at(&held, &path) {
                return Ok(Some(Self { path, _held: held }));
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether this is the file at the path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    file.metadata().map(place).ok() == fs::metadata(path).map(place).ok()
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let said = Lock::take(pipe).unwrap_err().to_string();
        assert_eq!(said, "it is not a file: delete it");
        let path = folder.path().join("lock");
        let held = Lock::take(path.clone()).unwrap();
        assert!(held.is_some() && Lock::take(path.clone()).unwrap().is_none());
        drop(held);
        assert!(!path.exists());
    }
}
