//! Admission: both ends prove that they hold the same token, and to each other that nobody sits between them.
//!
//! A [`Token`] comes from a file. It never goes over the network: an end sends a [`Proof`], the token's HMAC over what
//! both ends know. There are two. The first is over both [`Nonces`] and the end's role, before any description. The
//! second also covers both [`Fingerprint`]s, which name the certificates of the link: a peer in the middle of the
//! signaling can pass on the lines, but not its own certificates. [`Slowdown`] makes failing proofs wait.
//!
//! Everything here is plain: no clock, no socket. `door::admission` exchanges the lines.

mod fingerprint;
mod not_admitted;
mod proof;
mod slowdown;
mod token;

pub use fingerprint::{Fingerprint, Fingerprints};
pub use not_admitted::NotAdmitted;
pub use proof::{NONCE_BYTES, Nonce, Nonces, PROOF_BYTES, Proof, WrongText};
pub use slowdown::{HELD_AT_MOST, Slowdown};
pub use token::{LEAST_TOKEN, MOST_TOKEN, Token, TokenError};
