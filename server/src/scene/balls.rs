//! How many balls a frame of the task `count` shows: the same number in every frame, or a new number for each frame.

use std::fmt;
use std::str::FromStr;

use shared::geometry::Size;
use thiserror::Error;

use super::radius::Radii;
use super::random::Sequence;

/// Maximum number of balls in a frame. Far more than anybody counts at a glance, and placing so many takes under a
/// millisecond.
pub const MAX_BALLS: u32 = 100;

/// The default: 0 to 6 balls.
const DEFAULT: Balls = Balls { min: 0, max: 6 };

/// A range of numbers of balls, both ends included. Written `3` or `0..6`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balls {
    /// The smallest number.
    pub min: u32,
    /// The largest number.
    pub max: u32,
}

/// The text is neither a number of balls nor a range of them.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "\"{0}\" is neither a number of balls from 0 to {MAX_BALLS}, for example 3, nor a range, for example 0..6, whose \
     first is not greater than its second"
)]
pub struct NotBalls(String);

impl Balls {
    /// The default for a frame size: 0..6, or a lower maximum if there may be no room for six.
    pub fn for_size(size: Size, radius: Radii) -> Self {
        Self { max: DEFAULT.max.min(room(size, radius)), ..DEFAULT }
    }

    /// Draws the next number of a sequence, uniform in the range.
    pub fn draw(self, draws: &mut Sequence) -> u32 {
        self.min + draws.below(self.max - self.min + 1)
    }
}

/// Columns and rows of a grid whose cells each hold the largest disc.
pub(super) fn grid(size: Size, radius: Radii) -> (u32, u32) {
    // The radius is positive and at most half of the shorter side, so each number is at least 1. The cast saturates.
    let cells = |side: u32| (f64::from(side) / (2.0 * radius.max)).floor() as u32;
    (cells(size.width), cells(size.height))
}

/// How many balls are certain to have room: one per cell of the grid.
pub(super) fn room(size: Size, radius: Radii) -> u32 {
    let (columns, rows) = grid(size, radius);
    columns.saturating_mul(rows).min(MAX_BALLS)
}

impl fmt::Display for Balls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.min == self.max { write!(f, "{}", self.min) } else { write!(f, "{}..{}", self.min, self.max) }
    }
}

impl FromStr for Balls {
    type Err = NotBalls;

    fn from_str(text: &str) -> Result<Self, NotBalls> {
        let number = |text: &str| text.trim().parse().ok().filter(|number| *number <= MAX_BALLS);
        let (min, max) = text.split_once("..").unwrap_or((text, text));
        let balls = number(min).zip(number(max)).filter(|(min, max)| min <= max);
        balls.map(|(min, max)| Self { min, max }).ok_or_else(|| NotBalls(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{Random, Stream};

    #[test]
    fn a_number_and_a_range_are_read_and_written_alike() {
        for text in ["0", "3", "0..6", "100"] {
            assert_eq!(text.parse::<Balls>().expect("balls").to_string(), text);
        }
        assert_eq!("2..2".parse::<Balls>().expect("a range").to_string(), "2");
    }

    #[test]
    fn anything_but_a_number_of_balls_is_refused_with_the_right_form() {
        for text in ["", "a", "-1", "1.5", "101", "6..0", "0..", "..6", "1..2..3", "4294967296"] {
            let error = text.parse::<Balls>().unwrap_err().to_string();
            assert!(error.contains(&format!("\"{text}\"")) && error.contains("0 to 100"), "{error}");
        }
    }

    #[test]
    fn every_number_of_the_range_is_equally_likely() {
        let (balls, random) = (Balls { min: 2, max: 6 }, Random::new(5));
        let mut frames = [0; 8];
        for index in 0..5000 {
            frames[balls.draw(&mut random.sequence(Stream::Balls, index)) as usize] += 1;
        }
        assert_eq!([frames[0], frames[1], frames[7]], [0; 3]);
        // 1000 expected each, standard deviation 28.3; four of them.
        assert!(frames[2..7].iter().all(|count| (886..=1114).contains(count)), "{frames:?}");
    }

    #[test]
    fn the_default_is_none_to_six_or_as_many_as_have_room() {
        let default = |width, height, radius| Balls::for_size(Size { width, height }, Radii::one(radius)).to_string();
        assert_eq!(default(640, 480, 20.0), "0..6");
        assert_eq!(default(64, 48, 8.0), "0..6");
        assert_eq!(default(100, 100, 25.0), "0..4");
        assert_eq!(default(64, 64, 20.0), "0..1");
        assert_eq!(room(Size { width: 8192, height: 8192 }, Radii::one(1e-300)), MAX_BALLS);
    }
}
