//! Pixels.

pub(crate) mod annulus;
pub(crate) mod compass;
