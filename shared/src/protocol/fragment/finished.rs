//! Ids of finished messages.

use std::collections::{HashMap, VecDeque};

/// The most recent ids of finished messages. Lookup takes constant time, because it happens for each piece that
/// arrives.
///
/// An id may be added more than once (a message that was given up may still arrive completely). It is known until its
/// last entry is forgotten.
#[derive(Debug)]
pub(super) struct Finished {
    most: usize,
    /// Oldest first.
    order: VecDeque<u64>,
    /// How often each id occurs in `order`.
    counts: HashMap<u64, u32>,
}

impl Finished {
    /// Remembers the last `most` ids. Allocates its memory now, so that a steady stream allocates nothing.
    pub(super) fn new(most: usize) -> Self {
        // One more id is held for a moment. Twice the capacity, so that removed entries are swept in place.
        Self { most, order: VecDeque::with_capacity(most), counts: HashMap::with_capacity(2 * (most + 1)) }
    }

    /// Whether the id is remembered.
    pub(super) fn contains(&self, id: u64) -> bool {
        self.counts.contains_key(&id)
    }

    /// Adds an id, and forgets the oldest if there are too many.
    pub(super) fn push(&mut self, id: u64) {
        if self.order.len() == self.most {
            self.forget_oldest();
        }
        self.order.push_back(id);
        *self.counts.entry(id).or_default() += 1;
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.order.pop_front() else { return };
        match self.counts.get_mut(&oldest) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                self.counts.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The slow reference: a list that is searched from its beginning.
        #[test]
        fn it_agrees_with_a_list_of_the_last_ids(
            most in 1usize..40,
            ids in proptest::collection::vec(0u64..60, 0..400),
        ) {
            let (mut finished, mut list) = (Finished::new(most), VecDeque::new());
            for id in ids {
                finished.push(id);
                list.push_back(id);
                if list.len() > most {
                    list.pop_front();
                }
                prop_assert!(finished.counts.len() <= most);
                for asked in 0..60 {
                    prop_assert_eq!(finished.contains(asked), list.contains(&asked), "{}", asked);
                }
            }
        }
    }
}
