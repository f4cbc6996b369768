//! Means of batches of frames. They give the uncertainty of a session's mean, even if neighbouring frames are
//! correlated.
//!
//! Errors of neighbouring frames are correlated where the ball moves little, so the spread of single frames would give
//! too small an uncertainty. Means of long batches are nearly independent (A. M. Law, "Simulation Modeling and
//! Analysis", batch means). The number of frames is not known in advance, so batches grow: whenever [`MOST`] are full,
//! each pair of neighbours is merged. Memory is constant.

/// Number of batches at which neighbours are merged. So any session of at least 32 frames has 32 to 63 full batches:
/// enough for a t distribution near the normal one, and long enough to be nearly independent.
const MOST: usize = 64;

/// Largest correlation between neighbouring batches that is corrected for. A larger one means that the session has only
/// a few correlation lengths, so no formula helps.
const MOST_CORRELATED: f64 = 0.8;

/// Sums of `N` values of each frame, in batches.
#[derive(Clone, Debug)]
pub(crate) struct Batches<const N: usize> {
    /// Frames in each full batch.
    length: u64,
    full: Vec<[f64; N]>,
    open: [f64; N],
    open_length: u64,
}

/// The uncertainty of a mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// Standard error of the mean.
    pub(crate) standard_error: f64,
    /// Degrees of freedom of the standard error.
    pub(crate) freedom: f64,
}

impl<const N: usize> Default for Batches<N> {
    fn default() -> Self {
        Self { length: 1, full: Vec::with_capacity(MOST), open: [0.0; N], open_length: 0 }
    }
}

impl<const N: usize> Batches<N> {
    /// Adds a frame.
    pub(crate) fn add(&mut self, values: [f64; N]) {
        add(&mut self.open, &values);
        self.open_length += 1;
        if self.open_length == self.length {
            self.full.push(std::mem::replace(&mut self.open, [0.0; N]));
            self.open_length = 0;
        }
        if self.full.len() == MOST {
            self.merge();
        }
    }

    /// Merges each pair of neighbouring batches, without an allocation.
    fn merge(&mut self) {
        for place in 0..MOST / 2 {
            self.full[place] = sum(&self.full[2 * place], &self.full[2 * place + 1]);
        }
        self.full.truncate(MOST / 2);
        self.length *= 2;
    }

    /// Frames so far.
    pub(crate) fn count(&self) -> u64 {
        self.full.len() as u64 * self.length + self.open_length
    }

    /// Mean of each value over all frames.
    pub(crate) fn means(&self) -> [f64; N] {
        let total = self.full.iter().fold(self.open, |total, batch| sum(&total, batch));
        total.map(|total| total / self.count() as f64)
    }

    /// The uncertainty of the mean of a linear combination of the values. `None` with fewer than two full batches.
    ///
    /// The remaining correlation ρ of neighbouring batches is corrected for as in an AR(1) process: the variance of the
    /// mean grows by the factor (1 + ρ) / (1 − ρ), and the degrees of freedom shrink by the same factor. With b
    /// batches, an estimate of ρ is too low by 1 / b (M. H. Quenouille's correction to first order).
    pub(crate) fn spread(&self, combined: impl Fn(&[f64; N]) -> f64) -> Option<Spread> {
        let batches = self.full.len() as f64;
        if self.full.len() < 2 {
            return None;
        }
        let values: Vec<f64> = self.full.iter().map(|batch| combined(batch) / self.length as f64).collect();
        let mean = values.iter().sum::<f64>() / batches;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let products: f64 = values.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
        let correlation = if squares > 0.0 { products / squares + 1.0 / batches } else { 0.0 };
        let correlation = correlation.clamp(0.0, MOST_CORRELATED);
        let growth = (1.0 + correlation) / (1.0 - correlation);
        let variance = squares / (batches - 1.0) * self.length as f64 / self.count() as f64 * growth;
        let freedom = ((batches - 1.0) / growth).max(1.0);
        Some(Spread { standard_error: variance.sqrt(), freedom })
    }
}

impl Batches<2> {
    /// The number of independent frames with the same information, for batches of a value and its square. At most the
    /// number of frames.
    pub(crate) fn independent(&self) -> f64 {
        let (count, [mean, square]) = (self.count() as f64, self.means());
        let variance = square - mean * mean;
        match self.spread(|[value, _]| *value) {
            // Below this, the variance is rounding.
            Some(spread) if variance > 1e-12 * square => (variance / spread.standard_error.powi(2)).clamp(1.0, count),
            _ => count,
        }
    }
}

fn add<const N: usize>(to: &mut [f64; N], values: &[f64; N]) {
    to.iter_mut().zip(values).for_each(|(to, value)| *to += value);
}

fn sum<const N: usize>(a: &[f64; N], b: &[f64; N]) -> [f64; N] {
    let mut sum = *a;
    add(&mut sum, b);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(values: impl IntoIterator<Item = f64>) -> Batches<2> {
        let mut batches = Batches::default();
        values.into_iter().for_each(|value| batches.add([value, value * value]));
        batches
    }

    #[test]
    fn few_frames_are_batches_of_one_and_have_the_standard_error_of_the_textbook() {
        // 4, -4, ... gets no correction, because its neighbours are negatively correlated.
        let batches = gathered([4.0, -4.0, 4.0, -4.0]);
        let spread = batches.spread(|[value, _]| *value).unwrap();
        let expected = (64.0_f64 / 3.0 / 4.0).sqrt();
        assert!((spread.standard_error - expected).abs() < 1e-12 && spread.freedom == 3.0, "{spread:?}");
    }

    #[test]
    fn one_frame_gives_no_spread() {
        assert_eq!(gathered([]).spread(|[value, _]| *value), None);
        assert_eq!(gathered([1.0]).spread(|[value, _]| *value), None);
    }

    #[test]
    fn memory_is_constant_and_no_frame_is_forgotten() {
        let frames = 100_000;
        let batches = gathered((0..frames).map(|frame| f64::from(frame % 7)));
        assert!((MOST / 2..MOST).contains(&batches.full.len()), "{} batches", batches.full.len());
        assert_eq!(batches.count(), u64::from(frames as u32));
        let mean = (0..frames).map(|frame| f64::from(frame % 7)).sum::<f64>() / f64::from(frames);
        assert!((batches.means()[0] - mean).abs() < 1e-9);
    }

    #[test]
    fn frames_in_runs_of_ten_equal_ones_count_as_a_tenth() {
        // 0 or 1, by a bit of Knuth's multiplicative hash.
        let bit = |number: u32| f64::from(number.wrapping_mul(2_654_435_769).wrapping_mul(number | 1) >> 31);
        let values = (0..20_000_u32).map(|frame| bit(frame / 10));
        let worth = gathered(values).independent();
        assert!((1_000.0..4_000.0).contains(&worth), "{worth}");
        let alone = (0..2_000_u32).map(bit);
        let worth = gathered(alone).independent();
        assert!((1_000.0..=2_000.0).contains(&worth), "{worth}");
    }
}
