//! The simulated depth camera: the moving ball in front of a plane, as distances in mm. It renders frames within the
//! session.

use shared::geometry::Size;
use shared::image::{Image, PixelFormat};
use shared::memory::caught;

use super::ball::{MOTION, option_given, options_of_the_ball};
use super::error::SourceError;
use super::seam::{Numbered, Source, SourceFrame, SourceKind, StreamFormat, Supply};
use crate::camera::DepthCamera;
use crate::run::{FrameRate, RunSpec};
use crate::scene::{BallConfig, Radii, Scene};
use crate::task::TaskName;
use crate::truth::{Limit, Truth};

/// The name of this source after `--source`.
pub const NAME: &str = "depth";

/// Size of the frames if no option sets it: that of the depth camera of Kinect for Xbox One.
const SIZE: Size = Size { width: 512, height: 424 };

/// Frames per second if no option sets them: the rate of Kinect's depth camera.
const RATE_HZ: f64 = 30.0;

/// The source's entry in the list of sources.
pub(super) struct DepthKind;

impl SourceKind for DepthKind {
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
        if let Some(option) = option_given(run, unused_options()) {
            return Err(SourceError::Option { option, source_name: NAME.into() });
        }
        if run.sent.repeat {
            return Err(SourceError::NoLoop { source_name: NAME.into(), why: "has no end" });
        }
        if run.sent.task == Some(TaskName::count()) {
            return Err(SourceError::OneBall { source_name: NAME });
        }
        match run.sent.pixel {
            None | Some(PixelFormat::Gray16) => {}
            Some(pixel) => return Err(SourceError::NotDeep { pixel, source_name: NAME }),
        }
        let scene = DepthScene::of(run);
        scene.source()?;
        Ok(Box::new(scene))
    }
}

/// Ids of the run's options that this source does not use: all options of the ball except motion and size.
fn unused_options() -> Vec<String> {
    options_of_the_ball().into_iter().filter(|id| !MOTION.contains(&id.as_str())).collect()
}

/// The ball, and the depth camera that sees it.
#[derive(Clone, Copy, Debug)]
pub struct DepthScene {
    /// The ball and its room.
    pub ball: BallConfig,
    /// Standard deviation of a reading at 1 m, in mm.
    pub noise_mm: f64,
    /// Seed of everything random.
    pub seed: u64,
}

impl DepthScene {
    /// The scene of a run.
    fn of(run: &RunSpec) -> Self {
        let size = run.sent.size.unwrap_or(SIZE);
        let rate_hz = match run.sent.fps {
            Some(FrameRate::Given(rate)) => rate.hz().unwrap_or(RATE_HZ),
            None | Some(FrameRate::OfSource) => RATE_HZ,
        };
        let ball = BallConfig {
            size,
            radius: run.sent.radius.unwrap_or_else(|| Radii::for_size(size)),
            speed_px_s: run.sent.speed,
            step_s: rate_hz.recip(),
            border: run.sent.border,
        };
        // A settled run has a seed.
        let seed = run.sent.seed.unwrap_or_default();
        Self { ball, noise_mm: run.sent.depth_noise, seed }
    }

    /// Opens a new source. Each plays the same sequence from index 0.
    ///
    /// # Errors
    /// [`SourceError`] if the ball's size or motion is impossible.
    pub fn source(&self) -> Result<DepthSource, SourceError> {
        let scene = Scene::new(self.seed, &self.ball)?;
        let camera = caught(|| DepthCamera::new(self.ball.size, self.noise_mm, self.seed))?;
        Ok(DepthSource { scene, camera, next: 0 })
    }
}

impl Supply for DepthScene {
    fn format(&self) -> StreamFormat {
        StreamFormat { size: self.ball.size, pixel: PixelFormat::Gray16 }
    }

    fn default_task(&self) -> TaskName {
        TaskName::default()
    }

    fn rate_hz(&self) -> Option<f64> {
        Some(RATE_HZ)
    }

    fn knows_truth(&self) -> bool {
        true
    }

    fn unused_options(&self) -> Vec<String> {
        unused_options()
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

/// A ball seen by a depth camera. It renders frames in any order, and fastest in sequence.
#[derive(Clone, Debug)]
pub struct DepthSource {
    scene: Scene,
    camera: DepthCamera,
    next: u64,
}

impl Numbered for DepthSource {
    /// The frame with this index. The exposure has no duration, so mid-exposure is the time of the frame.
    fn at(&mut self, index: u64) -> SourceFrame<'_> {
        let circle = self.scene.at(index);
        let image = self.camera.render(circle, index);
        // Every ray reads one of two surfaces. Between two steps of a pixel the readings do not change with the circle,
        // so the Fisher information is 0 nearly everywhere and there is no Cramér–Rao bound.
        SourceFrame { index, image, truth: Truth::Ball { circle, limit: Limit::Unknown }, meta: None }
    }
}

impl Source for DepthSource {
    fn next(&mut self) -> Result<Option<SourceFrame<'_>>, SourceError> {
        let index = self.next;
        self.next += 1;
        Ok(Some(caught(|| self.at(index))?))
    }

    fn image(&self) -> Option<&Image> {
        Some(self.camera.image())
    }
}
