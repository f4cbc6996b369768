//! The state of a fit: the model, how the ground is modelled, which sectors take part, and what they typically show.

use crate::pipeline::hough::fit::equations::model::{Model, Profile};
use crate::pipeline::hough::fit::equations::normal::Solution;
use crate::pipeline::hough::fit::equations::sums::SectorSums;
use crate::pipeline::hough::locate::start::Start;
use crate::pipeline::hough::sectors::{DIRECTIONS, MAX_SECTORS, direction_index, direction_of};

/// Sigma added to the residuals' own sigma before pixels are judged, as a fraction of the contrast.
///
/// Without it, a clean frame, whose residuals are only rounding, would reject its own edge.
pub(crate) const MODEL_ERROR: f64 = 0.02;

/// Fraction of the contrast by which the levels around a moved disc may differ between sectors, because the model
/// divides the disc's path into steps.
const SMEARED_APART: f64 = 0.2;

/// Noise variance below which a frame counts as free of noise, in gray levels squared. Rounding alone has 1/12, and a
/// noise of one level hides what drawing in whole pixels does to a faint disc.
const NOISELESS: f64 = 1.0;

/// State of one fit.
pub(crate) struct State {
    pub(crate) model: Model,
    pub(crate) ground: Ground,
    /// Slope of the ground that the frame around the disc shows, in gray levels per pixel.
    pub(crate) known_slope: (f64, f64),
    /// Whether the plane has a slope besides `known_slope`.
    pub(crate) sloped: bool,
    /// Whether the disc has a slope too, because light falls unevenly on it.
    pub(crate) lit: bool,
    /// Whether a plane was tried and rejected.
    pub(crate) no_plane: bool,
    /// Whether most sectors fit worse than the frame's noise explains.
    pub(crate) general_misfit: bool,
    /// Bit mask of the sectors that take part.
    pub(crate) active: u64,
    /// Bit mask of the sectors left out only because of their ground. Their edges still count as evidence of a disc.
    pub(crate) off_plane: u64,
    /// Whether the sectors' own edges are trusted already.
    pub(crate) believes_shifts: bool,
    /// Whether the iterations stopped early because another annulus is needed.
    pub(crate) unsettled: bool,
    /// Sigma of the trusted sectors' residuals.
    pub(crate) typical_sigma: f64,
    /// Bit mask of the directions in which the rays agreed.
    pub(crate) trusted: u16,
    /// Variance of the frame's noise, in gray levels squared.
    pub(crate) noise_variance: f64,
}

/// How the ground is modelled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ground {
    /// Not known yet: a level for each sector, and equal weights for all pixels.
    Unknown,
    /// One plane under all sectors, with this level at the origin.
    Plane { level: f64 },
    /// A level for each sector. `sigma` scales the pixels' weights.
    Levels { sigma: f64 },
}

impl State {
    /// Starts a fit from `model`, with the sectors of the directions in which the rays agreed.
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

    /// Bit mask of those of `sectors` that belong to directions in which the rays agreed.
    pub(crate) fn trusted_of(&self, sectors: usize) -> u64 {
        (0..sectors).filter(|&k| self.trusts(k, sectors)).fold(0, |mask, k| mask | 1 << k)
    }

    fn trusts(&self, sector: usize, sectors: usize) -> bool {
        self.trusted >> direction_index(sector, sectors, DIRECTIONS) & 1 == 1
    }

    /// Whether the frame is practically free of noise.
    pub(crate) fn is_noiseless(&self) -> bool {
        self.noise_variance < NOISELESS
    }

    /// How much levels may differ between sectors, as a fraction of the contrast. `still` is the value for a disc at
    /// rest.
    pub(crate) fn allowed_apart(&self, still: f64) -> f64 {
        if self.model.profile == Profile::Smear { SMEARED_APART } else { still }
    }

    /// The disc's level minus the sector's own best ground level.
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

    /// A quantile of the variances of the trusted sectors' residuals.
    pub(crate) fn variance_at(&self, sums: &[SectorSums], part: f64) -> Option<f64> {
        let trusted = sums.iter().enumerate().filter(|(k, sector)| self.trusts(*k, sums.len()) && sector.is_seen());
        quantile(trusted.map(|(_, sector)| sector.variance()), part)
    }
}

/// A quantile of the sectors' values. `None` if there are none.
fn quantile(values: impl Iterator<Item = f64>, part: f64) -> Option<f64> {
    let mut all = [0.0; MAX_SECTORS];
    let mut n = 0;
    for (slot, value) in all.iter_mut().zip(values) {
        *slot = value;
        n += 1;
    }
    (n > 0).then(|| *all[..n].select_nth_unstable_by((n as f64 * part) as usize, f64::total_cmp).1)
}
