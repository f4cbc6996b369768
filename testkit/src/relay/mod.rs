//! A relay between the two ends of a session, for tests: it delays, drops, reorders and duplicates datagrams, each
//! direction by itself, the same way for the same seed.
//!
//! [`Weather`] decides, from (seed, index) alone, what becomes of a datagram; a [`Line`] holds those on their way. Both are
//! plain state, tested in `testkit/tests/relay.rs`. A [`Relay`] puts them between two real ends, with the sockets and
//! threads of `shell`: it relays `signaling` too, so that both ends see only its addresses, and their `datagrams`, each
//! direction by a `way` of its own.

mod datagrams;
mod line;
mod shell;
mod signaling;
mod way;
mod weather;

pub use line::{Counts, Line};
pub use shell::{Both, Relay};
pub use weather::{Fate, Rate, Weather};
