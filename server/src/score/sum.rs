//! Sums without accumulated rounding error, however many terms they have.

/// A running sum with Neumaier's compensation (ZAMM 54, 1974): the rounding error of each addition is carried along, so
/// that the mean of a long session is exact to the last digits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    sum: f64,
    carried: f64,
}

impl Sum {
    /// Adds a term.
    pub(crate) fn add(&mut self, term: f64) {
        let sum = self.sum + term;
        self.carried += if self.sum.abs() >= term.abs() { (self.sum - sum) + term } else { (term - sum) + self.sum };
        self.sum = sum;
    }

    /// The sum so far.
    pub(crate) fn value(self) -> f64 {
        self.sum + self.carried
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compensated_sum_loses_nothing_to_rounding() {
        let mut sum = Sum::default();
        for term in [1.0, 1e100, 1.0, -1e100] {
            sum.add(term);
        }
        assert_eq!(sum.value(), 2.0);
    }
}
