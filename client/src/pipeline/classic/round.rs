//! Rounding as in OpenCV.

/// Rounds to the nearest integer, halves to even, as OpenCV does. Exact below 2²² = 4,194,304.
///
/// `f32::round_ties_even` is not used: if the build cannot rely on the processor's rounding instruction, it is a slow
/// function call.
pub(super) fn round(value: f32) -> f32 {
    const ROUNDER: f32 = 12_582_912.0;
    (value + ROUNDER) - ROUNDER
}
