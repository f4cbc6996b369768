//! Times each stage of a frame's way through both programs, without link and detector.
//!
//! Run with `cargo bench -p server --bench stages [FILTER]`. Frames are 640x480 gray8 unless the name says otherwise.
//! Messages have 64 KiB, as between two ends of Plumb. (For the stages of the detector:
//! `cargo bench -p client --bench stages`.)

use std::hint::black_box;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use divan::{Bencher, counter::BytesCount};
use server::camera::CameraConfig;
use server::encode::FrameEncoder;
use server::scene::{BallConfig, Radii};
use server::score::pairing::Pairing;
use server::source::{BallScene, BallSource, Motion};
use server::truth::Truth;
use shared::geometry::{Circle, Size};
use shared::image::{Image, PixelFormat};
use shared::link::MESSAGE_SIZE;
use shared::protocol::encoding::StreamEncoding;
use shared::protocol::fragment::{Reassembler, Splitter};
use shared::protocol::message::{Answer, AnswerTimes, Delivery, FoundCircle, Frame, Reply, decode_frame, decode_reply};
use shared::time::Micros;

fn main() {
    divan::main();
}

const VGA: Size = Size { width: 640, height: 480 };
const FULL_HD: Size = Size { width: 1920, height: 1080 };

/// Effects of the camera.
#[derive(Clone, Copy, Debug)]
enum Camera {
    Clean,
    Noise10,
    Blur2,
    Clutter,
}

use Camera::{Blur2, Clean, Clutter, Noise10};

#[divan::bench(args = [Clean, Noise10, Blur2, Clutter])]
fn render(bencher: Bencher, camera: Camera) {
    let mut source = source(VGA, camera);
    let mut id = 0;
    bencher.bench_local(|| {
        id += 1;
        black_box(source.frame(id).image.bytes().len())
    });
}

#[divan::bench]
fn render_1920x1080(bencher: Bencher) {
    let mut source = source(FULL_HD, Clean);
    let mut id = 0;
    bencher.bench_local(|| {
        id += 1;
        black_box(source.frame(id).image.bytes().len())
    });
}

#[divan::bench(args = [Clean, Noise10])]
fn encode_lz4(bencher: Bencher, camera: Camera) {
    let image = image(camera);
    let mut encoder = FrameEncoder::new(StreamEncoding::Lz4, Delivery::Reliable);
    let mut id = 0;
    bencher.counter(BytesCount::new(image.bytes().len())).bench_local(|| {
        id += 1;
        black_box(encoder.encode(id, &image).1.len())
    });
}

#[divan::bench(args = [StreamEncoding::Raw, StreamEncoding::Lz4, StreamEncoding::Png])]
fn decode(bencher: Bencher, encoding: StreamEncoding) {
    let message = joined(&pieces(encoding));
    let mut memory = Vec::new();
    bencher.bench_local(|| {
        let frame = decode_frame(black_box(&message)).expect("a frame");
        frame.image(&mut memory).map(|image| image.size()).expect("pixels")
    });
}

#[divan::bench]
fn split(bencher: Bencher) {
    let image = image(Clean);
    let mut splitter = Splitter::new(MESSAGE_SIZE);
    let mut id = 0;
    bencher.counter(BytesCount::new(image.bytes().len())).bench_local(|| {
        id += 1;
        splitter.split(id, &message(id, &image, image.bytes()), |piece| drop(black_box(piece))).expect("cut")
    });
}

#[divan::bench]
fn join(bencher: Bencher) {
    let pieces = pieces(StreamEncoding::Raw);
    let bytes: usize = pieces.iter().map(Bytes::len).sum();
    // A reassembler remembers what it has joined, so each run takes a new one, which is made outside the timed part.
    bencher
        .counter(BytesCount::new(bytes))
        .with_inputs(|| Reassembler::new(1 << 20, 8))
        .bench_local_refs(|frames| pieces.iter().filter_map(|piece| frames.accept(piece).expect("a piece")).count());
}

#[divan::bench]
fn write_and_read_an_answer(bencher: Bencher) {
    let mut splitter = Splitter::new(MESSAGE_SIZE);
    let mut answers = Reassembler::new(1 << 16, 8);
    let mut id = 0;
    bencher.bench_local(|| {
        id += 1;
        let mut piece = BytesMut::new();
        splitter.split(id, &answer(id), |one| piece = one).expect("cut");
        let message = answers.accept(&piece.freeze()).expect("a piece").expect("whole");
        matches!(decode_reply(&message), Ok(Reply::Answer(_)))
    });
}

#[divan::bench]
fn pair(bencher: Bencher) {
    let window = std::num::NonZeroU32::new(8).expect("not zero");
    let mut pairing = Pairing::new(window, Duration::from_secs(2), None);
    let mut id = 0;
    bencher.bench_local(|| {
        let now = Micros(id * 100);
        pairing.sent(id, Truth::Empty, now, now);
        let Answer { frame, times, .. } = answer(id);
        pairing.answered(frame, Some(Default::default()), times, now);
        id += 1;
        pairing.next_finished().is_some()
    });
}

fn source(size: Size, camera: Camera) -> BallSource {
    let radius = Radii { min: 20.0, max: 20.0 };
    let ball = BallConfig { size, radius, speed_px_s: 200.0, step_s: 1.0 / 60.0, border: false };
    let mut effects = CameraConfig::default();
    match camera {
        Clean => {}
        Noise10 => effects.noise = 10.0,
        Blur2 => effects.blur = 2.0,
        Clutter => effects.background = server::camera::Background::Clutter,
    }
    let scene = BallScene { ball, motion: Motion::Bouncing, camera: effects, pixel: PixelFormat::Gray8, seed: 5 };
    scene.source().expect("a possible scene")
}

fn image(camera: Camera) -> Image {
    source(VGA, camera).frame(0).image.clone()
}

fn message<'a>(id: u64, image: &Image, data: &'a [u8]) -> Frame<'a> {
    let Size { width, height } = image.size();
    let encoding = shared::protocol::encoding::Encoding::Raw;
    Frame { id, captured_us: Micros(id), width, height, pixel: image.format(), encoding, data, meta: None }
}

/// The fragments of a clean frame.
fn pieces(encoding: StreamEncoding) -> Vec<Bytes> {
    let image = image(Clean);
    let mut encoder = FrameEncoder::new(encoding, Delivery::Reliable);
    let (encoding, data) = encoder.encode(0, &image);
    let mut pieces = Vec::new();
    let frame = Frame { encoding, ..message(0, &image, data) };
    Splitter::new(MESSAGE_SIZE).split(0, &frame, |piece| pieces.push(piece.freeze())).expect("cut");
    pieces
}

fn joined(pieces: &[Bytes]) -> Bytes {
    let mut frames = Reassembler::new(1 << 20, 8);
    pieces.iter().find_map(|piece| frames.accept(piece).expect("a piece")).expect("whole")
}

fn answer(frame: u64) -> Answer<'static> {
    let circle = Circle { x: 320.0, y: 240.0, radius: 20.0 };
    let times = AnswerTimes { received: Some(Micros(1)), ..AnswerTimes::default() };
    Answer { frame, payload: FoundCircle::write(Some(FoundCircle { circle: circle.into(), covariance: None })), times }
}
