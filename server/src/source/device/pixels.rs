//! The pixels of a camera's buffer. A row may be longer in memory than its pixels: `stride` is its length in bytes
//! (V4L2's `bytesperline`).

use ndarray::{Array2, Array3};
use shared::geometry::Size;
use shared::image::{Image, PixelFormat};

use super::jpeg;
use super::layout::{Layout, Packing};

/// The format of a camera's buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BufferFormat {
    pub(super) layout: Layout,
    pub(super) size: Size,
    /// Bytes from one row to the next.
    pub(super) stride: usize,
}

impl BufferFormat {
    /// Bytes of a row's pixels; 0 for JPEG, which has no rows.
    pub(super) fn row_bytes(&self) -> usize {
        let width = self.size.width as usize;
        match self.layout.packing {
            Packing::Plane => width,
            // At an odd width the last pair is whole too.
            Packing::Pairs { .. } => width.next_multiple_of(2) * 2,
            Packing::Deep => width * 2,
            Packing::Bgr | Packing::Rgb => width * 3,
            Packing::Jpeg => 0,
        }
    }

    /// The image in a buffer; `None` if pixels are missing in the buffer.
    pub(super) fn image(&self, bytes: &[u8], pixel: PixelFormat) -> Option<Image> {
        let image = match self.layout.packing {
            Packing::Jpeg => jpeg::decoded(bytes).filter(|image| image.size() == self.size),
            Packing::Plane => self.gray(self.filled(bytes, |row, all| all.extend_from_slice(row))?),
            Packing::Pairs { luma } => {
                let width = self.size.width as usize;
                let levels = |row: &[u8], all: &mut Vec<u8>| {
                    all.extend(row.as_chunks::<2>().0.iter().map(|pair| pair[luma]).take(width));
                };
                self.gray(self.filled(bytes, levels)?)
            }
            Packing::Deep => self.deep(self.filled(bytes, |row, all| {
                all.extend(row.as_chunks::<2>().0.iter().map(|value| u16::from_le_bytes(*value)));
            })?),
            Packing::Bgr => self.colour(self.filled(bytes, |row, all| all.extend_from_slice(row))?),
            Packing::Rgb => self.colour(self.filled(bytes, |row, all| {
                row.as_chunks::<3>().0.iter().for_each(|[red, green, blue]| all.extend([*blue, *green, *red]));
            })?),
        }?;
        match pixel {
            PixelFormat::Gray8 => Some(image.into_gray()),
            PixelFormat::Bgr8 => Some(image.into_bgr()),
            PixelFormat::Gray16 => (image.format() == pixel).then_some(image),
        }
    }

    /// The samples of all rows; `fill` adds those of one row. `None` if there are too few bytes.
    fn filled<T>(&self, bytes: &[u8], fill: impl Fn(&[u8], &mut Vec<T>)) -> Option<Vec<T>> {
        let rows = self.rows(bytes)?;
        let mut all = Vec::with_capacity(self.row_bytes() * self.size.height as usize / size_of::<T>());
        rows.for_each(|row| fill(row, &mut all));
        Some(all)
    }

    /// The pixels of each row, without padding.
    fn rows<'a>(&self, bytes: &'a [u8]) -> Option<impl Iterator<Item = &'a [u8]> + use<'a>> {
        let (row_bytes, rows) = (self.row_bytes(), self.size.height as usize);
        // A width of 0 has no rows to step over.
        let stride = self.stride.max(row_bytes).max(1);
        // The last row may lack its padding.
        let needed = stride.checked_mul(rows.checked_sub(1)?)?.checked_add(row_bytes)?;
        (bytes.len() >= needed).then(|| bytes.chunks(stride).take(rows).map(move |row| &row[..row_bytes]))
    }

    fn shape(&self) -> (usize, usize) {
        (self.size.height as usize, self.size.width as usize)
    }

    fn gray(&self, levels: Vec<u8>) -> Option<Image> {
        Array2::from_shape_vec(self.shape(), levels).ok().map(Image::Gray8)
    }

    fn deep(&self, values: Vec<u16>) -> Option<Image> {
        Array2::from_shape_vec(self.shape(), values).ok().map(Image::Gray16)
    }

    fn colour(&self, samples: Vec<u8>) -> Option<Image> {
        let (rows, columns) = self.shape();
        Array3::from_shape_vec((rows, columns, 3), samples).ok().map(Image::Bgr8)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::image::gray_level;

    use super::super::layout::{FourCc, LAYOUTS};
    use super::*;

    fn format(code: &[u8; 4], width: u32, height: u32, stride: usize) -> BufferFormat {
        BufferFormat { layout: Layout::of(FourCc(*code)).unwrap(), size: Size { width, height }, stride }
    }

    /// Every pixel's bytes, looked up one by one: a slow reference that shares no code with the other.
    fn expected(format: &BufferFormat, bytes: &[u8]) -> Vec<u8> {
        let mut all = Vec::new();
        for row in 0..format.size.height as usize {
            for column in 0..format.size.width as usize {
                let at = |offset: usize| bytes[row * format.stride + offset];
                match &format.layout.code.0 {
                    b"YUYV" | b"YVYU" => all.push(at(2 * column)),
                    b"UYVY" | b"VYUY" => all.push(at(2 * column + 1)),
                    b"Y16 " | b"Z16 " | b"Y12 " | b"Y10 " => all.extend([at(2 * column), at(2 * column + 1)]),
                    b"BGR3" => all.push(gray_level([at(3 * column), at(3 * column + 1), at(3 * column + 2)])),
                    b"RGB3" => all.push(gray_level([at(3 * column + 2), at(3 * column + 1), at(3 * column)])),
                    _ => all.push(at(column)),
                }
            }
        }
        all
    }

    proptest! {
        #[test]
        fn padded_rows_give_the_same_pixels_as_a_slow_reference(
            place in 0..LAYOUTS.len(),
            (width, height) in (1_u32..40, 1_u32..20),
            more in 0_usize..70,
            seed in any::<u8>(),
        ) {
            let layout = LAYOUTS[place];
            prop_assume!(layout.packing != Packing::Jpeg);
            let plain = BufferFormat { layout, size: Size { width, height }, stride: 0 };
            let format = BufferFormat { stride: plain.row_bytes() + more, ..plain };
            let bytes: Vec<u8> = (0..format.stride * height as usize).map(|byte| (byte as u8).wrapping_mul(37) ^ seed).collect();
            let pixel = if layout.gives(PixelFormat::Gray16) { PixelFormat::Gray16 } else { PixelFormat::Gray8 };
            let image = format.image(&bytes, pixel).unwrap();
            prop_assert_eq!((image.size(), image.format()), (format.size, pixel));
            let wire: Vec<u8> = match &image {
                Image::Gray16(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
                image => image.bytes().to_vec(),
            };
            prop_assert_eq!(wire, expected(&format, &bytes));
            // The last row may lack its padding, but not its pixels.
            let needed = format.stride * (height as usize - 1) + format.row_bytes();
            prop_assert_eq!(format.image(&bytes[..needed], pixel), Some(image));
            prop_assert_eq!(format.image(&bytes[..needed - 1], pixel), None);
        }

        #[test]
        fn no_buffer_makes_it_panic(
            place in 0..LAYOUTS.len(),
            (width, height, stride) in (0_u32..20, 0_u32..20, 0_usize..100),
            bytes in proptest::collection::vec(any::<u8>(), 0..600),
        ) {
            let format = BufferFormat { layout: LAYOUTS[place], size: Size { width, height }, stride };
            for pixel in [PixelFormat::Gray8, PixelFormat::Bgr8, PixelFormat::Gray16] {
                if let Some(image) = format.image(&bytes, pixel) {
                    prop_assert_eq!((image.size(), image.format()), (format.size, pixel));
                }
            }
        }
    }

    #[test]
    fn colour_channels_keep_their_order() {
        let colour = |code| format(code, 2, 1, 8).image(&[1, 2, 3, 4, 5, 6, 99, 99], PixelFormat::Bgr8).unwrap();
        assert_eq!(colour(b"BGR3").bytes(), [1, 2, 3, 4, 5, 6]);
        assert_eq!(colour(b"RGB3").bytes(), [3, 2, 1, 6, 5, 4]);
    }

    #[test]
    fn a_format_without_columns_or_rows_does_no_harm() {
        for (width, height) in [(0, 0), (0, 3), (3, 0)] {
            let _ = format(b"GREY", width, height, 0).image(&[1, 2, 3], PixelFormat::Gray8);
        }
    }

    #[test]
    fn a_driver_without_a_stride_has_rows_without_padding() {
        let image = format(b"GREY", 3, 2, 0).image(&[1, 2, 3, 4, 5, 6], PixelFormat::Gray8).unwrap();
        assert_eq!(image.bytes(), [1, 2, 3, 4, 5, 6]);
    }
}
