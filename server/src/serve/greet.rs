//! Greeting: finds out who a visitor is, decides whether it may have a session, and opens a link to it.

use std::time::Duration;

use clap::ValueEnum;
use shared::admission::NotAdmitted;
use shared::connect::Path;
use shared::door::admission::Proven;
use shared::door::discovery::Identity;
use shared::door::lines::{Signaling, SignalingError};
use shared::door::signal::{HELLO, Introduction, Signal};
use shared::door::stranger::{Opening, STRANGER_SILENCE, Visitor, opening, visitor};
use shared::door::strangers::{Strangers, Turn};
use shared::image::PixelFormat;
use shared::link::webrtc::{
    self, HandshakeError, LEAST_MTU, LinkSettings, Offer, OpenError, PeerKind, Reply, sound_mtu,
};
use shared::link::{Kind, Lane, Link, grpc, tcp};
use shared::protocol::encoding::{FEATURES, GRAY16_FEATURE};
use shared::protocol::fragment::MAX_HEADER;
use shared::protocol::message::{Bye, Control, Delivery, Role, control_bytes};
use shared::protocol::{HELLO_LIMIT, VERSION};
use shared::text::Brief;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, warn};

use super::config::ServeConfig;
use super::entrance::Arrival;
use super::http::Requests;
use super::limits::Visits;
use super::places::{Place, Places};

/// Maximum number of characters of a wrong name that an error repeats.
const SHOWN_CHARACTERS: usize = 40;

/// The reason given to a source that calls a source.
pub(super) const BOTH_SOURCES: &str = "both ends are sources of frames: this is a server that listens, so the role \
    must be sink; a server that calls (--dial) needs a client that listens (client --listen ADDR)";

/// Time limit for a client without a session to receive the reason.
const BYE_LIMIT: Duration = Duration::from_millis(200);

/// Greets visitors.
#[derive(Clone, Copy)]
pub(super) struct Greeter<'a> {
    pub(super) config: &'a ServeConfig,
    pub(super) places: &'a Places,
    pub(super) strangers: &'a Strangers,
    pub(super) requests: &'a Requests,
    pub(super) waiting: &'a Strangers,
    pub(super) visits: &'a Visits,
}

/// A visitor with an open link.
pub(super) struct Guest {
    pub(super) link: Link,
    pub(super) place: Place,
    /// Optional features that its hello named.
    pub(super) features: Vec<String>,
    /// What carries frames and answers.
    pub(super) kind: &'static str,
    /// Address, for log lines and reports.
    pub(super) address: String,
}

/// Why a client gets no place, and whether it may try again later.
pub(super) struct Unwelcome {
    pub(super) reason: String,
    pub(super) retry: bool,
}

/// A connection to a visitor that is still unknown or has no link yet.
pub(super) struct Connection {
    pub(super) signaling: Signaling,
    /// Its `mtu` is the configured one, if any.
    pub(super) path: Path,
}

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
        let until = Instant::now() + STRANGER_SILENCE;
        let path = Path::of(&stream).map_err(SignalingError::Io)?;
        let is_welcome = self.visits.come(path.peer.ip(), Instant::now().into_std());
        let mut turn = self.waiting.come();
        match opening(&stream, until).await.map_err(SignalingError::Io)? {
            Opening::Http2 => {
                return tokio::select! {
                    greeted = self.greet_caller(stream, path) => Ok(greeted?),
                    () = turn.must_give_way() => Ok(None),
                };
            }
            Opening::Http1 => {
                drop(turn);
                if is_welcome {
                    self.requests.serve(stream, &self.config.metrics).await;
                }
                return Ok(None);
            }
            Opening::Other => {}
        }
        let mut connection = self.connection(stream, path);
        let visitor = tokio::select! {
            visitor = visitor(&mut connection.signaling, until) => visitor,
            () = turn.must_give_way() => {
                let most = self.config.limits.max_waiting;
                return self.turn_away(connection, &format!("{most} others wait here (--max-waiting): say hello at once")).await;
            }
        };
        drop(turn);
        match visitor {
            Ok(Visitor::Stranger | Visitor::Prober) if !is_welcome => {
                let most = self.config.limits.max_requests;
                self.turn_away(
                    connection,
                    &format!(
                        "over {most} connections a second from here (--max-requests): say hello at once, or come later"
                    ),
                )
                .await
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

    /// A connection on which signaling begins.
    pub(super) fn connection(&self, stream: TcpStream, path: Path) -> Connection {
        let mtu = self.config.sctp_mtu.unwrap_or(path.mtu);
        Connection { signaling: Signaling::new(stream), path: Path { mtu, ..path } }
    }

    /// Greets a client that speaks gRPC.
    async fn greet_caller(&self, stream: TcpStream, path: Path) -> Result<Option<Guest>, SignalingError> {
        let call = grpc::answer_sink(stream, self.largest_message()).await?;
        let features = call.features().to_vec();
        match self.welcome(&over_grpc(features.clone()), path) {
            Ok(place) => Ok(Some(Guest::over_grpc(call.accept(), place, features, path))),
            Err(Unwelcome { reason, retry }) => {
                debug!("{}: refused: {reason}", path.peer);
                call.refuse(reason, retry).await;
                Ok(None)
            }
        }
    }

    /// Calls a client that listens for gRPC, and opens the link to it.
    pub(super) async fn call_over_grpc(&self, stream: TcpStream, path: Path) -> Result<Guest, HandshakeError> {
        let (link, features) = grpc::call_sink(stream, self.largest_message()).await?;
        match self.welcome(&over_grpc(features.clone()), path) {
            Ok(place) => Ok(Guest::over_grpc(link, place, features, path)),
            Err(Unwelcome { reason, .. }) => {
                let bye = control_bytes(&Control::Bye(Bye { reason: reason.clone() }));
                if let Ok(bye) = bye {
                    // Fails if the client has left.
                    let _ = link.sender().send_soon(Lane::Control, bye).await;
                }
                link.sender().close_within(BYE_LIMIT).await;
                Err(SignalingError::WrongPeer(format!("cannot work with this client: {reason}")).into())
            }
        }
    }

    /// Largest message that is accepted over a stream, in bytes: an answer in one fragment, with its header.
    fn largest_message(&self) -> usize {
        self.config.session.largest_answer() + MAX_HEADER
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

    async fn greet_plumb(
        &self,
        mut connection: Connection,
        hello: Introduction,
    ) -> Result<Option<Guest>, HandshakeError> {
        let proven = self.proven(&mut connection.signaling, &hello).await?;
        match self.welcome_by_line(&hello, connection.path) {
            Ok(place) => self.open(connection, hello, place, proven).await.map(Some),
            Err(Unwelcome { reason, retry }) => {
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
            () = turn.must_give_way() => Err(SignalingError::GaveWay),
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
        let offer = match self.offer(&connection.path, mtu, hello.receive_buffer, PeerKind::Plumb, proven, None).await {
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
        let (mut turn, path) = (self.strangers.come(), connection.path);
        let offer = self.offer(&path, self.config.sctp_mtu, None, PeerKind::Stranger, None, Some(&turn)).await?;
        let mut offered = offer.send(connection.signaling).await?;
        let idle_limit = self.config.limits.idle_limit;
        let reply = tokio::select! {
            reply = offered.reply() => Some(reply?),
            () = turn.must_give_way() => None,
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
                self.greet_plumb(Connection { signaling, path }, hello).await
            }
            None => {
                debug!("{}: has said nothing, and gives way", path.peer);
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
            () = turn.must_give_way() => return Ok(None),
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

    /// Takes a place for the client with this introduction, or says why it gets none.
    pub(super) fn welcome(&self, hello: &Introduction, path: Path) -> Result<Place, Unwelcome> {
        let protected = self.config.admission.protects(kind(hello).unwrap_or_default(), path.peer.ip());
        let refused = protected
            .err()
            .map(|wrong| wrong.to_string())
            .or_else(|| unusable(hello))
            .or_else(|| self.link_refused(hello))
            .or_else(|| self.unreadable(&hello.features));
        if let Some(reason) = refused {
            return Err(Unwelcome { reason, retry: false });
        }
        // The client may retry: places become free again.
        self.places.take().map_err(|refusal| Unwelcome { reason: refusal.to_string(), retry: true })
    }

    /// Like [`Self::welcome`], for a client whose hello is a line of JSON.
    fn welcome_by_line(&self, hello: &Introduction, path: Path) -> Result<Place, Unwelcome> {
        match kind(hello) {
            Some(Kind::Grpc) if self.config.link.takes(Kind::Grpc) => {
                let reason =
                    "the link grpc begins with a gRPC call of plumb.v1.Source at this port, and not with a line";
                Err(Unwelcome { reason: reason.into(), retry: false })
            }
            _ => self.welcome(hello, path),
        }
    }

    /// Why a client cannot have the link that it asks for; `None` if it can.
    fn link_refused(&self, hello: &Introduction) -> Option<String> {
        let asked = hello.link.as_deref().unwrap_or(Kind::default().name());
        let kinds: Vec<_> = Kind::value_variants().iter().filter(|kind| self.config.link.takes(**kind)).collect();
        let Some(kind) = kinds.iter().find(|kind| kind.name() == asked) else {
            let names = kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
            let names = names.rsplit_once(", ").map_or(names.clone(), |(others, last)| format!("{others} and {last}"));
            return Some(format!(
                "this server has no link \"{}\", only {names}: ask for that in the hello (--link at the client)",
                Brief(asked, SHOWN_CHARACTERS),
            ));
        };
        let is_live = self.config.session.delivery == Delivery::Live;
        (is_live && kind.is_stream()).then(|| {
            format!(
                "delivery is live here, and {kind} is a stream, which cannot be live: ask for webrtc (--link at the client), or \
                 start the server with --delivery reliable"
            )
        })
    }

    /// Why a client with these features cannot read the stream's frames; `None` if it can. A client that does not name
    /// the feature would misread pixels of 16 bits, so it gets no frames.
    fn unreadable(&self, features: &[String]) -> Option<String> {
        let pixel = self.config.session.pixel;
        let can_read = pixel != PixelFormat::Gray16 || features.iter().any(|feature| feature == GRAY16_FEATURE);
        (!can_read).then(|| {
            format!(
                "the frames are {pixel}, and the hello does not name the feature \"{GRAY16_FEATURE}\": say \
                 \"features\":[\"{GRAY16_FEATURE}\"] if you read them"
            )
        })
    }

    /// Makes an offer. If no UDP port is free, takes that of the oldest silent stranger.
    async fn offer(
        &self,
        path: &Path,
        mtu: Option<u32>,
        peer_buffer: Option<u32>,
        peer: PeerKind,
        proven: Option<Proven>,
        turn: Option<&Turn>,
    ) -> Result<Offer, OpenError> {
        let settings = LinkSettings {
            addresses: webrtc::local_addresses(path.local),
            ports: self.config.udp_ports.clone(),
            advertise: self.config.advertise,
            mtu,
            path_mtu: Some(path.mtu),
            peer_buffer,
            signaling: Some(path.peer.ip()),
            peer,
            most_in_flight: Some(self.config.limits.max_in_flight),
            delivery: self.config.session.delivery,
            proven,
        };
        debug!("offering a link: {settings}");
        loop {
            match Offer::make(&settings).await {
                Err(OpenError::NoPort { .. }) if self.strangers.dismiss_oldest(turn).await => {}
                made => return made,
            }
        }
    }
}

impl Guest {
    fn over_grpc(link: Link, place: Place, features: Vec<String>, path: Path) -> Self {
        Self { link, place, features, kind: Kind::Grpc.name(), address: path.peer.to_string() }
    }
}

/// The hello that stands for a client's gRPC call.
fn over_grpc(features: Vec<String>) -> Introduction {
    Introduction { link: Some(Kind::Grpc.to_string()), ..Introduction::new(features) }
}

/// The kind of link that a client asks for.
fn kind(hello: &Introduction) -> Option<Kind> {
    hello.link.as_deref().map_or(Some(Kind::default()), Kind::named)
}

/// Tells a visitor that its first message was wrong, and what a correct one looks like.
async fn misunderstood(mut signaling: Signaling, error: SignalingError) -> SignalingError {
    // Fails if the visitor closed or broke the connection; then there is nobody to tell.
    let _ = signaling.send(&Signal::Error { reason: format!("{error}; {HELLO}"), retry: false }).await;
    error
}

/// Why a client with this introduction cannot be served; `None` if it can.
fn unusable(hello: &Introduction) -> Option<String> {
    if hello.plumb != VERSION {
        return Some(format!("protocol {} is not served here, only {VERSION}", hello.plumb));
    }
    if hello.role != Role::Sink {
        return Some(BOTH_SOURCES.into());
    }
    let mtu = hello.mtu.filter(|mtu| sound_mtu(*mtu).is_none())?;
    Some(format!(
        "an mtu of {mtu} bytes carries no frames: {LEAST_MTU} or more is right, or none where it is not known"
    ))
}
