//! Admission: both ends prove to each other that they hold the same token, and that nobody is between them.
//!
//! A [`Token`] comes from a file. It is never sent over the network. Instead, an end sends a [`Proof`]: the token's
//! HMAC over data that both ends know. There are two proofs. The first covers both [`Nonces`] and the end's role, and
//! is sent before any description. The second also covers both [`Fingerprint`]s, which name the certificates of the
//! link: a peer in the middle of the signaling can forward the lines, but cannot use its own certificates. [`Slowdown`]
//! delays the refusal of failing proofs. With an [`Identity`], a server also signs what its proof covers, so that a
//! client can ask for this server ([`ServerId`]) and no other holder of the token.
//!
//! Everything here is plain state, without a clock or a socket. `door::admission` exchanges the lines.

mod fingerprint;
pub mod fuzz;
mod hex;
mod identity;
mod not_admitted;
mod private_file;
mod proof;
mod slowdown;
mod token;
#[cfg(test)]
mod vectors;

pub use fingerprint::{Fingerprint, Fingerprints};
pub use identity::{Identity, IdentityError, NotAServerId, PublicKey, ServerId, Signed};
pub use not_admitted::NotAdmitted;
pub use private_file::make_private;
pub use proof::{NONCE_BYTES, Nonce, Nonces, PROOF_BYTES, Proof, WrongText};
pub use slowdown::{HELD_AT_MOST, Slowdown};
pub use token::{LEAST_TOKEN, MOST_TOKEN, Token, TokenError};
