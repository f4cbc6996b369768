//! The detector "hough-classic": the plain gradient method as OpenCV's `HoughCircles` does it, for comparison.
//!
//! What users of OpenCV get from `GaussianBlur(9x9, sigma 2)` and `HoughCircles(HOUGH_GRADIENT, dp = 1, param1 = 50,
//! param2 = 30)`, stage by stage and quirk by quirk, the best circle only. `detector` runs the stages,
//! `kind` makes a pipeline of it:
//!
//! 1. `blur`: 9x9 Gaussian in fixed point, as `GaussianBlur` does it for bytes.
//! 2. `sobel`: 3x3 differences, border replicated.
//! 3. `canny`: edges one pixel thin, by the L1 norm; weak ones are kept where they touch strong ones.
//! 4. `vote`: each edge pixel votes along its gradient, both ways, at the `radii` looked for; local maxima are centres.
//! 5. `radius`: the best supported radius of each centre; the centre with the most support wins.
//!
//! Numbers are rounded as OpenCV rounds them (`round`). Centres come out on a lattice of half pixels, which alone costs
//! 0.5 px of mean L1 error: that is the method, kept.
//! `cargo bench -p server --bench detector -- --parity` compares every stage with OpenCV's own.
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
