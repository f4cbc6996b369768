//! The properties that the fuzzer checks of the client's core. The corpus is `fuzz/corpus/client_session`.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use shared::image::PixelFormat;
use shared::link::Lane;
use shared::protocol::VERSION;
use shared::protocol::encoding::{Encoding, StreamEncoding};
use shared::protocol::fragment;
use shared::protocol::message::{
    Bye, CIRCLE_TASK, Control, Delivery, FoundCircle, Frame, Hello, IMAGE_TASK, PULL_FEATURE, Ping, Refused, Role,
    STOP_FEATURE, Stream, control_bytes,
};
use shared::time::Micros;

use super::{Action, Detection, ReceivedFrame, Session};
use crate::pipeline::image_payload;

/// Actions in a row without a wait after which the core counts as endless.
const MAX_ACTIONS: usize = 10_000;

/// Largest piece of a frame, in bytes: each frame takes three.
const PIECE: usize = 560;

/// Largest message that the server takes, in bytes.
const MESSAGE: usize = 1_200;

/// Sides of a frame in px.
const SIZE: (u32, u32) = (40, 30);

/// Checks that a session never loops, hands each frame to the workers once at most, sends nothing after it has closed,
/// and closes once.
///
/// The first byte chooses the stream. The rest are operations of two bytes: the server's messages, the workers' and the
/// link's events, and time.
///
/// # Panics
/// If one of these properties does not hold.
pub fn check(bytes: &[u8]) {
    let Some((&kind, mut rest)) = bytes.split_first() else { return };
    let mut shell = Shell::new(kind);
    while let Some((&[operation, amount], further)) = rest.split_first_chunk::<2>() {
        rest = further;
        if shell.is_closed {
            break;
        }
        if operation % 16 == 15 {
            let (message, further) = rest.split_at(rest.len().min(usize::from(amount)));
            rest = further;
            let lane = [Lane::Control, Lane::Frames, Lane::Answers][usize::from(operation / 16) % 3];
            shell.session.message(lane, &Bytes::copy_from_slice(message), Micros(shell.now));
        } else {
            shell.perform(operation % 16, amount);
        }
        shell.drain();
    }
    shell.finish();
}

/// The session's shell, with the records against which the properties are checked.
struct Shell {
    session: Session,
    kind: u8,
    now: u64,
    /// Pieces of frames on their way.
    network: Vec<Bytes>,
    /// Frames that the workers hold.
    working: VecDeque<ReceivedFrame>,
    seen: BTreeSet<u64>,
    sent: u64,
    is_link_busy: bool,
    is_closed: bool,
}

impl Shell {
    fn new(kind: u8) -> Self {
        let mut shell = Self {
            session: Session::new(MESSAGE, Micros(1_000)).pulling(kind & 8 != 0),
            kind,
            now: 1_000,
            network: Vec::new(),
            working: VecDeque::new(),
            seen: BTreeSet::new(),
            sent: 0,
            is_link_busy: false,
            is_closed: false,
        };
        shell.drain();
        shell
    }

    fn perform(&mut self, operation: u8, amount: u8) {
        let place = usize::from(amount) % self.network.len().max(1);
        match operation {
            0 => self.now += u64::from(amount) * 100,
            1 => self.now += u64::from(amount) * 20_000,
            2 => self.control(&Control::Hello(hello(self.kind, amount))),
            3 => {
                self.network.extend(pieces(self.sent, amount));
                self.sent += 1;
            }
            4..=6 => {
                let Some(piece) = self.network.get(place).cloned() else { return };
                if operation < 6 {
                    self.network.remove(place);
                }
                self.session.message(Lane::Frames, &piece, Micros(self.now));
            }
            7 => drop(self.network.pop()),
            8 => self.work(amount),
            9 => self.control(&Control::Ping(Ping { id: amount.into() })),
            10 => self.control(&Control::Refused(Refused { what: "stop".into(), reason: "no".into() })),
            11 if self.session.may_ask() => self.session.ask(),
            12 => {
                self.is_link_busy = false;
                self.session.picture_sent();
            }
            13 => match amount % 8 {
                0 => self.session.peer_may_be_gone(Micros(self.now)),
                1 => self.session.peer_leaves("the fuzzer leaves".into(), Micros(self.now)),
                2 => self.session.stop(),
                3 => self.session.link_closed("the fuzzer closes it"),
                4 => self.session.arriving(Micros(self.now)),
                5 => self.session.hold_replies(Micros(self.now)),
                6 => self.control(&Control::Bye(Bye::new("finished"))),
                _ => self.session.acknowledged(Micros(self.now)),
            },
            _ => {}
        }
    }

    /// A worker is done with the oldest frame, or gives it up.
    fn work(&mut self, amount: u8) {
        let Some(frame) = self.working.pop_front() else { return };
        let (received, now) = (frame.received, Micros(self.now));
        if amount.is_multiple_of(4) {
            return self.session.dropped(frame.id, received, now);
        }
        let mut memory = Vec::new();
        let payload = match (self.kind & 4 != 0, frame.image(&mut memory)) {
            (true, Ok(image)) => image_payload(image.size(), image.format(), vec![amount; 1_200], Encoding::Raw),
            _ => FoundCircle::write(None),
        };
        self.session.detected(Detection { frame: frame.id, received, started: received, finished: now, payload }, now);
    }

    fn control(&mut self, control: &Control) {
        let bytes = control_bytes(control).expect("a message").freeze();
        self.session.message(Lane::Control, &bytes, Micros(self.now));
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
                Action::Detect(frame) => {
                    assert!(self.seen.insert(frame.id), "frame {} came twice", frame.id);
                    self.working.push_back(frame);
                }
                Action::Send(lane, bytes) => assert!(lane != Lane::Frames && bytes.len() <= MESSAGE.max(1 << 10)),
                Action::SendPicture(pieces) => {
                    assert!(!self.is_link_busy, "a picture is sent while the link is taking another");
                    assert!(pieces.iter().all(|piece| piece.len() <= MESSAGE));
                    self.is_link_busy = true;
                }
                Action::Refused { .. } | Action::Greeted { .. } => {}
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
        // What the workers say later is not sent.
        while !self.working.is_empty() {
            self.work(1);
        }
        for _ in 0..MAX_ACTIONS {
            match self.session.poll(Micros(self.now)) {
                Action::Wait(_) => return,
                Action::Close(_) => panic!("it closes twice"),
                Action::Send(..) | Action::SendPicture(_) => panic!("it sends after it has closed"),
                _ => {}
            }
        }
    }
}

fn hello(kind: u8, amount: u8) -> Hello {
    let stream = Stream {
        width: SIZE.0,
        height: SIZE.1,
        pixel: PixelFormat::Gray8,
        rate_hz: None,
        window: u32::from(amount % 16) + 1,
        delivery: if kind & 1 == 0 { Delivery::Reliable } else { Delivery::Live },
        lifetime_us: (kind & 1 != 0).then_some(32_000),
        deadline_us: None,
        encoding: StreamEncoding::Raw,
        task: if kind & 4 == 0 { CIRCLE_TASK.into() } else { IMAGE_TASK.into() },
        meta: None,
    };
    let features = if kind & 2 == 0 { vec![PULL_FEATURE.into(), STOP_FEATURE.into()] } else { Vec::new() };
    let (name, version, role) = ("fuzzer".into(), "1".into(), Role::Source);
    Hello { protocol: VERSION, name, version, session: 1, role, stream: Some(stream), features, pull: false }
}

/// The pieces of a frame. Some frames have another size than the hello says.
fn pieces(id: u64, amount: u8) -> Vec<Bytes> {
    let data = vec![amount; (SIZE.0 * SIZE.1) as usize];
    let frame = Frame {
        id,
        captured_us: Micros(id * 1_000),
        width: SIZE.0,
        height: if amount % 16 == 1 { SIZE.1 - 1 } else { SIZE.1 },
        pixel: PixelFormat::Gray8,
        encoding: Encoding::Raw,
        data: &data,
        meta: None,
    };
    let pieces = fragment::split(id, &frame, PIECE).expect("a small frame");
    pieces.into_iter().map(bytes::BytesMut::freeze).collect()
}
