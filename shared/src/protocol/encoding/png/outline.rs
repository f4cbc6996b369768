//! Checks everything in a PNG but its pixels, before it is decoded.
//!
//! Only the chunks that pixels need are accepted. The others can hold compressed text or profiles, change the pixels
//! (palette, transparency), or add pictures (animation); no frame needs them.

use thiserror::Error;

use crate::geometry::Size;
use crate::image::PixelFormat;

/// The first bytes of every PNG.
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The chunk `IEND`, with its checksum: the decoder does not read it.
const END: &[u8] = b"\0\0\0\0IEND\xae\x42\x60\x82";

/// Bytes of the chunk `IHDR`.
const HEADER: usize = 13;

/// Bytes after a chunk's data: its checksum.
const CHECKSUM: usize = 4;

/// What is wrong with a PNG.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PngError {
    /// It does not begin as a PNG does.
    #[error("it does not begin as a PNG")]
    NotPng,
    /// It ends within a chunk, or without the chunk `IEND`.
    #[error("it ends early")]
    Truncated,
    /// Its header promises other pixels.
    #[error("its header says {width}x{height}, {bits} bits, colour type {colour}, interlace {interlace}")]
    Header {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// Bits of a sample.
        bits: u8,
        /// 0 is gray, 2 is red, green and blue.
        colour: u8,
        /// 0 is not interlaced.
        interlace: u8,
    },
    /// A chunk that no frame needs, or one out of place.
    #[error("a chunk \"{}\": it may have one IHDR, then IDAT, then one IEND", .0.escape_ascii())]
    Chunk([u8; 4]),
    /// Bytes after the chunk `IEND`.
    #[error("bytes after its end")]
    Trailing,
    /// Its pixels cannot be decoded.
    #[error("{0}")]
    Pixels(String),
}

/// A chunk: its type and its data.
type Chunk<'a> = ([u8; 4], &'a [u8]);

/// Checks that a PNG has the pixels that are expected, no chunks but those of the pixels, and no bytes after its end.
/// The decoder checks the other chunks' checksums.
pub(super) fn check(png: &[u8], size: Size, format: PixelFormat) -> Result<(), PngError> {
    let mut rest = png.strip_prefix(SIGNATURE).ok_or(PngError::NotPng)?;
    match next(&mut rest)? {
        (kind, data) if kind == *b"IHDR" => check_header(data, size, format)?,
        (kind, _) => return Err(PngError::Chunk(kind)),
    }
    loop {
        if let Some(after) = rest.strip_prefix(END) {
            return if after.is_empty() { Ok(()) } else { Err(PngError::Trailing) };
        }
        match next(&mut rest)? {
            (kind, _) if kind == *b"IDAT" => {}
            (kind, _) => return Err(PngError::Chunk(kind)),
        }
    }
}

/// Takes the next chunk.
fn next<'a>(rest: &mut &'a [u8]) -> Result<Chunk<'a>, PngError> {
    let (length, after) = rest.split_first_chunk::<4>().ok_or(PngError::Truncated)?;
    let (kind, after) = after.split_first_chunk::<4>().ok_or(PngError::Truncated)?;
    let length = u32::from_be_bytes(*length) as usize;
    let (data, after) = after.split_at_checked(length).ok_or(PngError::Truncated)?;
    *rest = after.get(CHECKSUM..).ok_or(PngError::Truncated)?;
    Ok((*kind, data))
}

fn check_header(data: &[u8], size: Size, format: PixelFormat) -> Result<(), PngError> {
    let &[w0, w1, w2, w3, h0, h1, h2, h3, bits, colour, compression, filter, interlace] =
        <&[u8; HEADER]>::try_from(data).map_err(|_| PngError::Chunk(*b"IHDR"))?;
    let (width, height) = (u32::from_be_bytes([w0, w1, w2, w3]), u32::from_be_bytes([h0, h1, h2, h3]));
    let expected = match format {
        PixelFormat::Gray8 => (8, 0),
        PixelFormat::Gray16 => (16, 0),
        PixelFormat::Bgr8 => (8, 2),
    };
    let is_expected = (width, height) == (size.width, size.height) && (bits, colour) == expected;
    if is_expected && [compression, filter, interlace] == [0; 3] {
        Ok(())
    } else {
        Err(PngError::Header { width, height, bits, colour, interlace })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { width: 640, height: 480 };

    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        [&(data.len() as u32).to_be_bytes()[..], kind, data, &[0; CHECKSUM]].concat()
    }

    fn header(width: u32, height: u32, last: [u8; 5]) -> Vec<u8> {
        chunk(b"IHDR", &[&width.to_be_bytes()[..], &height.to_be_bytes(), &last].concat())
    }

    /// A PNG of 640x480 gray pixels with these chunks after its header.
    fn png(chunks: &[Vec<u8>]) -> Vec<u8> {
        [SIGNATURE, &header(640, 480, [8, 0, 0, 0, 0]), &chunks.concat()].concat()
    }

    fn refused(png: &[u8]) -> String {
        check(png, SIZE, PixelFormat::Gray8).unwrap_err().to_string()
    }

    #[test]
    fn a_picture_that_fits_its_frame_is_accepted() {
        let [data, end] = [chunk(b"IDAT", &[1, 2, 3]), END.to_vec()];
        assert_eq!(check(&png(&[data.clone(), data, end]), SIZE, PixelFormat::Gray8), Ok(()));
    }

    #[test]
    fn another_header_is_refused_with_what_it_says() {
        for (width, height, last, says) in [
            (640, 481, [8, 0, 0, 0, 0], "640x481, 8 bits, colour type 0, interlace 0"),
            (0, 0, [8, 0, 0, 0, 0], "0x0, 8 bits, colour type 0, interlace 0"),
            (u32::MAX, u32::MAX, [8, 0, 0, 0, 0], "4294967295x4294967295, 8 bits, colour type 0, interlace 0"),
            (640, 480, [16, 0, 0, 0, 0], "640x480, 16 bits, colour type 0, interlace 0"),
            (640, 480, [8, 3, 0, 0, 0], "640x480, 8 bits, colour type 3, interlace 0"),
            (640, 480, [8, 0, 0, 0, 1], "640x480, 8 bits, colour type 0, interlace 1"),
        ] {
            let png = [SIGNATURE, &header(width, height, last)].concat();
            assert_eq!(refused(&png), format!("its header says {says}"));
        }
    }

    #[test]
    fn chunks_that_no_frame_needs_are_refused_by_name() {
        let [data, end] = [chunk(b"IDAT", &[1]), END.to_vec()];
        for kind in [b"zTXt", b"iCCP", b"PLTE", b"tRNS", b"acTL", b"IHDR", b"\xff\"\n ", b"\0\0\0\0"] {
            let refused = refused(&png(&[data.clone(), chunk(kind, &[0]), end.clone()]));
            assert!(refused.starts_with(&format!("a chunk \"{}\"", kind.escape_ascii())), "{refused}");
        }
        assert!(refused(&[SIGNATURE, &data].concat()).starts_with("a chunk \"IDAT\""));
        for wrong in [chunk(b"IEND", &[1]), chunk(b"IEND", &[])] {
            assert!(refused(&png(&[wrong])).starts_with("a chunk \"IEND\""), "with data, or a wrong checksum");
        }
    }

    #[test]
    fn a_picture_that_is_cut_anywhere_or_has_bytes_after_its_end_is_refused() {
        let whole = png(&[chunk(b"IDAT", &[1, 2, 3]), END.to_vec()]);
        for length in 0..whole.len() {
            let expected = if length < SIGNATURE.len() { PngError::NotPng } else { PngError::Truncated };
            assert_eq!(check(&whole[..length], SIZE, PixelFormat::Gray8), Err(expected), "{length}");
        }
        assert_eq!(refused(&[&whole[..], &[0]].concat()), "bytes after its end");
        let claims = [&whole[..33], &u32::MAX.to_be_bytes(), b"IDAT"].concat();
        assert_eq!(refused(&claims), "it ends early");
    }
}
