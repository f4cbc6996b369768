//! Errors against the least that the frames allow.

use schemars::JsonSchema;
use serde::Serialize;

use super::sum::Sum;
use crate::camera::Limit;

/// The frames whose limit is known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LimitStats {
    count: u64,
    limit: Sum,
    /// Of the same frames.
    l1: Sum,
    /// Whether one of the limits is a reference only.
    reference: bool,
}

impl LimitStats {
    /// Adds a frame with its L1 error, if its limit is known.
    pub(super) fn add(&mut self, l1_px: f64, limit: Limit) {
        let Some(px) = limit.px() else { return };
        self.count += 1;
        self.limit.add(px);
        self.l1.add(l1_px);
        self.reference |= matches!(limit, Limit::Reference(_));
    }

    /// Mean limit, in px.
    pub(super) fn mean_px(&self) -> Option<f64> {
        (self.count > 0).then(|| self.limit.value() / self.count as f64)
    }

    /// Mean L1 error over the mean limit.
    pub(super) fn efficiency(&self) -> Option<f64> {
        let ratio = self.l1.value() / self.limit.value();
        (self.count > 0 && ratio.is_finite()).then_some(ratio)
    }

    /// What the limit is worth.
    pub(super) fn kind(&self) -> Option<LimitKind> {
        let kind = if self.reference { LimitKind::Reference } else { LimitKind::Bound };
        (self.count > 0).then_some(kind)
    }
}

/// What a session's limit is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LimitKind {
    /// No unbiased estimate does better.
    Bound,
    /// A figure to compare with.
    Reference,
}

impl LimitKind {
    /// For people, after "1.08 x".
    pub fn describe(self) -> &'static str {
        match self {
            Self::Bound => "the limit",
            Self::Reference => "the reference",
        }
    }
}
