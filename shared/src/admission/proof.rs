//! Proofs: HMAC-SHA256 with the token as key, over data that both ends know.

use std::fmt;
use std::str::FromStr;

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use thiserror::Error;

use super::fingerprint::Fingerprints;
use super::hex::{from_hex, to_hex};
use super::token::{Token, TokenError};
use crate::protocol::message::Role;

/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 32;

/// Bytes of a proof: those of a SHA-256.
pub const PROOF_BYTES: usize = 32;

/// Start of every covered message, so that a proof of another protocol or version is never valid here.
const CONTEXT: &[u8] = b"plumb admission 1\0";

/// Start of every message that is proved for a page that only watches. It differs from that of clients, so that a peer
/// between a client and the server cannot watch with the client's proof.
const PAGE_CONTEXT: &[u8] = b"plumb page 1\0";

/// Start of every message that a server's identity signs.
const IDENTITY_CONTEXT: &[u8] = b"plumb identity 1\0";

/// A number that is used once. Written as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce(pub [u8; NONCE_BYTES]);

/// A proof that its sender holds the token. Written as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug)]
pub struct Proof(pub [u8; PROOF_BYTES]);

/// The nonces of both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonces {
    /// Of the end that sources frames.
    pub source: Nonce,
    /// Of the end that answers them.
    pub sink: Nonce,
}

/// A nonce, a proof or a key of another form.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("that is not {digits} hexadecimal digits, but {bytes} bytes of text")]
pub struct WrongText {
    /// What would be right.
    pub digits: usize,
    /// What it has.
    pub bytes: usize,
}

impl Nonce {
    /// A nonce that was never used.
    ///
    /// # Errors
    /// [`TokenError::NoRandom`] if the system gives no random bytes.
    pub fn new() -> Result<Self, TokenError> {
        let mut bytes = [0; NONCE_BYTES];
        SystemRandom::new().fill(&mut bytes).map_err(|_| TokenError::NoRandom)?;
        Ok(Self(bytes))
    }
}

impl Token {
    /// Proves that the end of this role holds the token. With `bound`, the proof holds only for a link between these
    /// two certificates.
    pub fn prove(&self, role: Role, nonces: &Nonces, bound: Option<&Fingerprints>) -> Proof {
        self.tag(&covered(role, nonces, bound))
    }

    /// Proves the same between a server and a page that only watches.
    pub fn prove_to_watch(&self, role: Role, nonces: &Nonces) -> Proof {
        self.tag(&covered_in(PAGE_CONTEXT, role, nonces, None))
    }

    /// Whether this is the proof of the end of that role, between a server and a page that only watches.
    pub fn accepts_to_watch(&self, proof: &Proof, role: Role, nonces: &Nonces) -> bool {
        hmac::verify(self.key(), &covered_in(PAGE_CONTEXT, role, nonces, None), &proof.0).is_ok()
    }

    /// Whether this is the proof of the end of that role. Takes the same time for every wrong proof.
    pub fn accepts(&self, proof: &Proof, role: Role, nonces: &Nonces, bound: Option<&Fingerprints>) -> bool {
        hmac::verify(self.key(), &covered(role, nonces, bound), &proof.0).is_ok()
    }

    fn tag(&self, covered: &[u8]) -> Proof {
        let mut bytes = [0; PROOF_BYTES];
        bytes.copy_from_slice(hmac::sign(self.key(), covered).as_ref());
        Proof(bytes)
    }
}

/// The bytes that a proof covers. Each part has one length or ends with a zero, so that no two messages are the same.
fn covered(role: Role, nonces: &Nonces, bound: Option<&Fingerprints>) -> Vec<u8> {
    covered_in(CONTEXT, role, nonces, bound)
}

/// The bytes that the signature of a server covers: those of its proof, in another context.
pub(super) fn covered_by_signature(nonces: &Nonces, bound: Option<&Fingerprints>) -> Vec<u8> {
    covered_in(IDENTITY_CONTEXT, Role::Source, nonces, bound)
}

fn covered_in(context: &[u8], role: Role, nonces: &Nonces, bound: Option<&Fingerprints>) -> Vec<u8> {
    let role: &[u8] = match role {
        Role::Source => b"source\0",
        Role::Sink => b"sink\0",
    };
    let what: &[u8] = if bound.is_some() { b"session\0" } else { b"hello\0" };
    let mut bytes = [context, what, role, &nonces.source.0, &nonces.sink.0].concat();
    if let Some(Fingerprints { source, sink }) = bound {
        bytes.extend_from_slice(&source.0);
        bytes.extend_from_slice(&sink.0);
    }
    bytes
}

impl FromStr for Nonce {
    type Err = WrongText;

    fn from_str(text: &str) -> Result<Self, WrongText> {
        from_hex(text).map(Self)
    }
}

impl FromStr for Proof {
    type Err = WrongText;

    fn from_str(text: &str) -> Result<Self, WrongText> {
        from_hex(text).map(Self)
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fingerprint::Fingerprint;
    use super::super::vectors::{DOCUMENT, counting, fingerprints, nonces};
    use super::*;

    const TOKEN: &[u8] = b"0123456789abcdef";

    /// The table of docs/protocol.md, which Python's hmac made.
    #[test]
    fn proofs_match_those_in_the_protocol_document() {
        let (token, nonces, bound) = (Token::of(TOKEN), nonces(), fingerprints());
        for (role, bound, vector) in [
            (Role::Source, None, "c38a4ca2a7fb758024e518e77e905dd420224fcde647d0ca180f99433e532a25"),
            (Role::Sink, None, "c2b924bf16187830d12581369310b0129513086317d260084c30fdb0351b4787"),
            (Role::Source, Some(&bound), "d9743e8ad03d7affebbdd83cfd0859fff0a452d698e8fd6f7e3cd2e06e289f7c"),
            (Role::Sink, Some(&bound), "9810465afea3939b0265e7c729fc361942c39b7cb93ae484cf98c7503adf765a"),
        ] {
            let proof = token.prove(role, &nonces, bound);
            assert_eq!(proof.to_string(), vector);
            assert!(DOCUMENT.contains(vector), "docs/protocol.md has {vector}");
            assert!(token.accepts(&vector.parse().unwrap(), role, &nonces, bound));
        }
    }

    #[test]
    fn what_a_proof_covers_is_written_exactly_as_documented() {
        let bytes = covered(Role::Source, &nonces(), Some(&fingerprints()));
        let wanted: Vec<u8> = b"plumb admission 1\0session\0source\0".iter().copied().chain(0..128).collect();
        assert_eq!(bytes, wanted);
        let bytes = covered(Role::Sink, &nonces(), None);
        let wanted: Vec<u8> = b"plumb admission 1\0hello\0sink\0".iter().copied().chain(0..64).collect();
        assert_eq!(bytes, wanted);
    }

    #[test]
    fn a_clients_proof_opens_no_dashboard_and_a_pages_proof_no_session() {
        let (token, nonces) = (Token::of(TOKEN), nonces());
        for role in [Role::Source, Role::Sink] {
            let to_watch = token.prove_to_watch(role, &nonces);
            assert!(token.accepts_to_watch(&to_watch, role, &nonces));
            assert!(!token.accepts_to_watch(&token.prove(role, &nonces, None), role, &nonces));
            assert!(!token.accepts(&to_watch, role, &nonces, None));
        }
    }

    #[test]
    fn a_proof_is_valid_only_for_its_role_its_nonces_and_its_certificates() {
        let (token, nonces, bound) = (Token::of(TOKEN), nonces(), fingerprints());
        let proof = token.prove(Role::Source, &nonces, Some(&bound));
        assert!(token.accepts(&proof, Role::Source, &nonces, Some(&bound)));
        assert!(!token.accepts(&proof, Role::Sink, &nonces, Some(&bound)), "the other role");
        assert!(!token.accepts(&proof, Role::Source, &nonces, None), "the first proof");
        let swapped = Nonces { source: nonces.sink, sink: nonces.source };
        assert!(!token.accepts(&proof, Role::Source, &swapped, Some(&bound)), "swapped nonces");
        let swapped = Fingerprints { source: bound.sink, sink: bound.source };
        assert!(!token.accepts(&proof, Role::Source, &nonces, Some(&swapped)), "swapped certificates");
        let other = Nonces { sink: Nonce(counting(33)), ..nonces };
        assert!(!token.accepts(&proof, Role::Source, &other, Some(&bound)), "another session");
        assert!(!Token::of(b"0123456789abcdeg").accepts(&proof, Role::Source, &nonces, Some(&bound)), "another token");
    }

    #[test]
    fn nonces_are_never_the_same() {
        assert_ne!(Nonce::new().unwrap(), Nonce::new().unwrap());
    }

    #[test]
    fn a_nonce_of_the_wrong_length_is_refused() {
        let right = "00".repeat(32);
        assert!(right.parse::<Nonce>().is_ok());
        for wrong in ["", "00", &right[1..], &format!("{right}0"), &format!("+{}", &right[1..]), &"ä".repeat(32)] {
            assert_eq!(wrong.parse::<Nonce>(), Err(WrongText { digits: 64, bytes: wrong.len() }), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_written_proof_is_read_back(bytes: [u8; 32]) {
            prop_assert_eq!(Nonce(bytes).to_string().parse::<Nonce>().unwrap().0, bytes);
            prop_assert_eq!(Proof(bytes).to_string().to_uppercase().parse::<Proof>().unwrap().0, bytes);
        }

        #[test]
        fn text_of_any_kind_is_read_or_refused(text: String) {
            let _ = (text.parse::<Nonce>(), text.parse::<Proof>());
        }

        #[test]
        fn one_changed_bit_anywhere_makes_a_proof_worthless(
            source: [u8; 32], sink: [u8; 32], certificates: ([u8; 32], [u8; 32]), place in 0usize..160, bit in 0u8..8,
        ) {
            let token = Token::of(TOKEN);
            let nonces = Nonces { source: Nonce(source), sink: Nonce(sink) };
            let bound = Fingerprints { source: Fingerprint(certificates.0), sink: Fingerprint(certificates.1) };
            let (mut proof, mut other, mut moved) = (token.prove(Role::Sink, &nonces, Some(&bound)), nonces, bound);
            let parts = [&mut proof.0, &mut other.source.0, &mut other.sink.0, &mut moved.source.0, &mut moved.sink.0];
            for (number, part) in parts.into_iter().enumerate() {
                if place / 32 == number {
                    part[place % 32] ^= 1 << bit;
                }
            }
            prop_assert!(!token.accepts(&proof, Role::Sink, &other, Some(&moved)));
        }
    }
}
