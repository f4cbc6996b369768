//! Messages: MessagePack maps with a `type` and named fields.
//!
//! Unknown fields are ignored; a message of unknown type decodes to [`DecodeError::UnknownType`], which a session
//! counts and forgets. Every number is checked before it is used.

mod answer;
mod control;
mod frame;
mod reply;

use std::io;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::geometry::SizeError;
use crate::protocol::INTEGER_LIMIT;
use crate::protocol::encoding::PixelsError;

pub use answer::{Answer, AnswerTimes, COORDINATE_LIMIT, Finding, decode_answer};
pub use control::{
    Bye, Control, Delivery, Hello, NotADelivery, Ping, Pong, Role, Stream, control_bytes, decode_control,
};
pub use frame::{Frame, Meta, MetaValue, decode_frame};
pub use reply::{Answers, Incomplete, LIST_LIMIT, PIECE_LIMIT, RESEND_LIMIT, Reply, Resend, Short, decode_reply};

/// The longest text a peer may put in a message's field, in bytes.
const TEXT_LIMIT: usize = 256;

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
    /// A frame's data is not its pixels.
    #[error(transparent)]
    Pixels(#[from] PixelsError),
}

/// Appends a message to `buffer`, as a map with named fields.
pub fn encode(message: &impl Serialize, buffer: &mut impl io::Write) -> Result<(), rmp_serde::encode::Error> {
    message.serialize(&mut rmp_serde::Serializer::new(buffer).with_struct_map())
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

fn check_integer(field: &'static str, value: u64) -> Result<(), DecodeError> {
    if value < INTEGER_LIMIT { Ok(()) } else { Err(DecodeError::IntegerTooLarge { field, value }) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::geometry::{Circle, Covariance};
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
            let _ = decode_frame(&bytes).and_then(|frame| frame.image(&mut Vec::new()).map(|image| image.size()));
        }
    }
}
