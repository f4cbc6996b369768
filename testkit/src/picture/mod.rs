//! Frames with known truth, rendered without any of a detector's own formulas.

mod canvas;
mod coverage;
mod random;

pub use canvas::Canvas;
pub use random::Random;
