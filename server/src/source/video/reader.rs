//! Reads frames from ffmpeg, one after another, once or in a loop.

use std::io::ErrorKind;

use shared::memory::zeroed;

use super::error::{VideoError, shown};
use super::playback::{PROGRAM, Playback};
use super::process::{Ended, Lines, Processes, Running, SILENCE};
use crate::source::error::SourceError;
use crate::source::queue::{ReadFrame, Reading};
use crate::truth::Truth;

/// Reads a video from its first frame on.
#[derive(Debug)]
pub(super) struct VideoReader {
    video: Playback,
    processes: Processes,
    state: State,
    /// Index of the next frame within the file.
    next: u64,
    /// Whether ffmpeg ended in the middle of a frame.
    is_cut: bool,
    /// In a loop, the process that plays the file again. It is started ahead, so that no frame comes late because
    /// ffmpeg starts.
    again: Option<Running>,
}

#[derive(Debug)]
enum State {
    NotStarted,
    Playing(Running),
    Over,
}

impl VideoReader {
    /// A reader whose processes belong to this group.
    pub(super) fn new(video: Playback, processes: Processes) -> Self {
        Self { video, processes, state: State::NotStarted, next: 0, is_cut: false, again: None }
    }

    fn read(&mut self) -> Result<Option<ReadFrame>, VideoError> {
        loop {
            let mut running = match std::mem::replace(&mut self.state, State::Over) {
                State::NotStarted => self.start()?,
                State::Playing(running) => running,
                State::Over => return Ok(None),
            };
            if let Some(frame) = self.frame(&mut running)? {
                self.state = State::Playing(running);
                if self.video.repeats && self.again.is_none() {
                    self.again = Some(self.start()?);
                }
                return Ok(Some(frame));
            }
            self.check(running.end())?;
            self.next = 0;
            if let Some(again) = self.again.take() {
                self.state = State::Playing(again);
            }
        }
    }

    /// The next frame; `None` at the end of the file.
    fn frame(&mut self, running: &mut Running) -> Result<Option<ReadFrame>, VideoError> {
        let Playback { wanted, size, address, .. } = &self.video;
        let mut bytes = zeroed(wanted.bytes(*size), format_args!("a frame of {size}"))?;
        let limit = (!address.is_file()).then_some(SILENCE);
        let filled = running.fill(&mut bytes, limit).map_err(|error| match error.kind() {
            ErrorKind::TimedOut => address.silent(PROGRAM),
            _ => VideoError::Program { program: PROGRAM, error },
        })?;
        self.is_cut = filled > 0 && filled < bytes.len();
        let image = if filled == bytes.len() { wanted.image(bytes, *size) } else { None };
        let frame = image.map(|image| ReadFrame { index: self.next, image, truth: Truth::Unknown, meta: None });
        self.next += u64::from(frame.is_some());
        Ok(frame)
    }

    /// Whether ffmpeg's end is that of the file.
    fn check(&self, Ended { is_success, said }: Ended) -> Result<(), VideoError> {
        let Playback { address, size, .. } = &self.video;
        let is_whole = is_success && !self.is_cut;
        let (source_name, first) = (shown(address.text()), *size);
        let Some(frame) = self.next.checked_sub(1) else {
            return Err(match said.refused {
                Some(got) => VideoError::Changed { source_name, frame: 0, got, first },
                None => VideoError::NoFrame { source_name, said },
            });
        };
        match said {
            Lines { refused: Some(got), .. } => Err(VideoError::Changed { source_name, frame: self.next, got, first }),
            // For a file, ffmpeg reports only damage. For a stream, it also reports errors from which it recovers.
            said if address.is_file() && !(is_whole && said.is_empty()) => {
                Err(VideoError::Broken { source_name, frame, said })
            }
            said if !is_whole => Err(VideoError::Lost { source_name, frame, said }),
            _ => Ok(()),
        }
    }

    fn start(&self) -> Result<Running, VideoError> {
        self.processes.start(self.video.command()).map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                VideoError::NoProgram { source_name: shown(self.video.address.text()), program: PROGRAM }
            }
            _ => VideoError::Program { program: PROGRAM, error },
        })
    }
}

impl Iterator for VideoReader {
    type Item = Result<Reading, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.read().map(|frame| frame.map(Reading::Frame)).map_err(SourceError::from);
        if read.is_err() {
            (self.state, self.again) = (State::Over, None);
        }
        read.transpose()
    }
}
