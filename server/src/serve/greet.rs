//! Greeting: who is it, may it come in, and a link to it.

use std::net::SocketAddr;

use shared::door::discovery::Identity;
use shared::door::lines::{Signaling, SignalingError};
use shared::door::signal::{Introduction, Signal};
use shared::door::stranger::{Visitor, visitor};
use shared::link::Link;
use shared::link::webrtc::{self, HandshakeError, LinkSettings, PeerKind, sound_mtu};
use shared::protocol::VERSION;
use shared::protocol::encoding::FEATURES;
use shared::protocol::message::Role;
use tokio::net::TcpStream;
use tracing::debug;

use super::config::ServeConfig;
use super::entrance::Arrival;
use super::places::{OnlyPlace, Places};

/// Receives visitors.
#[derive(Clone, Copy)]
pub(super) struct Greeter<'a> {
    pub(super) config: &'a ServeConfig,
    pub(super) places: &'a Places,
}

/// A visitor with an open link.
pub(super) struct Guest {
    pub(super) link: Link,
    pub(super) place: Option<OnlyPlace>,
    /// What it said it can do beside what every client can.
    pub(super) features: Vec<String>,
}

/// Why a client gets no place, and whether it may get one later.
struct Unwelcome {
    reason: String,
    retry: bool,
}

/// A connection whose visitor is not known yet, or has no link yet.
struct Connection {
    signaling: Signaling,
    local: SocketAddr,
    peer: SocketAddr,
    /// The SCTP packet size for its path, or the one asked for.
    mtu: u32,
    /// How many others are here.
    others: usize,
}

impl Greeter<'_> {
    /// Opens a link to a visitor who finds this many `others`; `None` for one that wants no session or gets none.
    ///
    /// A Plumb client has its place from its hello on. A stranger, who may only be silent, has it once the link is open.
    pub(super) async fn greet(&self, arrival: Arrival, others: usize) -> Result<Option<Guest>, HandshakeError> {
        let (stream, peer) = match arrival {
            Arrival::Connection { stream, peer } => (stream, peer),
            Arrival::Link(link) => return Ok(self.greet_ours(link, others)),
        };
        let mut connection = self.connection(stream, peer, others).map_err(SignalingError::Io)?;
        match visitor(&mut connection.signaling).await? {
            Visitor::Plumb(hello) => self.greet_plumb(connection, hello).await,
            Visitor::Stranger => self.greet_stranger(connection).await,
            Visitor::Prober => {
                let Identity { name, id } = self.config.identity.clone();
                connection.signaling.send(&Signal::Pong { name: Some(name), id: Some(id) }).await?;
                Ok(None)
            }
            Visitor::Gone => Ok(None),
        }
    }

    fn connection(&self, stream: std::net::TcpStream, peer: SocketAddr, others: usize) -> std::io::Result<Connection> {
        let stream = TcpStream::from_std(stream)?;
        let local = stream.local_addr()?;
        let mtu = self.config.sctp_mtu.map_or_else(|| webrtc::path_mtu(&stream), Ok)?;
        Ok(Connection { signaling: Signaling::new(stream), local, peer, mtu, others })
    }

    /// A client of this process is this version's own: what it can do is known.
    fn greet_ours(&self, link: Link, others: usize) -> Option<Guest> {
        match Places::admit(others).and_then(|()| self.places.take()) {
            Ok(place) => Some(Guest { link, place, features: FEATURES.map(String::from).to_vec() }),
            Err(reason) => {
                debug!("the client in this process: refused: {reason}");
                None
            }
        }
    }

    async fn greet_plumb(
        &self,
        mut connection: Connection,
        hello: Introduction,
    ) -> Result<Option<Guest>, HandshakeError> {
        let place = match self.welcome(&hello, connection.others) {
            Ok(place) => place,
            Err(Unwelcome { reason, retry }) => {
                debug!("{}: refused: {reason}", connection.peer);
                connection.signaling.send(&Signal::Error { reason, retry }).await?;
                return Ok(None);
            }
        };
        let ours = connection.mtu;
        let mtu = hello.mtu.and_then(sound_mtu).map(|theirs| theirs.min(ours)).or(self.config.sctp_mtu);
        let link = self.listen(connection, mtu, PeerKind::Plumb).await?;
        Ok(Some(Guest { link, place, features: hello.features }))
    }

    async fn greet_stranger(&self, connection: Connection) -> Result<Option<Guest>, HandshakeError> {
        let peer = connection.peer;
        if let Err(reason) = Places::admit(connection.others) {
            debug!("{peer}: refused: {reason}");
            return Ok(None);
        }
        let link = self.listen(connection, self.config.sctp_mtu, PeerKind::Stranger).await?;
        match self.places.take() {
            Ok(place) => Ok(Some(Guest { link, place, features: Vec::new() })),
            Err(reason) => {
                debug!("{peer}: refused: {reason}");
                Ok(None)
            }
        }
    }

    /// A place for a client of this introduction, or why it gets none.
    fn welcome(&self, hello: &Introduction, others: usize) -> Result<Option<OnlyPlace>, Unwelcome> {
        if let Some(reason) = unusable(hello) {
            return Err(Unwelcome { reason, retry: false });
        }
        // Places become free again.
        let place = Places::admit(others).and_then(|()| self.places.take());
        place.map_err(|refusal| Unwelcome { reason: refusal.to_string(), retry: true })
    }

    async fn listen(&self, connection: Connection, mtu: Option<u32>, peer: PeerKind) -> Result<Link, HandshakeError> {
        let settings = LinkSettings {
            addresses: webrtc::local_addresses(connection.local),
            ports: self.config.udp_ports.clone(),
            advertise: self.config.advertise,
            mtu,
            peer,
            delivery: self.config.session.delivery,
        };
        debug!("offering {settings:?}");
        webrtc::listen(connection.signaling, &settings).await
    }
}

/// Why a client of this introduction cannot be served.
fn unusable(hello: &Introduction) -> Option<String> {
    if hello.plumb != VERSION {
        return Some(format!("protocol {} is not served here, only {VERSION}", hello.plumb));
    }
    (hello.role != Role::Sink).then(|| "this server is the source of frames: the role must be sink".into())
}
