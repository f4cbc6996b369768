//! Plumb's server: renders frames with known truth, sends them and scores the answers.
//!
//! Overview: [`cli`] reads the command line; its [`run`] specification says what a run does, and [`app`] builds it.
//! [`serve`] accepts clients and runs a [`session`] with each. Its frames come from a [`source`] (by default a
//! [`scene`] seen by a [`camera`]) and are [`encode`]d. Its answers are paired with their frames ([`score`]) and scored
//! by the [`task`] against the [`truth`]. Every [`output`] receives the results: rows, window, report, CSV.
//! [`metrics`] counts for those who watch a server that runs, and [`browser`] is the page that shows it. [`compare`] says what differs between runs, and
//! [`calibrate`] what maps truth to answers. [`sweep`] runs the trials of a plan, and [`tune`] looks
//! for the best setting of a pipeline.
//! [`evaluate`] does the same with a pipeline in this process, without a link.
//!
//! The truth stays in the server: no byte of seed, scene or radius reaches a client.
//! [`shared`] defines the conventions for pixels, units and images.

pub mod announce;
pub mod app;
pub mod browser;
pub mod calibrate;
pub mod camera;
pub mod cli;
mod columns;
pub mod compare;
pub mod doctor;
pub mod encode;
pub mod evaluate;
pub mod gate;
pub mod health;
mod limited;
pub mod metrics;
pub mod options;
pub mod output;
#[cfg(feature = "mcap")]
pub mod recording;
pub mod report;
pub mod run;
pub mod scene;
pub mod schema;
pub mod score;
pub mod serve;
pub mod session;
pub mod source;
pub mod sweep;
pub mod task;
pub mod token;
pub mod truth;
pub mod tune;
