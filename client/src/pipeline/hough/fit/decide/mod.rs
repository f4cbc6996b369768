//! Decides what the sums of an iteration mean for the model.
//!
//! `state` holds the state of the fit. `judge` decides which sectors take part, `misfit` whether the disc fits badly
//! all around, `ground` how the ground is modelled, and `motion` whether the disc moved during the exposure.

pub(crate) mod ground;
pub(crate) mod judge;
pub(crate) mod misfit;
pub(crate) mod motion;
pub(crate) mod state;
