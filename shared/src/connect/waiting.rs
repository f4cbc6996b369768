//! How long to keep trying to connect.

use std::time::Duration;

use tokio::time::Instant;

use crate::shell::wait::Wait;

/// A wait that has begun. It limits when new attempts start; each attempt has its own timeouts.
pub(super) struct Waiting {
    wait: Wait,
    start: Instant,
}

impl Waiting {
    /// Starts the wait now.
    pub(super) fn begin(wait: Wait) -> Self {
        Self { wait, start: Instant::now() }
    }

    /// Whether time is up for another attempt after `pause`.
    pub(super) fn is_over_after(&self, pause: Duration) -> bool {
        match self.wait {
            Wait::For(limit) => self.start.elapsed() + pause > limit,
            Wait::Forever => false,
        }
    }

    /// The time waited, for people. Empty if there was only one attempt or the wait has no limit.
    pub(super) fn within(&self) -> String {
        match self.wait {
            Wait::For(Duration::ZERO) | Wait::Forever => String::new(),
            Wait::For(limit) => format!(" within {}", humantime::format_duration(limit)),
        }
    }

    /// How long attempts go on, for people.
    pub(super) fn describe(&self) -> String {
        match self.wait {
            Wait::For(limit) => format!("for up to {}", humantime::format_duration(limit)),
            Wait::Forever => "for as long as it takes".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_millis(50);

    #[test]
    fn without_a_wait_there_is_one_attempt_and_with_forever_there_is_always_another() {
        let waiting = |wait: &str| Waiting::begin(wait.parse().unwrap());
        assert!(waiting("0s").is_over_after(PAUSE));
        assert!(!waiting("1h").is_over_after(PAUSE));
        assert!(!waiting("forever").is_over_after(PAUSE));
        assert_eq!((waiting("0s").within().as_str(), waiting("1h").within().as_str()), ("", " within 1h"));
    }
}
