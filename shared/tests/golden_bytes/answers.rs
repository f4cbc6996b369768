//! Answers, and what live delivery sends with them.

use shared::geometry::{Circle, CircleEstimate, Covariance, Size};
use shared::image::PixelFormat;
use shared::protocol::encoding::Encoding;
use shared::protocol::message::{
    self, Answer, AnswerTimes, Answers, BallCount, Ellipse, FoundCircle, ImageAnswer, Incomplete, Payload, Resend,
    Value,
};
use shared::time::Micros;

use super::{bytes_of, hex};

#[test]
fn answers_of_each_kind() {
    let encoded = |answer: &Answer| hex(&bytes_of(answer));
    let none = Answer { frame: 9, payload: FoundCircle::write(None), times: AnswerTimes::default() };
    assert_eq!(encoded(&none), "83a474797065a6616e73776572a56672616d6509a46b696e64a46e6f6e65");
    let circle = Circle { x: 320.5, y: 240.25, radius: 20.0 };
    let covariance = Some(Covariance { xx: 0.25, xy: 0.0, yy: 0.5 });
    let at = |us| Some(Micros(us));
    let times = AnswerTimes { received: at(1), started: at(2), finished: at(3), sent: at(4) };
    let found = Answer {
        frame: 9,
        payload: FoundCircle::write(Some(FoundCircle { circle: circle.into(), covariance })),
        times,
    };
    let expected = concat!(
        "8ba474797065a6616e73776572a56672616d6509a46b696e64a6636972636c65",
        "a178cb4074080000000000",
        "a179cb406e080000000000",
        "a6726164697573cb4034000000000000",
        "a3636f7693cb3fd0000000000000cb0000000000000000cb3fe0000000000000",
        "ab72656365697665645f757301aa737461727465645f757302ab66696e69736865645f757303a773656e745f757304",
    );
    assert_eq!(encoded(&found), expected);
    let ack = |code| Payload::new("ack").with("code", Value::Integer(code));
    let ack = |code| Answer { frame: 9, payload: ack(code), times: AnswerTimes::default() };
    assert_eq!(encoded(&ack(0)), "84a474797065a6616e73776572a56672616d6509a46b696e64a361636ba4636f646500");
    assert_eq!(encoded(&ack(-1)), "84a474797065a6616e73776572a56672616d6509a46b696e64a361636ba4636f6465ff");
}

#[test]
fn a_circle_without_a_radius() {
    let circle = CircleEstimate { x: 320.5, y: 240.25, radius: None };
    let payload = FoundCircle::write(Some(FoundCircle { circle, covariance: None }));
    let bytes = bytes_of(&Answer { frame: 9, payload, times: AnswerTimes::default() });
    let expected = concat!(
        "85a474797065a6616e73776572a56672616d6509a46b696e64a6636972636c65",
        "a178cb4074080000000000",
        "a179cb406e080000000000",
    );
    assert_eq!(hex(&bytes), expected);
}

#[test]
fn an_answer_that_is_an_image() {
    let (size, data) = (Size { width: 2, height: 1 }, (&[7, 9][..]).into());
    let image = ImageAnswer { size, pixel: PixelFormat::Gray8, encoding: Encoding::Raw, data };
    let expected = concat!(
        "88a474797065a6616e73776572a56672616d6509a46b696e64a5696d616765", // {type: "answer", frame: 9, kind: "image",
        "a5776964746802a668656967687401",                                 //  width: 2, height: 1,
        "a5706978656ca56772617938",                                       //  pixel: "gray8",
        "a8656e636f64696e67a3726177",                                     //  encoding: "raw",
        "a464617461c4020709",                                             //  data: bin of 2 bytes}
    );
    let bytes = bytes_of(&Answer { frame: 9, payload: image.write(), times: AnswerTimes::default() });
    assert_eq!(hex(&bytes), expected);
}

#[test]
fn an_answer_with_a_number_of_balls() {
    let encoded = |count| {
        let answer = Answer { frame: 9, payload: BallCount(count).write(), times: AnswerTimes::default() };
        let bytes = bytes_of(&answer);
        assert_eq!(BallCount::read(&message::decode_answer(&bytes).unwrap().payload), Ok(BallCount(count)));
        hex(&bytes)
    };
    let start = concat!(
        "84a474797065a6616e73776572a56672616d6509", // {type: "answer", frame: 9,
        "a46b696e64a5636f756e74",                   //  kind: "count",
        "a5636f756e74",                             //  count:
    );
    assert_eq!(encoded(3), format!("{start}03"));
    assert_eq!(encoded(1_000_000), format!("{start}ce000f4240"));
}

#[test]
fn a_circle_with_the_axes_of_its_ellipse() {
    let circle = Circle { x: 320.5, y: 240.25, radius: 20.0 };
    let found = FoundCircle::write(Some(FoundCircle { circle: circle.into(), covariance: None }));
    let payload = Ellipse { axes: [20.5, 19.5], angle: 0.25 }.add_to(found);
    let bytes = bytes_of(&Answer { frame: 9, payload, times: AnswerTimes::default() });
    let expected = concat!(
        "88a474797065a6616e73776572a56672616d6509a46b696e64a6636972636c65",
        "a178cb4074080000000000",
        "a179cb406e080000000000",
        "a6726164697573cb4034000000000000",
        "a46178657392cb4034800000000000cb4033800000000000", //  axes: [20.5, 19.5],
        "a5616e676c65cb3fd0000000000000",                   //  angle: 0.25}
    );
    assert_eq!(hex(&bytes), expected);
}

#[test]
fn answers_with_the_previous_and_the_missing() {
    let none = |frame| Answer { frame, payload: FoundCircle::write(None), times: AnswerTimes::default() };
    let answers = Answers { answers: vec![none(9)].into(), previous: vec![none(7)].into(), missing: vec![8].into() };
    let bytes = bytes_of(&answers);
    let expected = concat!(
        "84a474797065a7616e7377657273",                                 // {type: "answers",
        "a7616e737765727391",                                           //  answers: [
        "83a474797065a6616e73776572a56672616d6509a46b696e64a46e6f6e65", //   an answer],
        "a870726576696f757391",                                         //  previous: [
        "83a474797065a6616e73776572a56672616d6507a46b696e64a46e6f6e65", //   an answer],
        "a76d697373696e679108",                                         //  missing: [8]}
    );
    assert_eq!(hex(&bytes), expected);
}

#[test]
fn a_request_for_pieces() {
    let messages = vec![Incomplete { id: 7, pieces: vec![1, 300] }, Incomplete { id: 8, pieces: vec![] }];
    let bytes = bytes_of(&Resend { messages });
    let expected = concat!(
        "82a474797065a6726573656e64",         // {type: "resend",
        "a86d6573736167657392",               //  messages: [
        "82a2696407a67069656365739201cd012c", //   {id: 7, pieces: [1, 300]},
        "81a2696408",                         //   {id: 8}]}
    );
    assert_eq!(hex(&bytes), expected);
}
