//! The option `--fps`.

use std::fmt;
use std::str::FromStr;

use shared::flow::pacer::{MAX_INTERVAL_S, MAX_RATE_HZ, Rate};
use thiserror::Error;

/// Rate of a source without a rate of its own.
pub const DEFAULT_RATE: Rate = Rate::Hz(60.0);

/// How often frames are due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FrameRate {
    /// As often as the source says.
    OfSource,
    /// At this rate.
    Given(Rate),
}

/// The text is not a frame rate.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "\"{0}\" is not a frame rate: a number from 1/{MAX_INTERVAL_S} to {MAX_RATE_HZ}, for example 60, or max, or source"
)]
pub struct NotAFrameRate(String);

impl FromStr for FrameRate {
    type Err = NotAFrameRate;

    fn from_str(text: &str) -> Result<Self, NotAFrameRate> {
        match text {
            "source" => Ok(Self::OfSource),
            text => text.parse().map(Self::Given).map_err(|_| NotAFrameRate(text.to_owned())),
        }
    }
}

impl fmt::Display for FrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OfSource => f.write_str("source"),
            Self::Given(rate) => rate.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_a_word_or_that_of_the_source() {
        for text in ["source", "max", "29.97"] {
            assert_eq!(text.parse::<FrameRate>().unwrap().to_string(), text);
        }
        let refused = "fast".parse::<FrameRate>().unwrap_err().to_string();
        assert!(refused.ends_with("for example 60, or max, or source"), "{refused}");
    }
}
