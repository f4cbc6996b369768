//! Frames with planted parameters and Gaussian errors, for the tests.

use std::f64::consts::TAU;
use std::sync::Arc;

use shared::geometry::{Covariance, Size};
use shared::lens::correction::Target;
use shared::lens::{Distortion, Form, Pinhole, Point};

use super::calibration::{Asked, Found, calibrate};
use super::observation::{Observation, Set};
use super::track::Track;
use crate::scene::{BallConfig, Radii, Random, Scene, Sequence, Stream};

/// The size of all images.
pub(super) const SIZE: Size = Size { width: 640, height: 480 };

/// Standard deviation of an answer along an axis at `--noise 10`, radius 20, in px.
pub(super) const SIGMA: f64 = 0.0087;

/// The lens of given focal length in the tests.
pub(super) const LENS: Pinhole = Pinhole { fx: 600.0, fy: 600.0, cx: 319.5, cy: 239.5 };

/// A homography that turns, enlarges and tilts a little.
pub(super) const HOMOGRAPHY: [f64; 8] = [1.003, 0.0035, 0.37, -0.0035, 1.002, -0.21, 2e-5, -1e-5];

/// The planted model.
#[derive(Clone, Debug)]
pub(super) struct Planted {
    pub(super) form: Form,
    pub(super) values: Vec<f64>,
    /// The delay of the answers and the time from row to row, in µs.
    pub(super) times: (f64, f64),
    pub(super) frames: usize,
    pub(super) sigma: f64,
    /// Radius of a disc, if the answers are centroids of discs.
    pub(super) disc: Option<f64>,
    /// Whether answers have their covariance.
    pub(super) has_covariance: bool,
}

impl Planted {
    pub(super) fn new(form: Form, values: &[f64]) -> Self {
        let values = values.to_vec();
        Self { form, values, times: (0.0, 0.0), frames: 600, sigma: SIGMA, disc: None, has_covariance: true }
    }

    /// The frames of a seed: a ball that bounces.
    pub(super) fn set(&self, seed: u64) -> Set {
        self.set_of(&bouncing(seed, self.frames + 1), seed)
    }

    /// Frames with these truths, one each sixtieth of a second. The last truth is only part of the track.
    pub(super) fn set_of(&self, truths: &[Point], seed: u64) -> Set {
        let time = |at: usize| at as f64 * 1e6 / 60.0;
        let track =
            Track::new(truths.iter().enumerate().map(|(at, truth)| (time(at), *truth)).collect()).expect("a track");
        let mut normal = Normal::new(seed);
        let map = self.form.map(&self.values);
        let observations = truths[..self.frames].iter().enumerate().map(|(at, truth)| {
            let seen = |place: Point| match self.disc {
                Some(radius) => map.centroid(place, radius).expect("a picture"),
                None => map.forward(place).expect("an image"),
            };
            let shown = |row: f64| {
                if self.times == (0.0, 0.0) { *truth } else { track.at(time(at) - self.times.0 + row * self.times.1).0 }
            };
            // The time depends on the ball's row, which depends on the time.
            let mut image = seen(shown(truth[1]));
            (0..8).for_each(|_| image = seen(shown(image[1])));
            let answer = [image[0] + self.sigma * normal.next(), image[1] + self.sigma * normal.next()];
            let variance = self.sigma * self.sigma;
            Observation {
                frame: at as u64,
                truth: *truth,
                answer,
                time_us: Some(time(at)),
                covariance: self.has_covariance.then_some(Covariance { xx: variance, xy: 0.0, yy: variance }),
                radius: self.disc,
                pose: 0,
            }
        });
        let observations = observations.collect();
        let track = Arc::new(track);
        Set { name: "planted".into(), observations, track, size: Some(SIZE), is_stated: true, is_projected: false }
    }
}

/// A calibration by this model, with f = 600 px if it has a lens.
pub(super) fn asked(model: &str) -> Asked {
    Asked {
        model: model.parse().expect("a model"),
        distortion: Distortion::Brown(2),
        focal: Some(600.0),
        target: Target::Point,
        size: None,
        sigma: None,
    }
}

/// Calibrates these sets, and panics if that fails.
pub(super) fn found(sets: &[Set], asked: &Asked) -> Found {
    calibrate(sets, asked).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// Places of a ball that bounces at speed 200 through the image, one each sixtieth of a second.
pub(super) fn bouncing(seed: u64, frames: usize) -> Vec<Point> {
    let config =
        BallConfig { size: SIZE, radius: Radii::one(20.0), speed_px_s: 200.0, step_s: 1.0 / 60.0, border: false };
    let mut scene = Scene::new(seed, &config).expect("a scene");
    let place = |at: usize| scene.at(at as u64);
    (0..frames).map(place).map(|circle| [circle.x, circle.y]).collect()
}

/// Places that are uniform in the image.
pub(super) fn scattered(seed: u64, frames: usize) -> Vec<Point> {
    let mut random = Random::new(seed).sequence(Stream::Scatter, 1);
    (0..frames).map(|_| [random.between(20.0, 620.0), random.between(20.0, 460.0)]).collect()
}

/// Normal numbers, by the method of Box and Muller.
pub(super) struct Normal(Sequence);

impl Normal {
    pub(super) fn new(seed: u64) -> Self {
        Self(Random::new(seed).sequence(Stream::Noise, 77))
    }

    pub(super) fn next(&mut self) -> f64 {
        let length = (-2.0 * (1.0 - self.0.uniform()).ln()).sqrt();
        length * (TAU * self.0.uniform()).cos()
    }

    pub(super) fn uniform(&mut self) -> f64 {
        self.0.uniform()
    }
}
