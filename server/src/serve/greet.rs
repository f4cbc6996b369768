//! Greeting: finds out who a visitor is, decides whether it may have a session, and opens a link to it.

use std::time::Duration;

use shared::admission::NotAdmitted;
use shared::connect::Path;
use shared::door::admission::Proven;
use shared::door::discovery::Identity;
use shared::door::http::Status;
use shared::door::lines::{Signaling, SignalingError};
use shared::door::signal::{HELLO, Introduction, Signal};
use shared::door::stranger::{Arrived, Opening, STRANGER_SILENCE, Visitor, visitor};
use shared::door::strangers::Turn;
use shared::link::webrtc::{self, HandshakeError, LinkSettings, Offer, OpenError, PeerKind, Reply, sound_mtu};
use shared::link::{Kind, Link, tcp};
use shared::protocol::HELLO_LIMIT;
use shared::protocol::encoding::FEATURES;
use shared::protocol::message::Role;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, warn};

use super::entrance::Arrival;
use super::greeter::{Connection, Greeter, Guest};
use super::places::Place;
use super::welcome::{Rejection, kind};

/// Time limit for a client without a session to receive the reason.
const BYE_LIMIT: Duration = Duration::from_millis(200);

impl Greeter<'_> {
    /// Like [`Self::greet`], within the time that a handshake may take.
    pub(super) async fn greet_in_time(&self, arrival: Arrival) -> Result<Option<Guest>, HandshakeError> {
        let limit = self.config.limits.handshake_limit;
        timeout(limit, self.greet(arrival)).await.unwrap_or(Err(SignalingError::Silence(limit).into()))
    }

    /// Opens a link to a visitor; `None` if it does not want a session or gets none.
    ///
    /// A visitor takes a place with its first message: a hello, or an answer to the offer made to a stranger.
    pub(super) async fn greet(&self, arrival: Arrival) -> Result<Option<Guest>, HandshakeError> {
        let stream = match arrival {
            Arrival::Connection { stream, .. } => TcpStream::from_std(stream).map_err(SignalingError::Io)?,
            Arrival::Link(link) => return Ok(self.greet_ours(link)),
        };
        let path = Path::of(&stream).map_err(SignalingError::Io)?;
        let is_welcome = self.visits.come(path.peer.ip(), Instant::now().into_std());
        let mut turn = self.waiting.come();
        let arrived = Arrived::new(stream.into(), STRANGER_SILENCE).await.map_err(SignalingError::Io)?;
        let arrived = tokio::select! {
            biased;
            arrived = arrived.inside(&self.config.tls, STRANGER_SILENCE) => arrived?,
            () = turn.dismissed() => return Ok(None),
        };
        let Arrived { socket, opening, until } = tokio::select! {
            biased;
            arrived = self.silent_of_browser(arrived, path) => arrived?,
            () = turn.dismissed() => return Ok(None),
        };
        match opening {
            Opening::Http2 => {
                return tokio::select! {
                    greeted = self.greet_caller(socket, path) => Ok(greeted?),
                    () = turn.dismissed() => Ok(None),
                };
            }
            Opening::Http1 => {
                drop(turn);
                if is_welcome {
                    return self.greet_browser(socket, path).await;
                }
                let reason = format!("{}: come later", self.too_many());
                self.requests.refuse(socket, path.peer.ip(), Status::TooMany, &reason).await;
                return Ok(None);
            }
            Opening::Tls | Opening::Other => {}
        }
        let mut connection = self.connection(socket, path);
        let visitor = tokio::select! {
            visitor = visitor(&mut connection.signaling, until) => visitor,
            () = turn.dismissed() => {
                let most = self.config.limits.max_waiting;
                return self.turn_away(connection, &format!("{most} others wait here (--max-waiting): say hello at once")).await;
            }
        };
        drop(turn);
        match visitor {
            Ok(Visitor::Stranger | Visitor::Prober) if !is_welcome => {
                let reason = format!("{}: say hello at once, or come later", self.too_many());
                self.turn_away(connection, &reason).await
            }
            Ok(Visitor::Plumb(hello)) => self.greet_plumb(connection, hello).await,
            Ok(Visitor::Stranger) if self.takes_strangers() => self.greet_stranger(connection).await,
            Ok(Visitor::Stranger) => self.greet_late(connection).await,
            Ok(Visitor::Prober) => {
                let Identity { name, id } = self.config.identity.clone();
                connection.signaling.send(&Signal::Pong { name: Some(name), id: Some(id) }).await?;
                Ok(None)
            }
            Ok(Visitor::Gone) => Ok(None),
            Err(error) => Err(misunderstood(connection.signaling, error).await.into()),
        }
    }

    /// Why an address that connects too often is refused.
    fn too_many(&self) -> String {
        format!("over {} connections a second from here (--max-requests)", self.config.limits.max_requests)
    }

    /// Whether a visitor without a hello gets an offer. A stranger cannot prove a token.
    fn takes_strangers(&self) -> bool {
        self.config.link.takes(Kind::Webrtc) && self.config.admission.is_open()
    }

    /// Tells a visitor that it may try again, and ends its connection.
    async fn turn_away(&self, mut connection: Connection, reason: &str) -> Result<Option<Guest>, HandshakeError> {
        debug!("{}: turned away: {reason}", connection.path.peer);
        let refusal = Signal::Error { reason: reason.into(), retry: true };
        // It may be gone or not read: the connection ends in any case.
        let _ = timeout(BYE_LIMIT, connection.signaling.send(&refusal)).await;
        Ok(None)
    }

    /// Greets a client in this process. It has this server's version, so its features are known.
    fn greet_ours(&self, link: Link) -> Option<Guest> {
        match self.places.take() {
            Ok(place) => {
                let (features, kind) = (FEATURES.map(String::from).to_vec(), "memory");
                Some(Guest { link, place, features, kind, address: kind.into() })
            }
            Err(reason) => {
                debug!("the client in this process: refused: {reason}");
                None
            }
        }
    }

    pub(super) async fn greet_plumb(
        &self,
        mut connection: Connection,
        hello: Introduction,
    ) -> Result<Option<Guest>, HandshakeError> {
        let proven = self.proven(&mut connection.signaling, &hello).await?;
        let is_page = connection.signaling.is_of_page();
        match self.welcome_by_line(&hello, connection.path, connection.is_encrypted, is_page) {
            Ok(place) => self.open(connection, hello, place, proven).await.map(Some),
            Err(Rejection { reason, retry }) => {
                let peer = connection.path.peer;
                match hello.role {
                    Role::Source => warn!(kind = "signaling", "{peer}: refused: {reason}"),
                    Role::Sink => debug!("{peer}: refused: {reason}"),
                }
                connection.signaling.send(&Signal::Error { reason, retry }).await?;
                Ok(None)
            }
        }
    }

    /// What this client has proved. Until it has, a new client may take its place, as with a stranger.
    async fn proven(&self, signaling: &mut Signaling, hello: &Introduction) -> Result<Option<Proven>, SignalingError> {
        let admission = &self.config.admission;
        if admission.is_open() {
            return admission.admit_sink(signaling, hello).await;
        }
        let mut turn = self.waiting.come();
        tokio::select! {
            proven = admission.admit_sink(signaling, hello) => proven,
            () = turn.dismissed() => Err(SignalingError::Dismissed),
        }
    }

    /// Opens the link to a client that has a place.
    pub(super) async fn open(
        &self,
        mut connection: Connection,
        hello: Introduction,
        place: Place,
        proven: Option<Proven>,
    ) -> Result<Guest, HandshakeError> {
        let Path { peer, mtu, .. } = connection.path;
        let (features, address) = (hello.features.clone(), peer.to_string());
        if kind(&hello) == Some(Kind::Tcp) {
            let link = tcp::accept(connection.signaling, self.largest_message()).await?;
            return Ok(Guest { link, place, features, kind: Kind::Tcp.name(), address });
        }
        let mtu = hello.mtu.and_then(sound_mtu).map(|theirs| theirs.min(mtu)).or(self.config.sctp_mtu);
        let local = connection.path.local;
        let is_page = connection.signaling.is_of_page();
        let addresses = if is_page { webrtc::one_address(local) } else { webrtc::local_addresses(local) };
        let peer_buffer = hello.receive_buffer;
        let settings =
            LinkSettings { addresses, mtu, peer_buffer, peer: PeerKind::Plumb, proven, ..LinkSettings::default() };
        let offer = match self.offer(&connection.path, settings, None).await {
            Ok(offer) => offer,
            Err(error) => {
                connection
                    .signaling
                    .send(&Signal::Error { reason: error.to_string(), retry: error.is_worth_another_attempt() })
                    .await?;
                return Err(error.into());
            }
        };
        let mut offered = offer.send(connection.signaling).await?;
        loop {
            match offered.reply().await? {
                Reply::Answer(answer) => {
                    let link = offered.open(answer).await?;
                    return Ok(Guest { link, place, features, kind: Kind::Webrtc.name(), address });
                }
                Reply::Hello(_) => debug!("{peer}: ignoring a second hello"),
            }
        }
    }

    /// Makes an offer to a stranger. While the stranger is silent, it can lose its place to others. If it says hello
    /// after all, it is greeted as a client.
    async fn greet_stranger(&self, connection: Connection) -> Result<Option<Guest>, HandshakeError> {
        let (mut turn, path, is_encrypted) = (self.strangers.come(), connection.path, connection.is_encrypted);
        let settings = LinkSettings {
            addresses: webrtc::one_address(path.local),
            mtu: self.config.sctp_mtu,
            peer: PeerKind::Stranger,
            ..LinkSettings::default()
        };
        let offer = self.offer(&path, settings, Some(&mut turn)).await?;
        let mut offered = offer.send(connection.signaling).await?;
        let idle_limit = self.config.limits.idle_limit;
        let reply = tokio::select! {
            reply = offered.reply() => Some(reply?),
            () = turn.dismissed() => None,
            () = sleep(idle_limit) => return Err(SignalingError::Silence(idle_limit).into()),
        };
        match reply {
            Some(Reply::Answer(_)) if let Some(reason) = self.unreadable(&[]) => {
                let mut signaling = offered.take_back().await;
                drop(turn);
                debug!("{}: refused: {reason}", path.peer);
                signaling.send(&Signal::Error { reason, retry: false }).await?;
                Ok(None)
            }
            Some(Reply::Answer(answer)) => {
                drop(turn);
                let place = match self.places.take() {
                    Ok(place) => place,
                    Err(reason) => {
                        debug!("{}: refused: {reason}", path.peer);
                        return Ok(None);
                    }
                };
                let link = offered.open(answer).await?;
                let address = path.peer.to_string();
                Ok(Some(Guest { link, place, features: Vec::new(), kind: Kind::Webrtc.name(), address }))
            }
            Some(Reply::Hello(hello)) => {
                let signaling = offered.take_back().await;
                drop(turn);
                self.greet_plumb(Connection { signaling, is_encrypted, path }, hello).await
            }
            None => {
                debug!("{}: said nothing, and is dismissed", path.peer);
                offered.take_back().await;
                Ok(None)
            }
        }
    }

    /// Waits for the hello of a visitor that gets no offer without one.
    async fn greet_late(&self, mut connection: Connection) -> Result<Option<Guest>, HandshakeError> {
        let mut turn = self.strangers.come();
        let said = tokio::select! {
            said = connection.signaling.receive_within(HELLO_LIMIT) => said,
            () = turn.dismissed() => return Ok(None),
        };
        match said {
            Ok(Signal::Hello(hello)) => {
                drop(turn);
                self.greet_plumb(connection, hello).await
            }
            Ok(other) => {
                let error = SignalingError::Unexpected { expected: "a hello", got: other.name() };
                Err(misunderstood(connection.signaling, error).await.into())
            }
            Err(SignalingError::Silence(_)) if !self.config.admission.is_open() => {
                Err(misunderstood(connection.signaling, NotAdmitted::SinkWithout.into()).await.into())
            }
            Err(error) => Err(misunderstood(connection.signaling, error).await.into()),
        }
    }

    /// Makes an offer with what the peer's settings leave to the server. If no UDP port is free, takes that of the oldest
    /// silent stranger.
    async fn offer(&self, path: &Path, peers: LinkSettings, turn: Option<&mut Turn>) -> Result<Offer, OpenError> {
        let settings = LinkSettings {
            ports: self.config.udp_ports.clone(),
            advertise: self.config.advertise,
            path_mtu: Some(path.mtu),
            signaling: Some(path.peer.ip()),
            most_in_flight: Some(self.config.limits.max_in_flight),
            delivery: self.config.session.delivery,
            ..peers
        };
        debug!("offering a link: {settings}");
        let has_no_port = |error: &OpenError| matches!(error, OpenError::NoPort { .. });
        self.strangers.offer(turn, || Offer::make(&settings), has_no_port).await
    }
}

/// Tells a visitor that its first message was wrong, and what a correct one looks like.
pub(super) async fn misunderstood(mut signaling: Signaling, error: SignalingError) -> SignalingError {
    // Fails if the visitor closed or broke the connection; then there is nobody to tell.
    let _ = signaling.send(&Signal::Error { reason: format!("{error}; {HELLO}"), retry: false }).await;
    error
}
