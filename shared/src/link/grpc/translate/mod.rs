//! Turns a session's messages into those of `proto/plumb.proto` and back.
//!
//! [`Side`] says what one end speaks: a [`Source`] or a [`Sink`]. `control`, `frame` and `answer` have one kind of
//! message each, `words` the values that both forms name.

mod answer;
mod control;
mod frame;
mod words;

use bytes::{Bytes, BytesMut};
use thiserror::Error;

use super::wire::{self, FromSink, FromSource, from_sink, from_source};
use crate::link::Lane;
use crate::protocol::fragment::{FragmentError, Piece, SplitError, Splitter};
use crate::protocol::message::{
    Control, DecodeError, Empty, PayloadError, Reply, Role, control_bytes, decode_control, decode_reply,
};

/// Why a message has no other form.
#[derive(Debug, Error)]
pub(super) enum Untranslatable {
    #[error("a message without content: it must hold one of {0}")]
    Empty(&'static str),
    #[error("{message}.{field} {value}: {right} is right")]
    Word { message: &'static str, field: &'static str, value: i32, right: &'static str },
    #[error("an {message} without {field}")]
    Missing { message: &'static str, field: &'static str },
    #[error("a circle whose {field} has {count} numbers: none or {right} is right")]
    Count { field: &'static str, count: usize, right: usize },
    #[error("an answer of the kind \"{0}\", which this link does not carry")]
    Kind(String),
    #[error("a message on the lane {0}, on which only the other end sends")]
    Lane(Lane),
    #[error("a message in several pieces: this link carries messages whole")]
    Pieces,
    #[error(transparent)]
    Fragment(#[from] FragmentError),
    #[error(transparent)]
    Message(#[from] DecodeError),
    #[error(transparent)]
    Payload(#[from] PayloadError),
    #[error(transparent)]
    Split(#[from] SplitError),
    #[error("a message that has no form in MessagePack: {0}")]
    Encode(#[from] rmp_serde::encode::Error),
}

/// The messages of one end of a session.
pub(super) trait Side: Send + Sync + Unpin + 'static {
    /// Its messages.
    type Message: prost::Message + Default + Send + Sync + 'static;

    /// Its role.
    const ROLE: Role;

    /// The service that it serves, and the path of a session there.
    const SERVICE: (&'static str, &'static str);

    /// HTTP/2 windows of its receiver, in bytes: of the stream and of the connection.
    const WINDOWS: [u32; 2];

    /// The message of a session's bytes on a lane.
    fn write(lane: Lane, bytes: Bytes) -> Result<Self::Message, Untranslatable>;

    /// The session's bytes of a message.
    fn read(message: Self::Message, memory: &mut Memory) -> Result<Read, Untranslatable>;
}

/// A message in the session's form.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) lane: Lane,
    pub(super) bytes: Bytes,
    pub(super) is_hello: bool,
}

/// What sends frames.
pub(super) struct Source;

/// What receives frames.
pub(super) struct Sink;

/// Memory for messages of a session, and their ids.
pub(super) struct Memory {
    splitter: Splitter,
    next: u64,
}

impl Memory {
    /// Memory for messages of at most `most` bytes.
    pub(super) fn new(most: usize) -> Self {
        Self { splitter: Splitter::new(most), next: 0 }
    }

    /// A message as the only fragment of itself.
    fn fragment(&mut self, lane: Lane, message: &impl serde::Serialize) -> Result<Read, Untranslatable> {
        let mut whole = BytesMut::new();
        let mut pieces = 0;
        self.splitter.split(self.next, message, |piece| (whole, pieces) = (piece, pieces + 1))?;
        self.next += 1;
        if pieces > 1 {
            return Err(Untranslatable::Pieces);
        }
        Ok(Read { lane, bytes: whole.freeze(), is_hello: false })
    }
}

impl Side for Source {
    type Message = FromSource;

    const ROLE: Role = Role::Source;

    const SERVICE: (&'static str, &'static str) = ("plumb.v1.Source", "/plumb.v1.Source/Session");

    // Measured with frames of 640x480: larger windows gain nothing and let old frames queue.
    const WINDOWS: [u32; 2] = [4 << 20, 8 << 20];

    fn write(lane: Lane, bytes: Bytes) -> Result<FromSource, Untranslatable> {
        use from_source::Message;
        let message = match lane {
            Lane::Control => match decode_control(&bytes)? {
                Control::Hello(hello) => Message::Hello(control::write_hello(hello)),
                Control::Ping(ping) => Message::Ping(control::write_ping(ping)),
                Control::Pong(pong) => Message::Pong(control::write_pong(pong)),
                Control::Bye(bye) => Message::Bye(control::write_bye(bye)),
                Control::Refused(refused) => Message::Refused(control::write_refused(refused)),
                Control::Next(_) => return Err(Untranslatable::Kind("next".into())),
                Control::Stop(_) => return Err(Untranslatable::Kind("stop".into())),
            },
            Lane::Frames => Message::Frame(frame::write(&whole(&bytes)?)?),
            Lane::Answers => return Err(Untranslatable::Lane(lane)),
        };
        Ok(FromSource { message: Some(message) })
    }

    fn read(message: FromSource, memory: &mut Memory) -> Result<Read, Untranslatable> {
        use from_source::Message;
        match message.message {
            Some(Message::Hello(hello)) => control(&Control::Hello(control::read_hello(hello)?)),
            Some(Message::Ping(ping)) => control(&Control::Ping(control::read_ping(ping))),
            Some(Message::Pong(pong)) => control(&Control::Pong(control::read_pong(pong))),
            Some(Message::Bye(bye)) => control(&Control::Bye(control::read_bye(bye))),
            Some(Message::Refused(refused)) => control(&Control::Refused(control::read_refused(refused))),
            Some(Message::Frame(frame)) => memory.fragment(Lane::Frames, &frame::read(&frame)?),
            None => Err(Untranslatable::Empty("hello, ping, pong, bye, frame and refused")),
        }
    }
}

impl Side for Sink {
    type Message = FromSink;

    const ROLE: Role = Role::Sink;

    const SERVICE: (&'static str, &'static str) = ("plumb.v1.Sink", "/plumb.v1.Sink/Session");

    // Answers are small; processed frames come one after another.
    const WINDOWS: [u32; 2] = [1 << 20, 2 << 20];

    fn write(lane: Lane, bytes: Bytes) -> Result<FromSink, Untranslatable> {
        use from_sink::Message;
        let message = match lane {
            Lane::Control => match decode_control(&bytes)? {
                Control::Hello(hello) => Message::Hello(control::write_hello(hello)),
                Control::Ping(ping) => Message::Ping(control::write_ping(ping)),
                Control::Pong(pong) => Message::Pong(control::write_pong(pong)),
                Control::Bye(bye) => Message::Bye(control::write_bye(bye)),
                Control::Next(_) => Message::Next(wire::Next {}),
                Control::Stop(_) => Message::Stop(wire::Stop {}),
                Control::Refused(_) => return Err(Untranslatable::Kind("refused".into())),
            },
            Lane::Answers => {
                let message = whole(&bytes)?;
                match decode_reply(&message)? {
                    Reply::Answer(answer) => Message::Answer(answer::write(&answer, &message)?),
                    Reply::Answers(_) => return Err(Untranslatable::Kind("answers".into())),
                    Reply::Resend(_) => return Err(Untranslatable::Kind("resend".into())),
                }
            }
            Lane::Frames => return Err(Untranslatable::Lane(lane)),
        };
        Ok(FromSink { message: Some(message) })
    }

    fn read(message: FromSink, memory: &mut Memory) -> Result<Read, Untranslatable> {
        use from_sink::Message;
        match message.message {
            Some(Message::Hello(hello)) => control(&Control::Hello(control::read_hello(hello)?)),
            Some(Message::Ping(ping)) => control(&Control::Ping(control::read_ping(ping))),
            Some(Message::Pong(pong)) => control(&Control::Pong(control::read_pong(pong))),
            Some(Message::Bye(bye)) => control(&Control::Bye(control::read_bye(bye))),
            Some(Message::Next(_)) => control(&Control::Next(Empty {})),
            Some(Message::Stop(_)) => control(&Control::Stop(Empty {})),
            Some(Message::Answer(answer)) => memory.fragment(Lane::Answers, &answer::read(&answer)?),
            None => Err(Untranslatable::Empty("hello, ping, pong, bye, answer, next and stop")),
        }
    }
}

/// A control message in the session's form.
fn control(message: &Control) -> Result<Read, Untranslatable> {
    let bytes = control_bytes(message)?.freeze();
    Ok(Read { lane: Lane::Control, bytes, is_hello: matches!(message, Control::Hello(_)) })
}

/// The message in its only fragment.
fn whole(fragment: &Bytes) -> Result<Bytes, Untranslatable> {
    Piece::parse(fragment)?.whole().ok_or(Untranslatable::Pieces)
}
