//! Once they are warm, the cores allocate nothing for a frame: render, encode, cut, join, read, detect, answer, pair
//! and score. This holds for either delivery, and whatever the camera does to the light.
//!
//! The cores are driven without sockets and in one thread, whose allocations are counted. What is handed to the link
//! comes back here as it does in reality, when the link is done with it.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use client::pipeline::{Detector, DetectorChoice, RadiusLimits, hough};
use client::session::{Action as ClientAction, Detection, ReceivedFrame, Session as Client};
use ndarray::Array2;
use server::camera::{Background, CameraConfig};
use server::encode::FrameEncoder;
use server::scene::{BallConfig, Balls, GroupConfig, Radii};
use server::session::{Action, Capture, Session, SessionConfig};
use server::source::{BallScene, BallSource, BallsScene, Motion};
use server::task::TaskName;
use shared::flow::pacer::Rate;
use shared::geometry::Size;
use shared::image::{ImageView, PixelFormat, to_gray};
use shared::link::{Lane, MESSAGE_SIZE};
use shared::protocol::encoding::StreamEncoding;
use shared::protocol::fragment::{Reassembler, Splitter};
use shared::protocol::message::{Delivery, FoundCircle, Frame, Payload, decode_frame};
use shared::time::Micros;
use testkit::allocator::{Counting, allocations};

#[global_allocator]
static COUNTING: Counting = Counting;

/// More than the number of finished messages that a reassembler remembers, which are the last thing to grow.
const WARM: u64 = 1_100;
const COUNTED: u64 = 300;

/// Enough for the ball to have been everywhere: some lists are as long as its path.
const WARM_CAMERA: u64 = 400;

const WINDOW: usize = 8;

/// Several fragments per frame, the last one short, and a size that no vector width divides.
const SIZE: Size = Size { width: 351, height: 233 };

const RADIUS: Radii = Radii { min: 20.0, max: 20.0 };

fn source(pixel: PixelFormat) -> BallSource {
    seen_by(CameraConfig::default(), pixel)
}

fn seen_by(camera: CameraConfig, pixel: PixelFormat) -> BallSource {
    let ball = BallConfig { size: SIZE, radius: RADIUS, speed_px_s: 200.0, step_s: 1.0 / 60.0, border: false };
    let motion = Motion::Bouncing;
    BallScene { ball, motion, camera, pixel, seed: 5 }.source().expect("a possible scene")
}

/// An encoder that never counts writing as slow, however busy the machine is. Otherwise it would switch to raw, whose
/// first pieces are longer than any before.
fn encoder(encoding: StreamEncoding, delivery: Delivery) -> FrameEncoder {
    static MOMENT: LazyLock<Instant> = LazyLock::new(Instant::now);
    FrameEncoder::new(encoding, delivery).timed_by(|| *MOMENT)
}

/// Renders, encodes and cuts a frame.
fn pieces(
    source: &mut BallSource,
    encoder: &mut FrameEncoder,
    splitter: &mut Splitter,
    id: u64,
    now: Micros,
    mut each: impl FnMut(BytesMut),
) -> Capture {
    let frame = source.frame(id);
    let (encoding, data) = encoder.encode(id, frame.image);
    let (width, height, pixel) = (SIZE.width, SIZE.height, frame.image.format());
    let message = Frame { id, captured_us: now, width, height, pixel, encoding, data, meta: frame.meta };
    let wire = splitter.split(id, &message, &mut each).expect("cut");
    let raw_bytes = frame.image.bytes().len() as u64;
    Capture { source_index: id, truth: frame.truth, captured: now, encoded: now, raw_bytes, wire_bytes: wire as u64 }
}

#[test]
fn the_allocator_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![0u8; 100]))), 1);
    assert_eq!(allocations(|| ()), 0);
}

#[test]
fn rendering_encoding_and_cutting_allocate_nothing() {
    for pixel in [PixelFormat::Gray8, PixelFormat::Bgr8] {
        for encoding in [StreamEncoding::Raw, StreamEncoding::Lz4, StreamEncoding::Auto] {
            let (mut source, mut encoder) = (source(pixel), encoder(encoding, Delivery::Reliable));
            let mut splitter = Splitter::new(MESSAGE_SIZE);
            // The link holds pieces until they are acknowledged: here, the last few.
            let mut link = VecDeque::with_capacity(16);
            let mut frames = |ids: std::ops::Range<u64>| {
                for id in ids {
                    pieces(&mut source, &mut encoder, &mut splitter, id, Micros(id), |piece| {
                        if link.len() == 16 {
                            link.pop_front();
                        }
                        link.push_back(piece.freeze());
                    });
                }
            };
            frames(0..WARM);
            assert_eq!(allocations(|| frames(WARM..WARM + COUNTED)), 0, "{pixel}, {encoding}");
        }
    }
}

/// All effects but JPEG. The codec's library allocates new tables and buffers for each picture, and they cannot be
/// passed in.
#[test]
fn taking_a_picture_with_effects_allocates_nothing() {
    let plain = CameraConfig::default();
    let clutter = CameraConfig { background: Background::Clutter, ..plain };
    let cameras = [
        CameraConfig { noise: 5.0, ..plain },
        CameraConfig { noise: 5.0, shot_noise: 0.5, gamma: 2.2, vignette: 0.3, ..plain },
        CameraConfig { blur: 1.5, ..plain },
        CameraConfig { exposure: 0.5, noise: 3.0, ..plain },
        CameraConfig { background: Background::Ramp, occlude: true, ..plain },
        CameraConfig { noise: 5.0, ..clutter },
        CameraConfig { noise: 5.0, blur: 1.0, exposure: 0.5, occlude: true, ..clutter },
    ];
    for camera in cameras {
        for pixel in [PixelFormat::Gray8, PixelFormat::Bgr8] {
            let mut source = seen_by(camera, pixel);
            let mut frames = |ids: std::ops::Range<u64>| ids.for_each(|id| drop(source.frame(id)));
            frames(0..WARM_CAMERA);
            assert_eq!(allocations(|| frames(WARM_CAMERA..WARM_CAMERA + COUNTED / 3)), 0, "{pixel}, {camera:?}");
        }
    }
}

#[test]
fn taking_a_picture_of_several_balls_allocates_nothing() {
    let plain = CameraConfig::default();
    let cameras = [
        plain,
        CameraConfig { noise: 5.0, background: Background::Ramp, ..plain },
        CameraConfig { blur: 1.0, exposure: 0.5, ..plain },
    ];
    for camera in cameras {
        for pixel in [PixelFormat::Gray8, PixelFormat::Bgr8] {
            let ball = BallConfig { size: SIZE, radius: RADIUS, speed_px_s: 200.0, step_s: 1.0 / 60.0, border: false };
            let group = GroupConfig { ball, balls: Balls { min: 0, max: 6 }, overlap: 0.3 };
            let mut source = BallsScene { group, camera, pixel, seed: 5 }.source().expect("a possible scene");
            let mut frames = |ids: std::ops::Range<u64>| ids.for_each(|id| drop(source.frame(id)));
            frames(0..WARM_CAMERA);
            assert_eq!(allocations(|| frames(WARM_CAMERA..WARM_CAMERA + COUNTED / 3)), 0, "{pixel}, {camera:?}");
        }
    }
}

#[test]
fn joining_and_reading_allocate_nothing_while_a_window_of_frames_waits() {
    for encoding in [StreamEncoding::Raw, StreamEncoding::Lz4] {
        let (mut source, mut encoder) = (source(PixelFormat::Bgr8), encoder(encoding, Delivery::Reliable));
        let (mut splitter, mut reassembler) = (Splitter::new(20_000), Reassembler::new(1 << 20, WINDOW));
        let (mut waiting, mut memory) = (VecDeque::with_capacity(WINDOW), Vec::new());
        let mut frames = |ids: std::ops::Range<u64>| {
            for id in ids {
                pieces(&mut source, &mut encoder, &mut splitter, id, Micros(id), |piece| {
                    let Some(message) = reassembler.accept(&piece.freeze()).expect("a piece") else { return };
                    waiting.push_back(message);
                });
                if waiting.len() == WINDOW {
                    let message = waiting.pop_front().expect("a message");
                    let frame = decode_frame(&message).expect("a frame");
                    assert_eq!(frame.image(&mut memory).expect("pixels").size(), SIZE);
                }
            }
        };
        frames(0..WARM);
        assert_eq!(allocations(|| frames(WARM..WARM + COUNTED)), 0, "{encoding}");
    }
}

/// Both ends of a session, with function calls as their link.
struct Ends {
    now: u64,
    source: BallSource,
    encoder: FrameEncoder,
    splitter: Splitter,
    delivery: Delivery,
    server: Session,
    client: Client,
    detector: Box<dyn Detector>,
    /// The frame that is being sent.
    fragments: Vec<BytesMut>,
    pixels: Vec<u8>,
    gray: Array2<u8>,
    scored: u64,
}

impl Ends {
    fn new(pixel: PixelFormat, encoding: StreamEncoding, delivery: Delivery) -> Self {
        let config = SessionConfig {
            task: TaskName::default(),
            number: 1,
            size: SIZE,
            pixel,
            encoding,
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
        Self {
            now: 0,
            source: source(pixel),
            encoder: encoder(encoding, delivery),
            splitter: Splitter::new(message_size(delivery)),
            delivery,
            server: Session::new(config, Micros(0), Micros(0)),
            client: Client::new(message_size(delivery), Micros(0)),
            fragments: Vec::new(),
            detector: DetectorChoice::new(hough::NAME, RadiusLimits::default()).expect("known").build(),
            pixels: Vec::new(),
            gray: Array2::zeros((0, 0)),
            scored: 0,
        }
    }

    /// Plays until this many frames are scored. Each step takes 1 µs, too little for a ping to be due. Pings depend on
    /// time, not on frames.
    fn play(&mut self, frames: u64) {
        while self.scored < frames {
            self.now += 1;
            let now = Micros(self.now);
            match self.server.poll(now) {
                Action::Send(lane, message) => self.client.message(lane, &message.freeze(), now),
                Action::Capture(id) => {
                    let Self { source, encoder, splitter, client, server, fragments, .. } = self;
                    let capture = pieces(source, encoder, splitter, id, now, |piece| fragments.push(piece));
                    server.captured(capture, fragments.iter().map(|piece| &piece[..]));
                    for piece in fragments.drain(..) {
                        client.message(Lane::Frames, &piece.freeze(), now);
                    }
                    server.link_ready();
                }
                Action::Score(score) => {
                    let flight = score.latency.and_then(|latency| latency.flight_us());
                    if let Some((flight_us, round_trip_us)) = flight.zip(self.server.round_trip_us()) {
                        self.encoder.answered(score.id, flight_us, round_trip_us, now);
                    }
                    self.scored += 1;
                }
                Action::Resend { .. } | Action::GiveUp | Action::StopServer => panic!("nothing is lost or late here"),
                Action::Close(end) => panic!("{end:?}"),
                Action::Wait(_) => self.run_client(),
            }
        }
    }

    fn run_client(&mut self) {
        let now = Micros(self.now);
        loop {
            match self.client.poll(now) {
                ClientAction::Send(lane, message) => self.server.message(lane, &message.freeze(), now),
                ClientAction::Detect(frame) => {
                    let payload = self.detect(&frame);
                    let detection = Detection { frame: frame.id, received: now, started: now, finished: now, payload };
                    self.client.detected(detection, now);
                }
                ClientAction::Greeted { .. } | ClientAction::SendPicture(_) => {}
                ClientAction::Refused { frame, .. } => panic!("frame {frame} is not as announced"),
                ClientAction::Close(end) => panic!("{end:?}"),
                ClientAction::Wait(_) => return,
            }
        }
    }

    fn detect(&mut self, frame: &ReceivedFrame) -> Payload<'static> {
        let found = match frame.image(&mut self.pixels).expect("pixels") {
            ImageView::Gray8(gray) => self.detector.detect(gray),
            ImageView::Bgr8(bgr) => {
                to_gray(bgr, &mut self.gray);
                self.detector.detect(self.gray.view())
            }
            ImageView::Gray16(_) => panic!("the server was asked for 8 bits"),
        };
        FoundCircle::write(found.map(|found| FoundCircle { circle: found.circle.into(), covariance: found.covariance }))
    }
}

/// In live delivery, a message is as large as a packet carries: here, on a network.
fn message_size(delivery: Delivery) -> usize {
    match delivery {
        Delivery::Reliable => MESSAGE_SIZE,
        Delivery::Live => 1372,
    }
}

#[test]
fn a_frame_allocates_nothing_on_its_whole_path() {
    for (pixel, encoding, delivery) in [
        (PixelFormat::Gray8, StreamEncoding::Raw, Delivery::Reliable),
        (PixelFormat::Gray8, StreamEncoding::Auto, Delivery::Reliable),
        (PixelFormat::Bgr8, StreamEncoding::Lz4, Delivery::Reliable),
        (PixelFormat::Gray8, StreamEncoding::Raw, Delivery::Live),
        (PixelFormat::Bgr8, StreamEncoding::Auto, Delivery::Live),
    ] {
        let mut ends = Ends::new(pixel, encoding, delivery);
        ends.play(WARM);
        assert_eq!(allocations(|| ends.play(WARM + COUNTED)), 0, "{pixel}, {encoding}, {:?}", ends.delivery);
        let counts = ends.server.tally().counts();
        assert_eq!((counts.answered, counts.invalid), (WARM + COUNTED, 0));
    }
}
