//! Answers, with the payloads of every task.

use std::borrow::Cow;

use bytes::Bytes;
use smallvec::SmallVec;

use super::Untranslatable;
use super::words::{read_encoding, read_pixel, write_encoding, write_pixel};
use crate::geometry::Size;
use crate::link::grpc::wire::{self, answer::Kind};
use crate::protocol::message::{Answer, AnswerTimes, DROPPED, ImageAnswer, Payload, Value};
use crate::time::Micros;

/// Numbers of a covariance and of axes.
const COV: usize = 3;
const AXES: usize = 2;

/// Turns an answer that was read from this message. An image's data stays where it is in the message.
pub(super) fn write(answer: &Answer<'_>, message: &Bytes) -> Result<wire::Answer, Untranslatable> {
    let AnswerTimes { received, started, finished, sent } = answer.times;
    let us = |time: Option<Micros>| time.map(|time| time.0);
    Ok(wire::Answer {
        frame: answer.frame,
        kind: Some(write_kind(&answer.payload, message)?),
        received_us: us(received),
        started_us: us(started),
        finished_us: us(finished),
        sent_us: us(sent),
    })
}

fn write_kind(payload: &Payload<'_>, message: &Bytes) -> Result<Kind, Untranslatable> {
    Ok(match payload.kind() {
        DROPPED => Kind::Dropped(wire::Dropped {}),
        "circle" => Kind::Circle(write_circle(payload)?),
        "none" => Kind::None(wire::NoCircle {}),
        // A number that is too large stays out of range in this form.
        "count" => Kind::Count(wire::Count { count: payload.integer("count")?.try_into().unwrap_or(u32::MAX) }),
        "ack" => {
            let code = payload.integer("code")?;
            let too_large = || Untranslatable::Kind(format!("ack with the code {code}"));
            Kind::Ack(wire::Ack { code: code.try_into().map_err(|_| too_large())? })
        }
        "image" => Kind::Image(write_image(payload, message)?),
        other => return Err(Untranslatable::Kind(other.escape_debug().take(64).collect())),
    })
}

fn write_circle(payload: &Payload<'_>) -> Result<wire::Circle, Untranslatable> {
    let optional = |field| payload.has(field).then(|| payload.real(field)).transpose();
    let cov = payload.numbers::<COV>("cov", "three numbers: xx, xy, yy")?;
    let axes = payload.numbers::<AXES>("axes", "two numbers: a, b")?;
    Ok(wire::Circle {
        x: payload.real("x")?,
        y: payload.real("y")?,
        radius: optional("radius")?,
        cov: cov.map(Vec::from).unwrap_or_default(),
        axes: axes.map(Vec::from).unwrap_or_default(),
        angle: optional("angle")?,
    })
}

fn write_image(payload: &Payload<'_>, message: &Bytes) -> Result<wire::Image, Untranslatable> {
    let image = ImageAnswer::read(payload)?;
    let data = match payload.bytes("data")? {
        data if message.as_ptr_range().contains(&data.as_ptr()) => message.slice_ref(data),
        data => Bytes::copy_from_slice(data),
    };
    let (pixel, encoding) = (write_pixel(image.pixel), write_encoding(image.encoding));
    Ok(wire::Image { width: image.size.width, height: image.size.height, pixel, encoding, data })
}

pub(super) fn read(answer: &wire::Answer) -> Result<Answer<'_>, Untranslatable> {
    let missing = Untranslatable::Missing { message: "answer", field: "kind" };
    let time = |us: Option<u64>| us.map(Micros);
    let times = AnswerTimes {
        received: time(answer.received_us),
        started: time(answer.started_us),
        finished: time(answer.finished_us),
        sent: time(answer.sent_us),
    };
    Ok(Answer { frame: answer.frame, payload: read_kind(answer.kind.as_ref().ok_or(missing)?)?, times })
}

fn read_kind(kind: &Kind) -> Result<Payload<'_>, Untranslatable> {
    Ok(match kind {
        Kind::Dropped(_) => Payload::dropped(),
        Kind::Circle(circle) => read_circle(circle)?,
        Kind::None(_) => Payload::new("none"),
        Kind::Count(count) => Payload::new("count").with("count", Value::Integer(count.count.into())),
        Kind::Ack(ack) => Payload::new("ack").with("code", Value::Integer(ack.code.into())),
        Kind::Image(image) => read_image(image)?,
    })
}

fn read_circle(circle: &wire::Circle) -> Result<Payload<'_>, Untranslatable> {
    let mut payload = Payload::new("circle").with("x", Value::Real(circle.x)).with("y", Value::Real(circle.y));
    for (field, number) in [("radius", circle.radius), ("angle", circle.angle)] {
        if let Some(number) = number {
            payload = payload.with(field, Value::Real(number));
        }
    }
    for (field, numbers, right) in [("cov", &circle.cov, COV), ("axes", &circle.axes, AXES)] {
        match numbers.len() {
            0 => {}
            count if count == right => payload = payload.with(field, Value::Numbers(SmallVec::from_slice(numbers))),
            count => return Err(Untranslatable::Count { field, count, right }),
        }
    }
    Ok(payload)
}

/// The reader of the payload checks the size.
fn read_image(image: &wire::Image) -> Result<Payload<'_>, Untranslatable> {
    let wire::Image { width, height, pixel, encoding, data } = image;
    let size = Size { width: *width, height: *height };
    let (pixel, encoding) = (read_pixel("image", *pixel)?, read_encoding("image", *encoding)?);
    Ok(ImageAnswer { size, pixel, encoding, data: Cow::Borrowed(data) }.write())
}
