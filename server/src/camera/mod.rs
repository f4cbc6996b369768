//! The camera: makes frames as a real camera does, and states for each frame the least error an estimate can have.
//!
//! A [`Shot`] of a scene goes in; an image, its truth and its [`Limit`] come out. The truth is the real-valued circle
//! at mid-exposure, in image coordinates (pixel centres at integers). The camera knows nothing of networks or scores.
//!
//! Without effects (`plain`) only the ball's box is drawn. With effects (`config`) light passes the stages of
//! `pipeline`: scene (`exposure` of the disc's `coverage`, or another `shape`; `backdrop`, `occluder`), optics (`blur`, `vignette`), sensor
//! (`noise` from `normal`, `gamma`), `jpeg`. Everything random is a function of seed, purpose and frame index. The
//! arithmetic uses only + − × ÷ √ and `libm`, so every machine computes the same light.
//!
//! A [`GroupCamera`] shows several balls by the same stages. Together they cover the `union` of their discs.
//!
//! A [`DepthCamera`] sees distances instead of light. It shares only the `noise` numbers with the others.
//!
//! The `limit` of a picture follows from the `fisher` information of its pixels, less the part that `clipping` takes.
//! For a whole disc at rest it follows from the energy of the `edge`.

use shared::geometry::{Circle, Size};
use shared::image::{Image, PixelFormat};

use crate::scene::{Random, Shot, Stream};

mod backdrop;
mod blur;
mod clipping;
mod config;
mod coverage;
mod depth;
mod edge;
mod exposure;
mod fisher;
mod gamma;
mod group;
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
mod shape;
mod union;
mod vignette;

#[cfg(test)]
mod form_tests;
#[cfg(test)]
mod limit_tests;
#[cfg(test)]
mod tests;

pub use crate::truth::Limit;
pub use config::{BACKGROUND, Background, CAMERA_HEADING, CONTRAST, CameraConfig, CameraError};
pub use depth::DepthCamera;
pub use group::GroupCamera;
pub use limit::limit_kind;
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

/// A picture with its truth.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    /// The pixels.
    pub image: &'a Image,
    /// The disc at mid-exposure and the limit of its estimate; `None` in a frame without a ball.
    pub ball: Option<(Circle, Limit)>,
}

impl Camera {
    /// A camera that has not yet taken a picture. `cuts` says whether discs may reach beyond the image.
    ///
    /// # Errors
    /// [`CameraError`] names the first setting that is out of range.
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

    /// Takes the picture of frame `index`. It does not depend on earlier pictures.
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
