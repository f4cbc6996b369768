//! What the sums of an iteration mean for the model.
//!
//! `state` holds where the fit stands. `judge` decides which sectors take part, `misfit` whether the disc fits badly all
//! around, `ground` how the ground is taken, `motion` whether the disc moved during the exposure.

pub(crate) mod ground;
pub(crate) mod judge;
pub(crate) mod misfit;
pub(crate) mod motion;
pub(crate) mod state;
