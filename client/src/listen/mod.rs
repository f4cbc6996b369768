//! The client listens, and servers call it (`server --dial`): several at a time, each in a session of its own.
//!
//! `greet` finds out who calls and opens the link. `page` is what a browser is shown, which sends its camera. The sessions
//! share the workers in [`Turns`], and are spread over the threads of [`Shards`]. A caller that fails is logged in one line
//! and does not affect the others.

mod greet;
mod page;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use shared::door::lines::SignalingError;
use shared::door::listen::{accept, cannot_listen, listen};
use shared::door::strangers::Strangers;
use shared::link::Link;
use shared::link::webrtc::HandshakeError;
use shared::shell::descriptors::with_advice;
use shared::shell::exit::Exit;
use shared::shell::log::SESSIONS_AT_ONCE;
use shared::shell::shards::Shards;
use shared::shell::stop::Stop;
use shared::shell::token_file::warn_if_exposed;
use shared::shell::wait::Wait;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::sleep;
use tracing::{error, info, warn};

use self::greet::Guest;
use crate::commands::Commands;
use crate::config::Config;
use crate::run::run_in_turns;
use crate::session::End;
use crate::tally::Tally;
use crate::verdict::{SessionError, failure};
use crate::view::Views;
use crate::workers::Turns;

/// Maximum number of sessions at a time. Each has a thread and a pipeline for each worker, a WebRTC peer, and memory
/// for its frames.
const MAX_SOURCES: usize = 16;

/// Pause after a failed accept (for example without free descriptors), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where and how long a client listens.
#[derive(Clone, Debug)]
pub struct Listening {
    /// HOST:PORT.
    pub address: String,
    /// Whether to end after one session.
    pub once: bool,
    /// How long to wait for the first session to begin.
    pub wait: Wait,
}

/// What all sessions share.
struct Desk {
    config: Config,
    is_once: bool,
    views: Box<dyn Views>,
    stop: Stop,
    places: Arc<Semaphore>,
    strangers: Strangers,
    turns: Turns,
    /// Number of links that have opened. A session may begin on each.
    opened: AtomicU64,
    /// The numbers of those whose visit the loop has not counted yet.
    open: Mutex<BTreeSet<u64>>,
}

/// The result of listening.
struct Outcome {
    /// The exit code for all sessions together, see [`Exit::of`].
    exit: Exit,
    /// The session that ended last, or what was wrong with it.
    last: Option<Result<(End, Tally), SessionError>>,
}

/// Listens, and answers the frames of every server that calls, until told to stop or, with `once`, until one session is
/// over. `config` says how frames are processed. Returns the exit code for all sessions together.
pub async fn serve(listening: &Listening, config: Config, views: Box<dyn Views>, stop: Stop) -> Exit {
    match sessions(listening, config, views, stop).await {
        Ok(Outcome { exit, .. }) => exit,
        Err(wrong) => {
            error!("{wrong}");
            wrong.exit()
        }
    }
}

/// Listens until one session is over. Returns why it ended, and the counts.
///
/// # Errors
/// [`SessionError`] if there was no session.
pub async fn one_session(
    address: String,
    wait: Wait,
    config: Config,
    views: Box<dyn Views>,
    stop: Stop,
) -> Result<(End, Tally), SessionError> {
    let listening = Listening { address, once: true, wait };
    sessions(&listening, config, views, stop).await?.last.unwrap_or(Err(SessionError::StoppedEarly))
}

async fn sessions(
    listening: &Listening,
    config: Config,
    views: Box<dyn Views>,
    stop: Stop,
) -> Result<Outcome, SessionError> {
    let Listening { address, once, .. } = listening;
    let listeners = listen(address).await.map_err(|refused| {
        let (wrong, exit) = cannot_listen(address, &refused, "client");
        SessionError::CannotListen { wrong, exit }
    })?;
    let addresses: io::Result<Vec<_>> = listeners.iter().map(TcpListener::local_addr).collect();
    warn_if_exposed(&config.admission, &addresses?);
    let places = Arc::new(Semaphore::new(if *once { 1 } else { MAX_SOURCES }));
    let turns = Turns::new(config.workers.get());
    let (strangers, opened, open) = (Strangers::default(), AtomicU64::new(0), Mutex::default());
    let desk = Arc::new(Desk { config, is_once: *once, views, stop, places, strangers, turns, opened, open });
    let outcome = accept_all(listeners, listening, &desk).await?;
    match outcome.last {
        None if listening.once => Err(SessionError::StoppedEarly),
        _ => Ok(outcome),
    }
}

/// Attends to every visitor on one of the threads, until told to stop or the only session is over.
async fn accept_all(
    mut listeners: Vec<TcpListener>,
    listening: &Listening,
    desk: &Arc<Desk>,
) -> Result<Outcome, SessionError> {
    let shards = Shards::start()?;
    let (done, mut ended) = mpsc::channel(MAX_SOURCES);
    let (mut visitors, mut outcome) = (0, Outcome { exit: Exit::Fine, last: None });
    info!("listening on {}", names(&listeners)?);
    let (mut stop, mut waited, mut over_after) = (desk.stop.clone(), pin!(over(listening.wait)), None);
    loop {
        // A link that was open then may still become the first session; a later one may not.
        if let Some((limit, last)) = over_after
            && outcome.last.is_none()
            && !desk.has_open_link_up_to(last)
        {
            return Err(SessionError::NobodyCalled(limit));
        }
        tokio::select! {
            accepted = accept(&mut listeners) => match accepted.and_then(|(stream, peer)| Ok((stream.into_std()?, peer))) {
                Ok((stream, peer)) => {
                    visitors += 1;
                    let (desk, done) = (desk.clone(), done.clone());
                    let attending = async move { desk.attend(stream, peer).await };
                    shards.spawn(attending, move |attended| async move {
                        // The channel is closed once the only session is over.
                        let _ = done.send((peer, attended.unwrap_or((None, Visit::Fault)))).await;
                    });
                }
                Err(error) => {
                    warn!("cannot accept a connection: {}", with_advice(&error));
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some((peer, (number, visit))) = ended.recv() => {
                visitors -= 1;
                desk.close(number);
                if outcome.add(peer, visit) && listening.once {
                    return Ok(outcome);
                }
            }
            limit = &mut waited, if over_after.is_none() => {
                over_after = Some((limit, desk.opened.load(Ordering::Acquire)));
            }
            () = stop.stopped() => break,
        }
    }
    // The same signal stops the sessions.
    while visitors > 0 {
        let Some((peer, (_, visit))) = ended.recv().await else { break };
        visitors -= 1;
        outcome.add(peer, visit);
    }
    Ok(outcome)
}

impl Outcome {
    /// Counts a visit. Returns whether it was a session.
    fn add(&mut self, peer: SocketAddr, visit: Visit) -> bool {
        let (exit, session) = match visit {
            Visit::NoLink => return false,
            Visit::Fault => {
                let wrong = SessionError::Fault;
                error!(kind = "fault", "{peer}: {wrong}");
                self.exit = Exit::of([self.exit, wrong.exit()]);
                return false;
            }
            Visit::NeverBegan => return false,
            Visit::Failed(wrong) => {
                error!(kind = "failed", burst = SESSIONS_AT_ONCE, "{peer}: {wrong}");
                (wrong.exit(), Err(wrong))
            }
            Visit::Session { exit, ended } => (exit, Ok(*ended)),
        };
        self.exit = Exit::of([self.exit, exit]);
        self.last = Some(session);
        true
    }
}

fn names(listeners: &[TcpListener]) -> io::Result<String> {
    let addresses: io::Result<Vec<_>> = listeners.iter().map(TcpListener::local_addr).collect();
    Ok(addresses?.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "))
}

/// Waits for the time `wait` and returns it. Never returns if `wait` is endless.
async fn over(wait: Wait) -> Duration {
    match wait {
        Wait::For(limit) => {
            sleep(limit).await;
            limit
        }
        Wait::Forever => std::future::pending().await,
    }
}

/// A visit that is over.
enum Visit {
    /// No link to the visitor opened.
    NoLink,
    /// What greeted the visitor panicked, before a link opened.
    Fault,
    /// The link broke before a session began on it: its server then calls again.
    NeverBegan,
    /// A session that could not be held to its end.
    Failed(SessionError),
    /// A session.
    Session {
        /// Its exit code.
        exit: Exit,
        /// Why it ended, and its counts.
        ended: Box<(End, Tally)>,
    },
}

impl Desk {
    /// Whether a link is open whose number is at most this.
    fn has_open_link_up_to(&self, last: u64) -> bool {
        self.open_links().first().is_some_and(|first| *first <= last)
    }

    /// Notes that a link's visit is over.
    fn close(&self, number: Option<u64>) {
        number.map(|number| self.open_links().remove(&number));
    }

    fn open_links(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a link that has opened, and returns its number.
    fn link_opened(&self) -> u64 {
        // A number is in the set before it is counted.
        let mut open = self.open_links();
        let number = 1 + self.opened.load(Ordering::Acquire);
        open.insert(number);
        self.opened.store(number, Ordering::Release);
        number
    }

    /// Attends to a visitor. Returns the number of its link, if one opened.
    async fn attend(&self, stream: std::net::TcpStream, peer: SocketAddr) -> (Option<u64>, Visit) {
        let mut stop = self.stop.clone();
        let greeted = tokio::select! {
            greeted = self.greet(stream) => greeted,
            () = stop.stopped() => return (None, Visit::NoLink),
        };
        match greeted {
            Ok(None) => {}
            Ok(Some(Guest { link, place })) => {
                let number = self.link_opened();
                // A session that a fault ended is over too. What it leaves half done is dropped with it.
                let session = AssertUnwindSafe(self.session(number, link, peer)).catch_unwind().await;
                drop(place);
                return (Some(number), session.unwrap_or(Visit::Failed(SessionError::Fault)));
            }
            // The visitor only checked whether the port is open.
            Err(HandshakeError::Signaling(SignalingError::Closed)) => {}
            Err(error) => warn!(kind = "visitor", "{peer}: {error}"),
        }
        (None, Visit::NoLink)
    }

    /// Runs a session and logs how it ended.
    async fn session(&self, number: u64, link: Link, peer: SocketAddr) -> Visit {
        info!(kind = "called", "session {number}: the server at {peer}");
        let mut view = self.views.of(number);
        let (turns, stop) = (Some(&self.turns), self.stop.clone());
        let (end, tally) = match run_in_turns(link, &self.config, turns, &mut *view, stop, &mut Commands::none()).await
        {
            Ok(ended) => ended,
            Err(wrong) => return Visit::Failed(wrong.into()),
        };
        view.ended(&tally);
        let (failed, burst) = (failure(&end, &tally), SESSIONS_AT_ONCE);
        match (&failed, &end) {
            (Some((_, wrong)), End::NeverBegan { .. }) => {
                warn!("session {number}: {wrong}");
                return Visit::NeverBegan;
            }
            (Some((_, wrong)), _) => error!(kind = "failed", burst, "session {number}: {wrong}"),
            (None, End::ServerLeft { reason }) => {
                info!(kind = "ended", burst, "session {number}: the server said bye: {reason}");
            }
            (None, _) => {}
        }
        let exit = failed.map_or(Exit::Fine, |(exit, _)| exit);
        Visit::Session { exit, ended: Box::new((end, tally)) }
    }
}
