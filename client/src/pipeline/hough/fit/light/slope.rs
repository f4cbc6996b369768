//! A slope of the light on a disc, as one source tells it.

/// A slope in gray levels a pixel, and the variance of either part.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Slope {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) variance: f64,
}

impl Slope {
    /// How likely another source of the same slope tells what it does, but for a factor that all have.
    pub(super) fn likelihood(&self, seen: &Self) -> f64 {
        let variance = (self.variance + seen.variance).max(f64::MIN_POSITIVE);
        let chi2 = ((self.x - seen.x).powi(2) + (self.y - seen.y).powi(2)) / variance;
        (-0.5 * chi2).exp() / variance
    }

    /// What both tell together.
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
