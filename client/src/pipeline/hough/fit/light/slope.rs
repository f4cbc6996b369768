//! A slope of the light on a disc, as one source shows it.

/// A slope in gray levels per pixel, and the variance of each component.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Slope {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) variance: f64,
}

impl Slope {
    /// Likelihood of another source's value for the same slope, up to a common factor.
    pub(super) fn likelihood(&self, seen: &Self) -> f64 {
        let variance = (self.variance + seen.variance).max(f64::MIN_POSITIVE);
        let chi2 = ((self.x - seen.x).powi(2) + (self.y - seen.y).powi(2)) / variance;
        (-0.5 * chi2).exp() / variance
    }

    /// Combines both sources.
    pub(super) fn combined(&self, other: &Self) -> Self {
        let all = (self.variance + other.variance).max(f64::MIN_POSITIVE);
        let own = other.variance / all;
        Self {
            x: own * self.x + (1.0 - own) * other.x,
            y: own * self.y + (1.0 - own) * other.y,
            variance: self.variance * own,
        }
    }
}
