//! Balls that are not round and even discs: ellipses, shaded balls and outlines.
//!
//! A form says where it covers a pixel and how much light it gives there. It is made of one [`Ellipse`] or, for an outline,
//! of two.

use shared::geometry::{Circle, Size};

use super::ellipse::{Ellipse, Light};
use super::plane::Region;
use super::recycled::Recycled;
use super::render::pixels;

/// Steps of the central differences that give the slopes: lengths in cells, the others as numbers. The error of a smooth
/// function is some 1e-8; rounding adds 1e-9.
const STEP: f64 = 1e-4;

/// Number of parameters of a form besides x, y and radius.
pub(super) const SHAPE: usize = 6;

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
            let cover = self.ellipse(0.5 * width).cover(at) - self.ellipse(-0.5 * width).cover(at);
            return Cell { cover, light: cover };
        }
        let ellipse = self.ellipse(0.0);
        let cover = ellipse.cover(at);
        let light = match self.light {
            Some(light) if cover > 0.0 => cover * ellipse.mean_light(at, &light),
            _ => cover,
        };
        Cell { cover, light }
    }

    /// The ellipse whose half-axes are longer by `by`.
    fn ellipse(&self, by: f64) -> Ellipse {
        let (axes, angle) = self.axes();
        Ellipse::new(axes.map(|axis| (axis + by).max(0.0)), angle)
    }
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
