//! The difference of a figure between two runs, and how sure it is.

use serde::Serialize;

/// A difference, B minus A.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Estimate {
    /// B minus A, in the unit of the figure.
    pub(super) difference: f64,
    /// The difference is at least this, with 95 % confidence.
    pub(super) low: Option<f64>,
    /// The difference is at most this, with 95 % confidence.
    pub(super) high: Option<f64>,
    /// Probability of such a difference upwards, or a larger one, if there is none.
    pub(super) p_larger: f64,
    /// The same downwards.
    pub(super) p_smaller: f64,
    /// B divided by A; only for figures that are positive.
    pub(super) ratio: Option<Ratio>,
    /// Frames, or rounds, behind it.
    pub(super) samples: u64,
    /// Whether any outcome of so many samples could have shown a difference.
    pub(super) can_show: bool,
}

/// B divided by A, with the one-sided 95 % bounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Ratio {
    /// B divided by A.
    pub(super) value: f64,
    /// It is at least this, with 95 % confidence.
    pub(super) low: Option<f64>,
    /// It is at most this, with 95 % confidence.
    pub(super) high: Option<f64>,
}

impl Estimate {
    /// Nothing differs in any of the samples: no number of them could have shown a difference.
    pub(super) fn of_equals(samples: u64) -> Self {
        let bound = Some(0.0);
        Self {
            difference: 0.0,
            low: bound,
            high: bound,
            p_larger: 1.0,
            p_smaller: 1.0,
            ratio: None,
            samples,
            can_show: false,
        }
    }

    /// A difference of which too few samples say how sure it is.
    pub(super) fn unsure(difference: f64, samples: u64) -> Self {
        Self { difference, low: None, high: None, ..Self::of_equals(samples) }
    }

    /// The estimate of this times the figure.
    #[must_use]
    pub(super) fn scaled(self, factor: f64) -> Self {
        let scaled = |end: Option<f64>| end.map(|end| factor * end);
        Self { difference: factor * self.difference, low: scaled(self.low), high: scaled(self.high), ..self }
    }
}

impl Ratio {
    /// The ratio of square roots.
    pub(super) fn root(self) -> Self {
        let root = |end: Option<f64>| end.map(|end| end.max(0.0).sqrt());
        Self { value: self.value.max(0.0).sqrt(), low: root(self.low), high: root(self.high) }
    }
}
