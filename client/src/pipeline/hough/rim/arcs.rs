//! The evidence for a closed edge: where each arc of an outline has its strongest edge.
//!
//! An outline is divided into arcs. For each arc separately, the strongest step within a window across the outline is
//! found. If there is no outline, the step is equally likely anywhere in the window, in noise as well as in texture.
//! The number of arcs whose step lies on the outline then has a binomial distribution. Its tail probability, multiplied
//! by the number of outlines that could be tested, bounds the expected number of false alarms (a contrario: Desolneux,
//! Moisan, Morel, IJCV 40(1) 2000; for ellipses Pătrăucean, Gurdjos, Grompone von Gioi, ECCV 2012).

use super::oval::{Oval, Place};
use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::locate::steps::HALF_STEP;

/// Largest and smallest number of arcs, and smallest length of an arc in pixels. The largest is the number of bits of
/// the masks of arcs. With the smallest, 13 arcs within 0.3 px of a circle are enough evidence in a frame
/// of 640x480. The length is the reach of a step to one side, so neighbouring arcs use different pixels.
pub(crate) const MAX_ARCS: usize = u64::BITS as usize;
pub(crate) const MIN_ARCS: usize = MAX_ARCS / 4;
const ARC_PX: f64 = HALF_STEP as f64;

/// Largest distance between two rays of an arc, in pixels, and most rays of an arc. Pixels between rays that are 1.5 px
/// apart count by interpolation. Six rays are an arc of 9 px, so of radius 92 px; longer ones have a wider spacing, to
/// bound the time.
const RAY_PX: f64 = 1.5;
const MAX_RAYS: usize = 6;

/// Factor that extrapolates the three samples on one side of a step to the edge. The middle sample is 1.5 px from the
/// edge. The outer two, whose difference gives the slope, are 2 px apart.
const TO_EDGE: f32 = 1.5 / 2.0;

/// Largest window to each side of the outline, in pixels.
pub(crate) const MAX_WINDOW: usize = 10;
const MAX_SAMPLES: usize = 2 * (MAX_WINDOW + HALF_STEP);

/// Which steps count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Polarity {
    /// Brighter inside.
    Bright,
    /// Darker inside.
    Dark,
    /// Brighter or darker inside, separately for each arc.
    Mixed,
    /// The same three polarities, but the levels on both sides are extrapolated to the edge with their slopes. Shading
    /// then makes no steps, but steps from noise are twice as large.
    BrightOnSlope,
    DarkOnSlope,
    MixedOnSlope,
}

/// Number of polarities.
const KINDS: usize = 6;

pub(crate) const POLARITIES: [Polarity; KINDS] = [
    Polarity::Bright,
    Polarity::Dark,
    Polarity::Mixed,
    Polarity::BrightOnSlope,
    Polarity::DarkOnSlope,
    Polarity::MixedOnSlope,
];

/// The steps found on one arc.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Arc {
    pub(crate) place: Place,
    /// Whether the arc's window lies within the frame.
    pub(crate) inside: bool,
    /// For each polarity, the distance of the strongest step outwards from the outline, in pixels, and its signed size
    /// in gray levels.
    pub(crate) steps: [(f64, f64); KINDS],
}

/// The arcs of one outline.
#[derive(Default)]
pub(crate) struct Arcs {
    pub(crate) all: Vec<Arc>,
    places: Vec<Place>,
    window: usize,
}

/// The evidence for an outline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Closure {
    /// Expected number of such outlines in a frame without any, as a power of ten.
    pub(crate) log_alarms: f64,
    /// Fraction of the arcs in the frame whose step lies on the outline, and the distance within which it does.
    pub(crate) share: f64,
    pub(crate) tolerance_px: f64,
    pub(crate) polarity: Polarity,
}

/// Tolerances: a step within this distance counts as on the outline, in pixels. Each one adds to the number of tests.
/// Each is about 1.5 times the one before, so the best one is missed by at most a fifth.
const TOLERANCES_PX: [f64; 6] = [0.2, 0.3, 0.45, 0.65, 1.0, 1.5];

/// Largest tolerance, as a fraction of the radius. A hexagon's sides are 0.04 radii away from the best circle on
/// average, and a square's 0.09, so fewer than half of their arcs agree.
const ROUND: f64 = 0.03;
pub(crate) const LEAST_TOLERANCE_PX: f64 = 0.45;

/// Number of arcs around an outline of this length.
pub(crate) fn arcs_around(radius: f64) -> usize {
    let fit = |n: &usize| std::f64::consts::TAU * radius >= ARC_PX * *n as f64;
    [MAX_ARCS, MAX_ARCS / 2].into_iter().find(fit).unwrap_or(MIN_ARCS)
}

/// Largest distance from the outline at which an arc's step counts, in pixels.
pub(crate) fn largest_tolerance_px(radius: f64) -> f64 {
    LEAST_TOLERANCE_PX.max(ROUND * radius).min(TOLERANCES_PX[TOLERANCES_PX.len() - 1])
}

/// The window for this radius, at most `most`. It is so small that the windows of opposite arcs do not overlap.
pub(crate) fn window_for(radius: f64, most: usize) -> usize {
    ((0.5 * radius) as usize).clamp(2, most)
}

impl Arcs {
    /// Looks for the steps within `window` pixels of an outline. If it is `rough`, whole pixels are taken instead of
    /// interpolated ones: the steps are as good for a first look.
    pub(crate) fn look(&mut self, frame: Frame<'_>, oval: &Oval, window: usize, rough: bool) {
        let (n, radius) = (arcs_around(oval.radius()), oval.radius());
        self.window = window.min(MAX_WINDOW);
        let rays = ((std::f64::consts::TAU * radius / n as f64 / RAY_PX).round() as usize).clamp(1, MAX_RAYS);
        self.places.clear();
        oval.outline(n, rays, &mut self.places);
        self.all.clear();
        let samples = 2 * (self.window + HALF_STEP);
        for rays in self.places.chunks_exact(rays) {
            let mut line = [0.0f32; MAX_SAMPLES];
            let mut held = 0.0f32;
            for place in rays {
                held += f32::from(u8::from(add_line(frame, place, rough, &mut line[..samples])));
            }
            let inside = 2.0 * held > rays.len() as f32;
            let mut arc = Arc { place: rays[rays.len() / 2], inside, ..Arc::default() };
            if rays.len() % 2 == 0 {
                arc.place = oval_between(rays[rays.len() / 2 - 1], rays[rays.len() / 2]);
            }
            if inside {
                arc.steps = strongest(&line[..samples], 1.0 / (held * HALF_STEP as f32));
            }
            self.all.push(arc);
        }
    }

    /// Relates the arcs to another outline nearby, with the steps that were found: the places move there along the
    /// normals.
    pub(crate) fn relate(&mut self, oval: &Oval) {
        for Arc { place, steps, .. } in &mut self.all {
            let outwards = oval.depth(place.at.0, place.at.1, 1.0).0;
            place.at = (place.at.0 + outwards * place.normal.0, place.at.1 + outwards * place.normal.1);
            steps.iter_mut().for_each(|(off, _)| *off -= outwards);
        }
    }

    /// The points of the strongest steps of a polarity.
    pub(crate) fn points(&self, polarity: Polarity, points: &mut Vec<(f64, f64)>) {
        points.clear();
        points.extend(self.with_step(polarity).map(|arc| {
            let by = arc.steps[polarity as usize].0;
            (arc.place.at.0 + by * arc.place.normal.0, arc.place.at.1 + by * arc.place.normal.1)
        }));
    }

    /// For each of these points, the size of its step as a fraction of the arc's strongest step of either sign.
    pub(crate) fn shares(&self, polarity: Polarity) -> impl Iterator<Item = f64> + '_ {
        let either = if polarity.on_slope() { Polarity::MixedOnSlope } else { Polarity::Mixed };
        let size = |arc: &Arc, polarity: Polarity| arc.steps[polarity as usize].1.abs();
        self.with_step(polarity).map(move |arc| size(arc, polarity) / size(arc, either).max(1e-9))
    }

    fn with_step(&self, polarity: Polarity) -> impl Iterator<Item = &Arc> + '_ {
        self.all.iter().filter(move |arc| arc.inside && arc.steps[polarity as usize].1 != 0.0)
    }

    /// The evidence for the outline, for the polarity with the most evidence. `tests` is the number of outlines that
    /// could be tested in the frame, as a power of ten.
    pub(crate) fn closure(&self, radius: f64, tests: f64) -> Closure {
        let mut best = Closure { log_alarms: f64::INFINITY, share: 0.0, tolerance_px: 0.0, polarity: Polarity::Mixed };
        let n = self.all.iter().filter(|arc| arc.inside).count();
        let more = ((TOLERANCES_PX.len() * POLARITIES.len()) as f64).log10();
        for polarity in POLARITIES {
            for tolerance_px in TOLERANCES_PX {
                if tolerance_px > largest_tolerance_px(radius) {
                    break;
                }
                let agree = self.agreeing(polarity, tolerance_px);
                let chance = 2.0 * tolerance_px / (2 * self.window + 1) as f64;
                let log_alarms = tests + more + log_tail(n, agree, chance);
                if log_alarms < best.log_alarms {
                    best = Closure { log_alarms, share: agree as f64 / n.max(1) as f64, tolerance_px, polarity };
                }
            }
        }
        best
    }

    /// Finds the strongest steps of the other polarity on the arcs of a mask. Returns their median distance from the
    /// outline, and the number of arcs whose step is within `tolerance_px` of it.
    pub(crate) fn opposite(&self, polarity: Polarity, active: u64, tolerance_px: f64) -> Option<(f64, usize)> {
        let other = match polarity {
            Polarity::Bright | Polarity::BrightOnSlope => Polarity::Dark,
            Polarity::Dark | Polarity::DarkOnSlope => Polarity::Bright,
            Polarity::Mixed | Polarity::MixedOnSlope => return None,
        };
        let (mut all, mut n) = ([0.0; MAX_ARCS], 0);
        for (_, arc) in
            self.all.iter().enumerate().filter(|(k, arc)| active >> k & 1 == 1 && arc.steps[other as usize].1 != 0.0)
        {
            (all[n], n) = (arc.steps[other as usize].0, n + 1);
        }
        let middle = (n > 0).then(|| *all[..n].select_nth_unstable_by(n / 2, f64::total_cmp).1)?;
        Some((middle, all[..n].iter().filter(|own| (*own - middle).abs() <= tolerance_px).count()))
    }

    /// Number of arcs whose step lies within a distance of the outline.
    pub(crate) fn agreeing(&self, polarity: Polarity, tolerance_px: f64) -> usize {
        self.all.iter().filter(|arc| arc.agrees(polarity, tolerance_px)).count()
    }
}

impl Arc {
    pub(crate) fn agrees(&self, polarity: Polarity, tolerance_px: f64) -> bool {
        let (off, step) = self.steps[polarity as usize];
        self.inside && step != 0.0 && off.abs() <= tolerance_px
    }
}

fn oval_between(one: Place, other: Place) -> Place {
    let mean = |a: (f64, f64), b: (f64, f64)| (0.5 * (a.0 + b.0), 0.5 * (a.1 + b.1));
    Place { at: mean(one.at, other.at), normal: mean(one.normal, other.normal) }
}

/// Adds the intensities across the outline, one pixel apart, from the inside outwards. Returns whether all of them lie
/// within the frame.
fn add_line(frame: Frame<'_>, place: &Place, rough: bool, line: &mut [f32]) -> bool {
    let (nx, ny) = (place.normal.0 as f32, place.normal.1 as f32);
    let first = 0.5 - 0.5 * line.len() as f32;
    let from = (place.at.0 as f32 + first * nx, place.at.1 as f32 + first * ny);
    if rough { frame.add_pixels(from, (nx, ny), line) } else { frame.add_line(from, (nx, ny), line) }
}

/// The strongest step of each polarity, with its distance from the middle of the line.
fn strongest(line: &[f32], per: f32) -> [(f64, f64); KINDS] {
    let n = line.len() - 2 * HALF_STEP + 1;
    let (mut even, mut sloped) = ([0.0f32; MAX_SAMPLES], [0.0f32; MAX_SAMPLES]);
    for (i, (even, sloped)) in even.iter_mut().zip(&mut sloped).enumerate().take(n) {
        let [a, b, c, d, e, f] = [0, 1, 2, 3, 4, 5].map(|k| line[i + k]);
        *even = per * ((a + b + c) - (d + e + f));
        // The lines through three samples on each side, extrapolated by half a sample.
        let slopes = TO_EDGE * ((c - a) - (d - f));
        *sloped = *even + per * HALF_STEP as f32 * slopes;
    }
    let [bright, dark, mixed] = strongest_of(&even[..n]);
    let [bright_on_slope, dark_on_slope, mixed_on_slope] = strongest_of(&sloped[..n]);
    [bright, dark, mixed, bright_on_slope, dark_on_slope, mixed_on_slope]
}

/// The strongest step down, up and of either sign, in the order of [`POLARITIES`]. Of equal steps, the last counts.
fn strongest_of(steps: &[f32]) -> [(f64, f64); 3] {
    let (mut most, mut least) = (0, 0);
    for (at, &step) in steps.iter().enumerate() {
        most = if step >= steps[most] { at } else { most };
        least = if step <= steps[least] { at } else { least };
    }
    let bright = vertex(steps, most, steps[most]);
    let dark = vertex(steps, least, -steps[least]);
    let is_bright = match (steps[most].abs(), steps[least].abs()) {
        (up, down) if up == down => most > least,
        (up, down) => up > down,
    };
    [bright, dark, if is_bright { bright } else { dark }]
}

/// A step's distance from the middle one, by the parabola through it and its neighbours, and the step. Both are 0 if
/// its `size` is not positive.
fn vertex(steps: &[f32], best: usize, size: f32) -> (f64, f64) {
    if size.is_nan() || size <= 0.0 {
        return (0.0, 0.0);
    }
    let mut shift = 0.0;
    if best > 0 && best + 1 < steps.len() {
        let [before, own, after] = [best - 1, best, best + 1].map(|at| steps[best].signum() * steps[at]);
        let bend = before - 2.0 * own + after;
        shift = if bend < 0.0 { (0.5 * (before - after) / bend).clamp(-0.5, 0.5) } else { 0.0 };
    }
    (f64::from(best as f32 + shift - (steps.len() - 1) as f32 * 0.5), f64::from(steps[best]))
}

impl Polarity {
    /// Whether the levels on both sides are extrapolated to the edge.
    pub(crate) fn on_slope(self) -> bool {
        matches!(self, Self::BrightOnSlope | Self::DarkOnSlope | Self::MixedOnSlope)
    }
}

/// Common logarithm of the probability that at least `k` of `n` independent events of this chance happen.
fn log_tail(n: usize, k: usize, chance: f64) -> f64 {
    let (mut term, mut sum) = ((1.0 - chance).powi(n as i32), 0.0);
    for i in 0..=n {
        if i >= k {
            sum += term;
        }
        term *= (n - i) as f64 / (i + 1) as f64 * chance / (1.0 - chance);
    }
    sum.max(f64::MIN_POSITIVE).log10().min(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_polarity_has_its_own_strongest_step_the_last_of_equal_ones() {
        let places =
            |steps: &[f32]| strongest_of(steps).map(|(at, size)| ((at + 0.5 * (steps.len() - 1) as f64).round(), size));
        assert_eq!(places(&[1.0, -3.0, 0.5, 2.0, 0.0]), [(3.0, 2.0), (1.0, -3.0), (1.0, -3.0)]);
        assert_eq!(places(&[-3.0, 0.0, 0.0, 0.0, 3.0]), [(4.0, 3.0), (0.0, -3.0), (4.0, 3.0)]);
        // No step down: its size is 0, in the middle.
        assert_eq!(strongest_of(&[-1.0, -2.0, -1.0])[0], (0.0, 0.0));
    }

    #[test]
    fn the_tail_of_the_binomial_agrees_with_counted_coins() {
        // At least 8 of 10 fair coins: 56 of 1024 throws.
        assert!((log_tail(10, 8, 0.5) - (56.0f64 / 1024.0).log10()).abs() < 1e-12);
        assert!(log_tail(10, 0, 0.3).abs() < 1e-12);
        assert!((log_tail(32, 32, 0.1) + 32.0).abs() < 1e-9);
    }
}
