//! The pixels of the fit: an `annulus` around the circle, divided into sectors.
//!
//! The `band` determines how far the annulus extends and which pixels of the frame are in it. The `compass` gives the
//! order in which to read them. `rims` are the levels on both sides of the edge.

pub(crate) mod annulus;
pub(crate) mod band;
pub(crate) mod compass;
pub(crate) mod rims;
