//! Messages: MessagePack maps with a `type` and named fields.
//!
//! Unknown fields are ignored. A message of unknown type decodes to [`DecodeError::UnknownType`], which a session
//! counts and then ignores. Every number is checked before it is used.

mod answer;
mod circle;
mod control;
mod count;
mod ellipse;
mod frame;
pub mod fuzz;
mod image;
mod meta;
mod outline;
mod payload;
mod reply;

use std::io;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::geometry::SizeError;
use crate::protocol::INTEGER_LIMIT;
use crate::protocol::encoding::PixelsError;
use crate::protocol::malformed;
use crate::text::Brief;

pub use crate::geometry::Ellipse;

pub use answer::{Answer, AnswerTimes, decode_answer};
pub use circle::{COORDINATE_LIMIT, FoundCircle};
pub use control::{
    Bye, CIRCLE_TASK, Control, Delivery, Empty, Hello, NotADelivery, PULL_FEATURE, Ping, Pong, Refused, Role,
    STOP_FEATURE, Stream, control_bytes, decode_control, is_hello,
};
pub use count::{BallCount, COUNT_LIMIT};
pub use frame::{Frame, decode_frame};
pub use image::{IMAGE, IMAGE_TASK, ImageAnswer};
pub use meta::{META_KEYS, Meta, MetaTooLarge, MetaValue, check_meta};
pub use outline::{FRAME_OVERHEAD, META_LIMIT, frame_id};
pub use payload::{DROPPED, Payload, PayloadError, Value};
pub use reply::{Answers, Incomplete, LIST_LIMIT, PIECE_LIMIT, RESEND_LIMIT, Reply, Resend, Short, decode_reply};

/// Longest text a peer may put into a field, in bytes.
const TEXT_LIMIT: usize = 256;

/// Why a message was refused.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// The message is not a MessagePack map with the fields of its type.
    #[error("malformed message: {}", malformed::of_message_pack(.0))]
    Malformed(#[from] rmp_serde::decode::Error),
    /// More bytes follow the message.
    #[error("bytes after the message")]
    Trailing,
    /// This version does not know the type.
    #[error("its type \"{}\" is unknown", Brief(.0, 40))]
    UnknownType(String),
    /// An id or time is too large for languages whose numbers are doubles.
    #[error("{field} {value} is not below 2^53")]
    IntegerTooLarge {
        /// The field.
        field: &'static str,
        /// Its value.
        value: u64,
    },
    /// A text is over the limit.
    #[error("{field} of {length} bytes, over {TEXT_LIMIT}")]
    TextTooLong {
        /// The field.
        field: &'static str,
        /// Its length in bytes.
        length: usize,
    },
    /// A frame's metadata is over its limit.
    #[error("meta of more than {META_LIMIT} bytes")]
    MetaTooLong,
    /// A frame has too many bytes in addition to its pixels.
    #[error("more than {FRAME_OVERHEAD} bytes beside the pixels")]
    BesideTooLong,
    /// A frame's size is out of range.
    #[error(transparent)]
    Size(#[from] SizeError),
    /// A frame's data does not decode to its pixels.
    #[error(transparent)]
    Pixels(#[from] PixelsError),
}

/// Appends a message to `buffer`, as a map with named fields.
pub fn encode(message: &impl Serialize, buffer: &mut impl io::Write) -> Result<(), rmp_serde::encode::Error> {
    message.serialize(&mut rmp_serde::Serializer::new(buffer).with_struct_map())
}

/// Decodes a message that fills `bytes` to the end.
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

/// The only field that every message has.
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

fn check_integer(field: &'static str, value: u64) -> Result<(), DecodeError> {
    if value < INTEGER_LIMIT { Ok(()) } else { Err(DecodeError::IntegerTooLarge { field, value }) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::geometry::{Circle, CircleEstimate, Covariance, Size};
    use crate::image::PixelFormat;
    use crate::protocol::encoding::Encoding;
    use crate::time::Micros;

    /// A message as it goes over the wire.
    pub(super) fn bytes(message: &impl Serialize) -> Vec<u8> {
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

    /// Why an answer's payload is not a circle.
    fn circle_error(bytes: &[u8]) -> PayloadError {
        FoundCircle::read(&decode_answer(bytes).unwrap().payload).unwrap_err()
    }

    #[test]
    fn an_answer_without_any_optional_field_is_whole() {
        let bytes = answer_map(&[("x", 1.5), ("y", 2.0), ("radius", 9.0)], "circle");
        let answer = decode_answer(&bytes).unwrap();
        let circle = Circle { x: 1.5, y: 2.0, radius: 9.0 };
        let found = FoundCircle::read(&answer.payload);
        assert_eq!((answer.frame, answer.times), (7, AnswerTimes::default()));
        assert_eq!(found, Ok(Some(FoundCircle { circle: circle.into(), covariance: None })));
    }

    #[test]
    fn coordinates_written_as_integers_are_accepted() {
        let mut map: BTreeMap<&str, MetaValue> = BTreeMap::new();
        for (name, value) in [("x", 10), ("y", 20), ("radius", 5), ("frame", 0)] {
            map.insert(name, MetaValue::Integer(value));
        }
        map.insert("type", MetaValue::Text("answer".into()));
        map.insert("kind", MetaValue::Text("circle".into()));
        let bytes = rmp_serde::to_vec_named(&map).unwrap();
        let found = FoundCircle::read(&decode_answer(&bytes).unwrap().payload).unwrap();
        assert!(found.is_some_and(|found| found.circle.x == 10.0));
    }

    #[test]
    fn an_impossible_coordinate_is_refused_by_name() {
        for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            let error = circle_error(&answer_map(&[("x", x), ("y", 2.0), ("radius", 9.0)], "circle"));
            assert!(matches!(error, PayloadError::Range { field: "x", .. }), "{error}");
        }
    }

    #[test]
    fn a_circle_may_leave_out_its_radius() {
        let absent = answer_map(&[("x", 1.5), ("y", 2.0)], "circle");
        let nil = serde_json::json!({"type": "answer", "frame": 7, "kind": "circle", "x": 1.5, "y": 2, "radius": null});
        for bytes in [absent, bytes(&nil)] {
            let found = FoundCircle::read(&decode_answer(&bytes).unwrap().payload);
            let circle = CircleEstimate { x: 1.5, y: 2.0, radius: None };
            assert_eq!(found, Ok(Some(FoundCircle { circle, covariance: None })));
        }
    }

    #[test]
    fn a_circle_without_a_centre_is_refused() {
        let error = circle_error(&answer_map(&[("x", 1.0), ("radius", 9.0)], "circle"));
        assert_eq!(error.to_string(), "kind \"circle\" without y");
    }

    #[test]
    fn a_radius_of_the_wrong_type_or_out_of_range_is_refused_by_name() {
        for radius in [f64::NAN, f64::INFINITY, 1e300, -1e300] {
            let error = circle_error(&answer_map(&[("x", 1.0), ("y", 2.0), ("radius", radius)], "circle"));
            assert!(matches!(error, PayloadError::Range { field: "radius", .. }), "{error}");
        }
        for radius in [serde_json::json!("large"), serde_json::json!([9])] {
            let answer = serde_json::json!({"type": "answer", "frame": 1, "kind": "circle", "x": 1, "y": 2,
                "radius": radius});
            assert_eq!(circle_error(&bytes(&answer)).to_string(), "radius is not a number");
        }
    }

    #[test]
    fn fields_of_the_wrong_type_are_named() {
        let bytes = bytes(&serde_json::json!({"type": "answer", "frame": 1, "kind": "circle", "x": "left"}));
        assert_eq!(circle_error(&bytes).to_string(), "x is not a number");
        let answer = serde_json::json!({
            "type": "answer", "frame": 1, "kind": "circle", "x": 1, "y": 2, "radius": 3, "cov": [1, 2]});
        let error = circle_error(&super::tests::bytes(&answer)).to_string();
        assert_eq!(error, "cov is not three numbers: xx, xy, yy");
    }

    #[test]
    fn unused_fields_are_ignored_whatever_their_values() {
        let odd = serde_json::json!({"type": "answer", "frame": 1, "kind": "ack", "code": 5, "note": "hello",
            "list": [1, "two", {"three": 3}], "map": {"a": [1, 2]}, "nothing": null, "many": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]});
        let bytes = bytes(&odd);
        let answer = decode_answer(&bytes).unwrap();
        assert_eq!((answer.payload.kind(), answer.payload.integer("code")), ("ack", Ok(5)));
        assert_eq!(answer.payload.numbers::<2>("nothing", "two numbers"), Ok(None));
    }

    #[test]
    fn unknown_types_and_kinds_are_named() {
        assert!(matches!(decode_control(&answer_map(&[], "none")), Err(DecodeError::UnknownType(t)) if t == "answer"));
        let error = circle_error(&answer_map(&[], "square"));
        assert_eq!(error.to_string(), "kind \"square\" is not one of circle, none, dropped");
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
        assert!(matches!(decode_frame(&bytes).unwrap().image(&mut Vec::new()), Err(DecodeError::Pixels(_))));
        let sizeless = Frame { width: 0, ..frame };
        assert!(matches!(sizeless.image(&mut Vec::new()), Err(DecodeError::Size(_))));
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
        fn any_circle()(
            (x, y) in (-1e6..1e6f64, -1e6..1e6f64),
            radius in proptest::option::of(-1e6..1e6f64),
            covariance in proptest::option::of((0.0..10.0f64, -1.0..1.0f64, 0.0..10.0f64)),
        ) -> FoundCircle {
            let covariance = covariance.map(|(xx, xy, yy)| Covariance { xx, xy, yy });
            FoundCircle { circle: CircleEstimate { x, y, radius }, covariance }
        }
    }

    prop_compose! {
        fn any_answer()(
            frame in 0..INTEGER_LIMIT,
            kind in 0..5,
            x in -1e6..1e6f64,
            found in any_circle(),
            times in proptest::array::uniform4(proptest::option::of(0..INTEGER_LIMIT)),
        ) -> Answer<'static> {
            let payload = match kind {
                0 => FoundCircle::write(Some(found)),
                1 => FoundCircle::write(None),
                2 => Payload::new("ack").with("code", Value::Integer(x as i128)),
                3 => {
                    let (size, data) = (Size { width: 7, height: 3 }, vec![x as u8; 21].into());
                    ImageAnswer { size, pixel: PixelFormat::Gray8, encoding: Encoding::Raw, data }.write()
                }
                _ => Payload::dropped(),
            };
            let [received, started, finished, sent] = times.map(|time| time.map(Micros));
            let times = AnswerTimes { received, started, finished, sent };
            Answer { frame, payload, times }
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
        fn a_circle_comes_back_as_it_was_written_with_or_without_a_radius(found in any_circle()) {
            let payload = FoundCircle::write(Some(found));
            prop_assert_eq!(payload.has("radius"), found.circle.radius.is_some());
            let answer = bytes(&Answer { frame: 7, payload, times: AnswerTimes::default() });
            prop_assert_eq!(FoundCircle::read(&decode_answer(&answer).unwrap().payload), Ok(Some(found)));
        }

        #[test]
        fn answers_come_back_as_they_were_written(answer in any_answer()) {
            let written = bytes(&answer);
            let read = decode_answer(&written).unwrap();
            prop_assert_eq!(read.times, answer.times);
            prop_assert_eq!(&bytes(&read), &written);
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
            let _ = decode_frame(&bytes).and_then(|frame| frame.image(&mut Vec::new()).map(|image| image.size()));
        }
    }
}
