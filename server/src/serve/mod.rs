//! Serving: accepts clients and runs a session with each, all at the same time.
//!
//! Peers come by an [`Entrance`], its port opened by [`listen()`]. `greet` finds out who a client is and opens a link to it, if there is one of the `places`
//! for it; `stream` drives its session; `shards` are the threads that sessions are spread over. What fails for one client is logged in one line and costs the others nothing.

mod config;
mod entrance;
mod greet;
mod listen;
mod places;
mod shards;
mod stream;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shared::protocol::encoding::{LZ4_FEATURE, StreamEncoding};
use shared::shell::stop::Stop;
use shared::time::{Micros, MonotonicClock};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tracing::{info, warn};

pub use self::config::ServeConfig;
pub use self::entrance::Entrance;
pub use self::listen::listen;

use self::entrance::Arrival;
use self::greet::{Greeter, Guest};
use self::places::{MAX_CLIENTS, OnlyPlace, Places};
use self::shards::Shards;
use crate::output::report::SessionReport;
use crate::output::{Event, Outputs};
use crate::session::{End, SessionConfig};

/// After an accept that failed (no descriptors left, say), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

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
    outputs: Outputs,
    clock: MonotonicClock,
    stop: Stop,
    places: Places,
    sessions: AtomicU64,
    finished: mpsc::Sender<Finished>,
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
    mut entrance: Entrance,
    config: ServeConfig,
    outputs: Outputs,
    mut stop: Stop,
) -> io::Result<Served> {
    let shards = Shards::start()?;
    let (finished, mut reports) = mpsc::channel(MAX_CLIENTS);
    let clock = MonotonicClock::start();
    let (places, sessions) = (Places::new(config.once), AtomicU64::new(0));
    let server = Arc::new(Server { config, outputs, clock, stop: stop.clone(), places, sessions, finished });
    loop {
        tokio::select! {
            arrived = entrance.next() => match arrived {
                Ok(arrival) => server.clone().accepted(&shards, arrival),
                Err(error) => {
                    warn!("cannot accept a connection: {error}");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(finished) = reports.recv() => {
                if let Some(end) = server.conclude(finished) {
                    return Ok(Served::Once(end));
                }
            }
            () = stop.stopped() => break,
        }
    }
    // Sessions were told by the same signal; each reports within its limits.
    while server.places.has_visitors() {
        let Some(finished) = reports.recv().await else { break };
        server.conclude(finished);
    }
    Ok(Served::Stopped)
}

impl Server {
    /// Hands a peer to a thread of its own kind.
    fn accepted(self: Arc<Self>, shards: &Shards, arrival: Arrival) {
        let accepted = self.clock.now();
        let others = self.places.come();
        shards.spawn(async move {
            let finished = self.attend(arrival, accepted, others).await;
            // The receiver outlives every session.
            let _ = self.finished.send(finished).await;
        });
    }

    async fn attend(&self, arrival: Arrival, accepted: Micros, others: usize) -> Finished {
        let mut stop = self.stop.clone();
        let address = arrival.address();
        let greeter = Greeter { config: &self.config, places: &self.places };
        let greeted = tokio::select! {
            greeted = greeter.greet(arrival, others) => greeted,
            () = stop.stopped() => return Finished::NoSession,
        };
        match greeted {
            Ok(Some(Guest { link, place, features })) => {
                let number = 1 + self.sessions.fetch_add(1, Ordering::Relaxed);
                let encoding = self.encoding_for(&features, number);
                let session = SessionConfig { number, encoding, ..self.config.session.clone() };
                let client = stream::Client { link, address, accepted };
                let report =
                    stream::stream(client, session, &*self.config.supply, &self.outputs, self.clock, stop).await;
                self.outputs.tell_surely(Event::Ended(Box::new(report.clone()))).await;
                Finished::Session(Box::new(report), place)
            }
            Ok(None) => Finished::NoSession,
            Err(error) => {
                warn!("{address}: {error}");
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

    /// Lets go of a session's place; how it ended, if it was the one to serve.
    fn conclude(&self, finished: Finished) -> Option<End> {
        self.places.leave();
        let Finished::Session(report, _place) = finished else { return None };
        info!("session {}: {}", report.session, report.end.describe());
        let counts = report.connect_us.is_some();
        (self.config.once && counts).then_some(report.end)
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
