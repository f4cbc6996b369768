//! The folder of a search: the plan, and the result of each block, so that a search that was stopped goes on from there.
//!
//! | file | content |
//! |---|---|
//! | `samples.jsonl` | the result of each block; the process that searches holds a lock on it |
//! | `plan.toml` | the plan |
//! | `best.toml`, `tune.parquet`, `report.html` | what was found, the table of all trials, and the page |
//!
//! The first line of `samples.jsonl` names the plan. Each further line is one block, written when it has run. The search is worked out again
//! from these lines, so their order does not matter.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shared::bounded::{self, BoundedLines};
use shared::text::Escaped;

use super::core::goal::{Figure, Sample};
use super::core::results::{Results, Seeds};
use super::plan::Plan;
use crate::run::MAX_FILE_BYTES;
use crate::sweep::SweepError;

/// Name of the file.
const FILE: &str = "samples.jsonl";

/// The plan.
const PLAN: &str = "plan.toml";

/// More frames than any block has, and few enough for a sum over all blocks.
const MOST_FRAMES: u64 = 1 << 40;

/// Why the pipeline failed with a setting, by the setting's key.
pub(super) type Failures = BTreeMap<String, String>;

/// The open file, which is locked.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
}

#[derive(Serialize)]
struct Head {
    plan: String,
    version: String,
}

#[derive(Deserialize, Serialize)]
struct Line {
    setting: String,
    held_out: bool,
    block: u32,
    sample: Kept,
    /// Why the pipeline failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    Failed,
    Measured { objective: f64, limits: Vec<Number>, time_us: Option<f64>, frames: u64 },
}

#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Number {
    Share { hits: u64, all: u64 },
    Value(f64),
}

impl Kept {
    /// Checks that somebody else did not change it into something that no block has.
    fn check(&self, conditions: usize) -> Result<(), String> {
        let Self::Measured { limits, frames, .. } = self else { return Ok(()) };
        let is_share = |number: &Number| match number {
            Number::Share { hits, all } => hits <= all && *all <= MOST_FRAMES,
            Number::Value(_) => true,
        };
        if limits.len() != conditions {
            return Err(format!("it has {} figures for {conditions} conditions", limits.len()));
        }
        if *frames > MOST_FRAMES || !limits.iter().all(is_share) {
            return Err("it has more frames than a block".into());
        }
        Ok(())
    }
}

/// Whether a search wrote this folder.
pub(super) fn is_folder(folder: &Path) -> bool {
    folder.join(FILE).is_file()
}

/// The plan of a folder.
pub(super) fn plan_of(folder: &Path) -> PathBuf {
    folder.join(PLAN)
}

impl Journal {
    /// Opens the folder of this plan, with the results that it has. A last line that was cut short is discarded.
    ///
    /// # Errors
    /// If it belongs to another plan or another version, is in use, or cannot be read or written.
    pub(super) fn open(folder: &Path, plan: &Plan) -> Result<(Self, Results, Failures), SweepError> {
        let path = folder.join(FILE);
        let at = |error: io::Error| SweepError::Io { path: path.clone(), error };
        if folder.exists() && !folder.is_dir() {
            return Err(SweepError::Usage(format!(
                "--out: {} is a file: name an absent or empty folder",
                Escaped(folder.display())
            )));
        }
        if !path.exists() && fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(SweepError::Usage(format!(
                "--out: {} is not empty, and no search wrote it: name an absent or empty folder",
                Escaped(folder.display())
            )));
        }
        fs::create_dir_all(folder).map_err(SweepError::at(folder))?;
        let mut file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(at)?;
        file.try_lock().map_err(|wrong| match wrong {
            TryLockError::WouldBlock => {
                at(io::Error::other("another search is using this folder: give each its own --out"))
            }
            TryLockError::Error(error) => at(error),
        })?;
        let text = io::read_to_string(BoundedLines::new(&file)).map_err(at)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let ours = line(&Head { plan: plan.name.clone(), version: env!("CARGO_PKG_VERSION").into() });
        // A kill may have cut the first line short.
        let is_ours = text.starts_with(&ours) || ours.starts_with(&text);
        if !is_ours {
            return Err(SweepError::Usage(format!(
                "{} has the trials of another plan or of another version of Plumb: name another folder",
                Escaped(folder.display())
            )));
        }
        let (mut results, mut failures) = (Results::default(), Failures::new());
        for (number, line) in text[..whole].lines().enumerate().skip(1) {
            let read: Result<Line, _> = serde_json::from_str(line).map_err(|wrong| wrong.to_string());
            let line =
                read.and_then(|line| line.sample.check(plan.conditions.len()).map(|()| line)).map_err(|wrong| {
                    let wrong =
                        format!("line {} holds no trial ({wrong}): delete the file, and search again", number + 1);
                    at(io::Error::other(Escaped(wrong).to_string()))
                })?;
            let seeds = if line.held_out { Seeds::HeldOut } else { Seeds::Search };
            failures.extend(line.reason.map(|reason| (line.setting.clone(), reason)));
            results.note_key(line.setting, seeds, line.block, line.sample.into());
        }
        // Only now: a file with a wrong line stays as it is.
        file.set_len(whole as u64).and_then(|()| file.seek(SeekFrom::End(0))).map_err(at)?;
        if whole == 0 {
            file.write_all(ours.as_bytes()).map_err(at)?;
        }
        let journal = Self { path: path.clone(), file };
        if bounded::text(&plan_of(folder), MAX_FILE_BYTES).ok().as_ref() != Some(&plan.text) {
            fs::write(plan_of(folder), &plan.text).map_err(SweepError::at(&plan_of(folder)))?;
        }
        Ok((journal, results, failures))
    }

    /// Keeps the result of a block, and why it has none.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn keep(
        &mut self,
        setting: String,
        seeds: Seeds,
        block: u32,
        sample: &Sample,
        reason: Option<String>,
    ) -> Result<(), SweepError> {
        let line = line(&Line { setting, held_out: seeds == Seeds::HeldOut, block, sample: sample.into(), reason });
        // One write, so that a kill leaves a whole line or one that is cut short.
        self.file.write_all(line.as_bytes()).map_err(SweepError::at(&self.path))
    }
}

fn line(value: &impl Serialize) -> String {
    // Texts and finite numbers always have a JSON form.
    shared::json::to_string(value).unwrap_or_default() + "\n"
}

impl From<Kept> for Sample {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Failed => Self::Failed,
            Kept::Measured { objective, limits, time_us, frames } => {
                let figure = |number: Number| match number {
                    Number::Share { hits, all } => Figure::Share { hits, all },
                    Number::Value(value) => Figure::Value(value),
                };
                Self::Measured { objective, limits: limits.into_iter().map(figure).collect(), time_us, frames }
            }
        }
    }
}

impl From<&Sample> for Kept {
    fn from(sample: &Sample) -> Self {
        match sample {
            Sample::Failed => Self::Failed,
            Sample::Measured { objective, limits, time_us, frames } => {
                let number = |figure: &Figure| match *figure {
                    Figure::Share { hits, all } => Number::Share { hits, all },
                    Figure::Value(value) => Number::Value(value),
                };
                let limits = limits.iter().map(number).collect();
                Self::Measured { objective: *objective, limits, time_us: *time_us, frames: *frames }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str =
        "minimise = \"error_px.l1.mean\"\n[run]\nframes = 5\n[parameters]\nmin_radius = { from = 2, to = 9 }\n";

    fn plan(folder: &Path, text: &str) -> Plan {
        let path = folder.join("a.toml");
        fs::write(&path, text).unwrap();
        crate::tune::plan::read(&path).unwrap_or_else(|wrong| panic!("{wrong}"))
    }

    fn sample() -> Sample {
        let limits = vec![Figure::Share { hits: 1, all: 5 }, Figure::Value(0.1 + 0.2)];
        Sample::Measured { objective: 1.0 / 3.0, limits, time_us: Some(70.0), frames: 5 }
    }

    #[test]
    fn results_are_read_again_to_the_bit_and_a_torn_line_is_left_out() {
        let room = tempfile::tempdir().unwrap();
        let asked = format!("subject_to = [\"missed <= 20%\", \"error_px.l1.p99 <= 1\"]\n{PLAN}");
        let (plan, folder) = (plan(room.path(), &asked), room.path().join("out"));
        let (mut journal, ..) = Journal::open(&folder, &plan).unwrap();
        journal.keep("2".into(), Seeds::Search, 0, &sample(), None).unwrap();
        journal.keep("3".into(), Seeds::HeldOut, 7, &Sample::Failed, Some("it broke".into())).unwrap();
        assert!(Journal::open(&folder, &plan).is_err_and(|wrong| wrong.to_string().contains("another search")));
        drop(journal);
        let path = folder.join(FILE);
        let text = fs::read_to_string(&path).unwrap();
        for cut in 0..=text.len() {
            fs::write(&path, &text[..cut]).unwrap();
            let (_, results, failures) = Journal::open(&folder, &plan).unwrap();
            let mut expected = Results::default();
            let lines = text[..cut].matches('\n').count();
            assert!(fs::read_to_string(&path).unwrap().starts_with(text.lines().next().unwrap()));
            if lines > 1 {
                expected.note_key("2".into(), Seeds::Search, 0, sample());
            }
            if lines > 2 {
                expected.note_key("3".into(), Seeds::HeldOut, 7, Sample::Failed);
            }
            assert_eq!(results, expected, "cut at {cut}");
            assert_eq!(failures.len(), usize::from(lines > 2));
        }
        assert_eq!(fs::read_to_string(plan_of(&folder)).unwrap(), asked);
    }

    #[test]
    fn a_line_that_holds_no_trial_of_this_plan_is_named() {
        let room = tempfile::tempdir().unwrap();
        let text = format!("subject_to = [\"missed <= 10%\"]\n{PLAN}");
        let (plan, folder) = (plan(room.path(), &text), room.path().join("out"));
        drop(Journal::open(&folder, &plan).unwrap());
        let head = fs::read_to_string(folder.join(FILE)).unwrap();
        let line = |limits: &str, frames: &str| {
            format!(
                "{{\"setting\":\"2\",\"held_out\":false,\"block\":0,\"sample\":{{\"measured\":{{\"objective\":0.5,\
                 \"limits\":[{limits}],\"time_us\":null,\"frames\":{frames}}}}}}}\n"
            )
        };
        let opened = |line: &str| {
            fs::write(folder.join(FILE), format!("{head}{line}")).unwrap();
            Journal::open(&folder, &plan).err().map(|wrong| wrong.to_string()).unwrap_or_default()
        };
        let share = "{\"hits\":1,\"all\":5}";
        assert_eq!(opened(&line(share, "5")), "");
        for (line, words) in [
            ("{}\n".to_owned(), "missing field"),
            ("\u{1b}[2J\n".to_owned(), "line 2 holds no trial"),
            (line("", "5"), "it has 0 figures for 1 conditions"),
            (line("{\"hits\":6,\"all\":5}", "5"), "more frames than a block"),
            (line(share, "18446744073709551615"), "more frames than a block"),
            (line(share, "-5"), "line 2 holds no trial"),
        ] {
            let wrong = opened(&line);
            assert!(wrong.contains("line 2 holds no trial (") && wrong.contains(words), "{line}: {wrong}");
        }
    }

    #[test]
    fn a_file_and_a_plan_that_never_end_are_not_read_to_their_end() {
        let room = tempfile::tempdir().unwrap();
        let (plan, folder) = (plan(room.path(), PLAN), room.path().join("out"));
        drop(Journal::open(&folder, &plan).unwrap());
        fs::remove_file(plan_of(&folder)).unwrap();
        std::os::unix::fs::symlink("/dev/zero", plan_of(&folder)).unwrap();
        drop(Journal::open(&folder, &plan).unwrap());
        // A hole of 8 GiB, which takes no room. The device would be locked for all tests.
        File::create(folder.join(FILE)).unwrap().set_len(8 << 30).unwrap();
        let wrong = Journal::open(&folder, &plan).err().unwrap().to_string();
        assert!(wrong.ends_with("samples.jsonl: it has a line of more than 1 MiB"), "{wrong}");
    }

    #[test]
    fn a_folder_of_another_plan_and_one_of_something_else_are_refused() {
        let room = tempfile::tempdir().unwrap();
        let folder = room.path().join("out");
        drop(Journal::open(&folder, &plan(room.path(), PLAN)).unwrap());
        let other = plan(room.path(), &PLAN.replace("to = 9", "to = 8"));
        let wrong = Journal::open(&folder, &other).err().unwrap();
        assert!(wrong.is_usage() && wrong.to_string().contains("another plan"), "{wrong}");
        let wrong = Journal::open(room.path(), &other).err().unwrap();
        assert!(wrong.is_usage() && wrong.to_string().contains("is not empty"), "{wrong}");
        let wrong = Journal::open(&room.path().join("a.toml"), &other).err().unwrap();
        assert!(wrong.is_usage() && wrong.to_string().contains("a.toml is a file"), "{wrong}");
        fs::write(folder.join(FILE), "somebody's notes").unwrap();
        assert!(Journal::open(&folder, &other).is_err_and(|wrong| wrong.is_usage()));
        assert_eq!(fs::read_to_string(folder.join(FILE)).unwrap(), "somebody's notes");
    }
}
