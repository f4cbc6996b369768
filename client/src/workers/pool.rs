//! The threads that look at frames.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use shared::time::MonotonicClock;
use thiserror::Error;
use tokio::sync::mpsc::UnboundedSender;

use super::queue::{Policy, Queue, Submitted};
use super::worker::Worker;
use crate::pipeline::{ChosenPipeline, PipelineError};
use crate::session::{Detection, ReceivedFrame};

/// A pool of threads, each with a pipeline. They end when it is dropped; frames that wait then are not looked at.
#[derive(Debug)]
pub struct Pool {
    queue: Queue<ReceivedFrame>,
}

/// Why no pool could be started.
#[derive(Debug, Error)]
pub enum PoolError {
    /// The system refuses a thread.
    #[error("cannot start a worker thread: {0}; fewer --workers may do")]
    Thread(#[from] io::Error),
    /// There is no pipeline.
    #[error("cannot build the pipeline: {0}")]
    Pipeline(#[from] PipelineError),
}

impl Pool {
    /// Starts `workers` threads, each with a pipeline of its own, that answer into `detections`.
    ///
    /// At most `window` frames wait; with [`Policy::Latest`] at most one.
    ///
    /// # Errors
    /// [`PoolError`] where a thread cannot be started or a pipeline cannot be built; what has started ends then.
    pub fn start(
        workers: NonZeroUsize,
        window: usize,
        policy: Policy,
        pipeline: ChosenPipeline,
        clock: MonotonicClock,
        detections: &UnboundedSender<Detection>,
    ) -> Result<Self, PoolError> {
        // Made first: what has started ends with it if a thread cannot.
        let pool = Self { queue: Queue::new(window, policy) };
        let warned = Arc::new(AtomicBool::new(false));
        for index in 0..workers.get() {
            let worker = Worker::new(pipeline, warned.clone())?;
            let (frames, detections) = (pool.queue.receiver(), detections.clone());
            let run = move || worker.run(&frames, &detections, clock);
            thread::Builder::new().name(format!("worker-{index}")).spawn(run)?;
        }
        Ok(pool)
    }

    /// Hands over a frame, without waiting.
    pub fn submit(&mut self, frame: ReceivedFrame) -> Submitted<ReceivedFrame> {
        self.queue.submit(frame)
    }
}
