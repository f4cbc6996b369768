//! The client's session core: decides which frames to detect and which answers to send.
//!
//! Plain state, like the server's core: messages, detections and `now` go in, [`Action`]s come out. A [`ReceivedFrame`]
//! is a frame as it arrived, [`End`] says why the session ended, `live` adds what live delivery needs, `pictures` sends
//! answers as large as frames, `asking` asks the server for frames and to stop, and `greeting` reads the server's hello.

mod asking;
mod end;
mod frame;
pub mod fuzz;
mod greeting;
mod live;
mod pictures;

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use serde::Serialize;
use shared::flow::live::Receiver;
use shared::flow::liveness::{Liveness, Silence};
use shared::flow::verdict::Verdict;
use shared::link::Lane;
use shared::protocol::fragment::{FragmentError, Piece, Reassembler, Splitter};
use shared::protocol::message::{self, Answer, AnswerTimes, Bye, Control, Payload, Ping, Pong, Stream};
use shared::protocol::{HELLO_LIMIT, INTEGER_LIMIT};
use shared::time::Micros;
use thiserror::Error;
use tracing::{debug, warn};

use asking::Asking;
use frame::{Announced, UnusableFrame};
use pictures::Pictures;

pub use asking::AHEAD;
pub use end::End;

pub use frame::ReceivedFrame;

/// What the shell must do next.
#[derive(Debug)]
pub enum Action {
    /// Hand this to the link.
    Send(Lane, BytesMut),
    /// Hand the pieces of this answer to the link's answers lane, in order, and go on reading meanwhile. Once the link
    /// has taken all pieces, call [`Session::picture_sent`].
    SendPicture(Vec<BytesMut>),
    /// Show this frame and hand it to the workers; then call [`Session::detected`] or [`Session::dropped`].
    Detect(ReceivedFrame),
    /// Count this frame: it differs from what the hello announced and was answered as dropped.
    Refused {
        /// The frame's id.
        frame: u64,
        /// When its last byte arrived.
        received: Micros,
    },
    /// The server's hello arrived and announced a stream.
    Greeted {
        /// The announced stream.
        stream: Stream,
        /// Maximum number of frames to hold at a time.
        window: usize,
    },
    /// The session has ended: flush the link and close it.
    Close(End),
    /// Nothing to do before this moment or the next input.
    Wait(Micros),
}

/// A worker's result for a frame.
#[derive(Clone, Debug)]
pub struct Detection {
    /// The frame's id.
    pub frame: u64,
    /// When the frame arrived.
    pub received: Micros,
    /// When the pipeline started on it.
    pub started: Micros,
    /// When the pipeline finished.
    pub finished: Micros,
    /// The pipeline's answer.
    pub payload: Payload<'static>,
}

/// Frames that have not arrived completely.
#[derive(Debug)]
struct Frames {
    pieces: Reassembler,
    announced: Announced,
}

/// A session with a server.
#[derive(Debug)]
pub struct Session {
    hello_until: Option<Micros>,
    no_hello: Verdict,
    outbox: VecDeque<Action>,
    frames: Option<Frames>,
    /// `Some` in live delivery only.
    live: Option<Receiver>,
    /// `Some` only if answers are pictures.
    pictures: Option<Pictures>,
    asking: Asking,
    answers: Splitter,
    liveness: Liveness,
    last_word: Option<String>,
    next_message: u64,
    next_ping: u64,
    is_ended: bool,
    given_up: u64,
    ignored_messages: u64,
}

impl Session {
    /// Starts a session on a link that opened at `now`. The peer takes messages of up to `max_message_size` bytes.
    pub fn new(max_message_size: usize, now: Micros) -> Self {
        Self {
            hello_until: Some(now + HELLO_LIMIT),
            no_hello: Verdict::default(),
            outbox: VecDeque::new(),
            frames: None,
            live: None,
            pictures: None,
            asking: Asking::default(),
            answers: Splitter::new(max_message_size),
            liveness: Liveness::new(now),
            last_word: None,
            next_message: 0,
            next_ping: 0,
            is_ended: false,
            given_up: 0,
            ignored_messages: 0,
        }
    }

    /// Handles a message that arrived on a lane.
    pub fn message(&mut self, lane: Lane, bytes: &Bytes, now: Micros) {
        self.liveness.heard(now);
        match lane {
            Lane::Control => self.control(bytes, now),
            Lane::Frames => self.frame(bytes, now),
            Lane::Answers => self.ignore(&"it came on the answers lane, which is the client's"),
        }
    }

    /// Answers a frame with a worker's result.
    pub fn detected(&mut self, detection: Detection, now: Micros) {
        let times = AnswerTimes {
            received: Some(detection.received),
            started: Some(detection.started),
            finished: Some(detection.finished),
            sent: Some(now),
        };
        self.answer(Answer { frame: detection.frame, payload: detection.payload, times }, now);
    }

    /// Answers a frame as dropped: no worker will process it.
    pub fn dropped(&mut self, frame: u64, received: Micros, now: Micros) {
        let times = AnswerTimes { received: Some(received), sent: Some(now), ..Default::default() };
        self.answer(Answer { frame, payload: Payload::dropped(), times }, now);
    }

    /// Notes that the signaling connection ended. That is only a hint that the server may be gone.
    pub fn peer_may_be_gone(&mut self, now: Micros) {
        self.liveness.peer_may_be_gone(now);
    }

    /// Notes a bye on the signaling connection. Its reason is used if no bye comes over the link.
    pub fn peer_leaves(&mut self, reason: String, now: Micros) {
        self.last_word = Some(reason);
        self.liveness.peer_may_be_gone(now);
    }

    /// How silent the server is. The client does not wait for answers to its pings.
    pub fn silence(&self, now: Micros) -> Silence {
        self.liveness.silence(now)
    }

    /// Notes that the server's link acknowledged something the client sent.
    pub fn acknowledged(&mut self, now: Micros) {
        self.liveness.acknowledged(now);
    }

    /// Notes that a part of a large message arrived, and lets the server know that this end is alive.
    ///
    /// The server may hear nothing else meanwhile: its pings wait behind the message, and a proxy that took in a block
    /// acknowledges nothing more until it has passed the block on.
    pub fn arriving(&mut self, now: Micros) {
        self.liveness.acknowledged(now);
        if !self.is_ended {
            self.send_control(&Control::Ping(Ping { id: self.next_ping }));
            self.next_ping = (self.next_ping + 1) % INTEGER_LIMIT;
        }
    }

    /// Ends the session: the link closed or broke.
    pub fn link_closed(&mut self, reason: &str) {
        self.lost(reason.to_owned());
    }

    /// Ends the session because the server is gone, or has left if it said bye on the signaling connection.
    fn lost(&mut self, reason: String) {
        let end = match self.last_word.take() {
            Some(reason) => return self.server_left(reason),
            None if self.frames.is_none() => End::NeverBegan { reason },
            None => End::ServerGone { reason },
        };
        self.end(end);
    }

    /// Ends the session because the server said that it leaves.
    fn server_left(&mut self, reason: String) {
        self.end(if self.asking.is_stopping() { End::BothStopped } else { End::ServerLeft { reason } });
    }

    /// Ends the session because the client was told to stop.
    pub fn stop(&mut self) {
        self.leave(End::Stopped);
    }

    /// Ends the session because the client cannot do what the server asks for.
    ///
    /// Only the bye is sent, not even the client's hello, so the session never begins.
    pub fn reject(&mut self, reason: String) {
        if !self.is_ended {
            self.outbox.clear();
        }
        self.leave(End::Unable { reason });
    }

    /// Sends a bye with the reason, if there is one, then ends the session.
    fn leave(&mut self, end: End) {
        if let Some(reason) = end.farewell().filter(|_| !self.is_ended) {
            self.send_control(&Control::Bye(Bye::new(reason)));
        }
        self.end(end);
    }

    /// Returns what the shell must do next.
    pub fn poll(&mut self, now: Micros) -> Action {
        if self.liveness.is_gone(now) {
            let reason = self.liveness.describe(now);
            self.lost(reason);
        } else if self.hello_until.is_some_and(|until| self.no_hello.is_final(until, now)) {
            let reason = format!("it said no hello within {} s", HELLO_LIMIT.as_secs());
            self.leave(End::Rejected { reason });
        }
        self.check_stop(now);
        if !self.is_ended {
            self.advance_live(now);
        }
        let live = self.live.as_ref().and_then(Receiver::next_moment);
        let hello = self.hello_until.map(|until| self.no_hello.next(until));
        let moments = live.into_iter().chain(hello).chain(self.asking.limit());
        let wait = moments.fold(self.liveness.wake(now), Micros::min);
        let next = self.outbox.pop_front();
        next.or_else(|| self.next_picture(now)).unwrap_or(Action::Wait(wait))
    }

    /// Whether the next [`Self::poll`] sends something on the answers lane, in live delivery.
    pub fn has_replies(&self, now: Micros) -> bool {
        self.live.as_ref().and_then(Receiver::next_moment).is_some_and(|moment| moment <= now)
    }

    /// Holds replies back for a moment, to send them together: the link has enough of them in flight.
    pub fn hold_replies(&mut self, now: Micros) {
        if let Some(live) = &mut self.live {
            live.hold(now);
        }
    }

    /// Number of frames given up before they were complete, because newer ones came or they were late.
    pub fn given_up(&self) -> u64 {
        self.given_up
    }

    /// Number of messages that were unusable or of unknown type.
    pub fn ignored_messages(&self) -> u64 {
        self.ignored_messages
    }

    fn control(&mut self, bytes: &Bytes, now: Micros) {
        match message::decode_control(bytes) {
            Ok(Control::Hello(hello)) => self.greeted(hello),
            Ok(Control::Ping(ping)) => {
                self.send_control(&Control::Pong(Pong { id: ping.id, received_us: now, sent_us: now }));
            }
            Ok(Control::Pong(_)) => {}
            Ok(Control::Refused(refused)) => self.refused(&refused),
            Ok(Control::Next(_) | Control::Stop(_)) => self.ignore(&"it is a client's message"),
            Ok(Control::Bye(bye)) => self.server_left(bye.reason),
            // The lane loses nothing, so no other hello will come.
            Err(error) if self.frames.is_none() && message::is_hello(bytes) => {
                self.leave(End::Rejected { reason: format!("its hello cannot be used: {error}") });
            }
            Err(error) => self.ignore(&error),
        }
    }

    fn frame(&mut self, fragment: &Bytes, now: Micros) {
        match self.reassembled(fragment, now) {
            Ok(Some((message, announced))) => {
                self.asking.came();
                match frame::received(&message, announced, now) {
                    Ok(frame) => self.outbox.push_back(Action::Detect(frame)),
                    Err(error) => self.unusable(&message, &error, now),
                }
            }
            Ok(None) => {}
            Err(error) => self.ignore(&error),
        }
    }

    /// Answers a frame that cannot be used, if its id can be read: the server waits for an answer.
    fn unusable(&mut self, message: &[u8], error: &UnusableFrame, now: Micros) {
        self.ignore(error);
        if let Some(frame) = message::frame_id(message).filter(|id| *id < INTEGER_LIMIT) {
            self.dropped(frame, now, now);
            self.outbox.push_back(Action::Refused { frame, received: now });
        }
    }

    fn reassembled(&mut self, fragment: &Bytes, now: Micros) -> Result<Option<(Bytes, Announced)>, FrameError> {
        let Frames { pieces, announced } = self.frames.as_mut().ok_or(FrameError::Early)?;
        let (piece, announced) = (Piece::parse(fragment)?, *announced);
        let message = match &mut self.live {
            None => pieces.put(piece)?,
            Some(live) => {
                let (message, given_up) = live.put(pieces, piece, now);
                given_up.into_iter().for_each(|id| self.give_up(id, now));
                message?
            }
        };
        Ok(message.map(|message| (message, announced)))
    }

    fn ignore(&mut self, what: &dyn std::fmt::Display) {
        if self.ignored_messages == 0 {
            warn!("ignoring a message: {what} (further ones are counted, not logged)");
        }
        self.ignored_messages += 1;
    }

    fn end(&mut self, end: End) {
        if !self.is_ended {
            self.is_ended = true;
            self.outbox.push_back(Action::Close(end));
        }
    }

    fn send_control(&mut self, control: &Control) {
        match message::control_bytes(control) {
            Ok(bytes) => self.outbox.push_back(Action::Send(Lane::Control, bytes)),
            Err(error) => debug!("cannot encode a message on the control lane: {error}"),
        }
    }

    fn answer(&mut self, answer: Answer<'static>, now: Micros) {
        match (&mut self.live, &mut self.pictures) {
            (_, Some(pictures)) => {
                if !pictures.wait(answer) {
                    self.ignore(&"the server sent more frames than its window: a window of answers already waits");
                }
            }
            (Some(live), None) => live.answer(answer, now),
            (None, None) => self.send_reply(&answer),
        }
    }

    fn send_reply(&mut self, reply: &impl Serialize) {
        if self.is_ended {
            return;
        }
        let Self { answers, outbox, .. } = self;
        match answers.split(self.next_message, reply, |piece| outbox.push_back(Action::Send(Lane::Answers, piece))) {
            Ok(_) => self.next_message += 1,
            Err(error) => self.ignore(&error),
        }
    }
}

/// Why a message on the `frames` lane was ignored.
#[derive(Debug, Error)]
enum FrameError {
    #[error("it is a frame before the hello")]
    Early,
    #[error(transparent)]
    Fragment(#[from] FragmentError),
}
