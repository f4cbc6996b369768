//! The detector "hough": look everywhere coarsely, then measure one circle finely.
//!
//! 1. `search`: in the reduced frame, edges vote for centres. The peaks of the votes become candidates, the most
//!    complete rings first.
//! 2. `locate`: in the full frame, the edge along each of 48 rays, and the circle on which most of them agree.
//! 3. `fit`: Gauss–Newton on the intensities around that circle, which uses all the information that the pixels hold.
//! 4. `verify`: is the fitted circle a disc? If not, the next candidate; after the last one, there is no circle.
//!
//! `detector` runs these four, `kind` makes a pipeline of it. They share the `frame`, the `ring` (a circle in single precision) and the `sectors`
//! around a centre. `stages` runs them one by one, for benchmarks.
//!
//! The loops that take most of the time are compiled twice, for any x86-64 and for AVX2, and give the same numbers:
//! `machine` says which is taken.

pub use detector::{Hough, NAME};
pub use kind::KIND;

mod detector;
mod fit;
mod frame;
mod kind;
mod locate;
mod machine;
mod ring;
mod search;
mod sectors;
#[doc(hidden)]
pub mod stages;
#[cfg(test)]
mod tests;
mod verify;
