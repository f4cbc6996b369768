//! The gain of uneven light at each pixel around a disc.

use super::around::{Ground, uneven_ground};
use super::slope::Slope;
use super::within::{Middle, middle};
use crate::pipeline::hough::fit::equations::sums::ROUNDING_VARIANCE;
use crate::pipeline::hough::fit::pixels::rims::Rims;
use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::locate::start::Start;
use crate::pipeline::hough::search::reduce::Cells;

/// Darkest ground, in gray levels, from which the light is estimated. Below it, an unknown black level of one gray
/// level would change the relative slope of the light by more than a half.
const MIN_GROUND_GRAY: f64 = 2.0;

/// Prior probabilities: that light falls unevenly on ground and disc alike, that the ground has a slope of its own and
/// the disc has none, and that both have slopes of their own.
const COMMON: f64 = 0.65;
const EVEN: f64 = 0.3;
const OWN: f64 = 0.05;

/// The gain at each position, 1 at the circle's centre. Pixels are divided by it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gain {
    /// Centre, in the frame.
    x: f64,
    y: f64,
    /// Factors of x, y, x², xy and y², with positions in pixels.
    terms: [f64; 5],
    /// Variance of the disc's slope after the division, in (gray levels / pixel)².
    pub(crate) slope_variance: f64,
    /// Slope of the ground after the division, in gray levels per pixel.
    pub(crate) ground_slope: (f64, f64),
}

impl Gain {
    /// Estimates the gain around a circle. `rims` has the levels inside and outside. `None` if the light seems to fall
    /// evenly.
    pub(crate) fn of(frame: Frame<'_>, cells: &Cells, start: &Start, rims: Rims) -> Option<Self> {
        // A start with motion comes from moments: the disc moved by about its own width, so its edge reaches into the
        // ring.
        if start.motion != (0.0, 0.0) {
            return None;
        }
        let (edge, noise_gray) = (f64::from(start.edge_sigma), f64::from(start.noise_gray));
        let ground = uneven_ground(cells, start.ring, edge, rims, noise_gray)?;
        let level = ground.surface.terms[0];
        if level < MIN_GROUND_GRAY {
            return None;
        }
        let (inside, outside) = (f64::from(rims.inside), f64::from(rims.outside));
        let noise = noise_gray * noise_gray + ROUNDING_VARIANCE;
        let middle = middle(frame, start.ring, edge, (inside, inside - outside), noise);
        let common = Self::common(start, &ground);
        Some(middle.map_or(common, |middle| common.weighed(&ground, &middle)))
    }

    /// The gain at an offset from the gain's centre.
    pub(crate) fn at(&self, x: f32, y: f32) -> f32 {
        let [by_x, by_y, xx, xy, yy] = self.terms.map(|term| term as f32);
        1.0 + x * (by_x + x * xx + y * xy) + y * (by_y + y * yy)
    }

    /// Offset from the gain's centre to a position in the frame.
    pub(crate) fn offset(&self, x: f32, y: f32) -> (f32, f32) {
        ((f64::from(x) - self.x) as f32, (f64::from(y) - self.y) as f32)
    }

    /// The gain of light that falls on ground and disc alike.
    fn common(start: &Start, ground: &Ground) -> Self {
        let [level, x, y, xx, xy, yy] = ground.surface.terms;
        let (one, two) = (1.0 / (level * ground.unit_px), 1.0 / (level * ground.unit_px * ground.unit_px));
        let terms = [x * one, y * one, xx * two, xy * two, yy * two];
        Self {
            x: f64::from(start.ring.x),
            y: f64::from(start.ring.y),
            terms,
            slope_variance: 0.0,
            ground_slope: (0.0, 0.0),
        }
    }

    /// Corrects the gain by the light in the disc's middle: the mean of the three possible relations between ground and
    /// disc, weighted by their likelihoods.
    fn weighed(self, ground: &Ground, middle: &Middle) -> Self {
        let level = ground.surface.terms[0];
        let per_level = middle.level / (level * ground.unit_px);
        let from_ground = Slope {
            x: self.terms[0] * middle.level,
            y: self.terms[1] * middle.level,
            variance: per_level * per_level * 0.5 * (ground.spread[0] + ground.spread[1]),
        };
        let (slope, common) = disc_slope(from_ground, middle.slope);
        let (x, y) = (slope.x / middle.level, slope.y / middle.level);
        let own = |ground: f64, disc: f64| (1.0 - common) * level * (ground - disc);
        let ground_slope = (own(self.terms[0], x), own(self.terms[1], y));
        let [_, _, xx, xy, yy] = self.terms.map(|term| common * term);
        Self { terms: [x, y, xx, xy, yy], ground_slope, slope_variance: slope.variance, ..self }
    }
}

/// Returns the disc's slope, and the probability that common light causes it.
///
/// `from_ground` is the slope that the ground implies for the disc, if the light is common. `seen` is the slope
/// measured in the middle of the disc. The result is the mean over the three hypotheses (Bayesian model averaging),
/// each weighted by how well it predicts `seen`.
fn disc_slope(from_ground: Slope, seen: Slope) -> (Slope, f64) {
    let steepness = 0.5 * (from_ground.x * from_ground.x + from_ground.y * from_ground.y);
    let beliefs =
        [(COMMON, from_ground), (EVEN, Slope::default()), (OWN, Slope { variance: steepness, ..Slope::default() })];
    let weighed = beliefs.map(|(prior, belief)| (prior * belief.likelihood(&seen), belief.combined(&seen)));
    let all: f64 = weighed.iter().map(|(weight, _)| weight).sum();
    if all.is_nan() || all <= 0.0 {
        return (seen, 0.0);
    }
    let mean = |of: &dyn Fn(&Slope) -> f64| weighed.iter().map(|(weight, slope)| weight / all * of(slope)).sum::<f64>();
    let (x, y) = (mean(&|slope| slope.x), mean(&|slope| slope.y));
    let apart = |slope: &Slope| 0.5 * ((slope.x - x).powi(2) + (slope.y - y).powi(2));
    (Slope { x, y, variance: mean(&|slope| slope.variance + apart(slope)) }, weighed[0].0 / all)
}
