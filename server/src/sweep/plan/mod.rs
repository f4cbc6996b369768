//! A plan of trials: a TOML file that describes the runs and the pipeline.
//!
//! `file` reads it. An `axis` is an option with its values. `pipeline` describes the pipeline. [`Plan`] makes each
//! trial when it is needed, so that a large plan takes no more memory than a small one. A [`Trial`] is named by a hash
//! of its specification.

mod axis;
mod file;
mod grid;
mod pipeline;
mod trial;

pub(super) use axis::Axis;
pub(super) use grid::{MAX_TRIALS, OF_THE_LINK, Plan};
pub(super) use pipeline::Answerer;
pub(super) use trial::{Trial, hash};

#[cfg(test)]
mod tests;
