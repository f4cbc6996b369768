//! Rounding as OpenCV rounds.

/// Rounds to a whole number, halves to the even one, as OpenCV does; exact below 2²² = 4,194,304.
///
/// Where the processor's own instruction cannot be relied upon, `f32::round_ties_even` is a slow call.
pub(super) fn round(value: f32) -> f32 {
    const ROUNDER: f32 = 12_582_912.0;
    (value + ROUNDER) - ROUNDER
}
