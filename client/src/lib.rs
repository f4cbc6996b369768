//! Plumb's client: receives frames, has a pipeline look at them on worker threads, answers.
//!
//! The story: [`cli`] says what is wanted (a [`config`]), [`app`] builds it, [`connect`] opens a link to the server, found by
//! [`discover`] where none is named, [`run`] drives a
//! [`session`] whose frames the [`workers`] look at with a [`pipeline`], and a [`view`] shows it. [`files`] detects in
//! image files instead.
//!
//! Conventions (pixels, units, images) are those of [`shared`].

pub mod app;
pub mod cli;
pub mod config;
pub mod connect;
pub mod discover;
pub mod files;
pub mod pipeline;
pub mod run;
pub mod session;
pub mod tally;
pub mod view;
pub mod workers;
