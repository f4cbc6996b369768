//! The queue in front of the workers.

use crossbeam_channel::{Receiver, Sender, bounded};

/// What happens to a frame that arrives while all workers are busy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// The frame waits its turn. The queue holds a window of frames, and fills up only if frames wait longer than the
    /// server waits for their answers.
    #[default]
    Every,
    /// The frame replaces the one that waits, which is answered as dropped.
    Latest,
}

/// What happened to a frame that was handed over.
#[derive(Debug, PartialEq, Eq)]
pub enum Submitted<T> {
    /// A worker has the frame or will take it.
    Taken,
    /// A worker will take the frame. The older frame given here was replaced and will not be processed.
    InPlaceOf(T),
    /// The queue is full. The frame given here will not be processed.
    Refused(T),
}

/// A bounded queue with one sender. Dropping it ends the receivers and discards the frames that wait.
#[derive(Debug)]
pub(super) struct Queue<T> {
    sender: Sender<T>,
    /// The receiving end, used here to remove frames that no worker will process.
    waiting: Receiver<T>,
    policy: Policy,
}

impl<T> Queue<T> {
    /// Creates a queue in which at most `window` frames wait; with [`Policy::Latest`] at most one.
    pub(super) fn new(window: usize, policy: Policy) -> Self {
        let capacity = match policy {
            Policy::Every => window.max(1),
            Policy::Latest => 1,
        };
        let (sender, waiting) = bounded(capacity);
        Self { sender, waiting, policy }
    }

    /// A receiver for one more worker.
    pub(super) fn receiver(&self) -> Receiver<T> {
        self.waiting.clone()
    }

    /// Hands over a frame without waiting.
    pub(super) fn submit(&mut self, frame: T) -> Submitted<T> {
        let is_replacing = self.policy == Policy::Latest && self.sender.is_full();
        // `None` if a worker took it first. Then there is room too, because nobody else sends.
        let older = if is_replacing { self.waiting.try_recv().ok() } else { None };
        match (self.sender.try_send(frame), older) {
            (Ok(()), None) => Submitted::Taken,
            (Ok(()), Some(older)) => Submitted::InPlaceOf(older),
            (Err(refused), _) => Submitted::Refused(refused.into_inner()),
        }
    }
}

impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        while self.waiting.try_recv().is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn every_frame_waits_its_turn_and_a_full_queue_refuses_the_next() {
        let mut queue = Queue::new(2, Policy::Every);
        let submitted = [1, 2, 3].map(|frame| queue.submit(frame));
        assert_eq!(submitted, [Submitted::Taken, Submitted::Taken, Submitted::Refused(3)]);
        let worker = queue.receiver();
        assert_eq!([worker.recv(), worker.recv()], [Ok(1), Ok(2)]);
        assert_eq!(queue.submit(4), Submitted::Taken);
    }

    #[test]
    fn the_latest_frame_replaces_the_one_that_waits() {
        let mut queue = Queue::new(8, Policy::Latest);
        let submitted = [1, 2, 3].map(|frame| queue.submit(frame));
        assert_eq!(submitted, [Submitted::Taken, Submitted::InPlaceOf(1), Submitted::InPlaceOf(2)]);
        assert_eq!(queue.receiver().recv(), Ok(3));
        assert_eq!(queue.submit(4), Submitted::Taken);
    }

    #[test]
    fn each_frame_goes_to_one_worker_and_dropping_the_queue_ends_them_all() {
        let mut queue = Queue::new(1_000, Policy::Every);
        let worker = || {
            let frames = queue.receiver();
            thread::spawn(move || frames.iter().collect::<Vec<u32>>())
        };
        let workers = [worker(), worker(), worker()];
        for frame in 0..1_000 {
            assert_eq!(queue.submit(frame), Submitted::Taken);
        }
        while !queue.sender.is_empty() {
            thread::yield_now();
        }
        drop(queue);
        let mut done: Vec<u32> = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
        done.sort_unstable();
        assert_eq!(done, (0..1_000).collect::<Vec<u32>>());
    }

    #[test]
    fn frames_that_wait_when_the_queue_is_dropped_are_not_processed() {
        let mut queue = Queue::new(8, Policy::Every);
        let worker = queue.receiver();
        for frame in 0..8 {
            queue.submit(frame);
        }
        drop(queue);
        assert_eq!(worker.iter().count(), 0);
    }
}
