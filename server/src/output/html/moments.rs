//! Mean and covariance of the errors, and the mean of the covariances in the answers.

use shared::geometry::Covariance;

/// √ of the 95 % quantile of χ² with two degrees of freedom: half-axes of the 95 % ellipse, in standard deviations.
pub(super) const ELLIPSE_95: f64 = 2.447_746_830_680_816;

/// Sums over errors (dx, dy), by Welford's method.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moments {
    pub(super) count: u64,
    mean: [f64; 2],
    squares: [f64; 3],
    claimed: [f64; 3],
    claims: u64,
}

/// An ellipse: its half-axes, and the angle of the first from +x towards +y in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axes {
    pub(super) long: f64,
    pub(super) short: f64,
    pub(super) degrees: f64,
}

impl Moments {
    pub(super) fn add(&mut self, [x, y]: [f64; 2]) {
        self.count += 1;
        let before = [x - self.mean[0], y - self.mean[1]];
        self.mean[0] += before[0] / self.count as f64;
        self.mean[1] += before[1] / self.count as f64;
        let after = [x - self.mean[0], y - self.mean[1]];
        self.squares[0] += before[0] * after[0];
        self.squares[1] += before[0] * after[1];
        self.squares[2] += before[1] * after[1];
    }

    pub(super) fn claim(&mut self, Covariance { xx, xy, yy }: Covariance) {
        self.claims += 1;
        self.claimed.iter_mut().zip([xx, xy, yy]).for_each(|(sum, value)| *sum += value);
    }

    /// The mean error.
    pub(super) fn bias(&self) -> Option<[f64; 2]> {
        (self.count > 0).then_some(self.mean)
    }

    /// The 95 % ellipse of the errors.
    pub(super) fn ellipse(&self) -> Option<Axes> {
        (self.count > 2).then(|| ellipse(self.squares.map(|sum| sum / (self.count - 1) as f64)))
    }

    /// The 95 % ellipse of the mean covariance in the answers.
    pub(super) fn claimed(&self) -> Option<Axes> {
        (self.claims > 0).then(|| ellipse(self.claimed.map(|sum| sum / self.claims as f64)))
    }
}

/// The 95 % ellipse of a covariance: its eigenvalues and the direction of the first.
fn ellipse([xx, xy, yy]: [f64; 3]) -> Axes {
    let (middle, half) = ((xx + yy) / 2.0, ((xx - yy) / 2.0).hypot(xy));
    let axis = |variance: f64| ELLIPSE_95 * variance.max(0.0).sqrt();
    Axes {
        long: axis(middle + half),
        short: axis(middle - half),
        degrees: (2.0 * xy).atan2(xx - yy).to_degrees() / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ellipse_has_the_axes_of_the_covariance() {
        let Axes { long, short, degrees } = ellipse([4.0, 0.0, 1.0]);
        assert!((long - 2.0 * ELLIPSE_95).abs() < 1e-12 && (short - ELLIPSE_95).abs() < 1e-12 && degrees == 0.0);
        assert!((ellipse([1.0, 0.5, 1.0]).degrees - 45.0).abs() < 1e-12);
    }

    #[test]
    fn bias_and_spread_are_those_of_the_errors() {
        let mut moments = Moments::default();
        for error in [[1.0, 2.0], [3.0, 2.0], [2.0, 1.0], [2.0, 3.0]] {
            moments.add(error);
        }
        assert_eq!(moments.bias(), Some([2.0, 2.0]));
        let axes = moments.ellipse().unwrap();
        assert!((axes.long - ELLIPSE_95 * (2.0_f64 / 3.0).sqrt()).abs() < 1e-12, "{axes:?}");
    }
}
