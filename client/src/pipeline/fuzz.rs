//! What a detector keeps to on any frame with any limits, for a fuzzer to disprove.
//!
//! The bytes are a recipe for a picture, so that a few of them make a disc; it ends where they end:
//!
//! | bytes | meaning |
//! |---|---|
//! | 0, 1 | width and height |
//! | 2 | bits 0–1: how the pixels lie in memory; bits 2–3 and 4–5: factor of the width and the height, 1, 1, 4 or 256 |
//! | 3, 4 | smallest and largest radius: 0 for the default, quarters of a pixel to 239, then odd ones |
//! | 5 | gray level of the ground |
//! | six each | what is drawn over it: what, x, y, two sizes, gray level |

use ndarray::{Array2, ArrayView2, s};
use shared::geometry::Size;

use super::choice::{DetectorChoice, NAMES};
use super::detector::Estimate;
use super::radii::RadiusLimits;
use super::{classic, hough};

/// Most pixels of a frame: 65,280 in four rows still count, which is more than the 32,767 of a signed 16.16 number.
const MAX_PIXELS: usize = 1 << 18;

/// Most pixels of a frame `hough-classic` looks at: each of its edge pixels votes at every radius, which takes seconds.
const MAX_CLASSIC_PIXELS: usize = 1 << 14;

/// Most things drawn.
const MAX_STROKES: usize = 24;

/// Limits beyond those of real use.
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

/// Shows the frame the bytes describe to each detector.
///
/// # Panics
/// When a detector does, or when it breaks its word: numbers are finite, the radius is above 0 and within the limits,
/// the centre is inside the frame or on its border, and the same pixels give the same answer, whatever came before and
/// however they lie.
pub fn check(bytes: &[u8]) {
    let recipe = Recipe::read(bytes);
    let picture = recipe.picture();
    let names = if picture.len() <= MAX_CLASSIC_PIXELS { &NAMES[..] } else { &[hough::NAME] };
    for name in names {
        // Limits no circle can meet never come to a detector.
        if let Ok(choice) = DetectorChoice::new(name, recipe.limits) {
            recipe.check_detector(&choice, &picture);
        }
    }
}

/// How the pixels lie in memory.
#[derive(Clone, Copy)]
enum Layout {
    Rows,
    Columns,
    EverySecond,
    FromTheLast,
}

struct Recipe<'a> {
    size: Size,
    layout: Layout,
    limits: RadiusLimits,
    ground: u8,
    strokes: &'a [u8],
}

impl<'a> Recipe<'a> {
    fn read(bytes: &'a [u8]) -> Self {
        let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
        let shape = usize::from(at(2));
        let factor = |code: usize| [1, 1, 4, 256][code & 3];
        let width = usize::from(at(0)) * factor(shape >> 2);
        let height = (usize::from(at(1)) * factor(shape >> 4)).min(MAX_PIXELS / width.max(1));
        Self {
            size: Size { width: width as u32, height: height as u32 },
            layout: [Layout::Rows, Layout::Columns, Layout::EverySecond, Layout::FromTheLast][shape & 3],
            limits: RadiusLimits { min: limit(at(3)), max: limit(at(4)) },
            ground: at(5),
            strokes: bytes.get(6..).unwrap_or_default(),
        }
    }

    fn check_detector(&self, choice: &DetectorChoice, picture: &Array2<u8>) {
        let mut fresh = choice.build();
        let answer = fresh.detect(picture.view());
        if let Some(estimate) = answer {
            self.check_estimate(fresh.name(), estimate);
        }
        let mut used = choice.build();
        used.detect(picture.mapv(|gray| 255 - gray).t());
        self.layout.show(picture, |view| {
            for _ in 0..2 {
                assert_eq!(used.detect(view), answer, "{}: another answer for the same pixels", used.name());
            }
        });
    }

    fn check_estimate(&self, name: &str, estimate: Estimate) {
        let Estimate { circle, covariance } = estimate;
        let numbers = [circle.x, circle.y, circle.radius];
        let numbers = numbers.into_iter().chain(covariance.iter().flat_map(|c| [c.xx, c.xy, c.yy]));
        assert!(numbers.into_iter().all(f64::is_finite), "{name}: not finite: {estimate:?}");
        assert!(covariance.is_none_or(|c| c.xx >= 0.0 && c.yy >= 0.0), "{name}: no variance: {estimate:?}");
        // A disc whose centre is on the border may be estimated a little beyond it.
        let inside = |at: f64, length: u32| (-0.75..=f64::from(length) - 0.25).contains(&at);
        let Size { width, height } = self.size;
        assert!(inside(circle.x, width) && inside(circle.y, height), "{name}: outside {width}x{height}: {estimate:?}");
        let range = self.limits.range(self.size).expect("a circle was found, so there are radii to look for");
        let slack = slack_px(name, circle.radius);
        assert!(circle.radius > 0.0, "{name}: no radius: {estimate:?}");
        assert!(
            (range.min() - slack..=range.max() + slack).contains(&circle.radius),
            "{name}: beyond {range:?}: {estimate:?}"
        );
    }

    fn picture(&self) -> Array2<u8> {
        let (rows, columns) = (self.size.height as usize, self.size.width as usize);
        let mut picture = Array2::from_elem((rows, columns), f32::from(self.ground));
        for (i, bytes) in self.strokes.chunks(6).enumerate().take(MAX_STROKES) {
            Stroke::read(bytes, self.size).draw(&mut picture, &self.strokes[6 * i..]);
        }
        // Saturates at 0 and 255.
        picture.mapv(|gray| gray.round() as u8)
    }
}

/// How far a radius may be beyond the limits, in pixels.
fn slack_px(name: &str, radius: f64) -> f64 {
    match name {
        // Limits are widened to whole pixels, an empty range to two.
        classic::NAME => 3.0,
        // A limit names a true radius, not an estimate.
        _ => 0.02 * radius + 0.5,
    }
}

fn limit(code: u8) -> Option<f64> {
    match code {
        0 => None,
        1..240 => Some(f64::from(code) / 4.0),
        _ => Some(ODD_LIMITS[usize::from(code - 240)]),
    }
}

impl Layout {
    /// Shows a view of the same pixels that lie so.
    fn show(self, picture: &Array2<u8>, mut see: impl FnMut(ArrayView2<'_, u8>)) {
        let (rows, columns) = picture.dim();
        match self {
            Self::Rows => see(picture.view()),
            Self::Columns => see(picture.t().as_standard_layout().t()),
            Self::EverySecond => {
                let mut wide = Array2::from_elem((2 * rows, 2 * columns), 77);
                wide.slice_mut(s![..;2, ..;2]).assign(picture);
                see(wide.slice(s![..;2, ..;2]));
            }
            Self::FromTheLast => {
                let turned = picture.slice(s![..;-1, ..;-1]).as_standard_layout().into_owned();
                see(turned.slice(s![..;-1, ..;-1]));
            }
        }
    }
}

/// Something drawn, in pixels and gray levels.
struct Stroke {
    what: u8,
    codes: [u8; 5],
    x: f32,
    y: f32,
    gray: f32,
}

impl Stroke {
    fn read(bytes: &[u8], size: Size) -> Self {
        let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
        // From a sixth of the frame before it to a sixth behind it.
        let place = |code: u8, length: u32| (f32::from(code) - 32.0) / 192.0 * length as f32;
        Self {
            what: at(0),
            codes: std::array::from_fn(|i| at(i + 1)),
            x: place(at(1), size.width),
            y: place(at(2), size.height),
            gray: f32::from(at(5)),
        }
    }

    fn draw(&self, picture: &mut Array2<f32>, rest: &[u8]) {
        let [right, down, first, second, last] = self.codes;
        let (long, short) = (f32::from(first) / 2.0, f32::from(second) / 2.0);
        match self.what % 8 {
            0 => self.blend(picture, |dx, dy| edge(long - dx.hypot(dy), f32::from(second) / 16.0)),
            1 => self.blend(picture, |dx, dy| f32::from(u8::from(dx.abs() <= long && dy.abs() <= short))),
            2 => self.blend(picture, |dx, dy| edge(long * (1.0 - (dx / long).hypot(dy / short)), 1.0)),
            3 => {
                let (sin, cos) = (f32::from(second >> 4) / 16.0 * std::f32::consts::TAU).sin_cos();
                let way = 2.0 * f32::from(second & 15);
                let part = |dx: f32, dy: f32, t: f32| edge(long - (dx - t * way * cos).hypot(dy - t * way * sin), 1.0);
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
            // The bytes themselves, one a pixel, again and again.
            _ => {
                for (value, &gray) in picture.iter_mut().zip(rest.iter().skip(1).cycle()) {
                    *value = f32::from(gray);
                }
            }
        }
    }

    /// Draws over what is there; `share` is the part covered, by the distance from the stroke's place.
    fn blend(&self, picture: &mut Array2<f32>, share: impl Fn(f32, f32) -> f32) {
        for ((row, column), value) in picture.indexed_iter_mut() {
            *value += share(column as f32 - self.x, row as f32 - self.y) * (self.gray - *value);
        }
    }
}

/// Part of a pixel that is covered, at so many pixels within an edge of this width.
fn edge(depth: f32, width: f32) -> f32 {
    (depth / width.max(0.01) + 0.5).clamp(0.0, 1.0)
}

fn shift(picture: &mut Array2<f32>, by: impl Fn(usize, usize) -> f32) {
    for ((row, column), value) in picture.indexed_iter_mut() {
        *value += by(column, row);
    }
}

/// Bits as good as random, the same on every machine (Wellons' triple of multiplications, `lowbias32`).
fn scramble(x: u32) -> u32 {
    let x = (x ^ x >> 16).wrapping_mul(0x7feb_352d);
    let x = (x ^ x >> 15).wrapping_mul(0x846c_a68b);
    x ^ x >> 16
}
