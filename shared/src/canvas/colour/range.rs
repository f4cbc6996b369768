//! A range of values, as written on the command line.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::image::LevelRange;

/// The values that get the first and the last colour, written `MIN..MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueRange(pub LevelRange);

/// The text is not a range of values.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("\"{0}\" is not a range of values: write MIN..MAX, such as 500..4500, with 0 <= MIN < MAX <= 65535")]
pub struct NotARange(String);

impl fmt::Display for ValueRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.0.min, self.0.max)
    }
}

impl FromStr for ValueRange {
    type Err = NotARange;

    fn from_str(text: &str) -> Result<Self, NotARange> {
        let read = || {
            let (min, max) = text.split_once("..")?;
            let (min, max) = (min.trim().parse().ok()?, max.trim().parse().ok()?);
            (min < max).then_some(Self(LevelRange { min, max }))
        };
        read().ok_or_else(|| NotARange(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_two_ends_in_order() {
        assert_eq!("500..4500".parse(), Ok(ValueRange(LevelRange { min: 500, max: 4500 })));
        for wrong in ["", "500", "4500..500", "7..7", "-1..5", "0..65536", "a..b"] {
            let said = wrong.parse::<ValueRange>().unwrap_err().to_string();
            assert!(said.contains("write MIN..MAX"), "{said}");
        }
    }
}
