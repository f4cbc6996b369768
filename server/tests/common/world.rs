//! Both session cores against each other in virtual time, over a network that loses, delays, reorders and duplicates
//! by a seed. An oracle keeps its own book of what was delivered when; outcomes must agree with it exactly.

// Each test file is a crate of its own and needs a part of this.
#![allow(dead_code, unused_imports)]

mod weather;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use client::session::{Action as ClientAction, Detection, End as ClientEnd, Session as Client};
use server::camera::Limit;
use server::score::summary::FrameCounts;
use server::score::{FrameScore, Outcome, Truth};
use server::session::{Action, Capture, End, Session, SessionConfig};
use shared::geometry::{Circle, Size};
use shared::image::PixelFormat;
use shared::link::Lane;
use shared::protocol::encoding::{Encoding, StreamEncoding};
use shared::protocol::fragment;
use shared::protocol::message::{self, Answers, Finding, Frame, Reply};
use shared::time::Micros;

pub(crate) use weather::{CALM, Dice, Weather, bad_weather};

/// Runs of each kind of network. A run takes some 100 µs.
pub(crate) const RUNS: u64 = 1000;

const SIZE: Size = Size { width: 40, height: 30 };
pub(crate) const DEADLINE_US: u64 = 50_000;

/// Small enough to cut each frame of 1200 bytes into three.
const MAX_MESSAGE_SIZE: usize = 560;

/// Every message of answers fits one piece, so that the oracle can read it.
const ANSWER_SIZE: usize = 65_536;

/// What happens at a moment.
pub(crate) enum Event {
    ToServer(Lane, Bytes),
    ToClient(Lane, Bytes),
    Detected(u64, Micros, Micros),
    /// The link took a frame, or let go of it.
    LinkReady(u64),
    StopServer,
    StopClient,
    CutLink,
}

/// A book of what the server was told, kept apart from its own.
#[derive(Default)]
pub(crate) struct Book {
    pub(crate) captured: BTreeMap<u64, Micros>,
    /// First answer that reached the server in time.
    pub(crate) answered: BTreeMap<u64, Finding>,
    pub(crate) lost_at: BTreeMap<u64, Micros>,
    /// The client said in time that it will not be answered.
    pub(crate) given_up: BTreeSet<u64>,
}

pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) order: u64,
    pub(crate) dice: Dice,
    pub(crate) weather: Weather,
    pub(crate) events: BinaryHeap<Reverse<(u64, u64)>>,
    pub(crate) pending: BTreeMap<u64, Event>,
    pub(crate) control_free: [u64; 2],
    pub(crate) server: Session,
    pub(crate) client: Client,
    pub(crate) server_end: Option<End>,
    pub(crate) client_end: Option<ClientEnd>,
    pub(crate) server_wakes: u64,
    pub(crate) client_wakes: u64,
    pub(crate) scores: Vec<FrameScore>,
    pub(crate) book: Book,
    pub(crate) most_in_flight: u64,
    /// The frame on its way into the link.
    sending: Option<(u64, Vec<Bytes>)>,
    /// So many pieces to be sent again find no room on the link.
    pub(crate) refusals: u64,
    pub(crate) resent: u64,
}

impl World {
    pub(crate) fn new(seed: u64, weather: Weather, frames: Option<u64>) -> Self {
        let config = SessionConfig {
            number: 1,
            size: SIZE,
            pixel: PixelFormat::Gray8,
            encoding: StreamEncoding::Raw,
            rate: weather.fps,
            window: NonZeroU32::new(weather.window).unwrap(),
            delivery: weather.delivery,
            deadline: Duration::from_micros(DEADLINE_US),
            frames: frames.and_then(NonZeroU64::new),
            duration: None,
        };
        Self {
            now: 1_000,
            order: 0,
            dice: Dice(seed),
            weather,
            events: BinaryHeap::new(),
            pending: BTreeMap::new(),
            control_free: [0; 2],
            server: Session::new(config, Micros(0), Micros(1_000)),
            client: Client::new(ANSWER_SIZE, Micros(1_000 + weather.clock_offset_us)),
            server_end: None,
            client_end: None,
            server_wakes: 0,
            client_wakes: 0,
            scores: Vec::new(),
            book: Book::default(),
            most_in_flight: 0,
            sending: None,
            refusals: 0,
            resent: 0,
        }
    }

    fn client_now(&self) -> Micros {
        Micros(self.now + self.weather.clock_offset_us)
    }

    pub(crate) fn at(&mut self, time: u64, event: Event) {
        self.order += 1;
        self.events.push(Reverse((time, self.order)));
        self.pending.insert(self.order, event);
    }

    /// Puts a message on the way, as often and as late as the weather says.
    fn carry(&mut self, to_server: bool, lane: Lane, bytes: Bytes) {
        let event = |bytes| if to_server { Event::ToServer(lane, bytes) } else { Event::ToClient(lane, bytes) };
        if lane == Lane::Control {
            let arrival = self.now + 1 + self.dice.up_to(self.weather.delay_us);
            let free = &mut self.control_free[usize::from(to_server)];
            *free = arrival.max(*free);
            let arrival = *free;
            return self.at(arrival, event(bytes));
        }
        if self.dice.happens(self.weather.loss) {
            return;
        }
        let copies = 1 + u64::from(self.dice.happens(self.weather.duplication));
        for _ in 0..copies {
            let arrival = self.now + 1 + self.dice.up_to(self.weather.delay_us);
            self.at(arrival, event(bytes.clone()));
        }
    }

    /// Runs until both ends are done or `limit_us` has passed.
    pub(crate) fn run(&mut self, limit_us: u64) {
        loop {
            self.drain_server();
            self.drain_client();
            let over = self.server_end.is_some() && self.client_end.is_some();
            let next_event = self.events.peek().map(|Reverse((time, _))| *time);
            let wakes = [
                next_event,
                self.server_end.is_none().then_some(self.server_wakes),
                self.client_end.is_none().then_some(self.client_wakes),
            ];
            let Some(next) = wakes.into_iter().flatten().min() else { return };
            if over || next > limit_us {
                return;
            }
            self.now = next.max(self.now);
            if next_event == Some(next) {
                self.happen();
            }
        }
    }

    fn happen(&mut self) {
        let Some(Reverse((_, order))) = self.events.pop() else { return };
        let client_now = self.client_now();
        match self.pending.remove(&order).unwrap() {
            Event::ToServer(lane, bytes) => {
                if self.server_end.is_none() {
                    self.note_answer(lane, &bytes);
                    self.server.message(lane, &bytes, Micros(self.now));
                }
            }
            Event::ToClient(lane, bytes) => self.client.message(lane, &bytes, client_now),
            Event::Detected(frame, received, started) => {
                let finding = self.finding(frame);
                let detection = Detection { frame, received, started, finished: client_now, finding };
                self.client.detected(detection, client_now);
                if self.dice.happens(self.weather.stammer) {
                    self.client.detected(detection, client_now);
                }
            }
            Event::LinkReady(id) => self.link_ready(id),
            Event::StopServer => self.server.stop(Micros(self.now)),
            Event::StopClient => self.client.stop(),
            Event::CutLink => {
                self.server.link_closed("cut");
                self.client.link_closed("cut");
            }
        }
    }

    /// What the pipeline under test finds: a function of the frame alone.
    fn finding(&self, frame: u64) -> Finding {
        let mut dice = Dice(frame.wrapping_mul(31) + 7);
        if dice.happens(self.weather.none_rate) {
            return Finding::None;
        }
        let Circle { x, y, radius } = truth(frame);
        let circle = Circle { x: x + dice.roll() - 0.5, y: y + dice.roll() - 0.5, radius };
        Finding::Circle { circle, covariance: None }
    }

    /// The oracle reads the answer on the wire by itself.
    fn note_answer(&mut self, lane: Lane, bytes: &Bytes) {
        if lane != Lane::Answers {
            return;
        }
        let (_, _, _, payload): (u64, u32, u32, serde_bytes::ByteBuf) = rmp_serde::from_slice(bytes).unwrap();
        // Live messages of several answers may take several pieces: they are small enough here to take one.
        match message::decode_reply(&payload).unwrap() {
            Reply::Answer(answer) => self.note(answer.frame, Some(answer.finding)),
            Reply::Answers(Answers { answers, previous, missing }) => {
                for answer in previous.iter().rev().chain(answers.iter().rev()) {
                    self.note(answer.frame, Some(answer.finding));
                }
                missing.iter().for_each(|&frame| self.note(frame, None));
            }
            Reply::Resend(_) => {}
        }
    }

    /// A frame was answered, or given up.
    fn note(&mut self, frame: u64, finding: Option<Finding>) {
        let captured = self.book.captured[&frame];
        if self.book.given_up.contains(&frame) || self.book.answered.contains_key(&frame) {
            return;
        }
        match finding {
            _ if self.now >= captured.0 + DEADLINE_US => {
                self.book.lost_at.entry(frame).or_insert(Micros(self.now));
            }
            Some(finding) => {
                self.book.answered.insert(frame, finding);
            }
            None => {
                self.book.given_up.insert(frame);
            }
        }
    }

    pub(crate) fn drain_server(&mut self) {
        while self.server_end.is_none() {
            match self.server.poll(Micros(self.now)) {
                Action::Send(lane, bytes) => self.carry(false, lane, bytes.freeze()),
                Action::Capture(id) => self.capture(id),
                Action::Resend { frame, .. } if self.refusals > 0 => {
                    self.refusals -= 1;
                    self.server.not_resent(frame);
                }
                Action::Resend { piece, .. } => {
                    self.resent += 1;
                    self.carry(false, Lane::Frames, Bytes::copy_from_slice(piece.as_ref()));
                }
                Action::GiveUp => {
                    let (id, _) = self.sending.take().expect("a frame to give up");
                    self.sending = Some((id, Vec::new()));
                    self.at(self.now, Event::LinkReady(id));
                }
                Action::Score(score) => self.scores.push(score),
                Action::Close(end) => self.server_end = Some(end),
                Action::Wait(until) => {
                    assert!(until.0 > self.now, "the server spins at {}", self.now);
                    self.server_wakes = until.0;
                    return;
                }
            }
        }
    }

    fn capture(&mut self, id: u64) {
        let captured = Micros(self.now);
        let message = Frame {
            id,
            captured_us: captured,
            width: SIZE.width,
            height: SIZE.height,
            pixel: PixelFormat::Gray8,
            encoding: Encoding::Raw,
            data: &[40; 1200],
            meta: None,
        };
        let fragments = fragment::split(id, &message, MAX_MESSAGE_SIZE).unwrap();
        let fragments: Vec<Bytes> = fragments.into_iter().map(BytesMut::freeze).collect();
        assert_eq!(fragments.len(), 3);
        self.book.captured.insert(id, captured);
        self.now += self.weather.encoding_us;
        let encoded = Micros(self.now);
        let truth = Truth::Ball { circle: truth(id), limit: Limit::Unknown };
        self.server.captured(
            Capture { truth, captured, encoded, raw_bytes: 1200, wire_bytes: 1300 },
            fragments.iter().map(|fragment| &fragment[..]),
        );
        let out = self.server.tally().counts().sent - self.scores.len() as u64;
        self.most_in_flight = self.most_in_flight.max(out);
        assert!(self.sending.is_none(), "frame {id} is asked for while the link takes another");
        self.sending = Some((id, fragments));
        self.at(self.now + self.weather.link_us, Event::LinkReady(id));
    }

    /// The link has taken this frame, unless it has let go of it before.
    fn link_ready(&mut self, id: u64) {
        let Some((_, fragments)) = self.sending.take_if(|(sending, _)| *sending == id) else { return };
        fragments.into_iter().for_each(|piece| self.carry(false, Lane::Frames, piece));
        if self.server_end.is_none() {
            self.server.link_ready();
        }
    }

    pub(crate) fn drain_client(&mut self) {
        while self.client_end.is_none() {
            let now = self.client_now();
            match self.client.poll(now) {
                ClientAction::Send(lane, bytes) => self.carry(true, lane, bytes.freeze()),
                ClientAction::Greeted { .. } => {}
                ClientAction::Detect(frame) => {
                    assert_eq!(frame.image(&mut Vec::new()).unwrap().size(), SIZE);
                    let done = self.now + self.weather.least_detection_us + self.dice.up_to(self.weather.detection_us);
                    self.at(done, Event::Detected(frame.id, frame.received, now));
                }
                ClientAction::Close(end) => self.client_end = Some(end),
                ClientAction::Wait(until) => {
                    assert!(until > now, "the client spins at {}", now.0);
                    self.client_wakes = until.0 - self.weather.clock_offset_us;
                    return;
                }
            }
        }
    }

    /// Conservation, and agreement with the book.
    pub(crate) fn check(&self) -> FrameCounts {
        let counts = self.server.tally().counts();
        assert_eq!(counts.sent, counts.finished(), "{counts:?}");
        let by = counts.lost_by;
        assert_eq!(counts.lost, by.not_ready + by.unsent + by.incomplete + by.late + by.unanswered, "{counts:?}");
        assert_eq!(counts.sent, self.book.captured.len() as u64);
        assert_eq!(counts.sent, self.scores.len() as u64);
        let mut cumulative = 0.0;
        for (index, score) in self.scores.iter().enumerate() {
            assert_eq!(score.id, index as u64, "scores come in frame order");
            match (score.outcome, self.book.answered.get(&score.id)) {
                (Outcome::Circle { estimate, .. }, Some(Finding::Circle { circle, .. })) => {
                    assert_eq!(estimate, *circle);
                    let ball = truth(score.id);
                    cumulative += (circle.x - ball.x).abs() + (circle.y - ball.y).abs();
                }
                (Outcome::NoCircle, Some(Finding::None)) | (Outcome::Lost | Outcome::Unresolved, None) => {}
                (outcome, answer) => panic!("frame {}: {outcome:?}, but the book says {answer:?}", score.id),
            }
            assert!((score.cumulative_l1_px - cumulative).abs() < 1e-9);
        }
        counts
    }
}

pub(crate) fn truth(frame: u64) -> Circle {
    Circle { x: 15.0 + (frame % 10) as f64 * 0.37, y: 14.0, radius: 8.0 }
}
