//! Is it a disc? What must hold before a fitted circle is believed.
//!
//! A fit exists for any patch of pixels; noise, corners and textures fit badly, but they do fit. A disc has the same
//! sign of contrast nearly all around, standing out of the noise in each direction by itself, and its model leaves
//! little unexplained.

use super::refine::{Evidence, Fit};

/// Faintest disc believed, in gray levels.
const MIN_CONTRAST_GRAY: f64 = 3.0;

/// A direction's contrast must be this part of the median one.
const MIN_CONTRAST_SHARE: f64 = 0.25;

/// A direction's contrast must exceed this many of its own sigmas.
const MIN_SECTOR_SIGMAS: f64 = 2.5;

/// The disc as a whole must stand out of the noise by this many sigmas; the best of many noise patches reaches 8.
const MIN_SIGMAS: f64 = 14.0;

/// Unexplained part of a direction: this part of the contrast, as sigma, and the noise's variance times this.
const MAX_UNEXPLAINED: f64 = 0.15;
const MAX_NOISE_RATIO: f64 = 1.8;

/// Part of the edge's information in a direction that must fit; a square's side near its inscribed circle keeps less.
const MIN_FITTING: f64 = 0.75;

/// Share of the visible directions that must confirm: a third may be occluded, and a little more be doubtful.
const MIN_SHARE: f32 = 0.56;

/// With fewer visible directions than this, a disc cut by the border, most of them must confirm.
const FEW_DIRECTIONS: usize = 10;
const MIN_SHARE_OF_FEW: f32 = 0.8;
const MIN_DIRECTIONS: usize = 4;

/// Pixels' worth of ground below which a direction is not visible.
const MIN_GROUND_PX: f64 = 4.0;

/// Share of the visible directions that confirm the disc, `None` when they are too few to believe in it.
///
/// `noise_gray` is the sigma of the frame's pixels.
pub(super) fn share_confirmed(fit: &Fit, noise_gray: f32) -> Option<f32> {
    let sign = f64::from(fit.polarity.sign());
    let contrast = median_contrast(fit)? * sign;
    if contrast < MIN_CONTRAST_GRAY {
        return None;
    }
    let unexplained = unexplained_variance(contrast, noise_gray);
    let (mut visible, mut confirmed, mut signal) = (0, 0, 0.0);
    for sector in fit.sectors.iter().filter(|sector| sector.ground_px >= MIN_GROUND_PX) {
        visible += 1;
        let own = sector.contrast * sign;
        let sigma = contrast_sigma(sector);
        let stands_out = own > MIN_CONTRAST_SHARE * contrast && own > MIN_SECTOR_SIGMAS * sigma;
        if stands_out && sector.variance < unexplained && sector.fitting > MIN_FITTING {
            confirmed += 1;
            signal += (own / sigma).powi(2);
        }
    }
    let share = confirmed as f32 / visible.max(1) as f32;
    let least = if visible < FEW_DIRECTIONS { MIN_SHARE_OF_FEW } else { MIN_SHARE };
    if std::env::var("DBG").is_ok() {
        eprintln!(
            "r {:.1} at {:.1},{:.1} c {contrast:.1} unexp {:.1} vis {visible} conf {confirmed} sig {:.1} noise {noise_gray:.2}",
            fit.circle.radius,
            fit.circle.x,
            fit.circle.y,
            unexplained.sqrt(),
            signal.sqrt()
        );
        for s in &fit.sectors {
            eprint!(
                "[c{:.0} v{:.0} f{:.2} g{:.0}{}] ",
                s.contrast,
                s.variance.sqrt(),
                s.fitting,
                s.ground_px,
                if s.active { "*" } else { "" }
            );
        }
        eprintln!();
    }
    (visible >= MIN_DIRECTIONS && share >= least && signal.sqrt() >= MIN_SIGMAS).then_some(share)
}

/// Largest variance of residuals, in gray levels squared, that still is a disc of this contrast in this noise.
pub(super) fn unexplained_variance(contrast: f64, noise_gray: f32) -> f64 {
    (MAX_UNEXPLAINED * contrast).powi(2) + MAX_NOISE_RATIO * f64::from(noise_gray).powi(2)
}

/// Sigma of a sector's contrast, both sides taken as long as the ground.
fn contrast_sigma(sector: &Evidence) -> f64 {
    let disc_px = (sector.pixels - sector.ground_px).max(1.0);
    (sector.variance * (1.0 / sector.ground_px + 1.0 / disc_px)).sqrt().max(0.05)
}

fn median_contrast(fit: &Fit) -> Option<f64> {
    let mut contrasts = [0.0; super::annulus::SECTORS];
    let mut n = 0;
    for sector in fit.sectors.iter().filter(|sector| sector.active && sector.ground_px >= MIN_GROUND_PX) {
        contrasts[n] = sector.contrast;
        n += 1;
    }
    let (_, median, _) = (n > 0).then(|| contrasts[..n].select_nth_unstable_by(n / 2, f64::total_cmp))?;
    Some(*median)
}
