//! The server calls a client that listens (`--dial`), and serves it.
//!
//! The source introduces itself first. The client answers with the hello that it would have sent as the caller, and from
//! there on everything is as if it had called.

use shared::connect::{self, Attempts, Failure};
use shared::door::lines::{Signaling, SignalingError};
use shared::door::signal::{Introduction, Signal};
use shared::link::Kind;
use shared::link::webrtc::HandshakeError;
use shared::protocol::HELLO_LIMIT;
use shared::shell::stop::Stop;
use shared::time::MonotonicClock;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tracing::{debug, info};

use super::config::ServeConfig;
use super::greeter::{Connection, Greeter, Guest};
use super::welcome::{BOTH_SOURCES, Rejection};
use super::{Ended, Served, Server};
use crate::output::Outputs;
use crate::output::report::SessionReport;
use crate::session::End;

/// Calls the client at HOST:PORT, asks it for this kind of link, and runs one session with it. Calls again while there is
/// time to wait and no session has begun.
pub async fn call(address: &str, link: Kind, config: ServeConfig, outputs: Outputs, mut stop: Stop) -> Served {
    let config = ServeConfig { link: link.into(), ..config };
    let mut attempts = Attempts::begin("client", config.wait);
    // Only the caller of this function learns of the session's end.
    let (finished, _) = mpsc::channel(1);
    let clock = MonotonicClock::start();
    let server = Server::new(ServeConfig { once: false, ..config }, outputs, clock, stop.clone(), finished);
    let mut served = Served { ended: Ended::Stopped, sessions: 0, source_failures: 0, faults: 0 };
    loop {
        let called = clock.now();
        let reached = tokio::select! {
            reached = server.reach(address, link, &mut attempts) => reached,
            () = stop.stopped() => return served,
        };
        let guest = match reached {
            Ok(guest) => guest,
            Err(wrong) => return Served { ended: Ended::NotReached(wrong), ..served },
        };
        let report = server.session(guest, called, true, stop.clone()).await;
        served.add(&report);
        let Some(pause) = why_it_never_began(&report).and_then(|reason| attempts.begin_again(reason)) else {
            return Served { ended: Ended::Once(Box::new(report)), ..served };
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = stop.stopped() => return served,
        }
    }
}

/// Why a session broke before its client said hello; `None` if another call would not help.
fn why_it_never_began(report: &SessionReport) -> Option<&str> {
    match &report.end {
        End::ClientGone { reason } if report.connect_us.is_none() => Some(reason),
        _ => None,
    }
}

impl Server {
    /// Calls until a link is open or there is no time for another attempt.
    async fn reach(&self, address: &str, link: Kind, attempts: &mut Attempts) -> Result<Guest, String> {
        let greeter = self.greeter();
        loop {
            let failure = match greeter.call(address, link).await {
                Ok(guest) => {
                    info!(kind = "connected", "connected to {address}");
                    return Ok(guest);
                }
                Err(failure) => failure,
            };
            let pause = attempts.failed(|| address.to_owned(), failure).map_err(|wrong| wrong.to_string())?;
            sleep(pause).await;
        }
    }
}

impl Greeter<'_> {
    /// Makes one call. Each step has its own timeout, and the whole call has none.
    async fn call(&self, address: &str, link: Kind) -> Result<Guest, Failure> {
        let (socket, path) = connect::call(address, &self.config.tls, link).await?;
        let opened = match link {
            Kind::Grpc => self.call_over_grpc(socket, path).await,
            Kind::Webrtc | Kind::Tcp => self.introduced(self.connection(socket, path), link).await,
        };
        opened.map_err(|error| Failure::of(address, error))
    }

    /// Introduces this source, and opens the link to the client that answers.
    async fn introduced(&self, mut connection: Connection, link: Kind) -> Result<Guest, HandshakeError> {
        let hello = asked(&mut connection.signaling, link).await?;
        let proven = self.config.admission.admit_sink(&mut connection.signaling, &hello).await?;
        match self.welcome(&hello, connection.path, connection.is_encrypted) {
            Ok(place) => self.open(connection, hello, place, proven).await,
            Err(Rejection { reason, retry }) => {
                debug!("{}: refused: {reason}", connection.path.peer);
                connection.signaling.send(&Signal::Error { reason: reason.clone(), retry }).await?;
                Err(SignalingError::WrongPeer(format!("cannot work with this client: {reason}")).into())
            }
        }
    }
}

/// Says hello and returns the hello of the client that listens.
async fn asked(signaling: &mut Signaling, link: Kind) -> Result<Introduction, SignalingError> {
    signaling.send(&Signal::Hello(Introduction::of_source(link.to_string()))).await?;
    match signaling.receive_within(HELLO_LIMIT).await {
        Ok(Signal::Hello(hello)) => Ok(Introduction { link: hello.link.or(Some(link.to_string())), ..hello }),
        // This is a server that takes us for a stranger, because our hello came late.
        Ok(Signal::Offer { .. }) => Err(SignalingError::WrongPeer(BOTH_SOURCES.into())),
        Ok(other) => Err(SignalingError::instead("the hello of a client", other)),
        Err(SignalingError::Silence(limit)) => Err(SignalingError::NoHello(limit)),
        Err(error) => Err(error),
    }
}
