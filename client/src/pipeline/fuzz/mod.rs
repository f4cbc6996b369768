//! What a detector keeps to on any frame with any limits, for a fuzzer to disprove.
//!
//! The bytes are a recipe for a picture, so that a few of them make a disc; it ends where they end:
//!
//! | bytes | meaning |
//! |---|---|
//! | 0, 1 | width and height |
//! | 2 | bits 0–1: how the pixels lie in memory; bits 2–3 and 4–5: factor of the width and the height, 1, 1, 4 or 256 |
//! | 3, 4 | smallest and largest radius: 0 for the default, quarters of a pixel to 239, then odd ones |
//! | 5 | gray level of the ground |
//! | six each | what is drawn over it: what, x, y, two sizes, gray level |

pub use check::check;

mod check;
mod layout;
mod recipe;
mod stroke;
