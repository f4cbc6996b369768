//! JPEG files from a camera's buffer.
//!
//! Many webcams leave the Huffman tables out, because in Motion JPEG they are always the same. A decoder needs them, so
//! the standard's own are put in.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, ImageReader, Limits};
use ndarray::{Array2, Array3};
use shared::image::Image;

/// Most memory the decoder may take, in bytes: twice 8192x8192 pixels of three channels.
const DECODER_BYTES: u64 = 512 << 20;

/// A marker's first byte (ITU-T T.81, B.1.1.2).
const MARKER: u8 = 0xff;
/// Start of image.
const SOI: u8 = 0xd8;
/// Define Huffman tables.
const DHT: u8 = 0xc4;
/// Start of scan: the coded pixels follow.
const SOS: u8 = 0xda;
/// End of image.
const EOI: [u8; 2] = [MARKER, 0xd9];

/// The image in a JPEG file; `None` if it is damaged or cut short.
pub(super) fn decoded(bytes: &[u8]) -> Option<Image> {
    // Drivers fill buffers up after the end. A file without an end was cut short, which decoders would conceal.
    let end = bytes.windows(2).rposition(|marker| marker == EOI)? + EOI.len();
    let mut reader = ImageReader::with_format(Cursor::new(with_tables(&bytes[..end])?), ImageFormat::Jpeg);
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODER_BYTES);
    reader.limits(limits);
    match reader.decode().ok()? {
        DynamicImage::ImageLuma8(gray) => {
            let shape = (gray.height() as usize, gray.width() as usize);
            Array2::from_shape_vec(shape, gray.into_raw()).ok().map(Image::Gray8)
        }
        other => {
            let rgb = other.into_rgb8();
            let shape = (rgb.height() as usize, rgb.width() as usize, 3);
            let mut bytes = rgb.into_raw();
            bytes.as_chunks_mut::<3>().0.iter_mut().for_each(|[red, _, blue]| std::mem::swap(red, blue));
            Array3::from_shape_vec(shape, bytes).ok().map(Image::Bgr8)
        }
    }
}

/// The file with Huffman tables: its own, or the standard's before its scan. `None` if it has no scan.
fn with_tables(file: &[u8]) -> Option<Vec<u8>> {
    match scan_without_tables(file)? {
        None => Some(file.to_vec()),
        Some(scan) => {
            let (head, pixels) = file.split_at(scan);
            let length = (STANDARD_TABLES.len() as u16 + 2).to_be_bytes();
            Some([head, &[MARKER, DHT], &length, &STANDARD_TABLES, pixels].concat())
        }
    }
}

/// Where the scan begins, if no Huffman table comes before it: `Some(None)` if one does, `None` if there is no scan.
fn scan_without_tables(file: &[u8]) -> Option<Option<usize>> {
    let mut at = match file {
        [MARKER, SOI, ..] => 2,
        _ => return None,
    };
    loop {
        match *file.get(at..at + 2)? {
            [MARKER, SOS] => return Some(Some(at)),
            [MARKER, DHT] => return Some(None),
            // Any number of these may stand before a marker.
            [MARKER, MARKER] => at += 1,
            [MARKER, _] => {
                let length = file.get(at + 2..at + 4)?;
                at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
            }
            _ => return None,
        }
    }
}

/// The tables of ITU-T T.81, K.3.3, as the body of a DHT segment: for Y the differences of means and the others, then
/// the same for colour. Each is its class and number, how many codes have 1 to 16 bits, and the values.
#[rustfmt::skip]
const STANDARD_TABLES: [u8; 416] = [
    0x00, 0x00, 0x01, 0x05, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,
    0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x10, 0x00, 0x02, 0x01, 0x03, 0x03, 0x02, 0x04, 0x03,
    0x05, 0x05, 0x04, 0x04, 0x00, 0x00, 0x01, 0x7d, 0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41,
    0x06, 0x13, 0x51, 0x61, 0x07, 0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52,
    0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28, 0x29,
    0x2a, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55,
    0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78,
    0x79, 0x7a, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a,
    0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2,
    0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2,
    0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0x01,
    0x00, 0x03, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x02,
    0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x11, 0x00, 0x02, 0x01, 0x02, 0x04, 0x04, 0x03, 0x04, 0x07,
    0x05, 0x04, 0x04, 0x00, 0x01, 0x02, 0x77, 0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41,
    0x51, 0x07, 0x61, 0x71, 0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52,
    0xf0, 0x15, 0x62, 0x72, 0xd1, 0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1, 0x17, 0x18, 0x19, 0x1a, 0x26, 0x27, 0x28,
    0x29, 0x2a, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55,
    0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78,
    0x79, 0x7a, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
    0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba,
    0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe2,
    0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,];

#[cfg(test)]
mod tests {
    use image::codecs::jpeg::JpegEncoder;
    use proptest::prelude::*;
    use shared::geometry::Size;

    use super::*;

    /// What a webcam sends: 128x96, a bright disc, no Huffman tables.
    const WEBCAM: &[u8] = include_bytes!("data/without_huffman_tables.jpg");

    /// A file by an encoder that writes the standard's tables, and the same file without them.
    fn with_and_without() -> (Vec<u8>, Vec<u8>) {
        let mut file = Vec::new();
        let picture = image::RgbImage::from_fn(32, 24, |x, y| image::Rgb([x as u8 * 7, y as u8 * 9, (x * y) as u8]));
        JpegEncoder::new_with_quality(&mut file, 90).encode_image(&picture).unwrap();
        let mut bare = file[..2].to_vec();
        let mut at = 2;
        while file[at + 1] != SOS {
            let next = at + 2 + usize::from(u16::from_be_bytes([file[at + 2], file[at + 3]]));
            if file[at + 1] != DHT {
                bare.extend(&file[at..next]);
            }
            at = next;
        }
        bare.extend(&file[at..]);
        (file, bare)
    }

    #[test]
    fn a_webcams_file_without_huffman_tables_shows_its_disc() {
        let Some(image) = decoded(WEBCAM) else { panic!("it is decoded") };
        assert_eq!(image.size(), Size { width: 128, height: 96 });
        let levels = image.into_gray_levels().mapv(f64::from);
        let ground = levels[[0, 0]];
        let weigh = |of: &dyn Fn(usize, usize) -> f64| -> f64 {
            levels.indexed_iter().map(|((row, column), level)| (level - ground) * of(row, column)).sum()
        };
        let all = weigh(&|_, _| 1.0);
        let (x, y) = (weigh(&|_, column| column as f64) / all, weigh(&|row, _| row as f64) / all);
        assert!((x - 60.25).abs() < 0.05 && (y - 44.5).abs() < 0.05, "({x}, {y})");
    }

    #[test]
    fn the_tables_put_in_give_the_pixels_of_the_file_that_has_its_own() {
        let (file, bare) = with_and_without();
        assert!(bare.len() < file.len() - 400);
        assert_eq!(decoded(&bare), decoded(&file));
        assert_eq!(with_tables(&file).unwrap(), file, "nothing is put into a file that has tables");
        assert_eq!(decoded(&[&bare[..], &[0; 50]].concat()), decoded(&file), "a buffer that is filled up");
    }

    #[test]
    fn a_file_that_is_cut_short_is_no_image() {
        let (file, bare) = with_and_without();
        for file in [file, bare] {
            for length in 0..file.len() {
                assert_eq!(decoded(&file[..length]), None, "{length} bytes");
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(place in 0_usize..WEBCAM.len(), byte in any::<u8>(), tail in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut damaged = WEBCAM.to_vec();
            damaged[place] = byte;
            let _ = decoded(&damaged);
            let _ = decoded(&tail);
            let _ = decoded(&[&[MARKER, SOI][..], &tail, &EOI].concat());
        }
    }
}
