//! Marks for the answers to a condition's frames: misses and errors.

use serde::{Deserialize, Serialize};
use shared::geometry::{Circle, Covariance};

use crate::frames::Shot;
use testkit::statistics::{mean, quantile, standard_error, upper_bound};

/// A disc counts as missed if there is no answer or the answer's L1 error is above this.
pub(crate) const MISSED_PX: f64 = 5.0;

/// Marks of one program's answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    /// L1 errors of discs that were not missed, in px, and the limits for the same frames if they have any.
    l1: Vec<f64>,
    limits: Vec<f64>,
    /// Squared errors over their own covariance; the mean is 1 if the covariance is correct.
    nees: Vec<f64>,
    worst_px: f64,
    discs: u64,
    missed: u64,
    empty: u64,
    false_positives: u64,
}

/// Figures of the marks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Number of frames with a disc, and of those where it was missed.
    pub(crate) discs: u64,
    pub(crate) missed: u64,
    /// Number of frames without a disc, and of those where one was seen.
    pub(crate) empty: u64,
    pub(crate) false_positives: u64,
    /// L1 error of discs that were not missed, in px.
    pub(crate) mean_px: Option<f64>,
    pub(crate) standard_error_px: Option<f64>,
    pub(crate) p99_px: Option<f64>,
    /// Largest L1 error of any answer, missed ones included, in px.
    pub(crate) worst_px: f64,
    /// Mean of the best expected L1 error of the same frames, in px.
    pub(crate) limit_px: Option<f64>,
    pub(crate) nees: Option<f64>,
}

impl Marks {
    /// Marks one answer.
    pub(crate) fn add(&mut self, shot: &Shot, answer: Option<Circle>, covariance: Option<Covariance>) {
        let Some(truth) = shot.truth else {
            self.empty += 1;
            self.false_positives += u64::from(answer.is_some());
            return;
        };
        self.discs += 1;
        let Some(answer) = answer else {
            self.missed += 1;
            return;
        };
        let (dx, dy) = (answer.x - truth.x, answer.y - truth.y);
        let l1 = dx.abs() + dy.abs();
        self.worst_px = self.worst_px.max(l1);
        if l1 > MISSED_PX {
            self.missed += 1;
            return;
        }
        self.l1.push(l1);
        self.limits.extend(shot.limit_px);
        self.nees.extend(covariance.map(|covariance| normalised_square(covariance, dx, dy)));
    }

    /// Adds the marks of more frames.
    pub(crate) fn append(&mut self, mut more: Self) {
        self.l1.append(&mut more.l1);
        self.limits.append(&mut more.limits);
        self.nees.append(&mut more.nees);
        self.worst_px = self.worst_px.max(more.worst_px);
        self.discs += more.discs;
        self.missed += more.missed;
        self.empty += more.empty;
        self.false_positives += more.false_positives;
    }

    /// The figures of these marks.
    pub(crate) fn figures(&self) -> Figures {
        Figures {
            discs: self.discs,
            missed: self.missed,
            empty: self.empty,
            false_positives: self.false_positives,
            mean_px: mean(&self.l1),
            standard_error_px: standard_error(&self.l1),
            p99_px: quantile(&self.l1, 0.99),
            worst_px: self.worst_px,
            // A mean over only some frames would not be a limit for the mean over all.
            limit_px: mean(&self.limits).filter(|_| self.limits.len() == self.l1.len()),
            nees: mean(&self.nees),
        }
    }
}

impl Figures {
    /// Ratio of the mean L1 error to its limit.
    pub(crate) fn ratio(&self) -> Option<f64> {
        Some(self.mean_px? / self.limit_px?)
    }

    /// Share of missed discs, and the share that is excluded with 95 % confidence.
    pub(crate) fn missed_rate(&self) -> (f64, f64) {
        rate(self.missed, self.discs)
    }
}

/// The share of hits, and the share that is excluded with 95 % confidence.
pub(crate) fn rate(hits: u64, n: u64) -> (f64, f64) {
    (hits as f64 / n.max(1) as f64, upper_bound(hits, n))
}

/// eᵀ P⁻¹ e / 2: halved because the centre has two coordinates.
fn normalised_square(Covariance { xx, xy, yy }: Covariance, dx: f64, dy: f64) -> f64 {
    (yy * dx * dx - 2.0 * xy * dx * dy + xx * dy * dy) / (xx * yy - xy * xy) / 2.0
}
