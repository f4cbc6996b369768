//! Keeps the samples of a search in a file, so that a search that was stopped goes on from there.
//!
//! A line is the figure of one trial, written when the trial ends. A search asks for the same trials whenever it runs,
//! so it finds the same place whether a sample comes from the file or from a trial.

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shared::bounded::BoundedLines;

use super::search::Sampled;
use crate::output::intact;
use crate::output::lockable::Lockable;
use crate::output::regular;
use crate::sweep::error::SweepError;

/// Name of the file.
const FILE: &str = "find.samples.jsonl";

/// This version of Plumb. Another one may measure another figure for the same trial.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The samples of a search.
#[derive(Debug)]
pub(super) struct Samples {
    path: PathBuf,
    /// Locked as long as this lives.
    file: Lockable,
    /// Number of bytes of the file.
    written: u64,
    known: Known,
}

/// The samples by the name of the trial and the path of the figure.
type Known = HashMap<(String, String), Sampled>;

/// How each line begins.
const BEGINNING: &str = "{\"trial\":\"";

/// A line of the file.
#[derive(Debug, Deserialize, Serialize)]
struct Line {
    /// Name of the trial.
    trial: String,
    /// Path of the figure.
    figure: String,
    version: String,
    sampled: Sampled,
}

impl Samples {
    /// The samples in this folder, which is made if it is missing. A last line that was cut short is discarded.
    ///
    /// # Errors
    /// If the file cannot be read or written, holds something else, or is in use by another search.
    pub(super) fn open(folder: &Path) -> Result<Self, SweepError> {
        fs::create_dir_all(folder).map_err(SweepError::at(folder))?;
        let path = folder.join(FILE);
        let (file, written, known) = read(&path)?;
        Ok(Self { path, file, written, known })
    }

    /// The figure of a trial, if it has run.
    pub(super) fn get(&self, trial: &str, figure: &str) -> Option<Sampled> {
        self.known.get(&(trial.to_owned(), figure.to_owned())).copied()
    }

    /// Keeps the figure of a trial.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn keep(&mut self, trial: &str, figure: &str, sampled: Sampled) -> Result<(), SweepError> {
        let line = Line { trial: trial.to_owned(), figure: figure.to_owned(), version: VERSION.to_owned(), sampled };
        // Names and finite numbers always have a JSON form.
        let text = shared::json::to_string(&line).unwrap_or_default() + "\n";
        // One write, so that a kill leaves a whole line or one that is cut short.
        intact::append(&self.file, self.written, text.as_bytes()).map_err(SweepError::at(&self.path))?;
        self.written += text.len() as u64;
        self.known.insert((line.trial, line.figure), sampled);
        Ok(())
    }
}

/// Opens a file, locks it, and reads its samples. The next sample goes to its end.
fn read(path: &Path) -> Result<(Lockable, u64, Known), SweepError> {
    let at = SweepError::at(path);
    let file = Lockable(regular::open(path, File::options().read(true).append(true).create(true)).map_err(&at)?);
    file.try_lock().map_err(|wrong| match wrong {
        TryLockError::WouldBlock => {
            at(io::Error::other("another search is using this folder: give each its own --out"))
        }
        TryLockError::Error(error) => at(error),
    })?;
    let text = io::read_to_string(BoundedLines::new(&*file)).map_err(&at)?;
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    let mut known = HashMap::new();
    for (number, line) in text[..whole].lines().enumerate() {
        let line: Line = serde_json::from_str(line).map_err(|wrong| {
            let number = number + 1;
            at(io::Error::other(format!("line {number} holds no sample of a search ({wrong}): delete the file")))
        })?;
        if !line.sampled.is_possible() {
            let number = number + 1;
            let wrong = "its numbers are not those of a trial";
            return Err(at(io::Error::other(format!("line {number} is damaged ({wrong}): delete the file"))));
        }
        if line.version == VERSION {
            known.insert((line.trial, line.figure), line.sampled);
        }
    }
    if !is_begun(&text[whole..]) {
        return Err(at(io::Error::other("its last line holds no sample of a search: delete the file")));
    }
    // Only now: what is no file of samples stays as it is.
    file.set_len(whole as u64).map_err(&at)?;
    Ok((file, whole as u64, known))
}

/// Whether a text may be a line that was cut short.
fn is_begun(text: &str) -> bool {
    text.starts_with(BEGINNING) || BEGINNING.starts_with(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::marks::Measure;

    fn sampled(hits: u64) -> Sampled {
        Sampled { measure: Some(Measure::Share { hits, all: 100 }), frames: 100 }
    }

    #[test]
    fn samples_are_there_again_to_the_last_bit() {
        let folder = tempfile::tempdir().unwrap();
        let mean = Measure::Mean { value: 0.1 + 0.2, error: f64::MIN_POSITIVE, freedom: 31.0 };
        let mean = Sampled { measure: Some(mean), frames: 20 };
        let none = Sampled { measure: None, frames: 20 };
        let mut samples = Samples::open(folder.path()).unwrap();
        samples.keep("a", "error_px.l1.mean", mean).unwrap();
        samples.keep("a", "frames.missed", sampled(3)).unwrap();
        samples.keep("b", "error_px.l1.mean", none).unwrap();
        drop(samples);
        let samples = Samples::open(folder.path()).unwrap();
        assert_eq!(samples.get("a", "error_px.l1.mean"), Some(mean));
        assert_eq!(samples.get("a", "frames.missed"), Some(sampled(3)));
        assert_eq!(samples.get("b", "error_px.l1.mean"), Some(none));
        assert_eq!(samples.get("b", "frames.missed"), None);
    }

    #[test]
    fn a_file_that_never_ends_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        // A hole of 8 GiB, which takes no room. The device would be locked for all tests.
        File::create(folder.path().join(FILE)).unwrap().set_len(8 << 30).unwrap();
        let wrong = Samples::open(folder.path()).err().unwrap().to_string();
        assert!(wrong.ends_with(": it has a line of more than 1 MiB"), "{wrong}");
    }

    #[test]
    fn a_line_that_was_cut_short_is_discarded_and_its_trial_runs_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut samples = Samples::open(folder.path()).unwrap();
        samples.keep("a", "frames.missed", sampled(1)).unwrap();
        samples.keep("b", "frames.missed", sampled(2)).unwrap();
        drop(samples);
        let path = folder.path().join(FILE);
        let text = fs::read_to_string(&path).unwrap();
        for cut in 1..=text.len() {
            fs::write(&path, &text[..text.len() - cut]).unwrap();
            let mut samples = Samples::open(folder.path()).unwrap();
            samples.keep("c", "frames.missed", sampled(3)).unwrap();
            drop(samples);
            let samples = Samples::open(folder.path()).unwrap();
            assert_eq!(samples.get("c", "frames.missed"), Some(sampled(3)), "{cut} bytes less");
            assert_eq!(samples.get("b", "frames.missed"), None);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_cut_or_deleted_meanwhile_is_reported_and_no_sample_follows_a_gap() {
        type Harm = fn(&Path) -> io::Result<()>;
        let harms: [(Harm, &str); 2] = [
            (|path| fs::write(path, ""), "it was cut short meanwhile"),
            (|path| fs::remove_file(path), "it was deleted meanwhile"),
        ];
        for (harm, told) in harms {
            let folder = tempfile::tempdir().unwrap();
            let mut samples = Samples::open(folder.path()).unwrap();
            samples.keep("a", "frames.missed", sampled(1)).unwrap();
            harm(&folder.path().join(FILE)).unwrap();
            let wrong = samples.keep("b", "frames.missed", sampled(2)).unwrap_err().to_string();
            assert!(wrong.contains(FILE) && wrong.ends_with(told), "{wrong}");
            assert_eq!(samples.get("b", "frames.missed"), None);
            drop(samples);
            assert_eq!(Samples::open(folder.path()).unwrap().get("a", "frames.missed"), None);
        }
    }

    #[test]
    fn a_sample_that_no_trial_has_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let share = |hits, all, frames| Sampled { measure: Some(Measure::Share { hits, all }), frames };
        let mean = Measure::Mean { value: 1.0, error: -1.0, freedom: 31.0 };
        for sampled in [share(101, 100, 100), share(0, 0, u64::MAX), Sampled { measure: Some(mean), frames: 20 }] {
            let line = Line { trial: "a".into(), figure: "f".into(), version: VERSION.into(), sampled };
            fs::write(folder.path().join(FILE), serde_json::to_string(&line).unwrap() + "\n").unwrap();
            let wrong = Samples::open(folder.path()).unwrap_err().to_string();
            assert!(
                wrong.ends_with("line 1 is damaged (its numbers are not those of a trial): delete the file"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn another_file_another_search_and_another_version_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let first = Samples::open(folder.path()).unwrap();
        let wrong = Samples::open(folder.path()).unwrap_err().to_string();
        assert!(wrong.contains("another search is using this folder: give each its own --out"), "{wrong}");
        drop(first);
        fs::write(folder.path().join(FILE), "{}\n").unwrap();
        let wrong = Samples::open(folder.path()).unwrap_err().to_string();
        assert!(wrong.contains("line 1 holds no sample of a search"), "{wrong}");
        for other in ["notes", "{\"a\"", "\u{0}"] {
            fs::write(folder.path().join(FILE), other).unwrap();
            let wrong = Samples::open(folder.path()).unwrap_err().to_string();
            assert!(wrong.contains("its last line holds no sample of a search"), "{wrong}");
            assert_eq!(fs::read_to_string(folder.path().join(FILE)).unwrap(), other, "it stays as it was");
        }
        let old = Line { trial: "a".into(), figure: "f".into(), version: "0.0.0".into(), sampled: sampled(1) };
        fs::write(folder.path().join(FILE), serde_json::to_string(&old).unwrap() + "\n").unwrap();
        assert_eq!(Samples::open(folder.path()).unwrap().get("a", "f"), None);
    }
}
