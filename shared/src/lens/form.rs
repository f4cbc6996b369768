//! Families of maps from a plane to an image, with named parameters.

use super::distortion::{Distortion, MOST_TERMS};
use super::map::{Map, Projected};
use super::matrix::{self, Matrix3, UNIT};
use super::pinhole::{Lens, Pinhole};
use super::{Jacobian, Point, pose};

/// Parameters of a pose.
pub const POSE: [&str; 6] = ["rx", "ry", "rz", "tx", "ty", "tz"];

/// Most parameters of a map.
pub const MOST: usize = 4 + MOST_TERMS + 6;

/// A family of maps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    /// A shift, in px.
    Offset,
    /// A scale and a rotation (radians) about pixel (0, 0), then a shift.
    Similarity,
    /// A linear map, then a shift.
    Affine,
    /// A homography whose last element is 1.
    Homography,
    /// A homography into an ideal image, then a lens of given focal lengths and centre. They are given because the
    /// image of one plane does not determine both the focal length and the distortion.
    Lensed {
        /// Focal lengths and centre.
        given: Pinhole,
        /// The distortion that is fitted.
        distortion: Distortion,
    },
    /// A pinhole with a lens in front of a plane.
    Camera(Distortion),
    /// The distortion of a lens alone: from the image of an ideal pinhole to that of the lens.
    Undistorted(Distortion),
}

impl Form {
    /// The names of the parameters, in order. Lengths are in px, angles in radians.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        const HOMOGRAPHY: [&str; 8] = ["h11", "h12", "h13", "h21", "h22", "h23", "h31", "h32"];
        const INTRINSICS: [&str; 4] = ["fx", "fy", "cx", "cy"];
        match self {
            Self::Offset => vec!["offset_x", "offset_y"],
            Self::Similarity => vec!["scale", "rotation", "offset_x", "offset_y"],
            Self::Affine => vec!["a11", "a12", "offset_x", "a21", "a22", "offset_y"],
            Self::Homography => HOMOGRAPHY.to_vec(),
            Self::Lensed { distortion, .. } => [&HOMOGRAPHY[..], distortion.coefficients()].concat(),
            Self::Camera(distortion) => [&INTRINSICS[..], distortion.coefficients(), &POSE[..]].concat(),
            Self::Undistorted(distortion) => [&INTRINSICS[..], distortion.coefficients()].concat(),
        }
    }

    /// The map with these parameters.
    #[must_use]
    pub fn map(&self, p: &[f64]) -> Map {
        match *self {
            Self::Offset => Map { plane: [[1.0, 0.0, p[0]], [0.0, 1.0, p[1]], UNIT[2]], lens: None },
            Self::Similarity => {
                let (sin, cos) = p[1].sin_cos();
                let plane = [[p[0] * cos, -p[0] * sin, p[2]], [p[0] * sin, p[0] * cos, p[3]], UNIT[2]];
                Map { plane, lens: None }
            }
            Self::Affine => Map { plane: [[p[0], p[1], p[2]], [p[3], p[4], p[5]], UNIT[2]], lens: None },
            Self::Homography => Map { plane: homography(p), lens: None },
            Self::Lensed { given, distortion } => {
                let plane = matrix::product(&normalising(&given), &homography(p));
                Map { plane, lens: Some(Lens::new(given, distortion, &p[8..])) }
            }
            Self::Camera(distortion) => {
                let (inner, place) = p.split_at(p.len() - 6);
                let r = pose::rotation([place[0], place[1], place[2]]);
                let plane = [0, 1, 2].map(|row| [r[row][0], r[row][1], place[3 + row]]);
                Map { plane, lens: Some(Lens::new(pinhole(inner), distortion, &inner[4..])) }
            }
            Self::Undistorted(distortion) => {
                let pinhole = pinhole(p);
                Map { plane: normalising(&pinhole), lens: Some(Lens::new(pinhole, distortion, &p[4..])) }
            }
        }
    }

    /// The image of a point, with its derivatives by the point; also writes the derivatives by each parameter. `None`
    /// if the point has no image.
    pub fn project(&self, p: &[f64], point: Point, by_parameters: &mut [Point]) -> Option<(Point, Jacobian)> {
        self.project_by(&self.map(p), p, point, by_parameters)
    }

    /// [`Self::project`] with a map of these parameters that the caller already has.
    pub fn project_by(
        &self,
        map: &Map,
        p: &[f64],
        point: Point,
        by_parameters: &mut [Point],
    ) -> Option<(Point, Jacobian)> {
        let [x, y] = point;
        let Projected { seen, slope, pixel, bent } = map.projected(point)?;
        match *self {
            Self::Offset => by_parameters[..2].copy_from_slice(&[[1.0, 0.0], [0.0, 1.0]]),
            Self::Similarity => {
                let (sin, cos) = p[1].sin_cos();
                let turned = [x * cos - y * sin, x * sin + y * cos];
                let across = [-p[0] * turned[1], p[0] * turned[0]];
                by_parameters[..4].copy_from_slice(&[turned, across, [1.0, 0.0], [0.0, 1.0]]);
            }
            Self::Affine => {
                let rows = [[x, 0.0], [y, 0.0], [1.0, 0.0], [0.0, x], [0.0, y], [0.0, 1.0]];
                by_parameters[..6].copy_from_slice(&rows);
            }
            Self::Homography => by_homography(&homography(p), point, by_parameters),
            Self::Lensed { .. } => {
                let lens = map.lens.as_ref()?;
                let Pinhole { fx, fy, .. } = lens.pinhole;
                by_homography(&homography(p), point, by_parameters);
                let by_ideal = bent.map(|row| [row[0] / fx, row[1] / fy]);
                for derivative in &mut by_parameters[..8] {
                    *derivative = matrix::apply(&by_ideal, *derivative);
                }
                by_coefficients(lens, seen, &mut by_parameters[8..p.len()]);
            }
            Self::Camera(distortion) => {
                let terms = distortion.coefficients().len();
                let lens = map.lens.as_ref()?;
                by_intrinsics(lens, seen, pixel, &mut by_parameters[..4 + terms]);
                let depth = map.plane[2][0] * x + map.plane[2][1] * y + map.plane[2][2];
                let moved =
                    |by: [f64; 3]| matrix::apply(&bent, [0, 1].map(|axis| (by[axis] - seen[axis] * by[2]) / depth));
                by_pose(&p[4 + terms..], point, moved, &mut by_parameters[4 + terms..p.len()]);
            }
            Self::Undistorted(_) => {
                let lens = map.lens.as_ref()?;
                by_intrinsics(lens, seen, pixel, &mut by_parameters[..p.len()]);
                // The ideal image has the same focal lengths and centre, so the normalised point moves too.
                let Pinhole { fx, fy, .. } = lens.pinhole;
                let moved = [[-seen[0] / fx, 0.0], [0.0, -seen[1] / fy], [-1.0 / fx, 0.0], [0.0, -1.0 / fy]];
                for (derivative, moved) in by_parameters.iter_mut().zip(moved) {
                    let further = matrix::apply(&bent, moved);
                    *derivative = [derivative[0] + further[0], derivative[1] + further[1]];
                }
            }
        }
        Some((pixel, matrix::chain(&bent, &slope)))
    }
}

fn homography(p: &[f64]) -> Matrix3 {
    [[p[0], p[1], p[2]], [p[3], p[4], p[5]], [p[6], p[7], 1.0]]
}

fn pinhole(p: &[f64]) -> Pinhole {
    Pinhole { fx: p[0], fy: p[1], cx: p[2], cy: p[3] }
}

fn normalising(&Pinhole { fx, fy, cx, cy }: &Pinhole) -> Matrix3 {
    [[1.0 / fx, 0.0, -cx / fx], [0.0, 1.0 / fy, -cy / fy], UNIT[2]]
}

fn by_homography(h: &Matrix3, [x, y]: Point, by_parameters: &mut [Point]) {
    let w = h[2][0] * x + h[2][1] * y + 1.0;
    let [u, v] = [0, 1].map(|row| (h[row][0] * x + h[row][1] * y + h[row][2]) / w);
    let (a, b, c) = (x / w, y / w, 1.0 / w);
    let all = [[a, 0.0], [b, 0.0], [c, 0.0], [0.0, a], [0.0, b], [0.0, c], [-u * a, -v * a], [-u * b, -v * b]];
    by_parameters[..8].copy_from_slice(&all);
}

fn by_coefficients(lens: &Lens, normalised: Point, by_parameters: &mut [Point]) {
    lens.distortion.by_coefficients(&lens.coefficients, normalised, by_parameters);
    for derivative in by_parameters {
        *derivative = [lens.pinhole.fx * derivative[0], lens.pinhole.fy * derivative[1]];
    }
}

fn by_intrinsics(lens: &Lens, normalised: Point, pixel: Point, by_parameters: &mut [Point]) {
    let bent = lens.pinhole.to_normalised(pixel);
    by_parameters[..4].copy_from_slice(&[[bent[0], 0.0], [0.0, bent[1]], [1.0, 0.0], [0.0, 1.0]]);
    by_coefficients(lens, normalised, &mut by_parameters[4..]);
}

/// `moved` is by how much the pixel moves if the point moves so much in front of the camera.
fn by_pose(place: &[f64], [x, y]: Point, moved: impl Fn([f64; 3]) -> Point, by_parameters: &mut [Point]) {
    let v = [place[0], place[1], place[2]];
    let turns = pose::by_vector(v, &pose::rotation(v));
    for (derivative, turn) in by_parameters.iter_mut().zip(&turns) {
        *derivative = moved([0, 1, 2].map(|row| turn[row][0] * x + turn[row][1] * y));
    }
    for (at, derivative) in by_parameters[3..6].iter_mut().enumerate() {
        *derivative = moved(UNIT[at]);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// One map of each form, with a point of its plane.
    pub(in crate::lens) fn examples() -> Vec<(Form, Vec<f64>, Point)> {
        let point = [410.0, 95.0];
        let h = [1.02, 0.03, -7.0, -0.02, 0.97, 5.0, 4e-5, -6e-5];
        let given = Pinhole::centred(600.0, 640.0, 480.0);
        let lens = [580.0, 590.0, 322.0, 236.0];
        let camera = |terms: &[f64]| [&lens[..], terms, &[0.3, -0.2, 0.05, -290.0, -250.0, 700.0]].concat();
        let rational = [0.9, -0.4, 0.0004, 0.0003, 0.05, 1.2, -0.2, 0.01];
        let brown = [-0.28, 0.11, 0.0012, -0.0007, -0.02];
        let fisheye = [-0.02, 0.007, -0.003, 0.0005];
        vec![
            (Form::Offset, vec![0.37, -0.21], point),
            (Form::Similarity, vec![1.003, 0.0035, 0.4, -0.3], point),
            (Form::Affine, vec![1.01, 0.02, -3.0, -0.01, 0.99, 2.0], point),
            (Form::Homography, h.to_vec(), point),
            (Form::Lensed { given, distortion: Distortion::Brown(2) }, [&h[..], &brown[..2]].concat(), point),
            (Form::Lensed { given, distortion: Distortion::Equidistant }, [&h[..], &fisheye].concat(), point),
            (Form::Camera(Distortion::Brown(5)), camera(&brown), point),
            (Form::Camera(Distortion::Brown(8)), camera(&rational), point),
            (Form::Camera(Distortion::Equidistant), camera(&fisheye), point),
            (Form::Undistorted(Distortion::Brown(5)), [&lens[..], &brown].concat(), point),
        ]
    }

    #[test]
    fn derivatives_equal_finite_differences() {
        for (form, p, point) in examples() {
            let mut by_parameters = vec![[0.0; 2]; p.len()];
            let (_, by_point) = form.project(&p, point, &mut by_parameters).expect("an image");
            let at = |p: &[f64], point| form.map(p).forward(point).expect("an image");
            for (place, name) in form.names().into_iter().enumerate() {
                // With this step, rounding and curvature cause errors of about the same size.
                let step = 1e-6 * p[place].abs().max(1e-2);
                let moved = |by: f64| {
                    let mut p = p.clone();
                    p[place] += by;
                    at(&p, point)
                };
                let (above, below) = (moved(step), moved(-step));
                for axis in [0, 1] {
                    let expected = (above[axis] - below[axis]) / (2.0 * step);
                    let found = by_parameters[place][axis];
                    // The rounding of a coordinate of about 500 px.
                    let allowed = 1e-6 * expected.abs() + 2e-13 / step;
                    assert!((found - expected).abs() < allowed, "{form:?} by {name}: {found}, not {expected}");
                }
            }
            for axis in [0, 1] {
                let moved = |by: f64| {
                    let mut point = point;
                    point[axis] += by;
                    at(&p, point)
                };
                let (above, below) = (moved(1e-4), moved(-1e-4));
                for row in [0, 1] {
                    let expected = (above[row] - below[row]) / 2e-4;
                    assert!((by_point[row][axis] - expected).abs() < 1e-7, "{form:?} by the point");
                }
            }
        }
    }
}
