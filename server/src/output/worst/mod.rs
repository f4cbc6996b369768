//! The worst frames of a run, and their pictures.
//!
//! A [`Ranking`] holds the worst frames of those seen so far. Frames of computed sources are rendered again for the page.
//! A frame of another source is gone once it is sent, so a [`Keeper`] looks at each answer as it comes. If its frame is
//! among the worst so far, the keeper cuts a small picture out of it ([`Crop`]). `values` says how bad a frame is.

mod crop;
mod keeper;
mod rank;
mod values;

pub use keeper::{Keeper, KeptCrop};

pub(super) use crop::{Crop, Ring, Rings, crop};
pub(super) use rank::{Rank, Ranking};
pub(super) use values::{Reader, Values};
