//! The fit: Gauss–Newton on the intensities of the annulus around a circle.
//!
//! Every pixel near the edge says how far the edge is; together they fix the centre as well as the pixels allow (the
//! Cramér–Rao bound). One pass over the pixels gives the normal equations of every sector (`sums`); from these the
//! ground is taken either as one plane, which costs nothing when true, or as a level for each sector, which survives
//! clutter. Which one is decided by how much worse the plane fits (`judge`). In the second case pixels and sectors
//! that do not fit lose their say.

use shared::geometry::Circle;

use super::{
    annulus::{Annulus, SECTORS},
    frame::Frame,
    judge::{choose_ground, common_level, contrast, is_hopeless, is_seen, judge_sectors, look_for_motion},
    model::{Model, PIXEL_VARIANCE, Profile, SHARED_MOVING, SHARED_STILL},
    normal::{Factor, Gram, RESIDUAL},
    rays::Start,
    sums::{ROUNDING_VARIANCE, Sums},
};
use crate::detect::Covariance;

/// Most iterations on one annulus.
const MAX_ITERATIONS: usize = 12;

/// Iterations before the residuals are believed: until then they show the starting error.
const SETTLING: usize = 2;

/// A step this small, in pixels, or this part of the centre's sigma ends the fit: the next would be its square.
const DONE_PX: f64 = 2e-4;
const DONE_SIGMAS: f64 = 0.05;

/// Edges sharper than this variance, in px² (sigma 0.6 px), show the shape of the pixel.
const SHARP_VARIANCE: f32 = 0.36;

/// Half width of the annulus: so many sigmas of the edge, and so many pixels of plain disc and ground.
const WIDTH_SIGMAS: f32 = 2.2;
const WIDTH_PX: f32 = 3.0;

/// Disagreement of the sectors, as a reduced χ², up to which it may be chance: one in twenty of thirteen exceeds 1.7.
const CHANCE_RATIO: f64 = 1.7;

/// Fewest sectors that can be fitted.
const MIN_SECTORS: u32 = 4;

/// A fitted disc.
pub(super) struct Fit {
    pub(super) circle: Circle,
    pub(super) covariance: Covariance,
    /// Whether one plane explains the ground.
    pub(super) plane: bool,
    pub(super) sectors: [Evidence; SECTORS],
}

/// What one sector says for the disc.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Evidence {
    /// Pixels in the annulus.
    pub(super) pixels: f64,
    /// Part of the edge's information the pixels that fit hold: 1 for a disc, little where edges merely cross.
    pub(super) fitting: f64,
    /// Part of the disc's side of the edge that fits.
    pub(super) disc_fitting: f64,
    /// Ground seen, in pixels' worth.
    pub(super) ground_px: f64,
    /// Disc minus the sector's own ground, in gray levels.
    pub(super) contrast: f64,
    /// How much further out than the circle the sector by itself would have the edge, in pixels, and its sigma.
    pub(super) shift: f64,
    pub(super) shift_sigma: f64,
    /// Variance of the residuals, in gray levels squared.
    pub(super) variance: f64,
    /// Whether the sector takes part in the fit.
    pub(super) active: bool,
}

/// Buffers of the fit.
#[derive(Default)]
pub(super) struct Refiner {
    annulus: Annulus,
    sums: Sums,
}

/// How the ground is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ground {
    /// One plane under all sectors.
    Plane,
    /// A level for each sector; `sigma` scales the pixels' weights, infinite until the residuals are believed.
    Levels { sigma: f32 },
}

/// State of one fit.
pub(super) struct State {
    pub(super) model: Model,
    pub(super) ground: Ground,
    /// Sectors that take part, by bit.
    pub(super) active: u16,
    /// Median sigma of the trusted sectors' residuals.
    pub(super) typical_sigma: f32,
    /// Sectors the rays agreed in.
    pub(super) trusted: u16,
}

/// Outcome of one solution of the normal equations.
struct Solution {
    step: [f64; SHARED_MOVING],
    /// Of the centre.
    covariance: Covariance,
}

impl Refiner {
    /// Fits a disc to the pixels around `start`; `None` when the equations fail or run away.
    pub(super) fn fit(&mut self, frame: Frame<'_>, start: &Start) -> Option<Fit> {
        let mut ring = start.ring;
        let mut width = WIDTH_SIGMAS * start.edge_sigma + WIDTH_PX;
        self.annulus.gather(frame, ring, width);
        let mut state = self.initial(start);
        let mut solution = self.iterate(&mut state)?;
        for _ in 0..2 {
            let [x, y, radius, ..] = state.model.shared;
            let wanted = WIDTH_SIGMAS * state.model.widest_variance().sqrt() + WIDTH_PX;
            let moved = x.hypot(y).max((radius - f64::from(ring.radius)).abs());
            if moved < 1.0 && wanted < 1.15 * width {
                break;
            }
            (ring.x, ring.y, ring.radius) = (ring.x + x as f32, ring.y + y as f32, radius as f32);
            width = wanted;
            self.annulus.gather(frame, ring, width);
            (state.model.shared[0], state.model.shared[1]) = (0.0, 0.0);
            solution = self.iterate(&mut state)?;
        }
        let circle = state.model.circle((self.annulus.x, self.annulus.y));
        let sectors = std::array::from_fn(|k| evidence(&self.sums, &state, k));
        let plane = state.ground == Ground::Plane;
        let covariance = honest(solution.covariance, &sectors);
        Some(Fit { plane, circle, covariance, sectors })
    }

    fn initial(&self, start: &Start) -> State {
        let variance = start.edge_sigma.powi(2).max(PIXEL_VARIANCE);
        let (mut inside, mut outside) = (Mean::default(), [Mean::default(); SECTORS]);
        for (sector, outside) in self.annulus.sectors.iter().zip(&mut outside) {
            for ((dx, dy), &gray) in sector.dx.iter().zip(&sector.dy).zip(&sector.gray) {
                let depth = start.ring.radius - (dx * dx + dy * dy).sqrt();
                match depth {
                    _ if depth > start.edge_sigma => inside.add(gray),
                    _ if depth < -start.edge_sigma => outside.add(gray),
                    _ => {}
                }
            }
        }
        let mut shared = [0.0; SHARED_MOVING];
        shared[2] = f64::from(start.ring.radius);
        shared[3] = f64::from(variance);
        shared[4] = f64::from(inside.value());
        let model = Model { shared, ground: outside.map(Mean::value), profile: Profile::Gaussian, moving: false };
        let ground = Ground::Levels { sigma: f32::INFINITY };
        State { model, ground, active: start.sectors, typical_sigma: f32::INFINITY, trusted: start.sectors }
    }

    fn iterate(&mut self, state: &mut State) -> Option<Solution> {
        for iteration in 0..MAX_ITERATIONS {
            let sigma = if let Ground::Levels { sigma } = state.ground { sigma } else { f32::INFINITY };
            self.sums.take(&self.annulus, &state.model, sigma);
            if iteration >= SETTLING {
                judge_sectors(&self.sums, state);
                choose_ground(&self.sums, state);
                look_for_motion(&self.sums, state);
            }
            if state.active.count_ones() < MIN_SECTORS || iteration > SETTLING && is_hopeless(&self.sums, state) {
                return None;
            }
            let solution =
                if state.model.moving { self.step::<SHARED_MOVING>(state)? } else { self.step::<SHARED_STILL>(state)? };
            choose_profile(&mut state.model);
            let step = solution.step[0].hypot(solution.step[1]);
            let sigma = (solution.covariance.xx + solution.covariance.yy).sqrt();
            let done = iteration > SETTLING && step < DONE_PX.max(DONE_SIGMAS * sigma);
            if done || iteration + 1 == MAX_ITERATIONS {
                return Some(solution);
            }
        }
        None
    }

    /// Solves the equations and applies their step.
    fn step<const N: usize>(&self, state: &mut State) -> Option<Solution> {
        let common = common_level(state);
        let plane =
            (state.ground == Ground::Plane).then(|| self.sums.with_plane(state.active, &state.model.ground, common));
        let total = match &plane {
            Some(plane) => {
                let mut total = Gram::ZERO;
                plane.without_level(&mut total, 2 + N);
                total
            }
            None => self.sums.with_levels(state.active),
        };
        let solution = self.solve::<N>(&total, state.active)?;
        let step = &solution.step[..N];
        match plane {
            Some(plane) => state.model.ground = [(common + plane.level_step(step)) as f32; SECTORS],
            None => {
                for (k, ground) in state.model.ground.iter_mut().enumerate() {
                    *ground += self.sums.level_step(k, step) as f32;
                }
            }
        }
        state.model.advance(step);
        Some(solution)
    }

    fn solve<const N: usize>(&self, total: &Gram, active: u16) -> Option<Solution> {
        let (matrix, right) = total.shared::<N>();
        let factor = Factor::new(&matrix)?;
        let found = factor.solve(&right);
        let explained: f64 = found.iter().zip(&right).map(|(step, right)| step * right).sum();
        let freedom = (self.sums.weight(active) - N as f64 - 1.0).max(1.0);
        let noise = ((total.0[RESIDUAL][RESIDUAL] - explained) / freedom).max(ROUNDING_VARIANCE);
        let unit = |i: usize| std::array::from_fn(|j| if i == j { noise } else { 0.0 });
        let (x, y): ([f64; N], [f64; N]) = (factor.solve(&unit(0)), factor.solve(&unit(1)));
        let mut step = [0.0; SHARED_MOVING];
        step[..N].copy_from_slice(&found);
        let covariance = Covariance { xx: x[0], xy: x[1], yy: y[1] };
        step.iter().all(|value| value.is_finite()).then_some(Solution { step, covariance })
    }
}

/// The covariance widened by how much more the sectors disagree about the edge than their residuals explain.
///
/// Neighbouring pixels that err together, as compression makes them, show here and nowhere else.
fn honest(covariance: Covariance, sectors: &[Evidence; SECTORS]) -> Covariance {
    let (chi2, count) = sectors.iter().filter(|sector| sector.active).fold((0.0, 0.0), |(chi2, count), sector| {
        (chi2 + (sector.shift / sector.shift_sigma.max(1e-9)).powi(2), count + 1.0)
    });
    let ratio = chi2 / f64::max(count - 3.0, 1.0);
    let factor = if ratio > CHANCE_RATIO { ratio } else { 1.0 };
    Covariance { xx: factor * covariance.xx, xy: factor * covariance.xy, yy: factor * covariance.yy }
}

fn evidence(sums: &Sums, state: &State, k: usize) -> Evidence {
    if !is_seen(sums, k) {
        return Evidence::default();
    }
    let (shift, shift_sigma) = sums.shift(k);
    Evidence {
        pixels: sums.pixels(k),
        fitting: sums.fitting_edge(k),
        disc_fitting: sums.fitting_disc(k),
        ground_px: sums.ground_px(k),
        contrast: contrast(sums, state, k),
        shift,
        shift_sigma,
        variance: sums.variance(k),
        active: state.active >> k & 1 == 1,
    }
}

fn choose_profile(model: &mut Model) {
    if !model.moving {
        model.profile = if model.variance() < SHARP_VARIANCE { Profile::Pixel } else { Profile::Gaussian };
    }
}

/// A running mean; 0 of nothing.
#[derive(Clone, Copy, Default)]
struct Mean {
    sum: f32,
    count: f32,
}

impl Mean {
    fn add(&mut self, value: f32) {
        (self.sum, self.count) = (self.sum + value, self.count + 1.0);
    }

    fn value(self) -> f32 {
        self.sum / self.count.max(1.0)
    }
}
