//! What a session's core asks of its shell, and is told by it.

use bytes::BytesMut;
use shared::link::Lane;
use shared::time::Micros;

use super::{End, KeptPiece};
use crate::score::record::FrameRecord;
use crate::truth::Truth;

/// What the shell must do next.
#[expect(clippy::large_enum_variant, reason = "one at a time; a box would be an allocation a frame")]
#[derive(Debug)]
pub enum Action {
    /// Hand this to the link.
    Send(Lane, BytesMut),
    /// Render, encode and send the frame of this id; then call [`Session::captured`](super::Session::captured) and [`link_ready`](super::Session::link_ready).
    Capture(u64),
    /// Hand this piece of a frame to the link if it has room, else call [`Session::not_resent`](super::Session::not_resent)
    /// and forget it: the client asks again.
    Resend {
        /// The frame's id.
        frame: u64,
        /// The piece.
        piece: KeptPiece,
    },
    /// Stop handing over the frame being sent: its lifetime is over.
    GiveUp,
    /// A frame's outcome is final, and scored.
    Score(FrameRecord),
    /// The session is over: flush the link, close it.
    Close(End),
    /// Nothing to do before this moment or the next input.
    Wait(Micros),
}

/// A frame that was rendered and encoded.
#[derive(Clone, Copy, Debug)]
pub struct Capture {
    /// Its index at the source.
    pub source_index: u64,
    /// What it shows.
    pub truth: Truth,
    /// Last pixel rendered.
    pub captured: Micros,
    /// Ready to send.
    pub encoded: Micros,
    /// Bytes of its pixels.
    pub raw_bytes: u64,
    /// Bytes for the link.
    pub wire_bytes: u64,
}
