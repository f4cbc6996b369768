//! `server sweep merge`: one table of all trials, from one folder or several.
//!
//! `columns` says which columns the table has. `row` reads a trial. `table` writes `sweep.parquet`, and `read` reads it
//! again for the page. The rows are in the order of the plan, so the same trials give the same table, no matter which
//! machines ran them, or how often.

mod columns;
mod read;
mod row;
#[cfg(feature = "parquet")]
mod table;
#[cfg(not(feature = "parquet"))]
#[path = "no_table.rs"]
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use shared::text::Escaped;
use tracing::warn;

use self::columns::Columns;
use super::error::SweepError;
use super::folder::{SweepFolder, TABLE};
use super::plan::{Plan, Trial};
use super::reading::Reading;

pub(super) use columns::SHARES;
pub(crate) use columns::{Cell, Kind};
pub(super) use read::{Read, read};
pub(crate) use table::Table;

/// Most trials that a message names.
const NAMED: usize = 5;

/// What was merged.
#[derive(Debug, Default)]
pub(super) struct Merged {
    /// Trials in the table with their figures.
    pub(super) done: u64,
    /// Trials in the table that failed.
    pub(super) failed: u64,
    /// Trials that no folder has.
    pub(super) missing: u64,
    /// The first of these.
    pub(super) examples: Vec<u64>,
    /// The table.
    pub(super) table: PathBuf,
}

/// Writes the table of all trials in these folders into the folder `into`.
///
/// # Errors
/// If a folder is not that of a sweep, if the plans or (without `mixed`) the versions differ, or if the table cannot be
/// written.
pub(super) fn merge(folders: &[PathBuf], into: &Path, mixed: bool) -> Result<Merged, SweepError> {
    let (plan, folders) = opened(folders)?;
    let mut merge = Merge { plan: &plan, folders: &folders, mixed, versions: BTreeMap::new(), differing: 0 };
    let columns = Columns::of(&plan, merge.task()?.as_deref());
    fs::create_dir_all(into).map_err(SweepError::at(into))?;
    let path = into.join(TABLE);
    let Some(mut table) = Table::create(&into.join(TABLE), &columns.kinds()).map_err(SweepError::at(&path))? else {
        return Err(SweepError::Stopped(
            "the trials are kept, but this build of Plumb writes no Parquet: build it with the cargo feature parquet"
                .into(),
        ));
    };
    let mut merged = Merged { table: path.clone(), ..Merged::default() };
    for number in 1..=plan.trials() {
        let trial = plan.trial(number)?;
        match merge.found(&trial, &columns)? {
            Some(row) => {
                let is_failed = row[columns.state()] == Cell::Word("failed".into());
                *(if is_failed { &mut merged.failed } else { &mut merged.done }) += 1;
                table.add(row).map_err(SweepError::at(&path))?;
            }
            None => {
                merged.missing += 1;
                if merged.examples.len() < NAMED {
                    merged.examples.push(number);
                }
            }
        }
    }
    if merge.differing > 0 {
        warn!(
            "{} trials ran twice with different figures: the pipeline does not always give the same answer to the \
             same frame",
            merge.differing
        );
    }
    table.finish(&plan.text).map_err(SweepError::at(&path))?;
    Ok(merged)
}

/// The plan that all folders have, and the folders.
fn opened(paths: &[PathBuf]) -> Result<(Plan, Vec<SweepFolder>), SweepError> {
    let mut folders = Vec::new();
    let mut first: Option<(Plan, String)> = None;
    for path in paths {
        let (folder, plan) = SweepFolder::open(path)?;
        let hash = plan.hash()?;
        match &first {
            Some((_, other)) if *other != hash => {
                return Err(SweepError::Usage(format!(
                    "{} has the trials of another plan than {}: merge the folders of one plan",
                    Escaped(path.display()),
                    Escaped(paths[0].display())
                )));
            }
            Some(_) => {}
            None => first = Some((plan, hash)),
        }
        folders.push(folder);
    }
    let (plan, _) =
        first.ok_or_else(|| SweepError::Usage("merge needs one folder or more: write their names".into()))?;
    Ok((plan, folders))
}

/// A merge in progress.
struct Merge<'a> {
    plan: &'a Plan,
    folders: &'a [SweepFolder],
    mixed: bool,
    /// For each version, a trial that has it.
    versions: BTreeMap<String, String>,
    /// Trials that ran twice, with different figures.
    differing: u64,
}

impl Merge<'_> {
    /// The task of the first trial that is done.
    fn task(&self) -> Result<Option<String>, SweepError> {
        for number in 1..=self.plan.trials() {
            let id = self.plan.trial(number)?.id();
            let mut found = self.folders.iter().filter_map(|folder| Reading::of(&folder.trial(&id)));
            if let Some(reading) = found.next() {
                return Ok(reading.task());
            }
        }
        Ok(None)
    }

    /// The row of a trial. `None` if no folder has it.
    fn found(&mut self, trial: &Trial, columns: &Columns) -> Result<Option<Vec<Cell>>, SweepError> {
        let id = trial.id();
        let mut row: Option<Vec<Cell>> = None;
        for folder in self.folders {
            let Some(reading) = Reading::of(&folder.trial(&id)) else { continue };
            self.check_version(trial, folder, &reading)?;
            let cells = reading.cells(trial, &id, columns);
            match &row {
                Some(first) if !columns.same_figures(first, &cells) => self.differing += 1,
                Some(_) => {}
                None => row = Some(cells),
            }
        }
        let failed = || {
            let reason = self.folders.iter().find_map(|folder| folder.failure(&id))?;
            Some(row::failed(trial, &id, &reason, columns))
        };
        Ok(row.or_else(failed))
    }

    fn check_version(&mut self, trial: &Trial, folder: &SweepFolder, reading: &Reading) -> Result<(), SweepError> {
        if self.versions.contains_key(&reading.version) {
            return Ok(());
        }
        let example = format!("trial {} in {}", trial.number, Escaped(folder.path().display()));
        self.versions.insert(reading.version.clone(), example);
        if self.versions.len() == 1 || self.mixed {
            return Ok(());
        }
        let all: Vec<_> =
            self.versions.iter().map(|(version, place)| format!("{} ({place})", Escaped(version))).collect();
        Err(SweepError::Usage(format!(
            "the trials are of different versions of Plumb: {}; run them with one version, or merge them with --mixed",
            all.join(", ")
        )))
    }
}
