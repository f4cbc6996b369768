//! The window: a frame with truth and estimate, and the client's figures.
//!
//! The output writes to the board, and the painter draws what is there. With several clients the window shows the
//! session that began first; when it ends, the next. If answers are pictures, `beside` shows each next to its frame.

mod beside;
mod sections;
mod watched;

use std::sync::Arc;

use shared::canvas::colour::Look;
use shared::canvas::face::Face;
use shared::canvas::history::History;
use shared::canvas::mark::{Legend, Mark};
use shared::canvas::pairing::Pairing;
use shared::geometry::Size;
use shared::image::Image;
use shared::shell::window::{Board, Subject};

use super::error::OutputError;
use super::report::SessionReport;
use super::seam::{Output, Picture, SessionStart};
use super::writer::Shown;
use crate::score::record::FrameRecord;
use crate::session::Progress;
use crate::task::TaskName;
use crate::truth::Truth;

use beside::side_by_side;
use watched::Watched;

/// The window's output, on the writer's thread.
#[derive(Debug)]
pub struct WindowOutput {
    board: Board<Sessions>,
    /// Tells the sessions which of them is shown.
    shown: Shown,
    /// Whether the task's answers are pictures, shown beside their frames.
    shows_answers: bool,
    look: Look,
}

/// What the window shows of the sessions.
#[derive(Clone, Debug)]
pub struct Sessions {
    frame: Size,
    task: TaskName,
    look: Look,
    waiting: String,
    watched: Watched<Session>,
}

/// What the window shows of one session.
#[derive(Clone, Debug, Default)]
struct Session {
    frames: Pairing<Arc<Image>, FrameRecord>,
    progress: Option<Progress>,
    chart: History,
}

impl Sessions {
    /// Starts without a session. The window is for frames of this size, in this look, and says `waiting`.
    pub fn new(frame: Size, task: TaskName, look: Look, waiting: String) -> Self {
        let frame = if task.keeps_frames() { beside::size_of_both(frame) } else { frame };
        Self { frame, task, look, waiting, watched: Watched::default() }
    }

    /// Changes the text that is shown while there is no client.
    pub fn wait_for(&mut self, waiting: String) {
        self.waiting = waiting;
    }
}

impl WindowOutput {
    /// Shows the sessions on this board, and sets `shown` to the session that is shown.
    pub fn new(board: Board<Sessions>, shown: Shown, task: TaskName, look: Look) -> Self {
        Self { board, shown, shows_answers: task.keeps_frames(), look }
    }

    fn write(&mut self, write: impl FnOnce(&mut Sessions)) -> Result<(), OutputError> {
        let shown = self.board.write(|sessions| {
            write(sessions);
            sessions.watched.first()
        });
        self.shown.set(shown.unwrap_or_default());
        Ok(())
    }

    fn write_session(&mut self, session: u64, write: impl FnOnce(&mut Session, TaskName)) -> Result<(), OutputError> {
        self.write(|sessions| {
            let task = sessions.task;
            if let Some(session) = sessions.watched.of(session) {
                write(session, task);
            }
        })
    }
}

impl Output for WindowOutput {
    fn name(&self) -> String {
        "window".into()
    }

    fn started(&mut self, start: SessionStart) -> Result<(), OutputError> {
        self.write(|sessions| sessions.watched.begin(start.session))
    }

    fn picture(&mut self, session: u64, id: u64, picture: &Picture) -> Result<(), OutputError> {
        let shown = match self.shows_answers {
            true => Arc::new(side_by_side(&picture.frame, picture.answer.as_deref(), self.look)),
            false => picture.frame.clone(),
        };
        self.write_session(session, |session, _| session.frames.picture(id, shown))
    }

    fn frame(&mut self, session: u64, record: &FrameRecord) -> Result<(), OutputError> {
        self.write_session(session, |session, task| {
            session.chart.push(task.chart().value_of(record));
            session.frames.scored(record.id, record.clone());
        })
    }

    fn progress(&mut self, session: u64, progress: &Progress) -> Result<(), OutputError> {
        self.write_session(session, |session, _| session.progress = Some(progress.clone()))
    }

    fn ended(&mut self, report: &SessionReport) -> Result<(), OutputError> {
        self.write(|sessions| sessions.watched.end(report.session))
    }
}

fn legend(task: TaskName) -> Legend {
    match (task.keeps_frames(), task.has_places()) {
        (true, _) => Legend::Words("left: sent, right: answer"),
        (_, true) => Legend::Both,
        _ => Legend::Nothing,
    }
}

impl Subject for Sessions {
    fn face(&self) -> Face {
        let Session { frames, progress, chart } = self.watched.shown();
        let (image, record) = frames.last().map(|(image, record)| (image.clone(), record)).unzip();
        Face {
            title: "Plumb server",
            status: self.watched.status(&self.waiting),
            frame: self.frame,
            image,
            look: self.look,
            marks: record.map_or_else(Vec::new, |record| marks(self.task, record)),
            legend: legend(self.task),
            sections: sections::sections(self.task, record, progress.as_ref(), chart),
        }
    }
}

/// The marks on a frame's picture.
fn marks(task: TaskName, record: &FrameRecord) -> Vec<Mark> {
    if !task.has_places() {
        return Vec::new();
    }
    let truth = match record.truth {
        Truth::Ball { circle, .. } | Truth::Projected { circle, .. } => Some(Mark::Truth(circle)),
        Truth::Centre { .. } | Truth::Balls(_) | Truth::Empty | Truth::Unknown => None,
    };
    let estimate = record.answer.as_ref().and_then(|answer| task.estimate(answer)).map(Mark::Estimate);
    [truth, estimate].into_iter().flatten().collect()
}
