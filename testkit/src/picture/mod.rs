//! Frames with known truth, rendered without any formula of a detector.

mod canvas;
mod coverage;
mod random;

pub use canvas::Canvas;
pub use random::Random;
