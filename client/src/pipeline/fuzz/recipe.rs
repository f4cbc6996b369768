//! Reads bytes as a recipe: size and layout of a frame, radius limits, background and strokes.

use ndarray::Array2;
use shared::geometry::Size;

use super::layout::Layout;
use super::stroke::Stroke;
use crate::pipeline::radii::RadiusLimits;

/// Maximum number of pixels of a frame. This allows four rows of 65,280 pixels, more than the 32,767 of a signed 16.16
/// number.
const MAX_PIXELS: usize = 1 << 18;

/// Maximum number of strokes per frame.
const MAX_STROKES: usize = 24;

/// Radius limits that no real user would set.
const ODD_LIMITS: [f64; 16] = [
    f64::MIN_POSITIVE,
    1e-9,
    0.01,
    1.0,
    64.0,
    100.5,
    255.0,
    256.0,
    300.0,
    1e3,
    1e4,
    32_768.0,
    65_536.0,
    1e9,
    1e39,
    f64::MAX,
];

/// A frame and radius limits, as the bytes describe them.
pub(super) struct Recipe<'a> {
    pub(super) size: Size,
    pub(super) layout: Layout,
    pub(super) limits: RadiusLimits,
    background: u8,
    strokes: &'a [u8],
}

impl<'a> Recipe<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
        let shape = usize::from(at(2));
        let factor = |code: usize| [1, 1, 4, 256][code & 3];
        let width = usize::from(at(0)) * factor(shape >> 2);
        let height = (usize::from(at(1)) * factor(shape >> 4)).min(MAX_PIXELS / width.max(1));
        Self {
            size: Size { width: width as u32, height: height as u32 },
            layout: [Layout::Rows, Layout::Columns, Layout::EverySecond, Layout::FromTheLast][shape & 3],
            limits: RadiusLimits { min: limit(at(3)), max: limit(at(4)) },
            background: at(5),
            strokes: bytes.get(6..).unwrap_or_default(),
        }
    }

    pub(super) fn picture(&self) -> Array2<u8> {
        let (rows, columns) = (self.size.height as usize, self.size.width as usize);
        let mut picture = Array2::from_elem((rows, columns), f32::from(self.background));
        for (i, bytes) in self.strokes.chunks(6).enumerate().take(MAX_STROKES) {
            Stroke::read(bytes, self.size).draw(&mut picture, &self.strokes[6 * i..]);
        }
        // Saturates at 0 and 255.
        picture.mapv(|gray| gray.round() as u8)
    }
}

fn limit(code: u8) -> Option<f64> {
    match code {
        0 => None,
        1..240 => Some(f64::from(code) / 4.0),
        _ => Some(ODD_LIMITS[usize::from(code - 240)]),
    }
}
