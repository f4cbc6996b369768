//! A map from a plane to an image, and back.

use super::matrix::{self, Matrix3};
use super::pinhole::Lens;
use super::rim::{Rim, Solid};
use super::{Jacobian, Point};

/// Points of the outline of a disc. The integrals converge geometrically for a smooth outline: 24 points leave less than
/// 1e-9 px for a disc of 40 px (tested).
const OUTLINE: usize = 32;

/// A plane seen by a camera: a homography, then a lens if there is one. With a lens the homography gives normalised
/// coordinates, otherwise pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Map {
    /// The homography.
    pub plane: Matrix3,
    /// The lens.
    pub lens: Option<Lens>,
}

/// The image of a point.
pub(super) struct Projected {
    /// Where the homography puts the point.
    pub(super) seen: Point,
    /// Its derivatives by the point.
    pub(super) slope: Jacobian,
    /// Where the lens puts that; the same without a lens.
    pub(super) pixel: Point,
    /// Its derivatives by `seen`.
    pub(super) bent: Jacobian,
}

impl Map {
    /// The image of a point; `None` if it has none, because it is behind the camera.
    #[must_use]
    pub fn forward(&self, point: Point) -> Option<Point> {
        self.forward_with_slope(point).map(|(image, _)| image)
    }

    /// The image of a point, with its derivatives by the point.
    #[must_use]
    pub fn forward_with_slope(&self, point: Point) -> Option<(Point, Jacobian)> {
        let Projected { pixel, slope, bent, .. } = self.projected(point)?;
        Some((pixel, matrix::chain(&bent, &slope)))
    }

    /// The image of a point, with what it was computed from.
    pub(super) fn projected(&self, point: Point) -> Option<Projected> {
        let (seen, slope) = matrix::homography(&self.plane, point)?;
        let (pixel, bent) = self.lens.as_ref().map_or((seen, [[1.0, 0.0], [0.0, 1.0]]), |lens| lens.project(seen));
        pixel.iter().all(|value| value.is_finite()).then_some(Projected { seen, slope, pixel, bent })
    }

    /// The rim of a disc or a sphere at this point of the plane. `None` if it is not wholly in front of the camera.
    #[must_use]
    pub fn rim(&self, solid: Solid, point: Point, radius: f64) -> Option<Rim<'_>> {
        Rim::new(&self.plane, self.lens.as_ref(), solid, point, radius)
    }

    /// The point of the plane whose image this is; `None` if there is none.
    #[must_use]
    pub fn back(&self, pixel: Point) -> Option<Point> {
        let seen = match &self.lens {
            Some(lens) => lens.unproject(pixel)?,
            None => pixel,
        };
        let [x, y, w] = matrix::times(&matrix::inverse(&self.plane)?, [seen[0], seen[1], 1.0]);
        let point = [x / w, y / w];
        // The point must lie in front of the camera.
        self.forward(point).and_then(|_| point.iter().all(|value| value.is_finite()).then_some(point))
    }

    /// The centroid of the picture of a disc of this radius around the point: what an estimate of its centre finds.
    ///
    /// Without a lens it is the pole of the horizon (Heikkilä, PAMI 22, 2000): with H's rows h₁ to h₃, c = (x, y, 1),
    /// w = h₃·c, p = Hc and q = H (h₃₁, h₃₂, 0)ᵀ, it is w·p − r²·q. With a lens, Green's theorem gives it from the
    /// image of the outline.
    #[must_use]
    pub fn centroid(&self, point: Point, radius: f64) -> Option<Point> {
        if self.lens.is_some() { self.outlined(point, radius) } else { self.pole(point, radius) }
    }

    /// The centroid of the picture of a disc or a sphere. For a sphere the plane must be that of a pose, whose columns tell
    /// its distance.
    #[must_use]
    pub fn centroid_of(&self, solid: Solid, point: Point, radius: f64) -> Option<Point> {
        match solid {
            Solid::Disc => self.centroid(point, radius),
            Solid::Sphere => {
                let moments = self.rim(solid, point, radius)?.moments(angles())?;
                Some(moments.centroid)
            }
        }
    }

    /// The radius of the sphere near this point whose picture has the area of a circle of this radius, by iteration: the area
    /// grows with the square of the radius, to first order.
    pub(super) fn sphere_radius(&self, point: Point, seen: f64) -> Option<f64> {
        let mut radius = seen;
        for _ in 0..20 {
            let area = self.rim(Solid::Sphere, point, radius)?.moments(angles())?.area;
            radius *= seen / (area / std::f64::consts::PI).sqrt();
        }
        radius.is_finite().then_some(radius)
    }

    fn pole(&self, [x, y]: Point, radius: f64) -> Option<Point> {
        let h = &self.plane;
        let p = matrix::times(h, [x, y, 1.0]);
        let q = matrix::times(h, [h[2][0], h[2][1], 0.0]);
        let [u, v, w] = [0, 1, 2].map(|row| p[2] * p[row] - radius * radius * q[row]);
        (p[2] > 0.0 && w > 0.0).then_some([u / w, v / w])
    }

    fn outlined(&self, [x, y]: Point, radius: f64) -> Option<Point> {
        let middle = self.forward([x, y])?;
        let (mut area, mut moments) = (0.0, [0.0; 2]);
        for step in 0..OUTLINE {
            let (sin, cos) = (std::f64::consts::TAU * step as f64 / OUTLINE as f64).sin_cos();
            let (seen, slope) = self.forward_with_slope([x + radius * cos, y + radius * sin])?;
            // Relative to the centre, so that differences of large numbers keep their precision.
            let [u, v] = [seen[0] - middle[0], seen[1] - middle[1]];
            let [du, dv] = matrix::apply(&slope, [-radius * sin, radius * cos]);
            area += (u * dv - v * du) / 2.0;
            moments[0] += u * u * dv / 2.0;
            moments[1] -= v * v * du / 2.0;
        }
        let centroid = [middle[0] + moments[0] / area, middle[1] + moments[1] / area];
        centroid.iter().all(|value| value.is_finite()).then_some(centroid)
    }

    /// The centre of the disc of this radius whose picture has this centroid, by fixed-point iteration: the offset of the
    /// centroid hardly changes with the place.
    #[must_use]
    pub fn back_from_centroid(&self, centroid: Point, radius: f64) -> Option<Point> {
        self.back_from_centroid_of(Solid::Disc, centroid, radius)
    }

    /// [`Self::back_from_centroid`] for a disc or a sphere.
    #[must_use]
    pub fn back_from_centroid_of(&self, solid: Solid, centroid: Point, radius: f64) -> Option<Point> {
        let mut pixel = centroid;
        for _ in 0..20 {
            let point = self.back(pixel)?;
            let found = self.centroid_of(solid, point, radius)?;
            let rest = [centroid[0] - found[0], centroid[1] - found[1]];
            pixel = [pixel[0] + rest[0], pixel[1] + rest[1]];
            if rest[0].hypot(rest[1]) < 1e-11 {
                break;
            }
        }
        self.back(pixel)
    }
}

/// Cosine and sine of evenly spaced angles.
fn angles() -> impl ExactSizeIterator<Item = (f64, f64)> {
    (0..OUTLINE).map(|step| {
        let (sin, cos) = (std::f64::consts::TAU * step as f64 / OUTLINE as f64).sin_cos();
        (cos, sin)
    })
}

#[cfg(test)]
mod tests {
    use super::super::form::Form;
    use super::super::form::tests::examples;
    use super::super::{Distortion, Pinhole};
    use super::*;

    #[test]
    fn back_is_the_inverse_of_forward() {
        for (form, p, point) in examples() {
            let map = form.map(&p);
            let back = map.back(map.forward(point).expect("an image")).expect("a point");
            assert!((back[0] - point[0]).hypot(back[1] - point[1]) < 1e-10, "{form:?}: {back:?}");
        }
    }

    /// The centroid by brute force: the weighted mean over a fine grid of the disc.
    fn slow_centroid(map: &Map, [x, y]: Point, radius: f64) -> Point {
        let (mut area, mut sum) = (0.0, [0.0; 2]);
        // Gauss' rule for the disc: equal areas along the radius, equal angles around.
        let (rings, spokes) = (400, 90);
        for ring in 0..rings {
            let r = radius * ((f64::from(ring) + 0.5) / f64::from(rings)).sqrt();
            for spoke in 0..spokes {
                let (sin, cos) = (std::f64::consts::TAU * f64::from(spoke) / f64::from(spokes)).sin_cos();
                let (seen, slope) = map.forward_with_slope([x + r * cos, y + r * sin]).expect("an image");
                let weight = matrix::determinant(&slope);
                area += weight;
                sum = [sum[0] + weight * seen[0], sum[1] + weight * seen[1]];
            }
        }
        sum.map(|value| value / area)
    }

    #[test]
    fn the_centroid_agrees_with_brute_force_and_is_up_to_a_third_of_a_pixel_off_the_centre() {
        // A disc of radius 20 px on a plane tilted by 45°, at f = 600.
        let tilted = [-1.0_f64, 1.0].map(|sign| sign * std::f64::consts::FRAC_PI_4);
        let camera = Form::Camera(Distortion::Brown(1));
        for (k1, tilt) in [(0.0, tilted[0]), (-0.3, 0.0), (-0.3, tilted[1])] {
            let map = camera.map(&[600.0, 600.0, 319.5, 239.5, k1, 0.0, tilt, 0.0, 0.0, 0.0, 600.0]);
            for point in [[0.0, 0.0], [150.0, -90.0]] {
                let exact = map.centroid(point, 20.0).expect("a picture");
                let slow = slow_centroid(&map, point, 20.0);
                assert!((exact[0] - slow[0]).hypot(exact[1] - slow[1]) < 1e-6, "{exact:?}, not {slow:?}");
            }
            let back = map.back_from_centroid(map.centroid([150.0, -90.0], 20.0).expect("a picture"), 20.0);
            let back = back.expect("a centre");
            assert!((back[0] - 150.0).hypot(back[1] + 90.0) < 1e-9, "{back:?}");
        }
        let map = camera.map(&[600.0, 600.0, 319.5, 239.5, 0.0, 0.0, tilted[1], 0.0, 0.0, 0.0, 600.0]);
        let [seen, centre] = [map.centroid([0.0, 0.0], 20.0), map.forward([0.0, 0.0])].map(|at| at.expect("seen"));
        let off = (seen[0] - centre[0]).hypot(seen[1] - centre[1]);
        assert!((off - 0.33).abs() < 0.01, "{off} px");
    }

    #[test]
    fn the_closed_form_of_a_homography_agrees_with_the_outline() {
        let h = [[1.1, 0.1, -20.0], [0.05, 0.9, 10.0], [3e-4, -2e-4, 1.0]];
        let plain = Map { plane: h, lens: None };
        let unit = Pinhole { fx: 1.0, fy: 1.0, cx: 0.0, cy: 0.0 };
        let outlined = Map { plane: h, lens: Some(Lens::new(unit, Distortion::Brown(0), &[])) };
        for point in [[0.0, 0.0], [600.0, 20.0], [320.0, 470.0]] {
            let [a, b] = [&plain, &outlined].map(|map| map.centroid(point, 40.0).expect("a picture"));
            assert!((a[0] - b[0]).hypot(a[1] - b[1]) < 1e-9, "{a:?} and {b:?}");
        }
    }
}
