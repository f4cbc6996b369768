//! Frames of a condition in memory, rendered for one of several purposes.

use std::ops::Range;

use ndarray::ArrayView2;
use shared::geometry::Size;

use crate::conditions::Condition;
use crate::failure::Failure;
use crate::frames::Shot;

/// What a frame is rendered for. Each purpose has its own frames.
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

/// Frames in memory, stored one after the other.
pub(crate) struct Batch {
    pub(crate) size: Size,
    pub(crate) pixels: Vec<u8>,
    pub(crate) shots: Vec<Shot>,
}

impl Batch {
    /// Renders the frames with these indices.
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

/// A frame of a batch, as the detector takes it.
pub(crate) fn view(pixels: &[u8], size: Size) -> ArrayView2<'_, u8> {
    // As many bytes as pixels, by construction of the batch.
    ArrayView2::from_shape((size.height as usize, size.width as usize), pixels).expect("as many bytes as pixels")
}
