//! The fit: Gauss–Newton on the intensities of the annulus around a circle.
//!
//! Every pixel near the edge says how far the edge is; together they fix the centre as well as the pixels allow (the
//! Cramér–Rao bound). One pass over the pixels gives each sector's sums of products (`sums`); from these the ground is
//! taken either as one plane, which costs nothing when true, or as a level for each sector, which survives clutter.
//! Which one is decided by how much worse the plane fits (`ground`). In the second case pixels and sectors that do not
//! fit lose their say.

use shared::geometry::{Circle, Covariance};

use super::evidence::{Evidence, evidence, honest};
use crate::pipeline::hough::fit::decide::ground::{choose_ground, solve};
use crate::pipeline::hough::fit::decide::judge::{is_hopeless, judge_sectors};
use crate::pipeline::hough::fit::decide::motion::look_for_motion;
use crate::pipeline::hough::fit::decide::state::{Ground, State};
use crate::pipeline::hough::fit::equations::model::{Model, Profile};
use crate::pipeline::hough::fit::equations::normal::Solution;
use crate::pipeline::hough::fit::equations::pass::sum_annulus;
use crate::pipeline::hough::fit::equations::profile::PIXEL_VARIANCE;
use crate::pipeline::hough::fit::equations::sums::SectorSums;
use crate::pipeline::hough::fit::pixels::annulus::{Annulus, Reach, Rims};
use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::locate::start::Start;
use crate::pipeline::hough::ring::Ring;
use crate::pipeline::hough::sectors::{DIRECTIONS, MAX_SECTORS, direction_index};
use crate::pipeline::radii::RadiusRange;

/// Sectors of the annulus; finer ones before clutter, when the circle is large enough for them.
const SECTORS: usize = 32;
const MIN_FINE_RADIUS_PX: f32 = 20.0;

/// Most iterations on one annulus.
const MAX_ITERATIONS: usize = 9;

/// A fit that still moves this far, in pixels, after so many iterations follows no edge.
const ADRIFT_PX: f64 = 0.3;
const ADRIFT_AFTER: usize = 4;

/// Iterations before the residuals are believed, and before the sectors' own edges are.
const SETTLING: usize = 1;
const SETTLING_SHIFTS: usize = 2;

/// A step this small, in pixels, or this part of the centre's sigma ends the fit: the next would be its square.
const DONE_PX: f64 = 5e-5;
const DONE_SIGMAS: f64 = 0.1;
const DONE_SIGMAS_CUT: f64 = 0.02;

/// A motion that grows beyond this, in radii, follows no disc.
const LONGEST_MOTION_RADII: f64 = 2.8;

/// Half width of the annulus: so many sigmas of the edge, and so many pixels of plain disc and ground.
const WIDTH_SIGMAS: f64 = 2.2;
const WIDTH_PX: f64 = 3.0;

/// More of it for a disc that is cut: without the other side to balance them, the levels must be known well.
const WIDTH_CUT_PX: f64 = 8.0;

/// Less before clutter: the nearer the ground, the likelier it is of one level.
const WIDTH_LEVELS_PX: f64 = 2.0;
const WHOLE_SHARE: f64 = 0.9;

/// Fewest sectors that can be fitted.
const MIN_SECTORS: u32 = 6;

/// A fitted disc.
pub(crate) struct Fit {
    pub(crate) circle: Circle,
    pub(crate) covariance: Covariance,
    /// Whether one plane explains the ground.
    pub(crate) plane: bool,
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
    /// Makes ready for radii in `range`.
    pub(crate) fn expect(&mut self, range: RadiusRange) {
        self.annulus.expect(range.max());
    }

    /// Fits a disc to the pixels around `start`; `None` when the equations fail or run away.
    pub(crate) fn fit(&mut self, frame: Frame<'_>, start: &Start) -> Option<Fit> {
        let mut ring = start.ring;
        let mut plain_px = WIDTH_PX;
        let mut even = WIDTH_SIGMAS * f64::from(start.edge_sigma) + plain_px;
        let mut way = start.motion;
        self.annulus.gather(frame, ring, reach(even, way), SECTORS);
        if self.is_cut() {
            plain_px = WIDTH_CUT_PX;
            even += WIDTH_CUT_PX - WIDTH_PX;
            self.annulus.gather(frame, ring, reach(even, way), SECTORS);
        }
        let mut state = self.initial(start);
        let mut solution = self.iterate(&mut state, 0)?;
        for _ in 0..3 {
            let model = &state.model;
            plain_px = match state.ground {
                _ if state.sloped => WIDTH_CUT_PX,
                Ground::Levels { .. } => WIDTH_LEVELS_PX,
                _ => plain_px,
            };
            let wanted = WIDTH_SIGMAS * model.variance.sqrt() + plain_px;
            let (longer_x, longer_y) = (model.motion.0 - way.0, model.motion.1 - way.1);
            let moved = model.x.hypot(model.y).max((model.radius - f64::from(ring.radius)).abs());
            let fine = self.wants_finer(&state);
            let wide_enough = wanted + 0.5 * longer_x.hypot(longer_y) < 1.15 * even;
            if moved < 1.0 && wide_enough && !fine && !state.unsettled {
                break;
            }
            let (x, y) = (model.x as f32, model.y as f32);
            (ring.x, ring.y, ring.radius) = (ring.x + x, ring.y + y, model.radius as f32);
            (even, way) = (wanted, model.motion);
            let sectors = if fine { MAX_SECTORS } else { self.annulus.sectors };
            self.gather_again(frame, ring, reach(even, way), sectors, &mut state);
            solution = self.iterate(&mut state, SETTLING)?;
        }
        let circle = state.model.circle((self.annulus.x, self.annulus.y));
        // From the sums at the last model but one step.
        let directions = evidence(&self.sums[..self.annulus.sectors], &state);
        let plane = matches!(state.ground, Ground::Plane { .. });
        let [xx, xy, yy] = solution.centre;
        let covariance = honest(Covariance { xx, xy, yy }, &directions);
        Some(Fit { plane, circle, covariance, directions })
    }

    /// Whether the frame's border cuts the circle.
    fn is_cut(&self) -> bool {
        self.annulus.held() < WHOLE_SHARE as f32
    }

    fn wants_finer(&self, state: &State) -> bool {
        let seen = self.sums[..self.annulus.sectors].iter().filter(|sector| sector.is_seen()).count() as u32;
        (matches!(state.ground, Ground::Levels { .. }) || state.active.count_ones() < seen)
            && self.annulus.sectors < MAX_SECTORS
            && state.model.radius as f32 > MIN_FINE_RADIUS_PX
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
            // Every finer sector has a chance of its own.
            state.active |= state.trusted_of(sectors);
        }
    }

    fn initial(&self, start: &Start) -> State {
        let variance = start.edge_sigma.powi(2).max(PIXEL_VARIANCE);
        let sectors = self.annulus.sectors;
        let (mut discs, mut n) = ([0.0; MAX_SECTORS], 0);
        let mut ground = [0.0; MAX_SECTORS];
        for (k, ground) in ground.iter_mut().enumerate().take(sectors) {
            let Rims { inside, outside } = self.annulus.rims(k);
            *ground = outside;
            if inside > 0.0 && start.directions >> direction_index(k, sectors, DIRECTIONS) & 1 == 1 {
                discs[n] = inside;
                n += 1;
            }
        }
        // The median: an occluder may lie over a third of the disc's side.
        let disc = if n > 0 { *discs[..n].select_nth_unstable_by(n / 2, f32::total_cmp).1 } else { 0.0 };
        let model = Model {
            x: 0.0,
            y: 0.0,
            radius: f64::from(start.ring.radius),
            variance: f64::from(variance),
            disc: f64::from(disc),
            motion: start.motion,
            slope: (0.0, 0.0),
            disc_slope: (0.0, 0.0),
            ground,
            profile: if start.motion == (0.0, 0.0) { Profile::Gaussian } else { Profile::Smear },
        };
        State::new(model, start, sectors)
    }

    fn iterate(&mut self, state: &mut State, from: usize) -> Option<Solution> {
        let cut = self.is_cut();
        let mut before = f64::INFINITY;
        let mut began_to_move = false;
        for iteration in from..from + MAX_ITERATIONS {
            let per_sigma = if let Ground::Levels { sigma } = state.ground { 1.0 / sigma as f32 } else { 0.0 };
            let sums = &mut self.sums[..self.annulus.sectors];
            sum_annulus(&self.annulus, &state.model, per_sigma, sums);
            let ground_at = 0.5 * (state.model.radius + f64::from(self.annulus.outer));
            let mut solution = None;
            if iteration >= SETTLING {
                if look_for_motion(sums, state) {
                    // With the columns of the motion.
                    sum_annulus(&self.annulus, &state.model, per_sigma, sums);
                    began_to_move = true;
                }
                state.believes_shifts = iteration >= SETTLING_SHIFTS;
                let decided = matches!(state.ground, Ground::Plane { .. }) && iteration > SETTLING;
                judge_sectors(sums, state);
                solution = choose_ground(sums, state, ground_at, !decided);
            }
            if state.active.count_ones() < MIN_SECTORS || iteration > SETTLING && is_hopeless(sums, state) {
                return None;
            }
            let solution = match solution {
                Some(solution) => solution,
                None => solve(sums, state, ground_at)?,
            };
            state.advance(sums, &solution);
            if state.model.motion.0.hypot(state.model.motion.1) > LONGEST_MOTION_RADII * state.model.radius {
                return None;
            }
            state.model.choose_profile();
            let moved = solution.step.x.hypot(solution.step.y);
            let sigma = (solution.centre[0] + solution.centre[2]).sqrt();
            let whole = f64::from(state.active.count_ones()) > WHOLE_SHARE * self.annulus.sectors as f64 && !cut;
            let done_sigmas = if whole { DONE_SIGMAS } else { DONE_SIGMAS_CUT };
            // On plane ground, where nothing else changes any more, steps shrink faster than in proportion.
            let settled = matches!(state.ground, Ground::Plane { .. });
            let next = if settled { moved * (moved / before).min(1.0) } else { moved };
            before = moved;
            let done = iteration > SETTLING && next < DONE_PX.max(done_sigmas * sigma);
            if iteration >= ADRIFT_AFTER && moved > ADRIFT_PX && state.model.profile != Profile::Smear {
                return None;
            }
            // A disc that moves wants a wider annulus first.
            state.unsettled = began_to_move;
            if done || began_to_move || iteration + 1 == from + MAX_ITERATIONS {
                return Some(solution);
            }
        }
        None
    }
}

/// The annulus' reach for an edge of this width that moved so far, in pixels.
fn reach(even: f64, way: (f64, f64)) -> Reach {
    Reach { even: even as f32, way: (way.0 as f32, way.1 as f32) }
}
