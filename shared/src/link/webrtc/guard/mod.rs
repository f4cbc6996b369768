//! The guard decides what a peer may send to the `webrtc` crate.
//!
//! Version 0.21 of the crate has faults that a peer can trigger: one packet can make it compute for seconds, and others
//! fill the memory, end the session or cause a panic. So everything passes through the guard first. [`gate`] checks the
//! datagrams in the socket. [`cipher`] wraps the crate's ciphers, and passes each decrypted SCTP packet to [`packets`].
//! If a peer does what no honest peer does, that is a [`Breach`]: the guard drops everything else from it, and its link
//! ends.

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
