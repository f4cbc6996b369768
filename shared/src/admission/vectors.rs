//! The nonces and certificates of the tables in docs/protocol.md: bytes that count up from 0.

use super::fingerprint::{Fingerprint, Fingerprints};
use super::proof::{Nonce, Nonces};

/// The document, whose tables have the proofs and signatures for these.
pub(super) const DOCUMENT: &str = include_str!("../../../docs/protocol.md");

pub(super) fn counting(first: u8) -> [u8; 32] {
    std::array::from_fn(|place| first + place as u8)
}

pub(super) fn nonces() -> Nonces {
    Nonces { source: Nonce(counting(0)), sink: Nonce(counting(32)) }
}

pub(super) fn fingerprints() -> Fingerprints {
    Fingerprints { source: Fingerprint(counting(64)), sink: Fingerprint(counting(96)) }
}
