//! The supply of a video's frames, and the source of one session.

use std::sync::Arc;

use shared::image::{Image, PixelFormat};
use tokio::sync::Notify;

use super::address::Address;
use super::error::{VideoError, shown};
use super::pixels::Wanted;
use super::playback::Playback;
use super::probe::{self, Probed};
use super::process::Processes;
use super::reader::VideoReader;
use crate::run::RunSpec;
use crate::source::ball::{option_of_the_ball, options_of_the_ball};
use crate::source::error::SourceError;
use crate::source::figures::SourceFigures;
use crate::source::queue::QueuedSource;
use crate::source::seam::{Source, SourceFrame, SourceKind, StreamFormat, Supply};
use crate::task::TaskName;

/// The source's entry in the list of sources.
pub(in crate::source) struct VideoKind;

impl SourceKind for VideoKind {
    fn usage(&self) -> &'static str {
        "a video file or an address that ffmpeg reads"
    }

    fn is_meant(&self, text: &str) -> bool {
        Address::read(text).is_some()
    }

    fn supply(&self, run: &RunSpec) -> Result<Box<dyn Supply>, SourceError> {
        if let Some(option) = option_of_the_ball(run) {
            return Err(SourceError::Option { option, source_name: run.sent.source.clone() });
        }
        // It was one when `is_meant` looked.
        let address = Address::read(&run.sent.source).ok_or_else(|| SourceError::gone(&run.sent.source))?;
        if run.sent.repeat && !address.is_file() {
            return Err(SourceError::NoLoop { source_name: run.sent.source.clone(), why: "is not a file" });
        }
        let video = Video::find(address, run.pixel(), run.sent.repeat)?;
        match run.sent.size {
            Some(asked) if asked != video.playback.size => {
                Err(SourceError::Size { asked, size: video.playback.size, of: "frames of the video" })
            }
            _ => Ok(Box::new(video)),
        }
    }
}

/// A video that was probed.
#[derive(Clone, Debug)]
struct Video {
    playback: Playback,
    pixel: PixelFormat,
    rate_hz: Option<f64>,
}

impl Video {
    fn find(address: Address, pixel: PixelFormat, repeats: bool) -> Result<Self, VideoError> {
        let Probed { size, rate_hz, pix_fmt, has_fps_mode } = probe::probe(&address)?;
        let shallow = || VideoError::Shallow { source_name: shown(address.text()), pix_fmt: pix_fmt.clone() };
        let wanted = Wanted::new(&pix_fmt, pixel).ok_or_else(shallow)?;
        let playback = Playback { address, size, wanted, has_fps_mode, repeats };
        Ok(Self { playback, pixel, rate_hz })
    }
}

impl Supply for Video {
    fn format(&self) -> StreamFormat {
        StreamFormat { size: self.playback.size, pixel: self.pixel }
    }

    fn default_task(&self) -> TaskName {
        TaskName::ack()
    }

    fn rate_hz(&self) -> Option<f64> {
        self.rate_hz
    }

    fn unused_options(&self) -> Vec<String> {
        options_of_the_ball()
    }

    fn open(&self) -> Result<Box<dyn Source>, SourceError> {
        let processes = Processes::default();
        let reader = VideoReader::new(self.playback.clone(), processes.clone());
        let queue = QueuedSource::start(Box::new(reader))?;
        Ok(Box::new(VideoSource { queue, processes }))
    }
}

/// The frames of one session. Dropping it kills its processes, so that a thread that waits for a frame ends too.
#[derive(Debug)]
struct VideoSource {
    queue: QueuedSource,
    processes: Processes,
}

impl Drop for VideoSource {
    fn drop(&mut self) {
        self.processes.stop();
    }
}

impl Source for VideoSource {
    fn next(&mut self) -> Result<Option<SourceFrame<'_>>, SourceError> {
        self.queue.next()
    }

    fn image(&self) -> Option<&Image> {
        self.queue.image()
    }

    fn is_ready(&mut self) -> bool {
        self.queue.is_ready()
    }

    fn wake(&self) -> Option<Arc<Notify>> {
        self.queue.wake()
    }

    fn figures(&self) -> Option<SourceFigures> {
        self.queue.figures()
    }
}
