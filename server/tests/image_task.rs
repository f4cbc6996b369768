//! The task `image`: the processed frame comes back, in pieces as the frame went.

use std::borrow::Cow;
use std::io::Write;
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use bytes::Bytes;
use client::pipeline::PipelineKind;
use client::session::{Action as ClientAction, Detection, End as ClientEnd, Session as Client};
use serde_json::{Value, json};
use server::session::{Action, Capture, End, Session, SessionConfig};
use server::truth::Truth;
use shared::flow::pacer::Rate;
use shared::geometry::Size;
use shared::image::{Image, PixelFormat};
use shared::link::Lane;
use shared::protocol::encoding::{Encoding, Lz4Encoder, StreamEncoding};
use shared::protocol::fragment;
use shared::protocol::message::{
    self, Answer, AnswerTimes, Control, Delivery, Frame, Hello, ImageAnswer, Payload, Role,
};
use shared::time::Micros;
use testkit::ends::Server;
use testkit::picture_client::{self, ECHOING, INVERTING};
use testkit::program::{Program, command};
use testkit::report::{ReportFile, only_session};

const SIZE: Size = Size { width: 200, height: 150 };

/// Largest message. A frame takes 55 pieces, and so does an image of the same size.
const MESSAGE_SIZE: usize = 600;

/// The mean squared error of 5 levels, in dB.
const FIVE_LEVELS_DB: f64 = 34.151_403_521_958_73;

fn config() -> SessionConfig {
    SessionConfig {
        number: 1,
        size: SIZE,
        pixel: PixelFormat::Gray8,
        encoding: StreamEncoding::Lz4,
        rate: Rate::Max,
        window: NonZeroU32::new(4).expect("not zero"),
        delivery: Delivery::Reliable,
        deadline: Duration::from_secs(2),
        task: "image".parse().expect("a task"),
        meta: None,
        frames: NonZeroU64::new(30),
        warmup: 0,
        duration: None,
        let_clients_stop: false,
    }
}

/// The frame of this id: even, and different from the next.
fn frame(id: u64) -> Image {
    let bytes = vec![(id % 200) as u8; SIZE.pixels()];
    Image::from_bytes(&bytes, SIZE, PixelFormat::Gray8).expect("a frame")
}

fn picture(size: Size, encoding: Encoding, data: impl Into<Cow<'static, [u8]>>) -> Payload<'static> {
    ImageAnswer { size, pixel: PixelFormat::Gray8, encoding, data: data.into() }.write()
}

/// Captures frame `id` and returns its pieces.
fn capture(session: &mut Session, id: u64, now: Micros) -> Vec<Bytes> {
    let image = frame(id);
    let bytes = image.bytes().len() as u64;
    let capture = Capture {
        source_index: id,
        truth: Truth::Unknown,
        captured: now,
        encoded: now,
        raw_bytes: bytes,
        wire_bytes: bytes,
    };
    session.captured(capture, []);
    session.keep(&image);
    session.link_ready();
    let message = Frame {
        id,
        captured_us: now,
        width: SIZE.width,
        height: SIZE.height,
        pixel: PixelFormat::Gray8,
        encoding: Encoding::Raw,
        data: image.bytes(),
        meta: None,
    };
    fragment::split(id, &message, MESSAGE_SIZE).expect("cut").into_iter().map(bytes::BytesMut::freeze).collect()
}

/// Both cores, with a network between them that takes no time.
struct Ends {
    server: Session,
    client: Client,
    server_end: Option<End>,
    client_end: Option<ClientEnd>,
    /// The largest number of pieces of one answer.
    most_pieces: usize,
    residuals: Vec<Option<f64>>,
}

impl Ends {
    fn new() -> Self {
        Self {
            server: Session::new(config(), Micros(0), Micros(0)),
            client: Client::new(MESSAGE_SIZE, Micros(0)),
            server_end: None,
            client_end: None,
            most_pieces: 0,
            residuals: Vec::new(),
        }
    }

    /// Runs a session to its end; the pipeline makes these answers.
    fn run(&mut self, pipeline: impl Fn(u64, Vec<u8>) -> Payload<'static>) {
        for now in (1..10_000).map(|ms| Micros(ms * 1_000)) {
            while self.server_turn(now) || self.client_turn(&pipeline, now) {}
            if self.server_end.is_some() && self.client_end.is_some() {
                return;
            }
        }
        panic!("no end");
    }

    fn server_turn(&mut self, now: Micros) -> bool {
        if self.server_end.is_some() {
            return false;
        }
        match self.server.poll(now) {
            Action::Send(lane, bytes) => self.client.message(lane, &bytes.freeze(), now),
            Action::Capture(id) => {
                let pieces = capture(&mut self.server, id, now);
                pieces.iter().for_each(|piece| self.client.message(Lane::Frames, piece, now));
            }
            Action::Score(record) => self.residuals.push(record.residual[0].number()),
            Action::Close(end) => self.server_end = Some(end),
            Action::Wait(_) => return false,
            other => panic!("{other:?}"),
        }
        true
    }

    fn client_turn(&mut self, pipeline: impl Fn(u64, Vec<u8>) -> Payload<'static>, now: Micros) -> bool {
        if self.client_end.is_some() {
            return false;
        }
        match self.client.poll(now) {
            ClientAction::Send(lane, bytes) => self.server.message(lane, &bytes.freeze(), now),
            ClientAction::SendPicture(pieces) => {
                self.most_pieces = self.most_pieces.max(pieces.len());
                // No other picture is split until the link has taken this one.
                assert!(!matches!(self.client.poll(now), ClientAction::SendPicture(_)));
                for piece in pieces {
                    self.server.message(Lane::Answers, &piece.freeze(), now);
                }
                self.client.picture_sent();
            }
            ClientAction::Detect(frame) => {
                let pixels = frame.image(&mut Vec::new()).expect("pixels").to_image().bytes().to_vec();
                let payload = pipeline(frame.id, pixels);
                let (id, received) = (frame.id, frame.received);
                self.client.detected(Detection { frame: id, received, started: now, finished: now, payload }, now);
            }
            ClientAction::Greeted { .. } => {}
            ClientAction::Close(end) => self.client_end = Some(end),
            ClientAction::Wait(_) => return false,
            other => panic!("{other:?}"),
        }
        true
    }
}

#[test]
fn pictures_come_back_in_pieces_and_are_compared_with_their_own_frames() {
    let mut ends = Ends::new();
    ends.run(|id, mut pixels| match id % 3 {
        0 => picture(SIZE, Encoding::Raw, pixels),
        1 => {
            pixels.iter_mut().for_each(|level| *level += 5);
            picture(SIZE, Encoding::Lz4, Lz4Encoder::default().encode(&pixels).expect("shorter").to_vec())
        }
        _ => Payload::dropped(),
    });
    assert_eq!(ends.server_end, Some(End::Finished));
    assert!(ends.most_pieces > 50, "{} pieces", ends.most_pieces);
    let figures = serde_json::to_value(ends.server.tally().figures()).expect("JSON");
    let counts = ["sent", "answered", "dropped", "invalid"].map(|count| figures["frames"][count].as_u64());
    assert_eq!(counts, [30, 20, 10, 0].map(Some));
    let images = &figures["image"];
    assert_eq!((&images["images"], &images["identical"], &images["other_shape"]), (&json!(20), &json!(10), &json!(0)));
    for figure in ["mean", "min", "p5", "p50", "p95", "max"] {
        let db = images["psnr_db"][figure].as_f64().expect("a number");
        assert!((db - FIVE_LEVELS_DB).abs() < 1e-9, "{figure} {db}");
    }
    for (id, residual) in ends.residuals.iter().enumerate() {
        assert_eq!(residual.is_some(), id % 3 == 1, "frame {id}");
    }
}

/// A session of the task that has sent its window of four frames.
fn streaming() -> Session {
    let mut session = Session::new(config(), Micros(0), Micros(0));
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
    loop {
        match session.poll(Micros(1_000)) {
            Action::Capture(id) => drop(capture(&mut session, id, Micros(1_000))),
            Action::Wait(_) => return session,
            _ => {}
        }
    }
}

/// Sends an answer to frame 0 as message `id`.
fn answer(session: &mut Session, id: u64, payload: Payload<'_>) {
    let answer = Answer { frame: 0, payload, times: AnswerTimes::default() };
    for piece in fragment::split(id, &answer, MESSAGE_SIZE).expect("cut") {
        session.message(Lane::Answers, &piece.freeze(), Micros(2_000));
    }
}

#[test]
fn wrong_images_are_invalid_and_the_frame_waits_for_a_valid_one() {
    let mut session = streaming();
    let bomb = Lz4Encoder::default().encode(&[0; 1 << 20]).expect("shorter").to_vec();
    let large = Size { width: 8192, height: 8192 };
    let wrong = [
        picture(SIZE, Encoding::Raw, vec![0; SIZE.pixels() - 1]),
        picture(SIZE, Encoding::Lz4, bomb.clone()),
        picture(large, Encoding::Lz4, bomb),
        picture(SIZE, Encoding::Lz4, vec![0xff; 100]),
        // One row more than the frame has, though its message is small enough.
        picture(Size { height: 151, ..SIZE }, Encoding::Raw, vec![0; SIZE.pixels() + 200]),
        Payload::new("image"),
        Payload::new("image").with("width", message::Value::Integer(-1)),
        Payload::new("ack").with("code", message::Value::Integer(1)),
        Payload::new("none"),
        // Its message is larger than a frame and 65,536 bytes.
        picture(SIZE, Encoding::Raw, vec![0; SIZE.pixels() + (64 << 10)]),
    ];
    let count = wrong.len() as u64;
    for (id, payload) in wrong.into_iter().enumerate() {
        answer(&mut session, id as u64, payload);
    }
    let counts = session.tally().counts();
    assert!(counts.invalid >= count, "{counts:?}");
    assert!(session.take_pictures().is_none());
    answer(&mut session, count, picture(SIZE, Encoding::Raw, frame(0).bytes().to_vec()));
    let (id, sent, back) = session.take_pictures().expect("pictures");
    assert_eq!((id, sent, back.map(|back| back.to_image())), (0, &frame(0), Some(frame(0))));
    assert!(matches!(session.poll(Micros(2_000)), Action::Score(record) if record.id == 0 && record.answer.is_some()));
    // A further answer is a duplicate, whatever it shows.
    answer(&mut session, count + 1, picture(large, Encoding::Lz4, vec![0; 9]));
    assert_eq!(session.tally().counts().duplicate, 1);
}

/// Runs the real server and a real client with this pipeline over a real link, and returns the server's session.
fn real_session(kind: &'static dyn PipelineKind, options: &[&str]) -> Value {
    let report = ReportFile::new();
    let always = ["--task", "image", "--once", "--fps", "max", "--deadline", "20s", "--json", report.name()];
    let server = Server::start(&[&always, options].concat());
    let (end, tally) = picture_client::run(server.address.parse().expect("an address"), kind);
    assert!(matches!(end, ClientEnd::ServerLeft { .. }), "{end:?}, {tally}");
    let ended = server.end().expect(0);
    assert!(ended.stdout.iter().any(|line| line.contains(" images")), "a summary: {:#?}", ended.stdout);
    let report = report.read();
    only_session(&report).clone()
}

#[test]
fn real_ends_send_large_pictures_back_while_frames_go_on() {
    let options = ["--frames", "40", "--size", "1280x960", "--pixel", "bgr8", "--noise", "9"];
    let session = real_session(&ECHOING, &options);
    let images = &session["image"];
    assert_eq!((&images["images"], &images["identical"]), (&json!(40), &json!(40)), "{session:#}");
    assert_eq!(images["psnr_db"]["mean"], Value::Null);
    assert_eq!(images["bytes"], json!(40 * 1280 * 960 * 3));
    assert_eq!(session["end"]["kind"], "finished");
}

#[test]
fn pictures_are_written_as_the_frames_are_and_give_the_psnr_of_the_formula() {
    let session = real_session(&INVERTING, &["--frames", "20", "--encoding", "lz4", "--seed", "7"]);
    let images = &session["image"];
    assert_eq!((&images["images"], &images["identical"]), (&json!(20), &json!(0)), "{session:#}");
    assert!(images["bytes"].as_u64().expect("a count") < 20 * 640 * 480 / 10, "LZ4 makes clean frames short");
    // The background of 40 becomes 215: near 20 · log₁₀(255 / 175).
    let mean = images["psnr_db"]["mean"].as_f64().expect("a mean");
    assert!((mean - 3.27).abs() < 0.1, "{mean}");
}

#[test]
fn a_folder_of_images_whose_truth_nobody_knows_comes_back() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for name in ["1.png", "2.png", "3.png"] {
        image::GrayImage::from_fn(160, 120, |x, y| image::Luma([(x ^ y) as u8]))
            .save(folder.path().join(name))
            .expect("written");
    }
    let session = real_session(&ECHOING, &["--source", folder.path().to_str().expect("UTF-8")]);
    assert_eq!((&session["frames"]["answered"], &session["image"]["identical"]), (&json!(3), &json!(3)), "{session:#}");
}

#[test]
fn live_delivery_is_refused_from_a_file_too_with_the_files_name() {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().expect("a file");
    writeln!(file, "task = 'image'\ndelivery = 'live'").expect("written");
    let name = file.path().to_str().expect("UTF-8");
    let mut server = command("server");
    server.args(["--no-graphics", "--listen", "127.0.0.1:0", "--run", name]);
    Program::start(server).end().expect(2).says("write --delivery reliable").says(name);
}
