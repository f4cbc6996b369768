//! The client's session core: what arrives, what to detect, what to answer.
//!
//! Plain state, as the server's: messages, detections and `now` go in, [`Action`]s come out.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use shared::flow::liveness::Liveness;
use shared::geometry::Size;
use shared::image::{ImageView, PixelFormat, WrongLength};
use shared::link::Lane;
use shared::protocol::fragment::{self, Reassembler};
use shared::protocol::message::{
    self, Answer, AnswerTimes, Bye, Control, DecodeError, Finding, Hello, Pong, Role, Stream,
};
use shared::protocol::{HELLO_LIMIT, MAX_WINDOW, VERSION};
use shared::time::Micros;
use tracing::{debug, warn};

/// Room in a frame message beside its pixels, in bytes: ids, names and a few kilobytes of metadata.
const FRAME_OVERHEAD: usize = 64 << 10;

/// The most memory unfinished or undetected frames may take, in bytes: ten of the largest.
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
    data: Bytes,
}

impl ReceivedFrame {
    /// The pixels.
    pub fn image(&self) -> Result<ImageView<'_>, WrongLength> {
        ImageView::from_bytes(&self.data, self.size, self.pixel)
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

/// A session with a server.
#[derive(Debug)]
pub struct Session {
    max_message_size: usize,
    hello_until: Option<Micros>,
    outbox: VecDeque<Action>,
    frames: Option<Reassembler>,
    liveness: Liveness,
    next_message: u64,
    over: bool,
    ignored_messages: u64,
}

impl Session {
    /// A session on a link that opened at `now` and whose peer takes messages of up to `max_message_size` bytes.
    pub fn new(max_message_size: usize, now: Micros) -> Self {
        Self {
            max_message_size,
            hello_until: Some(now + HELLO_LIMIT),
            outbox: VecDeque::new(),
            frames: None,
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
                let window = (stream.window as usize).clamp(1, (MAX_WINDOW as usize).min(FRAME_BUDGET / limit));
                self.frames = Some(Reassembler::new(limit, window));
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
        match frames.accept(fragment) {
            Ok(Some(message)) => match received(&message, now) {
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
        match fragment::split(self.next_message, &answer, self.max_message_size) {
            Ok(pieces) => {
                self.next_message += 1;
                self.outbox.extend(pieces.into_iter().map(|piece| Action::Send(Lane::Answers, piece)));
            }
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

fn received(message: &Bytes, now: Micros) -> Result<ReceivedFrame, DecodeError> {
    let frame = message::decode_frame(message)?;
    let size = frame.image()?.size();
    Ok(ReceivedFrame { id: frame.id, received: now, size, pixel: frame.pixel, data: message.slice_ref(frame.data) })
}
