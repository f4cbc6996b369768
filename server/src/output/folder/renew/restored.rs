//! Makes the reports of interrupted sessions from their frames.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::known::{Known, KnownSession};
use crate::gate::Judge;
use crate::output::json::document::Document;
use crate::output::report::{ClockReport, EncodingReport, SessionReport};
use crate::run::RunSpec;
use crate::score::record::FrameRecord;
use crate::session::{End, Tally};
use crate::task::TaskName;

/// Maximum number of sessions that are restored together: each takes 1.2 MB, most of it for its histograms.
const MOST_TOGETHER: usize = 64;

/// The run's gates.
pub(super) struct Judges {
    /// For a session all of whose frames the last report counts.
    pub(super) counted: Judge,
    /// For a session that has later frames, or that the last report does not have. Only its rows are known to the end.
    pub(super) of_rows: Judge,
}

/// The sessions that are being restored. Those for which there is no room are restored in another pass over the rows.
pub(super) struct Restorer<'a> {
    task: TaskName,
    /// Number of frames at the start of each session that no figure includes.
    warmup: u64,
    judges: Judges,
    /// Bytes of a frame's pixels.
    frame_bytes: u64,
    known: Option<&'a Known<'a>>,
    tallies: BTreeMap<u64, Tally>,
    /// The sessions of this pass; `None` in the first, which has all.
    pass: Option<BTreeSet<u64>>,
    /// The sessions that wait for the next pass.
    waiting: BTreeSet<u64>,
    restored: u64,
    /// Sessions that were running and had no frame yet.
    without_frames: Vec<u64>,
}

impl<'a> Restorer<'a> {
    /// Starts without any restored session.
    pub(super) fn new(spec: &RunSpec, judges: Judges, known: Option<&'a Known<'a>>) -> Self {
        Self {
            task: spec.sent.task.unwrap_or_default(),
            warmup: spec.judged.warmup,
            judges,
            frame_bytes: spec.pixel().bytes(spec.size()) as u64,
            known,
            tallies: BTreeMap::new(),
            pass: None,
            waiting: BTreeSet::new(),
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
        let is_of_pass = self.pass.as_ref().is_none_or(|pass| pass.contains(&session));
        let has_ended = self.known.is_some_and(|known| known.has_ended(session));
        if has_ended || !is_of_pass || self.waiting.contains(&session) {
            return Ok(());
        }
        if self.tallies.len() == MOST_TOGETHER && !self.tallies.contains_key(&session) {
            self.waiting.insert(session);
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

    /// Begins another pass over the rows, for the sessions that wait. Returns whether there are any.
    pub(super) fn passes_again(&mut self) -> bool {
        let waiting = std::mem::take(&mut self.waiting);
        let has_more = !waiting.is_empty();
        self.pass = Some(waiting);
        has_more
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
        let frames = report.figures.frames.counts.sent + report.figures.frames.warmup;
        let known = self.known.and_then(|known| known.session(session));
        let is_counted = known.is_some_and(|known| known.counts(frames));
        let judge = if is_counted { &self.judges.counted } else { &self.judges.of_rows };
        judge.judge(&mut report);
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::known::not_of_a_frame;
    use super::*;
    use crate::gate::Worst;
    use crate::output::json::document::indented;
    use crate::output::report::tests::{record, run, session};

    fn spec() -> RunSpec {
        let mut spec = crate::options::defaults::<RunSpec>();
        spec.sent.task = Some(TaskName::ack());
        spec
    }

    /// Judges of a run of four frames.
    fn judges(conditions: &[&str]) -> Judges {
        let run = json!({"config": {"frames": 4}});
        let judge = || Judge::new(&run, conditions.iter().map(|condition| condition.parse().unwrap()).collect());
        Judges { counted: judge(), of_rows: judge().without(&not_of_a_frame()) }
    }

    fn document() -> Document {
        Document::of_text(indented(&run(), 1).unwrap(), Worst::new(&[]), 0)
    }

    fn sessions(document: &Document) -> Vec<Value> {
        let report: Value = serde_json::from_str(&document.text()).unwrap();
        report["sessions"].as_array().unwrap().clone()
    }

    #[test]
    fn sessions_that_overlap_are_restored_a_few_at_a_time_and_all_are() {
        let mut restorer = Restorer::new(&spec(), judges(&[]), None);
        let mut document = document();
        let (numbers, frames, mut passes) = (3 * MOST_TOGETHER as u64 - 5, 4, 0);
        loop {
            for (id, number) in (0..frames).flat_map(|id| (1..=numbers).map(move |number| (id, number))) {
                restorer.add(number, &record(id), id + 1 == frames, &mut document).unwrap();
                assert!(restorer.tallies.len() <= MOST_TOGETHER);
            }
            passes += 1;
            if !restorer.passes_again() {
                break;
            }
        }
        assert_eq!((restorer.finish(&mut document).unwrap(), passes), (numbers, 3));
        let restored = sessions(&document);
        let found: BTreeSet<_> = restored.iter().map(|session| session["session"].as_u64().unwrap()).collect();
        assert!(restored.len() as u64 == numbers && found.into_iter().eq(1..=numbers));
        assert!(restored.iter().all(|session| session["frames"]["sent"] == frames));
    }

    /// The verdict on a session of four frames that broke off, if the last report counts this many of them.
    fn verdict(counted: u64, condition: &str) -> Value {
        let mut last = document();
        let mut running = SessionReport { end: End::Running, ..session(1) };
        (running.figures.frames.counts.sent, running.figures.frames.counts.answered) = (counted, counted);
        last.set_running(&running).unwrap();
        let text = last.text();
        let known = Known::read(&text).unwrap();
        let (mut restorer, mut document) = (Restorer::new(&spec(), judges(&[condition]), Some(&known)), document());
        (0..4).for_each(|id| restorer.add(1, &record(id), id == 3, &mut document).unwrap());
        sessions(&document)[0]["gates"][0]["verdict"].clone()
    }

    #[test]
    fn a_figure_of_a_report_that_is_older_than_the_last_frame_does_not_pass_a_gate() {
        assert_eq!(verdict(4, "frames.skipped == 0"), "pass");
        assert_eq!(verdict(3, "frames.skipped == 0"), "no_data");
        assert_eq!(verdict(3, "frames.sent == 4"), "pass");
    }
}
