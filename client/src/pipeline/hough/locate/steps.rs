//! Steps in intensity along a ray. Each may be an edge.

use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::ring::{Point, Ring};

/// Number of pixels averaged on each side of a step. In a noise of 40 gray levels, an edge of 140 levels is a step of
/// 4.3 sigmas. With two pixels it would be 3.5, which noise exceeds on one of 100 rays of 20 pixels. With four, a step
/// would reach over the middle of discs of 4 px.
pub(crate) const HALF_STEP: usize = 3;

/// Largest number of samples along a ray: twice those for the reach around a candidate in cells of 8 px, which is 12
/// px.
const MAX_REACH: usize = 64;

/// Smallest size of a ray's second step, as a fraction of the first. In front of clutter, the disc's edge may be the
/// weaker of the two.
const SECOND_SHARE: f32 = 0.25;

/// Intensities along a ray, a pixel apart.
pub(crate) struct Line {
    from: (f32, f32),
    direction: (f32, f32),
    values: [f32; MAX_REACH],
    wanted: usize,
    inside: usize,
}

impl Line {
    /// Reads from `reach` inside the circle to `reach` outside it, plus room for the step. Stops at the frame's border.
    pub(crate) fn read(frame: Frame<'_>, ring: Ring, (ux, uy): (f32, f32), reach: f32) -> Self {
        let first = (ring.radius - reach - HALF_STEP as f32).max(0.0);
        let wanted = ((ring.radius + reach + HALF_STEP as f32 - first) as usize + 1).min(MAX_REACH);
        let from = (ring.x + ux * first, ring.y + uy * first);
        let mut values = [0.0; MAX_REACH];
        let last = (wanted - 1) as f32;
        if frame.holds_point(from.0, from.1) && frame.holds_point(from.0 + ux * last, from.1 + uy * last) {
            frame.read_line(from, (ux, uy), &mut values[..wanted]);
            return Self { from, direction: (ux, uy), values, wanted, inside: wanted };
        }
        let mut inside = 0;
        for value in &mut values[..wanted] {
            let step = inside as f32;
            let Some(gray) = frame.nearest(from.0 + ux * step, from.1 + uy * step) else {
                break;
            };
            *value = gray;
            inside += 1;
        }
        Self { from, direction: (ux, uy), values, wanted, inside }
    }

    /// Whether the frame holds enough of the ray to show an edge.
    pub(crate) fn is_whole(&self) -> bool {
        self.inside + HALF_STEP + 1 >= self.wanted
    }

    /// The one or two strongest steps, with sub-pixel positions. The second counts only if its size is at least
    /// [`SECOND_SHARE`] of the first, and if it is far enough from the first.
    pub(crate) fn steps(&self, least: f32) -> impl Iterator<Item = Point> {
        let steps = Steps::of(&self.values[..self.inside]);
        let first = steps.strongest(least, usize::MAX);
        let second = first.and_then(|at| steps.strongest(least.max(SECOND_SHARE * steps.values[at].abs()), at));
        let point = |at: usize| {
            let from_start = at as f32 + HALF_STEP as f32 + steps.shift(at);
            Point {
                x: self.from.0 + self.direction.0 * from_start,
                y: self.from.1 + self.direction.1 * from_start,
                sign: steps.values[at].signum(),
            }
        };
        [first.map(point), second.map(point)].into_iter().flatten()
    }
}

/// Mean of the samples before a position minus the mean of the samples after it, for each position with enough samples
/// on both sides.
struct Steps {
    values: [f32; MAX_REACH],
    n: usize,
}

impl Steps {
    fn of(line: &[f32]) -> Self {
        let mut values = [0.0; MAX_REACH];
        let n = line.len().saturating_sub(2 * HALF_STEP);
        let mut sums = [0.0; MAX_REACH];
        for (sum, near) in sums.iter_mut().zip(line.windows(HALF_STEP)) {
            *sum = near.iter().sum();
        }
        let outer = &sums[HALF_STEP + 1..];
        for ((value, inner), outer) in values[..n].iter_mut().zip(&sums).zip(outer) {
            *value = (inner - outer) * (1.0 / HALF_STEP as f32);
        }
        Self { values, n }
    }

    /// Position of the largest step of size `least` or more that is not near `taken` (`usize::MAX` if none is taken).
    fn strongest(&self, least: f32, taken: usize) -> Option<usize> {
        let mut best = (least, None);
        for (at, value) in self.values[..self.n].iter().enumerate() {
            let size = value.abs();
            if size >= best.0 && at.abs_diff(taken) > HALF_STEP && (taken == usize::MAX || self.is_crest(at)) {
                best = (size, Some(at));
            }
        }
        best.1
    }

    fn is_crest(&self, at: usize) -> bool {
        let size = |at: usize| self.values.get(at).filter(|_| at < self.n).map_or(0.0, |value| value.abs());
        size(at) >= size(at.wrapping_sub(1)) && size(at) >= size(at + 1)
    }

    /// Offset from a position to the vertex of the parabola through it and its neighbours.
    fn shift(&self, at: usize) -> f32 {
        if at == 0 || at + 1 >= self.n {
            return 0.0;
        }
        let sign = self.values[at].signum();
        let [before, best, after] = [at - 1, at, at + 1].map(|at| sign * self.values[at]);
        let curvature = before - 2.0 * best + after;
        if curvature < 0.0 { (0.5 * (before - after) / curvature).clamp(-0.5, 0.5) } else { 0.0 }
    }
}
