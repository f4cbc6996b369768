//! Plumb's server: renders frames of known truth, sends them, scores the answers.
//!
//! The story: [`cli`] says what is wanted, above all the specification of the [`run`], and [`app`] builds it. [`serve`] accepts clients and runs a [`session`] with
//! each: its frames come from a [`source`] (a [`scene`] seen by a [`camera`]) and are [`encode`]d, its answers are
//! [`score`]d, a [`view`]
//! shows them and the [`report`] keeps them.
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
