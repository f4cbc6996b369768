//! The combined evidence of a fit's directions.

use crate::pipeline::hough::chance::DIRECTION_SIGMAS;
use crate::pipeline::hough::fit::evidence::{CIRCLE_PARAMETERS, Evidence};
use crate::pipeline::hough::fit::refine::Fit;

/// Largest unexplained variance of a direction, as a multiple of the noise variance: four sigmas of the χ² of 50
/// pixels, as many as a direction of a disc of 16 px has.
pub(crate) const MAX_NOISE_RATIO: f64 = 1.8;

/// Smallest total signal of a disc, in sigmas of the noise: that of [`MIN_DIRECTIONS`] at 7 sigmas each, or of sixteen
/// at 3.5.
const MIN_SIGMAS: f64 = 14.0;

/// Distance within which an unrelated edge is equally likely anywhere, in pixels: half the annulus of a sharp edge, 2.2
/// of its sigmas and three pixels.
const CHANCE_PX: f64 = 3.5;

/// Largest distance of a direction's edge from the circle, in pixels, besides what chance explains.
pub(crate) const AGREE_PX: f64 = 0.05;

/// Requirements for a sharp arc: total evidence, evidence per confirming direction, disagreement (as χ²), and share of
/// the visible directions.
///
/// Of 15,000 candidates in 6,000 empty frames of clutter, none met them: those with so few directions had at most 21.5
/// and disagreed by 0.77. Discs behind an occluder and in front of clutter have 22 and more, and disagree by 0.01 to
/// 0.3.
const MIN_EVIDENCE_OF_ARC: f64 = 21.5;
const MIN_EVIDENCE_EACH: f64 = 3.3;
const MAX_CHI2_OF_ARC: f64 = 0.5;
const MIN_SHARE_OF_ARC: f64 = 0.36;

/// A disc with fewer visible directions than this is cut by the border: with its centre on it, nine directions lie in
/// the frame.
const FEW_DIRECTIONS: usize = 10;

/// Fewest visible directions of a disc: three always lie on a circle, so a fourth has to agree.
const MIN_DIRECTIONS: usize = CIRCLE_PARAMETERS as usize + 1;

/// Smallest ground that makes a direction visible, in pixels: its level is then known to half of the noise.
const MIN_GROUND_PX: f64 = 4.0;

/// The combined evidence of the visible directions.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) visible: f64,
    pub(crate) confirmed: f64,
    signal: f64,
    pub(crate) evidence: f64,
    /// Squared distances of the directions' edges from the circle, in sigmas and in pixels.
    pub(crate) chi2: f64,
    pub(crate) square_px: f64,
}

impl Tally {
    pub(crate) fn of(fit: &Fit, agree_px: f64, confirms: impl Fn(&Evidence) -> bool) -> Self {
        let mut tally = Self::default();
        for sector in visible(fit) {
            tally.visible += 1.0;
            let tolerance = agree_px + DIRECTION_SIGMAS * sector.shift_sigma;
            if sector.shift.abs() < tolerance && confirms(sector) {
                tally.confirmed += 1.0;
                tally.signal += (sector.contrast / contrast_sigma(sector)).powi(2);
                tally.evidence += (CHANCE_PX / tolerance).ln();
                tally.chi2 += sector.shift.powi(2) / (sector.shift_sigma.powi(2) + AGREE_PX.powi(2));
                tally.square_px += sector.shift.powi(2);
            }
        }
        // The circle was fitted to the directions' shifts. A χ² adds half of itself to the logarithm of the likelihood.
        tally.evidence -= 0.5 * (tally.chi2 - (tally.confirmed - CIRCLE_PARAMETERS)).max(0.0);
        tally
    }

    pub(crate) fn share(&self) -> f64 {
        self.confirmed / self.visible.max(1.0)
    }

    pub(crate) fn is_few(&self) -> bool {
        self.visible < FEW_DIRECTIONS as f64
    }

    /// Whether few directions confirm, but with far better agreement than chance would give.
    pub(crate) fn is_sharp_arc(&self) -> bool {
        self.evidence > MIN_EVIDENCE_OF_ARC
            && self.evidence > MIN_EVIDENCE_EACH * self.confirmed
            && self.chi2 < MAX_CHI2_OF_ARC * self.confirmed
            && self.share() > MIN_SHARE_OF_ARC
    }

    pub(crate) fn stands_out(&self) -> bool {
        self.visible >= MIN_DIRECTIONS as f64 && self.signal.sqrt() >= MIN_SIGMAS
    }
}

/// The directions that show enough ground.
pub(crate) fn visible(fit: &Fit) -> impl Iterator<Item = &Evidence> {
    fit.directions.iter().filter(|sector| sector.ground_px >= MIN_GROUND_PX)
}

/// Standard error of a direction's contrast, in gray levels: that of the difference of two means, one over the ground
/// pixels and one over the disc pixels, whose residuals have the direction's variance. At least 0.05, so that a picture
/// without noise gives no infinite signal.
pub(crate) fn contrast_sigma(sector: &Evidence) -> f64 {
    let disc_px = (sector.pixels - sector.ground_px).max(1.0);
    (sector.variance * (1.0 / sector.ground_px + 1.0 / disc_px)).sqrt().max(0.05)
}
