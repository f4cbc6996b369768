//! Random numbers that are the same on every machine, and low-discrepancy points.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Most parameters: the number of dimensions for which there are Sobol points.
pub(crate) const DIMENSIONS: usize = 16;

/// Bits of a Sobol point.
const BITS: usize = 32;

/// Direction numbers of the dimensions after the first: degree and coefficients of the primitive polynomial, and the
/// first numbers m (S. Joe and F. Y. Kuo, SIAM J. Sci. Comput. 30, 2008: `new-joe-kuo-6.21201`).
const DIRECTIONS: [(usize, u32, &[u32]); DIMENSIONS - 1] = [
    (1, 0, &[1]),
    (2, 1, &[1, 3]),
    (3, 1, &[1, 3, 1]),
    (3, 2, &[1, 1, 1]),
    (4, 1, &[1, 1, 3, 3]),
    (4, 4, &[1, 3, 5, 13]),
    (5, 2, &[1, 1, 5, 5, 17]),
    (5, 4, &[1, 1, 5, 5, 5]),
    (5, 7, &[1, 1, 7, 11, 19]),
    (5, 11, &[1, 1, 5, 1, 1]),
    (5, 13, &[1, 1, 1, 3, 11]),
    (5, 14, &[1, 3, 5, 5, 31]),
    (6, 1, &[1, 3, 3, 9, 7, 49]),
    (6, 13, &[1, 1, 1, 15, 21, 21]),
    (6, 16, &[1, 3, 1, 13, 27, 49]),
];

/// A source of random numbers.
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    /// The source of this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number between 0 and 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// A standard normal number, by the method of Box and Muller.
    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * libm::log(self.uniform())).sqrt() * libm::cos(std::f64::consts::TAU * self.uniform())
    }
}

/// The Sobol points 1 to `count` of the unit cube. The first is its middle.
pub(crate) fn sobol(dimensions: usize, count: usize) -> Vec<Vec<f64>> {
    let axes: Vec<_> = (0..dimensions.min(DIMENSIONS)).map(directions).collect();
    let place = |axis: &[u32; BITS], index: usize| {
        // Gray code: neighbours differ in one bit.
        let gray = index ^ (index >> 1);
        let bits = (0..BITS).filter(|bit| gray >> bit & 1 == 1).fold(0, |sum, bit| sum ^ axis[bit]);
        f64::from(bits) / 2_f64.powi(BITS as i32)
    };
    (1..=count).map(|index| axes.iter().map(|axis| place(axis, index)).collect()).collect()
}

fn directions(dimension: usize) -> [u32; BITS] {
    let mut found = [0; BITS];
    let Some((degree, coefficients, first)) = dimension.checked_sub(1).and_then(|at| DIRECTIONS.get(at)) else {
        return std::array::from_fn(|bit| 1 << (BITS - 1 - bit));
    };
    for bit in 0..BITS {
        found[bit] = match first.get(bit) {
            Some(m) => m << (BITS - 1 - bit),
            None => {
                let mut value = found[bit - degree] ^ (found[bit - degree] >> degree);
                for term in 1..*degree {
                    if coefficients >> (degree - 1 - term) & 1 == 1 {
                        value ^= found[bit - term];
                    }
                }
                value
            }
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sobol_points_fill_every_interval_of_every_axis_equally() {
        let points = sobol(DIMENSIONS, 255);
        for axis in 0..DIMENSIONS {
            // With the point 0, 256 points lie in 256 intervals of equal length.
            let mut places: Vec<_> = points.iter().map(|point| (point[axis] * 256.0) as usize).collect();
            places.push(0);
            places.sort_unstable();
            assert_eq!(places, (0..256).collect::<Vec<_>>(), "axis {axis}");
        }
    }

    #[test]
    fn sobol_points_are_those_of_joe_and_kuo() {
        // The first points of their program sobol.cc, in 3 dimensions.
        let expected = [[0.5, 0.5, 0.5], [0.75, 0.25, 0.25], [0.25, 0.75, 0.75], [0.375, 0.375, 0.625]];
        assert_eq!(sobol(3, 4), expected);
    }
}
