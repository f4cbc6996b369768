//! CMA-ES: a search that adapts the shape of its steps to the figure (N. Hansen, "The CMA Evolution Strategy: A
//! Tutorial", arXiv:1604.00772). The names and the defaults are those of the tutorial.
//!
//! It looks at the unit cube. A step beyond a face is mirrored back into the cube.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

use super::draw::Draw;

/// The search ends when its steps are shorter than this share of the ranges.
const SHORTEST: f64 = 1e-4;

/// Fewest steps of a whole number that the standard deviation covers. With less, all points would have the same value.
const OF_A_STEP: f64 = 0.3;

/// The state of a search.
pub(crate) struct Cma {
    mean: DVector<f64>,
    sigma: f64,
    covariance: DMatrix<f64>,
    sigma_path: DVector<f64>,
    path: DVector<f64>,
    weights: Vec<f64>,
    /// The least standard deviation of each axis.
    least: Vec<f64>,
    generation: i32,
}

impl Cma {
    /// A search from this point, with steps of this length. `steps` has the step of each axis, 0 for real numbers.
    pub(crate) fn new(start: &[f64], sigma: f64, steps: &[f64]) -> Self {
        let size = start.len();
        let parents = population(size) / 2;
        let raw: Vec<f64> = (1..=parents).map(|rank| (parents as f64 + 0.5).ln() - (rank as f64).ln()).collect();
        let sum: f64 = raw.iter().sum();
        Self {
            mean: DVector::from_column_slice(start),
            sigma,
            covariance: DMatrix::identity(size, size),
            sigma_path: DVector::zeros(size),
            path: DVector::zeros(size),
            weights: raw.iter().map(|weight| weight / sum).collect(),
            least: steps.iter().map(|step| OF_A_STEP * step).collect(),
            generation: 0,
        }
    }

    /// The points of the next generation.
    pub(crate) fn ask(&self, draw: &mut Draw) -> Vec<Vec<f64>> {
        let (axes, lengths) = self.axes();
        let size = self.mean.len();
        let point = |draw: &mut Draw| {
            let step = DVector::from_fn(size, |place, _| lengths[place] * draw.normal());
            (&self.mean + self.sigma * &axes * step).iter().map(|place| mirrored(*place)).collect()
        };
        (0..population(size)).map(|_| point(draw)).collect()
    }

    /// Learns from a generation, whose points come in the order of their figures, the best first.
    pub(crate) fn tell(&mut self, ranked: &[Vec<f64>]) {
        let n = self.mean.len() as f64;
        let mu_eff = 1.0 / self.weights.iter().map(|weight| weight * weight).sum::<f64>();
        let c_sigma = (mu_eff + 2.0) / (n + mu_eff + 5.0);
        let d_sigma = 1.0 + 2.0 * (((mu_eff - 1.0) / (n + 1.0)).sqrt() - 1.0).max(0.0) + c_sigma;
        let c_c = (4.0 + mu_eff / n) / (n + 4.0 + 2.0 * mu_eff / n);
        let c_1 = 2.0 / ((n + 1.3).powi(2) + mu_eff);
        let c_mu = (2.0 * (mu_eff - 2.0 + 1.0 / mu_eff) / ((n + 2.0).powi(2) + mu_eff)).min(1.0 - c_1).max(0.0);
        let expected = n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n));
        let steps: Vec<DVector<f64>> = ranked
            .iter()
            .take(self.weights.len())
            .map(|point| (DVector::from_column_slice(point) - &self.mean) / self.sigma)
            .collect();
        let mean_step = self
            .weights
            .iter()
            .zip(&steps)
            .fold(DVector::zeros(self.mean.len()), |sum, (weight, step)| sum + *weight * step);
        let (axes, lengths) = self.axes();
        let whitened = &axes * (axes.transpose() * &mean_step).component_div(&lengths);
        self.mean += self.sigma * &mean_step;
        self.sigma_path = (1.0 - c_sigma) * &self.sigma_path + (c_sigma * (2.0 - c_sigma) * mu_eff).sqrt() * whitened;
        self.generation += 1;
        let norm = self.sigma_path.norm();
        let usual =
            norm / (1.0 - (1.0 - c_sigma).powi(2 * self.generation)).sqrt() < (1.4 + 2.0 / (n + 1.0)) * expected;
        let h = f64::from(u8::from(usual));
        self.path = (1.0 - c_c) * &self.path + h * (c_c * (2.0 - c_c) * mu_eff).sqrt() * &mean_step;
        let of_parents = self
            .weights
            .iter()
            .zip(&steps)
            .fold(DMatrix::zeros(self.mean.len(), self.mean.len()), |sum, (weight, step)| {
                sum + *weight * step * step.transpose()
            });
        let kept = 1.0 - c_1 - c_mu + (1.0 - h) * c_1 * c_c * (2.0 - c_c);
        self.covariance = kept * &self.covariance + c_1 * &self.path * self.path.transpose() + c_mu * of_parents;
        self.sigma *= ((c_sigma / d_sigma) * (norm / expected - 1.0)).exp().clamp(0.1, 10.0);
        self.keep_apart();
    }

    /// The middle of the search.
    pub(crate) fn mean(&self) -> Vec<f64> {
        self.mean.iter().map(|place| mirrored(*place)).collect()
    }

    /// Whether the steps are too short to go on.
    pub(crate) fn is_over(&self) -> bool {
        let longest = (0..self.mean.len()).map(|place| self.covariance[(place, place)].sqrt()).fold(0.0, f64::max);
        let step = self.sigma * longest;
        step.is_nan() || step < SHORTEST
    }

    /// The principal axes and the standard deviations along them.
    fn axes(&self) -> (DMatrix<f64>, DVector<f64>) {
        let parts = SymmetricEigen::new((&self.covariance + self.covariance.transpose()) / 2.0);
        (parts.eigenvectors, parts.eigenvalues.map(|value| value.max(1e-20).sqrt()))
    }

    fn keep_apart(&mut self) {
        for (place, least) in self.least.iter().enumerate() {
            let variance = self.sigma * self.sigma * self.covariance[(place, place)];
            if variance < least * least {
                self.covariance[(place, place)] += (least * least - variance) / (self.sigma * self.sigma);
            }
        }
    }
}

/// Points of a generation.
pub(crate) fn population(size: usize) -> usize {
    4 + (3.0 * (size.max(1) as f64).ln()) as usize
}

fn mirrored(place: f64) -> f64 {
    let place = place.rem_euclid(2.0);
    if place > 1.0 { 2.0 - place } else { place }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value that is reached with this many points.
    fn reached(seed: u64, points: usize, figure: impl Fn(&[f64]) -> f64) -> f64 {
        let mut draw = Draw::new(seed);
        let mut cma = Cma::new(&[0.5; 4], 0.3, &[0.0; 4]);
        let mut best = f64::INFINITY;
        for _ in 0..points / population(4) {
            let mut points = cma.ask(&mut draw);
            points.sort_by(|one, other| figure(one).total_cmp(&figure(other)));
            best = best.min(figure(&points[0]));
            cma.tell(&points);
        }
        best
    }

    fn bowl(point: &[f64]) -> f64 {
        point.iter().zip([0.3, 0.7, 0.2, 0.9]).map(|(place, best)| (place - best).powi(2)).sum()
    }

    #[test]
    fn a_bowl_is_found_and_its_bottom_is_reached_exponentially() {
        let median = |points: usize| {
            let mut all: Vec<f64> = (0..11).map(|seed| reached(seed, points, bowl)).collect();
            all.sort_by(f64::total_cmp);
            all[5]
        };
        let (early, late) = (median(200), median(400));
        assert!(early < 1e-2 && late < early * 0.05, "{early}, {late}");
    }

    #[test]
    fn a_narrow_valley_across_the_axes_is_found_too() {
        // A thousand times steeper across than along.
        let valley = |point: &[f64]| {
            let (along, across) = (point[0] + point[1] - 1.1, point[0] - point[1] - 0.1);
            along * along + 1000.0 * across * across + (point[2] - 0.5).powi(2) + (point[3] - 0.5).powi(2)
        };
        let mut all: Vec<f64> = (0..11).map(|seed| reached(seed, 1_200, valley)).collect();
        all.sort_by(f64::total_cmp);
        assert!(all[5] < 1e-6, "{all:?}");
    }

    #[test]
    fn an_optimum_in_a_corner_is_found_and_no_point_leaves_the_cube() {
        let mut draw = Draw::new(3);
        let mut cma = Cma::new(&[0.5, 0.5], 0.3, &[0.0, 0.1]);
        for _ in 0..60 {
            let mut points = cma.ask(&mut draw);
            assert!(points.iter().flatten().all(|place| (0.0..=1.0).contains(place)));
            points.sort_by(|one, other| one.iter().sum::<f64>().total_cmp(&other.iter().sum()));
            cma.tell(&points);
        }
        assert!(cma.mean()[0] < 0.02 && cma.mean()[1] < 0.2, "{:?}", cma.mean());
    }
}
