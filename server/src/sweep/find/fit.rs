//! A line through the logarithm of a figure near its limit, and where the line crosses the limit.
//!
//! Near the limit, misses and errors grow by equal ratios. Counts of misses are fitted by Poisson regression (P.
//! McCullagh and J. A. Nelder, "Generalized Linear Models", 6), means by weighted least squares. The interval of the
//! crossing is Fieller's: the values at which the line does not differ significantly from the limit (E. C. Fieller, J.
//! R. Stat. Soc. B 16, 1954).

use crate::sweep::marks::Measure;

/// Steps of Newton's method. It converges quadratically.
const STEPS: usize = 30;

/// The 97.5 % quantile of the normal distribution: 95 % between the bounds.
const NORMAL_95: f64 = 1.959_964;

/// A value of the axis with its figure.
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) measure: Measure,
}

/// Where the line crosses the limit, with the ends of the 95 % interval.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) place: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// Where the figure crosses the limit. `None` if the points do not show it.
pub(super) fn crossing(points: &[Point], limit: f64) -> Option<Line> {
    if points.len() < 2 || limit <= 0.0 {
        return None;
    }
    // Centred on the middle, the two coefficients are nearly uncorrelated.
    let middle = points.iter().map(|point| point.x).sum::<f64>() / points.len() as f64;
    let ([level, slope], inverse) = fitted(points, middle)?;
    let offset = level - limit.ln();
    let place = -offset / slope;
    // Fieller: (offset + slope t)² ≤ z² (v00 + 2 v01 t + v11 t²), a quadratic in t.
    let z2 = NORMAL_95 * NORMAL_95;
    let (a, b, c) =
        (slope * slope - z2 * inverse[2], 2.0 * (offset * slope - z2 * inverse[1]), offset * offset - z2 * inverse[0]);
    let root = (b * b - 4.0 * a * c).sqrt();
    let ends = [(-b - root) / (2.0 * a), (-b + root) / (2.0 * a)];
    // With a ≤ 0 the slope does not differ significantly from 0, so the crossing may be anywhere.
    let is_known = a > 0.0 && place.is_finite() && ends.iter().all(|end| end.is_finite());
    is_known.then(|| Line { place: middle + place, low: middle + ends[0], high: middle + ends[1] })
}

/// The line's value at the middle and its slope, with their covariance matrix as v00, v01, v11.
fn fitted(points: &[Point], middle: f64) -> Option<([f64; 2], [f64; 3])> {
    let mean = |point: &Point| point.measure.value();
    let start = points.iter().map(mean).sum::<f64>() / points.len() as f64;
    let mut line = [start.max(1e-9).ln(), 0.0];
    let mut inverse = [0.0; 3];
    for _ in 0..STEPS {
        let (mut gradient, mut information) = ([0.0; 2], [0.0; 3]);
        for point in points {
            let x = point.x - middle;
            let expected = (line[0] + line[1] * x).clamp(-30.0, 30.0).exp();
            // The weight, and the logarithm of the ratio of the observed figure to the line.
            let (weight, above) = match point.measure {
                Measure::Share { hits, all } => (all as f64 * expected, hits as f64 / all as f64 / expected - 1.0),
                Measure::Mean { value, error, .. } if value > 0.0 => {
                    let error = (error / value).max(1e-9);
                    (1.0 / (error * error), value.ln() - line[0] - line[1] * x)
                }
                Measure::Mean { .. } => continue,
            };
            for (sum, factor) in gradient.iter_mut().zip([1.0, x]) {
                *sum += weight * above * factor;
            }
            for (sum, factor) in information.iter_mut().zip([1.0, x, x * x]) {
                *sum += weight * factor;
            }
        }
        let [a, b, c] = information;
        let determinant = a * c - b * b;
        if determinant.is_nan() || determinant <= 0.0 {
            return None;
        }
        inverse = [c / determinant, -b / determinant, a / determinant];
        let step =
            [inverse[0] * gradient[0] + inverse[1] * gradient[1], inverse[1] * gradient[0] + inverse[2] * gradient[1]];
        // A step of more than 2 in the logarithm overshoots.
        let scale = (2.0 / step[0].abs().max(1e-12)).min(1.0);
        line = [line[0] + scale * step[0], line[1] + scale * step[1]];
    }
    (line.iter().all(|one| one.is_finite()) && line[1] != 0.0).then_some((line, inverse))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_noise_is_found_exactly() {
        let point = |x: f64| Point { x, measure: Measure::Mean { value: 0.01 * x.exp(), error: 1e-4, freedom: 31.0 } };
        let line = crossing(&[point(1.0), point(2.0), point(4.0)], 0.01 * 3.0_f64.exp()).unwrap();
        assert!((line.place - 3.0).abs() < 1e-6 && line.low < 3.0 && line.high > 3.0, "{line:?}");
    }

    #[test]
    fn points_that_show_no_slope_have_no_crossing() {
        let point = |x: f64| Point { x, measure: Measure::Share { hits: 3, all: 100 } };
        assert!(crossing(&[point(1.0), point(2.0)], 0.01).is_none());
        assert!(crossing(&[point(1.0)], 0.01).is_none());
    }
}
