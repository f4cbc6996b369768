//! A picture that is being painted.

use ndarray::Array2;
use shared::geometry::Circle;

use super::coverage::coverage;
use super::random::Random;

/// An unrounded picture, in gray levels.
#[derive(Clone)]
pub struct Canvas(
    /// Gray levels by row and column.
    pub Array2<f64>,
);

impl Canvas {
    /// A canvas of this size, with the same gray everywhere.
    pub fn new(width: usize, height: usize, gray: f64) -> Self {
        Self(Array2::from_elem((height, width), gray))
    }

    /// Adds a ramp of `x` and `y` gray levels per pixel, which is zero in the middle.
    pub fn ramp(mut self, x: f64, y: f64) -> Self {
        let (rows, columns) = self.0.dim();
        for ((row, column), value) in self.0.indexed_iter_mut() {
            *value += x * (column as f64 - columns as f64 / 2.0) + y * (row as f64 - rows as f64 / 2.0);
        }
        self
    }

    /// Draws a disc over the picture. Each pixel is mixed by the share of its area that the disc covers.
    pub fn disc(mut self, circle: Circle, gray: f64) -> Self {
        self.blend(circle, gray, &[(0.0, 0.0)]);
        self
    }

    /// Draws a disc that moves by `(dx, dy)` during the exposure. `circle` is the disc half-way.
    pub fn moving_disc(mut self, circle: Circle, gray: f64, dx: f64, dy: f64) -> Self {
        let n = 48;
        let at = |i: usize| (i as f64 + 0.5) / n as f64 - 0.5;
        let offsets: Vec<_> = (0..n).map(|i| (dx * at(i), dy * at(i))).collect();
        self.blend(circle, gray, &offsets);
        self
    }

    fn blend(&mut self, circle: Circle, gray: f64, offsets: &[(f64, f64)]) {
        let reach = offsets.iter().map(|(x, y)| x.abs().max(y.abs())).fold(0.0, f64::max) + circle.radius + 2.0;
        let (rows, columns) = self.0.dim();
        let span = |centre: f64, end: usize| {
            ((centre - reach).max(0.0) as usize)..((centre + reach).max(-1.0) + 1.0).min(end as f64) as usize
        };
        for row in span(circle.y, rows) {
            for column in span(circle.x, columns) {
                let (x, y) = (column as f64 - circle.x, row as f64 - circle.y);
                let sum: f64 = offsets.iter().map(|(dx, dy)| coverage(x - dx, y - dy, circle.radius)).sum();
                let share = sum / offsets.len() as f64;
                let value = &mut self.0[[row, column]];
                *value += share * (gray - *value);
            }
        }
    }

    /// Fills the convex polygon with these corners, without antialiasing.
    pub fn polygon(mut self, corners: &[(f64, f64)], gray: f64) -> Self {
        let (rows, columns) = self.0.dim();
        let span = |along: &dyn Fn(&(f64, f64)) -> f64, end: usize| {
            let low = corners.iter().map(along).fold(f64::INFINITY, f64::min).ceil().max(0.0) as usize;
            let high = corners.iter().map(along).fold(-1.0, f64::max).floor() + 1.0;
            low..(high.max(0.0) as usize).min(end)
        };
        for row in span(&|corner| corner.1, rows) {
            for column in span(&|corner| corner.0, columns) {
                let (x, y) = (column as f64, row as f64);
                let side = |i: usize| {
                    let ((ax, ay), (bx, by)) = (corners[i], corners[(i + 1) % corners.len()]);
                    (bx - ax) * (y - ay) - (by - ay) * (x - ax)
                };
                if (0..corners.len()).all(|i| side(i) >= 0.0) || (0..corners.len()).all(|i| side(i) <= 0.0) {
                    self.0[[row, column]] = gray;
                }
            }
        }
        self
    }

    /// Draws a rectangle with these half sides, turned by `angle` in radians.
    pub fn rectangle(self, centre: (f64, f64), half: (f64, f64), angle: f64, gray: f64) -> Self {
        let (c, s) = (angle.cos(), angle.sin());
        let corner =
            |a: f64, b: f64| (centre.0 + a * half.0 * c - b * half.1 * s, centre.1 + a * half.0 * s + b * half.1 * c);
        self.polygon(&[corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0)], gray)
    }

    /// Draws `shapes` random rectangles and lines, but no circles.
    pub fn clutter(mut self, random: &mut Random, shapes: usize) -> Self {
        let (rows, columns) = self.0.dim();
        for i in 0..shapes {
            let centre = (random.uniform(0.0, columns as f64), random.uniform(0.0, rows as f64));
            let long = random.uniform(0.02, 0.15) * columns as f64;
            let short = if i % 3 == 0 { random.uniform(0.5, 2.0) } else { random.uniform(0.3, 1.0) * long };
            let angle = random.uniform(0.0, std::f64::consts::PI);
            let gray = random.uniform(10.0, 245.0);
            self = self.rectangle(centre, (long, short), angle, gray);
        }
        self
    }

    /// Blurs with a Gaussian of `sigma` px. Beyond the border the outermost pixels are repeated.
    pub fn blurred(self, sigma: f64) -> Self {
        let reach = (5.0 * sigma).ceil() as isize;
        let kernel: Vec<f64> = (-reach..=reach).map(|i| (-0.5 * (i as f64 / sigma).powi(2)).exp()).collect();
        let total: f64 = kernel.iter().sum();
        let along = |source: &Array2<f64>, dr: isize, dc: isize| {
            let (rows, columns) = source.dim();
            Array2::from_shape_fn((rows, columns), |(row, column)| {
                let at = |i: isize| {
                    let r = (row as isize + dr * i).clamp(0, rows as isize - 1) as usize;
                    source[[r, (column as isize + dc * i).clamp(0, columns as isize - 1) as usize]]
                };
                kernel.iter().zip(-reach..).map(|(k, i)| k * at(i)).sum::<f64>() / total
            })
        };
        Self(along(&along(&self.0, 0, 1), 1, 0))
    }

    /// Adds noise of `sigma` gray levels and rounds to bytes.
    pub fn shot(&self, sigma: f64, random: &mut Random) -> Array2<u8> {
        self.0.mapv(|value| (value + if sigma > 0.0 { sigma * random.normal() } else { 0.0 }).round() as u8)
    }
}
