//! The model that a fit starts with.

use super::decide::state::State;
use super::equations::model::{Model, Profile};
use super::equations::profile::PIXEL_VARIANCE;
use super::pixels::annulus::Annulus;
use super::pixels::rims::Rims;
use crate::pipeline::hough::locate::start::Start;
use crate::pipeline::hough::sectors::{DIRECTIONS, MAX_SECTORS, direction_index};

/// Takes the levels from the rims and everything else from `start`. `slope` is the slope of the ground, as far as
/// known.
pub(crate) fn initial_state(annulus: &Annulus, start: &Start, slope: (f64, f64)) -> State {
    let variance = start.edge_sigma.powi(2).max(PIXEL_VARIANCE);
    let sectors = annulus.sectors;
    let (mut discs, mut n) = ([0.0; MAX_SECTORS], 0);
    let mut ground = [0.0; MAX_SECTORS];
    for (k, ground) in ground.iter_mut().enumerate().take(sectors) {
        let Rims { inside, outside } = annulus.rims(k);
        *ground = outside;
        if inside > 0.0 && start.directions >> direction_index(k, sectors, DIRECTIONS) & 1 == 1 {
            discs[n] = inside;
            n += 1;
        }
    }
    // The median, because an occluder may cover a third of the disc's side.
    let disc = if n > 0 { *discs[..n].select_nth_unstable_by(n / 2, f32::total_cmp).1 } else { 0.0 };
    let model = Model {
        x: 0.0,
        y: 0.0,
        radius: f64::from(start.ring.radius),
        variance: f64::from(variance),
        disc: f64::from(disc),
        motion: start.motion,
        slope,
        disc_slope: (0.0, 0.0),
        ground,
        profile: if start.motion == (0.0, 0.0) { Profile::Gaussian } else { Profile::Smear },
    };
    State::new(model, start, sectors)
}
