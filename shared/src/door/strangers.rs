//! Strangers: silent connections that got an offer, or will get one soon.
//!
//! Each takes a WebRTC peer and its sockets, so their number is limited. Later arrivals, and clients that introduce
//! themselves, replace a stranger. An honest stranger answers within a fraction of a second.
//!
//! Whoever finds no room for an offer takes that of the oldest stranger with one, and waits until it is gone. It never
//! waits for somebody who waits for room too: those hold nothing, and they look for room one after the other.

use std::collections::VecDeque;
use std::future::{Future, pending};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{self, oneshot};

/// Default limit of unanswered offers to strangers.
pub const MAX_STRANGERS: usize = 16;

/// The strangers that have not answered their offers.
#[derive(Clone, Debug)]
pub struct Strangers {
    line: Arc<Mutex<Line>>,
    /// Held while one stranger after the other is dismissed, until there is room for an offer.
    dismissing: Arc<sync::Mutex<()>>,
}

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
    /// Whether it has an offer, or one is being made for it.
    is_offered: bool,
    dismiss: oneshot::Sender<()>,
    gone: oneshot::Receiver<()>,
}

/// A stranger's turn, which ends when this is dropped. Drop it only after the sockets of its offer are closed.
#[derive(Debug)]
pub struct Turn {
    id: u64,
    strangers: Strangers,
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
        let line = Line { most: most.max(1), next: 0, waiting: VecDeque::new() };
        Self { line: Arc::new(Mutex::new(line)), dismissing: Arc::default() }
    }

    /// Takes a turn for one more stranger. If there are too many, it replaces the oldest.
    pub fn come(&self) -> Turn {
        let ((dismiss, dismissed), (gone, watched)) = (oneshot::channel(), oneshot::channel());
        let mut line = self.line();
        if line.waiting.len() >= line.most {
            tell(line.waiting.pop_front());
        }
        let id = line.next;
        line.next += 1;
        line.waiting.push_back(Waiting { id, is_offered: false, dismiss, gone: watched });
        drop(line);
        Turn { id, strangers: self.clone(), dismissed, _gone: gone }
    }

    /// Makes an offer, to the stranger whose turn this is or to a client. While there is no room for it, as `is_full`
    /// says, takes that of the oldest stranger with an offer. The turn's stranger has an offer from now on.
    ///
    /// # Errors
    /// Those of `make`: no room if no stranger has an offer, or if the turn's stranger is dismissed meanwhile.
    pub async fn offer<T, E, Making>(
        &self,
        turn: Option<&mut Turn>,
        make: impl Fn() -> Making,
        is_full: impl Fn(&E) -> bool,
    ) -> Result<T, E>
    where
        Making: Future<Output = Result<T, E>>,
    {
        let asking = turn.as_deref().map(|turn| turn.id);
        let full = match self.try_offer(asking, &make).await {
            Err(error) if is_full(&error) => error,
            made => return made,
        };
        let dismissed = async {
            match turn {
                Some(turn) => turn.dismissed().await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            () = dismissed => Err(full),
            made = self.offer_in_place_of_others(asking, make, is_full) => made,
        }
    }

    async fn offer_in_place_of_others<T, E, Making>(
        &self,
        asking: Option<u64>,
        make: impl Fn() -> Making,
        is_full: impl Fn(&E) -> bool,
    ) -> Result<T, E>
    where
        Making: Future<Output = Result<T, E>>,
    {
        let _alone = self.dismissing.lock().await;
        loop {
            match self.try_offer(asking, &make).await {
                Err(error) if is_full(&error) => {
                    if !self.dismiss_oldest().await {
                        return Err(error);
                    }
                }
                made => return made,
            }
        }
    }

    /// Makes an offer if there is room. Meanwhile its stranger counts as one with an offer, whose room may be taken: it
    /// may have the last room before this returns.
    async fn try_offer<T, E, Making>(&self, asking: Option<u64>, make: impl Fn() -> Making) -> Result<T, E>
    where
        Making: Future<Output = Result<T, E>>,
    {
        self.set_offered(asking, true);
        let made = make().await;
        if made.is_err() {
            self.set_offered(asking, false);
        }
        made
    }

    fn set_offered(&self, asking: Option<u64>, is_offered: bool) {
        // One that is dismissed is no longer in line.
        if let Some(waiting) = self.line().waiting.iter_mut().find(|waiting| Some(waiting.id) == asking) {
            waiting.is_offered = is_offered;
        }
    }

    /// Removes the oldest stranger with an offer, and waits until it is gone. Returns whether there was one.
    async fn dismiss_oldest(&self) -> bool {
        let oldest = {
            let mut line = self.line();
            let place = line.waiting.iter().position(|waiting| waiting.is_offered);
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

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.strangers.line().waiting.retain(|waiting| waiting.id != self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};
    use std::pin::pin;
    use std::time::Duration;

    use futures_util::future::join_all;
    use tokio::task::yield_now;
    use tokio::time::{sleep, timeout};

    use super::*;

    /// Longer than anything takes. The clock of these tests does not run: it jumps when all wait.
    const LONG: Duration = Duration::from_secs(3600);

    /// There is no room.
    #[derive(Debug, PartialEq)]
    struct Full;

    fn free() -> Ready<Result<(), Full>> {
        ready(Ok(()))
    }

    fn none() -> Ready<Result<(), Full>> {
        ready(Err(Full))
    }

    fn is_full(_: &Full) -> bool {
        true
    }

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
        assert!(!strangers.dismiss_oldest().await, "there is none");
        let (mut first, mut second) = (strangers.come(), strangers.come());
        strangers.offer(Some(&mut first), free, is_full).await.unwrap();
        let leaving = tokio::spawn(async move {
            first.dismissed().await;
            first
        });
        let waits = strangers.dismiss_oldest();
        let mut waits = std::pin::pin!(waits);
        assert!(timeout(Duration::from_millis(20), &mut waits).await.is_err(), "its sockets are not closed yet");
        drop(leaving.await.unwrap());
        assert!(waits.await);
        assert!(!strangers.dismiss_oldest().await, "the second has no offer");
        assert!(!is_dismissed(&mut second).await);
    }

    #[tokio::test(start_paused = true)]
    async fn strangers_that_find_no_room_do_not_wait_for_each_other() {
        let strangers = &Strangers::default();
        let asking = |_| async move {
            let mut turn = strangers.come();
            strangers.offer(Some(&mut turn), none, is_full).await
        };
        let answers = timeout(LONG, join_all((0..12).map(asking))).await.expect("all are answered");
        assert!(answers.iter().all(|answer| *answer == Err(Full)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_only_room_goes_from_stranger_to_stranger_and_then_to_a_client() {
        let (strangers, room) = (&Strangers::default(), &Arc::new(sync::Semaphore::new(1)));
        let take = || async move {
            // Others run before an offer is made.
            yield_now().await;
            room.clone().try_acquire_owned().map_err(|_| Full)
        };
        let stay = || async move {
            let mut turn = strangers.come();
            let taken = strangers.offer(Some(&mut turn), take, is_full).await?;
            turn.dismissed().await;
            drop(taken);
            Ok::<(), Full>(())
        };
        let client = async {
            // By then, one of the strangers has the room.
            sleep(Duration::from_secs(1)).await;
            strangers.offer(None, take, is_full).await
        };
        let all = async { tokio::join!(stay(), stay(), stay(), client) };
        let (first, second, third, client) = timeout(LONG, all).await.expect("nobody waits for ever");
        assert!([first, second, third].iter().all(Result::is_ok) && client.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_stranger_that_is_dismissed_while_it_waits_for_room_is_refused() {
        let strangers = Strangers::at_most(1);
        let mut asks = strangers.come();
        // Somebody else is waiting for one that is dismissed to leave.
        let _alone = strangers.dismissing.lock().await;
        let mut asking = pin!(strangers.offer(Some(&mut asks), none, is_full));
        assert!(timeout(Duration::from_secs(1), &mut asking).await.is_err(), "it waits");
        let _newer = strangers.come();
        assert_eq!(timeout(LONG, asking).await.expect("it is refused"), Err(Full));
    }
}
