//! Frames of a condition, with their truth, rendered for one of several purposes.

use std::ops::Range;

use ndarray::ArrayView2;
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

/// Frames in memory, one after the other.
pub(crate) struct Batch {
    pub(crate) size: Size,
    pub(crate) pixels: Vec<u8>,
    pub(crate) shots: Vec<Shot>,
}

impl Batch {
    /// Renders the frames of these indices.
    pub(crate) fn render(condition: &Condition, purpose: Purpose, indices: Range<u64>) -> Result<Self, Failure> {
        let mut frames = condition.frames(seed(condition.name, purpose))?;
        let mut pixels = Vec::new();
        let shots = indices.map(|index| frames.frame(index, &mut pixels)).collect();
        Ok(Self { size: condition.size, pixels, shots })
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
