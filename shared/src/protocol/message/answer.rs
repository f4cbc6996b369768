//! An answer: what a pipeline says about a frame, and when.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::payload::{Payload, Read};
use super::{DecodeError, check_integer, tag, unknown_type, whole};
use crate::time::Micros;

/// A pipeline's answer to a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<'a> {
    /// The frame's id.
    pub frame: u64,
    /// What the pipeline says about the frame.
    pub payload: Payload<'a>,
    /// Times of the steps in the sink, on its clock.
    pub times: AnswerTimes,
}

/// Times of a frame's steps through the sink, on its clock, in this order. Absent from pipelines that do not report
/// them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerTimes {
    /// The frame's last byte arrived.
    pub received: Option<Micros>,
    /// The pipeline started.
    pub started: Option<Micros>,
    /// The pipeline finished.
    pub finished: Option<Micros>,
    /// When the answer was handed to the link. For an image: when its first piece was.
    pub sent: Option<Micros>,
}

/// Decodes a message of the `answers` lane that is a single answer.
pub fn decode_answer(bytes: &[u8]) -> Result<Answer<'_>, DecodeError> {
    match tag(bytes)? {
        "answer" => whole::<Answer<'_>>(bytes)?.checked(),
        other => Err(unknown_type(other)),
    }
}

impl Answer<'_> {
    /// Returns the answer if its numbers are below 2^53.
    pub(super) fn checked(self) -> Result<Self, DecodeError> {
        check_integer("frame", self.frame)?;
        for (field, time) in self.times.named() {
            check_integer(field, time.unwrap_or_default().0)?;
        }
        Ok(self)
    }
}

impl AnswerTimes {
    fn named(self) -> [(&'static str, Option<Micros>); 4] {
        [
            ("received_us", self.received),
            ("started_us", self.started),
            ("finished_us", self.finished),
            ("sent_us", self.sent),
        ]
    }

    /// The time with this name on the wire.
    fn place(&mut self, field: &str) -> Option<&mut Option<Micros>> {
        match field {
            "received_us" => Some(&mut self.received),
            "started_us" => Some(&mut self.started),
            "finished_us" => Some(&mut self.finished),
            "sent_us" => Some(&mut self.sent),
            _ => None,
        }
    }
}

/// Written flat: type, frame and kind, then the kind's fields, then the known times.
impl Serialize for Answer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let times = self.times.named().into_iter().filter_map(|(field, time)| Some((field, time?)));
        let entries = 3 + self.payload.fields().count() + times.clone().count();
        let mut map = serializer.serialize_map(Some(entries))?;
        map.serialize_entry("type", "answer")?;
        map.serialize_entry("frame", &self.frame)?;
        map.serialize_entry("kind", self.payload.kind())?;
        for (field, value) in self.payload.fields() {
            map.serialize_entry(field, value)?;
        }
        for (field, time) in times {
            map.serialize_entry(field, &time)?;
        }
        map.end()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Answer<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AnswerVisitor(PhantomData))
    }
}

/// Reads the fields in any order. A field that is not part of the envelope belongs to the payload.
struct AnswerVisitor<'a>(PhantomData<&'a str>);

impl<'de: 'a, 'a> Visitor<'de> for AnswerVisitor<'a> {
    type Value = Answer<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer: a map with frame and kind")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut frame, mut kind) = (None, None);
        let (mut payload, mut times) = (Payload::new(""), AnswerTimes::default());
        while let Some(field) = map.next_key::<&'de str>()? {
            match field {
                "type" => {
                    map.next_value::<IgnoredAny>()?;
                }
                "frame" => frame = Some(map.next_value()?),
                "kind" => kind = Some(map.next_value()?),
                _ => match times.place(field) {
                    Some(time) => *time = map.next_value()?,
                    None => payload.keep(field, map.next_value::<Read<'a>>()?.0),
                },
            }
        }
        let frame = frame.ok_or_else(|| A::Error::missing_field("frame"))?;
        let kind = kind.ok_or_else(|| A::Error::missing_field("kind"))?;
        Ok(Answer { frame, payload: payload.of_kind(kind), times })
    }
}
