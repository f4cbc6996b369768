//! The stream that a source's hello announces.

use shared::image::PixelFormat;
use shared::protocol::encoding::{JpegQuality, StreamEncoding};
use shared::protocol::message::{Delivery, Meta, MetaValue, Stream};

use super::{bytes_of, hex};

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
    let bytes = bytes_of(&stream);
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
    let bytes = bytes_of(&Stream { deadline_us: Some(2_000_000), ..live_stream() });
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
    let bytes = bytes_of(&Stream { meta: Some(meta), ..live_stream() });
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
    let encoded = |task: &str| hex(&bytes_of(&Stream { task: task.into(), ..live_stream() }));
    // An absent task means "circle", so that the bytes stay those of earlier versions.
    assert!(!encoded("circle").contains(&hex(b"task")));
    assert!(encoded("ack").ends_with(&format!("a4{}a361636b", hex(b"task"))));
}

#[test]
fn a_streams_encodings() {
    let jpeg = StreamEncoding::Jpeg(JpegQuality::new(90).unwrap());
    let all = [StreamEncoding::Raw, StreamEncoding::Lz4, StreamEncoding::Auto, StreamEncoding::Png, jpeg];
    let named = all.map(|encoding| {
        let bytes = bytes_of(&encoding);
        assert_eq!(rmp_serde::from_slice::<StreamEncoding>(&bytes).unwrap(), encoding);
        String::from_utf8(bytes[1..].to_vec()).unwrap()
    });
    assert_eq!(named, ["raw", "lz4", "auto", "png", "jpeg:90"]);
    assert_eq!(named.map(|name| name.parse::<StreamEncoding>().unwrap()), all);
}
