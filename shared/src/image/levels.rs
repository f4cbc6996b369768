//! Gray levels of any image: 8 bits per pixel, as detectors take them.
//!
//! A gray16 image is scaled linearly, by a range of its own: see [`LevelRange::for_detection`]. Narrow gaps without a
//! reading get the level of the farther side: see [`gaps`].

use ndarray::{Array2, ArrayView2, ArrayView3};

use super::gaps;
use super::view::ImageView;

/// Number of values that a pixel of 16 bits can have.
const VALUES: usize = 1 << 16;

/// Share of the readings that may lie outside of the range for detection, at each end: 1 in 20,000.
///
/// The smallest ball that a detector looks for by default has a radius of 1/60 of the shorter side, and at least 8 px:
/// 13 in 20,000 pixels of a 640x480 frame. With a larger share, such as the 1 in 100 of a window, a ball can be wholly
/// outside of the range and be clipped, and what is left of the contrast is that of the background's noise.
const DETECTION_TAIL: u64 = 20_000;

/// Share of the readings that may lie outside of the range for a window, at each end: 1 in 100.
const WINDOW_TAIL: u64 = 100;

/// Level of a gray16 image whose readings are all the same.
const ONLY_LEVEL: u8 = 128;

/// The values of gray16 pixels that are scaled to the levels 0 and 255. Values beyond are clipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelRange {
    /// The value of level 0.
    pub min: u16,
    /// The value of level 255, at least `min`.
    pub max: u16,
}

/// Counts how often each value occurs in an image, in memory of its own.
#[derive(Clone, Debug, Default)]
pub struct ValueCounts {
    /// Empty before the first image.
    counts: Vec<u32>,
}

/// Computes the gray levels of images, in memory of its own.
#[derive(Clone, Debug, Default)]
pub struct GrayLevels {
    levels: Array2<u8>,
    counts: ValueCounts,
    /// The level of each value.
    table: Vec<u8>,
}

impl LevelRange {
    /// The range that keeps everything a detector needs: all readings but 1 in 20,000 at each end. A zero means no
    /// reading.
    ///
    /// An image without readings has the range of 0 alone.
    pub fn for_detection(pixels: ArrayView2<'_, u16>, counts: &mut ValueCounts) -> Self {
        counts.count(pixels);
        counts.range(DETECTION_TAIL)
    }

    /// The range of a window: from the 1st to the 99th percentile of the readings. A zero means no reading.
    pub fn for_window(pixels: ArrayView2<'_, u16>, counts: &mut ValueCounts) -> Self {
        counts.count(pixels);
        counts.range(WINDOW_TAIL)
    }

    /// The level of a value: 0 for no reading, else linear in the range, rounded to the nearest. In a range of one value
    /// that value has the level 128, a smaller one 0, and a larger one 255.
    pub fn level(self, value: u16) -> u8 {
        let Self { min, max } = self;
        match value {
            0 => 0,
            value if value < min => 0,
            value if value > max => 255,
            _ if min == max => ONLY_LEVEL,
            value => {
                let (above, width) = (u32::from(value - min), u32::from(max - min));
                // The quotient is at most 255, because `above` is at most `width`.
                ((above * 255 + width / 2) / width) as u8
            }
        }
    }
}

impl ValueCounts {
    fn count(&mut self, pixels: ArrayView2<'_, u16>) {
        self.counts.clear();
        self.counts.resize(VALUES, 0);
        pixels.iter().for_each(|value| self.counts[usize::from(*value)] += 1);
    }

    /// The range that leaves out at most one in `tail` of the readings at each end.
    fn range(&self, tail: u64) -> LevelRange {
        let readings = self.counts[1..].iter().map(|count| u64::from(*count)).sum::<u64>();
        if readings == 0 {
            return LevelRange { min: 0, max: 0 };
        }
        let left_out = readings / tail;
        let min = first_beyond(1..VALUES, &self.counts, left_out);
        let max = first_beyond((1..VALUES).rev(), &self.counts, left_out);
        // With so small a tail the two ends never cross, so a range is never empty.
        LevelRange { min, max: max.max(min) }
    }
}

/// The first of these values at which more than `left_out` pixels have been counted.
fn first_beyond(values: impl Iterator<Item = usize>, counts: &[u32], left_out: u64) -> u16 {
    let mut counted = 0;
    for value in values {
        counted += u64::from(counts[value]);
        if counted > left_out {
            return value as u16;
        }
    }
    0
}

impl GrayLevels {
    /// The gray levels of an image: its own bytes if it is gray8, else in this memory.
    pub fn of<'a, 'i: 'a>(&'a mut self, image: ImageView<'i>) -> ArrayView2<'a, u8> {
        match image {
            ImageView::Gray8(gray) => return gray.reborrow(),
            ImageView::Bgr8(bgr) => to_gray(bgr, &mut self.levels),
            ImageView::Gray16(pixels) => self.scale(pixels),
        }
        self.levels.view()
    }

    /// The levels of the last image, without a copy. Those of a gray8 image are not in this memory.
    pub(super) fn into_levels(self) -> Array2<u8> {
        self.levels
    }

    fn scale(&mut self, pixels: ArrayView2<'_, u16>) {
        let range = LevelRange::for_detection(pixels, &mut self.counts);
        self.table.clear();
        self.table.extend((0..=u16::MAX).map(|value| range.level(value)));
        fit(&mut self.levels, pixels.dim());
        for (level, value) in self.levels.iter_mut().zip(pixels) {
            *level = self.table[usize::from(*value)];
        }
        for (mut levels, values) in self.levels.outer_iter_mut().zip(pixels.outer_iter()) {
            gaps::fill(&mut levels, values);
        }
    }
}

/// Gray level of a BGR pixel, as computed by OpenCV's `COLOR_BGR2GRAY`: 0.114 B + 0.587 G + 0.299 R in 15-bit fixed
/// point.
///
/// Compared with OpenCV 4.5, 4.14 and 5.0 for all colours. With 14 bits, one colour in 400 would be a level off.
pub fn gray_level([blue, green, red]: [u8; 3]) -> u8 {
    let sum = 3735 * u32::from(blue) + 19_235 * u32::from(green) + 9798 * u32::from(red);
    // The weights add up to 32768, so the result is at most 255.
    ((sum + 16_384) >> 15) as u8
}

/// Writes the gray levels of `bgr` into `gray`, which is resized to fit.
pub fn to_gray(bgr: ArrayView3<'_, u8>, gray: &mut Array2<u8>) {
    let (rows, columns, _) = bgr.dim();
    fit(gray, (rows, columns));
    for (level, pixel) in gray.iter_mut().zip(bgr.rows()) {
        *level = gray_level([pixel[0], pixel[1], pixel[2]]);
    }
}

fn fit(levels: &mut Array2<u8>, shape: (usize, usize)) {
    if levels.dim() != shape {
        *levels = Array2::zeros(shape);
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use proptest::prelude::*;

    use super::*;

    fn levels(pixels: &Array2<u16>) -> Array2<u8> {
        GrayLevels::default().of(ImageView::Gray16(pixels.view())).to_owned()
    }

    #[test]
    fn the_readings_of_a_gray16_image_are_spread_over_all_levels_and_no_reading_is_zero() {
        assert_eq!(levels(&array![[0, 1000, 1500], [2000, 0, 3000]]), array![[0, 0, 64], [128, 0, 255]]);
    }

    #[test]
    fn a_gray16_image_of_one_value_has_one_level() {
        assert_eq!(levels(&array![[700, 700]]), array![[128, 128]]);
        assert_eq!(levels(&array![[700, 0]]), array![[128, 0]]);
        assert_eq!(levels(&array![[0, 0]]), array![[0, 0]]);
    }

    #[test]
    fn a_few_wild_pixels_do_not_change_the_levels_of_the_others() {
        let mut pixels = Array2::from_shape_fn((200, 200), |(_, column)| 1000 + column as u16);
        let before = levels(&pixels);
        (pixels[[3, 7]], pixels[[5, 9]]) = (u16::MAX, 1);
        let after = levels(&pixels);
        let differing = before.indexed_iter().zip(&after).filter(|((_, before), after)| before != after);
        assert_eq!(differing.map(|((place, _), _)| place).collect::<Vec<_>>(), [(3, 7), (5, 9)]);
    }

    #[test]
    fn a_ball_of_a_thousandth_of_the_frame_keeps_its_contrast_where_percentiles_of_a_window_lose_it() {
        let mut pixels = Array2::from_elem((480, 640), 1000_u16);
        pixels.slice_mut(ndarray::s![100..116, 200..216]).fill(1400);
        let mut counts = ValueCounts::default();
        assert_eq!(LevelRange::for_detection(pixels.view(), &mut counts), LevelRange { min: 1000, max: 1400 });
        assert_eq!(LevelRange::for_window(pixels.view(), &mut counts), LevelRange { min: 1000, max: 1000 });
    }

    #[test]
    fn only_readings_count_in_percentiles() {
        let mut pixels = Array2::from_shape_fn((10, 100), |(row, column)| (10 * column + row) as u16 + 1);
        pixels.row_mut(0).fill(0);
        let range = LevelRange::for_window(pixels.view(), &mut ValueCounts::default());
        // 900 readings: the 9 smallest and the 9 largest are left out.
        assert_eq!(range, LevelRange { min: 12, max: 990 });
    }

    proptest! {
        #[test]
        fn levels_rise_with_values_and_reach_both_ends(min in 1_u16.., width in 1_u16.., a in 1_u16.., b in 1_u16..) {
            let range = LevelRange { min, max: min.saturating_add(width) };
            prop_assert!(range.level(a.min(b)) <= range.level(a.max(b)));
            if range.min < range.max {
                prop_assert_eq!((range.level(range.min), range.level(range.max)), (0, 255));
            }
        }
    }
}
