//! The colours of one gray16 image.

use std::fmt;

use ndarray::{Array3, ArrayView2};

use super::look::Look;
use super::map::Colormap;
use super::range::ValueRange;
use crate::image::{Image, LevelRange, ValueCounts};

/// The colours of one gray16 image: its map, and the range of values that it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colours {
    map: Colormap,
    range: LevelRange,
}

impl Colours {
    /// The colours of an image in this look; `None` for an image that is shown as it is.
    pub fn of(image: &Image, look: Look) -> Option<Self> {
        let Image::Gray16(pixels) = image else { return None };
        Some(Self { map: look.colormap, range: range(pixels.view(), look) })
    }

    /// Red, green and blue of a value. No reading, 0, is black.
    pub fn colour(&self, value: u16) -> [u8; 3] {
        if value == 0 { [0; 3] } else { self.map.colour(self.range.level(value)) }
    }

    /// The image in these colours. An image that is not gray16 is converted to colour as it is.
    pub fn painted(&self, image: Image) -> Image {
        let Image::Gray16(pixels) = image else { return image.into_bgr() };
        let (rows, columns) = pixels.dim();
        let bgr = |(row, column, channel): (usize, usize, usize)| self.colour(pixels[[row, column]])[2 - channel];
        Image::Bgr8(Array3::from_shape_fn((rows, columns, 3), bgr))
    }
}

fn range(pixels: ArrayView2<'_, u16>, look: Look) -> LevelRange {
    let own = || LevelRange::for_window(pixels, &mut ValueCounts::default());
    look.range.map_or_else(own, |ValueRange(range)| range)
}

/// For the legend: `turbo 503..4470`.
impl fmt::Display for Colours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.map, ValueRange(self.range))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::geometry::Size;
    use crate::image::PixelFormat;

    #[test]
    fn values_get_their_colours_in_the_range_and_no_reading_is_black() {
        let image = Image::Gray16(array![[0, 500, 2500, 4500, 9000, 1]]);
        let look = Look { colormap: Colormap::Jet, range: "500..4500".parse().ok() };
        let colours = Colours::of(&image, look).unwrap();
        assert_eq!(colours.to_string(), "jet 500..4500");
        let [first, last] = [0, 255].map(|level| Colormap::Jet.colour(level));
        let expected = [[0; 3], first, Colormap::Jet.colour(128), last, last, first];
        assert_eq!([0, 500, 2500, 4500, 9000, 1].map(|value| colours.colour(value)), expected);
        let bgr: Vec<u8> = expected.into_iter().flat_map(|[r, g, b]| [b, g, r]).collect();
        assert_eq!(colours.painted(image).bytes(), bgr);
    }

    #[test]
    fn without_a_range_an_image_has_that_of_its_percentiles() {
        let image = Image::Gray16(array![[0, 700, 900]]);
        assert_eq!(Colours::of(&image, Look::default()).unwrap().to_string(), "turbo 700..900");
        let plain = Image::zeros(Size { width: 2, height: 2 }, PixelFormat::Gray8);
        assert_eq!(Colours::of(&plain, Look::default()), None);
    }
}
