//! Is it a disc? What must hold before a fitted circle is believed.
//!
//! A fit exists for any patch of pixels; noise, corners and textures fit badly, but they do fit. A disc stands out of
//! its ground nearly all around, in each direction by itself, and its model leaves little unexplained.

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
const MAX_UNEXPLAINED: f64 = 0.12;
const MAX_NOISE_RATIO: f64 = 1.8;

/// Part of the edge's information in a direction that must fit; a square's side near its inscribed circle keeps less.
const MIN_FITTING: f64 = 0.75;

/// The same where a misfit is general: sharp sides of a moving disc, integer-drawn discs.
const MIN_FAIR_FITTING: f64 = 0.4;

/// What an edge seen well may differ from its model, as a part of the contrast.
const STRICT_MISFIT: f64 = 0.05;

/// Least contrast before a ground that is no plane, in sigmas of the residuals.
///
/// Rings of clutter that pass all else lie below 5.5, discs before clutter above; on a plane faint discs may have 3.
const MIN_CLUTTER_CONTRAST: f64 = 6.0;

/// Widest edge, as sigma in pixels, before a ground of unlike levels: a wider one fits any smooth patch of clutter.
const MAX_SHARP_SIGMA: f32 = 1.2;

/// How much a direction's contrast may differ from the median where the misfit is general, as a part of it.
const MAX_UNLIKE: f64 = 0.12;

/// Share of directions that must confirm where the misfit is general.
const MIN_SHARE_OF_FAIR: f32 = 0.85;

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
    let contrast = median_contrast(fit)?;
    if contrast < MIN_CONTRAST_GRAY {
        return None;
    }
    if !fit.plane && contrast < MIN_CLUTTER_CONTRAST * residual_sigma(fit) {
        return None;
    }
    let sharp = fit.edge_sigma < MAX_SHARP_SIGMA;
    let tally = |strict: bool| {
        let mut tally = Tally::default();
        let visible = fit.sectors.iter().filter(|sector| sector.ground_px >= MIN_GROUND_PX);
        visible.for_each(|sector| {
            tally.add(sector, confirms(sector, contrast, sharp, noise_gray, strict));
        });
        tally
    };
    // Either the pixels fit to the noise where the disc is seen, or they fit fairly and alike all around.
    let share = tally(true).share(MIN_SHARE).or_else(|| tally(false).share(MIN_SHARE_OF_FAIR))?;
    Some(share)
}

/// What the visible directions say together.
#[derive(Default)]
struct Tally {
    visible: usize,
    confirmed: usize,
    signal: f64,
}

impl Tally {
    fn add(&mut self, sector: &Evidence, confirms: bool) {
        self.visible += 1;
        if confirms {
            self.confirmed += 1;
            self.signal += (sector.contrast / contrast_sigma(sector)).powi(2);
        }
    }

    /// The share confirmed, if it is `least` or more and the whole stands out of the noise.
    fn share(&self, least: f32) -> Option<f32> {
        let share = self.confirmed as f32 / self.visible.max(1) as f32;
        let least = if self.visible < FEW_DIRECTIONS { least.max(MIN_SHARE_OF_FEW) } else { least };
        (self.visible >= MIN_DIRECTIONS && share >= least && self.signal.sqrt() >= MIN_SIGMAS).then_some(share)
    }
}

/// Whether a direction shows the disc's edge.
fn confirms(sector: &Evidence, contrast: f64, sharp: bool, noise_gray: f32, strict: bool) -> bool {
    let own = sector.contrast.abs();
    if own < MIN_CONTRAST_SHARE * contrast || own < MIN_SECTOR_SIGMAS * contrast_sigma(sector) {
        return false;
    }
    let noise = MAX_NOISE_RATIO * f64::from(noise_gray).powi(2) + 0.5;
    let alike = (own - contrast).abs() < MAX_UNLIKE * contrast + MIN_SECTOR_SIGMAS * contrast_sigma(sector);
    if strict {
        (alike || sharp) && sector.variance < noise + (STRICT_MISFIT * own).powi(2) && sector.fitting > MIN_FITTING
    } else {
        let alike = (own - contrast).abs() < MAX_UNLIKE * contrast + MIN_SECTOR_SIGMAS * contrast_sigma(sector);
        alike && sector.variance < unexplained_variance(contrast, noise_gray) && sector.fitting > MIN_FAIR_FITTING
    }
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

/// Root mean variance of the residuals over the sectors that take part, in gray levels.
fn residual_sigma(fit: &Fit) -> f64 {
    let (sum, count) = fit
        .sectors
        .iter()
        .filter(|sector| sector.active)
        .fold((0.0, 0.0), |(sum, count), sector| (sum + sector.variance, count + 1.0));
    (sum / f64::max(count, 1.0)).sqrt()
}

fn median_contrast(fit: &Fit) -> Option<f64> {
    let mut contrasts = [0.0; super::annulus::SECTORS];
    let mut n = 0;
    for sector in fit.sectors.iter().filter(|sector| sector.active && sector.ground_px >= MIN_GROUND_PX) {
        contrasts[n] = sector.contrast.abs();
        n += 1;
    }
    let (_, median, _) = (n > 0).then(|| contrasts[..n].select_nth_unstable_by(n / 2, f64::total_cmp))?;
    Some(*median)
}
