//! Blur of the optics: a Gaussian point spread, applied before the sensor.
//!
//! The picture is computed on a grid of `fine × fine` cells per pixel, area-exact in each cell. There it is convolved
//! with the sampled Gaussian, and averaged over the cells of each pixel. Only the sampling of the Gaussian is an
//! approximation. Its standard deviation is at least two cells of the grid, down to a blur of ¼ px; below that the
//! pixel's own extent of 1/√12 px hides the error. The Gaussian ends at five standard deviations.

use super::plane::{Plane, Region};
use super::recycled::Recycled;

/// Minimum number of cells per standard deviation.
const CELLS_PER_SIGMA: f64 = 2.0;

/// Maximum number of cells along a pixel's side.
const MOST_CELLS: usize = 8;

/// Standard deviations at which the Gaussian ends. Beyond them are 6e-7 of its weight and 1.5e-5 of its variance.
const REACH: f64 = 5.0;

/// The point spread of a lens.
#[derive(Clone, Debug)]
pub(super) struct Optics {
    /// Cells along a pixel's side; 1 without blur.
    pub(super) fine: usize,
    /// How far light spreads, in px, rounded up; 0 without blur.
    pub(super) reach: usize,
    /// Weights on the grid of cells, an odd number of them; empty without blur.
    cells: Vec<f32>,
    /// Weights from one texel to the pixels around it; empty without blur.
    texels: Vec<f32>,
}

impl Optics {
    /// A blur with the standard deviation `sigma` in px.
    pub(super) fn new(sigma: f64) -> Self {
        if sigma <= 0.0 {
            return Self { fine: 1, reach: 0, cells: Vec::new(), texels: Vec::new() };
        }
        let fine = ((CELLS_PER_SIGMA / sigma).ceil() as usize).clamp(1, MOST_CELLS);
        let cells = gaussian(sigma * fine as f64);
        let texels = between_texels(&cells, fine);
        Self { fine, reach: texels.len() / 2, cells: to_f32(&cells), texels: to_f32(&texels) }
    }

    /// Blurs light given on the grid of cells, which covers the pixels of `region`. Returns the pixels of `out`.
    pub(super) fn image_of_cells(&self, region: Region, cells: Recycled<f32>, out: Region) -> Plane {
        let (width, height) = (region.width * self.fine, region.height * self.fine);
        let blurred = if self.cells.is_empty() { cells } else { convolved(&cells, width, height, &self.cells) };
        if self.fine == 1 && out == region {
            return Plane { region, values: blurred };
        }
        let share = 1.0 / (self.fine * self.fine) as f32;
        let average = |x: i64, y: i64| {
            if !(region.columns().contains(&x) && region.rows().contains(&y)) {
                return 0.0;
            }
            let (x, y) = ((x - region.left) as usize * self.fine, (y - region.top) as usize * self.fine);
            let lines = (y..y + self.fine).map(|row| &blurred[row * width + x..][..self.fine]);
            lines.flatten().sum::<f32>() * share
        };
        Plane::from_fn(out, average)
    }

    /// Blurs a picture of texels, squares of even light. The result is valid from [`Self::reach`] px inside its edges.
    pub(super) fn image_of_texels(&self, texels: Plane) -> Plane {
        if self.texels.is_empty() {
            return texels;
        }
        let Region { width, height, .. } = texels.region;
        Plane { region: texels.region, values: convolved(&texels.values, width, height, &self.texels) }
    }
}

/// The Gaussian sampled at integers, scaled to a sum of 1.
fn gaussian(sigma: f64) -> Vec<f64> {
    let reach = (REACH * sigma).ceil() as i64;
    let weight = |cell: i64| {
        let z = cell as f64 / sigma;
        libm::exp(-z * z / 2.0)
    };
    let weights: Vec<f64> = (-reach..=reach).map(weight).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// The share of a texel's light that reaches each pixel around it: the light is spread over the texel's cells, blurred,
/// and averaged over the pixel's cells.
fn between_texels(cells: &[f64], fine: usize) -> Vec<f64> {
    let (fine, reach) = (fine as i64, cells.len() as i64 / 2);
    let places = (reach + fine - 1) / fine + 1;
    let cell = |offset: i64| usize::try_from(offset + reach).ok().and_then(|index| cells.get(index)).unwrap_or(&0.0);
    let weight = |place: i64| {
        let pairs = (0..fine).flat_map(|to| (0..fine).map(move |from| place * fine + to - from));
        pairs.map(cell).sum::<f64>() / fine as f64
    };
    (-places..=places).map(weight).collect()
}

fn to_f32(weights: &[f64]) -> Vec<f32> {
    weights.iter().map(|&weight| weight as f32).collect()
}

/// Convolves along rows, then along columns. There is no light beyond the edges.
fn convolved(values: &[f32], width: usize, height: usize, weights: &[f32]) -> Recycled<f32> {
    let reach = weights.len() / 2;
    let mut along_rows = Recycled::filled(values.len(), 0.0);
    for (out, row) in along_rows.chunks_exact_mut(width.max(1)).zip(values.chunks_exact(width.max(1))) {
        // Rows without light are common, and stay without light.
        if row.iter().all(|&value| value == 0.0) {
            continue;
        }
        for (tap, &weight) in weights.iter().enumerate() {
            // out[x] += weight · row[x + tap − reach], if that index is in the row.
            let (to, from) = (reach.saturating_sub(tap), tap.saturating_sub(reach));
            let count = width.saturating_sub(to.max(from));
            add_scaled(&mut out[to.min(width)..], &row[from.min(width)..], count, weight);
        }
    }
    let mut result = Recycled::filled(values.len(), 0.0);
    for y in 0..height {
        let out = &mut result[y * width..(y + 1) * width];
        for (tap, &weight) in weights.iter().enumerate() {
            let Some(from) = (y + tap).checked_sub(reach).filter(|&from| from < height) else { continue };
            add_scaled(out, &along_rows[from * width..], width, weight);
        }
    }
    result
}

/// Adds `weight` times the first `count` values of `from` to the first of `to`.
fn add_scaled(to: &mut [f32], from: &[f32], count: usize, weight: f32) {
    for (to, from) in to[..count].iter_mut().zip(&from[..count]) {
        *to += weight * from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variance(weights: &[f64]) -> f64 {
        let middle = (weights.len() / 2) as f64;
        weights.iter().enumerate().map(|(index, weight)| weight * (index as f64 - middle).powi(2)).sum()
    }

    #[test]
    fn the_point_spread_has_the_variance_and_sum_of_its_gaussian() {
        for sigma in [0.25, 0.5, 1.0, 1.7, 4.0, 50.0] {
            let optics = Optics::new(sigma);
            let fine = optics.fine as f64;
            let cells = gaussian(sigma * fine);
            assert!((cells.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            let got = variance(&cells) / (fine * fine);
            assert!((got / (sigma * sigma) - 1.0).abs() < 2e-5, "σ {sigma}: σ² {got}");
            // The extents of a texel and of the pixel that sees it add 1/12 px² each to the variance, less a little for
            // the grid of cells. At whole pixels that is exact only where the Gaussian smooths the corners of the two.
            let texels = between_texels(&cells, optics.fine);
            let extent = (1.0 - 1.0 / (fine * fine)) / 6.0;
            assert!((texels.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            let corners = if sigma < 1.0 { 0.05 } else { 1e-6 };
            assert!((variance(&texels) - got - extent).abs() < corners, "σ {sigma}: {}", variance(&texels));
        }
    }

    #[test]
    fn a_point_becomes_the_point_spread_and_keeps_its_light() {
        let region = Region { left: -3, top: 5, width: 41, height: 31 };
        let optics = Optics::new(2.0);
        let mut point = Plane::zeros(region);
        point.row_mut(20)[20] = 100.0;
        let spread = optics.image_of_cells(region, point.values.clone(), region);
        let weights = gaussian(2.0);
        for (x, y) in [(17, 20), (18, 20), (17, 23), (15, 17)] {
            let expected = 100.0 * weights[(x - 17 + 10) as usize] * weights[(y - 20 + 10) as usize];
            assert!((f64::from(spread.at(x, y)) - expected).abs() < 1e-5, "({x}, {y})");
        }
        assert!((spread.values.iter().sum::<f32>() - 100.0).abs() < 1e-3);
        assert_eq!(optics.image_of_texels(point).values, spread.values);
    }

    #[test]
    fn blur_does_not_change_a_plane_of_light() {
        let region = Region { left: 0, top: 0, width: 60, height: 60 };
        for sigma in [0.4, 1.0, 3.0] {
            let optics = Optics::new(sigma);
            let plane = Plane::from_fn(region, |x, y| 50.0 + 0.1 * x as f32 - 0.05 * y as f32);
            let blurred = optics.image_of_texels(plane.clone());
            for (x, y) in [(30, 30), (25, 33), (20, 39)] {
                assert!((blurred.at(x, y) - plane.at(x, y)).abs() < 1e-4, "σ {sigma}");
            }
        }
    }
}
