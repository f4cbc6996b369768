//! Takes a folder for a run: one that is absent or empty.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use super::RUN;
use crate::output::lockable::Lockable;

/// Makes the folder if it is absent.
///
/// # Errors
/// If it is a file, is not empty, or cannot be written to.
pub(super) fn claim(folder: &Path) -> io::Result<()> {
    match fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(Ok(entry)) => {
                let name = entry.file_name().to_string_lossy().escape_debug().to_string();
                Err(io::Error::new(ErrorKind::AlreadyExists, format!("it is not empty (it has {name})")))
            }
            Some(Err(error)) => Err(error),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => fs::create_dir_all(folder),
        Err(error) if error.kind() == ErrorKind::NotADirectory => Err(io::Error::other("it is a file, not a folder")),
        Err(error) => Err(error),
    }?;
    // Only a trial file shows whether the folder can be written to.
    tempfile::tempfile_in(folder).map(drop)
}

/// Writes the file of the run, and locks it as long as this lives. The lock shows that the run is going on.
///
/// # Errors
/// If another run has written the file meanwhile, or if it cannot be written.
pub(super) fn write_run(folder: &Path, text: &str) -> io::Result<Lockable> {
    let file = Lockable(created(&folder.join(RUN))?);
    // A file system without locks shows nothing.
    let _ = file.try_lock();
    (&*file).write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(file)
}

/// Creates a file that is not there yet, for appending.
pub(super) fn created(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create_new(true).open(path)
}

/// Whether the run of this folder is still going on. `run` is its open file.
pub(super) fn is_running(run: &File) -> bool {
    matches!(run.try_lock(), Err(fs::TryLockError::WouldBlock))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_absent_or_empty_is_accepted() {
        let folder = tempfile::tempdir().unwrap();
        claim(folder.path()).unwrap();
        let deep = folder.path().join("runs/7");
        claim(&deep).unwrap();
        assert_eq!(fs::read_dir(deep).unwrap().count(), 0, "nothing is left in it");
    }

    #[test]
    fn anything_but_an_empty_folder_is_refused_by_name_and_stays_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("no\u{1b}te");
        fs::write(&file, "kept").unwrap();
        let refused = claim(folder.path()).unwrap_err().to_string();
        assert_eq!(refused, "it is not empty (it has no\\u{1b}te)");
        assert_eq!(claim(&file).unwrap_err().to_string(), "it is a file, not a folder");
        assert_eq!(fs::read_to_string(file).unwrap(), "kept");
    }

    #[test]
    fn a_run_that_goes_on_is_seen_until_its_file_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let running = write_run(folder.path(), "seed = 7\n").unwrap();
        let seen = File::open(folder.path().join(RUN)).unwrap();
        assert!(is_running(&seen));
        assert!(write_run(folder.path(), "").is_err(), "another run does not take it");
        drop(running);
        assert!(!is_running(&seen));
    }
}
