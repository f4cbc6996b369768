//! A relay between the two ends of a session, for tests. It delays, drops, reorders and duplicates datagrams. Each
//! direction has its own impairments, which are the same for the same seed.
//!
//! [`Impairments`] decides from seed and index alone whether and when a datagram arrives. A [`Line`] holds the
//! datagrams in flight. Both are plain state, tested in `testkit/tests/relay.rs`. A [`Relay`] puts them between two
//! real ends, with the sockets and threads of `shell`. It relays `signaling`, so that both ends see only its addresses,
//! and their `datagrams`, with one `way` per direction.

mod datagrams;
mod impairments;
mod line;
mod shell;
mod signaling;
mod way;

pub use impairments::{Impairments, Rate, Transit};
pub use line::{Counts, Line};
pub use shell::{Both, Relay};
