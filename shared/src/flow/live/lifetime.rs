//! How long a live frame is worth sending.

use std::time::Duration;

use crate::flow::pacer::Rate;

/// The rate by whose interval an unpaced stream is measured: its scene moves a 60th of a second a frame.
const UNPACED_HZ: f64 = 60.0;

/// No lifetime is shorter: a frame that waits for the scheduler or a slow detection for a few milliseconds is not lost.
pub const LEAST_LIFETIME: Duration = Duration::from_millis(10);

/// No lifetime is longer, however slow the stream: a person has given the frame up by then.
pub const LONGEST_LIFETIME: Duration = Duration::from_secs(10);

/// How long after its capture a frame may be on its way: two frame intervals, so that what is lost can be asked for
/// once the next frame shows that it is.
pub fn lifetime(rate: Rate) -> Duration {
    let interval_s = rate.hz().unwrap_or(UNPACED_HZ).recip();
    bounded(Duration::from_secs_f64((2.0 * interval_s).min(LONGEST_LIFETIME.as_secs_f64())))
}

/// A lifetime that a peer named, within what is sensible.
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
