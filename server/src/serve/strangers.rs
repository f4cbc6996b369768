//! Strangers: connections that have said nothing and have an offer, or soon will.
//!
//! Each costs a WebRTC peer with its sockets. There are few at a time, and each gives way to whoever comes later or says
//! who it is: an honest one answers within a fraction of a second.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

/// Offers to strangers that are unanswered at a time.
const MAX_STRANGERS: usize = 16;

/// The strangers whose offers are unanswered.
#[derive(Clone, Debug, Default)]
pub(super) struct Strangers(Arc<Mutex<Line>>);

#[derive(Debug, Default)]
struct Line {
    next: u64,
    /// The oldest first.
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    id: u64,
    give_way: oneshot::Sender<()>,
    gone: oneshot::Receiver<()>,
}

/// A stranger's turn. It is over when this is dropped, which is to be done once its offer's sockets are closed.
#[derive(Debug)]
pub(super) struct Turn {
    id: u64,
    line: Strangers,
    give_way: oneshot::Receiver<()>,
    /// Dropping it says that this is gone.
    _gone: oneshot::Sender<()>,
}

impl Strangers {
    /// A turn for one more; the oldest gives way where there are too many.
    pub(super) fn come(&self) -> Turn {
        let ((give_way, told), (gone, watched)) = (oneshot::channel(), oneshot::channel());
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if line.waiting.len() >= MAX_STRANGERS {
            dismiss(line.waiting.pop_front());
        }
        let id = line.next;
        line.next += 1;
        line.waiting.push_back(Waiting { id, give_way, gone: watched });
        Turn { id, line: self.clone(), give_way: told, _gone: gone }
    }

    /// Makes the oldest give way, but for the one that asks, and waits until it is gone; whether there was one.
    pub(super) async fn dismiss_oldest(&self, asking: Option<&Turn>) -> bool {
        let oldest = {
            let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let place = line.waiting.iter().position(|waiting| asking.is_none_or(|turn| turn.id != waiting.id));
            place.and_then(|place| line.waiting.remove(place))
        };
        match dismiss(oldest) {
            Some(gone) => {
                // An error is the end that is waited for.
                let _ = gone.await;
                true
            }
            None => false,
        }
    }
}

fn dismiss(waiting: Option<Waiting>) -> Option<oneshot::Receiver<()>> {
    let Waiting { give_way, gone, .. } = waiting?;
    // One that is just leaving does not hear it.
    let _ = give_way.send(());
    Some(gone)
}

impl Turn {
    /// Waits until it must give way. Safe to cancel.
    pub(super) async fn must_give_way(&mut self) {
        // Its sender goes when it leaves the line, and says so before.
        let _ = (&mut self.give_way).await;
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

    async fn gives_way(turn: &mut Turn) -> bool {
        timeout(Duration::ZERO, turn.must_give_way()).await.is_ok()
    }

    #[tokio::test]
    async fn the_oldest_gives_way_to_the_seventeenth() {
        let strangers = Strangers::default();
        let mut turns: Vec<_> = (0..MAX_STRANGERS).map(|_| strangers.come()).collect();
        assert!(!gives_way(&mut turns[0]).await);
        let _newest = strangers.come();
        assert!(gives_way(&mut turns[0]).await);
        assert!(!gives_way(&mut turns[1]).await);
        // One that left makes room.
        drop(turns.pop());
        let _another = strangers.come();
        assert!(!gives_way(&mut turns[1]).await);
    }

    #[tokio::test]
    async fn who_needs_a_place_waits_until_the_oldest_is_gone() {
        let strangers = Strangers::default();
        assert!(!strangers.dismiss_oldest(None).await, "there is none");
        let (mut first, second) = (strangers.come(), strangers.come());
        let leaving = tokio::spawn(async move {
            first.must_give_way().await;
            first
        });
        let waits = strangers.dismiss_oldest(None);
        let mut waits = std::pin::pin!(waits);
        assert!(timeout(Duration::from_millis(20), &mut waits).await.is_err(), "its sockets are not closed yet");
        drop(leaving.await.unwrap());
        assert!(waits.await);
        assert!(!strangers.dismiss_oldest(Some(&second)).await, "who asks does not give way to itself");
    }
}
