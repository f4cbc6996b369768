//! Messages: MessagePack maps with a `type` and named fields.
//!
//! Unknown fields are ignored; a message of unknown type decodes to [`DecodeError::UnknownType`], which a session
//! counts and forgets. Every number is checked before it is used.

use std::collections::BTreeMap;
use std::io;

use bytes::{BufMut, BytesMut};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::geometry::{Circle, Covariance, Size, SizeError};
use crate::image::{ImageView, PixelFormat, WrongLength};
use crate::protocol::INTEGER_LIMIT;
use crate::time::Micros;

/// Coordinates and radii in answers are at most this far from zero, in pixels.
///
/// Over a hundred times the largest image, so no honest estimate is refused, and small enough that no sum of errors
/// overflows or loses the other frames' digits.
pub const COORDINATE_LIMIT: f64 = 1e6;

/// The longest text a peer may put in a message's field, in bytes.
const TEXT_LIMIT: usize = 256;

/// What the `control` lane carries.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Control {
    /// First on the lane, from both ends.
    Hello(Hello),
    /// Asks for the other clock's time; also the heartbeat.
    Ping(Ping),
    /// Answers a ping.
    Pong(Pong),
    /// The sender is leaving.
    Bye(Bye),
}

/// Who is speaking and, from the source, what will be sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// Protocol version: [`crate::protocol::VERSION`].
    pub protocol: u32,
    /// The program's name.
    pub name: String,
    /// The program's version.
    pub version: String,
    /// The session's number at the server, 0 from a peer that was told none.
    #[serde(default)]
    pub session: u64,
    /// Which end this is.
    pub role: Role,
    /// The stream, from the source only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<Stream>,
}

/// An end's part in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sends frames, knows the truth.
    Source,
    /// Receives frames, answers.
    Sink,
}

/// The frames a source announces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stream {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Pixel layout.
    pub pixel: PixelFormat,
    /// Frames a second, absent when only the window limits them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_hz: Option<f64>,
    /// The most frames that will be unanswered at a time.
    pub window: u32,
    /// How frames and answers are delivered.
    pub delivery: Delivery,
    /// How pixels are encoded.
    pub encoding: Encoding,
}

impl Stream {
    /// The size, checked.
    pub fn size(&self) -> Result<Size, SizeError> {
        Size::new(self.width.into(), self.height.into())
    }
}

/// How the `frames` and `answers` lanes deliver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// Every message arrives, in order.
    #[default]
    Reliable,
}

/// How a frame's pixels are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// As they lie in memory, row after row.
    #[default]
    Raw,
}

/// Asks for a [`Pong`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    /// Chosen by the sender, repeated in the pong.
    pub id: u64,
}

/// Answers a [`Ping`], in the answerer's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pong {
    /// The ping's id.
    pub id: u64,
    /// When the ping arrived.
    pub received_us: Micros,
    /// When this pong left.
    pub sent_us: Micros,
}

/// Says why the sender leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bye {
    /// For people.
    #[serde(default)]
    pub reason: String,
}

/// A frame and its pixels, borrowed from where they lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "frame")]
pub struct Frame<'a> {
    /// Counts frames sent in a session, from 0.
    pub id: u64,
    /// When the last pixel was rendered, in the source's clock.
    pub captured_us: Micros,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Pixel layout.
    pub pixel: PixelFormat,
    /// How `data` is written.
    pub encoding: Encoding,
    /// Pixels.
    #[serde(with = "serde_bytes", borrow)]
    pub data: &'a [u8],
    /// Whatever the source knows beside the pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

/// A frame's metadata: names and plain values.
pub type Meta = BTreeMap<String, MetaValue>;

/// A value in a frame's metadata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MetaValue {
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A real number.
    Real(f64),
    /// Text.
    Text(String),
}

impl<'a> Frame<'a> {
    /// The pixels as an image, checked against size and format.
    pub fn image(&self) -> Result<ImageView<'a>, DecodeError> {
        let size = Size::new(self.width.into(), self.height.into())?;
        match self.encoding {
            Encoding::Raw => Ok(ImageView::from_bytes(self.data, size, self.pixel)?),
        }
    }
}

/// What a pipeline returns for a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The frame's id.
    pub frame: u64,
    /// What was found.
    pub finding: Finding,
    /// When things happened, in the sink's clock.
    pub times: AnswerTimes,
}

/// What a pipeline found in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Finding {
    /// A circle.
    Circle {
        /// Where.
        circle: Circle,
        /// How sure the pipeline is of the centre.
        covariance: Option<Covariance>,
    },
    /// No circle.
    None,
    /// The pipeline did not look at the frame.
    Dropped,
}

/// An answer's way through the sink, in the sink's clock, in this order; absent from pipelines that do not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerTimes {
    /// The frame's last byte arrived.
    pub received: Option<Micros>,
    /// Detection started.
    pub started: Option<Micros>,
    /// Detection ended.
    pub finished: Option<Micros>,
    /// The answer was handed to the link.
    pub sent: Option<Micros>,
}

/// Why a message was refused.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// Not a MessagePack map with the fields its type asks for.
    #[error("malformed message: {0}")]
    Malformed(#[from] rmp_serde::decode::Error),
    /// More bytes than the message.
    #[error("bytes after the message")]
    Trailing,
    /// A type this version does not know.
    #[error("message of unknown type \"{0}\"")]
    UnknownType(String),
    /// An id or time too large for other languages.
    #[error("{field} {value} is not below 2^53")]
    IntegerTooLarge {
        /// The field.
        field: &'static str,
        /// Its value.
        value: u64,
    },
    /// A coordinate that is no place: not finite, or absurdly far.
    #[error("{field} {value} of frame {frame} is not a finite number within ±{COORDINATE_LIMIT} px")]
    NotAPlace {
        /// The answered frame.
        frame: u64,
        /// The field.
        field: &'static str,
        /// Its value.
        value: f64,
    },
    /// An answer of a kind that says more than it brings.
    #[error("answer to frame {frame} of kind \"{kind}\" without {field}")]
    Incomplete {
        /// The answered frame.
        frame: u64,
        /// Its kind.
        kind: &'static str,
        /// What is missing.
        field: &'static str,
    },
    /// An answer of a kind this version does not know.
    #[error("answer to frame {frame} of unknown kind \"{kind}\"")]
    UnknownKind {
        /// The answered frame.
        frame: u64,
        /// The kind.
        kind: String,
    },
    /// Text over the limit.
    #[error("{field} of {length} bytes, over {TEXT_LIMIT}")]
    TextTooLong {
        /// The field.
        field: &'static str,
        /// Its length in bytes.
        length: usize,
    },
    /// A frame's size is out of range.
    #[error(transparent)]
    Size(#[from] SizeError),
    /// A frame's data does not fill it.
    #[error(transparent)]
    Length(#[from] WrongLength),
}

/// Appends a message to `buffer`, as a map with named fields.
pub fn encode(message: &impl Serialize, buffer: &mut impl io::Write) -> Result<(), rmp_serde::encode::Error> {
    message.serialize(&mut rmp_serde::Serializer::new(buffer).with_struct_map())
}

/// A message of the `control` lane, as its bytes.
pub fn control_bytes(control: &Control) -> Result<BytesMut, rmp_serde::encode::Error> {
    let mut bytes = BytesMut::new().writer();
    encode(control, &mut bytes)?;
    Ok(bytes.into_inner())
}

/// Reads a message of the `control` lane.
pub fn decode_control(bytes: &[u8]) -> Result<Control, DecodeError> {
    let control = match tag(bytes)? {
        "hello" => Control::Hello(whole(bytes)?),
        "ping" => Control::Ping(whole(bytes)?),
        "pong" => Control::Pong(whole(bytes)?),
        "bye" => Control::Bye(whole(bytes)?),
        other => return Err(unknown_type(other)),
    };
    check_control(&control)?;
    Ok(control)
}

/// Reads a message of the `frames` lane; the pixels stay where they lie.
pub fn decode_frame(bytes: &[u8]) -> Result<Frame<'_>, DecodeError> {
    match tag(bytes)? {
        "frame" => {
            let frame: Frame<'_> = whole(bytes)?;
            check_integer("id", frame.id)?;
            check_integer("captured_us", frame.captured_us.0)?;
            Ok(frame)
        }
        other => Err(unknown_type(other)),
    }
}

/// Reads a message of the `answers` lane.
pub fn decode_answer(bytes: &[u8]) -> Result<Answer, DecodeError> {
    match tag(bytes)? {
        "answer" => whole::<WireAnswer<'_>>(bytes)?.parse(),
        other => Err(unknown_type(other)),
    }
}

impl Serialize for Answer {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WireAnswer::from(*self).serialize(serializer)
    }
}

/// Reads a message that fills `bytes` to the end.
fn whole<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
    let message = T::deserialize(&mut deserializer)?;
    match serde::de::IgnoredAny::deserialize(&mut deserializer) {
        Err(rmp_serde::decode::Error::InvalidMarkerRead(end)) if end.kind() == io::ErrorKind::UnexpectedEof => {
            Ok(message)
        }
        _ => Err(DecodeError::Trailing),
    }
}

/// The only field every message has.
#[derive(Deserialize)]
struct Tag<'a> {
    r#type: &'a str,
}

fn tag(bytes: &[u8]) -> Result<&str, DecodeError> {
    Ok(rmp_serde::from_slice::<Tag<'_>>(bytes)?.r#type)
}

fn unknown_type(name: &str) -> DecodeError {
    DecodeError::UnknownType(name.chars().take(TEXT_LIMIT / 4).collect())
}

fn check_control(control: &Control) -> Result<(), DecodeError> {
    match control {
        Control::Hello(hello) => {
            check_integer("session", hello.session)?;
            check_text("name", &hello.name)?;
            check_text("version", &hello.version)
        }
        Control::Ping(ping) => check_integer("id", ping.id),
        Control::Pong(pong) => {
            check_integer("id", pong.id)?;
            check_integer("received_us", pong.received_us.0)?;
            check_integer("sent_us", pong.sent_us.0)
        }
        Control::Bye(bye) => check_text("reason", &bye.reason),
    }
}

fn check_integer(field: &'static str, value: u64) -> Result<(), DecodeError> {
    if value < INTEGER_LIMIT { Ok(()) } else { Err(DecodeError::IntegerTooLarge { field, value }) }
}

fn check_text(field: &'static str, text: &str) -> Result<(), DecodeError> {
    let length = text.len();
    if length <= TEXT_LIMIT { Ok(()) } else { Err(DecodeError::TextTooLong { field, length }) }
}

/// An answer as it is written: flat, with what its kind needs.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename = "answer")]
struct WireAnswer<'a> {
    frame: u64,
    kind: &'a str,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    y: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    radius: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cov: Option<[f64; 3]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    received_us: Option<Micros>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started_us: Option<Micros>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    finished_us: Option<Micros>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sent_us: Option<Micros>,
}

impl WireAnswer<'_> {
    fn parse(self) -> Result<Answer, DecodeError> {
        check_integer("frame", self.frame)?;
        let finding = match self.kind {
            "circle" => self.circle()?,
            "none" => Finding::None,
            "dropped" => Finding::Dropped,
            other => {
                let kind = other.chars().take(TEXT_LIMIT / 4).collect();
                return Err(DecodeError::UnknownKind { frame: self.frame, kind });
            }
        };
        Ok(Answer { frame: self.frame, finding, times: self.times()? })
    }

    fn circle(&self) -> Result<Finding, DecodeError> {
        let place = |field, value: Option<f64>| {
            let value = value.ok_or(DecodeError::Incomplete { frame: self.frame, kind: "circle", field })?;
            self.check_place(field, value)
        };
        let circle = Circle { x: place("x", self.x)?, y: place("y", self.y)?, radius: place("radius", self.radius)? };
        let covariance = match self.cov {
            Some([xx, xy, yy]) => Some(Covariance {
                xx: self.check_place("cov", xx)?,
                xy: self.check_place("cov", xy)?,
                yy: self.check_place("cov", yy)?,
            }),
            None => None,
        };
        Ok(Finding::Circle { circle, covariance })
    }

    fn check_place(&self, field: &'static str, value: f64) -> Result<f64, DecodeError> {
        // NaN is in no range.
        if (-COORDINATE_LIMIT..=COORDINATE_LIMIT).contains(&value) {
            Ok(value)
        } else {
            Err(DecodeError::NotAPlace { frame: self.frame, field, value })
        }
    }

    fn times(&self) -> Result<AnswerTimes, DecodeError> {
        let times = AnswerTimes {
            received: self.received_us,
            started: self.started_us,
            finished: self.finished_us,
            sent: self.sent_us,
        };
        let fields = [
            ("received_us", times.received),
            ("started_us", times.started),
            ("finished_us", times.finished),
            ("sent_us", times.sent),
        ];
        for (field, time) in fields {
            check_integer(field, time.unwrap_or_default().0)?;
        }
        Ok(times)
    }
}

impl From<Answer> for WireAnswer<'_> {
    fn from(answer: Answer) -> Self {
        let (kind, circle, covariance) = match answer.finding {
            Finding::Circle { circle, covariance } => ("circle", Some(circle), covariance),
            Finding::None => ("none", None, None),
            Finding::Dropped => ("dropped", None, None),
        };
        Self {
            frame: answer.frame,
            kind,
            x: circle.map(|circle| circle.x),
            y: circle.map(|circle| circle.y),
            radius: circle.map(|circle| circle.radius),
            cov: covariance.map(|cov| [cov.xx, cov.xy, cov.yy]),
            received_us: answer.times.received,
            started_us: answer.times.started,
            finished_us: answer.times.finished,
            sent_us: answer.times.sent,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(message: &impl Serialize) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(message, &mut bytes).unwrap();
        bytes
    }

    fn answer_map(fields: &[(&str, f64)], kind: &str) -> Vec<u8> {
        let mut map: BTreeMap<&str, MetaValue> = fields.iter().map(|(k, v)| (*k, MetaValue::Real(*v))).collect();
        map.insert("type", MetaValue::Text("answer".into()));
        map.insert("kind", MetaValue::Text(kind.into()));
        map.insert("frame", MetaValue::Integer(7));
        rmp_serde::to_vec_named(&map).unwrap()
    }

    #[test]
    fn an_answer_without_any_optional_field_is_whole() {
        let answer = decode_answer(&answer_map(&[("x", 1.5), ("y", 2.0), ("radius", 9.0)], "circle")).unwrap();
        let circle = Circle { x: 1.5, y: 2.0, radius: 9.0 };
        assert_eq!(
            answer,
            Answer { frame: 7, finding: Finding::Circle { circle, covariance: None }, times: AnswerTimes::default() }
        );
    }

    #[test]
    fn coordinates_written_as_integers_are_taken() {
        let mut map: BTreeMap<&str, MetaValue> = BTreeMap::new();
        for (name, value) in [("x", 10), ("y", 20), ("radius", 5), ("frame", 0)] {
            map.insert(name, MetaValue::Integer(value));
        }
        map.insert("type", MetaValue::Text("answer".into()));
        map.insert("kind", MetaValue::Text("circle".into()));
        let answer = decode_answer(&rmp_serde::to_vec_named(&map).unwrap()).unwrap();
        assert!(matches!(answer.finding, Finding::Circle { circle, .. } if circle.x == 10.0));
    }

    #[test]
    fn a_coordinate_that_is_no_place_is_refused_by_name() {
        for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            let error = decode_answer(&answer_map(&[("x", x), ("y", 2.0), ("radius", 9.0)], "circle")).unwrap_err();
            assert!(matches!(error, DecodeError::NotAPlace { frame: 7, field: "x", .. }), "{error}");
        }
    }

    #[test]
    fn a_circle_without_a_radius_is_refused() {
        let error = decode_answer(&answer_map(&[("x", 1.0), ("y", 2.0)], "circle")).unwrap_err();
        assert_eq!(error.to_string(), "answer to frame 7 of kind \"circle\" without radius");
    }

    #[test]
    fn unknown_types_and_kinds_are_named() {
        assert!(matches!(decode_control(&answer_map(&[], "none")), Err(DecodeError::UnknownType(t)) if t == "answer"));
        let error = decode_answer(&answer_map(&[], "square")).unwrap_err();
        assert!(matches!(error, DecodeError::UnknownKind { frame: 7, ref kind } if kind == "square"), "{error}");
    }

    #[test]
    fn integers_of_2_to_the_53_are_refused() {
        assert!(decode_control(&bytes(&Control::Ping(Ping { id: INTEGER_LIMIT - 1 }))).is_ok());
        let error = decode_control(&bytes(&Control::Ping(Ping { id: INTEGER_LIMIT }))).unwrap_err();
        assert!(matches!(error, DecodeError::IntegerTooLarge { field: "id", .. }), "{error}");
    }

    #[test]
    fn a_frame_whose_data_does_not_fill_it_is_refused() {
        let frame = Frame {
            id: 0,
            captured_us: Micros(0),
            width: 4,
            height: 2,
            pixel: PixelFormat::Gray8,
            encoding: Encoding::Raw,
            data: &[0; 7],
            meta: None,
        };
        let bytes = bytes(&frame);
        assert!(matches!(decode_frame(&bytes).unwrap().image(), Err(DecodeError::Length(_))));
        let sizeless = Frame { width: 0, ..frame };
        assert!(matches!(sizeless.image(), Err(DecodeError::Size(_))));
    }

    #[test]
    fn metadata_travels_with_the_frame() {
        let meta =
            Meta::from([("gain".into(), MetaValue::Real(1.5)), ("file".into(), MetaValue::Text("a.png".into()))]);
        let frame = Frame {
            id: 3,
            captured_us: Micros(9),
            width: 1,
            height: 1,
            pixel: PixelFormat::Gray8,
            encoding: Encoding::Raw,
            data: &[5],
            meta: Some(meta),
        };
        assert_eq!(decode_frame(&bytes(&frame)).unwrap(), frame);
    }

    prop_compose! {
        fn any_answer()(
            frame in 0..INTEGER_LIMIT,
            kind in 0..3,
            (x, y, radius) in (-1e6..1e6f64, -1e6..1e6f64, -1e6..1e6f64),
            covariance in proptest::option::of((0.0..10.0f64, -1.0..1.0f64, 0.0..10.0f64)),
            times in proptest::array::uniform4(proptest::option::of(0..INTEGER_LIMIT)),
        ) -> Answer {
            let covariance = covariance.map(|(xx, xy, yy)| Covariance { xx, xy, yy });
            let finding = match kind {
                0 => Finding::Circle { circle: Circle { x, y, radius }, covariance },
                1 => Finding::None,
                _ => Finding::Dropped,
            };
            let [received, started, finished, sent] = times.map(|time| time.map(Micros));
            let times = AnswerTimes { received, started, finished, sent };
            Answer { frame, finding, times }
        }
    }

    #[test]
    fn bytes_after_a_message_are_refused() {
        let mut bytes = answer_map(&[], "none");
        bytes.push(0xc0);
        assert!(matches!(decode_answer(&bytes), Err(DecodeError::Trailing)));
    }

    proptest! {
        #[test]
        fn answers_come_back_as_they_were_written(answer in any_answer()) {
            prop_assert_eq!(decode_answer(&bytes(&answer)).unwrap(), answer);
        }

        #[test]
        fn a_truncated_answer_is_an_error(answer in any_answer(), cut in 0.0..1.0f64) {
            let bytes = bytes(&answer);
            let cut = (bytes.len() as f64 * cut) as usize;
            prop_assert!(decode_answer(&bytes[..cut]).is_err());
        }

        #[test]
        fn no_bytes_make_a_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode_control(&bytes);
            let _ = decode_answer(&bytes);
            let _ = decode_frame(&bytes).and_then(|frame| frame.image().map(|image| image.size()));
        }
    }
}
