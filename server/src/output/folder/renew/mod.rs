//! Completes a run's folder after a crash or a full disk, or makes its table again.
//!
//! The rows of `frames.csv` are scored again (`restored`), exactly as they were. What the rows do not contain (client,
//! clock, bytes, skipped ticks) is taken from the last `report.json` (`known`), and figures that are lost are named.
//! Sessions that had ended stay as they are in the report. `rows` reads the rows, `sessions` finds where each session
//! ends. `possible` refuses counts and times that no run has.

mod error;
mod known;
mod possible;
mod rescored;
mod restored;
mod rows;
mod sessions;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use shared::bounded;

use self::error::failed;
use self::known::Known;
use self::rescored::Rescored;
use self::restored::{Judges, Restorer};
use self::rows::{Extent, Row, Rows};
use self::sessions::Seen;
use super::claim::is_running;
use super::crops;
use super::facts::Facts;
use super::parquet::ParquetFile;
use super::{FRAMES, PAGE, RECORDING, RENAMED, REPORT, RUN, TABLE, run_file};
use crate::camera::limit_kind;
use crate::gate::{Judge, Worst};
use crate::output::Steps;
use crate::output::html::{Gathered, page};
use crate::output::json::document::Document;
use crate::output::json::replace::Replaced;
use crate::output::lockable::Lockable;
use crate::output::mcap::{self, Repaired};
use crate::output::part::put;
use crate::output::parts::{PART, Parts, prefix};
use crate::output::report::{Incomplete, IncompleteReason, MAX_REPORT_BYTES};
use crate::output::table;
use crate::run::{MAX_FILE_BYTES, RunConfig, RunSpec, of_file};

pub use error::RenewError;

/// The result of renewing a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// Number of frames in the tables.
    pub frames: u64,
    /// Sessions that broke off, and whose figures were made again from their frames.
    pub broken_off: u64,
    /// What is missing; `None` if nothing is.
    pub incomplete: Option<Incomplete>,
    /// Bytes of a torn last row, which were cut off.
    pub torn_bytes: u64,
    /// Whether there was a report that could be read.
    pub had_report: bool,
    /// The result of completing an interrupted recording; `None` if there is no recording, or if it is complete. If it
    /// cannot be completed it is left as it is, and this says why.
    pub recording: Result<Option<Repaired>, String>,
}

/// Writes the report, the page and the typed table of the run in this folder again.
///
/// # Errors
/// [`RenewError`] if no run wrote the folder, if its run is still going on, or if it cannot be read or written.
pub fn renew(folder: &Path) -> Result<Renewed, RenewError> {
    let run = opened(folder)?;
    if is_running(&run) {
        return Err(RenewError::Running { folder: folder.into() });
    }
    let spec = of_file("RUN", &folder.join(RUN))?;
    let frames = folder.join(FRAMES);
    let extent = Extent::of(&frames).map_err(failed(folder, FRAMES))?;
    let renewal = Renewal { folder, spec, extent };
    // Nothing in the folder changes before the report and every row were read.
    let report = renewal.report_text()?;
    let seen = renewal.seen()?;
    renewal.check_sums(report.as_deref(), &seen)?;
    extent.cut(&frames).map_err(failed(folder, FRAMES))?;
    Parts::of(folder, &RENAMED).remove().map_err(failed(folder, TABLE))?;
    // The figures do not need it, so they are there also if it is lost.
    let recording = repaired(folder).map_err(|error| error.to_string());
    Ok(Renewed { recording, ..renewal.all(&seen, report.as_deref())? })
}

/// The open file of the run, if a run wrote the folder.
fn opened(folder: &Path) -> Result<Lockable, RenewError> {
    let not_a_run = |wrong: String| RenewError::NotARun { folder: folder.into(), wrong };
    if !folder.is_dir() {
        return Err(not_a_run("it is not a folder".into()));
    }
    for name in [RUN, FRAMES] {
        if !folder.join(name).is_file() {
            return Err(not_a_run(format!("it has no {name}")));
        }
    }
    File::open(folder.join(RUN)).map(Lockable).map_err(failed(folder, RUN))
}

/// Completes the recording, if there is one that broke off.
fn repaired(folder: &Path) -> io::Result<Option<Repaired>> {
    let path = folder.join(RECORDING);
    if !path.is_file() {
        return Ok(None);
    }
    mcap::repair(&path, &prefix(RECORDING), PART)
}

/// A folder that is being renewed.
struct Renewal<'a> {
    folder: &'a Path,
    spec: RunSpec,
    /// Where the whole rows of its table end.
    extent: Extent,
}

impl Renewal<'_> {
    fn all(self, seen: &Seen, report: Option<&str>) -> Result<Renewed, RenewError> {
        let known = report.map(Known::read).transpose().map_err(|wrong| self.not_a_report(wrong))?;
        let known = known.map(|known| known.with_rows(seen));
        let unknown = match &known {
            Some(known) => known.unknown(seen),
            None => known::not_of_a_frame(),
        };
        let (mut document, version, seed) = self.document(known.as_ref())?;
        let typed = ParquetFile::create(self.folder, self.task()).map_err(failed(self.folder, TABLE))?;
        let judge = |lost: &[String]| self.judge(&document, lost);
        let judges = Judges { counted: judge(&unknown), of_rows: judge(&known::not_of_a_frame()) };
        let mut restorer = Restorer::new(&self.spec, judges, known.as_ref());
        let mut gathered = Gathered::new(self.spec.clone(), self.task());
        let typed = self.pass(seen, typed, &mut gathered, &mut restorer, &mut document)?;
        while restorer.passes_again() {
            self.pass_again(seen, &mut restorer, &mut document)?;
        }
        crops::find(self.folder, &mut gathered);
        let broken_off = restorer.finish(&mut document).map_err(failed(self.folder, REPORT))?;
        let incomplete = self.incomplete(known.as_ref(), seen, broken_off, unknown);
        document.set_incomplete(incomplete.clone());
        let report = document.text();
        self.write_report(&report).map_err(failed(self.folder, REPORT))?;
        self.write_page(&report, &gathered).map_err(failed(self.folder, PAGE))?;
        if let Some(typed) = typed {
            let facts = Facts { version: &version, seed, run: self.spec.to_toml(), report };
            typed.finish(facts).map_err(failed(self.folder, TABLE))?;
        }
        Ok(Renewed {
            frames: seen.frames(),
            broken_off,
            incomplete,
            torn_bytes: self.extent.torn_bytes(),
            had_report: known.is_some(),
            recording: Ok(None),
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The last report, if it is one, and of this run. `None` if there is none: if it was not begun, or a full disk or a
    /// power cut left it empty. Its sessions are taken over as text. An earlier version may have written it.
    fn report_text(&self) -> Result<Option<String>, RenewError> {
        let path = self.path(REPORT);
        if path.exists() && !path.is_file() {
            return Err(self.not_a_report("it is not a file".into()));
        }
        let text = match bounded::text(&path, MAX_REPORT_BYTES) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.not_a_report(error.to_string())),
        };
        // Some editors write a byte order mark.
        let text = text.trim_start_matches('\u{feff}');
        if text.chars().all(|letter| letter.is_whitespace() || letter == '\0') {
            return Ok(None);
        }
        let text = shared::json::escaped(text);
        let known = Known::read(&text).map_err(|wrong| self.not_a_report(wrong))?;
        known.check_counts().map_err(|wrong| self.not_a_report(wrong))?;
        known.check_run(&RunConfig::new(&self.spec)).map_err(|wrong| RenewError::OtherRun {
            run: self.path(RUN),
            report: path,
            wrong,
        })?;
        Ok(Some(text))
    }

    /// Checks that the rows are those of the report.
    fn check_sums(&self, report: Option<&str>, seen: &Seen) -> Result<(), RenewError> {
        let Some(report) = report else { return Ok(()) };
        let known = Known::read(report).map_err(|wrong| self.not_a_report(wrong))?;
        known.check_rows(seen).map_err(|wrong| RenewError::OtherRows {
            frames: self.path(FRAMES),
            report: self.path(REPORT),
            wrong,
        })
    }

    fn not_a_report(&self, wrong: String) -> RenewError {
        RenewError::NotAReport { path: self.path(REPORT), wrong }
    }

    fn run_text(&self) -> io::Result<String> {
        bounded::text(&self.path(RUN), MAX_FILE_BYTES)
    }

    fn task(&self) -> crate::task::TaskName {
        self.spec.sent.task.unwrap_or_default()
    }

    fn rows(&self) -> Result<Rows, RenewError> {
        Rows::open(&self.path(FRAMES), self.extent, self.task(), limit_kind(&self.spec.camera, self.spec.pixel()))
    }

    /// Where each session ends.
    fn seen(&self) -> Result<Seen, RenewError> {
        let (mut seen, mut rows, mut rescored) = (Seen::default(), self.rows()?, Rescored::new(self.task()));
        while let Some(row) = rows.next() {
            let Row { line, session, record } = row?;
            rescored
                .check(&record)
                .and_then(|error| seen.add(session, &record, error))
                .map_err(|wrong| rows.wrong(line, &wrong))?;
        }
        Ok(seen)
    }

    /// Writes every row into the typed table, and restores the sessions that broke off.
    fn pass(
        &self,
        seen: &Seen,
        mut typed: Option<ParquetFile>,
        gathered: &mut Gathered,
        restorer: &mut Restorer<'_>,
        document: &mut Document,
    ) -> Result<Option<ParquetFile>, RenewError> {
        for (index, row) in (0..).zip(self.rows()?) {
            let Row { session, record, .. } = row?;
            if let Some(typed) = &mut typed {
                let added = typed.add(table::row(self.task(), session, &record));
                added.map_err(failed(self.folder, TABLE))?;
            }
            gathered.add(session, &record);
            let is_last = seen.is_last(session, index);
            restorer.add(session, &record, is_last, document).map_err(failed(self.folder, REPORT))?;
        }
        Ok(typed)
    }

    /// Restores the sessions for which the pass before had no room.
    fn pass_again(&self, seen: &Seen, restorer: &mut Restorer<'_>, document: &mut Document) -> Result<(), RenewError> {
        for (index, row) in (0..).zip(self.rows()?) {
            let Row { session, record, .. } = row?;
            let is_last = seen.is_last(session, index);
            restorer.add(session, &record, is_last, document).map_err(failed(self.folder, REPORT))?;
        }
        Ok(())
    }

    /// The report with the sessions that are known, and the run's version and seed.
    fn document(&self, known: Option<&Known<'_>>) -> Result<(Document, String, u64), RenewError> {
        let conditions = self.spec.judged.conditions();
        if let Some(known) = known {
            let worst = Worst::kept(&conditions, known.gates());
            let mut document = Document::of_text(known.run_text().to_owned(), worst, known.omitted());
            known.ended_texts().for_each(|text| document.add_text(text.to_owned()));
            return Ok((document, known.version().to_owned(), known.seed()));
        }
        let run = self.run_text().map_err(failed(self.folder, RUN))?;
        let version = run_file::version(&run).unwrap_or(env!("CARGO_PKG_VERSION")).to_owned();
        let seed = self.spec.sent.seed.unwrap_or_default();
        let run = RunText { version: &version, seed, config: RunConfig::new(&self.spec) };
        let text = crate::output::json::document::indented(&run, 1).map_err(failed(self.folder, REPORT))?;
        Ok((Document::of_text(text, Worst::new(&conditions), 0), version, seed))
    }

    /// The run's gates, for the sessions that broke off and lost these figures.
    fn judge(&self, document: &Document, unknown: &[String]) -> Judge {
        // The document's own words are JSON.
        let run: serde_json::Value = serde_json::from_str(document.run()).unwrap_or_default();
        Judge::new(&run, self.spec.judged.conditions()).without(unknown)
    }

    /// What is missing from the folder.
    fn incomplete(
        &self,
        known: Option<&Known<'_>>,
        seen: &Seen,
        broken_off: u64,
        unknown: Vec<String>,
    ) -> Option<Incomplete> {
        let not_written = known.map_or(0, |known| known.frames_without_rows(seen));
        let before = known.and_then(Known::incomplete);
        let broke_off =
            broken_off > 0 || known.is_none() || before.is_some_and(|it| it.reason != IncompleteReason::NotWritten);
        let reason = if broke_off { IncompleteReason::BrokenOff } else { IncompleteReason::NotWritten };
        (broke_off || not_written > 0).then_some(Incomplete { reason, not_written, unknown })
    }

    fn write_page(&self, report: &str, gathered: &Gathered) -> io::Result<()> {
        let run = self.run_text()?;
        put(self.folder, PAGE, &page(report, &run, gathered, &Steps::default()))
    }

    fn write_report(&self, text: &str) -> io::Result<()> {
        let path = self.path(REPORT);
        if !path.exists() {
            File::create(&path)?;
        }
        Replaced::new(&path)?.write(text.as_bytes())
    }
}

/// [`Run`](crate::output::report::Run) with a version that was read.
#[derive(Serialize)]
struct RunText<'a> {
    version: &'a str,
    seed: u64,
    config: RunConfig,
}
