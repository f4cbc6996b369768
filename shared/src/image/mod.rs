//! Images: row-major arrays of bytes, gray or BGR.

pub mod file;

use std::fmt;
use std::str::FromStr;

use ndarray::{Array2, Array3, ArrayView2, ArrayView3};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::geometry::Size;

/// How a pixel is laid out in memory and on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum PixelFormat {
    /// One byte: gray level 0–255.
    #[default]
    Gray8,
    /// Three bytes: blue, green, red, as in OpenCV.
    Bgr8,
}

/// The name is not that of a pixel format.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("\"{0}\" is not a pixel format: gray8 or bgr8")]
pub struct UnknownPixelFormat(String);

impl PixelFormat {
    /// Bytes per pixel.
    pub fn channels(self) -> usize {
        match self {
            Self::Gray8 => 1,
            Self::Bgr8 => 3,
        }
    }

    /// Bytes of a whole image of `size`.
    pub fn bytes(self, size: Size) -> usize {
        size.pixels() * self.channels()
    }
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gray8 => "gray8",
            Self::Bgr8 => "bgr8",
        })
    }
}

impl FromStr for PixelFormat {
    type Err = UnknownPixelFormat;

    fn from_str(text: &str) -> Result<Self, UnknownPixelFormat> {
        match text {
            "gray8" => Ok(Self::Gray8),
            "bgr8" => Ok(Self::Bgr8),
            _ => Err(UnknownPixelFormat(text.to_owned())),
        }
    }
}

/// An owned image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Image {
    /// `[rows, columns]`, standard layout.
    Gray8(Array2<u8>),
    /// `[rows, columns, 3]`, blue first, standard layout.
    Bgr8(Array3<u8>),
}

impl Image {
    /// A black image.
    pub fn zeros(size: Size, format: PixelFormat) -> Self {
        let (rows, columns) = (size.height as usize, size.width as usize);
        match format {
            PixelFormat::Gray8 => Self::Gray8(Array2::zeros((rows, columns))),
            PixelFormat::Bgr8 => Self::Bgr8(Array3::zeros((rows, columns, 3))),
        }
    }

    /// Width and height.
    pub fn size(&self) -> Size {
        let (rows, columns) = match self {
            Self::Gray8(pixels) => pixels.dim(),
            Self::Bgr8(pixels) => (pixels.dim().0, pixels.dim().1),
        };
        Size { width: columns as u32, height: rows as u32 }
    }

    /// The layout of a pixel.
    pub fn format(&self) -> PixelFormat {
        match self {
            Self::Gray8(_) => PixelFormat::Gray8,
            Self::Bgr8(_) => PixelFormat::Bgr8,
        }
    }

    /// All bytes, row by row. Empty for an array that is not in standard layout (Plumb's own always are).
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Gray8(pixels) => pixels.as_slice(),
            Self::Bgr8(pixels) => pixels.as_slice(),
        }
        .unwrap_or_default()
    }

    /// Converts the image to gray levels.
    #[must_use]
    pub fn into_gray(self) -> Self {
        Self::Gray8(self.into_gray_levels())
    }

    /// The gray levels, `[rows, columns]`.
    #[must_use]
    pub fn into_gray_levels(self) -> Array2<u8> {
        match self {
            Self::Gray8(gray) => gray,
            Self::Bgr8(bgr) => {
                let mut gray = Array2::zeros((0, 0));
                to_gray(bgr.view(), &mut gray);
                gray
            }
        }
    }

    /// Converts the image to colour.
    #[must_use]
    pub fn into_bgr(self) -> Self {
        match self {
            Self::Bgr8(_) => self,
            Self::Gray8(gray) => {
                let (rows, columns) = gray.dim();
                Self::Bgr8(Array3::from_shape_fn((rows, columns, 3), |(row, column, _)| gray[[row, column]]))
            }
        }
    }

    /// A borrowed view of the image.
    pub fn view(&self) -> ImageView<'_> {
        match self {
            Self::Gray8(pixels) => ImageView::Gray8(pixels.view()),
            Self::Bgr8(pixels) => ImageView::Bgr8(pixels.view()),
        }
    }
}

/// A borrowed image: its pixels stay in the message that they arrived in.
#[derive(Clone, Copy, Debug)]
pub enum ImageView<'a> {
    /// `[rows, columns]`.
    Gray8(ArrayView2<'a, u8>),
    /// `[rows, columns, 3]`, blue first.
    Bgr8(ArrayView3<'a, u8>),
}

/// The number of bytes does not match an image of this size and format.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{got} bytes do not fill a {size} {format} image: {need} are needed")]
pub struct WrongLength {
    got: usize,
    need: usize,
    size: Size,
    format: PixelFormat,
}

impl<'a> ImageView<'a> {
    /// Views `bytes` as an image, row by row.
    pub fn from_bytes(bytes: &'a [u8], size: Size, format: PixelFormat) -> Result<Self, WrongLength> {
        let (rows, columns) = (size.height as usize, size.width as usize);
        let wrong = WrongLength { got: bytes.len(), need: format.bytes(size), size, format };
        match format {
            PixelFormat::Gray8 => ArrayView2::from_shape((rows, columns), bytes).map(Self::Gray8).ok(),
            PixelFormat::Bgr8 => ArrayView3::from_shape((rows, columns, 3), bytes).map(Self::Bgr8).ok(),
        }
        .filter(|_| wrong.got == wrong.need)
        .ok_or(wrong)
    }

    /// Width and height.
    pub fn size(&self) -> Size {
        let (rows, columns) = match self {
            Self::Gray8(pixels) => pixels.dim(),
            Self::Bgr8(pixels) => (pixels.dim().0, pixels.dim().1),
        };
        Size { width: columns as u32, height: rows as u32 }
    }

    /// An owned copy.
    pub fn to_image(&self) -> Image {
        match self {
            Self::Gray8(pixels) => Image::Gray8(pixels.to_owned()),
            Self::Bgr8(pixels) => Image::Bgr8(pixels.to_owned()),
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
    if gray.dim() != (rows, columns) {
        *gray = Array2::zeros((rows, columns));
    }
    for (level, pixel) in gray.iter_mut().zip(bgr.rows()) {
        *level = gray_level([pixel[0], pixel[1], pixel[2]]);
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn gray_levels_are_opencvs() {
        // cv2.cvtColor(…, COLOR_BGR2GRAY) of the same pixels.
        assert_eq!(gray_level([255, 0, 0]), 29);
        assert_eq!(gray_level([0, 255, 0]), 150);
        assert_eq!(gray_level([0, 0, 255]), 76);
        assert_eq!(gray_level([255, 255, 255]), 255);
        assert_eq!(gray_level([40, 40, 40]), 40);
        // A value just above half a level, which needs all 15 bits.
        assert_eq!(gray_level([0, 70, 192]), 99);
        assert_eq!(gray_level([0, 130, 111]), 110);
    }

    #[test]
    fn a_colour_image_turns_gray_pixel_by_pixel() {
        let bgr = array![[[255u8, 255, 255], [0, 0, 255]]];
        let mut gray = Array2::zeros((0, 0));
        to_gray(bgr.view(), &mut gray);
        assert_eq!(gray, array![[255u8, 76]]);
    }

    #[test]
    fn bytes_that_do_not_fill_the_image_are_refused() {
        let size = Size { width: 3, height: 2 };
        for length in [5, 7] {
            let bytes = vec![0; length];
            let error = ImageView::from_bytes(&bytes, size, PixelFormat::Gray8).unwrap_err();
            assert_eq!(error.to_string(), format!("{length} bytes do not fill a 3x2 gray8 image: 6 are needed"));
        }
        let bytes = [0; 18];
        assert_eq!(ImageView::from_bytes(&bytes, size, PixelFormat::Bgr8).unwrap().size(), size);
    }

    #[test]
    fn bytes_come_row_after_row() {
        let image = ImageView::from_bytes(&[1, 2, 3, 4], Size { width: 2, height: 2 }, PixelFormat::Gray8).unwrap();
        assert_eq!(image.to_image(), Image::Gray8(array![[1, 2], [3, 4]]));
        assert_eq!(image.to_image().bytes(), [1, 2, 3, 4]);
    }
}
