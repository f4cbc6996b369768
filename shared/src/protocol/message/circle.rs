//! Payloads of the task `circle`: a circle, or none.

use smallvec::smallvec;

use super::payload::{Payload, PayloadError, Value, within};
use crate::geometry::{CircleEstimate, Covariance};

/// Limit of coordinates and radii in answers, in pixels: at most this far from zero.
///
/// It is over a hundred times the largest image, so no honest estimate is refused, and small enough that no sum of
/// errors overflows or loses the other frames' digits.
pub const COORDINATE_LIMIT: f64 = 1e6;

/// Kind of an answer that found a circle.
const CIRCLE: &str = "circle";

/// Kind of an answer that found no circle.
const NONE: &str = "none";

/// A circle that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FoundCircle {
    /// The circle. A pipeline that knows only the centre leaves out its radius.
    pub circle: CircleEstimate,
    /// The covariance of its centre, if the pipeline gives one.
    pub covariance: Option<Covariance>,
}

impl FoundCircle {
    /// Reads a payload. Returns `None` if no circle was found.
    ///
    /// # Errors
    /// [`PayloadError`] for another kind, a missing coordinate, a field of the wrong type, or a number outside
    /// ±[`COORDINATE_LIMIT`].
    pub fn read(payload: &Payload<'_>) -> Result<Option<Self>, PayloadError> {
        let place = |field| within(field, payload.real(field)?, COORDINATE_LIMIT);
        match payload.kind() {
            CIRCLE => {
                let (x, y) = (place("x")?, place("y")?);
                let radius = payload.has("radius").then(|| place("radius")).transpose()?;
                let circle = CircleEstimate { x, y, radius };
                Ok(Some(Self { circle, covariance: covariance(payload)? }))
            }
            NONE => Ok(None),
            _ => Err(payload.unexpected("circle, none, dropped")),
        }
    }

    /// Makes a payload: kind `circle`, or `none` without a circle.
    pub fn write(found: Option<Self>) -> Payload<'static> {
        let Some(Self { circle, covariance }) = found else { return Payload::new(NONE) };
        let mut payload = Payload::new(CIRCLE).with("x", Value::Real(circle.x)).with("y", Value::Real(circle.y));
        if let Some(radius) = circle.radius {
            payload = payload.with("radius", Value::Real(radius));
        }
        if let Some(Covariance { xx, xy, yy }) = covariance {
            payload = payload.with("cov", Value::Numbers(smallvec![xx, xy, yy]));
        }
        payload
    }
}

fn covariance(payload: &Payload<'_>) -> Result<Option<Covariance>, PayloadError> {
    let Some(entries) = payload.numbers::<3>("cov", "three numbers: xx, xy, yy")? else { return Ok(None) };
    for entry in entries {
        within("cov", entry, COORDINATE_LIMIT)?;
    }
    let [xx, xy, yy] = entries;
    Ok(Some(Covariance { xx, xy, yy }))
}
