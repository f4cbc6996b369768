//! The whole fit: an annulus, iterations on it, and another annulus if the model requires one.
//!
//! The ground is modelled either as one plane, which costs nothing if it is true, or as a level for each sector, which
//! withstands clutter. How much worse the plane fits decides between them (`decide::ground`). With levels, pixels and
//! sectors that do not fit lose their weight.

use shared::geometry::{Circle, Covariance};

use super::decide::state::{Ground, State};
use super::equations::columns::{DISC, RADIUS};
use super::equations::model::Profile;
use super::equations::normal::Solution;
use super::equations::profile::EDGE_REACH_SIGMAS;
use super::equations::sums::SectorSums;
use super::evidence::{Evidence, evidence, honest};
use super::initial::initial_state;
use super::iterate::{SETTLING, iterate};
use super::light::around::clear_px;
use super::light::gain::Gain;
use super::pixels::annulus::Annulus;
use super::pixels::band::Reach;
use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::locate::start::Start;
use crate::pipeline::hough::ring::Ring;
use crate::pipeline::hough::search::reduce::Cells;
use crate::pipeline::hough::sectors::{DIRECTIONS, MAX_SECTORS, direction_index};
use crate::pipeline::radii::RadiusRange;

/// Number of sectors of the annulus: two for each direction. In front of clutter they are finer, if the circle has at
/// least this radius: a finer sector is then two pixels wide, and has at least ten pixels.
const SECTORS: usize = 32;
const MIN_FINE_RADIUS_PX: f32 = 20.0;

/// Pixels of plain disc and ground that the annulus has on each side of the edge.
const WIDTH_PX: f64 = 3.0;

/// Pixels for a disc that the border cuts. They are more, because no opposite side balances an error in the levels, so
/// the levels must be known well.
const WIDTH_CUT_PX: f64 = 8.0;

/// Pixels in front of clutter. They are fewer, because ground close to the disc is more likely to have one level.
const WIDTH_LEVELS_PX: f64 = 2.0;

/// Another annulus is gathered if the edge is this many pixels off the middle of the present one, or if a wider one by
/// this factor is needed: of the two or three plain pixels, half of one is then missing. The last constant is the
/// largest number of annuli.
const CENTRED_PX: f64 = 1.0;
const WIDE_ENOUGH: f64 = 1.15;
const MAX_ANNULI: usize = 3;

/// A fitted disc.
pub(crate) struct Fit {
    pub(crate) circle: Circle,
    pub(crate) covariance: Covariance,
    /// Whether one plane explains the ground.
    pub(crate) plane: bool,
    /// Whether the disc moved during the exposure.
    pub(crate) moving: bool,
    /// The disc's level, in gray levels.
    pub(crate) disc: f64,
    pub(crate) directions: [Evidence; DIRECTIONS],
}

/// Buffers of the fit.
pub(crate) struct Refiner {
    annulus: Annulus,
    sums: Box<[SectorSums; MAX_SECTORS]>,
}

impl Default for Refiner {
    fn default() -> Self {
        Self { annulus: Annulus::default(), sums: Box::new([const { SectorSums::ZERO }; MAX_SECTORS]) }
    }
}

impl Refiner {
    /// Prepares for radii in `range`.
    pub(crate) fn expect(&mut self, range: RadiusRange) {
        self.annulus.expect(range.max());
    }

    /// Fits a disc to the pixels around `start`. `None` if the equations fail or the fit runs away.
    pub(crate) fn fit(&mut self, frame: Frame<'_>, cells: &Cells, start: &Start) -> Option<Fit> {
        let (fit, again) = self.fit_from(frame, cells, start)?;
        match again {
            None => Some(fit),
            // This start has a motion, so the second fit divides by no gain and returns no further start.
            Some(start) => self.fit_from(frame, cells, &start).map(|(fit, _)| fit),
        }
    }

    /// Fits a disc from one start. Also returns a second start if the fit divided by a gain that was wrong: the light
    /// was estimated from ground that the moving disc had swept.
    fn fit_from(&mut self, frame: Frame<'_>, cells: &Cells, start: &Start) -> Option<(Fit, Option<Start>)> {
        let mut ring = start.ring;
        let mut plain_px = WIDTH_PX;
        let mut even = EDGE_REACH_SIGMAS * f64::from(start.edge_sigma) + plain_px;
        let mut way = start.motion;
        self.annulus.gather(frame, ring, reach(even, way), SECTORS);
        if self.annulus.is_cut() {
            plain_px = WIDTH_CUT_PX;
            even += WIDTH_CUT_PX - WIDTH_PX;
            self.annulus.gather(frame, ring, reach(even, way), SECTORS);
        }
        let gain = Gain::of(frame, cells, start, self.annulus.typical_rims());
        if let Some(gain) = &gain {
            self.annulus.divide(gain);
        }
        let ground_slope = gain.map_or((0.0, 0.0), |gain| gain.ground_slope);
        let mut state = initial_state(&self.annulus, start, ground_slope);
        let mut solution = self.iterate(&mut state, 0)?;
        for _ in 0..MAX_ANNULI {
            let model = &state.model;
            plain_px = match state.ground {
                _ if state.sloped => WIDTH_CUT_PX,
                Ground::Levels { .. } => WIDTH_LEVELS_PX,
                _ => plain_px,
            };
            let wanted = EDGE_REACH_SIGMAS * model.variance.sqrt() + plain_px;
            let (longer_x, longer_y) = (model.motion.0 - way.0, model.motion.1 - way.1);
            let moved = model.x.hypot(model.y).max((model.radius - f64::from(ring.radius)).abs());
            let fine = self.wants_finer(&state);
            let wide_enough = wanted + 0.5 * longer_x.hypot(longer_y) < WIDE_ENOUGH * even;
            if moved < CENTRED_PX && wide_enough && !fine && !state.unsettled {
                break;
            }
            let (x, y) = (model.x as f32, model.y as f32);
            (ring.x, ring.y, ring.radius) = (ring.x + x, ring.y + y, model.radius as f32);
            (even, way) = (wanted, model.motion);
            let sectors = if fine { MAX_SECTORS } else { self.annulus.sectors };
            self.gather_again(frame, ring, reach(even, way), sectors, &mut state);
            if let Some(gain) = &gain {
                self.annulus.divide(gain);
            }
            solution = self.iterate(&mut state, SETTLING)?;
        }
        let circle = state.model.circle((self.annulus.x, self.annulus.y));
        // The sums belong to the model before the last step.
        let directions = evidence(&self.sums[..self.annulus.sectors], &state);
        let plane = matches!(state.ground, Ground::Plane { .. });
        let (moving, disc) = (state.model.profile == Profile::Smear, state.model.disc);
        let [xx, xy, yy] = solution.centre;
        let covariance = honest(Covariance { xx, xy, yy }, &directions);
        let covariance = gain.map_or(covariance, |gain| self.with_slope(covariance, gain.slope_variance, &state));
        let again = gain.and_then(|_| start_of_swept(&circle, &state, start));
        Some((Fit { plane, moving, disc, circle, covariance, directions }, again))
    }

    /// Widens the covariance for a disc slope of this variance, in (gray levels / pixel)². A slope shifts the centre.
    fn with_slope(&self, covariance: Covariance, variance: f64, state: &State) -> Covariance {
        let sum = |i: usize, j: usize| -> f64 {
            let sectors = self.sums[..self.annulus.sectors].iter().enumerate();
            sectors.filter(|(k, _)| state.active >> k & 1 == 1).map(|(_, sector)| sector.at(i, j)).sum()
        };
        // The shift caused by a slope of 1, which is the same in all directions.
        let shift_px = state.model.radius * sum(RADIUS, DISC) / sum(RADIUS, RADIUS).max(1e-9);
        let more = variance * shift_px * shift_px;
        Covariance { xx: covariance.xx + more, yy: covariance.yy + more, ..covariance }
    }

    fn wants_finer(&self, state: &State) -> bool {
        let seen = self.sums[..self.annulus.sectors].iter().filter(|sector| sector.is_seen()).count() as u32;
        (matches!(state.ground, Ground::Levels { .. }) || state.active.count_ones() < seen)
            && self.annulus.sectors < MAX_SECTORS
            && state.model.radius as f32 > MIN_FINE_RADIUS_PX
    }

    fn iterate(&mut self, state: &mut State, from: usize) -> Option<Solution> {
        iterate(&self.annulus, &mut self.sums[..self.annulus.sectors], state, from)
    }

    fn gather_again(&mut self, frame: Frame<'_>, ring: Ring, reach: Reach, sectors: usize, state: &mut State) {
        let before = self.annulus.sectors;
        let (dx, dy) = (ring.x - self.annulus.x, ring.y - self.annulus.y);
        self.annulus.gather(frame, ring, reach, sectors);
        state.model.x -= f64::from(dx);
        state.model.y -= f64::from(dy);
        state.model.disc += state.model.disc_slope.0 * f64::from(dx) + state.model.disc_slope.1 * f64::from(dy);
        let lift = state.model.slope.0 * f64::from(dx) + state.model.slope.1 * f64::from(dy);
        let ground = state.model.ground;
        let active = std::mem::take(&mut state.active);
        for k in 0..sectors {
            let old = direction_index(k, sectors, before);
            state.model.ground[k] = ground[old] + lift as f32;
            state.active |= (active >> old & 1) << k;
        }
        if sectors != before {
            // Every finer sector gets a chance of its own.
            state.active |= state.trusted_of(sectors);
        }
    }
}

/// The fitted disc with its motion as a new start, if the disc moved into the ground from which the light was
/// estimated; else `None`.
fn start_of_swept(circle: &Circle, state: &State, start: &Start) -> Option<Start> {
    let (ring, motion) = (start.ring, state.model.motion);
    let off = (circle.x - f64::from(ring.x)).hypot(circle.y - f64::from(ring.y));
    let beyond = 0.5 * motion.0.hypot(motion.1) + off + circle.radius - f64::from(ring.radius);
    let ring = Ring { x: circle.x as f32, y: circle.y as f32, radius: circle.radius as f32 };
    let edge_sigma = state.model.variance.sqrt() as f32;
    let swept = motion != (0.0, 0.0) && beyond > clear_px(f64::from(start.edge_sigma));
    swept.then_some(Start { ring, motion, edge_sigma, ..*start })
}

/// The annulus' reach for an edge of this half width and this motion, in pixels.
fn reach(even: f64, way: (f64, f64)) -> Reach {
    Reach { even: even as f32, way: (way.0 as f32, way.1 as f32) }
}
