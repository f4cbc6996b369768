//! Where a fit stands: the model, how the ground is taken, which sectors take part, and what those typically show.

use crate::pipeline::hough::fit::equations::model::{Model, Profile};
use crate::pipeline::hough::fit::equations::normal::Solution;
use crate::pipeline::hough::fit::equations::sums::SectorSums;
use crate::pipeline::hough::locate::start::Start;
use crate::pipeline::hough::sectors::{DIRECTIONS, MAX_SECTORS, direction_index, direction_of};

/// Sigma added to the residuals' own before pixels are judged, as a part of the contrast.
///
/// Without it a clean frame, whose residuals are mere rounding, would reject its own edge.
pub(crate) const MODEL_ERROR: f64 = 0.02;

/// Part of the contrast by which the levels around a moved disc may differ from sector to sector: the model takes its
/// edge in steps.
const SMEARED_APART: f64 = 0.2;

/// A frame without noise to speak of, in gray levels squared.
const NOISELESS: f64 = 1.0;

/// State of one fit.
pub(crate) struct State {
    pub(crate) model: Model,
    pub(crate) ground: Ground,
    /// The slope of the ground that the frame around the disc shows, in gray levels a pixel.
    pub(crate) known_slope: (f64, f64),
    /// Whether the plane has a slope beside that.
    pub(crate) sloped: bool,
    /// Whether the disc has a slope too, because light falls on it unevenly.
    pub(crate) lit: bool,
    /// Whether a plane was tried and failed.
    pub(crate) no_plane: bool,
    /// Whether most sectors fit worse than the frame's noise explains.
    pub(crate) general_misfit: bool,
    /// Sectors that take part, by bit.
    pub(crate) active: u64,
    /// Sectors left out only because of their ground: their edges still count as evidence of a disc.
    pub(crate) off_plane: u64,
    /// Whether the sectors' own edges are believed already.
    pub(crate) believes_shifts: bool,
    /// Whether the fit was broken off for another annulus.
    pub(crate) unsettled: bool,
    /// Sigma of the trusted sectors' residuals.
    pub(crate) typical_sigma: f64,
    /// Directions the rays agreed in.
    pub(crate) trusted: u16,
    /// Of the frame, in gray levels squared.
    pub(crate) noise_variance: f64,
}

/// How the ground is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ground {
    /// Not known yet: a level for each sector, all pixels alike.
    Unknown,
    /// One plane under all sectors, of this level at the origin.
    Plane { level: f64 },
    /// A level for each sector; `sigma` scales the pixels' weights.
    Levels { sigma: f64 },
}

impl State {
    /// A fit to begin from `model`, in the sectors of the directions that the rays agreed in.
    pub(crate) fn new(model: Model, start: &Start, sectors: usize) -> Self {
        let mut state = Self {
            known_slope: model.slope,
            model,
            ground: Ground::Unknown,
            sloped: false,
            lit: false,
            no_plane: false,
            general_misfit: false,
            active: 0,
            off_plane: 0,
            believes_shifts: false,
            unsettled: false,
            typical_sigma: f64::INFINITY,
            trusted: start.directions,
            noise_variance: f64::from(start.noise_gray).powi(2),
        };
        state.active = state.trusted_of(sectors);
        state
    }

    /// Applies a step.
    pub(crate) fn advance(&mut self, sums: &[SectorSums], solution: &Solution) {
        match &mut self.ground {
            Ground::Plane { level } => {
                *level += solution.level;
                self.model.ground = [*level as f32; MAX_SECTORS];
            }
            Ground::Levels { .. } | Ground::Unknown => {
                let moving = self.model.profile == Profile::Smear;
                for (k, (ground, sector)) in self.model.ground.iter_mut().zip(sums).enumerate() {
                    let direction = direction_of(k, sums.len());
                    *ground += sector.level_step_after(&solution.step, direction, moving) as f32;
                }
            }
        }
        self.model.advance(&solution.step);
    }

    /// Of `sectors`, those of the directions that the rays agreed in, by bit.
    pub(crate) fn trusted_of(&self, sectors: usize) -> u64 {
        (0..sectors).filter(|&k| self.trusts(k, sectors)).fold(0, |mask, k| mask | 1 << k)
    }

    fn trusts(&self, sector: usize, sectors: usize) -> bool {
        self.trusted >> direction_index(sector, sectors, DIRECTIONS) & 1 == 1
    }

    /// Whether the frame has no noise to speak of.
    pub(crate) fn is_noiseless(&self) -> bool {
        self.noise_variance < NOISELESS
    }

    /// What levels may differ from sector to sector, as a part of the contrast; `still` is that of a disc at rest.
    pub(crate) fn allowed_apart(&self, still: f64) -> f64 {
        if self.model.profile == Profile::Smear { SMEARED_APART } else { still }
    }

    /// Disc minus a sector's own best ground level.
    pub(crate) fn sector_contrast(&self, sector: &SectorSums, k: usize) -> f64 {
        self.model.disc - f64::from(self.model.ground[k]) - sector.level_step()
    }

    /// Mean contrast of the sectors that take part, in gray levels.
    pub(crate) fn typical_contrast(&self, sums: &[SectorSums]) -> f64 {
        let (mut sum, mut count) = (0.0, 0.0);
        for (k, sector) in sums.iter().enumerate().filter(|(k, _)| self.active >> k & 1 == 1) {
            sum += self.sector_contrast(sector, k).abs();
            count += 1.0;
        }
        sum / f64::max(count, 1.0)
    }

    /// Median ground level of the sectors that take part.
    pub(crate) fn median_level(&self, sums: &[SectorSums]) -> f64 {
        let level = |(k, sector): (usize, &SectorSums)| f64::from(self.model.ground[k]) + sector.level_step();
        let active = sums.iter().enumerate().filter(|(k, _)| self.active >> k & 1 == 1);
        quantile(active.map(level), 0.5).unwrap_or_default()
    }

    /// Quantile of the variance of the trusted sectors' residuals.
    pub(crate) fn variance_at(&self, sums: &[SectorSums], part: f64) -> Option<f64> {
        let trusted = sums.iter().enumerate().filter(|(k, sector)| self.trusts(*k, sums.len()) && sector.is_seen());
        quantile(trusted.map(|(_, sector)| sector.variance()), part)
    }
}

/// Quantile of a value of each sector.
fn quantile(values: impl Iterator<Item = f64>, part: f64) -> Option<f64> {
    let mut all = [0.0; MAX_SECTORS];
    let mut n = 0;
    for (slot, value) in all.iter_mut().zip(values) {
        *slot = value;
        n += 1;
    }
    (n > 0).then(|| *all[..n].select_nth_unstable_by((n as f64 * part) as usize, f64::total_cmp).1)
}
