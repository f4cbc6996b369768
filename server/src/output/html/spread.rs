//! A histogram with bins of equal width on a logarithmic scale.
//!
//! Its memory does not grow, and its bins are 1.5 % wide over 21 decades. So it suits errors of any size, and times.

/// Bins per doubling. Each is 1.45 % wide, which is too narrow to see in a chart.
const PER_OCTAVE: f64 = 48.0;

/// The power of two at which the bins begin: about 10⁻⁹.
const FIRST_OCTAVE: f64 = -30.0;

/// Number of doublings: the bins reach about 10¹².
const OCTAVES: usize = 70;

/// A histogram of values that are not negative.
#[derive(Debug, Default)]
pub(super) struct Spread {
    bins: Vec<u32>,
    count: u64,
    sum: f64,
    max: f64,
}

impl Spread {
    pub(super) fn add(&mut self, value: f64) {
        if self.bins.is_empty() {
            self.bins = vec![0; OCTAVES * PER_OCTAVE as usize];
        }
        let place = (value.max(f64::MIN_POSITIVE).log2() - FIRST_OCTAVE) * PER_OCTAVE;
        let place = (place.max(0.0) as usize).min(self.bins.len() - 1);
        self.bins[place] = self.bins[place].saturating_add(1);
        self.count += 1;
        self.sum += value;
        self.max = self.max.max(value);
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    pub(super) fn max(&self) -> f64 {
        self.max
    }

    /// The bins that are not empty: lower end, upper end, and the number of values.
    pub(super) fn bins(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let end = |place: usize| (place as f64 / PER_OCTAVE + FIRST_OCTAVE).exp2();
        self.bins
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .map(move |(place, count)| (end(place), end(place + 1), f64::from(*count)))
    }

    /// The value below which this share of the values lies.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        let (mut below, wanted) = (0.0, share * self.count as f64);
        for (low, high, count) in self.bins() {
            below += count;
            if below >= wanted {
                return Some((low * high).sqrt().min(self.max));
            }
        }
        (self.count > 0).then_some(self.max)
    }

    /// The number of values in each of these equally wide intervals from 0 to `end`. A bin across an edge is divided.
    pub(super) fn linear(&self, end: f64, intervals: usize) -> Vec<f64> {
        let (mut shares, width) = (vec![0.0; intervals], end / intervals as f64);
        for (low, high, count) in self.bins() {
            // No value of the last bin lies above the largest one.
            let high = if self.max > low { high.min(self.max) } else { high };
            // Values may lie far beyond the end.
            let interval = |value: f64| ((value / width) as usize).min(intervals);
            for (place, share) in shares.iter_mut().enumerate().take(interval(high) + 1).skip(interval(low)) {
                let inside = high.min((place + 1) as f64 * width) - low.max(place as f64 * width);
                *share += count * inside.max(0.0) / (high - low);
            }
        }
        shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_values_to_a_hundredth() {
        let mut spread = Spread::default();
        (1..=10_000).for_each(|value| spread.add(f64::from(value)));
        for (share, expected) in [(0.5, 5000.0), (0.99, 9900.0), (1.0, 10_000.0)] {
            let found = spread.quantile(share).unwrap();
            assert!((found / expected - 1.0).abs() < 0.01, "{found} instead of {expected}");
        }
        assert!((spread.linear(10_000.0, 10).iter().sum::<f64>() / 1e4 - 1.0).abs() < 0.01);
        assert!(spread.linear(10_000.0, 10).iter().all(|share| (share / 1000.0 - 1.0).abs() < 0.02));
    }

    #[test]
    fn values_outside_the_bins_are_counted_too() {
        let mut spread = Spread::default();
        assert_eq!(spread.quantile(0.5), None);
        [0.0, 1e-300, 1e300].into_iter().for_each(|value| spread.add(value));
        assert_eq!((spread.count(), spread.max()), (3, 1e300));
    }

    #[test]
    fn values_far_beyond_the_last_interval_are_in_none() {
        let mut spread = Spread::default();
        [1e-9, 1e12].into_iter().for_each(|value| spread.add(value));
        let inside: f64 = spread.linear(1e-9, 40).iter().sum();
        // The bin of 1e-9 ends behind it.
        assert!((0.9..0.95).contains(&inside), "{inside}");
    }
}
