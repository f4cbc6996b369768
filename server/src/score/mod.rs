//! Scoring that all tasks share: answers paired with their frames by id, in frame order; delivery and latency.
//!
//! [`pairing`] decides the outcome of each frame, [`counts`] counts outcomes, and [`latency`] measures how long
//! answers took; `skipped` adds how long they would have taken for ticks without a frame. A [`record`] is everything
//! known about a finished frame, in the [`cells`] that its task names.
//! Conservation always holds: sent = answered + dropped + lost + unresolved.

pub mod cells;
pub mod counts;
pub mod latency;
pub mod pairing;
pub mod record;
pub(crate) mod skipped;
pub(crate) mod sum;
