//! Balls that are not round and even discs: ellipses, shaded balls and outlines.
//!
//! A form says where it covers a pixel and how much light it gives there. The covered area is exact: an ellipse is a unit
//! circle in coordinates of its own, in which a pixel is a parallelogram. The light of a shaded ball follows Lambert's
//! law, `ambient + (1 − ambient) · max(0, n · l)`, with the normal `n` of the ball and the direction `l` towards the light.
//! Along a row it is integrated in closed form, across rows by Gauss's rule.

use shared::geometry::{Circle, Size};

use super::plane::Region;
use super::recycled::Recycled;
use super::render::pixels;

/// Steps of the central differences that give the slopes: lengths in cells, the others as numbers. The error of a smooth
/// function is some 1e-8; rounding adds 1e-9.
const STEP: f64 = 1e-4;

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

/// Number of parameters of a form besides x, y and radius.
pub(super) const SHAPE: usize = 6;

/// The light on a shaded ball.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Light {
    pub(super) ambient: f64,
    /// Towards the light: right, down and towards the camera. Of length `1 − ambient`.
    pub(super) towards: [f64; 3],
}

/// A form, in the coordinates of cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Form {
    /// The circle with the same centre and area.
    pub(super) circle: Circle,
    /// Half the logarithm of the ratio of the half-axes, times cosine and sine of twice the angle of the longer one.
    pub(super) oblong: [f64; 2],
    pub(super) light: Option<Light>,
    /// Width of the outline, if the form is one. Half of it lies outside of the ellipse.
    pub(super) stroke: Option<f64>,
}

/// An ellipse as a unit circle: the rows of the matrix that takes a displacement there.
#[derive(Clone, Copy)]
struct Unit {
    rows: [[f64; 2]; 2],
    area: f64,
}

/// What a form does to a cell: the share that it covers, and the light that it gives in units of its level.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Cell {
    pub(super) cover: f64,
    pub(super) light: f64,
}

/// Which parameters of a form the pipeline does not know, besides x, y, radius and level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unknown {
    pub(super) oblong: bool,
    pub(super) light: bool,
    pub(super) stroke: bool,
}

impl Unknown {
    pub(super) fn any(self) -> bool {
        self.oblong || self.light || self.stroke
    }

    /// Whether the parameter with this index, of [`SHAPE`], is unknown.
    pub(super) fn has(self, index: usize) -> bool {
        match index {
            0 | 1 => self.oblong,
            2..=4 => self.light,
            _ => self.stroke,
        }
    }
}

/// What a form does to each cell, averaged over time.
pub(super) struct Shown {
    pub(super) cover: Recycled<f32>,
    pub(super) light: Recycled<f32>,
    /// The derivatives of both by x, y and radius, per px, then by the [`SHAPE`] parameters. Empty if not asked for; those of known parameters are zero.
    pub(super) slopes: Vec<(Recycled<f32>, Recycled<f32>)>,
}

/// Shows a form at the places of its centre on the grid of `fine × fine` cells per pixel of a region.
pub(super) fn show(form: &Form, places: &[(f64, f64)], region: Region, fine: usize, unknown: Option<Unknown>) -> Shown {
    let cells = region.pixels() * fine * fine;
    let zeros = || Recycled::filled(cells, 0.0);
    let count = if unknown.is_some() { 3 + SHAPE } else { 0 };
    let mut shown = Shown { cover: zeros(), light: zeros(), slopes: (0..count).map(|_| (zeros(), zeros())).collect() };
    let share = 1.0 / places.len().max(1) as f64;
    for &(x, y) in places {
        let form = form.at((x, y)).on_grid(region, fine);
        if form.circle.x.is_finite() && form.circle.y.is_finite() {
            shown.add(
                &form,
                Size { width: (region.width * fine) as u32, height: (region.height * fine) as u32 },
                share,
                unknown,
                fine,
            );
        }
    }
    shown
}

impl Shown {
    fn add(&mut self, form: &Form, size: Size, share: f64, unknown: Option<Unknown>, fine: usize) {
        let Circle { x, y, .. } = form.circle;
        let reach = form.reach() + 1.0;
        for row in pixels(y - reach, y + reach, size.height) {
            for column in pixels(x - reach, x + reach, size.width) {
                let at = row * size.width as usize + column;
                let cell = form.cell(column as i64, row as i64);
                self.cover[at] += (share * cell.cover) as f32;
                self.light[at] += (share * cell.light) as f32;
                let Some(unknown) = unknown else { continue };
                if form.is_even_around(column as f64, row as f64) {
                    continue;
                }
                for (index, (cover, light)) in self.slopes.iter_mut().enumerate() {
                    if index >= 3 && !unknown.has(index - 3) {
                        continue;
                    }
                    let [less, more] = [-STEP, STEP].map(|by| form.changed(index, by).cell(column as i64, row as i64));
                    // A length of a cell is 1 / fine px.
                    let per = if index < 3 || index == 3 + SHAPE - 1 { fine as f64 } else { 1.0 };
                    let slope = |less: f64, more: f64| (share * per * (more - less) / (2.0 * STEP)) as f32;
                    cover[at] += slope(less.cover, more.cover);
                    light[at] += slope(less.light, more.light);
                }
            }
        }
    }
}

impl Form {
    /// The half-axes, and the angle of the longer one in [0, π).
    pub(super) fn axes(&self) -> ([f64; 2], f64) {
        let [c, s] = self.oblong;
        let grown = libm::exp(c.hypot(s));
        let angle = 0.5 * libm::atan2(s, c);
        let angle = if angle < 0.0 { angle + std::f64::consts::PI } else { angle };
        ([self.circle.radius * grown, self.circle.radius / grown], angle)
    }

    /// Largest distance of its points from the centre.
    pub(super) fn reach(&self) -> f64 {
        self.axes().0[0] + 0.5 * self.stroke.unwrap_or(0.0)
    }

    pub(super) fn at(&self, (x, y): (f64, f64)) -> Self {
        Self { circle: Circle { x, y, ..self.circle }, ..*self }
    }

    fn on_grid(&self, region: Region, fine: usize) -> Self {
        let fine = fine as f64;
        let cell = |coordinate: f64, origin: i64| (coordinate - origin as f64 + 0.5) * fine - 0.5;
        let Circle { x, y, radius } = self.circle;
        let circle = Circle { x: cell(x, region.left), y: cell(y, region.top), radius: radius * fine };
        Self { circle, stroke: self.stroke.map(|width| width * fine), ..*self }
    }

    /// The form with a parameter changed: x, y, radius, then those of [`SHAPE`].
    fn changed(&self, index: usize, by: f64) -> Self {
        let mut form = *self;
        match index {
            0 => form.circle.x += by,
            1 => form.circle.y += by,
            2 => form.circle.radius += by,
            3 | 4 => form.oblong[index - 3] += by,
            5..=7 => form.light.iter_mut().for_each(|light| light.towards[index - 5] += by),
            _ => form.stroke.iter_mut().for_each(|width| *width += by),
        }
        form
    }

    /// Whether neither cover nor light changes around a cell, whichever parameter changes.
    fn is_even_around(&self, x: f64, y: f64) -> bool {
        let ([a, b], _) = self.axes();
        let half = 0.5 * self.stroke.unwrap_or(0.0);
        let off = (x - self.circle.x).hypot(y - self.circle.y);
        // The half diagonal of a cell, and the steps.
        let margin = 0.8;
        off > a + half + margin || off < b - half - margin && self.light.is_none()
    }

    /// What the form does to a cell, from half a cell before to half a cell after the integers.
    pub(super) fn cell(&self, column: i64, row: i64) -> Cell {
        let at = (column as f64 - self.circle.x, row as f64 - self.circle.y);
        if let Some(width) = self.stroke {
            let cover = self.unit(0.5 * width).cover(at) - self.unit(-0.5 * width).cover(at);
            return Cell { cover, light: cover };
        }
        let unit = self.unit(0.0);
        let cover = unit.cover(at);
        let light = match self.light {
            Some(light) if cover > 0.0 => cover * unit.mean_light(at, &light),
            _ => cover,
        };
        Cell { cover, light }
    }

    /// The ellipse whose half-axes are longer by `by`.
    fn unit(&self, by: f64) -> Unit {
        let ([a, b], angle) = self.axes();
        let (a, b) = ((a + by).max(0.0), (b + by).max(0.0));
        let (sin, cos) = libm::sincos(angle);
        Unit { rows: [[cos / a, sin / a], [-sin / b, cos / b]], area: a * b }
    }
}

impl Unit {
    fn of(&self, (x, y): (f64, f64)) -> [f64; 2] {
        self.rows.map(|[p, q]| p * x + q * y)
    }

    /// The covered share of the cell around a point.
    fn cover(&self, (x, y): (f64, f64)) -> f64 {
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
    fn mean_light(&self, (x, y): (f64, f64), light: &Light) -> f64 {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn form(aspect: f64, angle: f64, light: Option<Light>, stroke: Option<f64>) -> Form {
        let own = -0.5 * aspect.ln();
        let circle = Circle { x: 20.3, y: 18.6, radius: 12.4 };
        Form { circle, oblong: [own * (2.0 * angle).cos(), own * (2.0 * angle).sin()], light, stroke }
    }

    /// Cover and light of a cell, by many points: the equation of the ellipse and the normal of the stretched sphere.
    fn sampled(
        aspect: f64,
        angle: f64,
        light: Option<Light>,
        stroke: Option<f64>,
        (column, row): (i64, i64),
    ) -> (f64, f64) {
        const POINTS: usize = 400;
        let (long, short) = (12.4 / aspect.sqrt(), 12.4 * aspect.sqrt());
        let (mut cover, mut sum) = (0.0, 0.0);
        for i in 0..POINTS * POINTS {
            let part = |i: usize| (i as f64 + 0.5) / POINTS as f64 - 0.5;
            let (dx, dy) = (column as f64 + part(i % POINTS) - 20.3, row as f64 + part(i / POINTS) - 18.6);
            let (along, across) = (dx * angle.cos() + dy * angle.sin(), dy * angle.cos() - dx * angle.sin());
            let inside = |by: f64| (along / (long + by)).powi(2) + (across / (short + by)).powi(2) < 1.0;
            let is_in = stroke.map_or_else(|| inside(0.0), |width| inside(width / 2.0) && !inside(-width / 2.0));
            if !is_in {
                continue;
            }
            cover += 1.0;
            let Some(Light { ambient, towards: [lx, ly, lz] }) = light else {
                sum += 1.0;
                continue;
            };
            let (u, v) = (along / long, across / short);
            let (nx, ny) = (u * angle.cos() - v * angle.sin(), u * angle.sin() + v * angle.cos());
            sum += ambient + (nx * lx + ny * ly + (1.0 - u * u - v * v).sqrt() * lz).max(0.0);
        }
        (cover / (POINTS * POINTS) as f64, sum / (POINTS * POINTS) as f64)
    }

    fn light(ambient: f64, azimuth: f64, elevation: f64) -> Option<Light> {
        let own = 1.0 - ambient;
        let towards = [elevation.cos() * azimuth.cos(), elevation.cos() * azimuth.sin(), elevation.sin()];
        Some(Light { ambient, towards: towards.map(|part| own * part) })
    }

    #[test]
    fn cells_agree_with_the_mean_of_many_points() {
        let forms = [
            (0.6, 0.4, None, None),
            (0.9, 2.7, None, Some(3.0)),
            (1.0, 0.0, None, Some(1.0)),
            (1.0, 0.0, light(0.3, 3.9, 0.7), None),
            (1.0, 0.0, light(0.1, 1.0, 0.05), None),
            (0.7, 1.1, light(0.2, -0.6, 0.4), None),
        ];
        for (aspect, angle, light, stroke) in forms {
            let form = form(aspect, angle, light, stroke);
            for cell in (0..38).step_by(3).flat_map(|y| (0..42).step_by(2).map(move |x| (x, y))) {
                let Cell { cover, light: own } = form.cell(cell.0, cell.1);
                let (expected, lit) = sampled(aspect, angle, light, stroke, cell);
                // Half a row of 400 points is 0.00125.
                assert!(
                    (cover - expected).abs() < 1.3e-3 && (own - lit).abs() < 2.5e-3,
                    "{form:?} {cell:?}: {cover} {expected}, {own} {lit}"
                );
            }
        }
    }

    #[test]
    fn cells_add_up_to_the_area() {
        let sum = |form: Form| -> f64 { (0..50).flat_map(|y| (0..50).map(move |x| form.cell(x, y).cover)).sum() };
        let area = std::f64::consts::PI * 12.4 * 12.4;
        assert!((sum(form(0.7, 0.9, None, None)) - area).abs() < 1e-9);
        let ring = std::f64::consts::TAU * 12.4 * 2.5;
        assert!((sum(form(1.0, 0.0, None, Some(2.5))) - ring).abs() < 1e-9);
    }

    #[test]
    fn a_circle_is_covered_as_a_disc_is() {
        let form = form(1.0, 0.0, None, None);
        for (x, y) in (0..40).flat_map(|y| (0..40).map(move |x| (x, y))) {
            let disc = super::super::coverage::coverage(form.circle, x, y);
            assert!((form.cell(x, y).cover - disc).abs() < 1e-11, "({x}, {y})");
        }
    }

    #[test]
    fn axes_and_angle_are_those_asked_for() {
        let ([a, b], angle) = form(0.64, 2.5, None, None).axes();
        assert!((a - 15.5).abs() < 1e-9 && (b - 9.92).abs() < 1e-9 && (angle - 2.5).abs() < 1e-9);
    }
}
