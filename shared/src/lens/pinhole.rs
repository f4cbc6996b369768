//! A pinhole camera with a lens: focal lengths, centre and distortion.

use super::distortion::{Distortion, MOST_TERMS};
use super::{Jacobian, Point};

/// Focal lengths and centre, in px.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pinhole {
    /// Focal length along x.
    pub fx: f64,
    /// Focal length along y.
    pub fy: f64,
    /// Column of the principal point.
    pub cx: f64,
    /// Row of the principal point.
    pub cy: f64,
}

/// A pinhole with the distortion of its lens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lens {
    /// Focal lengths and centre.
    pub pinhole: Pinhole,
    /// The kind of distortion.
    pub distortion: Distortion,
    /// Its coefficients; unused ones are 0.
    pub coefficients: [f64; MOST_TERMS],
}

impl Pinhole {
    /// A pinhole of this focal length whose principal point is the centre of an image of this size.
    #[must_use]
    pub fn centred(focal: f64, width: f64, height: f64) -> Self {
        Self { fx: focal, fy: focal, cx: (width - 1.0) / 2.0, cy: (height - 1.0) / 2.0 }
    }

    /// The pixel of a normalised point, without distortion.
    #[must_use]
    pub fn to_pixels(&self, point: Point) -> Point {
        [self.fx * point[0] + self.cx, self.fy * point[1] + self.cy]
    }

    /// The normalised point of a pixel, without distortion.
    #[must_use]
    pub fn to_normalised(&self, pixel: Point) -> Point {
        [(pixel[0] - self.cx) / self.fx, (pixel[1] - self.cy) / self.fy]
    }
}

impl Lens {
    /// A lens with these coefficients.
    #[must_use]
    pub fn new(pinhole: Pinhole, distortion: Distortion, given: &[f64]) -> Self {
        let mut coefficients = [0.0; MOST_TERMS];
        coefficients.iter_mut().zip(given).for_each(|(to, from)| *to = *from);
        Self { pinhole, distortion, coefficients }
    }

    /// The pixel of a normalised point, with its derivatives by the point.
    #[must_use]
    pub fn project(&self, point: Point) -> (Point, Jacobian) {
        let (bent, by_point) = self.distortion.distort(&self.coefficients, point);
        let Pinhole { fx, fy, .. } = self.pinhole;
        (self.pinhole.to_pixels(bent), [by_point[0].map(|value| fx * value), by_point[1].map(|value| fy * value)])
    }

    /// The normalised point of a pixel; `None` if no point is projected there.
    #[must_use]
    pub fn unproject(&self, pixel: Point) -> Option<Point> {
        self.distortion.undistort(&self.coefficients, self.pinhole.to_normalised(pixel))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_equal_those_of_opencv() {
        let pinhole = Pinhole { fx: 580.0, fy: 590.0, cx: 322.0, cy: 236.0 };
        let coefficients = |kind: &str| -> &[f64] {
            match kind {
                "none" => &[],
                "k1k2" => &[-0.3, 0.09],
                "plumb_bob" => &[-0.28, 0.11, 0.0012, -0.0007, -0.02],
                "rational_polynomial" => &[0.9, -0.4, 0.0004, 0.0003, 0.05, 1.2, -0.2, 0.01],
                "equidistant" => &[-0.02, 0.007, -0.003, 0.0005],
                other => panic!("no kind {other}"),
            }
        };
        let mut compared = 0;
        for line in include_str!("opencv.csv").lines().skip(2) {
            let (kind, numbers) = line.split_once(',').expect("a kind");
            let numbers: Vec<f64> = numbers.split(',').map(|cell| cell.parse().expect("a number")).collect();
            let [x, y, u, v] = numbers[..] else { panic!("{line}") };
            let lens = Lens::new(pinhole, kind.parse().expect("a distortion"), coefficients(kind));
            let ([found_u, found_v], _) = lens.project([x, y]);
            assert!((found_u - u).hypot(found_v - v) < 1e-9, "{line}: ({found_u}, {found_v})");
            let back = lens.unproject([u, v]).expect("a point");
            assert!((back[0] - x).hypot(back[1] - y) < 1e-12, "{line}: {back:?}");
            compared += 1;
        }
        assert_eq!(compared, 30);
    }
}
