//! What a peer did that no honest peer does.

use std::sync::Arc;

use thiserror::Error;
use tokio::sync::watch;
use tracing::warn;

/// What a peer did that no honest peer does, with the peer as "it".
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(in super::super) enum Breach {
    /// A FORWARD-TSN that skips more than was ever on its way.
    #[error("it skipped more packets than it can have sent (SCTP FORWARD-TSN)")]
    Skip,
    /// More bytes after the window was full.
    #[error("it sent a message without end (SCTP, past a full window)")]
    Endless,
    /// Pieces that complete no message.
    #[error("it sent too many small pieces that complete no message (SCTP)")]
    Pieces,
    /// More streams than the lanes need.
    #[error("it opened too many data channels: three are needed")]
    Channels,
    /// A chunk whose parts do not fit into it.
    #[error("it sent a broken packet (SCTP, chunk type {0})")]
    Broken(u8),
    /// The crate panicked.
    #[error("WebRTC failed on what it sent")]
    Panic,
}

/// The conduct of a link's peer. Everything that watches the peer shares it.
#[derive(Clone, Debug)]
pub(in super::super) struct Conduct(Arc<watch::Sender<Option<Breach>>>);

impl Conduct {
    pub(in super::super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// Notes a breach. The first one counts.
    pub(in super::super) fn note(&self, breach: Breach) {
        let is_first = self.0.send_if_modified(|known| {
            let is_first = known.is_none();
            known.get_or_insert(breach);
            is_first
        });
        if is_first {
            warn!(kind = "hostile", "a peer is cut off: {breach}");
        }
    }

    /// Whether there was a breach.
    pub(super) fn is_broken(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Waits for a breach.
    pub(in super::super) async fn breach(&self) -> Breach {
        let mut known = self.0.subscribe();
        loop {
            if let Some(breach) = *known.borrow_and_update() {
                return breach;
            }
            if known.changed().await.is_err() {
                // This conduct owns the sender, so the channel stays open.
                std::future::pending::<()>().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_breach_is_reported() {
        let conduct = Conduct::new();
        conduct.note(Breach::Skip);
        conduct.note(Breach::Panic);
        assert_eq!(conduct.breach().await, Breach::Skip);
    }
}
