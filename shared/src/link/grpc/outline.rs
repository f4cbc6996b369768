//! Checks how much of a message is not pixels, before anything is decoded: decoded lists and maps take a hundred times as
//! many bytes as encoded ones.

use bytes::Buf;
use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

/// Fields of `proto/plumb.proto` that lead to pixels: the message's, then those within it.
const PIXELS: [&[u32]; 2] = [&[5, 8], &[5, 7, 5]];

/// Bytes of a message that are not the pixels of a frame or of an image.
///
/// # Errors
/// If the bytes are not a message.
pub(super) fn beside_pixels(message: &[u8]) -> Result<usize, DecodeError> {
    let pixels = PIXELS.map(|path| largest(message, path));
    let [frame, image] = pixels;
    Ok(message.len() - frame?.max(image?))
}

/// Length of the longest field at this path.
fn largest(mut bytes: &[u8], path: &[u32]) -> Result<usize, DecodeError> {
    let Some((&field, within)) = path.split_first() else { return Ok(bytes.len()) };
    let mut longest = 0;
    while bytes.has_remaining() {
        let (tag, wire) = decode_key(&mut bytes)?;
        if tag != field || wire != WireType::LengthDelimited {
            skip_field(wire, tag, &mut bytes, DecodeContext::default())?;
            continue;
        }
        let length = usize::try_from(decode_varint(&mut bytes)?).unwrap_or(usize::MAX);
        // Cut short: `prost` says so when it decodes.
        let (value, rest) = bytes.split_at(length.min(bytes.len()));
        // A field that is not a message at this place holds no pixels.
        longest = longest.max(largest(value, within).unwrap_or(0));
        bytes = rest;
    }
    Ok(longest)
}
