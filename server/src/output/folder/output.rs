//! Writes a run's folder during the run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tracing::error;

use super::claim::{claim, created, write_run};
use super::crops::CropFiles;
use super::facts::Facts;
use super::tables::Tables;
use super::{PAGE, RECORDING, RENAMED, REPORT, RUN, VERDICTS, run_file};
use crate::output::error::{FOLDER, OutputError};
use crate::output::html::{Gathered, page};
use crate::output::intact;
use crate::output::json::document::Document;
use crate::output::json::keeper::Keeper;
use crate::output::json::replace::Replaced;
use crate::output::junit::JunitOutput;
use crate::output::lockable::Lockable;
use crate::output::mcap::{self, Recorder};
use crate::output::part::put;
use crate::output::parts::Parts;
use crate::output::progress_timeout::Steps;
use crate::output::report::{Incomplete, IncompleteReason, Run, SessionReport};
use crate::output::seam::{Output, SessionStart};
use crate::output::worst::KeptCrop;
use crate::run::of_file;
use crate::score::record::FrameRecord;
use crate::source;
use crate::task::TaskName;

/// A run's folder.
pub struct FolderOutput {
    folder: PathBuf,
    run: Run,
    task: TaskName,
    open: Option<Open>,
    /// Collects the verdicts, if the run has gates.
    verdicts: Option<JunitOutput>,
    records: bool,
    is_complete: bool,
    /// Counts the steps of the end.
    steps: Steps,
}

/// A folder that is being written.
struct Open {
    /// The file of the run. Holds the lock, which shows that the run is going on.
    run: Lockable,
    /// Bytes of the file of the run, as it was written.
    run_bytes: u64,
    report: Keeper,
    tables: Tables,
    recorder: Option<Recorder>,
    /// What the page shows of the frames.
    gathered: Box<Gathered>,
    /// The pictures of its worst frames.
    crops: CropFiles,
    /// Frames that were received.
    received: u64,
    /// Frames sent by the sessions that have ended, including those of the warm-up.
    sent: u64,
}

impl FolderOutput {
    /// Takes a folder that is absent or empty. With `strict`, the verdicts count an inconclusive gate as failed.
    ///
    /// # Errors
    /// [`OutputError`] if the folder is neither, or cannot be written to.
    pub fn open(folder: &Path, run: &Run, task: TaskName, strict: bool) -> Result<Self, OutputError> {
        run.config.to_toml().and_then(|_| claim(folder)).map_err(|error| failed(folder, error))?;
        let has_gates = !run.config.conditions().is_empty();
        let verdicts = has_gates.then(|| JunitOutput::of_file(&folder.join(VERDICTS), run.clone(), strict));
        Ok(Self {
            folder: folder.into(),
            run: run.clone(),
            task,
            open: None,
            verdicts,
            records: false,
            is_complete: false,
            steps: Steps::default(),
        })
    }

    /// The same folder, with a recording if `records`.
    #[must_use]
    pub fn recorded(self, records: bool) -> Self {
        Self { records, ..self }
    }

    fn begun(&self) -> Result<Open, OutputError> {
        let folder = &self.folder;
        let text = run_file::text(&self.run, SystemTime::now()).map_err(|error| failed(folder, error))?;
        let (run, run_bytes) = (write_run(folder, &text).map_err(|error| failed(folder, error))?, text.len() as u64);
        let report = self.report().map_err(|error| failed(folder, error))?;
        let tables = Tables::begin(folder, self.task)?;
        let recording = || mcap::start(&folder.join(RECORDING), &self.run, self.task);
        let recorder = self.records.then(recording).transpose();
        let recorder = recorder.map_err(|error| failed(&folder.join(RECORDING), error))?;
        // The specification as it is written, without what its source does not use, so that the source can be opened
        // again.
        let spec = of_file("RUN", &folder.join(RUN)).unwrap_or_else(|_| self.run.config.spec().clone());
        let gathered = Box::new(Gathered::new(spec, self.task));
        let crops = CropFiles::new(folder);
        Ok(Open { run, run_bytes, report, tables, recorder, gathered, crops, received: 0, sent: 0 })
    }

    fn report(&self) -> io::Result<Keeper> {
        let path = self.folder.join(REPORT);
        drop(created(&path)?);
        let mut file = Replaced::new(&path)?;
        let mut document = Document::new(&self.run)?;
        document.set_incomplete(Some(incomplete(IncompleteReason::Running, 0)));
        file.write(document.text().as_bytes())?;
        Keeper::start(document, &path.display().to_string(), move |text| file.write(text))
    }

    /// Writes what is not written yet. Returns whether everything is written.
    fn finished(&self, mut open: Open) -> bool {
        open.tables.flush();
        let missing = open.sent.saturating_sub(open.tables.frames());
        let incomplete = (missing > 0).then(|| incomplete(IncompleteReason::NotWritten, missing));
        open.report.change(|document| document.set_incomplete(incomplete));
        let report = open.report.text();
        self.steps.done();
        let is_recorded = open.recorder.as_ref().is_none_or(|recorder| recorder.finish(report.clone()));
        self.steps.done();
        let is_report_whole = open.report.finish();
        self.steps.done();
        let are_crops_whole = open.crops.write(&open.gathered);
        self.steps.done();
        let Run { version, seed, config } = &self.run;
        // `begun` has written the same text.
        let run = config.to_toml().unwrap_or_default();
        let are_tables_whole = open.tables.finish(Facts { version, seed: *seed, run, report: report.clone() });
        self.steps.done();
        // Last, because it takes longest, and can be made again from the rest.
        let is_page_whole = self.write_page(&report, &open.gathered);
        self.steps.done();
        let is_run_there = self.keeps_run(&open.run, open.run_bytes);
        let are_results_whole = are_tables_whole && is_report_whole && is_recorded && are_crops_whole && is_page_whole;
        are_results_whole && is_run_there && missing == 0
    }

    /// Whether the file of the run is still there and has all the bytes that were written.
    fn keeps_run(&self, run: &Lockable, written: u64) -> bool {
        let kept = intact::check(run, written);
        if let Err(wrong) = &kept {
            error!("{}: {wrong}; write it again for server report and --run", self.folder.join(RUN).display());
        }
        kept.is_ok()
    }

    /// Writes the page. Returns whether it is written.
    fn write_page(&self, report: &str, gathered: &Gathered) -> bool {
        let folder = &self.folder;
        // Without the file, the page does not say when and where the run started.
        let run = fs::read_to_string(folder.join(RUN)).unwrap_or_default();
        let written = put(folder, PAGE, &page(report, &run, gathered, &self.steps));
        if let Err(wrong) = &written {
            let (place, folder) = (folder.join(PAGE), folder.display());
            error!("cannot write the page to {}: {wrong}; server report {folder} makes it", place.display());
        }
        written.is_ok()
    }
}

impl Output for FolderOutput {
    fn name(&self) -> String {
        format!("folder {}", self.folder.display())
    }

    fn count_in(&mut self, steps: &Steps) {
        self.steps = steps.clone();
    }

    fn parts(&self) -> Option<Parts> {
        Some(Parts::of(&self.folder, &RENAMED))
    }

    fn begin(&mut self) -> Result<(), OutputError> {
        self.open = Some(self.begun()?);
        Ok(())
    }

    fn started(&mut self, start: SessionStart) -> Result<(), OutputError> {
        self.verdicts.as_mut().map_or(Ok(()), |verdicts| verdicts.started(start))
    }

    fn frame(&mut self, session: u64, record: &FrameRecord) -> Result<(), OutputError> {
        if let Some(open) = &mut self.open {
            open.received += 1;
            open.gathered.add(session, record);
            open.tables.add(session, record);
            if let Some(recorder) = &open.recorder {
                recorder.outcome(session, record);
            }
        }
        Ok(())
    }

    fn crop(&mut self, crop: &KeptCrop) -> Result<(), OutputError> {
        if let Some(open) = &mut self.open {
            open.gathered.keep(crop.clone());
        }
        Ok(())
    }

    fn running(&mut self, report: &SessionReport) -> Result<(), OutputError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        open.crops.write(&open.gathered);
        open.report.change(|document| document.set_running(report)).map_err(|error| failed(&self.folder, error))
    }

    fn ended(&mut self, report: &SessionReport) -> Result<(), OutputError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        open.sent += report.figures.frames.counts.sent + report.figures.frames.warmup;
        open.report.change(|document| document.add(report)).map_err(|error| failed(&self.folder, error))?;
        self.verdicts.as_mut().map_or(Ok(()), |verdicts| verdicts.ended(report))
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        open.tables.flush();
        let missing = open.received.saturating_sub(open.tables.frames());
        if missing > 0 {
            open.report
                .change(|document| document.set_incomplete(Some(incomplete(IncompleteReason::Running, missing))));
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), OutputError> {
        let Some(open) = self.open.take() else { return Ok(()) };
        self.is_complete = self.finished(open);
        self.verdicts.as_mut().map_or(Ok(()), Output::finish)
    }

    fn is_complete(&self) -> bool {
        self.is_complete
    }

    fn needs_every_frame(&self) -> bool {
        true
    }

    fn recorder(&self) -> Option<Recorder> {
        self.open.as_ref()?.recorder.clone()
    }

    fn wants_running(&self) -> bool {
        true
    }

    fn wants_crops(&self) -> bool {
        !source::is_computed(&self.run.config.spec().sent.source)
    }
}

fn incomplete(reason: IncompleteReason, not_written: u64) -> Incomplete {
    Incomplete { reason, not_written, unknown: Vec::new() }
}

fn failed(folder: &Path, error: io::Error) -> OutputError {
    OutputError { what: FOLDER, place: folder.display().to_string(), error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::report::tests::run;

    #[test]
    fn the_file_of_the_run_is_whole_although_its_words_would_be_longer_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let mut output = FolderOutput::open(folder.path(), &run(), TaskName::default(), false).unwrap();
        output.begin().unwrap();
        // So would they be if the machine got a longer name meanwhile.
        output.run.version = "0.0.0";
        output.finish().unwrap();
        assert!(output.is_complete());
    }
}
