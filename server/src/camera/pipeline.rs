//! The camera with effects: light through optics and sensor, in the order in which it happens.
//!
//! 1. Scene, in linear light: background, the disc before it by exact area, averaged over the exposure, and the
//!    occluder before both, texel by texel. `--invert` belongs here: it turns the scene's light round.
//! 2. Optics: blur, then vignette.
//! 3. Sensor: shot noise and read noise, then gamma, clipping and rounding.
//! 4. JPEG.
//!
//! Light of a channel is `base + level · cover − behind`: `base` is the scene without the ball, `cover` the share of the
//! light that the ball gives, `behind` what it hides, all three after the optics and alike in every channel. Only the
//! ball's surroundings are worked out anew, unless an effect is all over the image.

use shared::geometry::Size;
use shared::image::{Image, PixelFormat};

use super::backdrop::{Backdrop, paint};
use super::blur::Optics;
use super::config::{Background, CameraConfig, Levels};
use super::exposure::{expose, places};
use super::jpeg;
use super::limit::{Limit, LimitModel, Pixel};
use super::noise::{FrameNoise, Noise};
use super::occluder::Occluder;
use super::plane::{Plane, Region};
use super::vignette::Vignette;
use crate::scene::{Random, Shot};

/// How many rows and columns of the image beside the ball are looked at for what they tell of the background: the
/// level and slope of so many pixels are known so well that a coarse count does.
const SAMPLES: u32 = 32;

/// A camera with effects.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    size: Size,
    config: CameraConfig,
    levels: Levels,
    random: Random,
    optics: Optics,
    vignette: Vignette,
    noise: Option<Noise>,
    model: LimitModel,
    /// The scene without the ball, after blur, before vignette.
    base: Plane,
    /// Where `base` is not the plain background.
    painted: Region,
    /// Where the image is not that of the plain background.
    drawn: Region,
    image: Image,
    line: Vec<f32>,
}

/// What the ball does to the light, in the part of the image where it does anything.
struct Ball {
    region: Region,
    light: Layer,
    /// With x, y and radius; absent where nobody asks.
    slopes: Option<[Layer; 3]>,
}

/// Light of a level: `level · cover − behind`.
struct Layer {
    cover: Plane,
    behind: Plane,
}

/// The share of the light that something before the ball takes, of each texel, and the same after the optics.
struct Hidden {
    texels: Plane,
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
            random,
            optics: Optics::new(config.blur),
            vignette: Vignette::new(config.vignette, size),
            noise: Noise::new(config.noise, config.shot_noise),
            model: LimitModel::new(config, format),
            base: Plane::filled(image_region, levels.background as f32),
            painted: Region::default(),
            drawn: Region::default(),
            image: Image::zeros(size, format),
            line: Vec::new(),
        };
        pipeline.develop(image_region, None, None);
        pipeline
    }

    /// Takes the picture of frame `index`; of `shot` without the ball where it is empty.
    pub(super) fn render(&mut self, shot: &Shot, index: u64, empty: bool) -> (&Image, Limit) {
        let margin = self.optics.reach;
        let level = self.levels.background;
        let backdrop = Backdrop::new(&self.config, level, self.size, margin, &self.random, index);
        let occluder = self.config.occlude.then(|| Occluder::new(&self.config, shot.circle(), &self.random, index));
        let hidden = self.paint_base(&backdrop, occluder);
        let ball = if empty { None } else { self.ball(shot, &backdrop, hidden.as_ref()) };
        let limit = match &ball {
            _ if empty => Limit::Unknown,
            Some(ball) => self.limit(shot, ball, &backdrop, hidden.as_ref()),
            None => Limit::Unknown,
        };
        self.expose_sensor(ball.as_ref(), index);
        if let Some(quality) = self.config.jpeg {
            jpeg::there_and_back(&mut self.image, quality);
        }
        (&self.image, limit)
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

    /// Works out the scene without the ball.
    fn paint_base(&mut self, backdrop: &Backdrop, occluder: Option<Occluder>) -> Option<Hidden> {
        let image = Region::of_image(self.size);
        let reach = self.optics.reach;
        match backdrop {
            Backdrop::Even(level) => fill(&mut self.base, self.painted, *level),
            Backdrop::Ramp(_) => self.base = Plane::from_fn(image, |x, y| backdrop.at(x, y)),
            Backdrop::Texels(_) if occluder.is_some() => {}
            Backdrop::Texels(texels) => copy(&mut self.base, &self.optics.image_of_texels(texels.clone()), image),
        }
        self.painted = Region::default();
        let occluder = occluder?;
        // What it does to the image, and, twice as far, what that depends on.
        let near = occluder.region(image.grown(reach)).grown(reach);
        let region = match backdrop {
            Backdrop::Texels(texels) => texels.region,
            _ => near.grown(reach),
        };
        let mut texels = Plane::from_fn(region, |x, y| backdrop.at(x, y));
        paint(&mut texels, &occluder.shape, occluder.gray);
        self.painted = if let Backdrop::Texels(_) = backdrop { image } else { near.intersection(image) };
        copy(&mut self.base, &self.optics.image_of_texels(texels), self.painted);
        let mut cover = Plane::zeros(near.grown(reach));
        paint(&mut cover, &occluder.shape, 1.0);
        Some(Hidden { blurred: self.optics.image_of_texels(cover.clone()), texels: cover })
    }

    /// Works out the ball's light; `None` where it does not reach the image.
    fn ball(&self, shot: &Shot, backdrop: &Backdrop, hidden: Option<&Hidden>) -> Option<Ball> {
        let image = Region::of_image(self.size);
        let reach = self.optics.reach;
        let places = places(&shot.path);
        let touched = touched(&places, shot.radius, image.grown(reach));
        let region = touched.grown(reach).intersection(image);
        if region.is_empty() {
            return None;
        }
        // Wide enough for what the optics carry out of it.
        let cells = touched.grown(reach);
        let closed = self.closed(shot, &places).is_some();
        let with_slopes = self.model.is_known() && !closed;
        let exposed = expose(&places, shot.radius, cells, self.optics.fine, with_slopes);
        let layer = |values: Vec<f32>| self.layer(values, cells, region, backdrop, hidden);
        let [x, y, radius] = exposed.slopes;
        let slopes = with_slopes.then(|| [layer(x), layer(y), layer(radius)]);
        Some(Ball { region, light: layer(exposed.cover), slopes })
    }

    /// Light on a grid of cells over `cells`, taken away where something stands before it, through the optics.
    fn layer(
        &self,
        mut values: Vec<f32>,
        cells: Region,
        region: Region,
        backdrop: &Backdrop,
        hidden: Option<&Hidden>,
    ) -> Layer {
        if let Some(hidden) = hidden {
            self.scale(&mut values, cells, |x, y| 1.0 - hidden.texels.at(x, y));
        }
        let behind = match backdrop {
            Backdrop::Even(_) => None,
            _ => {
                let mut behind = values.clone();
                self.scale(&mut behind, cells, |x, y| backdrop.at(x, y));
                Some(self.optics.image_of_cells(cells, behind, region))
            }
        };
        let cover = self.optics.image_of_cells(cells, values, region);
        let behind = behind.unwrap_or_else(|| {
            let level = self.levels.background as f32;
            Plane { region, values: cover.values.iter().map(|cover| cover * level).collect() }
        });
        Layer { cover, behind }
    }

    /// Multiplies the cells of each texel.
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

    /// Lets the light fall on as much of the sensor as it has changed on.
    fn expose_sensor(&mut self, ball: Option<&Ball>, index: u64) {
        let touched = self.painted.union(ball.map_or_else(Region::default, |ball| ball.region));
        // A codec changes pixels that no light has.
        let everywhere =
            self.noise.is_some() || self.config.background != Background::Plain || self.config.jpeg.is_some();
        let region = if everywhere { Region::of_image(self.size) } else { touched.union(self.drawn) };
        self.drawn = touched;
        let noise = self.noise.take();
        self.develop(region, ball, noise.as_ref().map(|noise| noise.of_frame(&self.random, index)));
        self.noise = noise;
    }

    /// Works out the pixels of a region of the image; with noise, it must be the whole.
    fn develop(&mut self, region: Region, ball: Option<&Ball>, mut noise: Option<FrameNoise<'_>>) {
        let Self { base, levels, vignette, model, image, line, size, .. } = self;
        let channels = image.format().channels();
        let Some(bytes) = bytes_of(image) else { return };
        for y in region.rows() {
            let start = y as usize * size.width as usize;
            for (channel, &level) in levels.ball.iter().enumerate().take(channels) {
                line.clear();
                line.extend_from_slice(base.part(y, region.columns()));
                if let Some(ball) = ball.filter(|ball| ball.region.rows().contains(&y)) {
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

    /// The limit in closed form, for a whole disc at rest.
    fn closed(&self, shot: &Shot, places: &[(f64, f64)]) -> Option<Limit> {
        let [(x, y)] = places else { return None };
        let reach = shot.radius + self.optics.reach as f64;
        let whole = |centre: f64, side: u32| centre - reach >= -0.5 && centre + reach <= f64::from(side) - 0.5;
        let whole = whole(*x, self.size.width) && whole(*y, self.size.height);
        self.model.closed(shot.radius).filter(|_| whole)
    }

    fn limit(&self, shot: &Shot, ball: &Ball, backdrop: &Backdrop, hidden: Option<&Hidden>) -> Limit {
        if !self.model.is_known() {
            return Limit::Unknown;
        }
        let Some(slopes) = &ball.slopes else {
            return self.closed(shot, &[shot.path.middle()]).unwrap_or(Limit::Unknown);
        };
        let mut fisher = self.model.fisher();
        let (x0, y0) = shot.path.middle();
        let place = |x: i64, y: i64| ((x as f64 - x0) / 100.0, (y as f64 - y0) / 100.0);
        let layers = [&slopes[0], &slopes[1], &slopes[2]];
        for y in ball.region.rows() {
            let (cover, behind) = (ball.light.cover.row(y), ball.light.behind.row(y));
            let rows = layers.map(|layer| (layer.cover.row(y), layer.behind.row(y)));
            let base = self.base.part(y, ball.region.columns());
            let gains = self.vignette.row(y as usize);
            for (index, x) in ball.region.columns().enumerate() {
                let gain = gains.map_or(1.0, |gains| f64::from(gains[x as usize]));
                let (cover, behind) = (f64::from(cover[index]), f64::from(behind[index]));
                let light = |level: f64| gain * (f64::from(base[index]) + level * cover - behind);
                let slope = |layer: usize, level: f64| {
                    let (cover, behind) = rows[layer];
                    gain * (level * f64::from(cover[index]) - f64::from(behind[index]))
                };
                let levels = self.levels.ball;
                let share = |level: f64| gain * cover * (level - self.levels.background);
                let pixel = Pixel {
                    light: levels.map(light),
                    ball: [
                        levels.map(|l| slope(0, l)),
                        levels.map(|l| slope(1, l)),
                        levels.map(|l| slope(2, l)),
                        levels.map(share),
                    ],
                    background: gain * (1.0 - cover - hidden.map_or(0.0, |hidden| f64::from(hidden.blurred.at(x, y)))),
                    place: place(x, y),
                };
                self.model.add(&mut fisher, &pixel, 1.0);
            }
        }
        if !matches!(backdrop, Backdrop::Texels(_)) {
            self.add_background(&mut fisher, ball.region, place);
        }
        self.model.of(&fisher)
    }

    /// Adds what the image beside the ball tells of the background, by samples.
    fn add_background(&self, fisher: &mut super::limit::Fisher, ball: Region, place: impl Fn(i64, i64) -> (f64, f64)) {
        let stride = (self.size.shorter_side() / SAMPLES).max(1) as usize;
        let image = Region::of_image(self.size);
        for y in image.rows().step_by(stride) {
            let gains = self.vignette.row(y as usize);
            for x in image.columns().step_by(stride) {
                if ball.columns().contains(&x) && ball.rows().contains(&y) {
                    continue;
                }
                let gain = gains.map_or(1.0, |gains| f64::from(gains[x as usize]));
                let light = [gain * f64::from(self.base.at(x, y)); 3];
                let pixel = Pixel { light, ball: [[0.0; 3]; 4], background: gain, place: place(x, y) };
                self.model.add(fisher, &pixel, (stride * stride) as f64);
            }
        }
    }
}

/// The pixels that a disc in any of these places can touch.
fn touched(places: &[(f64, f64)], radius: f64, within: Region) -> Region {
    let span = |pick: fn(&(f64, f64)) -> f64| {
        let all = || places.iter().map(pick);
        (all().fold(f64::INFINITY, f64::min) - radius, all().fold(f64::NEG_INFINITY, f64::max) + radius)
    };
    Region::around(span(|place| place.0), span(|place| place.1), within)
}

fn add_ball(line: &mut [f32], light: &Layer, y: i64, level: f32) {
    let sources = light.cover.row(y).iter().zip(light.behind.row(y));
    for (pixel, (cover, behind)) in line.iter_mut().zip(sources) {
        *pixel += level * cover - behind;
    }
}

fn fill(plane: &mut Plane, region: Region, value: f32) {
    for y in region.rows() {
        let left = (region.left - plane.region.left) as usize;
        plane.row_mut(y)[left..left + region.width].fill(value);
    }
}

/// Copies a region that lies in both planes.
fn copy(to: &mut Plane, from: &Plane, region: Region) {
    for y in region.rows() {
        let left = (region.left - to.region.left) as usize;
        to.row_mut(y)[left..left + region.width].copy_from_slice(from.part(y, region.columns()));
    }
}

fn bytes_of(image: &mut Image) -> Option<&mut [u8]> {
    match image {
        Image::Gray8(pixels) => pixels.as_slice_mut(),
        Image::Bgr8(pixels) => pixels.as_slice_mut(),
    }
}
