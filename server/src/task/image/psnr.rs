//! How closely an image matches another: the peak signal-to-noise ratio.

use hdrhistogram::Histogram;
use schemars::JsonSchema;
use serde::Serialize;
use shared::image::ImageView;

use crate::score::batches::Batches;
use crate::score::bounds::{Bound, Bounds};
use crate::score::sum::Sum;

/// The largest level of a pixel with 8 bits, R.
pub(super) const PEAK_OF_8_BITS: f64 = 255.0;

/// The largest level of a pixel with 16 bits, R.
pub(super) const PEAK_OF_16_BITS: f64 = 65_535.0;

/// Number of samples whose sum of squared differences fits 32 bits: 65,536 · 255² < 2^32.
const RUN: usize = 1 << 16;

/// Resolution of the percentiles, in dB.
const UNIT_DB: f64 = 1e-3;

/// Digits that the histogram keeps, in 1 MB. They make every PSNR exact to its unit. The largest PSNR is 175 dB, of
/// 8192x8192 pixels of 16 bits that are one level off in one sample, and 174,600 units are below 2^18.
const SIGNIFICANT_DIGITS: u8 = 5;

/// How an answer's image compares with the frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Likeness {
    /// Every sample is the same, so there is no noise, and no finite PSNR.
    Identical,
    /// Some samples differ; their mean squared difference, in squared levels.
    Differs(f64),
    /// Size or pixel format differ, so there is nothing to compare.
    OtherShape,
}

impl Likeness {
    /// Compares an image with the frame, sample by sample. The samples of a colour image are its three channels.
    pub(super) fn of(image: ImageView<'_>, frame: ImageView<'_>) -> Self {
        match (&image, &frame) {
            (ImageView::Gray8(image), ImageView::Gray8(frame)) if image.dim() == frame.dim() => {
                Self::of_samples(image.as_slice().unwrap_or_default(), frame.as_slice().unwrap_or_default())
            }
            (ImageView::Bgr8(image), ImageView::Bgr8(frame)) if image.dim() == frame.dim() => {
                Self::of_samples(image.as_slice().unwrap_or_default(), frame.as_slice().unwrap_or_default())
            }
            (ImageView::Gray16(image), ImageView::Gray16(frame)) if image.dim() == frame.dim() => {
                // Exact, as each square is below 2^32, and there are at most 2^26 of them.
                let squares = image.iter().zip(frame).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2));
                Self::of_squares(squares.sum(), frame.len())
            }
            _ => Self::OtherShape,
        }
    }

    fn of_samples(image: &[u8], frame: &[u8]) -> Self {
        Self::of_squares(squared_differences(image, frame), frame.len())
    }

    fn of_squares(sum: u64, samples: usize) -> Self {
        match sum {
            0 => Self::Identical,
            squared => Self::Differs(squared as f64 / samples as f64),
        }
    }
}

/// The PSNR of this mean squared error, in dB: 10 · log₁₀(R² / MSE) with R = `peak`, as OpenCV's `cv::PSNR`.
pub(super) fn psnr_db(mse: f64, peak: f64) -> f64 {
    10.0 * (peak * peak / mse).log10()
}

/// Sum of the squared differences: exact, as it is a whole number below 2^45.
fn squared_differences(image: &[u8], frame: &[u8]) -> u64 {
    let of_run = |(image, frame): (&[u8], &[u8])| -> u64 {
        let squares = image.iter().zip(frame).map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2));
        squares.sum::<u32>().into()
    };
    image.chunks(RUN).zip(frame.chunks(RUN)).map(of_run).sum()
}

/// `psnr_db` of the report's object `image`: of the images that differ from their frames, in dB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub(super) struct PsnrFigures {
    /// Mean.
    pub mean: Option<f64>,
    /// Smallest: that of the image that matches its frame least.
    pub min: Option<f64>,
    /// 5th percentile.
    pub p5: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// Largest.
    pub max: Option<f64>,
}

/// Gathers a session's PSNR in bounded memory.
#[derive(Clone, Debug)]
pub(super) struct PsnrStats {
    sum: Sum,
    least_db: f64,
    most_db: f64,
    histogram: Histogram<u32>,
    /// PSNR and its square.
    batches: Batches<2>,
}

impl Default for PsnrStats {
    fn default() -> Self {
        Self {
            sum: Sum::default(),
            least_db: f64::INFINITY,
            most_db: 0.0,
            batches: Batches::default(),
            // invariant: `new` only checks that the digits are in 0..=5, and they are a constant in that range.
            histogram: Histogram::new(SIGNIFICANT_DIGITS).expect("0 to 5 digits"),
        }
    }
}

impl PsnrStats {
    /// Adds an image's PSNR, which is never negative: no sample is off by more than R.
    pub(super) fn add(&mut self, db: f64) {
        self.sum.add(db);
        self.batches.add([db, db * db]);
        self.least_db = self.least_db.min(db);
        self.most_db = self.most_db.max(db);
        // The histogram grows as needed, so recording cannot fail.
        let _ = self.histogram.record((db / UNIT_DB).round() as u64);
    }

    /// Mean, in dB; `None` before the first.
    pub(super) fn mean_db(&self) -> Option<f64> {
        let count = self.histogram.len();
        (count > 0).then(|| self.sum.value() / count as f64)
    }

    /// The bounds of the report's figures, by path.
    pub(super) fn bounds(&self) -> Bounds {
        let independent = self.batches.independent();
        let percentile = |percent| {
            let value = |units: u64| (units as f64 * UNIT_DB).clamp(self.least_db, self.most_db);
            Bound::of_percentile(&self.histogram, percent, independent, value)
        };
        let mean = self.mean_db().and_then(|mean| Bound::of_mean(mean, &self.batches, |[db, _]| *db));
        let bounds = [("mean", mean), ("p5", percentile(5.0)), ("p50", percentile(50.0)), ("p95", percentile(95.0))];
        bounds.into_iter().filter_map(|(name, bound)| Some((format!("image.psnr_db.{name}"), bound?))).collect()
    }

    /// The figures for the report.
    pub(super) fn figures(&self) -> PsnrFigures {
        let Some(mean) = self.mean_db() else { return PsnrFigures::default() };
        let percentile = |percent| {
            let db = self.histogram.value_at_percentile(percent) as f64 * UNIT_DB;
            Some(db.clamp(self.least_db, self.most_db))
        };
        PsnrFigures {
            mean: Some(mean),
            min: Some(self.least_db),
            p5: percentile(5.0),
            p50: percentile(50.0),
            p95: percentile(95.0),
            max: Some(self.most_db),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::geometry::Size;
    use shared::image::{Image, PixelFormat};

    use super::*;

    #[test]
    fn images_of_known_noise_have_the_psnr_of_the_formula() {
        let size = Size { width: 300, height: 250 };
        let frame = Image::zeros(size, PixelFormat::Gray8);
        let of_level = |level: u8| {
            let bytes = vec![level; size.pixels()];
            let image = Image::from_bytes(&bytes, size, PixelFormat::Gray8).unwrap();
            Likeness::of(image.view(), frame.view())
        };
        assert_eq!(of_level(0), Likeness::Identical);
        assert_eq!(of_level(255), Likeness::Differs(65_025.0));
        assert_eq!(psnr_db(65_025.0, PEAK_OF_8_BITS), 0.0);
        // 20 · log₁₀(255 / 5): every sample is 5 levels off.
        assert!((psnr_db(25.0, PEAK_OF_8_BITS) - 34.151_403_521_958_73).abs() < 1e-12);
        let colour = Image::zeros(size, PixelFormat::Bgr8);
        assert_eq!(Likeness::of(colour.view(), frame.view()), Likeness::OtherShape);
    }

    #[test]
    fn sixteen_bits_have_a_peak_of_65535() {
        let (size, format) = (Size { width: 2, height: 1 }, PixelFormat::Gray16);
        let frame = Image::zeros(size, format);
        let white = Image::from_bytes(&[255; 4], size, format).unwrap();
        assert_eq!(Likeness::of(frame.view(), frame.view()), Likeness::Identical);
        assert_eq!(Likeness::of(white.view(), frame.view()), Likeness::Differs(PEAK_OF_16_BITS.powi(2)));
        assert_eq!(psnr_db(PEAK_OF_16_BITS.powi(2), PEAK_OF_16_BITS), 0.0);
        let narrow = Image::zeros(size, PixelFormat::Gray8);
        assert_eq!(Likeness::of(narrow.view(), frame.view()), Likeness::OtherShape);
    }

    #[test]
    fn figures_are_finite_and_null_before_the_first() {
        let mut stats = PsnrStats::default();
        assert_eq!(stats.figures(), PsnrFigures::default());
        for db in [10.0, 20.0, 60.0] {
            stats.add(db);
        }
        let figures = stats.figures();
        assert_eq!(
            (figures.mean, figures.min, figures.p50, figures.max),
            (Some(30.0), Some(10.0), Some(20.0), Some(60.0))
        );
    }

    proptest! {
        #[test]
        fn sums_of_squares_are_those_of_a_plain_loop(
            samples in proptest::collection::vec((any::<u8>(), any::<u8>()), 0..500),
            times in 1usize..400,
        ) {
            let (image, frame): (Vec<u8>, Vec<u8>) = samples.iter().copied().unzip();
            let plain: u64 = samples.iter().map(|(a, b)| (i64::from(*a) - i64::from(*b)).pow(2) as u64).sum();
            prop_assert_eq!(squared_differences(&image.repeat(times), &frame.repeat(times)), plain * times as u64);
        }
    }
}
