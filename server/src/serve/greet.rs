//! Greeting: who is it, and a link to it.

use std::net::SocketAddr;

use shared::link::Link;
use shared::link::handshake::{self, HandshakeError};
use shared::link::signaling::{Introduction, STRANGER_SILENCE, Signal, Signaling, SignalingError};
use shared::link::webrtc::LinkSettings;
use shared::protocol::VERSION;
use shared::protocol::message::Role;
use tokio::net::TcpStream;
use tracing::debug;

use crate::serve::ServeConfig;

/// Who is at the other end of a connection.
enum Visitor {
    /// A Plumb client, which spoke first.
    Plumb(Introduction),
    /// Somebody who waits for an offer: gets settings that every peer takes.
    Stranger,
    /// Somebody who only asked whether this server is there.
    Prober,
}

/// Opens a link to a visitor; `None` for one that wants no session. With a `refusal`, no link is made.
pub(super) async fn greet(
    stream: TcpStream,
    peer: SocketAddr,
    config: &ServeConfig,
    refusal: Option<String>,
) -> Result<Option<(Link, Signaling)>, HandshakeError> {
    let local = stream.local_addr().map_err(SignalingError::Io)?;
    let mut signaling = Signaling::new(stream);
    let mtu = match visitor(&mut signaling).await? {
        Visitor::Prober => return Ok(None),
        Visitor::Plumb(hello) => {
            let reason = refusal.or_else(|| unusable(&hello));
            if let Some(reason) = reason {
                debug!("{peer}: refused: {reason}");
                signaling.send(&Signal::Error { reason }).await?;
                return Ok(None);
            }
            handshake::path_mtu(local, peer).and_then(|mtu| Some(mtu.min(hello.mtu?)))
        }
        Visitor::Stranger => {
            if let Some(reason) = refusal {
                debug!("{peer}: refused: {reason}");
                return Ok(None);
            }
            None
        }
    };
    let settings = LinkSettings {
        addresses: handshake::local_addresses(local),
        ports: config.udp_ports.clone(),
        advertise: config.advertise,
        mtu,
    };
    debug!("{peer}: offering {settings:?}");
    let link = handshake::offer(&mut signaling, &settings).await?;
    Ok(Some((link, signaling)))
}

async fn visitor(signaling: &mut Signaling) -> Result<Visitor, SignalingError> {
    match signaling.receive_within(STRANGER_SILENCE).await {
        Ok(Signal::Hello(hello)) => Ok(Visitor::Plumb(hello)),
        Ok(Signal::Ping {}) => {
            signaling.send(&Signal::Pong {}).await?;
            Ok(Visitor::Prober)
        }
        // Connect and close: somebody looked whether the port is open.
        Ok(Signal::Bye {}) | Err(SignalingError::Closed) => Ok(Visitor::Prober),
        Ok(other) => {
            Err(SignalingError::Unexpected { expected: "a hello, a ping or silence", got: format!("{other:?}") })
        }
        Err(SignalingError::Silence(_)) => Ok(Visitor::Stranger),
        Err(error) => Err(error),
    }
}

/// Why a client of this introduction cannot be served.
fn unusable(hello: &Introduction) -> Option<String> {
    if hello.plumb != VERSION {
        return Some(format!("protocol {} is not served here, only {VERSION}", hello.plumb));
    }
    (hello.role != Role::Sink).then(|| "this server is the source of frames: the role must be sink".into())
}
