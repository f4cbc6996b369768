//! The slow reference: rays of each pixel that go back through a lens to the plane or the sphere. It shares no code with the
//! camera.

use super::*;

/// A lens and a plane, as they are written and as the reference sees them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    distortion: &'static str,
    focal: f64,
    pose: [f64; 4],
    body: Body,
    /// The ball on the plane.
    pub(super) ball: Circle,
}

pub(super) const CASES: [Case; 6] = [
    Case {
        distortion: "none",
        focal: 100.0,
        pose: [45.0, 0.0, 0.0, 110.0],
        body: Body::Disc,
        ball: ball(50.0, 30.0, 12.0),
    },
    Case {
        distortion: "plumb_bob:-0.3,0.1,0.01,-0.008,-0.02",
        focal: 90.0,
        pose: [-20.0, 30.0, 40.0, 100.0],
        body: Body::Disc,
        ball: ball(30.3, 52.1, 11.0),
    },
    Case {
        distortion: "rational_polynomial:0.9,-0.4,0.004,0.003,0.05,1.2,-0.2,0.01",
        focal: 80.0,
        pose: [10.0, -25.0, -70.0, 85.0],
        body: Body::Disc,
        ball: ball(60.0, 50.0, 9.0),
    },
    Case {
        distortion: "equidistant:-0.02,0.007,-0.003,0.0005",
        focal: 60.0,
        pose: [25.0, 15.0, 0.0, 60.0],
        body: Body::Disc,
        ball: ball(66.0, 25.0, 12.0),
    },
    Case {
        distortion: "none",
        focal: 100.0,
        pose: [0.0, 0.0, 0.0, 100.0],
        body: Body::Sphere,
        ball: ball(75.0, 55.0, 14.0),
    },
    Case {
        distortion: "plumb_bob:-0.25,0.08,0,0,0",
        focal: 85.0,
        pose: [30.0, -20.0, 15.0, 90.0],
        body: Body::Sphere,
        ball: ball(38.0, 45.0, 10.0),
    },
];

pub(super) const fn ball(x: f64, y: f64, radius: f64) -> Circle {
    Circle { x, y, radius }
}

impl Case {
    pub(super) fn config(self, point: TruthPoint, noise: f64) -> CameraConfig {
        let [tilt, pan, roll, distance] = self.pose;
        let lens = LensConfig {
            focal: Focal::new(self.focal, self.focal),
            distortion: Some(self.distortion.parse().expect("a distortion")),
            pose: Some(format!("{tilt},{pan},{roll},{distance}").parse().expect("a pose")),
            target: Some(self.body),
            truth_point: Some(point),
            ..LensConfig::default()
        };
        CameraConfig { lens, noise, ..CameraConfig::default() }
    }

    pub(super) fn shot(self) -> Shot {
        Shot { radius: self.ball.radius, path: Path::resting((self.ball.x, self.ball.y)) }
    }

    /// The plane's axes and its normal, and its point (x, y), in the camera's coordinates.
    fn axes(self) -> [[f64; 3]; 3] {
        let [tilt, pan, roll] = [0, 1, 2].map(|at| self.pose[at].to_radians());
        // Each axis of the plane is turned by the roll, the pan and the tilt, one after the other.
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]].map(|[x, y, z]: [f64; 3]| {
            let [x, y] = [x * roll.cos() - y * roll.sin(), x * roll.sin() + y * roll.cos()];
            let [x, z] = [x * pan.cos() + z * pan.sin(), z * pan.cos() - x * pan.sin()];
            [x, y * tilt.cos() - z * tilt.sin(), y * tilt.sin() + z * tilt.cos()]
        })
    }

    fn place(self, x: f64, y: f64) -> [f64; 3] {
        let ([right, down, _], (x, y)) = (self.axes(), (x - 47.5, y - 39.5));
        [right[0] * x + down[0] * y, right[1] * x + down[1] * y, right[2] * x + down[2] * y + self.pose[3]]
    }

    /// Whether the ray of a point of the image meets the ball. The lens is inverted by bisection along the radius, and by
    /// repeated substitution where it is not radial.
    pub(super) fn meets(self, at: Circle) -> impl Fn(f64, f64) -> bool {
        let ([right, down, normal], origin) = (self.axes(), self.place(0.0, 0.0));
        let centre = self.place(at.x, at.y);
        let dot = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
        let undistort = self.undistort();
        move |u, v| {
            let [x, y] = undistort([(u - 47.5) / self.focal, (v - 39.5) / self.focal]);
            let ray = [x, y, 1.0];
            if self.body == Body::Sphere {
                let cosine_squared = dot(ray, centre).powi(2) / dot(ray, ray) / dot(centre, centre);
                return 1.0 - cosine_squared < at.radius.powi(2) / dot(centre, centre);
            }
            let reach = dot(origin, normal) / dot(ray, normal);
            let on = [0, 1, 2].map(|axis| reach * ray[axis] - origin[axis]);
            reach > 0.0 && (dot(on, right) - at.x).hypot(dot(on, down) - at.y) < at.radius
        }
    }

    fn undistort(self) -> impl Fn([f64; 2]) -> [f64; 2] {
        let (name, k) = self.distortion.split_once(':').unwrap_or((self.distortion, ""));
        let mut k: Vec<f64> = k.split(',').filter_map(|k| k.parse().ok()).collect();
        k.resize(8, 0.0);
        let is_fisheye = name == "equidistant";
        move |[x, y]| {
            if is_fisheye {
                let bent = x.hypot(y);
                let (mut low, mut high) = (0.0, PI / 2.0);
                for _ in 0..50 {
                    let angle = f64::midpoint(low, high);
                    let a = angle * angle;
                    let found = angle * (1.0 + a * (k[0] + a * (k[1] + a * (k[2] + a * k[3]))));
                    if found < bent { low = angle } else { high = angle }
                }
                let scale = if bent > 0.0 { low.tan() / bent } else { 1.0 };
                return [x * scale, y * scale];
            }
            let [mut a, mut b] = [x, y];
            for _ in 0..25 {
                let r = a * a + b * b;
                let radial = (1.0 + r * (k[0] + r * (k[1] + r * k[4]))) / (1.0 + r * (k[5] + r * (k[6] + r * k[7])));
                let across =
                    [2.0 * k[2] * a * b + k[3] * (r + 2.0 * a * a), k[2] * (r + 2.0 * b * b) + 2.0 * k[3] * a * b];
                [a, b] = [(x - across[0]) / radial, (y - across[1]) / radial];
            }
            [a, b]
        }
    }

    /// The covered share of every pixel, by `points` times `points` rays.
    pub(super) fn cover(self, at: Circle, points: usize) -> Vec<f64> {
        let meets = self.meets(at);
        let share = |column: f64, row: f64, points: usize| {
            let part = |at: usize| (at as f64 + 0.5) / points as f64 - 0.5;
            let hits =
                (0..points * points).filter(|i| meets(column + part(i % points), row + part(i / points))).count();
            hits as f64 / (points * points) as f64
        };
        let pixel = |index: usize| {
            let (column, row) = ((index % SIZE.width as usize) as f64, (index / SIZE.width as usize) as f64);
            // If the corners and a coarse grid agree, so does the whole pixel, because outlines are smooth.
            let corners = [(-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5)];
            let corners = corners.iter().filter(|(dx, dy)| meets(column + dx, row + dy)).count();
            match (corners, share(column, row, 4)) {
                (0, 0.0) => 0.0,
                (4, 1.0) => 1.0,
                _ => share(column, row, points),
            }
        };
        (0..SIZE.pixels()).map(pixel).collect()
    }

    /// The centroid of the picture, from the rays.
    pub(super) fn centroid(self, at: Circle) -> [f64; 2] {
        let meets = self.meets(at);
        const FINE: usize = 25;
        let part = |at: usize| (at as f64 + 0.5) / FINE as f64 - 0.5;
        let (mut count, mut sum) = (0.0, [0.0; 2]);
        for (index, cover) in self.cover(at, FINE).into_iter().enumerate() {
            let (column, row) = ((index % SIZE.width as usize) as f64, (index / SIZE.width as usize) as f64);
            for point in (0..FINE * FINE).filter(|_| cover > 0.0) {
                let (u, v) = (column + part(point % FINE), row + part(point / FINE));
                if cover == 1.0 || meets(u, v) {
                    (count, sum) = (count + 1.0, [sum[0] + u, sum[1] + v]);
                }
            }
        }
        sum.map(|sum| sum / count)
    }
}
