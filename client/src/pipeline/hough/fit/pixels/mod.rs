//! Pixels.

pub(crate) mod annulus;
pub(crate) mod band;
pub(crate) mod compass;
