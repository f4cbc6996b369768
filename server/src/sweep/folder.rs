//! The folder of a sweep.
//!
//! | file | content |
//! |---|---|
//! | `plan.toml` | the plan, with its name as a comment in the first line |
//! | `trials/AB/ABCD…/` | a trial, by its name: `run.toml` and `report.json`; with `frames = true` all files of a run's folder |
//! | `failed/ABCD….txt` | why a trial failed; it is tried again by the next call |
//! | `sweep.parquet`, `report.html` | the table of all trials, and its page |
//!
//! A trial is written into `.ABCD….part` beside its place, and renamed in one step when it is complete. The process
//! that runs it holds a lock on `.ABCD….lock`, which the system releases however the process ends. So processes that
//! share the folder, even on several machines, never run the same trial at the same time, and a killed process leaves
//! nothing to clean up by hand.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use shared::text::Escaped;

use super::error::SweepError;
use super::lock::Lock;
use super::plan::Plan;
use super::reading::Reading;
use crate::output::part::{part, put};
use crate::output::regular;
use crate::run::MAX_FILE_BYTES;

/// The plan.
const PLAN: &str = "plan.toml";

/// Size of the largest plan that is read from a folder, in bytes: the two lines before it take less than 64 KiB.
const MAX_PLAN_BYTES: u64 = MAX_FILE_BYTES + (64 << 10);

/// The start of the plan's first line. The name of the plan follows.
const NAME: &str = "# plan: ";

/// The table of all trials.
pub(super) const TABLE: &str = "sweep.parquet";

/// The page.
pub(super) const PAGE: &str = "report.html";

/// The folder of a sweep.
#[derive(Clone, Debug)]
pub(super) struct SweepFolder(PathBuf);

/// The right to run a trial, until this is dropped.
#[derive(Debug)]
pub(super) struct Claim {
    part: PathBuf,
    place: PathBuf,
    /// Released last, so whoever takes it sees what was published.
    _lock: Lock,
}

impl SweepFolder {
    /// Takes the folder for this plan. It may already contain trials of the same plan.
    ///
    /// # Errors
    /// If the folder belongs to something else, or cannot be written to.
    pub(super) fn take(path: &Path, plan: &Plan) -> Result<Self, SweepError> {
        let folder = Self(path.to_owned());
        let kept = path.join(PLAN);
        match plan_text(&kept) {
            Ok(text) => folder.check(&text, plan)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                folder.check_empty()?;
                fs::create_dir_all(path).map_err(SweepError::at(path))?;
                folder.write_plan(plan)?;
            }
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::FileTooLarge | ErrorKind::InvalidData | ErrorKind::InvalidInput
                ) =>
            {
                return Err(SweepError::Usage(format!(
                    "--out: no sweep wrote {} ({error}): name an absent or empty folder",
                    Escaped(kept.display())
                )));
            }
            Err(error) => return Err(SweepError::at(&kept)(error)),
        }
        Ok(folder)
    }

    /// Opens the folder of a sweep, with its plan.
    ///
    /// # Errors
    /// If no sweep wrote it.
    pub(super) fn open(path: &Path) -> Result<(Self, Plan), SweepError> {
        let kept = path.join(PLAN);
        let text = plan_text(&kept).map_err(|error| {
            SweepError::Usage(format!(
                "{} is not the folder of a sweep: its {PLAN} cannot be read ({error})",
                Escaped(path.display())
            ))
        })?;
        let plan = Plan::of_text(&kept, text)?;
        Ok((Self(path.to_owned()), plan))
    }

    /// Whether a sweep wrote this folder.
    pub(super) fn is_one(path: &Path) -> bool {
        let mut start = [0; NAME.len()];
        let read = regular::read(&path.join(PLAN)).and_then(|mut plan| plan.read_exact(&mut start));
        read.is_ok() && start == NAME.as_bytes()
    }

    /// Its path.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The folder of a trial.
    pub(super) fn trial(&self, id: &str) -> PathBuf {
        // 256 folders, so that each has 40,000 names at ten million trials.
        self.0.join("trials").join(&id[..2]).join(id)
    }

    /// Whether a trial is done: whether a merge can read it.
    pub(super) fn has(&self, id: &str) -> bool {
        is_done(&self.trial(id))
    }

    /// Takes the right to run a trial. `None` if another process has it, or if the trial is done by now.
    ///
    /// # Errors
    /// If the folder cannot be written to.
    pub(super) fn claim(&self, id: &str) -> Result<Option<Claim>, SweepError> {
        let place = self.trial(id);
        // invariant: the path has a parent, in which it was made.
        let parent = place.parent().unwrap_or(&self.0);
        fs::create_dir_all(parent).map_err(SweepError::at(parent))?;
        let (lock, part) = (parent.join(format!(".{id}.lock")), parent.join(format!(".{id}.part")));
        let Some(lock) = Lock::take(lock.clone()).map_err(SweepError::at(&lock))? else { return Ok(None) };
        let claim = Claim { part, place, _lock: lock };
        // Checked with the lock held: its previous holder published the trial before it released the lock.
        if self.has(id) {
            return Ok(None);
        }
        claim.clear().map_err(SweepError::at(&claim.part))?;
        Ok(Some(claim))
    }

    /// Notes why a trial failed.
    pub(super) fn note_failure(&self, id: &str, reason: &str) -> io::Result<()> {
        let folder = self.0.join("failed");
        fs::create_dir_all(&folder)?;
        put(&folder, &format!("{id}.txt"), &format!("{reason}\n"))
    }

    /// Why a trial failed, if its last run failed.
    pub(super) fn failure(&self, id: &str) -> Option<String> {
        let text = regular::text(&self.0.join("failed").join(format!("{id}.txt")), MAX_FILE_BYTES).ok()?;
        Some(text.trim_end().to_owned())
    }

    /// Forgets that a trial failed.
    pub(super) fn forget_failure(&self, id: &str) {
        // Most trials never failed.
        let _ = fs::remove_file(self.0.join("failed").join(format!("{id}.txt")));
    }

    fn check(&self, text: &str, plan: &Plan) -> Result<(), SweepError> {
        let (name, ours) = (name(text), plan.hash()?);
        if name == Some(&ours) {
            return Ok(());
        }
        let folder = Escaped(self.0.display());
        Err(SweepError::Usage(match name {
            Some(_) => format!(
                "{folder} has the trials of another plan (its {PLAN} differs from {}): name another folder, or run that plan",
                Escaped(plan.path().display())
            ),
            None => format!("{folder} has a {PLAN}, but is not the folder of a sweep: name another folder"),
        }))
    }

    fn check_empty(&self) -> Result<(), SweepError> {
        let mut entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries.flatten(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(SweepError::Usage(format!("--out: {}: {error}", Escaped(self.0.display())))),
        };
        // Another shard may be writing the plan at this moment.
        match entries.find(|entry| !entry.file_name().to_string_lossy().starts_with('.')) {
            Some(entry) if entry.file_name() != PLAN => Err(SweepError::Usage(format!(
                "--out: {} is not empty (it has {}), and no sweep wrote it: name an absent or empty folder",
                Escaped(self.0.display()),
                Escaped(entry.file_name().to_string_lossy())
            ))),
            _ => Ok(()),
        }
    }

    /// Writes the plan in one step. If another shard was quicker, its plan stays.
    fn write_plan(&self, plan: &Plan) -> Result<(), SweepError> {
        let text = format!("{NAME}{}\n# file: {}\n{}", plan.hash()?, Escaped(plan.path().display()), plan.text);
        let path = self.0.join(PLAN);
        let mut part = part(&self.0, PLAN).map_err(SweepError::at(&self.0))?;
        part.write_all(text.as_bytes()).map_err(SweepError::at(&path))?;
        match part.persist_noclobber(&path) {
            Ok(_) => Ok(()),
            Err(failed) if failed.error.kind() == ErrorKind::AlreadyExists => {
                self.check(&plan_text(&path).map_err(SweepError::at(&path))?, plan)
            }
            Err(failed) => Err(SweepError::at(&path)(failed.error)),
        }
    }
}

/// Whether the folder of a trial has its result.
fn is_done(place: &Path) -> bool {
    Reading::of(place).is_some()
}

/// The text of a folder's plan.
fn plan_text(path: &Path) -> io::Result<String> {
    regular::text(path, MAX_PLAN_BYTES)
}

/// The name of the plan that a folder has.
fn name(text: &str) -> Option<&str> {
    text.lines().next()?.strip_prefix(NAME)
}

impl Claim {
    /// The folder into which the trial is written.
    pub(super) fn part(&self) -> &Path {
        &self.part
    }

    /// Makes that folder.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(super) fn begin(&self) -> io::Result<()> {
        fs::create_dir(&self.part)
    }

    /// Gives the folder the name of the trial. If another process was quicker, its trial stays.
    ///
    /// # Errors
    /// If the folder cannot be renamed.
    pub(super) fn publish(&self) -> io::Result<()> {
        match fs::rename(&self.part, &self.place) {
            Err(_) if is_done(&self.place) => self.clear(),
            Err(error) if self.place.exists() => {
                // A power failure, or somebody, left a folder that cannot be read.
                fs::remove_dir_all(&self.place).and_then(|()| fs::rename(&self.part, &self.place)).map_err(|_| error)
            }
            renamed => renamed,
        }
    }

    /// Removes what a killed process has left of the trial.
    fn clear(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.part) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Removes what a failed trial left. After a published trial there is nothing to remove.
        let _ = self.clear();
    }
}
