//! The data kept of a session's frames.

use shared::geometry::Covariance;

use super::moments::Moments;
use super::places::Places;
use super::sample::{Point, Sample};
use super::spread::Spread;
use super::timeline::{Timeline, stages};
use crate::score::cells::{Cell, Column};
use crate::score::record::{FrameRecord, Outcome};
use crate::task::TaskName;

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

/// A frame's values that the charts show.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Values {
    pub(super) residual: Option<f64>,
    pub(super) error: Option<[f64; 2]>,
    pub(super) truth: Option<[f64; 2]>,
    pub(super) estimate: Option<[f64; 2]>,
    pub(super) radius: Option<f64>,
    pub(super) estimated_radius: Option<f64>,
    pub(super) limit: Option<f64>,
    claimed: Option<Covariance>,
    pub(super) is_missed: bool,
    pub(super) is_false: bool,
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

/// Finds the values of a task's frames by the names of its columns.
#[derive(Debug)]
pub(super) struct Reader {
    truth: [Option<usize>; 4],
    answer: [Option<usize>; 6],
    residual: [Option<usize>; 4],
}

impl Reader {
    pub(super) fn of(task: TaskName) -> Self {
        let columns = task.columns();
        let place = |columns: &[Column], name: &str| columns.iter().position(|column| column.name == name);
        // The residual of each task: an error in px or in balls, or a PSNR in dB.
        let own = ["l1", "residual", "psnr_db"].into_iter().find_map(|name| place(columns.residual, name));
        Self {
            truth: ["truth_x", "truth_y", "truth_radius", "limit_l1"].map(|name| place(columns.truth, name)),
            answer: ["x", "y", "radius", "cov_xx", "cov_xy", "cov_yy"].map(|name| place(columns.answer, name)),
            residual: [
                own,
                place(columns.residual, "dx"),
                place(columns.residual, "dy"),
                place(columns.residual, "missed"),
            ],
        }
    }

    pub(super) fn read(&self, record: &FrameRecord) -> Values {
        let answer = record.answer.as_deref().unwrap_or_default();
        let [x, y, radius, limit] = self.truth.map(|place| number(&record.truth_cells, place));
        let [ex, ey, estimated_radius, xx, xy, yy] = self.answer.map(|place| number(answer, place));
        let [residual, dx, dy, missed] = self.residual.map(|place| number(&record.residual, place));
        let (truth, estimate) = (pair(x, y), pair(ex, ey));
        let claimed = xx.zip(xy).zip(yy).map(|((xx, xy), yy)| Covariance { xx, xy, yy });
        let is_empty = matches!(record.truth_cells.first(), Some(Cell::Word("no ball")));
        Values {
            residual,
            error: pair(dx, dy),
            truth,
            estimate,
            radius,
            estimated_radius,
            limit,
            claimed,
            is_missed: missed == Some(1.0),
            is_false: is_empty && estimate.is_some() && record.outcome == Outcome::Answered,
        }
    }
}

fn number(cells: &[Cell], place: Option<usize>) -> Option<f64> {
    cells.get(place?)?.number()
}

fn pair(x: Option<f64>, y: Option<f64>) -> Option<[f64; 2]> {
    x.zip(y).map(|(x, y)| [x, y])
}
