//! Fragments: a message cut into pieces that fit the peer's message size, and put together again.
//!
//! Each piece is a MessagePack array `[message id, index, count, bin]`. Including its header, it fits the peer's
//! `a=max-message-size`. All pieces but the last carry at least [`MIN_PAYLOAD`] bytes.
//!
//! A [`Splitter`] splits messages and a [`Reassembler`] joins them. Both reuse their memory once its users are done
//! with it, so a steady stream allocates nothing.

mod finished;
pub mod fuzz;
mod limits;
mod reassemble;
mod split;

pub use limits::{FragmentError, MAX_HEADER, MIN_PAYLOAD, SplitError};
pub use reassemble::{Piece, Reassembler};
pub use split::{Splitter, split};

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};
    use proptest::prelude::*;

    use super::*;

    fn cut(id: u64, message: &[u8], max_message_size: usize) -> Vec<Bytes> {
        let pieces = split(id, &serde_bytes::Bytes::new(message), max_message_size).unwrap();
        pieces.into_iter().map(BytesMut::freeze).collect()
    }

    fn whole(message: &[u8]) -> Vec<u8> {
        rmp_serde::to_vec(serde_bytes::Bytes::new(message)).unwrap()
    }

    fn piece(id: u64, index: u32, count: u32, payload: &[u8]) -> Bytes {
        rmp_serde::to_vec(&(id, index, count, serde_bytes::Bytes::new(payload))).unwrap().into()
    }

    #[test]
    fn a_small_message_is_one_piece() {
        assert_eq!(cut(3, b"ab", 1000), [Bytes::from_static(&[0x94, 3, 0, 1, 0xc4, 4, 0xc4, 2, b'a', b'b'])]);
    }

    #[test]
    fn impossible_pieces_are_refused() {
        let mut reassembler = Reassembler::new(10_000, 4);
        let mut refused = |piece: Bytes| reassembler.accept(&piece).unwrap_err().to_string();
        assert!(refused(piece(0, 1, 1, b"x")).contains("impossible"));
        assert!(refused(piece(0, 0, 0, b"x")).contains("impossible"));
        assert!(refused(piece(1 << 53, 0, 1, b"x")).contains("impossible"));
        assert!(refused(piece(0, 0, 1, &[0; 10_001])).contains("exceeds 10000 bytes"));
        assert!(refused(piece(0, 0, u32::MAX, &[0; 600])).contains("exceeds"));
        assert!(refused(piece(0, 0, 2, b"x")).contains("at least 512"));
        assert!(refused(Bytes::from_static(b"\x93\x01\x02\x03")).contains("malformed"));
        assert!(refused(Bytes::from_static(b"\x94\x00\x00\x01\xc6\xff\xff\xff\xff")).contains("malformed"));
    }

    #[test]
    fn a_message_that_grows_over_the_limit_is_refused() {
        let mut reassembler = Reassembler::new(1_000, 4);
        assert!(reassembler.accept(&piece(0, 0, 2, &[0; 600])).unwrap().is_none());
        assert!(matches!(reassembler.accept(&piece(0, 1, 2, &[0; 600])), Err(FragmentError::TooLarge { .. })));
    }

    #[test]
    fn a_new_message_replaces_the_oldest_unfinished_one() {
        let mut reassembler = Reassembler::new(10_000, 2);
        for id in 0..3 {
            assert!(reassembler.accept(&piece(id, 0, 2, &[0; 600])).unwrap().is_none());
        }
        assert_eq!(reassembler.abandoned(), 1);
        assert!(reassembler.accept(&piece(1, 1, 2, b"end")).unwrap().is_some());
    }

    #[test]
    fn a_message_size_too_small_for_a_piece_is_an_error() {
        let error = split(0, &"x", 100).unwrap_err();
        assert_eq!(error.to_string(), "the peer takes messages of 100 bytes at most; at least 537 are needed");
    }

    proptest! {
        #[test]
        fn pieces_fit_and_make_the_message_again_in_any_order(
            message in proptest::collection::vec(any::<u8>(), 0..20_000),
            max_message_size in 537..4_000usize,
            seed in any::<u64>(),
        ) {
            let mut pieces = cut(9, &message, max_message_size);
            prop_assert!(pieces.iter().all(|piece| piece.len() <= max_message_size));
            // A seeded shuffle, each piece twice but for the last to arrive.
            pieces.sort_by_key(|piece| piece.len().wrapping_mul(seed as usize | 1) ^ piece[2] as usize);
            let mut reassembler = Reassembler::new(40_000, 4);
            let (last, rest) = pieces.split_last().unwrap();
            for piece in rest.iter().chain(rest) {
                prop_assert!(reassembler.accept(piece).unwrap().is_none());
            }
            let joined = reassembler.accept(last).unwrap();
            prop_assert_eq!(joined.as_deref(), Some(&whole(&message)[..]));
            prop_assert!(reassembler.accept(last).unwrap().is_none(), "a finished message is not opened again");
        }

        #[test]
        fn no_bytes_make_the_reassembler_panic(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20)) {
            let mut reassembler = Reassembler::new(5_000, 2);
            for piece in pieces {
                let _ = reassembler.accept(&piece.into());
            }
        }
    }
}
