//! What a source does beside sending: it says when it listens, when the first answer is there, and what came of it.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::counting::{self, Allocations};

/// Unanswered frames at a time: the programs' default.
pub(crate) const WINDOW: usize = 8;

/// Bytes of an answer.
pub(crate) const ANSWER_BYTES: usize = 40;

/// Frames before allocations are counted: buffers have grown by then.
const WARM: u64 = 100;

/// What a source found, in one line of JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Answered frames a second, from the first answer to the last.
    pub(crate) frames_per_s: f64,
    /// First byte given to the wire → answer.
    pub(crate) p50_us: u64,
    /// The same, of one in a hundred.
    pub(crate) p99_us: u64,
    /// For each frame, at the source; where they are counted.
    #[serde(default)]
    pub(crate) allocations: Option<Allocations>,
}

/// Gathers answers.
pub(crate) struct Answers {
    latency_us: Histogram<u64>,
    first: Option<Instant>,
    last: Instant,
    warm: Option<Allocations>,
}

impl Answers {
    /// None yet.
    pub(crate) fn new() -> Self {
        // invariant: a constant in 0..=5, the only thing `new` checks.
        let latency_us = Histogram::new(3).expect("0 to 5 digits");
        Self { latency_us, first: None, last: Instant::now(), warm: None }
    }

    /// An answer came to a frame sent at that time; says so for the first.
    pub(crate) fn add(&mut self, sent: Instant) {
        self.last = Instant::now();
        if self.first.is_none() {
            self.first = Some(self.last);
            println!("started");
        }
        // Grows as needed.
        let _ = self.latency_us.record(micros(self.last - sent));
        if self.latency_us.len() == WARM {
            self.warm = Some(counting::so_far());
        }
    }

    /// What came of it.
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
