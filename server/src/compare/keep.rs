//! Keeps a run: copies its folder into the folder of baselines.
//!
//! Several processes may do so at the same time, also with runs of the same name. Each copies into a folder of its own,
//! `.keep.XXXXXX.part`, which gets its name in one step when it is complete. A lock on `.keep.XXXXXX.lock` shows that it
//! is in use: the system releases it however the process ends, so the next process removes what a killed one left.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use shared::text::Escaped;
use tempfile::{Builder, NamedTempFile};

use super::error::CompareError;
use crate::output::regular;

/// The folder of pictures in a run's folder.
const WORST: &str = "worst";

/// Start of the names of a copy and its lock. The run's name may be as long as the system allows.
const START: &str = ".keep.";

/// Suffix of a folder's name while it is being copied.
const PART: &str = ".part";

/// Suffix of the file whose lock shows that the folder is in use.
const LOCK: &str = ".lock";

/// Whether a folder's name is that of a copy that is not complete. Earlier versions called it `.NAME.part`.
pub(super) fn is_part(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with('.') && name.ends_with(PART)
}

/// Copies a run's folder into the folder of baselines, and returns the path of the copy.
///
/// # Errors
/// If the folder cannot be copied.
pub(super) fn keep(folder: &Path, run: &Path) -> Result<PathBuf, CompareError> {
    let failed = |error| CompareError::Write { what: format!("a baseline to {}", Escaped(folder.display())), error };
    let kept = || {
        fs::create_dir_all(folder)?;
        remove_abandoned(folder)?;
        let full = fs::canonicalize(run)?;
        let part = Part::of(&full, folder)?;
        let name = full.file_name().unwrap_or_default();
        let text = name.to_string_lossy();
        // A run may have the name of an incomplete copy, which nobody would find.
        part.publish(folder, if is_part(name) { text.trim_start_matches('.') } else { &text })
    };
    kept().map_err(failed)
}

/// A copy that has no name yet. It is removed when this is dropped.
struct Part {
    place: PathBuf,
    /// Removed after the copy.
    _lock: NamedTempFile,
}

impl Part {
    /// Copies the folder of a run.
    fn of(run: &Path, folder: &Path) -> io::Result<Self> {
        let lock = Builder::new().prefix(START).suffix(LOCK).tempfile_in(folder)?;
        // Waits for a process that takes the file for an abandoned one at this moment. On a file system without locks,
        // what a killed process left stays.
        let _ = lock.as_file().lock();
        let part = Self { place: part_of(lock.path()), _lock: lock };
        copy(run, &part.place)?;
        Ok(part)
    }

    /// Gives the copy this name, or the first free one of `NAME-2`, `NAME-3` and so on.
    fn publish(self, folder: &Path, name: &str) -> io::Result<PathBuf> {
        let mut number = 1;
        loop {
            let place = folder.join(if number == 1 { name.to_owned() } else { format!("{name}-{number}") });
            let is_taken = || fs::symlink_metadata(&place).is_ok();
            if !is_taken() {
                match fs::rename(&self.place, &place) {
                    Ok(()) => return Ok(place),
                    // Another process was quicker. A folder that has files is never replaced.
                    Err(_) if is_taken() => {}
                    Err(error) => return Err(error),
                }
            }
            number += 1;
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After `publish`, nothing has this name.
        let _ = fs::remove_dir_all(&self.place);
    }
}

/// The folder that belongs to a lock.
fn part_of(lock: &Path) -> PathBuf {
    lock.with_extension(&PART[1..])
}

/// Removes what killed processes left. What cannot be removed stays, and does no harm.
fn remove_abandoned(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_lock = |name: &str| name.starts_with(START) && name.ends_with(LOCK);
        if !entry.file_name().to_str().is_some_and(is_lock) {
            continue;
        }
        // Another process may remove it at this moment.
        let Ok(lock) = regular::read(&entry.path()) else { continue };
        if lock.try_lock().is_ok() {
            let _ = fs::remove_dir_all(part_of(&entry.path()));
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// Copies the files of a run's folder and the pictures of its worst frames. Other subfolders are not the run's.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (file, copied) = (entry.file_type()?, to.join(entry.file_name()));
        if file.is_file() {
            fs::copy(entry.path(), copied)?;
        } else if file.is_dir() && entry.file_name() == WORST {
            copy(&entry.path(), &copied)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// A run's folder whose files have this text.
    fn run(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        fs::create_dir_all(run.join(WORST)).unwrap();
        for name in ["run.toml", "report.json", "frames.csv", "worst/1-0.png"] {
            fs::write(run.join(name), text.repeat(10_000)).unwrap();
        }
        (folder, run)
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn runs_of_one_name_that_are_kept_at_the_same_time_are_each_kept_whole() {
        let kept = tempfile::tempdir().unwrap();
        let runs: Vec<_> = ('a'..='h').map(|letter| (letter.to_string(), run(&letter.to_string()))).collect();
        thread::scope(|scope| {
            for (text, (_folder, run)) in &runs {
                let folder = kept.path();
                scope.spawn(move || {
                    let place = keep(folder, run).unwrap();
                    for name in ["run.toml", "report.json", "frames.csv", "worst/1-0.png"] {
                        assert!(fs::read_to_string(place.join(name)).unwrap() == text.repeat(10_000), "{text} {name}");
                    }
                });
            }
        });
        assert_eq!(names(kept.path()), ["run", "run-2", "run-3", "run-4", "run-5", "run-6", "run-7", "run-8"]);
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_another_one_copies_is_not() {
        let kept = tempfile::tempdir().unwrap();
        let ((_a, first), (_b, second)) = (run("a"), run("b"));
        fs::create_dir(kept.path().join(".keep.killed.part")).unwrap();
        fs::write(kept.path().join(".keep.killed.part/report.json"), "half").unwrap();
        fs::write(kept.path().join(".keep.killed.lock"), "").unwrap();
        let part = Part::of(&first, kept.path()).unwrap();
        assert_eq!(keep(kept.path(), &second).unwrap(), kept.path().join("run"));
        assert!(part.place.join("report.json").is_file() && !kept.path().join(".keep.killed.part").exists());
        assert_eq!(part.publish(kept.path(), "run").unwrap(), kept.path().join("run-2"));
        assert_eq!(names(kept.path()), ["run", "run-2"]);
        assert!(fs::read_to_string(kept.path().join("run-2/report.json")).unwrap().starts_with('a'));
    }

    #[test]
    fn no_run_is_kept_by_the_name_of_a_copy_that_is_not_complete() {
        let kept = tempfile::tempdir().unwrap();
        let (_folder, run) = run("a");
        for (name, expected) in [("a.part", "a.part"), (".part", "part"), ("..b.part", "b.part"), (".c", ".c")] {
            let named = run.with_file_name(name);
            fs::rename(&run, &named).unwrap();
            assert_eq!(keep(kept.path(), &named).unwrap(), kept.path().join(expected));
            fs::rename(&named, &run).unwrap();
            assert!(!is_part(OsStr::new(expected)));
        }
        assert!(is_part(OsStr::new(".keep.x.part")) && is_part(OsStr::new(".run.part")));
    }

    #[test]
    fn a_copy_that_fails_leaves_nothing() {
        let kept = tempfile::tempdir().unwrap();
        assert!(Part::of(&kept.path().join("absent"), kept.path()).is_err());
        assert_eq!(names(kept.path()), Vec::<String>::new());
    }
}
