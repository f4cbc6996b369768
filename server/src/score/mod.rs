//! Scoring that all tasks share: pairs answers with their frames by id, in frame order, and measures delivery and
//! latency.
//!
//! [`pairing`] decides the outcome of each frame, [`counts`] counts outcomes, and [`latency`] measures how long
//! answers took. [`bounds`] computes the uncertainty of a figure, with `batches` for means and `beta` for
//! distributions. `skipped` adds a latency for each tick that had no frame: how long its answer would have taken. A
//! [`record`] is everything known about a finished frame. Its columns ([`cells`]) are those of the task.
//! Conservation always holds: sent = answered + dropped + lost + unresolved.

pub(crate) mod batches;
pub(crate) mod beta;
pub mod bounds;
pub mod cells;
pub mod counts;
pub mod latency;
pub mod pairing;
pub mod record;
pub(crate) mod skipped;
pub(crate) mod sum;
