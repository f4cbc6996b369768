//! The pass over the pixels, compiled twice: for any machine, and for machines with AVX2. The choice is made at run
//! time.
//!
//! Both versions have the same source and no fused operations, so they give the same numbers.

use super::model::Model;
use super::products::{fold, sum_sectors};
use super::sums::SectorSums;
use crate::pipeline::hough::fit::pixels::annulus::Annulus;
use crate::pipeline::hough::machine::has_avx2;

/// See [`sum_sectors`].
pub(crate) fn sum_annulus(annulus: &Annulus, model: &Model, per_sigma: f32, sums: &mut [SectorSums]) {
    #[cfg(target_arch = "x86_64")]
    if has_avx2() {
        // SAFETY: the machine has AVX2.
        return unsafe { avx2::sum_annulus(annulus, model, per_sigma, sums) };
    }
    sum_sectors(annulus, model, per_sigma, sums, fold);
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{_mm256_add_ps, _mm256_hadd_ps, _mm256_loadu_ps, _mm256_permute2f128_ps, _mm256_storeu_ps};

    use crate::pipeline::hough::fit::equations::model::Model;
    use crate::pipeline::hough::fit::equations::products::{Lanes, sum_sectors};
    use crate::pipeline::hough::fit::equations::sums::SectorSums;
    use crate::pipeline::hough::fit::pixels::annulus::{Annulus, LANES};

    #[target_feature(enable = "avx2")]
    pub(crate) fn sum_annulus(annulus: &Annulus, model: &Model, per_sigma: f32, sums: &mut [SectorSums]) {
        sum_sectors(annulus, model, per_sigma, sums, |lanes| fold(lanes));
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
