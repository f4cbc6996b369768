//! The camera: makes frames as a real camera does, and states for each frame the least error an estimate can have.
//!
//! A [`Shot`] of a scene goes in; an image, its truth and its [`Limit`] come out. The truth is the real-valued circle
//! at mid-exposure, in image coordinates (pixel centres at integers). The camera knows nothing of networks or scores.
//!
//! With a `lens` or a rolling shutter the ball moves on a plane of its own. The `view` takes its `outline` to the image; the truth is in the image.
//!
//! Without effects (`plain`) only the ball's box is drawn. With effects (`config`) light passes the stages of
//! `pipeline`: scene (`exposure` of the disc's `coverage`, or another `shape` ← `ellipse`; `backdrop`, `occluder`), optics (`blur`, `vignette`), sensor
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

use crate::scene::{BallConfig, Random, Shot, Stream};
use crate::truth::Truth;

mod backdrop;
mod blur;
mod clipping;
mod config;
mod coverage;
mod depth;
mod edge;
mod ellipse;
mod error;
mod exposure;
mod fisher;
mod gamma;
mod group;
mod jpeg;
mod lens;
mod limit;
mod noise;
mod normal;
mod occluder;
mod outline;
mod pipeline;
mod plain;
mod plane;
mod polygon;
mod recycled;
mod render;
mod rows;
mod shape;
mod union;
mod view;
mod vignette;

#[cfg(test)]
mod form_tests;
#[cfg(test)]
mod limit_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod view_tests;

pub use crate::truth::Limit;
pub use config::{BACKGROUND, Background, CONTRAST, CameraConfig};
pub use depth::DepthCamera;
pub use error::CameraError;
pub use group::GroupCamera;
pub(crate) use lens::MOST_POSES;
pub use lens::{Bend, Body, CAMERA_HEADING, Centre, Focal, LensConfig, NotOfALens, PlanePose, TruthPoint};
pub use limit::limit_kind;
pub use plain::{BGR_INK, GRAY_INK, PlainCamera};
pub use render::Ink;

use limit::LimitModel;
use pipeline::Pipeline;
use view::View;

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
    /// The disc at mid-exposure and the limit of its estimate; `None` in a frame without a ball. With a lens it is the circle
    /// about the scored point with the area of the picture.
    pub ball: Option<(Circle, Limit)>,
}

/// The part of the plane in which a ball is seen whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Room {
    /// Its size, in px of the plane.
    pub size: Size,
    /// Place of its origin in the coordinates of the plane, in px.
    pub offset: (f64, f64),
}

impl Room {
    /// The room of this ball in front of this camera, in all poses; `None` if the plane is the image.
    ///
    /// # Errors
    /// [`CameraError::NoRoom`] if the ball does not fit into it.
    pub fn of(config: &CameraConfig, ball: &BallConfig, seed: u64) -> Result<Option<Self>, CameraError> {
        let view = View::new(&config.lens, ball.size, &Random::new(seed));
        let (Some(view), Some(lens)) = (view, config.lens.given()) else {
            return Ok(None);
        };
        let radius = ball.radius.max;
        let size = view.room(radius, ball.border);
        match size.filter(|size| 2.0 * radius <= f64::from(size.shorter_side())) {
            Some(size) => Ok(Some(Self { size, offset: view.offset(size) })),
            None => {
                let room = size.map_or_else(|| "which is nothing".into(), |size| format!("which is {size} px of it"));
                Err(CameraError::NoRoom { radius, lens, room })
            }
        }
    }
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
                let disc = pipeline.shown(shot, index);
                let (image, limit) = pipeline.render(shot, index, empty);
                Picture { image, ball: (!empty).then_some((disc, limit)) }
            }
        }
    }

    /// The truth of frame `index` if it shows this ball: with a lens, what is seen of it.
    pub fn truth(&self, ball: Circle, index: u64, limit: Limit) -> Truth {
        let view = match &self.kind {
            Kind::Plain(..) => None,
            Kind::Effects(pipeline) => pipeline.view().filter(|view| view.has_lens()),
        };
        match view.map(|view| view.of_frame(index).seen(ball)) {
            None => Truth::Ball { circle: ball, limit },
            Some(Some((circle, projected))) => Truth::Projected { circle, limit, projected },
            // The room of the ball is chosen so that it is always seen.
            Some(None) => Truth::Unknown,
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
