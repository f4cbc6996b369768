//! The difference of a figure between two runs, with its bounds and probabilities.

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
    /// Probability of a difference at least this large upwards, if the runs do not differ (p-value).
    pub(super) p_larger: f64,
    /// Probability of a difference at least this large downwards, if the runs do not differ.
    pub(super) p_smaller: f64,
    /// B divided by A; only for figures that are positive.
    pub(super) ratio: Option<Ratio>,
    /// Number of frames, or rounds, that were compared.
    pub(super) samples: u64,
    /// Whether this many samples could show a difference at all.
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
    /// An estimate from samples that are all equal.
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

    /// A difference with too few samples for bounds.
    pub(super) fn unsure(difference: f64, samples: u64) -> Self {
        Self { difference, low: None, high: None, ..Self::of_equals(samples) }
    }

    /// The estimate for the figure multiplied by this factor.
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
