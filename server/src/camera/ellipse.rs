//! An ellipse: how much of a cell it covers, and the light of a shaded ball on it.
//!
//! The covered area is exact: an ellipse is a unit circle in coordinates of its own, in which a cell is a parallelogram.
//! The light of a shaded ball follows Lambert's law, `ambient + (1 − ambient) · max(0, n · l)`, with the normal `n` of the
//! ball and the direction `l` towards the light. Along a row it is integrated in closed form, across rows by Gauss's rule.

/// Nodes and weights of Gauss's rule on [−½, ½]: where the normal turns quickly, and elsewhere.
const FINE: [(f64, f64); 8] = [
    (-0.480_144_928_248_768_1, 0.050_614_268_145_188_13),
    (-0.398_333_238_706_813_4, 0.111_190_517_226_687_24),
    (-0.262_766_204_958_164_5, 0.156_853_322_938_943_64),
    (-0.091_717_321_247_824_9, 0.181_341_891_689_180_98),
    (0.091_717_321_247_824_9, 0.181_341_891_689_180_98),
    (0.262_766_204_958_164_5, 0.156_853_322_938_943_64),
    (0.398_333_238_706_813_4, 0.111_190_517_226_687_24),
    (0.480_144_928_248_768_1, 0.050_614_268_145_188_13),
];
const COARSE: [(f64, f64); 2] = [(-0.288_675_134_594_812_9, 0.5), (0.288_675_134_594_812_9, 0.5)];

/// The light on a shaded ball.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Light {
    pub(super) ambient: f64,
    /// Towards the light: right, down and towards the camera. Of length `1 − ambient`.
    pub(super) towards: [f64; 3],
}

/// An ellipse as a unit circle: the rows of the matrix that takes a displacement there.
#[derive(Clone, Copy)]
pub(super) struct Ellipse {
    rows: [[f64; 2]; 2],
    area: f64,
}

impl Ellipse {
    /// The ellipse with these half-axes, and this angle of the first one.
    pub(super) fn new([a, b]: [f64; 2], angle: f64) -> Self {
        let (sin, cos) = libm::sincos(angle);
        Self { rows: [[cos / a, sin / a], [-sin / b, cos / b]], area: a * b }
    }

    fn of(&self, (x, y): (f64, f64)) -> [f64; 2] {
        self.rows.map(|[p, q]| p * x + q * y)
    }

    /// The covered share of the cell around a point.
    pub(super) fn cover(&self, (x, y): (f64, f64)) -> f64 {
        if self.area <= 0.0 {
            return 0.0;
        }
        let corners = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)].map(|(dx, dy)| self.of((x + dx, y + dy)));
        let square = |[u, v]: [f64; 2]| u * u + v * v;
        if corners.iter().all(|corner| square(*corner) <= 1.0) {
            return 1.0;
        }
        let parts: f64 = (0..4).map(|i| sector_part(corners[i], corners[(i + 1) % 4])).sum();
        (self.area * parts).clamp(0.0, 1.0)
    }

    /// Mean light of the covered part of the cell around a point.
    pub(super) fn mean_light(&self, (x, y): (f64, f64), light: &Light) -> f64 {
        let [lx, ly, lz] = self.in_own_axes(light.towards);
        let [u, v] = self.of((x, y));
        let square = u * u + v * v;
        let step = self.rows.iter().map(|[p, q]| p.hypot(*q)).fold(0.0, f64::max);
        let normal = (1.0 - square).max(0.0).sqrt();
        // Away from the rim and from the terminator, the light is smooth. Its second derivative at this distance from
        // the rim is a thousandth per cell.
        let is_smooth = normal > 0.5 && (lx * u + ly * v + lz * normal).abs() > 3.0 * step;
        if is_smooth {
            let at = |dx: f64, dy: f64| {
                let [u, v] = self.of((x + dx, y + dy));
                (lx * u + ly * v + lz * (1.0 - u * u - v * v).max(0.0).sqrt()).max(0.0)
            };
            let rows = COARSE.iter().map(|(dy, _)| COARSE.iter().map(|(dx, _)| at(*dx, *dy)).sum::<f64>());
            return light.ambient + 0.25 * rows.sum::<f64>();
        }
        let (mut length, mut sum) = (0.0, 0.0);
        for (dy, weight) in FINE {
            let (own, lit) = self.along_row(x, y + dy, [lx, ly, lz]);
            length += weight * own;
            sum += weight * lit;
        }
        light.ambient + if length > 0.0 { sum / length } else { 0.0 }
    }

    /// A direction in the image as one in the ellipse's own axes: an ellipse is a sphere that was stretched.
    fn in_own_axes(&self, [x, y, z]: [f64; 3]) -> [f64; 3] {
        let [u, v] = self.rows.map(|[p, q]| (p * x + q * y) / p.hypot(q));
        [u, v, z]
    }

    /// Length of the part of a row's cell inside, and the integral of max(0, n · l) along it.
    fn along_row(&self, x: f64, y: f64, [lx, ly, lz]: [f64; 3]) -> (f64, f64) {
        // The row is a line in the unit circle: middle + s · along, with s = 0 nearest to the centre.
        let along = self.rows.map(|row| row[0]);
        let length = along[0].hypot(along[1]);
        let along = along.map(|part| part / length);
        let at = self.of((x, y));
        let s0 = at[0] * along[0] + at[1] * along[1];
        let middle = [at[0] - s0 * along[0], at[1] - s0 * along[1]];
        let square = 1.0 - middle[0] * middle[0] - middle[1] * middle[1];
        if square <= 0.0 {
            return (0.0, 0.0);
        }
        let half = square.sqrt();
        let (from, to) = ((s0 - 0.5 * length).max(-half), (s0 + 0.5 * length).min(half));
        if to <= from {
            return (0.0, 0.0);
        }
        // n · l = even + slope · s + lz · √(square − s²): concave, so that it is positive on one interval.
        let (even, slope) = (lx * middle[0] + ly * middle[1], lx * along[0] + ly * along[1]);
        let [lit_from, lit_to] = lit(even, slope, lz, square);
        let (low, high) = (from.max(lit_from), to.min(lit_to));
        let primitive = |s: f64| {
            let s = s.clamp(-half, half);
            let root = (square - s * s).max(0.0).sqrt();
            even * s + 0.5 * slope * s * s + 0.5 * lz * (s * root + square * libm::asin(s / half))
        };
        let lit = if high > low { primitive(high) - primitive(low) } else { 0.0 };
        ((to - from) / length, lit / length)
    }
}

/// Where `even + slope · s + lz · √(square − s²)` is positive, for `lz ≥ 0`, within the circle.
fn lit(even: f64, slope: f64, lz: f64, square: f64) -> [f64; 2] {
    let half = square.sqrt();
    let value = |s: f64| even + slope * s + lz * (square - s * s).max(0.0).sqrt();
    // (even + slope · s)² = lz² (square − s²)
    let (a, b, c) = (slope * slope + lz * lz, even * slope, even * even - lz * lz * square);
    let root = (b * b - a * c).max(0.0).sqrt();
    let top = if a > 0.0 { (half * slope / a.sqrt()).clamp(-half, half) } else { 0.0 };
    if value(top) <= 0.0 {
        return [0.0, 0.0];
    }
    // Squaring adds places where the even part is the positive root, which are in the light.
    let is_end = |end: &f64| even + slope * end <= 0.0;
    let ends = [(-b - root) / a, (-b + root) / a];
    let low = if value(-half) > 0.0 {
        -half
    } else {
        ends.into_iter().filter(is_end).filter(|end| *end <= top).fold(-half, f64::max)
    };
    let high = if value(half) > 0.0 {
        half
    } else {
        ends.into_iter().filter(is_end).filter(|end| *end >= top).fold(half, f64::min)
    };
    [low, high]
}

/// Signed area of the part of the triangle (0, p, q) inside the unit circle.
fn sector_part(p: [f64; 2], q: [f64; 2]) -> f64 {
    let cross = |p: [f64; 2], q: [f64; 2]| p[0] * q[1] - p[1] * q[0];
    let dot = |p: [f64; 2], q: [f64; 2]| p[0] * q[0] + p[1] * q[1];
    let sector = |p: [f64; 2], q: [f64; 2]| 0.5 * libm::atan2(cross(p, q), dot(p, q));
    let d = [q[0] - p[0], q[1] - p[1]];
    let (a, b, c) = (dot(d, d), dot(p, d), dot(p, p) - 1.0);
    let square = b * b - a * c;
    if square <= 0.0 || a == 0.0 {
        return sector(p, q);
    }
    let root = square.sqrt();
    let (enter, leave) = ((-b - root) / a, (-b + root) / a);
    if leave <= 0.0 || enter >= 1.0 {
        return sector(p, q);
    }
    let at = |t: f64| [p[0] + t * d[0], p[1] + t * d[1]];
    let (start, end) = (at(enter.max(0.0)), at(leave.min(1.0)));
    let before = if enter > 0.0 { sector(p, start) } else { 0.0 };
    let after = if leave < 1.0 { sector(end, q) } else { 0.0 };
    before + 0.5 * cross(start, end) + after
}
