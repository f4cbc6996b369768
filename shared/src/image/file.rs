//! Image files: PNG, JPEG, PGM, PPM, BMP and TIFF with 8 bits per channel, without alpha; and gray PNG, PGM and TIFF with
//! 16 bits, where the caller takes them.

use std::io::{self, BufReader};
use std::path::Path;

use image::{ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use ndarray::{Array2, Array3};
use thiserror::Error;

use super::Image;
use crate::bounded::{self, BoundedError};
use crate::geometry::{MAX_SIDE, Size};

/// Most memory a decoder may take, in bytes: twice 8192x8192 pixels of four channels.
const DECODER_BYTES: u64 = 512 << 20;

/// Largest file read, in bytes. The largest frame has 192 MiB without compression. The limit is needed because some
/// decoders read the whole file into memory.
const FILE_BYTES: u64 = 256 << 20;

/// Extensions of the files that are read, in lower case.
pub const ENDINGS: [&str; 9] = ["png", "jpg", "jpeg", "pgm", "ppm", "pnm", "bmp", "tif", "tiff"];

/// Why an image file could not be read.
#[derive(Debug, Error)]
pub enum ImageFileError {
    /// The file system reported an error.
    #[error("cannot read it: {0}")]
    Io(#[from] io::Error),
    /// The file is larger than any image.
    #[error("larger than {} MiB: an image file has at most that", FILE_BYTES >> 20)]
    LargeFile,
    /// The path is a directory.
    #[error("it is a directory: name the files in it")]
    Directory,
    /// The file is of another type.
    #[error("not an image this reads (PNG, JPEG, PGM, BMP, TIFF)")]
    NotAnImage,
    /// The image is larger than any frame.
    #[error("{width}x{height} px is too large: each side may be up to {MAX_SIDE} px")]
    TooLarge {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// The pixels are of a type that is not supported.
    #[error("{0} pixels are not supported: 8 bits a channel, gray or colour, without alpha")]
    Pixels(String),
    /// The file has 16 bits per pixel, and the caller takes 8.
    #[error("16-bit gray pixels are not taken here: --pixel gray16 is for them")]
    Deep,
    /// The decoder failed.
    #[error("damaged or cut short: {0}")]
    Damaged(image::ImageError),
}

/// Reads an image with 8 bits per channel. Gray stays gray, colour becomes BGR.
///
/// # Errors
/// [`ImageFileError`] if the file cannot be read or is not supported.
pub fn read(path: &Path) -> Result<Image, ImageFileError> {
    match read_any(path)? {
        Image::Gray16(_) => Err(ImageFileError::Deep),
        image => Ok(image),
    }
}

/// Reads an image as [`read`] does, and gray with 16 bits as gray16, with the values that the file has.
///
/// # Errors
/// [`ImageFileError`] if the file cannot be read or is not supported.
pub fn read_any(path: &Path) -> Result<Image, ImageFileError> {
    let decoder = decoder(path)?;
    checked(decoder.dimensions())?;
    pixels(DynamicImage::from_decoder(decoder).map_err(ImageFileError::Damaged)?)
}

/// Reads only an image's size.
///
/// # Errors
/// Those of [`read`].
pub fn size(path: &Path) -> Result<Size, ImageFileError> {
    checked(decoder(path)?.dimensions())
}

/// Whether an image is gray with 16 bits, so that [`read_any`] gives gray16. Reads only the head of the file.
///
/// # Errors
/// Those of [`read`].
pub fn is_gray16(path: &Path) -> Result<bool, ImageFileError> {
    Ok(decoder(path)?.color_type() == ColorType::L16)
}

fn decoder(path: &Path) -> Result<impl ImageDecoder, ImageFileError> {
    if path.is_dir() {
        return Err(ImageFileError::Directory);
    }
    let file = bounded::open(path, FILE_BYTES).map_err(|error| match error {
        BoundedError::Io(error) => ImageFileError::Io(error),
        BoundedError::TooLarge { .. } => ImageFileError::LargeFile,
    })?;
    let mut reader = ImageReader::new(BufReader::new(file)).with_guessed_format()?;
    let known = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Pnm, ImageFormat::Bmp, ImageFormat::Tiff];
    if !reader.format().is_some_and(|format| known.contains(&format)) {
        return Err(ImageFileError::NotAnImage);
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODER_BYTES);
    reader.limits(limits);
    reader.into_decoder().map_err(ImageFileError::Damaged)
}

fn checked((width, height): (u32, u32)) -> Result<Size, ImageFileError> {
    Size::new(width.into(), height.into()).map_err(|_| ImageFileError::TooLarge { width, height })
}

fn pixels(image: DynamicImage) -> Result<Image, ImageFileError> {
    let (rows, columns) = (image.height() as usize, image.width() as usize);
    let damaged = |error| ImageFileError::Io(io::Error::new(io::ErrorKind::InvalidData, error));
    match image {
        DynamicImage::ImageLuma8(image) => {
            Ok(Image::Gray8(Array2::from_shape_vec((rows, columns), image.into_raw()).map_err(damaged)?))
        }
        DynamicImage::ImageRgb8(image) => {
            let mut bytes = image.into_raw();
            // Files store red first. Plumb's images store blue first.
            bytes.as_chunks_mut::<3>().0.iter_mut().for_each(|[red, _, blue]| std::mem::swap(red, blue));
            Ok(Image::Bgr8(Array3::from_shape_vec((rows, columns, 3), bytes).map_err(damaged)?))
        }
        DynamicImage::ImageLuma16(image) => {
            Ok(Image::Gray16(Array2::from_shape_vec((rows, columns), image.into_raw()).map_err(damaged)?))
        }
        other => Err(ImageFileError::Pixels(in_words(other.color()))),
    }
}

/// Name of this pixel type, for messages.
fn in_words(colour: ColorType) -> String {
    let channels = if colour.has_color() { "colour" } else { "gray" };
    let alpha = if colour.has_alpha() { " with alpha" } else { "" };
    format!("{}-bit {channels}{alpha}", 8 * u16::from(colour.bytes_per_pixel() / colour.channel_count()))
}

#[cfg(test)]
mod tests {
    use image::{ImageBuffer, Luma};

    use super::*;

    #[test]
    fn every_type_without_loss_gives_the_pixels_that_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let colour = image::RgbImage::from_fn(5, 3, |x, y| image::Rgb([x as u8, 10 * y as u8, 255]));
        let read = |name: &str| {
            let path = folder.path().join(name);
            colour.save(&path).unwrap();
            assert!(ENDINGS.contains(&name.rsplit('.').next().unwrap()));
            super::read(&path).unwrap()
        };
        let png = read("c.png");
        assert_eq!(&png.bytes()[3..6], [255, 0, 1], "blue first");
        assert!(["c.ppm", "c.bmp", "c.tiff", "c.tif"].into_iter().all(|name| read(name) == png));
    }

    #[test]
    fn gray_files_of_sixteen_bits_are_read_value_by_value_where_they_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        let values = vec![0, 1, 255, 256, 1000, u16::MAX];
        let written = ImageBuffer::<Luma<u16>, _>::from_raw(3, 2, values.clone()).unwrap();
        let expected = Image::Gray16(Array2::from_shape_vec((2, 3), values).unwrap());
        for name in ["d.png", "d.pgm", "d.tiff"] {
            let path = folder.path().join(name);
            written.save(&path).unwrap();
            assert_eq!(read_any(&path).unwrap(), expected, "{name}");
            assert!(is_gray16(&path).unwrap(), "{name}");
            assert!(matches!(read(&path), Err(ImageFileError::Deep)), "{name}");
        }
        let path = folder.path().join("g.png");
        image::GrayImage::new(3, 2).save(&path).unwrap();
        assert!(!is_gray16(&path).unwrap());
        assert_eq!(read_any(&path).unwrap(), read(&path).unwrap());
    }
}
