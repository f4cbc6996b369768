//! Hellos, and the other messages of the lane control.

use shared::image::PixelFormat;
use shared::protocol::encoding::StreamEncoding;
use shared::protocol::message::{
    self, Bye, Control, Delivery, Empty, Hello, PULL_FEATURE, Ping, Pong, Refused, Role, STOP_FEATURE, Stream,
};
use shared::time::Micros;

use super::{from_hex, hex};

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
        let Control::Hello(hello) = message::decode_control(&from_hex(&bytes)).unwrap() else { panic!("a hello") };
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
