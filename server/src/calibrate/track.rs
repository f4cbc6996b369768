//! Where the truth is between its samples.
//!
//! A ball moves in straight lines and bounces, along each axis on its own. Between two samples the line before and the
//! line after are extended to where they meet, so a bounce between frames is found exactly. Motion that bends all the
//! time is interpolated by a cubic.

use shared::lens::Point;

/// A second difference counts as zero if it is this small compared to its neighbours, or to the coordinate's rounding.
const STRAIGHT: f64 = 1e-6;

/// Rounding of positions and of whole microseconds of time, in px.
const ROUNDING_PX: f64 = 1e-9;

/// Samples of the truth in the order of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    times: Vec<f64>,
    places: Vec<Point>,
    /// The second difference of the places around each sample, in px; 0 at the ends.
    bends: Vec<Point>,
}

impl Track {
    /// A track through these samples, which may come in any order. The error names a time with two places.
    pub(super) fn new(mut samples: Vec<(f64, Point)>) -> Result<Self, f64> {
        samples.sort_by(|a, b| a.0.total_cmp(&b.0));
        samples.dedup_by(|a, b| a == b);
        if let Some(pair) = samples.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(pair[0].0);
        }
        let bends = (0..samples.len()).map(|at| bend(&samples, at)).collect();
        let (times, places) = samples.into_iter().unzip();
        Ok(Self { times, places, bends })
    }

    /// Whether there are enough samples for a motion.
    pub(super) fn is_known(&self) -> bool {
        self.times.len() >= 2
    }

    /// The place at a time in µs, and the velocity in px per µs. Before the first and after the last sample, the motion
    /// continues in a straight line.
    pub(super) fn at(&self, time: f64) -> (Point, Point) {
        let before = self.before(time);
        let (x, y) = (self.along(0, before, time), self.along(1, before, time));
        ([x.0, y.0], [x.1, y.1])
    }

    /// The last sample before this time. The first and the last stretch also hold the times outside.
    fn before(&self, time: f64) -> usize {
        let last = self.times.len() - 1;
        // Frames mostly come at even intervals, so this place is mostly right, and nothing need be searched for.
        let share = (time - self.times[0]) / (self.times[last] - self.times[0]);
        let even = ((share * last as f64) as usize).min(last - 1);
        let is_in = |at: &usize| self.times[*at] <= time && time < self.times[at + 1];
        let near = [even, even.saturating_sub(1), (even + 1).min(last - 1)].into_iter().find(is_in);
        near.unwrap_or_else(|| self.times.partition_point(|sample| *sample <= time).clamp(1, last) - 1)
    }

    /// Place and velocity along an axis, between the samples `at` and `at + 1`.
    fn along(&self, axis: usize, at: usize, time: f64) -> (f64, f64) {
        let chord = self.line(axis, at);
        if at == 0 || at + 2 >= self.times.len() {
            return chord.at(time);
        }
        let [before, after] = [self.bends[at][axis], self.bends[at + 1][axis]];
        let [early, late] = [self.bends[at - 1][axis], self.bends[at + 2][axis]];
        let largest = before.abs().max(after.abs());
        if largest <= ROUNDING_PX {
            return chord.at(time);
        }
        if early.abs().max(late.abs()) > STRAIGHT * largest + ROUNDING_PX {
            // A neighbouring stretch bends too: either the motion is smooth, or the bounce is not in this stretch.
            return if self.is_smooth(axis, at) { self.cubic(axis, at, time) } else { chord.at(time) };
        }
        let (first, second) = (self.line(axis, at - 1), self.line(axis, at + 1));
        let meet = first.meets(&second).clamp(self.times[at], self.times[at + 1]);
        if time <= meet { first.at(time) } else { second.at(time) }
    }

    /// Whether the second differences around a stretch change evenly, as those of a smooth motion do. A bounce leaves two
    /// of them between zeros.
    fn is_smooth(&self, axis: usize, at: usize) -> bool {
        let inner = &self.bends[at.max(2) - 1..=(at + 2).min(self.times.len() - 2)];
        let largest = inner.iter().fold(0.0_f64, |most, bend| most.max(bend[axis].abs()));
        let is_even = |of: &[Point]| (of[0][axis] - 2.0 * of[1][axis] + of[2][axis]).abs() < largest / 4.0;
        inner.len() > 2 && inner.windows(3).all(is_even)
    }

    fn cubic(&self, axis: usize, at: usize, time: f64) -> (f64, f64) {
        let nodes = [at - 1, at, at + 1, at + 2].map(|at| (self.times[at] - time, self.places[at][axis]));
        let (mut value, mut slope) = (0.0, 0.0);
        // Lagrange's polynomial and its derivative at 0.
        for (place, (t, x)) in nodes.iter().enumerate() {
            let [a, b, c] = [1, 2, 3].map(|step| nodes[(place + step) % 4].0);
            let below = (t - a) * (t - b) * (t - c);
            value -= x * a * b * c / below;
            slope += x * (a * b + b * c + a * c) / below;
        }
        (value, slope)
    }

    fn line(&self, axis: usize, at: usize) -> Line {
        let (t, x) = (self.times[at], self.places[at][axis]);
        let slope = (self.places[at + 1][axis] - x) / (self.times[at + 1] - t);
        Line { t, x, slope }
    }
}

/// Second difference of the places around a sample, in px. Zero beyond the ends.
fn bend(samples: &[(f64, Point)], at: usize) -> Point {
    if at == 0 || at + 1 >= samples.len() {
        return [0.0; 2];
    }
    let [before, here, after] = [at - 1, at, at + 1].map(|at| samples[at]);
    let share = (here.0 - before.0) / (after.0 - before.0);
    [0, 1].map(|axis| here.1[axis] - (before.1[axis] + share * (after.1[axis] - before.1[axis])))
}

/// A straight motion along an axis.
struct Line {
    t: f64,
    x: f64,
    slope: f64,
}

impl Line {
    fn at(&self, time: f64) -> (f64, f64) {
        (self.x + self.slope * (time - self.t), self.slope)
    }

    fn meets(&self, other: &Self) -> f64 {
        self.t + (other.at(self.t).0 - self.x) / (self.slope - other.slope)
    }
}

#[cfg(test)]
mod tests {
    use shared::geometry::Size;

    use super::*;
    use crate::scene::{BallConfig, Radii, Scene};

    #[test]
    fn positions_between_frames_are_exact_even_at_a_bounce() {
        let config = |step_s| BallConfig {
            size: Size { width: 640, height: 480 },
            radius: Radii::one(20.0),
            speed_px_s: 200.0,
            step_s,
            border: false,
        };
        for seed in 1..6 {
            let mut scene = Scene::new(seed, &config(1.0 / 60.0)).expect("a scene");
            let mut finer = Scene::new(seed, &config(1.0 / 600.0)).expect("a scene");
            let places: Vec<_> = (0..1200).map(|at| (at as f64 * 1e6 / 60.0, scene.at(at))).collect();
            let track = Track::new(places.iter().map(|(t, c)| (*t, [c.x, c.y])).collect()).expect("a track");
            let mut worst: f64 = 0.0;
            for at in 30..11_900 {
                let (found, truth) = (track.at(at as f64 * 1e5 / 60.0).0, finer.at(at));
                worst = worst.max((found[0] - truth.x).hypot(found[1] - truth.y));
            }
            assert!(worst < 1e-6, "seed {seed}: {worst} px off");
        }
    }

    #[test]
    fn smooth_motion_is_interpolated_and_its_velocity_is_the_slope() {
        let place = |t: f64| [300.0 + 100.0 * (t / 4e5).sin(), 200.0 + 80.0 * (t / 3e5).cos()];
        let track =
            Track::new((0..200).map(|at| (f64::from(at) * 16_667.0, place(f64::from(at) * 16_667.0))).collect());
        let track = track.expect("a track");
        for at in 60..3000 {
            let time = f64::from(at) * 1000.0;
            let ([x, y], velocity) = track.at(time);
            let [truth_x, truth_y] = place(time);
            assert!((x - truth_x).hypot(y - truth_y) < 2e-3, "{time}");
            let expected = 100.0 / 4e5 * (time / 4e5).cos();
            assert!((velocity[0] - expected).abs() < 1e-2 * 100.0 / 4e5, "{time}");
        }
    }

    #[test]
    fn a_time_with_two_places_is_named() {
        assert_eq!(Track::new(vec![(0.0, [1.0, 1.0]), (5.0, [1.0, 2.0]), (5.0, [2.0, 2.0])]).err(), Some(5.0));
        let track = Track::new(vec![(10.0, [2.0, 0.0]), (0.0, [1.0, 0.0]), (0.0, [1.0, 0.0])]).expect("a track");
        assert_eq!(track.at(20.0), ([3.0, 0.0], [0.1, 0.0]));
    }
}
