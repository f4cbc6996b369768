//! Links over WebRTC data channels, and all that is WebRTC's own: packet sizes, UDP ports and buffers, pace.
//!
//! Who [`listen`]s on a signaling connection offers, with the three channels; who [`dial`]s answers. Host candidates only,
//! all in the description: no STUN, no trickle. [`path_mtu`] and [`local_addresses`] tell of a path what [`LinkSettings`]
//! need.
//!
//! What a Plumb peer needs to know beside standard SDP stands in one session-level attribute of the offer,
//! `a=x-plumb:1 mtu=16000`, which strangers ignore.

mod beside;
mod buffers;
mod candidates;
mod channels;
mod description;
mod engine;
mod error;
mod events;
mod handshake;
mod lanes;
mod mtu;
mod opening;
mod own_answers;
mod pace;
mod path;
mod peer;
mod port;
mod progress;
mod runtime;
mod settings;
mod socket;
#[cfg(test)]
mod tests;

pub use error::{HandshakeError, OpenError};
pub use handshake::{dial, listen};
pub use mtu::{LEAST_MTU, LOOPBACK_MTU, parse_mtu, sound_mtu};
pub use path::{local_addresses, path_mtu};
pub use settings::{LinkSettings, PeerKind};
