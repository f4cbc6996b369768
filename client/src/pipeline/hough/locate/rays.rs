//! Finds edge points along rays, and the circle on which most of them agree.
//!
//! Turns a candidate accurate to a few pixels into a circle accurate to a tenth. Along each ray from the centre, the
//! strongest steps, up or down, are edge points, because in front of clutter a disc may be brighter than its ground in
//! one place and darker in another. Circles through three points compete for the consensus (RANSAC with a fixed
//! schedule instead of random choice), which is then fitted with Cauchy weights. The second pass looks closer, from a
//! centre that is already right.

use super::circle::{circle_through, fit_circle};
use super::edge_width::{AGREE_PX, edge_sigma};
use super::start::Start;
use super::steps::{HALF_STEP, Line};
use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::ring::{Point, Ring};
use crate::pipeline::hough::search::candidates::Candidate;
use crate::pipeline::hough::search::gradient::MIN_STEP_GRAY;
use crate::pipeline::hough::sectors::{DIRECTIONS, sector_of};
use crate::pipeline::radii::RadiusRange;

/// Number of rays: three per direction. 48 edge points with an error of 1 px determine a centre to 0.2 px.
const RAYS: usize = 3 * DIRECTIONS;

/// Smallest size of a step, in sigmas of its own noise. The rays decide together, so many steps may be noise.
const STEP_SIGMAS: f32 = 2.0;

/// Fewest edge points that make a circle: three determine it, and five more check it. And the smallest fraction of the
/// rays that could show one.
const MIN_AGREEING: usize = 8;
const MIN_AGREEING_SHARE: f32 = 0.4;

/// Smallest fraction of the visible directions that agree. The least of 1,800 discs, with clutter and occluders, was 9
/// of 16.
const MIN_DIRECTIONS_SHARE: f32 = 0.5;

/// Agreement, as a fraction of the rays, at which no better circle is sought, and at which no closer look is needed.
const CLEAR_CONSENSUS: f32 = 0.75;
const CLEAR_AGREEMENT: f32 = 0.9;

/// Reach of the rays around a candidate, in cells: it is accurate to a cell along each axis, so to 1.4 cells along a
/// diagonal.
const REACH_CELLS: f32 = 1.5;

/// Reach of the rays around a rough circle, in px: for points at twice [`AGREE_PX`], and a pixel for the parabola.
const CLOSE_REACH_PX: f32 = 4.0;

/// Widths of the weights of the points, from rough to fine, and the distance within which a direction agrees, all as
/// fractions of [`AGREE_PX`].
const ROUGH_SCALE: f32 = 0.5;
const FINE_SCALE: f32 = 0.25;
const DIRECTION_SHARE: f32 = 0.75;

/// Distances between the three rays of a trial, in 48ths of a turn.
///
/// Twice 8, 11 or 13 rays still fit beside an occluder that covers a third of the circle. 16 serves discs seen whole.
const TRIAL_GAPS: [usize; 4] = [8, 11, 13, 16];

/// The edge points of one candidate.
pub(crate) struct Rays {
    /// Radii that a consensus may have, in pixels.
    radii: std::ops::RangeInclusive<f32>,
    directions: [(f32, f32); RAYS],
    points: Vec<Point>,
    /// Number of rays that lie almost entirely within the frame.
    inside: usize,
}

impl Default for Rays {
    fn default() -> Self {
        let direction = |i: usize| {
            let angle = (i as f64 + 0.5) / RAYS as f64 * std::f64::consts::TAU;
            (angle.cos() as f32, angle.sin() as f32)
        };
        Self {
            radii: 0.0..=0.0,
            directions: std::array::from_fn(direction),
            points: Vec::with_capacity(2 * RAYS),
            inside: 0,
        }
    }
}

impl Rays {
    /// Sets the radii to look for. Without bounds, any straight edge would be part of a large enough circle.
    pub(crate) fn expect(&mut self, range: RadiusRange) {
        self.radii = (0.8 * range.min() - 1.0) as f32..=(1.1 * range.max() + 1.0) as f32;
    }

    /// Finds the circle on which most edge points around the candidate agree. `None` if too few agree.
    ///
    /// `cell_px` is the candidate's uncertainty in pixels, and `noise_gray` the sigma of the pixels in gray levels.
    pub(crate) fn locate(
        &mut self,
        frame: Frame<'_>,
        candidate: Candidate,
        cell_px: f32,
        noise_gray: f32,
    ) -> Option<Start> {
        let Candidate { x, y, radius, .. } = candidate;
        let least = MIN_STEP_GRAY + STEP_SIGMAS * (2.0 / HALF_STEP as f32).sqrt() * noise_gray;
        self.find_points(frame, Ring { x, y, radius }, REACH_CELLS * cell_px, least);
        let mut rough = self.fit(self.consensus()?, ROUGH_SCALE * AGREE_PX)?;
        if (self.agreeing(rough) as f32) < CLEAR_AGREEMENT * self.inside as f32 {
            self.find_points(frame, rough, CLOSE_REACH_PX, least);
        } else {
            self.points.retain(|&point| rough.distance(point).abs() < 2.0 * AGREE_PX);
        }
        rough = self.fit(rough, FINE_SCALE * AGREE_PX)?;
        let ring = rough;
        let directions = self.agreeing_directions(ring);
        let visible = (self.inside * DIRECTIONS / RAYS) as f32;
        if (directions.count_ones() as f32) < MIN_DIRECTIONS_SHARE * visible {
            return None;
        }
        let edge_sigma = edge_sigma(frame, ring, &self.points)?;
        Some(Start { ring, edge_sigma, directions, noise_gray, motion: (0.0, 0.0) })
    }

    fn find_points(&mut self, frame: Frame<'_>, ring: Ring, reach: f32, least: f32) {
        self.points.clear();
        self.inside = 0;
        for direction in self.directions {
            let line = Line::read(frame, ring, direction, reach);
            self.inside += usize::from(line.is_whole());
            self.points.extend(line.steps(least));
        }
    }

    /// Fits a circle to the points near `ring`. `None` if too few points agree with the result, or its radius is out of
    /// range.
    fn fit(&self, ring: Ring, scale: f32) -> Option<Ring> {
        let fitted = fit_circle(&self.points, ring, scale)?;
        (self.radii.contains(&fitted.radius) && self.agreeing(fitted) >= self.least_agreeing()).then_some(fitted)
    }

    fn consensus(&self) -> Option<Ring> {
        let n = self.points.len();
        if n < MIN_AGREEING {
            return None;
        }
        let trials = TRIAL_GAPS.iter().flat_map(|gap| (0..n).step_by(4).map(move |i| (i, gap * n / RAYS)));
        let mut best = (0.0, None);
        for (i, gap) in trials {
            let corner = |k: usize| self.points[(i + k * gap) % n];
            let Some(ring) = circle_through(corner(0), corner(1), corner(2)) else {
                continue;
            };
            if !self.radii.contains(&ring.radius) {
                continue;
            }
            let score = self.agreement(ring);
            if score > best.0 {
                best = (score, Some(ring));
            }
            if score > CLEAR_CONSENSUS * RAYS as f32 {
                break;
            }
        }
        best.1.filter(|&ring| self.agreeing(ring) >= self.least_agreeing())
    }

    /// Score of a circle: each point counts 1 on the circle, falling to 0 at the distance where agreement ends.
    fn agreement(&self, ring: Ring) -> f32 {
        let score = |&point: &Point| {
            let ratio = ring.distance(point) / AGREE_PX;
            (1.0 - ratio * ratio).max(0.0)
        };
        self.points.iter().map(score).sum()
    }

    fn agreeing(&self, ring: Ring) -> usize {
        self.points.iter().filter(|&&point| ring.distance(point).abs() < AGREE_PX).count()
    }

    fn least_agreeing(&self) -> usize {
        let possible = self.inside.min(RAYS);
        MIN_AGREEING.max((possible as f32 * MIN_AGREEING_SHARE) as usize)
    }

    fn agreeing_directions(&self, ring: Ring) -> u16 {
        let agreeing = self.points.iter().filter(|&&point| ring.distance(point).abs() < DIRECTION_SHARE * AGREE_PX);
        agreeing.fold(0, |seen, point| seen | 1 << sector_of(point.x - ring.x, point.y - ring.y, DIRECTIONS))
    }
}
