//! Finds where a circle may be: candidates from the whole frame, accurate to about a cell of the reduced frame.
//!
//! 1. `reduce`: takes the means of square cells, 4x4 pixels by default. `block_sums` has the fast loops.
//! 2. `gradient`: finds thin edges that stand out of the noise, from `sobel` differences. `strong` picks the cells to
//!    examine.
//! 3. `vote`: each edge votes for the centres at the `radii` it could belong to.
//! 4. `peaks`: finds the local maxima of the votes, summed over `neighbours`.
//! 5. `candidates`: ranks the peaks by how complete a ring the edges show there (`edge_map`).

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
