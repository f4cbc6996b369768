//! What a pixel near an outline tells about the model: its residual, and the derivatives with respect to the
//! parameters.

use super::MAX_SECTORS;
use crate::pipeline::hough::fit::equations::profile::{gaussian, pixel};
use crate::pipeline::hough::rim::oval::Oval;

/// Indices of the columns: the residual, the levels, the outline's parameters, the edge's variance, the stroke's width.
pub(crate) const RESIDUAL: usize = 0;
pub(crate) const OUT: usize = 1;
pub(crate) const IN: usize = 2;
pub(crate) const STROKE: usize = 3;
pub(crate) const OUT_SLOPE: usize = 4;
pub(crate) const IN_ROOT: usize = 5;
pub(crate) const IN_SLOPE: usize = 6;
pub(crate) const GEOMETRY: usize = 7;
pub(crate) const VARIANCE: usize = 12;
pub(crate) const WIDTH: usize = 13;

/// Number of levels, from [`OUT`] on.
pub(crate) const LEVELS: usize = 6;

/// Number of columns, rounded up to whole vectors.
pub(crate) const COLUMNS: usize = 16;

/// Variance in px² below which an edge shows the shape of the pixel, as in the fit of round discs.
const SHARP_VARIANCE: f32 = 0.16;

/// The state of a fit.
#[derive(Clone, Copy)]
pub(crate) struct Model {
    pub(crate) oval: Oval,
    /// Variance of the edge, in px².
    pub(crate) variance: f64,
    /// Width of the stroke in px, if the outline is one.
    pub(crate) stroke: Option<f64>,
    /// Levels of each sector, in the order of their columns.
    pub(crate) levels: [[f32; LEVELS]; MAX_SECTORS],
}

/// A model as one pixel needs it, in single precision.
#[derive(Clone, Copy)]
pub(crate) struct Prepared {
    x: f32,
    y: f32,
    form: [f32; 3],
    /// Factor of the derivatives with respect to the form.
    by_form: f32,
    variance: f32,
    sigma: f32,
    half_stroke: Option<f32>,
    per_reach: f32,
}

impl Prepared {
    /// Prepares a model, with the outline's centre relative to `origin`. Depths are in units of `reach` pixels.
    pub(crate) fn new(model: &Model, origin: (f64, f64), reach: f64) -> Self {
        let oval = &model.oval;
        Self {
            x: (oval.x - origin.0) as f32,
            y: (oval.y - origin.1) as f32,
            form: oval.form.map(|form| form as f32),
            by_form: (-0.5 / oval.radius().powi(2)) as f32,
            variance: model.variance as f32,
            sigma: model.variance.sqrt() as f32,
            half_stroke: model.stroke.map(|width| 0.5 * width as f32),
            per_reach: (1.0 / reach) as f32,
        }
    }

    /// The columns of a pixel in a sector with these levels.
    #[inline(always)]
    pub(crate) fn columns(&self, x: f32, y: f32, gray: f32, levels: &[f32; LEVELS]) -> [f32; COLUMNS] {
        let [xx, xy, yy] = self.form;
        let (dx, dy) = (x - self.x, y - self.y);
        let (gx, gy) = (xx * dx + xy * dy, xy * dx + yy * dy);
        let level = (dx * gx + dy * gy).max(1e-12).sqrt();
        let per_slope = 1.0 / (gx * gx + gy * gy).sqrt().max(1e-12);
        let (nx, ny) = (gx * per_slope, gy * per_slope);
        let depth = (1.0 - level) * level * per_slope;
        let profile = |depth: f32| match self.variance < SHARP_VARIANCE {
            true => pixel(depth, self.sigma, nx, ny),
            false => gaussian(depth, self.sigma),
        };
        let edge = profile(depth);
        let (inside, outside) = (edge.inside, 1.0 - edge.inside);
        let (deep, far) = (depth.max(0.0) * self.per_reach, (-depth).max(0.0) * self.per_reach);
        let root = deep.sqrt();
        let within = levels[IN - 1] + levels[IN_ROOT - 1] * root + levels[IN_SLOPE - 1] * deep;
        let contrast = within - levels[OUT - 1] - levels[OUT_SLOPE - 1] * far;
        let (mut stroke, mut by_width) = (0.0, 0.0);
        let (mut by_depth, mut by_variance) = (contrast * edge.slope, contrast * edge.slope * depth);
        if let Some(half) = self.half_stroke {
            let (outer, inner, own) = (profile(depth + half), profile(depth - half), levels[STROKE - 1]);
            stroke = outer.inside - inner.inside;
            by_depth += own * (outer.slope - inner.slope);
            by_width = own * 0.5 * (outer.slope + inner.slope);
            by_variance += own * (outer.slope * (depth + half) - inner.slope * (depth - half));
        }
        let mut row = [0.0; COLUMNS];
        row[OUT] = outside;
        row[IN] = inside;
        row[STROKE] = stroke;
        row[OUT_SLOPE] = outside * far;
        row[IN_ROOT] = inside * root;
        row[IN_SLOPE] = inside * deep;
        let mut seen = 0.0;
        for l in 0..LEVELS {
            seen += levels[l] * row[OUT + l];
        }
        row[RESIDUAL] = gray - seen;
        let by = by_depth * self.by_form * per_slope;
        row[GEOMETRY] = by_depth * nx;
        row[GEOMETRY + 1] = by_depth * ny;
        row[GEOMETRY + 2] = by * dx * dx;
        row[GEOMETRY + 3] = by * 2.0 * dx * dy;
        row[GEOMETRY + 4] = by * dy * dy;
        row[VARIANCE] = by_variance * (-0.5 / self.variance);
        row[WIDTH] = by_width;
        row
    }
}
