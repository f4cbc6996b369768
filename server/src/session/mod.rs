//! A session's core: what to send, when, and what the answers mean.
//!
//! Plain state: messages and `now` go in, [`Action`]s come out. The shell drains [`Session::poll`] until it says
//! [`Action::Wait`], then waits for that moment or the next input. No socket, clock or task inside, so every fault is
//! tested in virtual time. [`SessionConfig`] says what it sends and until when, [`End`] why it is over; `answers` reads
//! what the client says of frames, `live` is what live delivery does beside.

mod action;
mod answers;
mod config;
mod control;
mod end;
mod figures;
mod live;
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
use shared::protocol::fragment::Reassembler;
use shared::protocol::message::{Control, Ping};
use shared::time::Micros;
use tracing::warn;

use crate::score::pairing::Pairing;
use crate::task::TaskName;

pub use action::{Action, Capture};
pub use config::SessionConfig;
pub use end::{ClientInfo, End};
pub use figures::Figures;
pub use shared::flow::live::KeptPiece;
pub use tally::{Progress, Tally};

/// How long a stopped session waits for the answers still out.
const STOP_LIMIT: Duration = Duration::from_millis(300);

/// The most an answer takes, in bytes: some 200 with every field, with room for those of later versions.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// The most answers whose pieces have come in part: with their pool of twice as many and pieces that overtook others, 4 MiB.
const MAX_OPEN_ANSWERS: usize = 16;

/// Where a session stands.
#[derive(Debug)]
enum Phase {
    /// Waiting for the client's hello.
    Greeting { until: Micros },
    /// Sending frames.
    Streaming(Pacer),
    /// Waiting for the outstanding answers, at most until then.
    Draining { until: Option<Micros>, end: End },
    /// Over; `closing` once the shell was told.
    Over { end: End, closing: bool },
}

/// A session with one client.
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    accepted: Micros,
    phase: Phase,
    outbox: VecDeque<Action>,
    /// From a capture on, until the link took the whole frame.
    link_busy: bool,
    /// A frame was asked for and has not come yet.
    capturing: bool,
    /// A tick is due and waits for the link or for room in the window.
    tick_waits: bool,
    /// How long the tick of the frame asked for had waited, in µs.
    waited_us: u64,
    /// In live delivery only.
    live: Option<Sender>,
    newest_reply: Option<u64>,
    pairing: Pairing,
    tally: Tally,
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
    /// A session on a link that opened at `now`, whose TCP connection was accepted at `accepted`.
    pub fn new(config: SessionConfig, accepted: Micros, now: Micros) -> Self {
        let mut session = Self {
            accepted,
            phase: Phase::Greeting { until: now + HELLO_LIMIT },
            outbox: VecDeque::new(),
            link_busy: false,
            capturing: false,
            tick_waits: false,
            waited_us: 0,
            live: config.lifetime().map(Sender::new),
            newest_reply: None,
            pairing: Pairing::new(config.window, config.deadline, config.lifetime()),
            tally: Tally::new(config.task),
            answers: Reassembler::new(MAX_ANSWER_BYTES, MAX_OPEN_ANSWERS.min(config.window.get() as usize)),
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

    /// A message arrived on a lane.
    pub fn message(&mut self, lane: Lane, bytes: &Bytes, now: Micros) {
        self.liveness.heard(now);
        match lane {
            Lane::Control => self.control(bytes, now),
            Lane::Answers => self.answer(bytes, now),
            Lane::Frames => self.ignore(&"it came on the frames lane, which is the server's"),
        }
    }

    /// The frame asked for by [`Action::Capture`] is on its way, in these pieces (looked at in live delivery only).
    ///
    /// A live frame whose encoding has outlasted its lifetime is lost: [`Action::GiveUp`] follows, nothing of it is to be
    /// sent. [`Self::link_ready`] is waited for all the same.
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
        self.tally.sent(capture.captured, capture.raw_bytes, if too_late { 0 } else { capture.wire_bytes });
        (self.capturing, self.link_busy) = (false, true);
        self.pairing.sent(capture.source_index, capture.truth, capture.captured, capture.encoded);
        if too_late {
            self.not_ready(id, &capture);
        }
    }

    /// Whether the frame asked for by [`Action::Capture`] is still wanted: the session may have come to its end since.
    pub fn is_capturing(&self) -> bool {
        self.capturing && matches!(self.phase, Phase::Streaming(_))
    }

    /// How long the tick of the frame asked for by [`Action::Capture`] had waited for the link or for room in the window, in
    /// µs. The frame counts as captured so much earlier: a pipeline that keeps up on average is still late with this one.
    pub fn waited_us(&self) -> u64 {
        self.waited_us
    }

    /// The source has no further frame: the session ends once the frames sent are answered.
    pub fn source_ended(&mut self) {
        self.end_streaming(End::Finished);
    }

    /// The source failed: what was sent is waited for, then the session ends for this reason.
    pub fn source_failed(&mut self, reason: &str) {
        self.end_streaming(End::SourceFailed { reason: reason.to_owned() });
    }

    fn end_streaming(&mut self, end: End) {
        (self.capturing, self.link_busy) = (false, false);
        if matches!(self.phase, Phase::Streaming(_)) {
            self.phase = Phase::Draining { until: None, end };
        }
    }

    /// The link took the whole frame, or let go of it: it may be given the next.
    pub fn link_ready(&mut self) {
        self.link_busy = false;
        if let Some(live) = &mut self.live {
            live.sent();
        }
    }

    /// The link had no room for the piece of this frame that [`Action::Resend`] handed over.
    pub fn not_resent(&mut self, frame: u64) {
        if let Some(live) = &mut self.live {
            live.not_retransmitted(frame);
        }
    }

    /// What stays beside the link ended: a hint, no more.
    pub fn peer_may_be_gone(&mut self, now: Micros) {
        self.liveness.peer_may_be_gone(now);
    }

    /// The client said beside the link that it leaves: its last word, should nothing else come.
    pub fn peer_leaves(&mut self, reason: String, now: Micros) {
        self.last_word = Some(reason);
        self.liveness.peer_may_be_gone(now);
    }

    /// Whether it is worth a look whether the client's link acknowledges.
    pub fn is_silent(&self, now: Micros) -> bool {
        self.liveness.is_silent(now)
    }

    /// The client's link acknowledged something sent to it.
    pub fn acknowledged(&mut self, now: Micros) {
        self.liveness.acknowledged(now);
    }

    /// The link closed or broke.
    pub fn link_closed(&mut self, reason: &str) {
        self.lost(reason.to_owned());
    }

    /// The client is no more: it left, where it has said so.
    fn lost(&mut self, reason: String) {
        let end = match self.last_word.take() {
            Some(reason) => End::ClientLeft { reason },
            None => End::ClientGone { reason },
        };
        self.over(end);
    }

    /// The client, which has just said hello, is not served after all: it is told why, and was never here.
    pub fn reject(&mut self, reason: String) {
        (self.client, self.connect_us) = (None, None);
        self.over(End::Rejected { reason });
    }

    /// The server was told to stop.
    pub fn stop(&mut self, now: Micros) {
        match self.phase {
            Phase::Greeting { .. } => self.over(End::Stopped),
            Phase::Streaming(_) | Phase::Draining { .. } => {
                self.phase = Phase::Draining { until: Some(now + STOP_LIMIT), end: End::Stopped };
            }
            Phase::Over { .. } => {}
        }
    }

    /// What to do next.
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

    /// What is asked of the pipeline.
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

    /// TCP accepted → both hellos, in µs.
    pub fn connect_us(&self) -> Option<u64> {
        self.connect_us
    }

    /// TCP accepted → first score, in µs.
    pub fn first_score_us(&self) -> Option<u64> {
        self.first_score_us
    }

    /// How long after its capture a frame may be on its way; without end in reliable delivery.
    pub fn lifetime(&self) -> Option<Duration> {
        self.config.lifetime()
    }

    /// The client's clock against ours, as far as it is known `now`.
    pub fn clock_offset(&self, now: Micros) -> Option<ClockOffset> {
        self.offset.best(now)
    }

    /// How long a small message takes there and back, in µs, as far as pings have told.
    pub fn round_trip_us(&self) -> Option<u64> {
        self.offset.round_trip_us()
    }

    /// Pieces of frames sent again, in live delivery.
    pub fn repeated_pieces(&self) -> u64 {
        self.live.as_ref().map_or(0, Sender::retransmitted)
    }

    /// Messages of unknown type, or that made no sense.
    pub fn ignored_messages(&self) -> u64 {
        self.ignored_messages
    }

    /// Lets time act: deadlines, silence, pings, the end of a phase.
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
                self.over(End::Rejected { reason });
            }
            Phase::Streaming(_) if self.sent_enough(now) => {
                self.phase = Phase::Draining { until: None, end: End::Finished };
                self.advance(now);
            }
            Phase::Draining { until, end }
                if self.pairing.unanswered() == 0 || until.is_some_and(|until| now >= until) =>
            {
                self.over(end.clone());
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

    /// Takes the next frame when one is due, has room and finds the link free; else its tick waits, or is skipped.
    ///
    /// A tick waits until the next one is due, so that a link or a pipeline that keeps up on average, if not each time, loses
    /// none. Live, where a frame is to be fresh, it is skipped at once.
    fn stream(&mut self, now: Micros) -> Action {
        let can_send = self.pairing.has_room() && !self.link_busy;
        let next_moment = self.next_moment(now);
        let is_live = self.live.is_some();
        let Phase::Streaming(pacer) = &mut self.phase else { return Action::Wait(next_moment) };
        match pacer.poll(now) {
            Pace::Wait(due) => Action::Wait(due.min(next_moment)),
            Pace::Due { missed } if can_send => {
                self.tally.skipped(pacer.next_ticks(missed));
                self.waited_us = if std::mem::take(&mut self.tick_waits) { pacer.overdue_us(now) } else { 0 };
                pacer.take(now);
                // Until the shell has handed this one over there is no other frame.
                (self.capturing, self.link_busy) = (true, true);
                Action::Capture(self.pairing.next_id())
            }
            // Unpaced, nothing is skipped: the next answer makes room.
            Pace::Due { .. } if self.config.rate == Rate::Max => Action::Wait(next_moment),
            Pace::Due { missed } => {
                let skipped = if is_live { missed + 1 } else { missed };
                self.tally.skipped(pacer.next_ticks(skipped));
                pacer.pass(skipped);
                self.tick_waits = !is_live;
                Action::Wait(pacer.upcoming(now).map_or(next_moment, |due| due.min(next_moment)))
            }
        }
    }

    /// The next moment at which time alone changes something.
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

    fn over(&mut self, end: End) {
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
