//! Colour pixels with red first, as picture formats have them, and with blue first, as Plumb has them.

/// Swaps the first and the last byte of every three.
pub(super) fn swap_ends(pixels: &mut [u8]) {
    for pixel in pixels.as_chunks_mut::<3>().0 {
        pixel.swap(0, 2);
    }
}

/// The same as [`swap_ends`], in `memory`.
pub(super) fn swapped<'a>(pixels: &[u8], memory: &'a mut Vec<u8>) -> &'a [u8] {
    memory.clear();
    memory.extend_from_slice(pixels);
    swap_ends(memory);
    memory
}
