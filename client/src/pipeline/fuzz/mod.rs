//! What a detector keeps to on any frame with any limits, for a fuzzer to disprove.
//!
//! `check` shows the detectors a frame and holds their answers against what they promise. The frame comes from a
//! `recipe`, so that a few bytes make a disc; it ends where they end. Each `stroke` draws over what is there, and the
//! `layout` says how the pixels lie in memory.
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
