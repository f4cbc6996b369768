//! A session's core: what to send, when, and what the answers mean.
//!
//! Plain state: messages and `now` go in, [`Action`]s come out. The shell calls [`Session::poll`] until it returns
//! [`Action::Wait`], then waits for that moment or the next input. The core has no socket, clock or task inside, so
//! every fault is tested in virtual time. [`SessionConfig`] says what the session sends and until when, [`End`] why it
//! ended. `answers` reads the client's answers; `kept` holds frames that are compared with their answers; `live` adds
//! what live delivery needs, `pull` sends frames only when the client asks.

mod action;
mod answers;
mod config;
mod control;
mod end;
mod figures;
mod kept;
mod live;
mod pull;
mod tally;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use shared::flow::clock::{ClockOffset, OffsetEstimator};
use shared::flow::heartbeat::Heartbeat;
use shared::flow::live::Sender;
use shared::flow::liveness::Liveness;
use shared::flow::pacer::{Pace, Pacer, Rate};
use shared::flow::verdict::Verdict;
use shared::link::Lane;
use shared::protocol::HELLO_LIMIT;
use shared::protocol::encoding::StreamEncoding;
use shared::protocol::fragment::Reassembler;
use shared::protocol::message::{Control, Ping};
use shared::time::Micros;
use tracing::warn;

use crate::score::pairing::Pairing;
use crate::task::TaskName;

use kept::KeptFrames;
use pull::Requests;

pub use action::{Action, Capture};
pub use config::SessionConfig;
pub use end::{ClientInfo, End};
pub use figures::{Bytes as SentBytes, Figures};
pub use shared::flow::live::KeptPiece;
pub use tally::{Progress, Tally};

/// How long a stopped session waits for outstanding answers.
const STOP_LIMIT: Duration = Duration::from_millis(300);

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

    /// Notes that the source has no frame ready for [`Action::Capture`]. The frame comes later.
    ///
    /// A source that blocks may take a moment for its first frame, such as the start of a decoder. No tick passes
    /// meanwhile: they begin when that frame is captured.
    pub fn source_is_late(&mut self) {
        match self.first_capture {
            None => self.is_starting = true,
            Some(_) => self.late_frames += 1,
        }
    }

    /// Restarts the ticks at a first frame that was late.
    fn start_ticks(&mut self, captured: Micros) {
        let rate = self.rate();
        if let Phase::Streaming(pacer) = &mut self.phase
            && std::mem::take(&mut self.is_starting)
        {
            *pacer = Pacer::new(rate, captured);
            pacer.take(captured);
        }
    }

    /// Whether the frame asked for by [`Action::Capture`] is still wanted: the session may have ended since.
    pub fn is_capturing(&self) -> bool {
        self.capturing && matches!(self.phase, Phase::Streaming(_))
    }

    /// How long the tick of the frame asked for by [`Action::Capture`] had waited for the link or for room in the
    /// window, in µs. The frame counts as captured that much earlier: a pipeline that keeps up on average is still late
    /// with this frame.
    pub fn waited_us(&self) -> u64 {
        self.waited_us
    }

    /// Notes that the source has no further frame: the session ends once the sent frames are answered.
    pub fn source_ended(&mut self) {
        self.end_streaming(End::Finished);
    }

    /// Notes that the source failed: the session waits for outstanding answers, then ends for this reason.
    pub fn source_failed(&mut self, reason: &str) {
        self.end_streaming(End::SourceFailed { reason: reason.to_owned() });
    }

    fn end_streaming(&mut self, end: End) {
        (self.capturing, self.link_busy) = (false, false);
        if matches!(self.phase, Phase::Streaming(_)) {
            self.phase = Phase::Draining { until: None, end };
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

    /// Notes that the signaling connection ended, which is only a hint that the client is gone.
    pub fn peer_may_be_gone(&mut self, now: Micros) {
        self.liveness.peer_may_be_gone(now);
    }

    /// Notes that the client said on the signaling connection that it leaves. Its reason is used if no `bye` comes over
    /// the link.
    pub fn peer_leaves(&mut self, reason: String, now: Micros) {
        self.last_word = Some(reason);
        self.liveness.peer_may_be_gone(now);
    }

    /// Whether the client has been silent long enough to check if its link still acknowledges.
    pub fn is_silent(&self, now: Micros) -> bool {
        self.liveness.is_silent(now)
    }

    /// Notes that the client's link acknowledged something.
    pub fn acknowledged(&mut self, now: Micros) {
        self.liveness.acknowledged(now);
    }

    /// Notes that the link closed or broke.
    pub fn link_closed(&mut self, reason: &str) {
        self.lost(reason.to_owned());
    }

    /// Ends the session because the client is gone. If the client said that it leaves, the session counts as left.
    fn lost(&mut self, reason: String) {
        let end = match self.last_word.take() {
            Some(reason) => End::ClientLeft { reason },
            None => End::ClientGone { reason },
        };
        self.finish(end);
    }

    /// Rejects a client that has just said hello. The client is told why, and does not count as having been here.
    pub fn reject(&mut self, reason: String) {
        (self.client, self.connect_us) = (None, None);
        self.finish(End::Rejected { reason });
    }

    /// Stops the session because the server was told to stop.
    pub fn stop(&mut self, now: Micros) {
        match self.phase {
            Phase::Greeting { .. } => self.finish(End::Stopped),
            Phase::Streaming(_) | Phase::Draining { .. } => {
                self.phase = Phase::Draining { until: Some(now + STOP_LIMIT), end: End::Stopped };
            }
            Phase::Over { .. } => {}
        }
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

    /// The session's number.
    pub fn number(&self) -> u64 {
        self.config.number
    }

    /// How the session's frames are encoded.
    pub fn encoding(&self) -> StreamEncoding {
        self.config.encoding
    }

    /// The task of the pipeline.
    pub fn task(&self) -> TaskName {
        self.config.task
    }

    /// The client, once it has said hello.
    pub fn client(&self) -> Option<&ClientInfo> {
        self.client.as_ref()
    }

    /// The scores so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Time from the accepted TCP connection to both hellos, in µs.
    pub fn connect_us(&self) -> Option<u64> {
        self.connect_us
    }

    /// Time from the accepted TCP connection to the first score, in µs.
    pub fn first_score_us(&self) -> Option<u64> {
        self.first_score_us
    }

    /// How long after its capture a frame may be in flight; `None` in reliable delivery, which has no limit.
    pub fn lifetime(&self) -> Option<Duration> {
        self.config.lifetime()
    }

    /// Offset of the client's clock from ours, as far as it is known `now`.
    pub fn clock_offset(&self, now: Micros) -> Option<ClockOffset> {
        self.offset.best(now)
    }

    /// Round trip time of a small message, in µs, measured by pings; `None` before the first.
    pub fn round_trip_us(&self) -> Option<u64> {
        self.offset.round_trip_us()
    }

    /// Number of retransmitted pieces, in live delivery.
    pub fn repeated_pieces(&self) -> u64 {
        self.live.as_ref().map_or(0, Sender::retransmitted)
    }

    /// Number of ticks at which the source had no frame ready; `None` in a stream without ticks.
    pub fn late_frames(&self) -> Option<u64> {
        (self.rate() != Rate::Max).then_some(self.late_frames)
    }

    /// Number of messages that were malformed or of unknown type.
    pub fn ignored_messages(&self) -> u64 {
        self.ignored_messages
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
        }
        match &self.phase {
            Phase::Greeting { until } if self.no_hello.is_final(*until, now) => {
                let reason = format!("no hello within {} s", HELLO_LIMIT.as_secs());
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

    /// Asks for the next frame if it is due, the window has room and the link is free; else its tick waits or is
    /// skipped.
    ///
    /// A tick waits until the next one is due, so that no tick is lost if link and pipeline keep up on average. In live
    /// delivery a tick is skipped at once, because frames should be fresh.
    fn stream(&mut self, now: Micros) -> Action {
        let can_send = self.pairing.has_room() && !self.link_busy;
        let next_moment = self.next_moment(now);
        let (is_live, is_unpaced) = (self.live.is_some(), self.rate() == Rate::Max);
        if self.is_starting || self.waits_for_a_request() {
            return Action::Wait(next_moment);
        }
        let Phase::Streaming(pacer) = &mut self.phase else { return Action::Wait(next_moment) };
        match pacer.poll(now) {
            Pace::Wait(due) => Action::Wait(due.min(next_moment)),
            Pace::Due { missed } if can_send => {
                self.tally.skipped(pacer.next_ticks(missed));
                self.waited_us = if std::mem::take(&mut self.tick_waits) { pacer.overdue_us(now) } else { 0 };
                pacer.take(now);
                // No other frame until the shell has handed this one over.
                (self.capturing, self.link_busy) = (true, true);
                self.serve_request();
                Action::Capture(self.pairing.next_id())
            }
            // An unpaced stream skips nothing: the next answer makes room.
            Pace::Due { .. } if is_unpaced => Action::Wait(next_moment),
            Pace::Due { missed } => {
                let skipped = if is_live { missed + 1 } else { missed };
                self.tally.skipped(pacer.next_ticks(skipped));
                pacer.pass(skipped);
                self.tick_waits = !is_live;
                Action::Wait(pacer.upcoming(now).map_or(next_moment, |due| due.min(next_moment)))
            }
        }
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

    fn finish(&mut self, end: End) {
        if matches!(self.phase, Phase::Over { .. }) {
            return;
        }
        self.pairing.abandon();
        if let Some(reason) = end.farewell() {
            self.send_bye(reason);
        }
        self.phase = Phase::Over { end, closing: false };
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
