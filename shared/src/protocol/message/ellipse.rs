//! Optional fields of a found circle: the ellipse that fits its outline.

use std::f64::consts::PI;

use smallvec::smallvec;

use super::circle::COORDINATE_LIMIT;
use super::payload::{Payload, PayloadError, Value};
use crate::geometry::Ellipse;

/// Field of the half-axes, and its valid values.
const AXES: (&str, &str) = ("axes", "two numbers [a, b] in px with 1000000 >= a >= b > 0");

/// Field of the direction, and its valid values.
const ANGLE: (&str, &str) = ("angle", "a number of radians from 0 to below pi");

impl Ellipse {
    /// Reads the fields `axes` and `angle` of a payload; `None` without both.
    ///
    /// # Errors
    /// [`PayloadError`] for numbers out of range, and for one of the fields without the other.
    pub fn read(payload: &Payload<'_>) -> Result<Option<Self>, PayloadError> {
        let axes = payload.numbers::<2>(AXES.0, AXES.1)?;
        match (axes, payload.has(ANGLE.0)) {
            (None, false) => Ok(None),
            (Some(axes), true) => Ok(Some(Self { axes: checked(axes)?, angle: angle(payload)? })),
            (Some(_), false) => Err(PayloadError::Alone { field: AXES.0, partner: ANGLE.0 }),
            (None, true) => Err(PayloadError::Alone { field: ANGLE.0, partner: AXES.0 }),
        }
    }

    /// Adds the fields to the payload of a found circle.
    #[must_use]
    pub fn add_to(self, payload: Payload<'_>) -> Payload<'_> {
        let [a, b] = self.axes;
        payload.with(AXES.0, Value::Numbers(smallvec![a, b])).with(ANGLE.0, Value::Real(self.angle))
    }
}

fn checked([a, b]: [f64; 2]) -> Result<[f64; 2], PayloadError> {
    // NaN fails every comparison.
    let is_right = b > 0.0 && a >= b && a <= COORDINATE_LIMIT;
    if is_right { Ok([a, b]) } else { Err(PayloadError::Type { field: AXES.0, expected: AXES.1 }) }
}

fn angle(payload: &Payload<'_>) -> Result<f64, PayloadError> {
    let wrong = PayloadError::Type { field: ANGLE.0, expected: ANGLE.1 };
    payload.real(ANGLE.0).ok().filter(|angle| (0.0..PI).contains(angle)).ok_or(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ELLIPSE: Ellipse = Ellipse { axes: [20.5, 19.0], angle: 1.25 };

    fn read(axes: &[f64], angle: Value) -> Result<Option<Ellipse>, PayloadError> {
        let numbers = Value::Numbers(axes.iter().copied().collect());
        Ellipse::read(&Payload::new("circle").with("axes", numbers).with("angle", angle))
    }

    #[test]
    fn an_ellipse_survives_its_payload_and_a_circle_needs_none() {
        assert_eq!(Ellipse::read(&ELLIPSE.add_to(Payload::new("circle"))), Ok(Some(ELLIPSE)));
        let round = Ellipse { axes: [7.0, 7.0], angle: 0.0 };
        assert_eq!(read(&[7.0, 7.0], Value::Integer(0)), Ok(Some(round)), "a circle is an ellipse");
        assert_eq!(Ellipse::read(&Payload::new("circle")), Ok(None));
    }

    #[test]
    fn invalid_axes_are_refused_with_the_valid_range() {
        let wrong = "axes is not two numbers [a, b] in px with 1000000 >= a >= b > 0";
        let bad: [&[f64]; 8] = [
            &[1.0, 2.0],
            &[1.0, 0.0],
            &[-1.0, -2.0],
            &[f64::NAN, 1.0],
            &[2.0, f64::NAN],
            &[f64::INFINITY, 1.0],
            &[2e6, 1.0],
            &[3.0, 2.0, 1.0],
        ];
        for axes in bad {
            assert_eq!(read(axes, Value::Real(0.5)).unwrap_err().to_string(), wrong, "{axes:?}");
        }
    }

    #[test]
    fn an_angle_outside_half_a_turn_is_refused_with_the_range() {
        let wrong = "angle is not a number of radians from 0 to below pi";
        for angle in [-0.1, PI, f64::NAN, f64::INFINITY] {
            assert_eq!(read(&[2.0, 1.0], Value::Real(angle)).unwrap_err().to_string(), wrong, "{angle}");
        }
        assert_eq!(read(&[2.0, 1.0], Value::Other).unwrap_err().to_string(), wrong);
        assert!(read(&[2.0, 1.0], Value::Real(PI.next_down())).is_ok());
    }

    #[test]
    fn one_of_the_fields_without_the_other_is_refused() {
        let axes = Payload::new("circle").with("axes", Value::Numbers(smallvec![2.0, 1.0]));
        assert_eq!(Ellipse::read(&axes).unwrap_err().to_string(), "axes without angle: give both, or neither");
        let angle = Payload::new("circle").with("angle", Value::Real(0.5));
        assert_eq!(Ellipse::read(&angle).unwrap_err().to_string(), "angle without axes: give both, or neither");
    }
}
