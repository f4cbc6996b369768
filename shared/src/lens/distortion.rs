//! Lens distortion, in normalised coordinates (x = X/Z, y = Y/Z).
//!
//! Brown–Conrady, with r² = x² + y²: x' = x·g + 2p₁xy + p₂(r² + 2x²), y' = y·g + p₁(r² + 2y²) + 2p₂xy, where
//! g = (1 + k₁r² + k₂r⁴ + k₃r⁶) / (1 + k₄r² + k₅r⁴ + k₆r⁶). The fisheye's angle θ = atan r becomes
//! θ(1 + k₁θ² + k₂θ⁴ + k₃θ⁶ + k₄θ⁸) (Kannala and Brandt, PAMI 2006). Both as in OpenCV.

use std::fmt;
use std::str::FromStr;

use super::matrix;
use super::{Jacobian, Point};

/// Most coefficients of a distortion.
pub const MOST_TERMS: usize = 8;

/// Below this radius the fisheye's scale comes from its series, which is exact to 1e-12 there. The closed form would
/// lose precision there.
const SERIES_RADIUS: f64 = 1e-3;

/// Most steps of the inverse. Each step of Newton's method doubles the number of correct digits; halved steps near a
/// fold need a few more.
const MOST_STEPS: usize = 60;

/// Samples at which a radius is checked for a fold.
const FOLD_SAMPLES: usize = 512;

/// A kind of lens distortion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distortion {
    /// Brown's polynomial with this many coefficients of k₁ k₂ p₁ p₂ k₃ k₄ k₅ k₆: 0, 1, 2, 4, 5 (`plumb_bob`) or 8
    /// (`rational_polynomial`).
    Brown(usize),
    /// The fisheye polynomial with k₁ k₂ k₃ k₄.
    Equidistant,
}

/// The names on the command line, in files and in reports.
const NAMES: [(&str, Distortion); 7] = [
    ("none", Distortion::Brown(0)),
    ("k1", Distortion::Brown(1)),
    ("k1k2", Distortion::Brown(2)),
    ("k1k2p1p2", Distortion::Brown(4)),
    ("plumb_bob", Distortion::Brown(5)),
    ("rational_polynomial", Distortion::Brown(8)),
    ("equidistant", Distortion::Equidistant),
];

impl Distortion {
    /// Names of the coefficients, in OpenCV's order.
    #[must_use]
    pub fn coefficients(self) -> &'static [&'static str] {
        match self {
            Self::Brown(terms) => &["k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6"][..terms.min(MOST_TERMS)],
            Self::Equidistant => &["k1", "k2", "k3", "k4"],
        }
    }

    /// The name of the model in ROS's `camera_info`, and how many coefficients it lists there.
    #[must_use]
    pub fn of_ros(self) -> (&'static str, usize) {
        match self {
            Self::Brown(..=5) => ("plumb_bob", 5),
            Self::Brown(_) => ("rational_polynomial", 8),
            Self::Equidistant => ("equidistant", 4),
        }
    }

    /// The distorted point, with its derivatives by the point.
    #[must_use]
    pub fn distort(self, k: &[f64], point: Point) -> (Point, Jacobian) {
        let [x, y] = point;
        let Scale { scale, slope, .. } = self.scale(k, point);
        let mut by_point = [[scale + slope * x * x, slope * x * y], [slope * x * y, scale + slope * y * y]];
        let mut taken = [x * scale, y * scale];
        let (p1, p2) = self.tangential(k);
        if p1 != 0.0 || p2 != 0.0 {
            let squared = x * x + y * y;
            taken[0] += 2.0 * p1 * x * y + p2 * (squared + 2.0 * x * x);
            taken[1] += p1 * (squared + 2.0 * y * y) + 2.0 * p2 * x * y;
            let mixed = 2.0 * (p1 * x + p2 * y);
            by_point[0][0] += 2.0 * p1 * y + 6.0 * p2 * x;
            by_point[0][1] += mixed;
            by_point[1][0] += mixed;
            by_point[1][1] += 6.0 * p1 * y + 2.0 * p2 * x;
        }
        (taken, by_point)
    }

    /// Writes the derivatives of the distorted point by each coefficient.
    pub fn by_coefficients(self, k: &[f64], point: Point, derivatives: &mut [Point]) {
        let [x, y] = point;
        let squared = x * x + y * y;
        if self == Self::Equidistant {
            let angle = squared.sqrt().atan();
            let ratio = if squared > 0.0 { angle / squared.sqrt() } else { 1.0 };
            for (at, derivative) in derivatives.iter_mut().enumerate().take(4) {
                let power = ratio * angle.powi(2 * (at as i32 + 1));
                *derivative = [x * power, y * power];
            }
            return;
        }
        let Scale { scale, below, .. } = self.scale(k, point);
        let radial = |by: f64| [x * by, y * by];
        let all = [
            radial(squared / below),
            radial(squared.powi(2) / below),
            [2.0 * x * y, squared + 2.0 * y * y],
            [squared + 2.0 * x * x, 2.0 * x * y],
            radial(squared.powi(3) / below),
            radial(-scale * squared / below),
            radial(-scale * squared.powi(2) / below),
            radial(-scale * squared.powi(3) / below),
        ];
        derivatives.iter_mut().zip(all).for_each(|(derivative, value)| *derivative = value);
    }

    /// The point whose distorted image this is. `None` if there is none on this side of the fold.
    /// Newton's method. Each step is halved until it comes nearer without crossing the fold.
    #[must_use]
    pub fn undistort(self, k: &[f64], target: Point) -> Option<Point> {
        let mut point = self.start(k, target)?;
        let miss = |taken: Point| [target[0] - taken[0], target[1] - taken[1]];
        let length = |pair: Point| pair[0].hypot(pair[1]);
        let (mut taken, mut by_point) = self.distort(k, point);
        for _ in 0..MOST_STEPS {
            let (rest, step) =
                (miss(taken), matrix::inverse2(&by_point).map(|back| matrix::apply(&back, miss(taken)))?);
            // The rounding of the coordinates.
            if length(step) <= 4.0 * f64::EPSILON * length(point).max(f64::MIN_POSITIVE) || length(rest) == 0.0 {
                return Some(point);
            }
            let mut share = 1.0;
            loop {
                let next = [point[0] + share * step[0], point[1] + share * step[1]];
                let (there, slope) = self.distort(k, next);
                if matrix::determinant(&slope) > 0.0 && length(miss(there)) < length(rest) {
                    (point, taken, by_point) = (next, there, slope);
                    break;
                }
                share /= 2.0;
                if share < 1e-6 {
                    // Only rounding is left, or the target lies beyond the fold.
                    return (length(rest) <= 1e-14 * (1.0 + length(target))).then_some(point);
                }
            }
        }
        (length(miss(taken)) <= 1e-14 * (1.0 + length(target))).then_some(point)
    }

    /// The smallest radius up to `radius` from which the picture folds back; `None` if it does not. Beyond it the model
    /// is meaningless (opencv#15992).
    #[must_use]
    pub fn fold(self, k: &[f64], radius: f64) -> Option<f64> {
        let folds = |at: f64| {
            let (_, by_point) = self.distort(k, [at, 0.0]);
            by_point[0][0] <= 0.0 || by_point[0][0].is_nan()
        };
        (0..=FOLD_SAMPLES).map(|sample| radius * sample as f64 / FOLD_SAMPLES as f64).find(|at| folds(*at))
    }

    /// Where the inverse starts: for the fisheye, the point at the undistorted angle.
    fn start(self, k: &[f64], target: Point) -> Option<Point> {
        if self != Self::Equidistant {
            return Some(target);
        }
        let length = target[0].hypot(target[1]);
        let polynomial = |angle: f64| (0..4).rev().fold(0.0, |sum, at| (sum + k[at]) * angle * angle);
        let mut angle = length;
        for _ in 0..20 {
            angle = length / (1.0 + polynomial(angle));
        }
        // A ray at a right angle or more has no normalised point.
        let angle = if angle.is_finite() && (0.0..1.5).contains(&angle) { angle } else { length.min(1.5) };
        let scale = if length > 0.0 { angle.tan() / length } else { 1.0 };
        Some([target[0] * scale, target[1] * scale])
    }

    fn tangential(self, k: &[f64]) -> (f64, f64) {
        match self {
            Self::Brown(4..) => (k[2], k[3]),
            _ => (0.0, 0.0),
        }
    }

    /// The radial scale at a point.
    fn scale(self, k: &[f64], [x, y]: Point) -> Scale {
        let squared = x * x + y * y;
        match self {
            Self::Equidistant => fisheye(k, squared),
            Self::Brown(_) => {
                let at = |place: usize| k.get(place).copied().unwrap_or(0.0);
                let polynomial = |a: f64, b: f64, c: f64| {
                    (1.0 + squared * (a + squared * (b + squared * c)), a + squared * (2.0 * b + 3.0 * squared * c))
                };
                let ((above, above_slope), (below, below_slope)) =
                    (polynomial(at(0), at(1), at(4)), polynomial(at(5), at(6), at(7)));
                let scale = above / below;
                // Twice the derivative by r², because ∂g/∂x = 2x · ∂g/∂r².
                Scale { scale, slope: 2.0 * (above_slope - scale * below_slope) / below, below }
            }
        }
    }
}

/// The radial part of a distortion at a point.
struct Scale {
    /// The factor of the point.
    scale: f64,
    /// ∂scale/∂r / r.
    slope: f64,
    /// The denominator of a rational polynomial; 1 otherwise.
    below: f64,
}

fn fisheye(k: &[f64], squared: f64) -> Scale {
    let radius = squared.sqrt();
    if radius < SERIES_RADIUS {
        let (first, second) = (k[0] - 1.0 / 3.0, 0.2 - k[0] + k[1]);
        let (scale, slope) = (1.0 + squared * (first + squared * second), 2.0 * first + 4.0 * second * squared);
        return Scale { scale, slope, below: 1.0 };
    }
    // Of `libm`, because the simulated camera must make the same light on every machine.
    let angle = libm::atan(radius);
    let a = angle * angle;
    let bent = angle * (1.0 + a * (k[0] + a * (k[1] + a * (k[2] + a * k[3]))));
    let bent_slope = 1.0 + a * (3.0 * k[0] + a * (5.0 * k[1] + a * (7.0 * k[2] + a * 9.0 * k[3])));
    let scale = bent / radius;
    Scale { scale, slope: (bent_slope / (1.0 + squared) - scale) / squared, below: 1.0 }
}

impl fmt::Display for Distortion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, kind)| kind == self).map_or("brown", |(name, _)| name);
        f.write_str(name)
    }
}

impl FromStr for Distortion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = NAMES.map(|(name, _)| name).join(", ");
        let found = NAMES.iter().find(|(name, _)| *name == text).map(|(_, kind)| *kind);
        found.ok_or_else(|| format!("\"{text}\" is not a lens distortion: write one of {known}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [(Distortion, &[f64]); 5] = [
        (Distortion::Brown(0), &[]),
        (Distortion::Brown(2), &[-0.3, 0.09]),
        (Distortion::Brown(5), &[-0.28, 0.11, 0.0012, -0.0007, -0.02]),
        (Distortion::Brown(8), &[0.9, -0.4, 0.0004, 0.0003, 0.05, 1.2, -0.2, 0.01]),
        (Distortion::Equidistant, &[-0.02, 0.007, -0.003, 0.0005]),
    ];

    const POINTS: [Point; 6] = [[0.0, 0.0], [1e-5, -2e-5], [0.0009, 0.0009], [0.3, -0.2], [-0.55, 0.41], [0.02, 0.6]];

    /// A central difference.
    fn difference(value: impl Fn(f64) -> Point, at: f64) -> Point {
        let step = 1e-6;
        let (above, below) = (value(at + step), value(at - step));
        [0, 1].map(|axis| (above[axis] - below[axis]) / (2.0 * step))
    }

    #[test]
    fn derivatives_equal_finite_differences() {
        for (kind, k) in KINDS {
            for point in POINTS {
                let (_, by_point) = kind.distort(k, point);
                let by_x = difference(|x| kind.distort(k, [x, point[1]]).0, point[0]);
                let by_y = difference(|y| kind.distort(k, [point[0], y]).0, point[1]);
                for axis in [0, 1] {
                    assert!((by_point[axis][0] - by_x[axis]).abs() < 2e-9, "{kind} at {point:?}");
                    assert!((by_point[axis][1] - by_y[axis]).abs() < 2e-9, "{kind} at {point:?}");
                }
                let mut by_k = [[0.0; 2]; MOST_TERMS];
                kind.by_coefficients(k, point, &mut by_k);
                for (term, found) in by_k.iter().enumerate().take(k.len()) {
                    let moved = |value: f64| {
                        let mut k = k.to_vec();
                        k[term] = value;
                        kind.distort(&k, point).0
                    };
                    let expected = difference(moved, k[term]);
                    for axis in [0, 1] {
                        assert!((found[axis] - expected[axis]).abs() < 2e-9, "{kind}, {term} at {point:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_inverse_is_exact_to_the_last_digits() {
        for (kind, k) in KINDS {
            for point in POINTS {
                let back = kind.undistort(k, kind.distort(k, point).0).expect("an inverse");
                assert!((back[0] - point[0]).hypot(back[1] - point[1]) < 1e-13, "{kind}: {back:?}, not {point:?}");
            }
        }
    }

    #[test]
    fn the_fold_is_found_and_points_beyond_it_have_no_inverse() {
        // r (1 − 0.3 r²) is largest at r² = 1 / 0.9, where it is 0.7027.
        let kind = Distortion::Brown(1);
        assert!(kind.undistort(&[-0.3], [0.70, 0.0]).is_some());
        assert_eq!(kind.undistort(&[-0.3], [0.71, 0.0]), None);
        let fold = kind.fold(&[-0.3], 2.0).expect("a fold");
        assert!((fold - (1.0_f64 / 0.9).sqrt()).abs() < 2.0 / 500.0, "{fold}");
        assert_eq!(kind.fold(&[-0.3], 1.0), None);
        assert_eq!(kind.undistort(&[-0.3], [f64::NAN, 0.0]), None);
    }

    #[test]
    fn names_are_read_back_and_others_are_refused_with_the_list() {
        for (name, kind) in NAMES {
            assert_eq!((name.parse(), kind.to_string()), (Ok(kind), name.to_owned()));
        }
        let wrong = "fisheye".parse::<Distortion>().expect_err("unknown");
        assert!(wrong.contains("write one of none, k1, k1k2") && wrong.ends_with("equidistant"), "{wrong}");
    }
}
