//! Decides whether a fitted circle is a disc.
//!
//! A fit exists for any patch of pixels: noise, corners and textures fit badly, but they do fit. For a disc, each
//! direction on its own finds the edge where the circle has it. The more precisely a direction knows its edge, and the
//! better that edge agrees with the circle, the less likely it is to be chance. The logarithms of these chances add up
//! to the evidence.
//!
//! `judge` asks two questions. `strict` asks whether the pixels fit to the noise where the disc is seen. If they do
//! not, `fair` asks whether they fit fairly well, and equally well in all directions. Both count what the directions
//! show in a `tally`, and answer with a `verdict`.

pub(crate) mod judge;
pub(crate) mod verdict;

mod fair;
mod strict;
mod tally;
