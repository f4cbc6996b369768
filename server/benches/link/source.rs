//! Collects a source's answers. A source prints its port, "started" with the first answer, and its figures at the end.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::counting::{self, Allocations};

/// Maximum number of unanswered frames at once: the programs' default.
pub(crate) const WINDOW: usize = 8;

/// Bytes per answer.
pub(crate) const ANSWER_BYTES: usize = 40;

/// Frames before allocations are counted. Buffers have grown to their size by then.
const WARM: u64 = 100;

/// The figures of a source, which it prints as one line of JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Answered frames per second, from the first answer to the last.
    pub(crate) frames_per_s: f64,
    /// Median latency, from the first byte sent to the answer.
    pub(crate) p50_us: u64,
    /// 99th percentile of the same latency.
    pub(crate) p99_us: u64,
    /// Allocations per frame at the source, if they are counted.
    #[serde(default)]
    pub(crate) allocations: Option<Allocations>,
}

/// Gathers the answers of a run.
pub(crate) struct Answers {
    latency_us: Histogram<u64>,
    first: Option<Instant>,
    last: Instant,
    warm: Option<Allocations>,
}

impl Answers {
    /// No answers yet.
    pub(crate) fn new() -> Self {
        // invariant: `new` only checks that the digits are in 0..=5, and they are a constant in that range.
        let latency_us = Histogram::new(3).expect("0 to 5 digits");
        Self { latency_us, first: None, last: Instant::now(), warm: None }
    }

    /// Adds an answer to a frame that was sent at `sent`. Prints "started" for the first answer.
    pub(crate) fn add(&mut self, sent: Instant) {
        self.last = Instant::now();
        if self.first.is_none() {
            self.first = Some(self.last);
            println!("started");
        }
        // The histogram grows as needed, so recording cannot fail.
        let _ = self.latency_us.record(micros(self.last - sent));
        if self.latency_us.len() == WARM {
            self.warm = Some(counting::so_far());
        }
    }

    /// The figures so far.
    pub(crate) fn figures(&self) -> Figures {
        let (count, elapsed) = (self.latency_us.len(), self.last - self.first.unwrap_or(self.last));
        Figures {
            frames_per_s: count.saturating_sub(1) as f64 / elapsed.as_secs_f64(),
            p50_us: self.latency_us.value_at_quantile(0.5),
            p99_us: self.latency_us.value_at_quantile(0.99),
            allocations: self.warm.map(|warm| counting::so_far().since(warm, count - WARM)),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
