//! The client's session core: what arrives, what to detect, what to answer.
//!
//! Plain state, as the server's: messages, detections and `now` go in, [`Action`]s come out.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use shared::flow::liveness::Liveness;
use shared::geometry::Size;
use shared::image::{ImageView, PixelFormat};
use shared::link::Lane;
use shared::protocol::VERSION;
use shared::protocol::encoding::{self, Encoding, PixelsError};
use shared::protocol::fragment::{Reassembler, Splitter};
use shared::protocol::message::{
    self, Answer, AnswerTimes, Bye, Control, DecodeError, Finding, Frame, Hello, Pong, Role, Stream,
};
use shared::time::Micros;
use thiserror::Error;
use tracing::{debug, warn};

/// How long the server may take to say hello on the open link.
const HELLO_LIMIT: Duration = Duration::from_secs(5);

/// Room in a frame message beside its pixels, in bytes: ids, names and a few kilobytes of metadata.
const FRAME_OVERHEAD: usize = 64 << 10;

/// The most unfinished or undetected frames held, whatever window the server announces.
const MAX_WINDOW: usize = 4096;

/// The most memory they may take, in bytes: ten of the largest frames.
const FRAME_BUDGET: usize = 2 << 30;

/// What the shell must do next.
#[derive(Debug)]
pub enum Action {
    /// Hand this to the link.
    Send(Lane, BytesMut),
    /// Show this frame and hand it to the workers; then call [`Session::detected`] or [`Session::dropped`].
    Detect(ReceivedFrame),
    /// The server said what it will send.
    Greeted {
        /// The frames.
        stream: Stream,
        /// The most of them to hold at a time.
        window: usize,
    },
    /// The session is over: flush the link, close it.
    Close(End),
    /// Nothing to do before this moment or the next input.
    Wait(Micros),
}

/// A frame as it arrived; its pixels stay where they were put together.
#[derive(Clone, Debug)]
pub struct ReceivedFrame {
    /// The frame's id.
    pub id: u64,
    /// When its last byte arrived.
    pub received: Micros,
    size: Size,
    pixel: PixelFormat,
    encoding: Encoding,
    data: Bytes,
}

impl ReceivedFrame {
    /// The pixels; `memory` is for those that do not lie in the message as they are.
    ///
    /// # Errors
    /// [`PixelsError`] where they cannot be read.
    pub fn image<'a>(&'a self, memory: &'a mut Vec<u8>) -> Result<ImageView<'a>, PixelsError> {
        encoding::decode(self.encoding, &self.data, self.size, self.pixel, memory)
    }
}

/// What a worker found.
#[derive(Clone, Copy, Debug)]
pub struct Detection {
    /// The frame's id.
    pub frame: u64,
    /// When it arrived.
    pub received: Micros,
    /// When its detection started.
    pub started: Micros,
    /// When it ended.
    pub finished: Micros,
    /// What was found.
    pub finding: Finding,
}

/// Why a session is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The server said bye.
    ServerLeft {
        /// The server's reason.
        reason: String,
    },
    /// This client was told to stop.
    Stopped,
    /// The server fell silent, or the link broke.
    ServerGone {
        /// How that was noticed.
        reason: String,
    },
    /// The server said a hello this client cannot work with.
    Rejected {
        /// What was wrong.
        reason: String,
    },
}

/// The frames on their way.
#[derive(Debug)]
struct Frames {
    pieces: Reassembler,
    /// The most that a frame's pixels take, in bytes: what the server announced.
    pixels: usize,
}

/// A frame that is ignored.
#[derive(Debug, Error)]
enum UnusableFrame {
    #[error(transparent)]
    Message(#[from] DecodeError),
    #[error("frame {frame}, {size} {pixel}, is larger than the frames announced")]
    TooLarge { frame: u64, size: Size, pixel: PixelFormat },
}

/// A session with a server.
#[derive(Debug)]
pub struct Session {
    hello_until: Option<Micros>,
    outbox: VecDeque<Action>,
    frames: Option<Frames>,
    answers: Splitter,
    liveness: Liveness,
    next_message: u64,
    over: bool,
    ignored_messages: u64,
}

impl Session {
    /// A session on a link that opened at `now` and whose peer takes messages of up to `max_message_size` bytes.
    pub fn new(max_message_size: usize, now: Micros) -> Self {
        Self {
            hello_until: Some(now + HELLO_LIMIT),
            outbox: VecDeque::new(),
            frames: None,
            answers: Splitter::new(max_message_size),
            liveness: Liveness::new(now),
            next_message: 0,
            over: false,
            ignored_messages: 0,
        }
    }

    /// A message arrived on a lane.
    pub fn message(&mut self, lane: Lane, bytes: &Bytes, now: Micros) {
        self.liveness.heard(now);
        match lane {
            Lane::Control => self.control(bytes, now),
            Lane::Frames => self.frame(bytes, now),
            Lane::Answers => self.ignore(&"a message on the answers lane, which is the client's"),
        }
    }

    /// A worker is done with a frame.
    pub fn detected(&mut self, detection: Detection, now: Micros) {
        let times = AnswerTimes {
            received: Some(detection.received),
            started: Some(detection.started),
            finished: Some(detection.finished),
            sent: Some(now),
        };
        self.send_answer(Answer { frame: detection.frame, finding: detection.finding, times });
    }

    /// A frame will not be looked at.
    pub fn dropped(&mut self, frame: u64, received: Micros, now: Micros) {
        let times = AnswerTimes { received: Some(received), sent: Some(now), ..Default::default() };
        self.send_answer(Answer { frame, finding: Finding::Dropped, times });
    }

    /// The signaling connection ended: a hint, no more.
    pub fn signaling_ended(&mut self, now: Micros) {
        self.liveness.signaling_ended(now);
    }

    /// The link closed or broke.
    pub fn link_closed(&mut self, reason: &str) {
        self.end(End::ServerGone { reason: reason.to_owned() });
    }

    /// The client was told to stop.
    pub fn stop(&mut self) {
        if !self.over {
            self.send_control(&Control::Bye(Bye { reason: "the client stops".into() }));
            self.end(End::Stopped);
        }
    }

    /// What to do next.
    pub fn poll(&mut self, now: Micros) -> Action {
        if self.liveness.is_gone(now) {
            self.end(End::ServerGone { reason: "no packet from it".into() });
        } else if self.hello_until.is_some_and(|until| now >= until) {
            let reason = format!("it said no hello within {} s", HELLO_LIMIT.as_secs());
            self.end(End::Rejected { reason });
        }
        let wait = self.hello_until.unwrap_or(self.liveness.deadline()).min(self.liveness.deadline());
        self.outbox.pop_front().unwrap_or(Action::Wait(wait))
    }

    /// Messages of unknown type, or that made no sense.
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
            Ok(Control::Bye(bye)) => self.end(End::ServerLeft { reason: bye.reason }),
            Err(error) => self.ignore(&error),
        }
    }

    fn greeted(&mut self, hello: Hello) {
        if self.frames.is_some() {
            return self.ignore(&"a second hello");
        }
        match usable(hello) {
            Ok((stream, size)) => {
                let limit = stream.pixel.bytes(size) + FRAME_OVERHEAD;
                let window = (stream.window as usize).clamp(1, MAX_WINDOW.min(FRAME_BUDGET / limit));
                self.frames =
                    Some(Frames { pieces: Reassembler::new(limit, window), pixels: stream.pixel.bytes(size) });
                self.hello_until = None;
                // Ours only now: frames follow it, and on another lane they could overtake the server's.
                self.send_control(&Control::Hello(introduction()));
                self.outbox.push_back(Action::Greeted { stream, window });
            }
            Err(reason) => {
                self.send_control(&Control::Bye(Bye { reason: reason.clone() }));
                self.end(End::Rejected { reason });
            }
        }
    }

    fn frame(&mut self, fragment: &Bytes, now: Micros) {
        let Some(frames) = &mut self.frames else { return self.ignore(&"a frame before the hello") };
        match frames.pieces.accept(fragment) {
            Ok(Some(message)) => match received(&message, frames.pixels, now) {
                Ok(frame) => {
                    self.outbox.push_back(Action::Detect(frame));
                }
                Err(error) => self.ignore(&error),
            },
            Ok(None) => {}
            Err(error) => self.ignore(&error),
        }
    }

    fn ignore(&mut self, what: &dyn std::fmt::Display) {
        if self.ignored_messages == 0 {
            warn!("ignoring {what} (further ones are counted, not logged)");
        }
        self.ignored_messages += 1;
    }

    fn end(&mut self, end: End) {
        if !self.over {
            self.over = true;
            self.outbox.push_back(Action::Close(end));
        }
    }

    fn send_control(&mut self, control: &Control) {
        match message::control_bytes(control) {
            Ok(bytes) => self.outbox.push_back(Action::Send(Lane::Control, bytes)),
            Err(error) => debug!("cannot encode {control:?}: {error}"),
        }
    }

    fn send_answer(&mut self, answer: Answer) {
        if self.over {
            return;
        }
        let Self { answers, outbox, .. } = self;
        match answers.split(self.next_message, &answer, |piece| outbox.push_back(Action::Send(Lane::Answers, piece))) {
            Ok(_) => self.next_message += 1,
            Err(error) => self.ignore(&error),
        }
    }
}

fn introduction() -> Hello {
    Hello {
        protocol: VERSION,
        name: "plumb-client".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        session: 0,
        role: Role::Sink,
        stream: None,
    }
}

/// The stream a server's hello announces, or why this client cannot take it.
fn usable(hello: Hello) -> Result<(Stream, Size), String> {
    if hello.protocol != VERSION {
        return Err(format!("it speaks protocol {}, this client {VERSION}", hello.protocol));
    }
    if hello.role != Role::Source {
        return Err("it is no source of frames".into());
    }
    let stream = hello.stream.ok_or("its hello announces no stream")?;
    let size = stream.size().map_err(|error| error.to_string())?;
    Ok((stream, size))
}

/// A frame whose pixels take at most `limit` bytes. Raw ones are checked here, others where they are read.
fn received(message: &Bytes, limit: usize, now: Micros) -> Result<ReceivedFrame, UnusableFrame> {
    let frame = message::decode_frame(message)?;
    let size = frame.size()?;
    if frame.pixel.bytes(size) > limit {
        return Err(UnusableFrame::TooLarge { frame: frame.id, size, pixel: frame.pixel });
    }
    if frame.encoding == Encoding::Raw {
        frame.image(&mut Vec::new())?;
    }
    let Frame { id, pixel, encoding, data, .. } = frame;
    Ok(ReceivedFrame { id, received: now, size, pixel, encoding, data: message.slice_ref(data) })
}
