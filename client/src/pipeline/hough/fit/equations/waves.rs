//! Sums over all sectors: the products of a still disc, each multiplied by terms of the sector's direction.

#![allow(unsafe_code, reason = "code for AVX2, chosen where the machine has it")]

use super::sums::STILL_SLOTS;
use crate::pipeline::hough::machine::for_two_machines;

/// Sums over all sectors: the products of a still disc, multiplied by 1, x, y, x², xy, y² of the sector's direction.
pub(crate) type Waves = [[f64; STILL_SLOTS]; 6];

/// Index into [`Waves`] for the product of two of 1, x, y.
pub(crate) const WAVE_OF: [[usize; 3]; 3] = [[0, 1, 2], [1, 3, 4], [2, 4, 5]];

for_two_machines! {
    /// Adds a sector's products, multiplied by 1, x, y, x², xy, y² of its direction.
    pub(crate) fn add_waves(own: &[f64; STILL_SLOTS], direction: (f64, f64), waves: &mut Waves) {
        let (x, y) = direction;
        for (wave, factor) in waves.iter_mut().zip([1.0, x, y, x * x, x * y, y * y]) {
            wave.iter_mut().zip(own).for_each(|(sum, own)| *sum += factor * own);
        }
    }
}
