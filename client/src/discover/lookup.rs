//! Looking up the conventional name.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::FutureExt;
use shared::door::discovery::{CONVENTIONAL_HOST, DEFAULT_PORT};
use tokio::net::lookup_host;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Between two look-ups.
const LOOKUP_INTERVAL: Duration = Duration::from_secs(1);

/// Addresses taken of the name: a resolver may say anything.
const MOST_ADDRESSES: usize = 16;

/// Looks up the conventional name, one look-up at a time: each occupies a thread, for seconds where nobody answers.
#[derive(Debug, Default)]
pub(super) struct NameLookup {
    running: Option<JoinHandle<Vec<SocketAddr>>>,
    next: Option<Instant>,
    known: Vec<SocketAddr>,
}

impl NameLookup {
    /// What the last finished look-up found; starts another when it is time.
    pub(super) fn addresses(&mut self) -> &[SocketAddr] {
        if let Some(found) = self.running.as_mut().and_then(FutureExt::now_or_never) {
            self.known = found.unwrap_or_default();
            self.running = None;
        }
        if self.running.is_none() && self.next.is_none_or(|next| Instant::now() >= next) {
            self.next = Some(Instant::now() + LOOKUP_INTERVAL);
            self.running = Some(tokio::spawn(async {
                let addresses = lookup_host((CONVENTIONAL_HOST, DEFAULT_PORT)).await;
                addresses.map(|all| all.take(MOST_ADDRESSES).collect()).unwrap_or_default()
            }));
        }
        &self.known
    }
}
