//! Handles two kinds of JPEG file that decoders do not: files that are cut short, and files without Huffman tables.
//!
//! Decoders fill the missing part of a file with gray, so that half a picture looks like a whole one. In Motion JPEG the
//! Huffman tables are always the same. Many webcams leave them out, and decoders cannot read their files.
//!
//! Marker names and codes are those of ITU-T T.81, annex B.

use std::ops::Range;

/// First byte of a marker.
const MARKER: u8 = 0xff;
/// Start of image.
const SOI: u8 = 0xd8;
/// End of image.
const EOI: u8 = 0xd9;
/// Define Huffman tables.
const DHT: u8 = 0xc4;
/// Start of scan: the coded pixels follow.
const SOS: u8 = 0xda;
/// In coded pixels this is a byte of 0xff and not a marker.
const STUFFED: u8 = 0;
/// Markers without a length: TEM and the restart markers, which may also stand in coded pixels.
const RESTARTS: Range<u8> = 0xd0..0xd8;
const TEM: u8 = 1;

/// Where the parts of a JPEG file are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Parts {
    /// Place of the first scan's marker.
    first_scan: Option<usize>,
    /// Whether Huffman tables come before the first scan.
    has_tables: bool,
    /// The end: behind the marker EOI.
    end: Option<usize>,
}

/// Whether the file is complete: a scan, and after it the marker of the image's end. Bytes after that marker do not
/// count.
pub(super) fn is_whole(file: &[u8]) -> bool {
    let parts = parts(file);
    parts.first_scan.is_some() && parts.end.is_some()
}

/// Inserts the standard Huffman tables into a file that has none. Returns whether it did.
///
/// The tables are those of ITU-T T.81, K.3.3, which Motion JPEG prescribes. A file without a scan stays as it is.
pub(super) fn complete_tables(file: &mut Vec<u8>) -> bool {
    let Parts { first_scan: Some(scan), has_tables: false, .. } = parts(file) else { return false };
    let [high, low] = (STANDARD_TABLES.len() as u16 + 2).to_be_bytes();
    file.splice(scan..scan, [MARKER, DHT, high, low].into_iter().chain(STANDARD_TABLES));
    true
}

/// Finds the parts. Stops where the file ends or is damaged.
fn parts(file: &[u8]) -> Parts {
    let mut parts = Parts::default();
    if is_jpeg(file) {
        // If the file ends early, the parts found so far are kept.
        let _ = walk(file, &mut parts);
    }
    parts
}

fn walk(file: &[u8], parts: &mut Parts) -> Option<()> {
    let mut at = 2;
    loop {
        match *file.get(at..at + 2)? {
            // Any number of these may stand before a marker.
            [MARKER, MARKER] => at += 1,
            [MARKER, EOI] => {
                parts.end = Some(at + 2);
                return Some(());
            }
            [MARKER, code] if code == TEM || RESTARTS.contains(&code) => at += 2,
            [MARKER, code] => {
                let segment = at;
                let length = file.get(at + 2..at + 4)?;
                at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
                match code {
                    DHT => parts.has_tables |= parts.first_scan.is_none(),
                    SOS => {
                        parts.first_scan.get_or_insert(segment);
                        at = behind_scan(file, at)?;
                    }
                    _ => {}
                }
            }
            _ => return None,
        }
    }
}

/// Whether the file begins as a JPEG does.
fn is_jpeg(file: &[u8]) -> bool {
    file.starts_with(&[MARKER, SOI, MARKER])
}

/// The place of the marker that ends the coded pixels.
fn behind_scan(file: &[u8], start: usize) -> Option<usize> {
    let coded = file.get(start..)?;
    let is_end = |pair: &[u8]| {
        let [first, code] = [pair[0], pair[1]];
        first == MARKER && code != STUFFED && code != MARKER && !RESTARTS.contains(&code)
    };
    coded.windows(2).position(is_end).map(|offset| start + offset)
}

/// The tables of ITU-T T.81, K.3.3, as the body of a DHT segment: for Y the table of DC and that of AC coefficients, then
/// the same two for colour. Each has its class and number, how many codes have 1 to 16 bits, and the values.
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
    0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
];

#[cfg(test)]
mod tests {
    use image::codecs::jpeg::JpegEncoder;
    use proptest::prelude::*;

    use super::*;

    /// A file by an encoder that writes the standard's tables.
    fn with_tables() -> Vec<u8> {
        let mut file = Vec::new();
        let picture = image::RgbImage::from_fn(32, 24, |x, y| image::Rgb([x as u8 * 7, y as u8 * 9, (x * y) as u8]));
        JpegEncoder::new_with_quality(&mut file, 90).encode_image(&picture).unwrap();
        file
    }

    /// The same file without its tables.
    fn without_tables() -> Vec<u8> {
        let file = with_tables();
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
        bare
    }

    fn decoded(file: &[u8]) -> image::RgbImage {
        image::load_from_memory_with_format(file, image::ImageFormat::Jpeg).unwrap().into_rgb8()
    }

    #[test]
    fn inserted_tables_give_the_same_pixels_as_the_files_own() {
        let (file, mut bare) = (with_tables(), without_tables());
        assert!(bare.len() < file.len() - 400);
        assert!(complete_tables(&mut bare));
        assert_eq!(decoded(&bare), decoded(&file));
    }

    #[test]
    fn a_file_with_tables_stays_unchanged() {
        let mut file = with_tables();
        assert!(!complete_tables(&mut file));
        assert_eq!(file, with_tables());
    }

    #[test]
    fn a_file_is_whole_only_to_its_last_byte() {
        for file in [with_tables(), without_tables()] {
            assert!(is_whole(&file));
            assert!(is_whole(&[&file[..], &[0; 50]].concat()), "drivers pad their buffers");
            assert!((0..file.len()).all(|length| !is_whole(&file[..length])));
        }
    }

    #[test]
    fn the_end_of_a_thumbnail_is_not_the_end_of_the_file() {
        let file = with_tables();
        let thumbnail = with_tables();
        let length = (thumbnail.len() as u16 + 2).to_be_bytes();
        let mut nested = [&file[..2], &[MARKER, 0xe1], &length, &thumbnail, &file[2..]].concat();
        assert!(is_whole(&nested));
        nested.truncate(nested.len() - 2);
        assert!(!is_whole(&nested));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            place in 0_usize..600,
            byte in any::<u8>(),
            tail in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            let mut damaged = with_tables();
            damaged[place] = byte;
            for file in [damaged, tail.clone(), [&[MARKER, SOI, MARKER][..], &tail].concat()] {
                let _ = is_whole(&file);
                let mut completed = file.clone();
                complete_tables(&mut completed);
            }
        }
    }
}
