//! Tests of differences between settings that saw the same frames.
//!
//! The frames of a seed are a block. A block's difference between two settings does not contain what makes the block
//! hard for both, so it varies less than the figures themselves. The mean difference is tested by Student's t.

use crate::score::beta;
use crate::score::bounds::student;

/// The mean of paired differences.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Difference {
    /// The mean.
    pub(crate) mean: f64,
    /// Its standard error.
    pub(crate) error: f64,
    /// Degrees of freedom of the standard error.
    pub(crate) freedom: f64,
}

/// Nominal levels that keep a total risk of 5 % when the same question is asked at 1, 2, … looks (S. J. Pocock,
/// Biometrika 64, 1977, table 1).
const POCOCK: [f64; 10] = [0.05, 0.0294, 0.0221, 0.0182, 0.0158, 0.0142, 0.0130, 0.0120, 0.0112, 0.0106];

impl Difference {
    /// The mean of these values. `None` if there are fewer than two.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let error = (squares / (count - 1.0) / count).sqrt();
        (values.len() > 1 && error.is_finite()).then_some(Self { mean, error, freedom: count - 1.0 })
    }

    /// The mean of `one` minus `other`, block by block.
    pub(crate) fn between(one: &[f64], other: &[f64]) -> Option<Self> {
        Self::of(&one.iter().zip(other).map(|(one, other)| one - other).collect::<Vec<_>>())
    }

    /// The probability of a mean at least as large, if the true one were 0.
    pub(crate) fn above(&self) -> f64 {
        if self.error == 0.0 {
            return if self.mean > 0.0 { 0.0 } else { 1.0 };
        }
        let t = self.mean / self.error;
        let tail = beta::regularised(self.freedom / 2.0, 0.5, self.freedom / (self.freedom + t * t)) / 2.0;
        if t > 0.0 { tail } else { 1.0 - tail }
    }

    /// Half the width of the interval that leaves out `risk` on each side.
    pub(crate) fn half(&self, risk: f64) -> f64 {
        student(self.freedom, risk) * self.error
    }
}

/// The level of each of this many looks.
pub(crate) fn level(looks: usize) -> f64 {
    POCOCK[looks.clamp(1, POCOCK.len()) - 1]
}

/// Which of these settings are worse than the leader, at this level for all of them together (Holm's correction).
pub(crate) fn worse(leader: &[f64], others: &[&[f64]], level: f64) -> Vec<bool> {
    let p: Vec<f64> =
        others.iter().map(|other| Difference::between(other, leader).map_or(1.0, |found| found.above())).collect();
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|one, other| p[*one].total_cmp(&p[*other]));
    let mut worse = vec![false; p.len()];
    for (rank, place) in order.iter().enumerate() {
        if p[*place] * (p.len() - rank) as f64 > level {
            break;
        }
        worse[*place] = true;
    }
    worse
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_t_test_gives_the_p_value_of_scipy() {
        // scipy.stats.ttest_1samp([0.3, -0.1, 0.5, 0.2, 0.4], 0, alternative="greater"): p = 0.0338...
        let found = Difference::of(&[0.3, -0.1, 0.5, 0.2, 0.4]).unwrap();
        let t: f64 = found.mean / found.error;
        assert!((t - 0.26 / (0.053_f64 / 5.0).sqrt()).abs() < 1e-12);
        // The t distribution with 4 degrees of freedom has a closed form.
        let y = t / (4.0 + t * t).sqrt();
        let tail = 0.5 - y * (1.5 - 0.5 * y * y) / 2.0;
        assert!((found.above() - tail).abs() < 1e-9, "{}, not {tail}", found.above());
        assert!(Difference::of(&[1.0]).is_none());
    }

    #[test]
    fn only_settings_that_are_clearly_worse_are_marked() {
        let leader: Vec<f64> = (0..20).map(|at| f64::from(at % 5)).collect();
        let shifted = |by: f64, noise: f64| -> Vec<f64> {
            leader.iter().enumerate().map(|(at, value)| value + by + noise * f64::from((at * 7 % 5) as u8)).collect()
        };
        let (worse_one, same, better) = (shifted(1.0, 0.1), shifted(-0.2, 0.1), shifted(-1.0, 0.1));
        assert_eq!(worse(&leader, &[&worse_one, &same, &better], level(4)), [true, false, false]);
    }
}
