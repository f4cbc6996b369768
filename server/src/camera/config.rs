//! The camera's settings: every effect with its unit and range.

use std::f64::consts::PI;
use std::sync::LazyLock;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use shared::geometry::Circle;
use shared::image::PixelFormat;

use super::ellipse::Light;
use super::error::CameraError;
use super::lens::{CAMERA_HEADING, LensConfig};
use super::shape::{Form, Unknown};
use crate::options::{self, OutOfRange, TakesAll};
use crate::scene::{Random, Stream};

/// Light of the plain background, in gray levels.
pub const BACKGROUND: f64 = 40.0;

/// Default contrast, in gray levels: disc 180 on background 40.
pub const CONTRAST: f64 = 140.0;

/// Light of the ball above the background in blue, green and red, as shares of the contrast. The colour is amber; its
/// gray value by OpenCV's BGR2GRAY weights has exactly the contrast of a gray ball.
const AMBER: [f64; 3] = [20.0 / CONTRAST, 140.0 / CONTRAST, 186.0 / CONTRAST];

/// Longest delay of a camera, in ms: far more than any camera and its driver hold back.
const MAX_DELAY_MS: f64 = 10_000.0;

/// Longest time from row to row of a rolling shutter, in us: twenty times that of slow sensors.
const MAX_LINE_US: f64 = 1000.0;

/// The brightest level of an image; the darkest is 0.
pub(super) const WHITE: f64 = 255.0;

/// The allowed contrasts: both ball and background must have a level between 0 and 255.
const CONTRASTS: &str = "a contrast of {} gray levels but not 0 (the ball is at 40 + contrast, on 40)";

/// What is behind the ball.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Background {
    /// One gray level.
    #[default]
    Plain,
    /// A plane of light that brightens in a random direction.
    Ramp,
    /// Shapes of random gray, none of them round.
    Clutter,
}

/// The camera's settings. The default has no effects; it only sets contrast and gray levels.
///
/// Each field is an option of the command line, of the environment and of files.
#[derive(Args, Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
#[command(next_help_heading = CAMERA_HEADING)]
pub struct CameraConfig {
    /// Contrast in gray levels: the ball has level 40 + C, the background 40
    #[arg(long, value_name = "C", default_value_t = CONTRAST)]
    #[schemars(range(min = -BACKGROUND, max = WHITE - BACKGROUND), extend("takes" = CONTRASTS))]
    pub contrast: f64,

    /// Background of the ball, drawn for each frame
    #[arg(long, value_enum, value_name = "KIND", default_value_t)]
    pub background: Background,

    /// Invert the scene's light from v to 255 - v: a dark ball on a bright background
    #[arg(long)]
    pub invert: bool,

    /// Put an occluder in front of the ball that hides up to a third of its outline
    #[arg(long)]
    pub occlude: bool,

    /// Show the ball as an ellipse: ratio of its shorter to its longer half-axis, at the same area [default: off]
    #[arg(long, value_name = "A")]
    #[schemars(range(min = 0.1, max = 1), extend("takes" = "a ratio of half-axes from {}"))]
    pub aspect: Option<f64>,

    /// With --aspect: direction of the longer half-axis in degrees, from right towards down [default: drawn for each
    /// frame]
    #[arg(long, value_name = "DEG")]
    #[schemars(range(min = 0, max = 180), extend("takes" = "an angle of {} degrees"))]
    pub aspect_angle: Option<f64>,

    /// Shade the ball by Lambert's law: share of its light that is ambient; the rest comes from one direction [default:
    /// off]
    #[arg(long, value_name = "LAMBERT")]
    #[schemars(range(min = 0, max = 1), extend("takes" = "a share of light from {}"))]
    pub shade: Option<f64>,

    /// With --shade: where the light comes from in the image, in degrees, from right towards down [default: drawn for
    /// each frame]
    #[arg(long, value_name = "DEG")]
    #[schemars(range(min = 0, max = 360), extend("takes" = "an angle of {} degrees"))]
    pub shade_angle: Option<f64>,

    /// With --shade: how far the light stands above the image, in degrees: 90 is behind the camera [default: drawn for
    /// each frame]
    #[arg(long, value_name = "DEG")]
    #[schemars(range(min = 0, max = 90), extend("takes" = "an angle of {} degrees"))]
    pub shade_height: Option<f64>,

    /// Show only the ball's outline, a stroke of this width in px along its edge [default: off]
    #[arg(long, value_name = "WIDTH")]
    #[schemars(range(min = 0.5, max = 100), extend("takes" = "a width of {} px"))]
    pub ring: Option<f64>,

    /// Share of the frames that show no ball; the right answer to such a frame is `none`
    #[arg(long, value_name = "P", default_value_t = 0.0)]
    #[schemars(range(min = 0, max = 1), extend("takes" = "a share of the frames from {}"))]
    pub empty_rate: f64,

    /// Motion blur: exposure time as a share of the frame interval
    #[arg(long, value_name = "F", default_value_t = 0.0)]
    #[schemars(range(min = 0, max = 1), extend("takes" = "a share of the frame interval from {}"))]
    pub exposure: f64,

    /// Delay of the camera in ms: each frame shows the scene as it was this long before the frame's time. The truth is
    /// that of the frame's time
    #[arg(long, value_name = "MS", default_value_t = 0.0)]
    #[schemars(range(min = 0, max = MAX_DELAY_MS), extend("takes" = "a delay of {} ms"))]
    pub delay: f64,

    /// Rolling shutter: time from the start of the exposure of a row to that of the next one, in us. The first row
    /// starts at the frame's time. The truth is that of the frame's time
    #[arg(long, value_name = "US", default_value_t = 0.0)]
    #[schemars(range(min = 0, max = MAX_LINE_US), extend("takes" = "a line time of {} us"))]
    pub rolling_shutter: f64,

    /// The lens, and the plane on which the ball moves.
    #[command(flatten)]
    #[serde(flatten)]
    pub lens: LensConfig,

    /// Blur of the optics: standard deviation of a Gaussian point spread, in px
    #[arg(long, value_name = "SIGMA", default_value_t = 0.0)]
    #[schemars(range(min = 0, max = 50), extend("takes" = "a standard deviation of {} px"))]
    pub blur: f64,

    /// Share of the light that the lens loses in the corners
    #[arg(long, value_name = "V", default_value_t = 0.0)]
    #[schemars(range(min = 0, max = 0.9), extend("takes" = "a share of light from {}"))]
    pub vignette: f64,

    /// Shot noise: variance = GAIN x signal, in gray levels (EMVA 1288)
    #[arg(long, value_name = "GAIN", default_value_t = 0.0)]
    #[schemars(range(min = 0, max = 100), extend("takes" = "a gain of {} gray levels"))]
    pub shot_noise: f64,

    /// Read noise: standard deviation in gray levels of linear light, before gamma
    #[arg(long, value_name = "SIGMA", default_value_t = 0.0)]
    #[schemars(range(min = 0, max = 255), extend("takes" = "a standard deviation of {} gray levels"))]
    pub noise: f64,

    /// Gamma of the sensor: level = 255 x (light / 255)^(1 / GAMMA)
    #[arg(long, value_name = "GAMMA", default_value_t = 1.0)]
    #[schemars(range(min = 0.1, max = 10), extend("takes" = "a gamma from {}"))]
    pub gamma: f64,

    /// Encode each frame as JPEG of this quality and decode it before it is sent [default: off]
    #[arg(long, value_name = "QUALITY")]
    #[schemars(range(min = 1, max = 100), extend("takes" = "a quality from {}"))]
    pub jpeg: Option<u8>,
}

impl Default for CameraConfig {
    fn default() -> Self {
        static DEFAULT: LazyLock<CameraConfig> = LazyLock::new(options::defaults);
        *DEFAULT
    }
}

impl CameraConfig {
    /// Checks the range of every setting.
    ///
    /// # Errors
    /// [`CameraError`] names the first setting that is out of range.
    pub fn check(&self, pixel: PixelFormat) -> Result<(), CameraError> {
        static TAKES: LazyLock<TakesAll> = LazyLock::new(TakesAll::of::<CameraConfig>);
        if pixel == PixelFormat::Gray16 {
            return Err(CameraError::Deep);
        }
        TAKES.check(self)?;
        if self.contrast == 0.0 {
            return Err(no_contrast().into());
        }
        self.check_form()?;
        let wrong = |level: &f64| !(0.0..=WHITE).contains(level);
        match self.levels(pixel).ball.into_iter().find(wrong) {
            Some(level) => Err(CameraError::Colour { got: self.contrast, level }),
            None => Ok(()),
        }
    }

    fn check_form(&self) -> Result<(), CameraError> {
        let needs = [
            ("aspect-angle", self.aspect_angle, "aspect", self.aspect),
            ("shade-angle", self.shade_angle, "shade", self.shade),
            ("shade-height", self.shade_height, "shade", self.shade),
        ];
        for (option, given, needs, needed) in needs {
            if given.is_some() && needed.is_none() {
                return Err(CameraError::Needs { option, needs });
            }
        }
        if self.ring.is_some() && self.shade.is_some() {
            return Err(CameraError::ShadedRing);
        }
        self.check_rows()?;
        self.check_lens()
    }

    fn check_rows(&self) -> Result<(), CameraError> {
        let drawn = "because such a ball is drawn at one time";
        let given = [
            ("blur", self.blur > 0.0, "because a row's blur needs the rows around it at the row's own time"),
            ("aspect", self.aspect.is_some(), drawn),
            ("shade", self.shade.is_some(), drawn),
            ("ring", self.ring.is_some(), drawn),
        ];
        match given.into_iter().find(|(_, is_given, _)| *is_given && self.rolling_shutter > 0.0) {
            Some((option, _, why)) => Err(CameraError::Rolling { option, why }),
            None => Ok(()),
        }
    }

    fn check_lens(&self) -> Result<(), CameraError> {
        let Some(lens) = self.lens.given() else {
            return match self.lens.truth_point {
                Some(_) => Err(CameraError::Needs { option: "truth-point", needs: "lens, --focal or --pose" }),
                None => Ok(()),
            };
        };
        if self.lens.pose.is_some() && self.lens.poses.is_some() {
            return Err(CameraError::TwoPoses);
        }
        let forms = [
            ("aspect", self.aspect, "whose pose gives the ball its shape"),
            ("shade", self.shade, "through which a ball is seen as an even disc or sphere"),
            ("ring", self.ring, "through which a stroke is not of one width"),
        ];
        match forms.into_iter().find(|(_, given, _)| given.is_some()) {
            Some((option, _, why)) => Err(CameraError::Lensed { option, lens, why }),
            None => Ok(()),
        }
    }

    /// What a pipeline does not know about the ball's form.
    pub(super) fn unknown_form(&self) -> Unknown {
        Unknown { oblong: self.aspect.is_some(), light: self.shade.is_some(), stroke: self.ring.is_some() }
    }

    /// The ball's form in a frame; `None` for a round, even disc.
    pub(super) fn form(&self, circle: Circle, random: &Random, index: u64) -> Option<Form> {
        if !self.unknown_form().any() {
            return None;
        }
        let mut draws = random.sequence(Stream::Form, index);
        // All are drawn, so that one option does not change what another one draws.
        let [turn, azimuth, height] = [(); 3].map(|()| draws.uniform());
        let degrees = |given: Option<f64>, drawn: f64| given.map_or(drawn, |degrees| degrees * PI / 180.0);
        let (sin, cos) = libm::sincos(2.0 * degrees(self.aspect_angle, turn * PI));
        let half_ratio = -0.5 * libm::log(self.aspect.unwrap_or(1.0));
        let light = self.shade.map(|ambient| {
            let (down, right) = libm::sincos(degrees(self.shade_angle, azimuth * 2.0 * PI));
            // The sine of the height is uniform where directions are.
            let up = self.shade_height.map_or(height, |degrees| libm::sin(degrees * PI / 180.0));
            let flat = (1.0 - up * up).max(0.0).sqrt();
            Light { ambient, towards: [flat * right, flat * down, up].map(|part| (1.0 - ambient) * part) }
        });
        Some(Form { circle, oblong: [half_ratio * cos, half_ratio * sin], light, stroke: self.ring })
    }

    /// Whether the plain camera can take the pictures.
    pub(super) fn is_plain(&self) -> bool {
        *self == Self { empty_rate: self.empty_rate, exposure: self.exposure, delay: self.delay, ..Self::default() }
            && self.exposure == 0.0
    }

    /// The light of ball and background.
    pub(super) fn levels(&self, pixel: PixelFormat) -> Levels {
        let shares = match pixel {
            // `check` refuses gray16.
            PixelFormat::Gray8 | PixelFormat::Gray16 => [1.0; 3],
            PixelFormat::Bgr8 => AMBER,
        };
        let ball = shares.map(|share| self.polarity(BACKGROUND + self.contrast * share));
        Levels { background: self.polarity(BACKGROUND), ball }
    }

    /// The level of the scene's light, inverted if `invert` is set.
    pub(super) fn polarity(&self, level: f64) -> f64 {
        if self.invert { WHITE - level } else { level }
    }
}

fn no_contrast() -> OutOfRange {
    let right = CONTRASTS.replace("{}", &format!("{} to {}", -BACKGROUND, WHITE - BACKGROUND));
    OutOfRange { key: "contrast".into(), got: "0".into(), right }
}

/// Levels of light, in gray levels, before optics and sensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Levels {
    /// Level of the plain background, the same in every channel.
    pub(super) background: f64,
    /// Levels of the ball in blue, green and red; for gray all three are equal.
    pub(super) ball: [f64; 3],
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::lens::{Focal, TruthPoint};

    fn refused(config: CameraConfig) -> String {
        config.check(PixelFormat::Gray8).expect_err("an impossible camera").to_string()
    }

    #[test]
    fn settings_out_of_range_are_named_with_the_range() {
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
            CameraConfig { aspect: Some(0.0), ..fine },
            CameraConfig { aspect: Some(1.1), ..fine },
            CameraConfig { shade: Some(-0.1), ..fine },
            CameraConfig { ring: Some(0.0), ..fine },
            CameraConfig { ring: Some(3.0), shade: Some(0.3), ..fine },
            CameraConfig { aspect_angle: Some(20.0), ..fine },
            CameraConfig { shade: Some(0.3), shade_height: Some(91.0), ..fine },
            CameraConfig { rolling_shutter: 1001.0, ..fine },
            CameraConfig { rolling_shutter: 30.0, blur: 1.0, ..fine },
            CameraConfig { rolling_shutter: 30.0, ring: Some(2.0), ..fine },
            CameraConfig { lens: LensConfig { truth_point: Some(TruthPoint::Centroid), ..fine.lens }, ..fine },
            CameraConfig {
                aspect: Some(0.8),
                lens: LensConfig { focal: Focal::new(600.0, 600.0), ..fine.lens },
                ..fine
            },
        ] {
            refused(wrong);
        }
    }

    #[test]
    fn a_contrast_too_high_for_amber_is_refused_only_for_bgr8() {
        let strong = CameraConfig { contrast: 200.0, ..CameraConfig::default() };
        assert_eq!(strong.check(PixelFormat::Gray8), Ok(()));
        assert_eq!(CameraConfig::default().check(PixelFormat::Gray16), Err(CameraError::Deep));
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
