//! How much of a pixel several discs cover together. Each point counts once.
//!
//! If at most one outline crosses the pixel, the area is exact, in closed form ([`coverage`]): the pixel is inside a
//! disc, on the rim of a single disc, or outside all discs. If several outlines cross it, the pixel is divided into
//! four parts, and so on, until at most one outline crosses each part. After [`DEEPEST`] divisions only the parts
//! around the points where outlines meet are left. There the union is at least the largest share and at most the sum of
//! the shares, and the middle of these two bounds is taken.

use shared::geometry::Circle;
use smallvec::SmallVec;

use super::coverage::coverage;

/// Discs near each other. More than eight are rare.
pub(super) type Discs = SmallVec<[Circle; 8]>;

/// Maximum depth to which a pixel is divided. Two outlines that cross at an angle leave about four parts of 4⁻⁷ px²,
/// each with an error of at most a quarter. Together that is 6 · 10⁻⁵ of a pixel, which is below the exposure's 10⁻⁴.
/// Two outlines that touch leave about 2^(7 / 2) parts, with an error of 2 · 10⁻⁴.
const DEEPEST: u32 = 7;

/// Shares this close to 0 or 1 count as 0 or 1: the difference is a rounding error.
const ROUNDING: f64 = 1e-12;

/// Area of the union of the discs inside the pixel at (column, row), in `[0, 1]` px².
pub(super) fn union(discs: &[Circle], (column, row): (i64, i64)) -> f64 {
    part(discs, (column, row), DEEPEST)
}

/// Whether a disc reaches into the pixel at (column, row).
pub(super) fn touches(disc: Circle, (column, row): (i64, i64)) -> bool {
    let away = |pixel: i64, centre: f64| ((pixel as f64 - centre).abs() - 0.5).max(0.0);
    let (x, y) = (away(column, disc.x), away(row, disc.y));
    x * x + y * y < disc.radius * disc.radius
}

/// Whether the whole pixel is inside the disc, as most pixels are that the disc touches. Cheaper than the coverage.
fn holds(disc: Circle, (column, row): (i64, i64)) -> bool {
    let away = |pixel: i64, centre: f64| (pixel as f64 - centre).abs() + 0.5;
    let (x, y) = (away(column, disc.x), away(row, disc.y));
    x * x + y * y <= disc.radius * disc.radius
}

/// Whether two discs may touch the same pixel, or the same part of one. True for all that do, and for some others: the
/// margin of 2 px exceeds the diagonal of a pixel, √2.
pub(super) fn may_share_a_pixel(one: Circle, other: Circle) -> bool {
    let (x, y) = (one.x - other.x, one.y - other.y);
    let reach = one.radius + other.radius + 2.0;
    x * x + y * y < reach * reach
}

fn part(discs: &[Circle], (column, row): (i64, i64), divisions: u32) -> f64 {
    let mut crossing = Discs::new();
    let (mut sum, mut largest) = (0.0, 0.0_f64);
    for &disc in discs.iter().filter(|disc| touches(**disc, (column, row))) {
        if holds(disc, (column, row)) {
            return 1.0;
        }
        let share = coverage(disc, column, row);
        if share >= 1.0 - ROUNDING {
            return 1.0;
        }
        if share > ROUNDING {
            crossing.push(disc);
            sum += share;
            largest = largest.max(share);
        }
    }
    match (crossing.len(), divisions) {
        (0 | 1, _) => sum,
        (_, 0) => (largest + f64::min(sum, 1.0)) / 2.0,
        _ => quarters(&crossing, (column, row), divisions - 1),
    }
}

/// The mean of a pixel's quarters: pixels of a grid that is twice as fine.
fn quarters(discs: &[Circle], (column, row): (i64, i64), divisions: u32) -> f64 {
    let twice = |place: f64| 2.0 * place + 0.5;
    let finer: Discs =
        discs.iter().map(|disc| Circle { x: twice(disc.x), y: twice(disc.y), radius: 2.0 * disc.radius }).collect();
    let cells = [(0, 0), (1, 0), (0, 1), (1, 1)];
    cells.map(|(right, down)| part(&finer, (2 * column + right, 2 * row + down), divisions)).iter().sum::<f64>() / 4.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn disc(x: f64, y: f64, radius: f64) -> Circle {
        Circle { x, y, radius }
    }

    /// Area of the union inside a pixel, exact along each of very many lines.
    fn by_lines(discs: &[Circle], (column, row): (i64, i64)) -> f64 {
        const LINES: u32 = 20_000;
        let line = |index: u32| {
            let y = row as f64 - 0.5 + (f64::from(index) + 0.5) / f64::from(LINES);
            let mut spans: Vec<(f64, f64)> = discs
                .iter()
                .filter(|disc| (y - disc.y).abs() < disc.radius)
                .map(|disc| {
                    let half = (disc.radius.powi(2) - (y - disc.y).powi(2)).sqrt();
                    let inside = |x: f64| x.clamp(column as f64 - 0.5, column as f64 + 0.5);
                    (inside(disc.x - half), inside(disc.x + half))
                })
                .collect();
            spans.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (mut length, mut end) = (0.0, f64::NEG_INFINITY);
            for (from, to) in spans {
                length += (to - from.max(end)).max(0.0);
                end = end.max(to);
            }
            length
        };
        (0..LINES).map(line).sum::<f64>() / f64::from(LINES)
    }

    #[test]
    fn the_union_is_the_coverage_if_one_outline_crosses_the_pixel() {
        let (one, other) = (disc(10.3, 10.8, 6.2), disc(30.1, 10.2, 7.9));
        for cell in (0..22).flat_map(|row| (0..40).map(move |column| (column, row))) {
            let (a, b) = (coverage(one, cell.0, cell.1), coverage(other, cell.0, cell.1));
            assert!(a == 0.0 || b == 0.0);
            // Shares within `ROUNDING` of 0 and 1 count as 0 and 1.
            assert!((union(&[one, other], cell) - (a + b)).abs() <= ROUNDING, "{cell:?}");
        }
    }

    #[test]
    fn a_disc_on_top_of_another_changes_nothing() {
        let (one, inner) = (disc(10.3, 10.8, 6.2), disc(10.0, 11.0, 3.0));
        for cell in (0..22).flat_map(|row| (0..22).map(move |column| (column, row))) {
            let alone = coverage(one, cell.0, cell.1);
            assert!((union(&[one, inner], cell) - alone).abs() < 1e-11, "{cell:?}");
            // The same disc twice: the two outlines meet everywhere.
            assert!((union(&[one, one], cell) - alone).abs() < 4e-3, "{cell:?}");
        }
    }

    #[test]
    fn the_pixels_of_touching_discs_add_up_to_both_areas() {
        let discs = [disc(10.3, 12.2, 6.0), disc(20.3, 12.2, 4.0)];
        let sum: f64 = (0..26).flat_map(|row| (0..30).map(move |column| (column, row))).map(|c| union(&discs, c)).sum();
        let area = std::f64::consts::PI * (36.0 + 16.0);
        assert!((sum - area).abs() < 1e-3, "{sum}, {area}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_union_agrees_with_very_many_lines(
            places in prop::collection::vec((-8.0..8.0_f64, -8.0..8.0_f64, 0.3..9.0_f64), 2..5),
        ) {
            let discs: Vec<Circle> = places.into_iter().map(|(x, y, radius)| disc(x, y, radius)).collect();
            let reference = by_lines(&discs, (0, 0));
            // The lines are off by 2 · 10⁻⁶. The union is off by the error that `DEEPEST` states, for each pair that
            // meets.
            prop_assert!((union(&discs, (0, 0)) - reference).abs() < 1e-3);
        }
    }
}
