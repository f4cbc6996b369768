//! What an output is, and what it is told.

use std::sync::Arc;

use shared::image::Image;

use super::error::OutputError;
use super::report::SessionReport;
use crate::score::record::FrameRecord;
use crate::session::Progress;
use crate::task::TaskName;

/// A form of the results. Told everything in order, on the writer's thread, where it may take its time.
///
/// An output that fails is told nothing more; the run goes on, says so once and ends with exit code 4.
pub trait Output: Send {
    /// What it is, for messages.
    fn name(&self) -> String;

    /// The server listens: from here on files are this run's. Called once, before anything else.
    fn begin(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    /// A session's client has said hello.
    fn started(&mut self, _start: SessionStart) -> Result<(), OutputError> {
        Ok(())
    }

    /// The picture of a frame that was sent: now and then, for whoever shows it.
    fn picture(&mut self, _session: u64, _id: u64, _image: &Arc<Image>) -> Result<(), OutputError> {
        Ok(())
    }

    /// A frame's outcome is final.
    fn frame(&mut self, _session: u64, _record: &FrameRecord) -> Result<(), OutputError> {
        Ok(())
    }

    /// How a session stands: now and then, for whoever shows it.
    fn progress(&mut self, _session: u64, _progress: &Progress) -> Result<(), OutputError> {
        Ok(())
    }

    /// A session is over.
    fn ended(&mut self, _report: &SessionReport) -> Result<(), OutputError> {
        Ok(())
    }

    /// Nothing is waiting at the moment: what was buffered goes out.
    fn flush(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    /// The run is over.
    fn finish(&mut self) -> Result<(), OutputError> {
        self.flush()
    }

    /// Whether all it was told is where it belongs, after [`Self::finish`] and where nothing was said to be wrong.
    fn is_complete(&self) -> bool {
        true
    }

    /// Whether a frame that it was not told of, because others were too slow, makes it worthless.
    fn needs_every_frame(&self) -> bool {
        false
    }
}

/// A session that begins.
#[derive(Clone, Copy, Debug)]
pub struct SessionStart {
    /// Its number.
    pub session: u64,
    /// Its task.
    pub task: TaskName,
}

/// What outputs are told of sessions.
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
        /// What was sent.
        image: Arc<Image>,
    },
    /// A frame's outcome is final.
    Frame {
        /// The session.
        session: u64,
        /// All that is known of the frame.
        record: FrameRecord,
    },
    /// How a session stands.
    Progress {
        /// The session.
        session: u64,
        /// Its figures so far.
        progress: Box<Progress>,
    },
    /// A session is over.
    Ended(Box<SessionReport>),
}

impl Event {
    /// Tells an output.
    pub(super) fn tell(&self, output: &mut dyn Output) -> Result<(), OutputError> {
        match self {
            Self::Started(start) => output.started(*start),
            Self::Picture { session, id, image } => output.picture(*session, *id, image),
            Self::Frame { session, record } => output.frame(*session, record),
            Self::Progress { session, progress } => output.progress(*session, progress),
            Self::Ended(report) => output.ended(report),
        }
    }
}
