//! The bytes of protocol 1 do not change, because other languages rely on them.
//!
//! Each message was checked against `msgpack` from PyPI: `msgpack.packb` of the same map gives the same bytes.

use bytes::BytesMut;
use shared::geometry::{Circle, CircleEstimate, Covariance, Size};
use shared::image::{Image, PixelFormat};
use shared::protocol::encoding::{Encoding, JpegQuality, StreamEncoding};
use shared::protocol::fragment;
use shared::protocol::message::{
    self, Answer, AnswerTimes, Answers, BallCount, Bye, Control, Delivery, Ellipse, Empty, FoundCircle, Frame, Hello,
    ImageAnswer, Incomplete, Meta, MetaValue, PULL_FEATURE, Payload, Ping, Pong, Refused, Resend, Role, STOP_FEATURE,
    Stream, Value,
};
use shared::time::Micros;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn control(message: &Control) -> String {
    hex(&message::control_bytes(message).unwrap())
}

#[test]
fn a_sinks_hello() {
    let hello = Hello {
        protocol: 1,
        name: "mine".into(),
        version: "2".into(),
        session: 0,
        role: Role::Sink,
        stream: None,
        features: Vec::new(),
        pull: false,
    };
    let expected = concat!(
        "86a474797065a568656c6c6f", // {type: "hello",
        "a870726f746f636f6c01",     //  protocol: 1,
        "a46e616d65a46d696e65",     //  name: "mine",
        "a776657273696f6ea132",     //  version: "2",
        "a773657373696f6e00",       //  session: 0,
        "a4726f6c65a473696e6b",     //  role: "sink"}
    );
    assert_eq!(control(&Control::Hello(hello)), expected);
}

#[test]
fn a_sources_hello_with_its_stream() {
    let stream = Stream {
        task: "circle".into(),
        width: 640,
        height: 480,
        pixel: PixelFormat::Gray8,
        rate_hz: Some(60.0),
        window: 8,
        delivery: Delivery::Reliable,
        lifetime_us: None,
        deadline_us: None,
        meta: None,
        encoding: StreamEncoding::Raw,
    };
    let hello = Hello {
        protocol: 1,
        name: "s".into(),
        version: "1".into(),
        session: 3,
        role: Role::Source,
        stream: Some(stream),
        features: Vec::new(),
        pull: false,
    };
    let expected = concat!(
        "87a474797065a568656c6c6fa870726f746f636f6c01a46e616d65a173a776657273696f6ea131a773657373696f6e03",
        "a4726f6c65a6736f75726365",             //  role: "source",
        "a673747265616d87",                     //  stream: {
        "a57769647468cd0280",                   //    width: 640,
        "a6686569676874cd01e0",                 //    height: 480,
        "a5706978656ca56772617938",             //    pixel: "gray8",
        "a7726174655f687acb404e000000000000",   //    rate_hz: 60.0,
        "a677696e646f7708",                     //    window: 8,
        "a864656c6976657279a872656c6961626c65", //  delivery: "reliable",
        "a8656e636f64696e67a3726177",           //    encoding: "raw"}}
    );
    assert_eq!(control(&Control::Hello(hello)), expected);
}

#[test]
fn the_hello_of_a_sink_that_asks_for_each_frame() {
    let hello = Hello {
        protocol: 1,
        name: "mine".into(),
        version: "2".into(),
        session: 0,
        role: Role::Sink,
        stream: None,
        features: Vec::new(),
        pull: true,
    };
    let expected = concat!(
        "87a474797065a568656c6c6fa870726f746f636f6c01a46e616d65a46d696e65a776657273696f6ea132a773657373696f6e00",
        "a4726f6c65a473696e6b", //  role: "sink",
        "a470756c6cc3",         //  pull: true}
    );
    assert_eq!(control(&Control::Hello(hello)), expected);
}

#[test]
fn a_source_names_what_else_it_can_do() {
    let hello = Hello {
        protocol: 1,
        name: "s".into(),
        version: "1".into(),
        session: 3,
        role: Role::Source,
        stream: None,
        features: vec![PULL_FEATURE.into(), STOP_FEATURE.into()],
        pull: false,
    };
    let expected = concat!(
        "87a474797065a568656c6c6fa870726f746f636f6c01a46e616d65a173a776657273696f6ea131a773657373696f6e03",
        "a4726f6c65a6736f75726365", //  role: "source",
        "a86665617475726573",
        "92a470756c6ca473746f70", //  features: ["pull", "stop"]}
    );
    assert_eq!(control(&Control::Hello(hello)), expected);
}

#[test]
fn nil_and_unknown_features_count_as_absent() {
    for (features, named) in [("c0", 0), ("91a3746561", 1)] {
        let bytes = format!(
            "88a474797065a568656c6c6fa870726f746f636f6c01a46e616d65a173a776657273696f6ea131a773657373696f6e03\
             a4726f6c65a6736f75726365a86665617475726573{features}a470756c6cc0"
        );
        let bytes: Vec<u8> =
            (0..bytes.len()).step_by(2).map(|at| u8::from_str_radix(&bytes[at..at + 2], 16).unwrap()).collect();
        let Control::Hello(hello) = message::decode_control(&bytes).unwrap() else { panic!("a hello") };
        assert_eq!((hello.features.len(), hello.pull, hello.has(PULL_FEATURE)), (named, false, false));
    }
}

#[test]
fn next_stop_and_refused() {
    assert_eq!(control(&Control::Next(Empty {})), "81a474797065a46e657874");
    assert_eq!(control(&Control::Stop(Empty {})), "81a474797065a473746f70");
    let refused = Refused { what: "stop".into(), reason: "no".into() };
    let expected = "83a474797065a772656675736564a477686174a473746f70a6726561736f6ea26e6f";
    assert_eq!(control(&Control::Refused(refused.clone())), expected);
    for message in [Control::Next(Empty {}), Control::Stop(Empty {}), Control::Refused(refused)] {
        let bytes = message::control_bytes(&message).unwrap();
        assert_eq!(message::decode_control(&bytes).unwrap(), message);
    }
}

#[test]
fn ping_pong_and_bye() {
    assert_eq!(control(&Control::Ping(Ping { id: 5 })), "82a474797065a470696e67a2696405");
    let pong = Pong { id: 5, received_us: Micros(1000), sent_us: Micros(70_000) };
    let expected = "84a474797065a4706f6e67a2696405ab72656365697665645f7573cd03e8a773656e745f7573ce00011170";
    assert_eq!(control(&Control::Pong(pong)), expected);
    let bye = Bye { reason: "done".into() };
    assert_eq!(control(&Control::Bye(bye)), "82a474797065a3627965a6726561736f6ea4646f6e65");
}

#[test]
fn a_frame_in_one_fragment() {
    let frame = Frame {
        id: 2,
        captured_us: Micros(300),
        width: 2,
        height: 1,
        pixel: PixelFormat::Gray8,
        encoding: Encoding::Raw,
        data: &[40, 180],
        meta: None,
    };
    let pieces = fragment::split(2, &frame, 65_536).unwrap();
    let expected = concat!(
        "94020001c450",             // [2, 0, 1, bin of 80 bytes:
        "88a474797065a56672616d65", // {type: "frame",
        "a2696402",                 //  id: 2,
        "ab63617074757265645f7573cd012c",
        "a5776964746802",
        "a668656967687401",
        "a5706978656ca56772617938",
        "a8656e636f64696e67a3726177",
        "a464617461c40228b4", //  data: bin of 2 bytes}]
    );
    assert_eq!(pieces.iter().map(|piece| hex(piece)).collect::<Vec<_>>(), [expected]);
}

#[test]
fn a_frame_as_an_lz4_block() {
    // `lz4.block.decompress(block, uncompressed_size=40)` from PyPI's lz4 gives the same 40 bytes.
    let block = [
        0x1f, 40, 1, 0, 15, // one literal, then the byte before it 4 + 15 + 15 times
        0x50, 40, 40, 40, 40, 180, // five literals, the last
    ];
    let frame = Frame {
        id: 2,
        captured_us: Micros(300),
        width: 20,
        height: 2,
        pixel: PixelFormat::Gray8,
        encoding: Encoding::Lz4,
        data: &block,
        meta: None,
    };
    let mut pixels = [40; 40];
    pixels[39] = 180;
    let mut memory = Vec::new();
    let image = frame.image(&mut memory).unwrap().to_image();
    assert_eq!((image.size(), image.bytes()), (Size { width: 20, height: 2 }, &pixels[..]));
    let mut bytes = Vec::new();
    message::encode(&frame, &mut bytes).unwrap();
    let expected = concat!(
        "88a474797065a56672616d65a2696402ab63617074757265645f7573cd012ca5776964746814a668656967687402",
        "a5706978656ca56772617938",
        "a8656e636f64696e67a36c7a34",           //  encoding: "lz4",
        "a464617461c40b1f2801000f5028282828b4", //  data: bin of 11 bytes}
    );
    assert_eq!(hex(&bytes), expected);
    assert_eq!(message::decode_frame(&bytes).unwrap(), frame);
}

#[test]
fn a_frame_as_a_png() {
    // Written by Python's `zlib` and `struct` from the specification: the samples have the high byte first.
    let png = concat!(
        "89504e470d0a1a0a0000000d4948445200000003000000021000000000e88fe585000000164944415478",
        "9c63607ef1ff3f0303839009032323030021750332bd190f0c0000000049454e44ae426082",
    );
    let data: Vec<u8> = (0..png.len()).step_by(2).map(|at| u8::from_str_radix(&png[at..at + 2], 16).unwrap()).collect();
    let frame = Frame {
        id: 2,
        captured_us: Micros(300),
        width: 3,
        height: 2,
        pixel: PixelFormat::Gray16,
        encoding: Encoding::Png,
        data: &data,
        meta: None,
    };
    let mut bytes = Vec::new();
    message::encode(&frame, &mut bytes).unwrap();
    let head = concat!(
        "88a474797065a56672616d65a2696402ab63617074757265645f7573cd012ca5776964746803a668656967687402",
        "a5706978656ca6677261793136", //  pixel: "gray16",
        "a8656e636f64696e67a3706e67", //  encoding: "png",
        "a464617461c44f",             //  data: bin of 79 bytes}
    );
    assert_eq!(hex(&bytes), format!("{head}{png}"));
    let (decoded, mut memory) = (message::decode_frame(&bytes).unwrap(), Vec::new());
    let expected = Image::Gray16(ndarray::array![[1000, 65_535, 0], [0x1234, 1, 256]]);
    assert_eq!(decoded.image(&mut memory).unwrap().to_image(), expected);
    let mut bytes = Vec::new();
    message::encode(&Frame { encoding: Encoding::Jpeg, ..frame }, &mut bytes).unwrap();
    assert!(hex(&bytes).contains("a8656e636f64696e67a46a706567"), "encoding: \"jpeg\"");
}

#[test]
fn a_frame_of_sixteen_bits_has_the_low_byte_first() {
    let pixels = Image::Gray16(ndarray::array![[1000, 65_535, 0]]);
    let mut memory = Vec::new();
    let frame = Frame {
        id: 2,
        captured_us: Micros(300),
        width: 3,
        height: 1,
        pixel: PixelFormat::Gray16,
        encoding: Encoding::Raw,
        data: pixels.view().wire_bytes(&mut memory),
        meta: None,
    };
    let mut bytes = Vec::new();
    message::encode(&frame, &mut bytes).unwrap();
    let expected = concat!(
        "88a474797065a56672616d65a2696402ab63617074757265645f7573cd012ca5776964746803a668656967687401",
        "a5706978656ca6677261793136", //  pixel: "gray16",
        "a8656e636f64696e67a3726177",
        "a464617461c406e803ffff0000", //  data: bin of 6 bytes}
    );
    assert_eq!(hex(&bytes), expected);
    let (decoded, mut memory) = (message::decode_frame(&bytes).unwrap(), Vec::new());
    assert_eq!(decoded.image(&mut memory).unwrap().to_image(), pixels);
}

#[test]
fn a_streams_encodings() {
    let jpeg = StreamEncoding::Jpeg(JpegQuality::new(90).unwrap());
    let all = [StreamEncoding::Raw, StreamEncoding::Lz4, StreamEncoding::Auto, StreamEncoding::Png, jpeg];
    let named = all.map(|encoding| {
        let mut bytes = Vec::new();
        message::encode(&encoding, &mut bytes).unwrap();
        assert_eq!(rmp_serde::from_slice::<StreamEncoding>(&bytes).unwrap(), encoding);
        String::from_utf8(bytes[1..].to_vec()).unwrap()
    });
    assert_eq!(named, ["raw", "lz4", "auto", "png", "jpeg:90"]);
    assert_eq!(named.map(|name| name.parse::<StreamEncoding>().unwrap()), all);
}

#[test]
fn answers_of_each_kind() {
    let encoded = |answer: &Answer| {
        let mut bytes = Vec::new();
        message::encode(answer, &mut bytes).unwrap();
        hex(&bytes)
    };
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
    let mut bytes = Vec::new();
    message::encode(&Answer { frame: 9, payload, times: AnswerTimes::default() }, &mut bytes).unwrap();
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
    let mut bytes = Vec::new();
    message::encode(&Answer { frame: 9, payload: image.write(), times: AnswerTimes::default() }, &mut bytes).unwrap();
    assert_eq!(hex(&bytes), expected);
}

#[test]
fn an_answer_with_a_number_of_balls() {
    let encoded = |count| {
        let answer = Answer { frame: 9, payload: BallCount(count).write(), times: AnswerTimes::default() };
        let mut bytes = Vec::new();
        message::encode(&answer, &mut bytes).unwrap();
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
    let mut bytes = Vec::new();
    message::encode(&Answer { frame: 9, payload, times: AnswerTimes::default() }, &mut bytes).unwrap();
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
fn a_message_of_two_fragments() {
    let pieces = fragment::split(7, &serde_bytes::Bytes::new(&[0xab; 600]), 537).unwrap();
    let [first, second]: [BytesMut; 2] = pieces.try_into().unwrap();
    // The message is bin 16 (3 bytes) and 600 bytes: 512 in the first piece, 91 in the second.
    assert!(hex(&first).starts_with("94070002c50200c50258abab"), "{}", hex(&first[..16]));
    assert!(hex(&second).starts_with("94070102c45babab"), "{}", hex(&second[..16]));
    assert_eq!((first.len(), second.len()), (7 + 512, 6 + 91));
}

fn live_stream() -> Stream {
    Stream {
        width: 2,
        height: 1,
        pixel: PixelFormat::Gray8,
        rate_hz: None,
        window: 8,
        delivery: Delivery::Live,
        lifetime_us: Some(33_333),
        deadline_us: None,
        meta: None,
        encoding: StreamEncoding::Raw,
        task: "circle".into(),
    }
}

#[test]
fn the_hello_of_a_live_stream_has_the_lifetime_of_frames() {
    let stream = live_stream();
    let mut bytes = Vec::new();
    message::encode(&stream, &mut bytes).unwrap();
    let expected = concat!(
        "87a5776964746802a668656967687401a5706978656ca56772617938a677696e646f7708",
        "a864656c6976657279a46c697665",   //  delivery: "live",
        "ab6c69666574696d655f7573cd8235", //  lifetime_us: 33333,
        "a8656e636f64696e67a3726177",     //  encoding: "raw"}
    );
    assert_eq!(hex(&bytes), expected);
}

#[test]
fn a_stream_whose_source_waits_for_answers_says_how_long() {
    let mut bytes = Vec::new();
    message::encode(&Stream { deadline_us: Some(2_000_000), ..live_stream() }, &mut bytes).unwrap();
    let expected = concat!(
        "88a5776964746802a668656967687401a5706978656ca56772617938a677696e646f7708",
        "a864656c6976657279a46c697665ab6c69666574696d655f7573cd8235",
        "ab646561646c696e655f7573ce001e8480", //  deadline_us: 2000000,
        "a8656e636f64696e67a3726177",         //  encoding: "raw"}
    );
    assert_eq!(hex(&bytes), expected);
}

#[test]
fn a_stream_with_metadata_says_it_last() {
    let text = |text: &str| MetaValue::Text(text.into());
    let meta = Meta::from([
        ("camera".into(), text("left")),
        ("event.id".into(), MetaValue::Integer(42)),
        ("gain".into(), MetaValue::Real(2.5)),
        ("old".into(), MetaValue::Bool(false)),
    ]);
    let mut bytes = Vec::new();
    message::encode(&Stream { meta: Some(meta), ..live_stream() }, &mut bytes).unwrap();
    let expected = concat!(
        "88a5776964746802a668656967687401a5706978656ca56772617938a677696e646f7708",
        "a864656c6976657279a46c697665ab6c69666574696d655f7573cd8235",
        "a8656e636f64696e67a3726177",   //    encoding: "raw",
        "a46d65746184",                 //    meta: {
        "a663616d657261a46c656674",     //      camera: "left",
        "a86576656e742e69642a",         //      event.id: 42,
        "a46761696ecb4004000000000000", //      gain: 2.5,
        "a36f6c64c2",                   //      old: false}}
    );
    assert_eq!(hex(&bytes), expected);
}

#[test]
fn a_stream_of_another_task_names_it() {
    let encoded = |task: &str| {
        let mut bytes = Vec::new();
        message::encode(&Stream { task: task.into(), ..live_stream() }, &mut bytes).unwrap();
        hex(&bytes)
    };
    // An absent task means "circle", so that the bytes stay those of earlier versions.
    assert!(!encoded("circle").contains(&hex(b"task")));
    assert!(encoded("ack").ends_with(&format!("a4{}a361636b", hex(b"task"))));
}

#[test]
fn answers_with_the_previous_and_the_missing() {
    let none = |frame| Answer { frame, payload: FoundCircle::write(None), times: AnswerTimes::default() };
    let answers = Answers { answers: vec![none(9)].into(), previous: vec![none(7)].into(), missing: vec![8].into() };
    let mut bytes = Vec::new();
    message::encode(&answers, &mut bytes).unwrap();
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
    let mut bytes = Vec::new();
    message::encode(&Resend { messages }, &mut bytes).unwrap();
    let expected = concat!(
        "82a474797065a6726573656e64",         // {type: "resend",
        "a86d6573736167657392",               //  messages: [
        "82a2696407a67069656365739201cd012c", //   {id: 7, pieces: [1, 300]},
        "81a2696408",                         //   {id: 8}]}
    );
    assert_eq!(hex(&bytes), expected);
}
