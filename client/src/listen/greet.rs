//! Greeting: finds out who calls, decides whether it gets a session, and opens the link.

use shared::connect::Path;
use shared::door::lines::{Signaling, SignalingError};
use shared::door::signal::{Introduction, SOURCE_HELLO, Signal};
use shared::door::stranger::{Arrived, Opening, opening};
use shared::link::webrtc::HandshakeError;
use shared::link::{Kind, Link, grpc, tcp};
use shared::protocol::message::Role;
use shared::protocol::{HELLO_LIMIT, VERSION};
use shared::socket::Socket;
use shared::text::Brief;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::page::answered;
use super::{Desk, MAX_SOURCES};
use crate::connect::{Asked, features, introduced, joined};

/// Maximum number of characters of a wrong name that an error repeats.
const SHOWN_CHARACTERS: usize = 40;

/// The reason given to a client that calls a client.
const BOTH_SINKS: &str = "both ends are clients: this client listens (--listen) for a server that calls it (server \
    --dial HOST:PORT); a client that calls needs a server that listens";

/// A source with an open link.
pub(super) struct Guest {
    pub(super) link: Link,
    /// Becomes free when dropped.
    pub(super) place: OwnedSemaphorePermit,
}

/// Why a visitor gets no session.
struct Rejection {
    reason: String,
    retry: bool,
}

impl Desk {
    /// Opens a link to a visitor that says it is a source. `None` for a browser that only loads the page.
    ///
    /// A visitor that says nothing, or something else, costs only a connection. If there are too many, a new one
    /// replaces the oldest.
    pub(super) async fn greet(&self, stream: std::net::TcpStream) -> Result<Option<Guest>, HandshakeError> {
        let stream = TcpStream::from_std(stream).map_err(SignalingError::Io)?;
        let path = Path::of(&stream).map_err(SignalingError::Io)?;
        let Arrived { socket, opening, until } = self.arrived(stream.into()).await?;
        let is_encrypted = socket.is_encrypted();
        match opening {
            Opening::Http2 => Ok(Some(self.greet_caller(socket, path).await?)),
            Opening::Http1 => self.greet_browser(socket, path).await,
            Opening::Tls | Opening::Other => {
                self.greet_source(Signaling::new(socket), path, is_encrypted, until).await.map(Some)
            }
        }
    }

    /// Answers a request of a browser. Its page becomes a source if it asks for signaling.
    async fn greet_browser(&self, socket: Socket, path: Path) -> Result<Option<Guest>, HandshakeError> {
        let is_encrypted = socket.is_encrypted();
        let mut turn = self.strangers.come();
        let asked = tokio::select! {
            asked = answered(socket, path.peer.ip()) => asked.map_err(SignalingError::Io)?,
            () = turn.dismissed() => return Ok(None),
        };
        drop(turn);
        let Some(socket) = asked else { return Ok(None) };
        let until = Instant::now() + HELLO_LIMIT;
        self.greet_source(Signaling::of_page(socket), path, is_encrypted, until).await.map(Some)
    }

    /// Opens a link to a visitor that introduces itself as a source before `until`.
    async fn greet_source(
        &self,
        mut signaling: Signaling,
        path: Path,
        is_encrypted: bool,
        until: Instant,
    ) -> Result<Guest, HandshakeError> {
        let hello = match self.hello(&mut signaling, until).await {
            Ok(hello) => hello,
            Err(error) => return Err(misunderstood(signaling, error).await.into()),
        };
        match self.welcome(&hello, path, is_encrypted) {
            Ok((link, place)) => self.open(signaling, path, link, place).await,
            Err(Rejection { reason, retry }) => {
                signaling.send(&Signal::Error { reason: reason.clone(), retry }).await?;
                Err(SignalingError::WrongPeer(format!("refused: {reason}")).into())
            }
        }
    }

    /// Opens the link to a source. With a token, it has no place until it has proved that it holds it.
    async fn open(
        &self,
        signaling: Signaling,
        path: Path,
        link: Kind,
        place: OwnedSemaphorePermit,
    ) -> Result<Guest, HandshakeError> {
        let admission = self.config.admission.clone();
        let asked = Asked { link, admission, tls: self.config.tls.clone(), mtu: self.config.sctp_mtu };
        if asked.admission.is_open() {
            let (signaling, proven) = introduced(signaling, path, &asked).await?;
            return Ok(Guest { link: joined(signaling, path, &asked, proven).await?, place });
        }
        drop(place);
        let mut turn = self.strangers.come();
        let (signaling, proven) = tokio::select! {
            introduced = introduced(signaling, path, &asked) => introduced?,
            () = turn.dismissed() => return Err(SignalingError::Dismissed.into()),
        };
        drop(turn);
        let place = self.place().map_err(|Rejection { reason, .. }| SignalingError::WrongPeer(reason))?;
        Ok(Guest { link: joined(signaling, path, &asked, proven).await?, place })
    }

    /// Waits for the visitor's first bytes, inside TLS if it begins with that.
    async fn arrived(&self, socket: Socket) -> Result<Arrived, SignalingError> {
        let (mut turn, until) = (self.strangers.come(), Instant::now() + HELLO_LIMIT);
        let opening = tokio::select! {
            opening = opening(&socket, until) => opening.map_err(SignalingError::Io),
            () = turn.dismissed() => Err(SignalingError::Dismissed),
        };
        let opening = match opening {
            Ok(opening) => opening,
            Err(error) => return Err(misunderstood(Signaling::new(socket), error).await),
        };
        tokio::select! {
            biased;
            arrived = Arrived { socket, opening, until }.inside(&self.config.tls, HELLO_LIMIT) => arrived,
            () = turn.dismissed() => Err(SignalingError::Dismissed),
        }
    }

    /// Opens a link to a source that speaks gRPC.
    async fn greet_caller(&self, socket: Socket, path: Path) -> Result<Guest, SignalingError> {
        let (admission, is_encrypted) = (&self.config.admission, socket.is_encrypted());
        let mut turn = self.strangers.come();
        let features = features();
        let call = tokio::select! {
            call = grpc::answer_source(socket, tcp::MAX_PAYLOAD, &features, admission) => call?,
            () = turn.dismissed() => return Err(SignalingError::Dismissed),
        };
        drop(turn);
        let protected = admission.protects(Kind::Grpc, path.peer.ip(), is_encrypted);
        let welcome = protected.map_err(|wrong| Rejection { reason: wrong.to_string(), retry: false });
        match welcome.and_then(|()| self.place()) {
            Ok(place) => Ok(Guest { link: call.accept(), place }),
            Err(Rejection { reason, retry }) => {
                call.refuse(reason.clone(), retry).await;
                Err(SignalingError::WrongPeer(format!("refused: {reason}")))
            }
        }
    }

    /// Waits for the visitor's hello until `until`, [`HELLO_LIMIT`] after it came.
    async fn hello(&self, signaling: &mut Signaling, until: Instant) -> Result<Introduction, SignalingError> {
        let mut turn = self.strangers.come();
        let said = tokio::select! {
            said = signaling.receive_within(until.saturating_duration_since(Instant::now())) => match said {
                Err(SignalingError::Silence(_)) => return Err(SignalingError::Silence(HELLO_LIMIT)),
                said => said?,
            },
            () = turn.dismissed() => return Err(SignalingError::Dismissed),
        };
        match said {
            Signal::Hello(hello) => Ok(hello),
            other => Err(SignalingError::instead("the hello of a source", other)),
        }
    }

    /// The link that a source gets and its place, or why it gets none.
    fn welcome(
        &self,
        hello: &Introduction,
        path: Path,
        is_encrypted: bool,
    ) -> Result<(Kind, OwnedSemaphorePermit), Rejection> {
        let link = usable(hello).map_err(|reason| Rejection { reason, retry: false })?;
        let protected = self.config.admission.protects(link, path.peer.ip(), is_encrypted);
        protected.map_err(|wrong| Rejection { reason: wrong.to_string(), retry: false })?;
        Ok((link, self.place()?))
    }

    /// Takes a place for a source. If there is none, the source may try again, because places become free.
    fn place(&self) -> Result<OwnedSemaphorePermit, Rejection> {
        let place = self.places.clone().try_acquire_owned();
        place.map_err(|_| Rejection { reason: self.full(), retry: true })
    }

    fn full(&self) -> String {
        match self.is_once {
            true => "this client answers one server (--once), which is here already".into(),
            false => format!("this client is full: {MAX_SOURCES} servers"),
        }
    }
}

/// The link that a source asks for, or what is wrong with its hello.
fn usable(hello: &Introduction) -> Result<Kind, String> {
    if hello.plumb != VERSION {
        return Err(format!("protocol {} is not supported here, only {VERSION}", hello.plumb));
    }
    if hello.role != Role::Source {
        return Err(BOTH_SINKS.into());
    }
    let asked = hello.link.as_deref().unwrap_or(Kind::default().name());
    // Over gRPC a source calls without a line.
    let in_lines = || Kind::all().filter(|kind| *kind != Kind::Grpc);
    in_lines().find(|kind| kind.name() == asked).ok_or_else(|| {
        let known: Vec<_> = in_lines().map(Kind::name).collect();
        format!("this client has no link \"{}\", only {}", Brief(asked, SHOWN_CHARACTERS), known.join(" and "))
    })
}

/// Whether the visitor may just have been too slow.
fn is_late(error: &SignalingError) -> bool {
    matches!(error, SignalingError::Silence(_) | SignalingError::Dismissed)
}

/// Tells a visitor that its first line was wrong, and what a correct one looks like.
async fn misunderstood(mut signaling: Signaling, error: SignalingError) -> SignalingError {
    // Fails if the visitor closed or broke the connection; then there is nobody to tell.
    let _ = signaling.send(&Signal::Error { reason: format!("{error}; {SOURCE_HELLO}"), retry: is_late(&error) }).await;
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(hello: Introduction) -> String {
        usable(&hello).unwrap_err()
    }

    #[test]
    fn a_source_gets_the_link_it_asks_for() {
        let asking =
            |link: Option<&str>| Introduction { link: link.map(Into::into), ..Introduction::of_source(String::new()) };
        assert_eq!(usable(&asking(None)), Ok(Kind::Webrtc));
        for kind in [Kind::Webrtc, Kind::Tcp] {
            assert_eq!(usable(&asking(Some(kind.name()))), Ok(kind));
        }
        assert!(refused(asking(Some("smoke"))).starts_with("this client has no link \"smoke\", only webrtc and tcp"));
    }

    #[test]
    fn a_sink_and_another_protocol_are_refused() {
        assert_eq!(refused(Introduction::new(Vec::new())), BOTH_SINKS);
        let later = Introduction { plumb: 2, ..Introduction::of_source("tcp".into()) };
        assert_eq!(refused(later), "protocol 2 is not supported here, only 1");
    }
}
