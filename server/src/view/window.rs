//! The server's window: the frame with truth and estimate, and how well the client does.
//!
//! The sessions write into a shared state, never waiting for the screen; the painter draws what is there. With several
//! clients the window shows the session that began first, and the next when it ends.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::canvas::Canvas;
use shared::canvas::dashboard::{Layout, Status, Tone};
use shared::geometry::{Circle, Size};
use shared::image::Image;
use shared::shell::window::{Screen, Wish};

use crate::report::SessionReport;
use crate::score::error::PixelError;
use crate::score::summary::Tally;
use crate::score::{FrameScore, Outcome, Truth};
use crate::view::View;
use crate::view::face::{self, CHART_FRAMES, Face};

/// Frames kept until their score is final: more than that are out only at speeds nobody watches.
const KEPT_FRAMES: usize = 16;

/// The sessions' side of the window.
#[derive(Clone, Debug)]
pub struct WindowView {
    state: Arc<Mutex<State>>,
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
    waiting: String,
    sessions: BTreeSet<u64>,
    frames: VecDeque<(u64, Image)>,
    shown: Option<(Image, FrameScore)>,
    session: face::Session,
    counts: face::Counts,
    errors_px: VecDeque<Option<f64>>,
}

impl WindowView {
    /// A window that says `waiting` while there is no client.
    pub fn new(waiting: String) -> Self {
        let state = State {
            waiting,
            sessions: BTreeSet::new(),
            frames: VecDeque::new(),
            shown: None,
            session: face::Session::default(),
            counts: face::Counts::default(),
            errors_px: VecDeque::new(),
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// The window's size for frames of `size`, in pixels.
    pub fn window_size(size: Size) -> Size {
        Layout::new(size).size
    }

    /// Says something else while there is no client.
    pub fn set_waiting(&self, waiting: String) {
        self.state().waiting = waiting;
    }

    /// Draws this view, for frames of `size`.
    pub fn painter(&self, size: Size) -> Painter {
        let layout = Layout::new(size);
        Painter { state: self.state.clone(), canvas: layout.canvas(), layout }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl View for WindowView {
    fn started(&self, session: u64) {
        let mut state = self.state();
        state.sessions.insert(session);
        if state.shows(session) {
            state.clear();
        }
    }

    fn sent(&self, session: u64, id: u64, image: &Image) {
        let mut state = self.state();
        if !state.shows(session) {
            return;
        }
        // The oldest kept image lends its memory to the newest.
        let image = match state.frames.len() {
            KEPT_FRAMES => state.frames.pop_front().map(|(_, mut old)| {
                old.clone_from(image);
                old
            }),
            _ => None,
        }
        .unwrap_or_else(|| image.clone());
        state.frames.push_back((id, image));
    }

    fn scored(&self, session: u64, score: &FrameScore, tally: &Tally) {
        let mut guard = self.state();
        let state = &mut *guard;
        if !state.shows(session) {
            return;
        }
        state.session = session_figures(tally, score);
        state.counts = outcome_counts(tally);
        if state.errors_px.len() == CHART_FRAMES {
            state.errors_px.pop_front();
        }
        state.errors_px.push_back(score.error.map(PixelError::l1));
        if let Some(place) = state.frames.iter().position(|(id, _)| *id == score.id) {
            state.shown = state.frames.drain(..=place).next_back().map(|(_, image)| (image, *score));
        }
    }

    fn ended(&self, report: &SessionReport) {
        let mut state = self.state();
        let shown = state.shows(report.session);
        state.sessions.remove(&report.session);
        if shown && !state.sessions.is_empty() {
            state.clear();
        }
    }
}

impl State {
    fn shows(&self, session: u64) -> bool {
        self.sessions.first() == Some(&session)
    }

    fn clear(&mut self) {
        self.frames.clear();
        self.shown = None;
        self.session = face::Session::default();
        self.counts = face::Counts::default();
        self.errors_px.clear();
    }

    fn status(&self) -> Status {
        match (self.sessions.first(), self.sessions.len()) {
            (None, _) => Status { text: self.waiting.clone(), tone: Tone::Waiting },
            (Some(session), 1) => Status { text: format!("session {session}"), tone: Tone::Good },
            (Some(session), all) => Status { text: format!("session {session} of {all} at a time"), tone: Tone::Good },
        }
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            status: self.status(),
            shown: self.shown.clone(),
            session: self.session,
            counts: self.counts,
            errors_px: self.errors_px.iter().copied().collect(),
        }
    }
}

/// What is drawn, taken out of the shared state so that drawing holds nobody up.
struct Snapshot {
    status: Status,
    shown: Option<(Image, FrameScore)>,
    session: face::Session,
    counts: face::Counts,
    errors_px: Vec<Option<f64>>,
}

impl Snapshot {
    fn face(&self) -> Face<'_> {
        let score = self.shown.as_ref().map(|(_, score)| score);
        let frame = face::Frame {
            id: score.map(|score| score.id),
            image: self.shown.as_ref().map(|(image, _)| image),
            truth: score.and_then(|score| ball(score.truth)),
            estimate: score.and_then(|score| estimate(score.outcome)),
            error_px: score.and_then(|score| Some(score.error?.l1())),
            latency_us: score.and_then(|score| Some(score.latency?.total_us)),
        };
        Face {
            status: self.status.clone(),
            frame,
            session: self.session,
            counts: self.counts,
            errors_px: &self.errors_px,
        }
    }
}

fn session_figures(tally: &Tally, score: &FrameScore) -> face::Session {
    face::Session {
        cumulative_error_px: Some(score.cumulative_l1_px),
        mean_error_px: tally.mean_l1_px(),
        efficiency: tally.efficiency().map(|(ratio, kind)| (ratio, kind.describe())),
        latency_p50_us: tally.latency_p50_us(),
        fps: tally.sent_fps(),
    }
}

fn outcome_counts(tally: &Tally) -> face::Counts {
    let counts = tally.counts();
    face::Counts {
        sent: counts.sent,
        circle: counts.circle,
        no_circle: counts.no_circle,
        dropped: counts.dropped,
        lost: counts.lost,
    }
}

fn ball(truth: Truth) -> Option<Circle> {
    match truth {
        Truth::Ball { circle, .. } => Some(circle),
        Truth::Empty | Truth::Unknown => None,
    }
}

fn estimate(outcome: Outcome) -> Option<Circle> {
    match outcome {
        Outcome::Circle { estimate, .. } => Some(estimate),
        _ => None,
    }
}

impl Painter {
    /// Draws what there is to see and says what the person wants.
    pub fn show(&mut self, screen: &mut Screen) -> Wish {
        let snapshot = self.state.lock().unwrap_or_else(PoisonError::into_inner).snapshot();
        face::draw(&mut self.canvas, &self.layout, &snapshot.face());
        screen.show(&self.canvas)
    }
}
