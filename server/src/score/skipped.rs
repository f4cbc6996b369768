//! Ticks without a frame, and the latency that their frames would have had.
//!
//! While a pipeline stands still, it is sent no frames, so the latencies of sent frames hardly show it: samples
//! are missing just when they would be worst (Gil Tene, "How NOT to Measure Latency", 2013: coordinated omission).
//! Tene's HdrHistogram guesses the missing samples from a long sample and the expected interval
//! (`recordValueWithExpectedInterval`: one more sample for each interval below it). Here they need no guess: the
//! ticks without a frame are known. Frames are not queued, so the next frame stands in for that of a skipped tick.
//! The latency of a skipped tick is the time from when it was due until the first answer to a frame sent after it.

use std::collections::VecDeque;

use shared::flow::pacer::Ticks;
use shared::time::Micros;

/// Maximum number of standstills that wait for an answer. The first is dropped only after this many frames in a row
/// went unanswered, with a skipped tick before each.
const MOST_WAITING: usize = 4096;

/// Ticks without a frame that wait for an answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct SkippedTicks {
    waiting: VecDeque<Standstill>,
    longest_us: u64,
    is_paced: bool,
}

/// Consecutive ticks without a frame.
#[derive(Clone, Copy, Debug)]
struct Standstill {
    ticks: Ticks,
    /// The next frame that was sent or will be sent.
    before: u64,
}

impl SkippedTicks {
    /// Adds ticks that had no frame, before the frame that will be sent next.
    pub(crate) fn add(&mut self, ticks: Ticks, before: u64) {
        self.is_paced = true;
        if ticks.count == 0 {
            return;
        }
        match self.waiting.back_mut() {
            Some(last) if last.before == before => last.ticks.count += ticks.count,
            _ => self.waiting.push_back(Standstill { ticks, before }),
        }
        if self.waiting.len() > MOST_WAITING {
            self.waiting.pop_front();
        }
    }

    /// Notes that a frame was captured, which ends a standstill before it.
    pub(crate) fn captured(&mut self, frame: u64, at: Micros) {
        if let Some(last) = self.waiting.back().filter(|last| last.before == frame) {
            self.longest_us = self.longest_us.max(at.since(last.ticks.first));
        }
    }

    /// Notes that a frame was answered, and returns the latencies that the ticks before it would have had, in µs.
    pub(crate) fn answered(&mut self, frame: u64, at: Micros) -> impl Iterator<Item = u64> {
        let count = self.waiting.iter().take_while(|standstill| standstill.before <= frame).count();
        self.waiting.drain(..count).flat_map(move |standstill| standstill.ticks.due().map(move |due| at.since(due)))
    }

    /// The longest time without a frame although one was due, in µs; `None` for a stream without ticks.
    pub(crate) fn longest_us(&self) -> Option<u64> {
        let open = self.waiting.back().map_or(0, |last| last.ticks.span_us());
        self.is_paced.then_some(self.longest_us.max(open))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(first: u64, count: u64) -> Ticks {
        Ticks { first: Micros(first), count, interval_us: 10_000.0 }
    }

    #[test]
    fn a_skipped_tick_counts_as_answered_with_the_next_answered_frame() {
        let mut skipped = SkippedTicks::default();
        skipped.add(ticks(0, 0), 0);
        skipped.captured(0, Micros(0));
        // One by one, as they pass.
        skipped.add(ticks(10_000, 1), 1);
        skipped.add(ticks(20_000, 1), 1);
        skipped.captured(1, Micros(30_000));
        assert_eq!(skipped.answered(0, Micros(31_000)).count(), 0, "they come after it");
        // Frame 1 is lost.
        skipped.add(ticks(40_000, 2), 2);
        skipped.captured(2, Micros(60_500));
        assert_eq!(skipped.longest_us(), Some(20_500));
        let latencies: Vec<_> = skipped.answered(2, Micros(65_000)).collect();
        assert_eq!(latencies, [55_000, 45_000, 25_000, 15_000]);
        assert_eq!(skipped.answered(3, Micros(90_000)).count(), 0, "each counts once");
    }

    #[test]
    fn a_standstill_that_lasts_to_the_end_counts_too() {
        let mut skipped = SkippedTicks::default();
        assert_eq!(skipped.longest_us(), None, "nothing is due");
        skipped.add(ticks(10_000, 7), 1);
        assert_eq!(skipped.longest_us(), Some(70_000));
    }

    #[test]
    fn the_number_of_waiting_ticks_is_bounded() {
        let mut skipped = SkippedTicks::default();
        (0..3 * MOST_WAITING as u64).for_each(|frame| skipped.add(ticks(frame * 20_000, 1), frame));
        assert_eq!(skipped.waiting.len(), MOST_WAITING);
    }
}
