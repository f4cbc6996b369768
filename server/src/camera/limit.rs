//! The limit: the lowest mean L1 error that any unbiased estimate of the centre in a frame can have.
//!
//! The Cramér–Rao bound (Kay, Estimation Theory, 1993, ch. 3): no unbiased estimate has a covariance below the inverse
//! of the Fisher matrix `I = Σ μ'μ'ᵀ / v + ½ v'v'ᵀ / v²` over all pixels, μ' and v' being the derivatives of a pixel's
//! mean and variance. An efficient estimate is nearly Gaussian, so its mean `|dx| + |dy|` is `√(2/π) (σx + σy)`.
//!
//! A pixel's variance is that of read noise, shot noise and rounding (1/12), transformed by the sensor's gamma curve.
//! Where noise is clipped at 0 or 255, the information lost by clipping is subtracted. For `bgr8` frames the gray image
//! counts (OpenCV's BGR2GRAY); its rounding adds another 1/12.
//!
//! Parameters that the pipeline does not know are estimated too: the radius, the ball's level, the level of the
//! background and, for a ramp, its slope (both from the whole image). The same holds for the ratio and the direction of
//! an ellipse's half-axes, for the ambient light of a shaded ball and the direction and strength of its other light,
//! and for the width of an outline. Clutter, the ball's motion, blur, vignette, gamma and the occluder count as known, and so
//! do lens and pose: the limit is that of the scored point for a pipeline that knows its camera.
//! Where these matter, possibly no estimate reaches the bound.

use std::f64::consts::PI;

use shared::image::PixelFormat;

use super::clipping::kept;
use super::config::{Background, CameraConfig, Levels, WHITE};
use super::edge::edge_energy;
use super::fisher::{Fisher, PARAMETERS};
use super::gamma::Output;
use super::shape::{SHAPE, Unknown};
use crate::task::LimitKind;
use crate::truth::Limit;

/// Variance of rounding to whole levels.
const ROUNDING: f64 = 1.0 / 12.0;

/// Noise of this many gray levels makes rounding errors independent of the signal (Widrow and Kollár, Quantization
/// Noise, 2008: the moments differ by under 1 % of a level from σ = ½ on).
const DITHER: f64 = 0.5;

/// Weights of blue, green and red in gray, as OpenCV's BGR2GRAY.
const GRAY: [f64; 3] = [3735.0 / 32768.0, 19235.0 / 32768.0, 9798.0 / 32768.0];

/// Smallest radius for the closed form, in px and in standard deviations of the blurred edge. For larger radii it
/// agrees with the Fisher matrix to 1 %, averaged over the disc's position on the pixel grid (tested).
const CLOSED_RADIUS: f64 = 2.0;
const CLOSED_SHARPNESS: f64 = 4.0;

/// Smallest distance of levels from clipping for the closed form, in standard deviations of the noise. At this
/// distance clipping takes 0.3 % of a pixel's information.
const CLOSED_CLIPPING: f64 = 2.0;

/// The part of the limit that all frames of a camera share.
#[derive(Clone, Debug)]
pub(super) struct LimitModel {
    pub(super) output: Output,
    read_variance: f64,
    gain: f64,
    levels: Levels,
    channels: usize,
    background: Background,
    /// What a pipeline does not know about the ball's form.
    pub(super) unknown: Unknown,
    kind: Kind,
    closed: Option<Closed>,
}

/// Parameters of the closed form besides the radius.
#[derive(Clone, Copy, Debug)]
struct Closed {
    /// The limit for a radius of 1 px if the rim were straight.
    straight_px: f64,
    /// Variance of the edge's profile, blur and pixel, in px².
    edge_variance: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bound,
    Reference,
    Unknown,
}

/// A pixel as the limit sees it: the light in each channel and its derivatives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pixel {
    /// Light in blue, green and red; for gray, only the first.
    pub(super) light: [f64; 3],
    /// Derivatives of each channel with respect to x, y, radius and the ball's level, in that order.
    pub(super) ball: [[f64; 3]; 4],
    /// Derivatives of each channel with respect to the parameters of the ball's form.
    pub(super) shape: [[f64; 3]; SHAPE],
    /// Derivative of all channels with respect to the background's level.
    pub(super) background: f64,
    /// Position relative to the ball's centre, in units of 100 px.
    pub(super) place: (f64, f64),
}

/// The kind of all limits of this camera, where they are known.
pub fn limit_kind(config: &CameraConfig, pixel: PixelFormat) -> LimitKind {
    match LimitModel::new(config, pixel).kind {
        Kind::Reference => LimitKind::Reference,
        Kind::Bound | Kind::Unknown => LimitKind::Bound,
    }
}

impl LimitModel {
    pub(super) fn new(config: &CameraConfig, pixel: PixelFormat) -> Self {
        let mut model = Self {
            output: Output::new(config.gamma),
            read_variance: config.noise * config.noise,
            gain: config.shot_noise,
            levels: config.levels(pixel),
            channels: pixel.channels(),
            background: config.background,
            unknown: config.unknown_form(),
            kind: Kind::Unknown,
            closed: None,
        };
        if config.jpeg.is_none() {
            model.kind = if model.is_dithered() { Kind::Bound } else { Kind::Reference };
            let closed = || Closed {
                straight_px: model.closed_form(config.blur),
                edge_variance: config.blur * config.blur + 1.0 / 12.0,
            };
            model.closed = model.is_simple(config).then(closed);
        }
        model
    }

    /// Whether frames of this camera have a limit at all.
    pub(super) fn is_known(&self) -> bool {
        self.kind != Kind::Unknown
    }

    /// The limit of a whole disc at rest, if it follows from the radius alone.
    pub(super) fn closed(&self, radius: f64) -> Option<Limit> {
        let Closed { straight_px, edge_variance } = self.closed?;
        if radius < CLOSED_RADIUS || radius < CLOSED_SHARPNESS * edge_variance.sqrt() {
            return None;
        }
        // A curved rim has the share 1 − 3 / 8z − 15 / 128z² of a straight rim's information, with z = r² / 2s². These
        // are the first terms of √(2πz) exp(−z) I₁(z), which is the value of ∫ J₁²(kr) exp(−k²s²) k dk.
        let z = radius * radius / (2.0 * edge_variance);
        let curved = 1.0 - 3.0 / (8.0 * z) - 15.0 / (128.0 * z * z);
        Some(self.labelled(straight_px / (radius * curved).sqrt()))
    }

    /// The limit given by a Fisher matrix.
    pub(super) fn of(&self, fisher: &Fisher) -> Limit {
        fisher.l1_px().map_or(Limit::Unknown, |l1_px| self.labelled(l1_px))
    }

    /// An empty matrix with the parameters of this camera's background.
    pub(super) fn fisher(&self) -> Fisher {
        let parameters = match self.background {
            Background::Clutter => 4,
            Background::Plain => 5,
            Background::Ramp => 7,
        };
        // Those of the form come last. What is known has no derivatives.
        Fisher::empty(if self.unknown.any() { PARAMETERS } else { parameters })
    }

    /// Adds the information of `count` pixels like this one.
    pub(super) fn add(&self, fisher: &mut Fisher, pixel: &Pixel, count: f64) {
        let weights = if self.channels == 1 { [1.0, 0.0, 0.0] } else { GRAY };
        let (mut mean, mut sensor) = (0.0, 0.0);
        let (mut means, mut variances) = ([0.0; PARAMETERS], [0.0; PARAMETERS]);
        for channel in 0..self.channels {
            let (weight, light) = (weights[channel], pixel.light[channel]);
            let (level, slope) = self.output.curve(light);
            mean += weight * level;
            sensor += (weight * slope).powi(2) * (self.read_variance + self.gain * light.max(0.0));
            for (parameter, derivatives) in pixel.ball.iter().enumerate() {
                means[parameter] += weight * slope * derivatives[channel];
                variances[parameter] += (weight * slope).powi(2) * self.gain * derivatives[channel];
            }
            if self.unknown.any() {
                for (parameter, derivatives) in pixel.shape.iter().enumerate() {
                    means[7 + parameter] += weight * slope * derivatives[channel];
                    variances[7 + parameter] += (weight * slope).powi(2) * self.gain * derivatives[channel];
                }
            }
            means[4] += weight * slope * pixel.background;
            variances[4] += (weight * slope).powi(2) * self.gain * pixel.background;
        }
        for vector in [&mut means, &mut variances] {
            vector[5] = vector[4] * pixel.place.0;
            vector[6] = vector[4] * pixel.place.1;
            if self.unknown.any() {
                match self.background {
                    Background::Clutter => vector[4..7].fill(0.0),
                    Background::Plain => vector[5..7].fill(0.0),
                    Background::Ramp => {}
                }
            }
        }
        let variance = sensor + self.rounding();
        let unclipped = kept(mean, sensor.sqrt());
        fisher.add(&means, count * unclipped / variance);
        if self.gain > 0.0 {
            fisher.add(&variances, count * unclipped / (2.0 * variance * variance));
        }
    }

    /// This limit without the closed form, for comparison.
    #[cfg(test)]
    pub(super) fn without_closed_form(&mut self) {
        self.closed = None;
    }

    /// A limit in px. A ball of next to no contrast tells nothing about its place, so its frames have none.
    fn labelled(&self, l1_px: f64) -> Limit {
        match self.kind {
            _ if !l1_px.is_finite() => Limit::Unknown,
            Kind::Bound => Limit::Bound(l1_px),
            Kind::Reference => Limit::Reference(l1_px),
            Kind::Unknown => Limit::Unknown,
        }
    }

    /// Total variance of the rounding steps on the way to a gray level.
    fn rounding(&self) -> f64 {
        if self.channels == 1 { ROUNDING } else { ROUNDING * (1.0 + GRAY.iter().map(|w| w * w).sum::<f64>()) }
    }

    /// Standard deviation of the sensor's noise at this light, in output levels.
    fn noise_at(&self, light: f64) -> f64 {
        self.output.curve(light).1 * (self.read_variance + self.gain * light.max(0.0)).sqrt()
    }

    fn is_dithered(&self) -> bool {
        let lights = [self.levels.background].into_iter().chain(self.levels.ball);
        lights.map(|light| self.noise_at(light)).fold(f64::INFINITY, f64::min) >= DITHER
    }

    fn is_simple(&self, config: &CameraConfig) -> bool {
        let clear = |light: f64| light.min(WHITE - light) >= CLOSED_CLIPPING * config.noise;
        config.background == Background::Plain
            && !config.occlude
            && !config.unknown_form().any()
            && !config.lens.has_lens()
            && config.rolling_shutter == 0.0
            && config.shot_noise == 0.0
            && config.gamma == 1.0
            && config.vignette == 0.0
            && clear(self.levels.background)
            && self.levels.ball.into_iter().all(clear)
    }

    /// `σ² = v / (π r c² E)` along x as along y, for a radius r of 1 px, with contrast c and the edge's energy E, for a
    /// straight rim.
    fn closed_form(&self, blur: f64) -> f64 {
        let weights = if self.channels == 1 { [1.0, 0.0, 0.0] } else { GRAY };
        let Levels { background, ball } = self.levels;
        let contrast: f64 = weights.iter().zip(ball).map(|(weight, level)| weight * (level - background)).sum();
        let variance = self.read_variance * weights.iter().map(|w| w * w).sum::<f64>() + self.rounding();
        let sigma = (variance / (PI * contrast * contrast * edge_energy(blur))).sqrt();
        2.0 * sigma * (2.0 / PI).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closed_form_equals_that_of_the_literature() {
        for (noise, expected) in [(5.0, 0.0069), (10.0, 0.0141)] {
            let config = CameraConfig { noise, ..CameraConfig::default() };
            let model = LimitModel::new(&config, PixelFormat::Gray8);
            let radii = (0..300).map(|step| 10.0 + (f64::from(step) + 0.5) / 10.0);
            let mean =
                radii.map(|radius| model.closed(radius).and_then(Limit::px).expect("a limit")).sum::<f64>() / 300.0;
            // Measured over discs of radius 10 to 40 px by a fit that was efficient to 3 %.
            assert!((mean / expected - 1.0).abs() < 0.06, "noise {noise}: {mean}");
        }
        let clean = LimitModel::new(&CameraConfig::default(), PixelFormat::Gray8).closed(20.0);
        assert!(matches!(clean, Some(Limit::Reference(px)) if (px - 0.000_427).abs() < 1e-6), "{clean:?}");
    }

    #[test]
    fn frames_without_noise_have_a_reference_and_jpegs_have_no_limit() {
        let model = |config: CameraConfig| LimitModel::new(&config, PixelFormat::Gray8);
        let default = CameraConfig::default();
        assert!(matches!(model(CameraConfig { noise: 0.4, ..default }).closed(20.0), Some(Limit::Reference(_))));
        assert!(matches!(model(CameraConfig { noise: 0.5, ..default }).closed(20.0), Some(Limit::Bound(_))));
        assert!(!model(CameraConfig { noise: 5.0, jpeg: Some(90), ..default }).is_known());
    }

    #[test]
    fn a_ball_of_next_to_no_contrast_has_no_limit_rather_than_an_endless_one() {
        let limit = |contrast| {
            let config = CameraConfig { contrast, noise: 5.0, ..CameraConfig::default() };
            LimitModel::new(&config, PixelFormat::Gray8).closed(20.0)
        };
        assert!(matches!(limit(1e-6), Some(Limit::Bound(px)) if px.is_finite()));
        for contrast in [1e-120, 1e-160, 1e-300] {
            assert_eq!(limit(contrast), Some(Limit::Unknown), "{contrast}");
        }
    }
}
