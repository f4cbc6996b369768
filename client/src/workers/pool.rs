//! The threads that process frames.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use shared::time::MonotonicClock;
use thiserror::Error;
use tokio::sync::mpsc::{self, UnboundedSender};

use super::queue::{Policy, Queue, Submitted};
use super::turns::Turns;
use super::worker::{Place, Worker};
use crate::pipeline::{ChosenPipeline, PipelineError};
use crate::session::{Detection, ReceivedFrame};

/// A pool of threads, each with its own pipeline. Dropping the pool ends them; frames still queued are discarded.
#[derive(Debug)]
pub struct Pool {
    queue: Queue<ReceivedFrame>,
    /// Closed once every worker is ready.
    prepared: mpsc::Receiver<()>,
}

/// Why the pool could not be started.
#[derive(Debug, Error)]
pub enum PoolError {
    /// The system refused to start a thread.
    #[error("cannot start a worker thread: {0}; fewer --workers may do")]
    Thread(#[from] io::Error),
    /// The pipeline could not be built.
    #[error("cannot build the pipeline: {0}")]
    Pipeline(#[from] PipelineError),
}

impl Pool {
    /// Starts `workers` threads, each with its own pipeline, that send their results to `detections`.
    ///
    /// At most `window` frames wait in the queue; with [`Policy::Latest`] at most one. With `turns`, the threads process
    /// frames in turn with those of other sessions.
    ///
    /// # Errors
    /// [`PoolError`] when a thread cannot be started or a pipeline cannot be built. Threads that were started then end.
    pub fn start(
        workers: NonZeroUsize,
        window: usize,
        policy: Policy,
        pipeline: &ChosenPipeline,
        clock: MonotonicClock,
        detections: &UnboundedSender<Detection>,
        turns: Option<&Turns>,
    ) -> Result<Self, PoolError> {
        let (ready, prepared) = mpsc::channel(1);
        // Created first: if a later thread fails to start, dropping the pool ends those already started.
        let pool = Self { queue: Queue::new(window, policy), prepared };
        let (warned, line) = (Arc::new(AtomicBool::new(false)), turns.map(|turns| Arc::new(turns.line())));
        for index in 0..workers.get() {
            let mut worker = Worker::new(pipeline.clone(), warned.clone())?;
            let (frames, detections, ready) = (pool.queue.receiver(), detections.clone(), ready.clone());
            let place = Place { line: line.clone(), policy };
            let run = move || {
                worker.prepare();
                drop(ready);
                worker.run(&frames, &detections, clock, &place);
            };
            thread::Builder::new().name(format!("worker-{index}")).spawn(run)?;
        }
        Ok(pool)
    }

    /// Waits until every worker is ready for its first frame.
    pub async fn prepared(&mut self) {
        // Nothing is ever sent. The channel closes when every worker is ready.
        let _ = self.prepared.recv().await;
    }

    /// Hands over a frame without waiting.
    pub fn submit(&mut self, frame: ReceivedFrame) -> Submitted<ReceivedFrame> {
        self.queue.submit(frame)
    }
}
