//! The pixels of the fit: an `annulus` around the circle, sorted into sectors.
//!
//! The `band` says how far it reaches and which pixels of the frame are in it; the `compass` has the order to read them.

pub(crate) mod annulus;
pub(crate) mod band;
pub(crate) mod compass;
