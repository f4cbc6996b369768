//! Serving: accepts clients and runs a session with each of them, all concurrently.
//!
//! Peers arrive through an [`Entrance`]. `greet` finds out who a client is and opens a link to it, if it is welcome: if
//! one of the `places` is free and the `limits` allow it. `over_grpc` does so for calls. `http` answers monitors, and
//! `browser` shows its page. `stream` drives the session. A failure of one client is logged in one line and does not
//! affect the others. [`call()`] serves one client that listens, which the server calls.

mod browser;
mod call;
mod config;
mod entrance;
mod greet;
mod greeter;
mod http;
mod limits;
mod over_grpc;
mod places;
mod stream;
mod welcome;

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shared::door::lines::SignalingError;
use shared::door::strangers::Strangers;
use shared::link::webrtc::HandshakeError;
use shared::protocol::encoding::StreamEncoding;
use shared::shell::descriptors::with_advice;
use shared::shell::log::SESSIONS_AT_ONCE;
use shared::shell::shards::Shards;
use shared::shell::stop::Stop;
use shared::shell::wait::Wait;
use shared::time::{Micros, MonotonicClock};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tracing::{info, warn};

pub use self::call::call;
pub use self::config::ServeConfig;
pub use self::entrance::Entrance;
pub use self::limits::Limits;

use self::entrance::Arrival;
use self::greeter::{Greeter, Guest};
use self::http::Requests;
use self::limits::Visits;
use self::places::Places;
use crate::output::report::SessionReport;
use crate::output::{Event, Outputs};
use crate::session::{End, SessionConfig};

/// Pause after a failed accept (for example without free descriptors), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a server that ends leaves open pages to show the last figures, which they get within a tenth of a second.
const LAST_FIGURES: Duration = Duration::from_millis(200);

/// Capacity of the queue of ended connections that wait to be counted.
const FINISHED: usize = 256;

/// The result of serving.
#[derive(Clone, Debug)]
pub struct Served {
    /// Why serving ended.
    pub ended: Ended,
    /// Number of sessions whose client said hello.
    pub sessions: u64,
    /// Number of sessions whose source failed.
    pub source_failures: u64,
    /// Connections that a fault of this program ended. Their sessions, if they led to any, are in no output.
    pub faults: u64,
}

/// Why serving ended.
#[derive(Clone, Debug)]
pub enum Ended {
    /// The server was told to stop.
    Stopped,
    /// No client said hello within this time.
    NobodyCame(Duration),
    /// The one session was served.
    Once(Box<SessionReport>),
    /// A fault of this program ended the one session after it had begun.
    Lost,
    /// The client that the server called was not reached, or no link to it opened.
    NotReached(String),
}

/// State that all sessions share.
struct Server {
    config: ServeConfig,
    outputs: Outputs,
    clock: MonotonicClock,
    stop: Stop,
    places: Places,
    strangers: Strangers,
    requests: Requests,
    /// Connections that have not sent a request yet.
    waiting: Strangers,
    visits: Visits,
    sessions: AtomicU64,
    finished: mpsc::Sender<Finished>,
}

/// The end of a connection.
enum Finished {
    /// The connection led to no session.
    NoSession,
    /// What served the connection panicked.
    Fault,
    /// The connection led to a session. Its ends may or may not have said hello.
    Session(Box<SessionReport>),
}

/// Serves until told to stop, until the only client has been served, or until the wait for the first client times out.
pub async fn serve(
    mut entrance: Entrance,
    config: ServeConfig,
    outputs: Outputs,
    mut stop: Stop,
) -> io::Result<Served> {
    let shards = Shards::start()?;
    let (finished, mut reports) = mpsc::channel(FINISHED);
    let clock = MonotonicClock::start();
    let wait = config.wait;
    let server = Arc::new(Server::new(config, outputs, clock, stop.clone(), finished));
    let mut served = Served { ended: Ended::Stopped, sessions: 0, source_failures: 0, faults: 0 };
    let mut waited = pin!(over(wait));
    let mut is_waiting = true;
    loop {
        tokio::select! {
            arrived = entrance.next() => match arrived {
                Ok(arrival) => server.clone().accepted(&shards, arrival),
                Err(error) => {
                    warn!("cannot accept a connection: {}", with_advice(&error));
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(finished) = reports.recv() => {
                if let Some(ended) = server.conclude(finished, &mut served) {
                    server.show_last_figures().await;
                    return Ok(Served { ended, ..served });
                }
            }
            limit = &mut waited, if is_waiting => {
                is_waiting = false;
                if !server.places.has_begun() {
                    return Ok(Served { ended: Ended::NobodyCame(limit), ..served });
                }
            }
            () = stop.stopped() => break,
        }
    }
    // The same signal stops the sessions; each reports within its limits.
    while server.places.has_visitors() {
        let Some(finished) = reports.recv().await else { break };
        server.conclude(finished, &mut served);
    }
    server.show_last_figures().await;
    Ok(served)
}

/// Waits until `wait` is over and returns its length; never returns if it has no end.
async fn over(wait: Wait) -> Duration {
    match wait {
        Wait::For(limit) => {
            sleep(limit).await;
            limit
        }
        Wait::Forever => std::future::pending().await,
    }
}

impl Server {
    fn new(
        config: ServeConfig,
        outputs: Outputs,
        clock: MonotonicClock,
        stop: Stop,
        finished: mpsc::Sender<Finished>,
    ) -> Self {
        let limits = &config.limits;
        let places = Places::new(config.once, limits.max_sessions);
        let (strangers, waiting) = (Strangers::at_most(limits.max_offers), Strangers::at_most(limits.max_waiting));
        let (visits, requests, sessions) = (Visits::new(limits), Requests::default(), AtomicU64::new(0));
        Self { config, outputs, clock, stop, places, strangers, waiting, visits, requests, sessions, finished }
    }

    fn greeter(&self) -> Greeter<'_> {
        let Self { config, places, strangers, waiting, visits, requests, .. } = self;
        Greeter { config, places, strangers, waiting, visits, requests }
    }

    /// Hands a new peer to one of the threads.
    fn accepted(self: Arc<Self>, shards: &Shards, arrival: Arrival) {
        let accepted = self.clock.now();
        self.places.come();
        let finished = self.finished.clone();
        let attending = async move { self.attend(arrival, accepted).await };
        shards.spawn(attending, |attended| async move {
            // The receiver outlives every session. A panic was logged.
            let _ = finished.send(attended.unwrap_or(Finished::Fault)).await;
        });
    }

    async fn attend(&self, arrival: Arrival, accepted: Micros) -> Finished {
        let mut stop = self.stop.clone();
        let address = arrival.address();
        let greeter = self.greeter();
        let greeted = tokio::select! {
            greeted = greeter.greet_in_time(arrival) => greeted,
            () = stop.stopped() => return Finished::NoSession,
        };
        match greeted {
            Ok(Some(guest)) => Finished::Session(Box::new(self.session(guest, accepted, false, stop).await)),
            Ok(None) => Finished::NoSession,
            Err(error) => {
                warn!(kind = kind(&error), "{address}: {error}");
                Finished::NoSession
            }
        }
    }

    /// Runs a session with a client that has a link, and tells the outputs how it ended.
    async fn session(&self, guest: Guest, accepted: Micros, dialled: bool, stop: Stop) -> SessionReport {
        let Guest { link, place, features, kind, address } = guest;
        let number = 1 + self.sessions.fetch_add(1, Ordering::Relaxed);
        let encoding = self.encoding_for(&features, number);
        let session = SessionConfig { number, encoding, ..self.config.session.clone() };
        let stopper = self.config.stopper.clone();
        let client = stream::Client { link, kind, address, dialled, accepted, place, stopper };
        let report = stream::stream(client, session, &self.config, &self.outputs, self.clock, stop).await;
        let mut report = report.asked_for(self.config.session.encoding);
        self.config.judge.judge(&mut report);
        self.config.metrics.ended(&report.end, report.connect_us.is_some());
        self.config.metrics.judged(&self.config.judge.verdicts());
        self.outputs.tell_surely(Event::Ended(Box::new(report.clone()))).await;
        report
    }

    /// The configured encoding, or raw for a client that cannot read it. A client that measures its own pipeline should
    /// be served, not rejected because of a server option.
    fn encoding_for(&self, features: &[String], session: u64) -> StreamEncoding {
        let asked = self.config.session.encoding;
        let encoding = readable(asked, features);
        // `auto` asks for nothing: raw is one of its choices.
        if let Some(feature) = asked.feature().filter(|_| encoding != asked && asked != StreamEncoding::Auto) {
            warn!(
                "session {session}: the client does not say that it reads {asked} (feature \"{feature}\"): its frames are raw"
            );
        }
        encoding
    }

    /// Waits a moment if pages are open.
    async fn show_last_figures(&self) {
        if self.config.pages.watched().is_open() {
            sleep(LAST_FIGURES).await;
        }
    }

    /// Counts a visitor that left. Returns the end of serving if its session was the only one to serve.
    fn conclude(&self, finished: Finished, served: &mut Served) -> Option<Ended> {
        self.places.leave();
        let report = match finished {
            Finished::Session(report) => report,
            Finished::NoSession => return None,
            Finished::Fault => {
                served.faults += 1;
                return self.places.has_lost_the_only_session().then_some(Ended::Lost);
            }
        };
        let was_greeted = served.add(&report);
        // A source that failed in one session, or could not be opened, fails in the next too.
        let source_failed = matches!(report.end, End::SourceFailed { .. });
        (self.config.once && (was_greeted || source_failed)).then_some(Ended::Once(report))
    }
}

impl Served {
    /// Logs and counts a session. Returns whether its client said hello and could do the task.
    fn add(&mut self, report: &SessionReport) -> bool {
        let was_greeted = report.connect_us.is_some() && !matches!(report.end, End::Rejected { .. });
        if was_greeted {
            let burst = SESSIONS_AT_ONCE;
            info!(kind = "ended", burst, "session {}: {}", report.session, report.end.describe());
        } else {
            // Anybody can cause these by the thousand.
            info!(kind = "unbegun", "session {}: {}", report.session, report.end.describe());
        }
        self.sessions += u64::from(was_greeted);
        self.source_failures += u64::from(matches!(report.end, End::SourceFailed { .. }));
        was_greeted
    }
}

/// The kind of a failure. Each kind is logged at most once per second.
fn kind(error: &HandshakeError) -> &'static str {
    match error {
        HandshakeError::Signaling(SignalingError::Silence(_)) => "silence",
        HandshakeError::Signaling(SignalingError::Io(_) | SignalingError::Closed) => "connection",
        HandshakeError::Signaling(SignalingError::NotAdmitted(_)) => "admission",
        HandshakeError::Signaling(SignalingError::Tls(_)) => "tls",
        HandshakeError::Signaling(_) => "signaling",
        HandshakeError::Open(_) => "opening",
    }
}

/// The configured encoding if a client with these features can read it, else one that it can read.
fn readable(asked: StreamEncoding, features: &[String]) -> StreamEncoding {
    let can_read = asked.feature().is_none_or(|asked| features.iter().any(|feature| feature == asked));
    if can_read { asked } else { StreamEncoding::Raw }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_clients_that_name_an_encoding_get_it() {
        let says = |features: &[&str]| features.iter().map(|&feature| feature.into()).collect::<Vec<String>>();
        for (asked, feature) in [("raw", ""), ("lz4", "lz4"), ("auto", "lz4"), ("png", "png"), ("jpeg:90", "jpeg")] {
            let asked = asked.parse().unwrap();
            assert_eq!(readable(asked, &says(&["tea", feature])), asked);
            for others in [&["tea", "gray16"][..], &[]] {
                assert_eq!(readable(asked, &says(others)), StreamEncoding::Raw, "{asked}");
            }
        }
    }
}
