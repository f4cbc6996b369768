//! The client's counts over a session.

use std::fmt;

use hdrhistogram::Histogram;

use crate::pipeline::{AnswerKind, Answers};
use crate::session::Detection;

/// Significant digits that the histogram keeps: times around 1 ms are exact to 1 µs.
const SIGNIFICANT_DIGITS: u8 = 3;

/// Counts per kind of answer, and how long the pipeline took.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Number of frames that arrived.
    pub received: u64,
    /// Number of frames answered as dropped.
    pub dropped: u64,
    answers: &'static dyn Answers,
    /// Counts, in the order of the kinds.
    counts: Vec<u64>,
    work_us: Histogram<u32>,
    /// What the pipeline looks for. Shown when it found nothing.
    looks_for: Option<String>,
}

impl Tally {
    /// Starts counting answers of these kinds.
    pub fn of(answers: &'static dyn Answers) -> Self {
        // invariant: `new` checks only that this constant lies in 0..=5.
        let work_us = Histogram::new(SIGNIFICANT_DIGITS).expect("0 to 5 digits");
        Self { received: 0, dropped: 0, answers, counts: vec![0; answers.kinds().len()], work_us, looks_for: None }
    }

    /// Sets what the pipeline looks for, to be shown when it finds nothing.
    #[must_use]
    pub fn looking_for(self, looks_for: Option<String>) -> Self {
        Self { looks_for, ..self }
    }

    /// Whether frames were processed but nothing was found.
    fn found_nothing(&self) -> bool {
        let found = self.counts().filter(|(kind, _)| !kind.is_bad).map(|(_, count)| count).sum::<u64>();
        found == 0 && self.counts.iter().any(|count| *count > 0)
    }

    /// Counts a detection.
    pub fn add(&mut self, detection: &Detection) {
        let payload = &detection.payload;
        if payload.is_dropped() {
            self.dropped += 1;
            return;
        }
        if let Some(place) = self.answers.kinds().iter().position(|kind| kind.name == payload.kind()) {
            self.counts[place] += 1;
        }
        // The histogram grows as needed, and no detection takes 2^63 µs, so this cannot fail.
        let _ = self.work_us.record(detection.finished.since(detection.started));
    }

    /// The answers that are counted.
    pub fn answers(&self) -> &'static dyn Answers {
        self.answers
    }

    /// Each kind of answer with its count.
    pub fn counts(&self) -> impl Iterator<Item = (&'static AnswerKind, u64)> {
        self.answers.kinds().iter().zip(self.counts.iter().copied())
    }

    /// A percentile of the time the pipeline took per frame, in µs. `None` before the first frame.
    pub fn work_percentile_us(&self, percent: f64) -> Option<u64> {
        (!self.work_us.is_empty()).then(|| self.work_us.value_at_percentile(percent))
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} frames received: ", self.received)?;
        for (kind, count) in self.counts() {
            write!(f, "{count} {}, ", kind.name)?;
        }
        write!(f, "{} dropped", self.dropped)?;
        if let (Some(p50), Some(p99)) = (self.work_percentile_us(50.0), self.work_percentile_us(99.0)) {
            let (work, p50_ms, p99_ms) = (self.answers.work(), p50 as f64 / 1e3, p99 as f64 / 1e3);
            write!(f, "; {work} p50 {p50_ms:.3} ms, p99 {p99_ms:.3} ms")?;
        }
        match &self.looks_for {
            Some(looks_for) if self.found_nothing() => write!(f, "\nnothing was found: looked for {looks_for}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::geometry::Size;
    use shared::protocol::message::Payload;
    use shared::time::Micros;

    use super::*;
    use crate::pipeline::{NoAnswers, PipelineChoice};

    fn tally(task: &str, kinds: &[&'static str]) -> String {
        let chosen = PipelineChoice::auto().for_task(task).expect("a pipeline");
        let size = Size { width: 2560, height: 1440 };
        let mut tally = Tally::of(chosen.answers()).looking_for(chosen.looks_for(size));
        for kind in kinds {
            let payload = Payload::new(kind);
            tally.received += 1;
            tally.add(&Detection { frame: 0, received: Micros(0), started: Micros(0), finished: Micros(250), payload });
        }
        tally.to_string()
    }

    #[test]
    fn answers_are_counted_by_the_kinds_of_their_pipeline() {
        let told = "4 frames received: 2 circle, 1 none, 1 dropped; detection p50 0.250 ms, p99 0.250 ms";
        assert_eq!(tally("circle", &["circle", "none", "dropped", "circle"]), told);
        let told = "2 frames received: 2 ack, 0 dropped; answer p50 0.250 ms, p99 0.250 ms";
        assert_eq!(tally("ack", &["ack", "ack"]), told);
        let told = "2 frames received: 0 circle, 2 none, 0 dropped; detection p50 0.250 ms, p99 0.250 ms\n\
                    nothing was found: looked for circles of radius 24.0 to 720.0 px, brighter or darker than what is around; \
                    --min-radius and --max-radius change that";
        assert_eq!(tally("circle", &["none", "none"]), told);
        assert_eq!(tally("circle", &["dropped"]), "1 frames received: 0 circle, 0 none, 1 dropped");
        assert_eq!(tally("ack", &["dropped"]), "1 frames received: 0 ack, 1 dropped");
        assert_eq!(Tally::of(&NoAnswers).to_string(), "0 frames received: 0 dropped");
    }
}
