//! Circles and sizes, in pixels.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The longest side of an image, in pixels.
///
/// 8192x8192 bgr8 is 201 MB: the largest frame a peer may announce, and eight times a 4K sensor's pixels.
pub const MAX_SIDE: u32 = 8192;

/// The outline of a disc: centre and radius in pixels, with pixel centres at integer coordinates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Circle {
    /// Column of the centre. It increases to the right.
    pub x: f64,
    /// Row of the centre. It increases downwards.
    pub y: f64,
    /// Radius, above 0.
    pub radius: f64,
}

/// An estimate of a circle: its centre in pixels, and its radius if the estimate has one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CircleEstimate {
    /// Column of the centre. It increases to the right.
    pub x: f64,
    /// Row of the centre. It increases downwards.
    pub y: f64,
    /// Radius; `None` if only the centre is known.
    pub radius: Option<f64>,
}

/// Covariance of an estimated centre, in px².
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Covariance {
    /// Variance of x.
    pub xx: f64,
    /// Covariance of x and y.
    pub xy: f64,
    /// Variance of y.
    pub yy: f64,
}

/// An ellipse about a circle's centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ellipse {
    /// Half-axes a ≥ b, in px.
    pub axes: [f64; 2],
    /// Direction of a, from +x towards +y, in radians, in [0, π).
    pub angle: f64,
}

/// An image's size in pixels. Parsed from `WIDTHxHEIGHT`, each side in `1..=8192`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// Why a size was refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SizeError {
    /// The text is not of the form `WIDTHxHEIGHT`.
    #[error("\"{0}\" is not a size: write WIDTHxHEIGHT, for example 640x480")]
    NotASize(String),
    /// A side is zero, or longer than [`MAX_SIDE`].
    #[error("a side of {0} px is out of range: each side must be 1 to {MAX_SIDE} px, for example 640x480")]
    SideOutOfRange(u64),
}

impl CircleEstimate {
    /// The whole circle; `None` without a radius.
    pub fn circle(self) -> Option<Circle> {
        let Self { x, y, radius } = self;
        radius.map(|radius| Circle { x, y, radius })
    }
}

impl From<Circle> for CircleEstimate {
    fn from(Circle { x, y, radius }: Circle) -> Self {
        Self { x, y, radius: Some(radius) }
    }
}

impl Size {
    /// A size whose sides are both in `1..=8192`.
    pub fn new(width: u64, height: u64) -> Result<Self, SizeError> {
        Ok(Self { width: side(width)?, height: side(height)? })
    }

    /// Width times height.
    pub fn pixels(self) -> usize {
        self.width as usize * self.height as usize
    }

    /// The shorter of width and height.
    pub fn shorter_side(self) -> u32 {
        self.width.min(self.height)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let refused = || SizeError::NotASize(text.to_owned());
        let (width, height) = text.split_once(['x', 'X']).ok_or_else(refused)?;
        let parse = |side: &str| side.parse::<u64>().map_err(|_| refused());
        Self::new(parse(width)?, parse(height)?)
    }
}

fn side(length: u64) -> Result<u32, SizeError> {
    match u32::try_from(length) {
        Ok(side @ 1..=MAX_SIDE) => Ok(side),
        _ => Err(SizeError::SideOutOfRange(length)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read_back_as_it_is_written() {
        let size: Size = "1920x1080".parse().unwrap();
        assert_eq!(size, Size { width: 1920, height: 1080 });
        assert_eq!(size.to_string(), "1920x1080");
        assert_eq!(size.pixels(), 2_073_600);
    }

    #[test]
    fn half_a_size_is_refused_with_an_example() {
        let error = "640".parse::<Size>().unwrap_err().to_string();
        assert!(error.contains("\"640\"") && error.contains("640x480"), "{error}");
        for text in ["", "x", "640x", "640x-1", "640x480x3", "6.4x4"] {
            assert!(matches!(text.parse::<Size>(), Err(SizeError::NotASize(_))), "{text}");
        }
    }

    #[test]
    fn sides_of_zero_and_over_8192_are_refused() {
        assert_eq!("0x480".parse::<Size>(), Err(SizeError::SideOutOfRange(0)));
        assert_eq!("640x8193".parse::<Size>(), Err(SizeError::SideOutOfRange(8193)));
        assert!("8192x8192".parse::<Size>().is_ok());
    }
}
