//! Frames with known truth, rendered without any formula of a detector.

mod canvas;
mod coverage;
mod random;
mod scatter;

pub use canvas::Canvas;
pub use random::Random;
pub use scatter::Scatter;
