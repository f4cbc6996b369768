//! The client's window: the received frame with the client's answer drawn on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use shared::canvas::colour::Look;
use shared::canvas::face::{Face, Section};
use shared::canvas::header::Status;
use shared::canvas::history::History;
use shared::canvas::pairing::Pairing;
use shared::canvas::theme::Tone;
use shared::geometry::Size;
use shared::image::Image;
use shared::protocol::message::{Meta, Stream};
use shared::shell::rows::Rows;
use shared::shell::window::{Board, Subject};

use crate::pipeline::{Answers, NoAnswers};
use crate::session::{Detection, ReceivedFrame};
use crate::tally::Tally;
use crate::view::seam::{View, Views};
use crate::view::sections::{Figures, Frame, sections, source_section};
use crate::view::terminal::summary;

/// Frame size that the window assumes before the first frame: the server's default.
const EXPECTED_FRAME: Size = Size { width: 640, height: 480 };

/// Time after the first frame from which on the rate is shown, in seconds. Earlier, too few frames have arrived to
/// compute it.
const RATE_AFTER_S: f64 = 0.5;

/// The session's side of the window.
#[derive(Debug)]
pub struct WindowView {
    board: Board<Received>,
    rows: Rows,
    /// What its keys do.
    keys: &'static str,
    /// Number of the session, where several may share the window.
    session: Option<u64>,
    /// The session that the window shows.
    newest: Arc<AtomicU64>,
}

/// The state that the window shows.
#[derive(Clone, Debug)]
pub struct Received {
    status: Status,
    size: Size,
    look: Look,
    frames: Pairing<ReceivedFrame, Frame>,
    answers: &'static dyn Answers,
    figures: Figures,
    work_us: History,
    meta: Meta,
    first_frame: Option<Instant>,
}

impl WindowView {
    /// Creates a window that says what the client waits for. Gray16 frames are shown with this colour map and range.
    /// Its summary goes to `rows`.
    pub fn new(waiting_for: &str, look: Look, rows: Rows) -> Self {
        let board = Board::new(Received::waiting(waiting_for, look));
        Self { board, rows, keys: "", session: None, newest: Arc::default() }
    }

    /// Makes the window say what its keys do. `pull` tells whether frames come only on request.
    #[must_use]
    pub fn naming_keys(self, pull: bool) -> Self {
        let keys = if pull { "; n: next frame, q: quit, x: quit both" } else { "; q: quit, x: quit both" };
        Self { keys, ..self }
    }

    /// The board that the window draws from.
    pub fn board(&self) -> Board<Received> {
        self.board.clone()
    }

    /// Whether the window shows this session.
    fn is_shown(&self) -> bool {
        self.session.is_none_or(|number| number == self.newest.load(Ordering::Relaxed))
    }
}

impl Views for WindowView {
    fn of(&self, session: u64) -> Box<dyn View> {
        let (board, rows, newest) = (self.board.clone(), self.rows.clone(), self.newest.clone());
        Box::new(Self { board, rows, keys: self.keys, session: Some(session), newest })
    }
}

impl Subject for Received {
    fn face(&self) -> Face {
        let (received, frame) = self.frames.last().map(|(received, frame)| (received, frame)).unzip();
        let mark = frame.and_then(|frame| self.answers.mark(&frame.payload));
        Face {
            title: "Plumb client",
            status: self.status.clone(),
            frame: self.size,
            image: received.and_then(picture),
            look: self.look,
            marks: mark.into_iter().collect(),
            legend: self.answers.legend(),
            sections: self.sections(frame),
        }
    }
}

impl Received {
    /// The state before the first frame.
    fn waiting(text: &str, look: Look) -> Self {
        Self {
            status: Status::new(text, Tone::Waiting),
            size: EXPECTED_FRAME,
            look,
            frames: Pairing::default(),
            answers: &NoAnswers,
            figures: Figures::default(),
            work_us: History::default(),
            meta: Meta::new(),
            first_frame: None,
        }
    }

    /// The panel. The stream's metadata are above the chart, which takes the rest of the height.
    fn sections(&self, frame: Option<&Frame>) -> Vec<Section> {
        let mut sections = sections(self.answers, frame, &self.figures, self.received_hz(), &self.work_us);
        if let Some(source) = source_section(&self.meta) {
            sections.insert(sections.len() - 1, source);
        }
        sections
    }

    /// Rate of received frames in Hz, once enough time has passed to compute it.
    fn received_hz(&self) -> Option<f64> {
        let elapsed_s = self.first_frame?.elapsed().as_secs_f64();
        (elapsed_s > RATE_AFTER_S).then(|| self.figures.received as f64 / elapsed_s)
    }

    fn answered(&mut self, detection: &Detection) {
        let payload = &detection.payload;
        if payload.is_dropped() {
            return;
        }
        let work_us = detection.finished.since(detection.started);
        let is_gap = self.answers.kinds().iter().any(|kind| kind.is_bad && kind.name == payload.kind());
        self.work_us.push((!is_gap).then_some(work_us as f64));
        self.frames.scored(detection.frame, Frame { id: detection.frame, payload: payload.without_bytes(), work_us });
    }
}

/// Decodes a frame's pixels. `None` if they cannot be read.
fn picture(frame: &ReceivedFrame) -> Option<Arc<Image>> {
    let mut memory = Vec::new();
    let image = frame.image(&mut memory).ok()?;
    Some(Arc::new(image.to_image()))
}

impl View for WindowView {
    fn greeted(&mut self, stream: &Stream, answers: &'static dyn Answers) {
        let size = stream.size().unwrap_or(EXPECTED_FRAME);
        let mut receiving = format!("receiving {size} {}{}", stream.pixel, self.keys);
        if let Some(number) = self.session {
            self.newest.fetch_max(number, Ordering::Relaxed);
            receiving = format!("session {number}: {receiving}");
        }
        if !self.is_shown() {
            return;
        }
        let figures = Figures::of(&Tally::of(answers));
        let meta = stream.meta.clone().unwrap_or_default();
        self.board.write(|received| {
            *received = Received { size, answers, figures, meta, ..Received::waiting("", received.look) };
            received.status = Status::new(receiving, Tone::Good);
        });
    }

    fn received(&mut self, frame: &ReceivedFrame) {
        if !self.is_shown() {
            return;
        }
        self.board.write(|received| {
            received.first_frame.get_or_insert_with(Instant::now);
            received.frames.picture(frame.id, frame.clone());
        });
    }

    fn detected(&mut self, detection: &Detection, tally: &Tally) {
        if !self.is_shown() {
            return;
        }
        let figures = Figures::of(tally);
        self.board.write(|received| {
            received.figures = figures;
            received.answered(detection);
        });
    }

    fn ended(&mut self, tally: &Tally) {
        self.rows.summary(summary(tally, self.session));
        if self.is_shown() {
            self.board.write(|received| received.status = Status::new("the session is over", Tone::Waiting));
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::canvas::mark::Legend;
    use shared::geometry::Circle;
    use shared::image::PixelFormat;
    use shared::protocol::encoding::StreamEncoding;
    use shared::protocol::message::{Delivery, FoundCircle, Payload};
    use shared::time::Micros;

    use super::*;
    use crate::pipeline::PipelineChoice;

    fn waiting() -> WindowView {
        WindowView::new("looking for a server", Look::default(), Rows::to(std::io::sink()))
    }

    /// The face of a view for this task after one answered frame.
    fn face_of(task: &str, payload: Payload<'static>) -> Face {
        let answers = PipelineChoice::auto().for_task(task).expect("a pipeline").answers();
        let mut view = waiting();
        view.greeted(&stream(task), answers);
        let detection =
            Detection { frame: 7, received: Micros(0), started: Micros(100), finished: Micros(350), payload };
        let mut tally = Tally::of(answers);
        tally.received += 1;
        tally.add(&detection);
        view.detected(&detection, &tally);
        view.board().face()
    }

    fn stream(task: &str) -> Stream {
        Stream {
            width: 320,
            height: 240,
            pixel: PixelFormat::Gray8,
            rate_hz: None,
            window: 8,
            delivery: Delivery::Reliable,
            lifetime_us: None,
            deadline_us: None,
            meta: None,
            encoding: StreamEncoding::Raw,
            task: task.into(),
        }
    }

    fn times(face: &Face) -> String {
        format!("{:?}", face.sections.last())
    }

    #[test]
    fn a_window_waits_for_its_server() {
        let face = waiting().board().face();
        assert_eq!(face.status, Status::new("looking for a server", Tone::Waiting));
        assert_eq!((face.legend, face.frame), (Legend::Nothing, EXPECTED_FRAME));
        assert!(face.marks.is_empty() && face.image.is_none());
    }

    #[test]
    fn a_window_says_what_its_keys_do() {
        for (pull, said) in [(true, "n: next frame, q: quit, x: quit both"), (false, "gray8; q: quit, x: quit both")] {
            let mut view = waiting().naming_keys(pull);
            view.greeted(&stream("ack"), &NoAnswers);
            let text = view.board().face().status.text;
            assert!(text.ends_with(said), "{text}");
        }
    }

    #[test]
    fn a_detection_counts_and_adds_its_time_where_it_found_a_circle() {
        let circle = Circle { x: 1.0, y: 2.0, radius: 3.0 };
        let found =
            face_of("circle", FoundCircle::write(Some(FoundCircle { circle: circle.into(), covariance: None })));
        assert_eq!((found.legend, found.frame), (Legend::Estimate, Size { width: 320, height: 240 }));
        assert!(times(&found).contains("[Some(250.0)]"), "{}", times(&found));
        let none = face_of("circle", FoundCircle::write(None));
        assert!(times(&none).contains("[None]"), "{}", times(&none));
        let dropped = face_of("circle", Payload::dropped());
        assert!(times(&dropped).contains("[]"), "a dropped frame has no time: {}", times(&dropped));
        assert_ne!(found.sections[2], dropped.sections[2], "each is counted as what it is");
    }

    #[test]
    fn a_window_of_several_sessions_shows_the_newest() {
        let answers = PipelineChoice::auto().for_task("ack").expect("a pipeline").answers();
        let shared = waiting();
        let [mut older, mut newer] = [1, 2].map(|session| shared.of(session));
        let status = || shared.board().face().status.text;
        older.greeted(&stream("ack"), answers);
        assert_eq!(status(), "session 1: receiving 320x240 gray8");
        newer.greeted(&stream("ack"), answers);
        older.ended(&Tally::of(answers));
        assert_eq!(status(), "session 2: receiving 320x240 gray8");
        newer.ended(&Tally::of(answers));
        assert_eq!(status(), "the session is over");
    }

    #[test]
    fn a_session_without_circles_has_no_estimates_to_mark() {
        let face = face_of("ack", Payload::new("ack"));
        assert_eq!(face.legend, Legend::Nothing);
        assert!(face.marks.is_empty() && times(&face).contains("[Some(250.0)]"), "{}", times(&face));
    }
}
