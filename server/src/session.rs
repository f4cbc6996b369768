//! A session's core: what to send, when, and what the answers mean.
//!
//! Plain state: messages and `now` go in, [`Action`]s come out. The shell drains [`Session::poll`] until it says
//! [`Action::Wait`], then waits for that moment or the next input. No socket, clock or task inside, so every fault is
//! tested in virtual time.

use std::collections::VecDeque;
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serde::Serialize;
use shared::flow::clock::{ClockOffset, OffsetEstimator};
use shared::flow::heartbeat::Heartbeat;
use shared::flow::liveness::Liveness;
use shared::flow::pacer::{Pace, Pacer, Rate};
use shared::geometry::Size;
use shared::image::PixelFormat;
use shared::link::Lane;
use shared::protocol::VERSION;
use shared::protocol::encoding::StreamEncoding;
use shared::protocol::fragment::Reassembler;
use shared::protocol::message::{self, Bye, Control, Delivery, Hello, Ping, Pong, Role, Stream};
use shared::time::Micros;
use tracing::{debug, warn};

use crate::score::pairing::{Pairing, Receipt};
use crate::score::summary::Tally;
use crate::score::{FrameScore, Truth};

/// How long the client may take to say hello on the open link.
const HELLO_LIMIT: Duration = Duration::from_secs(5);

/// How long a stopped session waits for the answers still out.
const STOP_LIMIT: Duration = Duration::from_millis(300);

/// The most an answer takes, in bytes: some 200 with every field, with room for those of later versions.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// What a session sends, and until when.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The session's number.
    pub number: u64,
    /// Size of the frames.
    pub size: Size,
    /// Their pixels.
    pub pixel: PixelFormat,
    /// How they are encoded.
    pub encoding: StreamEncoding,
    /// How often.
    pub rate: Rate,
    /// Unanswered frames at a time.
    pub window: NonZeroU32,
    /// A frame unanswered for this long is lost.
    pub deadline: Duration,
    /// Frames to send; no end when absent.
    pub frames: Option<NonZeroU64>,
    /// Time to send, from the first frame; no end when absent.
    pub duration: Option<Duration>,
}

/// What the shell must do next.
#[derive(Debug)]
pub enum Action {
    /// Hand this to the link.
    Send(Lane, BytesMut),
    /// Render, encode and send the frame of this id; then call [`Session::captured`] and [`Session::link_ready`].
    Capture(u64),
    /// A frame's score is final.
    Score(FrameScore),
    /// The session is over: flush the link, close it.
    Close(End),
    /// Nothing to do before this moment or the next input.
    Wait(Micros),
}

/// A frame that was rendered and encoded.
#[derive(Clone, Copy, Debug)]
pub struct Capture {
    /// What it shows.
    pub truth: Truth,
    /// Last pixel rendered.
    pub captured: Micros,
    /// Ready to send.
    pub encoded: Micros,
    /// Bytes of its pixels.
    pub raw_bytes: u64,
    /// Bytes for the link.
    pub wire_bytes: u64,
}

/// Why a session is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum End {
    /// All frames were sent and answered or given up.
    Finished,
    /// This server was told to stop.
    Stopped,
    /// The client said bye.
    ClientLeft {
        /// The client's reason.
        reason: String,
    },
    /// The client fell silent, or the link broke.
    ClientGone {
        /// How that was noticed.
        reason: String,
    },
    /// The client never said hello, or said one this server cannot serve.
    Rejected {
        /// What was wrong.
        reason: String,
    },
}

impl End {
    /// For people.
    pub fn describe(&self) -> String {
        match self {
            Self::Finished => "finished".into(),
            Self::Stopped => "stopped".into(),
            Self::ClientLeft { reason } if reason.is_empty() => "the client left".into(),
            Self::ClientLeft { reason } => format!("the client left: {reason}"),
            Self::ClientGone { reason } => format!("the client is gone: {reason}"),
            Self::Rejected { reason } => format!("rejected: {reason}"),
        }
    }
}

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

/// The client's side of a session, as it introduced itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClientInfo {
    /// Program.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A session with one client.
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    accepted: Micros,
    phase: Phase,
    outbox: VecDeque<Action>,
    link_busy: bool,
    pairing: Pairing,
    tally: Tally,
    answers: Reassembler,
    liveness: Liveness,
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
            pairing: Pairing::new(config.window, config.deadline),
            tally: Tally::default(),
            answers: Reassembler::new(MAX_ANSWER_BYTES, config.window.get() as usize),
            liveness: Liveness::new(now),
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
            Lane::Frames => self.ignore(&"a message on the frames lane, which is the server's"),
        }
    }

    /// The frame asked for by [`Action::Capture`] is on its way.
    pub fn captured(&mut self, capture: Capture) {
        self.first_capture.get_or_insert(capture.captured);
        self.tally.sent(capture.captured, capture.raw_bytes, capture.wire_bytes);
        self.pairing.sent(capture.truth, capture.captured, capture.encoded);
        self.link_busy = true;
    }

    /// The link took the whole frame: it may be given the next.
    pub fn link_ready(&mut self) {
        self.link_busy = false;
    }

    /// The signaling connection ended: a hint, no more.
    pub fn signaling_ended(&mut self, now: Micros) {
        self.liveness.signaling_ended(now);
    }

    /// The link closed or broke.
    pub fn link_closed(&mut self, reason: &str) {
        self.over(End::ClientGone { reason: reason.to_owned() });
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
        if let Some(action) = self.outbox.pop_front() {
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
            Phase::Greeting { .. } | Phase::Draining { .. } => Action::Wait(self.next_moment()),
        }
    }

    /// The session's number.
    pub fn number(&self) -> u64 {
        self.config.number
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

    /// The client's clock against ours, as far as it is known `now`.
    pub fn clock_offset(&self, now: Micros) -> Option<ClockOffset> {
        self.offset.best(now)
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
        if self.liveness.is_gone(now) {
            return self.over(End::ClientGone { reason: "no packet from it".into() });
        }
        if let Some(id) = self.heartbeat.poll(now) {
            self.send_control(&Control::Ping(Ping { id }));
        }
        match &self.phase {
            Phase::Greeting { until } if now >= *until => {
                let reason = format!("no hello within {} s", HELLO_LIMIT.as_secs());
                self.over(End::Rejected { reason });
            }
            Phase::Streaming(_) if self.sent_enough(now) => {
                self.phase = Phase::Draining { until: None, end: End::Finished };
                self.advance(now);
            }
            Phase::Draining { until, end }
                if self.pairing.in_flight() == 0 || until.is_some_and(|until| now >= until) =>
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

    /// Takes the next frame when one is due, has room and finds the link free; else skips the tick or waits.
    fn stream(&mut self, now: Micros) -> Action {
        let can_send = self.pairing.has_room() && !self.link_busy;
        let next_moment = self.next_moment();
        let Phase::Streaming(pacer) = &mut self.phase else { return Action::Wait(next_moment) };
        match pacer.poll(now) {
            Pace::Wait(due) => Action::Wait(due.min(next_moment)),
            Pace::Due { missed } if can_send => {
                pacer.take(now);
                self.tally.skipped(missed);
                Action::Capture(self.pairing.next_id())
            }
            // Unpaced, nothing is skipped: the next answer makes room.
            Pace::Due { .. } if self.config.rate == Rate::Max => Action::Wait(next_moment),
            Pace::Due { missed } => {
                pacer.take(now);
                self.tally.skipped(missed + 1);
                match pacer.poll(now) {
                    Pace::Wait(due) => Action::Wait(due.min(next_moment)),
                    Pace::Due { .. } => Action::Wait(next_moment),
                }
            }
        }
    }

    /// The next moment at which time alone changes something.
    fn next_moment(&self) -> Micros {
        let phase_ends = match &self.phase {
            Phase::Greeting { until } => Some(*until),
            Phase::Draining { until, .. } => *until,
            Phase::Streaming(_) => self.end_of_duration(),
            Phase::Over { .. } => None,
        };
        let moments = [phase_ends, self.pairing.next_deadline(), Some(self.heartbeat.next())];
        moments.into_iter().flatten().fold(self.liveness.deadline(), Micros::min)
    }

    fn over(&mut self, end: End) {
        if matches!(self.phase, Phase::Over { .. }) {
            return;
        }
        self.pairing.abandon();
        // To a client that left or is gone there is nobody to say it to.
        match &end {
            End::Finished => self.send_bye("finished"),
            End::Stopped => self.send_bye("the server stops"),
            End::Rejected { reason } => self.send_bye(reason),
            End::ClientLeft { .. } | End::ClientGone { .. } => {}
        }
        self.phase = Phase::Over { end, closing: false };
    }

    fn control(&mut self, bytes: &Bytes, now: Micros) {
        match message::decode_control(bytes) {
            Ok(Control::Hello(hello)) => self.greeted(hello, now),
            Ok(Control::Ping(ping)) => {
                self.send_control(&Control::Pong(Pong { id: ping.id, received_us: now, sent_us: now }));
            }
            Ok(Control::Pong(pong)) => self.ponged(pong, now),
            Ok(Control::Bye(bye)) => self.over(End::ClientLeft { reason: bye.reason }),
            Err(error) => self.ignore(&error),
        }
    }

    fn greeted(&mut self, hello: Hello, now: Micros) {
        if !matches!(self.phase, Phase::Greeting { .. }) {
            return self.ignore(&"a second hello");
        }
        if hello.protocol != VERSION {
            let reason = format!("protocol {} is not served here, only {VERSION}", hello.protocol);
            return self.over(End::Rejected { reason });
        }
        if hello.role != Role::Sink {
            return self.over(End::Rejected { reason: "this server is the source: the role must be sink".into() });
        }
        self.client = Some(ClientInfo { name: hello.name, version: hello.version });
        self.connect_us = Some(now.since(self.accepted));
        self.phase = Phase::Streaming(Pacer::new(self.config.rate, now));
    }

    fn ponged(&mut self, pong: Pong, now: Micros) {
        if let Some(sent) = self.heartbeat.answered(pong.id) {
            self.offset.add(sent, pong.received_us, pong.sent_us, now);
        }
    }

    fn answer(&mut self, fragment: &Bytes, now: Micros) {
        let message = match self.answers.accept(fragment) {
            Ok(Some(message)) => message,
            Ok(None) => return,
            Err(error) => return self.refuse_answer(&error),
        };
        match message::decode_answer(&message) {
            Ok(answer) => match self.pairing.answered(answer.frame, answer.finding, answer.times, now) {
                Receipt::Accepted => {}
                Receipt::Duplicate => self.tally.duplicate(),
                Receipt::Late => self.tally.late(),
                Receipt::Unknown => {
                    self.refuse_answer(&format_args!("answer to frame {}, which was not sent", answer.frame));
                }
            },
            Err(error @ message::DecodeError::UnknownType(_)) => self.ignore(&error),
            Err(error) => self.refuse_answer(&error),
        }
    }

    fn refuse_answer(&mut self, error: &dyn std::fmt::Display) {
        if self.tally.counts().invalid == 0 {
            warn!("session {}: {error} (further ones are counted, not logged)", self.config.number);
        }
        self.tally.invalid();
    }

    fn ignore(&mut self, what: &dyn std::fmt::Display) {
        if self.ignored_messages == 0 {
            warn!("session {}: ignoring {what} (further ones are counted, not logged)", self.config.number);
        }
        self.ignored_messages += 1;
    }

    fn hello(&self) -> Hello {
        Hello {
            protocol: VERSION,
            name: "plumb-server".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            session: self.config.number,
            role: Role::Source,
            stream: Some(Stream {
                width: self.config.size.width,
                height: self.config.size.height,
                pixel: self.config.pixel,
                rate_hz: self.config.rate.hz(),
                window: self.config.window.get(),
                delivery: Delivery::Reliable,
                encoding: self.config.encoding,
            }),
        }
    }

    fn send_bye(&mut self, reason: &str) {
        self.send_control(&Control::Bye(Bye { reason: reason.to_owned() }));
    }

    fn send_control(&mut self, control: &Control) {
        match message::control_bytes(control) {
            Ok(bytes) => self.outbox.push_back(Action::Send(Lane::Control, bytes)),
            Err(error) => debug!("cannot encode {control:?}: {error}"),
        }
    }
}
