//! A queue between the thread that renders and the one that calls the pipeline.
//!
//! Waking a sleeping thread costs the waking thread some 8 µs, more than everything else between two calls of a
//! pipeline. So the renderer sleeps until half of the queue is used up, and is woken once for several frames.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A bounded queue with one producer and one consumer.
#[derive(Debug)]
pub(super) struct Queue<T> {
    capacity: usize,
    state: Mutex<State<T>>,
    filled: Condvar,
    emptied: Condvar,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    producer_waits: bool,
    /// The producer or the consumer is gone.
    is_over: bool,
}

/// What [`Queue::take`] found.
#[derive(Debug, PartialEq)]
pub(super) enum Taken<T> {
    /// The next item.
    Item(T),
    /// Nothing yet.
    Nothing,
    /// Nothing, and nothing will come.
    Over,
}

impl<T> Queue<T> {
    /// A queue for `capacity` items. It holds at least one.
    pub(super) fn new(capacity: usize) -> Self {
        let state = State { items: VecDeque::with_capacity(capacity), producer_waits: false, is_over: false };
        Self { capacity: capacity.max(1), state: Mutex::new(state), filled: Condvar::new(), emptied: Condvar::new() }
    }

    /// Waits for room, then adds an item. Returns false if the queue has ended: nobody will take the item.
    pub(super) fn put(&self, item: T) -> bool {
        let mut state = self.state();
        if state.items.len() >= self.capacity {
            state.producer_waits = true;
            state = waited(self.emptied.wait_while(state, |state| state.producer_waits && !state.is_over));
        }
        if state.is_over {
            return false;
        }
        state.items.push_back(item);
        self.filled.notify_one();
        true
    }

    /// Takes the next item. Waits for it for at most `limit`.
    pub(super) fn take(&self, limit: Duration) -> Taken<T> {
        let mut state = self.state();
        if state.items.is_empty() && !state.is_over && !limit.is_zero() {
            let is_waiting = |state: &mut State<T>| state.items.is_empty() && !state.is_over;
            state = match self.filled.wait_timeout_while(state, limit, is_waiting) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        let Some(item) = state.items.pop_front() else {
            return if state.is_over { Taken::Over } else { Taken::Nothing };
        };
        if state.producer_waits && state.items.len() <= self.capacity / 2 {
            state.producer_waits = false;
            self.emptied.notify_one();
        }
        Taken::Item(item)
    }

    /// Notes that the producer or the consumer is gone. Items put in before can still be taken.
    pub(super) fn end(&self) {
        self.state().is_over = true;
        self.filled.notify_one();
        self.emptied.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        // Each change is complete before anything can panic.
        waited(self.state.lock())
    }
}

fn waited<'a, T>(guard: Result<MutexGuard<'a, T>, PoisonError<MutexGuard<'a, T>>>) -> MutexGuard<'a, T> {
    guard.unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    const LONG: Duration = Duration::from_secs(10);

    #[test]
    fn everything_comes_in_order_and_then_the_end() {
        for capacity in [1, 2, 8] {
            let queue = Arc::new(Queue::new(capacity));
            let producer = queue.clone();
            let thread = thread::spawn(move || {
                assert!((0..100).all(|item| producer.put(item)));
                producer.end();
            });
            let taken: Vec<i32> = std::iter::from_fn(|| match queue.take(LONG) {
                Taken::Item(item) => Some(item),
                Taken::Nothing | Taken::Over => None,
            })
            .collect();
            assert_eq!(taken, (0..100).collect::<Vec<_>>());
            assert_eq!(queue.take(LONG), Taken::Over);
            thread.join().unwrap();
        }
    }

    #[test]
    fn a_waiting_producer_goes_on_when_half_is_used_up_or_the_queue_ends() {
        let queue = Arc::new(Queue::new(4));
        let producer = queue.clone();
        let thread = thread::spawn(move || (0..).take_while(|item| producer.put(*item)).count());
        while !queue.state().producer_waits {
            thread::yield_now();
        }
        assert_eq!(queue.take(Duration::ZERO), Taken::Item(0));
        assert!(queue.state().producer_waits, "three of four are left");
        assert_eq!(queue.take(Duration::ZERO), Taken::Item(1));
        while queue.state().items.len() < 4 {
            thread::yield_now();
        }
        queue.end();
        assert_eq!(thread.join().unwrap(), 6);
    }

    #[test]
    fn an_empty_queue_has_nothing_yet() {
        let queue = Queue::<u8>::new(1);
        assert_eq!(queue.take(Duration::ZERO), Taken::Nothing);
        assert_eq!(queue.take(Duration::from_millis(1)), Taken::Nothing);
    }
}
