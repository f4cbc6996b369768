//! An answer's payload: its kind, and the fields that belong to that kind.
//!
//! The protocol knows only the kind `dropped`, which every task accepts. Each task gives the other kinds their meaning:
//! a pipeline writes a [`Payload`], and the task at the server reads it field by field.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smallvec::SmallVec;
use thiserror::Error;

use super::TEXT_LIMIT;
use crate::geometry::Size;
use crate::image::PixelFormat;
use crate::protocol::encoding::PixelsError;
use crate::text::Figure;

/// Kind of an answer whose pipeline did not look at the frame.
pub const DROPPED: &str = "dropped";

/// Maximum number of fields kept of a payload: four times what any kind has. Further fields are ignored, like unknown
/// ones.
const MAX_FIELDS: usize = 16;

/// Maximum number of numbers kept of a list: a covariance has three.
const MAX_NUMBERS: usize = 8;

/// What a pipeline says about a frame: a kind and its fields, in the order they were written.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload<'a> {
    kind: &'a str,
    fields: SmallVec<[(&'a str, Value<'a>); 4]>,
}

/// A field's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// A whole number. MessagePack has them from -2^63 to 2^64 - 1.
    Integer(i128),
    /// A real number.
    Real(f64),
    /// A list of numbers.
    Numbers(SmallVec<[f64; 3]>),
    /// A word, such as the name of a pixel format.
    Text(&'a str),
    /// Bytes, such as an image's data. When a payload is read, they stay in the message, so a field that nobody asks
    /// for takes no memory.
    Bytes(Cow<'a, [u8]>),
    /// Any other value. No field of Plumb takes it.
    Other,
}

/// Why a payload could not be read.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum PayloadError {
    /// The kind is not one of this task's.
    #[error("kind \"{kind}\" is not one of {expected}")]
    Kind {
        /// The kind received, cut to a printable length.
        kind: String,
        /// The kinds that this task accepts.
        expected: &'static str,
    },
    /// A field that the kind requires is absent.
    #[error("kind \"{kind}\" without {field}")]
    Missing {
        /// The kind.
        kind: String,
        /// The field.
        field: &'static str,
    },
    /// A field's value has the wrong type.
    #[error("{field} is not {expected}")]
    Type {
        /// The field.
        field: &'static str,
        /// The type expected.
        expected: &'static str,
    },
    /// A field is present without the field that must go with it.
    #[error("{field} without {partner}: give both, or neither")]
    Alone {
        /// The field.
        field: &'static str,
        /// The field it goes with.
        partner: &'static str,
    },
    /// A number is out of range.
    #[error("{field} {} is not a finite number within ±{limit}", Figure(.value))]
    Range {
        /// The field.
        field: &'static str,
        /// Its value.
        value: f64,
        /// Largest magnitude allowed.
        limit: f64,
    },
    /// An image is larger than the frame.
    #[error("a {size} {pixel} image has {bytes} bytes: at most the frame's {most} are accepted")]
    TooLarge {
        /// The image's size.
        size: Size,
        /// Its pixel layout.
        pixel: PixelFormat,
        /// Its bytes.
        bytes: usize,
        /// Bytes of the frame.
        most: usize,
    },
    /// An image's data is not its pixels.
    #[error(transparent)]
    Pixels(#[from] PixelsError),
}

impl<'a> Payload<'a> {
    /// A payload without fields.
    pub fn new(kind: &'a str) -> Self {
        Self { kind, fields: SmallVec::new() }
    }

    /// The payload for a frame that the pipeline did not look at.
    pub fn dropped() -> Self {
        Self::new(DROPPED)
    }

    /// The same payload with one more field.
    #[must_use]
    pub fn with(mut self, field: &'a str, value: Value<'a>) -> Self {
        self.fields.push((field, value));
        self
    }

    /// The same payload with its bytes, such as an image's data, left out: cheap to keep and to show.
    #[must_use]
    pub fn without_bytes(&self) -> Self {
        let brief = |value: &Value<'a>| match value {
            Value::Bytes(_) => Value::Other,
            other => other.clone(),
        };
        Self { kind: self.kind, fields: self.fields.iter().map(|(name, value)| (*name, brief(value))).collect() }
    }

    /// The kind.
    pub fn kind(&self) -> &'a str {
        self.kind
    }

    /// Whether the pipeline did not look at the frame.
    pub fn is_dropped(&self) -> bool {
        self.kind == DROPPED
    }

    /// The fields, in the order they were written.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, &Value<'a>)> {
        self.fields.iter().map(|(name, value)| (*name, value))
    }

    /// Whether the field is present.
    pub fn has(&self, field: &str) -> bool {
        self.value(field).is_some()
    }

    /// A required real number. A whole number is accepted too.
    pub fn real(&self, field: &'static str) -> Result<f64, PayloadError> {
        match self.required(field)? {
            Value::Real(value) => Ok(*value),
            Value::Integer(value) => Ok(*value as f64),
            _ => Err(PayloadError::Type { field, expected: "a number" }),
        }
    }

    /// A required whole number.
    pub fn integer(&self, field: &'static str) -> Result<i128, PayloadError> {
        match self.required(field)? {
            Value::Integer(value) => Ok(*value),
            _ => Err(PayloadError::Type { field, expected: "a whole number" }),
        }
    }

    /// An optional list of exactly `N` numbers. `expected` describes it in errors.
    pub fn numbers<const N: usize>(
        &self,
        field: &'static str,
        expected: &'static str,
    ) -> Result<Option<[f64; N]>, PayloadError> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::Numbers(numbers)) if numbers.len() == N => {
                let mut fixed = [0.0; N];
                fixed.copy_from_slice(numbers);
                Ok(Some(fixed))
            }
            Some(_) => Err(PayloadError::Type { field, expected }),
        }
    }

    /// A required word.
    pub fn text(&self, field: &'static str) -> Result<&'a str, PayloadError> {
        match self.required(field)? {
            Value::Text(text) => Ok(text),
            _ => Err(PayloadError::Type { field, expected: "text" }),
        }
    }

    /// Required bytes.
    pub fn bytes(&self, field: &'static str) -> Result<&[u8], PayloadError> {
        match self.required(field)? {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(PayloadError::Type { field, expected: "bytes" }),
        }
    }

    /// The error for a kind that is not one of `expected`.
    pub fn unexpected(&self, expected: &'static str) -> PayloadError {
        PayloadError::Kind { kind: self.printable_kind(), expected }
    }

    fn value(&self, field: &str) -> Option<&Value<'a>> {
        self.fields.iter().find(|(name, _)| *name == field).map(|(_, value)| value)
    }

    fn required(&self, field: &'static str) -> Result<&Value<'a>, PayloadError> {
        self.value(field).ok_or_else(|| PayloadError::Missing { kind: self.printable_kind(), field })
    }

    fn printable_kind(&self) -> String {
        self.kind.escape_debug().take(TEXT_LIMIT / 4).collect()
    }

    /// Keeps a field, unless there are too many.
    pub(super) fn keep(&mut self, field: &'a str, value: Option<Value<'a>>) {
        if let Some(value) = value.filter(|_| self.fields.len() < MAX_FIELDS) {
            self.fields.push((field, value));
        }
    }

    /// The payload with its kind, for a reader that found the kind after some of the fields.
    pub(super) fn of_kind(self, kind: &'a str) -> Self {
        Self { kind, ..self }
    }
}

/// Checks that a number is within ±`limit`. NaN never is.
pub(super) fn within(field: &'static str, value: f64, limit: f64) -> Result<f64, PayloadError> {
    if (-limit..=limit).contains(&value) { Ok(value) } else { Err(PayloadError::Range { field, value, limit }) }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Integer(value) => match (i64::try_from(*value), u64::try_from(*value)) {
                (Ok(value), _) => serializer.serialize_i64(value),
                (_, Ok(value)) => serializer.serialize_u64(value),
                _ => Err(serde::ser::Error::custom(format_args!("{value} is not an integer of MessagePack"))),
            },
            Self::Real(value) => serializer.serialize_f64(*value),
            Self::Numbers(numbers) => serializer.collect_seq(numbers),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Self::Other => serializer.serialize_unit(),
        }
    }
}

/// A field's value as it is read. `None` for nil, which counts as absent.
pub(super) struct Read<'a>(pub(super) Option<Value<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Read<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadVisitor(PhantomData))
    }
}

/// Reads any value, in bounded memory.
struct ReadVisitor<'a>(PhantomData<&'a [u8]>);

impl<'de: 'a, 'a> Visitor<'de> for ReadVisitor<'a> {
    type Value = Read<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Read<'a>, E> {
        Ok(Read(None))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Read<'a>, E> {
        Ok(Read(Some(Value::Integer(value.into()))))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Read<'a>, E> {
        Ok(Read(Some(Value::Integer(value.into()))))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Read<'a>, E> {
        Ok(Read(Some(Value::Real(value))))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Read<'a>, E> {
        Ok(Read(Some(Value::Other)))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Read<'a>, E> {
        Ok(Read(Some(Value::Text(text))))
    }

    fn visit_str<E>(self, _: &str) -> Result<Read<'a>, E> {
        Ok(Read(Some(Value::Other)))
    }

    fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Read<'a>, E> {
        Ok(Read(Some(Value::Bytes(Cow::Borrowed(bytes)))))
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Read<'a>, E> {
        Ok(Read(Some(Value::Other)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Read<'a>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Read(Some(Value::Other)))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, extension: D) -> Result<Read<'a>, D::Error> {
        IgnoredAny::deserialize(extension)?;
        Ok(Read(Some(Value::Other)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Read<'a>, A::Error> {
        let (mut numbers, mut is_numbers) = (SmallVec::new(), true);
        while let Some(Read(entry)) = list.next_element()? {
            match entry {
                Some(Value::Real(number)) if numbers.len() < MAX_NUMBERS => numbers.push(number),
                Some(Value::Integer(number)) if numbers.len() < MAX_NUMBERS => numbers.push(number as f64),
                _ => is_numbers = false,
            }
        }
        Ok(Read(Some(if is_numbers { Value::Numbers(numbers) } else { Value::Other })))
    }
}
