//! The wire protocol, version 1: what the lanes carry.
//!
//! A [`message`] is a MessagePack map with a `type`. On the `control` lane it is one data channel message; on the
//! `frames` and `answers` lanes it is cut into [`fragment`]s that fit the peer's message size. A frame's pixels are
//! written in an [`encoding`].
//! `docs/protocol.md` says the same for other languages; `tests/golden_bytes.rs` pins the bytes.

pub mod encoding;
pub mod fragment;
pub(crate) mod malformed;
pub mod message;

use std::time::Duration;

/// The protocol version both hellos must name.
pub const VERSION: u32 = 1;

/// Ids and times on the wire stay below 2^53, so that languages whose numbers are doubles keep them exact.
pub const INTEGER_LIMIT: u64 = 1 << 53;

/// How long an end may take to say hello on the open link.
pub const HELLO_LIMIT: Duration = Duration::from_secs(5);

/// The largest window a source may announce: more frames than any link holds, few enough that a stuck sink costs little.
pub const MAX_WINDOW: u32 = 4096;
