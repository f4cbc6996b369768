//! The worst frames of a run, and their pictures.
//!
//! A [`Ranking`] holds the worst frames of those seen so far. Frames of computed sources are rendered again for the
//! page. A frame of any other source is gone after it is sent. So a [`Keeper`] examines each answer when it arrives,
//! and cuts a small picture ([`Crop`]) out of the frame if it is among the worst so far. `values` says how bad a frame
//! is.

mod crop;
mod keeper;
mod rank;
mod values;

pub use keeper::{Keeper, KeptCrop};

pub(super) use crop::{Crop, Ring, Rings, crop};
pub(super) use rank::{Rank, Ranking};
pub(super) use values::{Reader, Values};
