//! Strangers: silent connections that got an offer, or will get one soon.
//!
//! Each takes a WebRTC peer and its sockets, so their number is limited. Later arrivals, and clients that introduce
//! themselves, replace a stranger. An honest stranger answers within a fraction of a second.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

/// Default limit of unanswered offers to strangers.
pub const MAX_STRANGERS: usize = 16;

/// The strangers that have not answered their offers.
#[derive(Clone, Debug)]
pub struct Strangers(Arc<Mutex<Line>>);

#[derive(Debug)]
struct Line {
    most: usize,
    next: u64,
    /// Oldest first.
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    id: u64,
    dismiss: oneshot::Sender<()>,
    gone: oneshot::Receiver<()>,
}

/// A stranger's turn, which ends when this is dropped. Drop it only after the sockets of its offer are closed.
#[derive(Debug)]
pub struct Turn {
    id: u64,
    line: Strangers,
    dismissed: oneshot::Receiver<()>,
    /// Dropping this signals that the stranger is gone.
    _gone: oneshot::Sender<()>,
}

impl Default for Strangers {
    fn default() -> Self {
        Self::at_most(MAX_STRANGERS)
    }
}

impl Strangers {
    /// A queue for this many strangers, at least one.
    pub fn at_most(most: usize) -> Self {
        Self(Arc::new(Mutex::new(Line { most: most.max(1), next: 0, waiting: VecDeque::new() })))
    }

    /// Takes a turn for one more stranger. If there are too many, it replaces the oldest.
    pub fn come(&self) -> Turn {
        let ((dismiss, dismissed), (gone, watched)) = (oneshot::channel(), oneshot::channel());
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if line.waiting.len() >= line.most {
            tell(line.waiting.pop_front());
        }
        let id = line.next;
        line.next += 1;
        line.waiting.push_back(Waiting { id, dismiss, gone: watched });
        Turn { id, line: self.clone(), dismissed, _gone: gone }
    }

    /// Removes the oldest stranger except `asking`, and waits until it is gone. Returns whether there was one.
    pub async fn dismiss_oldest(&self, asking: Option<&Turn>) -> bool {
        let oldest = {
            let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let place = line.waiting.iter().position(|waiting| asking.is_none_or(|turn| turn.id != waiting.id));
            place.and_then(|place| line.waiting.remove(place))
        };
        match tell(oldest) {
            Some(gone) => {
                // An error means that the stranger is gone, which is what this waits for.
                let _ = gone.await;
                true
            }
            None => false,
        }
    }
}

/// Tells a stranger that it is dismissed. Returns the receiver that shows when it is gone.
fn tell(waiting: Option<Waiting>) -> Option<oneshot::Receiver<()>> {
    let Waiting { dismiss, gone, .. } = waiting?;
    // Fails if the stranger is just leaving, which is fine.
    let _ = dismiss.send(());
    Some(gone)
}

impl Turn {
    /// Waits until this stranger is dismissed. Safe to cancel.
    pub async fn dismissed(&mut self) {
        // The sender sends before it is dropped, so both results mean the same.
        let _ = (&mut self.dismissed).await;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut line = self.line.0.lock().unwrap_or_else(PoisonError::into_inner);
        line.waiting.retain(|waiting| waiting.id != self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    async fn is_dismissed(turn: &mut Turn) -> bool {
        timeout(Duration::ZERO, turn.dismissed()).await.is_ok()
    }

    #[tokio::test]
    async fn the_seventeenth_stranger_replaces_the_oldest() {
        let strangers = Strangers::default();
        let mut turns: Vec<_> = (0..MAX_STRANGERS).map(|_| strangers.come()).collect();
        assert!(!is_dismissed(&mut turns[0]).await);
        let _newest = strangers.come();
        assert!(is_dismissed(&mut turns[0]).await);
        assert!(!is_dismissed(&mut turns[1]).await);
        // A stranger that left makes room.
        drop(turns.pop());
        let _another = strangers.come();
        assert!(!is_dismissed(&mut turns[1]).await);
    }

    #[tokio::test]
    async fn a_client_that_needs_a_place_waits_until_the_oldest_is_gone() {
        let strangers = Strangers::default();
        assert!(!strangers.dismiss_oldest(None).await, "there is none");
        let (mut first, second) = (strangers.come(), strangers.come());
        let leaving = tokio::spawn(async move {
            first.dismissed().await;
            first
        });
        let waits = strangers.dismiss_oldest(None);
        let mut waits = std::pin::pin!(waits);
        assert!(timeout(Duration::from_millis(20), &mut waits).await.is_err(), "its sockets are not closed yet");
        drop(leaving.await.unwrap());
        assert!(waits.await);
        assert!(!strangers.dismiss_oldest(Some(&second)).await, "a stranger does not dismiss itself");
    }
}
