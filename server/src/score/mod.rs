//! Scoring that every task shares: answers paired with their frames by id, in frame order; delivery and latency.
//!
//! [`pairing`] decides what became of each frame, [`counts`] says how often, [`latency`] how long it took, `skipped` how
//! long it would have taken where none was sent; a
//! [`record`] is what is known of a frame in the end, in the [`cells`] that its task names.
//! Conservation holds always: sent = answered + dropped + lost + unresolved.

pub mod cells;
pub mod counts;
pub mod latency;
pub mod pairing;
pub mod record;
pub(crate) mod skipped;
pub(crate) mod sum;
