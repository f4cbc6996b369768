//! The contract of a detector on any frame with any limits, for a fuzzer to break.
//!
//! `check` shows a frame to the detectors and checks their answers against the contract. A `recipe` describes the
//! frame, so that a few bytes make a disc. It ends where the bytes end. Each `stroke` draws over the picture so far,
//! and `layout` sets the order of the pixels in memory.
//!
//! | bytes | meaning |
//! |---|---|
//! | 0, 1 | width and height |
//! | 2 | bits 0–1: layout in memory; bits 2–3 and 4–5: factor of width and height: 1, 1, 4 or 256 |
//! | 3, 4 | smallest and largest radius: 0 is the default, 1 to 239 are quarters of a pixel, 240 to 255 unusual ones |
//! | 5 | gray level of the background |
//! | six per stroke | kind, x, y, two sizes, gray level |

pub use check::check;

mod check;
mod layout;
mod recipe;
mod stroke;
