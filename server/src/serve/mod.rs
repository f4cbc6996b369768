//! Serving: accepts clients and runs a session with each, all at the same time.
//!
//! `greet` finds out who a client is and opens a link to it, `stream` drives its session, `shards` are the threads
//! that sessions are spread over. What fails for one client is logged in one line and costs the others nothing.

mod greet;
mod room;
mod shards;
mod stream;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use shared::door::discovery::Identity;
use shared::protocol::encoding::{LZ4_FEATURE, StreamEncoding};
use shared::shell::stop::Stop;
use shared::time::MonotonicClock;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::report::{ReportError, Reporter, SessionReport};
use crate::serve::greet::Guest;
use crate::serve::shards::Shards;
use crate::session::{End, SessionConfig};
use crate::source::BallScene;
use crate::view::View;

/// Clients at a time; more are told that the server is full. A client costs a few of its frames, up to 3 MiB of send
/// buffers, 2 of messages' memory, 4 of answers in pieces, 8 of socket buffers for each of its one or two sockets, and 1 of
/// histogram (15 with errors over a quarter pixel): the README has the sum.
const MAX_CLIENTS: usize = 256;

/// After an accept that failed (no descriptors left, say), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What is served, and how.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// What is to be seen.
    pub scene: BallScene,
    /// The sessions' limits; `number` is set for each.
    pub session: SessionConfig,
    /// End after one session in which both ends said hello.
    pub once: bool,
    /// Who this server is, for whoever asks.
    pub identity: Identity,
    /// The address to offer instead of the bound one.
    pub advertise: Option<IpAddr>,
    /// UDP ports for the links.
    pub udp_ports: Option<RangeInclusive<u16>>,
    /// The largest SCTP packet, in bytes; by peer and path when absent.
    pub sctp_mtu: Option<u32>,
}

/// Why serving ended early.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Threads could not be started.
    #[error("cannot start a thread: {0}")]
    Threads(#[from] io::Error),
    /// The report could not be written.
    #[error(transparent)]
    Report(#[from] ReportError),
}

/// How serving ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Served {
    /// The server was told to stop.
    Stopped,
    /// The one session was served.
    Once(End),
}

/// What all sessions share.
struct Server {
    config: ServeConfig,
    view: Arc<dyn View>,
    clock: MonotonicClock,
    stop: Stop,
    clients: AtomicUsize,
    sessions: AtomicU64,
    taken: Arc<AtomicBool>,
    finished: mpsc::Sender<Finished>,
}

/// The only place of a server that serves one client; free again when dropped.
struct OnlyPlace(Arc<AtomicBool>);

impl Drop for OnlyPlace {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Why a client is not served.
#[derive(Debug, Error)]
enum Refusal {
    #[error("this server is full: {MAX_CLIENTS} clients")]
    Full,
    #[error("this server serves one client (--once), which is here already")]
    Taken,
}

/// A connection is done with.
enum Finished {
    /// No session came of it.
    NoSession,
    /// A session, in which both ends may have said hello, and the place it took.
    Session(Box<SessionReport>, Option<OnlyPlace>),
}

/// Serves until told to stop, or until the one client is served.
pub async fn serve(
    listener: TcpListener,
    config: ServeConfig,
    view: Arc<dyn View>,
    reporter: &mut Reporter,
    mut stop: Stop,
) -> Result<Served, ServeError> {
    let shards = Shards::start()?;
    let (finished, mut reports) = mpsc::channel(MAX_CLIENTS);
    let clock = MonotonicClock::start();
    let (clients, sessions) = (AtomicUsize::new(0), AtomicU64::new(0));
    let taken = Arc::default();
    let server = Arc::new(Server { config, view, clock, stop: stop.clone(), clients, sessions, taken, finished });
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => server.clone().accepted(&shards, stream, peer),
                Err(error) => {
                    warn!("cannot accept a connection: {error}");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(finished) = reports.recv() => {
                if let Some(end) = server.conclude(finished, reporter)? {
                    return Ok(Served::Once(end));
                }
            }
            () = stop.stopped() => break,
        }
    }
    // Sessions were told by the same signal; each reports within its limits.
    while server.clients.load(Ordering::Acquire) > 0 {
        let Some(finished) = reports.recv().await else { break };
        server.conclude(finished, reporter)?;
    }
    Ok(Served::Stopped)
}

impl Server {
    /// Hands a connection to a thread of its own kind.
    fn accepted(self: Arc<Self>, shards: &Shards, stream: TcpStream, peer: SocketAddr) {
        let accepted = self.clock.now();
        let stream = match stream.into_std() {
            Ok(stream) => stream,
            Err(error) => return warn!("{peer}: {error}"),
        };
        let others = self.clients.fetch_add(1, Ordering::AcqRel);
        shards.spawn(async move {
            let finished = match TcpStream::from_std(stream) {
                Ok(stream) => self.attend(stream, peer, accepted, others).await,
                Err(error) => {
                    warn!("{peer}: {error}");
                    Finished::NoSession
                }
            };
            // The receiver outlives every session.
            let _ = self.finished.send(finished).await;
        });
    }

    /// Whether a visitor that finds this many others may have a link at all.
    fn admit(others: usize) -> Result<(), Refusal> {
        if others < MAX_CLIENTS { Ok(()) } else { Err(Refusal::Full) }
    }

    /// A place for a client: the only one where one client is served.
    fn place(&self) -> Result<Option<OnlyPlace>, Refusal> {
        match self.config.once {
            true if self.taken.swap(true, Ordering::AcqRel) => Err(Refusal::Taken),
            true => Ok(Some(OnlyPlace(self.taken.clone()))),
            false => Ok(None),
        }
    }

    async fn attend(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        accepted: shared::time::Micros,
        others: usize,
    ) -> Finished {
        let mut stop = self.stop.clone();
        let greeted = tokio::select! {
            greeted = self.greet(stream, peer, others) => greeted,
            () = stop.stopped() => return Finished::NoSession,
        };
        match greeted {
            Ok(Some(Guest { link, signaling, place, features })) => {
                let number = 1 + self.sessions.fetch_add(1, Ordering::Relaxed);
                let encoding = self.encoding_for(&features, number);
                let session = SessionConfig { number, encoding, ..self.config.session.clone() };
                let address = peer.to_string();
                let client = stream::Client { link, signaling, address, accepted };
                let report = stream::stream(client, session, &self.config.scene, &*self.view, self.clock, stop).await;
                self.view.ended(&report);
                Finished::Session(Box::new(report), place)
            }
            Ok(None) => Finished::NoSession,
            Err(error) => {
                warn!("{peer}: {error}");
                Finished::NoSession
            }
        }
    }

    /// The encoding asked for, or raw for a client that reads nothing else: whoever measures its own pipeline shall be
    /// served, not sent away for an option of the server's.
    fn encoding_for(&self, features: &[String], session: u64) -> StreamEncoding {
        let asked = self.config.session.encoding;
        let encoding = readable(asked, features);
        if encoding != asked && asked == StreamEncoding::Lz4 {
            warn!(
                "session {session}: the client does not say that it reads LZ4 (feature \"{LZ4_FEATURE}\"): its frames are raw"
            );
        }
        encoding
    }

    /// Keeps a session's report; how it ended, if it was the one to serve.
    fn conclude(&self, finished: Finished, reporter: &mut Reporter) -> Result<Option<End>, ReportError> {
        self.clients.fetch_sub(1, Ordering::AcqRel);
        let Finished::Session(report, _place) = finished else { return Ok(None) };
        info!("session {}: {}", report.session, report.end.describe());
        let end = report.end.clone();
        let counts = report.connect_us.is_some();
        reporter.add(*report)?;
        Ok((self.config.once && counts).then_some(end))
    }
}

/// What a client of these features can read of the encoding asked for.
fn readable(asked: StreamEncoding, features: &[String]) -> StreamEncoding {
    match features.iter().any(|feature| feature == LZ4_FEATURE) {
        true => asked,
        false => StreamEncoding::Raw,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lz4_goes_to_those_who_said_that_they_read_it() {
        let says = |features: &[&str]| features.iter().map(|&feature| feature.into()).collect::<Vec<String>>();
        for asked in [StreamEncoding::Raw, StreamEncoding::Lz4, StreamEncoding::Auto] {
            assert_eq!(readable(asked, &says(&["tea", "lz4"])), asked);
            assert_eq!(readable(asked, &says(&["tea"])), StreamEncoding::Raw);
            assert_eq!(readable(asked, &[]), StreamEncoding::Raw);
        }
    }
}
