//! Messages of the `control` lane: hello, ping, pong, next, stop, refused, bye.

use std::fmt;
use std::str::FromStr;

use bytes::{BufMut, BytesMut};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::meta::Meta;
use super::{DecodeError, TEXT_LIMIT, check_integer, encode, tag, unknown_type, whole};
use crate::geometry::{Size, SizeError};
use crate::image::PixelFormat;
use crate::protocol::INTEGER_LIMIT;
use crate::protocol::encoding::StreamEncoding;
use crate::time::Micros;

/// A message of the `control` lane.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Control {
    /// The first message on the lane, from both ends.
    Hello(Hello),
    /// Asks for the time on the other end's clock. Also the heartbeat.
    Ping(Ping),
    /// Answers a ping.
    Pong(Pong),
    /// The sink asks for one more frame, in a session that sends frames only on request.
    Next(Empty),
    /// The sink asks the source to stop, with all its sessions.
    Stop(Empty),
    /// The source refuses what a message asked for.
    Refused(Refused),
    /// The sender is leaving.
    Bye(Bye),
}

/// The speaker and, if it is the source, its stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// Protocol version: [`crate::protocol::VERSION`].
    pub protocol: u64,
    /// The program's name.
    pub name: String,
    /// The program's version.
    pub version: String,
    /// The session's number at the server, for people; 0 from a peer that was not given one, or that sent something else.
    #[serde(default, deserialize_with = "number_or_zero")]
    pub session: u64,
    /// Which end this is.
    pub role: Role,
    /// The stream, from the source only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<Stream>,
    /// What else a source can do: [`PULL_FEATURE`], [`STOP_FEATURE`]. Unknown names are ignored.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// From the sink: send a frame only when asked for it by [`Control::Next`].
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "std::ops::Not::not")]
    pub pull: bool,
}

/// Feature of a source that sends frames only when asked for them, if the sink's hello says so.
pub const PULL_FEATURE: &str = "pull";

/// Feature of a source that answers [`Control::Stop`]: it stops or says why not.
pub const STOP_FEATURE: &str = "stop";

impl Hello {
    /// Whether the sender named this feature.
    pub fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|named| named == feature)
    }
}

/// Reads metadata. The error names the field; the error of a single value does not.
fn plain_values<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Meta>, D::Error> {
    let wrong = |_| serde::de::Error::custom("meta is not a map from texts to true, false, numbers and texts");
    Option::deserialize(deserializer).map_err(wrong)
}

/// Reads nil as the default, as if the field were absent.
fn or_default<'de, D: serde::Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads a number that no end depends on. Anything else than a number below 2^53 is read as 0.
fn number_or_zero<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Sent {
        Number(u64),
        Other(IgnoredAny),
    }
    Ok(match Sent::deserialize(deserializer)? {
        Sent::Number(number) if number < INTEGER_LIMIT => number,
        Sent::Number(_) | Sent::Other(_) => 0,
    })
}

/// The role of an end in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sends frames and knows the truth.
    Source,
    /// Receives frames and sends answers.
    Sink,
}

impl Role {
    /// The role of the other end.
    pub fn other(self) -> Self {
        match self {
            Self::Source => Self::Sink,
            Self::Sink => Self::Source,
        }
    }
}

/// The stream of frames that a source announces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stream {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Pixel layout.
    pub pixel: PixelFormat,
    /// Frames per second. Absent if only the window limits them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_hz: Option<f64>,
    /// Maximum number of frames that will be unanswered at a time.
    pub window: u32,
    /// How frames and answers are delivered.
    pub delivery: Delivery,
    /// In live delivery, a frame's lifetime from its capture on, in µs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_us: Option<u64>,
    /// How long the source waits for a frame's answer, in µs. Absent from a source that does not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_us: Option<u64>,
    /// How the source encodes pixels. Each frame names its own encoding.
    pub encoding: StreamEncoding,
    /// The task of the pipeline. Absent on the wire if it is [`CIRCLE_TASK`].
    #[serde(default = "circle_task", deserialize_with = "task_or_circle", skip_serializing_if = "is_circle_task")]
    pub task: String,
    /// What else the source knows about the stream, such as its camera. Checked by [`check_meta`](super::check_meta).
    #[serde(default, deserialize_with = "plain_values", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

/// Task of a stream that names none.
pub const CIRCLE_TASK: &str = "circle";

fn circle_task() -> String {
    CIRCLE_TASK.into()
}

fn task_or_circle<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_else(circle_task))
}

fn is_circle_task(task: &str) -> bool {
    task == CIRCLE_TASK
}

impl Stream {
    /// The size, if its sides are in range.
    pub fn size(&self) -> Result<Size, SizeError> {
        Size::new(self.width.into(), self.height.into())
    }
}

/// How the `frames` and `answers` lanes deliver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// Every message arrives, in order.
    #[default]
    Reliable,
    /// Messages arrive in any order. The receiver requests lost pieces again until the frame's lifetime ends; then the
    /// frame is given up.
    Live,
}

impl Delivery {
    /// All kinds of delivery, with their names on the wire and on the command line.
    const NAMES: [(&'static str, Self); 2] = [("reliable", Self::Reliable), ("live", Self::Live)];

    /// Its name on the wire and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reliable => "reliable",
            Self::Live => "live",
        }
    }
}

/// The name is not that of a kind of delivery.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("\"{0}\" is not a delivery: reliable or live")]
pub struct NotADelivery(String);

impl FromStr for Delivery {
    type Err = NotADelivery;

    fn from_str(text: &str) -> Result<Self, NotADelivery> {
        let named = Self::NAMES.into_iter().find(|(name, _)| *name == text);
        named.map(|(_, delivery)| delivery).ok_or_else(|| NotADelivery(text.to_owned()))
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A message without fields besides its type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty {}

/// Asks for a [`Pong`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    /// Chosen by the sender, repeated in the pong.
    pub id: u64,
}

/// Answers a [`Ping`], with times on the answerer's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pong {
    /// The ping's id.
    pub id: u64,
    /// When the ping arrived.
    pub received_us: Micros,
    /// When this pong left.
    pub sent_us: Micros,
}

/// Says that the source refuses a request, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Type of the message that asked for it, such as `stop`.
    pub what: String,
    /// The reason, for people.
    #[serde(default)]
    pub reason: String,
}

/// Announces that the sender is leaving, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bye {
    /// The reason, for people.
    #[serde(default)]
    pub reason: String,
}

impl Bye {
    /// A bye with this reason, cut to as many bytes as a peer takes.
    pub fn new(reason: &str) -> Self {
        let end = (0..=TEXT_LIMIT.min(reason.len())).rev().find(|end| reason.is_char_boundary(*end)).unwrap_or(0);
        Self { reason: reason[..end].to_owned() }
    }
}

/// Encodes a message of the `control` lane.
pub fn control_bytes(control: &Control) -> Result<BytesMut, rmp_serde::encode::Error> {
    let mut bytes = BytesMut::new().writer();
    encode(control, &mut bytes)?;
    Ok(bytes.into_inner())
}

/// Decodes a message of the `control` lane.
pub fn decode_control(bytes: &[u8]) -> Result<Control, DecodeError> {
    let control = match tag(bytes)? {
        "hello" => Control::Hello(whole(bytes)?),
        "ping" => Control::Ping(whole(bytes)?),
        "pong" => Control::Pong(whole(bytes)?),
        "next" => Control::Next(whole(bytes)?),
        "stop" => Control::Stop(whole(bytes)?),
        "refused" => Control::Refused(whole(bytes)?),
        "bye" => Control::Bye(whole(bytes)?),
        other => return Err(unknown_type(other)),
    };
    check_control(&control)?;
    Ok(control)
}

/// Whether the message's type is that of a hello, even if its fields are wrong.
pub fn is_hello(bytes: &[u8]) -> bool {
    tag(bytes).is_ok_and(|tag| tag == "hello")
}

fn check_control(control: &Control) -> Result<(), DecodeError> {
    match control {
        Control::Hello(hello) => {
            if let Some(stream) = &hello.stream {
                check_integer("lifetime_us", stream.lifetime_us.unwrap_or_default())?;
                check_integer("deadline_us", stream.deadline_us.unwrap_or_default())?;
                check_text("task", &stream.task)?;
            }
            check_text("name", &hello.name)?;
            check_text("version", &hello.version)
        }
        Control::Ping(ping) => check_integer("id", ping.id),
        Control::Pong(pong) => {
            check_integer("id", pong.id)?;
            check_integer("received_us", pong.received_us.0)?;
            check_integer("sent_us", pong.sent_us.0)
        }
        Control::Next(_) | Control::Stop(_) => Ok(()),
        Control::Refused(refused) => {
            check_text("what", &refused.what)?;
            check_text("reason", &refused.reason)
        }
        Control::Bye(bye) => check_text("reason", &bye.reason),
    }
}

fn check_text(field: &'static str, text: &str) -> Result<(), DecodeError> {
    let length = text.len();
    if length <= TEXT_LIMIT { Ok(()) } else { Err(DecodeError::TextTooLong { field, length }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_of_any_length_makes_a_bye_that_a_peer_accepts() {
        for (reason, bytes) in [("", 0), ("done", 4), (&"x".repeat(300), 256), (&"ä€".repeat(100), 255)] {
            let bye = Control::Bye(Bye::new(reason));
            let decoded = decode_control(&control_bytes(&bye).unwrap()).unwrap();
            assert!(
                matches!(decoded, Control::Bye(bye) if bye.reason.len() == bytes && reason.starts_with(&bye.reason))
            );
        }
    }

    #[test]
    fn any_version_is_read_and_a_session_that_is_no_number_counts_as_absent() {
        let hello = |version: u64, session: serde_json::Value| {
            let hello = serde_json::json!({
                "type": "hello", "protocol": version, "name": "n", "version": "1", "session": session, "role": "sink",
            });
            let mut bytes = Vec::new();
            encode(&hello, &mut bytes).unwrap();
            decode_control(&bytes).unwrap()
        };
        let cases = [
            (serde_json::json!(7), 7),
            (serde_json::json!(INTEGER_LIMIT), 0),
            (serde_json::json!(-1), 0),
            (serde_json::json!(1.5), 0),
            (serde_json::json!({"deep": [null]}), 0),
        ];
        for (sent, read) in cases {
            assert!(matches!(hello(1, sent.clone()), Control::Hello(hello) if hello.session == read), "{sent}");
        }
        assert!(matches!(hello(u64::MAX, 0.into()), Control::Hello(hello) if hello.protocol == u64::MAX));
    }

    #[test]
    fn metadata_that_is_not_plain_is_refused_by_its_field() {
        let hello = serde_json::json!({"type": "hello", "protocol": 1, "name": "s", "version": "1", "role": "source",
            "stream": {"width": 4, "height": 4, "pixel": "gray8", "window": 1, "delivery": "reliable",
                "encoding": "raw", "meta": {"place": [1, 2]}}});
        let mut bytes = Vec::new();
        encode(&hello, &mut bytes).unwrap();
        let wrong = decode_control(&bytes).unwrap_err().to_string();
        assert_eq!(wrong, "malformed message: meta is not a map from texts to true, false, numbers and texts");
    }
}
