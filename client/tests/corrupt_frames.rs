//! Frames whose pixels cannot be read are answered as dropped or not accepted, and never take more memory than
//! announced.

use std::num::NonZeroUsize;

use bytes::BytesMut;
use client::pipeline::PipelineChoice;
use client::session::{Action, ReceivedFrame, Session};
use client::workers::{Policy, Pool, Submitted};
use serde_json::json;
use shared::geometry::Size;
use shared::image::{Image, PixelFormat};
use shared::link::Lane;
use shared::protocol::encoding::{Encoding, JpegEncoder, JpegQuality, Lz4Encoder, PngEncoder, StreamEncoding};
use shared::protocol::fragment::{self, Reassembler};
use shared::protocol::message::{self, CIRCLE_TASK, Control, Frame, Payload};
use shared::time::{Micros, MonotonicClock};
use testkit::greeting::server_hello;
use tokio::sync::mpsc;

const MESSAGE_SIZE: usize = 65_536;

/// A session with a server that announced frames of 64x48, some of them as LZ4.
fn session() -> Session {
    session_of(StreamEncoding::Lz4)
}

/// A session with frames in this encoding.
fn session_of(encoding: StreamEncoding) -> Session {
    let hello = server_hello(CIRCLE_TASK, encoding);
    let mut session = Session::new(MESSAGE_SIZE, Micros(0));
    let hello = message::control_bytes(&Control::Hello(hello)).unwrap().freeze();
    session.message(Lane::Control, &hello, Micros(1));
    session
}

/// The frame that the session hands on, if there is one.
fn received(session: &mut Session, id: u64, (encoding, data): (Encoding, &[u8])) -> Option<ReceivedFrame> {
    let (width, height, pixel) = (64, 48, PixelFormat::Gray8);
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
fn a_corrupt_block_is_answered_as_dropped_and_the_next_frame_is_processed() {
    let mut session = session();
    let flat = Lz4Encoder::default().encode(&[40; 64 * 48]).unwrap().to_vec();
    let blocks: [(&[u8], Payload<'static>); 5] = [
        (&[], Payload::dropped()),
        (&flat[..flat.len() - 1], Payload::dropped()),
        // It claims to be 2 GB long.
        (&[&[0x1f, 40, 1, 0][..], &[255; 8_000], &[0, 0x00]].concat(), Payload::dropped()),
        (&[0xff; 3_000], Payload::dropped()),
        (&flat, Payload::new("none")),
    ];
    let blocks = blocks.map(|(block, payload)| ((Encoding::Lz4, block), payload));
    answers(&mut session, &blocks);
}

#[test]
fn a_bad_picture_is_answered_as_dropped_and_the_next_frame_is_processed() {
    let flat = |width, height, format| {
        let mut image = Image::zeros(Size { width, height }, format);
        if let Image::Gray8(pixels) = &mut image {
            pixels.fill(40);
        }
        image
    };
    let png = |image: &Image| PngEncoder::default().encode(image).expect("shorter").to_vec();
    let jpeg = |image: &Image| {
        JpegEncoder::default().encode(image, JpegQuality::new(90).expect("a quality")).expect("shorter").to_vec()
    };
    let good = flat(64, 48, PixelFormat::Gray8);
    let other =
        [flat(64, 49, PixelFormat::Gray8), flat(64, 48, PixelFormat::Bgr8), flat(2048, 2048, PixelFormat::Gray8)];
    let deep = png(&flat(64, 48, PixelFormat::Gray16));
    for (stream, encoding, good, others) in [
        (
            StreamEncoding::Png,
            Encoding::Png,
            png(&good),
            [&other.clone().map(|image| png(&image))[..], &[deep]].concat(),
        ),
        ("jpeg:90".parse().unwrap(), Encoding::Jpeg, jpeg(&good), other.map(|image| jpeg(&image)).to_vec()),
    ] {
        let cut = &good[..good.len() - 5];
        let longer = [&good[..], &[0; 4]].concat();
        let bad = [&[][..], &[0xff; 3_000], cut, &longer].into_iter().chain(others.iter().map(Vec::as_slice));
        let mut frames: Vec<_> = bad.map(|data| ((encoding, data), Payload::dropped())).collect();
        frames.push(((encoding, &good), Payload::new("none")));
        answers(&mut session_of(stream), &frames);
    }
}

/// Hands frames of the announced size to a worker, and compares each answer.
fn answers(session: &mut Session, frames: &[((Encoding, &[u8]), Payload<'static>)]) {
    let pipeline = PipelineChoice::auto().for_task(CIRCLE_TASK).unwrap();
    let (detections, mut found) = mpsc::unbounded_channel();
    let clock = MonotonicClock::start();
    let mut pool = Pool::start(NonZeroUsize::MIN, 8, Policy::Every, &pipeline, clock, &detections, None).unwrap();
    for (id, (data, payload)) in frames.iter().enumerate() {
        let frame = received(session, id as u64, *data).expect("a frame of the announced size");
        assert!(matches!(pool.submit(frame), Submitted::Taken));
        let detection = found.blocking_recv().expect("a detection");
        assert_eq!((detection.frame, &detection.payload), (id as u64, payload));
    }
}

/// What a session does with a message on the `frames` lane: the ids it answers as dropped, the ids it reports as
/// refused, and the ids it hands on.
fn outcome(session: &mut Session, id: u64, message: &impl serde::Serialize) -> (Vec<u64>, Vec<u64>, Vec<u64>) {
    for piece in fragment::split(id, message, MESSAGE_SIZE).unwrap() {
        session.message(Lane::Frames, &BytesMut::freeze(piece), Micros(2));
    }
    let (mut answered, mut counted, mut detected) = (vec![], vec![], vec![]);
    let mut answers = Reassembler::new(MESSAGE_SIZE, 1);
    loop {
        match session.poll(Micros(2)) {
            Action::Send(Lane::Answers, piece) => {
                let bytes = answers.accept(&piece.freeze()).unwrap().expect("one piece");
                let answer = message::decode_answer(&bytes).unwrap();
                assert!(answer.payload.is_dropped());
                answered.push(answer.frame);
            }
            Action::Refused { frame, .. } => counted.push(frame),
            Action::Detect(frame) => detected.push(frame.id),
            Action::Wait(_) => return (answered, counted, detected),
            _ => {}
        }
    }
}

#[test]
fn a_frame_that_is_not_as_announced_is_answered_as_dropped() {
    let flat = [40; 64 * 48];
    let frame = |id| Frame {
        id,
        captured_us: Micros(1),
        width: 64,
        height: 48,
        pixel: PixelFormat::Gray8,
        encoding: Encoding::Raw,
        data: &flat,
        meta: None,
    };
    let colour = vec![40; 3 * flat.len()];
    let block = Lz4Encoder::default().encode(&vec![40; 8192 * 8192]).unwrap()[..1000].to_vec();
    let (lz4, bgr) = (Encoding::Lz4, PixelFormat::Bgr8);
    let mut session = session_of(StreamEncoding::Raw);
    let others = [
        Frame { width: 8192, height: 8192, encoding: lz4, data: &block, ..frame(0) },
        Frame { height: 49, data: &colour[..64 * 49], ..frame(1) },
        Frame { width: 48, height: 32, data: &flat[..48 * 32], ..frame(2) },
        Frame { width: 48, height: 64, ..frame(3) },
        Frame { pixel: bgr, data: &colour, ..frame(4) },
        Frame { width: 0, data: &[], ..frame(5) },
        Frame { data: &flat[1..], ..frame(6) },
        Frame { encoding: lz4, data: &block, ..frame(7) },
        Frame { encoding: Encoding::Png, data: &block, ..frame(8) },
        Frame { encoding: Encoding::Jpeg, data: &block, ..frame(9) },
    ];
    for (id, other) in others.iter().enumerate() {
        let id = id as u64;
        assert_eq!(outcome(&mut session, id, other), (vec![id], vec![id], vec![]), "{other:?}");
    }
    assert_eq!(session.ignored_messages(), 10);
    assert_eq!(outcome(&mut session, 10, &frame(10)), (vec![], vec![], vec![10]));
    let mut session = session_of(StreamEncoding::Png);
    let block = Frame { encoding: lz4, data: &block, ..frame(0) };
    assert_eq!(outcome(&mut session, 0, &block), (vec![0], vec![0], vec![]), "a stream of PNG has no LZ4");
}

#[test]
fn a_frame_of_an_unknown_kind_or_with_too_much_beside_it_is_answered_as_dropped() {
    let mut session = session_of(StreamEncoding::Raw);
    let odd = [
        json!({"type": "frame", "id": 0, "width": 64, "height": 48, "pixel": "gray16", "encoding": "raw", "captured_us": 1}),
        json!({"type": "frame", "id": 1, "width": 64, "height": 48, "pixel": "gray8", "encoding": "avif", "captured_us": 1}),
        json!({"type": "frame", "id": 2, "meta": {"list": vec![0; 60_000]}}),
        json!({"type": "frame", "id": 3, "meta": {"text": "x".repeat(5_000)}}),
    ];
    for (id, odd) in odd.iter().enumerate() {
        let id = id as u64;
        assert_eq!(outcome(&mut session, id, odd), (vec![id], vec![id], vec![]), "{odd}");
    }
    // The frame's id cannot be read.
    assert_eq!(outcome(&mut session, 4, &json!({"type": "frame", "id": "four"})), (vec![], vec![], vec![]));
    assert_eq!(outcome(&mut session, 5, &json!({"type": "frame", "id": 1u64 << 53})), (vec![], vec![], vec![]));
}
