//! Whether a fitted round, even disc is doubtful: its edge runs along an ellipse, or its middle has another level than
//! its rim.

use crate::pipeline::hough::fit::refine::Fit;
use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::sectors::{DIRECTIONS, direction_of};

/// χ² with two degrees of freedom for the waves cos 2θ and sin 2θ of the directions' edges. Chance exceeds it once in
/// 100,000.
const OVAL_CHI2: f64 = 23.0;

/// Difference between the levels of middle and rim, in sigmas. Chance exceeds it once in a million. And as a fraction of
/// the contrast: what rounding and the lens leave.
const UNEVEN_SIGMAS: f64 = 5.0;
const UNEVEN: f64 = 0.02;

/// Fewest directions with an edge. With fewer, something covers the disc, or the border cuts it.
const MIN_DIRECTIONS: usize = 12;

/// Where the middle is read, as a fraction of the radius, and in how many directions.
const MIDDLE: f64 = 0.5;
const SAMPLES: usize = 32;

/// Whether the residuals of a fit ask for more than a round, even disc. `noise_gray` is the sigma of the frame's
/// pixels.
pub(crate) fn is_doubtful(frame: Frame<'_>, fit: &Fit, noise_gray: f32) -> bool {
    let seen = fit.directions.iter().filter(|one| one.active).count();
    seen >= MIN_DIRECTIONS && !fit.moving && (is_oval(fit) || is_uneven(frame, fit, noise_gray))
}

fn is_oval(fit: &Fit) -> bool {
    let (mut score, mut information) = ([0.0; 2], [0.0; 2]);
    for (k, one) in fit.directions.iter().enumerate().filter(|(_, one)| one.active) {
        let (x, y) = direction_of(k, DIRECTIONS);
        let weight = one.shift_sigma.max(1e-6).powi(-2);
        for (i, wave) in [x * x - y * y, 2.0 * x * y].into_iter().enumerate() {
            score[i] += weight * wave * one.shift;
            information[i] += weight * wave * wave;
        }
    }
    (0..2).map(|i| score[i].powi(2) / information[i].max(1e-12)).sum::<f64>() > OVAL_CHI2
}

fn is_uneven(frame: Frame<'_>, fit: &Fit, noise_gray: f32) -> bool {
    let (mut sum, mut n) = (0.0, 0.0);
    for k in 0..SAMPLES {
        let (x, y) = direction_of(k, SAMPLES);
        let at = MIDDLE * fit.circle.radius;
        if let Some(gray) = frame.nearest((fit.circle.x + at * x) as f32, (fit.circle.y + at * y) as f32) {
            (sum, n) = (sum + f64::from(gray), n + 1.0);
        }
    }
    let contrasts = fit.directions.iter().filter(|one| one.active).map(|one| one.contrast.abs());
    let contrast = contrasts.fold(0.0, f64::max);
    // Rounding leaves a sigma of 0.29.
    let sigma = (f64::from(noise_gray).powi(2) + 1.0 / 12.0).sqrt() / f64::max(n, 1.0).sqrt();
    n > 0.5 * SAMPLES as f64 && (sum / n - fit.disc).abs() > UNEVEN_SIGMAS * sigma + UNEVEN * contrast
}
