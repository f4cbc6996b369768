//! Classifies a datagram of a WebRTC connection by its first bytes (RFC 7983): STUN, or DTLS records.

/// Smallest and greatest first byte of a DTLS record (RFC 7983, section 7).
const DTLS: std::ops::RangeInclusive<u8> = 20..=63;

/// Content type of ChangeCipherSpec, and length of a record's header in bytes (RFC 6347, 4.3.1).
const CHANGE_CIPHER_SPEC: u8 = 20;
const RECORD_HEADER: usize = 13;

/// STUN's fixed header and magic cookie (RFC 8489, section 5).
const STUN_HEADER: usize = 20;
const MAGIC_COOKIE: [u8; 4] = 0x2112_A442_u32.to_be_bytes();

/// Types of STUN's binding messages (RFC 8489, section 5), and ICE's attribute that nominates (RFC 8445, 16.1).
const REQUEST: [u8; 2] = [0, 1];
const SUCCESS: [u8; 2] = [1, 1];
const USE_CANDIDATE: [u8; 2] = [0, 0x25];

/// What a datagram is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Datagram {
    /// A connectivity check of ICE. A check that nominates is sent only after one that succeeded.
    Check { nominates: bool },
    /// The answer to a check whose password was right.
    Success,
    /// Another message of STUN.
    OtherStun,
    /// Records of DTLS.
    Dtls,
    /// Anything that this connection does not use.
    Other,
}

/// What a datagram is.
pub(super) fn kind(datagram: &[u8]) -> Datagram {
    match datagram.first() {
        Some(first) if DTLS.contains(first) => Datagram::Dtls,
        Some(0..=3) if datagram.len() >= STUN_HEADER && datagram[4..8] == MAGIC_COOKIE => {
            match [datagram[0], datagram[1]] {
                REQUEST => Datagram::Check { nominates: nominates(&datagram[STUN_HEADER..]) },
                SUCCESS => Datagram::Success,
                _ => Datagram::OtherStun,
            }
        }
        _ => Datagram::Other,
    }
}

/// Whether USE-CANDIDATE is among these attributes.
fn nominates(mut attributes: &[u8]) -> bool {
    while let Some((header, rest)) = attributes.split_first_chunk::<4>() {
        if header[..2] == USE_CANDIDATE {
            return true;
        }
        let length = usize::from(u16::from_be_bytes([header[2], header[3]])).next_multiple_of(4);
        attributes = rest.get(length..).unwrap_or(&[]);
    }
    false
}

/// Whether these records contain a ChangeCipherSpec of a later epoch than the first. No such record is valid. The crate
/// would accept it without authentication, and wait for keys that never come.
pub(super) fn changes_keys(mut records: &[u8]) -> bool {
    while let Some((header, rest)) = records.split_first_chunk::<RECORD_HEADER>() {
        if header[0] == CHANGE_CIPHER_SPEC && header[3..5] != [0, 0] {
            return true;
        }
        let length = usize::from(u16::from_be_bytes([header[11], header[12]]));
        records = rest.get(length..).unwrap_or(&[]);
    }
    false
}

/// Whether the first record is encrypted: its epoch is later than the first.
pub(super) fn is_encrypted(records: &[u8]) -> bool {
    records.get(3..5).is_some_and(|epoch| epoch != [0, 0])
}

#[cfg(test)]
pub(super) mod samples {
    /// A message of STUN with an attribute of 5 bytes, then USE-CANDIDATE if it `nominates`.
    pub(crate) fn stun(kind: [u8; 2], nominates: bool) -> Vec<u8> {
        let attributes: &[u8] = if nominates { &[0, 6, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0, 0, 0x25, 0, 0] } else { &[] };
        [&kind[..], &(attributes.len() as u16).to_be_bytes(), &super::MAGIC_COOKIE, &[9; 12], attributes].concat()
    }

    /// A DTLS record of this type and epoch.
    pub(crate) fn record(kind: u8, epoch: u8, content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u16).to_be_bytes();
        [&[kind, 254, 253, 0, epoch, 0, 0, 0, 0, 0, 9], &length[..], content].concat()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::samples::{record, stun};
    use super::*;

    #[test]
    fn datagrams_are_told_apart() {
        assert_eq!(kind(&stun(REQUEST, false)), Datagram::Check { nominates: false });
        assert_eq!(kind(&stun(REQUEST, true)), Datagram::Check { nominates: true });
        assert_eq!(kind(&stun(SUCCESS, false)), Datagram::Success);
        assert_eq!(kind(&stun([1, 0x11], false)), Datagram::OtherStun);
        assert_eq!(kind(&record(23, 1, b"x")), Datagram::Dtls);
        assert_eq!([kind(&[]), kind(&[0; 30]), kind(&[0, 1]), kind(&[0x80; 30])], [Datagram::Other; 4]);
    }

    #[test]
    fn a_later_change_of_keys_is_noticed_wherever_it_stands() {
        let first = record(20, 0, &[1]);
        assert!(!changes_keys(&[first.clone(), record(22, 1, &[0; 40])].concat()), "as every handshake ends");
        assert!(changes_keys(&record(20, 1, &[1])));
        assert!(changes_keys(&[record(23, 1, b"x"), record(20, 1, &[1])].concat()));
        assert!(changes_keys(&[first, record(20, 7, &[])].concat()));
        assert!(
            [is_encrypted(&record(23, 1, b"")), !is_encrypted(&record(22, 0, b"")), !is_encrypted(&[])] == [true; 3]
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = (kind(&bytes), changes_keys(&bytes), nominates(&bytes));
        }
    }
}
