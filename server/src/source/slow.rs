//! Frames that take long to render come from a thread of their own.
//!
//! Otherwise the session's thread would answer nobody meanwhile: not its client's pings, not the other sessions, and not a
//! request to stop.

use std::iter;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, bounded};
use tracing::warn;

use super::error::SourceError;
use super::queue::{QueuedSource, ReadFrame, Reading};
use super::seam::{Numbered, Source, SourceFrame, StreamFormat, Supply};
use crate::task::TaskName;

/// Time to render a frame from which on a thread of its own renders it. Ten sessions of one thread then keep the others
/// waiting for at most a tenth of a second. Handing a frame over to another thread takes some 20 µs.
const SLOW: Duration = Duration::from_millis(10);

/// Longest wait for the trial at the start: a person does not notice it.
const TRIAL: Duration = Duration::from_millis(100);

/// Frames of the trial, of which the quickest counts: on a busy machine one may be interrupted.
const FRAMES: usize = 3;

/// Frames rendered ahead: the next one, while the last one is on its way.
const AHEAD: usize = 1;

/// The supply, whose frames are rendered on threads of their own if the first ones take long.
///
/// Only for a source that computes its frames: others have such a thread already.
pub(crate) fn apart_if_slow(supply: Arc<dyn Supply>) -> Arc<dyn Supply> {
    let (send, receive) = bounded(1);
    let tried = supply.clone();
    let trial = move || {
        let _ = send.send(quickest(&*tried));
    };
    // Without the thread there is no trial.
    if thread::Builder::new().name("trial".into()).spawn(trial).is_err() {
        return supply;
    }
    let time = match receive.recv_timeout(TRIAL) {
        Ok(Some(time)) if time > SLOW => format!("{:.0} ms", time.as_secs_f64() * 1e3),
        Err(RecvTimeoutError::Timeout) => format!("more than {} ms", TRIAL.as_millis()),
        // The session names the error of a source that fails.
        Ok(_) | Err(RecvTimeoutError::Disconnected) => return supply,
    };
    warn!("the first frame took {time} to render, so frames are rendered on a thread of their own");
    Arc::new(Slow(supply))
}

/// The shortest time that one of the first frames takes; `None` if the source fails or ends.
fn quickest(supply: &dyn Supply) -> Option<Duration> {
    let (began, mut least) = (Instant::now(), Duration::MAX);
    let mut source = supply.open().ok()?;
    for _ in 0..FRAMES {
        let start = Instant::now();
        source.next().ok()??;
        least = least.min(start.elapsed());
        // Enough is known.
        if least <= SLOW || began.elapsed() > TRIAL {
            break;
        }
    }
    Some(least)
}

/// A supply whose sources render on threads of their own.
#[derive(Debug)]
struct Slow(Arc<dyn Supply>);

impl Supply for Slow {
    fn format(&self) -> StreamFormat {
        self.0.format()
    }

    fn default_task(&self) -> TaskName {
        self.0.default_task()
    }

    fn rate_hz(&self) -> Option<f64> {
        self.0.rate_hz()
    }

    fn sets_the_pace(&self) -> bool {
        self.0.sets_the_pace()
    }

    fn knows_truth(&self) -> bool {
        self.0.knows_truth()
    }

    fn unused_options(&self) -> Vec<String> {
        self.0.unused_options()
    }

    fn remark(&self) -> Option<String> {
        self.0.remark()
    }

    fn open(&self) -> Result<Box<dyn Source>, SourceError> {
        let mut source = self.0.open()?;
        let reader = iter::from_fn(move || rendered(&mut *source).transpose());
        Ok(Box::new(QueuedSource::ahead(AHEAD, Box::new(reader))?))
    }

    fn numbered(&self) -> Result<Option<Box<dyn Numbered>>, SourceError> {
        self.0.numbered()
    }
}

fn rendered(source: &mut dyn Source) -> Result<Option<Reading>, SourceError> {
    let frame = source.next()?;
    Ok(frame.map(|SourceFrame { index, image, truth, meta }| {
        Reading::Frame(ReadFrame { index, image: image.clone(), truth, meta })
    }))
}

#[cfg(test)]
mod tests {
    use shared::geometry::Size;
    use shared::image::{Image, PixelFormat};

    use super::*;
    use crate::truth::Truth;

    /// Frames of one pixel, each of which takes this long.
    #[derive(Debug)]
    struct Taking(Duration);

    struct Frames(Duration, Image, u64);

    impl Supply for Taking {
        fn format(&self) -> StreamFormat {
            StreamFormat { size: Size { width: 1, height: 1 }, pixel: PixelFormat::Gray8 }
        }

        fn default_task(&self) -> TaskName {
            TaskName::default()
        }

        fn open(&self) -> Result<Box<dyn Source>, SourceError> {
            let StreamFormat { size, pixel } = self.format();
            Ok(Box::new(Frames(self.0, Image::zeros(size, pixel), 0)))
        }
    }

    impl Source for Frames {
        fn next(&mut self) -> Result<Option<SourceFrame<'_>>, SourceError> {
            thread::sleep(self.0);
            let index = self.2;
            self.2 += 1;
            Ok((index < 5).then_some(SourceFrame { index, image: &self.1, truth: Truth::Unknown, meta: None }))
        }

        fn image(&self) -> Option<&Image> {
            Some(&self.1)
        }
    }

    #[test]
    fn quick_frames_stay_where_they_are() {
        let quick: Arc<dyn Supply> = Arc::new(Taking(Duration::ZERO));
        assert!(Arc::ptr_eq(&apart_if_slow(quick.clone()), &quick));
    }

    #[tokio::test]
    async fn slow_frames_come_from_another_thread_the_same_in_the_same_order() {
        for time in [2 * SLOW, 2 * TRIAL] {
            let slow = apart_if_slow(Arc::new(Taking(time)));
            let mut source = slow.open().unwrap();
            let wake = source.wake().expect("a thread of its own");
            assert!(!source.is_ready());
            let mut indices = Vec::new();
            loop {
                while !source.is_ready() {
                    wake.notified().await;
                }
                let Some(frame) = source.next().unwrap() else { break };
                indices.push(frame.index);
            }
            assert_eq!(indices, [0, 1, 2, 3, 4]);
        }
    }
}
