//! The guard: what a peer may send to the `webrtc` crate.
//!
//! Version 0.21 of the crate has faults that a peer can reach: one packet of it computes for seconds, others fill the
//! memory, end the session or panic. So the crate sees only what passes here. [`gate`] looks at the datagrams in the
//! socket. [`cipher`] lends the crate its ciphers, and shows each packet of SCTP to [`packets`] once it is decrypted.
//! A peer that no honest one resembles has committed a [`Breach`]: nothing of it is taken any more, and its link ends.

mod breach;
mod checks;
mod chunks;
mod cipher;
mod gate;
mod packets;
mod records;

pub(super) use self::breach::{Breach, Conduct};
pub(super) use self::cipher::GuardedProvider;
pub(super) use self::gate::Gate;
