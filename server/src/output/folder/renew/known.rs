//! The contents of a run's last report, kept as they were written.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::possible::{check, check_session};
use super::sessions::{Seen, Sums};
use crate::doctor::{Warning, WarningKind};
use crate::gate::GateVerdict;
use crate::output::report::{
    ClientReport, ClockReport, EncodingReport, Incomplete, IncompleteReason, SCHEMA, SessionReport, SourceReport,
    UdpBuffers, Whereabouts,
};
use crate::run::{ELSEWHERE, RunConfig, is_same_option};
use crate::score::bounds::Bounds;
use crate::score::latency::Percentiles;
use crate::session::{ClientInfo, SentBytes};

/// The figures of a session that cannot be computed from its rows.
const NOT_OF_A_FRAME: [&str; 17] = [
    "client",
    "connect_us",
    "first_score_us",
    "clock",
    "ignored_messages",
    "pipeline_errors",
    "source",
    "encoding",
    "bytes",
    "frames.skipped",
    "frames.late",
    "frames.duplicate",
    "frames.invalid",
    "frames.lost_by.late",
    "frames.lost_by.unanswered",
    "latency_us.corrected",
    "latency_us.standstill",
];

/// These figures as sorted texts, as [`Known::unknown`] gives them.
pub(super) fn not_of_a_frame() -> Vec<String> {
    let all: BTreeSet<_> = NOT_OF_A_FRAME.into_iter().map(str::to_owned).collect();
    all.into_iter().collect()
}

/// The start of the paths of bounds that cannot be computed from the rows.
const OF_TICKS: &str = "latency_us.corrected.";

/// The names of links. The report has no others.
const LINKS: [&str; 5] = ["webrtc", "tcp", "grpc", "memory", "none"];

/// The entry of a run's options that lists those without effect.
const UNUSED: &str = "unused_options";

/// Entries that repeat options, each of which has an entry of its own.
const NO_OPTIONS: [&str; 2] = [UNUSED, "camera"];

/// Largest difference of two sums of the same errors, relative to them: 10^6 roundings of 2^-52.
const ROUNDING: f64 = 1e6 * f64::EPSILON;

/// A report that was read.
pub(super) struct Known<'a> {
    written: Written<'a>,
    run: RunHead,
    /// The sessions that had ended, by their numbers: frames sent, including those of the warm-up, and the sums.
    ended: BTreeMap<u64, (u64, Sums)>,
    ended_texts: Vec<&'a str>,
    /// What was known about the sessions that were running.
    running: BTreeMap<u64, KnownSession>,
    /// The sessions that have rows and had ended, but that the report omits.
    omitted: BTreeSet<u64>,
}

#[derive(Deserialize)]
struct Written<'a> {
    schema: u32,
    #[serde(borrow)]
    run: &'a RawValue,
    #[serde(default)]
    gates: Vec<GateVerdict>,
    #[serde(borrow)]
    sessions: Vec<&'a RawValue>,
    sessions_omitted: u64,
    #[serde(default)]
    incomplete: Option<Incomplete>,
}

#[derive(Deserialize)]
struct RunHead {
    version: String,
    seed: u64,
    #[serde(default)]
    config: serde_json::Map<String, Value>,
}

/// What a report says about a session besides its frames' figures.
#[derive(Deserialize)]
pub(super) struct KnownSession {
    session: u64,
    client: Option<KnownClient>,
    end: KnownEnd,
    connect_us: Option<u64>,
    first_score_us: Option<u64>,
    clock: ClockReport,
    ignored_messages: u64,
    pipeline_errors: Option<u64>,
    source: Option<SourceReport>,
    encoding: EncodingReport,
    bytes: SentBytes,
    frames: KnownFrames,
    latency_us: KnownLatency,
    /// Only of the task circle.
    #[serde(default)]
    error_px: Option<KnownErrors>,
    #[serde(default)]
    bounds: Bounds,
    #[serde(default)]
    warnings: Vec<Warning>,
}

#[derive(Deserialize)]
struct KnownClient {
    #[serde(flatten)]
    info: ClientInfo,
    address: String,
    link: String,
    dialled: bool,
    #[serde(default)]
    udp_buffers: Option<UdpBuffers>,
}

#[derive(Deserialize)]
struct KnownEnd {
    kind: String,
}

#[derive(Deserialize)]
struct KnownFrames {
    sent: u64,
    #[serde(default)]
    warmup: u64,
    skipped: u64,
    late: u64,
    duplicate: u64,
    invalid: u64,
    dropped: u64,
    lost: u64,
    unresolved: u64,
    lost_by: KnownLosses,
}

#[derive(Deserialize)]
struct KnownErrors {
    l1: KnownSum,
}

#[derive(Deserialize)]
struct KnownSum {
    sum: f64,
}

#[derive(Deserialize)]
struct KnownLosses {
    late: u64,
}

#[derive(Deserialize)]
struct KnownLatency {
    corrected: Percentiles,
    standstill: Option<u64>,
}

impl KnownSession {
    fn sums(&self) -> Sums {
        let KnownFrames { dropped, lost, unresolved, .. } = self.frames;
        Sums { dropped, lost, unresolved, l1: self.error_px.as_ref().map_or(0.0, |errors| errors.l1.sum) }
    }
}

impl<'a> Known<'a> {
    /// Reads a report.
    ///
    /// # Errors
    /// Why the text is not a report.
    pub(super) fn read(text: &'a str) -> Result<Self, String> {
        let said = |error: serde_json::Error| error.to_string();
        let written: Written<'a> = serde_json::from_str(text).map_err(said)?;
        if written.schema != SCHEMA {
            return Err(format!("it has schema {}, and this server reads schema {SCHEMA}", written.schema));
        }
        let run = serde_json::from_str(written.run.get()).map_err(said)?;
        let (mut ended, mut ended_texts, mut running) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        for &text in &written.sessions {
            let session: KnownSession = serde_json::from_str(text.get()).map_err(said)?;
            if session.end.kind == "running" {
                running.insert(session.session, session);
            } else {
                ended.insert(
                    session.session,
                    (session.frames.sent.saturating_add(session.frames.warmup), session.sums()),
                );
                ended_texts.push(text.get());
            }
        }
        Ok(Self { written, run, ended, ended_texts, running, omitted: BTreeSet::new() })
    }

    /// Finds the sessions of these rows that had ended, but that the report omits because many ended after them.
    #[must_use]
    pub(super) fn with_rows(mut self, seen: &Seen) -> Self {
        let is_listed = |session: u64| self.ended.contains_key(&session) || self.running.contains_key(&session);
        let mut unlisted: Vec<_> = seen.numbers().filter(|session| !is_listed(*session)).collect();
        let most = usize::try_from(self.omitted()).unwrap_or(usize::MAX);
        // The last report of a run omits all sessions that it does not list.
        let is_over = self.incomplete().is_none_or(|incomplete| incomplete.reason != IncompleteReason::Running);
        if !is_over || unlisted.len() > most {
            // An omitted session ended before those that are listed. A session without an entry yet began later.
            let latest = self.ended.keys().filter_map(|session| seen.last_of(*session)).max();
            unlisted.retain(|session| seen.last_of(*session) < latest);
            unlisted.sort_unstable_by_key(|session| seen.last_of(*session));
            unlisted.truncate(most);
        }
        self.omitted = unlisted.into_iter().collect();
        self
    }

    /// Checks that the report has no count that no run can have.
    ///
    /// # Errors
    /// The first such count.
    pub(super) fn check_counts(&self) -> Result<(), String> {
        for text in &self.written.sessions {
            let session: Value = serde_json::from_str(text.get()).map_err(|error| error.to_string())?;
            check_session(&session).map_err(|wrong| format!("session {}: {wrong}", session["session"]))?;
        }
        check("sessions_omitted", &self.omitted().into())?;
        let not_written = self.incomplete().map(|incomplete| incomplete.not_written);
        check("incomplete.not_written", &not_written.into())
    }

    /// Checks that this run wrote the report. An earlier version may have written it, without some of the options.
    /// Options that have no effect on the run are in the report alone.
    ///
    /// # Errors
    /// The first option that differs.
    pub(super) fn check_run(&self, config: &RunConfig) -> Result<(), String> {
        let value = serde_json::to_value(config).unwrap_or_default();
        let unused = self.run.config.get(UNUSED).and_then(Value::as_array);
        let is_used = |name: &str| {
            let is_unused = unused.is_some_and(|unused| unused.iter().any(|other| other == name));
            !(is_unused || NO_OPTIONS.contains(&name) || ELSEWHERE.contains(&name))
        };
        let of_both = self.run.config.iter().filter_map(|(name, theirs)| Some((name, theirs, value.get(name)?)));
        match of_both
            .filter(|(name, ..)| is_used(name))
            .find(|(name, theirs, ours)| !is_same_option(name, theirs, ours))
        {
            Some((name, theirs, ours)) => Err(format!("{name} is {ours} there, and {theirs} in the report")),
            None => Ok(()),
        }
    }

    /// Checks that the rows of the sessions that had ended give the sums that the report has.
    ///
    /// # Errors
    /// The first sum that differs.
    pub(super) fn check_rows(&self, seen: &Seen) -> Result<(), String> {
        for (session, (frames, known)) in &self.ended {
            // Without all rows the sums are smaller.
            if seen.frames_of(*session) != *frames {
                continue;
            }
            let rows = seen.sums_of(*session);
            for (what, there, here) in [
                ("dropped frames", rows.dropped, known.dropped),
                ("lost frames", rows.lost, known.lost),
                ("unresolved frames", rows.unresolved, known.unresolved),
            ] {
                if there != here {
                    return Err(format!("session {session} has {there} {what} there, and {here} in the report"));
                }
            }
            if (rows.l1 - known.l1).abs() > ROUNDING * known.l1.abs() {
                return Err(format!(
                    "the errors of session {session} are {} px in all there, and {} px in the report",
                    rows.l1, known.l1
                ));
            }
        }
        Ok(())
    }

    pub(super) fn run_text(&self) -> &str {
        self.written.run.get()
    }

    /// The worst verdict on each gate, of the sessions that had ended.
    pub(super) fn gates(&self) -> &[GateVerdict] {
        &self.written.gates
    }

    pub(super) fn version(&self) -> &str {
        &self.run.version
    }

    pub(super) fn seed(&self) -> u64 {
        self.run.seed
    }

    pub(super) fn omitted(&self) -> u64 {
        self.written.sessions_omitted
    }

    pub(super) fn incomplete(&self) -> Option<&Incomplete> {
        self.written.incomplete.as_ref()
    }

    /// The sessions that had ended, in their original text.
    pub(super) fn ended_texts(&self) -> impl Iterator<Item = &str> {
        self.ended_texts.iter().copied()
    }

    /// Whether a session had ended.
    pub(super) fn has_ended(&self, session: u64) -> bool {
        self.ended.contains_key(&session) || self.omitted.contains(&session)
    }

    /// Number of frames that ended sessions have sent and that have no row.
    pub(super) fn frames_without_rows(&self, seen: &Seen) -> u64 {
        let without = self.ended.iter().map(|(session, (sent, _))| sent.saturating_sub(seen.frames_of(*session)));
        without.fold(0, u64::saturating_add)
    }

    /// The figures that are lost for at least one session.
    pub(super) fn unknown(&self, seen: &Seen) -> Vec<String> {
        let is_unknown = |session: u64| !self.has_ended(session) && !self.running.contains_key(&session);
        let now = if seen.numbers().any(is_unknown) { &NOT_OF_A_FRAME[..] } else { &[] };
        let before = self.incomplete().into_iter().flat_map(|incomplete| incomplete.unknown.iter().map(String::as_str));
        let all: BTreeSet<_> = before.chain(now.iter().copied()).collect();
        all.into_iter().map(str::to_owned).collect()
    }

    /// The sessions that were running.
    pub(super) fn running(&self) -> impl Iterator<Item = u64> {
        self.running.keys().copied()
    }

    /// What was known about a session that was running.
    pub(super) fn session(&self, session: u64) -> Option<&KnownSession> {
        self.running.get(&session)
    }
}

impl KnownSession {
    /// Adds what the rows do not contain to a report that was made from them.
    pub(super) fn complete(&self, report: &mut SessionReport) {
        report.client = self.client.as_ref().and_then(KnownClient::report);
        report.connect_us = self.connect_us;
        report.first_score_us = self.first_score_us;
        report.clock = self.clock.clone();
        report.ignored_messages = self.ignored_messages;
        report.pipeline_errors = self.pipeline_errors;
        report.source = self.source.clone();
        report.encoding = self.encoding;
        report.figures.bytes = self.bytes;
        let counts = &mut report.figures.frames.counts;
        let KnownFrames { skipped, late, duplicate, invalid, lost_by, .. } = &self.frames;
        (counts.skipped, counts.late, counts.duplicate, counts.invalid) = (*skipped, *late, *duplicate, *invalid);
        // In the rows these are unanswered.
        let late = lost_by.late.min(counts.lost_by.unanswered);
        counts.lost_by.late = late;
        counts.lost_by.unanswered -= late;
        report.figures.latency_us.corrected = self.latency_us.corrected.clone();
        report.figures.latency_us.standstill = self.latency_us.standstill;
        let of_ticks = self.bounds.iter().filter(|(path, _)| path.starts_with(OF_TICKS));
        report.figures.bounds.extend(of_ticks.map(|(path, bound)| (path.clone(), *bound)));
    }

    /// Whether the outcomes of this many frames, which are those of its rows, are counted.
    pub(super) fn counts(&self, frames: u64) -> bool {
        let KnownFrames { sent, warmup, unresolved, .. } = self.frames;
        (sent + warmup).saturating_sub(unresolved) >= frames
    }

    /// The warning about clock drift, which the rows cannot give.
    pub(super) fn drift(&self) -> Option<&Warning> {
        self.warnings.iter().find(|warning| warning.kind == WarningKind::ClockDrift)
    }
}

impl KnownClient {
    fn report(&self) -> Option<ClientReport> {
        let link = LINKS.into_iter().find(|link| **link == self.link)?;
        Some(ClientReport {
            info: self.info.clone(),
            at: Whereabouts {
                address: self.address.clone(),
                link,
                dialled: self.dialled,
                udp_buffers: self.udp_buffers,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Worst;
    use crate::output::json::document::{Document, indented};
    use crate::output::report::tests::{record, run, session};

    /// The sessions of these rows that had ended, if a report lists the sessions 9 and 3 and omits two.
    fn ended(incomplete: Option<IncompleteReason>, rows: &[u64]) -> Vec<u64> {
        let mut document = Document::of_text(indented(&run(), 1).unwrap(), Worst::new(&[]), 2);
        [9, 3].iter().for_each(|number| document.add(&session(*number)).unwrap());
        let why = |reason| Incomplete { reason, not_written: 0, unknown: Vec::new() };
        document.set_incomplete(incomplete.map(why));
        let mut seen = Seen::default();
        (0..).zip(rows).for_each(|(id, number)| seen.add(*number, &record(id), None).unwrap());
        let text = document.text();
        let known = Known::read(&text).unwrap().with_rows(&seen);
        let mut ended: Vec<_> = seen.numbers().filter(|number| known.has_ended(*number)).collect();
        ended.sort_unstable();
        ended
    }

    #[test]
    fn a_session_that_the_last_report_of_a_run_omits_had_ended_whatever_its_number() {
        for incomplete in [None, Some(IncompleteReason::NotWritten), Some(IncompleteReason::BrokenOff)] {
            assert_eq!(ended(incomplete, &[5, 3, 9, 12]), [3, 5, 9, 12], "{incomplete:?}");
        }
        // Somebody added rows.
        assert_eq!(ended(None, &[5, 6, 3, 9, 12]), [3, 5, 6, 9]);
    }

    #[test]
    fn a_session_that_a_running_report_lacks_had_ended_if_its_rows_are_older_and_that_many_are_omitted() {
        let running = Some(IncompleteReason::Running);
        assert_eq!(ended(running, &[5, 3, 9, 12]), [3, 5, 9]);
        assert_eq!(ended(running, &[7, 6, 5, 3, 9]), [3, 6, 7, 9]);
    }
}
