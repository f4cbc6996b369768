//! Decides whether a fit of a round, even disc is doubtful: the edge is an ellipse, or the middle has another level
//! than the rim.

use super::arcs::MAX_WINDOW;
use super::shade::leaves_noise;
use crate::pipeline::hough::chance::PIXEL_SIGMAS;
use crate::pipeline::hough::fit::equations::sums::ROUNDING_VARIANCE;
use crate::pipeline::hough::fit::refine::Fit;
use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::sectors::{DIRECTIONS, direction_of};

/// Largest χ², with two degrees of freedom, for the waves cos 2θ and sin 2θ of the directions' edges. Chance exceeds it
/// once in 100,000.
const OVAL_CHI2: f64 = 23.0;

/// Largest slope in the disc, and largest difference from the rim: in sigmas, which chance exceeds once in a million,
/// and as a fraction of the contrast, which rounding and the lens can cause.
const UNEVEN_SIGMAS: f64 = 5.0;
const UNEVEN: f64 = 0.02;

/// Fewest directions with an edge: three quarters. With fewer, something covers the disc, or the border cuts it.
const MIN_DIRECTIONS: usize = DIRECTIONS - DIRECTIONS / 4;

/// Radius of the middle, as a fraction of the disc's radius, and number of samples along its diameter: a few more than
/// determine the levels at the rim.
const MIDDLE: f64 = 0.75;
const SAMPLES: usize = 16;

/// Whether the residuals of a fit are too large for a round, even disc. `noise_gray` is the sigma of the frame's
/// pixels.
pub(crate) fn is_doubtful(frame: Frame<'_>, fit: &Fit, noise_gray: f32) -> bool {
    let seen = fit.directions.iter().filter(|one| one.active).count();
    if seen < MIN_DIRECTIONS || fit.moving {
        // An occluder, the border or motion may make the disc uneven. If that is all, the fit leaves only noise.
        return !leaves_noise(mean_variance(fit), noise_gray);
    }
    is_oval(fit) || is_ring(frame, fit) || is_uneven(frame, fit, noise_gray)
}

/// Mean variance of the pixels that is left in the directions with an edge.
fn mean_variance(fit: &Fit) -> f64 {
    let active = fit.directions.iter().filter(|one| one.active);
    let (sum, n) = active.fold((0.0, 0.0), |(sum, n), one| (sum + one.variance, n + 1.0));
    sum / f64::max(n, 1.0)
}

/// Whether the ground ends at another edge all around, as the ground outside a stroke's inner edge does.
fn is_ring(frame: Frame<'_>, fit: &Fit) -> bool {
    let (mut like_disc, mut n) = (0, 0);
    for (k, one) in fit.directions.iter().enumerate().filter(|(_, one)| one.active) {
        let (x, y) = direction_of(k, DIRECTIONS);
        let at = fit.circle.radius + MAX_WINDOW as f64;
        if let Some(gray) = frame.nearest((fit.circle.x + at * x) as f32, (fit.circle.y + at * y) as f32) {
            let above_disc = f64::from(gray) - fit.disc;
            (like_disc, n) = (like_disc + i32::from(above_disc.abs() < (above_disc + one.contrast).abs()), n + 1);
        }
    }
    4 * like_disc > 3 * n
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

/// Whether the disc's inside differs from the level at its rim, or has a slope: the amplitudes of 1, x and y on the
/// disc.
///
/// Samples far from the level at the rim count only if they are the majority: a few belong to something in front of the
/// disc.
fn is_uneven(frame: Frame<'_>, fit: &Fit, noise_gray: f32) -> bool {
    let contrasts = fit.directions.iter().filter(|one| one.active).map(|one| one.contrast.abs());
    let contrast = contrasts.fold(0.0, f64::max);
    let sigma = (f64::from(noise_gray).powi(2) + ROUNDING_VARIANCE).sqrt();
    // A sample beyond this shows something else than the disc.
    let covered = PIXEL_SIGMAS * sigma + UNEVEN * contrast;
    let reach = MIDDLE * fit.circle.radius;
    let at = |i: usize| (2.0 * (i as f64 + 0.5) / SAMPLES as f64 - 1.0) * reach;
    let (mut sums, mut squares, mut seen) = ([0.0; 3], [0.0; 3], 0.0);
    for (dx, dy) in (0..SAMPLES * SAMPLES).map(|i| (at(i % SAMPLES), at(i / SAMPLES))) {
        if dx * dx + dy * dy > reach * reach {
            continue;
        }
        let Some(gray) = frame.nearest((fit.circle.x + dx) as f32, (fit.circle.y + dy) as f32) else { continue };
        let above = f64::from(gray) - fit.disc;
        seen += 1.0;
        if above.abs() > covered {
            continue;
        }
        for (i, wave) in [1.0, dx / reach, dy / reach].into_iter().enumerate() {
            sums[i] += wave * above;
            squares[i] += wave * wave;
        }
    }
    let stands_out =
        |i: usize| (sums[i] / squares[i]).abs() > UNEVEN_SIGMAS * sigma / squares[i].sqrt() + UNEVEN * contrast;
    // At least half of the middle must lie in the frame, and the majority of its samples show the disc.
    let is_seen = seen > 0.5 * std::f64::consts::FRAC_PI_4 * (SAMPLES * SAMPLES) as f64;
    is_seen && (squares[0] < 0.5 * seen || (0..3).any(stands_out))
}
