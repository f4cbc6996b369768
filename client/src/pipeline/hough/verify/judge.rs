//! The verdict on a fit: strictly first, then fairly.

use super::fair::fair;
use super::strict::strict;
use super::verdict::Verdict;
use crate::pipeline::hough::fit::refine::Fit;

/// The verdict on a fit; `None` when it is no disc. `noise_gray` is the sigma of the frame's pixels.
pub(crate) fn judge(fit: &Fit, noise_gray: f32) -> Option<Verdict> {
    let noise_variance = f64::from(noise_gray).powi(2);
    // Either the pixels fit to the noise where the disc is seen, or they fit fairly and alike all around.
    strict(fit, noise_variance).or_else(|| fair(fit, noise_variance))
}
