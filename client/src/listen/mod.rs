//! The client listens, and servers call it (`server --dial`): several at a time, each in a session of its own.
//!
//! `greet` finds out who calls and opens the link. The sessions share the workers in [`Turns`], and are spread over the
//! threads of [`Shards`]. A caller that fails is logged in one line and does not affect the others.

mod greet;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shared::door::listen::{accept, cannot_listen, listen};
use shared::door::strangers::Strangers;
use shared::link::Link;
use shared::shell::descriptors::with_advice;
use shared::shell::exit::Exit;
use shared::shell::shards::Shards;
use shared::shell::stop::Stop;
use shared::shell::wait::Wait;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::sleep;
use tracing::{error, info, warn};

use self::greet::Guest;
use crate::config::Config;
use crate::run;
use crate::session::End;
use crate::verdict::failure;
use crate::view::Views;
use crate::workers::{PoolError, Turns};

/// Most sessions at a time. Each has a thread and a pipeline for each worker, a WebRTC peer, and memory for its frames.
const MAX_SOURCES: usize = 16;

/// Pause after a failed accept (no descriptors left, for example), so that the loop does not spin.
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
    sessions: AtomicU64,
}

/// Listens, and answers the frames of every source that calls, until told to stop or, with `once`, until one session is
/// over. `config` says how frames are processed. Returns the most telling exit code of all sessions.
pub async fn serve(listening: &Listening, config: Config, views: Box<dyn Views>, stop: Stop) -> Exit {
    let Listening { address, once, .. } = listening;
    let listeners = match listen(address).await {
        Ok(listeners) => listeners,
        Err(refused) => {
            let (wrong, exit) = cannot_listen(address, &refused, "client");
            error!("{wrong}");
            return exit;
        }
    };
    let places = Arc::new(Semaphore::new(if *once { 1 } else { MAX_SOURCES }));
    let turns = Turns::new(config.workers.get());
    let (strangers, sessions) = (Strangers::default(), AtomicU64::new(0));
    let desk = Desk { config, is_once: *once, views, stop, places, strangers, turns, sessions };
    match accept_all(listeners, listening, Arc::new(desk)).await {
        Ok(exit) => exit,
        Err(wrong) => {
            error!("cannot listen: {}", with_advice(&wrong));
            Exit::Other
        }
    }
}

async fn accept_all(mut listeners: Vec<TcpListener>, listening: &Listening, desk: Arc<Desk>) -> io::Result<Exit> {
    let shards = Shards::start()?;
    let (done, mut ended) = mpsc::channel(MAX_SOURCES);
    let (mut visitors, mut worst, mut stop) = (0, Exit::Fine, desk.stop.clone());
    info!("listening on {}", names(&listeners)?);
    let mut waited = pin!(over(listening.wait));
    let mut is_waiting = true;
    loop {
        tokio::select! {
            accepted = accept(&mut listeners) => match accepted.and_then(|(stream, peer)| Ok((stream.into_std()?, peer))) {
                Ok((stream, peer)) => {
                    visitors += 1;
                    let (desk, done) = (desk.clone(), done.clone());
                    shards.spawn(async move {
                        // The receiver outlives every visit.
                        let _ = done.send(desk.attend(stream, peer).await).await;
                    });
                }
                Err(error) => {
                    warn!("cannot accept a connection: {}", with_advice(&error));
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(session) = ended.recv() => {
                visitors -= 1;
                if let Some(exit) = session {
                    worst = Exit::of([worst, exit]);
                    if listening.once {
                        return Ok(worst);
                    }
                }
            }
            limit = &mut waited, if is_waiting => {
                is_waiting = false;
                if desk.sessions.load(Ordering::Relaxed) == 0 {
                    error!("no server called within {} (--wait)", humantime::format_duration(limit));
                    return Ok(Exit::NoPeer);
                }
            }
            () = stop.stopped() => break,
        }
    }
    // The same signal stops the sessions.
    while visitors > 0 {
        let Some(session) = ended.recv().await else { break };
        visitors -= 1;
        worst = Exit::of(session.into_iter().chain([worst]));
    }
    if listening.once && desk.sessions.load(Ordering::Relaxed) == 0 {
        error!("stopped before there was a session");
        return Ok(Exit::NoPeer);
    }
    Ok(worst)
}

fn names(listeners: &[TcpListener]) -> io::Result<String> {
    let addresses: io::Result<Vec<_>> = listeners.iter().map(TcpListener::local_addr).collect();
    Ok(addresses?.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "))
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

impl Desk {
    /// Attends to a visitor. Returns the exit code of its session; `None` if it had none.
    async fn attend(&self, stream: std::net::TcpStream, peer: SocketAddr) -> Option<Exit> {
        let mut stop = self.stop.clone();
        let greeted = tokio::select! {
            greeted = self.greet(stream) => greeted,
            () = stop.stopped() => return None,
        };
        match greeted {
            Ok(Guest { link, place }) => {
                let exit = self.session(link, peer).await;
                drop(place);
                exit
            }
            Err(error) => {
                warn!(kind = "visitor", "{peer}: {error}");
                None
            }
        }
    }

    /// Runs a session and logs how it ended. `None` if it never began: its server then calls again.
    async fn session(&self, link: Link, peer: SocketAddr) -> Option<Exit> {
        let number = 1 + self.sessions.fetch_add(1, Ordering::Relaxed);
        info!("session {number}: the server at {peer}");
        let mut view = self.views.of(number);
        let ran = run::run(link, &self.config, Some(&self.turns), &mut *view, self.stop.clone()).await;
        let (end, tally) = match ran {
            Ok(ended) => ended,
            Err(wrong) => return Some(unable(number, &wrong)),
        };
        view.ended(&tally);
        if let Some((exit, wrong)) = failure(&end, &tally) {
            error!("session {number}: {wrong}");
            return (!matches!(end, End::NeverBegan { .. })).then_some(exit);
        }
        if let End::ServerLeft { reason } = end {
            info!("session {number}: the server said bye: {reason}");
        }
        Some(Exit::Fine)
    }
}

fn unable(number: u64, wrong: &PoolError) -> Exit {
    error!("session {number}: {wrong}");
    Exit::Other
}
