//! Limits of a piece, and why one is refused.

use thiserror::Error;

use crate::protocol::malformed;

/// Longest header of a piece, in bytes: array marker 1, id 9, index 5, count 5, bin length 5.
pub const MAX_HEADER: usize = 25;

/// Smallest payload of a piece that is not the last, in bytes, so that a message's length bounds its number of pieces.
pub const MIN_PAYLOAD: usize = 512;

/// Why a piece was refused.
#[derive(Debug, Error)]
pub enum FragmentError {
    /// The piece is not `[id, index, count, bin]`.
    #[error("malformed fragment: {}", malformed::of_message_pack(.0))]
    Malformed(#[from] rmp_serde::decode::Error),
    /// More bytes follow the piece.
    #[error("fragment {index} of {count} of message {id} is followed by {extra} further bytes: one piece a message")]
    Trailing {
        /// Message id.
        id: u64,
        /// Index of the piece.
        index: u32,
        /// Number of pieces.
        count: u32,
        /// Number of bytes that follow.
        extra: usize,
    },
    /// The id or count is out of range, or the index is not below the count.
    #[error("fragment {index} of {count} of message {id}: impossible numbers")]
    Impossible {
        /// Message id.
        id: u64,
        /// Index of the piece.
        index: u32,
        /// Number of pieces.
        count: u32,
    },
    /// The message is larger than this end takes.
    #[error("message {id} exceeds {limit} bytes")]
    TooLarge {
        /// Message id.
        id: u64,
        /// Largest message this end takes, in bytes.
        limit: usize,
    },
    /// Two pieces of a message disagree on the number of pieces.
    #[error("message {id} had {expected} fragments, now {got}")]
    CountChanged {
        /// Message id.
        id: u64,
        /// Count in its first piece.
        expected: u32,
        /// Count in this piece.
        got: u32,
    },
    /// A piece that is not the last carries less than [`MIN_PAYLOAD`].
    #[error("fragment of {got} bytes of message {id}: all but the last carry at least {MIN_PAYLOAD}")]
    TooSmall {
        /// Message id.
        id: u64,
        /// Payload in bytes.
        got: usize,
    },
}

/// Why a message could not be split.
#[derive(Debug, Error)]
pub enum SplitError {
    /// The peer's message size is too small for a piece.
    #[error("the peer takes messages of {0} bytes at most; at least {least} are needed", least = MAX_HEADER + MIN_PAYLOAD)]
    MessageSize(usize),
    /// The message could not be encoded.
    #[error("cannot encode: {0}")]
    Encode(#[from] rmp_serde::encode::Error),
}
