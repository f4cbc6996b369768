//! The conditions of the benchmark: what is rendered, and the goals that the detector should reach.

use serde::{Deserialize, Serialize};
use server::camera::{Background, CameraConfig};
use server::scene::{BallConfig, Radii};
use server::source::{BallScene, Motion};
use shared::geometry::Size;
use shared::image::PixelFormat;

use crate::failure::Failure;
use crate::frames::{Drawn, Frames, Rendered};

const VGA: Size = Size { width: 640, height: 480 };
const FULL_HD: Size = Size { width: 1920, height: 1080 };

/// Radii of the discs at either size, in px.
const VGA_RADII: Radii = Radii { min: 10.0, max: 40.0 };
const FULL_HD_RADII: Radii = Radii { min: 30.0, max: 80.0 };

/// Frames per second, and the share of the frame interval for which the shutter is open if the disc moves.
const RATE_HZ: f64 = 60.0;
const EXPOSURE: f64 = 0.5;

/// Empty frames are divided among eight conditions: 50,000 in all when the others have 10,000 each.
const EMPTY_SHARE: f64 = 5.0 / 8.0;

/// Goals by kind of condition: `PLAIN` if the limit is a bound, `CLEAN` if it is a reference. The others are for frames
/// in which more than noise is in the way, or which show no disc.
const PLAIN: Goals = Goals {
    ratio: Some(1.05),
    missed: Some(1e-4),
    false_positives: None,
    time_us: Some(50.0),
    faster: Some(12.0),
    closer: None,
};
const CLEAN: Goals = Goals { ratio: Some(1.15), ..PLAIN };
const RAMP: Goals = Goals { ratio: Some(1.15), ..PLAIN };
const LOW_LIGHT: Goals = Goals { ratio: Some(1.10), missed: Some(1e-3), time_us: Some(200.0), ..PLAIN };
const HIDDEN: Goals = Goals { ratio: Some(1.15), missed: Some(1e-3), ..PLAIN };
const MOVING: Goals = Goals { time_us: Some(200.0), ..PLAIN };
const SPOILT: Goals = Goals { ratio: None, time_us: Some(200.0), ..PLAIN };
const ELLIPSE: Goals = Goals { ratio: Some(1.10), missed: Some(1e-3), time_us: None, ..PLAIN };
const OUTLINE: Goals = Goals { ratio: Some(1.15), ..ELLIPSE };
const SHADED: Goals = Goals { ratio: None, ..ELLIPSE };
const EMPTY: Goals =
    Goals { ratio: None, missed: None, false_positives: Some(1e-4), time_us: None, faster: None, closer: None };

/// A condition.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    /// Its name in the table.
    pub(crate) name: String,
    /// The detector's goals.
    pub(crate) goals: Goals,
    ball: BallConfig,
    camera: CameraConfig,
    /// Whether discs are drawn in whole pixels instead of rendered.
    is_drawn: bool,
}

/// The detector's goals; `None` where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Goals {
    /// Largest ratio of the mean L1 error to its limit.
    pub(crate) ratio: Option<f64>,
    /// Largest share of missed discs.
    pub(crate) missed: Option<f64>,
    /// Largest share of empty frames with a circle.
    pub(crate) false_positives: Option<f64>,
    /// Largest median time, in µs.
    pub(crate) time_us: Option<f64>,
    /// Smallest factor by which to be faster than OpenCV's gradient method.
    pub(crate) faster: Option<f64>,
    /// Smallest factor by which to be more accurate than OpenCV's gradient method.
    pub(crate) closer: Option<f64>,
}

/// All conditions, in the order of the table.
pub(crate) fn all() -> Vec<Condition> {
    let mut all = vec![
        noise(5.0),
        noise(10.0).asks(Goals { closer: Some(10.0), ..PLAIN }),
        noise(20.0),
        noise(40.0),
        plain("clean").asks(CLEAN),
        blur(1.0).with_noise(10.0),
        blur(2.0).with_noise(10.0),
        blur(4.0).with_noise(10.0),
        Condition { name: "blur 2, clean".into(), ..blur(2.0) }.asks(CLEAN),
        plain("contrast 10").sees(|camera| camera.contrast = 10.0).with_noise(2.0),
        cut("border").with_noise(10.0),
        moving(5.0),
        moving(10.0),
        moving(20.0),
        plain("ramp").sees(|camera| camera.background = Background::Ramp).with_noise(5.0).asks(RAMP),
        low_light(),
        Condition {
            name: "vignette 0.3, noise 5".into(),
            ..plain("").sees(|camera| (camera.vignette, camera.noise) = (0.3, 5.0))
        }
        .asks(LOW_LIGHT),
        clutter("clutter").with_noise(5.0).asks(HIDDEN),
        plain("occluded").sees(|camera| camera.occlude = true).with_noise(5.0).asks(HIDDEN),
        clutter("clutter, occluded").sees(|camera| camera.occlude = true).with_noise(5.0).asks(HIDDEN),
        jpeg(50).asks(Goals { time_us: PLAIN.time_us, ..SPOILT }),
        jpeg(10).asks(SPOILT),
        Condition { is_drawn: true, ..plain("drawn in whole pixels") }.asks(SPOILT),
        ellipse(0.9).with_noise(5.0),
        ellipse(0.6).with_noise(5.0),
        ellipse(0.8).with_noise(20.0),
        Condition { name: "ellipse 0.7, clean".into(), ..ellipse(0.7) }.asks(Goals { ratio: None, ..ELLIPSE }),
        shaded(0.3).with_noise(5.0),
        shaded(0.6).with_noise(5.0),
        shaded(0.9).with_noise(5.0),
        small(shaded(0.3)).with_noise(5.0),
        squeezed(shaded(0.3), 0.8).with_noise(5.0),
        squeezed(shaded(0.6), 0.6).with_noise(5.0),
        outline(1.0).with_noise(5.0),
        outline(2.0).with_noise(5.0),
        outline(4.0).with_noise(5.0),
        outline(8.0).with_noise(5.0),
        noise(5.0).at_full_hd(),
        noise(10.0).at_full_hd(),
        plain("clean").asks(CLEAN).at_full_hd(),
        clutter("clutter").with_noise(5.0).asks(HIDDEN).at_full_hd(),
    ];
    for sigma in [5.0, 10.0, 20.0, 40.0] {
        all.push(plain("empty").with_noise(sigma).without_disc());
        all.push(clutter("empty, clutter").with_noise(sigma).without_disc());
    }
    all
}

impl Condition {
    /// Pixels of its frames.
    pub(crate) fn size(&self) -> Size {
        self.ball.size
    }

    /// Its frames for a seed.
    pub(crate) fn frames(&self, seed: u64) -> Result<Box<dyn Frames>, Failure> {
        let (ball, camera) = (self.ball, self.camera);
        let scene = BallScene { ball, camera, motion: Motion::Scattered, pixel: PixelFormat::Gray8, seed };
        if self.is_drawn {
            return Ok(Box::new(Drawn(scene.source()?)));
        }
        Ok(Box::new(Rendered(scene.source()?)))
    }

    /// Whether none of its frames shows a disc.
    pub(crate) fn is_empty(&self) -> bool {
        self.camera.empty_rate > 0.0
    }

    /// This condition with a disc in every frame.
    pub(crate) fn with_disc(&self) -> Self {
        self.clone().sees(|camera| camera.empty_rate = 0.0)
    }

    /// The radii in the form that OpenCV takes.
    pub(crate) fn whole_radii(&self) -> (u32, u32) {
        (self.ball.radius.min.floor() as u32, self.ball.radius.max.ceil() as u32)
    }

    /// Number of frames to measure, given the number for a condition at 640x480.
    pub(crate) fn count(&self, frames: u64) -> u64 {
        match (self.is_empty(), self.size()) {
            (true, _) => (frames as f64 * EMPTY_SHARE).ceil() as u64,
            (false, VGA) => frames,
            (false, _) => frames / 5,
        }
    }

    fn asks(self, goals: Goals) -> Self {
        Self { goals, ..self }
    }

    fn sees(mut self, change: impl Fn(&mut CameraConfig)) -> Self {
        change(&mut self.camera);
        self
    }

    fn with_noise(self, sigma: f64) -> Self {
        let name = format!("{}, noise {sigma}", self.name);
        Self { name, ..self }.sees(|camera| camera.noise = sigma)
    }

    fn without_disc(self) -> Self {
        self.sees(|camera| camera.empty_rate = 1.0).asks(EMPTY)
    }

    /// This condition at 1920x1080.
    fn at_full_hd(self) -> Self {
        let name = format!("1920x1080, {}", self.name);
        let ball = BallConfig { size: FULL_HD, radius: FULL_HD_RADII, ..self.ball };
        let goals = Goals { time_us: Some(150.0), faster: Some(25.0), closer: None, ..self.goals };
        Self { name, ball, goals, ..self }
    }
}

/// A still disc on a plain background, nothing else.
fn plain(name: &str) -> Condition {
    let ball = BallConfig { size: VGA, radius: VGA_RADII, speed_px_s: 0.0, step_s: 1.0 / RATE_HZ, border: false };
    Condition { name: name.into(), goals: PLAIN, ball, camera: CameraConfig::default(), is_drawn: false }
}

fn noise(sigma: f64) -> Condition {
    Condition { name: format!("noise {sigma}"), ..plain("").sees(|camera| camera.noise = sigma) }
}

fn blur(sigma: f64) -> Condition {
    plain(&format!("blur {sigma}")).sees(|camera| camera.blur = sigma)
}

fn clutter(name: &str) -> Condition {
    plain(name).sees(|camera| camera.background = Background::Clutter)
}

fn jpeg(quality: u8) -> Condition {
    plain(&format!("JPEG {quality}")).sees(|camera| camera.jpeg = Some(quality))
}

/// An ellipse of this axis ratio at any angle.
fn ellipse(aspect: f64) -> Condition {
    wide(&format!("ellipse {aspect}")).sees(|camera| camera.aspect = Some(aspect)).asks(ELLIPSE)
}

/// A shaded ball with this share of ambient light, the other light from anywhere in the camera's half-space. The contrast
/// keeps 20 levels at the dark side of the rim from a share of 0.25 on.
fn shaded(ambient: f64) -> Condition {
    let seen = |camera: &mut CameraConfig| (camera.shade, camera.contrast) = (Some(ambient), 200.0);
    wide(&format!("shade {ambient}")).sees(seen).asks(SHADED)
}

/// A condition with the radii and the contrast that discs have by default. In the light of [`shaded`], the dark side of
/// the rim is then hardly brighter than the ground.
fn small(wide: Condition) -> Condition {
    let name = format!("{}, small", wide.name);
    let ball = BallConfig { radius: VGA_RADII, ..wide.ball };
    Condition { name, ball, ..wide }.sees(|camera| camera.contrast = CameraConfig::default().contrast)
}

/// A condition with ellipses of this axis ratio instead of circles.
fn squeezed(round: Condition, aspect: f64) -> Condition {
    let name = format!("{}, ellipse {aspect}", round.name);
    Condition { name, ..round }.sees(|camera| camera.aspect = Some(aspect))
}

/// An outline of this width.
fn outline(width: f64) -> Condition {
    wide(&format!("outline {width} px")).sees(|camera| camera.ring = Some(width)).asks(OUTLINE)
}

/// A disc with the radii that ellipses and outlines have.
fn wide(name: &str) -> Condition {
    let plain = plain(name);
    Condition { ball: BallConfig { radius: Radii { min: 15.0, max: 100.0 }, ..plain.ball }, ..plain }
}

/// The camera of examples/low-light.toml, with a disc in every frame.
fn low_light() -> Condition {
    let still = plain("low light").sees(|camera| {
        (camera.contrast, camera.exposure, camera.blur, camera.vignette) = (60.0, 0.5, 1.2, 0.3);
        (camera.shot_noise, camera.noise) = (0.5, 4.0);
    });
    Condition { ball: BallConfig { speed_px_s: 200.0, ..still.ball }, ..still }.asks(LOW_LIGHT)
}

/// A disc that is cut by the border.
fn cut(name: &str) -> Condition {
    let plain = plain(name);
    Condition { ball: BallConfig { border: true, ..plain.ball }, ..plain }
}

/// A disc that moves this far while the shutter is open, in px.
fn moving(length: f64) -> Condition {
    let still = plain(&format!("motion {length} px")).sees(|camera| camera.exposure = EXPOSURE).with_noise(3.0);
    let ball = BallConfig { speed_px_s: length * RATE_HZ / EXPOSURE, ..still.ball };
    Condition { ball, ..still }.asks(MOVING)
}
