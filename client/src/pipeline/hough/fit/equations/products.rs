//! The products of the columns, summed over each sector's pixels, in the one pass that an iteration takes.

use super::columns::{BLOCK, COLUMNS, Columns, DISC, RADIUS, RESIDUAL, STILL_COLUMNS};
use super::model::Model;
use super::sums::{SectorSums, pair};
use crate::pipeline::hough::fit::pixels::annulus::{Annulus, LANES};

#[cfg(test)]
mod tests;

/// In front of clutter, residuals beyond this many sigmas have no weight (Tukey's biweight). With 6, noise keeps 98 %
/// of the information; the usual 4.685 would keep 95 % (Holland and Welsch, Communications in Statistics 6(9) 1977).
pub(crate) const TUKEY_SIGMAS: f32 = 6.0;

/// A vector.
pub(crate) type Lanes = [f32; LANES];

/// Sums up every sector. `per_sigma`, in 1 / gray levels, scales the weights of the residuals. With 0, all weights are
/// equal.
///
/// `fold` sums the lanes of eight vectors, each vector separately.
#[inline(always)]
pub(crate) fn sum_sectors(
    annulus: &Annulus,
    model: &Model,
    per_sigma: f32,
    sums: &mut [SectorSums],
    fold: impl Fn(&[Lanes; LANES]) -> Lanes + Copy,
) {
    match model.columns() {
        STILL_COLUMNS => sum_columns::<STILL_COLUMNS, 2>(annulus, model, per_sigma, sums, fold),
        _ => sum_columns::<COLUMNS, 6>(annulus, model, per_sigma, sums, fold),
    }
}

/// Sums up every sector with `C` columns, whose products fill `V` times eight vectors.
#[inline(always)]
fn sum_columns<const C: usize, const V: usize>(
    annulus: &Annulus,
    model: &Model,
    per_sigma: f32,
    sums: &mut [SectorSums],
    fold: impl Fn(&[Lanes; LANES]) -> Lanes + Copy,
) {
    let mut columns: Columns = [[0.0; BLOCK]; COLUMNS];
    for (k, sums) in sums.iter_mut().enumerate().take(annulus.sectors) {
        sums.products[..V * LANES].fill(0.0);
        (sums.weight, sums.edge, sums.side) = (0.0, 0.0, 0.0);
        sums.pixels = annulus.count(k) as f64;
        let span = annulus.span(k);
        for from in span.clone().step_by(BLOCK) {
            let n = BLOCK.min(span.end - from);
            model.fill(&mut columns, annulus, model.ground[k], from, n);
            if per_sigma > 0.0 {
                let extra = [dot(&columns[RADIUS], &columns[RADIUS], n), dot(&columns[DISC], &columns[DISC], n)];
                let real = &annulus.weight[from..from + n];
                let roots = weigh::<C>(&mut columns, n, per_sigma / TUKEY_SIGMAS, real);
                let mut lanes = [[0.0; LANES]; LANES];
                (lanes[0], lanes[1], lanes[2]) = (extra[0], extra[1], roots);
                let [edge, side, weight, ..] = fold(&lanes);
                sums.edge += f64::from(edge);
                sums.side += f64::from(side);
                sums.weight += f64::from(weight);
            }
            let mut add = |eight: usize, lanes: [Lanes; LANES]| {
                let products = sums.products[eight * LANES..(eight + 1) * LANES].iter_mut();
                products.zip(fold(&lanes)).for_each(|(product, part)| *product += f64::from(part));
            };
            add(0, dots::<C, 0, COLUMNS>(&columns, n));
            add(1, dots::<C, 1, COLUMNS>(&columns, n));
            if V > 2 {
                add(2, dots::<C, 2, COLUMNS>(&columns, n));
                add(3, dots::<C, 3, COLUMNS>(&columns, n));
                add(4, dots::<C, 4, COLUMNS>(&columns, n));
                add(5, dots::<C, 5, COLUMNS>(&columns, n));
            }
        }
        if per_sigma <= 0.0 {
            sums.weight = sums.pixels;
            (sums.edge, sums.side) = (sums.at(RADIUS, RADIUS), sums.at(DISC, DISC));
        }
    }
}

/// Multiplies the columns by the square roots of the pixels' weights. Returns the sums of the weights.
#[inline(always)]
fn weigh<const C: usize>(columns: &mut Columns, n: usize, scale: f32, real: &[f32]) -> Lanes {
    let n = n.min(BLOCK);
    let mut roots = [0.0; BLOCK];
    for ((root, residual), real) in roots[..n].iter_mut().zip(&columns[RESIDUAL][..n]).zip(&real[..n]) {
        let ratio = residual * scale;
        *root = (1.0 - ratio * ratio).max(0.0) * real;
    }
    for column in &mut columns[..C] {
        column[..n].iter_mut().zip(&roots[..n]).for_each(|(value, root)| *value *= root);
    }
    dot(&roots, &roots, n)
}

/// The dot products of slots `8 E..8 E + 8` of the first `n` elements of `C` out of `N` columns, in whole vectors. The
/// lanes are not summed.
#[inline(always)]
pub(crate) fn dots<const C: usize, const E: usize, const N: usize>(
    columns: &[[f32; BLOCK]; N],
    n: usize,
) -> [Lanes; LANES] {
    let pairs: [(usize, usize); LANES] = const {
        let mut pairs = [(0, 0); LANES];
        let mut k = 0;
        while k < LANES {
            pairs[k] = pair(E * LANES + k);
            k += 1;
        }
        pairs
    };
    let n = n.min(BLOCK);
    let mut lanes = [[0.0f32; LANES]; LANES];
    for at in (0..n).step_by(LANES) {
        for k in 0..LANES {
            let (i, j) = pairs[k];
            if j < C {
                let (a, b) = (&columns[i][at..at + LANES], &columns[j][at..at + LANES]);
                for l in 0..LANES {
                    lanes[k][l] += a[l] * b[l];
                }
            }
        }
    }
    lanes
}

/// The dot product of the first `n` elements, in whole vectors. The lanes are not summed.
#[inline(always)]
fn dot(a: &[f32; BLOCK], b: &[f32; BLOCK], n: usize) -> Lanes {
    let n = n.min(BLOCK);
    let (a, _) = a[..n].as_chunks::<LANES>();
    let (b, _) = b[..n].as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            lanes[i] += a[i] * b[i];
        }
    }
    lanes
}

/// Sums the lanes of eight vectors, in the order in which vector machines add neighbours.
pub(crate) fn fold(lanes: &[Lanes; LANES]) -> Lanes {
    lanes.map(|[a, b, c, d, e, f, g, h]| ((a + b) + (c + d)) + ((e + f) + (g + h)))
}
