//! Colour maps: a colour for each of 256 levels.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::turbo::TURBO;

/// A colour map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colormap {
    /// OpenCV's `COLORMAP_TURBO`: dark blue, green, dark red, with steps that look even.
    #[default]
    Turbo,
    /// OpenCV's `COLORMAP_JET`, within one level: blue, cyan, yellow, red.
    Jet,
    /// From black to white.
    Gray,
}

/// The name is not that of a colour map.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("\"{0}\" is not a colour map: turbo, jet or gray")]
pub struct UnknownColormap(String);

impl Colormap {
    const ALL: [Self; 3] = [Self::Turbo, Self::Jet, Self::Gray];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Turbo => "turbo",
            Self::Jet => "jet",
            Self::Gray => "gray",
        }
    }

    /// Red, green and blue of a level.
    pub fn colour(self, level: u8) -> [u8; 3] {
        match self {
            Self::Turbo => TURBO[usize::from(level)],
            Self::Jet => [3.0, 2.0, 1.0].map(|peak| ramp(f64::from(level) / 255.0, peak)),
            Self::Gray => [level; 3],
        }
    }
}

/// One channel of jet at `t` from 0 to 1: a trapezium around `peak` quarters.
fn ramp(t: f64, peak: f64) -> u8 {
    ((1.5 - (4.0 * t - peak).abs()).clamp(0.0, 1.0) * 255.0).round() as u8
}

impl fmt::Display for Colormap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Colormap {
    type Err = UnknownColormap;

    fn from_str(text: &str) -> Result<Self, UnknownColormap> {
        Self::ALL.into_iter().find(|map| map.name() == text).ok_or_else(|| UnknownColormap(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Level, then red, green and blue of turbo and of jet, for all levels. Written with OpenCV 5.0:
    /// `cv2.applyColorMap(numpy.arange(256, dtype='uint8'), cv2.COLORMAP_…)`.
    const OPENCV: &str = include_str!("opencv.csv");

    #[test]
    fn turbo_and_jet_have_opencvs_colours_to_one_level() {
        let mut levels = 0;
        for line in OPENCV.lines() {
            let numbers: Vec<u8> = line.split(',').map(|number| number.parse().unwrap()).collect();
            let [level, golden @ ..] = &numbers[..] else { panic!("{line}") };
            let ours = [Colormap::Turbo, Colormap::Jet].map(|map| map.colour(*level)).concat();
            assert_eq!(golden.len(), ours.len());
            assert!(golden.iter().zip(&ours).all(|(golden, ours)| golden.abs_diff(*ours) <= 1), "{line}: {ours:?}");
            levels += 1;
        }
        assert_eq!(levels, 256);
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_right_ones() {
        assert_eq!("jet".parse(), Ok(Colormap::Jet));
        let wrong = "rainbow".parse::<Colormap>().unwrap_err().to_string();
        assert_eq!(wrong, "\"rainbow\" is not a colour map: turbo, jet or gray");
    }
}
