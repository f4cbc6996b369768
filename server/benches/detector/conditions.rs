//! The conditions of the goals: what is rendered, and what the detector shall reach there.

use serde::{Deserialize, Serialize};
use server::camera::Camera;
use shared::geometry::{Circle, Size};
use shared::image::PixelFormat;

use crate::accuracy::Failure;
use crate::frames::{Frames, Shot};

const VGA: Size = Size { width: 640, height: 480 };
const FULL_HD: Size = Size { width: 1920, height: 1080 };

/// Radii of the discs at either size, in px.
const VGA_RADII: (f64, f64) = (10.0, 40.0);
const FULL_HD_RADII: (f64, f64) = (30.0, 80.0);

/// A condition.
pub(crate) struct Condition {
    /// Its name in the table.
    pub(crate) name: &'static str,
    /// Pixels of the frames.
    pub(crate) size: Size,
    /// Radii of the discs, in px.
    pub(crate) radii: (f64, f64),
    /// What is asked of the detector.
    pub(crate) goals: Goals,
    noise: f64,
    empty: bool,
}

/// What is asked of the detector; `None` where nothing is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Goals {
    /// Mean L1 over its limit, at most.
    pub(crate) ratio: Option<f64>,
    /// Share missed, at most.
    pub(crate) missed: Option<f64>,
    /// Share of empty frames with a circle, at most.
    pub(crate) false_positives: Option<f64>,
    /// Median time, at most, in µs.
    pub(crate) time_us: Option<f64>,
    /// How much faster than OpenCV's gradient method, at least.
    pub(crate) faster: Option<f64>,
    /// How much more accurate than OpenCV's gradient method, at least.
    pub(crate) closer: Option<f64>,
}

impl Condition {
    /// Its frames for a seed.
    pub(crate) fn frames(&self, seed: u64) -> Result<Box<dyn Frames>, Failure> {
        Ok(Box::new(Provisional {
            seed,
            noise: self.noise,
            empty: self.empty,
            radii: self.radii,
            camera: Camera::new(self.size, PixelFormat::Gray8),
            size: self.size,
        }))
    }

    /// Whether none of its frames shows a disc.
    pub(crate) fn is_empty(&self) -> bool {
        self.empty
    }

    /// The radii as OpenCV takes them.
    pub(crate) fn whole_radii(&self) -> (u32, u32) {
        (self.radii.0.floor() as u32, self.radii.1.ceil() as u32)
    }

    /// Frames to measure when a condition at 640x480 has so many: a fifth at full HD, five times for false positives.
    pub(crate) fn count(&self, frames: u64) -> u64 {
        match (self.is_empty(), self.size == VGA) {
            (true, _) => frames,
            (false, true) => frames,
            (false, false) => frames / 5,
        }
    }
}

/// All conditions, in the order of the table.
pub(crate) fn all() -> Vec<Condition> {
    let c = |name, noise| Condition {
        name,
        size: VGA,
        radii: VGA_RADII,
        goals: Goals {
            ratio: Some(1.05),
            missed: Some(1e-4),
            false_positives: None,
            time_us: Some(50.0),
            faster: Some(12.0),
            closer: None,
        },
        noise,
        empty: false,
    };
    vec![
        c("noise 5", 5.0),
        c("noise 10", 10.0),
        c("clean", 0.0),
        Condition { size: FULL_HD, radii: FULL_HD_RADII, ..c("1920x1080, noise 5", 5.0) },
        Condition {
            empty: true,
            goals: Goals { false_positives: Some(1e-4), ..Goals::default() },
            ..c("empty, noise 10", 10.0)
        },
    ]
}

struct Provisional {
    seed: u64,
    noise: f64,
    empty: bool,
    radii: (f64, f64),
    camera: Camera,
    size: Size,
}

impl Frames for Provisional {
    fn frame(&mut self, index: u64, pixels: &mut Vec<u8>) -> Shot {
        let mut s = self.seed ^ index.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut u = || {
            s = s.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let z = (s ^ (s >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
        };
        let r = self.radii.0 + u() * (self.radii.1 - self.radii.0);
        let c = Circle {
            x: r + u() * (f64::from(self.size.width) - 1.0 - 2.0 * r),
            y: r + u() * (f64::from(self.size.height) - 1.0 - 2.0 * r),
            radius: r,
        };
        let shown = if self.empty { Circle { x: -1e3, y: -1e3, radius: 1.0 } } else { c };
        let noise = self.noise;
        let image = self.camera.render(shown);
        pixels.extend(image.bytes().iter().map(|&p| {
            let g: f64 = (0..6).map(|_| u()).sum::<f64>() - 3.0;
            (f64::from(p) + noise * g * 2f64.sqrt()).round() as u8
        }));
        let s2 = 1.0 / 12.0;
        let n2 = noise * noise + 1.0 / 12.0;
        let sx = (2.0 * f64::sqrt(s2) * n2 / (std::f64::consts::PI.sqrt() * r * 140.0 * 140.0)).sqrt();
        Shot { truth: (!self.empty).then_some(c), limit_px: Some(2.0 * sx * (2.0 / std::f64::consts::PI).sqrt()) }
    }
}
