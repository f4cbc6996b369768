//! Places for clients: so many at a time, or one only.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use thiserror::Error;

/// Clients at a time; more are told that the server is full. A client costs a few of its frames, up to 3 MiB of send
/// buffers, 2 of messages' memory, 4 of answers in pieces, 8 of socket buffers for each of its one or two sockets, and 1 of
/// histogram (15 with errors over a quarter pixel): the README has the sum.
pub(super) const MAX_CLIENTS: usize = 256;

/// Places for clients.
#[derive(Debug)]
pub(super) struct Places {
    /// Whether there is one place only, for the whole run.
    is_once: bool,
    is_taken: Arc<AtomicBool>,
    visitors: AtomicUsize,
}

/// The only place of a server that serves one client; free again when dropped.
#[derive(Debug)]
pub(super) struct OnlyPlace(Arc<AtomicBool>);

impl Drop for OnlyPlace {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Why a client is not served.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There are as many clients as the server serves.
    #[error("this server is full: {MAX_CLIENTS} clients")]
    Full,
    /// The only place is taken.
    #[error("this server serves one client (--once), which is here already")]
    Taken,
}

impl Places {
    /// All free; one only where one client is served.
    pub(super) fn new(is_once: bool) -> Self {
        Self { is_once, is_taken: Arc::default(), visitors: AtomicUsize::new(0) }
    }

    /// A visitor came; how many others are here.
    pub(super) fn come(&self) -> usize {
        self.visitors.fetch_add(1, Ordering::AcqRel)
    }

    /// A visitor left.
    pub(super) fn leave(&self) {
        self.visitors.fetch_sub(1, Ordering::AcqRel);
    }

    /// Whether a visitor is here.
    pub(super) fn has_visitors(&self) -> bool {
        self.visitors.load(Ordering::Acquire) > 0
    }

    /// Whether a visitor that finds this many others may have a link at all.
    pub(super) fn admit(others: usize) -> Result<(), Refusal> {
        if others < MAX_CLIENTS { Ok(()) } else { Err(Refusal::Full) }
    }

    /// A place for a client: the only one where one client is served.
    pub(super) fn take(&self) -> Result<Option<OnlyPlace>, Refusal> {
        match self.is_once {
            true if self.is_taken.swap(true, Ordering::AcqRel) => Err(Refusal::Taken),
            true => Ok(Some(OnlyPlace(self.is_taken.clone()))),
            false => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_place_is_given_once_and_comes_back() {
        let places = Places::new(true);
        let place = places.take().unwrap();
        assert!(place.is_some());
        assert_eq!(places.take().unwrap_err(), Refusal::Taken);
        drop(place);
        assert!(places.take().is_ok());
    }

    #[test]
    fn a_server_of_many_is_full_at_its_limit() {
        let places = Places::new(false);
        assert!((0..2 * MAX_CLIENTS).all(|_| places.take().is_ok_and(|place| place.is_none())));
        assert_eq!(Places::admit(MAX_CLIENTS - 1), Ok(()));
        assert_eq!(Places::admit(MAX_CLIENTS), Err(Refusal::Full));
    }
}
