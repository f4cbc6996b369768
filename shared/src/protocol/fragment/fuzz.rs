//! The properties that the fuzzer checks of fragments. The corpus is `fuzz/corpus/fragments`.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::{Piece, Reassembler, split};
use crate::protocol::message;

/// Largest message, in bytes.
const MAX_BYTES: usize = 1 << 16;

/// Maximum number of messages: fewer than a reassembler remembers.
const MAX_MESSAGES: u64 = 256;

/// Messages that may be unfinished at a time.
const MAX_OPEN: usize = 4;

/// Checks that pieces in any order, with any repeated, lost or made up, give each message once at most, as it was, and
/// that nothing made up is larger than a message may be.
///
/// The bytes are operations: a message is split into pieces (with a length and a size of the pieces), a piece arrives,
/// a piece is lost, a message is given up, or bytes arrive that are no piece of ours.
///
/// # Panics
/// If one of these properties does not hold.
pub fn check(bytes: &[u8]) {
    let (mut rest, mut network, mut ours) = (bytes, Vec::<(u64, Bytes)>::new(), Vec::<Vec<u8>>::new());
    let (mut reassembler, mut finished) = (Reassembler::new(MAX_BYTES, MAX_OPEN), BTreeSet::new());
    while let Some((&[operation, first, second], further)) = rest.split_first_chunk::<3>() {
        rest = further;
        let place = (usize::from(first) << 8 | usize::from(second)) % network.len().max(1);
        match operation % 8 {
            0 if ours.len() as u64 == MAX_MESSAGES => {}
            0 => {
                let id = ours.len() as u64;
                let data = vec![first; usize::from(second) * 64];
                let size = 600 + usize::from(first) * 8;
                let message = serde_bytes::Bytes::new(&data);
                let pieces = split(id, &message, size).expect("a message that fits");
                network.extend(pieces.into_iter().map(|piece| (id, piece.freeze())));
                let mut whole = Vec::new();
                message::encode(&message, &mut whole).expect("bytes");
                ours.push(whole);
            }
            1..=4 => {
                let Some((id, piece)) = network.get(place).cloned() else { continue };
                if operation % 8 < 4 {
                    network.swap_remove(place);
                }
                if let Some(message) = reassembler.accept(&piece).expect("a piece of ours") {
                    assert!(finished.insert(id), "message {id} came twice");
                    assert_eq!(message[..], ours[id as usize][..], "message {id}");
                }
            }
            5 => drop(network.get(place).is_some().then(|| network.swap_remove(place))),
            6 => reassembler.give_up(u64::from(first)),
            _ => {
                let (made_up, further) = rest.split_at(rest.len().min(usize::from(first)));
                rest = further;
                let made_up = Piece::parse(&Bytes::copy_from_slice(made_up));
                // One that claims to be of a message of ours would spoil it.
                if let Ok(piece) = made_up
                    && piece.id >= MAX_MESSAGES
                    && let Ok(Some(message)) = reassembler.put(piece)
                {
                    assert!(message.len() <= MAX_BYTES);
                }
            }
        }
    }
}
