//! Summaries of residuals: over all frames, by radius and over the image.

use shared::geometry::Size;
use shared::lens::Point;

use super::result::{CellOfImage, Residuals, Ring};

/// Rings around the centre of the image.
const RINGS: usize = 5;

/// Columns and rows of cells over the image.
pub(super) const CELLS: (usize, usize) = (8, 6);

/// A residual at a place of the image.
pub(super) type Placed = (Point, Point);

/// The part of the image that is summarised: left, top, right and bottom edge.
pub(super) fn area(size: Option<Size>, placed: &[Placed]) -> [f64; 4] {
    if let Some(Size { width, height }) = size {
        return [-0.5, -0.5, f64::from(width) - 0.5, f64::from(height) - 0.5];
    }
    let extreme = |axis: usize, start: f64, pick: fn(f64, f64) -> f64| {
        placed.iter().fold(start, |found, (place, _)| pick(found, place[axis]))
    };
    let low = [0, 1].map(|axis| extreme(axis, f64::INFINITY, f64::min));
    let high = [0, 1].map(|axis| extreme(axis, f64::NEG_INFINITY, f64::max));
    [low[0], low[1], high[0], high[1]]
}

/// Summarises the residuals.
pub(super) fn summed(residuals: impl Iterator<Item = Point>) -> Residuals {
    let (mut count, mut square, mut sum, mut l1, mut max) = (0.0, 0.0, [0.0; 2], 0.0, 0.0_f64);
    for [x, y] in residuals {
        count += 1.0;
        square += x * x + y * y;
        sum = [sum[0] + x, sum[1] + y];
        l1 += x.abs() + y.abs();
        max = max.max(x.hypot(y));
    }
    if count == 0.0 {
        return Residuals::default();
    }
    Residuals {
        rms_px: (square / count).sqrt(),
        mean_px: sum.map(|value| value / count),
        l1_mean_px: l1 / count,
        max_px: max,
    }
}

/// The residuals by distance from the middle of the area, in rings of equal width.
pub(super) fn by_radius(area: [f64; 4], placed: &[Placed]) -> Vec<Ring> {
    let middle = [(area[0] + area[2]) / 2.0, (area[1] + area[3]) / 2.0];
    let width = (area[2] - middle[0]).hypot(area[3] - middle[1]) / RINGS as f64;
    let ring = |at: usize| {
        let edges = [at as f64 * width, (at + 1) as f64 * width];
        let mut inside = Vec::new();
        for ([x, y], residual) in placed {
            let away = [x - middle[0], y - middle[1]];
            let radius = away[0].hypot(away[1]);
            if (edges[0]..edges[1]).contains(&radius) {
                let outward = (away[0] * residual[0] + away[1] * residual[1]) / radius.max(f64::MIN_POSITIVE);
                inside.push((outward, *residual));
            }
        }
        let frames = inside.len();
        let outward_px = inside.iter().map(|one| one.0).sum::<f64>() / (frames.max(1)) as f64;
        Ring { radius_px: edges, frames, outward_px, rms_px: summed(inside.iter().map(|one| one.1)).rms_px }
    };
    (0..RINGS).map(ring).filter(|ring| ring.frames > 0).collect()
}

/// The residuals by cell of the area. `uncertainty` is that of the model at a place.
pub(super) fn over_image(
    area: [f64; 4],
    placed: &[Placed],
    uncertainty: impl Fn(Point) -> Option<f64>,
) -> Vec<CellOfImage> {
    let side = [(area[2] - area[0]) / CELLS.0 as f64, (area[3] - area[1]) / CELLS.1 as f64];
    let mut inside = vec![Vec::new(); CELLS.0 * CELLS.1];
    for ([x, y], residual) in placed {
        let at = |value: f64, from: f64, side: f64, most: usize| (((value - from) / side) as usize).min(most - 1);
        inside[at(*y, area[1], side[1], CELLS.1) * CELLS.0 + at(*x, area[0], side[0], CELLS.0)].push(*residual);
    }
    let cell = |(at, residuals): (usize, Vec<Point>)| {
        let [left, top] = [area[0] + (at % CELLS.0) as f64 * side[0], area[1] + (at / CELLS.0) as f64 * side[1]];
        let sum = summed(residuals.iter().copied());
        CellOfImage {
            place_px: [left, top, left + side[0], top + side[1]],
            frames: residuals.len(),
            mean_px: sum.mean_px,
            rms_px: sum.rms_px,
            uncertainty_px: uncertainty([left + side[0] / 2.0, top + side[1] / 2.0]),
        }
    };
    inside.into_iter().enumerate().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { width: 640, height: 480 };

    #[test]
    fn residuals_are_summed_by_ring_and_cell() {
        let placed = [([319.5, 200.0], [0.0, -0.5]), ([0.0, 0.0], [-0.3, -0.4]), ([639.0, 479.0], [0.3, 0.4])];
        let area = area(Some(SIZE), &placed);
        let sum = summed(placed.iter().map(|one| one.1));
        assert!((sum.rms_px - 0.5).abs() < 1e-12 && (sum.max_px - 0.5).abs() < 1e-12, "{sum:?}");
        let rings = by_radius(area, &placed);
        assert_eq!(rings.iter().map(|ring| ring.frames).collect::<Vec<_>>(), [1, 2]);
        assert!((rings[0].outward_px - 0.5).abs() < 1e-12 && rings[1].outward_px > 0.47, "{rings:?}");
        let cells = over_image(area, &placed, |_| Some(0.1));
        assert_eq!(cells.iter().map(|cell| cell.frames).sum::<usize>(), 3);
        assert_eq!((cells[0].frames, cells[47].mean_px, cells[47].uncertainty_px), (1, [0.3, 0.4], Some(0.1)));
    }
}
