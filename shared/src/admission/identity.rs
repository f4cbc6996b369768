//! The identity of a server: an Ed25519 key that it keeps, so that clients can tell it from other holders of the token.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use thiserror::Error;

use super::fingerprint::Fingerprints;
use super::hex::{from_hex, to_hex};
use super::private_file::make_private;
use super::proof::{Nonces, covered_by_signature};
use crate::text::Brief;

/// Bytes of a key, secret or public (RFC 8032, section 5.1).
const KEY: usize = 32;

/// Bytes of a signature (RFC 8032, section 5.1.6).
const SIGNATURE: usize = 64;

/// Most characters of a path that a message repeats.
const SHOWN_CHARACTERS: usize = 200;

/// A server's key. It is never shown.
#[derive(Clone)]
pub struct Identity(Arc<Ed25519KeyPair>);

/// The fingerprint of a server's public key: its SHA-256, written as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerId([u8; 32]);

/// A server's public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey([u8; KEY]);

/// A signature and the public key that it belongs to, as they are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The public key.
    pub identity: String,
    /// The signature.
    pub signature: String,
}

/// Why there is no identity.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// The file cannot be read or made.
    #[error(
        "cannot read or make {}: {error}; write the path of a file for the server's key",
        Brief(.path.display(), SHOWN_CHARACTERS)
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The file holds something else.
    #[error("{} holds no server's key (64 hexadecimal digits): is it another file? A path without a file makes a new key", .path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The system has no random bytes.
    #[error("the system gives no random bytes")]
    NoRandom,
}

/// A text that is not the fingerprint of a server.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("\"{0}\" is not the fingerprint of a server: write the 64 hexadecimal digits that the server logs")]
pub struct NotAServerId(String);

impl Identity {
    /// Reads the key from a file. If there is no file, makes a new key, and a file that only its owner can read.
    ///
    /// # Errors
    /// [`IdentityError`] if the file cannot be read or made, or holds no key.
    pub fn read_or_make(path: &Path) -> Result<Self, IdentityError> {
        let unreadable = |error| IdentityError::Unreadable { path: path.to_owned(), error };
        match std::fs::File::open(path) {
            Ok(file) => {
                let mut text = String::new();
                let wrong = || IdentityError::NoKey { path: path.to_owned() };
                // One more than a key and the end of its line.
                match file.take(2 * KEY as u64 + 3).read_to_string(&mut text) {
                    Ok(_) => Self::of(&from_hex(text.trim_end()).map_err(|_| wrong())?).ok_or_else(wrong),
                    Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(wrong()),
                    Err(error) => Err(unreadable(error)),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut seed = [0; KEY];
                SystemRandom::new().fill(&mut seed).map_err(|_| IdentityError::NoRandom)?;
                match make_private(path, &format!("{}\n", to_hex(&seed))) {
                    Ok(()) => Self::of(&seed).ok_or_else(|| IdentityError::NoKey { path: path.to_owned() }),
                    // Another server made it meanwhile.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::read_or_make(path),
                    Err(error) => Err(unreadable(error)),
                }
            }
            Err(error) => Err(unreadable(error)),
        }
    }

    /// The key of this seed (RFC 8032, section 5.1.5).
    fn of(seed: &[u8; KEY]) -> Option<Self> {
        Ed25519KeyPair::from_seed_unchecked(seed).ok().map(|key| Self(Arc::new(key)))
    }

    /// The fingerprint by which clients name this server.
    pub fn id(&self) -> ServerId {
        ServerId::of(self.0.public_key().as_ref())
    }

    /// Signs what this server's proof covers.
    pub fn sign(&self, nonces: &Nonces, bound: Option<&Fingerprints>) -> Signed {
        let signature = self.0.sign(&covered_by_signature(nonces, bound));
        Signed { identity: to_hex(self.0.public_key().as_ref()), signature: to_hex(signature.as_ref()) }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.id())
    }
}

impl ServerId {
    fn of(public: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, public).as_ref());
        Self(bytes)
    }
}

impl FromStr for ServerId {
    type Err = NotAServerId;

    fn from_str(text: &str) -> Result<Self, NotAServerId> {
        from_hex(text).map(Self).map_err(|_| NotAServerId(text.into()))
    }
}

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl PublicKey {
    /// The fingerprint of the server with this key.
    pub fn id(&self) -> ServerId {
        ServerId::of(&self.0)
    }

    /// Whether this is the signature of the server with this key over what its proof covers.
    pub fn accepts(&self, signature: &str, nonces: &Nonces, bound: Option<&Fingerprints>) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, &self.0);
        let signature = from_hex::<SIGNATURE>(signature);
        signature.is_ok_and(|signature| key.verify(&covered_by_signature(nonces, bound), &signature).is_ok())
    }
}

impl FromStr for PublicKey {
    type Err = super::proof::WrongText;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        from_hex(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::vectors::{DOCUMENT, counting, fingerprints, nonces};
    use super::*;

    /// The table of docs/protocol.md, which Python's `cryptography` made.
    #[test]
    fn signatures_match_those_in_the_protocol_document() {
        let identity = Identity::of(&counting(128)).unwrap();
        let (first, second) = (identity.sign(&nonces(), None), identity.sign(&nonces(), Some(&fingerprints())));
        for vector in [&first.identity, &identity.id().to_string(), &first.signature, &second.signature] {
            assert!(DOCUMENT.contains(&**vector), "docs/protocol.md has {vector}");
        }
        let public: PublicKey = first.identity.parse().unwrap();
        assert!(public.accepts(&first.signature, &nonces(), None));
        assert!(public.accepts(&second.signature, &nonces(), Some(&fingerprints())));
    }

    #[test]
    fn a_signature_is_valid_only_for_its_key_its_nonces_and_its_certificates() {
        let (identity, other) = (Identity::of(&counting(1)).unwrap(), Identity::of(&counting(2)).unwrap());
        let (nonces, bound) = (nonces(), fingerprints());
        let Signed { identity: public, signature } = identity.sign(&nonces, Some(&bound));
        let public: PublicKey = public.parse().unwrap();
        assert_eq!(public.id(), identity.id());
        assert!(public.accepts(&signature, &nonces, Some(&bound)));
        assert!(!public.accepts(&signature, &nonces, None), "the first signature");
        let swapped = Nonces { source: nonces.sink, sink: nonces.source };
        assert!(!public.accepts(&signature, &swapped, Some(&bound)), "another session");
        let swapped = Fingerprints { source: bound.sink, sink: bound.source };
        assert!(!public.accepts(&signature, &nonces, Some(&swapped)), "other certificates");
        assert!(!public.accepts(&other.sign(&nonces, Some(&bound)).signature, &nonces, Some(&bound)), "another key");
        for wrong in ["", "00", &signature[1..], "x"] {
            assert!(!public.accepts(wrong, &nonces, Some(&bound)), "{wrong}");
        }
    }

    #[test]
    fn a_key_is_made_once_is_readable_only_by_its_owner_and_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity");
        let made = Identity::read_or_make(&path).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(Identity::read_or_make(&path).unwrap().id(), made.id());
        assert_ne!(Identity::read_or_make(&folder.path().join("other")).unwrap().id(), made.id());
        let shown = format!("{made:?}");
        assert!(shown.contains(&made.id().to_string()) && !shown.contains(&*std::fs::read_to_string(&path).unwrap()));
    }

    #[test]
    fn a_file_without_a_key_is_refused_without_quoting_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity");
        for contents in [&b""[..], b"secret", &[0xff; 10], "00".repeat(33).as_bytes()] {
            std::fs::write(&path, contents).unwrap();
            let wrong = Identity::read_or_make(&path).unwrap_err().to_string();
            assert!(wrong.contains("holds no server's key") && !wrong.contains("secret"), "{wrong}");
        }
        for nowhere in [Path::new("/"), Path::new("/nowhere/identity")] {
            let wrong = Identity::read_or_make(nowhere).unwrap_err().to_string();
            assert!(wrong.starts_with("cannot read or make /"), "{wrong}");
        }
    }

    #[test]
    fn a_fingerprint_is_64_hexadecimal_digits() {
        let id = Identity::of(&counting(1)).unwrap().id();
        assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
        for wrong in ["", "abc", "xyz"] {
            let said = wrong.parse::<ServerId>().unwrap_err().to_string();
            assert!(said.contains("is not the fingerprint of a server"), "{said}");
        }
    }
}
