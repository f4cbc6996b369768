//! The range of radii to search, in whole pixels.

use shared::geometry::Size;

use crate::pipeline::radii::RadiusRange;

/// Range of radii to search, in whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Radii {
    pub(super) min: u32,
    pub(super) max: u32,
}

impl Radii {
    /// The range widened to whole pixels. `None` if no such circle has both its centre and a part of its edge in the
    /// frame.
    ///
    /// An empty range becomes a range of two pixels, as in OpenCV.
    pub(super) fn within(range: RadiusRange, size: Size) -> Option<Self> {
        // No point of the frame is farther from a centre in it than the diagonal.
        let diagonal = f64::from(size.width).hypot(f64::from(size.height)).ceil();
        if range.min() > diagonal {
            return None;
        }
        let (min, max) = (range.min().floor() as u32, range.max().min(diagonal).ceil() as u32);
        Some(Self { min, max: if max > min { max } else { min + 2 } })
    }
}
