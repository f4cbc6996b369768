//! The client's window: the frame received, with its own estimate.
//!
//! The session writes into a shared state, never waiting for the screen; the painter draws what is there.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use shared::canvas::Canvas;
use shared::canvas::dashboard::{Layout, Status, Tone};
use shared::geometry::{Circle, Size};
use shared::image::Image;
use shared::protocol::message::{FoundCircle, Payload, Stream};
use shared::shell::rows::Rows;
use shared::shell::window::{Screen, Wish};

use crate::config::ServerAddress;
use crate::session::{Detection, ReceivedFrame};
use crate::tally::Tally;
use crate::view::View;
use crate::view::face::{self, CHART_FRAMES, Face};

/// The window before the first frame says how large frames are: the server's default.
const EXPECTED_FRAME: Size = Size { width: 640, height: 480 };

/// Frames kept until they are answered: more than that are in the window only at speeds nobody watches.
const KEPT_FRAMES: usize = 16;

/// The session's side of the window.
#[derive(Debug)]
pub struct WindowView {
    state: Arc<Mutex<State>>,
    rows: Rows,
}

/// The screen's side of the window.
#[derive(Debug)]
pub struct Painter {
    state: Arc<Mutex<State>>,
    layout: Layout,
    canvas: Canvas,
}

#[derive(Debug)]
struct State {
    status: Status,
    size: Size,
    waiting: VecDeque<ReceivedFrame>,
    shown: Option<(ReceivedFrame, Detection)>,
    /// Memory for the pixels shown.
    pixels: Vec<u8>,
    tally: Tally,
    detect_us: VecDeque<Option<f64>>,
    first_frame: Option<Instant>,
}

impl WindowView {
    /// A window that waits for this server, or any; its summary goes to `rows`.
    pub fn new(server: Option<&ServerAddress>, rows: Rows) -> Self {
        let text = server
            .map_or_else(|| "looking for a server".into(), |server| format!("waiting for a server at {}", server.0));
        let status = Status { text, tone: Tone::Waiting };
        let state = State {
            status,
            size: EXPECTED_FRAME,
            waiting: VecDeque::new(),
            shown: None,
            pixels: Vec::new(),
            tally: Tally::default(),
            detect_us: VecDeque::new(),
            first_frame: None,
        };
        Self { state: Arc::new(Mutex::new(state)), rows }
    }

    /// The window's size before the first frame, in pixels.
    pub fn initial_size() -> Size {
        Layout::new(EXPECTED_FRAME).size
    }

    /// Draws this view.
    pub fn painter(&self) -> Painter {
        let layout = Layout::new(EXPECTED_FRAME);
        Painter { state: self.state.clone(), canvas: layout.canvas(), layout }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl View for WindowView {
    fn greeted(&mut self, stream: &Stream) {
        let mut state = self.state();
        state.size = stream.size().unwrap_or(EXPECTED_FRAME);
        state.status = Status { text: format!("receiving {} {}", state.size, stream.pixel), tone: Tone::Good };
    }

    fn received(&mut self, frame: &ReceivedFrame) {
        let mut state = self.state();
        state.first_frame.get_or_insert_with(Instant::now);
        if state.waiting.len() == KEPT_FRAMES {
            state.waiting.pop_front();
        }
        state.waiting.push_back(frame.clone());
    }

    fn detected(&mut self, detection: &Detection, tally: &Tally) {
        let mut guard = self.state();
        let state = &mut *guard;
        state.tally.clone_from(tally);
        if detection.payload.is_dropped() {
            return;
        }
        if state.detect_us.len() == CHART_FRAMES {
            state.detect_us.pop_front();
        }
        let found = circle(&detection.payload).is_some();
        state.detect_us.push_back(found.then(|| detection.finished.since(detection.started) as f64));
        if let Some(place) = state.waiting.iter().position(|frame| frame.id == detection.frame) {
            state.shown = state.waiting.drain(..=place).next_back().map(|frame| (frame, detection.clone()));
        }
    }

    fn ended(&mut self, tally: &Tally) {
        self.rows.summary(tally.to_string());
        self.state().status = Status { text: "the session is over".into(), tone: Tone::Waiting };
    }
}

impl Painter {
    /// Draws what there is to see and says what the person wants.
    pub fn show(&mut self, screen: &mut Screen) -> Wish {
        let snapshot = self.state.lock().unwrap_or_else(PoisonError::into_inner).snapshot();
        if snapshot.size != self.layout.frame {
            self.layout = Layout::new(snapshot.size);
            self.canvas = self.layout.canvas();
        }
        face::draw(&mut self.canvas, &self.layout, &snapshot.face());
        screen.show(&self.canvas)
    }
}

/// What is drawn, taken out of the shared state so that drawing holds nobody up.
struct Snapshot {
    status: Status,
    size: Size,
    image: Option<Image>,
    shown: Option<Detection>,
    session: face::Session,
    detect_us: Vec<Option<f64>>,
}

impl State {
    fn snapshot(&mut self) -> Snapshot {
        let elapsed_s = self.first_frame.map(|first| first.elapsed().as_secs_f64());
        Snapshot {
            status: self.status.clone(),
            size: self.size,
            image: self.shown.as_ref().and_then(|(frame, _)| Some(frame.image(&mut self.pixels).ok()?.to_image())),
            shown: self.shown.as_ref().map(|(_, detection)| detection.clone()),
            session: face::Session {
                detect_p50_us: self.tally.detect_percentile_us(50.0),
                received: self.tally.received,
                circle: self.tally.circle,
                no_circle: self.tally.no_circle,
                dropped: self.tally.dropped,
                fps: elapsed_s.filter(|s| *s > 0.5).map(|s| self.tally.received as f64 / s),
            },
            detect_us: self.detect_us.iter().copied().collect(),
        }
    }
}

impl Snapshot {
    fn face(&self) -> Face<'_> {
        let frame = face::Frame {
            id: self.shown.as_ref().map(|shown| shown.frame),
            image: self.image.as_ref(),
            estimate: self.shown.as_ref().and_then(|shown| circle(&shown.payload)),
            detect_us: self.shown.as_ref().map(|shown| shown.finished.since(shown.started)),
        };
        Face { status: self.status.clone(), frame, session: self.session, detect_us: &self.detect_us }
    }
}

fn circle(payload: &Payload<'_>) -> Option<Circle> {
    FoundCircle::read(payload).ok().flatten().map(|found| found.circle)
}
