//! Fingerprints of the certificates at both ends of a link.

use ring::digest::{SHA256, digest};

/// Start of a line that names a description's certificate (RFC 8122).
const FINGERPRINT: &str = "a=fingerprint:";

/// The only hash that is accepted, as such a line names it.
const SHA_256: &str = "sha-256";

/// Bytes of a SHA-256.
const BYTES: usize = 32;

/// SHA-256 of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; BYTES]);

/// The fingerprints at both ends, as the proofs cover them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprints {
    /// Of the end that sources frames, which makes the offer.
    pub source: Fingerprint,
    /// Of the end that answers them.
    pub sink: Fingerprint,
}

impl Fingerprint {
    /// The SHA-256 that a description names. `None` if it does not name exactly one, because a proof covers exactly
    /// one. Further hashes, which aiortc writes, are ignored: the end that checks the proof also checks the certificate
    /// itself.
    pub fn of_description(sdp: &str) -> Option<Self> {
        let lines = sdp.lines().filter_map(|line| line.trim_end().strip_prefix(FINGERPRINT));
        let mut named =
            lines.filter_map(|line| line.split_once(' ')).filter(|(hash, _)| hash.eq_ignore_ascii_case(SHA_256));
        let first = Self::of_hex(named.next()?.1)?;
        named.all(|(_, other)| Self::of_hex(other) == Some(first)).then_some(first)
    }

    /// The fingerprint of this certificate, which is DER.
    pub fn of_certificate(der: &[u8]) -> Self {
        let mut bytes = [0; BYTES];
        bytes.copy_from_slice(digest(&SHA256, der).as_ref());
        Self(bytes)
    }

    /// Reads `AB:CD:…`.
    fn of_hex(hex: &str) -> Option<Self> {
        let mut bytes = [0; BYTES];
        let mut pairs = hex.trim().split(':');
        for byte in &mut bytes {
            let pair =
                pairs.next().filter(|pair| pair.len() == 2 && pair.bytes().all(|hex| hex.is_ascii_hexdigit()))?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        pairs.next().is_none().then_some(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(first: u8) -> String {
        let hex: Vec<_> = (first..first + 32).map(|byte| format!("{byte:02X}")).collect();
        format!("a=fingerprint:sha-256 {}\r\n", hex.join(":"))
    }

    #[test]
    fn a_description_names_one_certificate() {
        let counting = Fingerprint(std::array::from_fn(|place| place as u8));
        assert_eq!(Fingerprint::of_description(&format!("v=0\r\n{}a=mid:0\r\n", line(0))), Some(counting));
        assert_eq!(Fingerprint::of_description(&line(0).to_lowercase()), Some(counting));
        assert_eq!(Fingerprint::of_description(&line(0).repeat(2)), Some(counting), "session and media level");
        let beside = line(1).replace("sha-256", "sha-512") + &line(0);
        assert_eq!(Fingerprint::of_description(&beside), Some(counting), "another hash beside it");
    }

    #[test]
    fn a_description_without_a_certificate_or_with_several_is_refused() {
        let other = line(0).replace("sha-256", "sha-512");
        for sdp in ["v=0\r\n", "a=fingerprint:sha-256 00:11\r\n", "a=fingerprint:\r\n", &other] {
            assert_eq!(Fingerprint::of_description(sdp), None, "{sdp}");
        }
        assert_eq!(Fingerprint::of_description(&(line(0) + &line(1))), None);
        assert_eq!(Fingerprint::of_description(&line(0).replace("1F", "1F:20")), None);
        assert_eq!(Fingerprint::of_description(&line(0).replace("1F", "+1")), None);
    }

    #[test]
    fn a_certificates_fingerprint_is_its_sha_256() {
        // The digest of "abc" (FIPS 180-2, B.1).
        let Fingerprint(bytes) = Fingerprint::of_certificate(b"abc");
        assert_eq!(bytes[..4], [0xba, 0x78, 0x16, 0xbf]);
    }
}
