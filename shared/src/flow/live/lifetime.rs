//! How long a live frame is worth sending.

use std::time::Duration;

use crate::flow::pacer::Rate;

/// Rate assumed for an unpaced stream: its scene moves by a 60th of a second per frame.
const UNPACED_HZ: f64 = 60.0;

/// Shortest lifetime. A frame is not lost if it waits a few milliseconds for the scheduler or a slow detection.
pub const LEAST_LIFETIME: Duration = Duration::from_millis(10);

/// Longest lifetime, even of a slow stream. No person waits longer for a frame.
pub const LONGEST_LIFETIME: Duration = Duration::from_secs(10);

/// Lifetime of a frame from its capture on: two frame intervals, so that lost pieces can be requested once the next
/// frame shows that they are missing.
pub fn lifetime(rate: Rate) -> Duration {
    let interval_s = rate.hz().unwrap_or(UNPACED_HZ).recip();
    bounded(Duration::from_secs_f64((2.0 * interval_s).min(LONGEST_LIFETIME.as_secs_f64())))
}

/// Clamps a lifetime that a peer named to the sensible range.
pub fn bounded(lifetime: Duration) -> Duration {
    lifetime.clamp(LEAST_LIFETIME, LONGEST_LIFETIME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_two_frame_intervals_within_limits() {
        assert_eq!(lifetime(Rate::Hz(50.0)), Duration::from_millis(40));
        assert_eq!(lifetime(Rate::Max), lifetime(Rate::Hz(60.0)));
        assert_eq!(lifetime(Rate::Hz(1e6)), LEAST_LIFETIME);
        assert_eq!(lifetime(Rate::Hz(f64::MIN_POSITIVE)), LONGEST_LIFETIME);
    }
}
