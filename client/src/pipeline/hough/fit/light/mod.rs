//! The light around a disc. Lenses let less light through towards the corners, so ground and disc are brighter on one
//! side.
//!
//! If this is ignored, the centre moves: a slope of half a gray level per pixel moves it by many times the noise. The
//! annulus alone can hardly tell the slope from a shift, but the ground further around the disc shows it well.
//!
//! 1. `around` fits a `surface` of second order to the ground around the disc, in the reduced frame. If it is flat, the
//!    light is taken to be even.
//! 2. `within` fits a surface to the disc's middle. Uneven light makes ground and disc slope alike, in proportion to
//!    their levels. A ground with a slope of its own leaves the disc even.
//! 3. `gain` estimates how likely uneven light is. The pixels of the annulus are divided by the resulting gain.

pub(crate) mod around;
pub(crate) mod gain;
mod samples;
mod slope;
mod surface;
mod within;
