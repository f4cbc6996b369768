//! The payload of the task `count`: how many balls the frame shows.

use super::payload::{Payload, PayloadError, Value};

/// Largest number of balls in an answer.
///
/// It is ten thousand times the most that a frame shows, so no honest answer is refused. It is small enough that no sum
/// of errors overflows.
pub const COUNT_LIMIT: u32 = 1_000_000;

/// Kind of an answer with a number of balls, and the name of its only field.
const COUNT: &str = "count";

/// Valid values of the field, for errors.
const NUMBERS: &str = "a whole number from 0 to 1000000";

/// How many balls a pipeline saw in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BallCount(pub u32);

impl BallCount {
    /// Reads a payload. A frame without a ball is answered with 0; there is no kind `none`.
    ///
    /// # Errors
    /// [`PayloadError`] for another kind, a missing field, or anything but a whole number from 0 to [`COUNT_LIMIT`].
    pub fn read(payload: &Payload<'_>) -> Result<Self, PayloadError> {
        if payload.kind() != COUNT {
            return Err(payload.unexpected("count, dropped"));
        }
        let wrong = PayloadError::Type { field: COUNT, expected: NUMBERS };
        let number = match payload.integer(COUNT) {
            Err(PayloadError::Type { .. }) => return Err(wrong),
            number => number?,
        };
        u32::try_from(number).ok().filter(|number| *number <= COUNT_LIMIT).map(Self).ok_or(wrong)
    }

    /// Makes a payload.
    pub fn write(self) -> Payload<'static> {
        Payload::new(COUNT).with(COUNT, Value::Integer(self.0.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(payload: &Payload<'_>) -> String {
        BallCount::read(payload).unwrap_err().to_string()
    }

    #[test]
    fn a_number_of_balls_survives_its_payload() {
        for count in [0, 1, 3, COUNT_LIMIT] {
            assert_eq!(BallCount::read(&BallCount(count).write()), Ok(BallCount(count)));
        }
    }

    #[test]
    fn anything_but_a_whole_number_within_the_range_is_refused_with_the_range() {
        let wrong = "count is not a whole number from 0 to 1000000";
        let values = [-1, i128::from(COUNT_LIMIT) + 1, i128::from(u64::MAX)].map(Value::Integer);
        for value in values.into_iter().chain([Value::Real(3.0), Value::Real(f64::NAN), Value::Other]) {
            assert_eq!(refused(&Payload::new("count").with("count", value)), wrong);
        }
        assert_eq!(refused(&Payload::new("count")), "kind \"count\" without count");
        assert_eq!(refused(&Payload::new("none")), "kind \"none\" is not one of count, dropped");
    }
}
