//! Plumb's server: renders frames of known truth, sends them, scores the answers.
//!
//! The story: [`cli`] reads the command line, whose [`run`] specification says what a run does; [`app`] builds it.
//! [`serve`] accepts clients and runs a [`session`] with each. Its frames come from a [`source`] (by default a [`scene`]
//! seen by a [`camera`]) and are [`encode`]d. Its answers are paired with their frames ([`score`]) and scored by the
//! [`task`] against the [`truth`]. Every [`output`] is told of it: rows, window, report, CSV.
//!
//! The truth stays here: no byte of seed, scene or radius reaches a client.
//! Conventions (pixels, units, images) are those of [`shared`].

pub mod announce;
pub mod app;
pub mod camera;
pub mod cli;
pub mod encode;
pub mod health;
pub mod options;
pub mod output;
pub mod run;
pub mod scene;
pub mod schema;
pub mod score;
pub mod serve;
pub mod session;
pub mod source;
pub mod task;
pub mod truth;
