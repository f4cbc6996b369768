//! How long to wait for a peer, as an option of both programs.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// How long to wait for a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// For this long.
    For(Duration),
    /// Until told to stop.
    Forever,
}

/// Why the value was refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("\"{0}\" is not a time to wait: a duration such as 30s or 500ms, or forever")]
pub struct NotAWait(String);

/// The word for an endless wait.
const FOREVER: &str = "forever";

impl FromStr for Wait {
    type Err = NotAWait;

    fn from_str(text: &str) -> Result<Self, NotAWait> {
        match text {
            FOREVER => Ok(Self::Forever),
            _ => humantime::parse_duration(text).map(Self::For).map_err(|_| NotAWait(text.into())),
        }
    }
}

impl Display for Wait {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::For(limit) => humantime::format_duration(*limit).fmt(f),
            Self::Forever => f.write_str(FOREVER),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_a_duration_or_forever() {
        assert_eq!("forever".parse(), Ok(Wait::Forever));
        assert_eq!("1m 30s".parse(), Ok(Wait::For(Duration::from_secs(90))));
        assert!("30".parse::<Wait>().is_err());
    }

    #[test]
    fn a_wait_is_written_in_the_form_in_which_it_is_read() {
        for wait in [Wait::Forever, Wait::For(Duration::ZERO), Wait::For(Duration::from_millis(90_500))] {
            assert_eq!(wait.to_string().parse(), Ok(wait));
        }
    }
}
