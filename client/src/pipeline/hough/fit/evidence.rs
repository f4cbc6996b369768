//! The evidence for the fitted disc from each direction separately, and how well its centre is known.

use shared::geometry::Covariance;

use crate::pipeline::hough::fit::decide::state::State;
use crate::pipeline::hough::fit::equations::columns::{DISC, RADIUS};
use crate::pipeline::hough::fit::equations::sums::{ROUNDING_VARIANCE, SectorSums};
use crate::pipeline::hough::sectors::{DIRECTIONS, direction_index};

/// Disagreement of the directions that may be chance, as a reduced χ². Sixteen directions less the circle's three
/// parameters leave thirteen degrees of freedom, for which one case in twenty exceeds 1.7.
const CHANCE_RATIO: f64 = 1.7;

/// Parameters that a circle is fitted with: centre and radius.
pub(crate) const CIRCLE_PARAMETERS: f64 = 3.0;

/// What one direction shows about the disc.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Evidence {
    /// Number of pixels in the annulus.
    pub(crate) pixels: f64,
    /// Fraction of the edge's information that lies in pixels that fit. 1 for a disc, small where edges merely cross.
    pub(crate) fitting: f64,
    /// Fraction of the disc's side of the edge that fits.
    pub(crate) disc_fitting: f64,
    /// Number of pixels beyond the edge, whether they fit or not.
    pub(crate) beyond_px: f64,
    /// Amount of ground seen, in pixels.
    pub(crate) ground_px: f64,
    /// The disc's level minus the direction's own ground level, in gray levels.
    pub(crate) contrast: f64,
    /// Distance from the circle outwards to the edge that this direction alone would find, in pixels, and its sigma.
    pub(crate) shift: f64,
    pub(crate) shift_sigma: f64,
    /// Variance of the residuals, in gray levels squared.
    pub(crate) variance: f64,
    /// Whether the direction shows an edge.
    pub(crate) active: bool,
    /// Whether all sectors of the direction that show an edge take part in the fit.
    pub(crate) fitted: bool,
}

/// Evidence of each direction.
pub(crate) fn evidence(sums: &[SectorSums], state: &State) -> [Evidence; DIRECTIONS] {
    std::array::from_fn(|direction| of_direction(direction, sums, state))
}

fn of_direction(direction: usize, sums: &[SectorSums], state: &State) -> Evidence {
    let n = sums.len();
    let (mut fitting, mut pixels, mut edge, mut side, mut ground_px) = (SectorSums::ZERO, 0.0, 0.0, 0.0, 0.0);
    let (mut contrast, mut count, mut beyond_px) = (0.0, 0.0, 0.0);
    let (mut information, mut pull, mut left, mut freedom) = (0.0, 0.0, 0.0, 0.0);
    for (k, sector) in sums.iter().enumerate() {
        if direction_index(k, n, DIRECTIONS) != direction {
            continue;
        }
        beyond_px += sector.pixels - sector.side;
        if !sector.is_seen() {
            continue;
        }
        pixels += sector.pixels;
        edge += sector.edge;
        side += sector.side;
        ground_px += sector.ground_px();
        if (state.active | state.off_plane) >> k & 1 == 1 {
            fitting.add(sector);
            contrast += state.sector_contrast(sector, k);
            information += sector.information();
            pull += sector.shift() * sector.information();
            left += sector.variance() * (sector.weight - 2.0).max(1.0);
            freedom += (sector.weight - 2.0).max(1.0);
            count += 1.0;
        }
    }
    let in_direction = |k: &usize| direction_index(*k, n, DIRECTIONS) == direction;
    let fitted = (0..n).filter(in_direction).all(|k| state.off_plane >> k & 1 == 0);
    if count == 0.0 {
        return Evidence { pixels, beyond_px, ground_px, shift_sigma: 1e3, ..Evidence::default() };
    }
    let variance = left / freedom;
    Evidence {
        pixels,
        fitting: fitting.at(RADIUS, RADIUS) / edge.max(1e-9),
        disc_fitting: fitting.at(DISC, DISC) / side.max(1e-9),
        beyond_px,
        ground_px,
        contrast: contrast / count,
        shift: pull / information,
        shift_sigma: (variance.max(ROUNDING_VARIANCE) / information).sqrt(),
        variance,
        active: true,
        fitted,
    }
}

/// Widens the covariance by how much more the directions disagree about the edge than their residuals explain.
///
/// Compression gives neighbouring pixels correlated errors. That shows only here.
pub(crate) fn honest(covariance: Covariance, directions: &[Evidence; DIRECTIONS]) -> Covariance {
    let (chi2, count) = directions
        .iter()
        .filter(|one| one.fitted)
        .fold((0.0, 0.0), |(chi2, count), one| (chi2 + (one.shift / one.shift_sigma.max(1e-9)).powi(2), count + 1.0));
    let ratio = chi2 / f64::max(count - CIRCLE_PARAMETERS, 1.0);
    let factor = if ratio > CHANCE_RATIO { ratio } else { 1.0 };
    Covariance { xx: factor * covariance.xx, xy: factor * covariance.xy, yy: factor * covariance.yy }
}
