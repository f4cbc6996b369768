//! A plan of trials: a TOML file that says which runs there are, and with which pipeline.
//!
//! `file` reads it. An `axis` is an option with its values. `pipeline` says what answers the frames. [`Plan`] counts the
//! trials and makes each when it is needed, so that the size of a plan takes no memory. A [`Trial`] is named by a hash
//! of its specification.

mod axis;
mod file;
mod grid;
mod pipeline;
mod trial;

pub(super) use axis::Axis;
pub(super) use grid::{OF_THE_LINK, Plan};
pub(super) use pipeline::Answerer;
pub(super) use trial::Trial;

#[cfg(test)]
mod tests;
