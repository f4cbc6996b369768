//! What a client counts over a session.

use crate::session::Detection;
use hdrhistogram::Histogram;
use shared::protocol::message::DROPPED;

/// Digits the histogram keeps: 1 ms to the µs.
const SIGNIFICANT_DIGITS: u8 = 3;

/// Counts and detection times.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Frames that arrived.
    pub received: u64,
    /// Answered with a circle.
    pub circle: u64,
    /// Answered with none.
    pub no_circle: u64,
    /// Answered as dropped.
    pub dropped: u64,
    detect_us: Histogram<u32>,
}

impl Default for Tally {
    fn default() -> Self {
        // invariant: a constant in 0..=5, the only thing `new` checks.
        let detect_us = Histogram::new(SIGNIFICANT_DIGITS).expect("0 to 5 digits");
        Self { received: 0, circle: 0, no_circle: 0, dropped: 0, detect_us }
    }
}

impl Tally {
    /// Counts a detection.
    pub fn add(&mut self, detection: &Detection) {
        match detection.payload.kind() {
            "circle" => self.circle += 1,
            "none" => self.no_circle += 1,
            DROPPED => return self.dropped += 1,
            _ => {}
        }
        // Grows as needed; no detection takes 2^63 µs.
        let _ = self.detect_us.record(detection.finished.since(detection.started));
    }

    /// A percentile of the detection time in µs; `None` before the first.
    pub fn detect_percentile_us(&self, percent: f64) -> Option<u64> {
        (!self.detect_us.is_empty()).then(|| self.detect_us.value_at_percentile(percent))
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} frames received: {} circle", self.received, self.circle)?;
        write!(f, ", {} none, {} dropped", self.no_circle, self.dropped)?;
        if let (Some(p50), Some(p99)) = (self.detect_percentile_us(50.0), self.detect_percentile_us(99.0)) {
            write!(f, "; detection p50 {:.3} ms, p99 {:.3} ms", p50 as f64 / 1e3, p99 as f64 / 1e3)?;
        }
        Ok(())
    }
}
