//! A session's core: what to send, when, and what the answers mean.
//!
//! Plain state: messages and `now` go in, [`Action`]s come out. The shell calls [`Session::poll`] until it returns
//! [`Action::Wait`], then waits for that moment or the next input. The core has no socket, clock or task inside, so
//! every fault is tested in virtual time. [`SessionConfig`] says what the session sends and until when, [`End`] why it
//! ended. `ticks` says when a frame is due; `answers` reads the client's answers; `kept` holds frames until they are
//! answered; `live` adds what live delivery needs, `pull` sends frames only when the client asks. `closing` ends a
//! session, and `facts` are what the report says about it.

mod action;
mod answers;
mod closing;
mod config;
mod control;
mod end;
mod facts;
mod figures;
pub mod fuzz;
mod kept;
mod live;
mod pull;
mod tally;
mod ticks;

use std::collections::VecDeque;

use bytes::Bytes;
use shared::flow::clock::OffsetEstimator;
use shared::flow::heartbeat::Heartbeat;
use shared::flow::live::Sender;
use shared::flow::liveness::{Liveness, Silence};
use shared::flow::pacer::Pacer;
use shared::flow::verdict::Verdict;
use shared::link::Lane;
use shared::protocol::HELLO_LIMIT;
use shared::protocol::fragment::Reassembler;
use shared::protocol::message::{Control, Ping};
use shared::time::Micros;
use tracing::warn;

use crate::score::pairing::Pairing;

use kept::KeptFrames;
use pull::Requests;

pub use action::{Action, Capture};
pub use config::SessionConfig;
pub use end::{ClientInfo, End};
pub use figures::{Bytes as SentBytes, Figures};
pub use kept::AnsweredFrame;
pub use shared::flow::live::KeptPiece;
pub use tally::{Progress, Tally};

/// Maximum number of partly received answers. With their pool of twice as many, and with pieces that overtook others,
/// they take 4 MiB.
const MAX_OPEN_ANSWERS: usize = 16;

/// The phase of a session.
#[derive(Debug)]
enum Phase {
    /// Waiting for the client's hello.
    Greeting { until: Micros },
    /// Sending frames.
    Streaming(Pacer),
    /// Waiting for outstanding answers, at most until `until`.
    Draining { until: Option<Micros>, end: End },
    /// Over; `closing` once the shell has been told.
    Over { end: End, closing: bool },
}

/// A session with one client.
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    accepted: Micros,
    phase: Phase,
    outbox: VecDeque<Action>,
    /// Set from a capture until the link has taken the whole frame.
    link_busy: bool,
    /// Whether a frame was requested and has not come yet.
    capturing: bool,
    /// Whether a tick is due and waits for the link or for room in the window.
    tick_waits: bool,
    /// How long the tick of the requested frame had waited, in µs.
    waited_us: u64,
    /// Whether the source is still making its first frame: ticks begin with that frame.
    is_starting: bool,
    /// Whether the source had no further frame while the session still wanted one.
    is_source_over: bool,
    /// Frames asked for at a tick when the source had none ready.
    late_frames: u64,
    /// Only in live delivery.
    live: Option<Sender>,
    /// Only in sessions that send frames on request.
    requests: Option<Requests>,
    newest_reply: Option<u64>,
    pairing: Pairing,
    tally: Tally,
    kept: KeptFrames,
    answers: Reassembler,
    liveness: Liveness,
    no_hello: Verdict,
    /// What was wrong with a hello that was ignored.
    wrong_hello: Option<String>,
    last_word: Option<String>,
    heartbeat: Heartbeat,
    offset: OffsetEstimator,
    client: Option<ClientInfo>,
    first_capture: Option<Micros>,
    connect_us: Option<u64>,
    first_score_us: Option<u64>,
    ignored_messages: u64,
}

impl Session {
    /// Starts a session on a link that opened at `now` and whose TCP connection was accepted at `accepted`.
    pub fn new(config: SessionConfig, accepted: Micros, now: Micros) -> Self {
        let mut session = Self {
            accepted,
            phase: Phase::Greeting { until: now + HELLO_LIMIT },
            outbox: VecDeque::new(),
            link_busy: false,
            capturing: false,
            tick_waits: false,
            waited_us: 0,
            is_starting: false,
            is_source_over: false,
            late_frames: 0,
            live: config.lifetime().map(Sender::new),
            requests: None,
            newest_reply: None,
            pairing: Pairing::new(config.window, config.deadline, config.lifetime()),
            tally: Tally::after(config.warmup, config.task),
            kept: KeptFrames::default(),
            answers: reassembler(&config),
            liveness: Liveness::new(now),
            no_hello: Verdict::default(),
            wrong_hello: None,
            last_word: None,
            heartbeat: Heartbeat::new(now),
            offset: OffsetEstimator::default(),
            client: None,
            first_capture: None,
            connect_us: None,
            first_score_us: None,
            ignored_messages: 0,
            config,
        };
        session.send_control(&Control::Hello(session.hello()));
        session
    }

    /// Handles a message that arrived on a lane.
    pub fn message(&mut self, lane: Lane, bytes: &Bytes, now: Micros) {
        self.liveness.heard(now);
        match lane {
            Lane::Control => self.control(bytes, now),
            Lane::Answers => self.answer(bytes, now),
            Lane::Frames => self.ignore(&"it came on the frames lane, which is the server's"),
        }
    }

    /// Notes that the frame asked for by [`Action::Capture`] is being sent in these pieces (used in live delivery).
    ///
    /// A live frame whose encoding took longer than its lifetime is lost: [`Action::GiveUp`] follows, and nothing of
    /// the frame should be sent. The session still waits for [`Self::link_ready`].
    pub fn captured<'a>(&mut self, capture: Capture, pieces: impl IntoIterator<Item = &'a [u8]>) {
        let (id, pairing) = (self.pairing.next_id(), &self.pairing);
        let too_late = self.live.as_ref().is_some_and(|live| live.is_too_late(capture.captured, capture.encoded));
        match &mut self.live {
            Some(live) if !too_late => {
                let is_fresh = |id| pairing.is_fresh(id, capture.encoded);
                live.sending(id, capture.captured, capture.wire_bytes as usize, pieces, is_fresh);
            }
            _ => {}
        }
        self.first_capture.get_or_insert(capture.captured);
        self.start_ticks(capture.captured);
        self.tally.sent(capture.captured, capture.raw_bytes, if too_late { 0 } else { capture.wire_bytes });
        (self.capturing, self.link_busy) = (false, true);
        self.pairing.sent(capture.source_index, capture.truth, capture.captured, capture.encoded);
        if too_late {
            self.not_ready(id, &capture);
        }
    }

    /// Notes that the link took the whole frame, or that the frame was given up: the link is ready for the next frame.
    pub fn link_ready(&mut self) {
        self.link_busy = false;
        if let Some(live) = &mut self.live {
            live.sent();
        }
    }

    /// Notes that the link had no room for the piece of this frame that [`Action::Resend`] asked to send.
    pub fn not_resent(&mut self, frame: u64) {
        if let Some(live) = &mut self.live {
            live.not_retransmitted(frame);
        }
    }

    /// How silent the client is.
    pub fn silence(&self, now: Micros) -> Silence {
        let silence = self.liveness.silence(now);
        // A ping may still wait for the shell, and a client need not answer before its hello, which has a limit of its own.
        let is_asked = silence.is_asked && self.outbox.is_empty() && self.client.is_some();
        Silence { is_asked, ..silence }
    }

    /// Notes that the client's link acknowledged something.
    pub fn acknowledged(&mut self, now: Micros) {
        self.liveness.acknowledged(now);
    }

    /// The next thing that the shell must do.
    pub fn poll(&mut self, now: Micros) -> Action {
        self.advance(now);
        let next = self.outbox.pop_front();
        if let Some(action) = next.or_else(|| self.next_retransmission()) {
            return action;
        }
        if let Some(finished) = self.pairing.next_finished() {
            self.first_score_us.get_or_insert(now.since(self.accepted));
            return Action::Score(self.tally.finish(finished, self.offset.best(now)));
        }
        match &mut self.phase {
            Phase::Over { end, closing } if !*closing => {
                *closing = true;
                Action::Close(end.clone())
            }
            Phase::Over { .. } => Action::Wait(now + HELLO_LIMIT),
            Phase::Streaming(_) => self.stream(now),
            Phase::Greeting { .. } | Phase::Draining { .. } => Action::Wait(self.next_moment(now)),
        }
    }

    /// Handles the passing of time: deadlines, silence, pings, the end of a phase.
    fn advance(&mut self, now: Micros) {
        if matches!(self.phase, Phase::Over { .. }) {
            return;
        }
        self.pairing.expire(now);
        self.advance_live(now);
        if self.liveness.is_gone(now) {
            let reason = self.liveness.describe(now);
            return self.lost(reason);
        }
        if let Some(id) = self.heartbeat.poll(now) {
            self.send_control(&Control::Ping(Ping { id }));
            self.liveness.asked();
        }
        match &self.phase {
            Phase::Greeting { until } if self.no_hello.is_final(*until, now) => {
                let reason = match &self.wrong_hello {
                    None => format!("no hello within {} s", HELLO_LIMIT.as_secs()),
                    Some(wrong) => format!("no valid hello within {} s: {wrong}", HELLO_LIMIT.as_secs()),
                };
                self.finish(End::Rejected { reason });
            }
            Phase::Streaming(_) if self.sent_enough(now) => {
                self.phase = Phase::Draining { until: None, end: End::Finished };
                self.advance(now);
            }
            Phase::Draining { until, end }
                if self.pairing.unanswered() == 0 || until.is_some_and(|until| now >= until) =>
            {
                self.finish(end.clone());
            }
            _ => {}
        }
    }

    fn sent_enough(&self, now: Micros) -> bool {
        let all_sent = self.config.frames.is_some_and(|frames| self.pairing.next_id() >= frames.get());
        all_sent || self.end_of_duration().is_some_and(|end| now >= end)
    }

    fn end_of_duration(&self) -> Option<Micros> {
        Some(self.first_capture? + self.config.duration?)
    }

    /// The next moment at which something changes without any input.
    fn next_moment(&self, now: Micros) -> Micros {
        let phase_ends = match &self.phase {
            Phase::Greeting { until } => Some(self.no_hello.next(*until)),
            Phase::Draining { until, .. } => *until,
            Phase::Streaming(_) => self.end_of_duration(),
            Phase::Over { .. } => None,
        };
        let live = self.live.as_ref().and_then(|live| live.next_moment(self.link_busy));
        let moments = [phase_ends, self.pairing.next_deadline(), live, Some(self.heartbeat.next())];
        moments.into_iter().flatten().fold(self.liveness.wake(now), Micros::min)
    }

    fn ignore(&mut self, what: &dyn std::fmt::Display) {
        if self.ignored_messages == 0 {
            warn!("session {}: ignoring a message: {what} (further ones are counted, not logged)", self.config.number);
        }
        self.ignored_messages += 1;
    }
}

/// A reassembler for the answers of a session.
fn reassembler(config: &SessionConfig) -> Reassembler {
    let window = config.window.get() as usize;
    let open = if config.task.keeps_frames() { window } else { MAX_OPEN_ANSWERS.min(window) };
    Reassembler::new(config.largest_answer(), open)
}
