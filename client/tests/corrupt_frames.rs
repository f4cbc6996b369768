//! Frames whose pixels cannot be read: answered as dropped, or not taken at all; never more memory than announced.

use std::num::NonZeroUsize;

use bytes::BytesMut;
use client::pipeline::PipelineChoice;
use client::session::{Action, ReceivedFrame, Session};
use client::workers::{Policy, Pool, Submitted};
use shared::image::PixelFormat;
use shared::link::Lane;
use shared::protocol::encoding::{Encoding, Lz4Encoder, StreamEncoding};
use shared::protocol::fragment;
use shared::protocol::message::{self, CIRCLE_TASK, Control, Delivery, Frame, Hello, Payload, Role, Stream};
use shared::time::{Micros, MonotonicClock};
use tokio::sync::mpsc;

const MESSAGE_SIZE: usize = 65_536;

/// A session with a server that announced frames of 64x48.
fn session() -> Session {
    let stream = Stream {
        task: CIRCLE_TASK.into(),
        width: 64,
        height: 48,
        pixel: PixelFormat::Gray8,
        rate_hz: None,
        window: 8,
        delivery: Delivery::Reliable,
        lifetime_us: None,
        encoding: StreamEncoding::Lz4,
    };
    let hello = Hello {
        protocol: 1,
        name: "s".into(),
        version: "1".into(),
        session: 1,
        role: Role::Source,
        stream: Some(stream),
    };
    let mut session = Session::new(MESSAGE_SIZE, Micros(0));
    let hello = message::control_bytes(&Control::Hello(hello)).unwrap().freeze();
    session.message(Lane::Control, &hello, Micros(1));
    session
}

/// The frame as the session hands it on, if it does.
fn received(session: &mut Session, id: u64, (width, height): (u32, u32), data: &[u8]) -> Option<ReceivedFrame> {
    let (pixel, encoding) = (PixelFormat::Gray8, Encoding::Lz4);
    let frame = Frame { id, captured_us: Micros(1), width, height, pixel, encoding, data, meta: None };
    for piece in fragment::split(id, &frame, MESSAGE_SIZE).unwrap() {
        session.message(Lane::Frames, &BytesMut::freeze(piece), Micros(2));
    }
    loop {
        match session.poll(Micros(2)) {
            Action::Detect(frame) => return Some(frame),
            Action::Wait(_) => return None,
            _ => {}
        }
    }
}

#[test]
fn a_corrupt_block_is_answered_as_dropped_and_the_next_frame_is_looked_at() {
    let mut session = session();
    let flat = Lz4Encoder::default().encode(&[40; 64 * 48]).unwrap().to_vec();
    let blocks: [(&[u8], Payload<'_>); 5] = [
        (&[], Payload::dropped()),
        (&flat[..flat.len() - 1], Payload::dropped()),
        // 2 GB of it, if it were believed.
        (&[&[0x1f, 40, 1, 0][..], &[255; 8_000], &[0, 0x00]].concat(), Payload::dropped()),
        (&[0xff; 3_000], Payload::dropped()),
        (&flat, Payload::new("none")),
    ];
    let pipeline = PipelineChoice::auto().for_task(CIRCLE_TASK).unwrap();
    let (detections, mut found) = mpsc::unbounded_channel();
    let clock = MonotonicClock::start();
    let mut pool = Pool::start(NonZeroUsize::MIN, 8, Policy::Every, pipeline, clock, &detections).unwrap();
    for (id, (block, payload)) in blocks.iter().enumerate() {
        let frame = received(&mut session, id as u64, (64, 48), block).expect("a frame of the announced size");
        assert!(matches!(pool.submit(frame), Submitted::Taken));
        let detection = found.blocking_recv().expect("a detection");
        assert_eq!((detection.frame, &detection.payload), (id as u64, payload));
    }
}

#[test]
fn a_frame_larger_than_announced_is_not_taken() {
    let mut session = session();
    let block = Lz4Encoder::default().encode(&vec![40; 8192 * 8192]).unwrap()[..1000].to_vec();
    assert!(received(&mut session, 0, (8192, 8192), &block).is_none());
    assert!(received(&mut session, 1, (64, 49), &block).is_none());
    assert_eq!(session.ignored_messages(), 2);
    assert!(received(&mut session, 2, (64, 48), &block).is_some());
    assert!(received(&mut session, 3, (48, 32), &block).is_some(), "a smaller one is");
}
