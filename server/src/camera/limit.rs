//! The limit: the least mean L1 error that any unbiased estimate of a frame's centre can have.
//!
//! The Cramér–Rao bound (Kay, Estimation Theory, 1993, ch. 3): no unbiased estimate has a covariance below the inverse
//! of the Fisher matrix `I = Σ μ'μ'ᵀ / v + ½ v'v'ᵀ / v²` over all pixels, μ' and v' being the derivatives of a pixel's
//! mean and variance. An efficient estimate is nearly Gaussian, so its mean `|dx| + |dy|` is `√(2/π) (σx + σy)`.
//!
//! A pixel's variance is that of read noise, shot noise and rounding (1/12), as the sensor's gamma curve passes them
//! on; where noise is clipped at 0 or 255, what that takes of the information is taken. Of `bgr8` frames it is the gray
//! picture (OpenCV's BGR2GRAY) that counts, the rounding of which adds its own 1/12.
//!
//! What nobody tells the pipeline is estimated too: radius, the ball's level, and the level of the background and, of a
//! ramp, its slope (both from the whole image). Clutter, the ball's way, blur, vignette, gamma and the occluder count as
//! known, so where these matter the bound is one that no estimate may reach.

use std::f64::consts::PI;

use shared::image::PixelFormat;

use super::config::{Background, CameraConfig, Levels, WHITE};
use super::gamma::Output;

/// How near to the truth a frame lets an estimate come, as mean |dx| + |dy|.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// No unbiased estimate has a mean L1 error below this, in px.
    Bound(f64),
    /// The same formula where it is no bound: rounding is deterministic, and without noise (under half a gray level) it
    /// is the only error there is, in px.
    Reference(f64),
    /// Nobody knows: after JPEG, where nothing of the ball's outline is to be seen, or, in the plain camera, of a radius
    /// under 2 px.
    Unknown,
}

impl Limit {
    /// The figure, in px.
    pub fn px(self) -> Option<f64> {
        match self {
            Self::Bound(px) | Self::Reference(px) => Some(px),
            Self::Unknown => None,
        }
    }
}

/// Variance of rounding to whole levels.
const ROUNDING: f64 = 1.0 / 12.0;

/// Noise of this many gray levels makes rounding errors independent of the signal (Widrow and Kollár, Quantization
/// Noise, 2008: the moments differ by under 1 % of a level from σ = ½ on).
const DITHER: f64 = 0.5;

/// Weights of blue, green and red in gray, as OpenCV's BGR2GRAY.
const GRAY: [f64; 3] = [3735.0 / 32768.0, 19235.0 / 32768.0, 9798.0 / 32768.0];

/// Least radius that the closed form is taken for: in px, and in standard deviations of the blurred edge. Beyond it
/// agrees with the Fisher matrix to 1 %, averaged over how a disc falls on the grid (tested).
const CLOSED_RADIUS: f64 = 2.0;
const CLOSED_SHARPNESS: f64 = 4.0;

/// And how far clipping has to be, in standard deviations of the noise: there it takes 0.3 % of a pixel's information.
const CLOSED_CLIPPING: f64 = 2.0;

/// Mean over directions of `∫ (dg/dt)² dt`, g being a unit edge seen through a pixel: `4/π (ln(1 + √2) − (√2 − 1)/3)`.
const SHARP_EDGE: f64 = 0.946_402_008_819;

/// What limits all frames of a camera.
#[derive(Clone, Debug)]
pub(super) struct LimitModel {
    pub(super) output: Output,
    read_variance: f64,
    gain: f64,
    levels: Levels,
    channels: usize,
    background: Background,
    kind: Kind,
    closed: Option<Closed>,
}

/// What the closed form needs besides the radius.
#[derive(Clone, Copy, Debug)]
struct Closed {
    /// The limit for a radius of 1 px, were its rim straight.
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

/// A pixel as the limit sees it: light in each channel, and the derivatives of all of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pixel {
    /// Light of blue, green and red; of gray, the first.
    pub(super) light: [f64; 3],
    /// Derivatives of each with x, y, radius and the ball's level, in that order.
    pub(super) ball: [[f64; 3]; 4],
    /// Derivative of all with the background's level.
    pub(super) background: f64,
    /// Where it is, from the middle of the ball, in units of 100 px.
    pub(super) place: (f64, f64),
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

    /// Whether frames have a limit at all.
    pub(super) fn is_known(&self) -> bool {
        self.kind != Kind::Unknown
    }

    /// The limit of a whole disc at rest, where it follows from the radius alone.
    pub(super) fn closed(&self, radius: f64) -> Option<Limit> {
        let Closed { straight_px, edge_variance } = self.closed?;
        if radius < CLOSED_RADIUS || radius < CLOSED_SHARPNESS * edge_variance.sqrt() {
            return None;
        }
        // A curved rim tells a share 1 − 3 / 8z − 15 / 128z² of what a straight one does, z being r² / 2s²: the first
        // terms of √(2πz) exp(−z) I₁(z), which ∫ J₁²(kr) exp(−k²s²) k dk comes to.
        let z = radius * radius / (2.0 * edge_variance);
        let curved = 1.0 - 3.0 / (8.0 * z) - 15.0 / (128.0 * z * z);
        Some(self.labelled(straight_px / (radius * curved).sqrt()))
    }

    /// The limit that a Fisher matrix sets.
    pub(super) fn of(&self, fisher: &Fisher) -> Limit {
        fisher.l1_px().map_or(Limit::Unknown, |l1_px| self.labelled(l1_px))
    }

    /// An empty matrix of the parameters that this camera's background has.
    pub(super) fn fisher(&self) -> Fisher {
        let parameters = match self.background {
            Background::Clutter => 4,
            Background::Plain => 5,
            Background::Ramp => 7,
        };
        Fisher { sums: [[0.0; PARAMETERS]; PARAMETERS], parameters }
    }

    /// Adds what `count` pixels like this one tell.
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
            means[4] += weight * slope * pixel.background;
            variances[4] += (weight * slope).powi(2) * self.gain * pixel.background;
        }
        for vector in [&mut means, &mut variances] {
            vector[5] = vector[4] * pixel.place.0;
            vector[6] = vector[4] * pixel.place.1;
        }
        let variance = sensor + self.rounding();
        let unclipped = kept(mean, sensor.sqrt());
        fisher.add(&means, count * unclipped / variance);
        if self.gain > 0.0 {
            fisher.add(&variances, count * unclipped / (2.0 * variance * variance));
        }
    }

    /// The same without the closed form, to compare them.
    #[cfg(test)]
    pub(super) fn without_closed_form(&mut self) {
        self.closed = None;
    }

    fn labelled(&self, l1_px: f64) -> Limit {
        match self.kind {
            Kind::Bound => Limit::Bound(l1_px),
            Kind::Reference => Limit::Reference(l1_px),
            Kind::Unknown => Limit::Unknown,
        }
    }

    /// Variance of all roundings on the way to a gray level.
    fn rounding(&self) -> f64 {
        if self.channels == 1 { ROUNDING } else { ROUNDING * (1.0 + GRAY.iter().map(|w| w * w).sum::<f64>()) }
    }

    /// Standard deviation, in levels of the output, of the sensor's noise at some light.
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
            && config.shot_noise == 0.0
            && config.gamma == 1.0
            && config.vignette == 0.0
            && clear(self.levels.background)
            && self.levels.ball.into_iter().all(clear)
    }

    /// `σ² = v / (π r c² E)` along x as along y, for a radius r of 1 px, with contrast c and the edge's energy E, were the rim
    /// straight.
    fn closed_form(&self, blur: f64) -> f64 {
        let weights = if self.channels == 1 { [1.0, 0.0, 0.0] } else { GRAY };
        let Levels { background, ball } = self.levels;
        let contrast: f64 = weights.iter().zip(ball).map(|(weight, level)| weight * (level - background)).sum();
        let variance = self.read_variance * weights.iter().map(|w| w * w).sum::<f64>() + self.rounding();
        let sigma = (variance / (PI * contrast * contrast * edge_energy(blur))).sqrt();
        2.0 * sigma * (2.0 / PI).sqrt()
    }
}

/// Mean over directions of `∫ (dg/dt)² dt`, g being a unit edge blurred by a Gaussian and seen through a pixel: the mean
/// of `∫ sinc²(f cos a) sinc²(f sin a) exp(−4π² σ² f²) df` over the directions a (Parseval).
fn edge_energy(blur: f64) -> f64 {
    if blur == 0.0 {
        return SHARP_EDGE;
    }
    const DIRECTIONS: u32 = 32;
    const STEPS: u32 = 600;
    // The Gaussian alone is under 1e-17 beyond 1 / σ; without much of it the pixel's sinc⁴ and sinc² end by 40 / px.
    let end = (1.0 / blur).min(40.0);
    let step = end / f64::from(STEPS);
    let sinc = |x: f64| if x.abs() < 1e-9 { 1.0 } else { libm::sin(PI * x) / (PI * x) };
    let along = |direction: u32| {
        let (sin, cos) = libm::sincos((f64::from(direction) + 0.5) * PI / 4.0 / f64::from(DIRECTIONS));
        let density = |index: u32| {
            let frequency = (f64::from(index) + 0.5) * step;
            let pixel = sinc(frequency * cos) * sinc(frequency * sin);
            pixel * pixel * libm::exp(-4.0 * PI * PI * blur * blur * frequency * frequency)
        };
        2.0 * step * (0..STEPS).map(density).sum::<f64>()
    };
    (0..DIRECTIONS).map(along).sum::<f64>() / f64::from(DIRECTIONS)
}

/// The share of its information that a pixel keeps when its noise is clipped to 0 and 255.
fn kept(mean: f64, sigma: f64) -> f64 {
    // Beyond four standard deviations clipping takes under 1e-4.
    let near = |room: f64| room < 4.0 * sigma;
    if sigma == 0.0 || !(near(mean) || near(WHITE - mean)) {
        return 1.0;
    }
    (1.0 - taken(mean / sigma) - taken((WHITE - mean) / sigma)).max(0.0)
}

/// The share taken by clipping that many standard deviations from the mean: of a normal number's information 1, what
/// lies beyond had `P(Z > t) + t φ(t)`, and of that its count alone, `φ(t)² / P(Z > t)`, is left.
fn taken(t: f64) -> f64 {
    if t > 4.0 {
        return 0.0;
    }
    let beyond = libm::erfc(t / std::f64::consts::SQRT_2) / 2.0;
    let density = libm::exp(-t * t / 2.0) / (2.0 * PI).sqrt();
    (beyond + t * density - density * density / beyond).clamp(0.0, 1.0)
}

/// Parameters: x, y, radius, the ball's level, the background's level, its slope along x and along y.
const PARAMETERS: usize = 7;

/// A Fisher information matrix; x and y first.
#[derive(Clone, Debug)]
pub(super) struct Fisher {
    sums: [[f64; PARAMETERS]; PARAMETERS],
    parameters: usize,
}

impl Fisher {
    fn add(&mut self, derivatives: &[f64; PARAMETERS], weight: f64) {
        let derivatives = &derivatives[..self.parameters];
        for (row, (sums, derivative)) in self.sums.iter_mut().zip(derivatives).enumerate() {
            let scaled = weight * derivative;
            // The upper triangle is enough.
            for (sum, other) in sums.iter_mut().zip(derivatives).skip(row) {
                *sum += scaled * other;
            }
        }
    }

    /// The covariance of x and y with everything else unknown, as (xx, xy, yy); `None` where there is no information.
    pub(super) fn covariance(&self) -> Option<(f64, f64, f64)> {
        let mut left = self.sums;
        // Takes the other parameters out, one after the other (Schur complements).
        for last in (2..self.parameters).rev() {
            let pivot = left[last][last];
            // Relative to what there was: below, it is rounding.
            if pivot <= 1e-12 * self.sums[last][last] || pivot <= 0.0 {
                continue;
            }
            let shared: [f64; PARAMETERS] = std::array::from_fn(|row| left[row][last]);
            for (row, sums) in left.iter_mut().enumerate().take(last) {
                for (sum, other) in sums.iter_mut().zip(shared).take(last).skip(row) {
                    *sum -= shared[row] / pivot * other;
                }
            }
        }
        let (xx, xy, yy) = (left[0][0], left[0][1], left[1][1]);
        let determinant = xx * yy - xy * xy;
        let sound = xx > 1e-12 * self.sums[0][0] && yy > 1e-12 * self.sums[1][1] && determinant > 1e-12 * xx * yy;
        sound.then(|| (yy / determinant, -xy / determinant, xx / determinant))
    }

    fn l1_px(&self) -> Option<f64> {
        let (xx, _, yy) = self.covariance()?;
        Some((2.0 / PI).sqrt() * (xx.sqrt() + yy.sqrt())).filter(|l1| l1.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sharp_edge_has_its_closed_form() {
        let root = 2.0_f64.sqrt();
        assert!((SHARP_EDGE - 4.0 / PI * ((1.0 + root).ln() - (root - 1.0) / 3.0)).abs() < 1e-12);
        // And is where the integral for blurred ones begins.
        assert!((edge_energy(0.02) / SHARP_EDGE - 1.0).abs() < 0.01, "{}", edge_energy(0.02));
    }

    #[test]
    fn a_blurred_edge_is_a_gaussian_one_of_the_sum_of_variances() {
        for blur in [0.5, 1.0, 2.0, 4.0] {
            let gaussian = 1.0 / (2.0 * (PI * (blur * blur + 1.0 / 12.0)).sqrt());
            let exact = edge_energy(blur);
            // The pixel is a square, not a Gaussian; the wider the blur, the less that matters.
            assert!((exact / gaussian - 1.0).abs() < 0.01, "σ {blur}: {exact}, {gaussian}");
        }
    }

    #[test]
    fn the_closed_form_is_that_of_the_literature() {
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
    fn frames_without_noise_have_a_reference_and_jpegs_nothing() {
        let model = |config: CameraConfig| LimitModel::new(&config, PixelFormat::Gray8);
        let default = CameraConfig::default();
        assert!(matches!(model(CameraConfig { noise: 0.4, ..default }).closed(20.0), Some(Limit::Reference(_))));
        assert!(matches!(model(CameraConfig { noise: 0.5, ..default }).closed(20.0), Some(Limit::Bound(_))));
        assert!(!model(CameraConfig { noise: 5.0, jpeg: Some(90), ..default }).is_known());
    }

    #[test]
    fn clipping_takes_information_as_censoring_does() {
        assert_eq!(kept(100.0, 10.0), 1.0);
        // At the limit half is clipped: ½ of the information goes, 1/π of it comes back.
        assert!((kept(0.0, 10.0) - (0.5 + 1.0 / PI)).abs() < 1e-9);
        assert!(kept(-100.0, 10.0) < 1e-3);
        assert_eq!(kept(0.0, 0.0), 1.0);
    }

    #[test]
    fn a_parameter_that_nothing_depends_on_costs_nothing() {
        let mut fisher = Fisher { sums: [[0.0; PARAMETERS]; PARAMETERS], parameters: 7 };
        fisher.add(&[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 4.0);
        assert_eq!(fisher.covariance(), None);
        fisher.add(&[0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0], 9.0);
        fisher.add(&[0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0], 9.0);
        // y shares with the fifth, of which the other half is known: ½ · 9 left.
        let (xx, xy, yy) = fisher.covariance().expect("information");
        assert!((xx - 0.25).abs() < 1e-12 && xy.abs() < 1e-12 && (yy - 2.0 / 9.0).abs() < 1e-12, "{xx}, {yy}");
    }
}
