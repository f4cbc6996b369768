//! A fit: parameters, outliers, and whether the model fits.

use nalgebra::DMatrix;

use super::pattern::pattern;
use super::problem::{Problem, Used};
use super::solve::{NoMinimum, solve};
use super::statistics::{chi_squared_tail, median, ratio_tail, reach};
use super::told::{Told, told};

/// A frame is an outlier if its residual is this many times the typical one, which happens to one Gaussian residual in
/// 65 million. The others are fitted by plain least squares, because a robust loss function would cost accuracy.
const OUTLIER: f64 = 6.0;

/// The median of a χ² with two degrees of freedom, which is the squared length of a Gaussian residual in standard
/// deviations.
const MEDIAN_SQUARE: f64 = 2.0 * std::f64::consts::LN_2;

/// Most rounds in which outliers are found. The third rarely finds any.
const ROUNDS: usize = 20;

/// The risk of rejecting a right model.
const RISK: f64 = 0.05;

/// Where the standard deviation of the answers comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sigma {
    /// From the residuals of the fit. Whether the model fits is then unknown.
    Residuals,
    /// From the covariances that the user states.
    Stated,
    /// From the answers' covariances, times a factor that a run without a lens gave.
    Reference {
        /// Mean squared error in units of the covariances: the NEES.
        factor: f64,
        /// Frames that it was measured on.
        frames: usize,
    },
}

/// The tests whether the residuals agree with the answers' standard deviations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ChiSquared {
    pub(super) statistic: f64,
    pub(super) freedom: f64,
    /// The part of it that is a pattern over the image, with its degrees of freedom.
    pub(super) pattern: Option<(f64, f64)>,
    /// The probability that a right model has larger residuals, or a stronger pattern: twice the smaller of the two.
    pub(super) p: f64,
}

/// A fitted model.
#[derive(Clone, Debug)]
pub(super) struct Fit {
    pub(super) names: Vec<String>,
    pub(super) values: Vec<f64>,
    /// The frames that are not outliers.
    pub(super) used: Vec<bool>,
    /// Their squared residuals.
    pub(super) cost: f64,
    /// The variance of a residual of unit weight.
    pub(super) variance: f64,
    /// The covariance of the parameters, and which of them the data determine.
    pub(super) told: Told,
    /// How many standard deviations a 95 % interval reaches.
    pub(super) reach: f64,
    pub(super) chi_squared: Option<ChiSquared>,
}

impl ChiSquared {
    pub(super) fn fits(self) -> bool {
        self.p >= RISK
    }
}

impl Fit {
    /// The covariance matrix of the parameters.
    pub(super) fn covariance(&self) -> DMatrix<f64> {
        &self.told.covariance * self.variance
    }

    /// Number of frames that are not outliers.
    pub(super) fn frames(&self) -> usize {
        self.used.iter().filter(|used| **used).count()
    }

    /// Schwarz' criterion (Annals of Statistics 6, 1978): the smaller, the better. With known standard deviations it is
    /// χ² + p ln n, otherwise n ln(RSS / n) + p ln n, for n residuals and p parameters that the data determine.
    pub(super) fn criterion(&self) -> f64 {
        let residuals = 2.0 * self.frames() as f64;
        let penalty = self.told.rank as f64 * residuals.ln();
        let misfit = match self.chi_squared {
            Some(chi_squared) => chi_squared.statistic,
            None => residuals * (self.cost / residuals).max(f64::MIN_POSITIVE).ln(),
        };
        misfit + penalty
    }
}

/// Fits the model, and finds the outliers.
pub(super) fn fit(problem: &Problem<'_>, start: &[f64], sigma: Sigma) -> Result<Fit, NoMinimum> {
    let mut used = vec![true; problem.frames()];
    let mut values = solve(problem, start, &used)?;
    for _ in 0..ROUNDS {
        let next = inliers(&problem.squares(&values));
        if next == used || 2 * next.iter().filter(|used| **used).count() <= problem.parameters() + 1 {
            break;
        }
        used = next;
        values = solve(problem, &values, &used)?;
    }
    judged(problem, values, used, sigma)
}

/// Fits the model to these frames alone.
pub(super) fn fit_to(problem: &Problem<'_>, start: &[f64], used: &Used, sigma: Sigma) -> Result<Fit, NoMinimum> {
    let values = solve(problem, start, used)?;
    judged(problem, values, used.to_vec(), sigma)
}

fn judged(problem: &Problem<'_>, values: Vec<f64>, used: Vec<bool>, sigma: Sigma) -> Result<Fit, NoMinimum> {
    let normal = problem.normal(&values, &used).ok_or(NoMinimum)?;
    let residuals = 2.0 * used.iter().filter(|used| **used).count() as f64;
    let free = |rank: usize| (residuals - rank as f64).max(1.0);
    let of = |rank: usize| match sigma {
        Sigma::Residuals => normal.cost / free(rank),
        Sigma::Stated => 1.0,
        Sigma::Reference { factor, .. } => factor,
    };
    let told = told(problem, &normal, &values, &used, of(values.len()));
    let (variance, freedom) = (of(told.rank), free(told.rank));
    let statistic = normal.cost / variance;
    let below = match sigma {
        Sigma::Residuals => None,
        Sigma::Stated => Some(f64::INFINITY),
        Sigma::Reference { frames, .. } => Some(2.0 * frames as f64),
    };
    let tail = |of: f64, statistic: f64, below: f64| {
        if below.is_finite() { ratio_tail(of, below, statistic / of) } else { chi_squared_tail(of, statistic) }
    };
    let chi_squared = below.map(|below| {
        let pattern = pattern(problem, &values, &used, &told).map(|(part, of)| (part / variance, of));
        let whole = tail(freedom, statistic, below);
        // Either test may reject, so each has half of the risk (Bonferroni).
        let p = pattern.map_or(whole, |(part, of)| (2.0 * whole.min(tail(of, part, below))).min(1.0));
        ChiSquared { statistic, freedom, pattern, p }
    });
    Ok(Fit {
        names: problem.names(),
        values,
        used,
        cost: normal.cost,
        variance,
        reach: reach(below.unwrap_or(freedom)),
        chi_squared,
        told,
    })
}

fn inliers(squares: &[f64]) -> Vec<bool> {
    let typical = median(squares.to_vec()).unwrap_or(0.0) / MEDIAN_SQUARE;
    // If most residuals are rounding errors, none of them is an outlier.
    let most = OUTLIER * OUTLIER * typical.max(1e-20);
    squares.iter().map(|square| *square <= most).collect()
}
