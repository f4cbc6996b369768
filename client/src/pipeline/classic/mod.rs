//! The detector "hough-classic": the plain gradient method of OpenCV's `HoughCircles`, for comparison.
//!
//! It gives the best circle that OpenCV finds with `GaussianBlur(9x9, sigma 2)` and `HoughCircles(HOUGH_GRADIENT,
//! dp = 1, param1 = 50, param2 = 30)`. Every stage behaves as in OpenCV, quirks included. `detector` runs the stages,
//! and `kind` makes the detector a pipeline. The stages are:
//!
//! 1. `blur`: 9x9 Gaussian in fixed point, as in `GaussianBlur` for bytes.
//! 2. `sobel`: 3x3 differences, with the border replicated.
//! 3. `canny`: edges one pixel thin, by the L1 norm. Weak edges are kept if they touch strong ones.
//! 4. `vote`: each edge pixel votes along its gradient, both ways, at the `radii` searched. Local maxima are centres.
//! 5. `radius`: the radius with the most support for each centre. The centre with the most support wins.
//!
//! Numbers are rounded as in OpenCV (`round`). Centres are on a lattice of half pixels, which alone costs 0.5 px of
//! mean L1 error. That belongs to the method and is kept.
//! `cargo bench -p server --bench detector -- --parity` compares every stage with OpenCV's.
//!
//! Method: Yuen, Princen, Illingworth, Kittler, "Comparative study of Hough transform methods for circle finding",
//! Image and Vision Computing 8(1), 1990; Canny, PAMI 8(6), 1986. Figures: OpenCV 4.14.

pub use detector::{Classic, NAME, Stages};
pub use kind::KIND;

mod blur;
mod canny;
mod detector;
mod kind;
mod radii;
mod radius;
mod round;
mod sobel;
#[cfg(test)]
mod tests;
mod vote;
