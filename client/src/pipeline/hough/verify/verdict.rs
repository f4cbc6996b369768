//! Is it a disc? What must hold before a fitted circle is believed.
//!
//! A fit exists for any patch of pixels; noise, corners and textures fit badly, but they do fit. A disc's edge is where
//! the circle has it, in one direction after the other, each by itself. The narrower a direction's own edge is known,
//! and the closer it agrees, the less likely is chance: the logarithms of these chances add up to the evidence.

use crate::pipeline::hough::fit::evidence::Evidence;
use crate::pipeline::hough::fit::refine::Fit;
use crate::pipeline::hough::sectors::DIRECTIONS;

/// Faintest disc believed where a misfit is general, in gray levels.
const MIN_CONTRAST_GRAY: f64 = 3.0;

/// A direction's contrast must exceed this many of its own sigmas.
const MIN_SECTOR_SIGMAS: f64 = 2.5;

/// The disc as a whole must stand out of the noise by this many sigmas.
const MIN_SIGMAS: f64 = 14.0;

/// Distance over which a foreign edge may lie anywhere with equal chance, in pixels: half the annulus.
const CHANCE_PX: f64 = 3.5;

/// How far a direction's edge may be from the circle: pixels, and sigmas of its own.
const AGREE_PX: f64 = 0.05;
const AGREE_SIGMAS: f64 = 2.5;

/// A direction that knows its edge less well than this, in pixels, says nothing.
const MAX_SHIFT_SIGMA_PX: f64 = 0.3;

/// Evidence a disc needs.
///
/// Eight directions whose edges are known to 0.03 px have it. Of 15,000 candidates in 6,000 empty frames of clutter two
/// had more, 25.4 and 26.3, both on a ground that is no plane.
const MIN_EVIDENCE: f64 = 24.5;

/// Evidence with which no further candidate is looked at.
const AMPLE_EVIDENCE: f64 = 30.0;

/// Share of the visible directions that must confirm, whatever the evidence: less than half a disc is an arc.
const MIN_SHARE: f64 = 0.43;

/// Largest disagreement with the circle, as a χ² for each direction that confirms.
const MAX_CHI2: f64 = 2.0;

/// The same for an arc that is sharp: evidence in all and for each direction that confirms, disagreement, share.
///
/// Of 15,000 candidates in 6,000 empty frames of clutter none had this much: those with so few directions had at most
/// 21.5 and disagreed by 0.77. Discs behind an occluder and before clutter have 22 and more, and disagree by 0.01 to 0.3.
const MIN_EVIDENCE_OF_ARC: f64 = 21.5;
const MIN_EVIDENCE_EACH: f64 = 3.3;
const MAX_CHI2_OF_ARC: f64 = 0.5;
const MIN_SHARE_OF_ARC: f64 = 0.36;

/// With fewer visible directions than this, a disc cut by the border, on plane ground less evidence will do, if most
/// directions confirm.
const FEW_DIRECTIONS: usize = 10;
const MIN_EVIDENCE_OF_FEW: f64 = 13.0;
const MIN_SHARE_OF_FEW: f64 = 0.8;
const MIN_DIRECTIONS: usize = 4;

/// Pixels' worth of ground below which a direction is not visible.
const MIN_GROUND_PX: f64 = 4.0;

/// Pixels beyond the edge from which on a direction could show an edge: less than the ground that a visible one shows, for
/// of the smallest discs, before clutter, a direction has four in all.
const MIN_BEYOND_PX: f64 = 3.0;

/// Unexplained variance of a direction seen well: times that of the noise, gray levels squared, part of the contrast.
const MAX_NOISE_RATIO: f64 = 1.8;
const MAX_ROUNDING: f64 = 0.5;
const STRICT_MISFIT: f64 = 0.05;

/// Parts of the edge's information and of the disc's side that must fit in a direction seen well.
const MIN_FITTING: f64 = 0.75;
const MIN_FITTING_DISC: f64 = 0.8;

/// The same where a misfit is general: sharp sides of a moving disc, integer-drawn and compressed discs.
const FAIR_MISFIT: f64 = 0.14;
const MIN_FAIR_FITTING: f64 = 0.4;
const FAIR_AGREE_PX: f64 = 0.3;

/// Where a misfit is general, directions must be alike in contrast, nearly all confirm, and lie on one circle.
const MAX_UNLIKE: f64 = 0.12;
const MIN_SHARE_OF_FAIR: f64 = 0.85;
const MAX_FAIR_RMS_PX: f64 = 0.2;
const MAX_FAIR_RMS_OF_FEW_PX: f64 = 0.08;

/// Least contrast there before a ground that is no plane, in sigmas of the residuals.
const MIN_CLUTTER_CONTRAST: f64 = 6.0;

/// How sure it is that a fit shows a disc.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    /// Evidence, comparable between the candidates of a frame.
    pub(crate) evidence: f64,
    /// Whether no other candidate need be looked at.
    pub(crate) ample: bool,
}

/// The verdict on a fit; `None` when it is no disc. `noise_gray` is the sigma of the frame's pixels.
pub(crate) fn judge(fit: &Fit, noise_gray: f32) -> Option<Verdict> {
    let noise_variance = f64::from(noise_gray).powi(2);
    // Either the pixels fit to the noise where the disc is seen, or they fit fairly and alike all around.
    strict(fit, noise_variance).or_else(|| fair(fit, noise_variance))
}

/// What the visible directions say together.
#[derive(Default)]
struct Tally {
    visible: f64,
    confirmed: f64,
    signal: f64,
    evidence: f64,
    /// Squared distances of the directions' edges from the circle, in sigmas and in pixels.
    chi2: f64,
    square_px: f64,
}

impl Tally {
    fn of(fit: &Fit, agree_px: f64, confirms: impl Fn(&Evidence) -> bool) -> Self {
        let mut tally = Self::default();
        for sector in visible(fit) {
            tally.visible += 1.0;
            let tolerance = agree_px + AGREE_SIGMAS * sector.shift_sigma;
            if sector.shift.abs() < tolerance && confirms(sector) {
                tally.confirmed += 1.0;
                tally.signal += (sector.contrast / contrast_sigma(sector)).powi(2);
                tally.evidence += (CHANCE_PX / tolerance).ln();
                tally.chi2 += sector.shift.powi(2) / (sector.shift_sigma.powi(2) + AGREE_PX.powi(2));
                tally.square_px += sector.shift.powi(2);
            }
        }
        // Three of the directions' shifts went into the circle.
        tally.evidence -= 0.5 * (tally.chi2 - (tally.confirmed - 3.0)).max(0.0);
        tally
    }

    fn share(&self) -> f64 {
        self.confirmed / self.visible.max(1.0)
    }

    fn is_few(&self) -> bool {
        self.visible < FEW_DIRECTIONS as f64
    }

    /// Whether few directions confirm, but these far better than chance has it.
    fn is_sharp_arc(&self) -> bool {
        self.evidence > MIN_EVIDENCE_OF_ARC
            && self.evidence > MIN_EVIDENCE_EACH * self.confirmed
            && self.chi2 < MAX_CHI2_OF_ARC * self.confirmed
            && self.share() > MIN_SHARE_OF_ARC
    }

    fn stands_out(&self) -> bool {
        self.visible >= MIN_DIRECTIONS as f64 && self.signal.sqrt() >= MIN_SIGMAS
    }
}

fn strict(fit: &Fit, noise_variance: f64) -> Option<Verdict> {
    let tally = Tally::of(fit, AGREE_PX, |sector| {
        let own = sector.contrast.abs();
        let explained = MAX_NOISE_RATIO * noise_variance + MAX_ROUNDING + (STRICT_MISFIT * own).powi(2);
        own > MIN_SECTOR_SIGMAS * contrast_sigma(sector)
            && sector.variance < explained
            && sector.fitting > MIN_FITTING
            && sector.disc_fitting > MIN_FITTING_DISC
            && sector.shift_sigma < MAX_SHIFT_SIGMA_PX
    });
    let (least, share) = match tally.is_few() && fit.plane {
        true => (MIN_EVIDENCE_OF_FEW, MIN_SHARE_OF_FEW),
        false => (MIN_EVIDENCE, MIN_SHARE),
    };
    let agrees = tally.chi2 < MAX_CHI2 * tally.confirmed;
    let enough = tally.evidence > least && tally.share() > share || tally.is_sharp_arc();
    (tally.stands_out() && agrees && enough)
        .then_some(Verdict { evidence: tally.evidence, ample: tally.evidence > AMPLE_EVIDENCE })
}

fn fair(fit: &Fit, noise_variance: f64) -> Option<Verdict> {
    let contrast = median_contrast(fit)?;
    if contrast < MIN_CONTRAST_GRAY || !fit.plane && contrast < MIN_CLUTTER_CONTRAST * residual_sigma(fit) {
        return None;
    }
    let tally = Tally::of(fit, FAIR_AGREE_PX, |sector| {
        let own = sector.contrast.abs();
        let least = MIN_SECTOR_SIGMAS * contrast_sigma(sector);
        own > least
            && (own - contrast).abs() < MAX_UNLIKE * contrast + least
            && sector.variance < (FAIR_MISFIT * contrast).powi(2) + MAX_NOISE_RATIO * noise_variance
            && sector.fitting > MIN_FAIR_FITTING
    });
    let rms_px = (tally.square_px / tally.confirmed.max(1.0)).sqrt();
    let most_px = if tally.is_few() { MAX_FAIR_RMS_OF_FEW_PX } else { MAX_FAIR_RMS_PX };
    // Directions where nothing fits count too.
    let there = fit.directions.iter().filter(|sector| sector.beyond_px >= MIN_BEYOND_PX).count();
    let share = tally.confirmed / tally.visible.max(there as f64).max(1.0);
    // All around alike is all there is to know here: compared to strict evidence it counts little.
    (tally.stands_out() && rms_px < most_px && share > MIN_SHARE_OF_FAIR)
        .then_some(Verdict { evidence: share, ample: share > 0.9 })
}

fn visible(fit: &Fit) -> impl Iterator<Item = &Evidence> {
    fit.directions.iter().filter(|sector| sector.ground_px >= MIN_GROUND_PX)
}

/// Sigma of a sector's contrast, both sides taken as long as the ground.
fn contrast_sigma(sector: &Evidence) -> f64 {
    let disc_px = (sector.pixels - sector.ground_px).max(1.0);
    (sector.variance * (1.0 / sector.ground_px + 1.0 / disc_px)).sqrt().max(0.05)
}

/// Root mean variance of the residuals over the sectors that take part, in gray levels.
fn residual_sigma(fit: &Fit) -> f64 {
    let active = fit.directions.iter().filter(|sector| sector.active);
    let (sum, count) = active.fold((0.0, 0.0), |(sum, count), sector| (sum + sector.variance, count + 1.0));
    (sum / f64::max(count, 1.0)).sqrt()
}

fn median_contrast(fit: &Fit) -> Option<f64> {
    let mut contrasts = [0.0; DIRECTIONS];
    let mut n = 0;
    for sector in visible(fit).filter(|sector| sector.active) {
        contrasts[n] = sector.contrast.abs();
        n += 1;
    }
    let (_, median, _) = (n > 0).then(|| contrasts[..n].select_nth_unstable_by(n / 2, f64::total_cmp))?;
    Some(*median)
}
