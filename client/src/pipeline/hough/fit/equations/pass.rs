//! The pass over the pixels, compiled twice: for any machine, and for machines with AVX2. The choice is made at run
//! time.
//!
//! Both versions have the same source and no fused operations, so they give the same numbers.

#![allow(unsafe_code, reason = "code for AVX2, chosen where the machine has it")]

use super::model::Model;
use super::products::{Lanes, fold, sum_sectors};
use super::sums::SectorSums;
use crate::pipeline::hough::fit::pixels::annulus::{Annulus, LANES};
use crate::pipeline::hough::machine::has_avx2;

/// Work that sums the lanes of vectors. `run` must always be inlined.
pub(crate) trait Summing {
    /// Does the work. `fold` sums the lanes of eight vectors, each vector separately.
    fn run(self, fold: impl Fn(&[Lanes; LANES]) -> Lanes + Copy);
}

/// Does work as this machine does it best.
pub(crate) fn run(work: impl Summing) {
    #[cfg(target_arch = "x86_64")]
    if has_avx2() {
        // SAFETY: the machine has AVX2.
        return unsafe { avx2::run(work) };
    }
    work.run(fold);
}

/// See [`sum_sectors`].
pub(crate) fn sum_annulus(annulus: &Annulus, model: &Model, per_sigma: f32, sums: &mut [SectorSums]) {
    run(Sectors { annulus, model, per_sigma, sums });
}

/// The sums over the sectors of an annulus.
struct Sectors<'a> {
    annulus: &'a Annulus,
    model: &'a Model,
    per_sigma: f32,
    sums: &'a mut [SectorSums],
}

impl Summing for Sectors<'_> {
    #[inline(always)]
    fn run(self, fold: impl Fn(&[Lanes; LANES]) -> Lanes + Copy) {
        sum_sectors(self.annulus, self.model, self.per_sigma, self.sums, fold);
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{_mm256_add_ps, _mm256_hadd_ps, _mm256_loadu_ps, _mm256_permute2f128_ps, _mm256_storeu_ps};

    use super::Summing;
    use crate::pipeline::hough::fit::equations::products::Lanes;
    use crate::pipeline::hough::fit::pixels::annulus::LANES;

    #[target_feature(enable = "avx2")]
    pub(crate) fn run(work: impl Summing) {
        work.run(|lanes| fold(lanes));
    }

    /// Sums the lanes of eight vectors: neighbours, then pairs, then halves.
    #[target_feature(enable = "avx2")]
    fn fold(lanes: &[Lanes; LANES]) -> Lanes {
        // SAFETY: eight lanes can be read and written, and neither load nor store needs alignment.
        let [a, b, c, d, e, f, g, h] = lanes.each_ref().map(|lanes| unsafe { _mm256_loadu_ps(lanes.as_ptr()) });
        let left = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
        let right = _mm256_hadd_ps(_mm256_hadd_ps(e, f), _mm256_hadd_ps(g, h));
        let low = _mm256_permute2f128_ps::<0x20>(left, right);
        let high = _mm256_permute2f128_ps::<0x31>(left, right);
        let mut sums = [0.0; LANES];
        // SAFETY: as above.
        unsafe { _mm256_storeu_ps(sums.as_mut_ptr(), _mm256_add_ps(low, high)) };
        sums
    }
}
