//! The data kept of a session's frames.

use super::moments::Moments;
use super::places::Places;
use super::sample::{Point, Sample};
use super::spread::Spread;
use super::timeline::{Timeline, stages};
use crate::output::worst::Values;
use crate::score::record::FrameRecord;

/// Largest count error with its own bar, in either direction. The bars at the ends include all larger errors.
pub(super) const COUNTED: i64 = 5;

/// The data kept of a session.
#[derive(Debug)]
pub(super) struct SessionFrames {
    pub(super) number: u64,
    pub(super) frames: u64,
    first_us: Option<u64>,
    pub(super) timeline: Timeline,
    pub(super) sample: Sample,
    pub(super) residual: Spread,
    /// The limits of the frames that have a residual.
    pub(super) limit: Spread,
    pub(super) latency: Spread,
    pub(super) moments: Moments,
    pub(super) places: Places,
    /// Counts by their error.
    pub(super) counted: [u64; 2 * COUNTED as usize + 1],
    /// Where the ball was in the frame before.
    before: Option<(u64, [f64; 2])>,
}

impl SessionFrames {
    /// Starts empty, for frames of this size.
    pub(super) fn new(number: u64, [width, height]: [f64; 2]) -> Self {
        Self {
            number,
            frames: 0,
            first_us: None,
            timeline: Timeline::default(),
            sample: Sample::default(),
            residual: Spread::default(),
            limit: Spread::default(),
            latency: Spread::default(),
            moments: Moments::default(),
            places: Places::new(width, height),
            counted: Default::default(),
            before: None,
        }
    }

    /// Adds a frame with its values.
    pub(super) fn add(&mut self, record: &FrameRecord, values: &Values) {
        self.frames += 1;
        let speed = self.speed(record.source_index, values.truth);
        let at_us = record.captured.0.saturating_sub(*self.first_us.get_or_insert(record.captured.0));
        let bin = self.timeline.at(at_us);
        bin.add(record, values.is_missed, values.is_false);
        if let Some(latency) = &record.latency {
            self.latency.add(latency.total_us as f64);
        }
        if let Some(residual) = values.residual {
            bin.residual.add(residual);
            self.residual.add(residual.abs());
            let place = residual.clamp(-COUNTED as f64, COUNTED as f64) as i64 + COUNTED;
            self.counted[place as usize] += 1;
            if let Some(limit) = values.limit {
                bin.limit.add(limit);
                self.limit.add(limit);
            }
            if let Some(truth) = values.truth {
                self.places.add(truth, residual);
            }
        }
        if let Some(error) = values.error {
            self.moments.add(error);
            if let Some(claimed) = values.claimed {
                self.moments.claim(claimed);
            }
        }
        self.sample.add(record.id, || point(record, values, speed, at_us));
    }

    /// How far the ball moved since the previous frame, in px. `None` if the two frames do not follow each other at the
    /// source.
    fn speed(&mut self, index: u64, truth: Option<[f64; 2]>) -> Option<f64> {
        let now = truth.map(|at| (index, at));
        let before = std::mem::replace(&mut self.before, now)?;
        let (_, [x, y]) = now.filter(|_| before.0 + 1 == index)?;
        Some((x - before.1[0]).hypot(y - before.1[1]))
    }
}

fn point(record: &FrameRecord, values: &Values, speed: Option<f64>, at_us: u64) -> Point {
    Point {
        source_index: record.source_index,
        at_s: at_us as f64 / 1e6,
        residual: values.residual,
        error: values.error,
        truth: values.truth,
        radius: values.radius,
        limit: values.limit,
        speed,
        latency_us: record.latency.as_ref().map(|latency| latency.total_us as f64),
        stages_us: record.latency.as_ref().and_then(stages),
    }
}
