//! The columns of the pixels near an outline: their residuals, and the derivatives of the model with respect to the
//! parameters.

use super::shading::Kind;
use super::{MAX_SECTORS, MAX_VARIANCE, STROKE_PX};
use crate::pipeline::hough::fit::equations::columns::BLOCK;
use crate::pipeline::hough::fit::equations::profile::{
    MIN_VARIANCE, SHARP_VARIANCE, Share, gaussian, most_variance_step, pixel, root,
};
use crate::pipeline::hough::rim::oval::{Oval, PARAMETERS};

#[cfg(test)]
mod tests;

/// Indices of the columns: the residual, the outline's parameters, the edge's variance, the levels, the stroke's width.
pub(crate) const RESIDUAL: usize = 0;
pub(crate) const GEOMETRY: usize = 1;
pub(crate) const VARIANCE: usize = 6;
pub(crate) const OUT: usize = 7;
pub(crate) const IN: usize = 8;
pub(crate) const OUT_SLOPE: usize = 9;
pub(crate) const IN_ROOT: usize = 10;
pub(crate) const IN_SLOPE: usize = 11;
pub(crate) const STROKE: usize = 12;
pub(crate) const WIDTH: usize = 13;

/// The light's components, in place of the slopes and the root.
pub(crate) const LIGHT_X: usize = 9;
pub(crate) const LIGHT_Y: usize = 10;
pub(crate) const LIGHT_Z: usize = 11;

/// Number of levels, from [`OUT`] on.
pub(crate) const LEVELS: usize = 6;

/// Number of columns.
pub(crate) const COLUMNS: usize = 14;

/// Bit masks of columns: the levels of both sides with the residual, the outline's parameters, the slopes and the root
/// (or the light's components), and the stroke.
const PLAIN: u16 = 1 << RESIDUAL | 1 << OUT | 1 << IN;
const OUTLINE: u16 = ((1 << (VARIANCE + 1)) - 1) & !((1 << GEOMETRY) - 1);
const SLOPES: u16 = 1 << OUT_SLOPE | 1 << IN_ROOT | 1 << IN_SLOPE;
const BAND: u16 = 1 << STROKE | 1 << WIDTH;

/// Residuals and derivatives of a block of pixels.
pub(crate) type Columns = [[f32; BLOCK]; COLUMNS];

/// The state of a fit.
#[derive(Clone, Copy)]
pub(crate) struct Model {
    pub(crate) oval: Oval,
    pub(crate) kind: Kind,
    /// Variance of the edge, in px².
    pub(crate) variance: f64,
    /// Width of the stroke in px, if the outline is one.
    pub(crate) stroke: Option<f64>,
    /// Levels of each sector, in the order of their columns.
    pub(crate) levels: [[f32; LEVELS]; MAX_SECTORS],
    /// Whether only the levels are fitted, with a fixed outline.
    pub(crate) held: bool,
}

impl Model {
    /// The smallest and the largest step of the edge's variance, and of the stroke's width if there is one.
    pub(crate) fn ranges(&self) -> [Option<(f64, f64)>; 2] {
        let most = most_variance_step(self.variance);
        let within = |value: f64, least: f64, most: f64, step: f64| {
            ((least - value).max(-step).min(0.0), (most - value).min(step).max(0.0))
        };
        let width = |width| within(width, *STROKE_PX.start(), *STROKE_PX.end(), 1.0);
        [Some(within(self.variance, MIN_VARIANCE, MAX_VARIANCE, most)), self.stroke.map(width)]
    }
}

/// A model in single precision.
#[derive(Clone, Copy)]
pub(crate) struct Prepared {
    x: f32,
    y: f32,
    form: [f32; 3],
    /// Factor of the derivatives with respect to the form.
    by_form: f32,
    variance: f32,
    half_stroke: f32,
    per_reach: f32,
    /// The form's root, its derivatives with respect to the form's parameters, and the unit of these parameters.
    root: [f32; 3],
    by_root: [[f32; 3]; 3],
    unit: f32,
}

/// Pixels of one sector: positions relative to the origin, intensities and weights.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) y: &'a [f32],
    pub(crate) gray: &'a [f32],
    pub(crate) weight: &'a [f32],
}

impl Prepared {
    /// Prepares a model, with the outline's centre relative to `origin`. Depths are in units of `reach` pixels.
    pub(crate) fn new(model: &Model, origin: (f64, f64), reach: f64) -> Self {
        let oval = &model.oval;
        let unit = oval.radius().powi(-2);
        Self {
            x: (oval.x - origin.0) as f32,
            y: (oval.y - origin.1) as f32,
            form: oval.form.map(|form| form as f32),
            by_form: (-0.5 * unit) as f32,
            variance: model.variance as f32,
            half_stroke: model.stroke.map_or(0.0, |width| 0.5 * width as f32),
            per_reach: (1.0 / reach) as f32,
            root: oval.root().map(|part| part as f32),
            by_root: oval.root_by_form().map(|by| by.map(|part| (part * unit) as f32)),
            unit: unit as f32,
        }
    }

    /// Fills the columns of a family for the pixels of a sector with these levels.
    #[inline(always)]
    pub(crate) fn fill<F: Family>(&self, columns: &mut Columns, pixels: Block<'_>, levels: &[f32; LEVELS]) {
        if self.variance < SHARP_VARIANCE as f32 {
            self.fill_with::<F, F::Sharp>(columns, pixels, &F::Sharp::new(self, levels));
        } else {
            self.fill_with::<F, F::Soft>(columns, pixels, &F::Soft::new(self, levels));
        }
    }

    #[inline(always)]
    fn fill_with<F: Family, L: Light>(&self, columns: &mut Columns, pixels: Block<'_>, light: &L) {
        let n = pixels.x.len().min(BLOCK);
        let (xs, ys, grays, weights) = (&pixels.x[..n], &pixels.y[..n], &pixels.gray[..n], &pixels.weight[..n]);
        let [xx, xy, yy] = self.form;
        let by_variance = -0.5 / self.variance;
        let [residuals, by_x, by_y, by_xx, by_xy, by_yy, variances, out, inside, first, second, third, stroke, widths] =
            columns;
        for i in 0..n {
            let (dx, dy) = (xs[i] - self.x, ys[i] - self.y);
            let (gx, gy) = (xx * dx + xy * dy, xy * dx + yy * dy);
            let level = (dx * gx + dy * gy).max(1e-12).sqrt();
            let per_slope = 1.0 / (gx * gx + gy * gy).max(1e-24).sqrt();
            let (nx, ny) = (gx * per_slope, gy * per_slope);
            let depth = (1.0 - level) * level * per_slope;
            let Seen { own, seen, by_depth, by_variance: wider, by_width, by_place } =
                light.see(Place { dx, dy, nx, ny, depth, level, per_slope });
            let weight = weights[i];
            residuals[i] = (grays[i] - seen) * weight;
            out[i] = own[0] * weight;
            inside[i] = own[1] * weight;
            if F::SET & OUTLINE != 0 {
                let by_depth = by_depth * weight;
                let by_form = by_depth * self.by_form * per_slope;
                by_x[i] = by_depth * nx;
                by_y[i] = by_depth * ny;
                by_xx[i] = by_form * dx * dx;
                by_xy[i] = by_form * 2.0 * dx * dy;
                by_yy[i] = by_form * dy * dy;
                variances[i] = wider * by_variance * weight;
                if L::KNOWS_PLACE {
                    by_x[i] += by_place[0] * weight;
                    by_y[i] += by_place[1] * weight;
                    by_xx[i] += by_place[2] * weight;
                    by_xy[i] += by_place[3] * weight;
                    by_yy[i] += by_place[4] * weight;
                }
            }
            if F::SET & SLOPES != 0 {
                first[i] = own[2] * weight;
                second[i] = own[3] * weight;
                third[i] = own[4] * weight;
            }
            if F::SET & BAND != 0 {
                stroke[i] = own[5] * weight;
                widths[i] = by_width * weight;
            }
        }
    }
}

/// A family of lights: that of a sharp edge and of a blurred one, with the columns that are needed.
pub(crate) trait Family {
    /// Bit mask of the columns.
    const SET: u16;
    type Sharp: Light;
    type Soft: Light;
}

/// Edges between levels that change with the distance from the edge, and between levels that do not.
pub(crate) struct Edges;
pub(crate) struct EvenEdges;

/// The same two with a stroke along the edge.
pub(crate) struct Strokes;
pub(crate) struct EvenStrokes;

/// Balls, and balls whose outline is fixed.
pub(crate) struct Balls;
pub(crate) struct HeldBalls;

impl Family for Edges {
    const SET: u16 = PLAIN | OUTLINE | SLOPES;
    type Sharp = Edge<true, true>;
    type Soft = Edge<false, true>;
}

impl Family for EvenEdges {
    const SET: u16 = PLAIN | OUTLINE;
    type Sharp = Edge<true, false>;
    type Soft = Edge<false, false>;
}

impl Family for Strokes {
    const SET: u16 = PLAIN | OUTLINE | SLOPES | BAND;
    type Sharp = Stroke<true, true>;
    type Soft = Stroke<false, true>;
}

impl Family for EvenStrokes {
    const SET: u16 = PLAIN | OUTLINE | BAND;
    type Sharp = Stroke<true, false>;
    type Soft = Stroke<false, false>;
}

impl Family for Balls {
    const SET: u16 = PLAIN | OUTLINE | SLOPES;
    type Sharp = Ball<true>;
    type Soft = Ball<false>;
}

impl Family for HeldBalls {
    const SET: u16 = PLAIN | SLOPES;
    type Sharp = Ball<true>;
    type Soft = Ball<false>;
}

/// Where a pixel lies: from the centre, the outline's normal there, its depth, its level (1 on the outline), and the
/// reciprocal of the length of `Q d`.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    dx: f32,
    dy: f32,
    nx: f32,
    ny: f32,
    depth: f32,
    level: f32,
    per_slope: f32,
}

/// The model of a pixel: the shares of its levels, its intensity, and the derivatives of the intensity.
pub(crate) struct Seen {
    own: [f32; LEVELS],
    seen: f32,
    by_depth: f32,
    by_variance: f32,
    by_width: f32,
    /// What the outline's parameters change besides the depth.
    by_place: [f32; PARAMETERS],
}

/// The light on both sides of an outline. Its functions are always inlined, so that the loop over the pixels becomes
/// vector code; compilers do not inline large closures.
pub(crate) trait Light {
    /// Whether the light also depends on the place on the disc, besides the depth.
    const KNOWS_PLACE: bool = false;

    fn new(model: &Prepared, levels: &[f32; LEVELS]) -> Self;

    fn see(&self, place: Place) -> Seen;
}

/// The share of the inside, for a sharp edge or a blurred one.
#[inline(always)]
fn share<const SHARP: bool>(depth: f32, sigma: f32, place: &Place) -> Share {
    if SHARP { pixel(depth, sigma, place.nx, place.ny) } else { gaussian(depth, sigma) }
}

/// An edge between two levels. If it is `SLOPED`, the levels change with the distance from it. Inside they then also
/// change with the root of the distance, because a lit ball darkens towards its rim.
pub(crate) struct Edge<const SHARP: bool, const SLOPED: bool> {
    levels: [f32; LEVELS],
    sigma: f32,
    per_reach: f32,
    root_unit: f32,
}

impl<const SHARP: bool, const SLOPED: bool> Light for Edge<SHARP, SLOPED> {
    fn new(model: &Prepared, levels: &[f32; LEVELS]) -> Self {
        let root_unit = model.per_reach.sqrt();
        Self { levels: *levels, sigma: model.variance.sqrt(), per_reach: model.per_reach, root_unit }
    }

    #[inline(always)]
    fn see(&self, place: Place) -> Seen {
        let [out_level, in_level, out_slope, in_root, in_slope, _] = self.levels;
        let edge = share::<SHARP>(place.depth, self.sigma, &place);
        let outside = 1.0 - edge.inside;
        let mut own = [outside, edge.inside, 0.0, 0.0, 0.0, 0.0];
        let mut seen = out_level * outside + in_level * edge.inside;
        let mut across = (in_level - out_level) * edge.slope;
        let mut by_root = 0.0;
        if SLOPED {
            let (deep, far) = (place.depth.max(0.0) * self.per_reach, (-place.depth).max(0.0) * self.per_reach);
            let root = root(place.depth, self.sigma, place.nx, place.ny);
            (own[2], own[3], own[4]) = (outside * far, root.inside * self.root_unit, edge.inside * deep);
            seen += out_slope * own[2] + in_root * own[3] + in_slope * own[4];
            across += (in_slope * deep - out_slope * far) * edge.slope;
            by_root = in_root * root.slope * self.root_unit;
        }
        Seen {
            own,
            seen,
            by_depth: across + by_root,
            by_variance: across * place.depth,
            by_width: 0.0,
            by_place: [0.0; PARAMETERS],
        }
    }
}

/// A lit ball by Lambert's law: ambient light, and light from one direction where the surface faces it.
///
/// An ellipse is the ball in coordinates in which it is the unit circle: the root of its form takes a pixel there. The
/// normal of the surface has length 1, so its component towards the camera is `z = √(1 - level²)`. For a pixel across
/// the rim the mean of the root of `1 - level` counts, which is proportional to the depth.
pub(crate) struct Ball<const SHARP: bool> {
    levels: [f32; LEVELS],
    sigma: f32,
    form: [f32; 3],
    unit: f32,
    root: [f32; 3],
    /// The light from the side per pixel of displacement, and its derivatives with respect to the form's parameters.
    sideways: (f32, f32),
    by_form: [(f32, f32); 3],
}

impl<const SHARP: bool> Light for Ball<SHARP> {
    const KNOWS_PLACE: bool = true;

    fn new(model: &Prepared, levels: &[f32; LEVELS]) -> Self {
        let light = (levels[LIGHT_X - OUT], levels[LIGHT_Y - OUT]);
        let along = |[xx, xy, yy]: [f32; 3]| (xx * light.0 + xy * light.1, xy * light.0 + yy * light.1);
        Self {
            levels: *levels,
            sigma: model.variance.sqrt(),
            form: model.form,
            unit: model.unit,
            root: model.root,
            sideways: along(model.root),
            by_form: model.by_root.map(along),
        }
    }

    #[inline(always)]
    fn see(&self, place: Place) -> Seen {
        let [out_level, ambient, light_x, light_y, light_z, _] = self.levels;
        let Place { dx, dy, nx, ny, depth, level, per_slope } = place;
        let edge = share::<SHARP>(depth, self.sigma, &place);
        let root = root(depth, self.sigma, nx, ny);
        // 1 - level = rise * depth.
        let rise = 1.0 / (per_slope * level);
        let unit = (rise * (1.0 + level)).sqrt();
        let z = unit * root.inside;
        // Beyond the outline, the normal is that on the outline.
        let within = 1.0 / level.max(1.0);
        let [xx, xy, yy] = self.root;
        let (x, y) = ((xx * dx + xy * dy) * within, (xy * dx + yy * dy) * within);
        let sideways = light_x * x + light_y * y;
        let lit = if sideways * edge.inside + light_z * z >= 0.0 { 1.0 } else { 0.0 };
        let outside = 1.0 - edge.inside;
        let side = lit * edge.inside;
        let own = [outside, edge.inside, side * x, side * y, lit * z, 0.0];
        let across = (ambient + lit * sideways - out_level) * edge.slope;
        let seen = out_level * own[0] + ambient * own[1] + light_x * own[2] + light_y * own[3] + light_z * own[4];
        let by_depth = across + lit * light_z * unit * root.slope;
        // A change of the level changes the depth and z; a relative change of the rise changes both too.
        let shine = 0.5 * lit * light_z * z;
        let by_rise = shine - by_depth * depth;
        let by_normal = if level > 1.0 { side * sideways * within } else { 0.0 };
        let by_depth = by_depth + rise * (by_normal - shine / (1.0 + level));
        let moved = side * within;
        let (per_level, half) = (rise / level, 0.5 / (level * level));
        let form = self.form;
        let turn = |i: usize| moved * (self.by_form[i].0 * dx + self.by_form[i].1 * dy);
        let by_rise_in_form = by_rise * self.unit;
        let by_place = [
            by_rise * (nx * per_level - (form[0] * nx + form[1] * ny) * per_slope) - moved * self.sideways.0,
            by_rise * (ny * per_level - (form[1] * nx + form[2] * ny) * per_slope) - moved * self.sideways.1,
            by_rise_in_form * (nx * dx * per_slope - half * dx * dx) + turn(0),
            by_rise_in_form * ((nx * dy + ny * dx) * per_slope - 2.0 * half * dx * dy) + turn(1),
            by_rise_in_form * (ny * dy * per_slope - half * dy * dy) + turn(2),
        ];
        Seen { own, seen, by_depth, by_variance: across * depth, by_width: 0.0, by_place }
    }
}

/// An edge with a stroke along it.
pub(crate) struct Stroke<const SHARP: bool, const SLOPED: bool> {
    edge: Edge<SHARP, SLOPED>,
    half: f32,
}

impl<const SHARP: bool, const SLOPED: bool> Light for Stroke<SHARP, SLOPED> {
    fn new(model: &Prepared, levels: &[f32; LEVELS]) -> Self {
        Self { edge: Edge::new(model, levels), half: model.half_stroke }
    }

    #[inline(always)]
    fn see(&self, place: Place) -> Seen {
        let (sigma, half, level) = (self.edge.sigma, self.half, self.edge.levels[STROKE - OUT]);
        let outer = share::<SHARP>(place.depth + half, sigma, &place);
        let inner = share::<SHARP>(place.depth - half, sigma, &place);
        let Seen { mut own, seen, by_depth, by_variance, .. } = self.edge.see(place);
        own[STROKE - OUT] = outer.inside - inner.inside;
        let apart = outer.slope * (place.depth + half) - inner.slope * (place.depth - half);
        Seen {
            own,
            seen: seen + level * own[STROKE - OUT],
            by_depth: by_depth + level * (outer.slope - inner.slope),
            by_variance: by_variance + level * apart,
            by_width: level * 0.5 * (outer.slope + inner.slope),
            by_place: [0.0; PARAMETERS],
        }
    }
}
