//! What a session's core asks its shell to do, and what the shell reports back.

use bytes::BytesMut;
use shared::link::Lane;
use shared::time::Micros;

use super::{End, KeptPiece};
use crate::score::record::FrameRecord;
use crate::truth::Truth;

/// What the shell must do next.
#[expect(clippy::large_enum_variant, reason = "one at a time; a box would be an allocation per frame")]
#[derive(Debug)]
pub enum Action {
    /// Hand this message to the link.
    Send(Lane, BytesMut),
    /// Render, encode and send the frame of this id; then call [`Session::captured`](super::Session::captured) and
    /// [`link_ready`](super::Session::link_ready).
    Capture(u64),
    /// Hand this piece of a frame to the link if it has room, else call
    /// [`Session::not_resent`](super::Session::not_resent) and forget it: the client asks again.
    Resend {
        /// The frame's id.
        frame: u64,
        /// The piece.
        piece: KeptPiece,
    },
    /// Stop handing over the current frame: its lifetime is over.
    GiveUp,
    /// A frame's outcome is final and has been scored.
    Score(FrameRecord),
    /// Stop the server: the client asked for it, and is allowed to.
    StopServer,
    /// The session is over: flush the link and close it.
    Close(End),
    /// Nothing to do until this moment or the next input.
    Wait(Micros),
}

/// A frame that has been rendered and encoded.
#[derive(Clone, Copy, Debug)]
pub struct Capture {
    /// Its index at the source.
    pub source_index: u64,
    /// What it shows.
    pub truth: Truth,
    /// When the last pixel was rendered.
    pub captured: Micros,
    /// When the encoded frame was ready to send.
    pub encoded: Micros,
    /// Size of its pixels, in bytes.
    pub raw_bytes: u64,
    /// Size of what the link is given, in bytes.
    pub wire_bytes: u64,
}
