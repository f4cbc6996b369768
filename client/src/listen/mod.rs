//! The client listens, and servers call it (`server --dial`): several at a time, each in a session of its own.
//!
//! `greet` finds out who calls and opens the link. `page` is what a browser is shown, which sends its camera. The sessions
//! share the workers in [`Turns`], and are spread over the threads of [`Shards`]. A caller that fails is logged in one line
//! and does not affect the others.

mod greet;
mod page;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

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
    /// How long to wait for the first session.
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
    /// Sessions whose link has opened.
    begun: AtomicU64,
}

/// The result of listening.
struct Outcome {
    /// The exit code for all sessions together, see [`Exit::of`].
    exit: Exit,
    /// The session that ended last.
    last: Option<(End, Tally)>,
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
    sessions(&listening, config, views, stop).await?.last.ok_or(SessionError::StoppedEarly)
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
    let (strangers, begun) = (Strangers::default(), AtomicU64::new(0));
    let desk = Arc::new(Desk { config, is_once: *once, views, stop, places, strangers, turns, begun });
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
    let (mut stop, mut waited, mut is_waiting) = (desk.stop.clone(), pin!(over(listening.wait)), true);
    loop {
        tokio::select! {
            accepted = accept(&mut listeners) => match accepted.and_then(|(stream, peer)| Ok((stream.into_std()?, peer))) {
                Ok((stream, peer)) => {
                    visitors += 1;
                    let (desk, done) = (desk.clone(), done.clone());
                    let attending = async move { desk.attend(stream, peer).await };
                    shards.spawn(attending, |attended| async move {
                        // The channel is closed once the only session is over. A panic was logged.
                        let _ = done.send(attended.flatten()).await;
                    });
                }
                Err(error) => {
                    warn!("cannot accept a connection: {}", with_advice(&error));
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(visit) = ended.recv() => {
                visitors -= 1;
                if outcome.add(visit) && listening.once {
                    return Ok(outcome);
                }
            }
            limit = &mut waited, if is_waiting => {
                is_waiting = false;
                if desk.begun.load(Ordering::Relaxed) == 0 {
                    return Err(SessionError::NobodyCalled(limit));
                }
            }
            () = stop.stopped() => break,
        }
    }
    // The same signal stops the sessions.
    while visitors > 0 {
        let Some(visit) = ended.recv().await else { break };
        visitors -= 1;
        outcome.add(visit);
    }
    Ok(outcome)
}

impl Outcome {
    /// Counts a visit. Returns whether it was a session.
    fn add(&mut self, visit: Option<Session>) -> bool {
        let Some(Session { exit, ended }) = visit else { return false };
        self.exit = Exit::of([self.exit, exit]);
        self.last = ended.or(self.last.take());
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

/// A session that is over.
struct Session {
    exit: Exit,
    /// `None` if its workers could not be started.
    ended: Option<(End, Tally)>,
}

impl Desk {
    /// Attends to a visitor. Returns its session; `None` if it had none.
    async fn attend(&self, stream: std::net::TcpStream, peer: SocketAddr) -> Option<Session> {
        let mut stop = self.stop.clone();
        let greeted = tokio::select! {
            greeted = self.greet(stream) => greeted,
            () = stop.stopped() => return None,
        };
        match greeted {
            Ok(None) => None,
            Ok(Some(Guest { link, place })) => {
                let session = self.session(link, peer).await;
                drop(place);
                session
            }
            // The visitor only checked whether the port is open.
            Err(HandshakeError::Signaling(SignalingError::Closed)) => None,
            Err(error) => {
                warn!(kind = "visitor", "{peer}: {error}");
                None
            }
        }
    }

    /// Runs a session and logs how it ended. `None` if it never began: its server then calls again.
    async fn session(&self, link: Link, peer: SocketAddr) -> Option<Session> {
        let number = 1 + self.begun.fetch_add(1, Ordering::Relaxed);
        info!(kind = "called", "session {number}: the server at {peer}");
        let mut view = self.views.of(number);
        let (turns, stop) = (Some(&self.turns), self.stop.clone());
        let (end, tally) = match run_in_turns(link, &self.config, turns, &mut *view, stop, &mut Commands::none()).await
        {
            Ok(ended) => ended,
            Err(wrong) => {
                error!("session {number}: {wrong}");
                return Some(Session { exit: Exit::Other, ended: None });
            }
        };
        view.ended(&tally);
        let (failed, burst) = (failure(&end, &tally), SESSIONS_AT_ONCE);
        match (&failed, &end) {
            (Some((_, wrong)), End::NeverBegan { .. }) => {
                warn!("session {number}: {wrong}");
                return None;
            }
            (Some((_, wrong)), _) => error!(kind = "failed", burst, "session {number}: {wrong}"),
            (None, End::ServerLeft { reason }) => {
                info!(kind = "ended", burst, "session {number}: the server said bye: {reason}");
            }
            (None, _) => {}
        }
        let exit = failed.map_or(Exit::Fine, |(exit, _)| exit);
        Some(Session { exit, ended: Some((end, tally)) })
    }
}
