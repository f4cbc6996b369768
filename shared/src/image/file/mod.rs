//! Image files: PNG, JPEG, PGM, PPM, BMP, TIFF and WebP, read as OpenCV's `imread` reads them: an alpha channel is
//! dropped, a palette becomes colour, and the picture is turned as its EXIF data says. Gray with more than 8 bits becomes
//! gray16, if the caller accepts that.
//!
//! A JPEG that is cut short is an error, although decoders fill in the missing part. A JPEG without Huffman tables, as
//! many webcams send, is read with the standard tables. Texts and colour profiles are ignored.

mod error;
pub mod fuzz;
mod jpeg;
mod picture;
mod png;

use std::fs;
use std::io::{BufRead, BufReader, Cursor, Read, Seek};
use std::path::Path;

use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::Image;
use crate::bounded::{self, BoundedError};
use crate::geometry::Size;
use crate::memory::look_for;

pub use error::ImageFileError;
pub use picture::{Change, Picture};

/// Maximum memory a decoder may take, in bytes: twice 8192x8192 pixels of four channels.
const DECODER_BYTES: u64 = 512 << 20;

/// Largest file read, in bytes. The largest frame has 192 MiB without compression. The limit is needed because some
/// decoders read the whole file into memory.
const FILE_BYTES: u64 = 256 << 20;

/// Pictures of the decoded size that are held at a time: as they are decoded, and turned or with other channels.
const COPIES: usize = 2;

/// Bytes that identify the type of a file. The longest signature, that of WebP, has 12.
const SIGNATURE_BYTES: u64 = 16;

/// Extensions of the files that are read, in lower case.
pub const ENDINGS: [&str; 10] = ["png", "jpg", "jpeg", "pgm", "ppm", "pnm", "bmp", "tif", "tiff", "webp"];

/// The types that are read.
const FORMATS: [ImageFormat; 6] =
    [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Pnm, ImageFormat::Bmp, ImageFormat::Tiff, ImageFormat::WebP];

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

/// Reads an image as [`read`] does, except that gray with more than 8 bits becomes gray16 with the file's values.
///
/// # Errors
/// [`ImageFileError`] if the file cannot be read or is not supported.
pub fn read_any(path: &Path) -> Result<Image, ImageFileError> {
    Ok(read_picture(path)?.image)
}

/// Reads an image as [`read_any`] does, and lists how it differs from the file. The path may lead to a pipe.
///
/// # Errors
/// [`ImageFileError`] if the file cannot be read or is not supported.
pub fn read_picture(path: &Path) -> Result<Picture, ImageFileError> {
    Opened::path(path)?.picture()
}

/// Reads an image as [`read_picture`] does from bytes as they come, such as those of the standard input.
///
/// # Errors
/// [`ImageFileError`] if the bytes cannot be read or are not an image.
pub fn read_stream(bytes: impl Read) -> Result<Picture, ImageFileError> {
    Opened::stream(bytes)?.picture()
}

/// Reads only an image's size.
///
/// # Errors
/// Those of [`read`].
pub fn size(path: &Path) -> Result<Size, ImageFileError> {
    let mut decoder = Opened::path(path)?.decoder;
    let Size { width, height } = checked(decoder.dimensions())?;
    let is_turned = matches!(
        orientation(&mut decoder),
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    );
    Ok(if is_turned { Size { width: height, height: width } } else { Size { width, height } })
}

/// Whether an image is gray with 16 bits, so that [`read_any`] gives gray16. Reads only the head of the file.
///
/// # Errors
/// Those of [`read`].
pub fn is_gray16(path: &Path) -> Result<bool, ImageFileError> {
    Ok(matches!(Opened::path(path)?.decoder.color_type(), ColorType::L16 | ColorType::La16))
}

/// A file whose head was read.
struct Opened {
    decoder: Box<dyn ImageDecoder>,
    /// Whether it is a JPEG that had no Huffman tables.
    lacked_tables: bool,
    /// Whether it is a JPEG without an end.
    is_cut_short: bool,
}

impl Opened {
    fn path(path: &Path) -> Result<Self, ImageFileError> {
        if path.is_dir() {
            return Err(ImageFileError::Directory);
        }
        let file = bounded::open(path, FILE_BYTES).map_err(|error| match error {
            BoundedError::Io(error) => ImageFileError::Io(error),
            BoundedError::TooLarge { .. } => ImageFileError::LargeFile,
        })?;
        // Decoders seek, which a pipe cannot do.
        if fs::metadata(path).is_ok_and(|data| data.is_file()) {
            Self::seekable(BufReader::new(file))
        } else {
            Self::stream(file)
        }
    }

    fn stream(mut bytes: impl Read) -> Result<Self, ImageFileError> {
        let mut file = Vec::new();
        bytes.by_ref().take(SIGNATURE_BYTES).read_to_end(&mut file)?;
        format(&file)?;
        bytes.take(FILE_BYTES).read_to_end(&mut file)?;
        if file.len() as u64 > FILE_BYTES { Err(ImageFileError::LargeFile) } else { Self::seekable(Cursor::new(file)) }
    }

    fn seekable(mut file: impl BufRead + Seek + 'static) -> Result<Self, ImageFileError> {
        let mut signature = Vec::new();
        file.by_ref().take(SIGNATURE_BYTES).read_to_end(&mut signature)?;
        file.rewind()?;
        match format(&signature)? {
            ImageFormat::Jpeg => {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes)?;
                let is_cut_short = !jpeg::is_whole(&bytes);
                let lacked_tables = jpeg::complete_tables(&mut bytes);
                let decoder = decoder(Cursor::new(bytes), ImageFormat::Jpeg);
                // The decoder's own error for a file that is cut within its head would not name the cause.
                let decoder = decoder.map_err(|error| if is_cut_short { ImageFileError::CutShort } else { error })?;
                Ok(Self { decoder, lacked_tables, is_cut_short })
            }
            ImageFormat::Png => {
                let decoder = decoder(png::Bare::new(file), ImageFormat::Png)?;
                Ok(Self { decoder, lacked_tables: false, is_cut_short: false })
            }
            format => Ok(Self { decoder: decoder(file, format)?, lacked_tables: false, is_cut_short: false }),
        }
    }

    fn picture(mut self) -> Result<Picture, ImageFileError> {
        let size = checked(self.decoder.dimensions())?;
        let bytes = usize::try_from(self.decoder.total_bytes()).unwrap_or(usize::MAX);
        look_for(bytes.saturating_mul(COPIES), format_args!("a picture of {size} px"))?;
        if self.is_cut_short {
            return Err(ImageFileError::CutShort);
        }
        let orientation = orientation(&mut self.decoder);
        let decoded = DynamicImage::from_decoder(self.decoder).map_err(ImageFileError::Damaged)?;
        let mut picture = picture::picture(decoded, orientation)?;
        picture.changes.extend(self.lacked_tables.then_some(Change::StandardTables));
        Ok(picture)
    }
}

/// The type of a file that begins with these bytes.
fn format(signature: &[u8]) -> Result<ImageFormat, ImageFileError> {
    let format = image::guess_format(signature).ok();
    format.filter(|format| FORMATS.contains(format)).ok_or(ImageFileError::NotAnImage)
}

fn decoder(file: impl BufRead + Seek + 'static, format: ImageFormat) -> Result<Box<dyn ImageDecoder>, ImageFileError> {
    let mut reader = ImageReader::with_format(file, format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODER_BYTES);
    reader.limits(limits);
    Ok(Box::new(reader.into_decoder().map_err(ImageFileError::Damaged)?))
}

/// How the picture must be turned. Damaged EXIF data counts as none, as in OpenCV.
fn orientation(decoder: &mut impl ImageDecoder) -> Orientation {
    decoder.orientation().unwrap_or(Orientation::NoTransforms)
}

fn checked((width, height): (u32, u32)) -> Result<Size, ImageFileError> {
    Size::new(width.into(), height.into()).map_err(|_| ImageFileError::TooLarge { width, height })
}

#[cfg(test)]
mod tests {
    use image::{ImageBuffer, Luma};
    use ndarray::Array2;

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
        assert!(["c.ppm", "c.bmp", "c.tiff", "c.tif", "c.webp"].into_iter().all(|name| read(name) == png));
    }

    #[test]
    fn gray_files_of_sixteen_bits_are_read_value_by_value_where_they_are_accepted() {
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
