//! One thread of the pool.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::Receiver;
use shared::protocol::encoding::Lz4Encoder;
use shared::protocol::message::Payload;
use shared::time::MonotonicClock;
use tokio::sync::mpsc::UnboundedSender;
use tracing::{error, warn};

use super::queue::Policy;
use super::turns::Line;
use crate::pipeline::{ChosenPipeline, Pipeline, PipelineError, shortened};
use crate::session::{Detection, ReceivedFrame};

/// Processes frames with its own pipeline.
pub(super) struct Worker {
    /// `None` only after a panic, if the pipeline could not be built again.
    pipeline: Option<Box<dyn Pipeline>>,
    chosen: ChosenPipeline,
    /// Memory for the pixels of the current frame, if it is encoded or must be copied. Bounded by the announced size.
    pixels: Vec<u8>,
    /// Writes pictures in answers as LZ4; made for the first one.
    encoder: Option<Lz4Encoder>,
    /// Whether any worker has warned that frames cannot be read.
    warned: Arc<AtomicBool>,
}

/// Where a worker gets its turns, if it needs them.
pub(super) struct Place {
    pub(super) line: Option<Arc<Line>>,
    pub(super) policy: Policy,
}

impl Place {
    /// With [`Policy::Latest`], a newer frame replaces this one if it came while this one waited for its turn.
    fn newest(
        &self,
        frame: ReceivedFrame,
        frames: &Receiver<ReceivedFrame>,
        detections: &UnboundedSender<Detection>,
        clock: MonotonicClock,
    ) -> ReceivedFrame {
        if self.line.is_none() || self.policy == Policy::Every {
            return frame;
        }
        let Ok(newer) = frames.try_recv() else { return frame };
        let (now, ReceivedFrame { id, received, .. }) = (clock.now(), frame);
        let (started, finished, payload) = (now, now, Payload::dropped());
        // Fails only if the session is over.
        let _ = detections.send(Detection { frame: id, received, started, finished, payload });
        newer
    }
}

impl Worker {
    /// Creates a worker with a new pipeline. All workers of a pool share `warned`.
    pub(super) fn new(chosen: ChosenPipeline, warned: Arc<AtomicBool>) -> Result<Self, PipelineError> {
        Ok(Self { pipeline: Some(chosen.build()?), chosen, pixels: Vec::new(), encoder: None, warned })
    }

    /// Gets the pipeline ready for the first frame.
    pub(super) fn prepare(&mut self) {
        if let Some(pipeline) = &mut self.pipeline {
            pipeline.prepare();
        }
    }

    /// Processes frames until there are no more, or until nobody receives the detections.
    pub(super) fn run(
        mut self,
        frames: &Receiver<ReceivedFrame>,
        detections: &UnboundedSender<Detection>,
        clock: MonotonicClock,
        place: &Place,
    ) {
        for frame in frames {
            let _turn = place.line.as_ref().map(|line| line.take());
            if detections.is_closed() {
                return;
            }
            let frame = place.newest(frame, frames, detections, clock);
            let started = clock.now();
            let payload = self.answer(&frame);
            let detection =
                Detection { frame: frame.id, received: frame.received, started, finished: clock.now(), payload };
            if detections.send(detection).is_err() {
                return;
            }
        }
    }

    /// Returns the pipeline's answer. A panic in the pipeline costs this frame, not the session.
    fn answer(&mut self, frame: &ReceivedFrame) -> Payload<'static> {
        catch_unwind(AssertUnwindSafe(|| self.look_at(frame))).unwrap_or_else(|_| {
            error!(kind = "panic", "the pipeline panicked on frame {}, which counts as dropped", frame.id);
            self.rebuild();
            Payload::dropped()
        })
    }

    fn look_at(&mut self, frame: &ReceivedFrame) -> Payload<'static> {
        let Some(pipeline) = &mut self.pipeline else { return Payload::dropped() };
        match frame.decoded(&mut self.pixels) {
            Ok(decoded) if frame.takes_lz4() => shortened(pipeline.answer(&decoded), &mut self.encoder),
            Ok(decoded) => pipeline.answer(&decoded),
            Err(error) => {
                if !self.warned.swap(true, Ordering::Relaxed) {
                    warn!(
                        "frame {}: {error}; it counts as dropped (so do further ones, which are not logged)",
                        frame.id
                    );
                }
                Payload::dropped()
            }
        }
    }

    fn rebuild(&mut self) {
        self.pipeline = match self.chosen.build() {
            Ok(pipeline) => Some(pipeline),
            Err(wrong) => {
                error!("cannot build the pipeline again: {wrong}; all further frames of this worker count as dropped");
                None
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use shared::geometry::Size;
    use shared::image::ImageView;
    use shared::protocol::message::Value;

    use super::super::turns::Turns;
    use super::*;
    use crate::pipeline::{Answers, Frame, NoAnswers, PipelineKind, PipelineOptions};

    /// A pipeline that panics on black frames and counts the other frames it has seen.
    #[derive(Debug)]
    struct Delicate;

    impl PipelineKind for Delicate {
        fn name(&self) -> &'static str {
            "delicate"
        }

        fn tasks(&self) -> &'static [&'static str] {
            &["count"]
        }

        fn answers(&self) -> &'static dyn Answers {
            &NoAnswers
        }

        fn build(&self, _: &PipelineOptions) -> Result<Box<dyn Pipeline>, PipelineError> {
            Ok(Box::new(Counting(0)))
        }
    }

    struct Counting(i128);

    impl Pipeline for Counting {
        fn answer(&mut self, frame: &Frame<'_>) -> Payload<'static> {
            let ImageView::Gray8(gray) = frame.image else { panic!("a frame in colour") };
            assert!(gray[[0, 0]] > 0, "a black frame: the test wants this panic");
            self.0 += 1;
            Payload::new("count").with("seen", Value::Integer(self.0))
        }
    }

    #[test]
    fn a_frame_that_came_during_the_wait_for_a_turn_replaces_the_waiting_one() {
        let size = Size { width: 1, height: 1 };
        let numbered = |id| {
            let mut frame = ReceivedFrame::raw(size, vec![1]);
            frame.id = id;
            frame
        };
        let (older, newer) = (numbered(0), numbered(7));
        let (submit, frames) = crossbeam_channel::bounded(1);
        let (detections, mut found) = tokio::sync::mpsc::unbounded_channel();
        let clock = MonotonicClock::start();
        let place = |policy| Place { line: Some(Arc::new(Turns::new(1).line())), policy };
        submit.send(newer).expect("room");
        let every = place(Policy::Every).newest(older.clone(), &frames, &detections, clock);
        assert_eq!((every.id, frames.len()), (0, 1));
        let latest = place(Policy::Latest).newest(older, &frames, &detections, clock);
        assert_eq!((latest.id, frames.len()), (7, 0));
        let dropped = found.try_recv().expect("a detection");
        assert!(dropped.frame == 0 && dropped.payload.is_dropped());
    }

    #[test]
    fn a_pipeline_that_panics_loses_its_frame_and_is_built_again() {
        let chosen = ChosenPipeline::new(&Delicate, PipelineOptions::default());
        let mut worker = Worker::new(chosen, Arc::default()).expect("built");
        let size = Size { width: 16, height: 16 };
        let mut answer = |gray| worker.answer(&ReceivedFrame::raw(size, vec![gray; size.pixels()]));
        assert_eq!([answer(200).integer("seen"), answer(100).integer("seen")], [Ok(1), Ok(2)]);
        assert!(answer(0).is_dropped());
        assert_eq!(answer(200).integer("seen"), Ok(1), "a new one, which has seen nothing");
    }
}
