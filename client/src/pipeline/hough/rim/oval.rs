//! An ellipse, its outline and the distance of points from it.

use shared::geometry::Circle;
use shared::protocol::message::Ellipse;

use crate::pipeline::detector::Estimate;
use crate::pipeline::hough::bounds::MAX_STEP_PX;

/// An ellipse: the points `p` with `dᵀ Q d = 1` for `d = p - c`. Lengths are in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Oval {
    pub(crate) x: f64,
    pub(crate) y: f64,
    /// `Q`: xx, xy and yy.
    pub(crate) form: [f64; 3],
}

/// The half-axes `a >= b` of an ellipse, and the unit vector along `a`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axes {
    pub(crate) a: f64,
    pub(crate) b: f64,
    pub(crate) along: (f64, f64),
}

impl Axes {
    /// Direction of `a`, from +x towards +y, in radians, in [0, π).
    pub(crate) fn angle(&self) -> f64 {
        let angle = self.along.1.atan2(self.along.0).rem_euclid(std::f64::consts::PI);
        // A tiny negative angle is rounded up to π.
        if angle < std::f64::consts::PI { angle } else { 0.0 }
    }

    /// The matrix, row by row, that takes the ellipse to the unit circle and its axis `a` to the x axis.
    pub(crate) fn unrolling(&self) -> [f32; 4] {
        let (cos, sin) = self.along;
        [cos / self.a, sin / self.a, -sin / self.b, cos / self.b].map(|part| part as f32)
    }
}

/// A place on an outline: its position and the outward normal.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    pub(crate) at: (f64, f64),
    pub(crate) normal: (f64, f64),
}

/// Largest step of a parameter of the form, in units of `1 / radius²`. It changes a half-axis by a sixth: `1 / √0.7` is
/// 1.2, and `1 / √1.3` is 0.88.
const MAX_FORM_STEP: f64 = 0.3;

/// Number of parameters: the centre's two, and the three of the form.
pub(crate) const PARAMETERS: usize = 5;

impl Oval {
    pub(crate) fn round(circle: Circle) -> Self {
        let own = circle.radius.powi(-2);
        Self { x: circle.x, y: circle.y, form: [own, 0.0, own] }
    }

    /// The outline of an estimate.
    pub(crate) fn of(Estimate { circle, ellipse, .. }: &Estimate) -> Self {
        let Some(Ellipse { axes: [a, b], angle }) = *ellipse else { return Self::round(*circle) };
        let (sin, cos) = angle.sin_cos();
        Self::with_axes((circle.x, circle.y), Axes { a, b, along: (cos, sin) })
    }

    /// The ellipse with these axes. `along` is the direction of `a`.
    pub(crate) fn with_axes((x, y): (f64, f64), Axes { a, b, along: (cos, sin) }: Axes) -> Self {
        let (p, q) = (a.powi(-2), b.powi(-2));
        Self { x, y, form: [p * cos * cos + q * sin * sin, (p - q) * cos * sin, p * sin * sin + q * cos * cos] }
    }

    /// Radius of the circle with the same area: √(ab).
    pub(crate) fn radius(&self) -> f64 {
        let [xx, xy, yy] = self.form;
        (xx * yy - xy * xy).powf(-0.25)
    }

    /// The half-axes. `None` if the form is not that of an ellipse.
    pub(crate) fn axes(&self) -> Option<Axes> {
        let [xx, xy, yy] = self.form;
        let (mean, apart) = (0.5 * (xx + yy), (0.25 * (xx - yy).powi(2) + xy * xy).sqrt());
        let (least, most) = (mean - apart, mean + apart);
        if !(least > 0.0 && most.is_finite()) {
            return None;
        }
        // `a` lies along the direction in which the form is smallest.
        let (sin, cos) = (0.5 * (2.0 * xy).atan2(xx - yy) + std::f64::consts::FRAC_PI_2).sin_cos();
        Some(Axes { a: least.powf(-0.5), b: most.powf(-0.5), along: (cos, sin) })
    }

    /// The circle with the same centre and area.
    pub(crate) fn circle(&self) -> Circle {
        Circle { x: self.x, y: self.y, radius: self.radius() }
    }

    /// The symmetric root of the form: xx, xy and yy. It takes the ellipse to the unit circle.
    ///
    /// By the theorem of Cayley and Hamilton, the root is `(Q + √det Q) / √(tr Q + 2 √det Q)`.
    pub(crate) fn root(&self) -> [f64; 3] {
        let [xx, xy, yy] = self.form;
        let determinant = (xx * yy - xy * xy).max(0.0).sqrt();
        let per = (xx + yy + 2.0 * determinant).sqrt().recip();
        [per * (xx + determinant), per * xy, per * (yy + determinant)]
    }

    /// The derivatives of the root with respect to the three parameters of the form.
    ///
    /// `S X + X S = C` has the solution `X = (det S · C + A C A) / (2 tr S det S)` with the adjugate `A` of `S`.
    pub(crate) fn root_by_form(&self) -> [[f64; 3]; 3] {
        let [xx, xy, yy] = self.root();
        let (determinant, [a, b, c]) = (xx * yy - xy * xy, [yy, -xy, xx]);
        let per = 0.5 / ((xx + yy) * determinant);
        // A C A for C = e₁e₁ᵀ, e₁e₂ᵀ + e₂e₁ᵀ and e₂e₂ᵀ.
        let around = [[a * a, a * b, b * b], [2.0 * a * b, a * c + b * b, 2.0 * b * c], [b * b, b * c, c * c]];
        std::array::from_fn(|k| {
            let own = |part: usize| if part == k { determinant } else { 0.0 };
            std::array::from_fn(|part| per * (own(part) + around[k][part]))
        })
    }

    /// How the form differs from that of the circle with the same area, in units of `1 / radius²`.
    pub(crate) fn oblong(&self) -> [f64; 3] {
        let square = self.radius().powi(2);
        [square * self.form[0] - 1.0, square * self.form[1], square * self.form[2] - 1.0]
    }

    /// Depth of a point under the outline, negative outside, and its derivatives with respect to the parameters.
    ///
    /// The distance of first order (Sampson 1982), exact for a circle. `scale` is the unit of the form's parameters:
    /// they are changes of `Q` in units of `1 / scale²`.
    pub(crate) fn depth(&self, x: f64, y: f64, scale: f64) -> (f64, [f64; PARAMETERS]) {
        let (dx, dy) = (x - self.x, y - self.y);
        let [xx, xy, yy] = self.form;
        let (gx, gy) = (xx * dx + xy * dy, xy * dx + yy * dy);
        let level = (dx * gx + dy * gy).max(1e-12).sqrt();
        let slope = (gx * gx + gy * gy).sqrt().max(1e-12);
        // The level's gradient is (gx, gy) / level.
        let per_level = level / slope;
        let by = -0.5 / (slope * scale * scale);
        ((1.0 - level) * per_level, [gx / slope, gy / slope, by * dx * dx, 2.0 * by * dx * dy, by * dy * dy])
    }

    /// Depth under the outline at an offset from the centre, in single precision. See [`Self::depth`].
    #[inline(always)]
    pub(crate) fn depth_at(&self, dx: f32, dy: f32) -> f32 {
        let [xx, xy, yy] = self.form.map(|form| form as f32);
        let (gx, gy) = (xx * dx + xy * dy, xy * dx + yy * dy);
        let square = dx * gx + dy * gy;
        (square.max(0.0).sqrt() - square) / (gx * gx + gy * gy).max(1e-24).sqrt()
    }

    /// Where a row crosses the outline, from left to right.
    pub(crate) fn row(&self, y: f64) -> Option<(f64, f64)> {
        let [xx, xy, yy] = self.form;
        let dy = y - self.y;
        let root = (xy * dy).powi(2) - xx * (yy * dy * dy - 1.0);
        let half = (root >= 0.0).then(|| root.sqrt() / xx)?;
        let middle = self.x - xy * dy / xx;
        Some((middle - half, middle + half))
    }

    /// Applies a step of the parameters, as far as the equations are linear. `None` if the result is not an ellipse.
    pub(crate) fn moved(&self, step: &[f64; PARAMETERS], scale: f64) -> Option<Self> {
        let own = scale.powi(-2);
        let next = Self {
            x: self.x + step[0].clamp(-MAX_STEP_PX, MAX_STEP_PX),
            y: self.y + step[1].clamp(-MAX_STEP_PX, MAX_STEP_PX),
            form: std::array::from_fn(|i| self.form[i] + own * step[2 + i].clamp(-MAX_FORM_STEP, MAX_FORM_STEP)),
        };
        next.axes().filter(|axes| axes.a.is_finite() && next.x.is_finite() && next.y.is_finite()).map(|_| next)
    }

    /// `n` times `rays` places on the outline, at equal steps of the eccentric anomaly, appended to `places`. The first
    /// `rays` of them lie evenly around the end of the half-axis `a`.
    pub(crate) fn outline(&self, n: usize, rays: usize, places: &mut Vec<Place>) {
        let Some(Axes { a, b, along: (cos, sin) }) = self.axes() else { return };
        let part = std::f64::consts::TAU / (n * rays) as f64;
        let (turn, mut at) = (part.sin_cos(), ((0.5 - 0.5 * rays as f64) * part).sin_cos());
        places.extend((0..n * rays).map(|_| {
            let (s, c) = at;
            // The sum of two angles. Over 400 of them, rounding adds up to 1e-13.
            at = (s * turn.1 + c * turn.0, c * turn.1 - s * turn.0);
            let (u, v) = (a * c, b * s);
            let (dx, dy) = (u * cos - v * sin, u * sin + v * cos);
            let (nx, ny) = (b * c * cos - a * s * sin, b * c * sin + a * s * cos);
            let length = (nx * nx + ny * ny).sqrt();
            Place { at: (self.x + dx, self.y + dy), normal: (nx / length, ny / length) }
        }));
    }

    /// Largest distance of this outline's points from another one, to first order, in pixels.
    pub(crate) fn apart_px(&self, other: &Self) -> f64 {
        let radius = other.radius();
        let by = |i: usize| 0.5 * radius.powi(3) * (self.form[i] - other.form[i]).abs();
        (self.x - other.x).hypot(self.y - other.y) + by(0).max(by(2)) + by(1)
    }

    /// The same outline moved outwards by `by` pixels, as the ellipse with axes longer by that.
    pub(crate) fn grown(&self, by: f64) -> Option<Self> {
        let axes = self.axes()?;
        let (a, b) = (axes.a + by, axes.b + by);
        (b > 1.0).then(|| Self::with_axes((self.x, self.y), Axes { a, b, ..axes }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ellipse() -> Oval {
        Oval::with_axes((0.0, 0.0), Axes { a: 30.0, b: 21.0, along: (0.6, 0.8) })
    }

    #[test]
    fn the_root_of_the_form_times_itself_is_the_form() {
        let oval = ellipse();
        let [xx, xy, yy] = oval.root();
        let square = [xx * xx + xy * xy, xy * (xx + yy), xy * xy + yy * yy];
        assert!(square.iter().zip(oval.form).all(|(found, form)| (found - form).abs() < 1e-15), "{square:?}");
    }

    #[test]
    fn derivatives_of_the_root_are_its_difference_quotients() {
        let (oval, step) = (ellipse(), 1e-8);
        for (k, by) in oval.root_by_form().into_iter().enumerate() {
            let changed = |by: f64| {
                let mut changed = oval;
                changed.form[k] += by;
                changed.root()
            };
            let (after, before) = (changed(step), changed(-step));
            for part in 0..3 {
                let quotient = (after[part] - before[part]) / (2.0 * step);
                // Rounding adds 1e-17 / 1e-8, and truncation 1e-16 of a third derivative of 1e9.
                assert!((quotient - by[part]).abs() < 1e-5, "{k} {part}: {quotient} {}", by[part]);
            }
        }
    }
}
