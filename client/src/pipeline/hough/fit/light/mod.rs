//! The light around a disc: lenses let less of it through towards the corners, so ground and disc are brighter on one side.
//!
//! Unseen, that moves the centre: half a gray level a pixel does so by many times the noise. Its slope can hardly be told
//! from a shift by the annulus alone, but the ground far around the disc shows it well.
//!
//! 1. `around`: a `surface` of second order through the ground around the disc, in the reduced frame. Where it is flat,
//!    that is all.
//! 2. `within`: the same through the disc's middle. Light that falls unevenly makes ground and disc slope alike, in
//!    proportion to their levels; a ground with a slope of its own leaves the disc even.
//! 3. `gain`: how likely is the first? The pixels of the annulus are divided by what the light does to them.

pub(crate) mod around;
pub(crate) mod gain;
mod samples;
mod slope;
mod surface;
mod within;
