//! Messages that are refused, and those that mean the same in both forms.

use proptest::prelude::*;
use prost::Message as _;
use translate::Side;

use super::*;

fn read(message: &wire::FromSink) -> Result<(), String> {
    let mut decoder = codec::MessageDecoder::<translate::Sink>::new(MAX_PAYLOAD);
    decoder.read_message(message.encode_to_vec().into()).map(|_| ()).map_err(|wrong| wrong.to_string())
}

#[test]
fn wrong_bytes_are_refused_with_what_would_be_right() {
    use wire::from_sink::Message;
    let refused = |message| read(&wire::FromSink { message }).unwrap_err();
    assert_eq!(
        refused(None),
        "a message without content: it must hold one of hello, ping, pong, bye, answer, next and stop"
    );
    let hello = wire::Hello { protocol: 1, role: 9, ..Default::default() };
    assert_eq!(refused(Some(Message::Hello(hello))), "hello.role 9: ROLE_SOURCE or ROLE_SINK is right");
    let answer = wire::Answer { frame: 7, ..Default::default() };
    assert_eq!(refused(Some(Message::Answer(answer.clone()))), "an answer without kind");
    let none = wire::answer::Kind::None(wire::NoCircle {});
    let early = wire::Answer { kind: Some(none), ..answer.clone() };
    assert_eq!(
        refused(Some(Message::Answer(early))),
        "a message on the lane answers before its hello: the hello comes first"
    );
    let circle = wire::Circle { cov: vec![1.0, 2.0], ..Default::default() };
    let wrong = wire::Answer { kind: Some(wire::answer::Kind::Circle(circle)), ..answer };
    assert_eq!(refused(Some(Message::Answer(wrong))), "a circle whose cov has 2 numbers: none or 3 is right");
    let mut decoder = codec::MessageDecoder::<translate::Sink>::new(MAX_PAYLOAD);
    let wrong = decoder.read_message(bytes::Bytes::from_static(b"\xff\xff\xff")).unwrap_err().to_string();
    assert!(wrong.starts_with("bytes that are not a message of the proto: "), "{wrong}");
}

#[test]
fn a_large_message_is_pixels_or_is_refused_before_it_is_decoded() {
    let long =
        wire::FromSink { message: Some(wire::from_sink::Message::Bye(wire::Bye { reason: "x".repeat(70_000) })) };
    let refused = read(&long).unwrap_err();
    assert!(refused.contains("bytes beside the pixels: at most 65536 are accepted"), "{refused}");
    let meta = (0..20_000).map(|key| (format!("{key}"), wire::MetaValue { value: None })).collect();
    let frame = wire::Frame { meta, data: vec![0; 1 << 20].into(), ..Default::default() };
    let message = wire::FromSource { message: Some(wire::from_source::Message::Frame(frame)) };
    let mut decoder = codec::MessageDecoder::<translate::Source>::new(MAX_PAYLOAD);
    let refused = decoder.read_message(message.encode_to_vec().into()).unwrap_err().to_string();
    assert!(refused.contains("bytes beside the pixels"), "{refused}");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        fuzz::check(&bytes);
    }

    #[test]
    fn metadata_means_the_same_in_both_forms(meta in proptest::collection::btree_map("[a-z]{1,8}", -9i64..9, 0..8)) {
        let sent: Meta = meta.into_iter().map(|(key, value)| (key, MetaValue::Integer(value))).collect();
        let Control::Hello(mut said) = hello(Role::Source) else { unreachable!() };
        said.stream = said.stream.map(|stream| Stream { meta: (!sent.is_empty()).then_some(sent), ..stream });
        let bytes = control(&Control::Hello(said)).freeze();
            let written = translate::Source::write(Lane::Control, bytes.clone()).unwrap();
        let mut decoder = codec::MessageDecoder::<translate::Source>::new(MAX_PAYLOAD);
        prop_assert_eq!(decoder.read_message(written.encode_to_vec().into()).unwrap().bytes, bytes);
    }
}
