//! Judges a fit: by the strict question first, then by the fair one.

use super::fair::fair;
use super::strict::strict;
use super::verdict::Verdict;
use crate::pipeline::hough::fit::refine::Fit;

/// Returns the verdict on a fit. `None` if it is not a disc. `noise_gray` is the sigma of the frame's pixels.
pub(crate) fn judge(fit: &Fit, noise_gray: f32) -> Option<Verdict> {
    let noise_variance = f64::from(noise_gray).powi(2);
    // The pixels must fit to the noise where the disc is seen, or else fit fairly well and alike all around.
    strict(fit, noise_variance).or_else(|| fair(fit, noise_variance))
}
