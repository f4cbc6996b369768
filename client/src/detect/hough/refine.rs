//! The fit: Gauss–Newton on the intensities of the annulus around a circle.
//!
//! Every pixel near the edge says how far the edge is; together they fix the centre as well as the pixels allow (the
//! Cramér–Rao bound). One pass over the pixels gives the normal equations of every sector ([`Gram`]); from these the
//! ground is taken either as one plane, which costs nothing when true, or as a level for each sector, which survives
//! clutter. Which one is decided by how much worse the plane fits. In the second case pixels and sectors that do not
//! fit lose their say.

use shared::geometry::Circle;

use super::{
    annulus::{Annulus, SECTORS, direction_of},
    frame::Frame,
    model::{BLOCK, COLUMNS, Columns, Model, PIXEL_VARIANCE, Profile, SHARED_MOVING, SHARED_STILL},
    normal::{FIRST_SHARED, Factor, Gram, LEVEL, RESIDUAL},
    rays::Start,
};
use crate::detect::Covariance;

/// Most iterations on one annulus: sharp discs take four, moving ones eight.
const MAX_ITERATIONS: usize = 12;

/// Iterations before the residuals are believed: until then they show the starting error.
const SETTLING: usize = 2;

/// A step this small, in pixels, or this part of the centre's sigma ends the fit: the next would be its square.
const DONE_PX: f64 = 2e-4;
const DONE_SIGMAS: f64 = 0.03;

/// Edges sharper than this variance, in px² (sigma 0.6 px), show the shape of the pixel.
const SHARP_VARIANCE: f32 = 0.36;

/// Columns of the radius and of the edge's variance.
const RADIUS: usize = FIRST_SHARED + 2;
const VARIANCE: usize = FIRST_SHARED + 3;

/// Half width of the annulus: so many sigmas of the edge, and so many pixels of plain disc and ground.
const WIDTH_SIGMAS: f32 = 2.2;
const WIDTH_PX: f32 = 3.5;

/// Fewest pixels and fewest sectors that can be fitted.
const MIN_SECTOR_PX: usize = 6;
const MIN_SECTORS: u32 = 4;

/// A sector whose variance exceeds the median by this factor is not one plane with the others.
///
/// Sixteen sectors of 60 pixels of pure noise stay under 2 in all but 1e-4 of frames.
const UNEVEN: f64 = 2.5;

/// A sector whose variance exceeds the median by this factor, beyond a small part of the contrast, is left out.
const FOREIGN: f64 = 8.0;
const FOREIGN_OF_CONTRAST: f64 = 0.04;

/// What an edge may differ from its model, as a part of the contrast: integer-drawn, moving, compressed discs do.
const MISFIT: f64 = 0.1;

/// A sector of which less than this part fits is left out.
const MIN_FITTING: f64 = 0.4;

/// Residuals beyond this many sigmas have no say in clutter (Tukey's biweight); 6 costs 2 % of efficiency.
const TUKEY_SIGMAS: f32 = 6.0;

/// Motion is taken for real when the cos 2θ part of the width is this significant, as a χ² of two.
const MOTION_CHI2: f64 = 60.0;

/// Variance of rounding to whole gray levels: no residual is known to be smaller.
const ROUNDING_VARIANCE: f64 = 1.0 / 12.0;

/// A fitted disc.
pub(super) struct Fit {
    pub(super) circle: Circle,
    pub(super) covariance: Covariance,
    /// Sigma of the edge, in pixels.
    pub(super) edge_sigma: f32,
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
    /// Ground seen, in pixels' worth.
    pub(super) ground_px: f64,
    /// Disc minus the sector's own ground, in gray levels.
    pub(super) contrast: f64,
    /// Variance of the residuals, in gray levels squared.
    pub(super) variance: f64,
    /// Whether the sector takes part in the fit.
    pub(super) active: bool,
}

/// Buffers of the fit.
pub(super) struct Refiner {
    annulus: Annulus,
    columns: Box<Columns>,
    grams: Box<[Gram; SECTORS]>,
    /// Sum of the pixels' weights in each sector.
    weights: [f64; SECTORS],
    /// Squared derivatives by the radius, unweighted, in each sector: what the edge could say.
    edge: [f64; SECTORS],
}

impl Default for Refiner {
    fn default() -> Self {
        Self {
            annulus: Annulus::default(),
            columns: Box::new([[0.0; BLOCK]; COLUMNS]),
            grams: Box::new([Gram::ZERO; SECTORS]),
            weights: [0.0; SECTORS],
            edge: [0.0; SECTORS],
        }
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

/// How the ground is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ground {
    /// One plane under all sectors.
    Plane,
    /// A level for each sector; `sigma` scales the pixels' weights, infinite until the residuals are believed.
    Levels { sigma: f32 },
}

/// State of one fit.
struct State {
    model: Model,
    ground: Ground,
    /// Sectors that take part, by bit.
    active: u16,
    /// Sectors the rays agreed in.
    trusted: u16,
}

/// Outcome of one solution of the normal equations.
struct Solution {
    step: [f64; SHARED_MOVING],
    /// Of the centre.
    covariance: Covariance,
}

impl Refiner {
    /// Fits a disc to the pixels around `start`; `None` when the equations fail or run away.
    pub(super) fn fit(&mut self, frame: Frame<'_>, start: &Start, noise_gray: f32) -> Option<Fit> {
        let mut ring = start.ring;
        let mut width = WIDTH_SIGMAS * start.edge_sigma + WIDTH_PX;
        self.annulus.gather(frame, ring, width);
        let mut state = self.initial(start);
        let mut solution = self.iterate(&mut state, noise_gray)?;
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
            solution = self.iterate(&mut state, noise_gray)?;
        }
        let circle = state.model.circle((self.annulus.x, self.annulus.y));
        let sectors = std::array::from_fn(|k| self.evidence(&state, k));
        let edge_sigma = state.model.variance().sqrt();
        let plane = state.ground == Ground::Plane;
        Some(Fit { edge_sigma, plane, circle, covariance: solution.covariance, sectors })
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
        State { model, ground, active: start.sectors, trusted: start.sectors }
    }

    fn iterate(&mut self, state: &mut State, noise_gray: f32) -> Option<Solution> {
        for iteration in 0.. {
            self.accumulate(state);
            if iteration >= SETTLING {
                self.judge_sectors(state);
                if let Ground::Levels { sigma } = state.ground
                    && f64::from(sigma).powi(2) > unexplained_variance(state, noise_gray)
                {
                    return None;
                }
                self.choose_ground(state);
                self.look_for_motion(state);
            }
            if state.active.count_ones() < MIN_SECTORS {
                return None;
            }
            let solution = if state.model.moving {
                self.solve::<SHARED_MOVING>(state)?
            } else {
                self.solve::<SHARED_STILL>(state)?
            };
            self.apply(state, &solution);
            choose_profile(&mut state.model);
            let step = solution.step[0].hypot(solution.step[1]);
            let sigma = (solution.covariance.xx + solution.covariance.yy).sqrt();
            if (iteration > SETTLING && step < DONE_PX.max(DONE_SIGMAS * sigma)) || iteration + 1 == MAX_ITERATIONS {
                return Some(solution);
            }
        }
        None
    }

    /// The equations of every sector at the present model.
    fn accumulate(&mut self, state: &State) {
        let columns = FIRST_SHARED + state.model.len();
        for (k, sector) in self.annulus.sectors.iter().enumerate() {
            let gram = &mut self.grams[k];
            *gram = Gram::ZERO;
            (self.weights[k], self.edge[k]) = (0.0, 0.0);
            for from in (0..sector.gray.len()).step_by(BLOCK) {
                let n = BLOCK.min(sector.gray.len() - from);
                state.model.fill(&mut self.columns, sector, state.model.ground[k], from, n);
                self.edge[k] += self.columns[RADIUS][..n].iter().map(|&d| f64::from(d * d)).sum::<f64>();
                self.weights[k] += match state.ground {
                    Ground::Levels { sigma } if sigma.is_finite() => weigh(&mut self.columns, columns, n, sigma),
                    _ => n as f64,
                };
                gram.add_block(&self.columns, columns, n);
            }
        }
    }

    /// Keeps the sectors whose residuals look like the others'.
    fn judge_sectors(&self, state: &mut State) {
        let mut variances = [0.0; SECTORS];
        let mut n = 0;
        for k in (0..SECTORS).filter(|k| state.trusted >> k & 1 == 1 && self.is_seen(*k)) {
            variances[n] = self.variance(k);
            n += 1;
        }
        if n == 0 {
            state.active = 0;
            return;
        }
        let (_, median, _) = variances[..n].select_nth_unstable_by(n / 2, f64::total_cmp);
        let (median, mut active) = (*median, 0u16);
        let mut uneven = false;
        for k in (0..SECTORS).filter(|&k| self.is_seen(k)) {
            let contrast = self.contrast(state, k);
            let allowance = (FOREIGN_OF_CONTRAST * contrast).powi(2) + ROUNDING_VARIANCE;
            let variance = self.variance(k);
            let tolerated = (MISFIT * contrast).powi(2) + 2.0 * ROUNDING_VARIANCE;
            uneven |= variance > UNEVEN * median + tolerated;
            let fits = self.weights[k] > MIN_FITTING * self.annulus.sectors[k].gray.len() as f64;
            if fits && variance < FOREIGN * median + allowance {
                active |= 1 << k;
            } else {
                uneven = true;
            }
        }
        state.active = active;
        let sigma = median.max(ROUNDING_VARIANCE).sqrt() as f32;
        state.ground = if uneven { Ground::Levels { sigma } } else { Ground::Plane };
    }

    /// One plane, when the sectors' own levels explain the pixels hardly better.
    fn choose_ground(&self, state: &mut State) {
        if state.ground != Ground::Plane {
            return;
        }
        let spare = f64::from(state.active.count_ones().max(2) - 1);
        let (levels, plane) = (self.total(state, false), self.total(state, true));
        let (Some(levels_left), Some(plane_left)) = (left_over(&levels), left_over(&plane)) else {
            return;
        };
        let pixels = self.pixels(state.active);
        let variance = (levels_left / (pixels - 24.0).max(1.0)).max(ROUNDING_VARIANCE);
        // Mean and four sigmas of the χ² by which chance alone would prefer the levels.
        if plane_left - levels_left > variance * (spare + 4.0 * (2.0 * spare).sqrt()) {
            state.ground = Ground::Levels { sigma: variance.sqrt() as f32 };
        }
    }

    /// Takes motion into the model when the edge's width varies as a motion makes it.
    fn look_for_motion(&self, state: &mut State) {
        if state.model.moving || state.active.count_ones() < 12 {
            return;
        }
        let (mut score, mut information, mut squares) = ([0.0; 2], [0.0; 2], 0.0);
        for k in sectors(state.active) {
            let (x, y) = direction_of(k);
            let gram = self.grams[k].without_level().0;
            for (i, wave) in [f64::from(x * x - y * y), f64::from(2.0 * x * y)].into_iter().enumerate() {
                score[i] += wave * gram[RESIDUAL][VARIANCE];
                information[i] += wave * wave * gram[VARIANCE][VARIANCE];
            }
            squares += gram[RESIDUAL][RESIDUAL];
        }
        let variance = (squares / (self.pixels(state.active) - 24.0).max(1.0)).max(ROUNDING_VARIANCE);
        let chi2: f64 = (0..2).map(|i| score[i] * score[i] / (information[i].max(1e-9) * variance)).sum();
        if chi2 > MOTION_CHI2 {
            state.model.moving = true;
            state.model.profile = Profile::Gaussian;
            self.seed_motion(state, score, information);
        }
    }

    fn seed_motion(&self, state: &mut State, score: [f64; 2], information: [f64; 2]) {
        for i in 0..2 {
            state.model.shared[7 + i] = score[i] / information[i].max(1e-9);
        }
        state.model.advance(&[0.0; SHARED_MOVING]);
    }

    fn solve<const N: usize>(&self, state: &State) -> Option<Solution> {
        let total = self.total(state, state.ground == Ground::Plane);
        let (matrix, right) = total.shared::<N>();
        let factor = Factor::new(&matrix)?;
        let found = factor.solve(&right);
        let explained: f64 = found.iter().zip(&right).map(|(step, right)| step * right).sum();
        let freedom = (self.pixels(state.active) - N as f64 - 1.0).max(1.0);
        let noise = ((total.0[RESIDUAL][RESIDUAL] - explained) / freedom).max(ROUNDING_VARIANCE);
        let unit = |i: usize| std::array::from_fn(|j| if i == j { noise } else { 0.0 });
        let (x, y): ([f64; N], [f64; N]) = (factor.solve(&unit(0)), factor.solve(&unit(1)));
        let covariance = Covariance { xx: x[0], xy: x[1], yy: y[1] };
        let mut step = [0.0; SHARED_MOVING];
        step[..N].copy_from_slice(&found);
        step.iter().all(|value| value.is_finite()).then_some(Solution { step, covariance })
    }

    /// The equations of the shared parameters over the active sectors.
    fn total(&self, state: &State, plane: bool) -> Gram {
        let mut total = Gram::ZERO;
        if !plane {
            sectors(state.active).for_each(|k| total.add(&self.grams[k].without_level()));
            return total;
        }
        let common = common_level(state);
        for k in sectors(state.active) {
            total.add(&self.grams[k].rebased(f64::from(state.model.ground[k]) - common));
        }
        total.without_level()
    }

    fn apply(&self, state: &mut State, solution: &Solution) {
        let step = &solution.step[..state.model.len()];
        if state.ground == Ground::Plane {
            let common = common_level(state);
            let mut total = Gram::ZERO;
            for k in sectors(state.active) {
                total.add(&self.grams[k].rebased(f64::from(state.model.ground[k]) - common));
            }
            state.model.ground = [(common + total.level_step(step)) as f32; SECTORS];
        } else {
            for k in 0..SECTORS {
                state.model.ground[k] += self.grams[k].level_step(step) as f32;
            }
        }
        state.model.advance(step);
    }

    fn pixels(&self, active: u16) -> f64 {
        sectors(active).map(|k| self.weights[k]).sum()
    }

    fn is_seen(&self, k: usize) -> bool {
        self.annulus.sectors[k].gray.len() >= MIN_SECTOR_PX
    }

    /// Variance of a sector's residuals about its own best ground level.
    fn variance(&self, k: usize) -> f64 {
        let left = self.grams[k].without_level().0[RESIDUAL][RESIDUAL];
        left / (self.weights[k] - 1.0).max(1.0)
    }

    /// Disc minus the sector's own best ground level.
    fn contrast(&self, state: &State, k: usize) -> f64 {
        f64::from(state.model.disc()) - f64::from(state.model.ground[k]) - self.grams[k].level_step(&[])
    }

    fn evidence(&self, state: &State, k: usize) -> Evidence {
        if !self.is_seen(k) {
            return Evidence::default();
        }
        let pixels = self.annulus.sectors[k].gray.len() as f64;
        Evidence {
            pixels,
            fitting: self.grams[k].0[RADIUS][RADIUS] / self.edge[k].max(1e-9),
            ground_px: self.grams[k].0[LEVEL][LEVEL],
            contrast: self.contrast(state, k),
            variance: self.variance(k),
            active: state.active >> k & 1 == 1,
        }
    }
}

/// Squares left over after the shared parameters are fitted.
fn left_over(total: &Gram) -> Option<f64> {
    let (matrix, right) = total.shared::<SHARED_STILL>();
    let step = super::normal::solve(&matrix, &right)?;
    let explained: f64 = step.iter().zip(&right).map(|(step, right)| step * right).sum();
    Some(total.0[RESIDUAL][RESIDUAL] - explained)
}

fn unexplained_variance(state: &State, noise_gray: f32) -> f64 {
    let spread: f64 = sectors(state.active).map(|k| f64::from(state.model.disc() - state.model.ground[k]).abs()).sum();
    let contrast = spread / f64::from(state.active.count_ones().max(1));
    super::verify::unexplained_variance(contrast, noise_gray)
}

fn common_level(state: &State) -> f64 {
    let sum: f64 = sectors(state.active).map(|k| f64::from(state.model.ground[k])).sum();
    sum / f64::from(state.active.count_ones().max(1))
}

fn sectors(mask: u16) -> impl Iterator<Item = usize> {
    (0..SECTORS).filter(move |k| mask >> k & 1 == 1)
}

fn choose_profile(model: &mut Model) {
    if !model.moving {
        model.profile = if model.variance() < SHARP_VARIANCE { Profile::Pixel } else { Profile::Gaussian };
    }
}

/// Multiplies the columns with the square roots of the pixels' weights.
///
/// Returns the sum of the weights.
fn weigh(columns: &mut Columns, used: usize, n: usize, sigma: f32) -> f64 {
    let scale = 1.0 / (TUKEY_SIGMAS * sigma);
    let mut roots = [0.0; BLOCK];
    for (root, residual) in roots.iter_mut().zip(&columns[RESIDUAL][..n]) {
        let ratio = residual * scale;
        *root = (1.0 - ratio * ratio).max(0.0);
    }
    for column in &mut columns[..used] {
        column[..n].iter_mut().zip(&roots).for_each(|(value, root)| *value *= root);
    }
    f64::from(roots[..n].iter().map(|root| root * root).sum::<f32>())
}
