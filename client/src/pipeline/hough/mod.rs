//! The detector "hough": look everywhere coarsely, then measure one circle finely.
//!
//! 1. `reduce`: means over square cells, 4x by default.
//! 2. `gradient`: thin edges that stand out of the noise.
//! 3. `vote`: edges vote for centres; the peaks, ranked by how complete their `ring` is, become candidates.
//! 4. `rays`: in the full frame, the strongest `steps` along each of 48 rays, and the `circle` most of them agree on.
//! 5. `refine`: Gauss–Newton on the intensities of the `annulus` around that circle, which takes all the information the
//!    pixels hold, read in the order the `compass` has, in `sectors`. `model` says what a pixel should show, with a
//!    `profile` across the edge, `columns` how far it does not and why; `products` of these are summed up for each sector
//!    (`sums`), `normal` makes one system of equations of them and solves it (`cholesky`). What the sums mean for the
//!    model (`state`): `judge` says which sectors show the disc, `misfit` whether the disc is a bad one all around,
//!    `ground` how the ground lies, `motion` whether the disc moved. One that moved by its own width has no ring to start
//!    from, and starts from its `moments`.
//! 6. `verify`: is it a disc, by the `evidence` of each direction? If not, the next candidate; after the last, no circle.
//!
//! The loops that take the time are in `simd`.

pub use detector::{Hough, NAME};

mod detector;
mod fit;
mod frame;
mod locate;
mod ring;
mod search;
mod sectors;
#[doc(hidden)]
pub mod stages;
#[cfg(test)]
mod tests;
mod verify;
