//! The 16-bit pixels of a gray16 image, from the bytes of the wire and back.
//!
//! The wire has the low byte first. A `u16` in memory must lie at an even address and has the machine's byte order. On a
//! little-endian machine, bytes at an even address therefore are the pixels, and nothing is copied. Bytes at an odd
//! address, where a received message may put them, are copied into memory that the caller keeps from image to image.

use crate::geometry::Size;
use crate::memory::{NoMemory, resize};

use super::format::PixelFormat;

/// Whether pixels in memory have the byte order of the wire.
const IS_WIRE_ORDER: bool = cfg!(target_endian = "little");

/// Makes room for the bytes of one image in `memory`, at an address where its pixels may lie. Takes at most one byte
/// more than the image has.
///
/// # Errors
/// [`NoMemory`].
pub fn room(memory: &mut Vec<u8>, size: Size, format: PixelFormat) -> Result<&mut [u8], NoMemory> {
    let spare = usize::from(format == PixelFormat::Gray16);
    resize(memory, format.bytes(size) + spare, format_args!("an image of {size} {format}"))?;
    let start = start(memory, format);
    Ok(&mut memory[start..start + format.bytes(size)])
}

/// The bytes that [`room`] made room for.
pub(super) fn kept(memory: &[u8], size: Size, format: PixelFormat) -> Option<&[u8]> {
    memory.get(start(memory, format)..)?.get(..format.bytes(size))
}

/// Where the pixels begin: at the first even address.
fn start(memory: &[u8], format: PixelFormat) -> usize {
    if format == PixelFormat::Gray16 { memory.as_ptr().addr() % align_of::<u16>() } else { 0 }
}

/// Views bytes of the wire as pixels; `None` if they must be copied first. `bytes` holds whole pixels.
pub(super) fn in_wire_order(bytes: &[u8]) -> Option<&[u16]> {
    IS_WIRE_ORDER.then(|| in_place(bytes)).flatten()
}

/// Views bytes in the machine's order as pixels; `None` at an odd address.
pub(super) fn in_place(bytes: &[u8]) -> Option<&[u16]> {
    bytemuck::try_cast_slice(bytes).ok()
}

/// Turns bytes of the wire into pixels where they are, or pixels into bytes of the wire.
pub(crate) fn reorder(bytes: &mut [u8]) {
    if !IS_WIRE_ORDER {
        bytes.as_chunks_mut::<2>().0.iter_mut().for_each(|word| word.reverse());
    }
}

/// The bytes of the wire of contiguous pixels. They are in `memory` if the machine has another byte order.
pub(super) fn wire_bytes<'a>(pixels: &'a [u16], memory: &'a mut Vec<u8>) -> &'a [u8] {
    let bytes = bytemuck::cast_slice(pixels);
    if IS_WIRE_ORDER {
        return bytes;
    }
    memory.clear();
    memory.extend_from_slice(bytes);
    reorder(memory);
    memory
}
