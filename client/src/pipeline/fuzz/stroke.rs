//! Strokes over the background: discs, boxes, ellipses, moving discs, ramps, checkerboards, noise, and raw bytes.

use ndarray::Array2;
use shared::geometry::Size;

/// One stroke, in px and gray levels.
pub(super) struct Stroke {
    kind: u8,
    codes: [u8; 5],
    x: f32,
    y: f32,
    gray: f32,
}

impl Stroke {
    pub(super) fn read(bytes: &[u8], size: Size) -> Self {
        let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
        // From a sixth of the frame's length outside on one side to a sixth on the other.
        let place = |code: u8, length: u32| (f32::from(code) - 32.0) / 192.0 * length as f32;
        Self {
            kind: at(0),
            codes: std::array::from_fn(|i| at(i + 1)),
            x: place(at(1), size.width),
            y: place(at(2), size.height),
            gray: f32::from(at(5)),
        }
    }

    pub(super) fn draw(&self, picture: &mut Array2<f32>, rest: &[u8]) {
        let [right, down, first, second, last] = self.codes;
        let (long, short) = (f32::from(first) / 2.0, f32::from(second) / 2.0);
        match self.kind % 8 {
            0 => self.blend(picture, |dx, dy| edge(long - dx.hypot(dy), f32::from(second) / 16.0)),
            1 => self.blend(picture, |dx, dy| f32::from(u8::from(dx.abs() <= long && dy.abs() <= short))),
            2 => self.blend(picture, |dx, dy| edge(long * (1.0 - (dx / long).hypot(dy / short)), 1.0)),
            3 => {
                let (sin, cos) = (f32::from(second >> 4) / 16.0 * std::f32::consts::TAU).sin_cos();
                let path = 2.0 * f32::from(second & 15);
                let part =
                    |dx: f32, dy: f32, t: f32| edge(long - (dx - t * path * cos).hypot(dy - t * path * sin), 1.0);
                let parts = |dx, dy| (0..9).map(|i| part(dx, dy, i as f32 / 8.0 - 0.5)).sum::<f32>() / 9.0;
                self.blend(picture, parts);
            }
            4 => shift(picture, |x, y| {
                (f32::from(right) - 128.0) / 32.0 * x as f32 + (f32::from(down) - 128.0) / 32.0 * y as f32
            }),
            5 => shift(picture, |x, y| {
                let cell = usize::from(first % 64) + 1;
                if (x / cell + y / cell).is_multiple_of(2) { f32::from(last) } else { -f32::from(last) }
            }),
            6 => shift(picture, |x, y| {
                let random = scramble((x as u32) << 16 ^ y as u32 ^ u32::from(second) << 8);
                f32::from(first) * (random as f32 / u32::MAX as f32 - 0.5)
            }),
            // The bytes themselves, one per pixel, repeated.
            _ => {
                for (value, &gray) in picture.iter_mut().zip(rest.iter().skip(1).cycle()) {
                    *value = f32::from(gray);
                }
            }
        }
    }

    /// Draws over the picture. `share` gives the covered share of a pixel from its distance to the stroke's place.
    fn blend(&self, picture: &mut Array2<f32>, share: impl Fn(f32, f32) -> f32) {
        for ((row, column), value) in picture.indexed_iter_mut() {
            *value += share(column as f32 - self.x, row as f32 - self.y) * (self.gray - *value);
        }
    }
}

/// The covered share of a pixel that is `depth` px inside an edge of this width.
fn edge(depth: f32, width: f32) -> f32 {
    (depth / width.max(0.01) + 0.5).clamp(0.0, 1.0)
}

fn shift(picture: &mut Array2<f32>, by: impl Fn(usize, usize) -> f32) {
    for ((row, column), value) in picture.indexed_iter_mut() {
        *value += by(column, row);
    }
}

/// Pseudorandom bits, the same on every machine (Wellons' hash `lowbias32`).
fn scramble(x: u32) -> u32 {
    let x = (x ^ x >> 16).wrapping_mul(0x7feb_352d);
    let x = (x ^ x >> 15).wrapping_mul(0x846c_a68b);
    x ^ x >> 16
}
