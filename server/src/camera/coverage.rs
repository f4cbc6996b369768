//! How much of a pixel a disc covers, exactly.
//!
//! The pixel of column c and row r is the unit square `[c − ½, c + ½] × [r − ½, r + ½]`. The area of its
//! intersection with the disc is computed in closed form; nothing is sampled. Only + − × ÷ and √ are used. IEEE 754
//! rounds all of them exactly, so every machine gets the same bits.

use shared::geometry::Circle;

/// Area of the disc inside the pixel at `column` and `row`, in `[0, 1]` px². The radius must be positive.
pub(super) fn coverage(disc: Circle, column: i64, row: i64) -> f64 {
    let x = fold(column as f64 - 0.5 - disc.x, column as f64 + 0.5 - disc.x);
    let y = fold(row as f64 - 0.5 - disc.y, row as f64 + 0.5 - disc.y);
    let part = |x, y| quadrant_area(disc.radius, x, y);
    let area = match (x, y) {
        ((x, None), (y, None)) => part(x, y),
        ((x, Some(x2)), (y, None)) => part(x, y) + part(x2, y),
        ((x, None), (y, Some(y2))) => part(x, y) + part(x, y2),
        ((x, Some(x2)), (y, Some(y2))) => part(x, y) + part(x2, y) + part(x, y2) + part(x2, y2),
    };
    area.clamp(0.0, 1.0)
}

/// Derivatives of a pixel's covered area with respect to the disc's place and size, in px² per px.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Slopes {
    /// By the centre's x: the height of the rim inside the pixel, negative left of the centre.
    pub(super) x: f64,
    /// By the centre's y: the width of the rim inside the pixel, negative above the centre.
    pub(super) y: f64,
    /// By the radius: the length of the rim inside the pixel.
    pub(super) radius: f64,
}

/// [`coverage`] and its derivatives. Those by x and y are exact; the one by the radius has a relative error of the
/// order of `(chord / 2r)⁴`.
pub(super) fn coverage_and_slopes(disc: Circle, column: i64, row: i64) -> (f64, Slopes) {
    let sides = |low: f64, high: f64| match fold(low, high) {
        (part, Some(other)) => [Some((part, 1.0)), Some((other, -1.0))],
        (part, None) => [Some((part, if low >= 0.0 { 1.0 } else { -1.0 })), None],
    };
    let columns = sides(column as f64 - 0.5 - disc.x, column as f64 + 0.5 - disc.x);
    let rows = sides(row as f64 - 0.5 - disc.y, row as f64 + 0.5 - disc.y);
    let (mut covered, mut slopes) = (0.0, Slopes::default());
    for (x, right) in columns.into_iter().flatten() {
        for (y, down) in rows.into_iter().flatten() {
            let Quadrant { area, run, rise } = quadrant(disc.radius, x, y);
            let chord_squared = run * run + rise * rise;
            covered += area;
            slopes.x += right * rise;
            slopes.y += down * run;
            // An arc is longer than its chord c by the factor 1 + (c / 2r)² / 6, up to higher powers.
            slopes.radius += chord_squared.sqrt() * (1.0 + chord_squared / (24.0 * disc.radius * disc.radius));
        }
    }
    (covered.clamp(0.0, 1.0), slopes)
}

/// Half the chord of a disc at a distance from its centre; 0 outside the disc.
pub(super) fn half_chord(radius: f64, distance: f64) -> f64 {
    // In factors, because `r² − d²` would lose digits near the rim.
    ((radius - distance) * (radius + distance)).max(0.0).sqrt()
}

/// The interval folded onto the positive half-axis: in two parts if 0 is inside it.
fn fold(low: f64, high: f64) -> ((f64, f64), Option<(f64, f64)>) {
    if low >= 0.0 {
        ((low, high), None)
    } else if high <= 0.0 {
        ((-high, -low), None)
    } else {
        ((0.0, high), Some((0.0, -low)))
    }
}

/// The part of a disc about the origin inside a rectangle of the first quadrant.
struct Quadrant {
    /// Covered area, in px².
    area: f64,
    /// Width of the part of the rim inside, in px.
    run: f64,
    /// Height of the part of the rim inside, in px.
    rise: f64,
}

fn quadrant_area(radius: f64, x: (f64, f64), y: (f64, f64)) -> f64 {
    quadrant(radius, x, y).area
}

/// Area and rim of a disc about the origin inside a rectangle of the first quadrant.
///
/// In this quadrant the rim is the falling curve `x = s(y) = √(r² − y²)`. It crosses the rectangle's right side at
/// `y = s(x1)` and the left side at `y = s(x0)`:
///
/// ```text
/// area = (x1 − x0)(a − y0) + ∫ₐᵇ (s(y) − x0) dy    a, b = s(x1), s(x0) clamped to [y0, y1]
/// ```
///
/// The integral is a trapezium under the chord plus the segment between chord and arc.
fn quadrant(radius: f64, (x0, x1): (f64, f64), (y0, y1): (f64, f64)) -> Quadrant {
    let a = half_chord(radius, x1).clamp(y0, y1);
    let b = half_chord(radius, x0).clamp(y0, y1);
    let width_at_a = half_chord(radius, a).clamp(x0, x1) - x0;
    let width_at_b = half_chord(radius, b).clamp(x0, x1) - x0;
    let (run, rise) = (width_at_a - width_at_b, b - a);
    let trapezium = (width_at_a + width_at_b) / 2.0 * rise;
    let area = (x1 - x0) * (a - y0) + trapezium + segment_area(radius, run * run + rise * rise);
    Quadrant { area, run, rise }
}

/// Square of chord over diameter up to which the series below is used. The terms it leaves out are then under
/// 10⁻¹⁷ r².
const SHORT_CHORD_SQUARED: f64 = 1.0 / 256.0;

/// Coefficients of `asin u − u√(1 − u²) = u³ Σ cₙ u²ⁿ`, where `cₙ = 2 C(2n, n) / (4ⁿ (2n + 3))`.
const SEGMENT_SERIES: [f64; 5] = [2.0 / 3.0, 1.0 / 5.0, 3.0 / 28.0, 5.0 / 72.0, 35.0 / 704.0];

/// Area between a chord and the shorter arc over it. The chord is at most a diameter and is given by its square.
///
/// With `u = chord / 2r` the area is `r² (asin u − u√(1 − u²))`. Short chords use the series. The segment of a longer
/// chord is divided: into a triangle on the chord, and two segments on the other sides of that triangle.
fn segment_area(radius: f64, chord_squared: f64) -> f64 {
    let mut u_squared = chord_squared / (4.0 * radius * radius);
    let mut copies = 1.0;
    let mut triangles = 0.0;
    while u_squared > SHORT_CHORD_SQUARED {
        let cosine = (1.0 - u_squared).max(0.0).sqrt();
        triangles += copies * u_squared * u_squared.sqrt() / (1.0 + cosine);
        u_squared /= 2.0 * (1.0 + cosine);
        copies *= 2.0;
    }
    let series = SEGMENT_SERIES.iter().rev().fold(0.0, |sum, term| sum * u_squared + term);
    radius * radius * (triangles + copies * u_squared * u_squared.sqrt() * series)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use proptest::prelude::*;

    use super::*;

    /// Every pixel that the disc can touch.
    fn pixels(disc: Circle) -> impl Iterator<Item = (i64, i64)> {
        let span =
            move |centre: f64| (centre - disc.radius).floor() as i64 - 1..=(centre + disc.radius).ceil() as i64 + 1;
        span(disc.y).flat_map(move |row| span(disc.x).map(move |column| (column, row)))
    }

    /// Share of an n × n grid of points in the pixel that is inside the disc. The rim crosses fewer than 2n of the
    /// n² cells. Each of them counts wholly or not at all, so the error is less than 2 / n.
    fn sampled(disc: Circle, column: i64, row: i64, n: u32) -> f64 {
        let offset = |i: u32| (f64::from(i) + 0.5) / f64::from(n) - 0.5;
        let inside = |(i, j): &(u32, u32)| {
            let (dx, dy) = (column as f64 + offset(*i) - disc.x, row as f64 + offset(*j) - disc.y);
            dx * dx + dy * dy <= disc.radius * disc.radius
        };
        let hits = (0..n).flat_map(|j| (0..n).map(move |i| (i, j))).filter(inside).count();
        hits as f64 / f64::from(n * n)
    }

    #[test]
    fn a_segment_is_the_sector_without_the_triangle() {
        for angle in [1e-3, 0.1, 0.125, 0.13, 0.5, 1.0, PI / 2.0, 3.0, PI] {
            let chord = 6.0 * (angle / 2.0_f64).sin();
            let area = segment_area(3.0, chord * chord);
            let expected = 4.5 * (angle - angle.sin());
            assert!((area - expected).abs() < 1e-14, "{angle} rad: {area}, expected {expected}");
        }
    }

    #[test]
    fn a_disc_inside_one_pixel_covers_its_own_area() {
        for (x, y) in [(3.0, 5.0), (3.25, 4.75), (2.9, 5.1)] {
            let area = coverage(Circle { x, y, radius: 0.25 }, 3, 5);
            assert!((area - PI / 16.0).abs() < 1e-15, "{area}");
        }
    }

    #[test]
    fn a_disc_on_a_corner_is_shared_by_four_pixels() {
        let disc = Circle { x: 3.5, y: 5.5, radius: 0.8 };
        for (column, row) in [(3, 5), (4, 5), (3, 6), (4, 6)] {
            assert!((coverage(disc, column, row) - PI * 0.16).abs() < 1e-15);
        }
    }

    #[test]
    fn a_pixel_is_covered_wholly_partly_or_not_at_all() {
        let disc = Circle { x: 0.0, y: 0.0, radius: 10.0 };
        assert_eq!(coverage(disc, 0, 0), 1.0);
        assert_eq!(coverage(disc, 6, 6), 1.0);
        assert_eq!(coverage(disc, 11, 0), 0.0);
        assert_eq!(coverage(disc, 8, 8), 0.0);
        assert!((0.4..0.6).contains(&coverage(disc, 10, 0)));
    }

    proptest! {
        #[test]
        fn the_coverage_agrees_with_counting_points(
            (x, y) in (-0.5..0.5, -0.5..0.5),
            radius in prop_oneof![0.05..3.0, 3.0..30.0],
        ) {
            const N: u32 = 64;
            let disc = Circle { x, y, radius };
            for (column, row) in pixels(disc) {
                let (exact, counted) = (coverage(disc, column, row), sampled(disc, column, row, N));
                prop_assert!((exact - counted).abs() < 2.0 / f64::from(N), "({column}, {row}): {exact}, {counted}");
            }
        }

        #[test]
        fn slopes_are_the_derivatives_of_the_coverage(
            (x, y) in (-0.5..0.5, -0.5..0.5),
            radius in 2.0..40.0,
        ) {
            // Central differences have an error of h² / 6 times the third derivative. But the second derivative jumps
            // where the rim meets a pixel's corner. Where the rim is tangent to an edge, the first derivative changes
            // as a square root does.
            const H: f64 = 1e-5;
            let disc = Circle { x, y, radius };
            for (column, row) in pixels(disc) {
                let step = |more: Circle, less: Circle| {
                    (coverage(more, column, row) - coverage(less, column, row)) / (2.0 * H)
                };
                let (area, found) = coverage_and_slopes(disc, column, row);
                prop_assert!((area - coverage(disc, column, row)).abs() < 1e-14);
                let by_x = step(Circle { x: x + H, ..disc }, Circle { x: x - H, ..disc });
                let by_y = step(Circle { y: y + H, ..disc }, Circle { y: y - H, ..disc });
                let by_radius = step(Circle { radius: radius + H, ..disc }, Circle { radius: radius - H, ..disc });
                let tangent = 3.0 * (radius * H).sqrt();
                prop_assert!((found.x - by_x).abs() < tangent, "{found:?}, x {by_x}");
                prop_assert!((found.y - by_y).abs() < tangent, "{found:?}, y {by_y}");
                prop_assert!((found.radius - by_radius).abs() < tangent + 1e-3, "{found:?}, radius {by_radius}");
            }
        }

        #[test]
        fn pixels_add_up_to_the_area_of_the_disc(
            (x, y) in (-1000.0..1000.0, -1000.0..1000.0),
            radius in prop_oneof![0.01..2.0, 2.0..60.0],
        ) {
            let disc = Circle { x, y, radius };
            let sum: f64 = pixels(disc).map(|(column, row)| coverage(disc, column, row)).sum();
            prop_assert!((sum - PI * radius * radius).abs() < 1e-9, "off by {}", sum - PI * radius * radius);
        }

        #[test]
        fn mirrored_discs_cover_mirrored_pixels(
            (x, y) in (-0.5..0.5, -0.5..0.5),
            radius in 0.1..20.0,
            (column, row) in (-20_i64..20, -20_i64..20),
        ) {
            let here = coverage(Circle { x, y, radius }, column, row);
            let there = coverage(Circle { x: -y, y: x, radius }, -row, column);
            // The formula treats x and y differently, on lengths up to 30 px: they differ by a few dozen last bits.
            prop_assert!((here - there).abs() < 1e-13, "{here}, {there}");
        }
    }
}
