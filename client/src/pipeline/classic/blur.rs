//! Gaussian blur over 9x9 pixels with sigma 2 and weights in 256ths.
//!
//! Rows are blurred first, then columns, both exactly in integers. The sum, in 65536ths, is rounded once, half up.
//! Beyond the border the image is mirrored about its outermost pixels.

use std::array;

/// The Gaussian of sigma 2 at -4..=4 px in 256ths, rounded so that the sum is 256.
const TAPS: [u16; 9] = [7, 17, 32, 46, 52, 46, 32, 17, 7];

/// Taps on each side of the middle one.
const REACH: usize = TAPS.len() / 2;

/// The blurred frame and its work buffers.
#[derive(Default)]
pub(super) struct Blur {
    /// Gray levels, row-major, as wide as the frame.
    pub(super) blurred: Vec<u8>,
    /// One row with its mirrored margins.
    padded: Vec<u8>,
    /// The last nine rows, blurred along x, in whole gray levels. Row `v` is at `v % 9`.
    high: Vec<u16>,
    /// The rest of those rows, in 256ths of a gray level.
    low: Vec<u16>,
}

impl Blur {
    /// Blurs `pixels`, which are row-major, `width` wide and not empty.
    pub(super) fn blur(&mut self, pixels: &[u8], width: usize) {
        let height = pixels.len() / width;
        self.blurred.resize(pixels.len(), 0);
        self.padded.resize(width + 2 * REACH, 0);
        self.high.resize(TAPS.len() * width, 0);
        self.low.resize(TAPS.len() * width, 0);
        for v in 0..height + 2 * REACH {
            let source = &pixels[mirrored(v, height) * width..][..width];
            pad(source, &mut self.padded);
            let slot = v % TAPS.len() * width..(v % TAPS.len() + 1) * width;
            blur_along(&self.padded, &mut self.high[slot.clone()], &mut self.low[slot]);
            if let Some(y) = v.checked_sub(2 * REACH) {
                let rows = |ring| array::from_fn(|tap| row(ring, (y + tap) % TAPS.len(), width));
                blur_across(rows(&self.high), rows(&self.low), &mut self.blurred[y * width..][..width]);
            }
        }
    }
}

/// Index of the pixel `i - REACH` in a line of `len` pixels with mirrored margins: `… 2 1 | 0 1 2 … n | n-1 n-2 …`.
fn mirrored(i: usize, len: usize) -> usize {
    let period = (2 * len - 2).max(1) as isize;
    let at = (i as isize - REACH as isize).rem_euclid(period);
    at.min(period - at).min(len as isize - 1) as usize
}

fn row(ring: &[u16], slot: usize, width: usize) -> &[u16] {
    &ring[slot * width..][..width]
}

fn pad(source: &[u8], padded: &mut [u8]) {
    let width = source.len();
    padded[REACH..REACH + width].copy_from_slice(source);
    for i in 0..REACH {
        padded[i] = source[mirrored(i, width)];
        padded[REACH + width + i] = source[mirrored(REACH + width + i, width)];
    }
}

/// Blurs one row. The largest sum, 255 x 256, fits into 16 bits.
fn blur_along(padded: &[u8], high: &mut [u16], low: &mut [u16]) {
    let width = high.len();
    let low = &mut low[..width];
    let p: [&[u8]; TAPS.len()] = array::from_fn(|tap| &padded[tap..tap + width]);
    for x in 0..width {
        let sum = weigh(|tap| u16::from(p[tap][x]));
        (high[x], low[x]) = (sum >> 8, sum & 0xFF);
    }
}

/// Blurs nine rows into one. High and low bytes are summed separately, so every sum fits into 16 bits: the width that
/// vector units multiply fastest.
fn blur_across(high: [&[u16]; TAPS.len()], low: [&[u16]; TAPS.len()], out: &mut [u8]) {
    let width = out.len();
    let (high, low) = (high.map(|row| &row[..width]), low.map(|row| &row[..width]));
    for (x, out) in out.iter_mut().enumerate() {
        let sum = weigh(|tap| high[tap][x]) + (weigh(|tap| low[tap][x]) >> 8);
        *out = ((sum + 128) >> 8) as u8;
    }
}

/// The weighted sum of nine values, each at most 255.
#[inline(always)]
fn weigh(value: impl Fn(usize) -> u16) -> u16 {
    TAPS[0] * (value(0) + value(8))
        + TAPS[1] * (value(1) + value(7))
        + TAPS[2] * (value(2) + value(6))
        + TAPS[3] * (value(3) + value(5))
        + TAPS[4] * value(4)
}
