//! The camera with effects: light passes through optics and sensor, in physical order.
//!
//! 1. Scene, in linear light: the background; the disc in front of it by exact area, averaged over the exposure; the
//!    occluder in front of both, texel by texel. `--invert` belongs here: it inverts the scene's light.
//! 2. Optics: blur, then vignette.
//! 3. Sensor: shot noise and read noise, then gamma, clipping and rounding.
//! 4. JPEG.
//!
//! The light of a channel is `base + level · cover − behind`. `base` is the scene without the ball, `cover` the share
//! of the light that the ball gives, `behind` the light that it hides. All three are after blur and the same in every
//! channel. Only the ball's surroundings are rendered again, unless an effect covers the whole image.

use shared::geometry::Size;
use shared::image::{Image, PixelFormat};
use smallvec::SmallVec;

use super::backdrop::{Backdrop, paint};
use super::blur::Optics;
use super::config::{Background, CameraConfig, Levels};
use super::exposure::{Exposed, expose, expose_one_of, places};
use super::jpeg;
use super::limit::LimitModel;
use super::noise::{FrameNoise, Noise};
use super::occluder::Occluder;
use super::plane::{Plane, Region};
use super::recycled::{Recycled, Spare};
use super::shape::{Form, show};
use super::view::View;
use super::vignette::Vignette;
use crate::scene::{Group, Random, Shot};
use crate::truth::Limit;

mod information;
mod viewed;

/// A camera with effects.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    size: Size,
    config: CameraConfig,
    levels: Levels,
    random: Random,
    /// The lens and the plane; `None` if the plane is the image.
    view: Option<View>,
    optics: Optics,
    vignette: Vignette,
    noise: Option<Noise>,
    model: LimitModel,
    /// The scene without the ball, after blur, before vignette.
    base: Plane,
    /// The region where `base` is not the plain background.
    painted: Region,
    /// The region where the image differs from the plain background.
    drawn: Region,
    image: Image,
    line: Vec<f32>,
    spare: Spare,
}

/// The ball's effect on the light, in the region of the image that it reaches.
struct Ball {
    region: Region,
    light: Layer,
    /// Derivatives of the light by x, y and radius; `None` if the limit does not need them.
    slopes: Option<[Layer; 3]>,
    /// Derivatives of the light by the parameters of the ball's form; empty for a round, even disc.
    shape: Vec<Layer>,
}

/// A layer of light: `level · cover − behind`. `cover` is what the ball gives, in units of its level.
struct Layer {
    cover: Plane,
    behind: Plane,
    /// The share that the layer hides, if it differs from `cover`.
    opacity: Option<Plane>,
}

/// The share of each texel that the occluder hides.
struct Hidden {
    texels: Plane,
    /// The same share after blur.
    blurred: Plane,
}

impl Pipeline {
    pub(super) fn new(size: Size, format: PixelFormat, config: &CameraConfig, random: Random) -> Self {
        let levels = config.levels(format);
        let image_region = Region::of_image(size);
        let mut pipeline = Self {
            size,
            config: *config,
            levels,
            view: View::new(&config.lens, size, &random)
                .or_else(|| (config.rolling_shutter > 0.0).then(|| View::flat(size))),
            random,
            optics: Optics::new(config.blur),
            vignette: Vignette::new(config.vignette, size),
            noise: Noise::new(config.noise, config.shot_noise),
            model: LimitModel::new(config, format),
            base: Plane::filled(image_region, levels.background as f32),
            painted: Region::default(),
            drawn: Region::default(),
            image: Image::zeros_or_end(size, format),
            line: Vec::new(),
            spare: Spare::default(),
        };
        pipeline.develop(image_region, &[], None);
        pipeline
    }

    /// Takes the picture of frame `index`. If `empty` is set, the ball is left out.
    pub(super) fn render(&mut self, shot: &Shot, index: u64, empty: bool) -> (&Image, Limit) {
        let mut spare = std::mem::take(&mut self.spare);
        let limit = spare.during(|| self.take_picture(shot, index, empty));
        self.spare = spare;
        (&self.image, limit)
    }

    fn take_picture(&mut self, shot: &Shot, index: u64, empty: bool) -> Limit {
        let backdrop = self.backdrop(index);
        let occluder =
            self.config.occlude.then(|| Occluder::new(&self.config, self.shown(shot, index), &self.random, index));
        let hidden = self.paint_base(&backdrop, occluder);
        let ball = if empty { None } else { self.ball(shot, index, &backdrop, hidden.as_ref()) };
        let limit = match &ball {
            _ if empty => Limit::Unknown,
            Some(ball) => self.limit(shot, ball, &backdrop, hidden.as_ref()),
            None => Limit::Unknown,
        };
        self.record(ball.as_slice(), index);
        limit
    }

    /// Takes the picture of several balls, as frame `index`. There is no occluder.
    pub(super) fn render_group(&mut self, group: &Group<'_>, index: u64) -> &Image {
        let mut spare = std::mem::take(&mut self.spare);
        spare.during(|| {
            let backdrop = self.backdrop(index);
            self.paint_base(&backdrop, None);
            let balls: SmallVec<[Ball; 8]> = self.balls(group, &backdrop).collect();
            self.record(&balls, index);
        });
        self.spare = spare;
        &self.image
    }

    /// Exposes the sensor, and puts the image through JPEG.
    fn record(&mut self, balls: &[Ball], index: u64) {
        self.expose_sensor(balls, index);
        if let Some(quality) = self.config.jpeg {
            jpeg::encode_and_decode(&mut self.image, quality);
        }
    }

    fn backdrop(&self, index: u64) -> Backdrop {
        Backdrop::new(&self.config, self.levels.background, self.size, self.optics.reach, &self.random, index)
    }

    /// The model of the limit, for tests that change it.
    #[cfg(test)]
    pub(super) fn model_mut(&mut self) -> &mut LimitModel {
        &mut self.model
    }

    /// The last picture taken.
    pub(super) fn image(&self) -> &Image {
        &self.image
    }

    /// Computes the scene without the ball.
    fn paint_base(&mut self, backdrop: &Backdrop, occluder: Option<Occluder>) -> Option<Hidden> {
        let image = Region::of_image(self.size);
        let reach = self.optics.reach;
        match backdrop {
            Backdrop::Even(level) => self.base.fill(self.painted, *level),
            Backdrop::Ramp(_) => self.base = Plane::from_fn(image, |x, y| backdrop.at(x, y)),
            Backdrop::Texels(_) if occluder.is_some() => {}
            Backdrop::Texels(texels) => self.base.copy(&self.optics.image_of_texels(texels.clone()), image),
        }
        self.painted = Region::default();
        let occluder = occluder?;
        // `near` is what the occluder changes in the image. That depends on texels up to one more reach away.
        let near = occluder.region(image.grown(reach)).grown(reach);
        let region = match backdrop {
            Backdrop::Texels(texels) => texels.region,
            _ => near.grown(reach),
        };
        let mut texels = Plane::from_fn(region, |x, y| backdrop.at(x, y));
        paint(&mut texels, &occluder.shape, occluder.gray);
        self.painted = if let Backdrop::Texels(_) = backdrop { image } else { near.intersection(image) };
        self.base.copy(&self.optics.image_of_texels(texels), self.painted);
        let mut cover = Plane::zeros(near.grown(reach));
        paint(&mut cover, &occluder.shape, 1.0);
        Some(Hidden { blurred: self.optics.image_of_texels(cover.clone()), texels: cover })
    }

    /// Computes the ball's light; `None` if it does not reach the image.
    fn ball(&self, shot: &Shot, index: u64, backdrop: &Backdrop, hidden: Option<&Hidden>) -> Option<Ball> {
        if let Some(view) = &self.view {
            return self.viewed_ball(&view.of_frame(index), shot, backdrop, hidden);
        }
        let image = Region::of_image(self.size);
        let reach = self.optics.reach;
        let places = places(&shot.path);
        let form = self.config.form(shot.circle(), &self.random, index);
        let reach_px = form.map_or(shot.radius, |form| form.reach());
        let touched = touched(&places, (0.0, 0.0), reach_px, image.grown(reach));
        let region = touched.grown(reach).intersection(image);
        if region.is_empty() {
            return None;
        }
        // Grown by the reach, because blur spreads the light beyond the touched pixels.
        let cells = touched.grown(reach);
        if let Some(form) = form {
            return Some(self.formed_ball(&form, &places, (cells, region), backdrop, hidden));
        }
        let closed = self.closed(shot, &places).is_some();
        let with_slopes = self.model.is_known() && !closed;
        let exposed = expose(&places, shot.radius, cells, self.optics.fine, with_slopes);
        Some(self.even_ball(exposed, with_slopes, (cells, region), backdrop, hidden))
    }

    /// The light of a ball of one level, from its coverage.
    fn even_ball(
        &self,
        exposed: Exposed,
        with_slopes: bool,
        (cells, region): (Region, Region),
        backdrop: &Backdrop,
        hidden: Option<&Hidden>,
    ) -> Ball {
        let layer = |values: Recycled<f32>| self.layer(values, cells, region, backdrop, hidden);
        let [x, y, radius] = exposed.slopes;
        let slopes = with_slopes.then(|| [layer(x), layer(y), layer(radius)]);
        Ball { region, light: layer(exposed.cover), slopes, shape: Vec::new() }
    }

    /// The light of a ball that is not a round disc of one level.
    fn formed_ball(
        &self,
        form: &Form,
        places: &[(f64, f64)],
        (cells, region): (Region, Region),
        backdrop: &Backdrop,
        hidden: Option<&Hidden>,
    ) -> Ball {
        let unknown = self.model.is_known().then_some(self.model.unknown);
        let shown = show(form, places, cells, self.optics.fine, unknown);
        let layer = |(cover, light)| self.layer_of(light, Some(cover), (cells, region), backdrop, hidden);
        let mut slopes: Vec<_> = shown.slopes.into_iter().map(layer).collect();
        let shape = slopes.split_off(slopes.len().min(3));
        let slopes = <[Layer; 3]>::try_from(slopes).ok();
        Ball { region, light: layer((shown.cover, shown.light)), slopes, shape }
    }

    /// The light that several balls send to the image: the part of each ball in the area that they cover together.
    fn balls(&self, group: &Group<'_>, backdrop: &Backdrop) -> impl Iterator<Item = Ball> {
        let image = Region::of_image(self.size);
        let reach = self.optics.reach;
        let moves = places(&group.path);
        (0..group.discs.len()).filter_map(move |one| {
            let disc = group.discs[one];
            // One pixel more on each side, because rounding may let a disc's part reach that far.
            let touched = touched(&moves, (disc.x, disc.y), disc.radius + 1.0, image.grown(reach));
            let region = touched.grown(reach).intersection(image);
            if region.is_empty() {
                return None;
            }
            let cells = touched.grown(reach);
            let cover = expose_one_of(group.discs, one, &moves, cells, self.optics.fine);
            Some(Ball {
                region,
                light: self.layer(cover, cells, region, backdrop, None),
                slopes: None,
                shape: Vec::new(),
            })
        })
    }

    /// Blurs light given on the grid of cells over `cells`, without the part that the occluder hides.
    fn layer(
        &self,
        values: Recycled<f32>,
        cells: Region,
        region: Region,
        backdrop: &Backdrop,
        hidden: Option<&Hidden>,
    ) -> Layer {
        self.layer_of(values, None, (cells, region), backdrop, hidden)
    }

    /// Like [`Self::layer`]. `opacity` is the share of each cell that the ball hides, if it differs from the share that
    /// it lights.
    fn layer_of(
        &self,
        mut values: Recycled<f32>,
        mut opacity: Option<Recycled<f32>>,
        (cells, region): (Region, Region),
        backdrop: &Backdrop,
        hidden: Option<&Hidden>,
    ) -> Layer {
        if let Some(hidden) = hidden {
            for values in [Some(&mut values), opacity.as_mut()].into_iter().flatten() {
                self.scale(values, cells, |x, y| 1.0 - hidden.texels.at(x, y));
            }
        }
        let behind = match backdrop {
            Backdrop::Even(_) => None,
            _ => {
                let mut behind = opacity.as_ref().unwrap_or(&values).clone();
                self.scale(&mut behind, cells, |x, y| backdrop.at(x, y));
                Some(self.optics.image_of_cells(cells, behind, region))
            }
        };
        let cover = self.optics.image_of_cells(cells, values, region);
        let opacity = opacity.map(|opacity| self.optics.image_of_cells(cells, opacity, region));
        let behind = behind.unwrap_or_else(|| {
            let level = self.levels.background as f32;
            let hides = opacity.as_ref().unwrap_or(&cover);
            Plane { region, values: hides.values.iter().map(|cover| cover * level).collect() }
        });
        Layer { cover, behind, opacity }
    }

    /// Multiplies all cells of each texel by the texel's factor.
    fn scale(&self, values: &mut [f32], cells: Region, factor: impl Fn(i64, i64) -> f32) {
        let fine = self.optics.fine;
        for (row, line) in values.chunks_exact_mut((cells.width * fine).max(1)).enumerate() {
            let y = cells.top + (row / fine) as i64;
            for (texel, x) in line.chunks_exact_mut(fine).zip(cells.columns()) {
                let factor = factor(x, y);
                texel.iter_mut().for_each(|value| *value *= factor);
            }
        }
    }

    /// Develops the part of the image where the light has changed.
    fn expose_sensor(&mut self, balls: &[Ball], index: u64) {
        let touched = balls.iter().fold(self.painted, |touched, ball| touched.union(ball.region));
        // JPEG also changes pixels where the light has not changed.
        let everywhere =
            self.noise.is_some() || self.config.background != Background::Plain || self.config.jpeg.is_some();
        let region = if everywhere { Region::of_image(self.size) } else { touched.union(self.drawn) };
        self.drawn = touched;
        let noise = self.noise.take();
        self.develop(region, balls, noise.as_ref().map(|noise| noise.of_frame(&self.random, index)));
        self.noise = noise;
    }

    /// Computes the pixels of a region of the image. With noise the region must be the whole image.
    fn develop(&mut self, region: Region, balls: &[Ball], mut noise: Option<FrameNoise<'_>>) {
        let Self { base, levels, vignette, model, image, line, size, .. } = self;
        let channels = image.format().channels();
        let Some(bytes) = bytes_of(image) else { return };
        for y in region.rows() {
            let start = y as usize * size.width as usize;
            for (channel, &level) in levels.ball.iter().enumerate().take(channels) {
                line.clear();
                line.extend_from_slice(base.part(y, region.columns()));
                for ball in balls.iter().filter(|ball| ball.region.rows().contains(&y)) {
                    let from = (ball.region.left - region.left) as usize;
                    add_ball(&mut line[from..from + ball.region.width], &ball.light, y, level as f32);
                }
                if let Some(gains) = vignette.row(y as usize) {
                    let gains = &gains[region.left as usize..];
                    line.iter_mut().zip(gains).for_each(|(light, gain)| *light *= gain);
                }
                if let Some(noise) = &mut noise {
                    noise.add(line);
                }
                let first = (start + region.left as usize) * channels + channel;
                model.output.write(line, &mut bytes[first..], channels);
            }
        }
    }
}

/// The pixels of `within` that a disc can touch at any of these places. Places are relative to an origin.
fn touched(places: &[(f64, f64)], origin: (f64, f64), radius: f64, within: Region) -> Region {
    let span = |origin: f64, pick: fn(&(f64, f64)) -> f64| {
        let all = || places.iter().map(|place| origin + pick(place));
        (all().fold(f64::INFINITY, f64::min) - radius, all().fold(f64::NEG_INFINITY, f64::max) + radius)
    };
    Region::around(span(origin.0, |place| place.0), span(origin.1, |place| place.1), within)
}

fn add_ball(line: &mut [f32], light: &Layer, y: i64, level: f32) {
    let sources = light.cover.row(y).iter().zip(light.behind.row(y));
    for (pixel, (cover, behind)) in line.iter_mut().zip(sources) {
        *pixel += level * cover - behind;
    }
}

fn bytes_of(image: &mut Image) -> Option<&mut [u8]> {
    match image {
        Image::Gray8(pixels) => pixels.as_slice_mut(),
        Image::Bgr8(pixels) => pixels.as_slice_mut(),
        // The camera refuses gray16.
        Image::Gray16(_) => None,
    }
}
