//! The [`Output`] trait and the events that outputs receive.

use std::sync::Arc;

use shared::image::Image;

use super::error::OutputError;
use super::mcap::Recorder;
use super::parts::Parts;
use super::progress_timeout::Steps;
use super::report::SessionReport;
use super::worst::KeptCrop;
use crate::score::record::FrameRecord;
use crate::session::Progress;
use crate::task::TaskName;

/// A form of the results. Receives every event in order, on the writer's thread, where it may block.
///
/// An output that fails receives nothing more. The run goes on, reports the failure once and ends with exit code 4.
pub trait Output: Send {
    /// The output's name, for messages.
    fn name(&self) -> String;

    /// Where an output whose end takes several steps counts each of them, so that it does not seem stuck. Called once,
    /// first.
    fn count_in(&mut self, _steps: &Steps) {}

    /// The server listens: from here on, files belong to this run. Called once, before any event.
    fn begin(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    /// A session's client has said hello.
    fn started(&mut self, _start: SessionStart) -> Result<(), OutputError> {
        Ok(())
    }

    /// The picture of a frame that was sent. Called now and then, for outputs that show pictures.
    fn picture(&mut self, _session: u64, _id: u64, _picture: &Picture) -> Result<(), OutputError> {
        Ok(())
    }

    /// The picture of a frame that was among the worst of its session when it was answered, which is before its outcome
    /// is final. Called if [`Self::wants_crops`].
    fn crop(&mut self, _crop: &KeptCrop) -> Result<(), OutputError> {
        Ok(())
    }

    /// A frame's outcome is final.
    fn frame(&mut self, _session: u64, _record: &FrameRecord) -> Result<(), OutputError> {
        Ok(())
    }

    /// A session's progress. Called now and then, for the session that a window shows, and for all if
    /// [`Self::wants_progress`].
    fn progress(&mut self, _session: u64, _progress: &Progress) -> Result<(), OutputError> {
        Ok(())
    }

    /// The report of a session so far. Called each second or so, if [`Self::wants_running`].
    fn running(&mut self, _report: &SessionReport) -> Result<(), OutputError> {
        Ok(())
    }

    /// A session is over.
    fn ended(&mut self, _report: &SessionReport) -> Result<(), OutputError> {
        Ok(())
    }

    /// No event is waiting: write out what is buffered.
    fn flush(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    /// The run is over.
    fn finish(&mut self) -> Result<(), OutputError> {
        self.flush()
    }

    /// Whether everything was written. Asked after [`Self::finish`] if no call failed.
    fn is_complete(&self) -> bool {
        true
    }

    /// The files that stay unfinished if the run cannot wait for this output's end. Asked after [`Self::begin`].
    fn parts(&self) -> Option<Parts> {
        None
    }

    /// Where the sessions record their frames, if this output records them. Asked after [`Self::begin`].
    fn recorder(&self) -> Option<Recorder> {
        None
    }

    /// Whether [`Self::running`] is to be called.
    fn wants_running(&self) -> bool {
        false
    }

    /// Whether [`Self::progress`] is to be called for every session.
    fn wants_progress(&self) -> bool {
        false
    }

    /// Whether [`Self::crop`] is to be called. Asked after [`Self::begin`].
    fn wants_crops(&self) -> bool {
        false
    }

    /// Whether a single missed frame, dropped because other outputs were too slow, makes this output worthless.
    fn needs_every_frame(&self) -> bool {
        false
    }
}

/// The start of a session.
#[derive(Clone, Copy, Debug)]
pub struct SessionStart {
    /// Its number.
    pub session: u64,
    /// Its task.
    pub task: TaskName,
}

/// The picture of a frame and, if the task's answers are pictures, the picture of the answer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Picture {
    /// The frame that was sent.
    pub frame: Arc<Image>,
    /// The picture that came back.
    pub answer: Option<Arc<Image>>,
}

/// An event of a session, for the outputs.
#[expect(clippy::large_enum_variant, reason = "most are frames; a box would be an allocation each")]
#[derive(Debug)]
pub enum Event {
    /// A session's client has said hello.
    Started(SessionStart),
    /// A picture of a session's frame.
    Picture {
        /// The session.
        session: u64,
        /// The frame.
        id: u64,
        /// What was sent, and what came back.
        picture: Picture,
    },
    /// A frame's outcome is final.
    Frame {
        /// The session.
        session: u64,
        /// Everything known about the frame.
        record: FrameRecord,
    },
    /// The picture of a frame that was among the worst of its session when it was answered.
    Crop(Box<KeptCrop>),
    /// A session's progress.
    Progress {
        /// The session.
        session: u64,
        /// Its figures so far.
        progress: Box<Progress>,
    },
    /// The report of a session so far.
    Running(Box<SessionReport>),
    /// A session is over.
    Ended(Box<SessionReport>),
}

impl Event {
    /// Passes the event to an output.
    pub(super) fn tell(&self, output: &mut dyn Output) -> Result<(), OutputError> {
        match self {
            Self::Started(start) => output.started(*start),
            Self::Picture { session, id, picture } => output.picture(*session, *id, picture),
            Self::Frame { session, record } => output.frame(*session, record),
            Self::Crop(crop) => output.crop(crop),
            Self::Progress { session, progress } => output.progress(*session, progress),
            Self::Running(report) => output.running(report),
            Self::Ended(report) => output.ended(report),
        }
    }
}
