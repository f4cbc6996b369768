//! The ball's radius: always the same, or drawn for each frame.

use std::fmt;
use std::str::FromStr;

use shared::geometry::Size;
use shared::text::Figure;
use thiserror::Error;

use super::random::{Random, Stream};

/// Shorter side divided by the default radius: 480 over 20 px.
const SIDE_OVER_RADIUS: f64 = 24.0;

/// Smallest default radius, in px, unless a quarter of the side is less.
const LEAST_DEFAULT_PX: f64 = 8.0;

/// A range of radii in px, both ends included. Written `20` or `10..40`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Radii {
    /// The smallest radius.
    pub min: f64,
    /// The largest radius.
    pub max: f64,
}

/// The text is neither a radius nor a range of radii.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("\"{0}\" is neither a radius in px, for example 20, nor a range, for example 10..40")]
pub struct NotARadius(String);

impl Radii {
    /// One radius for all frames.
    pub const fn one(radius: f64) -> Self {
        Self { min: radius, max: radius }
    }

    /// The default radius for a frame size: a 24th of the shorter side (20 px at 640x480), at least 8 px, at most a
    /// quarter of the side. The client's default range covers it at every size.
    pub fn for_size(size: Size) -> Self {
        let shorter_px = f64::from(size.shorter_side());
        Self::one((shorter_px / SIDE_OVER_RADIUS).max(LEAST_DEFAULT_PX).min(shorter_px / 4.0))
    }

    /// The radius in a frame: uniform in the range, a function of seed and frame index.
    pub fn draw(self, random: &Random, index: u64) -> f64 {
        if self.min == self.max {
            return self.min;
        }
        // Rounding may carry it beyond the end by the last bit.
        (self.min + (self.max - self.min) * random.uniform(Stream::Radius, index)).min(self.max)
    }
}

impl fmt::Display for Radii {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (min, max) = (Figure(self.min), Figure(self.max));
        if self.min == self.max { write!(f, "{min}") } else { write!(f, "{min}..{max}") }
    }
}

impl FromStr for Radii {
    type Err = NotARadius;

    fn from_str(text: &str) -> Result<Self, NotARadius> {
        let number = |text: &str| text.trim().parse().ok().filter(|px: &f64| px.is_finite());
        let radii = match text.split_once("..") {
            Some((min, max)) => number(min).zip(number(max)).map(|(min, max)| Self { min, max }),
            None => number(text).map(Self::one),
        };
        radii.ok_or_else(|| NotARadius(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_radius_or_a_range_parses_and_prints_the_same() {
        for text in ["20", "10..40", "2.5..3"] {
            assert_eq!(text.parse::<Radii>().expect("a radius").to_string(), text);
        }
        assert_eq!("10..40".parse(), Ok(Radii { min: 10.0, max: 40.0 }));
    }

    #[test]
    fn an_invalid_radius_is_named_in_the_error() {
        for text in ["", "a", "10..", "..40", "10-40", "1..2..3"] {
            let error = text.parse::<Radii>().unwrap_err().to_string();
            assert!(error.contains(&format!("\"{text}\"")) && error.contains("10..40"), "{error}");
        }
    }

    #[test]
    fn radii_fill_their_range_and_follow_from_seed_and_index() {
        let (radii, random) = (Radii { min: 10.0, max: 40.0 }, Random::new(5));
        let drawn: Vec<f64> = (0..1000).map(|index| radii.draw(&random, index)).collect();
        assert!(drawn.iter().all(|radius| (10.0..=40.0).contains(radius)));
        let mean = drawn.iter().sum::<f64>() / 1000.0;
        // Standard error 30 / √12 / √1000 = 0.27 px; four of them.
        assert!((mean - 25.0).abs() < 1.1, "mean {mean}");
        assert_eq!(radii.draw(&Random::new(5), 17), drawn[17]);
    }
}
