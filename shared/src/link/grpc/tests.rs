//! Both ends of a call on one machine, and peers that do not speak the protocol.

use std::borrow::Cow;
use std::time::Duration;

use bytes::BytesMut;
use smallvec::smallvec;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;
use crate::door::admission::Admission;
use crate::geometry::Size;
use crate::image::PixelFormat;
use crate::link::tcp::MAX_PAYLOAD;
use crate::link::{Lane, LinkEvent};
use crate::protocol::encoding::{Encoding, StreamEncoding};
use crate::protocol::fragment::split;
use crate::protocol::message::{
    Answer, AnswerTimes, Bye, Control, Delivery, Empty, Frame, Hello, ImageAnswer, Meta, MetaValue, Payload, Ping,
    Pong, Refused, Role, Stream, Value, control_bytes,
};
use crate::time::Micros;
use crate::tls::testing::streams;

mod decoding;
mod tokens;

/// Timeout of waits that must end.
const LIMIT: Duration = Duration::from_secs(10);

/// A source that was called, and the sink that called it.
async fn pair() -> (Link, Link) {
    let (dialed, accepted) = streams().await;
    let source = async { answer_sink(accepted, MAX_PAYLOAD, &Admission::default()).await.unwrap().accept() };
    tokio::join!(source, async { call_source(dialed, MAX_PAYLOAD, &[], &Admission::default()).await.unwrap() })
}

/// A source that called, and the sink that it called.
async fn pair_dialed_by_the_source() -> (Link, Link) {
    let (dialed, accepted) = streams().await;
    let features = ["lz4".to_owned(), "gray16".to_owned()];
    let sink = async { answer_source(accepted, MAX_PAYLOAD, &features, &Admission::default()).await.unwrap().accept() };
    let ((source, can_read), sink) =
        tokio::join!(async { call_sink(dialed, MAX_PAYLOAD, &Admission::default()).await.unwrap() }, sink);
    assert_eq!(can_read, features);
    (source, sink)
}

/// The next message, after whatever announces it.
async fn message(link: &mut Link) -> Option<(Lane, Vec<u8>)> {
    loop {
        match timeout(LIMIT, link.next()).await.expect("an event") {
            LinkEvent::Message(lane, bytes) => return Some((lane, bytes.to_vec())),
            LinkEvent::Arriving => {}
            LinkEvent::Closed | LinkEvent::Broken(_) => return None,
            other => panic!("{other:?}"),
        }
    }
}

fn control(control: &Control) -> BytesMut {
    control_bytes(control).unwrap()
}

fn hello(role: Role) -> Control {
    let stream = Stream {
        width: 64,
        height: 48,
        pixel: PixelFormat::Gray16,
        rate_hz: Some(59.94),
        window: 8,
        delivery: Delivery::Reliable,
        lifetime_us: None,
        deadline_us: Some(2_000_000),
        encoding: StreamEncoding::Auto,
        task: "count".into(),
        meta: Some(meta()),
    };
    let (name, version) = ("someone".into(), "1.2".into());
    let stream = (role == Role::Source).then_some(stream);
    let features = if role == Role::Source { vec!["pull".into(), "stop".into()] } else { vec![] };
    let pull = role == Role::Sink;
    Control::Hello(Hello { protocol: 1, name, version, session: 3, role, stream, features, pull })
}

fn meta() -> Meta {
    let values = [
        ("on", MetaValue::Bool(true)),
        ("gain", MetaValue::Real(2.5)),
        ("number", MetaValue::Integer(-7)),
        ("camera", MetaValue::Text("left".into())),
    ];
    values.map(|(key, value)| (key.to_owned(), value)).into()
}

fn frame(id: u64, data: &[u8], meta: Option<Meta>) -> BytesMut {
    let (captured_us, pixel, encoding) = (Micros(1_000 + id), PixelFormat::Gray8, Encoding::Raw);
    let frame = Frame { id, captured_us, width: data.len() as u32, height: 1, pixel, encoding, data, meta };
    split(id, &frame, MAX_PAYLOAD).unwrap().remove(0)
}

fn answer(id: u64, payload: Payload<'_>) -> BytesMut {
    let times = AnswerTimes { received: Some(Micros(5)), sent: Some(Micros(9)), ..Default::default() };
    split(id, &Answer { frame: id, payload, times }, MAX_PAYLOAD).unwrap().remove(0)
}

#[tokio::test]
async fn every_message_arrives_as_it_was_sent_whoever_calls() {
    for is_dialed_by_the_source in [false, true] {
        let (mut source, mut sink) =
            if is_dialed_by_the_source { pair_dialed_by_the_source().await } else { pair().await };
        let image = ImageAnswer {
            size: Size { width: 2, height: 2 },
            pixel: PixelFormat::Gray8,
            encoding: Encoding::Raw,
            data: Cow::Borrowed(&[1, 2, 3, 4]),
        };
        let circle = Payload::new("circle")
            .with("x", Value::Real(1.5))
            .with("y", Value::Real(-2.5))
            .with("radius", Value::Real(3.0))
            .with("angle", Value::Real(0.5))
            .with("cov", Value::Numbers(smallvec![1.0, 0.5, 2.0]))
            .with("axes", Value::Numbers(smallvec![4.0, 3.0]));
        let shared = [
            Control::Ping(Ping { id: 7 }),
            Control::Pong(Pong { id: 7, received_us: Micros(1), sent_us: Micros(2) }),
            Control::Bye(Bye { reason: "finished".into() }),
        ];
        let mut from_source = vec![(Lane::Control, control(&hello(Role::Source)))];
        from_source.extend(shared.iter().map(|message| (Lane::Control, control(message))));
        let refused = Refused { what: "stop".into(), reason: "it may not".into() };
        from_source.push((Lane::Control, control(&Control::Refused(refused))));
        from_source.push((Lane::Frames, frame(0, &[0; 300], None)));
        from_source.push((Lane::Frames, frame(1, &[9; 100_000][..8192], Some(meta()))));
        let mut from_sink = vec![(Lane::Control, control(&hello(Role::Sink)))];
        from_sink.extend(shared.iter().map(|message| (Lane::Control, control(message))));
        from_sink
            .extend([Control::Next(Empty {}), Control::Stop(Empty {})].map(|asked| (Lane::Control, control(&asked))));
        let payloads = [
            Payload::dropped(),
            Payload::new("none"),
            circle,
            Payload::new("count").with("count", Value::Integer(3)),
            Payload::new("ack").with("code", Value::Integer(-1)),
            image.write(),
        ];
        from_sink
            .extend(payloads.into_iter().enumerate().map(|(id, payload)| (Lane::Answers, answer(id as u64, payload))));
        carries(&source.sender(), &mut sink, from_source).await;
        carries(&sink.sender(), &mut source, from_sink).await;
    }
}

/// Ids of fragments may differ, so the messages in them are compared.
async fn carries(sender: &crate::link::LinkSender, to: &mut Link, messages: Vec<(Lane, BytesMut)>) {
    let whole = |lane: Lane, bytes: &[u8]| match lane {
        Lane::Control => bytes.to_vec(),
        Lane::Frames | Lane::Answers => {
            let piece = crate::protocol::fragment::Piece::parse(&bytes.to_vec().into()).unwrap();
            piece.whole().expect("one piece").to_vec()
        }
    };
    for (lane, sent) in messages {
        sender.send(lane, sent.clone()).await.unwrap();
        let (on, came) = message(to).await.expect("a message");
        assert_eq!((on, whole(on, &came)), (lane, whole(lane, &sent)));
    }
}

#[tokio::test]
async fn frames_of_all_sizes_arrive_in_order_and_a_full_lane_holds_one() {
    let (source, mut sink) = pair().await;
    let sender = source.sender();
    sender.send(Lane::Control, control(&hello(Role::Source))).await.unwrap();
    let sending = tokio::spawn(async move {
        for id in 0..40u64 {
            sender.send(Lane::Frames, frame(id, &vec![id as u8; 8192], None)).await.unwrap();
        }
    });
    message(&mut sink).await.unwrap();
    for id in 0..40 {
        let (lane, bytes) = message(&mut sink).await.unwrap();
        assert_eq!((lane, bytes.last()), (Lane::Frames, Some(&(id as u8))));
    }
    sending.await.unwrap();
}

#[tokio::test]
async fn unread_messages_delay_frames_and_count_once_they_are_read() {
    let (source, mut sink) = pair().await;
    let sender = source.sender();
    sender.send(Lane::Control, control(&hello(Role::Source))).await.unwrap();
    let mut sent = 0u64;
    // The windows and buffers on the way fill first; nobody reads.
    while timeout(Duration::from_millis(200), sender.send(Lane::Frames, large(sent))).await.is_ok() {
        sent += 1;
        assert!(sent < 100, "a frame of 8 MiB waits at most a few times on its way");
    }
    let before = sender.acknowledged(&[Lane::Frames]).await;
    assert!(sender.buffered(Lane::Frames).await > 0);
    message(&mut sink).await.unwrap();
    for _ in 0..sent {
        assert_eq!(message(&mut sink).await.unwrap().0, Lane::Frames);
    }
    while sender.buffered(Lane::Frames).await > 0 {
        tokio::task::yield_now().await;
    }
    assert!(sender.acknowledged(&[Lane::Frames]).await > before);
}

fn large(id: u64) -> BytesMut {
    let data = vec![7; 8 << 20];
    let (pixel, encoding) = (PixelFormat::Gray8, Encoding::Raw);
    let frame =
        Frame { id, captured_us: Micros(id), width: 8192, height: 1024, pixel, encoding, data: &data, meta: None };
    split(id, &frame, MAX_PAYLOAD).unwrap().remove(0)
}

#[tokio::test]
async fn a_peer_that_never_reads_does_not_delay_the_end() {
    let (source, _sink) = pair().await;
    let sender = source.sender();
    sender.send(Lane::Control, control(&hello(Role::Source))).await.unwrap();
    while timeout(Duration::from_millis(100), sender.send(Lane::Frames, large(0))).await.is_ok() {}
    timeout(LIMIT, sender.close_within(Duration::from_millis(10))).await.expect("it ends");
    let refused = sender.send(Lane::Control, control(&hello(Role::Source))).await.unwrap_err();
    assert_eq!(refused.to_string(), "link closed: this end closed it");
}

#[tokio::test]
async fn the_end_comes_after_the_last_message() {
    for is_the_sinks in [false, true] {
        let (source, sink) = pair().await;
        let (ours, mut theirs) = if is_the_sinks { (sink, source) } else { (source, sink) };
        let bye = control(&Control::Bye(Bye { reason: "enough".into() }));
        ours.sender().send(Lane::Control, bye.clone()).await.unwrap();
        // The other end reads meanwhile, and closes when it sees the end.
        let reading = tokio::spawn(async move { (message(&mut theirs).await, message(&mut theirs).await) });
        timeout(LIMIT, ours.sender().close_within(Duration::from_secs(1))).await.expect("it ends");
        assert_eq!(reading.await.unwrap(), (Some((Lane::Control, bye.to_vec())), None), "{is_the_sinks}");
    }
}

#[tokio::test]
async fn a_link_that_is_dropped_ends_the_other() {
    let (source, mut sink) = pair().await;
    drop(source);
    assert_eq!(message(&mut sink).await, None);
    let (mut source, sink) = pair().await;
    drop(sink);
    assert_eq!(message(&mut source).await, None);
}

#[tokio::test]
async fn a_refused_caller_hears_why() {
    for retry in [false, true] {
        let (dialed, accepted) = streams().await;
        let refusing = async {
            answer_sink(accepted, 1000, &Admission::default())
                .await
                .unwrap()
                .refuse("there is no room".into(), retry)
                .await;
        };
        let open = Admission::default();
        let ((), refused) = tokio::join!(refusing, call_source(dialed, 1000, &[], &open));
        let refused = refused.err().expect("a refusal");
        assert!(
            matches!(&refused, SignalingError::Refused { reason, retry: r } if reason == "there is no room" && *r == retry),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_caller_of_the_other_service_is_told_that_there_is_none() {
    let (dialed, accepted) = streams().await;
    let waiting = tokio::spawn(async move { answer_sink(accepted, 1000, &Admission::default()).await.map(|_| ()) });
    let refused = call_sink(dialed, 1000, &Admission::default()).await.err().expect("a refusal").to_string();
    assert!(refused.contains("the peer speaks gRPC, but has no plumb.v1.Sink"), "{refused}");
    assert!(waiting.await.unwrap().unwrap_err().to_string().contains("before a call"));
}

#[tokio::test]
async fn a_server_that_does_not_speak_http2_is_refused() {
    let (dialed, mut accepted) = streams().await;
    let calling = tokio::spawn(async move { call_source(dialed, 1000, &[], &Admission::default()).await.map(|_| ()) });
    accepted.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    let error = timeout(LIMIT, calling).await.expect("an end").unwrap().unwrap_err();
    assert!(matches!(&error, SignalingError::Io(_)), "{error:?}");
}

#[tokio::test]
async fn the_arrival_of_a_part_is_a_sign_of_life() {
    let (dialed, accepted) = streams().await;
    // A path between the two ends that carries one piece at a time.
    let (near, far) = streams().await;
    tokio::spawn(slowly(accepted, near));
    let source = async { answer_sink(far, MAX_PAYLOAD, &Admission::default()).await.unwrap().accept() };
    let (source, mut sink) =
        tokio::join!(source, async { call_source(dialed, MAX_PAYLOAD, &[], &Admission::default()).await.unwrap() });
    source.sender().send(Lane::Control, control(&hello(Role::Source))).await.unwrap();
    message(&mut sink).await.unwrap();
    source.sender().send(Lane::Frames, large(0)).await.unwrap();
    let event = timeout(LIMIT, sink.next()).await.expect("an event");
    assert!(matches!(event, LinkEvent::Arriving), "{event:?}");
    // The source sees the progress too.
    let mut last = source.sender().acknowledged(&[Lane::Frames]).await;
    for _ in 0..3 {
        while source.sender().acknowledged(&[Lane::Frames]).await <= last {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        last = source.sender().acknowledged(&[Lane::Frames]).await;
    }
    assert!(last < 8 << 20, "the frame is still on its way");
}

async fn slowly(mut client: TcpStream, mut server: TcpStream) {
    socket2::SockRef::from(&server).set_recv_buffer_size(4096).unwrap();
    socket2::SockRef::from(&client).set_send_buffer_size(4096).unwrap();
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let there = tokio::io::copy(&mut from_client, &mut to_server);
    let back = async {
        let mut piece = [0; 2048];
        while let Ok(bytes @ 1..) = from_server.read(&mut piece).await {
            if to_client.write_all(&piece[..bytes]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::select! {
        _ = there => {}
        () = back => {}
    }
}
