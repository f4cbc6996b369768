//! The source of the task `count`: several balls at new places in each frame. Their number is the truth. It renders
//! frames within the session.

use shared::image::{Image, PixelFormat};
use shared::memory::caught;

use super::ball::look_for_frame;
use super::error::SourceError;
use super::seam::{Numbered, Source, SourceFrame, StreamFormat, Supply};
use crate::camera::{CameraConfig, GroupCamera};
use crate::run::RunSpec;
use crate::scene::{BallConfig, GroupConfig, GroupScene};
use crate::task::TaskName;
use crate::truth::Truth;

/// Several balls and the camera that sees them.
#[derive(Clone, Copy, Debug)]
pub struct BallsScene {
    /// The balls.
    pub group: GroupConfig,
    /// The camera's effects. There is no occluder, and no frame is left empty.
    pub camera: CameraConfig,
    /// Pixels of the camera.
    pub pixel: PixelFormat,
    /// Seed of everything random.
    pub seed: u64,
}

impl BallsScene {
    /// The scene of a run of the task `count`, with balls like this one.
    ///
    /// # Errors
    /// [`SourceError`] names an option that does not go with the task.
    pub(super) fn of(run: &RunSpec, ball: BallConfig) -> Result<Self, SourceError> {
        let refused = |option, right| Err(SourceError::NotCount { option, right });
        if run.camera.empty_rate > 0.0 {
            return refused("empty-rate", "leave it out; --balls 0..6, for example, shows frames without a ball");
        }
        if run.camera.occlude {
            return refused("occlude", "leave it out; an occluder could hide a whole ball");
        }
        if run.camera.delay > 0.0 {
            return refused("delay", "leave it out; the balls of a frame are not those of the frame before");
        }
        if run.camera.rolling_shutter > 0.0 {
            return refused("rolling-shutter", "leave it out; the balls of a frame are seen at one time");
        }
        let camera = &run.camera;
        let forms = [("aspect", camera.aspect), ("shade", camera.shade), ("ring", camera.ring)];
        if let Some((option, _)) = forms.into_iter().find(|(_, given)| given.is_some()) {
            return refused(option, "leave it out; several balls are even discs");
        }
        if let Some(option) = camera.lens.given() {
            return refused(option, "leave it out; the balls of the task lie in the image");
        }
        let group = GroupConfig { ball, balls: run.balls(), overlap: run.overlap() };
        // A settled run has a seed.
        let seed = run.sent.seed.unwrap_or_default();
        Ok(Self { group, camera: run.camera, pixel: run.pixel(), seed })
    }

    /// Opens a new source. Each plays the same sequence from index 0.
    ///
    /// # Errors
    /// [`SourceError`] if a ball, their number or the camera is impossible.
    pub fn source(&self) -> Result<BallsSource, SourceError> {
        let scene = GroupScene::new(self.seed, &self.group)?;
        look_for_frame(self.group.ball.size, self.pixel, &self.camera)?;
        let camera = caught(|| GroupCamera::new(self.group.ball.size, self.pixel, &self.camera, self.seed))??;
        Ok(BallsSource { scene, camera, exposure: self.camera.exposure, next: 0 })
    }
}

impl Supply for BallsScene {
    fn format(&self) -> StreamFormat {
        let BallConfig { size, .. } = self.group.ball;
        StreamFormat { size, pixel: self.pixel }
    }

    fn default_task(&self) -> TaskName {
        TaskName::count()
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

/// Several balls seen by a camera. Frames may be asked for in any order.
#[derive(Clone, Debug)]
pub struct BallsSource {
    scene: GroupScene,
    camera: GroupCamera,
    exposure: f64,
    next: u64,
}

impl BallsSource {
    /// Renders the frame with this index.
    pub fn frame(&mut self, index: u64) -> SourceFrame<'_> {
        let group = self.scene.group(index, self.exposure);
        // Every ball counts, because the scene places its centre inside the frame. There are at most
        // [`MAX_BALLS`](crate::scene::MAX_BALLS).
        let truth = Truth::Balls(group.discs.len() as u32);
        SourceFrame { index, image: self.camera.render(&group, index), truth, meta: None }
    }
}

impl Numbered for BallsSource {
    fn at(&mut self, index: u64) -> SourceFrame<'_> {
        self.frame(index)
    }
}

impl Source for BallsSource {
    fn next(&mut self) -> Result<Option<SourceFrame<'_>>, SourceError> {
        let index = self.next;
        self.next += 1;
        Ok(Some(caught(|| self.frame(index))?))
    }

    fn image(&self) -> Option<&Image> {
        Some(self.camera.image())
    }
}

#[cfg(test)]
mod tests {
    use shared::geometry::Size;

    use super::*;
    use crate::scene::{Balls, Radii};

    fn scene(seed: u64) -> BallsScene {
        let size = Size { width: 320, height: 240 };
        let radius = Radii { min: 8.0, max: 20.0 };
        let ball = BallConfig { size, radius, speed_px_s: 200.0, step_s: 1.0 / 60.0, border: false };
        let group = GroupConfig { ball, balls: Balls { min: 0, max: 6 }, overlap: 0.1 };
        BallsScene { group, camera: CameraConfig::default(), pixel: PixelFormat::Gray8, seed }
    }

    #[test]
    fn a_seed_gives_the_same_frames_again_and_another_seed_gives_others() {
        let frames = |seed| {
            let mut source = scene(seed).source().expect("a possible scene");
            let frame = |index| {
                let frame = source.frame(index);
                (frame.truth, frame.image.clone())
            };
            (0..20).map(frame).collect::<Vec<_>>()
        };
        assert!(frames(7) == frames(7));
        assert!(frames(7) != frames(8));
    }

    // From a second implementation, written in another language.
    #[test]
    fn the_frames_of_a_seed_show_their_golden_numbers_of_balls() {
        let mut source = scene(7).source().expect("a possible scene");
        let truths: Vec<Truth> = (0..12).map(|index| source.frame(index).truth).collect();
        assert_eq!(truths, [6, 3, 5, 5, 4, 1, 5, 0, 2, 6, 6, 1].map(Truth::Balls));
    }
}
