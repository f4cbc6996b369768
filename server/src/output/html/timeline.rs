//! A session over time, in bins of equal length. When a session outgrows them, pairs of bins are merged.

use crate::score::latency::FrameLatency;
use crate::score::record::{FrameRecord, LossCause, Outcome};

/// Maximum number of bins that are kept.
const MOST: usize = 240;

/// Maximum number of bins that are shown: few enough for a mean of several frames in a short session.
const SHOWN: usize = 60;

/// The length of the first bins, in µs.
const SHORTEST_US: u64 = 1_000;

/// Stages of the latency.
pub(super) const STAGES: [&str; 5] = ["encode", "to client", "queue", "detect", "back"];

/// The outcomes of a frame without a right answer, in the order of the chart.
pub(super) const LOSSES: [&str; 8] =
    ["not answered", "never arrived", "not sent", "not ready", "dropped", "unresolved", "missed", "false positive"];

/// A sum of values.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    pub(super) count: u64,
    sum: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

/// The data of a bin.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bin {
    pub(super) frames: u64,
    /// Frames by outcome, as in [`LOSSES`].
    pub(super) losses: [u64; LOSSES.len()],
    pub(super) residual: Sum,
    pub(super) limit: Sum,
    /// Latencies, in µs.
    pub(super) latency: Sum,
    /// Times of the stages, in µs, of frames with all of them.
    pub(super) stages: [Sum; STAGES.len()],
}

/// A session in bins.
#[derive(Debug)]
pub(super) struct Timeline {
    bins: Vec<Bin>,
    bin_us: u64,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { bins: Vec::new(), bin_us: SHORTEST_US }
    }
}

impl Timeline {
    /// The bin of this time after the first frame.
    pub(super) fn at(&mut self, us: u64) -> &mut Bin {
        while us / self.bin_us >= MOST as u64 {
            self.bins = self.bins.chunks(2).map(Bin::joined).collect();
            self.bin_us *= 2;
        }
        let place = (us / self.bin_us) as usize;
        if place >= self.bins.len() {
            self.bins.resize(place + 1, Bin::default());
        }
        &mut self.bins[place]
    }

    /// The bins that are shown, with the time of their middle in s.
    pub(super) fn bins(&self) -> impl Iterator<Item = (f64, Bin)> {
        let middle = |place: usize| (place as f64 + 0.5) * self.bin_s();
        self.bins.chunks(self.together()).map(Bin::joined).enumerate().map(move |(place, bin)| (middle(place), bin))
    }

    /// Length of a bin that is shown, in s.
    pub(super) fn bin_s(&self) -> f64 {
        self.bin_us as f64 * self.together() as f64 / 1e6
    }

    /// Number of kept bins per shown bin.
    fn together(&self) -> usize {
        self.bins.len().div_ceil(SHOWN).max(1)
    }

    /// Where the bins end, in s.
    pub(super) fn end_s(&self) -> f64 {
        self.bins.len() as f64 * self.bin_us as f64 / 1e6
    }

    /// Frames lost, by [`LOSSES`].
    pub(super) fn losses(&self) -> [u64; LOSSES.len()] {
        std::array::from_fn(|place| self.bins.iter().map(|bin| bin.losses[place]).sum())
    }
}

impl Bin {
    /// Adds the outcome of a frame. `is_missed` and `is_false` are known only if truth and answer are.
    pub(super) fn add(&mut self, record: &FrameRecord, is_missed: bool, is_false: bool) {
        self.frames += 1;
        let place = match record.outcome {
            Outcome::Lost(LossCause::Unanswered) => Some(0),
            Outcome::Lost(LossCause::Incomplete) => Some(1),
            Outcome::Lost(LossCause::Unsent) => Some(2),
            Outcome::Lost(LossCause::NotReady) => Some(3),
            Outcome::Dropped => Some(4),
            Outcome::Unresolved => Some(5),
            Outcome::Answered if is_missed => Some(6),
            Outcome::Answered if is_false => Some(7),
            Outcome::Answered => None,
        };
        if let Some(place) = place {
            self.losses[place] += 1;
        }
        if let Some(latency) = &record.latency {
            self.latency.add(latency.total_us as f64);
            if let Some(stages) = stages(latency) {
                self.stages.iter_mut().zip(stages).for_each(|(sum, us)| sum.add(us));
            }
        }
    }

    fn joined(bins: &[Self]) -> Self {
        bins.iter().copied().reduce(Self::with).unwrap_or_default()
    }

    fn with(mut self, other: Self) -> Self {
        self.frames += other.frames;
        self.losses.iter_mut().zip(other.losses).for_each(|(count, more)| *count += more);
        self.residual = self.residual.with(other.residual);
        self.limit = self.limit.with(other.limit);
        self.latency = self.latency.with(other.latency);
        self.stages = std::array::from_fn(|place| self.stages[place].with(other.stages[place]));
        self
    }
}

/// The times of all stages, in µs; `None` if one is not known.
pub(super) fn stages(latency: &FrameLatency) -> Option<[f64; STAGES.len()]> {
    let FrameLatency { encode_us, to_client_us, queue_us, detect_us, back_us, .. } = *latency;
    Some([encode_us, to_client_us?, queue_us?, detect_us?, back_us?].map(|us| us as f64))
}

impl Sum {
    pub(super) fn add(&mut self, value: f64) {
        *self = self.with(Self { count: 1, sum: value, min: value, max: value });
    }

    pub(super) fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    fn with(self, other: Self) -> Self {
        match (self.count, other.count) {
            (0, _) => other,
            (_, 0) => self,
            _ => Self {
                count: self.count + other.count,
                sum: self.sum + other.sum,
                min: self.min.min(other.min),
                max: self.max.max(other.max),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_session_keeps_its_sums_in_a_bounded_number_of_bins() {
        let mut timeline = Timeline::default();
        for frame in 0..100_000_u64 {
            let bin = timeline.at(frame * 16_667);
            bin.frames += 1;
            bin.residual.add(frame as f64);
        }
        assert!(timeline.bins.len() <= MOST && timeline.bins.len() > MOST / 3, "{}", timeline.bins.len());
        assert_eq!(timeline.bins().map(|(_, bin)| bin.frames).sum::<u64>(), 100_000);
        let largest = timeline.bins().map(|(_, bin)| bin.residual.max).fold(0.0, f64::max);
        assert_eq!(largest, 99_999.0);
    }
}
