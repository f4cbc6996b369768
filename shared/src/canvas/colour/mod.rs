//! Colours of gray16 pictures, which have more values than a screen has gray levels.
//!
//! A [`Look`] says which [`map`](Colormap) gives a level its colour, and which [`range`](ValueRange) of values becomes
//! the levels 0 to 255. [`Colours`] are those of one image.

mod colours;
mod look;
mod map;
mod range;
mod turbo;

pub use colours::Colours;
pub use look::Look;
pub use map::{Colormap, UnknownColormap};
pub use range::{NotARange, ValueRange};
