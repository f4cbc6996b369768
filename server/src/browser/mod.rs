//! The page that the server's port shows in a browser: a dashboard of its sessions, and a pipeline that runs in the page.
//!
//! [`access`](shared::door::access) says who may see it, `assets` has its files. [`Pages`] is what all open pages
//! share: the `state` of the sessions, which [`PagesOutput`] writes on the outputs' thread, and which sessions are
//! watched. `socket` sends figures and pictures to one page; `picture` makes them small. A page that is slow gets the
//! latest state later, and delays nobody. Without an open page, a frame costs one atomic load.
//!
//! The pipeline in the page is a client like others: its WebSocket at `/signaling` carries the lines of
//! [`shared::door::lines`].

mod assets;
mod output;
mod picture;
mod socket;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use shared::canvas::colour::Look;
use tokio::sync::watch;

use crate::gate::Judge;
use crate::limited::Limited;
use crate::output::watched::Watched;
use crate::task::TaskName;

pub use output::PagesOutput;
pub use shared::door::access::{Access, HostNames, NotAHost, Refusal};

pub(crate) use assets::file;
pub(crate) use shared::door::upgrade::upgraded;
pub(crate) use socket::{Dashboard, Shows};

use state::State;

/// Maximum number of dashboards' sockets at a time. A page has two.
const MAX_SOCKETS: usize = 32;

/// What all pages share.
#[derive(Debug)]
pub struct Pages {
    /// Who may see them.
    pub access: Access,
    state: Mutex<State>,
    /// Notified after each change of the state.
    changed: watch::Sender<()>,
    watched: Watched,
    /// Places for the dashboards' sockets.
    pub(crate) sockets: Limited,
}

impl Pages {
    /// Pages of a run with this task. `run` is what they say of it, `judge` its gates.
    pub fn new(access: Access, run: Value, task: TaskName, judge: Arc<Judge>, look: Look) -> Arc<Self> {
        let state = Mutex::new(State::new(run, task, judge, look));
        let (changed, _) = watch::channel(());
        Arc::new(Self { access, state, changed, watched: Watched::default(), sockets: Limited::new(MAX_SOCKETS) })
    }

    /// Which sessions are shown.
    pub fn watched(&self) -> &Watched {
        &self.watched
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere does not matter: the state is only shown.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.send_replace(());
    }
}
