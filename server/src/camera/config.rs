//! What the camera does to light: every effect, its unit, its range.

use serde::{Deserialize, Serialize};
use shared::image::PixelFormat;
use thiserror::Error;

/// Light of the background, in gray levels.
pub const BACKGROUND: f64 = 40.0;

/// Contrast that nobody asked to change: disc 180 on background 40.
pub const CONTRAST: f64 = 140.0;

/// The ball's light over the background's in blue, green and red, as shares of the contrast: amber, whose gray value by
/// OpenCV's BGR2GRAY weights has exactly the contrast of a gray ball.
const AMBER: [f64; 3] = [20.0 / CONTRAST, 140.0 / CONTRAST, 186.0 / CONTRAST];

/// The brightest level of an image; the darkest is 0.
pub(super) const WHITE: f64 = 255.0;

/// What there is behind the ball.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Background {
    /// One gray level.
    #[default]
    Plain,
    /// A plane of light that rises in a random direction.
    Ramp,
    /// Shapes of random gray, none of them round.
    Clutter,
}

/// Every effect of the camera. The default has none, but for contrast and gray levels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CameraConfig {
    /// Standard deviation of the read noise, in gray levels of linear light, 0–255.
    pub noise: f64,
    /// Gain K of the shot noise: variance over signal, in gray levels, 0–100 (EMVA 1288, σ² = σ_read² + K · signal).
    pub shot_noise: f64,
    /// Standard deviation of the optics' Gaussian point spread, in px, 0–50.
    pub blur: f64,
    /// How long the shutter is open, as a share of the frame interval, 0–1.
    pub exposure: f64,
    /// Light of the ball less that of the background, in gray levels, −40–215 and not 0.
    pub contrast: f64,
    /// What is behind the ball.
    pub background: Background,
    /// Whether the scene's light is turned round, level v into 255 − v: a dark ball on a bright background.
    pub invert: bool,
    /// Whether something stands before the ball.
    pub occlude: bool,
    /// JPEG quality, 1–100, of the encoder that frames go through and come back from.
    pub jpeg: Option<u8>,
    /// Gamma of the sensor's output, 0.1–10: level = 255 · (light / 255)^(1/γ).
    pub gamma: f64,
    /// Share of the light that is lost in the corners, 0–0.9.
    pub vignette: f64,
    /// Share of the frames that show no ball, 0–1.
    pub empty_rate: f64,
}

impl Default for CameraConfig {
    fn default() -> Self {
        Self {
            noise: 0.0,
            shot_noise: 0.0,
            blur: 0.0,
            exposure: 0.0,
            contrast: CONTRAST,
            background: Background::Plain,
            invert: false,
            occlude: false,
            jpeg: None,
            gamma: 1.0,
            vignette: 0.0,
            empty_rate: 0.0,
        }
    }
}

/// Why there is no such camera.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum CameraError {
    /// A figure out of its range.
    #[error("{key} {got} is not {right}")]
    Value {
        /// The option, as it is written.
        key: &'static str,
        /// What it was given.
        got: f64,
        /// What it takes.
        right: &'static str,
    },
    /// A contrast that the colour of the ball cannot have.
    #[error(
        "contrast {got} puts the ball at {level:.1} in one colour of bgr8, which is not between 0 and 255: \
         -30.1 to 161.8 but not 0, or gray8"
    )]
    Colour {
        /// The contrast asked for.
        got: f64,
        /// The level that does not exist.
        level: f64,
    },
}

impl CameraConfig {
    /// Finds the first figure that is out of range.
    ///
    /// # Errors
    /// [`CameraError`] names it.
    pub fn check(&self, pixel: PixelFormat) -> Result<(), CameraError> {
        let jpeg = self.jpeg.map_or(1.0, f64::from);
        let figures = [
            ("noise", self.noise, 0.0..=255.0, "a standard deviation of 0 to 255 gray levels"),
            ("shot-noise", self.shot_noise, 0.0..=100.0, "a gain of 0 to 100 gray levels"),
            ("blur", self.blur, 0.0..=50.0, "a standard deviation of 0 to 50 px"),
            ("exposure", self.exposure, 0.0..=1.0, "a share of the frame interval from 0 to 1"),
            ("contrast", self.contrast, -BACKGROUND..=WHITE - BACKGROUND, CONTRASTS),
            ("jpeg", jpeg, 1.0..=100.0, "a quality from 1 to 100"),
            ("gamma", self.gamma, 0.1..=10.0, "a gamma from 0.1 to 10"),
            ("vignette", self.vignette, 0.0..=0.9, "a share of light from 0 to 0.9"),
            ("empty-rate", self.empty_rate, 0.0..=1.0, "a share of the frames from 0 to 1"),
        ];
        for (key, got, range, right) in figures {
            if !range.contains(&got) {
                return Err(CameraError::Value { key, got, right });
            }
        }
        if self.contrast == 0.0 {
            return Err(CameraError::Value { key: "contrast", got: 0.0, right: CONTRASTS });
        }
        let wrong = |level: &f64| !(0.0..=WHITE).contains(level);
        match self.levels(pixel).ball.into_iter().find(wrong) {
            Some(level) => Err(CameraError::Colour { got: self.contrast, level }),
            None => Ok(()),
        }
    }

    /// Whether pictures need no more than the plain camera.
    pub(super) fn is_plain(&self) -> bool {
        *self == Self { empty_rate: self.empty_rate, exposure: self.exposure, ..Self::default() }
            && self.exposure == 0.0
    }

    /// The light of ball and background.
    pub(super) fn levels(&self, pixel: PixelFormat) -> Levels {
        let shares = match pixel {
            PixelFormat::Gray8 => [1.0; 3],
            PixelFormat::Bgr8 => AMBER,
        };
        let ball = shares.map(|share| self.polarity(BACKGROUND + self.contrast * share));
        Levels { background: self.polarity(BACKGROUND), ball }
    }

    /// The scene's light, turned round where that is asked for.
    pub(super) fn polarity(&self, level: f64) -> f64 {
        if self.invert { WHITE - level } else { level }
    }
}

/// What a contrast may be: ball and background both have a level.
const CONTRASTS: &str = "a contrast of -40 to 215 gray levels but not 0 (the ball is at 40 + contrast, on 40)";

/// Light, in gray levels, before optics and sensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Levels {
    /// Of the plain background, in every channel.
    pub(super) background: f64,
    /// Of the ball in blue, green and red; the same in all three for gray.
    pub(super) ball: [f64; 3],
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(config: CameraConfig) -> String {
        config.check(PixelFormat::Gray8).expect_err("an impossible camera").to_string()
    }

    #[test]
    fn impossible_figures_are_named_with_what_would_be_right() {
        let fine = CameraConfig::default();
        assert_eq!(fine.check(PixelFormat::Gray8), Ok(()));
        assert_eq!(fine.check(PixelFormat::Bgr8), Ok(()));
        let said = refused(CameraConfig { noise: -1.0, ..fine });
        assert_eq!(said, "noise -1 is not a standard deviation of 0 to 255 gray levels");
        let said = refused(CameraConfig { contrast: 216.0, ..fine });
        assert!(said.starts_with("contrast 216 is not a contrast of -40 to 215"), "{said}");
        let said = refused(CameraConfig { empty_rate: f64::NAN, ..fine });
        assert!(said.starts_with("empty-rate NaN is not a share"), "{said}");
        for wrong in [
            CameraConfig { shot_noise: f64::INFINITY, ..fine },
            CameraConfig { blur: 51.0, ..fine },
            CameraConfig { exposure: 1.5, ..fine },
            CameraConfig { contrast: 0.0, ..fine },
            CameraConfig { jpeg: Some(0), ..fine },
            CameraConfig { jpeg: Some(101), ..fine },
            CameraConfig { gamma: 0.0, ..fine },
            CameraConfig { vignette: 1.0, ..fine },
        ] {
            refused(wrong);
        }
    }

    #[test]
    fn a_contrast_beyond_the_colours_of_the_ball_is_refused_for_bgr8_alone() {
        let strong = CameraConfig { contrast: 200.0, ..CameraConfig::default() };
        assert_eq!(strong.check(PixelFormat::Gray8), Ok(()));
        let said = strong.check(PixelFormat::Bgr8).expect_err("an impossible colour").to_string();
        assert!(said.contains("contrast 200") && said.contains("305.7"), "{said}");
    }

    #[test]
    fn levels_follow_contrast_and_polarity() {
        let gray =
            |contrast, invert| CameraConfig { contrast, invert, ..CameraConfig::default() }.levels(PixelFormat::Gray8);
        assert_eq!(gray(140.0, false), Levels { background: 40.0, ball: [180.0; 3] });
        assert_eq!(gray(10.0, false), Levels { background: 40.0, ball: [50.0; 3] });
        assert_eq!(gray(140.0, true), Levels { background: 215.0, ball: [75.0; 3] });
        let amber = CameraConfig::default().levels(PixelFormat::Bgr8);
        assert!(amber.ball.iter().zip([60.0, 180.0, 226.0]).all(|(got, level)| (got - level).abs() < 1e-9));
    }
}
