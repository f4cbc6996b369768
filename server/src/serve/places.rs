//! Places for clients: limits how many are served at a time, and allows only one session with `--once`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use thiserror::Error;

use crate::limited::{Limited, Taken};

/// Places for clients. A connection that has said nothing yet does not take one.
///
/// A client costs the memory of a few of its frames, and up to 3 MiB of send buffers, 2 MiB of message memory, 4 MiB of
/// partly received answers, 8 MiB of socket buffers for each of its one or two sockets, and 1 MiB of histogram (15 MiB
/// with errors over a quarter pixel). `docs/benchmarks.md` has the sum.
#[derive(Debug)]
pub(super) struct Places {
    /// Clients beyond these are told that the server is full.
    clients: Limited,
    /// Whether only one session is served.
    is_once: bool,
    /// Whether a session has begun.
    has_begun: Arc<AtomicBool>,
    /// Whether a panic ended a session that had begun.
    is_lost: Arc<AtomicBool>,
    visitors: AtomicUsize,
}

/// A client's place; becomes free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    is_once: bool,
    has_begun: Arc<AtomicBool>,
    /// Whether it is this client's session that has begun.
    is_mine: AtomicBool,
    is_lost: Arc<AtomicBool>,
    _taken: Taken,
}

/// Why a client is not served.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The maximum number of clients is connected.
    #[error("this server is full: {0} clients (--max-sessions)")]
    Full(usize),
    /// The only session has begun.
    #[error("this server serves one client (--once), which is here already")]
    Taken,
}

impl Places {
    /// Places for this many clients, all free. With `is_once`, only one session can begin.
    pub(super) fn new(is_once: bool, most: usize) -> Self {
        let (has_begun, is_lost) = (Arc::default(), Arc::default());
        Self { clients: Limited::new(most), is_once, has_begun, is_lost, visitors: AtomicUsize::new(0) }
    }

    /// Counts a visitor that arrived.
    pub(super) fn come(&self) {
        self.visitors.fetch_add(1, Ordering::AcqRel);
    }

    /// Counts a visitor that left.
    pub(super) fn leave(&self) {
        self.visitors.fetch_sub(1, Ordering::AcqRel);
    }

    /// Whether any visitor is connected.
    pub(super) fn has_visitors(&self) -> bool {
        self.visitors.load(Ordering::Acquire) > 0
    }

    /// Whether a client has begun a session.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Acquire)
    }

    /// Whether only one session is served, and a panic ended it after it had begun.
    pub(super) fn has_lost_the_only_session(&self) -> bool {
        self.is_once && self.is_lost.load(Ordering::Acquire)
    }

    /// Takes a place for a client that has sent its first message.
    pub(super) fn take(&self) -> Result<Place, Refusal> {
        if self.is_once && self.has_begun() {
            return Err(Refusal::Taken);
        }
        let taken = self.clients.take().ok_or(Refusal::Full(self.clients.most()))?;
        let (has_begun, is_lost) = (self.has_begun.clone(), self.is_lost.clone());
        Ok(Place { is_once: self.is_once, has_begun, is_mine: AtomicBool::new(false), is_lost, _taken: taken })
    }
}

impl Place {
    /// Notes that the client said hello on its link. If only one session is served, it is this client's from now on.
    pub(super) fn begin(&self) -> Result<(), Refusal> {
        let is_later = self.has_begun.swap(true, Ordering::AcqRel);
        if self.is_once && is_later {
            return Err(Refusal::Taken);
        }
        self.is_mine.store(true, Ordering::Release);
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if thread::panicking() && self.is_mine.load(Ordering::Acquire) {
            self.is_lost.store(true, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_session_is_the_first_that_begins() {
        let places = Places::new(true, 256);
        let (first, second) = (places.take().unwrap(), places.take().unwrap());
        assert_eq!(second.begin(), Ok(()));
        assert_eq!(first.begin(), Err(Refusal::Taken));
        assert_eq!(places.take().unwrap_err(), Refusal::Taken);
    }

    #[test]
    fn a_client_that_leaves_before_a_session_begins_frees_its_place() {
        let places = Places::new(true, 256);
        drop(places.take().unwrap());
        assert!(places.take().is_ok_and(|place| place.begin().is_ok()));
    }

    #[test]
    fn a_panic_loses_the_only_session_if_it_ends_the_one_that_has_begun() {
        let panics_with = |place: Place| {
            let ended = thread::spawn(move || -> u8 {
                let _place = place;
                panic!("the test wants this panic");
            });
            assert!(ended.join().is_err());
        };
        let places = Places::new(true, 256);
        let (first, second) = (places.take().unwrap(), places.take().unwrap());
        assert_eq!((first.begin(), second.begin()), (Ok(()), Err(Refusal::Taken)));
        panics_with(second);
        assert!(!places.has_lost_the_only_session());
        panics_with(first);
        assert!(places.has_lost_the_only_session());

        let many = Places::new(false, 256);
        let place = many.take().unwrap();
        assert_eq!(place.begin(), Ok(()));
        panics_with(place);
        assert!(!many.has_lost_the_only_session());
    }

    #[test]
    fn a_server_of_many_clients_is_full_at_its_limit() {
        let places = Places::new(false, 3);
        let mut taken: Vec<_> = (0..3).map(|_| places.take().unwrap()).collect();
        assert!(taken.iter().all(|place| place.begin().is_ok()));
        assert_eq!(places.take().unwrap_err(), Refusal::Full(3));
        assert_eq!(places.take().unwrap_err(), Refusal::Full(3));
        taken.pop();
        assert!(places.take().is_ok());
    }
}
