//! Where circles may be.

pub(crate) mod block_sums;
pub(crate) mod candidates;
pub(crate) mod edge_map;
pub(crate) mod gradient;
pub(crate) mod neighbours;
pub(crate) mod peaks;
pub(crate) mod radii;
pub(crate) mod reduce;
pub(crate) mod sobel;
pub(crate) mod strong;
pub(crate) mod vote;
