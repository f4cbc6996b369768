//! `server tune`: looks for the setting of a pipeline with the least error, against known truth.
//!
//! `core` decides what to run, from the results so far. It is not connected to the command line yet.

mod core;
