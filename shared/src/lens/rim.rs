//! The rim of a disc or a sphere as a camera sees it: points of its picture's outline, and how they move with the ball.
//!
//! A disc of radius r lies in the plane. The rim of a sphere is the circle in which the cone of rays that touch it meets
//! it: around C at the distance d from the camera it lies at C (1 − r²/d²) and has the radius r √(1 − r²/d²). Where the
//! sphere moves, a point of the outline moves across the outline as the point of the surface there does, because what
//! slides along the surface slides along the outline.

use super::matrix::{self, Matrix3};
use super::pinhole::Lens;
use super::{Jacobian, Point};

/// A vector in the coordinates of the camera, in units of the plane's px: to the right, down, and away from the camera.
pub type Vector = [f64; 3];

/// What moves on the plane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Solid {
    /// A disc in the plane.
    #[default]
    Disc,
    /// A sphere whose centre moves in the plane.
    Sphere,
}

/// A disc or a sphere in front of a camera.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rim<'a> {
    plane: &'a Matrix3,
    lens: Option<&'a Lens>,
    centre: Vector,
    radius: f64,
    /// The middle of the rim, and two radii of it at right angles.
    middle: Vector,
    radii: [Vector; 2],
}

/// A point of the outline in the image, and its derivatives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RimPoint {
    /// The point.
    pub at: Point,
    /// By the angle along the rim.
    pub along: Point,
    /// By the plane's x, its y, and the radius. What they move along the outline means nothing.
    pub by: [Point; 3],
}

/// Area and centroid of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// Area, in px².
    pub area: f64,
    /// Centroid, in px.
    pub centroid: Point,
}

/// A point in front of the camera, as it is seen.
#[derive(Clone, Copy, Debug)]
struct Sight {
    at: Point,
    normalised: Point,
    depth: f64,
    slope: Jacobian,
}

impl<'a> Rim<'a> {
    /// The rim of a disc or a sphere at this point of a plane, seen through a lens if there is one. `None` if it is not
    /// wholly in front of the camera.
    ///
    /// `plane` takes (x, y, 1) to the coordinates of the camera. For a sphere its columns must be of length 1, as those of a
    /// pose are.
    #[must_use]
    pub fn new(plane: &'a Matrix3, lens: Option<&'a Lens>, solid: Solid, [x, y]: Point, radius: f64) -> Option<Self> {
        let [right, down] = [0, 1].map(|column| column_of(plane, column));
        let centre = matrix::times(plane, [x, y, 1.0]);
        let (middle, radii) = match solid {
            Solid::Disc => (centre, [scaled(right, radius), scaled(down, radius)]),
            Solid::Sphere => {
                let square = dot(centre, centre);
                let share = 1.0 - radius * radius / square;
                if share.is_nan() || share <= 0.0 {
                    return None;
                }
                // At right angles to the line of sight.
                let first = added(right, centre, -dot(right, centre) / square);
                let first = scaled(first, dot(first, first).sqrt().recip());
                let second = scaled(cross(centre, first), square.sqrt().recip());
                let length = radius * share.sqrt();
                (scaled(centre, share), [scaled(first, length), scaled(second, length)])
            }
        };
        let is_finite = middle.iter().chain(radii.as_flattened()).all(|value| value.is_finite());
        is_finite.then_some(Self { plane, lens, centre, radius, middle, radii })
    }

    /// The point of the outline at an angle, given by its cosine and sine. `None` if it is not in front of the camera, or
    /// where the lens folds the picture.
    #[must_use]
    pub fn point(&self, (cos, sin): (f64, f64)) -> Option<RimPoint> {
        let [a, b] = self.radii;
        let place = added(added(self.middle, a, cos), b, sin);
        let sight = seen(self.lens, place)?;
        let outward = scaled(added(place, self.centre, -1.0), self.radius.recip());
        let by = [column_of(self.plane, 0), column_of(self.plane, 1), outward].map(|by| sight.moved(by));
        Some(RimPoint { at: sight.at, along: sight.moved(added(scaled(b, cos), a, -sin)), by })
    }

    /// The image of the centre, with its derivatives by the plane's x and y.
    #[must_use]
    pub fn centre(&self) -> Option<(Point, Jacobian)> {
        let sight = seen(self.lens, self.centre)?;
        let [x, y] = [0, 1].map(|column| sight.moved(column_of(self.plane, column)));
        Some((sight.at, [[x[0], y[0]], [x[1], y[1]]]))
    }

    /// Area and centroid of the picture, by Green's theorem over the outline at these angles, which must be evenly spaced.
    /// For a smooth outline the sums converge geometrically.
    #[must_use]
    pub fn moments(&self, angles: impl ExactSizeIterator<Item = (f64, f64)>) -> Option<Moments> {
        let middle = seen(self.lens, self.middle)?.at;
        let step = std::f64::consts::TAU / angles.len() as f64;
        let (mut area, mut first) = (0.0, [0.0; 2]);
        for angle in angles {
            let RimPoint { at, along: [du, dv], .. } = self.point(angle)?;
            // Relative to the middle, so that the difference of large numbers keeps its digits.
            let [u, v] = [at[0] - middle[0], at[1] - middle[1]];
            area += step * (u * dv - v * du) / 2.0;
            first[0] += step * u * u * dv / 2.0;
            first[1] -= step * v * v * du / 2.0;
        }
        let centroid = [middle[0] + first[0] / area, middle[1] + first[1] / area];
        centroid.iter().all(|value| value.is_finite()).then_some(Moments { area: area.abs(), centroid })
    }
}

impl Sight {
    /// How the image moves if the point does.
    fn moved(&self, by: Vector) -> Point {
        let [x, y] = self.normalised;
        matrix::apply(&self.slope, [(by[0] - x * by[2]) / self.depth, (by[1] - y * by[2]) / self.depth])
    }
}

fn seen(lens: Option<&Lens>, [x, y, depth]: Vector) -> Option<Sight> {
    let normalised = [x / depth, y / depth];
    let (at, slope) = match lens {
        Some(lens) => lens.project(normalised),
        None => (normalised, [[1.0, 0.0], [0.0, 1.0]]),
    };
    let is_seen = depth > 0.0 && at.iter().all(|value| value.is_finite()) && matrix::determinant(&slope) > 0.0;
    is_seen.then_some(Sight { at, normalised, depth, slope })
}

fn column_of(plane: &Matrix3, column: usize) -> Vector {
    plane.map(|row| row[column])
}

fn scaled(a: Vector, by: f64) -> Vector {
    a.map(|value| value * by)
}

/// a + by · b
fn added(a: Vector, b: Vector, by: f64) -> Vector {
    [0, 1, 2].map(|at| a[at] + by * b[at])
}

fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: Vector, b: Vector) -> Vector {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::super::form::tests::examples;
    use super::super::{Distortion, Map, Pinhole};
    use super::*;

    fn angle(radians: f64) -> (f64, f64) {
        (radians.cos(), radians.sin())
    }

    fn angles(count: usize) -> impl ExactSizeIterator<Item = (f64, f64)> {
        (0..count).map(move |at| angle(at as f64 * TAU / count as f64))
    }

    /// A plane whose middle is at (320, 240), tilted by an angle, seen at a focal length of 600 px.
    fn tilted(tilt: f64, distortion: Distortion, coefficients: &[f64]) -> Map {
        let pinhole = Pinhole { fx: 600.0, fy: 600.0, cx: 319.5, cy: 239.5 };
        let (sin, cos) = tilt.sin_cos();
        let plane = [[1.0, 0.0, -320.0], [0.0, cos, -240.0 * cos], [0.0, sin, 600.0 - 240.0 * sin]];
        Map { plane, lens: Some(Lens::new(pinhole, distortion, coefficients)) }
    }

    #[test]
    fn the_rim_of_a_disc_is_the_image_of_its_outline_and_moments_are_those_of_the_map() {
        for (form, p, point) in examples() {
            let map = form.map(&p);
            let rim = map.rim(Solid::Disc, point, 20.0).expect("a rim");
            for turn in [0.3, 2.0, 5.1] {
                let (cos, sin) = angle(turn);
                let image = map.forward([point[0] + 20.0 * cos, point[1] + 20.0 * sin]).expect("an image");
                let found = rim.point((cos, sin)).expect("a point").at;
                assert!((found[0] - image[0]).hypot(found[1] - image[1]) < 1e-9, "{form:?}");
            }
            let expected = map.centroid(point, 20.0).expect("a picture");
            let found = rim.moments(angles(64)).expect("moments").centroid;
            assert!((found[0] - expected[0]).hypot(found[1] - expected[1]) < 1e-9, "{form:?}");
        }
    }

    #[test]
    fn the_outline_of_a_sphere_touches_it_and_is_where_its_tangents_lead() {
        // sin of the angle between the centre and each ray of the rim is radius over distance, without a distortion.
        let map = tilted(0.5, Distortion::Brown(0), &[]);
        let (point, radius) = ([420.0, 180.0], 35.0);
        let centre = matrix::times(&map.plane, [point[0], point[1], 1.0]);
        let rim = map.rim(Solid::Sphere, point, radius).expect("a rim");
        for turn in 0..12 {
            let [u, v] = rim.point(angle(f64::from(turn) / 2.0)).expect("a point").at;
            let ray = [(u - 319.5) / 600.0, (v - 239.5) / 600.0, 1.0];
            let off = cross(ray, centre);
            let sine = (dot(off, off) / (dot(ray, ray) * dot(centre, centre))).sqrt();
            assert!((sine - radius / dot(centre, centre).sqrt()).abs() < 1e-12);
        }
        assert!(map.rim(Solid::Sphere, point, 2000.0).is_none(), "the camera is inside");
    }

    #[test]
    fn the_centroid_of_a_sphere_off_axis_is_that_of_its_closed_form() {
        // Along the direction of the offset the outline ends at tan(θ ± α); the centroid of an ellipse is half-way.
        let map = tilted(0.0, Distortion::Brown(0), &[]);
        let (theta, radius) = (20.0_f64.to_radians(), 20.0);
        let x = 600.0 * theta.tan();
        let alpha = (radius / x.hypot(600.0)).asin();
        let rim = map.rim(Solid::Sphere, [320.0 + x, 240.0], radius).expect("a rim");
        let found = rim.moments(angles(64)).expect("moments").centroid;
        let off = 600.0 * ((theta + alpha).tan() + (theta - alpha).tan()) / 2.0 - x;
        assert!((found[0] - (319.5 + x + off)).abs() < 1e-9 && (found[1] - 239.5).abs() < 1e-9, "{found:?}");
        assert!((off - 0.24).abs() < 0.03, "{off} px, as facts on calibration have it");
    }

    #[test]
    fn derivatives_across_the_outline_are_those_of_finite_differences() {
        let maps = [
            tilted(0.7, Distortion::Brown(2), &[-0.3, 0.1]),
            tilted(-0.4, Distortion::Equidistant, &[-0.02, 0.0, 0.0, 0.0]),
        ];
        for (map, solid) in maps.iter().flat_map(|map| [(map, Solid::Disc), (map, Solid::Sphere)]) {
            let area = |at: Point, radius| {
                let moments = map.rim(solid, at, radius).expect("a rim").moments(angles(64)).expect("moments");
                [moments.area, moments.centroid[0], moments.centroid[1]]
            };
            let (at, radius, step) = ([400.0, 200.0], 25.0, 1e-4);
            // By Green's theorem the derivative of the area is that of the outline's sweep.
            let rim = map.rim(solid, at, radius).expect("a rim");
            let mut sweep = [0.0; 3];
            for turn in angles(256) {
                let RimPoint { along: [du, dv], by, .. } = rim.point(turn).expect("a point");
                for (sweep, by) in sweep.iter_mut().zip(by) {
                    *sweep += TAU / 256.0 * (by[0] * dv - by[1] * du);
                }
            }
            let moved = |by: [f64; 3]| area([at[0] + by[0], at[1] + by[1]], radius + by[2]);
            for (axis, sweep) in sweep.iter().enumerate() {
                let mut by = [0.0; 3];
                by[axis] = step;
                let (above, below) = (moved(by), moved(by.map(|value| -value)));
                let expected = (above[0] - below[0]) / (2.0 * step);
                assert!((sweep - expected).abs() < 1e-4, "{solid:?}, {axis}: {sweep}, not {expected}");
            }
            let (_, slope) = rim.centre().expect("seen");
            let expected = map.forward_with_slope(at).expect("an image").1;
            let pairs = slope.as_flattened().iter().zip(expected.as_flattened());
            assert!(pairs.into_iter().all(|(found, expected)| (found - expected).abs() < 1e-12));
        }
    }
}
