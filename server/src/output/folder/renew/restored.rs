//! Makes the reports of interrupted sessions from their frames.

use std::collections::BTreeMap;
use std::io;

use super::known::{Known, KnownSession};
use crate::gate::Judge;
use crate::output::json::document::Document;
use crate::output::report::{ClockReport, EncodingReport, SessionReport};
use crate::run::RunSpec;
use crate::score::record::FrameRecord;
use crate::session::{End, Tally};
use crate::task::TaskName;

/// The sessions that are being restored.
pub(super) struct Restorer<'a> {
    task: TaskName,
    /// Number of frames at the start of each session that no figure includes.
    warmup: u64,
    judge: Judge,
    /// Bytes of a frame's pixels.
    frame_bytes: u64,
    known: Option<&'a Known<'a>>,
    tallies: BTreeMap<u64, Tally>,
    restored: u64,
    /// Sessions that were running and had no frame yet.
    without_frames: Vec<u64>,
}

impl<'a> Restorer<'a> {
    /// Starts without any restored session. `judge` has the run's gates.
    pub(super) fn new(spec: &RunSpec, judge: Judge, known: Option<&'a Known<'a>>) -> Self {
        Self {
            task: spec.sent.task.unwrap_or_default(),
            warmup: spec.judged.warmup,
            judge,
            frame_bytes: spec.pixel().bytes(spec.size()) as u64,
            known,
            tallies: BTreeMap::new(),
            restored: 0,
            without_frames: known.into_iter().flat_map(Known::running).collect(),
        }
    }

    /// Adds a frame, if its session broke off. After the last frame the session's report is written.
    pub(super) fn add(
        &mut self,
        session: u64,
        record: &FrameRecord,
        is_last: bool,
        document: &mut Document,
    ) -> io::Result<()> {
        if self.known.is_some_and(|known| known.has_ended(session)) {
            return Ok(());
        }
        let tally = self.tallies.entry(session).or_insert_with(|| Tally::after(self.warmup, self.task));
        tally.restore(record);
        if is_last && let Some(tally) = self.tallies.remove(&session) {
            self.without_frames.retain(|number| *number != session);
            self.put_down(session, &tally, document)?;
        }
        Ok(())
    }

    /// Writes the reports of the sessions that had no frame yet. Returns how many sessions were restored.
    pub(super) fn finish(mut self, document: &mut Document) -> io::Result<u64> {
        for session in std::mem::take(&mut self.without_frames) {
            self.put_down(session, &Tally::after(self.warmup, self.task), document)?;
        }
        Ok(self.restored)
    }

    fn put_down(&mut self, session: u64, tally: &Tally, document: &mut Document) -> io::Result<()> {
        self.restored += 1;
        let mut report = self.report(session, tally);
        self.judge.judge(&mut report);
        document.add(&report)
    }

    fn report(&self, session: u64, tally: &Tally) -> SessionReport {
        let mut report = SessionReport {
            session,
            client: None,
            end: End::BrokenOff,
            figures: tally.figures(),
            connect_us: None,
            first_score_us: None,
            clock: ClockReport::default(),
            ignored_messages: 0,
            pipeline_errors: None,
            warnings: Vec::new(),
            gates: Vec::new(),
            source: None,
            encoding: EncodingReport::default(),
            recording: None,
        };
        report.figures.bytes.frames_raw = report.figures.frames.counts.sent.saturating_mul(self.frame_bytes);
        let known = self.known.and_then(|known| known.session(session));
        if let Some(known) = known {
            known.complete(&mut report);
        }
        report.warnings = tally.warnings(&report.figures, report.clock.uncertainty_us);
        report.warnings.extend(known.and_then(KnownSession::drift).cloned());
        report
    }
}
