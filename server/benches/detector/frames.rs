//! Frames of a condition, with their truth, rendered for one of several purposes.

use std::ops::Range;

use ndarray::ArrayView2;
use server::camera::{BACKGROUND, CONTRAST};
use server::source::BallSource;
use server::truth::Truth;
use shared::geometry::{Circle, Size};

use crate::accuracy::{Failure, view};
use crate::conditions::Condition;

/// What a frame is rendered for. No purpose sees another one's frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To measure accuracy.
    Measure,
    /// To measure time.
    Time,
    /// To choose OpenCV's settings.
    Tune,
    /// To compare stages.
    Parity,
}

/// What a frame shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shot {
    /// The disc; `None` when there is none.
    pub(crate) truth: Option<Circle>,
    /// The best expected L1 error, in px, where it is known.
    pub(crate) limit_px: Option<f64>,
}

/// Renders frames.
pub(crate) trait Frames {
    /// Appends the pixels of the frame of this index and says what it shows.
    fn frame(&mut self, index: u64, pixels: &mut Vec<u8>) -> Shot;
}

/// Frames as the server's camera makes them.
pub(crate) struct Rendered(pub(crate) BallSource);

impl Frames for Rendered {
    fn frame(&mut self, index: u64, pixels: &mut Vec<u8>) -> Shot {
        let frame = self.0.frame(index);
        pixels.extend_from_slice(frame.image.bytes());
        match frame.truth {
            Truth::Ball { circle, limit } => Shot { truth: Some(circle), limit_px: limit.px() },
            Truth::Empty | Truth::Unknown => Shot { truth: None, limit_px: None },
        }
    }
}

/// The same discs, each moved to the nearest whole centre and radius and drawn without grays in between, as
/// `cv2.circle` fills them.
pub(crate) struct Drawn(pub(crate) BallSource);

impl Frames for Drawn {
    fn frame(&mut self, index: u64, pixels: &mut Vec<u8>) -> Shot {
        let frame = self.0.frame(index);
        let size = frame.image.size();
        let Truth::Ball { circle, .. } = frame.truth else {
            pixels.extend_from_slice(frame.image.bytes());
            return Shot { truth: None, limit_px: None };
        };
        let disc = Circle { x: circle.x.round(), y: circle.y.round(), radius: circle.radius.round() };
        let level = |column: u32, row: u32| {
            let (dx, dy) = (f64::from(column) - disc.x, f64::from(row) - disc.y);
            let is_inside = dx * dx + dy * dy <= disc.radius * disc.radius;
            if is_inside { BACKGROUND + CONTRAST } else { BACKGROUND }
        };
        let places = (0..size.height).flat_map(|row| (0..size.width).map(move |column| (column, row)));
        pixels.extend(places.map(|(column, row)| level(column, row) as u8));
        Shot { truth: Some(disc), limit_px: None }
    }
}

/// Frames in memory, one after the other.
pub(crate) struct Batch {
    pub(crate) size: Size,
    pub(crate) pixels: Vec<u8>,
    pub(crate) shots: Vec<Shot>,
}

impl Batch {
    /// Renders the frames of these indices.
    pub(crate) fn render(condition: &Condition, purpose: Purpose, indices: Range<u64>) -> Result<Self, Failure> {
        let mut frames = condition.frames(seed(&condition.name, purpose))?;
        let mut pixels = Vec::new();
        let shots = indices.map(|index| frames.frame(index, &mut pixels)).collect();
        Ok(Self { size: condition.size(), pixels, shots })
    }

    /// The frames and what they show.
    pub(crate) fn frames(&self) -> impl Iterator<Item = (&Shot, ArrayView2<'_, u8>)> {
        self.shots.iter().zip(self.pixels.chunks_exact(self.size.pixels()).map(|pixels| view(pixels, self.size)))
    }
}

/// A seed that no test and no tuning uses: FNV-1a (64 bits) of condition and purpose.
fn seed(name: &str, purpose: Purpose) -> u64 {
    let text = format!("benchmark of the detector: {name}, {purpose:?}");
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}
