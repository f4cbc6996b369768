//! Compares errors with the limit: the least error that the frames allow.

use crate::score::sum::Sum;
use crate::task::schema1::LimitKind;
use crate::truth::Limit;

/// Sums over the frames whose limit is known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LimitStats {
    count: u64,
    limit: Sum,
    /// Sum of the L1 errors of the same frames.
    l1: Sum,
    /// Whether one of the limits is only a reference.
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

    /// Mean L1 error divided by the mean limit.
    pub(super) fn efficiency(&self) -> Option<f64> {
        let ratio = self.l1.value() / self.limit.value();
        (self.count > 0 && ratio.is_finite()).then_some(ratio)
    }

    /// Whether the mean limit is a bound; it is a reference if any frame's limit is.
    pub(super) fn kind(&self) -> Option<LimitKind> {
        let kind = if self.reference { LimitKind::Reference } else { LimitKind::Bound };
        (self.count > 0).then_some(kind)
    }
}
