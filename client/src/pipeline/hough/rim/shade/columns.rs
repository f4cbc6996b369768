//! The columns of the pixels near an outline: their residuals, and the derivatives of the model with respect to the
//! parameters.

use super::shading::Kind;
use super::{MAX_SECTORS, MAX_VARIANCE, STROKE_PX};
use crate::pipeline::hough::fit::equations::columns::BLOCK;
use crate::pipeline::hough::fit::equations::profile::{PIXEL_VARIANCE, Share, gaussian, pixel, root};
use crate::pipeline::hough::rim::oval::Oval;

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

/// Number of columns, and of those without a stroke.
pub(crate) const COLUMNS: usize = 14;
pub(crate) const EDGE_COLUMNS: usize = STROKE;

/// Variance in px² below which an edge shows the shape of the pixel, as in the fit of round discs.
const SHARP_VARIANCE: f32 = 0.16;

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
        let most = 0.8 * self.variance + 0.1;
        // As in the fit of round discs: a little less than a pixel's own, because noise may reduce the estimate below
        // that.
        let least = 0.5 * f64::from(PIXEL_VARIANCE);
        let within = |value: f64, least: f64, most: f64, step: f64| {
            ((least - value).max(-step).min(0.0), (most - value).min(step).max(0.0))
        };
        let width = |width| within(width, *STROKE_PX.start(), *STROKE_PX.end(), 1.0);
        [Some(within(self.variance, least, MAX_VARIANCE, most)), self.stroke.map(width)]
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
    per_radius: f32,
    kind: Kind,
    /// 0 if the outline is fixed, else 1.
    moves: f32,
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
        Self {
            x: (oval.x - origin.0) as f32,
            y: (oval.y - origin.1) as f32,
            form: oval.form.map(|form| form as f32),
            by_form: (-0.5 / oval.radius().powi(2)) as f32,
            variance: model.variance as f32,
            half_stroke: model.stroke.map_or(0.0, |width| 0.5 * width as f32),
            per_reach: (1.0 / reach) as f32,
            per_radius: (1.0 / oval.radius()) as f32,
            kind: model.kind,
            moves: if model.held { 0.0 } else { 1.0 },
        }
    }

    /// Fills the columns for the pixels of a sector with these levels.
    #[inline(always)]
    pub(crate) fn fill(&self, columns: &mut Columns, pixels: Block<'_>, levels: &[f32; LEVELS]) {
        match (self.kind, self.variance < SHARP_VARIANCE) {
            (Kind::Edge, true) => self.fill_with(columns, pixels, &Edge::<true>::new(self, levels)),
            (Kind::Edge, false) => self.fill_with(columns, pixels, &Edge::<false>::new(self, levels)),
            (Kind::Ball, true) => self.fill_with(columns, pixels, &Ball::<true>::new(self, levels)),
            (Kind::Ball, false) => self.fill_with(columns, pixels, &Ball::<false>::new(self, levels)),
            (Kind::Stroke, true) => self.fill_with(columns, pixels, &Stroke::<true>::new(self, levels)),
            (Kind::Stroke, false) => self.fill_with(columns, pixels, &Stroke::<false>::new(self, levels)),
        }
    }

    #[inline(always)]
    fn fill_with<L: Light>(&self, columns: &mut Columns, pixels: Block<'_>, light: &L) {
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
            let Seen { own, seen, by_depth, by_variance: wider, by_width, by_place: (by_dx, by_dy, by_size) } =
                light.see(Place { dx, dy, nx, ny, depth, level });
            let weight = weights[i];
            let by_depth = by_depth * weight * self.moves;
            let by_form = by_depth * self.by_form * per_slope;
            residuals[i] = (grays[i] - seen) * weight;
            by_x[i] = by_depth * nx;
            by_y[i] = by_depth * ny;
            by_xx[i] = by_form * dx * dx;
            by_xy[i] = by_form * 2.0 * dx * dy;
            by_yy[i] = by_form * dy * dy;
            if L::KNOWS_PLACE {
                let moving = weight * self.moves;
                (by_x[i], by_y[i]) = (by_x[i] + by_dx * moving, by_y[i] + by_dy * moving);
                (by_xx[i], by_yy[i]) = (by_xx[i] + by_size * moving, by_yy[i] + by_size * moving);
            }
            variances[i] = wider * by_variance * weight * self.moves;
            out[i] = own[0] * weight;
            inside[i] = own[1] * weight;
            first[i] = own[2] * weight;
            second[i] = own[3] * weight;
            third[i] = own[4] * weight;
            stroke[i] = own[5] * weight;
            widths[i] = by_width * weight;
        }
    }
}

/// Where a pixel lies: from the centre, the outline's normal there, its depth, and its level (1 on the outline).
#[derive(Clone, Copy)]
struct Place {
    dx: f32,
    dy: f32,
    nx: f32,
    ny: f32,
    depth: f32,
    level: f32,
}

/// The model of a pixel: the shares of its levels, its intensity, and the derivatives of the intensity.
struct Seen {
    own: [f32; LEVELS],
    seen: f32,
    by_depth: f32,
    by_variance: f32,
    by_width: f32,
    /// With respect to the centre and to the form's two diagonal elements, at a constant depth.
    by_place: (f32, f32, f32),
}

/// The light on both sides of an outline. Its functions are always inlined, so that the loop over the pixels becomes
/// vector code; compilers do not inline large closures.
trait Light {
    /// Whether the light also depends on the place on the disc, besides the depth.
    const KNOWS_PLACE: bool = false;

    fn see(&self, place: Place) -> Seen;
}

/// The share of the inside, for a sharp edge or a blurred one.
#[inline(always)]
fn share<const SHARP: bool>(depth: f32, sigma: f32, place: &Place) -> Share {
    if SHARP { pixel(depth, sigma, place.nx, place.ny) } else { gaussian(depth, sigma) }
}

/// An edge between levels that change with the distance from it. Inside they also change with the root of the distance,
/// because a lit ball darkens towards its rim.
struct Edge<const SHARP: bool> {
    levels: [f32; LEVELS],
    sigma: f32,
    per_reach: f32,
    root_unit: f32,
}

impl<const SHARP: bool> Edge<SHARP> {
    fn new(model: &Prepared, levels: &[f32; LEVELS]) -> Self {
        let root_unit = model.per_reach.sqrt();
        Self { levels: *levels, sigma: model.variance.sqrt(), per_reach: model.per_reach, root_unit }
    }
}

impl<const SHARP: bool> Light for Edge<SHARP> {
    #[inline(always)]
    fn see(&self, place: Place) -> Seen {
        let [out_level, in_level, out_slope, in_root, in_slope, _] = self.levels;
        let edge = share::<SHARP>(place.depth, self.sigma, &place);
        let (deep, far) = (place.depth.max(0.0) * self.per_reach, (-place.depth).max(0.0) * self.per_reach);
        let root = root(place.depth, self.sigma, place.nx, place.ny);
        let (root, by_root) = (root.inside * self.root_unit, root.slope * self.root_unit);
        let contrast = in_level + in_slope * deep - out_level - out_slope * far;
        let outside = 1.0 - edge.inside;
        let own = [outside, edge.inside, outside * far, root, edge.inside * deep, 0.0];
        let across = contrast * edge.slope;
        let seen = out_level * own[0] + in_level * own[1] + out_slope * own[2] + in_root * own[3] + in_slope * own[4];
        Seen {
            own,
            seen,
            by_depth: across + in_root * by_root,
            by_variance: across * place.depth,
            by_width: 0.0,
            by_place: (0.0, 0.0, 0.0),
        }
    }
}

/// A lit ball by Lambert's law: ambient light, and light from one direction where the surface faces it. The normal of
/// the surface has length 1, so near the rim its component towards the camera is proportional to the root of the depth.
struct Ball<const SHARP: bool> {
    levels: [f32; LEVELS],
    sigma: f32,
    per_radius: f32,
}

impl<const SHARP: bool> Ball<SHARP> {
    fn new(model: &Prepared, levels: &[f32; LEVELS]) -> Self {
        Self { levels: *levels, sigma: model.variance.sqrt(), per_radius: model.per_radius }
    }
}

impl<const SHARP: bool> Light for Ball<SHARP> {
    const KNOWS_PLACE: bool = true;

    #[inline(always)]
    fn see(&self, place: Place) -> Seen {
        let [out_level, ambient, light_x, light_y, light_z, _] = self.levels;
        let edge = share::<SHARP>(place.depth, self.sigma, &place);
        let root = root(place.depth, self.sigma, place.nx, place.ny);
        // z² = u (2 - u) for the depth u in radii. The root has the first factor, the unit the second.
        let left = (2.0 - place.depth * self.per_radius).max(0.5);
        let unit = (self.per_radius * left).sqrt();
        let z = unit * root.inside;
        let by_z = unit * root.slope - 0.5 * z * self.per_radius / left;
        let within = self.per_radius / place.level.max(1.0);
        let (x, y) = (place.dx * within, place.dy * within);
        let sideways = light_x * x + light_y * y;
        let lit = if sideways * edge.inside + light_z * z >= 0.0 { 1.0 } else { 0.0 };
        let outside = 1.0 - edge.inside;
        let side = lit * edge.inside;
        let own = [outside, edge.inside, side * x, side * y, lit * z, 0.0];
        let across = (ambient + lit * sideways - out_level) * edge.slope;
        let seen = out_level * own[0] + ambient * own[1] + light_x * own[2] + light_y * own[3] + light_z * own[4];
        let by_depth = across + lit * light_z * by_z;
        // A quarter of the relative change of the radius belongs to each element of the form, with the other sign.
        let by_size = 0.25 * (side * sideways + lit * light_z * z * (left - 1.0) / left);
        let by_place = (-side * light_x * within, -side * light_y * within, by_size);
        Seen { own, seen, by_depth, by_variance: across * place.depth, by_width: 0.0, by_place }
    }
}

/// An edge with a stroke along it.
struct Stroke<const SHARP: bool> {
    edge: Edge<SHARP>,
    half: f32,
}

impl<const SHARP: bool> Stroke<SHARP> {
    fn new(model: &Prepared, levels: &[f32; LEVELS]) -> Self {
        Self { edge: Edge::new(model, levels), half: model.half_stroke }
    }
}

impl<const SHARP: bool> Light for Stroke<SHARP> {
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
            by_place: (0.0, 0.0, 0.0),
        }
    }
}
