//! The ball: a scene with known truth, seen by the simulated camera. It renders frames within the session.

use clap::{Args, Command};
use shared::geometry::Size;
use shared::image::{Image, PixelFormat};
use shared::memory::{NoMemory, caught, look_for};

use super::error::SourceError;
use super::group::BallsScene;
use super::seam::{Numbered, Source, SourceFrame, SourceKind, StreamFormat, Supply};
use crate::camera::{Camera, CameraConfig, Room};
use crate::run::RunSpec;
use crate::scene::{BallConfig, BallError, ScatteredScene, Scene, Shot};
use crate::task::TaskName;
use crate::truth::Truth;

/// The name of this source after `--source`, and the default.
pub const NAME: &str = "ball";

/// The source's entry in the list of sources.
pub(super) struct BallKind;

impl SourceKind for BallKind {
    fn usage(&self) -> &'static str {
        NAME
    }

    fn is_meant(&self, text: &str) -> bool {
        text == NAME
    }

    fn is_computed(&self) -> bool {
        true
    }

    fn supply(&self, run: &RunSpec) -> Result<Box<dyn Supply>, SourceError> {
        let scene = BallScene::of(run);
        if run.sent.repeat {
            return Err(SourceError::NoLoop { source_name: NAME.into(), why: "has no end" });
        }
        if run.sent.task == Some(TaskName::count()) {
            let scene = BallsScene::of(run, scene.ball)?;
            scene.source()?;
            return Ok(Box::new(scene));
        }
        let given = [("balls", run.sent.balls.is_some()), ("overlap", run.sent.overlap.is_some())];
        if let Some((option, _)) = given.into_iter().find(|(_, is_given)| *is_given) {
            return Err(SourceError::OnlyCount { option });
        }
        scene.source()?;
        Ok(Box::new(scene))
    }
}

impl Supply for BallScene {
    fn format(&self) -> StreamFormat {
        StreamFormat { size: self.ball.size, pixel: self.pixel }
    }

    fn default_task(&self) -> TaskName {
        TaskName::default()
    }

    fn knows_truth(&self) -> bool {
        true
    }

    fn takes_long_to_open(&self) -> bool {
        true
    }

    fn open(&self) -> Result<Box<dyn Source>, SourceError> {
        Ok(Box::new(self.source()?))
    }

    fn numbered(&self) -> Result<Option<Box<dyn Numbered>>, SourceError> {
        Ok(Some(Box::new(self.source()?)))
    }
}

/// Options among [`Sent`](crate::run::Sent) that only the ball uses; the camera's options come on top.
const OPTIONS: [&str; 6] = ["balls", "overlap", "radius", "speed", "border", "lens"];

/// Those of them that describe the ball's motion and size.
pub(super) const MOTION: [&str; 3] = ["radius", "speed", "border"];

/// Ids of the options that only the ball uses.
pub(super) fn options_of_the_ball() -> Vec<String> {
    let camera = CameraConfig::augment_args(Command::new("camera"));
    let camera = camera.get_arguments().map(|option| option.get_id().to_string());
    OPTIONS.map(str::to_owned).into_iter().chain(camera).collect()
}

/// An option of the run that only the ball uses and that differs from its default.
pub(super) fn option_of_the_ball(run: &RunSpec) -> Option<String> {
    option_given(run, options_of_the_ball())
}

/// The first of these options, by id, whose value in the run differs from its default.
pub(super) fn option_given(run: &RunSpec, ids: Vec<String>) -> Option<String> {
    let [asked, plain] = [run, &RunSpec::default()].map(|run| serde_json::to_value(run).unwrap_or_default());
    let given = ids.into_iter().find(|id| asked.get(id) != plain.get(id));
    given.map(|id| id.replace('_', "-"))
}

/// The time step of a scene without a frame rate, in seconds: that of 60 frames per second.
pub const UNPACED_STEP_S: f64 = 1.0 / 60.0;

/// Frames that a camera holds: its image and, with the effect of JPEG, the picture and the image read from it.
const HELD: usize = 1;
const HELD_WITH_JPEG: usize = 3;

/// Looks for the memory of a camera's frames. The light of the effects is looked for where it is made.
pub(super) fn look_for_frame(size: Size, pixel: PixelFormat, camera: &CameraConfig) -> Result<(), NoMemory> {
    let held = if camera.jpeg.is_some() { HELD_WITH_JPEG } else { HELD };
    look_for(held * pixel.bytes(size), format_args!("frames of {size} {pixel}"))
}

/// How the ball's position changes from frame to frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Motion {
    /// It moves and bounces, so that frames follow each other.
    #[default]
    Bouncing,
    /// Position and direction are drawn for each frame, so that frames are independent.
    Scattered,
}

/// The scene and the camera that sees it.
#[derive(Clone, Copy, Debug)]
pub struct BallScene {
    /// The ball and its room.
    pub ball: BallConfig,
    /// How it moves.
    pub motion: Motion,
    /// The camera's effects.
    pub camera: CameraConfig,
    /// Pixels of the camera.
    pub pixel: PixelFormat,
    /// Seed of everything random.
    pub seed: u64,
}

impl BallScene {
    /// The scene of a run.
    pub fn of(run: &RunSpec) -> Self {
        let ball = BallConfig {
            size: run.size(),
            radius: run.radius(),
            speed_px_s: run.sent.speed,
            step_s: run.rate().hz().map_or(UNPACED_STEP_S, f64::recip),
            border: run.sent.border,
        };
        // A settled run has a seed.
        let seed = run.sent.seed.unwrap_or_default();
        Self { ball, motion: Motion::Bouncing, camera: run.camera, pixel: run.pixel(), seed }
    }

    /// Opens a new source. Each plays the same sequence from index 0.
    ///
    /// # Errors
    /// [`SourceError`] if the ball's size or motion, or the camera, is impossible.
    pub fn source(&self) -> Result<BallSource, SourceError> {
        let scene = self.place(&self.ball, (0.0, 0.0))?;
        let scene = match Room::of(&self.camera, &self.ball, self.seed)? {
            Some(Room { size, offset }) => self.place(&BallConfig { size, ..self.ball }, offset)?,
            None => scene,
        };
        look_for_frame(self.ball.size, self.pixel, &self.camera)?;
        let camera = caught(|| Camera::new(self.ball.size, self.pixel, &self.camera, self.ball.border, self.seed))??;
        let delay_s = self.camera.delay / 1e3;
        let shown = (delay_s > 0.0).then(|| scene.clone());
        Ok(BallSource { scene, shown, delay_s, camera, exposure: self.camera.exposure, next: 0 })
    }

    /// The scene of a ball, with all coordinates increased by an offset.
    fn place(&self, ball: &BallConfig, offset: (f64, f64)) -> Result<Place, BallError> {
        Ok(match self.motion {
            Motion::Bouncing => {
                let scene = Scene::new(self.seed, ball)?;
                Place::Bouncing(Box::new(if offset == (0.0, 0.0) { scene } else { scene.moved(offset) }))
            }
            Motion::Scattered => Place::Scattered(ScatteredScene::new(self.seed, ball)?.moved(offset)),
        })
    }
}

/// A ball seen by a camera. Frames may be asked for in any order; in sequence is fastest.
#[derive(Clone, Debug)]
pub struct BallSource {
    scene: Place,
    /// The same scene, for a camera with a delay, which shows it as it was earlier.
    shown: Option<Place>,
    delay_s: f64,
    camera: Camera,
    exposure: f64,
    next: u64,
}

impl BallSource {
    /// Renders the frame with this index.
    pub fn frame(&mut self, index: u64) -> SourceFrame<'_> {
        let shot = self.scene.shot(index, self.exposure);
        let delayed = self.shown.as_mut().map(|shown| shown.shot_before(index, self.exposure, self.delay_s));
        let picture = self.camera.render(delayed.as_ref().unwrap_or(&shot), index);
        let limit = picture.ball.map(|(_, limit)| limit);
        // The truth is that of the frame's time, whatever the camera shows.
        let truth = limit.map_or(Truth::Empty, |limit| self.camera.truth(shot.circle(), index, limit));
        SourceFrame { index, image: self.camera.image(), truth, meta: None }
    }
}

#[derive(Clone, Debug)]
enum Place {
    Bouncing(Box<Scene>),
    Scattered(ScatteredScene),
}

impl Place {
    fn shot(&mut self, index: u64, exposure: f64) -> Shot {
        match self {
            Self::Bouncing(scene) => scene.shot(index, exposure),
            Self::Scattered(scene) => scene.shot(index, exposure),
        }
    }
}

impl Place {
    /// The shot of a frame with the scene as it was this long earlier. Scattered balls have no earlier places, so they
    /// ignore the delay.
    fn shot_before(&mut self, index: u64, exposure: f64, delay_s: f64) -> Shot {
        match self {
            Self::Bouncing(scene) => scene.shot_before(index, exposure, delay_s),
            Self::Scattered(scene) => scene.shot(index, exposure),
        }
    }
}

impl Numbered for BallSource {
    fn at(&mut self, index: u64) -> SourceFrame<'_> {
        self.frame(index)
    }
}

impl Source for BallSource {
    fn next(&mut self) -> Result<Option<SourceFrame<'_>>, SourceError> {
        let index = self.next;
        self.next += 1;
        Ok(Some(caught(|| self.frame(index))?))
    }

    fn image(&self) -> Option<&Image> {
        Some(self.camera.image())
    }
}
