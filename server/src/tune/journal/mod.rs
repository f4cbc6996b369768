//! The folder of a search: the plan, and the result of each block. A search that was stopped goes on from there, and
//! several processes can search in it together.
//!
//! | file | content |
//! |---|---|
//! | `samples.jsonl`, `samples-2.jsonl`, … | the result of each block; a file for each process, which holds a lock on it |
//! | `.ABCD….lock` | locked by the process that runs a setting |
//! | `plan.toml` | the plan |
//! | `best.toml`, `tune.parquet`, `report.html` | what was found, the table of all trials, and the page |
//!
//! A line is one block, written when it has run. The search is worked out again from these lines, so their order does
//! not matter, nor does the file that a line is in.

mod line;
mod reader;

#[cfg(test)]
mod tests;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use shared::text::Escaped;

use self::reader::Reader;
use super::core::goal::Sample;
use super::core::results::{Request, Results, Seeds};
use super::plan::Plan;
use crate::output::intact;
use crate::output::lockable::Lockable;
use crate::output::part::put;
use crate::output::regular;
use crate::run::MAX_FILE_BYTES;
use crate::sweep::SweepError;
use crate::sweep::lock::Lock;
use crate::sweep::single::name_of;

/// The journal of the first process.
const FILE: &str = "samples.jsonl";

/// The plan.
const PLAN: &str = "plan.toml";

/// Most processes that search in a folder. A name is tried for each, and a search has no more settings to run at once.
const MOST_PROCESSES: u32 = 1_000;

/// Why the pipeline failed with a setting, by the setting's key.
pub(super) type Failures = BTreeMap<String, String>;

/// What is known about the settings so far.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The result of each block.
    pub(super) results: Results,
    /// Why the pipeline failed.
    pub(super) failures: Failures,
}

/// The journal of this process, which is locked, and those of the others.
pub(super) struct Journal {
    folder: PathBuf,
    number: u32,
    own: Lockable,
    /// Bytes in its own file.
    written: u64,
    others: BTreeMap<u32, Reader>,
    format: Format,
}

/// What all journals of a plan have in common.
#[derive(Clone, Debug)]
struct Format {
    head: String,
    conditions: usize,
}

/// Whether a search wrote this folder.
pub(super) fn is_folder(folder: &Path) -> bool {
    numbers(folder).is_ok_and(|numbers| !numbers.is_empty())
}

/// The plan of a folder.
pub(super) fn plan_of(folder: &Path) -> PathBuf {
    folder.join(PLAN)
}

/// Reads what all processes have written into a folder.
///
/// # Errors
/// If it belongs to another plan or another version, or cannot be read.
pub(super) fn read(folder: &Path, plan: &Plan) -> Result<Known, SweepError> {
    let (mut known, mut readers) = (Known::default(), BTreeMap::new());
    look(folder, &Format::of(plan), None, &mut readers, &mut known)?;
    Ok(known)
}

impl Journal {
    /// Opens the folder of this plan, with the results that it has. If other processes search in it, this one joins them.
    /// A last line that was cut short is discarded.
    ///
    /// # Errors
    /// If the folder belongs to another plan or another version, if others use it and the plan names a time, or if it
    /// cannot be read or written.
    pub(super) fn open(folder: &Path, plan: &Plan) -> Result<(Self, Known), SweepError> {
        check(folder, plan)?;
        fs::create_dir_all(folder).map_err(SweepError::at(folder))?;
        let (number, own) = free(folder, plan)?;
        let (format, mut known) = (Format::of(plan), Known::default());
        let path = folder.join(name(number));
        let mut reader = Reader::of(path.clone(), own.try_clone().map_err(SweepError::at(&path))?);
        reader.news(&format, &mut known)?;
        let mut journal =
            Self { folder: folder.to_owned(), number, own, written: reader.whole(), others: BTreeMap::new(), format };
        journal.refresh(&mut known)?;
        // Only now: a file with a wrong line stays as it is.
        journal.own.set_len(reader.whole()).map_err(SweepError::at(&path))?;
        if journal.written == 0 {
            let head = journal.format.head.clone();
            journal.append(&head)?;
        }
        if regular::text(&plan_of(folder), MAX_FILE_BYTES).ok().as_ref() != Some(&plan.text) {
            put(folder, PLAN, &plan.text).map_err(SweepError::at(&plan_of(folder)))?;
        }
        Ok((journal, known))
    }

    /// The number of this process among those that search in the folder, from 1.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Notes what other processes have written since the last call. Returns whether there is anything new.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) fn refresh(&mut self, known: &mut Known) -> Result<bool, SweepError> {
        look(&self.folder, &self.format, Some(self.number), &mut self.others, known)
    }

    /// Takes the right to run the blocks of a setting. `None` if another process has it.
    ///
    /// # Errors
    /// If the folder cannot be written to.
    pub(super) fn claim(&self, request: &Request) -> Result<Option<Lock>, SweepError> {
        let setting = name_of(&format!("{:?} {}", request.seeds, request.setting.key()));
        let path = self.folder.join(format!(".{setting}.lock"));
        Lock::take(path.clone()).map_err(SweepError::at(&path))
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
        self.append(&line::block(setting, seeds, block, sample, reason))
    }

    fn append(&mut self, line: &str) -> Result<(), SweepError> {
        // One write, so that a kill leaves a whole line or one that is cut short. Behind a gap nobody would read it.
        let appended = intact::append(&self.own, self.written, line.as_bytes());
        self.written += appended.as_ref().map_or(0, |()| line.len() as u64);
        let path = self.folder.join(name(self.number));
        let at = SweepError::at(&path);
        appended.map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                at(io::Error::other(format!("{error}; make room, and run the same command again to continue")))
            }
            _ => at(error),
        })
    }
}

impl Format {
    fn of(plan: &Plan) -> Self {
        Self { head: line::head(plan), conditions: plan.conditions.len() }
    }
}

/// The name of a process's journal.
fn name(number: u32) -> String {
    if number == 1 { FILE.to_owned() } else { format!("samples-{number}.jsonl") }
}

/// Checks that a search of this plan may write into this folder.
fn check(folder: &Path, plan: &Plan) -> Result<(), SweepError> {
    if folder.exists() && !folder.is_dir() {
        return Err(SweepError::Usage(format!(
            "--out: {} is a file: name an absent or empty folder",
            Escaped(folder.display())
        )));
    }
    // Somebody may have deleted the journals.
    let is_ours =
        || is_folder(folder) || regular::text(&plan_of(folder), MAX_FILE_BYTES).is_ok_and(|text| text == plan.text);
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) && !is_ours() {
        return Err(SweepError::Usage(format!(
            "--out: {} is not empty and has no {FILE}, as each folder of a search has: name an absent or empty folder",
            Escaped(folder.display())
        )));
    }
    Ok(())
}

/// Locks the first journal that no other process has.
fn free(folder: &Path, plan: &Plan) -> Result<(u32, Lockable), SweepError> {
    for number in 1..=MOST_PROCESSES {
        let path = folder.join(name(number));
        let at = SweepError::at(&path);
        let file = regular::open(&path, File::options().read(true).append(true).create(true)).map_err(&at)?;
        let file = Lockable(file);
        match file.try_lock() {
            Ok(()) => return Ok((number, file)),
            Err(TryLockError::WouldBlock) if plan.alone => {
                return Err(at(io::Error::other(
                    "another search is using this folder. This plan names a latency, so only one process may search at \
                     a time: wait for it, or name another --out",
                )));
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(at(error)),
        }
    }
    let folder = Escaped(folder.display());
    Err(SweepError::Usage(format!("--out: {MOST_PROCESSES} processes search in {folder} already")))
}

/// Reads what is new in all journals but one.
fn look(
    folder: &Path,
    format: &Format,
    but: Option<u32>,
    readers: &mut BTreeMap<u32, Reader>,
    known: &mut Known,
) -> Result<bool, SweepError> {
    let mut has_news = false;
    for number in numbers(folder)?.into_iter().filter(|number| Some(*number) != but) {
        let reader = match readers.entry(number) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(absent) => match Reader::open(folder.join(name(number)))? {
                Some(reader) => absent.insert(reader),
                None => continue,
            },
        };
        has_news |= reader.news(format, known)?;
    }
    Ok(has_news)
}

/// The numbers of the journals in a folder. One of them may be missing, if somebody deleted it.
fn numbers(folder: &Path) -> Result<BTreeSet<u32>, SweepError> {
    let mut numbers = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(SweepError::at(folder))? {
        let entry = entry.map_err(SweepError::at(folder))?;
        numbers.extend(entry.file_name().to_str().and_then(number_of));
    }
    Ok(numbers)
}

/// The number in a journal's name: the inverse of [`name`].
fn number_of(file: &str) -> Option<u32> {
    let number = match file {
        FILE => 1,
        _ => file.strip_prefix("samples-")?.strip_suffix(".jsonl")?.parse().ok()?,
    };
    (name(number) == file).then_some(number)
}
