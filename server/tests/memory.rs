//! The memory that a client costs is bounded, in frames: everything a session keeps besides what the link and the
//! camera hold.
//!
//! Counts the bytes that this thread has taken from the allocator and not returned. The frames are so large that
//! everything else is small in comparison.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use server::camera::{Background, CameraConfig};
use server::encode::FrameEncoder;
use server::scene::{BallConfig, Radii};
use server::session::{Action, Capture, Session, SessionConfig};
use server::source::{BallScene, Motion};
use server::task::TaskName;
use server::truth::Truth;
use shared::flow::pacer::Rate;
use shared::geometry::Size;
use shared::image::file::read;
use shared::image::{Image, PixelFormat};
use shared::link::{Lane, MESSAGE_SIZE};
use shared::protocol::encoding::{self, Encoding, PngEncoder, StreamEncoding};
use shared::protocol::fragment::{self, Reassembler, Splitter};
use shared::protocol::message::{
    self, Answer, AnswerTimes, Control, Delivery, Hello, Incomplete, Payload, Resend, Role,
};
use shared::time::Micros;
use testkit::allocator::{Counting, most_bytes};

#[global_allocator]
static COUNTING: Counting = Counting;

const FRAME: usize = 1 << 20;
const WINDOW: usize = 4;

/// Allowance for everything that is small compared to a frame: bookkeeping, queues, message headers.
const LITTLE: usize = FRAME / 4;

/// Frames that writing a picture may take, and the copy of it that the test makes. See docs/benchmarks.md, Memory.
const WRITING: usize = 7;

fn session(delivery: Delivery) -> Session {
    session_of(TaskName::default().name(), delivery)
}

fn session_of(task: &str, delivery: Delivery) -> Session {
    let config = SessionConfig {
        task: task.parse().expect("a task"),
        number: 1,
        size: Size { width: 1024, height: 1024 },
        pixel: PixelFormat::Gray8,
        encoding: StreamEncoding::Raw,
        delivery,
        rate: Rate::Max,
        window: NonZeroU32::new(WINDOW as u32).expect("not zero"),
        deadline: Duration::from_secs(2),
        meta: None,
        frames: None,
        warmup: 0,
        duration: None,
        let_clients_stop: false,
    };
    let mut session = Session::new(config, Micros(0), Micros(0));
    let hello = Hello {
        protocol: 1,
        name: "test".into(),
        version: "0".into(),
        session: 0,
        role: Role::Sink,
        stream: None,
        features: Vec::new(),
        pull: false,
    };
    let hello = message::control_bytes(&Control::Hello(hello)).expect("a hello").freeze();
    session.message(Lane::Control, &hello, Micros(0));
    session
}

fn reply(id: u64, reply: &impl serde::Serialize) -> Bytes {
    fragment::split(id, reply, MESSAGE_SIZE).expect("cut").remove(0).freeze()
}

fn capture(now: Micros) -> Capture {
    Capture {
        source_index: 0,
        truth: Truth::Unknown,
        captured: now,
        encoded: now,
        raw_bytes: FRAME as u64,
        wire_bytes: FRAME as u64,
    }
}

/// Plays this many frames. Either all are answered at once, or none. Then all pieces are requested again. Each step
/// takes a millisecond.
fn play(session: &mut Session, frames: u64, answered: bool, asked: bool) {
    let (piece, mut sent, mut id) = (vec![7; 1024], 0, 0);
    for now in (1_000..).step_by(1_000).map(Micros) {
        loop {
            match session.poll(now) {
                Action::Capture(frame) => {
                    session.captured(capture(now), std::iter::repeat_n(&piece[..], FRAME / piece.len()));
                    session.link_ready();
                    sent += 1;
                    let times = AnswerTimes::default();
                    if answered {
                        id += 1;
                        session.message(
                            Lane::Answers,
                            &reply(id, &Answer { frame, payload: Payload::new("none"), times }),
                            now,
                        );
                    } else if asked {
                        id += 1;
                        let messages = (0..=frame).rev().take(32).map(|id| Incomplete { id, pieces: vec![] });
                        let messages = messages.collect();
                        session.message(Lane::Answers, &reply(id, &Resend { messages }), now);
                    }
                    if sent == frames {
                        return;
                    }
                }
                Action::Close(end) => panic!("{end:?}"),
                Action::Wait(_) => break,
                _ => {}
            }
        }
    }
}

#[test]
fn in_live_delivery_a_session_keeps_at_most_a_window_of_frames() {
    for (answered, asked) in [(true, false), (false, false), (false, true)] {
        let mut session = session(Delivery::Live);
        let most = most_bytes(|| play(&mut session, 400, answered, asked));
        // Each buffer leaves room for the next frame to be an eighth longer. A list of pieces to retransmit takes as
        // much.
        assert!(most <= WINDOW * FRAME * 5 / 4 + LITTLE, "{} frames", most as f64 / FRAME as f64);
        assert!(most >= FRAME, "what is kept for repair is counted");
    }
}

#[test]
fn in_reliable_delivery_a_session_keeps_no_frame() {
    let mut session = session(Delivery::Reliable);
    let most = most_bytes(|| play(&mut session, 400, true, false));
    assert!(most <= LITTLE, "{most} bytes");
}

#[test]
fn a_peer_that_never_finishes_its_images_costs_at_most_five_windows_of_frames() {
    let size = Size { width: 1024, height: 1024 };
    let mut session = session_of("image", Delivery::Reliable);
    let image = Image::zeros(size, PixelFormat::Gray8);
    let piece = |id: u64, index: u32| {
        let piece = (id, index, 1024u32, serde_bytes::Bytes::new(&[7; 1024]));
        Bytes::from(rmp_serde::to_vec(&piece).expect("a piece"))
    };
    let (mut captured, mut message) = (0, 0);
    let most = most_bytes(|| {
        for now in (1_000..).step_by(100_000).map(Micros) {
            // Each message lacks its first or its last piece, so what has come waits or is joined.
            message += 1;
            for index in (0..1023).map(|index| index + u32::from(message % 2 == 0)) {
                session.message(Lane::Answers, &piece(message, index), now);
            }
            loop {
                match session.poll(now) {
                    Action::Capture(_) => {
                        captured += 1;
                        session.captured(capture(now), []);
                        session.keep(&image);
                        session.link_ready();
                    }
                    Action::Close(end) => panic!("{end:?}"),
                    Action::Wait(_) => break,
                    _ => {}
                }
            }
            if captured == 100 {
                return;
            }
        }
    });
    assert!(most <= 5 * WINDOW * FRAME + LITTLE, "{} frames", most as f64 / FRAME as f64);
    assert!(most >= 2 * WINDOW * FRAME, "frames and unfinished images are counted");
    assert_eq!(session.tally().counts().answered, 0);
}

#[test]
fn cutting_needs_memory_for_a_frame_for_what_the_link_holds_and_for_32_messages() {
    for message_size in [1372, 15_972, MESSAGE_SIZE] {
        let mut splitter = Splitter::new(message_size);
        let in_link = (1 << 20) / message_size;
        let pixels = vec![7u8; FRAME];
        let most = most_bytes(|| {
            let mut link = VecDeque::with_capacity(2 * in_link);
            for id in 0..200 {
                // Lengths alternate, as encoding makes them.
                let pixels = &pixels[..if id % 3 == 0 { FRAME } else { FRAME / 100 }];
                let mut fragments = Vec::with_capacity(FRAME / 1024);
                let message = serde_bytes::Bytes::new(pixels);
                splitter.split(id, &message, |piece| fragments.push(piece)).expect("cut");
                for piece in fragments {
                    if link.len() == in_link {
                        link.pop_front();
                    }
                    link.push_back(piece.freeze());
                }
            }
        });
        let bound = FRAME + in_link * message_size + 32 * message_size + LITTLE;
        assert!(most <= bound, "{most} of {bound} bytes with messages of {message_size}");
    }
}

#[test]
fn joining_needs_memory_for_at_most_four_messages_per_open_message() {
    const OPEN: usize = 4;
    let piece = |id: u64, index: u32| {
        let piece = (id, index, 1024u32, serde_bytes::Bytes::new(&[7; 1000]));
        Bytes::from(rmp_serde::to_vec(&piece).expect("a piece"))
    };
    // In order, backwards, and every other piece first: pieces that have come are joined, wait, or both.
    let orders: [fn(u32) -> u32; 3] = [|index| index, |index| 1023 - index, |index| index / 2 + 512 * (index % 2)];
    for order in orders {
        let mut reassembler = Reassembler::new(FRAME, OPEN);
        let most = most_bytes(|| {
            let mut in_use = VecDeque::with_capacity(OPEN);
            for id in 0..60 {
                // Each third message stays unfinished.
                let count = if id % 3 == 0 { 1000 } else { 1024 };
                for index in (0..count).map(order) {
                    if let Ok(Some(message)) = reassembler.accept(&piece(id, index)) {
                        if in_use.len() == OPEN {
                            in_use.pop_front();
                        }
                        in_use.push_back(message);
                    }
                }
            }
        });
        assert!(most <= 4 * OPEN * FRAME + LITTLE, "{} messages", most as f64 / FRAME as f64);
    }
    // Waiting pieces do not keep the memory alive in which they arrived with other messages.
    let read_with_others = |index: u32| {
        let piece = piece(0, index);
        let mut buffer = BytesMut::with_capacity(8 << 10);
        buffer.extend_from_slice(&piece);
        buffer.resize(8 << 10, 0);
        buffer.split_to(piece.len()).freeze()
    };
    let mut reassembler = Reassembler::new(FRAME, OPEN);
    let most = most_bytes(|| {
        for index in 1..1024 {
            assert!(matches!(reassembler.accept(&read_with_others(index)), Ok(None)));
        }
    });
    assert!(most <= FRAME + LITTLE, "{most} bytes");
    assert!(most >= FRAME / 2, "what waits is counted");
    // Waiting pieces do not keep the bytes that follow them.
    let mut reassembler = Reassembler::new(FRAME, OPEN);
    let most = most_bytes(|| {
        for index in 1..1024 {
            let long = [&piece(0, index)[..], &[0; 60_000]].concat();
            assert!(reassembler.accept(&Bytes::from(long)).is_err());
        }
    });
    assert!(most <= FRAME + LITTLE, "{most} bytes");
    // The length that a header claims takes no memory.
    let claims = most_bytes(|| drop(BytesMut::from(&piece(0, 0)[..])));
    let mut reassembler = Reassembler::new(FRAME, OPEN);
    assert!(most_bytes(|| drop(reassembler.accept(&piece(0, 0)))) <= claims + 8 * 1024);
}

#[test]
fn a_profile_that_inflates_to_many_times_the_picture_takes_no_memory() {
    let png = |pixels: &Image| PngEncoder::default().encode(pixels).expect("shorter").to_vec();
    // The first chunk of pixels begins at byte 33, behind the signature and the header.
    let chunks = |png: &[u8]| {
        let (mut at, mut found) = (8, Vec::new());
        while let Some(length) = png.get(at..at + 4) {
            let end = at + 12 + u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
            found.push(png[at..end].to_vec());
            at = end;
        }
        found
    };
    // The pixels of a large empty picture, in one stream of zlib.
    let large = chunks(&png(&Image::zeros(Size { width: 8192, height: 4096 }, PixelFormat::Gray8)));
    let stream = large.iter().filter(|chunk| chunk[4..8] == *b"IDAT").flat_map(|chunk| &chunk[8..chunk.len() - 4]);
    let body: Vec<u8> = b"iCCPa\0\0".iter().chain(stream).copied().collect();
    let profile = [&(body.len() as u32 - 4).to_be_bytes()[..], &body, &crc32(&body).to_be_bytes()].concat();
    let picture = Image::zeros(Size { width: 64, height: 64 }, PixelFormat::Gray8);
    let plain = png(&picture);
    let file = [&plain[..33], &profile, &plain[33..]].concat();
    assert!(file.len() < FRAME, "{} bytes", file.len());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("profile.png");
    std::fs::write(&path, file).expect("written");
    let most = most_bytes(|| assert_eq!(read(&path).expect("an image"), picture));
    assert!(most <= FRAME, "{most} bytes");
}

/// The checksum of a PNG's chunk: CRC-32, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let bit = |sum: u32| if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| bit(sum)))
}

#[test]
fn a_camera_with_all_effects_needs_memory_for_eight_planes_of_the_image_and_the_balls_surroundings() {
    let size = Size { width: 1024, height: 1024 };
    let ball = BallConfig { size, radius: Radii::one(20.0), speed_px_s: 200.0, step_s: 1.0 / 60.0, border: false };
    let plain = CameraConfig::default();
    let noisy = CameraConfig { noise: 5.0, ..plain };
    let all = CameraConfig {
        noise: 5.0,
        shot_noise: 0.5,
        blur: 1.5,
        exposure: 0.5,
        vignette: 0.3,
        background: Background::Clutter,
        occlude: true,
        ..plain
    };
    // A number of four bytes for each pixel, besides the image with one byte.
    let plane = size.pixels() * 4;
    // The ball's own planes, for a box of 60 px with a few cells per pixel.
    let surroundings = FRAME;
    for (camera, planes) in [(plain, 0), (noisy, 1), (all, 8)] {
        let most = most_bytes(|| {
            let scene = BallScene { ball, motion: Motion::Bouncing, camera, pixel: PixelFormat::Gray8, seed: 5 };
            let mut source = scene.source().expect("a possible scene");
            (0..200).for_each(|index| drop(source.frame(index)));
        });
        assert!(most <= FRAME + planes * plane + surroundings, "{} planes", most as f64 / plane as f64);
    }
}

/// A ramp, which every encoding makes shorter, or noise, which none does.
fn picture(pixel: PixelFormat, noise: bool) -> Image {
    let mut state = 1u64;
    let byte = |index: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if noise { (state >> 56) as u8 } else { (index % (1024 * pixel.channels()) / 16) as u8 }
    };
    let size = Size { width: 1024, height: 1024 };
    let bytes: Vec<u8> = (0..pixel.bytes(size)).map(byte).collect();
    Image::from_bytes(&bytes, size, pixel).expect("a frame")
}

#[test]
fn writing_a_frame_as_a_picture_needs_memory_for_a_few_frames_and_reading_it_for_one() {
    for (pixel, asked) in [(PixelFormat::Gray8, "png"), (PixelFormat::Bgr8, "png"), (PixelFormat::Bgr8, "jpeg:100")] {
        let frame = pixel.bytes(Size { width: 1024, height: 1024 });
        let asked: StreamEncoding = asked.parse().expect("an encoding");
        for noise in [true, false] {
            let image = picture(pixel, noise);
            let mut encoder = FrameEncoder::new(asked, Delivery::Reliable);
            let mut written = (Encoding::Raw, Vec::new());
            let most = most_bytes(|| {
                encoder.encode(0, &image);
                let (encoding, data) = encoder.encode(1, &image);
                written = (encoding, data.to_vec());
            });
            println!("{asked} {pixel} noise {noise}: {} frames to write", most as f64 / frame as f64);
            assert!(most <= WRITING * frame + LITTLE, "{} frames", most as f64 / frame as f64);
            let (encoding, data) = written;
            assert_eq!(encoding == Encoding::Raw, noise, "{asked} {pixel}");
            let mut memory = Vec::new();
            let most = most_bytes(|| {
                encoding::decode(encoding, &data, image.size(), pixel, &mut memory).map(|_| ()).expect("the frame");
            });
            println!("{} frames to read", most as f64 / frame as f64);
            // The image, rows of it, and 270 KiB that the decoder of PNG takes at any size.
            assert!(most <= frame + 2 * LITTLE, "{} frames", most as f64 / frame as f64);
        }
    }
}
