//! Which sessions the pages of browsers show. Without a page, asking costs one atomic load.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Which sessions are shown by pages. Copies share it.
#[derive(Clone, Debug, Default)]
pub struct Watched(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Number of pages.
    pages: AtomicUsize,
    /// Number of pages that show each session.
    sessions: Mutex<BTreeMap<u64, usize>>,
}

/// A page that shows a session, until this is dropped.
#[derive(Debug)]
pub struct Watching {
    watched: Watched,
    session: u64,
}

impl Watched {
    /// Whether any page is open.
    pub fn is_open(&self) -> bool {
        self.0.pages.load(Ordering::Relaxed) > 0
    }

    /// Whether any page shows this session.
    pub fn shows(&self, session: u64) -> bool {
        self.is_open() && self.sessions().contains_key(&session)
    }

    /// Notes a page that shows this session.
    pub fn watch(&self, session: u64) -> Watching {
        *self.sessions().entry(session).or_default() += 1;
        self.0.pages.fetch_add(1, Ordering::Relaxed);
        Watching { watched: self.clone(), session }
    }

    fn sessions(&self) -> MutexGuard<'_, BTreeMap<u64, usize>> {
        // The map is whole after a panic elsewhere.
        self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watching {
    /// The session.
    pub fn session(&self) -> u64 {
        self.session
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.watched.0.pages.fetch_sub(1, Ordering::Relaxed);
        let mut sessions = self.watched.sessions();
        if let Some(pages) = sessions.get_mut(&self.session) {
            *pages -= 1;
            if *pages == 0 {
                sessions.remove(&self.session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_shown_until_its_last_page_closes() {
        let watched = Watched::default();
        assert!(!watched.is_open() && !watched.shows(0));
        let (one, other, third) = (watched.watch(1), watched.watch(1), watched.watch(2));
        assert!(watched.shows(1) && watched.shows(2) && !watched.shows(3));
        drop((one, third));
        assert!(watched.shows(1) && !watched.shows(2));
        drop(other);
        assert!(!watched.shows(1) && !watched.is_open());
    }
}
