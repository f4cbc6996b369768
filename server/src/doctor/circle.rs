//! Faults in the answers of the task `circle`: the one geometric fault that explains most, and wrong covariances.

use super::examined::{Contest, Examined, VALUES};
use super::warning::{Warning, WarningKind};
use crate::score::batches::Batches;
use crate::score::bounds::student;

/// Minimum number of frames for a test: with fewer, no test can distinguish a fault from chance.
const LEAST_FRAMES: u64 = 20;

/// Share of the frames that a fault must explain. A fault explains a frame if the answer is closer to the fault's
/// prediction than to the truth, so correct answers stay far below this share.
const EXPLAINED: f64 = 0.8;

/// Errors below this, in px, do not matter.
const LEAST_PX: f64 = 0.02;

/// A component of the error does not matter if it is below this share of the whole error.
const LEAST_SHARE: f64 = 0.2;

/// Probability that a test is wrong by chance. With five two-sided tests, 0.1 % of the runs have a false warning.
const RISK: f64 = 1e-4;

/// Ratio of variances up to which a covariance counts as right.
const HONEST: f64 = 1.5;

/// The mean of ln q for a right covariance: q = eᵀ Σ⁻¹ e / 2 is exponential with a mean of 1, and the mean of its
/// logarithm is minus Euler's constant.
const MEAN_LOG: f64 = -0.577_215_664_901_532_9;

/// How far the offset of half a pixel may be from 0.5 along each axis, in px.
const HALF_PIXEL_BAND: f64 = 0.1;

impl Examined {
    /// The warnings so far.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        match self.fault() {
            Some(fault) => vec![fault],
            // Any other fault makes every covariance wrong.
            None => self.covariance().into_iter().collect(),
        }
    }

    /// The fault that explains most. The others often follow from it, so only the first is named.
    fn fault(&self) -> Option<Warning> {
        self.swapped().or_else(|| self.late()).or_else(|| self.fit().and_then(|fit| fit.scale().or_else(|| fit.bias())))
    }

    fn swapped(&self) -> Option<Warning> {
        let share = self.swapped.explained()?;
        let message = format!("x and y are swapped in {share:.0} % of the answers for which this can be told");
        Some(Warning::new(WarningKind::AxesSwapped, message, "answer x (to the right) first, then y (downwards)"))
    }

    fn late(&self) -> Option<Warning> {
        let share = self.late.explained()?;
        let message = format!("{share:.0} % of the answers fit the frame before the one that they name");
        let advice =
            "answer each frame with its own id, and check whether the pipeline keeps a picture from an earlier call";
        Some(Warning::new(WarningKind::OneFrameLate, message, advice))
    }

    /// Scale and offset of the errors over near frames, or over all if most are far.
    fn fit(&self) -> Option<Fit<'_>> {
        let most_are_near = self.near.count() as f64 >= EXPLAINED * self.all.count() as f64;
        Fit::of(if most_are_near { &self.near } else { &self.all })
    }

    /// Covariances that are off. Logarithms are compared, because a few outliers would dominate a mean.
    fn covariance(&self) -> Option<Warning> {
        if self.covariance_logs.count() < LEAST_FRAMES {
            return None;
        }
        let log = self.covariance_logs.means()[0] - MEAN_LOG;
        let spread = self.covariance_logs.spread(|[log]| *log)?;
        let is_chance = log.abs() <= student(spread.freedom, RISK) * spread.standard_error;
        let ratio = log.exp();
        if is_chance || log.abs() <= HONEST.ln() {
            return None;
        }
        let message = match ratio > 1.0 {
            true => format!("the squared errors are {ratio:.1} times as large as the answers' covariances say"),
            false => format!("the answers' covariances are {:.1} times the squared errors", 1.0 / ratio),
        };
        let advice =
            "scale the covariances to the errors: with these, a user trusts the answers too much or too little";
        Some(Warning::new(WarningKind::Covariance, message, advice))
    }
}

impl Contest {
    /// Per cent of the frames that the hypothesis explains, if it explains most of enough frames.
    fn explained(self) -> Option<f64> {
        let share = self.won as f64 / self.telling as f64;
        (self.telling >= LEAST_FRAMES && share >= EXPLAINED).then_some(100.0 * share)
    }
}

/// The errors as offset plus scale times the truth, by least squares over both axes.
struct Fit<'a> {
    batches: &'a Batches<VALUES>,
    means: [f64; VALUES],
    /// Slope of the error over the truth.
    slope: f64,
    /// Mean of the squared distance of the truth from its mean, over both axes.
    spread: f64,
}

impl<'a> Fit<'a> {
    fn of(batches: &'a Batches<VALUES>) -> Option<Self> {
        if batches.count() < LEAST_FRAMES {
            return None;
        }
        let means = batches.means();
        let [_, x, y, dx, dy, xx, yy, x_dx, y_dy, _] = means;
        let spread = xx - x * x + yy - y * y;
        // A ball at rest says nothing about the scale.
        let slope = if spread > 1.0 { (x_dx - x * dx + y_dy - y * dy) / spread } else { 0.0 };
        Some(Self { batches, means, slope, spread: spread.max(1.0) })
    }

    fn scale(&self) -> Option<Warning> {
        let Self { slope, means, .. } = *self;
        let [_, x, y, dx, dy, ..] = means;
        // What a frame adds to the slope, to first order: (t − t̄)·(d − d̄ − s (t − t̄)) over the spread of the truth.
        let influence = |[one, tx, ty, ex, ey, xx, yy, x_ex, y_ey, _]: &[f64; VALUES]| {
            let along = |t: f64, e: f64, tt: f64, te: f64, mean: f64, error: f64| {
                te - mean * e - error * t + mean * error * one - slope * (tt - 2.0 * mean * t + mean * mean * one)
            };
            (along(*tx, *ex, *xx, *x_ex, x, dx) + along(*ty, *ey, *yy, *y_ey, y, dy)) / self.spread
        };
        let error = self.batches.spread(influence)?;
        let is_chance = slope.abs() <= student(error.freedom, RISK) * error.standard_error;
        let effect = slope.abs() * self.spread.sqrt();
        if is_chance || !self.matters(effect) {
            return None;
        }
        let message = format!("the answers are {:.5} times the true places, {effect:.3} px on average", 1.0 + slope);
        let advice = "scale the answers back to the frame's own size if the pipeline works on a resized picture";
        Some(Warning::new(WarningKind::Scale, message, advice))
    }

    fn bias(&self) -> Option<Warning> {
        let [_, _, _, dx, dy, ..] = self.means;
        let is_real = |mean: f64, at: usize| {
            let error = self.batches.spread(|values| values[at])?;
            Some(mean.abs() > student(error.freedom, RISK) * error.standard_error)
        };
        let is_chance = !is_real(dx, 3)? && !is_real(dy, 4)?;
        if is_chance || !self.matters(dx.hypot(dy)) {
            return None;
        }
        let is_half = |mean: f64| (mean.abs() - 0.5).abs() <= HALF_PIXEL_BAND;
        let off = format!("the answers are off by ({dx:+.3}, {dy:+.3}) px on average");
        Some(if is_half(dx) && is_half(dy) && dx * dy > 0.0 {
            let message = format!("{off}, half a pixel: probably another pixel convention");
            let advice = "Plumb's pixel centres are at whole numbers, as OpenCV's: subtract 0.5 if the origin of your \
                          coordinates is the corner of the first pixel";
            Warning::new(WarningKind::HalfPixel, message, advice)
        } else {
            let advice = "look for a crop, a border or a filter that is off centre";
            Warning::new(WarningKind::ConstantBias, off, advice)
        })
    }

    /// Whether a component of the error that is this large matters.
    fn matters(&self, px: f64) -> bool {
        px > LEAST_PX && px > LEAST_SHARE * self.means[VALUES - 1].sqrt()
    }
}
