//! The camera as it is asked for: on the command line, by environment, or in a TOML file with the same names.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::FalseyValueParser;
use serde::Deserialize;
use shared::image::PixelFormat;
use thiserror::Error;

use super::config::{Background, CameraConfig, CameraError};
use crate::scene::Radii;

/// The ball's radius unless told, in px.
const RADIUS: Radii = Radii::one(20.0);

/// A camera's options; what is absent is left as it is.
#[derive(Args, Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[command(next_help_heading = "Camera")]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CameraOptions {
    /// Radius of the ball in px, or a range from which each frame draws its own [default: 20]
    #[arg(long, value_name = "PX|MIN..MAX", env = "PLUMB_RADIUS", allow_hyphen_values = true)]
    pub radius: Option<Radii>,

    /// Contrast: the ball is at 40 + C gray levels, on 40 [default: 140]
    #[arg(long, value_name = "C", env = "PLUMB_CONTRAST", allow_hyphen_values = true)]
    pub contrast: Option<f64>,

    /// What is behind the ball, drawn anew for each frame [default: plain]
    #[arg(long, value_name = "KIND", env = "PLUMB_BACKGROUND")]
    pub background: Option<Background>,

    /// Turn the scene's light round, v into 255 - v: a dark ball on a bright background
    #[arg(long, value_name = "BOOL", env = "PLUMB_INVERT", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = FalseyValueParser::new())]
    pub invert: Option<bool>,

    /// Put something before the ball, which hides up to a third of its outline
    #[arg(long, value_name = "BOOL", env = "PLUMB_OCCLUDE", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = FalseyValueParser::new())]
    pub occlude: Option<bool>,

    /// Let the ball leave the frame in part; its centre stays inside
    #[arg(long, value_name = "BOOL", env = "PLUMB_BORDER", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = FalseyValueParser::new())]
    pub border: Option<bool>,

    /// Share of the frames that show no ball, 0 to 1: the right answer is none [default: 0]
    #[arg(long, value_name = "P", env = "PLUMB_EMPTY_RATE", allow_hyphen_values = true)]
    pub empty_rate: Option<f64>,

    /// Motion blur: how long the shutter is open, as a share of the frame interval, 0 to 1 [default: 0]
    #[arg(long, value_name = "F", env = "PLUMB_EXPOSURE", allow_hyphen_values = true)]
    pub exposure: Option<f64>,

    /// Blur of the optics: standard deviation of a Gaussian, in px [default: 0]
    #[arg(long, value_name = "SIGMA", env = "PLUMB_BLUR", allow_hyphen_values = true)]
    pub blur: Option<f64>,

    /// Share of the light that the lens loses in the corners, 0 to 0.9 [default: 0]
    #[arg(long, value_name = "V", env = "PLUMB_VIGNETTE", allow_hyphen_values = true)]
    pub vignette: Option<f64>,

    /// Shot noise: variance = GAIN x signal, in gray levels [default: 0]
    #[arg(long, value_name = "GAIN", env = "PLUMB_SHOT_NOISE", allow_hyphen_values = true)]
    pub shot_noise: Option<f64>,

    /// Read noise: standard deviation in gray levels, before gamma [default: 0]
    #[arg(long, value_name = "SIGMA", env = "PLUMB_NOISE", allow_hyphen_values = true)]
    pub noise: Option<f64>,

    /// Gamma of the sensor: level = 255 x (light / 255)^(1 / GAMMA) [default: 1]
    #[arg(long, value_name = "GAMMA", env = "PLUMB_GAMMA", allow_hyphen_values = true)]
    pub gamma: Option<f64>,

    /// Encode and decode each frame as JPEG of this quality, 1 to 100, before it is sent [default: no]
    #[arg(long, value_name = "QUALITY", env = "PLUMB_JPEG", allow_hyphen_values = true)]
    pub jpeg: Option<u8>,
}

/// Why a camera's file was refused.
#[derive(Debug, Error)]
pub enum CameraFileError {
    /// It cannot be read.
    #[error("cannot read the camera from {path}: {error}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What failed.
        error: std::io::Error,
    },
    /// It is no TOML, has a key that is none of ours, or a value of the wrong kind.
    #[error("{path}: {error}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and what.
        error: Box<toml::de::Error>,
    },
    /// A figure is out of range.
    #[error("{path}: {error}")]
    Value {
        /// The file.
        path: PathBuf,
        /// Which.
        error: CameraError,
    },
}

impl CameraOptions {
    /// Reads a TOML file; its figures are checked as for gray images.
    ///
    /// # Errors
    /// [`CameraFileError`] names the file, the key and what would be right.
    pub fn read(path: &Path) -> Result<Self, CameraFileError> {
        let text = fs::read_to_string(path).map_err(|error| CameraFileError::Read { path: path.into(), error })?;
        let options: Self =
            toml::from_str(&text).map_err(|error| CameraFileError::Parse { path: path.into(), error: error.into() })?;
        let checked = options.config().check(PixelFormat::Gray8);
        checked.map_err(|error| CameraFileError::Value { path: path.into(), error })?;
        Ok(options)
    }

    /// These options, and `others` where these say nothing.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            radius: self.radius.or(others.radius),
            contrast: self.contrast.or(others.contrast),
            background: self.background.or(others.background),
            invert: self.invert.or(others.invert),
            occlude: self.occlude.or(others.occlude),
            border: self.border.or(others.border),
            empty_rate: self.empty_rate.or(others.empty_rate),
            exposure: self.exposure.or(others.exposure),
            blur: self.blur.or(others.blur),
            vignette: self.vignette.or(others.vignette),
            shot_noise: self.shot_noise.or(others.shot_noise),
            noise: self.noise.or(others.noise),
            gamma: self.gamma.or(others.gamma),
            jpeg: self.jpeg.or(others.jpeg),
        }
    }

    /// The camera they describe, unchecked.
    pub fn config(&self) -> CameraConfig {
        let default = CameraConfig::default();
        CameraConfig {
            noise: self.noise.unwrap_or(default.noise),
            shot_noise: self.shot_noise.unwrap_or(default.shot_noise),
            blur: self.blur.unwrap_or(default.blur),
            exposure: self.exposure.unwrap_or(default.exposure),
            contrast: self.contrast.unwrap_or(default.contrast),
            background: self.background.unwrap_or(default.background),
            invert: self.invert.unwrap_or(default.invert),
            occlude: self.occlude.unwrap_or(default.occlude),
            jpeg: self.jpeg,
            gamma: self.gamma.unwrap_or(default.gamma),
            vignette: self.vignette.unwrap_or(default.vignette),
            empty_rate: self.empty_rate.unwrap_or(default.empty_rate),
        }
    }

    /// The ball's radii.
    pub fn radii(&self) -> Radii {
        self.radius.unwrap_or(RADIUS)
    }

    /// Whether the ball may leave the frame in part.
    pub fn has_border(&self) -> bool {
        self.border.unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<CameraOptions, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_holds_the_names_of_the_command_line() {
        let text =
            "radius = '10..40'\nshot-noise = 0.5\nempty-rate = 0.1\ninvert = true\nbackground = 'clutter'\njpeg = 50";
        let options = parse(text).expect("a camera");
        assert_eq!(options.radii(), Radii { min: 10.0, max: 40.0 });
        assert_eq!(options.config().shot_noise, 0.5);
        assert_eq!(options.config().background, Background::Clutter);
        assert_eq!((options.invert, options.jpeg, options.noise), (Some(true), Some(50), None));
        assert_eq!(parse("radius = 12").expect("a camera").radii(), Radii::one(12.0));
    }

    #[test]
    fn an_unknown_key_and_a_wrong_kind_are_named() {
        let said = parse("nose = 3").unwrap_err();
        assert!(said.contains("nose") && said.contains("noise"), "{said}");
        let said = parse("noise = 'much'").unwrap_err();
        assert!(said.contains("noise") && said.contains("much"), "{said}");
        let said = parse("radius = '10-40'").unwrap_err();
        assert!(said.contains("10-40") && said.contains("10..40"), "{said}");
        let said = parse("background = 'forest'").unwrap_err();
        assert!(said.contains("forest") && said.contains("clutter"), "{said}");
    }

    #[test]
    fn what_is_said_here_goes_before_what_is_said_there() {
        let here = parse("noise = 3\ninvert = false").expect("a camera");
        let there = parse("noise = 4\nblur = 2\ninvert = true").expect("a camera");
        let both = here.or(there);
        assert_eq!((both.noise, both.blur, both.invert), (Some(3.0), Some(2.0), Some(false)));
    }
}
