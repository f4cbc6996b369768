//! Compares errors with the limit: the least error that the frames allow.

use crate::score::batches::Batches;
use crate::score::bounds::Bound;
use crate::score::sum::Sum;
use crate::task::schema1::LimitKind;
use crate::truth::Limit;

/// Sums over the frames whose limit is known.
#[derive(Clone, Debug, Default)]
pub(super) struct LimitStats {
    count: u64,
    limit: Sum,
    /// Sum of the L1 errors of the same frames.
    l1: Sum,
    /// L1 errors and limits.
    batches: Batches<2>,
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
        self.batches.add([l1_px, px]);
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

    /// The bounds of the efficiency: those of a ratio of means, to first order (the delta method).
    pub(super) fn efficiency_bound(&self) -> Option<Bound> {
        let (ratio, limit) = (self.efficiency()?, self.mean_px()?);
        Bound::of_mean(ratio, &self.batches, |[l1, of_frame]| (l1 - ratio * of_frame) / limit)
    }

    /// Whether the mean limit is a bound; it is a reference if any frame's limit is.
    pub(super) fn kind(&self) -> Option<LimitKind> {
        let kind = if self.reference { LimitKind::Reference } else { LimitKind::Bound };
        (self.count > 0).then_some(kind)
    }
}
