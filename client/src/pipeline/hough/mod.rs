//! The detector "hough": searches the whole frame coarsely, then measures one circle precisely.
//!
//! 1. `search`: in the reduced frame, edges vote for centres. The peaks of the votes become candidates, the most
//!    complete rings first.
//! 2. `locate`: in the full frame, finds the edge along each of 48 rays, and the circle on which most edges agree.
//! 3. `fit`: Gauss–Newton on the intensities around that circle, which uses all the information in the pixels.
//! 4. `verify`: decides whether the fitted circle is a disc. If not, the next candidate is tried.
//! 5. `rim`: if no candidate is a round, even disc, or the residuals of one are too large for that, looks for a closed
//!    edge: ellipses, shaded balls, outlines, and discs up to half of the shorter side.
//!
//! `detector` runs these stages, `all` runs them for every disc of a frame, and `kind` makes pipelines from both.
//! `explain` records the outcome of each candidate.
//! The stages share the `frame`, the `ring` (a circle in single precision), the `sectors` around a centre, the
//! `bounds` of the work and the `chance` that is left to noise. `stages` runs them one by one, for benchmarks.
//!
//! A constant says where it comes from: a definition, a derivation, a chance that is accepted (`chance`), or a
//! measurement. Where its comment gives only its purpose, the measurement is `bench/constants/measured.csv`: what changes
//! on the same frames if the constant is 0.7 or 1.4 times as large. `bench/constants/vary.py` makes it.
//!
//! The loops that take most of the time are compiled twice, for any x86-64 and for AVX2, with identical results.
//! `machine` selects the version to run.

pub use detector::{Hough, NAME};
pub use explain::Trial;
pub use kind::KIND;

mod all;
mod bounds;
mod chance;
mod detector;
mod explain;
mod fit;
mod frame;
mod kind;
mod locate;
mod machine;
mod rim;
mod ring;
mod search;
mod sectors;
#[doc(hidden)]
pub mod stages;
#[cfg(test)]
mod tests;
mod verify;
