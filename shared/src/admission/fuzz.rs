//! The properties that the fuzzer checks of what proves a token. The corpus is `fuzz/corpus/admission`.

use super::{Fingerprint, Nonce, Nonces, Proof, ServerId, Token};
use crate::protocol::message::Role;

/// Reads a text as a nonce, a proof and a server's fingerprint. Checks that what is accepted is written as it was read,
/// that a made-up proof never holds, and that a description with two certificates names none.
///
/// # Panics
/// If one of these properties does not hold.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(nonce) = text.parse::<Nonce>() {
        assert_eq!(nonce.to_string(), text.to_lowercase());
    }
    if let Ok(id) = text.parse::<ServerId>() {
        assert_eq!(id.to_string().parse::<ServerId>().map(|again| again.to_string()), Ok(id.to_string()));
    }
    if let Ok(proof) = text.parse::<Proof>() {
        let nonces = Nonces { source: Nonce([1; 32]), sink: Nonce([2; 32]) };
        let token = Token::of(b"a token of a fuzzer");
        for role in [Role::Source, Role::Sink] {
            assert!(!token.accepts(&proof, role, &nonces, None), "a proof that nobody made: {proof}");
        }
    }
    if let Some(named) = Fingerprint::of_description(&text) {
        let line = |bytes: [u8; 32]| {
            let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            format!("{text}\r\na=fingerprint:sha-256 {}\r\n", hex.join(":"))
        };
        assert_eq!(Fingerprint::of_description(&line(named.0)), Some(named), "the same again");
        assert_eq!(Fingerprint::of_description(&line(named.0.map(|byte| !byte))), None, "another beside it");
    }
}
