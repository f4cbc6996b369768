//! Plumb's client: receives frames, runs a pipeline on them in worker threads, and sends the answers.
//!
//! [`cli`] parses the command line into a [`config`], and [`app`] builds the rest from it. [`connect`] opens a link to
//! the server, which [`discover`] finds if none is named; or the client [`listen`]s for servers that call. [`run`] drives
//! a [`session`]: the [`workers`] process its frames with a [`pipeline`], and a [`view`] shows them. People and programs
//! give it [`commands`]. Alternatively, [`files`] detects circles in image files.
//!
//! Conventions (pixels, units, images) are those of [`shared`].

pub mod app;
pub mod cli;
pub mod commands;
pub mod config;
pub mod connect;
pub mod discover;
pub mod files;
pub mod listen;
pub mod pipeline;
pub mod run;
pub mod session;
pub mod tally;
pub mod verdict;
pub mod view;
pub mod workers;
