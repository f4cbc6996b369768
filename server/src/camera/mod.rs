//! The camera: makes frames as real cameras do, and knows of each how well it can be measured at best.
//!
//! A [`Shot`] of a scene goes in; an image, its truth and its [`Limit`] come out. The truth is the real-valued circle at
//! mid-exposure, in image coordinates (pixel centres at integers). The camera knows nothing of networks or scores.
//!
//! Without effects (`plain`) only the ball's box is drawn. With any of them (`config`) light goes the way that `pipeline`
//! tells: scene (`exposure` of the disc's `coverage`, `backdrop`, `occluder`), optics (`blur`,
//! `vignette`), sensor (`noise` ← `normal`, `gamma`), `jpeg`. Everything random is a function of seed, purpose and frame
//! index, and worked out with + − × ÷ √ and `libm`, so that every machine makes the same light. How well a picture can be
//! measured (`limit`) follows from the `fisher` information of its pixels, of which `clipping` takes a part, or, for a
//! whole disc at rest, from the energy of its `edge`.

use shared::geometry::{Circle, Size};
use shared::image::{Image, PixelFormat};

use crate::scene::{Random, Shot, Stream};

mod backdrop;
mod blur;
mod clipping;
mod config;
mod coverage;
mod edge;
mod exposure;
mod fisher;
mod gamma;
mod jpeg;
mod limit;
mod noise;
mod normal;
mod occluder;
mod pipeline;
mod plain;
mod plane;
mod polygon;
mod recycled;
mod render;
mod vignette;

#[cfg(test)]
mod limit_tests;
#[cfg(test)]
mod tests;

pub use crate::truth::Limit;
pub use config::{BACKGROUND, Background, CAMERA_HEADING, CONTRAST, CameraConfig, CameraError};
pub use plain::{BGR_INK, GRAY_INK, PlainCamera};
pub use render::Ink;

use limit::LimitModel;
use pipeline::Pipeline;

/// A camera of one image size, pixel format and set of effects.
#[derive(Clone, Debug)]
pub struct Camera {
    config: CameraConfig,
    random: Random,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Plain(Box<PlainCamera>, Box<LimitModel>),
    Effects(Box<Pipeline>),
}

/// A picture, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    /// The pixels.
    pub image: &'a Image,
    /// The disc at mid-exposure and how well it can be found; `None` in a frame without a ball.
    pub ball: Option<(Circle, Limit)>,
}

impl Camera {
    /// A camera that has seen nothing. `cuts` says that discs may reach beyond the image.
    ///
    /// # Errors
    /// [`CameraError`] names the first figure that is out of range.
    pub fn new(
        size: Size,
        format: PixelFormat,
        config: &CameraConfig,
        cuts: bool,
        seed: u64,
    ) -> Result<Self, CameraError> {
        config.check(format)?;
        let random = Random::new(seed);
        let kind = if config.is_plain() && !cuts {
            let model = LimitModel::new(config, format);
            Kind::Plain(Box::new(PlainCamera::new(size, format)), Box::new(model))
        } else {
            Kind::Effects(Box::new(Pipeline::new(size, format, config, random.clone())))
        };
        Ok(Self { config: *config, random, kind })
    }

    /// Takes the picture of frame `index`; what the camera saw before does not matter.
    pub fn render(&mut self, shot: &Shot, index: u64) -> Picture<'_> {
        let empty = self.config.empty_rate > 0.0 && self.random.uniform(Stream::Empty, index) < self.config.empty_rate;
        let disc = shot.circle();
        match &mut self.kind {
            Kind::Plain(camera, model) => {
                let limit = model.closed(disc.radius).unwrap_or(Limit::Unknown);
                let image = if empty { camera.render_empty() } else { camera.render(disc) };
                Picture { image, ball: (!empty).then_some((disc, limit)) }
            }
            Kind::Effects(pipeline) => {
                let (image, limit) = pipeline.render(shot, index, empty);
                Picture { image, ball: (!empty).then_some((disc, limit)) }
            }
        }
    }

    /// The last picture taken.
    pub fn image(&self) -> &Image {
        match &self.kind {
            Kind::Plain(camera, _) => camera.image(),
            Kind::Effects(pipeline) => pipeline.image(),
        }
    }
}
