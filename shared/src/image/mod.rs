//! Images: row-major arrays, gray, BGR, or gray with 16 bits.
//!
//! An [`ImageView`] shows pixels where they arrived, if they can lie there: see [`ImageView::from_wire`]. Bytes of the
//! wire have the low byte of a 16-bit pixel first, on any machine.

pub mod file;

mod format;
mod gaps;
mod levels;
mod view;
mod words;

use std::fmt::Display;

use ndarray::{Array, Array2, Array3, ArrayView2, ArrayView3, Dimension, IntoDimension};

use crate::geometry::Size;
use crate::memory;

pub use format::{PixelFormat, UnknownPixelFormat, WireError, WrongLength};
pub use levels::{GrayLevels, LevelRange, ValueCounts, gray_level, to_gray};
pub use view::ImageView;
pub(crate) use words::reorder as to_wire_order;
pub use words::room;

/// An owned image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Image {
    /// `[rows, columns]`, standard layout.
    Gray8(Array2<u8>),
    /// `[rows, columns, 3]`, blue first, standard layout.
    Bgr8(Array3<u8>),
    /// `[rows, columns]`, standard layout, in the machine's byte order.
    Gray16(Array2<u16>),
}

impl Image {
    /// A black image.
    pub fn zeros(size: Size, format: PixelFormat) -> Self {
        let (rows, columns) = (size.height as usize, size.width as usize);
        match format {
            PixelFormat::Gray8 => Self::Gray8(Array2::zeros((rows, columns))),
            PixelFormat::Bgr8 => Self::Bgr8(Array3::zeros((rows, columns, 3))),
            PixelFormat::Gray16 => Self::Gray16(Array2::zeros((rows, columns))),
        }
    }

    /// A black image, made deep inside a computation that has no errors. Without memory the computation ends: the
    /// [`caught`](memory::caught) around it returns the error.
    pub fn zeros_or_end(size: Size, format: PixelFormat) -> Self {
        let (rows, columns) = (size.height as usize, size.width as usize);
        let what = format_args!("frames of {size} {format}");
        match format {
            PixelFormat::Gray8 => Self::Gray8(zeros((rows, columns), what)),
            PixelFormat::Bgr8 => Self::Bgr8(zeros((rows, columns, 3), what)),
            PixelFormat::Gray16 => Self::Gray16(zeros((rows, columns), what)),
        }
    }

    /// Makes an image of these bytes of the wire, row by row. They are copied.
    ///
    /// # Errors
    /// [`WireError`] if they are more or fewer than the image has, or there is no memory to turn them around.
    pub fn from_bytes(bytes: &[u8], size: Size, format: PixelFormat) -> Result<Self, WireError> {
        Ok(ImageView::from_wire(bytes, size, format, &mut Vec::new())?.to_image())
    }

    /// Makes this image a copy of another one. Its memory is used again if both have the same size and format.
    pub fn copy_from(&mut self, other: &Self) {
        match (self, other) {
            (Self::Gray8(to), Self::Gray8(from)) => to.clone_from(from),
            (Self::Bgr8(to), Self::Bgr8(from)) => to.clone_from(from),
            (Self::Gray16(to), Self::Gray16(from)) => to.clone_from(from),
            (to, from) => *to = from.clone(),
        }
    }

    /// Width and height.
    pub fn size(&self) -> Size {
        let (rows, columns) = match self {
            Self::Gray8(pixels) => pixels.dim(),
            Self::Bgr8(pixels) => (pixels.dim().0, pixels.dim().1),
            Self::Gray16(pixels) => pixels.dim(),
        };
        Size { width: columns as u32, height: rows as u32 }
    }

    /// The layout of a pixel.
    pub fn format(&self) -> PixelFormat {
        match self {
            Self::Gray8(_) => PixelFormat::Gray8,
            Self::Bgr8(_) => PixelFormat::Bgr8,
            Self::Gray16(_) => PixelFormat::Gray16,
        }
    }

    /// All bytes as they lie in memory, row by row. Empty for an array that is not in standard layout (Plumb's own
    /// always are).
    ///
    /// They are the bytes of the wire, except for gray16 on a big-endian machine: there [`ImageView::wire_bytes`]
    /// converts them.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Gray8(pixels) => pixels.as_slice(),
            Self::Bgr8(pixels) => pixels.as_slice(),
            Self::Gray16(pixels) => pixels.as_slice().map(bytemuck::cast_slice),
        }
        .unwrap_or_default()
    }

    /// Converts the image to gray levels of 8 bits. Those of 16 bits are scaled, as [`GrayLevels`] does.
    #[must_use]
    pub fn into_gray(self) -> Self {
        Self::Gray8(self.into_gray_levels())
    }

    /// The gray levels, `[rows, columns]`. Those of 16 bits are scaled, as [`GrayLevels`] does.
    #[must_use]
    pub fn into_gray_levels(self) -> Array2<u8> {
        match self {
            Self::Gray8(gray) => gray,
            other => {
                let mut levels = GrayLevels::default();
                levels.of(other.view());
                levels.into_levels()
            }
        }
    }

    /// Converts the image to colour.
    #[must_use]
    pub fn into_bgr(self) -> Self {
        match self {
            Self::Bgr8(_) => self,
            gray => {
                let gray = gray.into_gray_levels();
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
            Self::Gray16(pixels) => ImageView::Gray16(pixels.view()),
        }
    }
}

impl<'a> ImageView<'a> {
    /// Views bytes of the wire as an image, row by row.
    ///
    /// Nothing is copied if the pixels can lie where the bytes are: always for 8 bits; for 16 bits at an even address of
    /// a little-endian machine. Otherwise they are copied into `memory`.
    ///
    /// # Errors
    /// [`WireError`] if the bytes are more or fewer than the image has, or there is no memory for the copy.
    pub fn from_wire(
        bytes: &'a [u8],
        size: Size,
        format: PixelFormat,
        memory: &'a mut Vec<u8>,
    ) -> Result<Self, WireError> {
        format.check_length(size, bytes.len())?;
        if format == PixelFormat::Gray16 && words::in_wire_order(bytes).is_none() {
            let room = words::room(memory, size, format)?;
            room.copy_from_slice(bytes);
            return Ok(Self::in_room(room, size, format)?);
        }
        Ok(Self::shaped(bytes, size, format)?)
    }

    /// Views bytes of the wire that were written into a [`room`], as an image of the same size and format. Nothing is
    /// copied.
    ///
    /// # Errors
    /// [`WrongLength`] if the room is that of another size or format.
    pub fn in_room(room: &'a mut [u8], size: Size, format: PixelFormat) -> Result<Self, WrongLength> {
        if format == PixelFormat::Gray16 {
            words::reorder(room);
        }
        Self::shaped(room, size, format)
    }

    /// Views again what [`Self::in_room`] showed of this memory; `None` if that was not an image of this size and format.
    pub fn kept(memory: &'a [u8], size: Size, format: PixelFormat) -> Option<Self> {
        Self::shaped(words::kept(memory, size, format)?, size, format).ok()
    }

    /// Views bytes in the machine's order, at an address where pixels of this format may lie.
    fn shaped(bytes: &'a [u8], size: Size, format: PixelFormat) -> Result<Self, WrongLength> {
        format.check_length(size, bytes.len())?;
        let (rows, columns) = (size.height as usize, size.width as usize);
        match format {
            PixelFormat::Gray8 => ArrayView2::from_shape((rows, columns), bytes).map(Self::Gray8).ok(),
            PixelFormat::Bgr8 => ArrayView3::from_shape((rows, columns, 3), bytes).map(Self::Bgr8).ok(),
            PixelFormat::Gray16 => words::in_place(bytes)
                .and_then(|words| ArrayView2::from_shape((rows, columns), words).ok())
                .map(Self::Gray16),
        }
        .ok_or_else(|| format.wrong_length(size, bytes.len()))
    }

    /// The bytes of the wire: rows from the top, without padding. They are in `memory` only if the pixels are not
    /// contiguous, or have 16 bits on a big-endian machine.
    pub fn wire_bytes<'m>(self, memory: &'m mut Vec<u8>) -> &'m [u8]
    where
        'a: 'm,
    {
        let in_place = match self {
            Self::Gray8(pixels) => pixels.to_slice(),
            Self::Bgr8(pixels) => pixels.to_slice(),
            Self::Gray16(pixels) => match pixels.to_slice() {
                Some(pixels) => return words::wire_bytes(pixels, memory),
                None => None,
            },
        };
        if let Some(bytes) = in_place {
            return bytes;
        }
        memory.clear();
        match self {
            Self::Gray8(pixels) => memory.extend(pixels.iter()),
            Self::Bgr8(pixels) => memory.extend(pixels.iter()),
            Self::Gray16(pixels) => memory.extend(pixels.iter().flat_map(|pixel| pixel.to_le_bytes())),
        }
        memory
    }

    /// Width and height.
    pub fn size(&self) -> Size {
        let (rows, columns) = match self {
            Self::Gray8(pixels) => pixels.dim(),
            Self::Bgr8(pixels) => (pixels.dim().0, pixels.dim().1),
            Self::Gray16(pixels) => pixels.dim(),
        };
        Size { width: columns as u32, height: rows as u32 }
    }

    /// The layout of a pixel.
    pub fn format(&self) -> PixelFormat {
        match self {
            Self::Gray8(_) => PixelFormat::Gray8,
            Self::Bgr8(_) => PixelFormat::Bgr8,
            Self::Gray16(_) => PixelFormat::Gray16,
        }
    }

    /// An owned copy.
    pub fn to_image(&self) -> Image {
        match self {
            Self::Gray8(pixels) => Image::Gray8(pixels.to_owned()),
            Self::Bgr8(pixels) => Image::Bgr8(pixels.to_owned()),
            Self::Gray16(pixels) => Image::Gray16(pixels.to_owned()),
        }
    }
}

/// An array of zeros in standard layout; see [`Image::zeros_or_end`].
fn zeros<T: Clone + Default, D: Dimension>(shape: impl IntoDimension<Dim = D>, what: impl Display) -> Array<T, D> {
    let shape = shape.into_dimension();
    let mut list = Vec::new();
    memory::reserve_or_end(&mut list, shape.size(), what);
    list.resize(shape.size(), T::default());
    // invariant: the list has as many entries as the shape.
    Array::from_shape_vec(shape, list).expect("as many entries as the shape has")
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn gray_levels_equal_those_of_opencv() {
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
            let error = Image::from_bytes(&vec![0; length], size, PixelFormat::Gray8).unwrap_err();
            assert_eq!(error.to_string(), format!("{length} bytes do not fill a 3x2 gray8 image: 6 are needed"));
            let error = Image::from_bytes(&vec![0; length], size, PixelFormat::Gray16).unwrap_err();
            assert_eq!(error.to_string(), format!("{length} bytes do not fill a 3x2 gray16 image: 12 are needed"));
        }
        for format in PixelFormat::ALL {
            let image = Image::from_bytes(&vec![0; format.bytes(size)], size, format).unwrap();
            assert_eq!(image, Image::zeros(size, format));
            assert_eq!((image.size(), image.format()), (size, format));
            assert_eq!(format.name().parse(), Ok(format));
        }
    }

    #[test]
    fn bytes_come_row_after_row_and_the_low_byte_of_sixteen_bits_first() {
        let square = Size { width: 2, height: 2 };
        let image = Image::from_bytes(&[1, 2, 3, 4], square, PixelFormat::Gray8).unwrap();
        assert_eq!(image, Image::Gray8(array![[1, 2], [3, 4]]));
        assert_eq!(image.bytes(), [1, 2, 3, 4]);
        let image = Image::from_bytes(&[1, 2, 3, 4, 5, 6, 7, 8], square, PixelFormat::Gray16).unwrap();
        assert_eq!(image, Image::Gray16(array![[0x0201, 0x0403], [0x0605, 0x0807]]));
        assert_eq!(image.view().wire_bytes(&mut Vec::new()), [1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn sixteen_bits_are_viewed_where_they_arrived_or_copied_from_an_odd_address() {
        let size = Size { width: 3, height: 1 };
        let bytes: Vec<u8> = (0..20).collect();
        let even = bytes.as_ptr().addr() % 2;
        for (start, stays) in [(even, cfg!(target_endian = "little")), (even + 1, false)] {
            let (message, mut memory) = (&bytes[start..start + 6], Vec::new());
            let view = ImageView::from_wire(message, size, PixelFormat::Gray16, &mut memory).unwrap();
            let ImageView::Gray16(pixels) = view else { panic!("{view:?}") };
            let expected = [0, 2, 4].map(|at| u16::from_le_bytes([message[at], message[at + 1]]));
            assert_eq!(pixels.as_slice().unwrap(), expected);
            assert_eq!(pixels.as_ptr().addr() == message.as_ptr().addr(), stays);
            assert_eq!(memory.len(), if stays { 0 } else { 7 });
        }
    }

    #[test]
    fn a_part_of_an_image_has_the_bytes_of_its_rows() {
        let gray = Array2::from_shape_fn((4, 6), |(row, column)| (0x100 * row + column) as u16);
        let part = ImageView::Gray16(gray.slice(ndarray::s![1..3, 2..4]));
        assert_eq!(part.wire_bytes(&mut Vec::new()), [2, 1, 3, 1, 2, 2, 3, 2]);
    }
}
