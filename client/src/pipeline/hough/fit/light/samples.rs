//! Samples of a picture in a ring: those pixels or cells that are close to a surface.

#![allow(unsafe_code, reason = "code for AVX2, chosen where the machine has it")]

use super::surface::{Moments, RowSums, Surface};
use crate::pipeline::hough::machine::has_avx2;

/// Lanes of a vector. Sums are kept in this many separate parts, so that every machine adds in the same order.
const LANES: usize = 8;

/// A picture's rows.
pub(super) trait Picture {
    /// Number of samples per row, and number of rows.
    fn size(&self) -> (usize, usize);
    /// The samples of a row from `from` on, in gray levels. 0 beyond the row's end.
    fn values<const N: usize>(&self, row: usize, from: usize) -> [f32; N];
}

/// A ring around a centre, in samples.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ring {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) inner: f64,
    pub(super) outer: f64,
    /// Unit in which positions are given.
    pub(super) unit: f64,
    /// Distance between the rows that are read.
    pub(super) step: usize,
}

/// Sums over the samples in a ring that are within `near` gray levels of a surface, and the number of all samples in
/// it.
pub(super) fn sum_up<P: Picture>(picture: &P, ring: &Ring, surface: &Surface, near: f32) -> (Moments, f64) {
    #[cfg(target_arch = "x86_64")]
    if has_avx2() {
        // SAFETY: the machine has AVX2.
        return unsafe { sum_up_with_avx2(picture, ring, surface, near) };
    }
    sum_up_anywhere(picture, ring, surface, near)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn sum_up_with_avx2<P: Picture>(picture: &P, ring: &Ring, surface: &Surface, near: f32) -> (Moments, f64) {
    sum_up_anywhere(picture, ring, surface, near)
}

#[inline(always)]
fn sum_up_anywhere<P: Picture>(picture: &P, ring: &Ring, surface: &Surface, near: f32) -> (Moments, f64) {
    let (width, height) = picture.size();
    let (mut moments, mut all) = (Moments::default(), 0.0);
    let rows = span(ring.y, ring.outer, height);
    for row in rows.step_by(ring.step.max(1)) {
        let dy = row as f64 - ring.y;
        let half = (ring.outer * ring.outer - dy * dy).max(0.0).sqrt();
        let y = dy / ring.unit;
        let (sums, seen) = along_row(picture, ring, row, span(ring.x, half, width), surface.along(y), near);
        moments.add(&sums, y);
        all += seen;
    }
    (moments, all)
}

#[inline(always)]
fn along_row<P: Picture>(
    picture: &P,
    ring: &Ring,
    row: usize,
    columns: std::ops::Range<usize>,
    [level, slope, bend]: [f32; 3],
    near: f32,
) -> (RowSums, f64) {
    let dy = (row as f64 - ring.y) as f32;
    let (per_unit, first) = ((1.0 / ring.unit) as f32, (columns.start as f64 - ring.x) as f32);
    let (inner, outer) = ((ring.inner * ring.inner) as f32, (ring.outer * ring.outer) as f32);
    let mut sums = [[0.0f32; LANES]; 10];
    for at in columns.clone().step_by(LANES) {
        let values: [f32; LANES] = picture.values(row, at);
        let left = columns.end - at;
        for lane in 0..LANES {
            let dx = first + (at - columns.start + lane) as f32;
            let square = dx * dx + dy * dy;
            let within = square >= inner && square <= outer && lane < left;
            let x = dx * per_unit;
            let value = values[lane];
            let off = value - (level + x * (slope + x * bend));
            let seen = if within { 1.0 } else { 0.0 };
            let weight = if off.abs() <= near { seen } else { 0.0 };
            let (wx, wv) = (weight * x, weight * value);
            let (wxx, wxv) = (wx * x, wx * value);
            let wxxx = wxx * x;
            let terms = [weight, wx, wxx, wxxx, wxxx * x, wv, wxv, wxx * value, wv * value, seen];
            for (sum, term) in sums.iter_mut().zip(terms) {
                sum[lane] += term;
            }
        }
    }
    let [s0, s1, s2, s3, s4, v0, v1, v2, squares, seen] =
        sums.map(|lanes| lanes.iter().map(|&lane| f64::from(lane)).sum());
    (RowSums { places: [s0, s1, s2, s3, s4], values: [v0, v1, v2], squares }, seen)
}

/// Range of the `n` samples that lie within `half` of a position.
fn span(at: f64, half: f64, n: usize) -> std::ops::Range<usize> {
    let from = (at - half).ceil().max(0.0) as usize;
    from.min(n)..((at + half).floor() + 1.0).clamp(0.0, n as f64) as usize
}
