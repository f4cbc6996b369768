//! An answer: what a pipeline found in a frame.

use serde::{Deserialize, Serialize};

use super::{DecodeError, TEXT_LIMIT, check_integer, tag, unknown_type, whole};
use crate::geometry::{Circle, Covariance};
use crate::time::Micros;

/// Coordinates and radii in answers are at most this far from zero, in pixels.
///
/// Over a hundred times the largest image, so no honest estimate is refused, and small enough that no sum of errors
/// overflows or loses the other frames' digits.
pub const COORDINATE_LIMIT: f64 = 1e6;

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

/// Reads a message of the `answers` lane that is one answer.
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

/// An answer as it is written: flat, with what its kind needs.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename = "answer")]
pub(super) struct WireAnswer<'a> {
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
    pub(super) fn parse(self) -> Result<Answer, DecodeError> {
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
