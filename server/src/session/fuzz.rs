//! The properties that the fuzzer checks of a session's core: whatever happens, every frame is accounted for once. The
//! corpus is `fuzz/corpus/server_session`.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use shared::flow::pacer::Rate;
use shared::geometry::{Circle, CircleEstimate, Size};
use shared::image::PixelFormat;
use shared::link::Lane;
use shared::protocol::VERSION;
use shared::protocol::encoding::StreamEncoding;
use shared::protocol::fragment;
use shared::protocol::message::{
    Answer, AnswerTimes, Answers, BallCount, Bye, Control, Delivery, Empty, FoundCircle, Hello, Incomplete, Payload,
    Pong, Resend, Role, control_bytes,
};
use shared::time::Micros;

use super::{Action, Capture, Session, SessionConfig};
use crate::task::TaskName;
use crate::truth::{Limit, Truth};

/// Actions in a row without a wait after which the core counts as endless: some windows of frames, each with its
/// pieces, its repetitions and its score.
const MAX_ACTIONS: usize = 10_000;

/// Largest piece of an answer, in bytes: what fits a packet.
const PIECE: usize = 1_200;

/// Checks that a session never loops, scores its frames in order and each once, counts each as answered, dropped, lost
/// or unresolved, and closes once.
///
/// The first two bytes choose the configuration. The rest are operations of two bytes: the client's messages, the
/// link's and the source's events, and time.
///
/// # Panics
/// If one of these properties does not hold.
pub fn check(bytes: &[u8]) {
    let Some((&[kind, amount], mut rest)) = bytes.split_first_chunk::<2>() else { return };
    let mut shell = Shell::new(config(kind, amount));
    while let Some((&[operation, amount], further)) = rest.split_first_chunk::<2>() {
        rest = further;
        if shell.is_closed {
            break;
        }
        if operation % 16 == 15 {
            let (message, further) = rest.split_at(rest.len().min(usize::from(amount)));
            rest = further;
            shell.session.message(lane(operation / 16), &Bytes::copy_from_slice(message), Micros(shell.now));
        } else {
            shell.perform(operation % 16, amount);
        }
        shell.drain();
    }
    shell.finish();
}

fn config(kind: u8, amount: u8) -> SessionConfig {
    let is_set = |bit: u8| kind & (1 << bit) != 0;
    let tasks = [TaskName::default(), TaskName::count(), TaskName::ack()];
    SessionConfig {
        number: 1,
        size: Size { width: 4, height: 3 },
        pixel: PixelFormat::Gray8,
        encoding: StreamEncoding::Raw,
        rate: if is_set(0) { Rate::Hz(60.0) } else { Rate::Max },
        window: NonZeroU32::new(u32::from(amount % 8) + 1).unwrap_or(NonZeroU32::MIN),
        delivery: if is_set(1) { Delivery::Live } else { Delivery::Reliable },
        deadline: Duration::from_millis(if is_set(2) { 50 } else { 2_000 }),
        task: tasks[usize::from(amount / 8) % tasks.len()],
        meta: None,
        frames: NonZeroU64::new(if is_set(3) { 5 } else { 0 }),
        warmup: if is_set(4) { 2 } else { 0 },
        duration: is_set(5).then_some(Duration::from_millis(200)),
        let_clients_stop: is_set(6),
    }
}

fn lane(number: u8) -> Lane {
    [Lane::Control, Lane::Frames, Lane::Answers][usize::from(number) % 3]
}

/// The session's shell, with the records against which the properties are checked.
struct Shell {
    session: Session,
    now: u64,
    captured: u64,
    scored: u64,
    pings: u64,
    sent: u64,
    is_link_busy: bool,
    is_closed: bool,
}

impl Shell {
    fn new(config: SessionConfig) -> Self {
        let session = Session::new(config, Micros(0), Micros(1_000));
        let mut shell = Self {
            session,
            now: 1_000,
            captured: 0,
            scored: 0,
            pings: 0,
            sent: 0,
            is_link_busy: false,
            is_closed: false,
        };
        shell.drain();
        shell
    }

    fn perform(&mut self, operation: u8, amount: u8) {
        let frame = u64::from(amount);
        match operation {
            0 => self.now += frame * 100,
            1 => self.now += frame * 20_000,
            2 => self.control(&Control::Hello(hello(amount))),
            3 => self.reply(&self.answer(frame, FoundCircle::write(Some(found(frame))))),
            4 => self.reply(&self.answer(frame / 4, other_answer(amount))),
            5 => self.reply(&self.answers(frame)),
            6 => {
                let pieces = (0..u32::from(amount % 4)).collect();
                self.reply(&Resend { messages: vec![Incomplete { id: frame / 4, pieces }] });
            }
            7 => {
                let (id, now) = (self.pings.saturating_sub(frame % 3), Micros(self.now / 2));
                self.control(&Control::Pong(Pong { id, received_us: now, sent_us: now }));
            }
            8 => self.control(&Control::Next(Empty {})),
            9 => self.control(&Control::Stop(Empty {})),
            10 => self.control(&Control::Bye(Bye::new("the fuzzer leaves"))),
            11 | 12 if self.is_link_busy => {
                self.is_link_busy = false;
                self.session.link_ready();
            }
            13 => match amount % 8 {
                0 => self.session.peer_may_be_gone(Micros(self.now)),
                1 => self.session.peer_leaves("the fuzzer leaves".into(), Micros(self.now)),
                2 => self.session.source_ended(),
                3 => self.session.source_failed("the fuzzer breaks it"),
                4 => self.session.stop(Micros(self.now)),
                5 => self.session.link_closed("the fuzzer closes it"),
                _ => self.session.acknowledged(Micros(self.now)),
            },
            _ => {}
        }
    }

    fn answer(&self, frame: u64, payload: Payload<'static>) -> Answer<'static> {
        let sent = Some(Micros(self.now));
        Answer { frame, payload, times: AnswerTimes { sent, ..AnswerTimes::default() } }
    }

    fn answers(&self, frame: u64) -> Answers<'static> {
        let none = |frame| self.answer(frame, FoundCircle::write(None));
        Answers {
            answers: [none(frame / 4)].into_iter().collect(),
            previous: (frame / 4).checked_sub(1).map(none).into_iter().collect(),
            missing: [(frame / 4).saturating_sub(2)].into_iter().collect(),
        }
    }

    fn control(&mut self, control: &Control) {
        let bytes = control_bytes(control).expect("a message").freeze();
        self.session.message(Lane::Control, &bytes, Micros(self.now));
    }

    fn reply(&mut self, reply: &impl Serialize) {
        for piece in fragment::split(self.sent, reply, PIECE).expect("a small message") {
            self.session.message(Lane::Answers, &piece.freeze(), Micros(self.now));
        }
        self.sent += 1;
    }

    /// Performs the session's actions until it waits or closes.
    fn drain(&mut self) {
        for _ in 0..MAX_ACTIONS {
            match self.session.poll(Micros(self.now)) {
                Action::Wait(until) => {
                    assert!(until.0 > self.now, "it waits for the past: {until:?} at {}", self.now);
                    return;
                }
                Action::Close(_) => {
                    self.is_closed = true;
                    return;
                }
                Action::Capture(id) => {
                    assert_eq!(id, self.captured, "frames are captured in order");
                    assert!(!self.is_link_busy, "frame {id} is captured while the link is busy");
                    self.captured += 1;
                    self.is_link_busy = true;
                    let (captured, encoded) = (Micros(self.now - self.session.waited_us()), Micros(self.now));
                    let truth = Truth::Ball { circle: circle(id), limit: Limit::Unknown };
                    let capture = Capture { source_index: id, truth, captured, encoded, raw_bytes: 12, wire_bytes: 80 };
                    self.session.captured(capture, [&b"first"[..], b"second", b"third"]);
                }
                Action::GiveUp => {
                    assert!(self.is_link_busy, "no frame is being sent");
                    self.is_link_busy = false;
                    self.session.link_ready();
                }
                Action::Resend { frame, .. } => {
                    assert!(frame < self.captured);
                    if frame % 2 == 0 {
                        self.session.not_resent(frame);
                    }
                }
                Action::Score(record) => {
                    assert_eq!(record.id, self.scored, "frames are scored in order");
                    self.scored += 1;
                }
                Action::StopServer => self.session.stop(Micros(self.now)),
                Action::Send(Lane::Control, _) => self.pings += 1,
                Action::Send(..) => {}
            }
        }
        panic!("it does not wait");
    }

    fn finish(&mut self) {
        if !self.is_closed {
            self.session.link_closed("the fuzzer is done");
            self.drain();
        }
        assert!(self.is_closed, "a closed link ends the session");
        assert_eq!(self.scored, self.captured);
        let counts = self.session.tally().counts();
        let lost = counts.lost_by;
        assert_eq!(counts.sent, counts.finished(), "{counts:?}");
        assert_eq!(counts.lost, lost.not_ready + lost.unsent + lost.incomplete + lost.late + lost.unanswered);
        assert!(counts.sent <= self.captured);
        let figures = self.session.tally().figures();
        serde_json::to_string(&figures).expect("figures have a JSON form");
    }
}

fn hello(amount: u8) -> Hello {
    let features = if amount & 1 == 0 { vec!["lz4".into()] } else { Vec::new() };
    let (name, version) = ("fuzzer".into(), "1".into());
    let protocol = if amount & 2 == 0 { VERSION } else { VERSION + 1 };
    let role = if amount & 4 == 0 { Role::Sink } else { Role::Source };
    Hello { protocol, name, version, session: 0, role, stream: None, features, pull: amount & 8 != 0 }
}

fn circle(frame: u64) -> Circle {
    Circle { x: 1.5 + frame as f64 / 100.0, y: 1.0, radius: 1.0 }
}

fn found(frame: u64) -> FoundCircle {
    let Circle { x, y, radius } = circle(frame);
    FoundCircle { circle: CircleEstimate { x, y: y + 0.1, radius: Some(radius) }, covariance: None }
}

fn other_answer(amount: u8) -> Payload<'static> {
    match amount % 4 {
        0 => FoundCircle::write(None),
        1 => Payload::dropped(),
        2 => BallCount(u32::from(amount)).write(),
        _ => Payload::new("ack"),
    }
}
