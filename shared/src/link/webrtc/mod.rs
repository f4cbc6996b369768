//! Links over WebRTC data channels, and everything specific to WebRTC: packet sizes, UDP ports and buffers, pace.
//!
//! The side that [`listen`]s on a signaling connection makes an [`Offer`] with the three channels, and is the DTLS
//! client. The side that [`dial`]s answers. There are only host candidates, all in the description: no STUN, no
//! trickle. [`path_mtu`], [`local_addresses`] and [`one_address`] find out about a path what [`LinkSettings`] need.
//!
//! What a Plumb peer needs to know in addition to standard SDP is in one session-level attribute of the offer,
//! `a=x-plumb:1 mtu=16000`. Strangers ignore it.

mod arrivals;
mod beside;
mod buffers;
mod burst;
mod candidates;
mod channels;
mod description;
mod engine;
mod error;
mod events;
mod fragments;
mod guard;
mod handshake;
mod lanes;
mod link_proof;
mod mtu;
mod offering;
mod old_form;
mod opening;
mod own_answers;
mod pace;
mod path;
mod peer;
mod plain;
mod port;
mod progress;
mod round_trip;
mod runtime;
mod settings;
mod setup;
mod socket;
#[cfg(test)]
mod tests;

pub use buffers::{COMFORTABLE_BUFFER, GrantedBuffers, WANTED_BUFFER, granted_buffers, receive_buffer};
pub use error::{HandshakeError, OpenError};
pub use handshake::dial;
pub use mtu::{LEAST_MTU, LOOPBACK_MTU, parse_mtu, sound_mtu};
pub use offering::{Answer, Offer, Offered, Reply, listen};
pub use path::{local_addresses, one_address, path_mtu};
pub use progress::Stuck;
pub use settings::{LinkSettings, PeerKind};
