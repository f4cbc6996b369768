//! Fits an ellipse to edge points: distances of first order, with Cauchy weights.

#![allow(unsafe_code, reason = "code for AVX2, chosen where the machine has it")]

use super::arcs::MAX_ARCS;
use super::oval::{Oval, PARAMETERS};
use crate::pipeline::hough::fit::equations::cholesky::Factor;
use crate::pipeline::hough::fit::equations::columns::BLOCK;
use crate::pipeline::hough::fit::equations::products::{dots, fold};
use crate::pipeline::hough::fit::equations::sums::slot;
use crate::pipeline::hough::fit::pixels::annulus::LANES;
use crate::pipeline::hough::locate::circle::FIT_DONE_PX;
use crate::pipeline::hough::machine::for_two_machines;

/// Most steps of a fit to points. It ends earlier if a step is tiny.
pub(crate) const FIT_STEPS: usize = 8;

/// Columns of the points: the derivatives of the depth, and the depth itself.
const COLUMNS: usize = PARAMETERS + 1;

/// Number of products of the columns, in whole vectors.
const SLOTS: usize = (COLUMNS * (COLUMNS + 1) / 2).next_multiple_of(LANES);

/// Fits an ellipse to weighted points from a start, at most one for each arc. `scale_px` is the width of the weights.
pub(crate) fn fit_oval(points: &[(f64, f64)], mut oval: Oval, scale_px: f64, steps: usize) -> Option<Oval> {
    let near = Near::of(points, (oval.x, oval.y));
    for _ in 0..steps {
        let unit = oval.radius();
        let mut sums = [0.0; SLOTS];
        add_up(&near, &Outline::new(&oval, near.origin, scale_px), &mut sums);
        let product = |i: usize, j: usize| f64::from(sums[slot(i, j)]);
        let right = std::array::from_fn(|i| -product(i, PARAMETERS));
        let matrix = std::array::from_fn(|i| std::array::from_fn(|j| product(i, j)));
        let step = Factor::new(&matrix, PARAMETERS)?.solve(&right, PARAMETERS);
        oval = oval.moved(&step, unit)?;
        if step[0].hypot(step[1]) < FIT_DONE_PX && step[2..].iter().all(|part| part.abs() * unit < FIT_DONE_PX) {
            break;
        }
    }
    Some(oval)
}

/// Points in single precision, relative to an origin near them. The rest has no weight.
struct Near {
    x: [f32; MAX_ARCS],
    y: [f32; MAX_ARCS],
    weight: [f32; MAX_ARCS],
    n: usize,
    origin: (f64, f64),
}

impl Near {
    fn of(points: &[(f64, f64)], origin: (f64, f64)) -> Self {
        let n = points.len().min(MAX_ARCS);
        let mut near = Self { x: [0.0; MAX_ARCS], y: [0.0; MAX_ARCS], weight: [0.0; MAX_ARCS], n, origin };
        for (i, &(x, y)) in points[..n].iter().enumerate() {
            (near.x[i], near.y[i], near.weight[i]) = ((x - origin.0) as f32, (y - origin.1) as f32, 1.0);
        }
        near
    }
}

/// An ellipse in single precision.
struct Outline {
    x: f32,
    y: f32,
    form: [f32; 3],
    /// Factor of the derivatives with respect to the form, and the reciprocal of the weights' width.
    by_form: f32,
    per_scale: f32,
}

impl Outline {
    fn new(oval: &Oval, origin: (f64, f64), scale_px: f64) -> Self {
        Self {
            x: (oval.x - origin.0) as f32,
            y: (oval.y - origin.1) as f32,
            form: oval.form.map(|form| form as f32),
            by_form: (-0.5 * oval.radius().powi(-2)) as f32,
            per_scale: (1.0 / scale_px) as f32,
        }
    }
}

for_two_machines! {
    /// Sums the products of the points' columns, with Cauchy weights.
    fn add_up(points: &Near, oval: &Outline, sums: &mut [f32; SLOTS]) {
        let mut columns = [[0.0; BLOCK]; COLUMNS];
        let n = points.n.next_multiple_of(LANES).min(MAX_ARCS);
        let [by_x, by_y, by_xx, by_xy, by_yy, depths] = &mut columns;
        let [xx, xy, yy] = oval.form;
        for i in 0..n {
            let (dx, dy) = (points.x[i] - oval.x, points.y[i] - oval.y);
            let (gx, gy) = (xx * dx + xy * dy, xy * dx + yy * dy);
            // The depth as in `Oval::depth`.
            let level = (dx * gx + dy * gy).max(1e-12).sqrt();
            let per_slope = 1.0 / (gx * gx + gy * gy).max(1e-24).sqrt();
            let depth = (1.0 - level) * level * per_slope;
            let ratio = depth * oval.per_scale;
            let root = (points.weight[i] / (1.0 + ratio * ratio)).sqrt();
            let by_form = oval.by_form * per_slope * root;
            by_x[i] = gx * per_slope * root;
            by_y[i] = gy * per_slope * root;
            by_xx[i] = by_form * dx * dx;
            by_xy[i] = by_form * 2.0 * dx * dy;
            by_yy[i] = by_form * dy * dy;
            depths[i] = depth * root;
        }
        let mut add = |eight: usize, parts: [f32; LANES]| sums[eight * LANES..][..LANES].copy_from_slice(&parts);
        add(0, fold(&dots::<COLUMNS, 0, COLUMNS>(&columns, n)));
        add(1, fold(&dots::<COLUMNS, 1, COLUMNS>(&columns, n)));
        add(2, fold(&dots::<COLUMNS, 2, COLUMNS>(&columns, n)));
    }
}

/// The ellipse that a chain of edges lies on, by linear least squares of the conic with `A + C = 1` (Bookstein 1979).
pub(crate) fn conic(points: &[(f64, f64)]) -> Option<Oval> {
    let n = points.len() as f64;
    let (mx, my) = points.iter().fold((0.0, 0.0), |sum, p| (sum.0 + p.0 / n, sum.1 + p.1 / n));
    let size = points.iter().map(|p| (p.0 - mx).hypot(p.1 - my)).sum::<f64>() / n;
    let mut matrix = [[0.0; PARAMETERS]; PARAMETERS];
    let mut right = [0.0; PARAMETERS];
    for &(x, y) in points {
        let (x, y) = ((x - mx) / size, (y - my) / size);
        // A (x² - y²) + B xy + D x + E y + F = -y²
        let row = [x * x - y * y, x * y, x, y, 1.0];
        for i in 0..PARAMETERS {
            right[i] -= row[i] * y * y;
            for j in i..PARAMETERS {
                matrix[i][j] += row[i] * row[j];
            }
        }
    }
    let [a, b, d, e, f] = Factor::new(&matrix, PARAMETERS)?.solve(&right, PARAMETERS);
    let (b, c) = (0.5 * b, 1.0 - a);
    let determinant = a * c - b * b;
    let (x, y) = (0.5 * (b * e - c * d) / determinant, 0.5 * (b * d - a * e) / determinant);
    let level = -(f + 0.5 * (d * x + e * y));
    let per = 1.0 / (level * size * size);
    let oval = Oval { x: mx + size * x, y: my + size * y, form: [a * per, b * per, c * per] };
    (determinant > 0.0 && level > 0.0).then_some(oval).filter(|oval| oval.axes().is_some())
}

#[cfg(test)]
mod tests {
    use super::super::oval::Axes;
    use super::*;

    fn ellipse() -> Oval {
        Oval::with_axes((61.2, 47.9), Axes { a: 30.0, b: 21.0, along: (0.6, 0.8) })
    }

    fn points(oval: Oval) -> Vec<(f64, f64)> {
        let mut places = Vec::new();
        oval.outline(40, 1, &mut places);
        places.iter().map(|place| place.at).collect()
    }

    #[track_caller]
    fn assert_near(found: Oval, expected: Oval, within_px: f64) {
        let (one, other) = (found.axes().expect("an ellipse"), expected.axes().expect("an ellipse"));
        let off = [found.x - expected.x, found.y - expected.y, one.a - other.a, one.b - other.b];
        assert!(off.iter().all(|off| off.abs() < within_px), "{found:?}, not {expected:?}");
    }

    #[test]
    fn the_conic_through_points_of_an_ellipse_is_that_ellipse() {
        assert_near(conic(&points(ellipse())).expect("a conic"), ellipse(), 1e-5);
    }

    #[test]
    fn distant_points_do_not_move_the_ellipse() {
        let mut points = points(ellipse());
        points[..8].iter_mut().for_each(|point| point.0 += 15.0);
        let start = Oval::with_axes((62.0, 47.0), Axes { a: 29.0, b: 22.5, along: (0.7, 0.714_142_842_854_285) });
        // A fifth of the points pull with weights below 1 / 100.
        assert_near(fit_oval(&points, start, 0.5, 20).expect("an ellipse"), ellipse(), 0.1);
    }

    #[test]
    fn derivatives_of_the_depth_are_difference_quotients_on_the_outline() {
        let (oval, step) = (ellipse(), 1e-5);
        let scale = oval.radius();
        for (x, y) in points(oval) {
            let (_, by) = oval.depth(x, y, scale);
            for i in 0..PARAMETERS {
                let change = |by: f64| {
                    let mut step = [0.0; PARAMETERS];
                    step[i] = by;
                    oval.moved(&step, scale).expect("an ellipse").depth(x, y, scale).0
                };
                let quotient = (change(step) - change(-step)) / (2.0 * step);
                assert!((quotient - by[i]).abs() < 1e-4 * (1.0 + quotient.abs()), "{i}: {quotient} {}", by[i]);
            }
        }
    }
}
