//! Worker threads: frames in through a bounded queue, detections out.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ndarray::{Array2, ArrayView2};
use shared::image::{ImageView, to_gray};
use shared::protocol::message::{FoundCircle, Payload};
use shared::time::MonotonicClock;
use tokio::sync::mpsc::UnboundedSender;
use tracing::{error, warn};

use crate::jobs::Jobs;
use crate::pipeline::{Detector, DetectorChoice, Estimate};
use crate::session::{Detection, ReceivedFrame};

/// What happens to a frame that finds all workers busy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// It waits its turn in a queue of the window, which is full only where frames wait longer than they are waited for.
    #[default]
    Every,
    /// It replaces the one that waits, which is answered as dropped.
    Latest,
}

/// What became of a frame handed to the pool.
#[derive(Debug)]
pub enum Submitted {
    /// A worker has it or will.
    Taken,
    /// A worker will have it; this one gave way and will not be looked at.
    InPlaceOf(ReceivedFrame),
    /// The queue is full; it will not be looked at.
    Refused(ReceivedFrame),
}

/// A pool of detecting threads. They end when it is dropped.
#[derive(Debug)]
pub struct Pool {
    jobs: Arc<Jobs<ReceivedFrame>>,
    policy: Policy,
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.jobs.close();
    }
}

impl Pool {
    /// Starts `workers` threads, each with its own detector, that answer into `detections`.
    ///
    /// At most `window` frames wait; with [`Policy::Latest`] at most one.
    pub fn start(
        workers: NonZeroUsize,
        window: usize,
        policy: Policy,
        detector: &DetectorChoice,
        clock: MonotonicClock,
        detections: &UnboundedSender<Detection>,
    ) -> std::io::Result<Self> {
        let capacity = match policy {
            Policy::Every => window.max(1),
            Policy::Latest => 1,
        };
        // Made first: what has started ends with it if a thread cannot.
        let pool = Self { jobs: Arc::new(Jobs::new(capacity)), policy };
        let warned = Arc::new(AtomicBool::new(false));
        for index in 0..workers.get() {
            let worker = Worker {
                detector: detector.build(),
                choice: *detector,
                pixels: Vec::new(),
                gray: Array2::zeros((0, 0)),
                warned: warned.clone(),
            };
            let (jobs, detections) = (pool.jobs.clone(), detections.clone());
            let run = move || worker.run(&jobs, &detections, clock);
            thread::Builder::new().name(format!("detect-{index}")).spawn(run)?;
        }
        Ok(pool)
    }

    /// Hands over a frame, without waiting.
    pub fn submit(&self, frame: ReceivedFrame) -> Submitted {
        match self.policy {
            Policy::Every => match self.jobs.push(frame) {
                Ok(()) => Submitted::Taken,
                Err(frame) => Submitted::Refused(frame),
            },
            Policy::Latest => match self.jobs.push_newest(frame) {
                None => Submitted::Taken,
                Some(older) => Submitted::InPlaceOf(older),
            },
        }
    }
}

struct Worker {
    detector: Box<dyn Detector>,
    choice: DetectorChoice,
    /// Of the frame in hand, where they do not lie in its message: the announced size bounds it.
    pixels: Vec<u8>,
    gray: Array2<u8>,
    /// Whether any worker has said that frames cannot be read.
    warned: Arc<AtomicBool>,
}

impl Worker {
    fn run(mut self, jobs: &Jobs<ReceivedFrame>, detections: &UnboundedSender<Detection>, clock: MonotonicClock) {
        while let Some(frame) = jobs.next() {
            let started = clock.now();
            let payload = self.detect(&frame);
            let detection =
                Detection { frame: frame.id, received: frame.received, started, finished: clock.now(), payload };
            if detections.send(detection).is_err() {
                return;
            }
        }
    }

    /// What the detector finds; a detector that panics loses the frame, not the session.
    fn detect(&mut self, frame: &ReceivedFrame) -> Payload<'static> {
        match catch_unwind(AssertUnwindSafe(|| self.detect_in(frame))) {
            Ok(payload) => payload,
            Err(_) => {
                error!("the detector panicked on frame {}, which counts as dropped", frame.id);
                self.detector = self.choice.build();
                Payload::dropped()
            }
        }
    }

    fn detect_in(&mut self, frame: &ReceivedFrame) -> Payload<'static> {
        match frame.image(&mut self.pixels) {
            Ok(ImageView::Gray8(gray)) => payload(self.detector.detect(gray)),
            Ok(ImageView::Bgr8(bgr)) => {
                to_gray(bgr, &mut self.gray);
                let gray: ArrayView2<'_, u8> = self.gray.view();
                payload(self.detector.detect(gray))
            }
            Err(error) => {
                if !self.warned.swap(true, Ordering::Relaxed) {
                    warn!("frame {}: {error}; it counts as dropped (further ones do too, without a word)", frame.id);
                }
                Payload::dropped()
            }
        }
    }
}

fn payload(estimate: Option<Estimate>) -> Payload<'static> {
    FoundCircle::write(estimate.map(|Estimate { circle, covariance }| FoundCircle { circle, covariance }))
}
