//! A correction: a map in a TOML file, as `server calibrate` writes it, which maps answers to where the ball is.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Point;
use super::distortion::Distortion;
use super::form::Form;
use super::map::Map;
use super::matrix;
use super::pinhole::Pinhole;
use super::rim::Solid;
use crate::geometry::{Covariance, Size};
use crate::text::Escaped;

/// The version of the format.
const SCHEMA: u32 = 1;

/// The largest file that is read. A correction has less than 3 kB.
const MOST_BYTES: u64 = 65_536;

/// The form of a camera with one pose.
const CAMERA: &str = "camera";

/// What the answers of a pipeline are estimates of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// A point: the image of the truth.
    #[default]
    Point,
    /// A disc on the plane. Answers are the centroid of its picture, which is not the image of its centre.
    Disc,
    /// A sphere whose centre is on the plane: the centroid of its picture.
    Sphere,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "point" => Ok(Self::Point),
            "disc" => Ok(Self::Disc),
            "sphere" => Ok(Self::Sphere),
            _ => Err(format!("\"{text}\" is not a target: write point, disc or sphere")),
        }
    }
}

/// A correction, ready for use.
#[derive(Clone, Debug, PartialEq)]
pub struct Correction {
    map: Map,
    file: File,
}

/// A corrected answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Corrected {
    /// The centre.
    pub centre: Point,
    /// The factor by which lengths change: the square root of the change of areas.
    pub scale: f64,
    /// The derivatives of the centre by the answer.
    pub slope: super::Jacobian,
}

/// The file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    plumb_correction: u32,
    /// The form of the map.
    form: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    distortion: Option<String>,
    /// What the answers are estimates of.
    #[serde(default)]
    target: Target,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    /// Focal lengths and centre that were not fitted: fx, fy, cx, cy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    given: Option<[f64; 4]>,
    /// Delay of the answers. It is not corrected, because one frame does not show where the ball was earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time_offset_us: Option<f64>,
    /// Time from one row to the next. It is not corrected either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line_time_us: Option<f64>,
    names: Vec<String>,
    parameters: Vec<f64>,
}

/// Why a file is not a correction, or does not suit a stream.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CorrectionError {
    /// The file cannot be read.
    #[error("\"{}\" cannot be read ({why}): write the name of a correction.toml that server calibrate wrote", Escaped(file.display()))]
    Read {
        /// The file.
        file: PathBuf,
        /// What failed.
        why: String,
    },
    /// Another program wrote the file, or it is damaged.
    #[error("\"{}\" is not a correction ({why}): write the name of a correction.toml that server calibrate wrote", Escaped(file.display()))]
    NotOne {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The correction is for images of another size.
    #[error(
        "the correction is for images of {expected}, and the frames are {found}: calibrate a run with --size {found}"
    )]
    OtherSize {
        /// The size it is for.
        expected: Size,
        /// The size of the frames.
        found: Size,
    },
}

impl Correction {
    /// A correction by the map of this form and these parameters.
    #[must_use]
    pub fn new(form: Form, parameters: &[f64], size: Option<Size>, target: Target) -> Self {
        let (name, distortion, given) = match form {
            Form::Offset => ("offset", None, None),
            Form::Similarity => ("similarity", None, None),
            Form::Affine => ("affine", None, None),
            Form::Homography => ("homography", None, None),
            Form::Lensed { given, distortion } => ("homography+distortion", Some(distortion), Some(given)),
            Form::Camera(distortion) => (CAMERA, Some(distortion), None),
            Form::Undistorted(distortion) => ("undistorted", Some(distortion), None),
        };
        let file = File {
            plumb_correction: SCHEMA,
            form: name.into(),
            distortion: distortion.map(|kind| kind.to_string()),
            target,
            width: size.map(|size| size.width),
            height: size.map(|size| size.height),
            given: given.map(|Pinhole { fx, fy, cx, cy }| [fx, fy, cx, cy]),
            time_offset_us: None,
            line_time_us: None,
            names: form.names().into_iter().map(str::to_owned).collect(),
            parameters: parameters.to_vec(),
        };
        Self { map: form.map(parameters), file }
    }

    /// The same correction with the times that were fitted with it.
    #[must_use]
    pub fn with_times(mut self, offset_us: Option<f64>, line_us: Option<f64>) -> Self {
        (self.file.time_offset_us, self.file.line_time_us) = (offset_us, line_us);
        self
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`CorrectionError`] if it cannot be read or is not a correction.
    pub fn read(path: &Path) -> Result<Self, CorrectionError> {
        let unread = |why: String| CorrectionError::Read { file: path.into(), why };
        let about = fs::metadata(path).map_err(|error| unread(error.to_string()))?;
        if !about.is_file() {
            return Err(unread("it is not a file".into()));
        }
        if about.len() > MOST_BYTES {
            let why = format!("it has {} bytes, and at most {MOST_BYTES} are read", about.len());
            return Err(CorrectionError::NotOne { file: path.into(), why });
        }
        let bytes = fs::read(path).map_err(|error| unread(error.to_string()))?;
        let text = String::from_utf8_lossy(&bytes);
        Self::parse(&text).map_err(|why| CorrectionError::NotOne { file: path.into(), why })
    }

    /// Parses the text of a file. The error says what is wrong.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let table: toml::Table = toml::from_str(text).map_err(|error| Escaped(error.message()).to_string())?;
        match table.get("plumb_correction").map(toml::Value::as_integer) {
            None => return Err("it has no plumb_correction".into()),
            Some(version) if version != Some(i64::from(SCHEMA)) => {
                return Err(format!("this program reads plumb_correction = {SCHEMA}"));
            }
            Some(_) => {}
        }
        let file: File = toml::from_str(text).map_err(|error| Escaped(error.message()).to_string())?;
        let form = file.form()?;
        let names = form.names();
        if file.names != names || file.parameters.len() != names.len() {
            return Err(format!("its names and parameters must be {}", names.join(", ")));
        }
        let numbers = file.parameters.iter().chain(file.given.iter().flatten());
        if numbers.clone().any(|value| !value.is_finite()) {
            return Err("a parameter is not a finite number".into());
        }
        let map = form.map(&file.parameters);
        if matrix::inverse(&map.plane).is_none() {
            return Err("its map has no inverse".into());
        }
        Ok(Self { map, file })
    }

    /// The text of the file.
    #[must_use]
    pub fn to_text(&self) -> String {
        // Numbers and plain words always have a TOML form.
        let body = toml::to_string(&self.file).unwrap_or_default();
        format!("# A correction of Plumb: client --correct with this file moves answers to where the ball is.\n{body}")
    }

    /// Checks that the correction is for frames of this size.
    ///
    /// # Errors
    /// [`CorrectionError::OtherSize`] if they are not.
    pub fn check(&self, found: Size) -> Result<(), CorrectionError> {
        match (self.file.width, self.file.height) {
            (Some(width), Some(height)) if (width, height) != (found.width, found.height) => {
                Err(CorrectionError::OtherSize { expected: Size { width, height }, found })
            }
            _ => Ok(()),
        }
    }

    /// Corrects an answer at this point. `radius` is the answer's radius, if it has one. `None` if no point of the
    /// plane has its image there.
    #[must_use]
    pub fn apply(&self, answer: Point, radius: Option<f64>) -> Option<Corrected> {
        let centre = self.map.back(answer)?;
        let slope = self.slope(centre)?;
        let scale = matrix::determinant(&slope).abs().sqrt();
        let solid = radius.filter(|_| self.file.target != Target::Point);
        let Some(radius) = solid else { return Some(Corrected { centre, scale, slope }) };
        // Only a pose tells how far away a sphere is. Without one the distortion of its picture is taken back, as a disc's.
        let centre = match self.file.target {
            Target::Sphere if self.file.form == CAMERA => {
                let (flat, own) = (self.map.sphere_radius(centre, radius)?, Solid::Sphere);
                self.map.back_from_centroid_of(own, answer, flat)?
            }
            _ => self.map.back_from_centroid(answer, scale * radius)?,
        };
        Some(Corrected { centre, scale, slope: self.slope(centre)? })
    }

    fn slope(&self, centre: Point) -> Option<super::Jacobian> {
        matrix::inverse2(&self.map.forward_with_slope(centre)?.1)
    }
}

impl Corrected {
    /// The covariance of the centre, from that of the answer.
    #[must_use]
    pub fn covariance(&self, Covariance { xx, xy, yy }: Covariance) -> Covariance {
        let [[a, b], [c, d]] = self.slope;
        Covariance {
            xx: a * a * xx + 2.0 * a * b * xy + b * b * yy,
            xy: a * c * xx + (a * d + b * c) * xy + b * d * yy,
            yy: c * c * xx + 2.0 * c * d * xy + d * d * yy,
        }
    }
}

impl File {
    fn form(&self) -> Result<Form, String> {
        let distortion = || {
            let name = self.distortion.as_deref().ok_or("it has no distortion")?;
            name.parse::<Distortion>()
        };
        let form = match self.form.as_str() {
            "offset" => Form::Offset,
            "similarity" => Form::Similarity,
            "affine" => Form::Affine,
            "homography" => Form::Homography,
            "homography+distortion" => {
                let [fx, fy, cx, cy] = self.given.ok_or("it has no given")?;
                Form::Lensed { given: Pinhole { fx, fy, cx, cy }, distortion: distortion()? }
            }
            CAMERA => Form::Camera(distortion()?),
            "undistorted" => Form::Undistorted(distortion()?),
            other => return Err(format!("its form \"{}\" is not known", Escaped(other))),
        };
        Ok(form)
    }
}

#[cfg(test)]
mod tests {
    use super::super::form::tests::examples;
    use super::*;

    const SIZE: Size = Size { width: 640, height: 480 };

    #[test]
    fn a_file_is_read_back_to_the_last_digit() {
        for (form, p, _) in examples() {
            let correction = Correction::new(form, &p, Some(SIZE), Target::Disc).with_times(Some(7_300.25), None);
            let text = correction.to_text();
            assert_eq!(Correction::parse(&text).as_ref(), Ok(&correction), "{text}");
        }
    }

    #[test]
    fn answers_are_corrected_with_their_covariance_and_discs_by_their_centroid() {
        for (form, p, point) in examples() {
            let map = form.map(&p);
            let correction = Correction::new(form, &p, None, Target::Point);
            let image = map.forward(point).expect("an image");
            let back = correction.apply(image, None).expect("a point");
            assert!((back.centre[0] - point[0]).hypot(back.centre[1] - point[1]) < 1e-9, "{form:?}");
            // The covariance must follow the map's own change over a small distance.
            let near = correction.apply([image[0] + 1e-3, image[1]], None).expect("a point").centre;
            let moved = [0, 1].map(|axis| (near[axis] - back.centre[axis]) / 1e-3);
            let carried = back.covariance(Covariance { xx: 1.0, xy: 0.0, yy: 0.0 });
            assert!((carried.xx - moved[0] * moved[0]).abs() < 1e-4 * carried.xx.max(1e-3), "{form:?}");
            assert!((carried.xy - moved[0] * moved[1]).abs() < 1e-4 * (carried.xx + carried.yy), "{form:?}");
            let disc = Correction::new(form, &p, None, Target::Disc);
            let seen = map.centroid(point, 20.0).expect("a picture");
            let radius = 20.0 / correction.apply(seen, None).expect("a point").scale;
            let centre = disc.apply(seen, Some(radius)).expect("a centre").centre;
            // The radius of the answer is that of a circle of the same area, to first order.
            assert!((centre[0] - point[0]).hypot(centre[1] - point[1]) < 1e-3, "{form:?}: {centre:?}");
        }
    }

    #[test]
    fn a_sphere_goes_back_to_its_centre() {
        for (form, p, point) in examples() {
            let Form::Camera(_) = form else { continue };
            let map = form.map(&p);
            let sphere = Correction::new(form, &p, None, Target::Sphere);
            let seen = map.centroid_of(Solid::Sphere, point, 20.0).expect("a picture");
            let angles =
                (0..64).map(|at| (f64::from(at) * std::f64::consts::TAU / 64.0).sin_cos()).map(|(sin, cos)| (cos, sin));
            let rim = map.rim(Solid::Sphere, point, 20.0).expect("a rim");
            let radius = (rim.moments(angles).expect("moments").area / std::f64::consts::PI).sqrt();
            let centre = sphere.apply(seen, Some(radius)).expect("a centre").centre;
            assert!((centre[0] - point[0]).hypot(centre[1] - point[1]) < 1e-3, "{form:?}: {centre:?}");
        }
    }

    #[test]
    fn a_file_that_is_not_a_correction_is_refused_with_the_reason() {
        let good = Correction::new(Form::Offset, &[1.0, 2.0], Some(SIZE), Target::Point).to_text();
        for (text, words) in [
            (String::new(), "it has no plumb_correction"),
            ("camera_matrix = 3\n".into(), "it has no plumb_correction"),
            ("%YAML:1.0\n".into(), "key"),
            (good.replace("plumb_correction = 1", "plumb_correction = 2"), "this program reads plumb_correction = 1"),
            (good.replace("\"offset\"", "\"dance\""), "its form \"dance\" is not known"),
            (good.replace("1.0, 2.0", "1.0, nan"), "not a finite number"),
            (good.replace("1.0, 2.0", "1.0"), "its names and parameters must be offset_x, offset_y"),
            (good.replace("width", "breadth"), "breadth"),
        ] {
            let wrong = Correction::parse(&text).expect_err(&text);
            assert!(wrong.contains(words), "{text}: {wrong}");
        }
        let flat = Correction::new(Form::Similarity, &[0.0, 0.0, 1.0, 1.0], None, Target::Point).to_text();
        assert_eq!(Correction::parse(&flat), Err("its map has no inverse".into()));
        let missing = Correction::read(Path::new("/nowhere/correction.toml")).expect_err("no file").to_string();
        assert!(
            missing.contains("cannot be read") && missing.contains("write the name of a correction.toml"),
            "{missing}"
        );
        let folder = Correction::read(Path::new("/")).expect_err("a folder").to_string();
        assert!(folder.contains("it is not a file"), "{folder}");
    }

    #[test]
    fn images_of_another_size_are_refused() {
        let correction = Correction::new(Form::Offset, &[1.0, 2.0], Some(SIZE), Target::Point);
        assert_eq!(correction.check(SIZE), Ok(()));
        let wrong = correction.check(Size { width: 320, height: 240 }).expect_err("another size").to_string();
        let expected =
            "the correction is for images of 640x480, and the frames are 320x240: calibrate a run with --size 320x240";
        assert_eq!(wrong, expected);
    }
}
