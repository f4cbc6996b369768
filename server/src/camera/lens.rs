//! The options of a camera that must be calibrated: its lens, where the plane stands, and what is scored.

use std::fmt;
use std::str::FromStr;

use clap::Args;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use shared::lens::pinhole::Lens;
use shared::lens::{Distortion, Pinhole, Solid};
use thiserror::Error;

use crate::scene::{Random, Stream};

/// Heading of the camera's options in the help.
pub const CAMERA_HEADING: &str = "Camera";

/// The allowed focal lengths and distances, in px. A focal length of 1 px sees a whole half-space in any image.
const LENGTHS_PX: std::ops::RangeInclusive<f64> = 1.0..=1e6;

/// Largest tilt and pan, in degrees. Beyond it, the plane is seen at so small an angle that a ball is nearly a line.
const MOST_TURN: f64 = 80.0;

/// Largest coefficient. Those of real lenses are below 100.
const MOST_COEFFICIENT: f64 = 1e6;

/// Most poses: ten times what a calibration needs.
pub(crate) const MOST_POSES: u32 = 100;

/// Ranges from which poses are drawn: their angle to the image and the roll in degrees, and the distance in focal
/// lengths. Planes that face the camera do not determine the focal length (Zhang, PAMI 22, 2000), and on steep ones the
/// ball has little room.
const TURNED: (f64, f64) = (20.0, 40.0);
const ROLLED: (f64, f64) = (-15.0, 15.0);
const DISTANCE: (f64, f64) = (1.0, 1.4);

/// The settings of lens and plane. By default the camera has no lens: the plane is the image.
#[derive(Args, Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[command(next_help_heading = CAMERA_HEADING)]
pub struct LensConfig {
    /// Focal lengths of the lens in px, one or two [default: that of --lens, or the width of the frames if another option of
    /// the lens is given]
    #[arg(long, value_name = "FX[,FY]")]
    #[serde(serialize_with = "written")]
    #[schemars(with = "Option<String>")]
    pub focal: Option<Focal>,

    /// Principal point of the lens in px [default: that of --lens, or the centre of the frames]
    #[arg(long, value_name = "CX,CY")]
    #[serde(serialize_with = "written")]
    #[schemars(with = "Option<String>")]
    pub centre: Option<Centre>,

    /// Distortion of the lens, such as plumb_bob:-0.3,0.1,0,0,0: plumb_bob (k1 k2 p1 p2 k3), rational_polynomial (k4 k5
    /// k6 too) or equidistant (k1 k2 k3 k4), in OpenCV's order; coefficients left out at the end are 0 [default: that
    /// of --lens, or none]
    #[arg(long, value_name = "MODEL:K1,K2")]
    #[serde(serialize_with = "written")]
    #[schemars(with = "Option<String>")]
    pub distortion: Option<Bend>,

    /// Pose of the plane on which the ball moves: turned by TILT about the image's x axis, PAN about y and ROLL about z, in
    /// degrees, with its middle on the optical axis at a DISTANCE in px of the plane [default: 0,0,0 and the focal length, at
    /// which a px of the plane is a px of the image]
    #[arg(long, value_name = "TILT,PAN,ROLL[,DISTANCE]")]
    #[serde(serialize_with = "written")]
    #[schemars(with = "Option<String>")]
    pub pose: Option<PlanePose>,

    /// Number of poses of the plane, which the frames show in turn. They are drawn from the seed: turned by 20 to 40 degrees
    /// about axes all around, at 1 to 1.4 focal lengths [default: one, that of --pose]
    #[arg(long, value_name = "N")]
    #[schemars(range(min = 1, max = MOST_POSES), extend("takes" = "a whole number of poses from {}"))]
    pub poses: Option<u32>,

    /// What the ball is: a disc in the plane, or a sphere whose centre moves in the plane [default: disc]
    #[arg(long, value_enum, value_name = "KIND")]
    pub target: Option<Body>,

    /// With a lens or a pose: the point that answers are scored against, the image of the ball's centre or the centroid of the
    /// ball's picture [default: centre]
    #[arg(long, value_enum, value_name = "POINT")]
    pub truth_point: Option<TruthPoint>,
}

/// What the ball is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Body {
    /// A disc in the plane.
    #[default]
    Disc,
    /// A sphere whose centre moves in the plane.
    Sphere,
}

/// The point of a picture that answers are scored against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum TruthPoint {
    /// The image of the ball's centre.
    #[default]
    Centre,
    /// The centroid of the ball's picture.
    Centroid,
}

/// Focal lengths along x and y, in px.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Focal([f64; 2]);

/// The principal point, in px.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Centre([f64; 2]);

/// A lens distortion with its coefficients; those that it does not have are 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bend {
    kind: Distortion,
    coefficients: [f64; 8],
}

/// Where the plane stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlanePose {
    /// Angles about the image's x, y and z axes, in degrees.
    pub(super) turns: [f64; 3],
    /// Distance of the plane's middle, in px of the plane; `None` for the focal length.
    pub(super) distance: Option<f64>,
}

/// A text is not what an option of the lens takes.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("\"{got}\" is not {right}")]
pub struct NotOfALens {
    got: String,
    right: &'static str,
}

impl LensConfig {
    /// A camera whose plane is the image.
    pub const NONE: Self =
        Self { focal: None, centre: None, distortion: None, pose: None, poses: None, target: None, truth_point: None };

    /// Whether the plane is seen through a lens.
    pub fn has_lens(&self) -> bool {
        self.given().is_some()
    }

    /// The first option that is given and needs a lens.
    pub fn given(&self) -> Option<&'static str> {
        let all = [
            ("pose", self.pose.is_some()),
            ("poses", self.poses.is_some()),
            ("target", self.target == Some(Body::Sphere)),
            ("focal", self.focal.is_some()),
            ("centre", self.centre.is_some()),
            ("distortion", self.distortion.is_some()),
        ];
        all.into_iter().find(|(_, is_given)| *is_given).map(|(option, _)| option)
    }

    /// The lens, for images of this size.
    pub(super) fn lens(&self, width: u32, height: u32) -> Lens {
        let centred = Pinhole::centred(f64::from(width), f64::from(width), f64::from(height));
        let Focal([fx, fy]) = self.focal.unwrap_or(Focal([centred.fx, centred.fy]));
        let Centre([cx, cy]) = self.centre.unwrap_or(Centre([centred.cx, centred.cy]));
        let Bend { kind, coefficients } =
            self.distortion.unwrap_or(Bend { kind: Distortion::Brown(0), coefficients: [0.0; 8] });
        Lens::new(Pinhole { fx, fy, cx, cy }, kind, &coefficients)
    }

    /// The poses of the plane, in turn, for a lens of this focal length.
    pub(super) fn all_poses(&self, focal: f64, random: &Random) -> Vec<PlanePose> {
        let Some(count) = self.poses else {
            return vec![self.pose.unwrap_or(PlanePose { turns: [0.0; 3], distance: None })];
        };
        let drawn = |at: u32| {
            let mut draws = random.sequence(Stream::Poses, u64::from(at));
            // One in each sector, so that all directions occur.
            let direction = std::f64::consts::TAU * (f64::from(at) + draws.uniform()) / f64::from(count);
            let (sin, cos) = libm::sincos(direction);
            let angle = draws.between(TURNED.0, TURNED.1);
            let roll = draws.between(ROLLED.0, ROLLED.1);
            let distance = focal * draws.between(DISTANCE.0, DISTANCE.1);
            PlanePose { turns: [angle * cos, angle * sin, roll], distance: Some(distance) }
        };
        (0..count).map(drawn).collect()
    }

    /// What the ball is.
    pub(super) fn solid(&self) -> Solid {
        match self.target.unwrap_or_default() {
            Body::Disc => Solid::Disc,
            Body::Sphere => Solid::Sphere,
        }
    }
}

impl Focal {
    /// Focal lengths along x and y. `None` if one is out of range.
    pub fn new(fx: f64, fy: f64) -> Option<Self> {
        [fx, fy].iter().all(|length| LENGTHS_PX.contains(length)).then_some(Self([fx, fy]))
    }
}

impl Centre {
    /// A principal point. `None` if a coordinate is out of range.
    pub fn new(cx: f64, cy: f64) -> Option<Self> {
        [cx, cy].iter().all(|place| place.abs() <= *LENGTHS_PX.end()).then_some(Self([cx, cy]))
    }
}

impl Bend {
    /// A distortion with these coefficients. `None` if there are more than it has, or if one is out of range.
    pub fn new(kind: Distortion, given: &[f64]) -> Option<Self> {
        let is_fine = given.len() <= kind.coefficients().len() && given.iter().all(|k| k.abs() <= MOST_COEFFICIENT);
        let mut coefficients = [0.0; 8];
        coefficients.iter_mut().zip(given).for_each(|(to, from)| *to = *from);
        is_fine.then_some(Self { kind, coefficients })
    }
}

impl FromStr for Focal {
    type Err = NotOfALens;

    fn from_str(text: &str) -> Result<Self, NotOfALens> {
        let found = numbers(text).and_then(|found| match found[..] {
            [both] => Self::new(both, both),
            [fx, fy] => Self::new(fx, fy),
            _ => None,
        });
        found.ok_or_else(|| refused(text, "a focal length from 1 to 1000000 px: write 600, for example, or 600,590"))
    }
}

impl FromStr for Centre {
    type Err = NotOfALens;

    fn from_str(text: &str) -> Result<Self, NotOfALens> {
        let found = numbers(text).and_then(|found| match found[..] {
            [cx, cy] => Self::new(cx, cy),
            _ => None,
        });
        found.ok_or_else(|| {
            refused(text, "a principal point from -1000000 to 1000000 px: write 319.5,239.5, for example")
        })
    }
}

impl FromStr for Bend {
    type Err = NotOfALens;

    fn from_str(text: &str) -> Result<Self, NotOfALens> {
        let (name, given) = text.split_once(':').unwrap_or((text, ""));
        let given = if given.trim().is_empty() { Some(Vec::new()) } else { numbers(given) };
        let found = name.trim().parse().ok().zip(given).and_then(|(kind, given)| Self::new(kind, &given));
        let right = "a distortion: write plumb_bob, rational_polynomial or equidistant with up to 5, 8 or 4 coefficients \
                     from -1000000 to 1000000, for example plumb_bob:-0.3,0.1,0,0,0";
        found.ok_or_else(|| refused(text, right))
    }
}

impl FromStr for PlanePose {
    type Err = NotOfALens;

    fn from_str(text: &str) -> Result<Self, NotOfALens> {
        let found = numbers(text).and_then(|found| match found[..] {
            [tilt, pan, roll] => Some(Self { turns: [tilt, pan, roll], distance: None }),
            [tilt, pan, roll, distance] => Some(Self { turns: [tilt, pan, roll], distance: Some(distance) }),
            _ => None,
        });
        let is_fine = |pose: &Self| {
            let [tilt, pan, roll] = pose.turns.map(f64::abs);
            let is_near = pose.distance.is_none_or(|distance| LENGTHS_PX.contains(&distance));
            tilt <= MOST_TURN && pan <= MOST_TURN && roll <= 360.0 && is_near
        };
        let right = "a pose: write tilt and pan from -80 to 80 degrees and roll from -360 to 360, and a distance from 1 to \
                     1000000 px if it is not the focal length, for example 45,0,0 or 45,0,0,800";
        found.filter(is_fine).ok_or_else(|| refused(text, right))
    }
}

impl fmt::Display for Focal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([fx, fy]) = self;
        if fx == fy { write!(f, "{fx}") } else { write!(f, "{fx},{fy}") }
    }
}

impl fmt::Display for Centre {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([cx, cy]) = self;
        write!(f, "{cx},{cy}")
    }
}

impl fmt::Display for Bend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms = self.kind.coefficients().len();
        write!(f, "{}", self.kind)?;
        for (at, coefficient) in self.coefficients.iter().enumerate().take(terms) {
            write!(f, "{}{coefficient}", if at == 0 { ':' } else { ',' })?;
        }
        Ok(())
    }
}

impl fmt::Display for PlanePose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [tilt, pan, roll] = self.turns;
        write!(f, "{tilt},{pan},{roll}")?;
        self.distance.map_or(Ok(()), |distance| write!(f, ",{distance}"))
    }
}

/// Finite numbers with commas between them.
fn numbers(text: &str) -> Option<Vec<f64>> {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|value| value.is_finite());
    text.split(',').map(number).collect()
}

fn refused(text: &str, right: &'static str) -> NotOfALens {
    NotOfALens { got: text.to_owned(), right }
}

fn written<S: Serializer>(value: &Option<impl fmt::Display>, serializer: S) -> Result<S::Ok, S::Error> {
    value.as_ref().map(ToString::to_string).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_to_the_last_digit() {
        for text in ["600", "600.1,590.25"] {
            assert_eq!(text.parse::<Focal>().expect("focal lengths").to_string(), text);
        }
        assert_eq!("319.5,-2".parse::<Centre>().expect("a point").to_string(), "319.5,-2");
        for text in ["plumb_bob:-0.3,0.1,0,0,0", "equidistant:-0.02,0.007,-0.003,0.0005", "none", "k1:-0.3"] {
            assert_eq!(text.parse::<Bend>().expect("a distortion").to_string(), text);
        }
        assert_eq!("plumb_bob:-0.3".parse::<Bend>().expect("a distortion").to_string(), "plumb_bob:-0.3,0,0,0,0");
        for text in ["45,0,-10.5", "45,0,0,800"] {
            assert_eq!(text.parse::<PlanePose>().expect("a pose").to_string(), text);
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_right() {
        for text in ["", "0", "-600", "nan", "600,590,1", "inf", "1e7"] {
            let wrong = text.parse::<Focal>().expect_err(text).to_string();
            assert!(wrong.starts_with(&format!("\"{text}\" is not a focal length")), "{wrong}");
        }
        for text in ["", "1", "1,nan", "1,2,3", "1e9,0"] {
            assert!(text.parse::<Centre>().expect_err(text).to_string().contains("319.5,239.5"));
        }
        for text in ["", "fisheye:1", "plumb_bob:1,2,3,4,5,6", "equidistant:nan", "plumb_bob:1,,2", "k1:1e9"] {
            assert!(
                text.parse::<Bend>().expect_err(text).to_string().contains("plumb_bob, rational_polynomial or"),
                "{text}"
            );
        }
        for text in ["", "1,2", "90,0,0", "0,-81,0", "0,0,400", "1,2,3,0", "1,2,3,4,5", "a,b,c"] {
            assert!(text.parse::<PlanePose>().expect_err(text).to_string().contains("for example 45,0,0"), "{text}");
        }
    }
}
