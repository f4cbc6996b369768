//! The queue before the workers.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A bounded queue that hands each job to one of the threads that wait.
///
/// A lock and a condition variable: a thread that waits goes to sleep at once. Channels that spin and yield first cost
/// each frame some 10 us of processor time, as at 60 frames a second the next never comes that soon (measured).
#[derive(Debug)]
pub(crate) struct Jobs<T> {
    queue: Mutex<Queue<T>>,
    changed: Condvar,
    capacity: usize,
}

#[derive(Debug)]
struct Queue<T> {
    waiting: VecDeque<T>,
    is_closed: bool,
}

impl<T> Jobs<T> {
    /// A queue in which at most `capacity` jobs wait, at least one.
    pub(crate) fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        let queue = Queue { waiting: VecDeque::with_capacity(capacity), is_closed: false };
        Self { queue: Mutex::new(queue), changed: Condvar::new(), capacity }
    }

    /// Adds a job, or gives it back when the queue is full.
    pub(crate) fn push(&self, job: T) -> Result<(), T> {
        let mut queue = self.locked();
        if queue.waiting.len() >= self.capacity {
            return Err(job);
        }
        queue.waiting.push_back(job);
        drop(queue);
        self.changed.notify_one();
        Ok(())
    }

    /// Adds a job; when the queue is full, in place of the one that waited longest, which it gives back.
    pub(crate) fn push_newest(&self, job: T) -> Option<T> {
        let mut queue = self.locked();
        let oldest = if queue.waiting.len() >= self.capacity { queue.waiting.pop_front() } else { None };
        queue.waiting.push_back(job);
        drop(queue);
        self.changed.notify_one();
        oldest
    }

    /// Waits for a job; `None` once the queue is closed.
    pub(crate) fn next(&self) -> Option<T> {
        let mut queue = self.locked();
        loop {
            if queue.is_closed {
                return None;
            }
            if let Some(job) = queue.waiting.pop_front() {
                return Some(job);
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends all who wait; what waits is not done.
    pub(crate) fn close(&self) {
        self.locked().is_closed = true;
        self.changed.notify_all();
    }

    fn locked(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[test]
    fn a_full_queue_gives_the_job_back_and_keeps_the_order_of_the_others() {
        let jobs = Jobs::new(2);
        assert_eq!([1, 2, 3].map(|job| jobs.push(job)), [Ok(()), Ok(()), Err(3)]);
        assert_eq!([jobs.next(), jobs.next()], [Some(1), Some(2)]);
    }

    #[test]
    fn the_newest_takes_the_place_of_the_oldest() {
        let jobs = Jobs::new(1);
        assert_eq!([1, 2, 3].map(|job| jobs.push_newest(job)), [None, Some(1), Some(2)]);
        assert_eq!(jobs.next(), Some(3));
    }

    #[test]
    fn each_job_goes_to_one_thread_and_closing_ends_them_all() {
        let jobs = Arc::new(Jobs::new(1_000));
        let worker = || {
            let jobs = jobs.clone();
            thread::spawn(move || std::iter::from_fn(|| jobs.next()).collect::<Vec<u32>>())
        };
        let workers = [worker(), worker(), worker()];
        for job in 0..1_000 {
            jobs.push(job).unwrap();
        }
        while !jobs.locked().waiting.is_empty() {
            thread::yield_now();
        }
        jobs.close();
        let mut done: Vec<u32> = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
        done.sort_unstable();
        assert_eq!(done, (0..1_000).collect::<Vec<u32>>());
    }
}
