//! Greeting: who is it, and a link to it.

use std::net::SocketAddr;

use shared::door::discovery::Identity;
use shared::door::lines::{Introduction, STRANGER_SILENCE, Signal, Signaling, SignalingError};
use shared::link::Link;
use shared::link::webrtc::handshake::{self, HandshakeError};
use shared::link::webrtc::{LinkSettings, PeerKind, sound_mtu};
use shared::protocol::VERSION;
use shared::protocol::message::Role;
use tokio::net::TcpStream;
use tracing::debug;

use crate::serve::{OnlyPlace, Server};

/// Who is at the other end of a connection.
enum Visitor {
    /// A Plumb client, which spoke first.
    Plumb(Introduction),
    /// Somebody who waits for an offer: gets settings that every peer takes.
    Stranger,
    /// Somebody who only asked whether this server is there.
    Prober,
}

/// A visitor with an open link.
pub(super) struct Guest {
    pub(super) link: Link,
    pub(super) signaling: Signaling,
    pub(super) place: Option<OnlyPlace>,
    /// What it said it can do beside what every client can.
    pub(super) features: Vec<String>,
}

impl Server {
    /// Opens a link to a visitor who finds this many `others`; `None` for one that wants no session or gets none.
    ///
    /// A Plumb client has its place from its hello on. A stranger, who may only be silent, has it once the link is open.
    pub(super) async fn greet(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        others: usize,
    ) -> Result<Option<Guest>, HandshakeError> {
        let local = stream.local_addr().map_err(SignalingError::Io)?;
        let ours = self.config.sctp_mtu.map_or_else(|| handshake::path_mtu(&stream), Ok).map_err(SignalingError::Io)?;
        let mut signaling = Signaling::new(stream);
        match self.visitor(&mut signaling).await? {
            Visitor::Prober => Ok(None),
            Visitor::Plumb(hello) => match self.welcome(&hello, others) {
                Ok(place) => {
                    let mtu = hello.mtu.and_then(sound_mtu).map(|theirs| theirs.min(ours)).or(self.config.sctp_mtu);
                    match self.offer(&mut signaling, local, mtu, PeerKind::Plumb).await {
                        Ok(link) => Ok(Some(Guest { link, signaling, place, features: hello.features })),
                        Err(error) => {
                            let reason = error.to_string();
                            // Whoever is gone does not hear it.
                            let _ = signaling.send(&Signal::Error { reason }).await;
                            Err(error)
                        }
                    }
                }
                Err(reason) => {
                    debug!("{peer}: refused: {reason}");
                    signaling.send(&Signal::Error { reason }).await?;
                    Ok(None)
                }
            },
            Visitor::Stranger => {
                if let Err(reason) = Self::admit(others) {
                    debug!("{peer}: refused: {reason}");
                    return Ok(None);
                }
                let link = self.offer(&mut signaling, local, self.config.sctp_mtu, PeerKind::Stranger).await?;
                match self.place() {
                    Ok(place) => Ok(Some(Guest { link, signaling, place, features: Vec::new() })),
                    Err(reason) => {
                        debug!("{peer}: refused: {reason}");
                        Ok(None)
                    }
                }
            }
        }
    }

    /// A place for a client of this introduction, or why it gets none.
    fn welcome(&self, hello: &Introduction, others: usize) -> Result<Option<OnlyPlace>, String> {
        if let Some(reason) = unusable(hello) {
            return Err(reason);
        }
        Self::admit(others).and_then(|()| self.place()).map_err(|refusal| refusal.to_string())
    }

    async fn visitor(&self, signaling: &mut Signaling) -> Result<Visitor, SignalingError> {
        match signaling.receive_within(STRANGER_SILENCE).await {
            Ok(Signal::Hello(hello)) => Ok(Visitor::Plumb(hello)),
            Ok(Signal::Ping {}) => {
                let Identity { name, id } = self.config.identity.clone();
                signaling.send(&Signal::Pong { name: Some(name), id: Some(id) }).await?;
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

    async fn offer(
        &self,
        signaling: &mut Signaling,
        local: SocketAddr,
        mtu: Option<u32>,
        kind: PeerKind,
    ) -> Result<Link, HandshakeError> {
        let settings = LinkSettings {
            addresses: handshake::local_addresses(local),
            ports: self.config.udp_ports.clone(),
            advertise: self.config.advertise,
            mtu,
            peer: kind,
            delivery: self.config.session.delivery,
        };
        debug!("offering {settings:?}");
        handshake::offer(signaling, &settings).await
    }
}

/// Why a client of this introduction cannot be served.
fn unusable(hello: &Introduction) -> Option<String> {
    if hello.plumb != VERSION {
        return Some(format!("protocol {} is not served here, only {VERSION}", hello.plumb));
    }
    (hello.role != Role::Sink).then(|| "this server is the source of frames: the role must be sink".into())
}
