//! Is it a disc? What must hold before a fitted circle is believed.
//!
//! A fit exists for any patch of pixels: noise, corners and textures fit badly, but they do fit. A disc's edge is where
//! the circle has it, in one direction after the other, each by itself. The narrower a direction's own edge is known,
//! and the closer it agrees, the less likely is chance: the logarithms of these chances add up to the evidence.
//!
//! `judge` asks two questions: `strict`, whether the pixels fit to the noise where the disc is seen; else `fair`, whether
//! they fit fairly, and alike in all directions. Both count what the directions say in a `tally` and answer with a
//! `verdict`.

pub(crate) mod judge;
pub(crate) mod verdict;

mod fair;
mod strict;
mod tally;
