//! A limited number of places, each of which becomes free again when it is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Places of which this many can be taken at a time.
#[derive(Debug)]
pub(crate) struct Limited {
    most: usize,
    taken: Arc<AtomicUsize>,
}

/// A place that is taken. Dropping it frees it.
#[derive(Debug)]
pub(crate) struct Taken(Arc<AtomicUsize>);

impl Limited {
    /// This many places, all free.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// The number of places.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// Takes a place; `None` if all are taken.
    pub(crate) fn take(&self) -> Option<Taken> {
        // Not returning the place drops it, which frees it.
        let place = Taken(self.taken.clone());
        (self.taken.fetch_add(1, Ordering::AcqRel) < self.most).then_some(place)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_places_are_taken_than_there_are_and_they_come_back() {
        let places = Limited::new(3);
        let mut taken: Vec<_> = (0..3).map(|_| places.take().unwrap()).collect();
        assert!(places.take().is_none() && places.take().is_none());
        taken.pop();
        assert!(places.take().is_some_and(|_one| places.take().is_none()), "one came back");
        drop(taken);
        assert_eq!((0..9).map_while(|_| places.take()).collect::<Vec<_>>().len(), places.most());
    }
}
