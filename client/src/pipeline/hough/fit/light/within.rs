//! The middle of a disc, measured in its pixels.

use super::around::NEAR_OF_CONTRAST;
use super::samples::{Picture, Ring, sum_up};
use super::slope::Slope;
use super::surface::Surface;
use crate::pipeline::hough::chance::PIXEL_SIGMAS;
use crate::pipeline::hough::fit::equations::profile::EDGE_REACH_SIGMAS;
use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::ring;

/// Distance of the middle's border from the circle, in pixels, besides the width of the edge: the error of the circle
/// from the rays, and a pixel's diagonal.
const CLEAR_PX: f64 = 1.5;

/// Smallest middle that shows a slope, in pixels: 28 pixels for the six terms of a surface.
const MIN_RADIUS_PX: f64 = 3.0;

/// Number of rows to aim for. At most about twice as many are read.
const ROWS: f64 = 32.0;

/// Factor by which a disc may be noisier than the frame: the noise of photons on a disc that is four times as bright.
const BRIGHTER: f64 = 2.0;

/// Smallest fraction of the middle that must have the disc's level.
const MIN_SHARE: f64 = 0.6;

/// What the middle of a disc shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Middle {
    pub(super) level: f64,
    pub(super) slope: Slope,
}

/// Measures the middle of a disc with about this level. `None` if the middle is too small or too little of it is seen.
///
/// `noise` is the variance of the frame's pixels. Where the disc is brighter, photons may make the noise larger.
pub(super) fn middle(
    frame: Frame<'_>,
    circle: ring::Ring,
    edge_sigma: f64,
    (level, contrast): (f64, f64),
    noise: f64,
) -> Option<Middle> {
    let outer = f64::from(circle.radius) - CLEAR_PX - EDGE_REACH_SIGMAS * edge_sigma;
    if outer < MIN_RADIUS_PX {
        return None;
    }
    let (x, y) = (f64::from(circle.x), f64::from(circle.y));
    let step = (outer / ROWS).ceil() as usize;
    let ring = Ring { x, y, inner: 0.0, outer, unit: outer, step };
    let mut near = NEAR_OF_CONTRAST * contrast.abs() + PIXEL_SIGMAS * noise.sqrt() * BRIGHTER;
    let mut surface = Surface::even(level);
    let mut found = None;
    for _ in 0..2 {
        let (moments, all) = sum_up(&frame, &ring, &surface, near as f32);
        if moments.count() < MIN_SHARE * all {
            return None;
        }
        let fitted = moments.fit()?;
        surface = fitted.surface;
        near = PIXEL_SIGMAS * fitted.variance().max(noise).sqrt();
        found = Some(fitted);
        if moments.count() == all && fitted.variance() < BRIGHTER * BRIGHTER * noise {
            break;
        }
    }
    let fitted = found?;
    let variance = fitted.variance().max(noise);
    let [level, x, y, ..] = fitted.surface.terms;
    let spread = 0.5 * (fitted.spread[0] + fitted.spread[1]);
    let slope = Slope { x: x / outer, y: y / outer, variance: variance * spread / (outer * outer) };
    Some(Middle { level, slope })
}

impl Picture for Frame<'_> {
    fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    #[inline(always)]
    fn values<const N: usize>(&self, row: usize, from: usize) -> [f32; N] {
        let pixels = &self.row(row)[from..];
        match pixels.first_chunk::<N>() {
            Some(pixels) => pixels.map(f32::from),
            None => std::array::from_fn(|lane| pixels.get(lane).map_or(0.0, |&pixel| f32::from(pixel))),
        }
    }
}
