//! Checks everything in a JPEG but its pixels, before it is decoded.
//!
//! Only baseline JPEG with one scan is accepted, as most programs write it. A progressive picture needs memory for all
//! its coefficients, and may have thousands of scans that each take as long as a picture.

use thiserror::Error;

use crate::geometry::Size;
use crate::image::PixelFormat;

// Second byte of a marker; the first is 0xff.
const START: u8 = 0xd8;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;
const BASELINE: u8 = 0xc0;

/// What is wrong with a JPEG.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum JpegError {
    /// It does not begin as a JPEG does.
    #[error("it does not begin as a JPEG")]
    NotJpeg,
    /// It ends within a segment, or without its end marker.
    #[error("it ends early")]
    Truncated,
    /// Its header promises other pixels.
    #[error("its header says {width}x{height}, {bits} bits, {components} components")]
    Header {
        /// Columns.
        width: u16,
        /// Rows.
        height: u16,
        /// Bits of a sample.
        bits: u8,
        /// 1 is gray, 3 is colour.
        components: u8,
    },
    /// A marker that baseline JPEG with one scan does not have, or one out of place.
    #[error("a marker {0:#04x}: it must be baseline JPEG (0xc0) with one scan (0xda)")]
    Marker(u8),
    /// A segment of an impossible length.
    #[error("a segment {0:#04x} of an impossible length")]
    Segment(u8),
    /// Bytes after the end marker.
    #[error("bytes after its end")]
    Trailing,
    /// JPEG has 8 bits.
    #[error("JPEG has no 16 bits")]
    SixteenBits,
    /// Its pixels cannot be decoded.
    #[error("{0}")]
    Pixels(String),
}

/// Checks that a JPEG has the pixels that are expected, one baseline scan, and no bytes after its end.
pub(super) fn check(jpeg: &[u8], size: Size, format: PixelFormat) -> Result<(), JpegError> {
    let components = match format {
        PixelFormat::Gray8 => 1,
        PixelFormat::Bgr8 => 3,
        PixelFormat::Gray16 => return Err(JpegError::SixteenBits),
    };
    let mut rest = jpeg.strip_prefix(&[0xff, START]).ok_or(JpegError::NotJpeg)?;
    let mut has_header = false;
    loop {
        match segment(&mut rest)? {
            (BASELINE, data) if !has_header => {
                check_header(data, size, components)?;
                has_header = true;
            }
            (SCAN, data) if has_header && data.first() == Some(&components) => return check_scan(rest),
            // Tables (0xc4, 0xdb), restart interval (0xdd), notes of programs (0xe0 to 0xef), comment (0xfe).
            (0xc4 | 0xdb | 0xdd | 0xe0..=0xef | 0xfe, _) => {}
            (marker, _) => return Err(JpegError::Marker(marker)),
        }
    }
}

/// Takes the next segment: its marker and its data.
fn segment<'a>(rest: &mut &'a [u8]) -> Result<(u8, &'a [u8]), JpegError> {
    let (&[first, marker], after) = rest.split_first_chunk::<2>().ok_or(JpegError::Truncated)?;
    // Markers below and the end have no length that could be read.
    if first != 0xff || marker < BASELINE || marker == END {
        return Err(JpegError::Marker(marker));
    }
    let (&length, after) = after.split_first_chunk::<2>().ok_or(JpegError::Truncated)?;
    // The length counts its own two bytes.
    let length = usize::from(u16::from_be_bytes(length)).checked_sub(2).ok_or(JpegError::Segment(marker))?;
    let (data, after) = after.split_at_checked(length).ok_or(JpegError::Truncated)?;
    *rest = after;
    Ok((marker, data))
}

fn check_header(data: &[u8], size: Size, expected: u8) -> Result<(), JpegError> {
    let Some((&[bits, h0, h1, w0, w1, components], each)) = data.split_first_chunk::<6>() else {
        return Err(JpegError::Segment(BASELINE));
    };
    if each.len() != 3 * usize::from(components) {
        return Err(JpegError::Segment(BASELINE));
    }
    let (width, height) = (u16::from_be_bytes([w0, w1]), u16::from_be_bytes([h0, h1]));
    let is_size = (u32::from(width), u32::from(height)) == (size.width, size.height);
    if is_size && (bits, components) == (8, expected) {
        Ok(())
    } else {
        Err(JpegError::Header { width, height, bits, components })
    }
}

/// Checks that the first marker in the scan's data is the end, and that nothing follows.
fn check_scan(mut data: &[u8]) -> Result<(), JpegError> {
    loop {
        let at = data.iter().position(|&byte| byte == 0xff).ok_or(JpegError::Truncated)?;
        let after = &data[at + 1..];
        match after {
            [] => return Err(JpegError::Truncated),
            [END] => return Ok(()),
            [END, ..] => return Err(JpegError::Trailing),
            // A byte 0xff of the data, and the restart markers.
            [0x00 | 0xd0..=0xd7, rest @ ..] => data = rest,
            [marker, ..] => return Err(JpegError::Marker(*marker)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { width: 640, height: 480 };

    fn segment(marker: u8, data: &[u8]) -> Vec<u8> {
        [&[0xff, marker][..], &(data.len() as u16 + 2).to_be_bytes(), data].concat()
    }

    fn header(marker: u8, bits: u8, width: u16, height: u16, components: u8) -> Vec<u8> {
        let size = [height.to_be_bytes(), width.to_be_bytes()].concat();
        segment(marker, &[&[bits][..], &size, &[components], &vec![1; 3 * usize::from(components)]].concat())
    }

    fn gray() -> Vec<u8> {
        header(BASELINE, 8, 640, 480, 1)
    }

    fn scan() -> Vec<u8> {
        [segment(SCAN, &[1, 1, 0, 0, 63, 0]), vec![7, 0xff, 0x00, 0xff, 0xd0, 9, 0xff, END]].concat()
    }

    fn jpeg(segments: &[Vec<u8>]) -> Vec<u8> {
        [&[0xff, START], &segments.concat()[..]].concat()
    }

    fn refused(segments: &[Vec<u8>]) -> String {
        check(&jpeg(segments), SIZE, PixelFormat::Gray8).unwrap_err().to_string()
    }

    #[test]
    fn a_picture_that_fits_its_frame_is_accepted() {
        let [tables, notes, quiet] = [segment(0xdb, &[0; 65]), segment(0xe0, b"JFIF"), segment(0xfe, &[])];
        assert_eq!(check(&jpeg(&[notes, tables, gray(), quiet, scan()]), SIZE, PixelFormat::Gray8), Ok(()));
    }

    #[test]
    fn another_header_is_refused_with_what_it_says() {
        for (bits, width, height, components, says) in [
            (8, 480, 640, 1, "480x640, 8 bits, 1 components"),
            (8, 65_535, 65_535, 1, "65535x65535, 8 bits, 1 components"),
            (12, 640, 480, 1, "640x480, 12 bits, 1 components"),
            (8, 640, 480, 3, "640x480, 8 bits, 3 components"),
            (8, 640, 480, 4, "640x480, 8 bits, 4 components"),
        ] {
            assert_eq!(
                refused(&[header(BASELINE, bits, width, height, components)]),
                format!("its header says {says}")
            );
        }
        assert_eq!(refused(&[segment(BASELINE, &[8, 1])]), "a segment 0xc0 of an impossible length");
        assert_eq!(check(&jpeg(&[]), SIZE, PixelFormat::Gray16), Err(JpegError::SixteenBits));
    }

    #[test]
    fn other_kinds_of_jpeg_and_markers_out_of_place_are_refused_by_name() {
        let says = |marker: u8| format!("a marker {marker:#04x}: it must be baseline JPEG (0xc0) with one scan (0xda)");
        // Progressive, lossless, arithmetic coding, a height that comes later.
        for marker in [0xc2, 0xc3, 0xc9, 0xdc] {
            assert_eq!(refused(&[header(marker, 8, 640, 480, 1)]), says(marker));
        }
        assert_eq!(refused(&[gray(), gray()]), says(BASELINE));
        assert_eq!(refused(&[scan()]), says(SCAN));
        assert_eq!(refused(&[gray(), vec![0xff, END]]), says(END));
        assert_eq!(refused(&[gray(), vec![0, 0, 0, 0]]), says(0));
        let two_scans = [segment(SCAN, &[1]), vec![7, 0xff, SCAN, 0, 2]].concat();
        assert_eq!(refused(&[gray(), two_scans]), says(SCAN));
    }

    #[test]
    fn a_picture_that_is_cut_anywhere_or_has_bytes_after_its_end_is_refused() {
        let whole = jpeg(&[gray(), scan()]);
        for length in 0..whole.len() {
            let expected = if length < 2 { JpegError::NotJpeg } else { JpegError::Truncated };
            assert_eq!(check(&whole[..length], SIZE, PixelFormat::Gray8), Err(expected), "{length}");
        }
        assert_eq!(refused(&[gray(), scan(), vec![0]]), "bytes after its end");
        assert_eq!(refused(&[vec![0xff, 0xdb, 0, 1]]), "a segment 0xdb of an impossible length");
    }
}
