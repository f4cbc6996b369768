//! A relay between the two ends of a session, for tests: it delays, drops, reorders and duplicates datagrams, each
//! direction by itself, the same way for the same seed.
//!
//! [`weather`] decides, from (seed, index) alone, what becomes of a datagram; [`line`] holds those on their way; both
//! are plain state, tested in `shared/tests/relay.rs`. [`shell`] puts them between two real ends: it relays signaling
//! too, so that both see only its addresses. Included by path from the tests of any crate.

// Each test file is a crate of its own and needs a part of this.
#![allow(dead_code, unreachable_pub)]

pub(crate) mod line;
pub(crate) mod shell;
pub(crate) mod weather;
