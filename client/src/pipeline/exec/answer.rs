//! Reads the line of an answer.

use std::str::FromStr;

use serde_json::Value as Json;
use shared::geometry::Size;
use shared::image::PixelFormat;
use shared::protocol::message::{BallCount, CIRCLE_TASK, DROPPED, Ellipse, FoundCircle, Payload, Value};
use shared::text::Brief;

use super::fault::Fault;
use super::wrong::AnswerError;

/// Names of the fields that answers have, besides `frame` and `kind`. Other fields are ignored, as on the wire.
const FIELDS: [&str; 8] = ["x", "y", "radius", "cov", "axes", "angle", "count", "code"];

/// The kinds of answer that a program may give, for each task.
pub(super) const KINDS: [(&str, &[&str]); 4] =
    [(CIRCLE_TASK, &["circle", "none"]), ("count", &["count"]), ("ack", &["ack"]), ("image", &["image"])];

/// Maximum number of characters of a wrong line that an error repeats.
const SHOWN: usize = 40;

/// The content of a line.
#[allow(clippy::large_enum_variant, reason = "it lives for a call")]
#[derive(Debug)]
pub(super) enum Said {
    /// A complete answer.
    Answer(Payload<'static>),
    /// The head of an image. The bytes of the image follow the line.
    Image(ImageHead),
}

/// The shape of an image that a program answers.
#[derive(Debug)]
pub(super) struct ImageHead {
    pub(super) size: Size,
    pub(super) pixel: PixelFormat,
    pub(super) bytes: usize,
}

/// The fields of a line.
type Fields = serde_json::Map<String, Json>;

/// Reads the line that answers `frame` in a session with this task. An image may have up to `most_bytes`.
pub(super) fn read(line: &[u8], frame: u64, task: &'static str, most_bytes: usize) -> Result<Said, Fault> {
    let fields: Fields = serde_json::from_slice(line).map_err(|_| not_json(&String::from_utf8_lossy(line)))?;
    let answered = whole(&fields, "frame")?;
    if answered != i128::from(frame) {
        return Err(Fault::OtherFrame { asked: frame, answered });
    }
    Ok(said(&fields, task, most_bytes)?)
}

fn not_json(line: &str) -> AnswerError {
    let shown = Brief(line, SHOWN).to_string();
    // Python's json.dumps writes NaN and Infinity.
    let is_not_finite = ["NaN", "Infinity"].into_iter().any(|number| line.contains(number));
    if is_not_finite { AnswerError::NotFinite(shown) } else { AnswerError::NotJson(shown) }
}

fn said(fields: &Fields, task: &'static str, most_bytes: usize) -> Result<Said, AnswerError> {
    match kind(fields, task)? {
        DROPPED => Ok(Said::Answer(Payload::dropped())),
        "image" => image(fields, most_bytes).map(Said::Image),
        kind => checked(payload(kind, fields)).map(Said::Answer),
    }
}

/// Reads the kind of the answer. It must be one of the task's kinds, or `dropped`.
fn kind(fields: &Fields, task: &'static str) -> Result<&'static str, AnswerError> {
    let named = text(fields, "kind")?;
    let kinds = KINDS.iter().find(|(name, _)| *name == task).map_or(&[][..], |(_, kinds)| kinds);
    let known = kinds.iter().copied().chain([DROPPED]).find(|kind| *kind == named);
    let shown = || Brief(named, SHOWN).to_string();
    known.ok_or_else(|| AnswerError::Kind { kind: shown(), task, expected: kinds.join(", ") })
}

/// Makes a payload from the known fields of a line. A field that is null counts as absent.
fn payload(kind: &'static str, fields: &Fields) -> Payload<'static> {
    let mut payload = Payload::new(kind);
    for name in FIELDS {
        if let Some(value) = fields.get(name).and_then(value) {
            payload = payload.with(name, value);
        }
    }
    payload
}

/// Returns the payload if the server accepts it.
fn checked(payload: Payload<'static>) -> Result<Payload<'static>, AnswerError> {
    match payload.kind() {
        "count" => drop(BallCount::read(&payload)?),
        "ack" => {
            let code = payload.integer("code")?;
            let expected = "a whole number from -2^63 to 2^63 - 1";
            i64::try_from(code).map_err(|_| AnswerError::Type { field: "code", expected })?;
        }
        _ => {
            FoundCircle::read(&payload)?;
            Ellipse::read(&payload)?;
        }
    }
    Ok(payload)
}

fn value(json: &Json) -> Option<Value<'static>> {
    match json {
        Json::Null => None,
        Json::Number(number) => Some(match number.as_i128() {
            Some(whole) => Value::Integer(whole),
            None => Value::Real(number.as_f64()?),
        }),
        Json::Array(entries) => {
            Some(entries.iter().map(Json::as_f64).collect::<Option<_>>().map_or(Value::Other, Value::Numbers))
        }
        Json::Bool(_) | Json::String(_) | Json::Object(_) => Some(Value::Other),
    }
}

fn image(fields: &Fields, most: usize) -> Result<ImageHead, AnswerError> {
    let side = |field| Ok::<_, AnswerError>(u64::try_from(whole(fields, field)?).unwrap_or(0));
    let size = Size::new(side("width")?, side("height")?)?;
    let expected = "\"gray8\", \"bgr8\" or \"gray16\"";
    let pixel =
        PixelFormat::from_str(text(fields, "pixel")?).map_err(|_| AnswerError::Type { field: "pixel", expected })?;
    let (bytes, need) = (side("bytes")?, pixel.bytes(size));
    if bytes != need as u64 {
        return Err(AnswerError::OtherLength { bytes, size, pixel, need });
    }
    if need > most {
        return Err(AnswerError::TooLarge { bytes, most });
    }
    Ok(ImageHead { size, pixel, bytes: need })
}

fn whole(fields: &Fields, field: &'static str) -> Result<i128, AnswerError> {
    let number = fields.get(field).ok_or(AnswerError::Missing { field })?;
    let whole = number.as_number().and_then(serde_json::Number::as_i128);
    whole.ok_or(AnswerError::Type { field, expected: "a whole number" })
}

fn text<'a>(fields: &'a Fields, field: &'static str) -> Result<&'a str, AnswerError> {
    let text = fields.get(field).ok_or(AnswerError::Missing { field })?;
    text.as_str().ok_or(AnswerError::Type { field, expected: "a string" })
}

#[cfg(test)]
mod tests {
    use shared::geometry::CircleEstimate;

    use super::*;

    fn answer(task: &'static str, line: &str) -> Result<Payload<'static>, String> {
        match read(line.as_bytes(), 7, task, 1_000) {
            Ok(Said::Answer(payload)) => Ok(payload),
            Ok(Said::Image(head)) => Err(format!("an image of {}", head.size)),
            Err(fault) => Err(fault.to_string()),
        }
    }

    #[test]
    fn every_kind_of_answer_is_read_with_its_fields() {
        let circle =
            answer("circle", r#"{"kind":"circle","x":0.1,"y":2,"radius":3.5,"cov":[1,0,2.5],"note":"x","frame":7}"#);
        let found = FoundCircle::read(&circle.expect("an answer")).expect("a circle").expect("found");
        assert_eq!((found.circle.x, found.circle.y, found.circle.radius), (0.1, 2.0, Some(3.5)));
        assert_eq!(found.covariance.map(|covariance| covariance.yy), Some(2.5));
        let axes = answer(
            "circle",
            r#"{"frame":7,"kind":"circle","x":1,"y":2,"radius":3,"axes":[4,2],"angle":0.5,"cov":null}"#,
        );
        assert_eq!(axes.map(|payload| payload.fields().count()), Ok(5));
        assert_eq!(answer("circle", r#"{"frame":7,"kind":"none"}"#), Ok(Payload::new("none")));
        assert_eq!(answer("ack", r#"{"frame":7,"kind":"dropped"}"#), Ok(Payload::dropped()));
        let count = answer("count", r#"{"frame":7,"kind":"count","count":3}"#);
        assert_eq!(count.map(|payload| payload.integer("count")), Ok(Ok(3)));
        let code = answer("ack", r#"{"frame":7,"kind":"ack","code":-1}"#);
        assert_eq!(code.map(|payload| payload.integer("code")), Ok(Ok(-1)));
        let image = r#"{"frame":7,"kind":"image","width":20,"height":10,"pixel":"bgr8","bytes":600}"#;
        assert_eq!(answer("image", image), Err("an image of 20x10".into()));
    }

    #[test]
    fn a_circle_may_leave_out_its_radius() {
        for radius in ["", r#","radius":null"#] {
            let line = format!(r#"{{"frame":7,"kind":"circle","x":1.5,"y":2,"axes":[4,2],"angle":0.5{radius}}}"#);
            let payload = answer("circle", &line).expect("an answer");
            let circle = CircleEstimate { x: 1.5, y: 2.0, radius: None };
            assert_eq!(FoundCircle::read(&payload), Ok(Some(FoundCircle { circle, covariance: None })));
            assert_eq!(Ellipse::read(&payload), Ok(Some(Ellipse { axes: [4.0, 2.0], angle: 0.5 })));
        }
    }

    #[test]
    fn numbers_keep_every_digit() {
        // Without its feature `float_roundtrip`, serde_json reads numbers faster, but may be a unit off in the last
        // digit.
        for number in [51.248_178_375_059_03, 319.987_654_321_098_8, 1.0 / 3.0, 5e-324] {
            let circle = answer("circle", &format!(r#"{{"frame":7,"kind":"circle","x":{number:e},"y":0,"radius":1}}"#));
            assert_eq!(circle.map(|payload| payload.real("x")), Ok(Ok(number)));
        }
    }

    #[test]
    fn a_wrong_line_is_answered_with_the_field_that_is_wrong() {
        let wrong = |task, line: &str| answer(task, line).expect_err("no answer");
        for (line, said) in [
            ("hello\u{1b}", "\"hello\\u{1b}\" is not a JSON object"),
            ("[7]", "is not a JSON object"),
            ("{}", "frame is missing"),
            (r#"{"frame":"7","kind":"none"}"#, "frame is not a whole number"),
            (r#"{"frame":8,"kind":"none"}"#, "answered frame 8 instead of frame 7"),
            (r#"{"frame":7}"#, "kind is missing"),
            (r#"{"frame":7,"kind":1}"#, "kind is not a string"),
            (r#"{"frame":7,"kind":"count","count":1}"#, "kind \"count\" is not one of circle, none or dropped"),
            (r#"{"frame":7,"kind":"circle","x":1,"radius":3}"#, "kind \"circle\" without y"),
            (r#"{"frame":7,"kind":"circle","x":1,"y":2,"radius":"3"}"#, "radius is not a number"),
            (r#"{"frame":7,"kind":"circle","x":1,"y":2,"radius":-2e6}"#, "radius -2000000"),
            (r#"{"frame":7,"kind":"circle","x":"1","y":2,"radius":3}"#, "x is not a number"),
            (r#"{"frame":7,"kind":"circle","x":1,"y":2e6,"radius":3}"#, "y 2000000"),
            (r#"{"frame":7,"kind":"circle","x":NaN,"y":2,"radius":3}"#, "is not a JSON object"),
            (r#"{"frame":7,"kind":"circle","x":1,"y":2,"radius":3,"cov":[1,2]}"#, "cov is not three numbers"),
        ] {
            assert!(wrong("circle", line).contains(said), "{line}: {}", wrong("circle", line));
        }
        assert!(
            wrong("count", r#"{"frame":7,"kind":"count","count":-1}"#)
                .contains("count is not a whole number from 0 to")
        );
        assert!(wrong("count", r#"{"frame":7,"kind":"count","count":1.5}"#).contains("count is not a whole number"));
        assert!(wrong("ack", r#"{"frame":7,"kind":"ack","code":9223372036854775808}"#).contains("code is not a whole"));
        let image = |shape: &str| wrong("image", &format!("{{\"frame\":7,\"kind\":\"image\",{shape}}}"));
        assert!(image(r#""width":0,"height":2,"pixel":"gray8","bytes":0"#).contains("width and height"));
        assert!(
            image(r#""width":2,"height":2,"pixel":"rgb8","bytes":12"#)
                .contains("pixel is not \"gray8\", \"bgr8\" or \"gray16\"")
        );
        assert!(image(r#""width":2,"height":2,"pixel":"gray8","bytes":5"#).contains("bytes 5"));
        assert!(image(r#""width":99,"height":99,"pixel":"gray8","bytes":9801"#).contains("at most 1000"));
    }
}
