//! Looks up the conventional host name.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::FutureExt;
use shared::door::discovery::{CONVENTIONAL_HOST, DEFAULT_PORT};
use shared::shell::threads;
use tokio::net::lookup_host;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Time between two look-ups.
const LOOKUP_INTERVAL: Duration = Duration::from_secs(1);

/// How many addresses of the name are used at most: a resolver may return any number.
const MOST_ADDRESSES: usize = 16;

/// Looks up the conventional name, one look-up at a time. Each occupies a thread, for seconds if no resolver answers.
#[derive(Debug, Default)]
pub(super) struct NameLookup {
    running: Option<JoinHandle<Vec<SocketAddr>>>,
    next: Option<Instant>,
    known: Vec<SocketAddr>,
}

impl NameLookup {
    /// Returns what the last finished look-up found, and starts another when it is due.
    pub(super) fn addresses(&mut self) -> &[SocketAddr] {
        if let Some(found) = self.running.as_mut().and_then(FutureExt::now_or_never) {
            self.known = found.unwrap_or_default();
            self.running = None;
        }
        if self.running.is_none() && self.next.is_none_or(|next| Instant::now() >= next) {
            self.next = Some(Instant::now() + LOOKUP_INTERVAL);
            self.running = Some(tokio::spawn(async {
                // A look-up is a thread.
                if threads::has_room().is_err() {
                    return Vec::new();
                }
                let addresses = lookup_host((CONVENTIONAL_HOST, DEFAULT_PORT)).await;
                addresses.map(|all| all.take(MOST_ADDRESSES).collect()).unwrap_or_default()
            }));
        }
        &self.known
    }
}
