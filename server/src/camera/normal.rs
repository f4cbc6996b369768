//! Normal numbers from random bits: the same on every machine, and cheap enough for every pixel.
//!
//! A lane of 16 bits holds a sign (the upper bit) and a bin number. The 32,768 bins divide the half-normal distribution
//! into equal probabilities; a bin gives its mean. Bins are under 4e-5 σ wide up to 0.5 σ, 0.009 σ at 3 σ and 0.16 σ at
//! 4 σ. The last bin, beyond 4.17 σ, takes a separate, finer draw (about ten per VGA frame), so the tail goes on to
//! 9.3 σ. Mean and skew are exactly 0, and the variance is 1 to within 1e-6.

use std::sync::OnceLock;

use crate::scene::Sequence;

/// Bins on each side of 0.
const BINS: usize = 1 << 15;

/// Mask of the bin number in a lane. The last bin has this number; it is the tail.
const TAIL: u16 = 0x7fff;

/// Table of normal numbers: the mean of each bin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Normal(&'static [f32; BINS]);

impl Normal {
    pub(super) fn new() -> Self {
        static TABLE: OnceLock<Box<[f32; BINS]>> = OnceLock::new();
        Self(TABLE.get_or_init(table))
    }

    /// The normal number of a lane. Numbers of the tail are drawn from `tail`, in order.
    #[inline]
    pub(super) fn number(&self, lane: u16, tail: &mut Sequence) -> f32 {
        let bin = lane & TAIL;
        let size = if bin == TAIL { beyond(tail) } else { self.0[usize::from(bin)] };
        f32::from_bits(size.to_bits() | u32::from(lane >> 15) << 31)
    }
}

/// A number of the tail: the probability beyond it is uniform in `(0, 2⁻¹⁶]`.
#[cold]
fn beyond(tail: &mut Sequence) -> f32 {
    -quantile((1.0 - tail.uniform()) / 65_536.0) as f32
}

/// The mean of each bin, `(φ(a) − φ(b)) / 2⁻¹⁶` between its limits a and b.
fn table() -> Box<[f32; BINS]> {
    let limit = |bin: usize| -quantile(0.5 - bin as f64 / 65_536.0);
    let density = |z: f64| libm::exp(-z * z / 2.0) / (2.0 * std::f64::consts::PI).sqrt();
    let mut table = Box::new([0.0; BINS]);
    for (bin, mean) in table.iter_mut().enumerate().take(BINS - 1) {
        *mean = ((density(limit(bin)) - density(limit(bin + 1))) * 65_536.0) as f32;
    }
    table
}

/// The quantile of the normal distribution for a probability `p` in (0, ½]: AS 241, PPND16 (Wichura, Applied Statistics
/// 37(3), 1988), exact to 1e-16.
fn quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(&A, r) / polynomial(&B, r);
    }
    let r = (-libm::log(p)).sqrt();
    if r <= 5.0 {
        -polynomial(&C, r - 1.6) / polynomial(&D, r - 1.6)
    } else {
        -polynomial(&E, r - 5.0) / polynomial(&F, r - 5.0)
    }
}

fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

// The coefficients as printed. Their last digits are lost to rounding.
#[allow(clippy::excessive_precision)]
const A: [f64; 8] = [
    3.387_132_872_796_366_608_0,
    133.141_667_891_784_377_45,
    1_971.590_950_306_551_442_7,
    13_731.693_765_509_461_125,
    45_921.953_931_549_871_457,
    67_265.770_927_008_700_853,
    33_430.575_583_588_128_105,
    2_509.080_928_730_122_672_7,
];
#[allow(clippy::excessive_precision)]
const B: [f64; 8] = [
    1.0,
    42.313_330_701_600_911_252,
    687.187_007_492_057_908_3,
    5_394.196_021_424_751_107_7,
    21_213.794_301_586_595_867,
    39_307.895_800_092_710_610,
    28_729.085_735_721_942_674,
    5_226.495_278_852_854_561_0,
];
#[allow(clippy::excessive_precision)]
const C: [f64; 8] = [
    1.423_437_110_749_683_577_34,
    4.630_337_846_156_545_295_90,
    5.769_497_221_460_691_405_50,
    3.647_848_324_763_204_605_04,
    1.270_458_252_452_368_382_58,
    2.417_807_251_774_506_117_70e-1,
    2.272_384_498_926_918_458_33e-2,
    7.745_450_142_783_414_076_40e-4,
];
#[allow(clippy::excessive_precision)]
const D: [f64; 8] = [
    1.0,
    2.053_191_626_637_758_821_87,
    1.676_384_830_183_803_849_40,
    6.897_673_349_851_000_045_50e-1,
    1.481_039_764_274_800_745_90e-1,
    1.519_866_656_361_645_719_66e-2,
    5.475_938_084_995_344_946_00e-4,
    1.050_750_071_644_416_843_24e-9,
];
#[allow(clippy::excessive_precision)]
const E: [f64; 8] = [
    6.657_904_643_501_103_777_20,
    5.463_784_911_164_114_369_90,
    1.784_826_539_917_291_335_80,
    2.965_605_718_285_048_912_30e-1,
    2.653_218_952_657_612_309_30e-2,
    1.242_660_947_388_078_438_60e-3,
    2.711_555_568_743_487_578_15e-5,
    2.010_334_399_292_288_132_65e-7,
];
#[allow(clippy::excessive_precision)]
const F: [f64; 8] = [
    1.0,
    5.998_322_065_558_879_376_90e-1,
    1.369_298_809_227_358_053_10e-1,
    1.487_536_129_085_061_485_25e-2,
    7.868_691_311_456_132_591_00e-4,
    1.846_318_317_510_054_681_80e-5,
    1.421_511_758_316_445_888_70e-7,
    2.044_263_103_389_939_785_64e-15,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{Random, Stream};

    /// The probability of a normal number below `z`.
    fn below(z: f64) -> f64 {
        libm::erfc(-z / std::f64::consts::SQRT_2) / 2.0
    }

    #[test]
    fn quantiles_are_those_of_the_normal_distribution() {
        for p in [0.5, 0.4, 0.08, 0.074, 1e-3, 1e-5, 1e-11, 1e-12, 1e-20] {
            let back = below(quantile(p));
            assert!((back / p - 1.0).abs() < 1e-13, "{p}: {back}");
        }
    }

    #[test]
    fn numbers_have_their_golden_values() {
        let normal = Normal::new();
        let mut tail = Random::new(1).sequence(Stream::NoiseTail, 0);
        // From a second implementation, written in another language, with 40 digits. At most one f32 step apart.
        for (lane, expected) in [
            (0x0000, 1.912_405_605e-5),
            (0x8000, -1.912_405_605e-5),
            (0x4000, 0.674_513_759_1),
            (0x7ffe, 4.080_430_576),
            (0x7fff, 4.315_007_416),
        ] {
            let number = f64::from(normal.number(lane, &mut tail));
            assert!((number / expected - 1.0_f64).abs() < 1.2e-7, "{lane:#x}: {number}");
        }
    }

    #[test]
    fn all_lanes_together_have_the_moments_of_the_normal_distribution() {
        let normal = Normal::new();
        let moment =
            |power: i32| 2.0 * normal.0.iter().map(|&size| f64::from(size).powi(power)).sum::<f64>() / 65_536.0;
        // The tail beyond z has the probability p on each side. It adds z φ + p to the variance and (z³ + 3z) φ + 3p to
        // the kurtosis.
        let z = -quantile(1.0 / 65_536.0);
        let (phi, p) = (libm::exp(-z * z / 2.0) / (2.0 * std::f64::consts::PI).sqrt(), 1.0 / 65_536.0);
        let variance = moment(2) + 2.0 * (z * phi + p);
        assert!((variance - 1.0).abs() < 1e-6, "variance {variance}");
        let kurtosis = moment(4) + 2.0 * ((z * z * z + 3.0 * z) * phi + 3.0 * p);
        assert!((kurtosis - 3.0).abs() < 1e-4, "kurtosis {kurtosis}");
    }

    #[test]
    fn the_tail_follows_the_normal_distribution() {
        let mut draws = Random::new(9).sequence(Stream::NoiseTail, 3);
        let tail: Vec<f64> = (0..10_000).map(|_| f64::from(beyond(&mut draws))).collect();
        let edge = -quantile(1.0 / 65_536.0);
        assert!(tail.iter().all(|&z| z > edge - 1e-6 && z < 9.4));
        for z in [4.3, 4.6, 5.0] {
            let share = tail.iter().filter(|&&number| number > z).count() as f64 / 10_000.0;
            let expected = below(-z) * 65_536.0;
            let error = (expected * (1.0 - expected) / 10_000.0).sqrt();
            assert!((share - expected).abs() < 4.0 * error, "beyond {z}: {share}, expected {expected}");
        }
    }
}
