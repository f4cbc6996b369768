//! The chunks of an SCTP packet (RFC 9260, section 3).

/// Length of the header of a packet, and of a chunk, in bytes.
const COMMON_HEADER: usize = 12;
const CHUNK_HEADER: usize = 4;

/// Chunk types (RFC 9260, section 3.2; RFC 3758; RFC 6525).
pub(super) const DATA: u8 = 0;
pub(super) const INIT: u8 = 1;
pub(super) const INIT_ACK: u8 = 2;
pub(super) const SACK: u8 = 3;
pub(super) const ABORT: u8 = 6;
pub(super) const ERROR: u8 = 9;
pub(super) const RECONFIG: u8 = 130;
pub(super) const FORWARD_TSN: u8 = 192;

/// A chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk<'a> {
    pub(super) kind: u8,
    pub(super) value: &'a [u8],
}

/// A packet or chunk that is incomplete, or that has a part whose length exceeds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The chunks of a packet, up to the first malformed one.
pub(super) fn chunks(packet: &[u8]) -> impl Iterator<Item = Result<Chunk<'_>, Malformed>> {
    let mut rest = packet.get(COMMON_HEADER..).ok_or(Malformed);
    std::iter::from_fn(move || {
        let bytes = match rest {
            Ok([]) => return None,
            Ok(bytes) => bytes,
            Err(_) => {
                rest = Ok(&[]);
                return Some(Err(Malformed));
            }
        };
        let chunk = first(bytes);
        rest = match chunk {
            // The padding of the last chunk may be missing.
            Ok(chunk) => Ok(bytes.get((CHUNK_HEADER + chunk.value.len()).next_multiple_of(4)..).unwrap_or(&[])),
            Err(_) => Ok(&[]),
        };
        Some(chunk)
    })
}

fn first(bytes: &[u8]) -> Result<Chunk<'_>, Malformed> {
    let (header, _) = bytes.split_first_chunk::<CHUNK_HEADER>().ok_or(Malformed)?;
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let value = bytes.get(CHUNK_HEADER..length).ok_or(Malformed)?;
    Ok(Chunk { kind: header[0], value })
}

impl Chunk<'_> {
    /// The 32-bit number at this offset of the value.
    pub(super) fn word(&self, at: usize) -> Result<u32, Malformed> {
        let bytes = self.value.get(at..).and_then(|rest| rest.first_chunk::<4>()).ok_or(Malformed)?;
        Ok(u32::from_be_bytes(*bytes))
    }

    /// The 16-bit number at this offset of the value.
    pub(super) fn half(&self, at: usize) -> Result<u16, Malformed> {
        let bytes = self.value.get(at..).and_then(|rest| rest.first_chunk::<2>()).ok_or(Malformed)?;
        Ok(u16::from_be_bytes(*bytes))
    }

    /// Checks that the parts of the value fill it exactly. Each part has a type and a length, without padding. The
    /// crate reads the causes of ABORT and ERROR in this way.
    pub(super) fn has_sound_causes(&self) -> Result<(), Malformed> {
        let mut rest = self.value;
        while rest.len() >= CHUNK_HEADER {
            let length = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
            if length < CHUNK_HEADER {
                return Err(Malformed);
            }
            rest = rest.get(length..).ok_or(Malformed)?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn packet(chunks: &[(u8, u8, &[u8])]) -> Vec<u8> {
    let mut packet = vec![0; COMMON_HEADER];
    for (kind, flags, value) in chunks {
        let length = (CHUNK_HEADER + value.len()) as u16;
        packet.extend([*kind, *flags]);
        packet.extend(length.to_be_bytes());
        packet.extend(*value);
        packet.resize(packet.len().next_multiple_of(4), 0);
    }
    packet
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_chunks_of_a_packet_are_told_apart() {
        let two = packet(&[(DATA, 3, b"hello"), (SACK, 0, b"")]);
        let chunk = |kind, value| Ok(Chunk { kind, value });
        assert_eq!(chunks(&two).collect::<Vec<_>>(), [chunk(DATA, b"hello"), chunk(SACK, b"")]);
        assert_eq!(chunks(&two[..21]).collect::<Vec<_>>(), [chunk(DATA, b"hello")], "the last without its padding");
        assert_eq!(chunks(&two[..20]).collect::<Vec<_>>(), [Err(Malformed)]);
        assert_eq!(chunks(&two[..11]).collect::<Vec<_>>(), [Err(Malformed)]);
        assert_eq!(chunks(&two[..12]).count(), 0);
    }

    #[test]
    fn a_cause_longer_than_its_chunk_is_malformed() {
        let causes = |value| Chunk { kind: ABORT, value }.has_sound_causes();
        assert_eq!(causes(&[]), Ok(()));
        assert_eq!(causes(&[0, 12, 0, 7, b'b', b'y', b'e']), Ok(()));
        assert_eq!(causes(&[0, 12, 0, 8, b'b', b'y', b'e']), Err(Malformed));
        assert_eq!(causes(&[0, 12, 0, 3, 0]), Err(Malformed));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for chunk in chunks(&bytes).flatten() {
                let _ = (chunk.word(0), chunk.half(3), chunk.has_sound_causes());
            }
        }
    }
}
