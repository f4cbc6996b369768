//! The wire protocol, version 1: what the lanes carry.
//!
//! A [`message`] is a MessagePack map with a `type`. On the `control` lane it is one data channel message. On the
//! `frames` and `answers` lanes it is split into [`fragment`]s that fit the peer's message size. A frame's pixels are
//! written in an [`encoding`]. `docs/protocol.md` describes the same for other languages. `tests/golden_bytes.rs` pins
//! the bytes.

pub mod encoding;
pub mod fragment;
pub(crate) mod malformed;
pub mod message;

use std::time::Duration;

/// Protocol version that both hellos must name.
pub const VERSION: u64 = 1;

/// Limit of ids and times on the wire: below 2^53, languages whose numbers are doubles represent them exactly.
pub const INTEGER_LIMIT: u64 = 1 << 53;

/// How long an end may take to send hello on the open link.
pub const HELLO_LIMIT: Duration = Duration::from_secs(5);

/// Largest window a source may announce: more frames than any link holds, few enough that a stuck sink costs little.
pub const MAX_WINDOW: u32 = 4096;
